//! Commit preconditions: an owner remains, no subscription is live, tombstones are unchanged.

use std::sync::Arc;

use tenantry::{
    domain::{
        change::{Change, UserVersion},
        subscription::{TenantSubscription, TenantSubscriptionStatus},
        user::{TenantRole, User},
    },
    store::{CommitError, Store},
};

use super::{assert_commit_fails, find_user, for_each_store, is_stale, must_commit};
use crate::support::entities::{id, membership, subscription, tenant, time, tombstone, user};

for_each_store!(
    require_owner_needs_an_enabled_owner,
    require_owner_is_checked_after_all_other_changes,
    live_subscription_violates_the_precondition,
    newest_tombstone_is_returned,
    tombstones_are_deleted_only_if_unchanged,
    user_deletion_removes_its_memberships,
);

fn is_owner_error(error: &CommitError) -> bool {
    matches!(error, CommitError::LastOwner)
}

fn user_with(n: u32, memberships: &[(u32, TenantRole)]) -> User {
    let membership_of = |(tenant, role): &(u32, TenantRole)| membership(*tenant, *role);
    User { memberships: memberships.iter().map(membership_of).collect(), ..user(n) }
}

async fn require_owner_needs_an_enabled_owner(store: Arc<dyn Store>) {
    let disabled_owner = User { disabled: true, ..user_with(1, &[(1, TenantRole::Owner)]) };
    let users = [
        disabled_owner.clone(),
        // These users own other tenants and have lesser roles in tenant 1.
        user_with(2, &[(2, TenantRole::Owner), (1, TenantRole::Admin)]),
        user_with(3, &[(1, TenantRole::Member), (3, TenantRole::Owner)]),
        user_with(4, &[]),
    ];
    must_commit(&*store, (1..=3).map(tenant).map(Change::InsertTenant)).await;
    must_commit(&*store, users.map(Change::InsertUser)).await;
    assert_commit_fails(&*store, &[Change::RequireOwner(id(1))], is_owner_error).await;
    assert_commit_fails(&*store, &[Change::RequireOwner(id(9))], is_owner_error).await;
    must_commit(&*store, [2, 3].map(id).map(Change::RequireOwner)).await;
    // Every required tenant must have an owner.
    let both = [2, 1].map(id).map(Change::RequireOwner);
    assert_commit_fails(&*store, &both, is_owner_error).await;

    let enabled = User { disabled: false, version: 2, ..disabled_owner.clone() };
    let enable = Change::UpdateUser { expected: (&disabled_owner).into(), user: enabled };
    must_commit(&*store, [enable, Change::RequireOwner(id(1))]).await;
    must_commit(&*store, [Change::RequireOwner(id(1))]).await;
}

async fn require_owner_is_checked_after_all_other_changes(store: Arc<dyn Store>) {
    let (ada, bob) = (user_with(1, &[(1, TenantRole::Owner)]), user_with(2, &[]));
    must_commit(&*store, [Change::InsertTenant(tenant(1))]).await;
    must_commit(&*store, [ada.clone(), bob.clone()].map(Change::InsertUser)).await;
    let without_membership = User { memberships: Vec::new(), version: 2, ..ada.clone() };
    let remove_owner = Change::UpdateUser { expected: (&ada).into(), user: without_membership };
    let new_owner = User { version: 2, ..user_with(2, &[(1, TenantRole::Owner)]) };
    let add_owner = Change::UpdateUser { expected: (&bob).into(), user: new_owner };
    let lock = Change::LockTenant { id: id(1), expected: 1 };
    let require_owner = Change::RequireOwner(id(1));
    for changes in [
        vec![require_owner.clone(), lock.clone(), remove_owner.clone()],
        vec![lock.clone(), remove_owner.clone(), require_owner.clone()],
        vec![
            lock.clone(),
            Change::DeleteUser { id: id(1), expected: (&ada).into() },
            require_owner.clone(),
        ],
    ] {
        assert_commit_fails(&*store, &changes, is_owner_error).await;
    }
    assert_eq!(find_user(&*store, 1).await, Some(ada));
    must_commit(&*store, [require_owner, lock, remove_owner, add_owner]).await;
    assert_eq!(find_user(&*store, 2).await.expect("present").memberships.len(), 1);
}

async fn live_subscription_violates_the_precondition(store: Arc<dyn Store>) {
    let precondition = Change::RequireNoLiveSubscription(id(1));
    must_commit(&*store, [precondition.clone()]).await;
    for (n, status) in (1..).zip(TenantSubscriptionStatus::ALL) {
        let subscription =
            TenantSubscription { tenant_id: id(1), status: *status, ..subscription(n) };
        must_commit(&*store, [precondition.clone(), Change::InsertSubscription(subscription)])
            .await;
        if status.is_ended() {
            must_commit(&*store, [precondition.clone()]).await;
        } else {
            assert_commit_fails(&*store, std::slice::from_ref(&precondition), is_stale).await;
            // Other tenants are not affected. The order of the changes matters: the precondition
            // holds once the subscription is deleted.
            must_commit(&*store, [Change::RequireNoLiveSubscription(id(2))]).await;
            let delete = Change::DeleteSubscription { id: id(n), expected: 1 };
            assert_commit_fails(&*store, &[precondition.clone(), delete.clone()], is_stale).await;
            must_commit(&*store, [delete, precondition.clone()]).await;
        }
    }
}

async fn newest_tombstone_is_returned(store: Arc<dyn Store>) {
    for (deleted_at, newest) in [(5, 5), (3, 5), (9, 9), (9, 9), (-1, 9)] {
        must_commit(&*store, [Change::InsertTombstone(tombstone(1, deleted_at))]).await;
        let stored = store.tombstone(&user(1).identity).await.expect("read succeeds");
        assert_eq!(stored, Some(tombstone(1, newest)));
    }
    assert_eq!(store.tombstone(&user(2).identity).await.expect("read succeeds"), None);
}

async fn tombstones_are_deleted_only_if_unchanged(store: Arc<dyn Store>) {
    let delete = |n, expected: Option<i64>| Change::DeleteTombstones {
        identity: user(n).identity,
        expected: expected.map(time),
    };
    let mut other_issuer = tombstone(1, 7);
    other_issuer.identity.issuer = "https://other.example/".to_owned();
    let initial = [tombstone(1, 5), tombstone(1, 9), tombstone(2, 6), other_issuer.clone()];
    must_commit(&*store, initial.map(Change::InsertTombstone)).await;
    for outdated in [None, Some(5), Some(7), Some(10)] {
        assert_commit_fails(&*store, &[delete(1, outdated)], is_stale).await;
    }
    assert_commit_fails(&*store, &[delete(3, Some(5))], is_stale).await;
    must_commit(&*store, [delete(3, None)]).await;
    must_commit(&*store, [delete(1, Some(9)), Change::InsertUser(user(1))]).await;
    assert_eq!(store.tombstone(&user(1).identity).await.expect("read succeeds"), None);
    // All tombstones of the identity are deleted. Those of other identities remain.
    must_commit(&*store, [delete(1, None)]).await;
    assert_commit_fails(&*store, &[delete(1, Some(5))], is_stale).await;
    assert_eq!(
        store.tombstone(&user(2).identity).await.expect("read succeeds"),
        Some(tombstone(2, 6))
    );
    let other = store.tombstone(&other_issuer.identity).await.expect("read succeeds");
    assert_eq!(other, Some(other_issuer));
}

async fn user_deletion_removes_its_memberships(store: Arc<dyn Store>) {
    let member = User {
        groups_as_of: Some(time(4)),
        version: 3,
        ..user_with(1, &[(1, TenantRole::Owner), (2, TenantRole::Member)])
    };
    must_commit(&*store, [tenant(1), tenant(2)].map(Change::InsertTenant)).await;
    must_commit(
        &*store,
        [member.clone(), user_with(2, &[(1, TenantRole::Member)])].map(Change::InsertUser),
    )
    .await;
    let expected = UserVersion::from(&member);
    let deletion =
        [Change::DeleteUser { id: id(1), expected }, Change::InsertTombstone(tombstone(1, 5))];
    must_commit(&*store, deletion.clone()).await;
    assert_eq!(find_user(&*store, 1).await, None);
    let counts =
        store.count_members(&[id(1), id(2)], &Default::default()).await.expect("count succeeds");
    let count = |n| counts.get(&id(n)).copied().unwrap_or_default();
    assert_eq!((count(1), count(2)), (1, 0));
    assert_commit_fails(&*store, &deletion[..1], is_stale).await;
    // The identity is available again.
    let recreated = User { identity: member.identity, ..user(7) };
    must_commit(&*store, [Change::InsertUser(recreated.clone())]).await;
    assert_eq!(find_user(&*store, 7).await, Some(recreated));
}
