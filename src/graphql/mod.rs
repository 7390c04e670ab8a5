//! Defines the GraphQL schema and executes requests against it.
//!
//! - GraphQL objects wrap shared domain values. The [`access`](crate::access) module decides which
//!   of them a viewer may see. This module never makes that decision.
//! - A nullable field returns [`Nullable`](context::Nullable). An error then puts `null` at that
//!   field only and leaves its siblings intact.
//! - Every lookup by key goes through [`loaders`]. One level of a document therefore costs one
//!   batch of each kind, regardless of the number of its objects.
//!
//! A request passes [`request`] (its parameters), [`prepare`] (limits, [`validation`] and execution)
//! and [`response`] (its result). [`schema`] assembles the root types.

mod audit;
mod batch;
mod connection;
mod context;
mod cursor;
mod documents;
mod enums;
mod error;
mod execution;
mod guard;
mod input;
mod introspection;
mod invitation;
mod limits;
mod live;
mod loaders;
mod mutation;
mod node;
mod objects;
mod operation_info;
mod payload;
mod prepare;
mod query;
mod raw_object;
mod request;
mod response;
mod scalar;
mod schema;
mod sdl;
mod subscription;
mod tenant;
mod user;
mod validation;
mod variables;

pub use documents::TrustedDocuments;
pub use error::{Code, RequestError};
pub use live::{LiveItem, LiveOperation};
pub use operation_info::OperationInfo;
pub use prepare::{GraphQlExecutor, PreparedOperation};
pub use raw_object::RawObject;
pub use request::{GraphQlRequest, RequestExtensions};
pub use response::GraphQlResponse;
pub use schema::sdl;
pub use variables::RawVariables;
