//! Detects introspection and executes it.
//!
//! [`objects`] resolves the introspection types from the schema that documents are validated against.
//! `tests/clients/introspection.test.mjs` compares the response with that of graphql-js.

mod data;
mod deprecation;
mod objects;

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::Arc,
};

use apollo_compiler::{Schema as Definitions, validation::Valid};
use async_graphql::{
    Context, ContextSelectionSet, EmptySubscription, Name, ObjectType, OutputType, Pos, Positioned,
    Schema, ServerResult, Value,
    parser::types::{Field, FragmentDefinition, Selection, SelectionSet},
    registry::Registry,
    resolver_utils::{ContainerType, resolve_container},
};

use self::{data::IntrospectionData, objects::IntrospectionFields};
use super::{mutation::Mutation, query::Query, schema};

/// The schema that executes operations with introspection.
pub(super) type IntrospectionSchema = Schema<IntrospectionQuery, Mutation, EmptySubscription>;

/// The root type of queries with the root fields of introspection.
pub(super) struct IntrospectionQuery;

impl ContainerType for IntrospectionQuery {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        match ctx.item.node.name.node.as_str() {
            "__schema" | "__type" => IntrospectionFields.resolve_field(ctx).await,
            _ => Query.resolve_field(ctx).await,
        }
    }
}

impl OutputType for IntrospectionQuery {
    fn type_name() -> Cow<'static, str> {
        Query::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        // The registry already has types with the names of the introspection types.
        Query::create_type_info(registry)
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl ObjectType for IntrospectionQuery {}

/// Returns the schema that executes operations with introspection of these definitions.
///
/// It is a schema of its own, because the other one does not need the root fields of introspection.
/// The introspection of `async-graphql` is disabled, because it would resolve the same fields.
pub(super) fn schema(schema: Arc<Valid<Definitions>>) -> IntrospectionSchema {
    schema::configure(Schema::build(IntrospectionQuery, Mutation, EmptySubscription))
        .disable_introspection()
        .data(IntrospectionData::new(schema))
        .finish()
}

/// Returns the position of the first `__schema` or `__type` in a root selection set.
pub(super) fn find(
    set: &SelectionSet,
    fragments: &HashMap<Name, Positioned<FragmentDefinition>>,
) -> Option<Pos> {
    find_unvisited(set, fragments, &mut HashSet::new())
}

/// Searches a selection set and its fragments.
///
/// `visited` has the names of the fragments that were searched. Fragment cycles are not rejected
/// yet at this point, so each fragment is searched only once.
fn find_unvisited<'a>(
    set: &'a SelectionSet,
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    visited: &mut HashSet<&'a str>,
) -> Option<Pos> {
    set.items.iter().find_map(|selection| match &selection.node {
        Selection::Field(field) => {
            matches!(field.node.name.node.as_str(), "__schema" | "__type").then_some(field.pos)
        }
        Selection::InlineFragment(inline) => {
            find_unvisited(&inline.node.selection_set.node, fragments, visited)
        }
        Selection::FragmentSpread(spread) => {
            let name = &spread.node.fragment_name.node;
            match fragments.get(name) {
                Some(fragment) if visited.insert(name.as_str()) => {
                    find_unvisited(&fragment.node.selection_set.node, fragments, visited)
                }
                _ => None,
            }
        }
    })
}
