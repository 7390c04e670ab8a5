//! What is particular to MongoDB: documents of other hands, servers that go away, indexes. What
//! both stores have in common is in `conformance`.

mod commits;
mod deletions;
mod explain;
mod failpoints;
mod legacy_documents;
mod outage;
mod pages;
mod prepare;
mod sharding;
mod unreadable_documents;
mod updates;

use mongodb::bson::{DateTime, oid::ObjectId};
use tenantry::domain::{
    id::{self, Id},
    list::{PageEdge, PageRequest},
    time::Timestamp,
};

/// The n-th identifier: in ascending order, and all of 2023.
fn oid(n: u32) -> ObjectId {
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&0x6500_0000_u32.to_be_bytes());
    bytes[8..].copy_from_slice(&n.to_be_bytes());
    ObjectId::from_bytes(bytes)
}

fn id<E>(n: u32) -> Id<E> {
    Id::new(id::ObjectId(oid(n).bytes()))
}

/// The n-th second of 2025.
fn time(n: i64) -> Timestamp {
    Timestamp::from_seconds(1_735_689_600 + n).expect("in range")
}

fn date(n: i64) -> DateTime {
    DateTime::from_millis(time(n).millis())
}

fn first(size: usize) -> PageRequest {
    PageRequest { size, edge: PageEdge::First, after: None, before: None }
}
