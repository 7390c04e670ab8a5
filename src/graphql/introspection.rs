//! Detects introspection and corrects the description of the schema that introspection returns.
//!
//! `async-graphql` 8.0.0-rc.5 hard-codes `__schema { description }`: it returns the documentation
//! of the type `__Schema` and declares the field non-null. By the specification (section 4.2.1) the
//! field is nullable and describes the schema itself. This schema has no description, so the
//! correct value is `null`. [`SchemaDescription`] fixes both the value and the declared type.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::Arc,
};

use async_graphql::{
    ContextSelectionSet, Name, OutputType, Pos, Positioned, ServerResult, Value,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextResolve, ResolveInfo},
    parser::types::{Field, FragmentDefinition, Selection, SelectionSet},
    registry::{MetaType, Registry},
};

use super::schema::{self, GraphQlSchema};

const SCHEMA_TYPE: &str = "__Schema";
const DESCRIPTION_FIELD: &str = "description";

/// Returns the schema that executes operations with introspection.
///
/// It is a separate schema because `async-graphql` resolves each field more slowly if a schema has
/// an extension.
pub(super) fn schema() -> GraphQlSchema {
    schema::builder()
        .register_output_type::<SchemaDescription>()
        .extension(SchemaDescription)
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

/// Replaces the value and the type of `description` on `__Schema`.
struct SchemaDescription;

impl ExtensionFactory for SchemaDescription {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_trait::async_trait]
impl Extension for SchemaDescription {
    async fn resolve(
        &self,
        ctx: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        if info.parent_type == SCHEMA_TYPE && info.name == DESCRIPTION_FIELD {
            return Ok(None);
        }
        next.run(ctx, info).await
    }
}

/// Gives access to the registry of types, which `async-graphql` passes to registered types only.
impl OutputType for SchemaDescription {
    fn type_name() -> Cow<'static, str> {
        SCHEMA_TYPE.into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        if let Some(MetaType::Object { fields, .. }) = registry.types.get_mut(SCHEMA_TYPE)
            && let Some(field) = fields.get_mut(DESCRIPTION_FIELD)
        {
            field.ty = "String".to_owned();
            field.description = Some("The description of this schema, if it has one.".to_owned());
        }
        Self::qualified_type_name()
    }

    async fn resolve(
        &self,
        _: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> ServerResult<Value> {
        Ok(Value::Null)
    }
}
