//! Computes the depth and the complexity of an operation.
//!
//! Each fragment is measured once, however often it is spread. A fragment has one type condition
//! and one set of variables, so its cost is the same everywhere.

use std::collections::HashMap;

use async_graphql::{
    Value,
    parser::types::{Field, OperationType, Selection, SelectionSet},
};

use super::{
    operation::OperationContext,
    schema_index::{Cardinality, SchemaIndex},
};
use crate::graphql::{
    connection::{PAGE_DEFAULT, PAGE_MAX},
    scalar::integer,
};

/// The assumed number of items of a list without a size argument.
const ASSUMED_LIST_SIZE: u64 = 20;

/// The fields of `__Type` whose lists have types again.
const INTROSPECTION_LISTS: [&str; 4] = ["fields", "inputFields", "interfaces", "possibleTypes"];

/// The cost of a selection set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    /// The number of levels of fields.
    pub(super) depth: u64,
    /// The number of fields, each multiplied by the maximum number of objects that have it.
    pub(super) complexity: u64,
    /// The number of levels of fields below `__schema` and `__type`.
    pub(super) introspection_depth: u64,
    /// The number of selections of every kind below `__schema` and `__type`, each counted once. They
    /// add neither to the complexity nor to the work, but have a limit of their own.
    pub(super) introspection: u64,
    /// The number of [`INTROSPECTION_LISTS`] within each other.
    pub(super) introspection_lists: u64,
    /// The number of selections of every kind, each multiplied like the fields. A selection that
    /// adds nothing to the complexity takes time, too.
    pub(super) work: u64,
}

impl Cost {
    fn combine(self, other: Self) -> Self {
        Self {
            depth: self.depth.max(other.depth),
            complexity: self.complexity.saturating_add(other.complexity),
            introspection_depth: self.introspection_depth.max(other.introspection_depth),
            introspection: self.introspection.saturating_add(other.introspection),
            introspection_lists: self.introspection_lists.max(other.introspection_lists),
            work: self.work.saturating_add(other.work),
        }
    }
}

/// Computes the cost of an operation.
pub(super) fn analyze(context: OperationContext<'_>, index: &SchemaIndex) -> Cost {
    let mut visitor = CostVisitor { context, index, fragments: HashMap::new() };
    let root = match context.operation.ty {
        OperationType::Query => "Query",
        OperationType::Mutation => "Mutation",
        OperationType::Subscription => "Subscription",
    };
    visitor.selection_set(&context.operation.selection_set.node, root)
}

struct CostVisitor<'a> {
    context: OperationContext<'a>,
    index: &'a SchemaIndex,
    /// The cost of each fragment, or `None` while it is being measured. Validation rejects a
    /// fragment that contains itself later.
    fragments: HashMap<&'a str, Option<Cost>>,
}

impl<'a> CostVisitor<'a> {
    fn selection_set(&mut self, set: &'a SelectionSet, type_name: &str) -> Cost {
        let mut cost = Cost::default();
        for selection in &set.items {
            if self.context.is_skipped(selection.node.directives()) {
                continue;
            }
            cost.work = cost.work.saturating_add(1);
            cost = cost.combine(match &selection.node {
                Selection::Field(field) => self.field(&field.node, type_name),
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref();
                    let on = condition.map_or(type_name, |condition| &condition.node.on.node);
                    self.selection_set(&inline.node.selection_set.node, on)
                }
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node),
            });
        }
        cost
    }

    fn fragment(&mut self, name: &str) -> Cost {
        let Some((name, fragment)) = self.context.fragments.get_key_value(name) else {
            return Cost::default();
        };
        if let Some(measured) = self.fragments.get(name.as_str()) {
            return measured.unwrap_or_default();
        }
        self.fragments.insert(name, None);
        let fragment = &fragment.node;
        let cost =
            self.selection_set(&fragment.selection_set.node, &fragment.type_condition.node.on.node);
        self.fragments.insert(name, Some(cost));
        cost
    }

    fn field(&mut self, field: &'a Field, type_name: &str) -> Cost {
        let name = field.name.node.as_str();
        match name {
            "__typename" => return Cost::default(),
            "__schema" | "__type" => {
                // The index has no introspection types, so each field counts as one.
                let below = self.selection_set(&field.selection_set.node, "");
                return Cost {
                    introspection_depth: below.depth.saturating_add(1),
                    introspection: below.work.saturating_add(1),
                    introspection_lists: below.introspection_lists,
                    ..Cost::default()
                };
            }
            _ => {}
        }
        let definition = self.index.field(type_name, name);
        let below = self.selection_set(
            &field.selection_set.node,
            definition.map_or("", |field| &field.type_name),
        );
        let multiplier = definition.map_or(1, |known| self.multiplier(known.cardinality, field));
        Cost {
            depth: below.depth.saturating_add(1),
            complexity: below.complexity.saturating_mul(multiplier).saturating_add(1),
            introspection_depth: below.introspection_depth,
            introspection: below.introspection,
            introspection_lists: below.introspection_lists.saturating_add(u64::from(
                matches!(type_name, "" | "__Type") && INTROSPECTION_LISTS.contains(&name),
            )),
            work: below.work.saturating_mul(multiplier),
        }
    }

    /// Returns the maximum number of objects that a field returns.
    fn multiplier(&self, cardinality: Cardinality, field: &Field) -> u64 {
        match cardinality {
            Cardinality::One => 1,
            Cardinality::List => ASSUMED_LIST_SIZE,
            Cardinality::Connection => {
                let size = ["first", "last"]
                    .into_iter()
                    .find_map(|name| self.number_argument(field, name));
                // An empty page still has the fields of the connection, such as `pageInfo`.
                size.unwrap_or(PAGE_DEFAULT as u64).clamp(1, PAGE_MAX as u64)
            }
            Cardinality::ByIds => match self.argument(field, "ids") {
                Some(Value::List(ids)) => ids.len() as u64,
                _ => 1,
            },
        }
    }

    fn number_argument(&self, field: &Field, name: &str) -> Option<u64> {
        match self.argument(field, name)? {
            // The resolver rejects a negative size, so its cost does not matter.
            Value::Number(number) => {
                Some(integer(&number).and_then(|size| u64::try_from(size).ok()).unwrap_or(0))
            }
            _ => None,
        }
    }

    fn argument(&self, field: &Field, name: &str) -> Option<Value> {
        let value = field.get_argument(name)?.node.clone();
        value.into_const_with(|name| self.context.variable(&name)).ok()
    }
}
