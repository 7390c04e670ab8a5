//! `requests`.

use mongodb::bson::{
    Binary, Bson, Document, RawArray, RawBsonRef, RawDocument, doc, spec::BinarySubtype,
};

use super::fields::{DecodeError, DecodeResult, Field, documents, fields, require};
use crate::domain::{
    id::{NodeId, ObjectId},
    idempotency::CompletedMutation,
};

/// A request that was claimed.
pub(in crate::store::mongo) struct IdempotencyRecord {
    /// What was asked.
    pub(in crate::store::mongo) fingerprint: [u8; 32],
    /// Who works on it, or did last.
    pub(in crate::store::mongo) holder: ObjectId,
    /// What was done.
    pub(in crate::store::mongo) steps: Vec<CompletedMutation>,
    /// What was answered.
    pub(in crate::store::mongo) answer: Option<String>,
}

/// Reads a request.
pub(in crate::store::mongo) fn read(raw: &RawDocument) -> DecodeResult<IdempotencyRecord> {
    let (mut fingerprint, mut holder) = (None, None);
    let (mut steps, mut answer) = (Vec::new(), None);
    for field in fields(raw) {
        let field = field?;
        match field.key() {
            "fingerprint" => fingerprint = digest_of(&field)?,
            "holder" => holder = field.id()?,
            "steps" => steps = field.array()?.map_or(Ok(Vec::new()), read_steps)?,
            "answer" => answer = field.text()?,
            _ => {}
        }
    }
    Ok(IdempotencyRecord {
        fingerprint: require(fingerprint, "fingerprint", "32 bytes")?,
        holder: require(holder, "holder", "an ObjectId")?,
        steps,
        answer,
    })
}

fn digest_of(field: &Field<'_>) -> DecodeResult<Option<[u8; 32]>> {
    match field.value()? {
        RawBsonRef::Binary(binary) => Ok(binary.bytes.try_into().ok()),
        _ => Ok(None),
    }
}

fn read_steps(array: &RawArray) -> DecodeResult<Vec<CompletedMutation>> {
    let steps: DecodeResult<Vec<_>> = documents(array).map(|raw| read_step(raw?)).collect();
    steps.map_err(|fault| fault.within("steps"))
}

fn read_step(raw: &RawDocument) -> DecodeResult<CompletedMutation> {
    let (mut ordinal, mut ids) = (None, Vec::new());
    for field in fields(raw) {
        let field = field?;
        match field.key() {
            "ordinal" => ordinal = read_ordinal(field.value()?),
            "ids" => ids = field.array()?.map_or(Ok(Vec::new()), read_ids)?,
            _ => {}
        }
    }
    Ok(CompletedMutation {
        root_field_index: require(ordinal, "ordinal", "an integer from 0")?,
        ids,
    })
}

fn read_ordinal(value: RawBsonRef<'_>) -> Option<u32> {
    match value {
        RawBsonRef::Int64(n) => n.try_into().ok(),
        RawBsonRef::Int32(n) => n.try_into().ok(),
        _ => None,
    }
}

fn read_ids(array: &RawArray) -> DecodeResult<Vec<NodeId>> {
    let id = |value| match value {
        Ok(RawBsonRef::String(text)) => NodeId::parse(text),
        _ => None,
    };
    let fault = || DecodeError::new("ids", "an array of identifiers");
    array.into_iter().map(|value| id(value).ok_or_else(fault)).collect()
}

/// A digest as the driver has it.
pub(in crate::store::mongo) fn digest(bytes: [u8; 32]) -> Bson {
    Binary { subtype: BinarySubtype::Generic, bytes: bytes.to_vec() }.into()
}

/// Writes a step.
pub(in crate::store::mongo) fn write_step(step: &CompletedMutation) -> Document {
    let ids: Vec<String> = step.ids.iter().map(ToString::to_string).collect();
    doc! { "ordinal": i64::from(step.root_field_index), "ids": ids }
}
