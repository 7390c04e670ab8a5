//! Takes over the database of the former Node service, in place.
//!
//! `run` converts the collections one after another. `tenant`, `user` and `subscription` convert one
//! document each, as pure functions over raw BSON, with `fields` and `values`. `duplicates` finds users
//! with the same subject. `batch` writes the changes. `shape` tells an old database from an empty, a current and a foreign one. `state` records
//! the progress.
//!
//! **Invariants:** no document is deleted. A document that cannot be converted stays as it is, except
//! for a value that a unique index forbids. A second run changes nothing.

mod batch;
#[cfg(test)]
mod conversion_tests;
mod converter;
mod duplicates;
mod fields;
mod run;
mod shape;
mod state;
mod subscription;
mod tenant;
mod user;
mod values;

pub use run::{MigrationObserver, MigrationProgress};
