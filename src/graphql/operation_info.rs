//! What may be told of an operation to whoever runs this: no literal, no value of a variable.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, Positioned,
    parser::types::{
        FragmentDefinition, OperationDefinition, OperationType, Selection, SelectionSet,
    },
};

use super::{documents::ParsedDocument, limits::SchemaIndex};

/// An operation, as logs, traces and metrics tell it apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationInfo {
    /// `query` or `mutation`.
    pub kind: &'static str,
    /// Its one root field, a name of the schema; else `several` or `none`.
    pub field: String,
    /// Its own name, which the client has chosen: up to 255 of `A-Za-z0-9_`.
    pub name: Option<String>,
    /// The SHA-256 of its document, as persisted queries have it: 64 hexadecimal digits.
    pub hash: String,
    /// Whether its document is a trusted one, and so its name one of few.
    pub trusted: bool,
}

impl OperationInfo {
    pub(super) fn of(
        (name, operation): (Option<&str>, &OperationDefinition),
        parsed: &ParsedDocument,
        shape: &SchemaIndex,
    ) -> Self {
        let fragments = &parsed.document.fragments;
        let (kind, root) = match operation.ty {
            OperationType::Query => ("query", "Query"),
            OperationType::Mutation => ("mutation", "Mutation"),
            OperationType::Subscription => ("subscription", "Subscription"),
        };
        let mut fields = Fields { fragments, seen: HashSet::new(), found: RootField::None };
        fields.look(&operation.selection_set.node);
        let field = match fields.found {
            RootField::None => "none",
            // A name that the schema does not have is a client's own.
            RootField::One(name) if !shape.has_field(root, name) => "none",
            RootField::One(name) => name,
            RootField::Several => "several",
        };
        Self {
            kind,
            field: field.to_owned(),
            name: name.map(str::to_owned),
            hash: parsed.hash.clone(),
            trusted: parsed.trusted,
        }
    }
}

enum RootField<'a> {
    None,
    One(&'a str),
    Several,
}

struct Fields<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    /// Fragments may go in circles and be named often: each is looked at once.
    seen: HashSet<&'a str>,
    found: RootField<'a>,
}

impl<'a> Fields<'a> {
    fn look(&mut self, set: &'a SelectionSet) {
        for selection in &set.items {
            match (&self.found, &selection.node) {
                (RootField::Several, _) => return,
                (RootField::None, Selection::Field(field))
                    if field.node.name.node != "__typename" =>
                {
                    self.found = RootField::One(&field.node.name.node);
                }
                (RootField::One(name), Selection::Field(field)) => {
                    let other = field.node.name.node.as_str();
                    if *name != other && other != "__typename" {
                        self.found = RootField::Several;
                    }
                }
                (_, Selection::Field(_)) => {}
                (_, Selection::InlineFragment(inline)) => {
                    self.look(&inline.node.selection_set.node);
                }
                (_, Selection::FragmentSpread(spread)) => {
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = self.fragments.get(name)
                        && self.seen.insert(name)
                    {
                        self.look(&fragment.node.selection_set.node);
                    }
                }
            }
        }
    }
}
