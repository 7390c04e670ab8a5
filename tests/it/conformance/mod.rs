//! What every store has to do, written once and run against each: SQLite in a file and in memory,
//! and MongoDB. A case gets a store that is empty and prepared.
//!
//! One difference is known and accepted: MongoDB compares names as people do (ICU, strength 2), so
//! a search there may overlook accents, and names beyond ASCII may come in another order. No case
//! here depends on either.

mod audit;
mod commits;
mod counts;
mod keys;
mod members;
mod pages;
mod races;
mod round_trips;
mod search;
mod windows;

use std::{fmt::Debug, sync::Arc};

use tempfile::TempDir;
use tenantry::{
    domain::{change::Change, list::Found},
    store::{Store, sqlite::SqliteStore},
};

use crate::support::mongod::Fresh;

/// Makes of each case one test for each store, so that a failure says which of them it was. (A case
/// that is not named here is dead code, and the compiler says so.)
macro_rules! for_every_store {
    ($($case:ident),+ $(,)?) => { $(
        mod $case {
            #[tokio::test]
            async fn sqlite_file() {
                let (_folder, store) = $crate::conformance::in_file().await;
                super::$case(store).await;
            }

            #[tokio::test]
            async fn sqlite_memory() {
                super::$case($crate::conformance::in_memory().await).await;
            }

            #[tokio::test]
            async fn mongodb() {
                super::$case($crate::conformance::on_server().await).await;
            }
        }
    )+ };
}
use for_every_store;

async fn in_file() -> (TempDir, Arc<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open(&folder.path().join("tenantry.db")).expect("a store");
    store.prepare().await.expect("prepared");
    (folder, Arc::new(store))
}

async fn in_memory() -> Arc<dyn Store> {
    let store = SqliteStore::in_memory().expect("a store");
    store.prepare().await.expect("prepared");
    Arc::new(store)
}

async fn on_server() -> Arc<dyn Store> {
    Arc::new(Fresh::new().await.prepared().await)
}

/// Commits what nothing is in the way of.
async fn keep(store: &dyn Store, changes: impl IntoIterator<Item = Change>) {
    let changes: Vec<_> = changes.into_iter().collect();
    store.commit(&changes).await.expect("committed");
}

/// What was found, all of it readable, in an order of its own: the stores promise none.
fn readable<T: Debug, K: Ord>(found: Vec<Found<T>>, key: impl Fn(&T) -> K) -> Vec<T> {
    let mut all: Vec<T> = found.into_iter().map(|found| found.expect("readable")).collect();
    all.sort_by_key(key);
    all
}
