//! Translates the bounds of a page into ranges of an index.
//!
//! A list has the order in which MongoDB sorts its documents: by the sort field, whatever the type
//! of its value, and then by identifier. An absent field counts as null. An array counts as its
//! smallest element if the server reads in ascending order, and as its greatest otherwise.
//!
//! A bound becomes two conditions. The first is a union of ranges of the index `{field, _id}`, which
//! the server merges without a sort. Values of all types need care there: a comparison such as
//! `$gt` matches values of one type only, and `$expr` compares an array as a whole. So the ranges
//! may have too many documents, and the second condition decides exactly.
//!
//! If a document has an array in the sort field, the server can no longer start in the middle of
//! that index. It then reads the index from its start.

use mongodb::bson::{Bson, Document, RawBsonRef, RawDocument, doc, oid};

use super::{
    documents::oid as to_oid,
    positions::{
        ARRAY_RANK, NULL_RANK, SortKeyType, StoredPosition, literal, rank, rank_end, type_codes,
        value_of,
    },
};
use crate::domain::{
    id::ObjectId,
    list::{Direction, PageEdge, PageRequest},
};

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
        let reading = reading_direction(self.direction, page.edge);
        let (near, far) = match page.edge {
            PageEdge::First => (&page.after, &page.before),
            PageEdge::Last => (&page.before, &page.after),
        };
        let near = near.as_ref().and_then(StoredPosition::new);
        let far = far.as_ref().and_then(StoredPosition::new);
        let ranges = match (&near, &far) {
            (Some(near), far) => self.ranges(near, reading, far.as_ref()),
            (None, Some(far)) => self.ranges(far, reading.reversed(), None),
            (None, None) => return Vec::new(),
        };
        let mut conditions = vec![doc! { "$or": ranges }];
        conditions.extend(near.map(|near| self.is_beyond(&near, reading, reading)));
        conditions.extend(far.map(|far| self.is_beyond(&far, reading.reversed(), reading)));
        conditions
    }

    /// Returns ranges that have all documents beyond a position, and few others. `cap` is a second
    /// bound, which only keeps the server from reading further.
    fn ranges(
        &self,
        from: &StoredPosition,
        direction: Direction,
        cap: Option<&StoredPosition>,
    ) -> Vec<Document> {
        let mut ranges = self.beyond_key(&from.key, direction);
        if let Some(cap) = cap.and_then(|cap| self.up_to_key(&cap.key, &from.key, direction)) {
            ranges = ranges.into_iter().map(|range| doc! { "$and": [range, &cap] }).collect();
        }
        ranges.push(self.tie(from, direction));
        // An absent field is less than null for `$expr`, which excludes it from the capped ranges.
        ranges.extend(
            cap.filter(|cap| rank(&cap.key) == NULL_RANK)
                .map(|cap| self.tie(cap, direction.reversed())),
        );
        ranges
    }

    /// Matches the documents with the key of a position and an identifier beyond it.
    fn tie(&self, position: &StoredPosition, direction: Direction) -> Document {
        let mut tie = match &position.key {
            // The server compares nothing with undefined, whose place an empty array has, too.
            Bson::Undefined => {
                doc! { "$or": [{ self.field: { "$type": 6 } }, { self.field: { "$eq": [] } }] }
            }
            key => doc! { self.field: { "$eq": key } },
        };
        let id_is_beyond = doc! { operator(direction): ["$_id", literal(&position.id)] };
        tie.insert("$expr", id_is_beyond);
        tie
    }

    /// Returns ranges of all documents whose key is beyond this one.
    fn beyond_key(&self, key: &Bson, direction: Direction) -> Vec<Document> {
        let (field, rank) = (self.field, rank(key));
        if is_beyond_rank(ARRAY_RANK, rank, direction) {
            // All arrays are in the range of `$expr`, as they must be.
            let mut ranges = vec![self.compare(operator(direction), key)];
            if matches!(key, Bson::Undefined) {
                // An absent field equals undefined for `$expr`.
                ranges.push(doc! { field: null });
            }
            return ranges;
        }
        let mut ranges = Vec::new();
        if is_comparable(key) {
            ranges.push(doc! { field: { operator(direction): key } });
        }
        let is_beyond = |other: &usize| is_beyond_rank(*other, rank, direction);
        // Values of these types do not compare with `$gt`, so the range has all of them.
        let is_own = |other: &usize| *other == rank && rank >= ARRAY_RANK && !is_comparable(key);
        let ranks = (0..rank_end()).filter(|other| is_beyond(other) || is_own(other));
        let types = type_codes(ranks.filter(|other| *other != NULL_RANK));
        if !types.is_empty() {
            ranges.push(doc! { field: { "$type": types } });
        }
        if direction == Direction::Desc && rank >= NULL_RANK {
            let mut lowest = vec![Bson::Array(Vec::new())];
            if rank > NULL_RANK {
                // The least number, with which `$lt` compares nothing.
                lowest.extend([Bson::Null, f64::NAN.into()]);
            }
            ranges.push(doc! { field: { "$in": lowest } });
        }
        ranges
    }

    /// Returns the condition that a key is not beyond `cap`, if an index can serve it together with a
    /// range that begins at `from`.
    fn up_to_key(&self, cap: &Bson, from: &Bson, direction: Direction) -> Option<Document> {
        let operator = match direction {
            Direction::Asc => "$lte",
            Direction::Desc => "$gte",
        };
        let (cap_rank, from_rank) = (rank(cap), rank(from));
        if cap_rank == from_rank && is_comparable(cap) {
            return Some(doc! { self.field: { operator: cap } });
        }
        let has_arrays = is_beyond_rank(ARRAY_RANK, cap_rank, direction.reversed());
        has_arrays.then(|| self.compare(operator, cap))
    }

    fn compare(&self, operator: &str, key: &Bson) -> Document {
        doc! { "$expr": { operator: [format!("${}", self.field), literal(key)] } }
    }

    /// Returns the exact condition that a document is beyond a position.
    fn is_beyond(
        &self,
        position: &StoredPosition,
        direction: Direction,
        reading: Direction,
    ) -> Document {
        let (operator, key) = (operator(direction), literal(&position.key));
        let is_beyond = doc! { "$or": [
            { operator: ["$$key", &key] },
            { "$and": [
                { "$eq": ["$$key", key] },
                { operator: ["$_id", literal(&position.id)] },
            ] },
        ] };
        let vars = doc! { "key": self.key_expression(reading) };
        doc! { "$expr": { "$let": { "vars": vars, "in": is_beyond } } }
    }

    /// Returns the expression for the value that the server sorts a document by.
    pub(super) fn key_expression(&self, reading: Direction) -> Document {
        let field = format!("${}", self.field);
        let or_null = doc! { "$cond": [
            { "$eq": [{ "$type": &field }, "missing"] }, null, &field,
        ] };
        let is_first = doc! { operator(reading.reversed()): ["$$this", "$$value"] };
        let first_element = doc! { "$reduce": {
            "input": &field,
            "initialValue": { "$arrayElemAt": [&field, 0] },
            "in": { "$cond": [is_first, "$$this", "$$value"] },
        } };
        doc! { "$switch": {
            "branches": [
                { "case": { "$not": [{ "$isArray": [&field] }] }, "then": or_null },
                { "case": { "$eq": [&field, []] }, "then": literal(&Bson::Undefined) },
            ],
            "default": first_element,
        } }
    }

    /// Returns the position of a document. `None` if the sort field has elements, of which only the
    /// server knows the order.
    pub(super) fn position_of(&self, raw: &RawDocument) -> Option<StoredPosition> {
        let key = match raw.get(self.field) {
            Ok(Some(RawBsonRef::Array(elements))) => {
                if !elements.is_empty() {
                    return None;
                }
                Bson::Undefined
            }
            _ => value_of(raw, self.field),
        };
        Some(StoredPosition { key, id: value_of(raw, "_id") })
    }
}

/// Returns the conditions for a document to be between the bounds of a page, in a list that is
/// ordered by identifier only.
pub(super) fn id_bounds(page: &PageRequest) -> Vec<Document> {
    let bounds = [(&page.after, Direction::Asc), (&page.before, Direction::Desc)];
    let bounds = bounds.into_iter().filter_map(|(position, direction)| {
        let position = StoredPosition::new(position.as_ref()?)?;
        Some(doc! { "$expr": { operator(direction): ["$_id", literal(&position.id)] } })
    });
    bounds.collect()
}

/// Returns the direction in which the server reads a page from this edge.
pub(super) const fn reading_direction(direction: Direction, edge: PageEdge) -> Direction {
    match edge {
        PageEdge::First => direction,
        PageEdge::Last => direction.reversed(),
    }
}

/// Returns 1 (ascending) or -1 (descending), the direction in which the server reads a page from
/// this edge.
pub(super) const fn sort_direction(direction: Direction, edge: PageEdge) -> i32 {
    match reading_direction(direction, edge) {
        Direction::Asc => 1,
        Direction::Desc => -1,
    }
}

/// Returns the operator for values beyond another one.
pub(super) const fn operator(direction: Direction) -> &'static str {
    match direction {
        Direction::Asc => "$gt",
        Direction::Desc => "$lt",
    }
}

/// Returns the least identifier. A comparison with it excludes every value that is not an
/// `ObjectId`.
pub(super) fn min_object_id() -> oid::ObjectId {
    to_oid(ObjectId::MIN)
}

fn is_beyond_rank(rank: usize, other: usize, direction: Direction) -> bool {
    match direction {
        Direction::Asc => rank > other,
        Direction::Desc => rank < other,
    }
}

/// Returns whether the server compares a value by `$gt` with others of its type.
const fn is_comparable(value: &Bson) -> bool {
    match value {
        Bson::Double(number) => !number.is_nan(),
        Bson::Int32(_)
        | Bson::Int64(_)
        | Bson::Decimal128(_)
        | Bson::String(_)
        | Bson::Symbol(_)
        | Bson::Document(_)
        | Bson::Binary(_)
        | Bson::ObjectId(_)
        | Bson::Boolean(_)
        | Bson::DateTime(_)
        | Bson::Timestamp(_) => true,
        _ => false,
    }
}
