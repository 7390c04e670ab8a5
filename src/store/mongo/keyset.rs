//! Where a page begins and ends, in words that an index understands.
//!
//! A list holds the documents whose sort field is absent (first, by identifier) and those that
//! have one of the right type (by value, then identifier). One whose sort field has another type
//! has no place among them, and is in the lists of other orders only. Each part of a page is a
//! range of the index `{field, _id}`, so the server merges ranges and never sorts.

use mongodb::bson::{Bson, Document, RawDocument, doc, oid};

use super::documents::{date, oid as to_oid};
use crate::domain::{
    id::ObjectId,
    list::{Direction, PageEdge, PageRequest, Position, SortKey},
    time::Timestamp,
};

/// What a sort field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SortKeyType {
    /// Dates.
    Time,
    /// Text, compared under the collation of names.
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
    /// The server's sort for a page of this window: from its end on.
    pub(super) fn sort(&self, window: &PageRequest) -> Document {
        let way = sort_direction(self.direction, window.edge);
        doc! { self.field: way, "_id": way }
    }

    /// What lies in the window.
    pub(super) fn bounds(&self, window: &PageRequest) -> Vec<Document> {
        let (lower, upper) = match self.direction {
            Direction::Asc => (window.after.as_ref(), window.before.as_ref()),
            Direction::Desc => (window.before.as_ref(), window.after.as_ref()),
        };
        let mut all = vec![
            // An array would have as many places as elements.
            doc! { format!("{}.0", self.field): { "$exists": false } },
            // What has another identifier has no place. Said in a way that no index serves: the
            // server would try the one of the identifiers, and sort.
            doc! { "$expr": { "$eq": [{ "$type": "$_id" }, "objectId"] } },
        ];
        all.push(doc! { "$or": self.above(lower, upper) });
        if let Some(upper) = upper {
            all.push(doc! { "$or": self.below(upper) });
        }
        all
    }

    /// The ranges above a place; `cap` only spares the server what another condition excludes.
    fn above(&self, lower: Option<&Position>, cap: Option<&Position>) -> Vec<Document> {
        let mut ranges = Vec::with_capacity(2);
        match lower.map(|place| (&place.key, to_oid(place.id))) {
            None => ranges.push(doc! { self.field: null }),
            Some((SortKey::Null, id)) => {
                ranges.push(doc! { self.field: null, "_id": { "$gt": id } });
            }
            Some((key, id)) => ranges.push(doc! { self.field: value(key), "_id": { "$gt": id } }),
        }
        if cap.is_some_and(|place| place.key == SortKey::Null) {
            return ranges;
        }
        let mut range = self.range();
        if let Some(key) = lower.map(|place| &place.key).filter(|key| **key != SortKey::Null) {
            range.remove("$gte");
            range.insert("$gt", value(key));
        }
        if let Some(cap) = cap {
            range.insert("$lte", value(&cap.key));
        }
        ranges.push(doc! { self.field: range });
        ranges
    }

    /// The ranges below a place.
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

    /// Everything of the right type.
    fn range(&self) -> Document {
        match self.kind {
            SortKeyType::Time => {
                doc! { "$gte": date(Timestamp::MIN), "$lte": date(Timestamp::MAX) }
            }
            SortKeyType::Text => doc! { "$gte": "" },
        }
    }

    /// A document's sort key, as it is stored.
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

/// The bounds of a list that is ordered by identifier alone.
pub(super) fn id_bounds(window: &PageRequest) -> Document {
    let after = window.after.as_ref().map(|place| to_oid(place.id));
    let mut bounds = match after {
        Some(id) => doc! { "$gt": id },
        None => doc! { "$gte": min_object_id() },
    };
    if let Some(before) = &window.before {
        bounds.insert("$lt", to_oid(before.id));
    }
    bounds
}

/// 1 or -1: which way the server is to go for a page from this end.
pub(super) fn sort_direction(direction: Direction, end: PageEdge) -> i32 {
    let direction = match end {
        PageEdge::First => direction,
        PageEdge::Last => direction.reversed(),
    };
    match direction {
        Direction::Asc => 1,
        Direction::Desc => -1,
    }
}

/// The least identifier. Compared with it, whatever is no `ObjectId` is left out: it has no place.
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
