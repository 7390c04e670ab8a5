//! Reads by key.

use std::sync::Arc;

use tenantry::{
    domain::{
        change::Change,
        subscription::{TenantSubscription, TenantSubscriptionStatus},
        tenant::{Tenant, TenantIntegrations},
        user::{Identity, TenantRole},
    },
    store::{Store, SubscriptionKeys, TenantKeys, UserKeys},
};

use super::{for_every_store, keep, readable};
use crate::support::{
    entities::{event, id, membership, some, subscription, tenant, user},
    mongod::ISSUER,
};

for_every_store!(
    tenants_by_identifier,
    tenants_by_slug,
    tenants_by_slug_or_group,
    users_by_identifier,
    users_by_identity,
    subscriptions_by_identifier,
    live_subscriptions_of_tenants,
    events_by_identifier,
    nobody_was_deleted,
    ten_thousand_keys,
    ten_thousand_memberships,
);

fn slugs(slugs: &[&str]) -> Vec<String> {
    slugs.iter().map(|slug| (*slug).to_owned()).collect()
}

async fn tenants(store: &dyn Store, keys: TenantKeys<'_>) -> Vec<Tenant> {
    readable(store.tenants(keys).await.expect("read"), |tenant| tenant.id)
}

async fn subscriptions(store: &dyn Store, keys: SubscriptionKeys<'_>) -> Vec<TenantSubscription> {
    readable(store.subscriptions(keys).await.expect("read"), |subscription| subscription.id)
}

fn in_group(n: u32, group: &str) -> Tenant {
    let integrations = TenantIntegrations { authentik_group: some(group), ..Default::default() };
    Tenant { integrations: Some(integrations), ..tenant(n) }
}

async fn tenants_by_identifier(store: Arc<dyn Store>) {
    keep(&*store, (1..=3).map(tenant).map(Change::InsertTenant)).await;
    let keys = [id(3), id(99), id(1), id(3)];
    assert_eq!(tenants(&*store, TenantKeys::Ids(&keys)).await, [tenant(1), tenant(3)]);
    assert_eq!(tenants(&*store, TenantKeys::Ids(&[id(2)])).await, [tenant(2)]);
    assert_eq!(tenants(&*store, TenantKeys::Ids(&[id(99)])).await, []);
    assert_eq!(tenants(&*store, TenantKeys::Ids(&[])).await, []);
}

async fn tenants_by_slug(store: Arc<dyn Store>) {
    keep(&*store, (1..=3).map(tenant).map(Change::InsertTenant)).await;
    for (keys, expected) in [
        (vec!["tenant-0003", "nobody", "tenant-0001", "tenant-0003"], vec![tenant(1), tenant(3)]),
        (vec!["tenant-0002"], vec![tenant(2)]),
        // Exactly as it is: neither another case, nor a part, nor a pattern.
        (vec!["TENANT-0001", "tenant", "tenant-000_", "%", "", ".*"], vec![]),
        (vec![], vec![]),
    ] {
        let keys = slugs(&keys);
        assert_eq!(tenants(&*store, TenantKeys::Slugs(&keys)).await, expected, "{keys:?}");
    }
}

async fn tenants_by_slug_or_group(store: Arc<dyn Store>) {
    let made = [in_group(1, "one"), in_group(2, "two"), tenant(3), in_group(4, "tenant-0003")];
    keep(&*store, made.clone().map(Change::InsertTenant)).await;
    let [one, two, three, four] = made;
    for (by_slug, by_group, expected) in [
        (vec!["tenant-0001"], vec!["two"], vec![&one, &two]),
        // Found both ways, and still once.
        (vec!["tenant-0001", "tenant-0001"], vec!["one", "one"], vec![&one]),
        (vec![], vec!["two", "nobody"], vec![&two]),
        (vec!["tenant-0003", "nobody"], vec![], vec![&three]),
        // A name as a slug and as a group are two things.
        (vec![], vec!["tenant-0003", "tenant-0001"], vec![&four]),
        (vec!["one", "two"], vec!["", "ONE"], vec![]),
        (vec![], vec![], vec![]),
    ] {
        let (by_slug, by_group) = (slugs(&by_slug), slugs(&by_group));
        let found = tenants(&*store, TenantKeys::SlugsOrGroups(&by_slug, &by_group)).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{by_slug:?} {by_group:?}");
    }
}

async fn users_by_identifier(store: Arc<dyn Store>) {
    keep(&*store, (1..=3).map(user).map(Change::InsertUser)).await;
    for (keys, expected) in [
        (vec![id(3), id(99), id(1), id(3)], vec![user(1), user(3)]),
        (vec![id(2)], vec![user(2)]),
        (vec![], vec![]),
    ] {
        let found = store.users(UserKeys::Ids(&keys)).await.expect("read");
        assert_eq!(readable(found, |user| user.id), expected, "{keys:?}");
    }
}

async fn users_by_identity(store: Arc<dyn Store>) {
    let mut elsewhere = user(2);
    elsewhere.identity =
        Identity { issuer: "https://other.example/".to_owned(), ..user(1).identity };
    keep(&*store, [user(1), elsewhere.clone()].map(Change::InsertUser)).await;
    let identity = |issuer: &str, subject: &str| Identity {
        issuer: issuer.to_owned(),
        subject: subject.to_owned(),
    };
    for (identity, expected) in [
        (user(1).identity, vec![Ok(user(1))]),
        (elsewhere.identity.clone(), vec![Ok(elsewhere)]),
        (identity(ISSUER, "SUBJECT-1"), vec![]),
        (identity(ISSUER, "subject"), vec![]),
        (identity("https://id.example.org", "subject-1"), vec![]),
        (identity("", "subject-1"), vec![]),
        (identity(ISSUER, ""), vec![]),
    ] {
        let found = store.users(UserKeys::Identity(&identity)).await.expect("read");
        assert_eq!(found, expected, "{identity:?}");
    }
}

async fn subscriptions_by_identifier(store: Arc<dyn Store>) {
    keep(&*store, (1..=3).map(subscription).map(Change::InsertSubscription)).await;
    for (keys, expected) in [
        (vec![id(3), id(99), id(1), id(3)], vec![subscription(1), subscription(3)]),
        (vec![id(2)], vec![subscription(2)]),
        (vec![], vec![]),
    ] {
        assert_eq!(subscriptions(&*store, SubscriptionKeys::Ids(&keys)).await, expected);
    }
}

async fn live_subscriptions_of_tenants(store: Arc<dyn Store>) {
    // One tenant for each status, and one with two that are over beside the live one.
    let mut all = Vec::new();
    for (n, status) in (1..).zip(TenantSubscriptionStatus::ALL) {
        all.push(TenantSubscription { status: *status, ..subscription(n) });
    }
    for (n, status) in [
        (20, TenantSubscriptionStatus::Canceled),
        (21, TenantSubscriptionStatus::IncompleteExpired),
    ] {
        all.push(TenantSubscription { tenant_id: id(1), status, ..subscription(n) });
    }
    keep(&*store, all.clone().into_iter().map(Change::InsertSubscription)).await;
    all.retain(|subscription| !subscription.status.is_ended());
    let tenants: Vec<_> = (1..30).chain(1..5).map(id).collect();
    assert_eq!(subscriptions(&*store, SubscriptionKeys::LiveOfTenants(&tenants)).await, all);
    assert_eq!(subscriptions(&*store, SubscriptionKeys::LiveOfTenants(&[id(1)])).await, all[..1]);
    assert_eq!(subscriptions(&*store, SubscriptionKeys::LiveOfTenants(&[id(99)])).await, []);
    assert_eq!(subscriptions(&*store, SubscriptionKeys::LiveOfTenants(&[])).await, []);
}

async fn events_by_identifier(store: Arc<dyn Store>) {
    keep(&*store, (1..=3).map(event).map(Change::InsertAuditEvent)).await;
    for (keys, expected) in [
        (vec![id(3), id(99), id(1), id(3)], vec![event(1), event(3)]),
        (vec![id(2)], vec![event(2)]),
        (vec![], vec![]),
    ] {
        let found = store.audit_events(&keys).await.expect("read");
        assert_eq!(readable(found, |event| event.id), expected, "{keys:?}");
    }
}

async fn nobody_was_deleted(store: Arc<dyn Store>) {
    keep(&*store, [Change::InsertUser(user(1))]).await;
    assert_eq!(store.tombstone(&user(1).identity).await.expect("read"), None);
}

async fn ten_thousand_keys(store: Arc<dyn Store>) {
    keep(&*store, (1..=3).map(tenant).map(Change::InsertTenant)).await;
    let ids: Vec<_> = (2..10_002).map(id).collect();
    assert_eq!(tenants(&*store, TenantKeys::Ids(&ids)).await, [tenant(2), tenant(3)]);
    let slugs: Vec<_> = (2..10_002).map(|n| tenant(n).slug).collect();
    let found = tenants(&*store, TenantKeys::SlugsOrGroups(&slugs, &slugs)).await;
    assert_eq!(found, [tenant(2), tenant(3)]);
}

async fn ten_thousand_memberships(store: Arc<dyn Store>) {
    let mut ada = user(1);
    ada.memberships = (0..10_000).rev().map(|n| membership(n, TenantRole::Admin)).collect();
    keep(&*store, [Change::InsertUser(ada.clone()), Change::InsertUser(user(2))]).await;
    let found = store.users(UserKeys::Identity(&ada.identity)).await.expect("read");
    assert!(found == [Ok(ada.clone())], "not what was stored");

    let was = (&ada).into();
    ada.memberships.rotate_left(3);
    ada.memberships.truncate(9_999);
    ada.version += 1;
    keep(&*store, [Change::UpdateUser { was, user: ada.clone() }]).await;
    let found = store.users(UserKeys::Ids(&[ada.id])).await.expect("read");
    assert!(found == [Ok(ada)], "not what it was changed to");
}
