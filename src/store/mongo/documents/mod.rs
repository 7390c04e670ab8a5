//! Between documents and domain types, by hand: one pass over a document's elements, nothing read
//! that is not asked for, and a reason for each that cannot be read.

pub(super) mod audit;
mod fields;
pub(super) mod idempotency;
mod json;
mod merge_update;
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
pub(super) use fields::{DecodeError, DecodeResult};

/// An identifier as the driver has it.
pub(super) fn oid(id: ObjectId) -> oid::ObjectId {
    oid::ObjectId::from_bytes(id.0)
}

/// A moment as the driver has it.
pub(super) fn date(at: Timestamp) -> DateTime {
    DateTime::from_millis(at.millis())
}

/// Puts a value into a document where there is one: what is not there is not stored.
fn insert_some(document: &mut Document, key: &str, value: Option<impl Into<Bson>>) {
    if let Some(value) = value {
        document.insert(key, value);
    }
}

/// The document's identifier, or `None` where it is no `ObjectId`.
pub(super) fn id_of(raw: &RawDocument) -> Option<ObjectId> {
    object_id(raw, "_id")
}

fn object_id(raw: &RawDocument, key: &str) -> Option<ObjectId> {
    Some(ObjectId(raw.get(key).ok()??.as_object_id()?.bytes()))
}

/// Reads one document; one that cannot be read is logged here: where and why, never what it says.
pub(super) fn decode_or_log<T>(
    collection: &str,
    raw: &RawDocument,
    read: impl Fn(&RawDocument) -> DecodeResult<T>,
) -> Decoded<T> {
    read(raw).map_err(|fault| {
        let id = id_of(raw);
        log_decode_error(collection, id, &fault);
        let tenant = object_id(raw, "tenantId").map(TenantId::new);
        // One whose `_id` is of another kind can be asked for by nobody.
        UnreadableDocument { id: id.unwrap_or(ObjectId::MIN), tenant }
    })
}

/// Says in the log which document cannot be read, and why.
pub(super) fn log_decode_error(collection: &str, id: Option<ObjectId>, fault: &DecodeError) {
    let id = id.map_or_else(|| "not an ObjectId".to_owned(), |id| id.to_string());
    let DecodeError { field, expected } = fault;
    tracing::error!(collection, id, field, expected, "a stored document cannot be read");
}
