//! Assembles the root types into the schema that the gateway serves.

use async_graphql::{
    ObjectType, SDLExportOptions, Schema, SchemaBuilder, SubscriptionType, ValidationMode,
};

use super::{
    limits, live::Subscription, mutation::Mutation, query::Query, sdl::to_print_schema_format,
};

/// The schema in the form that `async-graphql` executes.
pub(super) type GraphQlSchema = Schema<Query, Mutation, Subscription>;

/// Returns the schema with all types and no extensions.
pub(super) fn build() -> GraphQlSchema {
    configure(Schema::build(Query, Mutation, Subscription)).finish()
}

/// Makes a schema execute documents without validating them. `prepare` validates them first.
pub(super) fn configure<Q: ObjectType + 'static, S: SubscriptionType + 'static>(
    builder: SchemaBuilder<Q, Mutation, S>,
) -> SchemaBuilder<Q, Mutation, S> {
    builder
        .validation_mode(ValidationMode::Fast)
        .limit_recursive_depth(limits::MAX_NESTING as usize)
}

/// Returns the schema in the GraphQL schema definition language, exactly as in `schema.graphql`.
#[must_use]
pub fn sdl() -> String {
    print(&build())
}

/// Returns a schema in the GraphQL schema definition language.
pub(super) fn print(schema: &GraphQlSchema) -> String {
    let options = SDLExportOptions::new().include_specified_by().use_space_ident();
    to_print_schema_format(&schema.sdl_with_options(options))
}
