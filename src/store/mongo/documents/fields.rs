//! The elements of a document, each read as what it should be.
//!
//! Null reads as absent everywhere: MongoDB's own queries and indexes do not tell them apart.

use mongodb::bson::{RawArray, RawBsonRef, RawDocument, raw::RawElement};

use crate::domain::{id::ObjectId, time::Timestamp};

/// Why a document cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::store::mongo) struct DecodeError {
    /// The field's path.
    pub(in crate::store::mongo) field: String,
    /// What it should be.
    pub(in crate::store::mongo) expected: &'static str,
}

/// What was read, or why not.
pub(in crate::store::mongo) type DecodeResult<T> = Result<T, DecodeError>;

impl DecodeError {
    pub(super) fn new(field: &str, expected: &'static str) -> Self {
        Self { field: field.to_owned(), expected }
    }

    /// The fault as it is called from outside of the field that holds it.
    pub(super) fn within(self, outer: &str) -> Self {
        Self { field: format!("{outer}.{}", self.field), ..self }
    }
}

/// One element; absent and null are `None` in all that it is read as.
pub(super) struct Field<'a>(RawElement<'a>);

/// The elements of a document, in their order.
pub(super) fn fields(raw: &RawDocument) -> impl Iterator<Item = DecodeResult<Field<'_>>> {
    let element =
        |e: Result<_, _>| e.map(Field).map_err(|_| DecodeError::new("", "well-formed BSON"));
    raw.iter_elements().map(element)
}

/// The documents of an array.
pub(super) fn documents(array: &RawArray) -> impl Iterator<Item = DecodeResult<&RawDocument>> {
    array.into_iter().map(|value| match value {
        Ok(RawBsonRef::Document(inner)) => Ok(inner),
        _ => Err(DecodeError::new("[]", "an array of documents")),
    })
}

/// A field that a document must have.
pub(super) fn require<T>(value: Option<T>, field: &str, expected: &'static str) -> DecodeResult<T> {
    value.ok_or_else(|| DecodeError::new(field, expected))
}

impl<'a> Field<'a> {
    pub(super) fn key(&self) -> &'a str {
        self.0.key().as_str()
    }

    fn fault(&self, expected: &'static str) -> DecodeError {
        DecodeError::new(self.key(), expected)
    }

    fn read<T>(
        &self,
        expected: &'static str,
        take: impl FnOnce(RawBsonRef<'a>) -> Option<T>,
    ) -> DecodeResult<Option<T>> {
        match self.0.value() {
            Ok(RawBsonRef::Null) => Ok(None),
            Ok(value) => take(value).map(Some).ok_or_else(|| self.fault(expected)),
            Err(_) => Err(self.fault(expected)),
        }
    }

    pub(super) fn value(&self) -> DecodeResult<RawBsonRef<'a>> {
        self.0.value().map_err(|_| self.fault("well-formed BSON"))
    }

    pub(super) fn str(&self) -> DecodeResult<Option<&'a str>> {
        self.read("a string", RawBsonRef::as_str)
    }

    pub(super) fn text(&self) -> DecodeResult<Option<String>> {
        Ok(self.str()?.map(ToOwned::to_owned))
    }

    pub(super) fn boolean(&self) -> DecodeResult<Option<bool>> {
        self.read("a boolean", RawBsonRef::as_bool)
    }

    pub(super) fn id(&self) -> DecodeResult<Option<ObjectId>> {
        self.read("an ObjectId", |value| Some(ObjectId(value.as_object_id()?.bytes())))
    }

    pub(super) fn time(&self) -> DecodeResult<Option<Timestamp>> {
        self.read("a date from year 0 to 9999", |value| {
            Timestamp::from_millis(value.as_datetime()?.timestamp_millis())
        })
    }

    /// An integer, in whichever of the three types a driver has stored it.
    pub(super) fn integer(&self) -> DecodeResult<Option<i32>> {
        self.read("a 32-bit integer", |value| match value {
            RawBsonRef::Int32(n) => Some(n),
            RawBsonRef::Int64(n) => n.try_into().ok(),
            RawBsonRef::Double(n) => integral(n),
            _ => None,
        })
    }

    /// One of an enumeration's words.
    pub(super) fn word<T>(&self, parse: fn(&str) -> Option<T>) -> DecodeResult<Option<T>> {
        self.read("one of its words", |value| parse(value.as_str()?))
    }

    pub(super) fn document(&self) -> DecodeResult<Option<&'a RawDocument>> {
        self.read("a document", RawBsonRef::as_document)
    }

    pub(super) fn array(&self) -> DecodeResult<Option<&'a RawArray>> {
        self.read("an array", RawBsonRef::as_array)
    }

    /// A document inside, read by `read`.
    pub(super) fn nested<T>(
        &self,
        read: impl FnOnce(&'a RawDocument) -> DecodeResult<T>,
    ) -> DecodeResult<Option<T>> {
        let inner = self.document()?.map(read).transpose();
        inner.map_err(|fault| fault.within(self.key()))
    }
}

fn integral(n: f64) -> Option<i32> {
    let range = f64::from(i32::MIN)..=f64::from(i32::MAX);
    // In range and without a fraction, so nothing is lost.
    (n.fract() == 0.0 && range.contains(&n)).then_some(n as i32)
}

/// What tenants, users and subscriptions have in common.
#[derive(Default)]
pub(super) struct MetadataFields {
    id: Option<ObjectId>,
    version: Option<i32>,
    created_at: Option<Timestamp>,
    updated_at: Option<Timestamp>,
}

/// The same, with what is absent filled in.
pub(super) struct Metadata {
    pub(super) id: ObjectId,
    pub(super) version: i32,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

impl MetadataFields {
    /// Takes the field where it is one of these, and leaves any other alone: it is not ours.
    pub(super) fn take(&mut self, field: &Field<'_>) -> DecodeResult<()> {
        match field.key() {
            "_id" => self.id = field.id()?,
            "version" => self.version = field.integer()?,
            "createdAt" => self.created_at = field.time()?,
            "updatedAt" => self.updated_at = field.time()?,
            _ => {}
        }
        Ok(())
    }

    /// An older document has no version and no times; then its identifier tells its age.
    pub(super) fn with_defaults(self) -> DecodeResult<Metadata> {
        let id = require(self.id, "_id", "an ObjectId")?;
        let created_at = self.created_at.unwrap_or_else(|| made_at(id));
        Ok(Metadata {
            id,
            version: self.version.unwrap_or(1),
            created_at,
            updated_at: self.updated_at.unwrap_or(created_at),
        })
    }
}

/// The moment that an identifier tells of itself.
pub(super) fn made_at(id: ObjectId) -> Timestamp {
    let [a, b, c, d, ..] = id.0;
    let seconds = u32::from_be_bytes([a, b, c, d]);
    Timestamp::from_seconds(seconds.into()).unwrap_or(Timestamp::MAX)
}
