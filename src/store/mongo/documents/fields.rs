//! Reads the elements of a document as values of an expected type.
//!
//! Null reads as absent everywhere, because MongoDB's queries and indexes do not distinguish them.

use std::borrow::Cow;

use mongodb::bson::RawDocument;

use super::reader::{BsonValue, Element, Elements};
use crate::domain::{id::ObjectId, time::Timestamp};

/// The reason why a document cannot be decoded.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::store::mongo) struct DecodeError {
    /// The path of the field.
    pub(in crate::store::mongo) field: String,
    /// A description of the expected value.
    pub(in crate::store::mongo) expected: &'static str,
}

/// A decoded value, or the reason why it cannot be decoded.
pub(in crate::store::mongo) type DecodeResult<T> = Result<T, DecodeError>;

impl DecodeError {
    pub(super) fn new(field: &str, expected: &'static str) -> Self {
        Self { field: field.to_owned(), expected }
    }

    /// Returns the error with the path as seen from the document that contains `outer`.
    pub(super) fn prefixed(self, outer: &str) -> Self {
        Self { field: format!("{outer}.{}", self.field), ..self }
    }
}

/// One element of a document. Null is `None` for every type.
pub(super) struct Field<'a>(Element<'a>);

/// Returns the elements of a document in their order.
pub(super) fn fields(raw: &RawDocument) -> impl Iterator<Item = DecodeResult<Field<'_>>> {
    let malformed = |_| DecodeError::new("", "well-formed BSON");
    Elements::of(raw).map(move |element| element.map(Field).map_err(malformed))
}

/// Returns the documents of an array.
pub(super) fn documents(array: Elements<'_>) -> impl Iterator<Item = DecodeResult<&RawDocument>> {
    values(array).map(|value| match value {
        Some(BsonValue::Document(inner)) => Ok(inner),
        _ => Err(DecodeError::new("[]", "an array of documents")),
    })
}

/// Returns the values of an array. A malformed value is `None`.
pub(super) fn values(array: Elements<'_>) -> impl Iterator<Item = Option<BsonValue<'_>>> {
    array.map(|element| element.ok()?.value().ok())
}

/// Returns the value of a required field, or an error if it is absent.
pub(super) fn require<T>(value: Option<T>, field: &str, expected: &'static str) -> DecodeResult<T> {
    value.ok_or_else(|| DecodeError::new(field, expected))
}

impl<'a> Field<'a> {
    /// Returns the key, which is UTF-8.
    pub(super) const fn key(&self) -> &'a [u8] {
        self.0.key()
    }

    /// Returns the key as text.
    pub(super) fn name(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.key())
    }

    fn error(&self, expected: &'static str) -> DecodeError {
        DecodeError::new(&self.name(), expected)
    }

    fn decode<T>(
        &self,
        expected: &'static str,
        convert: impl FnOnce(BsonValue<'a>) -> Option<T>,
    ) -> DecodeResult<Option<T>> {
        match self.0.value() {
            Ok(BsonValue::Null) => Ok(None),
            Ok(value) => convert(value).map(Some).ok_or_else(|| self.error(expected)),
            Err(_) => Err(self.error(expected)),
        }
    }

    pub(super) fn value(&self) -> DecodeResult<BsonValue<'a>> {
        self.0.value().map_err(|_| self.error("well-formed BSON"))
    }

    pub(super) fn str(&self) -> DecodeResult<Option<&'a str>> {
        self.decode("a string", |value| value.as_str())
    }

    pub(super) fn text(&self) -> DecodeResult<Option<String>> {
        Ok(self.str()?.map(ToOwned::to_owned))
    }

    pub(super) fn boolean(&self) -> DecodeResult<Option<bool>> {
        self.decode("a boolean", |value| match value {
            BsonValue::Boolean(flag) => Some(flag),
            _ => None,
        })
    }

    pub(super) fn id(&self) -> DecodeResult<Option<ObjectId>> {
        self.decode("an ObjectId", |value| match value {
            BsonValue::Id(id) => Some(id),
            _ => None,
        })
    }

    pub(super) fn time(&self) -> DecodeResult<Option<Timestamp>> {
        self.decode("a date from year 0 to 9999", |value| match value {
            BsonValue::Time(millis) => Timestamp::from_millis(millis),
            _ => None,
        })
    }

    /// Reads an integer. Drivers store it as one of three number types.
    pub(super) fn integer(&self) -> DecodeResult<Option<i32>> {
        self.decode("a 32-bit integer", |value| match value {
            BsonValue::Int32(n) => Some(n),
            BsonValue::Int64(n) => n.try_into().ok(),
            BsonValue::Double(n) => integral(n),
            _ => None,
        })
    }

    /// Reads a value of an enumeration that is stored as a string.
    pub(super) fn string_enum<T>(&self, parse: fn(&str) -> Option<T>) -> DecodeResult<Option<T>> {
        self.decode("a known value", |value| parse(value.as_str()?))
    }

    pub(super) fn document(&self) -> DecodeResult<Option<&'a RawDocument>> {
        self.decode("a document", |value| match value {
            BsonValue::Document(document) => Some(document),
            _ => None,
        })
    }

    pub(super) fn array(&self) -> DecodeResult<Option<Elements<'a>>> {
        self.decode("an array", |value| match value {
            BsonValue::Array(elements) => Some(elements),
            _ => None,
        })
    }

    /// Decodes a nested document.
    pub(super) fn nested<T>(
        &self,
        decode: impl FnOnce(&'a RawDocument) -> DecodeResult<T>,
    ) -> DecodeResult<Option<T>> {
        let inner = self.document()?.map(decode).transpose();
        inner.map_err(|error| error.prefixed(&self.name()))
    }
}

fn integral(n: f64) -> Option<i32> {
    let range = f64::from(i32::MIN)..=f64::from(i32::MAX);
    // The value is in range and has no fraction, so the cast is exact.
    (n.fract() == 0.0 && range.contains(&n)).then_some(n as i32)
}

/// The fields that tenants, users and subscriptions have in common, as stored.
#[derive(Default)]
pub(super) struct MetadataFields {
    id: Option<ObjectId>,
    version: Option<i32>,
    created_at: Option<Timestamp>,
    updated_at: Option<Timestamp>,
}

/// The common fields with defaults for absent ones.
pub(super) struct Metadata {
    pub(super) id: ObjectId,
    pub(super) version: i32,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

impl MetadataFields {
    /// Reads the field if it is one of the common fields, and ignores it otherwise. Other programs
    /// may have stored it.
    pub(super) fn decode_field(&mut self, field: &Field<'_>) -> DecodeResult<()> {
        match field.key() {
            b"_id" => self.id = field.id()?,
            b"version" => self.version = field.integer()?,
            b"createdAt" => self.created_at = field.time()?,
            b"updatedAt" => self.updated_at = field.time()?,
            _ => {}
        }
        Ok(())
    }

    /// Adds defaults for absent fields. An older document has no version and no timestamps, and its
    /// identifier then gives the time of creation.
    pub(super) fn with_defaults(self) -> DecodeResult<Metadata> {
        let id = require(self.id, "_id", "an ObjectId")?;
        let created_at = self.created_at.unwrap_or_else(|| created_at_of(id));
        Ok(Metadata {
            id,
            version: self.version.unwrap_or(1),
            created_at,
            updated_at: self.updated_at.unwrap_or(created_at),
        })
    }
}

/// Returns the timestamp in an identifier, its first four bytes.
pub(in crate::store::mongo) fn created_at_of(id: ObjectId) -> Timestamp {
    let [a, b, c, d, ..] = id.0;
    let seconds = u32::from_be_bytes([a, b, c, d]);
    Timestamp::from_seconds(seconds.into()).unwrap_or(Timestamp::MAX)
}
