//! Converts between rows and domain types.
//!
//! Each file has the columns that its `decode` needs, and reads them by name. A row without a
//! readable `id` fails the whole statement. If another column cannot be decoded, the row is an
//! `UnreadableDocument`.

pub(super) mod audit;
pub(super) mod idempotency;
pub(super) mod invitation;
pub(super) mod outbox;
pub(super) mod subscription;
pub(super) mod tenant;
pub(super) mod user;

use std::rc::Rc;

use rusqlite::{
    Row, ToSql,
    types::{FromSql, Value},
};
use serde::de::DeserializeOwned;

use crate::domain::{
    id::{Id, ObjectId, TenantId},
    list::{Decoded, UnreadableDocument},
    time::Timestamp,
};

/// The reason why a row cannot be decoded: a column and a description of the expected value.
pub(super) struct DecodeError {
    column: &'static str,
    expected: &'static str,
}

/// A decoded value, or the reason why it cannot be decoded.
pub(super) type DecodeResult<T> = Result<T, DecodeError>;

/// A row whose columns are read by name as values of an expected type.
pub(super) struct Fields<'a> {
    row: &'a Row<'a>,
}

impl Fields<'_> {
    fn get<T: FromSql>(&self, column: &'static str, expected: &'static str) -> DecodeResult<T> {
        self.row.get(column).map_err(|_| DecodeError { column, expected })
    }

    fn id<E>(&self, column: &'static str) -> DecodeResult<Id<E>> {
        self.get(column, "12 bytes").map(|bytes| Id::new(ObjectId(bytes)))
    }

    fn optional_id<E>(&self, column: &'static str) -> DecodeResult<Option<Id<E>>> {
        let bytes: Option<[u8; 12]> = self.get(column, "12 bytes or null")?;
        Ok(bytes.map(|bytes| Id::new(ObjectId(bytes))))
    }

    fn integer(&self, column: &'static str) -> DecodeResult<i32> {
        self.get(column, "a 32-bit integer")
    }

    fn text(&self, column: &'static str) -> DecodeResult<String> {
        self.get(column, "text")
    }

    fn optional_text(&self, column: &'static str) -> DecodeResult<Option<String>> {
        self.get(column, "text or null")
    }

    fn flag(&self, column: &'static str) -> DecodeResult<bool> {
        self.get(column, "0 or 1")
    }

    fn version(&self) -> DecodeResult<i32> {
        self.integer("version")
    }

    fn time(&self, column: &'static str) -> DecodeResult<Timestamp> {
        self.optional_time(column)?.ok_or(DecodeError { column, expected: "milliseconds" })
    }

    fn optional_time(&self, column: &'static str) -> DecodeResult<Option<Timestamp>> {
        let expected = "milliseconds or null";
        let millis: Option<i64> = self.get(column, expected)?;
        let time = |millis| Timestamp::from_millis(millis).ok_or(DecodeError { column, expected });
        millis.map(time).transpose()
    }

    /// Reads a value of an enumeration that is stored as text.
    fn string_enum<T>(
        &self,
        column: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> DecodeResult<T> {
        let expected = "a known value";
        self.optional_string_enum(column, parse)?.ok_or(DecodeError { column, expected })
    }

    fn optional_string_enum<T>(
        &self,
        column: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> DecodeResult<Option<T>> {
        let expected = "a known value";
        let text = self.optional_text(column)?;
        let parse = |text: String| parse(&text).ok_or(DecodeError { column, expected });
        text.map(parse).transpose()
    }

    fn json<T: DeserializeOwned>(&self, column: &'static str) -> DecodeResult<T> {
        let expected = "JSON of the known structure";
        self.optional_json(column)?.ok_or(DecodeError { column, expected })
    }

    fn optional_json<T: DeserializeOwned>(&self, column: &'static str) -> DecodeResult<Option<T>> {
        let expected = "JSON of the known structure";
        let text = self.optional_text(column)?;
        let parse = |text: String| {
            serde_json::from_str(&text).map_err(|_| DecodeError { column, expected })
        };
        text.map(parse).transpose()
    }
}

/// Decodes a row. An unreadable one is logged with its location and the reason, but without its
/// values.
fn decode_or_log<T>(
    table: &str,
    row: &Row<'_>,
    decode: impl Fn(&Fields<'_>) -> DecodeResult<T>,
) -> rusqlite::Result<Decoded<T>> {
    let id = ObjectId(row.get("id")?);
    let decoded = decode(&Fields { row });
    Ok(decoded.map_err(|DecodeError { column, expected }| {
        tracing::error!(table, %id, column, expected, "a stored row cannot be read");
        UnreadableDocument {
            id,
            tenant: row.get("tenant_id").ok().map(|id| TenantId::new(ObjectId(id))),
        }
    }))
}

/// Returns identifiers as one parameter, a list for `rarray`.
pub(super) fn blobs<E>(ids: &[Id<E>]) -> Parameter {
    Parameter::List(ids.iter().map(|id| Value::Blob(id.raw.0.to_vec())).collect())
}

/// Returns text values as one parameter, a list for `rarray`.
pub(super) fn texts(texts: &[String]) -> Parameter {
    Parameter::List(texts.iter().cloned().map(Value::Text).collect())
}

/// A parameter of a statement. It can be sent to another thread, unlike the `Rc` that rusqlite
/// binds for a list.
#[derive(Clone)]
pub(super) enum Parameter {
    /// A single value.
    One(Value),
    /// A list of values for `rarray`.
    List(Vec<Value>),
}

impl Parameter {
    /// Creates a parameter from an identifier.
    pub(super) fn id<E>(id: Id<E>) -> Self {
        Self::One(Value::Blob(id.raw.0.to_vec()))
    }

    /// Creates a parameter from text.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::One(Value::Text(text.into()))
    }

    /// Creates a parameter from an integer.
    pub(super) const fn integer(integer: i64) -> Self {
        Self::One(Value::Integer(integer))
    }

    /// Converts the parameter to the type that a statement binds.
    pub(super) fn into_sql(self) -> Box<dyn ToSql> {
        match self {
            Self::One(value) => Box::new(value),
            Self::List(values) => Box::new(Rc::new(values)),
        }
    }
}

/// Serializes a value for a JSON column.
pub(super) fn to_json(value: &impl serde::Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}
