//! The integration tests: one binary, one module for each concern.

mod auth;
mod conformance;
mod mongo;
mod reads;
mod support;
mod sync;
mod visibility;
