//! Translates the bounds of a page into ranges of an index.
//!
//! A list starts with the documents whose sort field is absent, by identifier. The documents whose
//! sort field has the right type follow, by value and then by identifier. A document whose sort
//! field has another type is omitted, and is only in the lists of other orders. Each part of a page
//! is a range of the index `{field, _id}`, so the server merges ranges and does not sort.

use mongodb::bson::{Bson, Document, RawDocument, doc, oid};

use super::documents::{date, oid as to_oid};
use crate::domain::{
    id::ObjectId,
    list::{Direction, PageEdge, PageRequest, Position, SortKey},
    time::Timestamp,
};

/// The type of a sort field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SortKeyType {
    /// A BSON date.
    Time,
    /// A string, compared by the collation of names.
    Text,
}

/// The order of a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keyset {
    pub(super) field: &'static str,
    pub(super) kind: SortKeyType,
    pub(super) direction: Direction,
}

impl Keyset {
    /// Returns the sort of a page. It starts at the requested edge.
    pub(super) fn sort(&self, page: &PageRequest) -> Document {
        let direction = sort_direction(self.direction, page.edge);
        doc! { self.field: direction, "_id": direction }
    }

    /// Returns the conditions for a document to be between the bounds of a page.
    pub(super) fn bounds(&self, page: &PageRequest) -> Vec<Document> {
        let (lower, upper) = match self.direction {
            Direction::Asc => (page.after.as_ref(), page.before.as_ref()),
            Direction::Desc => (page.before.as_ref(), page.after.as_ref()),
        };
        let mut conditions = vec![
            // An array would appear once per element.
            doc! { format!("{}.0", self.field): { "$exists": false } },
            // A position needs an ObjectId. The condition is written so that no index serves it.
            // Otherwise the planner would consider the index of identifiers, and sort.
            doc! { "$expr": { "$eq": [{ "$type": "$_id" }, "objectId"] } },
        ];
        conditions.push(doc! { "$or": self.above(lower, upper) });
        if let Some(upper) = upper {
            conditions.push(doc! { "$or": self.below(upper) });
        }
        conditions
    }

    /// Returns the ranges above a position. `cap` is only an optimization, because `below` already
    /// excludes the documents above it.
    fn above(&self, lower: Option<&Position>, cap: Option<&Position>) -> Vec<Document> {
        let mut ranges = Vec::with_capacity(2);
        match lower.map(|position| (&position.key, to_oid(position.id))) {
            None => ranges.push(doc! { self.field: null }),
            Some((SortKey::Null, id)) => {
                ranges.push(doc! { self.field: null, "_id": { "$gt": id } });
            }
            Some((key, id)) => ranges.push(doc! { self.field: value(key), "_id": { "$gt": id } }),
        }
        if cap.is_some_and(|position| position.key == SortKey::Null) {
            return ranges;
        }
        let mut range = self.range();
        if let Some(key) = lower.map(|position| &position.key).filter(|key| **key != SortKey::Null)
        {
            range.remove("$gte");
            range.insert("$gt", value(key));
        }
        if let Some(cap) = cap {
            range.insert("$lte", value(&cap.key));
        }
        ranges.push(doc! { self.field: range });
        ranges
    }

    /// Returns the ranges below a position.
    fn below(&self, upper: &Position) -> Vec<Document> {
        let id = to_oid(upper.id);
        if upper.key == SortKey::Null {
            return vec![doc! { self.field: null, "_id": { "$lt": id } }];
        }
        let mut range = self.range();
        range.remove("$lte");
        range.insert("$lt", value(&upper.key));
        vec![
            doc! { self.field: null },
            doc! { self.field: range },
            doc! { self.field: value(&upper.key), "_id": { "$lt": id } },
        ]
    }

    /// Returns the range of all values of the right type.
    fn range(&self) -> Document {
        match self.kind {
            SortKeyType::Time => {
                doc! { "$gte": date(Timestamp::MIN), "$lte": date(Timestamp::MAX) }
            }
            SortKeyType::Text => doc! { "$gte": "" },
        }
    }

    /// Returns the sort key of a document, as it is stored.
    pub(super) fn key_of(&self, raw: &RawDocument) -> SortKey {
        let Ok(Some(value)) = raw.get(self.field) else { return SortKey::Null };
        let key = match self.kind {
            SortKeyType::Time => value
                .as_datetime()
                .and_then(|at| Timestamp::from_millis(at.timestamp_millis()))
                .map(SortKey::Time),
            SortKeyType::Text => value.as_str().map(|text| SortKey::Text(text.to_owned())),
        };
        key.unwrap_or(SortKey::Null)
    }
}

/// Returns the bounds of a page in a list that is ordered by identifier only.
pub(super) fn id_bounds(page: &PageRequest) -> Document {
    let after = page.after.as_ref().map(|position| to_oid(position.id));
    let mut bounds = match after {
        Some(id) => doc! { "$gt": id },
        None => doc! { "$gte": min_object_id() },
    };
    if let Some(before) = &page.before {
        bounds.insert("$lt", to_oid(before.id));
    }
    bounds
}

/// Returns 1 (ascending) or -1 (descending), the direction in which the server reads a page from
/// this edge.
pub(super) fn sort_direction(direction: Direction, edge: PageEdge) -> i32 {
    let direction = match edge {
        PageEdge::First => direction,
        PageEdge::Last => direction.reversed(),
    };
    match direction {
        Direction::Asc => 1,
        Direction::Desc => -1,
    }
}

/// Returns the least identifier. A comparison with it excludes every value that is not an
/// `ObjectId`.
pub(super) fn min_object_id() -> oid::ObjectId {
    to_oid(ObjectId::MIN)
}

fn value(key: &SortKey) -> Bson {
    match key {
        SortKey::Null => Bson::Null,
        SortKey::Time(at) => date(*at).into(),
        SortKey::Text(text) => text.into(),
    }
}
