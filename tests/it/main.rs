//! The integration tests: one binary, one module for each concern.

mod auth;
mod http;
mod lists;
mod mongo;
mod nulls;
mod reads;
mod schema;
mod support;
mod sync;
mod visibility;
