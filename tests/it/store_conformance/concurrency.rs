//! Concurrent commits that compete for one identity or one user version.

use std::sync::Arc;

use tenantry::{
    domain::{
        change::{Change, UniqueField, UserVersion},
        user::{TenantRole, User},
    },
    store::{CommitError, Store, UserKeys},
};

use super::{for_each_store, must_commit};
use crate::support::entities::{event, id, membership, time, user};

for_each_store!(
    identity_has_one_winner,
    identity_has_one_winner_and_one_event,
    user_version_has_one_winner,
    user_version_has_one_winner_and_one_event,
    different_users_do_not_conflict,
);

const MANY: u32 = 32;

/// Commits all lists concurrently and returns the results in the order of the lists.
pub(super) async fn commit_concurrently(
    store: &Arc<dyn Store>,
    lists: impl Iterator<Item = Vec<Change>>,
) -> Vec<Result<(), CommitError>> {
    let commit = |changes: Vec<Change>| {
        let store = Arc::clone(store);
        tokio::spawn(async move { store.commit(&changes).await })
    };
    let tasks: Vec<_> = lists.map(commit).collect();
    let mut results = Vec::with_capacity(tasks.len());
    for task in tasks {
        results.push(task.await.expect("task completes"));
    }
    results
}

/// Returns the index of the only commit that succeeded. Every other one must have the expected
/// error.
pub(super) fn winner(
    results: &[Result<(), CommitError>],
    is_expected: impl Fn(&CommitError) -> bool,
) -> u32 {
    for error in results.iter().filter_map(|result| result.as_ref().err()) {
        assert!(is_expected(error), "{error:?}");
    }
    let winners: Vec<_> =
        (0..).zip(results).filter(|(_, result)| result.is_ok()).map(|(n, _)| n).collect();
    let [winner] = winners[..] else { panic!("{} winners", winners.len()) };
    winner
}

/// Asserts that only the winner's audit event is stored.
async fn assert_only_event(store: &dyn Store, winner: u32) {
    let ids: Vec<_> = (0..MANY).map(id).collect();
    assert_eq!(store.audit_events(&ids).await.expect("read succeeds"), [Ok(event(winner))]);
}

fn user_of_contested_identity(n: u32) -> User {
    User { identity: user(0).identity, ..user(n) }
}

async fn identity_has_one_winner(store: Arc<dyn Store>) {
    let results = commit_concurrently(
        &store,
        (0..MANY).map(|n| vec![Change::InsertUser(user_of_contested_identity(n))]),
    )
    .await;
    let is_conflict =
        |error: &CommitError| matches!(error, CommitError::Conflict(UniqueField::Subject));
    let winner = winner(&results, is_conflict);
    let users = store.users(UserKeys::Identity(&user(0).identity)).await.expect("read succeeds");
    assert_eq!(users, [Ok(user_of_contested_identity(winner))]);
}

async fn identity_has_one_winner_and_one_event(store: Arc<dyn Store>) {
    let changes = |n| {
        vec![Change::InsertAuditEvent(event(n)), Change::InsertUser(user_of_contested_identity(n))]
    };
    let results = commit_concurrently(&store, (0..MANY).map(changes)).await;
    let is_conflict =
        |error: &CommitError| matches!(error, CommitError::Conflict(UniqueField::Subject));
    let winner = winner(&results, is_conflict);
    let ids: Vec<_> = (0..MANY).map(id).collect();
    let users = store.users(UserKeys::Ids(&ids)).await.expect("read succeeds");
    assert_eq!(users, [Ok(user_of_contested_identity(winner))]);
    assert_only_event(&*store, winner).await;
}

/// Returns the n-th update of the user that every commit has read.
fn update_of_user(n: u32) -> (UserVersion, User) {
    let stored = user(0);
    let memberships = vec![membership(n, TenantRole::Member)];
    ((&stored).into(), User { memberships, version: 2, updated_at: time(n.into()), ..stored })
}

async fn user_version_has_one_winner(store: Arc<dyn Store>) {
    must_commit(&*store, [Change::InsertUser(user(0))]).await;
    let update = |n| {
        let (expected, user) = update_of_user(n);
        vec![Change::UpdateUser { expected, user }]
    };
    let results = commit_concurrently(&store, (0..MANY).map(update)).await;
    let winner = winner(&results, |error| matches!(error, CommitError::Stale));
    let users = store.users(UserKeys::Ids(&[id(0)])).await.expect("read succeeds");
    assert_eq!(users, [Ok(update_of_user(winner).1)]);
}

async fn user_version_has_one_winner_and_one_event(store: Arc<dyn Store>) {
    must_commit(&*store, [Change::InsertUser(user(0))]).await;
    let update = |n| {
        let (expected, user) = update_of_user(n);
        vec![Change::UpdateUser { expected, user }, Change::InsertAuditEvent(event(n))]
    };
    let results = commit_concurrently(&store, (0..MANY).map(update)).await;
    let winner = winner(&results, |error| matches!(error, CommitError::Stale));
    let users = store.users(UserKeys::Ids(&[id(0)])).await.expect("read succeeds");
    assert_eq!(users, [Ok(update_of_user(winner).1)]);
    assert_only_event(&*store, winner).await;
}

async fn different_users_do_not_conflict(store: Arc<dyn Store>) {
    let changes = |n| vec![Change::InsertUser(user(n)), Change::InsertAuditEvent(event(n))];
    for result in commit_concurrently(&store, (0..MANY).map(changes)).await {
        result.expect("different users do not conflict");
    }
    let ids: Vec<_> = (0..MANY).map(id).collect();
    assert_eq!(store.users(UserKeys::Ids(&ids)).await.expect("read succeeds").len(), MANY as usize);
}
