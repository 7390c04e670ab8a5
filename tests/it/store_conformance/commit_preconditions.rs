//! Conditions of a commit: an owner is left, no subscription is live, tombstones are as they were.

use std::sync::Arc;

use tenantry::{
    domain::{
        change::{Change, UserVersion},
        subscription::{TenantSubscription, TenantSubscriptionStatus},
        user::{TenantRole, User},
    },
    store::{CommitError, Store},
};

use super::{assert_refused, for_every_store, is_stale, keep, user_of};
use crate::support::entities::{id, membership, subscription, tenant, time, tombstone, user};

for_every_store!(
    somebody_owns_it,
    an_owner_is_counted_after_all_else,
    a_live_subscription_is_in_the_way,
    the_youngest_tombstone_counts,
    tombstones_are_lifted_as_they_were_read,
    a_user_is_deleted_with_its_memberships,
);

fn is_last_owner(refused: &CommitError) -> bool {
    matches!(refused, CommitError::LastOwner)
}

fn with(n: u32, memberships: &[(u32, TenantRole)]) -> User {
    let place = |(tenant, role): &(u32, TenantRole)| membership(*tenant, *role);
    User { memberships: memberships.iter().map(place).collect(), ..user(n) }
}

async fn somebody_owns_it(store: Arc<dyn Store>) {
    let shut_out = User { disabled: true, ..with(1, &[(1, TenantRole::Owner)]) };
    let people = [
        shut_out.clone(),
        // An owner elsewhere, an admin here; and the other way round elsewhere.
        with(2, &[(2, TenantRole::Owner), (1, TenantRole::Admin)]),
        with(3, &[(1, TenantRole::Member), (3, TenantRole::Owner)]),
        with(4, &[]),
    ];
    keep(&*store, (1..=3).map(tenant).map(Change::InsertTenant)).await;
    keep(&*store, people.map(Change::InsertUser)).await;
    assert_refused(&*store, &[Change::RequireOwner(id(1))], is_last_owner).await;
    assert_refused(&*store, &[Change::RequireOwner(id(9))], is_last_owner).await;
    keep(&*store, [2, 3].map(id).map(Change::RequireOwner)).await;
    // Both of them have to be so.
    let both = [2, 1].map(id).map(Change::RequireOwner);
    assert_refused(&*store, &both, is_last_owner).await;

    let let_in = User { disabled: false, version: 2, ..shut_out.clone() };
    let let_in = Change::UpdateUser { was: (&shut_out).into(), user: let_in };
    keep(&*store, [let_in, Change::RequireOwner(id(1))]).await;
    keep(&*store, [Change::RequireOwner(id(1))]).await;
}

async fn an_owner_is_counted_after_all_else(store: Arc<dyn Store>) {
    let (ada, bob) = (with(1, &[(1, TenantRole::Owner)]), with(2, &[]));
    keep(&*store, [Change::InsertTenant(tenant(1))]).await;
    keep(&*store, [ada.clone(), bob.clone()].map(Change::InsertUser)).await;
    let leaves = User { memberships: Vec::new(), version: 2, ..ada.clone() };
    let leaves = Change::UpdateUser { was: (&ada).into(), user: leaves };
    let follows = User { version: 2, ..with(2, &[(1, TenantRole::Owner)]) };
    let follows = Change::UpdateUser { was: (&bob).into(), user: follows };
    let (hold, owned) = (Change::LockTenant { id: id(1), was: 1 }, Change::RequireOwner(id(1)));
    for changes in [
        vec![owned.clone(), hold.clone(), leaves.clone()],
        vec![hold.clone(), leaves.clone(), owned.clone()],
        vec![hold.clone(), Change::DeleteUser { id: id(1), was: (&ada).into() }, owned.clone()],
    ] {
        assert_refused(&*store, &changes, is_last_owner).await;
    }
    assert_eq!(user_of(&*store, 1).await, Some(ada));
    keep(&*store, [owned, hold, leaves, follows]).await;
    assert_eq!(user_of(&*store, 2).await.expect("there").memberships.len(), 1);
}

async fn a_live_subscription_is_in_the_way(store: Arc<dyn Store>) {
    let free = Change::RequireNoLiveSubscription(id(1));
    keep(&*store, [free.clone()]).await;
    for (n, status) in (1..).zip(TenantSubscriptionStatus::ALL) {
        let one = TenantSubscription { tenant_id: id(1), status: *status, ..subscription(n) };
        keep(&*store, [free.clone(), Change::InsertSubscription(one)]).await;
        if status.is_ended() {
            keep(&*store, [free.clone()]).await;
        } else {
            assert_refused(&*store, std::slice::from_ref(&free), is_stale).await;
            // Nobody else's, and not after it has ended.
            keep(&*store, [Change::RequireNoLiveSubscription(id(2))]).await;
            let end = Change::DeleteSubscription { id: id(n), was: 1 };
            assert_refused(&*store, &[free.clone(), end.clone()], is_stale).await;
            keep(&*store, [end, free.clone()]).await;
        }
    }
}

async fn the_youngest_tombstone_counts(store: Arc<dyn Store>) {
    for (deleted_at, youngest) in [(5, 5), (3, 5), (9, 9), (9, 9), (-1, 9)] {
        keep(&*store, [Change::InsertTombstone(tombstone(1, deleted_at))]).await;
        let read = store.tombstone(&user(1).identity).await.expect("read");
        assert_eq!(read, Some(tombstone(1, youngest)));
    }
    assert_eq!(store.tombstone(&user(2).identity).await.expect("read"), None);
}

async fn tombstones_are_lifted_as_they_were_read(store: Arc<dyn Store>) {
    let lift = |n, was: Option<i64>| Change::DeleteTombstones {
        identity: user(n).identity,
        was: was.map(time),
    };
    let mut elsewhere = tombstone(1, 7);
    elsewhere.identity.issuer = "https://other.example/".to_owned();
    let there = [tombstone(1, 5), tombstone(1, 9), tombstone(2, 6), elsewhere.clone()];
    keep(&*store, there.map(Change::InsertTombstone)).await;
    for wrong in [None, Some(5), Some(7), Some(10)] {
        assert_refused(&*store, &[lift(1, wrong)], is_stale).await;
    }
    assert_refused(&*store, &[lift(3, Some(5))], is_stale).await;
    keep(&*store, [lift(3, None)]).await;
    keep(&*store, [lift(1, Some(9)), Change::InsertUser(user(1))]).await;
    assert_eq!(store.tombstone(&user(1).identity).await.expect("read"), None);
    // All of them are gone, and nobody else's.
    keep(&*store, [lift(1, None)]).await;
    assert_refused(&*store, &[lift(1, Some(5))], is_stale).await;
    assert_eq!(store.tombstone(&user(2).identity).await.expect("read"), Some(tombstone(2, 6)));
    let other = store.tombstone(&elsewhere.identity).await.expect("read");
    assert_eq!(other, Some(elsewhere));
}

async fn a_user_is_deleted_with_its_memberships(store: Arc<dyn Store>) {
    let marked = User {
        groups_as_of: Some(time(4)),
        version: 3,
        ..with(1, &[(1, TenantRole::Owner), (2, TenantRole::Member)])
    };
    keep(&*store, [tenant(1), tenant(2)].map(Change::InsertTenant)).await;
    keep(&*store, [marked.clone(), with(2, &[(1, TenantRole::Member)])].map(Change::InsertUser))
        .await;
    let was = UserVersion::from(&marked);
    let gone = [Change::DeleteUser { id: id(1), was }, Change::InsertTombstone(tombstone(1, 5))];
    keep(&*store, gone.clone()).await;
    assert_eq!(user_of(&*store, 1).await, None);
    let counts = store.count_members(&[id(1), id(2)], &Default::default()).await.expect("counted");
    let count = |n| counts.get(&id(n)).copied().unwrap_or_default();
    assert_eq!((count(1), count(2)), (1, 0));
    assert_refused(&*store, &gone[..1], is_stale).await;
    // The identity is free again.
    let again = User { identity: marked.identity, ..user(7) };
    keep(&*store, [Change::InsertUser(again.clone())]).await;
    assert_eq!(user_of(&*store, 7).await, Some(again));
}
