//! JSON objects that stay text until their members are needed.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// A JSON object as text. Its syntax is valid, at any depth.
///
/// A parsed value takes up to 150 times the memory of its text, so a client must not be able to have
/// arbitrary JSON parsed.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Box<RawValue>")]
pub struct RawObject(Box<RawValue>);

/// The error for JSON text that is not an object.
#[derive(Debug, thiserror::Error)]
#[error("expected a JSON object")]
pub struct NotAnObjectError;

impl TryFrom<Box<RawValue>> for RawObject {
    type Error = NotAnObjectError;

    fn try_from(raw: Box<RawValue>) -> Result<Self, NotAnObjectError> {
        if raw.get().starts_with('{') { Ok(Self(raw)) } else { Err(NotAnObjectError) }
    }
}

impl RawObject {
    /// Parses JSON text, without its values.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not a JSON object.
    pub fn parse(json: impl Into<String>) -> Result<Self, NotAnObjectError> {
        RawValue::from_string(json.into()).map_err(|_| NotAnObjectError)?.try_into()
    }

    /// Returns the member with this name.
    pub(super) fn member(&self, name: &str) -> Option<&RawValue> {
        self.members(|other| other == name).ok()?.remove(name)
    }

    /// Returns the members whose names are wanted. Of several with one name, the last one counts.
    ///
    /// # Errors
    ///
    /// Returns an error if a name has an escape sequence that is not Unicode text.
    pub(super) fn members(
        &self,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<BTreeMap<String, &RawValue>, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(self.0.get());
        deserializer.deserialize_map(MembersVisitor(is_wanted))
    }
}

/// Collects the wanted members of an object and skips the others without parsing them.
struct MembersVisitor<F>(F);

impl<'de, F: Fn(&str) -> bool> Visitor<'de> for MembersVisitor<F> {
    type Value = BTreeMap<String, &'de RawValue>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut members = BTreeMap::new();
        while let Some(name) = object.next_key::<Cow<'de, str>>()? {
            if (self.0)(&name) {
                members.insert(name.into_owned(), object.next_value()?);
            } else {
                object.next_value::<IgnoredAny>()?;
            }
        }
        Ok(members)
    }
}
