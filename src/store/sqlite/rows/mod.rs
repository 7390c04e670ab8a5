//! Between rows and domain types. Every reader takes its own columns by place, the identifier first.

pub(super) mod audit;
pub(super) mod idempotency;
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

/// What a column should hold and does not.
pub(super) struct DecodeError {
    column: &'static str,
    expected: &'static str,
}

/// A column's value, or what is wrong with it.
pub(super) type DecodeResult<T> = Result<T, DecodeError>;

/// A row of one table, read by the names of its columns.
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

    fn text(&self, column: &'static str) -> DecodeResult<String> {
        self.get(column, "text")
    }

    fn maybe_text(&self, column: &'static str) -> DecodeResult<Option<String>> {
        self.get(column, "text or null")
    }

    fn flag(&self, column: &'static str) -> DecodeResult<bool> {
        self.get(column, "0 or 1")
    }

    fn version(&self) -> DecodeResult<i32> {
        self.get("version", "a 32-bit integer")
    }

    fn time(&self, column: &'static str) -> DecodeResult<Timestamp> {
        self.maybe_time(column)?.ok_or(DecodeError { column, expected: "milliseconds" })
    }

    fn maybe_time(&self, column: &'static str) -> DecodeResult<Option<Timestamp>> {
        let expected = "milliseconds, or null";
        let millis: Option<i64> = self.get(column, expected)?;
        let time = |millis| Timestamp::from_millis(millis).ok_or(DecodeError { column, expected });
        millis.map(time).transpose()
    }

    fn word<T>(&self, column: &'static str, read: impl Fn(&str) -> Option<T>) -> DecodeResult<T> {
        let expected = "a word known here";
        self.maybe_word(column, read)?.ok_or(DecodeError { column, expected })
    }

    fn maybe_word<T>(
        &self,
        column: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> DecodeResult<Option<T>> {
        let word = self.maybe_text(column)?;
        let read =
            |word: String| read(&word).ok_or(DecodeError { column, expected: "a word known here" });
        word.map(read).transpose()
    }

    fn json<T: DeserializeOwned>(&self, column: &'static str) -> DecodeResult<T> {
        let expected = "JSON of the form known here";
        self.maybe_json(column)?.ok_or(DecodeError { column, expected })
    }

    fn maybe_json<T: DeserializeOwned>(&self, column: &'static str) -> DecodeResult<Option<T>> {
        let expected = "JSON of the form known here";
        let text = self.maybe_text(column)?;
        let parse = |text: String| {
            serde_json::from_str(&text).map_err(|_| DecodeError { column, expected })
        };
        text.map(parse).transpose()
    }
}

/// Reads one row; one that cannot be read is logged here: where and why, never what it says.
fn found<T>(
    table: &str,
    row: &Row<'_>,
    read: impl Fn(&Fields<'_>) -> DecodeResult<T>,
) -> rusqlite::Result<Decoded<T>> {
    let id = ObjectId(row.get("id")?);
    let read = read(&Fields { row });
    Ok(read.map_err(|DecodeError { column, expected }| {
        tracing::error!(table, %id, column, expected, "a stored row cannot be read");
        UnreadableDocument {
            id,
            tenant: row.get("tenant_id").ok().map(|id| TenantId::new(ObjectId(id))),
        }
    }))
}

/// Identifiers as a list that a statement takes as one parameter.
pub(super) fn blobs<E>(ids: &[Id<E>]) -> Parameter {
    Parameter::List(ids.iter().map(|id| Value::Blob(id.raw.0.to_vec())).collect())
}

/// Texts as a list that a statement takes as one parameter.
pub(super) fn texts(texts: &[String]) -> Parameter {
    Parameter::List(texts.iter().cloned().map(Value::Text).collect())
}

/// A parameter of a statement, which may cross threads.
pub(super) enum Parameter {
    /// One value.
    One(Value),
    /// A list for `rarray`.
    List(Vec<Value>),
}

impl Parameter {
    /// An identifier.
    pub(super) fn id<E>(id: Id<E>) -> Self {
        Self::One(Value::Blob(id.raw.0.to_vec()))
    }

    /// A text.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::One(Value::Text(text.into()))
    }

    /// An integer.
    pub(super) const fn integer(integer: i64) -> Self {
        Self::One(Value::Integer(integer))
    }

    /// What the statement takes.
    pub(super) fn bound(self) -> Box<dyn ToSql> {
        match self {
            Self::One(value) => Box::new(value),
            Self::List(values) => Box::new(Rc::new(values)),
        }
    }
}

/// A value as a column of JSON has it.
fn to_json(value: &impl serde::Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}
