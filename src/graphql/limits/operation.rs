//! The operation to check against the limits, with its fragments and variables.

use std::{cell::Cell, collections::HashMap};

use async_graphql::{
    Name, Positioned, Value, Variables,
    parser::types::{Directive, FragmentDefinition, OperationDefinition},
};

/// An operation with the fragments of its document and the values of its variables.
#[derive(Clone, Copy)]
pub(in crate::graphql) struct OperationContext<'a> {
    /// The operation to execute.
    pub(in crate::graphql) operation: &'a OperationDefinition,
    /// The fragments of the document, by name.
    pub(in crate::graphql) fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    /// The values of the variables, with the defaults.
    pub(in crate::graphql) variables: &'a Variables,
    /// `true` once a measure has depended on a variable.
    pub(in crate::graphql) uses_variables: &'a Cell<bool>,
}

impl OperationContext<'_> {
    /// Returns `true` if `@skip` or `@include` excludes a selection.
    pub(super) fn is_skipped(&self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().any(|directive| {
            let directive = &directive.node;
            let skipped_if = match directive.name.node.as_str() {
                "skip" => true,
                "include" => false,
                _ => return false,
            };
            let condition = directive.get_argument("if").map(|value| value.node.clone());
            let condition =
                condition.map(|value| value.into_const_with(|name| self.variable(&name)));
            condition == Some(Ok(Value::Boolean(skipped_if)))
        })
    }

    /// Returns the value of a variable. Validation rejects a variable without a value later.
    pub(super) fn variable(&self, name: &Name) -> Result<Value, ()> {
        self.uses_variables.set(true);
        self.variables.get(name).cloned().ok_or(())
    }
}
