//! What every store has to do, written once and run against each: SQLite in a file and in memory,
//! and MongoDB. A case gets a store that is empty and prepared.
//!
//! One difference is known and accepted: MongoDB compares names as people do (ICU, strength 2), so
//! a search there may overlook accents, and names beyond ASCII may come in another order. No case
//! here depends on either.

mod audit;
mod changes;
mod commit_preconditions;
mod commits;
mod concurrency;
mod counts;
mod deletions;
mod idempotency;
mod lookups;
mod members;
mod pages;
mod pagination;
mod round_trips;
mod search;
mod tenant_locks;

use std::{fmt::Debug, sync::Arc};

use tempfile::TempDir;
use tenantry::{
    domain::{
        change::Change, list::Decoded, subscription::TenantSubscription, tenant::Tenant, user::User,
    },
    store::{CommitError, Store, SubscriptionKeys, TenantKeys, UserKeys, sqlite::SqliteStore},
};

use crate::support::{
    entities::{event, id},
    mongod::Fresh,
};

/// Makes of each case one test for each store, so that a failure says which of them it was. (A case
/// that is not named here is dead code, and the compiler says so.)
macro_rules! for_every_store {
    ($($case:ident),+ $(,)?) => { $(
        mod $case {
            #[tokio::test]
            async fn sqlite_file() {
                let (_folder, store) = $crate::store_conformance::in_file().await;
                super::$case(store).await;
            }

            #[tokio::test]
            async fn sqlite_memory() {
                super::$case($crate::store_conformance::in_memory().await).await;
            }

            #[tokio::test]
            async fn mongodb() {
                super::$case($crate::store_conformance::on_server().await).await;
            }
        }
    )+ };
}
use for_every_store;

async fn in_file() -> (TempDir, Arc<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open(&folder.path().join("tenantry.db"), None).expect("a store");
    store.prepare().await.expect("prepared");
    (folder, Arc::new(store))
}

async fn in_memory() -> Arc<dyn Store> {
    let store = SqliteStore::in_memory(None).expect("a store");
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
fn readable<T: Debug, K: Ord>(found: Vec<Decoded<T>>, key: impl Fn(&T) -> K) -> Vec<T> {
    let mut all: Vec<T> = found.into_iter().map(|found| found.expect("readable")).collect();
    all.sort_by_key(key);
    all
}

/// The n-th tenant, where it is there.
async fn tenant_of(store: &dyn Store, n: u32) -> Option<Tenant> {
    let found = store.tenants(TenantKeys::Ids(&[id(n)])).await.expect("read");
    readable(found, |tenant| tenant.id).pop()
}

/// The n-th user, where it is there.
async fn user_of(store: &dyn Store, n: u32) -> Option<User> {
    let found = store.users(UserKeys::Ids(&[id(n)])).await.expect("read");
    readable(found, |user| user.id).pop()
}

/// The n-th subscription, where it is there.
async fn subscription_of(store: &dyn Store, n: u32) -> Option<TenantSubscription> {
    let found = store.subscriptions(SubscriptionKeys::Ids(&[id(n)])).await.expect("read");
    readable(found, |subscription| subscription.id).pop()
}

/// Alone and together with an event, which then is not there.
async fn assert_refused(
    store: &dyn Store,
    changes: &[Change],
    expected: impl Fn(&CommitError) -> bool,
) {
    let recorded = [Change::InsertAuditEvent(event(0xffff))];
    for before in [&[][..], &recorded] {
        let all: Vec<_> = before.iter().chain(changes).cloned().collect();
        match store.commit(&all).await {
            Err(refused) if expected(&refused) => {}
            other => panic!("{changes:?}: {other:?}"),
        }
    }
    assert_eq!(store.audit_events(&[id(0xffff)]).await.expect("read"), []);
}

fn is_stale(refused: &CommitError) -> bool {
    matches!(refused, CommitError::Stale)
}
