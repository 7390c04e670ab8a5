//! Tenantry: a GraphQL gateway for multi-tenant portals. The token says who; the database says what.
//!
//! Read in the order of a request: [`http`] reads the credential, [`auth`] verifies it and names the
//! subject, [`access`] finds the actor, [`graphql`] runs the document and asks `access` for data,
//! which asks [`policy`] and then [`store`]. What they all speak of is in [`domain`].

pub mod access;
pub mod app;
pub mod auth;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod graphql;
pub mod http;
pub mod metrics;
pub mod policy;
pub mod seed;
pub mod store;
pub mod telemetry;
pub mod trace;
