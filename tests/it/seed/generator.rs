//! The generated demo tenants: they are deterministic, valid for the domain, and cover every enum
//! value.

use std::{
    collections::{HashMap, HashSet},
    fmt::Debug,
    hash::Hash,
};

use proptest::prelude::*;
use tenantry::{
    domain::{
        audit::ActorKind,
        id::ObjectId,
        subscription::TenantSubscriptionStatus,
        tenant::{Plan, Tenant, TenantStatus},
        text,
        time::Timestamp,
        user::{TenantRole, User},
    },
    seed::generator::DemoTenant,
};

/// Returns a demo tenant's number, which its identifier contains.
fn tenant_number(id: ObjectId) -> u32 {
    let [.., a, b, c] = id.0;
    u32::from_be_bytes([0, a, b, c])
}

fn assert_valid_tenant(tenant: &Tenant) {
    assert!(text::is_slug(&tenant.slug) && !text::is_reserved(&tenant.slug), "{tenant:?}");
    assert_eq!(text::parse_name(&tenant.name).as_ref(), Some(&tenant.name));
    for domain in &tenant.domains {
        assert_eq!(text::parse_domain(domain).as_ref(), Some(domain));
        assert!(domain.ends_with(".example"), "not a reserved domain: {domain}");
    }
    if let Some(billing) = &tenant.billing_info {
        let email = billing.email.as_deref().expect("an address");
        assert_eq!(text::parse_email(email).as_deref(), Some(email));
        if let Some(vat_id) = &billing.vat_id {
            assert_eq!(text::parse_vat_id(vat_id).as_ref(), Some(vat_id));
        }
        let address = billing.address.as_ref().expect("an address");
        let country = address.country.as_deref().expect("a country");
        assert_eq!(text::parse_country(country), Some(country));
    }
    let group = tenant.integrations.as_ref().and_then(|it| it.authentik_group.as_ref());
    assert_eq!(group, None, "a group would grant memberships to real users");
}

fn assert_valid_subscriptions(demo: &DemoTenant) {
    let DemoTenant { tenant, subscriptions, .. } = demo;
    let live: Vec<_> = subscriptions.iter().filter(|s| !s.status.is_ended()).collect();
    assert!(live.len() <= 1 && live.iter().all(|live| live.plan == tenant.plan), "{demo:?}");
    assert_eq!(live.is_empty(), tenant.status == TenantStatus::Archived);
    for subscription in subscriptions {
        assert_eq!(subscription.tenant_id, tenant.id);
        assert!(tenant.created_at <= subscription.created_at);
        assert!(subscription.created_at <= subscription.updated_at);
        assert!(subscription.current_period_start < subscription.current_period_end);
        assert!(subscription.current_period_start >= Some(subscription.created_at));
    }
}

fn assert_valid_users(i: u32, demo: &DemoTenant) {
    let owner = &demo.users[0];
    assert!(!owner.disabled && owner.memberships[0].role == TenantRole::Owner, "{owner:?}");
    let today = Timestamp::parse("2026-01-01T00:00:00Z");
    for user in &demo.users {
        assert_eq!(user.identity.issuer, "urn:tenantry:demo");
        assert_eq!(user.platform_admin, None, "demo users must not be platform admins");
        assert_eq!(text::parse_name(&user.name).as_ref(), Some(&user.name));
        let email = user.email.as_deref().expect("an address");
        assert_eq!(text::parse_email(email).as_deref(), Some(email));
        assert_eq!(user.memberships[0].tenant_id, demo.tenant.id);
        assert_distinct(user.memberships.iter().map(|membership| membership.tenant_id));
        for membership in &user.memberships {
            let j = tenant_number(membership.tenant_id.raw);
            assert!(
                (1..=i).contains(&j),
                "a membership must not refer to a later tenant: {user:?}"
            );
            assert!(membership.since >= user.created_at && Some(membership.since) <= today);
        }
        assert!(user.last_seen_at.is_none_or(|at| at >= user.created_at && Some(at) <= today));
    }
}

/// Asserts that all values differ from each other.
fn assert_distinct<T: Eq + Hash + Debug>(values: impl IntoIterator<Item = T>) {
    let mut seen = HashSet::new();
    for value in values {
        let text = format!("{value:?}");
        assert!(seen.insert(value), "duplicate: {text}");
    }
}

proptest! {
    #[test]
    fn demo_tenants_are_valid(i in 1..=1_000_000u32) {
        let demo = DemoTenant::nth(i);
        prop_assert_eq!(tenant_number(demo.tenant.id.raw), i);
        assert_valid_tenant(&demo.tenant);
        assert_valid_subscriptions(&demo);
        assert_valid_users(i, &demo);
        prop_assert_eq!(demo.event.actor_kind, ActorKind::System);
        prop_assert_eq!(&demo.event.tenants, &[demo.tenant.id]);
    }

    #[test]
    fn memberships_refer_to_existing_demo_tenants(i in 1..=1_000_000u32) {
        for membership in DemoTenant::nth(i).users.iter().flat_map(|user| &user.memberships) {
            prop_assert_eq!(DemoTenant::nth(tenant_number(membership.tenant_id.raw)).tenant.id, membership.tenant_id);
        }
    }

    #[test]
    fn demo_tenants_share_no_unique_values(i in 1..=1_000_000u32, j in 1..=1_000_000u32) {
        prop_assume!(i != j);
        let both = [DemoTenant::nth(i), DemoTenant::nth(j)];
        assert_distinct(both.iter().map(|demo| &demo.tenant.slug));
        assert_distinct(both.iter().flat_map(|demo| &demo.tenant.domains));
        assert_distinct(both.iter().map(|demo| demo.event.id));
        assert_distinct(both.iter().flat_map(|s| s.subscriptions.iter().map(|s| s.id)));
        let users = || both.iter().flat_map(|demo| &demo.users);
        assert_distinct(users().map(|user| user.id));
        assert_distinct(users().map(|user| &user.identity));
    }
}

#[test]
fn demo_tenants_are_deterministic() {
    insta::assert_debug_snapshot!([DemoTenant::nth(2), DemoTenant::nth(8)]);
}

#[test]
fn thousand_demo_tenants_cover_every_value() {
    let all: Vec<_> = (1..=1_000).map(DemoTenant::nth).collect();
    let users: Vec<&User> = all.iter().flat_map(|demo| &demo.users).collect();
    assert_eq!(users.len(), 20_000);
    let in_200_tenants = users.iter().filter(|user| user.memberships.len() == 200).count();
    assert!(
        (10..=20).contains(&in_200_tenants),
        "one in a thousand, except for the first: {in_200_tenants}"
    );
    let in_several = users.iter().filter(|user| user.memberships.len() > 1).count();
    assert!((1_000..5_000).contains(&in_several), "{in_several}");
    let disabled = users.iter().filter(|user| user.disabled).count();
    assert!((500..1_500).contains(&disabled), "{disabled}");

    let statuses: HashSet<_> = all.iter().map(|demo| demo.tenant.status.as_str()).collect();
    assert_eq!(statuses.len(), TenantStatus::ALL.len());
    let plans: HashSet<_> = all.iter().map(|demo| demo.tenant.plan.as_str()).collect();
    assert_eq!(plans.len(), Plan::ALL.len());
    let subscriptions = || all.iter().flat_map(|demo| &demo.subscriptions);
    let statuses: HashSet<_> = subscriptions().map(|s| s.status.as_str()).collect();
    assert_eq!(statuses.len(), TenantSubscriptionStatus::ALL.len());
    assert!(subscriptions().any(|subscription| subscription.cancel_at_period_end));
    assert!(all.iter().any(|demo| demo.subscriptions.len() == 2));
    let mut roles: HashMap<_, u32> = HashMap::new();
    for membership in users.iter().flat_map(|user| &user.memberships) {
        *roles.entry(membership.role.as_str()).or_default() += 1;
    }
    assert_eq!(roles.len(), TenantRole::ALL.len());
    let domains: HashSet<_> = all.iter().map(|demo| demo.tenant.domains.len()).collect();
    assert_eq!(domains, HashSet::from([0, 1, 3]));
    let created: Vec<_> = all.iter().map(|demo| demo.tenant.created_at).collect();
    assert!(created.is_sorted(), "tenants must be in order of creation");
    let late = Timestamp::parse("2024-12-01T00:00:00Z").expect("a time");
    assert!(
        created[0] < created[1] && created[999] > late,
        "creation times must span most of a year"
    );
}
