//! Executes live operations: GraphQL subscriptions.
//!
//! `root` defines the root type of subscriptions. `operation` executes the selection set of an
//! operation again for each event. Every event has its own session, viewer and loaders, so it is
//! authorized and resolved exactly like a query.
//! [`access`](crate::access) supplies the events and decides which of them the viewer may see.

mod arguments;
mod operation;
mod root;

pub use operation::{LiveItem, LiveOperation};
pub(super) use operation::{LiveSchema, LiveSource, live_schema};
pub(super) use root::Subscription;
