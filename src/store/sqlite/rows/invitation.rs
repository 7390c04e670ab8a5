//! Converts invitations.

use rusqlite::{Row, Transaction, params};

use super::{DecodeResult, Fields, decode_or_log};
use crate::domain::{
    invitation::{Invitation, InvitationStatus, MailStatus},
    list::Decoded,
    time::Timestamp,
    user::TenantRole,
};

/// The columns that [`decode`] needs, of a table with the alias `i`.
pub(in super::super) const COLUMNS: &str = "i.id, i.tenant_id, i.email, i.role, i.status, i.mail, \
    i.generation, i.invited_by, i.accepted_by, i.accepted_at, i.expires_at, i.version, i.created_at";

/// Decodes an invitation.
pub(in super::super) fn decode(row: &Row<'_>) -> rusqlite::Result<Decoded<Invitation>> {
    decode_or_log("invitations", row, decode_invitation)
}

fn decode_invitation(fields: &Fields<'_>) -> DecodeResult<Invitation> {
    Ok(Invitation {
        id: fields.id("id")?,
        tenant_id: fields.id("tenant_id")?,
        email: fields.text("email")?,
        role: fields.string_enum("role", TenantRole::parse)?,
        status: fields.string_enum("status", InvitationStatus::parse)?,
        mail: fields.string_enum("mail", MailStatus::parse)?,
        generation: fields.integer("generation")?,
        invited_by: fields.id("invited_by")?,
        accepted_by: fields.optional_id("accepted_by")?,
        accepted_at: fields.optional_time("accepted_at")?,
        expires_at: fields.time("expires_at")?,
        version: fields.version()?,
        created_at: fields.time("created_at")?,
    })
}

/// Inserts an invitation.
pub(in super::super) fn insert(
    db: &Transaction<'_>,
    invitation: &Invitation,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO invitations (id, tenant_id, email, role, status, mail, generation, invited_by, \
         accepted_by, accepted_at, expires_at, version, created_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        invitation.id.raw.0,
        invitation.tenant_id.raw.0,
        invitation.email,
        invitation.role.as_str(),
        invitation.status.as_str(),
        invitation.mail.as_str(),
        invitation.generation,
        invitation.invited_by.raw.0,
        invitation.accepted_by.map(|user| user.raw.0),
        invitation.accepted_at.map(Timestamp::millis),
        invitation.expires_at.millis(),
        invitation.version,
        invitation.created_at.millis(),
    ])?;
    Ok(())
}

/// Updates an invitation that has the expected version.
pub(in super::super) const UPDATE: &str = "UPDATE invitations SET email = ?1, role = ?2, \
    status = ?3, mail = ?4, generation = ?5, invited_by = ?6, accepted_by = ?7, accepted_at = ?8, \
    expires_at = ?9, version = ?10 WHERE id = ?11 AND version = ?12";

/// Updates an invitation. Returns `false` if none has the expected version.
pub(in super::super) fn update(
    db: &Transaction<'_>,
    expected: i32,
    invitation: &Invitation,
) -> rusqlite::Result<bool> {
    let updated = db.prepare_cached(UPDATE)?.execute(params![
        invitation.email,
        invitation.role.as_str(),
        invitation.status.as_str(),
        invitation.mail.as_str(),
        invitation.generation,
        invitation.invited_by.raw.0,
        invitation.accepted_by.map(|user| user.raw.0),
        invitation.accepted_at.map(Timestamp::millis),
        invitation.expires_at.millis(),
        invitation.version,
        invitation.id.raw.0,
        expected,
    ])?;
    Ok(updated > 0)
}
