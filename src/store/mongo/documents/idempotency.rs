//! Converts documents of the collection `requests`, the records of idempotent requests.

use mongodb::bson::{Binary, Bson, Document, RawDocument, doc, spec::BinarySubtype};

use super::{
    fields::{DecodeError, DecodeResult, Field, documents, fields, require, values},
    reader::{BsonValue, Elements},
};
use crate::domain::{
    id::NodeId,
    idempotency::{CompletedMutation, RunHolder},
};

/// The record of a claimed request.
pub(in crate::store::mongo) struct IdempotencyRecord {
    /// The digest of the request.
    pub(in crate::store::mongo) fingerprint: [u8; 32],
    /// The latest run of the request. The stored fields are `holder` and `process`.
    pub(in crate::store::mongo) holder: RunHolder,
    /// The completed mutations.
    pub(in crate::store::mongo) steps: Vec<CompletedMutation>,
    /// The body of the response, if the request is completed. The stored field is `answer`.
    pub(in crate::store::mongo) response: Option<String>,
}

/// Decodes a record.
pub(in crate::store::mongo) fn decode(raw: &RawDocument) -> DecodeResult<IdempotencyRecord> {
    let (mut fingerprint, mut run_id) = (None, None);
    let (mut process, mut steps, mut response) = (None, Vec::new(), None);
    for field in fields(raw) {
        let field = field?;
        match field.key() {
            b"fingerprint" => fingerprint = decode_digest(&field)?,
            b"holder" => run_id = field.id()?,
            b"process" => process = field.id()?,
            b"steps" => steps = field.array()?.map_or(Ok(Vec::new()), decode_steps)?,
            b"answer" => response = field.text()?,
            _ => {}
        }
    }
    Ok(IdempotencyRecord {
        fingerprint: require(fingerprint, "fingerprint", "32 bytes")?,
        holder: RunHolder { run_id: require(run_id, "holder", "an ObjectId")?, process },
        steps,
        response,
    })
}

fn decode_digest(field: &Field<'_>) -> DecodeResult<Option<[u8; 32]>> {
    match field.value()? {
        BsonValue::Binary(bytes) => Ok(bytes.try_into().ok()),
        _ => Ok(None),
    }
}

fn decode_steps(array: Elements<'_>) -> DecodeResult<Vec<CompletedMutation>> {
    let steps: DecodeResult<Vec<_>> = documents(array).map(|raw| decode_step(raw?)).collect();
    steps.map_err(|error| error.prefixed("steps"))
}

fn decode_step(raw: &RawDocument) -> DecodeResult<CompletedMutation> {
    let (mut ordinal, mut ids) = (None, Vec::new());
    for field in fields(raw) {
        let field = field?;
        match field.key() {
            b"ordinal" => ordinal = decode_ordinal(&field.value()?),
            b"ids" => ids = field.array()?.map_or(Ok(Vec::new()), decode_ids)?,
            _ => {}
        }
    }
    Ok(CompletedMutation {
        root_field_index: require(ordinal, "ordinal", "an integer from 0")?,
        ids,
    })
}

fn decode_ordinal(value: &BsonValue<'_>) -> Option<u32> {
    match value {
        BsonValue::Int64(n) => (*n).try_into().ok(),
        BsonValue::Int32(n) => (*n).try_into().ok(),
        _ => None,
    }
}

fn decode_ids(array: Elements<'_>) -> DecodeResult<Vec<NodeId>> {
    let id = |value| match value {
        Some(BsonValue::String(text)) => NodeId::parse(text),
        _ => None,
    };
    let error = || DecodeError::new("ids", "an array of identifiers");
    values(array).map(|value| id(value).ok_or_else(error)).collect()
}

/// Converts a digest to the driver's type.
pub(in crate::store::mongo) fn digest(bytes: [u8; 32]) -> Bson {
    Binary { subtype: BinarySubtype::Generic, bytes: bytes.to_vec() }.into()
}

/// Encodes a completed mutation.
pub(in crate::store::mongo) fn encode_step(step: &CompletedMutation) -> Document {
    let ids: Vec<String> = step.ids.iter().map(ToString::to_string).collect();
    doc! { "ordinal": i64::from(step.root_field_index), "ids": ids }
}
