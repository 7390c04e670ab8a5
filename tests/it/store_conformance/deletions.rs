//! Deletion of tenants with their subscriptions and memberships.

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

use super::{
    assert_commit_fails, find_tenant, find_user, for_each_store, is_stale, must_commit,
    readable_sorted,
};
use crate::support::{
    entities::{event, id, membership, some, subscription, tenant, time, user},
    mongod::FreshDatabase,
};

for_each_store!(
    tenant_deletion_removes_subscriptions_and_memberships,
    unique_values_of_a_deleted_tenant_are_free,
    former_members_get_new_version_and_watermark,
);

/// Expands each case as [`for_each_store`] does, and also passes the MongoDB server for bulk
/// inserts.
macro_rules! for_each_store_with_server {
    ($($case:ident),+ $(,)?) => { $(
        mod $case {
            use crate::{store_conformance::{sqlite_file_store, sqlite_memory_store}, support::mongod::FreshDatabase};

            #[tokio::test]
            async fn sqlite_file() {
                let (_directory, store) = sqlite_file_store().await;
                super::$case(store, None).await;
            }

            #[tokio::test]
            async fn sqlite_memory() {
                super::$case(sqlite_memory_store().await, None).await;
            }

            #[tokio::test]
            async fn mongodb() {
                let fresh = FreshDatabase::new().await;
                let store = std::sync::Arc::new(fresh.prepared().await);
                super::$case(store, Some(fresh)).await;
            }
        }
    )+ };
}

for_each_store_with_server!(
    deletion_handles_members_at_batch_limits,
    deletion_handles_fifty_thousand_members,
    concurrent_cleanups_share_one_deletion,
);

/// Stores users. On MongoDB it writes them directly to the database, in bulk.
async fn insert_users(
    store: &dyn Store,
    server: Option<&FreshDatabase>,
    users: impl Iterator<Item = User>,
) {
    match server {
        None => must_commit(store, users.map(Change::InsertUser)).await,
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

fn delete(n: u32, expected: i32) -> Change {
    Change::DeleteTenant { id: id(n), expected, at: time(50), watermark: time(60) }
}

/// Returns the n-th user as a member of these tenants.
fn member(n: u32, tenants: &[u32]) -> User {
    let memberships = tenants.iter().map(|t| membership(*t, TenantRole::Member)).collect();
    User { memberships, ..user(n) }
}

/// Returns the n-th user as the deletion of a tenant must leave it, with the remaining tenants.
fn former_member(n: u32, tenants: &[u32]) -> User {
    let groups_as_of = Some(time(60));
    User { version: 2, updated_at: time(50), groups_as_of, ..member(n, tenants) }
}

async fn tenant_deletion_removes_subscriptions_and_memberships(store: Arc<dyn Store>) {
    must_commit(&*store, [1, 2].map(tenant).map(Change::InsertTenant)).await;
    let ended = (3..40).map(|n| TenantSubscription {
        tenant_id: id(1),
        status: TenantSubscriptionStatus::Canceled,
        ..subscription(n)
    });
    let all = [1, 2].map(subscription).into_iter().chain(ended);
    must_commit(&*store, all.map(Change::InsertSubscription)).await;
    must_commit(&*store, [member(1, &[1, 2]), member(2, &[2])].map(Change::InsertUser)).await;
    for expected in [0, 2] {
        assert_commit_fails(&*store, &[delete(1, expected)], is_stale).await;
    }
    must_commit(&*store, [delete(1, 1), Change::InsertAuditEvent(event(1))]).await;
    assert_eq!(
        store.finish_deletions().await.expect("cleanup succeeds"),
        0,
        "the commit already finished the deletion"
    );
    assert_eq!(find_tenant(&*store, 1).await, None);
    let ids: Vec<_> = (1..40).map(id).collect();
    let remaining = store.subscriptions(SubscriptionKeys::Ids(&ids)).await.expect("read succeeds");
    assert_eq!(remaining, [Ok(subscription(2))]);
    assert_eq!(find_user(&*store, 1).await, Some(former_member(1, &[2])));
    assert_eq!(find_user(&*store, 2).await, Some(member(2, &[2])), "other users are unchanged");
    assert_commit_fails(&*store, &[delete(1, 1)], is_stale).await;
}

async fn unique_values_of_a_deleted_tenant_are_free(store: Arc<dyn Store>) {
    let integrations = TenantIntegrations { authentik_group: some("g"), ..Default::default() };
    let with_values = |n| Tenant {
        slug: "slug".to_owned(),
        domains: vec!["a.example".to_owned()],
        integrations: Some(integrations.clone()),
        ..tenant(n)
    };
    must_commit(&*store, [Change::InsertTenant(with_values(1))]).await;
    must_commit(&*store, [delete(1, 1), Change::InsertTenant(with_values(2))]).await;
    assert_eq!(find_tenant(&*store, 2).await, Some(with_values(2)));
}

/// The deletion advances the version, the watermark and `updated_at` of every former member.
async fn former_members_get_new_version_and_watermark(store: Arc<dyn Store>) {
    must_commit(&*store, [1, 2, 3].map(tenant).map(Change::InsertTenant)).await;
    let member_with = |n, groups_as_of, version| User {
        groups_as_of,
        version,
        last_seen_at: Some(time(3)),
        ..member(n, &[2, 1, 3])
    };
    let members = [
        member_with(1, None, 1),
        member_with(2, Some(time(59)), 7),
        member_with(3, Some(time(60)), 8),
        member_with(4, Some(time(61)), 9),
    ];
    must_commit(&*store, members.clone().map(Change::InsertUser)).await;
    must_commit(&*store, [delete(1, 1)]).await;
    for (n, before) in (1..).zip(members) {
        let expected = User {
            memberships: member(n, &[2, 3]).memberships,
            groups_as_of: before.groups_as_of.max(Some(time(60))),
            version: before.version + 1,
            updated_at: time(50),
            ..before
        };
        assert_eq!(find_user(&*store, n).await, Some(expected));
    }
}

/// Creates two tenants. All users are members of the first, and each third also of the second.
async fn fill(store: &dyn Store, server: Option<&FreshDatabase>, members: u32) {
    must_commit(store, [1, 2].map(tenant).map(Change::InsertTenant)).await;
    insert_users(store, server, (0..members).map(|n| member(n, tenants_of(n)))).await;
}

fn tenants_of(n: u32) -> &'static [u32] {
    if n.is_multiple_of(3) { &[1, 2] } else { &[1] }
}

/// Asserts that the users lost their membership of the first tenant only, and exactly once.
async fn assert_former_members(store: &dyn Store, members: u32) {
    let ids: Vec<_> = (0..members).map(id).collect();
    for (start, chunk) in (0_u32..).step_by(5_000).zip(ids.chunks(5_000)) {
        let users = store.users(UserKeys::Ids(chunk)).await.expect("read succeeds");
        for (n, user) in (start..).zip(readable_sorted(users, |user| user.id)) {
            let remaining: &[u32] = if n.is_multiple_of(3) { &[2] } else { &[] };
            assert_eq!(user, former_member(n, remaining));
        }
    }
    let tenants = [id(2)];
    let counts =
        store.count_members(&tenants, &MemberFilter::default()).await.expect("count succeeds");
    assert_eq!(counts[&id(2)], u64::from(members.div_ceil(3)));
}

/// Covers member counts just below and above the limit of one transaction and of one cleanup batch.
async fn deletion_handles_members_at_batch_limits(
    store: Arc<dyn Store>,
    server: Option<FreshDatabase>,
) {
    for (n, members) in (10..).zip([1_000, 1_001, 2_000, 2_001]) {
        must_commit(&*store, [Change::InsertTenant(tenant(n))]).await;
        let users = (0..members).map(|m| member(n * 10_000 + m, &[n]));
        insert_users(&*store, server.as_ref(), users).await;
        must_commit(&*store, [delete(n, 1), Change::InsertAuditEvent(event(n))]).await;
        assert_eq!(find_tenant(&*store, n).await, None);
        store.finish_deletions().await.expect("cleanup succeeds");
        let ids: Vec<_> = (0..members).map(|m| id(n * 10_000 + m)).collect();
        let stored = store.users(UserKeys::Ids(&ids)).await.expect("read succeeds");
        let users = readable_sorted(stored, |user| user.id);
        assert_eq!(users.len(), members as usize);
        assert!(users.iter().all(|user| user.memberships.is_empty() && user.version == 2));
        assert_eq!(
            store.finish_deletions().await.expect("cleanup succeeds"),
            0,
            "nothing is left to finish"
        );
    }
}

async fn deletion_handles_fifty_thousand_members(
    store: Arc<dyn Store>,
    server: Option<FreshDatabase>,
) {
    const MEMBERS: u32 = 50_000;
    fill(&*store, server.as_ref(), MEMBERS).await;
    must_commit(&*store, [delete(1, 1), Change::InsertAuditEvent(event(1))]).await;
    assert_eq!(find_tenant(&*store, 1).await, None);
    let removed = store.finish_deletions().await.expect("cleanup succeeds");
    assert!(removed == 0 || removed == u64::from(MEMBERS), "{removed}");
    assert_former_members(&*store, MEMBERS).await;
    assert_eq!(store.finish_deletions().await.expect("cleanup succeeds"), 0);
}

async fn concurrent_cleanups_share_one_deletion(
    store: Arc<dyn Store>,
    server: Option<FreshDatabase>,
) {
    const MEMBERS: u32 = 3_500;
    fill(&*store, server.as_ref(), MEMBERS).await;
    must_commit(&*store, [delete(1, 1), Change::InsertAuditEvent(event(1))]).await;
    let finish = || {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.finish_deletions().await.expect("cleanup succeeds") })
    };
    let tasks: Vec<_> = (0..6).map(|_| finish()).collect();
    let mut removed = 0;
    for task in tasks {
        removed += task.await.expect("task completes");
    }
    // The versions prove that only one of them removed each membership.
    assert!(removed == 0 || removed == u64::from(MEMBERS), "{removed}");
    assert_former_members(&*store, MEMBERS).await;
}
