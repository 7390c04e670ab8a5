//! The variables of a request, which stay text until the operation is known.
//!
//! A client may send any variables, but only those that the operation declares become values. Their
//! number and their depth are checked in the text before that.

use std::collections::HashSet;

use async_graphql::parser::types::OperationDefinition;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    error::{Code, RequestError},
    limits,
    raw_object::RawObject,
};
use crate::domain::limits::Limits;

/// The variables of a request as text.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct RawVariables(Option<RawObject>);

impl From<Option<RawObject>> for RawVariables {
    fn from(variables: Option<RawObject>) -> Self {
        Self(variables)
    }
}

impl RawVariables {
    /// Parses the variables that an operation declares. It ignores all others.
    ///
    /// # Errors
    ///
    /// Returns an error if the variables exceed a limit, or have text that is not Unicode or a number
    /// that is too large for JSON's common range.
    pub(super) fn parse_declared(
        &self,
        operation: &OperationDefinition,
        limits: &Limits,
    ) -> Result<Map<String, Value>, RequestError> {
        let Some(variables) = &self.0 else { return Ok(Map::new()) };
        let definitions = operation.variable_definitions.iter();
        let declared: HashSet<_> = definitions.map(|d| d.node.name.node.as_str()).collect();
        if declared.is_empty() {
            return Ok(Map::new());
        }
        let members = variables.members(|name| declared.contains(name)).map_err(invalid)?;
        limits::check_variables(members.values().map(|value| value.get()), limits)?;
        let parse = |(name, value): (String, &serde_json::value::RawValue)| {
            Ok((name, serde_json::from_str(value.get()).map_err(invalid)?))
        };
        members.into_iter().map(parse).collect()
    }
}

/// Rejects JSON whose syntax is valid, but which has no value.
fn invalid(_: serde_json::Error) -> RequestError {
    let message =
        "The variables have a text that is not Unicode, or a number that is out of range.";
    RequestError::new(Code::ValidationFailed, message)
}
