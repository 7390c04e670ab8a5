//! `tombstones`: what is left of users, and of tenants whose memberships are not all gone yet.

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

/// Reads a tombstone.
pub(in crate::store::mongo) fn read(raw: &RawDocument) -> DecodeResult<Tombstone> {
    let (mut issuer, mut subject, mut deleted_at) = (None, None, None);
    for field in fields(raw) {
        let field = field?;
        match field.key() {
            "issuer" => issuer = field.text()?,
            "subject" => subject = field.text()?,
            "deletedAt" => deleted_at = field.time()?,
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

/// Writes a tombstone.
pub(in crate::store::mongo) fn write(tombstone: &Tombstone) -> Document {
    doc! {
        "subject": &tombstone.identity.subject,
        "issuer": &tombstone.identity.issuer,
        "deletedAt": date(tombstone.deleted_at),
    }
}

/// What is left of a tenant with many members: memberships that are still to end. It names no
/// subject, so nobody who looks for somebody's tombstone meets it.
#[derive(Clone, Copy)]
pub(in crate::store::mongo) struct PendingCleanup {
    /// Whose members.
    pub(in crate::store::mongo) tenant: TenantId,
    /// When the tenant was deleted.
    pub(in crate::store::mongo) deleted_at: Timestamp,
    /// Where the watermark of its members is from then on, at least.
    pub(in crate::store::mongo) groups_as_of: Timestamp,
}

/// Reads a leftover.
pub(in crate::store::mongo) fn read_leftover(raw: &RawDocument) -> DecodeResult<PendingCleanup> {
    let (mut tenant, mut deleted_at, mut groups_as_of) = (None, None, None);
    for field in fields(raw) {
        let field = field?;
        match field.key() {
            "tenantId" => tenant = field.id()?,
            "deletedAt" => deleted_at = field.time()?,
            "groupsAsOf" => groups_as_of = field.time()?,
            _ => {}
        }
    }
    Ok(PendingCleanup {
        tenant: TenantId::new(require(tenant, "tenantId", "an ObjectId")?),
        deleted_at: require(deleted_at, "deletedAt", "a date")?,
        groups_as_of: require(groups_as_of, "groupsAsOf", "a date")?,
    })
}

/// Writes a leftover; a tenant is deleted once, so it may have the tenant's identifier.
pub(in crate::store::mongo) fn write_leftover(left: &PendingCleanup) -> Document {
    doc! {
        "_id": oid(left.tenant.raw),
        "tenantId": oid(left.tenant.raw),
        "deletedAt": date(left.deleted_at),
        "groupsAsOf": date(left.groups_as_of),
    }
}
