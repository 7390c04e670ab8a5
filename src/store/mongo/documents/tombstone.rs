//! `tombstones`.

use mongodb::bson::RawDocument;

use super::fields::{Read, fields, require};
use crate::domain::user::{Identity, Tombstone};

/// Reads a tombstone.
pub(in crate::store::mongo) fn read(raw: &RawDocument) -> Read<Tombstone> {
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
