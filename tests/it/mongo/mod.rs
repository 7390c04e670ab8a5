//! Behaviour that only the MongoDB store has: documents of other writers, unreachable servers,
//! indexes, fail points and sharding. Behaviour that all stores share is tested in
//! `store_conformance`.

mod abandoned;
mod commits;
mod damaged_pages;
mod deletions;
mod explain;
mod failpoints;
mod legacy_documents;
mod outage;
mod pages;
mod prepare;
mod search_keys;
mod sharding;
mod unreadable_documents;
mod updates;

use mongodb::bson::{DateTime, oid::ObjectId};
use tenantry::domain::{
    id::{self, Id},
    list::{PageEdge, PageRequest},
    time::Timestamp,
};

/// Returns the n-th identifier. Identifiers ascend with `n`, and their timestamps are in 2023.
fn oid(n: u32) -> ObjectId {
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&0x6500_0000_u32.to_be_bytes());
    bytes[8..].copy_from_slice(&n.to_be_bytes());
    ObjectId::from_bytes(bytes)
}

/// Returns the n-th identifier as the domain's type.
fn id<E>(n: u32) -> Id<E> {
    Id::new(id::ObjectId(oid(n).bytes()))
}

/// Returns the n-th second of 2025.
fn time(n: i64) -> Timestamp {
    Timestamp::from_seconds(1_735_689_600 + n).expect("in range")
}

/// Returns the n-th second of 2025 as a BSON date.
fn date(n: i64) -> DateTime {
    DateTime::from_millis(time(n).millis())
}

/// Returns a request for the first page of a list.
fn first_page(size: usize) -> PageRequest {
    PageRequest { size, edge: PageEdge::First, after: None, before: None }
}
