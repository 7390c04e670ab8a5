//! Assembles the root types into the schema that the gateway serves.

use async_graphql::{SDLExportOptions, Schema, SchemaBuilder, ValidationMode};

use super::{
    limits, live::Subscription, mutation::Mutation, query::Query, sdl::to_print_schema_format,
};

/// The schema in the form that `async-graphql` executes.
pub(super) type GraphQlSchema = Schema<Query, Mutation, Subscription>;

/// Returns a builder with all types of the schema and no extensions.
///
/// The schema executes documents without validating them. `prepare` validates them first.
pub(super) fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    Schema::build(Query, Mutation, Subscription)
        .validation_mode(ValidationMode::Fast)
        .limit_recursive_depth(limits::MAX_NESTING as usize)
}

/// Returns the schema in the GraphQL schema definition language, exactly as in `schema.graphql`.
#[must_use]
pub fn sdl() -> String {
    print(&builder().finish())
}

/// Returns a schema in the GraphQL schema definition language.
pub(super) fn print(schema: &GraphQlSchema) -> String {
    let options = SDLExportOptions::new().include_specified_by().use_space_ident();
    to_print_schema_format(&schema.sdl_with_options(options))
}
