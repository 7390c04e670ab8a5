//! Checks whether the root fields of a mutation can be merged.
//!
//! Fields with the same response key are one field and are executed once (GraphQL specification,
//! section 5.3.2). A document with several fragments can select such fields more than once.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, Positioned,
    parser::types::{Field, FragmentDefinition, Selection, SelectionSet},
};

/// Returns `true` if two root fields with the same response key differ in name or arguments.
///
/// Such fields cannot be merged and the document is invalid. `async-graphql` does not compare a
/// field of a fragment with a field outside of it.
pub(super) fn root_fields_conflict(
    set: &SelectionSet,
    fragments: &HashMap<Name, Positioned<FragmentDefinition>>,
) -> bool {
    let mut visitor = FieldVisitor { by_key: HashMap::new(), visited: HashSet::new(), fragments };
    !visitor.fields_can_merge(set)
}

struct FieldVisitor<'a> {
    by_key: HashMap<&'a str, &'a Field>,
    /// The names of the fragments that were compared. Fragment cycles are not rejected yet at this
    /// point, so each fragment is compared only once.
    visited: HashSet<&'a str>,
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
}

impl<'a> FieldVisitor<'a> {
    fn fields_can_merge(&mut self, set: &'a SelectionSet) -> bool {
        set.items.iter().all(|selection| match &selection.node {
            Selection::Field(field) => {
                let field = &field.node;
                let first = self.by_key.entry(field.response_key().node.as_str()).or_insert(field);
                is_same_field(first, field)
            }
            Selection::InlineFragment(inline) => {
                self.fields_can_merge(&inline.node.selection_set.node)
            }
            Selection::FragmentSpread(spread) => {
                let name = spread.node.fragment_name.node.as_str();
                match self.fragments.get(name) {
                    Some(fragment) if self.visited.insert(name) => {
                        self.fields_can_merge(&fragment.node.selection_set.node)
                    }
                    _ => true,
                }
            }
        })
    }
}

/// Compares the names and the arguments of two fields, but not their selection sets.
fn is_same_field(one: &Field, other: &Field) -> bool {
    one.name.node == other.name.node
        && one.arguments.len() == other.arguments.len()
        && one.arguments.iter().all(|(name, value)| {
            other.get_argument(&name.node).is_some_and(|other| other.node == value.node)
        })
}
