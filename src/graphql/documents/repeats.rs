//! Removes selections that only repeat another one from the copy of a document that is executed.
//!
//! The engine needs a copy for each request. A selection takes about 200 bytes in it, and a client can
//! write one with a single token, as in `{ me { id id id } }`.

use std::collections::HashSet;

use async_graphql::{
    Name,
    parser::types::{DocumentOperations, ExecutableDocument, Selection, SelectionSet},
};

/// Removes the repeated selections of each selection set.
pub(super) fn remove_repeats(document: &mut ExecutableDocument) {
    match &mut document.operations {
        DocumentOperations::Single(only) => visit(&mut only.node.selection_set.node),
        DocumentOperations::Multiple(named) => {
            for operation in named.values_mut() {
                visit(&mut operation.node.selection_set.node);
            }
        }
    }
    for fragment in document.fragments.values_mut() {
        visit(&mut fragment.node.selection_set.node);
    }
}

fn visit(set: &mut SelectionSet) {
    let mut seen = HashSet::new();
    set.items.retain(|item| repeatable(&item.node).is_none_or(|key| seen.insert(key)));
    set.items.shrink_to_fit();
    for item in &mut set.items {
        match &mut item.node {
            Selection::Field(field) => visit(&mut field.node.selection_set.node),
            Selection::InlineFragment(inline) => visit(&mut inline.node.selection_set.node),
            Selection::FragmentSpread(_) => {}
        }
    }
}

/// Returns the names that identify a leaf field or a fragment spread, or `None` for a selection with
/// arguments, directives or selections of its own.
fn repeatable(selection: &Selection) -> Option<(Name, Option<Name>)> {
    if !selection.directives().is_empty() {
        return None;
    }
    match selection {
        Selection::Field(field) => {
            let field = &field.node;
            let is_leaf = field.arguments.is_empty() && field.selection_set.node.items.is_empty();
            is_leaf.then(|| (field.response_key().node.clone(), Some(field.name.node.clone())))
        }
        Selection::FragmentSpread(spread) => Some((spread.node.fragment_name.node.clone(), None)),
        Selection::InlineFragment(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    /// Returns a document without the positions of its nodes.
    fn shape(document: &ExecutableDocument) -> String {
        let debug = format!("{document:?}");
        let parts = debug.split("Pos(").map(|part| part.split_once(')').map_or(part, |p| p.1));
        parts.collect()
    }

    #[test]
    fn only_identical_leaves_and_spreads_are_removed() {
        for (text, expected) in [
            ("{ a a b a }", "{ a b }"),
            (
                "{ a ...F a ...F } fragment F on Query { c c }",
                "{ a ...F } fragment F on Query { c }",
            ),
            ("{ o { a a } o { a } ... { b b } }", "{ o { a } o { a } ... { b } }"),
            ("{ x: a x: a y: a a }", "{ x: a y: a a }"),
            ("{ x: a x: b }", "{ x: a x: b }"),
            ("{ a(b: 1) a(b: 1) a }", "{ a(b: 1) a(b: 1) a }"),
            (
                "{ a @skip(if: true) a a ...F @skip(if: true) ...F } fragment F on Q { c }",
                "{ a @skip(if: true) a ...F @skip(if: true) ...F } fragment F on Q { c }",
            ),
        ] {
            let mut document = parse_query(text).expect("valid");
            remove_repeats(&mut document);
            assert_eq!(shape(&document), shape(&parse_query(expected).expect("valid")), "{text}");
        }
    }
}
