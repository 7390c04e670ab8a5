//! A GraphQL gateway for multi-tenant portals.
//!
//! The token of a request identifies the user. The memberships in the database decide what the user may
//! see and do.
//!
//! To follow a request, read the modules in this order. [`http`] reads the credential, and [`auth`]
//! verifies it. [`access`] loads the viewer. [`graphql`] executes the document and gets its data from
//! `access`, which consults [`policy`] and then [`store`]. [`domain`] has the types that all of them
//! share. [`app`] connects the modules.

pub mod access;
pub mod app;
pub mod auth;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod graphql;
pub mod http;
pub mod mail;
pub mod metrics;
pub mod outbox;
pub mod policy;
pub mod seed;
pub mod store;
pub mod telemetry;
pub mod trace;
pub mod transfer;
