//! Positions of documents in the order in which MongoDB compares values of all types.
//!
//! The sort key and the identifier of a readable document have the types that the domain knows. A
//! manual edit can store values of any other type. Such a document keeps its place in the list,
//! so its position holds both values as BSON, in a form that only this module reads.

use mongodb::bson::{Bson, Document, RawBsonRef, RawDocument, RawDocumentBuf, doc};

use super::documents::{date, oid};
use crate::domain::{
    id::ObjectId,
    list::{Position, SortKey},
    time::Timestamp,
};

/// The maximum nesting of a position that a client sends. The server stores no deeper documents.
const MAX_DEPTH: usize = 200;
/// The BSON type codes in the order of comparison. Values of one row compare with each other.
const TYPES_IN_ORDER: [&[i32]; 16] = [
    &[-1],            // MinKey
    &[6],             // undefined, also the index key of an empty array
    &[10],            // null
    &[1, 16, 18, 19], // numbers
    &[2, 14],         // strings and symbols
    &[3],             // documents
    &[4],             // arrays
    &[5],             // binary data
    &[7],             // ObjectIds
    &[8],             // booleans
    &[9],             // dates
    &[17],            // timestamps
    &[11],            // regular expressions
    &[12],            // pointers
    &[13, 15],        // code
    &[127],           // MaxKey
];
/// The rank of arrays. An index has the elements of an array in its place.
pub(super) const ARRAY_RANK: usize = 6;
/// The rank of null, which is also that of an absent field.
pub(super) const NULL_RANK: usize = 2;

/// The type of a sort field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SortKeyType {
    /// A BSON date.
    Time,
    /// A string, compared by the collation of names.
    Text,
}

/// The sort key and the identifier of a document, as stored.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct StoredPosition {
    pub(super) key: Bson,
    pub(super) id: Bson,
}

impl StoredPosition {
    /// Returns the stored values of a position. A forged position that cannot be read is `None`, so
    /// the page then starts at the edge of the list.
    pub(super) fn new(position: &Position) -> Option<Self> {
        let key = match &position.key {
            SortKey::Null => Bson::Null,
            SortKey::Time(at) => date(*at).into(),
            SortKey::Text(text) => text.into(),
            SortKey::Opaque(bytes) => return Self::from_bytes(bytes),
        };
        Some(Self { key, id: oid(position.id).into() })
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let raw = RawDocument::from_bytes(bytes).ok()?;
        if !is_shallow(raw, MAX_DEPTH) {
            return None;
        }
        let mut document = Document::try_from(raw).ok()?;
        Some(Self { key: document.remove("key")?, id: document.remove("id")? })
    }

    /// Returns the position for the domain. It is opaque unless the identifier is an `ObjectId` and
    /// the key is null or has the type of the sort field.
    pub(super) fn into_position(self, kind: SortKeyType) -> Position {
        if let Bson::ObjectId(id) = &self.id {
            let key = match (&self.key, kind) {
                (Bson::Null, _) => Some(SortKey::Null),
                (Bson::String(text), SortKeyType::Text) => Some(SortKey::Text(text.clone())),
                (Bson::DateTime(at), SortKeyType::Time) => {
                    Timestamp::from_millis(at.timestamp_millis()).map(SortKey::Time)
                }
                _ => None,
            };
            if let Some(key) = key {
                return Position { key, id: ObjectId(id.bytes()) };
            }
        }
        let document = doc! { "key": self.key, "id": self.id };
        let bytes = RawDocumentBuf::try_from(&document).map(|raw| raw.as_bytes().to_vec());
        Position { key: SortKey::Opaque(bytes.unwrap_or_default()), id: ObjectId::MIN }
    }
}

/// Returns a stored value, or null if it is absent.
pub(super) fn value_of(raw: &RawDocument, key: &str) -> Bson {
    let value = raw.get(key).ok().flatten();
    value.and_then(|value| Bson::try_from(value).ok()).unwrap_or(Bson::Null)
}

/// Returns a value as a constant of an expression.
pub(super) fn literal(value: &Bson) -> Document {
    doc! { "$literal": value }
}

/// Returns the rank of a value's type in the order of comparison.
pub(super) fn rank(value: &Bson) -> usize {
    let code = i32::from(value.element_type() as u8 as i8);
    TYPES_IN_ORDER.iter().position(|codes| codes.contains(&code)).unwrap_or(NULL_RANK)
}

/// Returns the type codes of these ranks.
pub(super) fn type_codes(ranks: impl Iterator<Item = usize>) -> Vec<i32> {
    ranks
        .filter_map(|rank| TYPES_IN_ORDER.get(rank))
        .flat_map(|codes| codes.iter().copied())
        .collect()
}

/// Returns the rank above all others.
pub(super) const fn rank_end() -> usize {
    TYPES_IN_ORDER.len()
}

fn is_shallow(raw: &RawDocument, depth: usize) -> bool {
    depth > 0
        && raw.iter().all(|element| match element {
            Ok((_, RawBsonRef::Document(inner))) => is_shallow(inner, depth - 1),
            Ok((_, RawBsonRef::Array(inner))) => RawDocument::from_bytes(inner.as_bytes())
                .is_ok_and(|raw| is_shallow(raw, depth - 1)),
            Ok((_, RawBsonRef::JavaScriptCodeWithScope(code))) => is_shallow(code.scope, depth - 1),
            Ok(_) => true,
            Err(_) => false,
        })
}

#[cfg(test)]
mod tests {
    use mongodb::bson::{DateTime, oid};

    use super::*;

    #[test]
    fn position_of_any_value_survives_a_round_trip() {
        let object_id = oid::ObjectId::from_bytes([7; 12]);
        for key in [
            Bson::Null,
            Bson::MinKey,
            Bson::Undefined,
            5.into(),
            "text".into(),
            doc! { "a": [1] }.into(),
            DateTime::from_millis(i64::MAX).into(),
            DateTime::from_millis(0).into(),
        ] {
            for id in [Bson::from(object_id), "an id".into(), doc! { "a": 1 }.into()] {
                let stored = StoredPosition { key: key.clone(), id };
                for kind in [SortKeyType::Time, SortKeyType::Text] {
                    let position = stored.clone().into_position(kind);
                    let is_foreign = match position.key {
                        SortKey::Time(_) => kind != SortKeyType::Time,
                        SortKey::Text(_) => kind != SortKeyType::Text,
                        SortKey::Null | SortKey::Opaque(_) => false,
                    };
                    assert!(!is_foreign, "{position:?}");
                    assert_eq!(StoredPosition::new(&position).as_ref(), Some(&stored));
                }
            }
        }
    }

    #[test]
    fn malformed_and_deep_positions_are_rejected() {
        // Each level is its length, the element `key` of the type document, and a terminator.
        let mut deep = b"\x05\0\0\0\0".to_vec();
        for _ in 0..5_000 {
            let length = i32::try_from(deep.len() + 10).expect("a length").to_le_bytes();
            deep = [&length[..], b"\x03key\0", &deep, b"\0"].concat();
        }
        assert!(RawDocument::from_bytes(&deep).is_ok());
        for bytes in [&deep[..], b"", b"\x05\0\0\0\0", b"nonsense"] {
            let position = Position { key: SortKey::Opaque(bytes.to_vec()), id: ObjectId::MIN };
            assert_eq!(StoredPosition::new(&position), None);
        }
    }

    #[test]
    fn ranks_are_in_the_order_of_the_server() {
        let ranks: Vec<_> = [Bson::MinKey, Bson::Null, 1.5.into(), "".into(), Bson::Boolean(true)]
            .iter()
            .map(rank)
            .collect();
        assert_eq!(ranks, [0, NULL_RANK, 3, 4, 9]);
        assert_eq!(rank(&Bson::MaxKey) + 1, rank_end());
        assert_eq!(rank(&Bson::Array(Vec::new())), ARRAY_RANK);
    }
}
