//! Concurrent commits that change one tenant, or documents that depend on it.

use std::sync::Arc;

use tenantry::{
    domain::{
        change::{Change, UniqueField},
        list::MemberFilter,
        subscription::TenantSubscription,
        tenant::Tenant,
        user::{TenantRole, Tombstone, User},
    },
    store::{CommitError, Store, TenantKeys, UserKeys},
};

use super::{
    concurrency::{commit_concurrently, winner},
    find_tenant, find_user, for_each_store, is_stale, must_commit,
};
use crate::support::entities::{event, id, membership, subscription, tenant, time, user};

for_each_store!(
    concurrent_updates_of_one_version_have_one_winner,
    concurrent_tenant_locks_all_commit,
    concurrent_inserts_of_one_slug_have_one_winner,
    concurrent_updates_to_one_slug_have_one_winner,
    one_owner_remains_when_both_leave,
    users_cannot_join_a_deleted_tenant,
    concurrent_subscriptions_leave_one_live,
    plan_change_excludes_a_new_subscription,
    identity_has_either_a_user_or_a_tombstone,
);

/// The number of concurrent commits of which one succeeds.
const MANY: u32 = 64;
/// The number of concurrent commits that all succeed, one after the other.
const SOME: u32 = 24;

fn renamed(n: u32) -> Tenant {
    Tenant { name: format!("Name {n}"), version: 2, updated_at: time(n.into()), ..tenant(0) }
}

async fn concurrent_updates_of_one_version_have_one_winner(store: Arc<dyn Store>) {
    must_commit(&*store, [Change::InsertTenant(tenant(0))]).await;
    let update = |n| {
        vec![
            Change::UpdateTenant { expected: 1, tenant: renamed(n) },
            Change::InsertAuditEvent(event(n)),
        ]
    };
    let results = commit_concurrently(&store, (0..MANY).map(update)).await;
    let winner = winner(&results, is_stale);
    assert_eq!(find_tenant(&*store, 0).await, Some(renamed(winner)));
    let ids: Vec<_> = (0..MANY).map(id).collect();
    assert_eq!(store.audit_events(&ids).await.expect("read succeeds"), [Ok(event(winner))]);
}

/// Locks only delay each other. All of them commit, and the tenant is unchanged.
async fn concurrent_tenant_locks_all_commit(store: Arc<dyn Store>) {
    must_commit(&*store, [Change::InsertTenant(tenant(0))]).await;
    let lock =
        |n| vec![Change::LockTenant { id: id(0), expected: 1 }, Change::InsertAuditEvent(event(n))];
    for result in commit_concurrently(&store, (0..SOME).map(lock)).await {
        result.expect("commit succeeds");
    }
    assert_eq!(find_tenant(&*store, 0).await, Some(tenant(0)));
    let ids: Vec<_> = (0..SOME).map(id).collect();
    assert_eq!(store.audit_events(&ids).await.expect("read succeeds").len(), SOME as usize);
}

fn is_slug_conflict(error: &CommitError) -> bool {
    matches!(error, CommitError::Conflict(UniqueField::Slug))
}

fn with_contested_slug(n: u32) -> Tenant {
    Tenant { slug: "contested".to_owned(), ..tenant(n) }
}

async fn concurrent_inserts_of_one_slug_have_one_winner(store: Arc<dyn Store>) {
    let insert =
        |n| vec![Change::InsertTenant(with_contested_slug(n)), Change::InsertAuditEvent(event(n))];
    let results = commit_concurrently(&store, (0..MANY).map(insert)).await;
    let winner = winner(&results, is_slug_conflict);
    let tenants =
        store.tenants(TenantKeys::Slugs(&["contested".to_owned()])).await.expect("read succeeds");
    assert_eq!(tenants, [Ok(with_contested_slug(winner))]);
}

async fn concurrent_updates_to_one_slug_have_one_winner(store: Arc<dyn Store>) {
    must_commit(&*store, (0..MANY).map(tenant).map(Change::InsertTenant)).await;
    let updated = |n| Tenant { version: 2, ..with_contested_slug(n) };
    let update = |n| {
        vec![
            Change::UpdateTenant { expected: 1, tenant: updated(n) },
            Change::InsertAuditEvent(event(n)),
        ]
    };
    let results = commit_concurrently(&store, (0..MANY).map(update)).await;
    let winner = winner(&results, is_slug_conflict);
    let tenants =
        store.tenants(TenantKeys::Slugs(&["contested".to_owned()])).await.expect("read succeeds");
    assert_eq!(tenants, [Ok(updated(winner))]);
}

fn owner(n: u32, tenant: u32) -> User {
    User { memberships: vec![membership(tenant, TenantRole::Owner)], ..user(n) }
}

/// Returns an update of a member that also locks the tenant.
fn member_change(before: &User, after: User, tenant: u32) -> Vec<Change> {
    let expected = before.into();
    vec![
        Change::LockTenant { id: id(tenant), expected: 1 },
        Change::UpdateUser { expected, user: after },
    ]
}

async fn one_owner_remains_when_both_leave(store: Arc<dyn Store>) {
    for round in 0..20 {
        let (ada, bob) = (2 * round, 2 * round + 1);
        must_commit(&*store, [Change::InsertTenant(tenant(round))]).await;
        must_commit(&*store, [ada, bob].map(|n| Change::InsertUser(owner(n, round)))).await;
        let leave = |n| {
            let former = User { memberships: Vec::new(), version: 2, ..user(n) };
            let mut changes = member_change(&owner(n, round), former, round);
            changes.push(Change::RequireOwner(id(round)));
            changes
        };
        let results = commit_concurrently(&store, [ada, bob].map(leave).into_iter()).await;
        let leaver = winner(&results, |error| matches!(error, CommitError::LastOwner));
        let remaining = if leaver == 0 { bob } else { ada };
        assert_eq!(find_user(&*store, remaining).await, Some(owner(remaining, round)));
    }
}

async fn users_cannot_join_a_deleted_tenant(store: Arc<dyn Store>) {
    for round in 0..10 {
        must_commit(&*store, [Change::InsertTenant(tenant(round))]).await;
        let users = (0..6).map(|n| round * 6 + n);
        must_commit(&*store, users.clone().map(|n| Change::InsertUser(user(n)))).await;
        let join = |n| {
            let joined = User { version: 2, ..owner(n, round) };
            member_change(&user(n), joined, round)
        };
        let delete = vec![Change::DeleteTenant {
            id: id(round),
            expected: 1,
            at: time(50),
            watermark: time(60),
        }];
        let mut lists: Vec<_> = users.clone().map(join).collect();
        lists.insert(3, delete);
        let results = commit_concurrently(&store, lists.into_iter()).await;
        results[3].as_ref().expect("joins only delay the deletion");
        let errors = results.iter().filter_map(|one| one.as_ref().err());
        assert!(errors.clone().all(is_stale), "{:?}", errors.collect::<Vec<_>>());
        let ids: Vec<_> = users.map(id).collect();
        for (n, user) in
            store.users(UserKeys::Ids(&ids)).await.expect("read succeeds").iter().enumerate()
        {
            let user = user.as_ref().expect("readable");
            assert_eq!(user.memberships, [], "{n}");
        }
        assert_eq!(find_tenant(&*store, round).await, None);
        let counts = store.count_members(&[id(round)], &MemberFilter::default()).await;
        assert_eq!(counts.expect("count succeeds").values().sum::<u64>(), 0);
    }
}

async fn concurrent_subscriptions_leave_one_live(store: Arc<dyn Store>) {
    must_commit(&*store, [Change::InsertTenant(tenant(0))]).await;
    let insert = |n| {
        let subscription = TenantSubscription { tenant_id: id(0), ..subscription(n) };
        vec![
            Change::LockTenant { id: id(0), expected: 1 },
            Change::InsertSubscription(subscription),
        ]
    };
    let results = commit_concurrently(&store, (0..SOME).map(insert)).await;
    winner(&results, |error| matches!(error, CommitError::Conflict(UniqueField::LiveSubscription)));
}

/// A plan change that requires no live subscription and a new subscription exclude each other.
async fn plan_change_excludes_a_new_subscription(store: Arc<dyn Store>) {
    for round in 0..10 {
        must_commit(&*store, [Change::InsertTenant(tenant(round))]).await;
        let changed = Tenant { version: 2, ..tenant(round) };
        let change_plan = vec![
            Change::UpdateTenant { expected: 1, tenant: changed },
            Change::RequireNoLiveSubscription(id(round)),
        ];
        let subscribe = vec![
            Change::LockTenant { id: id(round), expected: 1 },
            Change::InsertSubscription(subscription(round)),
        ];
        let results = commit_concurrently(&store, [change_plan, subscribe].into_iter()).await;
        winner(&results, is_stale);
    }
}

/// Deletes and recreates the user of one identity concurrently. The identity always has exactly one
/// of a user and a tombstone.
async fn identity_has_either_a_user_or_a_tombstone(store: Arc<dyn Store>) {
    let identity = user(0).identity;
    must_commit(&*store, [Change::InsertUser(user(0))]).await;
    let create = |n: u32| {
        let (store, identity) = (Arc::clone(&store), identity.clone());
        async move {
            let expected =
                store.tombstone(&identity).await.expect("read succeeds").map(|t| t.deleted_at);
            let user = User { identity: identity.clone(), ..user(n) };
            let changes = [
                Change::DeleteTombstones { identity, expected },
                Change::InsertUser(user),
                Change::InsertAuditEvent(event(n)),
            ];
            store.commit(&changes).await
        }
    };
    let delete = |n: u32| {
        let (store, identity) = (Arc::clone(&store), identity.clone());
        async move {
            let mut users =
                store.users(UserKeys::Identity(&identity)).await.expect("read succeeds");
            let Some(user) = users.pop() else { return Err(CommitError::Stale) };
            let user = user.expect("readable");
            let tombstone = Tombstone { identity, deleted_at: time(n.into()) };
            let changes = [
                Change::DeleteUser { id: user.id, expected: (&user).into() },
                Change::InsertTombstone(tombstone),
                Change::InsertAuditEvent(event(n)),
            ];
            store.commit(&changes).await
        }
    };
    for round in 0..8_u32 {
        let mut tasks = Vec::new();
        for n in (100 * round + 1..).take(8) {
            tasks.push(tokio::spawn(create(n)));
            tasks.push(tokio::spawn(delete(n + 50)));
        }
        for task in tasks {
            match task.await.expect("task completes") {
                Ok(()) | Err(CommitError::Stale | CommitError::Conflict(UniqueField::Subject)) => {}
                Err(other) => panic!("{other}"),
            }
        }
        let users = store.users(UserKeys::Identity(&identity)).await.expect("read succeeds").len();
        let has_tombstone = store.tombstone(&identity).await.expect("read succeeds").is_some();
        assert_eq!(users == 1, !has_tombstone, "round {round}: {users} {has_tombstone}");
    }
}
