//! Converts documents of the collection `auditEvents`.

use mongodb::bson::{Document, RawDocument, doc};
use serde_json::Value;

use super::{
    date,
    fields::{DecodeError, DecodeResult, documents, fields, require, values},
    insert_some, json, oid,
    reader::{BsonValue, Elements},
};
use crate::domain::{
    audit::{ActorKind, AuditEvent, FieldChange},
    id::{AuditEventId, InvitationId, NodeId, SubscriptionId, TenantId, UserId},
};

/// Decodes an audit event.
pub(in crate::store::mongo) fn decode(raw: &RawDocument) -> DecodeResult<AuditEvent> {
    let (mut id, mut at, mut action, mut kind, mut actor) = (None, None, None, None, None);
    let (mut tenants, mut target, mut request_id) = (Vec::new(), None, None);
    let mut changes = Vec::new();
    for field in fields(raw) {
        let field = field?;
        match field.key() {
            b"_id" => id = field.id()?,
            b"at" => at = field.time()?,
            b"action" => action = field.text()?,
            b"actorKind" => kind = field.string_enum(ActorKind::parse)?,
            b"actorId" => actor = field.id()?.map(UserId::new),
            b"tenantIds" => tenants = field.array()?.map_or(Ok(Vec::new()), decode_tenants)?,
            b"target" => target = field.nested(decode_target)?,
            b"changes" => changes = field.array()?.map_or(Ok(Vec::new()), decode_changes)?,
            b"requestId" => request_id = field.text()?,
            _ => {}
        }
    }
    Ok(AuditEvent {
        id: AuditEventId::new(require(id, "_id", "an ObjectId")?),
        at: require(at, "at", "a date")?,
        action: require(action, "action", "a string")?,
        actor_kind: require(kind, "actorKind", "a known value")?,
        actor,
        tenants,
        target,
        changes,
        request_id,
    })
}

fn decode_tenants(array: Elements<'_>) -> DecodeResult<Vec<TenantId>> {
    let tenant = |value| match value {
        Some(BsonValue::Id(id)) => Ok(TenantId::new(id)),
        _ => Err(DecodeError::new("tenantIds", "an array of ObjectIds")),
    };
    values(array).map(tenant).collect()
}

fn decode_target(raw: &RawDocument) -> DecodeResult<NodeId> {
    let (mut kind, mut id) = (None, None);
    for field in fields(raw) {
        let field = field?;
        match field.key() {
            b"kind" => kind = field.str()?,
            b"id" => id = field.id()?,
            _ => {}
        }
    }
    let id = require(id, "id", "an ObjectId")?;
    match kind {
        Some("tenant") => Ok(NodeId::Tenant(TenantId::new(id))),
        Some("user") => Ok(NodeId::User(UserId::new(id))),
        Some("subscription") => Ok(NodeId::Subscription(SubscriptionId::new(id))),
        Some("invitation") => Ok(NodeId::Invitation(InvitationId::new(id))),
        Some("audit_event") => Ok(NodeId::AuditEvent(AuditEventId::new(id))),
        _ => Err(DecodeError::new("kind", "a known value")),
    }
}

fn decode_changes(array: Elements<'_>) -> DecodeResult<Vec<FieldChange>> {
    let decode = |raw: DecodeResult<&RawDocument>| decode_change(raw?);
    let changes: DecodeResult<Vec<_>> = documents(array).map(decode).collect();
    changes.map_err(|error| error.prefixed("changes"))
}

fn decode_change(raw: &RawDocument) -> DecodeResult<FieldChange> {
    let (mut name, mut from, mut to) = (None, Value::Null, Value::Null);
    for field in fields(raw) {
        let field = field?;
        match field.key() {
            b"field" => name = field.text()?,
            b"from" => from = json::decode(field.value()?)?,
            b"to" => to = json::decode(field.value()?)?,
            _ => {}
        }
    }
    Ok(FieldChange { field: require(name, "field", "a string")?, from, to })
}

/// Encodes an audit event.
pub(in crate::store::mongo) fn encode(event: &AuditEvent) -> Document {
    let tenants: Vec<_> = event.tenants.iter().map(|tenant| oid(tenant.raw)).collect();
    let changes: Vec<_> = event.changes.iter().map(encode_change).collect();
    let mut document = doc! {
        "_id": oid(event.id.raw),
        "at": date(event.at),
        "action": &event.action,
        "actorKind": event.actor_kind.as_str(),
    };
    insert_some(&mut document, "actorId", event.actor.map(|actor| oid(actor.raw)));
    document.insert("tenantIds", tenants);
    insert_some(&mut document, "target", event.target.map(encode_target));
    document.insert("changes", changes);
    insert_some(&mut document, "requestId", event.request_id.as_deref());
    document
}

fn encode_target(target: NodeId) -> Document {
    let (kind, id) = match target {
        NodeId::Tenant(id) => ("tenant", id.raw),
        NodeId::User(id) => ("user", id.raw),
        NodeId::Subscription(id) => ("subscription", id.raw),
        NodeId::AuditEvent(id) => ("audit_event", id.raw),
        NodeId::Invitation(id) => ("invitation", id.raw),
    };
    doc! { "kind": kind, "id": oid(id) }
}

fn encode_change(change: &FieldChange) -> Document {
    doc! { "field": &change.field, "from": json::encode(&change.from), "to": json::encode(&change.to) }
}
