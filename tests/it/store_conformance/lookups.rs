//! Lookups by key: identifiers, slugs, groups, identities and tenants.

use std::sync::Arc;

use tenantry::{
    domain::{
        change::Change,
        subscription::{TenantSubscription, TenantSubscriptionStatus},
        tenant::{BillingInfo, Tenant, TenantIntegrations},
        user::{Identity, TenantRole},
    },
    store::{Store, SubscriptionKeys, TenantKeys, UserKeys},
};

use super::{for_each_store, must_commit, readable_sorted};
use crate::support::{
    entities::{event, id, membership, some, subscription, tenant, user},
    mongod::ISSUER,
};

for_each_store!(
    tenants_are_found_by_identifier,
    tenants_are_found_by_slug,
    tenants_without_details_have_all_other_fields,
    tenants_are_found_by_slug_or_group,
    users_are_found_by_identifier,
    users_are_found_by_identity,
    subscriptions_are_found_by_identifier,
    live_subscriptions_are_found_by_tenant,
    audit_events_are_found_by_identifier,
    existing_user_has_no_tombstone,
    lookup_accepts_ten_thousand_keys,
    user_stores_ten_thousand_memberships,
);

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

async fn tenants(store: &dyn Store, keys: TenantKeys<'_>) -> Vec<Tenant> {
    readable_sorted(store.tenants(keys).await.expect("read succeeds"), |tenant| tenant.id)
}

async fn subscriptions(store: &dyn Store, keys: SubscriptionKeys<'_>) -> Vec<TenantSubscription> {
    readable_sorted(store.subscriptions(keys).await.expect("read succeeds"), |subscription| {
        subscription.id
    })
}

fn in_group(n: u32, group: &str) -> Tenant {
    let integrations = TenantIntegrations { authentik_group: some(group), ..Default::default() };
    Tenant { integrations: Some(integrations), ..tenant(n) }
}

async fn tenants_are_found_by_identifier(store: Arc<dyn Store>) {
    must_commit(&*store, (1..=3).map(tenant).map(Change::InsertTenant)).await;
    let keys = [id(3), id(99), id(1), id(3)];
    assert_eq!(tenants(&*store, TenantKeys::Ids(&keys)).await, [tenant(1), tenant(3)]);
    assert_eq!(tenants(&*store, TenantKeys::Ids(&[id(2)])).await, [tenant(2)]);
    assert_eq!(tenants(&*store, TenantKeys::Ids(&[id(99)])).await, []);
    assert_eq!(tenants(&*store, TenantKeys::Ids(&[])).await, []);
}

async fn tenants_are_found_by_slug(store: Arc<dyn Store>) {
    must_commit(&*store, (1..=3).map(tenant).map(Change::InsertTenant)).await;
    for (keys, expected) in [
        (vec!["tenant-0003", "unknown", "tenant-0001", "tenant-0003"], vec![tenant(1), tenant(3)]),
        (vec!["tenant-0002"], vec![tenant(2)]),
        // A slug matches exactly. Case variants, prefixes and patterns do not match.
        (vec!["TENANT-0001", "tenant", "tenant-000_", "%", "", ".*"], vec![]),
        (vec![], vec![]),
    ] {
        let keys = strings(&keys);
        assert_eq!(tenants(&*store, TenantKeys::Slugs(&keys)).await, expected, "{keys:?}");
    }
}

async fn tenants_without_details_have_all_other_fields(store: Arc<dyn Store>) {
    let billing_info = BillingInfo { email: some("billing@acme.example"), ..Default::default() };
    let domains = strings(&["acme.example"]);
    let with_details = |n| Tenant {
        domains: domains.clone(),
        billing_info: Some(billing_info.clone()),
        ..in_group(n, "acme")
    };
    let stored = [with_details(1), tenant(2)];
    must_commit(&*store, stored.clone().map(Change::InsertTenant)).await;
    let slugs = stored.clone().map(|tenant| tenant.slug);
    for keys in [TenantKeys::Ids(&[id(1), id(2)]), TenantKeys::Slugs(&slugs)] {
        assert_eq!(tenants(&*store, keys).await, stored);
        let found = store.tenants_without_details(keys).await.expect("read succeeds");
        for (mut found, stored) in
            readable_sorted(found, |tenant| tenant.id).into_iter().zip(&stored)
        {
            (found.domains, found.billing_info) =
                (stored.domains.clone(), stored.billing_info.clone());
            found.integrations.clone_from(&stored.integrations);
            assert_eq!(found, *stored);
        }
    }
}

async fn tenants_are_found_by_slug_or_group(store: Arc<dyn Store>) {
    let stored = [in_group(1, "one"), in_group(2, "two"), tenant(3), in_group(4, "tenant-0003")];
    must_commit(&*store, stored.clone().map(Change::InsertTenant)).await;
    let [one, two, three, four] = stored;
    for (by_slug, by_group, expected) in [
        (vec!["tenant-0001"], vec!["two"], vec![&one, &two]),
        // A tenant that matches by slug and by group is returned once.
        (vec!["tenant-0001", "tenant-0001"], vec!["one", "one"], vec![&one]),
        (vec![], vec!["two", "unknown"], vec![&two]),
        (vec!["tenant-0003", "unknown"], vec![], vec![&three]),
        // Slugs and groups are separate namespaces.
        (vec![], vec!["tenant-0003", "tenant-0001"], vec![&four]),
        (vec!["one", "two"], vec!["", "ONE"], vec![]),
        (vec![], vec![], vec![]),
    ] {
        let (by_slug, by_group) = (strings(&by_slug), strings(&by_group));
        let matches = tenants(&*store, TenantKeys::SlugsOrGroups(&by_slug, &by_group)).await;
        assert_eq!(matches.iter().collect::<Vec<_>>(), expected, "{by_slug:?} {by_group:?}");
    }
}

async fn users_are_found_by_identifier(store: Arc<dyn Store>) {
    must_commit(&*store, (1..=3).map(user).map(Change::InsertUser)).await;
    for (keys, expected) in [
        (vec![id(3), id(99), id(1), id(3)], vec![user(1), user(3)]),
        (vec![id(2)], vec![user(2)]),
        (vec![], vec![]),
    ] {
        let users = store.users(UserKeys::Ids(&keys)).await.expect("read succeeds");
        assert_eq!(readable_sorted(users, |user| user.id), expected, "{keys:?}");
    }
}

async fn users_are_found_by_identity(store: Arc<dyn Store>) {
    let mut other_issuer = user(2);
    other_issuer.identity =
        Identity { issuer: "https://other.example/".to_owned(), ..user(1).identity };
    must_commit(&*store, [user(1), other_issuer.clone()].map(Change::InsertUser)).await;
    let identity = |issuer: &str, subject: &str| Identity {
        issuer: issuer.to_owned(),
        subject: subject.to_owned(),
    };
    for (identity, expected) in [
        (user(1).identity, vec![Ok(user(1))]),
        (other_issuer.identity.clone(), vec![Ok(other_issuer)]),
        (identity(ISSUER, "SUBJECT-1"), vec![]),
        (identity(ISSUER, "subject"), vec![]),
        (identity("https://id.example.org", "subject-1"), vec![]),
        (identity("", "subject-1"), vec![]),
        (identity(ISSUER, ""), vec![]),
    ] {
        let users = store.users(UserKeys::Identity(&identity)).await.expect("read succeeds");
        assert_eq!(users, expected, "{identity:?}");
    }
}

async fn subscriptions_are_found_by_identifier(store: Arc<dyn Store>) {
    must_commit(&*store, (1..=3).map(subscription).map(Change::InsertSubscription)).await;
    for (keys, expected) in [
        (vec![id(3), id(99), id(1), id(3)], vec![subscription(1), subscription(3)]),
        (vec![id(2)], vec![subscription(2)]),
        (vec![], vec![]),
    ] {
        assert_eq!(subscriptions(&*store, SubscriptionKeys::Ids(&keys)).await, expected);
    }
}

async fn live_subscriptions_are_found_by_tenant(store: Arc<dyn Store>) {
    // Each status has its own tenant. The first tenant also has two ended subscriptions.
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
    must_commit(&*store, all.clone().into_iter().map(Change::InsertSubscription)).await;
    all.retain(|subscription| !subscription.status.is_ended());
    let tenants: Vec<_> = (1..30).chain(1..5).map(id).collect();
    assert_eq!(subscriptions(&*store, SubscriptionKeys::LiveOfTenants(&tenants)).await, all);
    assert_eq!(subscriptions(&*store, SubscriptionKeys::LiveOfTenants(&[id(1)])).await, all[..1]);
    assert_eq!(subscriptions(&*store, SubscriptionKeys::LiveOfTenants(&[id(99)])).await, []);
    assert_eq!(subscriptions(&*store, SubscriptionKeys::LiveOfTenants(&[])).await, []);
}

async fn audit_events_are_found_by_identifier(store: Arc<dyn Store>) {
    must_commit(&*store, (1..=3).map(event).map(Change::InsertAuditEvent)).await;
    for (keys, expected) in [
        (vec![id(3), id(99), id(1), id(3)], vec![event(1), event(3)]),
        (vec![id(2)], vec![event(2)]),
        (vec![], vec![]),
    ] {
        let events = store.audit_events(&keys).await.expect("read succeeds");
        assert_eq!(readable_sorted(events, |event| event.id), expected, "{keys:?}");
    }
}

async fn existing_user_has_no_tombstone(store: Arc<dyn Store>) {
    must_commit(&*store, [Change::InsertUser(user(1))]).await;
    assert_eq!(store.tombstone(&user(1).identity).await.expect("read succeeds"), None);
}

async fn lookup_accepts_ten_thousand_keys(store: Arc<dyn Store>) {
    must_commit(&*store, (1..=3).map(tenant).map(Change::InsertTenant)).await;
    let ids: Vec<_> = (2..10_002).map(id).collect();
    assert_eq!(tenants(&*store, TenantKeys::Ids(&ids)).await, [tenant(2), tenant(3)]);
    let slugs: Vec<_> = (2..10_002).map(|n| tenant(n).slug).collect();
    let matches = tenants(&*store, TenantKeys::SlugsOrGroups(&slugs, &slugs)).await;
    assert_eq!(matches, [tenant(2), tenant(3)]);
}

async fn user_stores_ten_thousand_memberships(store: Arc<dyn Store>) {
    let mut ada = user(1);
    ada.memberships = (0..10_000).rev().map(|n| membership(n, TenantRole::Admin)).collect();
    must_commit(&*store, [Change::InsertUser(ada.clone()), Change::InsertUser(user(2))]).await;
    let users = store.users(UserKeys::Identity(&ada.identity)).await.expect("read succeeds");
    assert!(users == [Ok(ada.clone())], "the inserted user differs");

    let expected = (&ada).into();
    ada.memberships.rotate_left(3);
    ada.memberships.truncate(9_999);
    ada.version += 1;
    must_commit(&*store, [Change::UpdateUser { expected, user: ada.clone() }]).await;
    let users = store.users(UserKeys::Ids(&[ada.id])).await.expect("read succeeds");
    assert!(users == [Ok(ada)], "the updated user differs");
}
