//! Scalars that GraphQL does not have of its own, and identifiers.

use async_graphql::{ID, InputValueError, InputValueResult, Scalar, ScalarType, Value};

use crate::{
    access::{AccessError, InputError},
    domain::{
        id::{Entity, Id, NodeId},
        time::Timestamp,
    },
};

/// A moment, as the schema has it.
#[derive(Clone, Copy)]
pub(super) struct DateTime(pub(super) Timestamp);

/// A moment: RFC 3339 in UTC with milliseconds, `2026-01-31T08:00:00.000Z`. As an input it may have any offset, and is kept to the millisecond.
#[Scalar(specified_by_url = "https://scalars.graphql.org/andimarek/date-time.html")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        let parsed = Timestamp::parse(text).map(Self);
        parsed.ok_or_else(|| InputValueError::custom("not a moment in the form of RFC 3339"))
    }

    fn is_valid(value: &Value) -> bool {
        matches!(value, Value::String(text) if Timestamp::parse(text).is_some())
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// Any JSON value, as the schema has it.
#[derive(Clone)]
pub(super) struct Json(pub(super) Value);

/// Any JSON value.
#[Scalar(name = "JSON")]
impl ScalarType for Json {
    fn parse(value: Value) -> InputValueResult<Self> {
        Ok(Self(value))
    }

    fn to_value(&self) -> Value {
        self.0.clone()
    }
}

/// An identifier in the client's form.
pub(super) fn id<E: Entity>(id: Id<E>) -> ID {
    ID(id.to_string())
}

/// Reads an identifier from the client; a malformed one is never looked up.
pub(super) fn parse_id<E: Entity>(path: &str, text: &str) -> Result<Id<E>, AccessError> {
    Id::parse(text).ok_or_else(|| AccessError::BadInput(vec![malformed::<E>(path)]))
}

/// The same, where there may be more than one fault.
pub(super) fn parse_id_into<E: Entity>(
    path: &str,
    text: &str,
    faults: &mut Vec<InputError>,
) -> Option<Id<E>> {
    let id = Id::parse(text);
    if id.is_none() {
        faults.push(malformed::<E>(path));
    }
    id
}

fn malformed<E: Entity>(path: &str) -> InputError {
    InputError::at(path, format!("must be an identifier: {} and 24 hexadecimal digits", E::PREFIX))
}

/// Reads an identifier of any kind from the client.
pub(super) fn parse_node_id(path: &str, text: &str) -> Result<NodeId, InputError> {
    NodeId::parse(text).ok_or_else(|| InputError {
        path: path.to_owned(),
        message: "must be an identifier: ten_, usr_, sub_ or aud_ and 24 hexadecimal digits".into(),
    })
}
