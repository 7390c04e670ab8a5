//! Which root fields of a mutation are one. The specification merges those of one response key (a
//! document of several fragments has them), and what is one is done once.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, Positioned,
    parser::types::{Field, FragmentDefinition, Selection, SelectionSet},
};

/// Whether fields of one response key ask for different things: then they cannot be merged, and the
/// document is not valid. (The engine compares no field of a fragment with one outside of it.)
pub(super) fn root_fields_conflict(
    set: &SelectionSet,
    fragments: &HashMap<Name, Positioned<FragmentDefinition>>,
) -> bool {
    let mut fields = Fields { by_key: HashMap::new(), seen: HashSet::new(), fragments };
    !fields.fields_can_merge(set)
}

struct Fields<'a> {
    by_key: HashMap<&'a str, &'a Field>,
    /// Fragments may still go in circles here, so each is looked at once.
    seen: HashSet<&'a str>,
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
}

impl<'a> Fields<'a> {
    fn fields_can_merge(&mut self, set: &'a SelectionSet) -> bool {
        set.items.iter().all(|selection| match &selection.node {
            Selection::Field(field) => {
                let field = &field.node;
                let first = self.by_key.entry(field.response_key().node.as_str()).or_insert(field);
                same(first, field)
            }
            Selection::InlineFragment(inline) => {
                self.fields_can_merge(&inline.node.selection_set.node)
            }
            Selection::FragmentSpread(spread) => {
                let name = spread.node.fragment_name.node.as_str();
                match self.fragments.get(name) {
                    Some(fragment) if self.seen.insert(name) => {
                        self.fields_can_merge(&fragment.node.selection_set.node)
                    }
                    _ => true,
                }
            }
        })
    }
}

fn same(one: &Field, other: &Field) -> bool {
    one.name.node == other.name.node
        && one.arguments.len() == other.arguments.len()
        && one.arguments.iter().all(|(name, value)| {
            other.get_argument(&name.node).is_some_and(|other| other.node == value.node)
        })
}
