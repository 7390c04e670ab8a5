//! Defines the custom scalars, and converts numbers and identifiers to and from their GraphQL form.

use async_graphql::{ID, InputValueError, InputValueResult, Number, Scalar, ScalarType, Value};
use serde::{Serialize, Serializer};

use crate::{
    access::{AccessError, InputError},
    domain::{
        id::{Entity, Id, NodeId},
        time::Timestamp,
    },
};

/// The form of a `DateTime` in errors.
pub(super) const DATE_TIME_FORM: &str =
    "an RFC 3339 timestamp, for example 2026-01-31T08:00:00.000Z";

/// The scalar `DateTime`, a timestamp in milliseconds.
#[derive(Clone, Copy)]
pub(super) struct DateTime(pub(super) Timestamp);

/// A timestamp in the format of RFC 3339, in UTC and with milliseconds: `2026-01-31T08:00:00.000Z`.
/// Inputs may have any offset from UTC, and are stored with millisecond precision.
#[Scalar(specified_by_url = "https://scalars.graphql.org/andimarek/date-time.html")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        let parsed = Timestamp::parse(text).map(Self);
        parsed.ok_or_else(|| InputValueError::custom(format!("expected {DATE_TIME_FORM}")))
    }

    fn is_valid(value: &Value) -> bool {
        matches!(value, Value::String(text) if Timestamp::parse(text).is_some())
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

impl Serialize for DateTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// The scalar `JSON`, an arbitrary value.
#[derive(Clone)]
pub(super) struct Json(pub(super) Value);

/// Any JSON value: an object, an array, a string, a number, a boolean or null.
#[Scalar(name = "JSON")]
impl ScalarType for Json {
    fn parse(value: Value) -> InputValueResult<Self> {
        Ok(Self(value))
    }

    fn to_value(&self) -> Value {
        self.0.clone()
    }
}

/// Returns a number without a fraction as an integer. JSON does not distinguish `1.0` from `1`.
pub(super) fn integer(number: &Number) -> Option<i64> {
    /// The integers up to this one are exact in JSON (2^53).
    const MAX_EXACT: f64 = 9_007_199_254_740_992.0;
    let float = || number.as_f64().filter(|n| n.fract() == 0.0 && n.abs() <= MAX_EXACT);
    number.as_i64().or_else(|| float().map(|float| float as i64))
}

/// Returns an identifier in its GraphQL form.
pub(super) fn id<E: Entity>(id: Id<E>) -> ID {
    ID(id.to_string())
}

/// Parses an identifier of one type.
///
/// # Errors
///
/// `BadInput` if the identifier is malformed or of another type. It is never looked up then.
pub(super) fn parse_id<E: Entity>(path: &str, text: &str) -> Result<Id<E>, AccessError> {
    Id::parse(text).ok_or_else(|| AccessError::BadInput(vec![malformed_id::<E>(path)]))
}

/// Parses an identifier of one type, and adds an input error if it is malformed.
pub(super) fn parse_id_into<E: Entity>(
    path: &str,
    text: &str,
    errors: &mut Vec<InputError>,
) -> Option<Id<E>> {
    let id = Id::parse(text);
    if id.is_none() {
        errors.push(malformed_id::<E>(path));
    }
    id
}

fn malformed_id<E: Entity>(path: &str) -> InputError {
    let prefix = E::PREFIX;
    let message = format!("must be an identifier: `{prefix}` followed by 24 hexadecimal digits");
    InputError::at(path, message)
}

/// Parses an identifier of any type.
pub(super) fn parse_node_id(path: &str, text: &str) -> Result<NodeId, InputError> {
    const MESSAGE: &str = "must be an identifier: `ten_`, `usr_`, `sub_` or `aud_` followed by 24 \
                           hexadecimal digits";
    NodeId::parse(text).ok_or_else(|| InputError::at(path, MESSAGE))
}
