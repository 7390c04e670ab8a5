//! Converts rows of the table `outbox`.

use rusqlite::Row;

use super::{DecodeResult, Decoded, Fields, decode_or_log};
use crate::domain::{
    id::ObjectId,
    outbox::{OutboxMessage, OutboxTopic},
};

/// Decodes a message.
pub(in super::super) fn decode(row: &Row<'_>) -> rusqlite::Result<Decoded<OutboxMessage>> {
    decode_or_log("outbox", row, decode_fields)
}

fn decode_fields(fields: &Fields<'_>) -> DecodeResult<OutboxMessage> {
    Ok(OutboxMessage {
        id: ObjectId(fields.get("id", "12 bytes")?),
        topic: fields.string_enum("topic", OutboxTopic::parse)?,
        subject: ObjectId(fields.get("subject", "12 bytes")?),
        revision: fields.get("revision", "a 32-bit integer")?,
        created_at: fields.time("created_at")?,
        due_at: fields.time("due_at")?,
        attempts: fields.get("attempts", "an integer from 0")?,
        lease: fields.get::<Option<_>>("lease", "12 bytes or null")?.map(ObjectId),
    })
}
