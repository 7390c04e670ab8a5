//! JSON inside a document: the two values of a change in the history.

use mongodb::bson::{Bson, RawBsonRef};
use serde_json::{Map, Number, Value};

use super::fields::{DecodeError, DecodeResult};

/// Reads a value; dates and identifiers, as other programs may have stored, become text.
pub(super) fn read(value: RawBsonRef<'_>) -> DecodeResult<Value> {
    let fault = || DecodeError::new("changes", "what JSON can say");
    Ok(match value {
        RawBsonRef::Null => Value::Null,
        RawBsonRef::Boolean(b) => b.into(),
        RawBsonRef::Int32(n) => n.into(),
        RawBsonRef::Int64(n) => n.into(),
        RawBsonRef::Double(n) => Number::from_f64(n).map_or(Value::Null, Value::Number),
        RawBsonRef::String(text) => text.into(),
        RawBsonRef::ObjectId(id) => id.to_hex().into(),
        RawBsonRef::DateTime(at) => at.try_to_rfc3339_string().map_err(|_| fault())?.into(),
        RawBsonRef::Array(array) => {
            let item = |item: Result<_, _>| read(item.map_err(|_| fault())?);
            Value::Array(array.into_iter().map(item).collect::<DecodeResult<_>>()?)
        }
        RawBsonRef::Document(document) => {
            let mut map = Map::new();
            for element in document.iter_elements() {
                let element = element.map_err(|_| fault())?;
                let value = element.value().map_err(|_| fault())?;
                map.insert(element.key().as_str().to_owned(), read(value)?);
            }
            Value::Object(map)
        }
        _ => return Err(fault()),
    })
}

/// Writes a value. A number that fits no integer becomes a double, as JSON's readers have it.
pub(super) fn write(value: &Value) -> Bson {
    match value {
        Value::Null => Bson::Null,
        Value::Bool(b) => Bson::Boolean(*b),
        Value::Number(n) => match n.as_i64() {
            Some(n) => Bson::Int64(n),
            None => n.as_f64().map_or(Bson::Null, Bson::Double),
        },
        Value::String(text) => Bson::String(text.clone()),
        Value::Array(items) => Bson::Array(items.iter().map(write).collect()),
        Value::Object(map) => {
            Bson::Document(map.iter().map(|(key, value)| (key.clone(), write(value))).collect())
        }
    }
}
