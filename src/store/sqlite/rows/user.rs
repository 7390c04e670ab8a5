//! Converts users. Their memberships are rows of another table.

use std::rc::Rc;

use rusqlite::{Row, Transaction, params, types::Value};

use super::super::search_keys;
use super::{DecodeError, DecodeResult, Fields, decode_or_log};
use crate::domain::{
    change::UserVersion,
    id::{ObjectId, TenantId},
    list::Decoded,
    text,
    time::Timestamp,
    user::{Identity, Membership, MembershipSource, TenantRole, User},
};

/// The columns that [`decode`] needs, of a table with the alias `u`.
pub(in super::super) const COLUMNS: &str = "u.id, u.issuer, u.subject, u.email, u.name, \
    u.name_fold, u.platform_admin, u.disabled, u.groups_as_of, u.last_seen_at, u.version, \
    u.created_at, u.updated_at, (SELECT json_group_array(json_array(hex(m.tenant_id), m.role, \
    m.source, m.since) ORDER BY m.ordinal) FROM memberships m WHERE m.user_id = u.id) AS memberships";

/// Decodes a user.
pub(in super::super) fn decode(row: &Row<'_>) -> rusqlite::Result<Decoded<User>> {
    decode_or_log("users", row, decode_user)
}

/// Decodes a user for a sync, which can repair the profile: a name or an e-mail address that is not
/// Unicode is empty.
pub(in super::super) fn decode_for_sync(row: &Row<'_>) -> rusqlite::Result<Decoded<User>> {
    decode_or_log("users", row, |fields| {
        let name = fields.text("name").unwrap_or_default();
        let email = fields.optional_text("email").unwrap_or_else(|_| Some(String::new()));
        decode_with_profile(fields, name, email)
    })
}

fn decode_user(fields: &Fields<'_>) -> DecodeResult<User> {
    decode_with_profile(fields, fields.text("name")?, fields.optional_text("email")?)
}

fn decode_with_profile(
    fields: &Fields<'_>,
    name: String,
    email: Option<String>,
) -> DecodeResult<User> {
    Ok(User {
        id: fields.id("id")?,
        identity: Identity { issuer: fields.text("issuer")?, subject: fields.text("subject")? },
        email,
        name,
        platform_admin: fields.optional_string_enum("platform_admin", MembershipSource::parse)?,
        disabled: fields.flag("disabled")?,
        memberships: decode_memberships(fields)?,
        groups_as_of: fields.optional_time("groups_as_of")?,
        last_seen_at: fields.optional_time("last_seen_at")?,
        version: fields.version()?,
        created_at: fields.time("created_at")?,
        updated_at: fields.time("updated_at")?,
    })
}

fn decode_memberships(fields: &Fields<'_>) -> DecodeResult<Vec<Membership>> {
    let rows: Vec<(String, String, String, i64)> = fields.json("memberships")?;
    let error = DecodeError { column: "memberships", expected: "known values and timestamps" };
    let parse = |(tenant, role, source, since): (String, String, String, i64)| {
        Some(Membership {
            tenant_id: TenantId::new(ObjectId::from_hex(&tenant.to_ascii_lowercase())?),
            role: TenantRole::parse(&role)?,
            source: MembershipSource::parse(&source)?,
            since: Timestamp::from_millis(since)?,
        })
    };
    rows.into_iter().map(parse).collect::<Option<_>>().ok_or(error)
}

/// Inserts a user and its memberships.
pub(in super::super) fn insert(db: &Transaction<'_>, user: &User) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO users (issuer, subject, email, name, name_fold, platform_admin, \
         disabled, groups_as_of, last_seen_at, version, created_at, updated_at, id) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?
    .execute(params![
        user.identity.issuer,
        user.identity.subject,
        user.email,
        user.name,
        text::case_fold(&user.name),
        user.platform_admin.map(MembershipSource::as_str),
        user.disabled,
        user.groups_as_of.map(Timestamp::millis),
        user.last_seen_at.map(Timestamp::millis),
        user.version,
        user.created_at.millis(),
        user.updated_at.millis(),
        user.id.raw.0,
    ])?;
    search_keys::replace_of_user(db, user)?;
    insert_memberships(db, user)
}

/// Updates a user and its memberships. Returns `false` if none has the expected version and
/// watermark. A later `last_seen_at` that was stored meanwhile stays.
pub(in super::super) fn update(
    db: &Transaction<'_>,
    expected: UserVersion,
    user: &User,
) -> rusqlite::Result<bool> {
    let updated = db
        .prepare_cached(
            "UPDATE users SET issuer = ?1, subject = ?2, email = ?3, name = ?4, name_fold = ?5, \
             platform_admin = ?6, disabled = ?7, groups_as_of = ?8, \
             last_seen_at = CASE WHEN ?9 IS NULL THEN last_seen_at ELSE \
             max(coalesce(last_seen_at, ?9), ?9) END, version = ?10, updated_at = ?11 \
             WHERE id = ?12 AND version = ?13 AND groups_as_of IS ?14",
        )?
        .execute(params![
            user.identity.issuer,
            user.identity.subject,
            user.email,
            user.name,
            text::case_fold(&user.name),
            user.platform_admin.map(MembershipSource::as_str),
            user.disabled,
            user.groups_as_of.map(Timestamp::millis),
            user.last_seen_at.map(Timestamp::millis),
            user.version,
            user.updated_at.millis(),
            user.id.raw.0,
            expected.version,
            expected.groups_as_of.map(Timestamp::millis),
        ])?;
    if updated == 0 {
        return Ok(false);
    }
    delete_former_memberships(db, user)?;
    search_keys::replace_of_user(db, user)?;
    insert_memberships(db, user)?;
    Ok(true)
}

fn delete_former_memberships(db: &Transaction<'_>, user: &User) -> rusqlite::Result<()> {
    let tenants = user.memberships.iter().map(|m| Value::from(m.tenant_id.raw.0.to_vec()));
    let delete = "DELETE FROM memberships WHERE user_id = ?1 AND tenant_id NOT IN rarray(?2)";
    let tenants = Rc::new(tenants.collect::<Vec<_>>());
    db.prepare_cached(delete)?.execute(params![user.id.raw.0, tenants])?;
    Ok(())
}

/// Inserts the memberships that differ from those that are stored. The log of changes has a row for
/// each of them.
fn insert_memberships(db: &Transaction<'_>, user: &User) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO memberships (user_id, tenant_id, ordinal, role, source, since) \
         VALUES (?, ?, ?, ?, ?, ?) \
         ON CONFLICT (user_id, tenant_id) DO UPDATE SET ordinal = excluded.ordinal, \
         role = excluded.role, source = excluded.source, since = excluded.since \
         WHERE (ordinal, role, source, since) IS NOT \
         (excluded.ordinal, excluded.role, excluded.source, excluded.since)",
    )?;
    for (ordinal, membership) in user.memberships.iter().enumerate() {
        insert.execute(params![
            user.id.raw.0,
            membership.tenant_id.raw.0,
            ordinal as i64,
            membership.role.as_str(),
            membership.source.as_str(),
            membership.since.millis(),
        ])?;
    }
    Ok(())
}
