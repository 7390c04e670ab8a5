//! The facts about an operation that telemetry may report to the operator.
//!
//! They contain no literal and no value of a variable.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, Positioned,
    parser::types::{
        FragmentDefinition, OperationDefinition, OperationType, Selection, SelectionSet,
    },
};

use super::limits::SchemaIndex;

/// The attributes that identify an operation in logs, traces and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationInfo {
    /// The operation type: `query`, `mutation` or `subscription`.
    pub kind: &'static str,
    /// The only root field, by its name in the schema. Otherwise `several` or `none`.
    pub field: String,
    /// The name of the operation, chosen by the client: up to 255 characters of `A-Za-z0-9_`.
    pub name: Option<String>,
    /// The SHA-256 of the document in 64 hexadecimal digits, as in persisted queries.
    pub hash: String,
    /// `true` if the document is trusted, so that its operation name comes from a fixed set.
    pub trusted: bool,
}

/// The attributes that all operations of a document share.
pub(super) struct DocumentInfo {
    /// The SHA-256 of the document in hexadecimal digits.
    pub(super) hash: String,
    /// `true` if the document is on the operator's list of trusted documents.
    pub(super) trusted: bool,
}

impl OperationInfo {
    /// Collects the attributes of an operation of a document.
    pub(super) fn new(
        name: Option<&str>,
        operation: &OperationDefinition,
        fragments: &HashMap<Name, Positioned<FragmentDefinition>>,
        document: &DocumentInfo,
        index: &SchemaIndex,
    ) -> Self {
        let (kind, root_type) = match operation.ty {
            OperationType::Query => ("query", "Query"),
            OperationType::Mutation => ("mutation", "Mutation"),
            OperationType::Subscription => ("subscription", "Subscription"),
        };
        let mut visitor =
            RootFieldVisitor { fragments, visited: HashSet::new(), root_field: RootField::None };
        visitor.visit(&operation.selection_set.node);
        let field = match visitor.root_field {
            RootField::None => "none",
            // The client invented a name that the schema does not have.
            RootField::One(name) if !index.has_field(root_type, name) => "none",
            RootField::One(name) => name,
            RootField::Several => "several",
        };
        Self {
            kind,
            field: field.to_owned(),
            name: name.map(str::to_owned),
            hash: document.hash.clone(),
            trusted: document.trusted,
        }
    }
}

enum RootField<'a> {
    None,
    One(&'a str),
    Several,
}

struct RootFieldVisitor<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    /// The names of the fragments that were visited. Fragments can form cycles and can be spread
    /// often, so each is visited only once.
    visited: HashSet<&'a str>,
    root_field: RootField<'a>,
}

impl<'a> RootFieldVisitor<'a> {
    fn visit(&mut self, set: &'a SelectionSet) {
        for selection in &set.items {
            match (&self.root_field, &selection.node) {
                (RootField::Several, _) => return,
                (RootField::None, Selection::Field(field))
                    if field.node.name.node != "__typename" =>
                {
                    self.root_field = RootField::One(&field.node.name.node);
                }
                (RootField::One(name), Selection::Field(field)) => {
                    let other = field.node.name.node.as_str();
                    if *name != other && other != "__typename" {
                        self.root_field = RootField::Several;
                    }
                }
                (_, Selection::Field(_)) => {}
                (_, Selection::InlineFragment(inline)) => {
                    self.visit(&inline.node.selection_set.node);
                }
                (_, Selection::FragmentSpread(spread)) => {
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = self.fragments.get(name)
                        && self.visited.insert(name)
                    {
                        self.visit(&fragment.node.selection_set.node);
                    }
                }
            }
        }
    }
}
