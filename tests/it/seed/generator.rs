//! What the demo tenants are: the same everywhere, in every form that the domain asks for, and more
//! than one of everything.

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

/// A tenant's number, as its identifier has it.
fn number(id: ObjectId) -> u32 {
    let [.., a, b, c] = id.0;
    u32::from_be_bytes([0, a, b, c])
}

fn assert_good_tenant(tenant: &Tenant) {
    assert!(text::is_slug(&tenant.slug) && !text::is_reserved(&tenant.slug), "{tenant:?}");
    assert_eq!(text::parse_name(&tenant.name).as_ref(), Some(&tenant.name));
    for domain in &tenant.domains {
        assert_eq!(text::parse_domain(domain).as_ref(), Some(domain));
        assert!(domain.ends_with(".example"), "nobody's: {domain}");
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
    let group = tenant.integrations.as_ref().and_then(|to| to.authentik_group.as_ref());
    assert_eq!(group, None, "a group would let people in");
}

fn assert_good_subscriptions(sample: &DemoTenant) {
    let DemoTenant { tenant, subscriptions, .. } = sample;
    let live: Vec<_> = subscriptions.iter().filter(|s| !s.status.is_ended()).collect();
    assert!(live.len() <= 1 && live.iter().all(|live| live.plan == tenant.plan), "{sample:?}");
    assert_eq!(live.is_empty(), tenant.status == TenantStatus::Archived);
    for subscription in subscriptions {
        assert_eq!(subscription.tenant_id, tenant.id);
        assert!(tenant.created_at <= subscription.created_at);
        assert!(subscription.created_at <= subscription.updated_at);
        assert!(subscription.current_period_start < subscription.current_period_end);
        assert!(subscription.current_period_start >= Some(subscription.created_at));
    }
}

fn assert_good_users(i: u32, sample: &DemoTenant) {
    let owner = &sample.users[0];
    assert!(!owner.disabled && owner.memberships[0].role == TenantRole::Owner, "{owner:?}");
    let today = Timestamp::parse("2026-01-01T00:00:00Z");
    for user in &sample.users {
        assert_eq!(user.identity.issuer, "urn:tenantry:demo");
        assert_eq!(user.platform_admin, None, "nobody may do more than a demo");
        assert_eq!(text::parse_name(&user.name).as_ref(), Some(&user.name));
        let email = user.email.as_deref().expect("an address");
        assert_eq!(text::parse_email(email).as_deref(), Some(email));
        assert_eq!(user.memberships[0].tenant_id, sample.tenant.id);
        assert_distinct(user.memberships.iter().map(|place| place.tenant_id));
        for place in &user.memberships {
            let j = number(place.tenant_id.raw);
            assert!((1..=i).contains(&j), "no tenant that comes later: {user:?}");
            assert!(place.since >= user.created_at && Some(place.since) <= today);
        }
        assert!(user.last_seen_at.is_none_or(|at| at >= user.created_at && Some(at) <= today));
    }
}

fn assert_distinct<T: Eq + Hash + Debug>(all: impl IntoIterator<Item = T>) {
    let mut seen = HashSet::new();
    for one in all {
        let shown = format!("{one:?}");
        assert!(seen.insert(one), "twice: {shown}");
    }
}

proptest! {
    #[test]
    fn each_is_what_the_domain_asks_for(i in 1..=1_000_000u32) {
        let sample = DemoTenant::nth(i);
        prop_assert_eq!(number(sample.tenant.id.raw), i);
        assert_good_tenant(&sample.tenant);
        assert_good_subscriptions(&sample);
        assert_good_users(i, &sample);
        prop_assert_eq!(sample.event.actor_kind, ActorKind::System);
        prop_assert_eq!(&sample.event.tenants, &[sample.tenant.id]);
    }

    #[test]
    fn places_elsewhere_are_those_of_tenants_that_are_there(i in 1..=1_000_000u32) {
        for place in DemoTenant::nth(i).users.iter().flat_map(|user| &user.memberships) {
            prop_assert_eq!(DemoTenant::nth(number(place.tenant_id.raw)).tenant.id, place.tenant_id);
        }
    }

    #[test]
    fn two_have_nothing_in_common(i in 1..=1_000_000u32, j in 1..=1_000_000u32) {
        prop_assume!(i != j);
        let all = [DemoTenant::nth(i), DemoTenant::nth(j)];
        assert_distinct(all.iter().map(|sample| &sample.tenant.slug));
        assert_distinct(all.iter().flat_map(|sample| &sample.tenant.domains));
        assert_distinct(all.iter().map(|sample| sample.event.id));
        assert_distinct(all.iter().flat_map(|s| s.subscriptions.iter().map(|s| s.id)));
        let users = || all.iter().flat_map(|sample| &sample.users);
        assert_distinct(users().map(|user| user.id));
        assert_distinct(users().map(|user| &user.identity));
    }
}

#[test]
fn they_are_the_same_everywhere() {
    insta::assert_debug_snapshot!([DemoTenant::nth(2), DemoTenant::nth(8)]);
}

#[test]
fn a_thousand_of_them_have_something_of_everything() {
    let all: Vec<_> = (1..=1_000).map(DemoTenant::nth).collect();
    let users: Vec<&User> = all.iter().flat_map(|sample| &sample.users).collect();
    assert_eq!(users.len(), 20_000);
    let everywhere = users.iter().filter(|user| user.memberships.len() == 200).count();
    assert!((10..=20).contains(&everywhere), "one in a thousand, but for the first: {everywhere}");
    let in_several = users.iter().filter(|user| user.memberships.len() > 1).count();
    assert!((1_000..5_000).contains(&in_several), "{in_several}");
    let disabled = users.iter().filter(|user| user.disabled).count();
    assert!((500..1_500).contains(&disabled), "{disabled}");

    let statuses: HashSet<_> = all.iter().map(|sample| sample.tenant.status.as_str()).collect();
    assert_eq!(statuses.len(), TenantStatus::ALL.len());
    let plans: HashSet<_> = all.iter().map(|sample| sample.tenant.plan.as_str()).collect();
    assert_eq!(plans.len(), Plan::ALL.len());
    let subscriptions = || all.iter().flat_map(|sample| &sample.subscriptions);
    let statuses: HashSet<_> = subscriptions().map(|s| s.status.as_str()).collect();
    assert_eq!(statuses.len(), TenantSubscriptionStatus::ALL.len());
    assert!(subscriptions().any(|subscription| subscription.cancel_at_period_end));
    assert!(all.iter().any(|sample| sample.subscriptions.len() == 2));
    let mut roles: HashMap<_, u32> = HashMap::new();
    for place in users.iter().flat_map(|user| &user.memberships) {
        *roles.entry(place.role.as_str()).or_default() += 1;
    }
    assert_eq!(roles.len(), TenantRole::ALL.len());
    let domains: HashSet<_> = all.iter().map(|sample| sample.tenant.domains.len()).collect();
    assert_eq!(domains, HashSet::from([0, 1, 3]));
    let times: Vec<_> = all.iter().map(|sample| sample.tenant.created_at).collect();
    assert!(times.is_sorted(), "each is younger than those before it");
    let late = Timestamp::parse("2024-12-01T00:00:00Z").expect("a time");
    assert!(times[0] < times[1] && times[999] > late, "over most of a year");
}
