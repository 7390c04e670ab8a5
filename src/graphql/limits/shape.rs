//! Measures a document with all its fragments expanded.
//!
//! Each fragment is measured once, however often it is spread.

use std::collections::HashMap;

use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};

/// The size of a selection set whose fragments are expanded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// The number of fields, inline fragments and fragment spreads within each other.
    pub(super) nesting: u64,
    /// The number of fields, inline fragments and fragment spreads.
    pub(super) selections: u64,
}

impl Shape {
    fn max(self, other: Self) -> Self {
        Self {
            nesting: self.nesting.max(other.nesting),
            selections: self.selections.max(other.selections),
        }
    }
}

/// Returns the maxima of all operations and fragments of a document.
pub(super) fn analyze(document: &ExecutableDocument) -> Shape {
    let mut visitor = ShapeVisitor { document, fragments: HashMap::new() };
    let mut maximum = Shape::default();
    for name in document.fragments.keys() {
        maximum = maximum.max(visitor.fragment(name));
    }
    for (_, operation) in document.operations.iter() {
        maximum = maximum.max(visitor.selection_set(&operation.node.selection_set.node));
    }
    maximum
}

struct ShapeVisitor<'a> {
    document: &'a ExecutableDocument,
    /// The shape of each fragment. It is empty while the fragment is being measured, because
    /// validation rejects a fragment that contains itself.
    fragments: HashMap<&'a str, Shape>,
}

impl<'a> ShapeVisitor<'a> {
    fn selection_set(&mut self, set: &'a SelectionSet) -> Shape {
        let mut shape = Shape::default();
        for selection in &set.items {
            let below = match &selection.node {
                Selection::Field(field) => self.selection_set(&field.node.selection_set.node),
                Selection::InlineFragment(inline) => {
                    self.selection_set(&inline.node.selection_set.node)
                }
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node),
            };
            shape.nesting = shape.nesting.max(below.nesting + 1);
            shape.selections = shape.selections.saturating_add(below.selections).saturating_add(1);
        }
        shape
    }

    fn fragment(&mut self, name: &str) -> Shape {
        let Some((name, fragment)) = self.document.fragments.get_key_value(name) else {
            return Shape::default();
        };
        if let Some(measured) = self.fragments.get(name.as_str()) {
            return *measured;
        }
        self.fragments.insert(name, Shape::default());
        let shape = self.selection_set(&fragment.node.selection_set.node);
        self.fragments.insert(name, shape);
        shape
    }
}
