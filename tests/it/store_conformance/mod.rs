//! Runs one conformance suite against every store: SQLite in a file, SQLite in memory, and MongoDB.
//! Each case receives an empty, prepared store.
//!
//! One difference is known and accepted. MongoDB sorts names with an ICU collation of strength 2, so
//! names beyond ASCII may sort differently. No case here depends on it.

mod audit;
mod changes;
mod commit_preconditions;
mod commits;
mod concurrency;
mod counts;
mod deletions;
mod idempotency;
mod invitations;
mod lookups;
mod members;
mod outbox;
mod pages;
mod pagination;
mod round_trips;
mod search;
mod search_order;
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
    mongod::FreshDatabase,
};

/// Expands each case into one test per store, so that a failure names the store.
///
/// A case that is not listed is dead code, which the compiler reports.
macro_rules! for_each_store {
    ($($case:ident),+ $(,)?) => { $(
        mod $case {
            #[tokio::test]
            async fn sqlite_file() {
                let (_directory, store) = $crate::store_conformance::sqlite_file_store().await;
                super::$case(store).await;
            }

            #[tokio::test]
            async fn sqlite_memory() {
                super::$case($crate::store_conformance::sqlite_memory_store().await).await;
            }

            #[tokio::test]
            async fn mongodb() {
                super::$case($crate::store_conformance::mongodb_store().await).await;
            }
        }
    )+ };
}
use for_each_store;

async fn sqlite_file_store() -> (TempDir, Arc<dyn Store>) {
    let directory = tempfile::tempdir().expect("temporary directory");
    let store =
        SqliteStore::open(&directory.path().join("tenantry.db"), None).expect("store opens");
    store.prepare().await.expect("preparation succeeds");
    (directory, Arc::new(store))
}

async fn sqlite_memory_store() -> Arc<dyn Store> {
    let store = SqliteStore::in_memory(None).expect("store opens");
    store.prepare().await.expect("preparation succeeds");
    Arc::new(store)
}

async fn mongodb_store() -> Arc<dyn Store> {
    Arc::new(FreshDatabase::new().await.prepared().await)
}

/// Commits changes that must succeed.
async fn must_commit(store: &dyn Store, changes: impl IntoIterator<Item = Change>) {
    let changes: Vec<_> = changes.into_iter().collect();
    store.commit(&changes).await.expect("commit succeeds");
}

/// Unwraps the decoded values, which must all be readable, and sorts them by `key`.
///
/// The stores do not guarantee an order for lookups.
fn readable_sorted<T: Debug, K: Ord>(decoded: Vec<Decoded<T>>, key: impl Fn(&T) -> K) -> Vec<T> {
    let mut values: Vec<T> = decoded.into_iter().map(|value| value.expect("readable")).collect();
    values.sort_by_key(key);
    values
}

/// Returns the n-th tenant, if it is stored.
async fn find_tenant(store: &dyn Store, n: u32) -> Option<Tenant> {
    let tenants = store.tenants(TenantKeys::Ids(&[id(n)])).await.expect("read succeeds");
    readable_sorted(tenants, |tenant| tenant.id).pop()
}

/// Returns the n-th user, if it is stored.
async fn find_user(store: &dyn Store, n: u32) -> Option<User> {
    let users = store.users(UserKeys::Ids(&[id(n)])).await.expect("read succeeds");
    readable_sorted(users, |user| user.id).pop()
}

/// Returns the n-th subscription, if it is stored.
async fn find_subscription(store: &dyn Store, n: u32) -> Option<TenantSubscription> {
    let subscriptions =
        store.subscriptions(SubscriptionKeys::Ids(&[id(n)])).await.expect("read succeeds");
    readable_sorted(subscriptions, |subscription| subscription.id).pop()
}

/// Asserts that the changes fail with the expected error, both alone and after an audit event, and
/// that the event is not stored.
async fn assert_commit_fails(
    store: &dyn Store,
    changes: &[Change],
    is_expected: impl Fn(&CommitError) -> bool,
) {
    let audit_event = [Change::InsertAuditEvent(event(0xffff))];
    for preceding in [&[][..], &audit_event] {
        let all: Vec<_> = preceding.iter().chain(changes).cloned().collect();
        match store.commit(&all).await {
            Err(error) if is_expected(&error) => {}
            other => panic!("{changes:?}: {other:?}"),
        }
    }
    assert_eq!(store.audit_events(&[id(0xffff)]).await.expect("read succeeds"), []);
}

fn is_stale(error: &CommitError) -> bool {
    matches!(error, CommitError::Stale)
}
