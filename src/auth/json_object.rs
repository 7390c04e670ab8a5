//! A JSON object in which no name comes twice: two readers of one token must not see two things.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

/// The members of an object; reading one with a repeated name fails (RFC 7519 section 4).
pub(super) struct UniqueKeyObject(pub(super) Map<String, Value>);

impl UniqueKeyObject {
    pub(super) fn read(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }
}

impl<'de> Deserialize<'de> for UniqueKeyObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = UniqueKeyObject;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<UniqueKeyObject, A::Error> {
        let mut map = Map::new();
        while let Some((name, value)) = members.next_entry::<String, Value>()? {
            if map.insert(name, value).is_some() {
                return Err(A::Error::custom("a name comes twice"));
            }
        }
        Ok(UniqueKeyObject(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_an_object_and_nothing_else() {
        let object = UniqueKeyObject::read(br#"{"a": "b", "c": {"a": 1}}"#).expect("an object");
        assert_eq!(object.text("a"), Some("b"));
        assert_eq!(object.text("c"), None);
        for bad in
            ["", "[]", "1", "null", "\"a\"", "{} {}", r#"{"a":1,"a":1}"#, r#"{"a":1,"\u0061":2}"#]
        {
            assert!(UniqueKeyObject::read(bad.as_bytes()).is_none(), "{bad}");
        }
    }
}
