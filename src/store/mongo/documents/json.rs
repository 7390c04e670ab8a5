//! Converts JSON inside a document, the old and new value of a field change in the audit log.

use mongodb::bson::{Bson, RawBsonRef};
use serde_json::{Map, Number, Value};

use super::fields::{DecodeError, DecodeResult};

/// Decodes a value. Dates and identifiers, which other programs may have stored, become strings.
pub(super) fn decode(value: RawBsonRef<'_>) -> DecodeResult<Value> {
    let error = || DecodeError::new("changes", "a value that JSON can represent");
    Ok(match value {
        RawBsonRef::Null => Value::Null,
        RawBsonRef::Boolean(b) => b.into(),
        RawBsonRef::Int32(n) => n.into(),
        RawBsonRef::Int64(n) => n.into(),
        RawBsonRef::Double(n) => Number::from_f64(n).map_or(Value::Null, Value::Number),
        RawBsonRef::String(text) => text.into(),
        RawBsonRef::ObjectId(id) => id.to_hex().into(),
        RawBsonRef::DateTime(at) => at.try_to_rfc3339_string().map_err(|_| error())?.into(),
        RawBsonRef::Array(array) => {
            let item = |item: Result<_, _>| decode(item.map_err(|_| error())?);
            Value::Array(array.into_iter().map(item).collect::<DecodeResult<_>>()?)
        }
        RawBsonRef::Document(document) => {
            let mut map = Map::new();
            for element in document.iter_elements() {
                let element = element.map_err(|_| error())?;
                let value = element.value().map_err(|_| error())?;
                map.insert(element.key().as_str().to_owned(), decode(value)?);
            }
            Value::Object(map)
        }
        _ => return Err(error()),
    })
}

/// Encodes a value. A number that is not a 64-bit integer becomes a double, as in most JSON
/// parsers.
pub(super) fn encode(value: &Value) -> Bson {
    match value {
        Value::Null => Bson::Null,
        Value::Bool(b) => Bson::Boolean(*b),
        Value::Number(n) => match n.as_i64() {
            Some(n) => Bson::Int64(n),
            None => n.as_f64().map_or(Bson::Null, Bson::Double),
        },
        Value::String(text) => Bson::String(text.clone()),
        Value::Array(items) => Bson::Array(items.iter().map(encode).collect()),
        Value::Object(map) => {
            Bson::Document(map.iter().map(|(key, value)| (key.clone(), encode(value))).collect())
        }
    }
}
