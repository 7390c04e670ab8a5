//! Tenants that end, with all that is theirs.

use std::sync::Arc;

use mongodb::bson::{DateTime, Document, doc, oid};
use tenantry::{
    domain::{
        change::Change,
        id::ObjectId,
        list::MemberFilter,
        subscription::{TenantSubscription, TenantSubscriptionStatus},
        tenant::{Tenant, TenantIntegrations},
        time::Timestamp,
        user::{TenantRole, User},
    },
    store::{Store, SubscriptionKeys, UserKeys},
};

use super::{assert_refused, for_every_store, is_stale, keep, readable, tenant_of, user_of};
use crate::support::{
    entities::{event, id, membership, some, subscription, tenant, time, user},
    mongod::Fresh,
};

for_every_store!(
    all_that_is_a_tenants_goes_with_it,
    its_values_are_free_again,
    a_former_member_has_changed,
);

/// As [`for_every_store`], with a quick way to have many users.
macro_rules! for_every_filled_store {
    ($($case:ident),+ $(,)?) => { $(
        mod $case {
            use crate::{store_conformance::{in_file, in_memory}, support::mongod::Fresh};

            #[tokio::test]
            async fn sqlite_file() {
                let (_folder, store) = in_file().await;
                super::$case(store, None).await;
            }

            #[tokio::test]
            async fn sqlite_memory() {
                super::$case(in_memory().await, None).await;
            }

            #[tokio::test]
            async fn mongodb() {
                let fresh = Fresh::new().await;
                let store = std::sync::Arc::new(fresh.prepared().await);
                super::$case(store, Some(fresh)).await;
            }
        }
    )+ };
}

for_every_filled_store!(
    with_many_members,
    with_fifty_thousand_members,
    several_finish_one_deletion,
);

/// Stores users: MongoDB's as another program would, all at once.
async fn insert_all(store: &dyn Store, server: Option<&Fresh>, users: impl Iterator<Item = User>) {
    match server {
        None => keep(store, users.map(Change::InsertUser)).await,
        Some(server) => server.insert("users", users.map(document).collect()).await,
    }
}

fn document(user: User) -> Document {
    let oid = |id: ObjectId| oid::ObjectId::from_bytes(id.0);
    let date = |at: Timestamp| DateTime::from_millis(at.millis());
    let memberships: Vec<Document> = user
        .memberships
        .iter()
        .map(|m| {
            doc! {
                "tenantId": oid(m.tenant_id.raw), "role": m.role.as_str(),
                "source": m.source.as_str(), "since": date(m.since),
            }
        })
        .collect();
    doc! {
        "_id": oid(user.id.raw), "subject": user.identity.subject, "issuer": user.identity.issuer,
        "name": user.name, "memberships": memberships, "version": user.version,
        "createdAt": date(user.created_at), "updatedAt": date(user.updated_at),
    }
}

fn delete(n: u32, was: i32) -> Change {
    Change::DeleteTenant { id: id(n), was, at: time(50), watermark: time(60) }
}

/// The n-th user as a member of these tenants.
fn member(n: u32, tenants: &[u32]) -> User {
    let memberships = tenants.iter().map(|t| membership(*t, TenantRole::Member)).collect();
    User { memberships, ..user(n) }
}

/// What a deletion of the tenant makes of a member of the first version.
fn former(n: u32, tenants: &[u32]) -> User {
    let groups_as_of = Some(time(60));
    User { version: 2, updated_at: time(50), groups_as_of, ..member(n, tenants) }
}

async fn all_that_is_a_tenants_goes_with_it(store: Arc<dyn Store>) {
    keep(&*store, [1, 2].map(tenant).map(Change::InsertTenant)).await;
    let over = (3..40).map(|n| TenantSubscription {
        tenant_id: id(1),
        status: TenantSubscriptionStatus::Canceled,
        ..subscription(n)
    });
    let all = [1, 2].map(subscription).into_iter().chain(over);
    keep(&*store, all.map(Change::InsertSubscription)).await;
    keep(&*store, [member(1, &[1, 2]), member(2, &[2])].map(Change::InsertUser)).await;
    for was in [0, 2] {
        assert_refused(&*store, &[delete(1, was)], is_stale).await;
    }
    keep(&*store, [delete(1, 1), Change::InsertAuditEvent(event(1))]).await;
    assert_eq!(store.finish_deletions().await.expect("done"), 0, "nothing was left");
    assert_eq!(tenant_of(&*store, 1).await, None);
    let ids: Vec<_> = (1..40).map(id).collect();
    let left = store.subscriptions(SubscriptionKeys::Ids(&ids)).await.expect("read");
    assert_eq!(left, [Ok(subscription(2))]);
    assert_eq!(user_of(&*store, 1).await, Some(former(1, &[2])));
    assert_eq!(user_of(&*store, 2).await, Some(member(2, &[2])), "nobody else");
    assert_refused(&*store, &[delete(1, 1)], is_stale).await;
}

async fn its_values_are_free_again(store: Arc<dyn Store>) {
    let integrations = TenantIntegrations { authentik_group: some("g"), ..Default::default() };
    let all = |n| Tenant {
        slug: "slug".to_owned(),
        domains: vec!["a.example".to_owned()],
        integrations: Some(integrations.clone()),
        ..tenant(n)
    };
    keep(&*store, [Change::InsertTenant(all(1))]).await;
    keep(&*store, [delete(1, 1), Change::InsertTenant(all(2))]).await;
    assert_eq!(tenant_of(&*store, 2).await, Some(all(2)));
}

/// Version, watermark and time, whatever they were.
async fn a_former_member_has_changed(store: Arc<dyn Store>) {
    keep(&*store, [1, 2, 3].map(tenant).map(Change::InsertTenant)).await;
    let marked = |n, groups_as_of, version| User {
        groups_as_of,
        version,
        last_seen_at: Some(time(3)),
        ..member(n, &[2, 1, 3])
    };
    let people = [
        marked(1, None, 1),
        marked(2, Some(time(59)), 7),
        marked(3, Some(time(60)), 8),
        marked(4, Some(time(61)), 9),
    ];
    keep(&*store, people.clone().map(Change::InsertUser)).await;
    keep(&*store, [delete(1, 1)]).await;
    for (n, was) in (1..).zip(people) {
        let expected = User {
            memberships: member(n, &[2, 3]).memberships,
            groups_as_of: was.groups_as_of.max(Some(time(60))),
            version: was.version + 1,
            updated_at: time(50),
            ..was
        };
        assert_eq!(user_of(&*store, n).await, Some(expected));
    }
}

/// Makes the first tenant, with that many members. Each third is also one of the second.
async fn fill(store: &dyn Store, server: Option<&Fresh>, members: u32) {
    keep(store, [1, 2].map(tenant).map(Change::InsertTenant)).await;
    insert_all(store, server, (0..members).map(|n| member(n, tenants_of(n)))).await;
}

fn tenants_of(n: u32) -> &'static [u32] {
    if n.is_multiple_of(3) { &[1, 2] } else { &[1] }
}

async fn assert_former(store: &dyn Store, members: u32) {
    let ids: Vec<_> = (0..members).map(id).collect();
    for (from, some) in (0_u32..).step_by(5_000).zip(ids.chunks(5_000)) {
        let found = store.users(UserKeys::Ids(some)).await.expect("read");
        for (n, user) in (from..).zip(readable(found, |user| user.id)) {
            let left: &[u32] = if n.is_multiple_of(3) { &[2] } else { &[] };
            assert_eq!(user, former(n, left));
        }
    }
    let tenants = [id(2)];
    let counts = store.count_members(&tenants, &MemberFilter::default()).await.expect("counted");
    assert_eq!(counts[&id(2)], u64::from(members.div_ceil(3)));
}

/// On both sides of what one transaction takes, and of what one batch takes after it.
async fn with_many_members(store: Arc<dyn Store>, server: Option<Fresh>) {
    for (n, members) in (10..).zip([1_000, 1_001, 2_000, 2_001]) {
        keep(&*store, [Change::InsertTenant(tenant(n))]).await;
        let users = (0..members).map(|m| member(n * 10_000 + m, &[n]));
        insert_all(&*store, server.as_ref(), users).await;
        keep(&*store, [delete(n, 1), Change::InsertAuditEvent(event(n))]).await;
        assert_eq!(tenant_of(&*store, n).await, None);
        store.finish_deletions().await.expect("done");
        let ids: Vec<_> = (0..members).map(|m| id(n * 10_000 + m)).collect();
        let found = readable(store.users(UserKeys::Ids(&ids)).await.expect("read"), |user| user.id);
        assert_eq!(found.len(), members as usize);
        assert!(found.iter().all(|user| user.memberships.is_empty() && user.version == 2));
        assert_eq!(store.finish_deletions().await.expect("done"), 0, "once");
    }
}

async fn with_fifty_thousand_members(store: Arc<dyn Store>, server: Option<Fresh>) {
    const MEMBERS: u32 = 50_000;
    fill(&*store, server.as_ref(), MEMBERS).await;
    keep(&*store, [delete(1, 1), Change::InsertAuditEvent(event(1))]).await;
    assert_eq!(tenant_of(&*store, 1).await, None);
    let ended = store.finish_deletions().await.expect("done");
    assert!(ended == 0 || ended == u64::from(MEMBERS), "{ended}");
    assert_former(&*store, MEMBERS).await;
    assert_eq!(store.finish_deletions().await.expect("done"), 0);
}

async fn several_finish_one_deletion(store: Arc<dyn Store>, server: Option<Fresh>) {
    const MEMBERS: u32 = 3_500;
    fill(&*store, server.as_ref(), MEMBERS).await;
    keep(&*store, [delete(1, 1), Change::InsertAuditEvent(event(1))]).await;
    let finish = || {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.finish_deletions().await.expect("done") })
    };
    let running: Vec<_> = (0..6).map(|_| finish()).collect();
    let mut ended = 0;
    for one in running {
        ended += one.await.expect("an answer");
    }
    // Each membership by one of them only: the versions tell.
    assert!(ended == 0 || ended == u64::from(MEMBERS), "{ended}");
    assert_former(&*store, MEMBERS).await;
}
