//! Depth and complexity: each fragment is measured once, however often it is spread. It has one type
//! and one set of variables, so it costs the same everywhere.

use std::collections::HashMap;

use async_graphql::{
    Value,
    parser::types::{Field, OperationType, Selection, SelectionSet},
};

use super::{
    OperationContext,
    schema_index::{Cardinality, SchemaIndex},
};
use crate::graphql::connection::{PAGE_DEFAULT, PAGE_MAX};

/// What a list counts for that nobody bounds.
const ASSUMED_LIST_SIZE: u64 = 20;

/// What a selection set asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    /// Levels of fields.
    pub(super) depth: u64,
    /// Fields, by how often they are answered.
    pub(super) complexity: u64,
    /// Levels of fields of questions about the schema.
    pub(super) introspection_depth: u64,
    /// Fields of questions about the schema, each once: they are free, but not without end.
    pub(super) introspection: u64,
    /// Fields that their type does not have.
    pub(super) unknown: u64,
}

impl Cost {
    fn combine(self, other: Self) -> Self {
        Self {
            depth: self.depth.max(other.depth),
            complexity: self.complexity.saturating_add(other.complexity),
            introspection_depth: self.introspection_depth.max(other.introspection_depth),
            introspection: self.introspection.saturating_add(other.introspection),
            unknown: self.unknown.saturating_add(other.unknown),
        }
    }
}

/// What an operation asks for.
pub(super) fn analyze(asked: OperationContext<'_>, shape: &SchemaIndex) -> Cost {
    let mut measure = CostVisitor { asked, shape, fragments: HashMap::new() };
    let root = match asked.operation.ty {
        OperationType::Query => "Query",
        OperationType::Mutation => "Mutation",
        OperationType::Subscription => "Subscription",
    };
    measure.set(&asked.operation.selection_set.node, root)
}

struct CostVisitor<'a> {
    asked: OperationContext<'a>,
    shape: &'a SchemaIndex,
    /// `None` while a fragment is being measured: one that contains itself is refused later.
    fragments: HashMap<&'a str, Option<Cost>>,
}

impl<'a> CostVisitor<'a> {
    fn set(&mut self, set: &'a SelectionSet, type_name: &str) -> Cost {
        let mut cost = Cost::default();
        for selection in &set.items {
            if self.asked.is_skipped(selection.node.directives()) {
                continue;
            }
            cost = cost.combine(match &selection.node {
                Selection::Field(field) => self.field(&field.node, type_name),
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref();
                    let on = condition.map_or(type_name, |condition| &condition.node.on.node);
                    self.set(&inline.node.selection_set.node, on)
                }
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node),
            });
        }
        cost
    }

    fn fragment(&mut self, name: &str) -> Cost {
        let Some((name, fragment)) = self.asked.fragments.get_key_value(name) else {
            return Cost::default();
        };
        if let Some(measured) = self.fragments.get(name.as_str()) {
            return measured.unwrap_or_default();
        }
        self.fragments.insert(name, None);
        let fragment = &fragment.node;
        let cost = self.set(&fragment.selection_set.node, &fragment.type_condition.node.on.node);
        self.fragments.insert(name, Some(cost));
        cost
    }

    fn field(&mut self, field: &'a Field, type_name: &str) -> Cost {
        let name = field.name.node.as_str();
        match name {
            "__typename" => return Cost::default(),
            "__schema" | "__type" => {
                // Types of the schema of the schema are not known here: each field is one.
                let below = self.set(&field.selection_set.node, "");
                return Cost {
                    introspection_depth: below.depth.saturating_add(1),
                    introspection: below.complexity.saturating_add(1),
                    unknown: below.unknown,
                    ..Cost::default()
                };
            }
            _ => {}
        }
        let known = self.shape.field(type_name, name);
        let below = self.set(&field.selection_set.node, known.map_or("", |f| &f.type_name));
        let times = known.map_or(1, |known| self.multiplier(known.kind, field));
        Cost {
            depth: below.depth.saturating_add(1),
            complexity: below.complexity.saturating_mul(times).saturating_add(1),
            introspection_depth: below.introspection_depth,
            introspection: below.introspection,
            unknown: below
                .unknown
                .saturating_add(u64::from(known.is_none() && self.shape.has(type_name))),
        }
    }

    /// How many objects a field may answer.
    fn multiplier(&self, kind: Cardinality, field: &Field) -> u64 {
        match kind {
            Cardinality::One => 1,
            Cardinality::List => ASSUMED_LIST_SIZE,
            Cardinality::Connection => {
                let size = ["first", "last"].into_iter().find_map(|name| self.number(field, name));
                // A page of none has its own fields all the same: `nodes`, `pageInfo`.
                size.unwrap_or(PAGE_DEFAULT as u64).clamp(1, PAGE_MAX as u64)
            }
            Cardinality::ByIds => match self.argument(field, "ids") {
                Some(Value::List(ids)) => ids.len() as u64,
                _ => 1,
            },
        }
    }

    fn number(&self, field: &Field, name: &str) -> Option<u64> {
        match self.argument(field, name)? {
            // A negative one is refused; until then it costs nothing.
            Value::Number(number) => Some(number.as_u64().unwrap_or(0)),
            _ => None,
        }
    }

    fn argument(&self, field: &Field, name: &str) -> Option<Value> {
        let value = field.get_argument(name)?.node.clone();
        value.into_const_with(|name| self.asked.variable(&name)).ok()
    }
}
