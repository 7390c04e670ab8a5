//! The integration tests: one binary, one module for each concern.

mod architecture;
mod auth;
mod binary;
mod conformance;
mod deploy;
mod documents;
mod http;
mod identity;
mod limits;
mod lists;
mod matrix;
mod mongo;
mod operations;
mod reads;
mod schema;
mod seed;
mod support;
mod sync;
mod visibility;
mod writes;
