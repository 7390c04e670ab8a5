//! The integration tests. They are one binary with one module per concern.

mod architecture;
mod auth;
mod authorization_matrix;
mod cli;
mod deploy;
mod documents;
mod http;
mod identity;
mod invitations;
mod limits;
mod lists;
mod live;
mod mail;
mod migrate;
mod mongo;
mod mutations;
mod operations;
mod schema;
mod seed;
mod store_conformance;
mod store_read_counts;
mod support;
mod sync;
mod transfer;
mod validation;
mod visibility;
