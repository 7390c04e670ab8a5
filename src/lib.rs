//! Tenantry: a GraphQL gateway for multi-tenant portals. The token says who; the database says what.
//!
//! Read in the order of a request, from the ground up: [`domain`] (the nouns and the rules),
//! [`policy`] (who may do what), [`store`] (where data is kept), [`auth`] (who is asking).

pub mod auth;
pub mod clock;
pub mod domain;
pub mod policy;
pub mod store;
