//! Many who want the same at the same time.

use std::sync::Arc;

use tenantry::{
    domain::{
        change::{Change, UniqueField, UserVersion},
        user::{TenantRole, User},
    },
    store::{CommitError, Store, UserKeys},
};

use super::{for_every_store, keep};
use crate::support::entities::{event, id, membership, time, user};

for_every_store!(
    one_identity_is_taken_once,
    one_identity_is_taken_once_with_its_event,
    one_state_is_changed_once,
    one_state_is_changed_once_with_its_event,
    different_users_do_not_meet,
);

const MANY: u32 = 32;

/// Commits all of these lists at once, and gives what came of each.
pub(super) async fn at_once(
    store: &Arc<dyn Store>,
    lists: impl Iterator<Item = Vec<Change>>,
) -> Vec<Result<(), CommitError>> {
    let commit = |changes: Vec<Change>| {
        let store = Arc::clone(store);
        tokio::spawn(async move { store.commit(&changes).await })
    };
    let running: Vec<_> = lists.map(commit).collect();
    let mut done = Vec::with_capacity(running.len());
    for commit in running {
        done.push(commit.await.expect("an answer"));
    }
    done
}

/// The number of the only one that got through; every other one has failed as it should.
pub(super) fn winner(done: &[Result<(), CommitError>], lost: impl Fn(&CommitError) -> bool) -> u32 {
    for refused in done.iter().filter_map(|one| one.as_ref().err()) {
        assert!(lost(refused), "{refused:?}");
    }
    let winners: Vec<_> = (0..).zip(done).filter(|(_, one)| one.is_ok()).map(|(n, _)| n).collect();
    let [winner] = winners[..] else { panic!("{} winners", winners.len()) };
    winner
}

/// The events of everybody: only the winner's is there.
async fn assert_only_event(store: &dyn Store, of: u32) {
    let ids: Vec<_> = (0..MANY).map(id).collect();
    assert_eq!(store.audit_events(&ids).await.expect("read"), [Ok(event(of))]);
}

fn newcomer(n: u32) -> User {
    User { identity: user(0).identity, ..user(n) }
}

async fn one_identity_is_taken_once(store: Arc<dyn Store>) {
    let done = at_once(&store, (0..MANY).map(|n| vec![Change::InsertUser(newcomer(n))])).await;
    let lost =
        |refused: &CommitError| matches!(refused, CommitError::Conflict(UniqueField::Subject));
    let winner = winner(&done, lost);
    let found = store.users(UserKeys::Identity(&user(0).identity)).await.expect("read");
    assert_eq!(found, [Ok(newcomer(winner))]);
}

async fn one_identity_is_taken_once_with_its_event(store: Arc<dyn Store>) {
    let changes = |n| vec![Change::InsertAuditEvent(event(n)), Change::InsertUser(newcomer(n))];
    let done = at_once(&store, (0..MANY).map(changes)).await;
    let lost =
        |refused: &CommitError| matches!(refused, CommitError::Conflict(UniqueField::Subject));
    let winner = winner(&done, lost);
    let ids: Vec<_> = (0..MANY).map(id).collect();
    let found = store.users(UserKeys::Ids(&ids)).await.expect("read");
    assert_eq!(found, [Ok(newcomer(winner))]);
    assert_only_event(&*store, winner).await;
}

/// What the n-th makes of the one user that all have read.
fn changed(n: u32) -> (UserVersion, User) {
    let read = user(0);
    let memberships = vec![membership(n, TenantRole::Member)];
    ((&read).into(), User { memberships, version: 2, updated_at: time(n.into()), ..read })
}

async fn one_state_is_changed_once(store: Arc<dyn Store>) {
    keep(&*store, [Change::InsertUser(user(0))]).await;
    let update = |n| {
        let (was, user) = changed(n);
        vec![Change::UpdateUser { was, user }]
    };
    let done = at_once(&store, (0..MANY).map(update)).await;
    let winner = winner(&done, |refused| matches!(refused, CommitError::Stale));
    let found = store.users(UserKeys::Ids(&[id(0)])).await.expect("read");
    assert_eq!(found, [Ok(changed(winner).1)]);
}

async fn one_state_is_changed_once_with_its_event(store: Arc<dyn Store>) {
    keep(&*store, [Change::InsertUser(user(0))]).await;
    let update = |n| {
        let (was, user) = changed(n);
        vec![Change::UpdateUser { was, user }, Change::InsertAuditEvent(event(n))]
    };
    let done = at_once(&store, (0..MANY).map(update)).await;
    let winner = winner(&done, |refused| matches!(refused, CommitError::Stale));
    let found = store.users(UserKeys::Ids(&[id(0)])).await.expect("read");
    assert_eq!(found, [Ok(changed(winner).1)]);
    assert_only_event(&*store, winner).await;
}

async fn different_users_do_not_meet(store: Arc<dyn Store>) {
    let changes = |n| vec![Change::InsertUser(user(n)), Change::InsertAuditEvent(event(n))];
    for done in at_once(&store, (0..MANY).map(changes)).await {
        done.expect("nobody is in the way");
    }
    let ids: Vec<_> = (0..MANY).map(id).collect();
    assert_eq!(store.users(UserKeys::Ids(&ids)).await.expect("read").len(), MANY as usize);
}
