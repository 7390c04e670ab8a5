//! Parses JSON objects and rejects repeated names.
//!
//! Parsers differ in which of two members with the same name they return. A token that repeats a
//! name could therefore have one meaning here and another elsewhere.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

/// The members of a JSON object without repeated names (RFC 7519 section 4).
pub(super) struct UniqueKeyObject(Map<String, Value>);

impl UniqueKeyObject {
    pub(super) fn parse(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    pub(super) fn get_str(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }
}

impl<'de> Deserialize<'de> for UniqueKeyObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = UniqueKeyObject;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<UniqueKeyObject, A::Error> {
        let mut map = Map::new();
        while let Some((name, value)) = members.next_entry::<String, Value>()? {
            if map.insert(name, value).is_some() {
                return Err(A::Error::custom("repeated name"));
            }
        }
        Ok(UniqueKeyObject(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_objects_without_repeated_names_are_parsed() {
        let object = UniqueKeyObject::parse(br#"{"a": "b", "c": {"a": 1}}"#).expect("an object");
        assert_eq!(object.get_str("a"), Some("b"));
        assert_eq!(object.get_str("c"), None);
        for bad in
            ["", "[]", "1", "null", "\"a\"", "{} {}", r#"{"a":1,"a":1}"#, r#"{"a":1,"\u0061":2}"#]
        {
            assert!(UniqueKeyObject::parse(bad.as_bytes()).is_none(), "{bad}");
        }
    }
}
