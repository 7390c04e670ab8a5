//! Converts documents of the collection `outbox`.

use mongodb::bson::{Document, RawDocument, doc};

use super::{
    date,
    fields::{DecodeResult, fields, require},
    insert_some, oid,
};
use crate::domain::{
    id::ObjectId,
    outbox::{OutboxMessage, OutboxTopic},
    time::Timestamp,
};

/// Decodes a message.
pub(in crate::store::mongo) fn decode(raw: &RawDocument) -> DecodeResult<OutboxMessage> {
    let (mut id, mut topic, mut subject, mut revision) = (None, None, None, None);
    let (mut created_at, mut due_at, mut attempts, mut lease) = (None, None, None, None);
    for field in fields(raw) {
        let field = field?;
        match field.key() {
            b"_id" => id = field.id()?,
            b"topic" => topic = field.string_enum(OutboxTopic::parse)?,
            b"subject" => subject = field.id()?,
            b"revision" => revision = field.integer()?,
            b"createdAt" => created_at = field.time()?,
            b"dueAt" => due_at = field.time()?,
            b"attempts" => attempts = field.integer()?,
            b"lease" => lease = field.id()?,
            _ => {}
        }
    }
    let attempts = attempts.unwrap_or_default();
    Ok(OutboxMessage {
        id: require(id, "_id", "an ObjectId")?,
        topic: require(topic, "topic", "a known value")?,
        subject: require(subject, "subject", "an ObjectId")?,
        revision: require(revision, "revision", "a 32-bit integer")?,
        created_at: require(created_at, "createdAt", "a date")?,
        due_at: require(due_at, "dueAt", "a date")?,
        attempts: require(attempts.try_into().ok(), "attempts", "an integer from 0")?,
        lease,
    })
}

/// Encodes a message.
pub(in crate::store::mongo) fn encode(message: &OutboxMessage) -> Document {
    let OutboxMessage { id, topic, subject, revision, created_at, due_at, attempts, lease } =
        message;
    let mut document = doc! {
        "_id": oid(*id),
        "topic": topic.as_str(),
        "subject": oid(*subject),
        "revision": revision,
        "createdAt": date(*created_at),
        "dueAt": date(*due_at),
        "attempts": i32::try_from(*attempts).unwrap_or(i32::MAX),
    };
    insert_some(&mut document, "lease", lease.map(oid));
    document
}

/// Matches a message that a lease holds.
pub(in crate::store::mongo) fn leased_filter(id: ObjectId, lease: ObjectId) -> Document {
    doc! { "_id": oid(id), "lease": oid(lease) }
}

/// Returns the time at which a message is due.
pub(in crate::store::mongo) fn due_at(raw: &RawDocument) -> Option<Timestamp> {
    Timestamp::from_millis(raw.get_datetime("dueAt").ok()?.timestamp_millis())
}
