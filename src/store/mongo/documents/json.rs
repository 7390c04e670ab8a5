//! Converts JSON inside a document, the old and new value of a field change in the audit log.

use mongodb::bson::{Bson, DateTime};
use serde_json::{Map, Number, Value};

use super::{
    fields::{DecodeError, DecodeResult, fields, values},
    reader::BsonValue,
};

/// Decodes a value. Dates and identifiers, which other programs may have stored, become strings.
pub(super) fn decode(value: BsonValue<'_>) -> DecodeResult<Value> {
    let error = || DecodeError::new("changes", "a value that JSON can represent");
    Ok(match value {
        BsonValue::Null => Value::Null,
        BsonValue::Boolean(b) => b.into(),
        BsonValue::Int32(n) => n.into(),
        BsonValue::Int64(n) => n.into(),
        BsonValue::Double(n) => Number::from_f64(n).map_or(Value::Null, Value::Number),
        BsonValue::String(text) => text.into(),
        BsonValue::Id(id) => id.to_string().into(),
        BsonValue::Time(millis) => {
            DateTime::from_millis(millis).try_to_rfc3339_string().map_err(|_| error())?.into()
        }
        BsonValue::Array(array) => {
            let item = |item: Option<_>| decode(item.ok_or_else(error)?);
            Value::Array(values(array).map(item).collect::<DecodeResult<_>>()?)
        }
        BsonValue::Document(document) => {
            let mut map = Map::new();
            for field in fields(document) {
                let field = field.map_err(|_| error())?;
                let value = field.value().map_err(|_| error())?;
                map.insert(field.name().into_owned(), decode(value)?);
            }
            Value::Object(map)
        }
        BsonValue::Binary(_) | BsonValue::Other => return Err(error()),
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
