//! The schema, and how a request runs against it. Objects are shared domain values; what they may
//! show is asked of [`access`](crate::access), never decided here.
//!
//! Two habits of the engine decide how resolvers look. A field that may be null answers
//! [`Nullable`](context::Nullable), so that an error leaves `null` at that very field and its siblings whole. And
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
mod objects;
mod operation_info;
mod payload;
mod query;
mod request;
mod scalar;
mod sdl;
mod subscription;
mod tenant;
mod user;

use async_graphql::{EmptySubscription, SDLExportOptions, Schema};

pub use documents::TrustedDocuments;
pub use error::{Code, RequestError};
pub use operation_info::OperationInfo;
pub use request::{GraphQlExecutor, GraphQlRequest, GraphQlResponse, PreparedOperation};

type Root = Schema<query::Query, mutation::Mutation, EmptySubscription>;

fn root() -> async_graphql::SchemaBuilder<query::Query, mutation::Mutation, EmptySubscription> {
    Schema::build(query::Query, mutation::Mutation, EmptySubscription)
}

/// Returns the schema in the schema definition language, exactly as in `schema.graphql`.
#[must_use]
pub fn sdl() -> String {
    let options = SDLExportOptions::new().include_specified_by().use_space_ident();
    sdl::like_print_schema(&root().finish().sdl_with_options(options))
}
