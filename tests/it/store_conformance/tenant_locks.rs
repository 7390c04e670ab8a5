//! Many who change one tenant, or what depends on it, at the same time.

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
    concurrency::{at_once, winner},
    for_every_store, is_stale, keep, tenant_of, user_of,
};
use crate::support::entities::{event, id, membership, subscription, tenant, time, user};

for_every_store!(
    one_version_is_changed_once,
    who_holds_waits_for_nobody_to_lose,
    one_slug_is_inserted_once,
    one_slug_is_taken_by_one_update,
    one_of_two_owners_stays,
    nobody_joins_what_is_gone,
    one_subscription_is_live,
    a_plan_and_its_subscription_agree,
    a_tombstone_or_a_user,
);

const MANY: u32 = 64;
/// Those who get through one after the other.
const SOME: u32 = 24;

fn renamed(n: u32) -> Tenant {
    Tenant { name: format!("Name {n}"), version: 2, updated_at: time(n.into()), ..tenant(0) }
}

async fn one_version_is_changed_once(store: Arc<dyn Store>) {
    keep(&*store, [Change::InsertTenant(tenant(0))]).await;
    let update = |n| {
        vec![
            Change::UpdateTenant { was: 1, tenant: renamed(n) },
            Change::InsertAuditEvent(event(n)),
        ]
    };
    let done = at_once(&store, (0..MANY).map(update)).await;
    let winner = winner(&done, is_stale);
    assert_eq!(tenant_of(&*store, 0).await, Some(renamed(winner)));
    let ids: Vec<_> = (0..MANY).map(id).collect();
    assert_eq!(store.audit_events(&ids).await.expect("read"), [Ok(event(winner))]);
}

/// Holding is in nobody's way for good: all of them get through, and nothing has changed.
async fn who_holds_waits_for_nobody_to_lose(store: Arc<dyn Store>) {
    keep(&*store, [Change::InsertTenant(tenant(0))]).await;
    let hold =
        |n| vec![Change::LockTenant { id: id(0), was: 1 }, Change::InsertAuditEvent(event(n))];
    for done in at_once(&store, (0..SOME).map(hold)).await {
        done.expect("committed");
    }
    assert_eq!(tenant_of(&*store, 0).await, Some(tenant(0)));
    let ids: Vec<_> = (0..SOME).map(id).collect();
    assert_eq!(store.audit_events(&ids).await.expect("read").len(), SOME as usize);
}

fn is_slug(refused: &CommitError) -> bool {
    matches!(refused, CommitError::Conflict(UniqueField::Slug))
}

fn of_slug(n: u32) -> Tenant {
    Tenant { slug: "wanted".to_owned(), ..tenant(n) }
}

async fn one_slug_is_inserted_once(store: Arc<dyn Store>) {
    let insert = |n| vec![Change::InsertTenant(of_slug(n)), Change::InsertAuditEvent(event(n))];
    let done = at_once(&store, (0..MANY).map(insert)).await;
    let winner = winner(&done, is_slug);
    let found = store.tenants(TenantKeys::Slugs(&["wanted".to_owned()])).await.expect("read");
    assert_eq!(found, [Ok(of_slug(winner))]);
}

async fn one_slug_is_taken_by_one_update(store: Arc<dyn Store>) {
    keep(&*store, (0..MANY).map(tenant).map(Change::InsertTenant)).await;
    let taken = |n| Tenant { version: 2, ..of_slug(n) };
    let update = |n| {
        vec![Change::UpdateTenant { was: 1, tenant: taken(n) }, Change::InsertAuditEvent(event(n))]
    };
    let done = at_once(&store, (0..MANY).map(update)).await;
    let winner = winner(&done, is_slug);
    let found = store.tenants(TenantKeys::Slugs(&["wanted".to_owned()])).await.expect("read");
    assert_eq!(found, [Ok(taken(winner))]);
}

fn owner(n: u32, of: u32) -> User {
    User { memberships: vec![membership(of, TenantRole::Owner)], ..user(n) }
}

/// A change of a member of a tenant that is held.
fn member_change(before: &User, after: User, tenant: u32) -> Vec<Change> {
    let was = before.into();
    vec![Change::LockTenant { id: id(tenant), was: 1 }, Change::UpdateUser { was, user: after }]
}

async fn one_of_two_owners_stays(store: Arc<dyn Store>) {
    for round in 0..20 {
        let (ada, bob) = (2 * round, 2 * round + 1);
        keep(&*store, [Change::InsertTenant(tenant(round))]).await;
        keep(&*store, [ada, bob].map(|n| Change::InsertUser(owner(n, round)))).await;
        let leave = |n| {
            let gone = User { memberships: Vec::new(), version: 2, ..user(n) };
            let mut changes = member_change(&owner(n, round), gone, round);
            changes.push(Change::RequireOwner(id(round)));
            changes
        };
        let done = at_once(&store, [ada, bob].map(leave).into_iter()).await;
        let left = winner(&done, |refused| matches!(refused, CommitError::LastOwner));
        let stays = if left == 0 { bob } else { ada };
        assert_eq!(user_of(&*store, stays).await, Some(owner(stays, round)));
    }
}

async fn nobody_joins_what_is_gone(store: Arc<dyn Store>) {
    for round in 0..10 {
        keep(&*store, [Change::InsertTenant(tenant(round))]).await;
        let people = (0..6).map(|n| round * 6 + n);
        keep(&*store, people.clone().map(|n| Change::InsertUser(user(n)))).await;
        let join = |n| {
            let joined = User { version: 2, ..owner(n, round) };
            member_change(&user(n), joined, round)
        };
        let end =
            vec![Change::DeleteTenant { id: id(round), was: 1, at: time(50), watermark: time(60) }];
        let mut lists: Vec<_> = people.clone().map(join).collect();
        lists.insert(3, end);
        let done = at_once(&store, lists.into_iter()).await;
        done[3].as_ref().expect("nobody who joins is in its way for good");
        let refused = done.iter().filter_map(|one| one.as_ref().err());
        assert!(refused.clone().all(is_stale), "{:?}", refused.collect::<Vec<_>>());
        let ids: Vec<_> = people.map(id).collect();
        for (n, user) in store.users(UserKeys::Ids(&ids)).await.expect("read").iter().enumerate() {
            let user = user.as_ref().expect("readable");
            assert_eq!(user.memberships, [], "{n}");
        }
        assert_eq!(tenant_of(&*store, round).await, None);
        let counts = store.count_members(&[id(round)], &MemberFilter::default()).await;
        assert_eq!(counts.expect("counted").values().sum::<u64>(), 0);
    }
}

async fn one_subscription_is_live(store: Arc<dyn Store>) {
    keep(&*store, [Change::InsertTenant(tenant(0))]).await;
    let insert = |n| {
        let one = TenantSubscription { tenant_id: id(0), ..subscription(n) };
        vec![Change::LockTenant { id: id(0), was: 1 }, Change::InsertSubscription(one)]
    };
    let done = at_once(&store, (0..SOME).map(insert)).await;
    winner(&done, |refused| {
        matches!(refused, CommitError::Conflict(UniqueField::LiveSubscription))
    });
}

/// A new plan where nothing is live, and a new subscription: the one holds off the other.
async fn a_plan_and_its_subscription_agree(store: Arc<dyn Store>) {
    for round in 0..10 {
        keep(&*store, [Change::InsertTenant(tenant(round))]).await;
        let changed = Tenant { version: 2, ..tenant(round) };
        let plan = vec![
            Change::UpdateTenant { was: 1, tenant: changed },
            Change::RequireNoLiveSubscription(id(round)),
        ];
        let new = vec![
            Change::LockTenant { id: id(round), was: 1 },
            Change::InsertSubscription(subscription(round)),
        ];
        let done = at_once(&store, [plan, new].into_iter()).await;
        winner(&done, is_stale);
    }
}

/// Deletions and new beginnings of one identity: never a user whose tombstone is still there, and
/// never neither.
async fn a_tombstone_or_a_user(store: Arc<dyn Store>) {
    let identity = user(0).identity;
    keep(&*store, [Change::InsertUser(user(0))]).await;
    let begin = |n: u32| {
        let (store, identity) = (Arc::clone(&store), identity.clone());
        async move {
            let was = store.tombstone(&identity).await.expect("read").map(|t| t.deleted_at);
            let made = User { identity: identity.clone(), ..user(n) };
            let changes = [
                Change::DeleteTombstones { identity, was },
                Change::InsertUser(made),
                Change::InsertAuditEvent(event(n)),
            ];
            store.commit(&changes).await
        }
    };
    let end = |n: u32| {
        let (store, identity) = (Arc::clone(&store), identity.clone());
        async move {
            let mut found = store.users(UserKeys::Identity(&identity)).await.expect("read");
            let Some(found) = found.pop() else { return Err(CommitError::Stale) };
            let there = found.expect("readable");
            let tombstone = Tombstone { identity, deleted_at: time(n.into()) };
            let changes = [
                Change::DeleteUser { id: there.id, was: (&there).into() },
                Change::InsertTombstone(tombstone),
                Change::InsertAuditEvent(event(n)),
            ];
            store.commit(&changes).await
        }
    };
    for round in 0..8_u32 {
        let mut running = Vec::new();
        for n in (100 * round + 1..).take(8) {
            running.push(tokio::spawn(begin(n)));
            running.push(tokio::spawn(end(n + 50)));
        }
        for one in running {
            match one.await.expect("an answer") {
                Ok(()) | Err(CommitError::Stale | CommitError::Conflict(UniqueField::Subject)) => {}
                Err(other) => panic!("{other}"),
            }
        }
        let there = store.users(UserKeys::Identity(&identity)).await.expect("read").len();
        let tombstone = store.tombstone(&identity).await.expect("read").is_some();
        assert_eq!(there == 1, !tombstone, "round {round}: {there} {tombstone}");
    }
}
