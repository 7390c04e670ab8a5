//! Converts audit events. Their tenants are rows of another table.

use rusqlite::{Row, Transaction, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{DecodeError, DecodeResult, Fields, decode_or_log};
use crate::domain::{
    audit::{ActorKind, AuditEvent, FieldChange},
    id::{NodeId, ObjectId, TenantId, UserId},
    list::Decoded,
};

/// The columns that [`decode`] needs, of a table with the alias `e`.
pub(in super::super) const COLUMNS: &str = "e.id, e.at, e.action, e.actor_kind, e.actor, \
    e.target, e.changes, e.request_id, (SELECT json_group_array(hex(x.tenant_id) ORDER BY \
    x.ordinal) FROM audit_event_tenants x WHERE x.event_id = e.id) AS tenants";

#[derive(Serialize, Deserialize)]
struct ChangeJson {
    field: String,
    from: Value,
    to: Value,
}

/// Decodes an audit event.
pub(in super::super) fn decode(row: &Row<'_>) -> rusqlite::Result<Decoded<AuditEvent>> {
    decode_or_log("audit_events", row, decode_event)
}

fn decode_event(fields: &Fields<'_>) -> DecodeResult<AuditEvent> {
    let actor: Option<[u8; 12]> = fields.get("actor", "12 bytes or null")?;
    let changes: Vec<ChangeJson> = fields.json("changes")?;
    let changes =
        changes.into_iter().map(|c| FieldChange { field: c.field, from: c.from, to: c.to });
    Ok(AuditEvent {
        id: fields.id("id")?,
        at: fields.time("at")?,
        action: fields.text("action")?,
        actor_kind: fields.string_enum("actor_kind", ActorKind::parse)?,
        actor: actor.map(|id| UserId::new(ObjectId(id))),
        tenants: decode_tenants(fields)?,
        target: fields.optional_string_enum("target", NodeId::parse)?,
        changes: changes.collect(),
        request_id: fields.optional_text("request_id")?,
    })
}

fn decode_tenants(fields: &Fields<'_>) -> DecodeResult<Vec<TenantId>> {
    let hex: Vec<String> = fields.json("tenants")?;
    let parse = |hex: String| ObjectId::from_hex(&hex.to_ascii_lowercase()).map(TenantId::new);
    let error = DecodeError { column: "tenants", expected: "12 bytes each" };
    hex.into_iter().map(parse).collect::<Option<_>>().ok_or(error)
}

/// Inserts an audit event.
pub(in super::super) fn insert(db: &Transaction<'_>, event: &AuditEvent) -> rusqlite::Result<()> {
    let changes: Vec<ChangeJson> = event
        .changes
        .iter()
        .map(|c| ChangeJson { field: c.field.clone(), from: c.from.clone(), to: c.to.clone() })
        .collect();
    db.prepare_cached(
        "INSERT INTO audit_events (id, at, action, actor_kind, actor, target, changes, request_id) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        event.id.raw.0,
        event.at.millis(),
        event.action,
        event.actor_kind.as_str(),
        event.actor.map(|id| id.raw.0),
        event.target.map(|target| target.to_string()),
        super::to_json(&changes)?,
        event.request_id,
    ])?;
    let mut insert = db.prepare_cached(
        "INSERT INTO audit_event_tenants (tenant_id, at, event_id, ordinal) VALUES (?, ?, ?, ?)",
    )?;
    for (ordinal, tenant) in event.tenants.iter().enumerate() {
        insert.execute(params![tenant.raw.0, event.at.millis(), event.id.raw.0, ordinal as i64])?;
    }
    Ok(())
}
