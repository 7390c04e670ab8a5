//! Converts between documents and domain types.
//!
//! The code is written by hand. It decodes a document in one pass over its elements, ignores
//! unknown fields, and reports the field that cannot be decoded.

pub(super) mod audit;
mod fields;
pub(super) mod idempotency;
pub(super) mod invitation;
mod json;
mod merge_update;
pub(super) mod outbox;
pub(super) mod search;
pub(super) mod subscription;
pub(super) mod tenant;
pub(super) mod tombstone;
pub(super) mod user;

use mongodb::bson::{Bson, DateTime, Document, RawDocument, oid};

use crate::{
    domain::{
        id::{ObjectId, TenantId},
        list::UnreadableDocument,
        time::Timestamp,
    },
    store::Decoded,
};
pub(super) use fields::{DecodeError, DecodeResult, created_at_of};

/// Converts an identifier to the driver's type.
pub(super) fn oid(id: ObjectId) -> oid::ObjectId {
    oid::ObjectId::from_bytes(id.0)
}

/// Converts a timestamp to the driver's type.
pub(super) fn date(at: Timestamp) -> DateTime {
    DateTime::from_millis(at.millis())
}

/// Inserts a value into a document if there is one. Absent values are not stored.
fn insert_some(document: &mut Document, key: &str, value: Option<impl Into<Bson>>) {
    if let Some(value) = value {
        document.insert(key, value);
    }
}

/// Returns the identifier of a document, or `None` if it is not an `ObjectId`.
pub(super) fn id_of(raw: &RawDocument) -> Option<ObjectId> {
    object_id(raw, "_id")
}

/// Returns the identifier in a field, or `None` if it is not an `ObjectId`.
pub(super) fn object_id(raw: &RawDocument, key: &str) -> Option<ObjectId> {
    Some(ObjectId(raw.get(key).ok()??.as_object_id()?.bytes()))
}

/// Decodes a document. An unreadable one is logged with its location and the reason, but without
/// its values.
pub(super) fn decode_or_log<T>(
    collection: &str,
    raw: &RawDocument,
    decode: impl Fn(&RawDocument) -> DecodeResult<T>,
) -> Decoded<T> {
    decode(raw).map_err(|error| {
        let id = id_of(raw);
        log_decode_error(collection, id, &error);
        let tenant = object_id(raw, "tenantId").map(TenantId::new);
        // No lookup can ask for a document whose `_id` is not an ObjectId.
        UnreadableDocument { id: id.unwrap_or(ObjectId::MIN), tenant }
    })
}

/// Logs which document cannot be decoded, and why.
pub(super) fn log_decode_error(collection: &str, id: Option<ObjectId>, error: &DecodeError) {
    let id = id.map_or_else(|| "not an ObjectId".to_owned(), |id| id.to_string());
    let DecodeError { field, expected } = error;
    tracing::error!(collection, id, field, expected, "a stored document cannot be read");
}
