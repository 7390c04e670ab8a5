//! The schema, and how a request runs against it. Objects are shared domain values; what they may
//! show is asked of [`access`](crate::access), never decided here.
//!
//! Two habits of the engine decide how resolvers look. A field that may be null answers
//! [`Nullable`], so that an error leaves `null` at that very field and its siblings whole. And
//! every look-up of a nested field goes through [`loaders`], so that one level of a document costs
//! one read, whatever its width.

mod audit;
mod batch;
mod connection;
mod context;
mod cursor;
mod documents;
mod enums;
mod error;
mod field_merging;
mod input;
mod limits;
mod loaders;
mod mutation;
mod node;
mod operation_info;
mod payload;
mod query;
mod request;
mod scalar;
mod subscription;
mod tenant;
mod user;
mod write_input;

use async_graphql::{EmptySubscription, SDLExportOptions, Schema};

use crate::access::AccessError;

pub use documents::TrustedDocuments;
pub use error::{Code, RequestError};
pub use operation_info::OperationInfo;
pub use request::{GraphQlExecutor, GraphQlRequest, GraphQlResponse, PreparedOperation};

/// What a field answers that may be null: nothing, a value, or an error beside a `null`.
type Nullable<T> = Option<Result<T, AccessError>>;

type Root = Schema<query::Query, mutation::Mutation, EmptySubscription>;

fn root() -> async_graphql::SchemaBuilder<query::Query, mutation::Mutation, EmptySubscription> {
    Schema::build(query::Query, mutation::Mutation, EmptySubscription)
}

/// The schema in GraphQL's schema definition language, as `schema.graphql` has it.
#[must_use]
pub fn sdl() -> String {
    root().finish().sdl_with_options(SDLExportOptions::new().include_specified_by())
}
