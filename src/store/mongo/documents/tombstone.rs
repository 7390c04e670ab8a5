//! Converts documents of the collection `tombstones`.
//!
//! It has the tombstones of deleted users, and the marker documents of deleted tenants that still
//! have memberships.

use mongodb::bson::{Document, RawDocument, doc};

use super::{
    date,
    fields::{DecodeResult, fields, require},
    oid,
};
use crate::domain::{
    id::TenantId,
    time::Timestamp,
    user::{Identity, Tombstone},
};

/// Decodes a tombstone.
pub(in crate::store::mongo) fn decode(raw: &RawDocument) -> DecodeResult<Tombstone> {
    let (mut issuer, mut subject, mut deleted_at) = (None, None, None);
    for field in fields(raw) {
        let field = field?;
        match field.key() {
            b"issuer" => issuer = field.text()?,
            b"subject" => subject = field.text()?,
            b"deletedAt" => deleted_at = field.time()?,
            _ => {}
        }
    }
    Ok(Tombstone {
        identity: Identity {
            issuer: require(issuer, "issuer", "a string")?,
            subject: require(subject, "subject", "a string")?,
        },
        deleted_at: require(deleted_at, "deletedAt", "a date")?,
    })
}

/// Encodes a tombstone.
pub(in crate::store::mongo) fn encode(tombstone: &Tombstone) -> Document {
    doc! {
        "subject": &tombstone.identity.subject,
        "issuer": &tombstone.identity.issuer,
        "deletedAt": date(tombstone.deleted_at),
    }
}

/// The pending removal of memberships in a deleted tenant. Its marker document has no subject, so a
/// lookup of a user's tombstone never matches it.
#[derive(Clone, Copy)]
pub(in crate::store::mongo) struct PendingCleanup {
    /// The deleted tenant.
    pub(in crate::store::mongo) tenant: TenantId,
    /// The time of the deletion.
    pub(in crate::store::mongo) deleted_at: Timestamp,
    /// The earliest watermark that its former members have afterwards.
    pub(in crate::store::mongo) groups_as_of: Timestamp,
}

/// Decodes a marker document.
pub(in crate::store::mongo) fn decode_marker(raw: &RawDocument) -> DecodeResult<PendingCleanup> {
    let (mut tenant, mut deleted_at, mut groups_as_of) = (None, None, None);
    for field in fields(raw) {
        let field = field?;
        match field.key() {
            b"tenantId" => tenant = field.id()?,
            b"deletedAt" => deleted_at = field.time()?,
            b"groupsAsOf" => groups_as_of = field.time()?,
            _ => {}
        }
    }
    Ok(PendingCleanup {
        tenant: TenantId::new(require(tenant, "tenantId", "an ObjectId")?),
        deleted_at: require(deleted_at, "deletedAt", "a date")?,
        groups_as_of: require(groups_as_of, "groupsAsOf", "a date")?,
    })
}

/// Encodes a marker document. A tenant is deleted once, so the document can have its identifier.
pub(in crate::store::mongo) fn encode_marker(cleanup: &PendingCleanup) -> Document {
    doc! {
        "_id": oid(cleanup.tenant.raw),
        "tenantId": oid(cleanup.tenant.raw),
        "deletedAt": date(cleanup.deleted_at),
        "groupsAsOf": date(cleanup.groups_as_of),
    }
}
