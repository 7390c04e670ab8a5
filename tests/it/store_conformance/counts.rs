//! Filters, each with each other: what a walk meets is what the filters say, and as many as counted.

use std::sync::Arc;

use tenantry::{
    domain::{
        change::Change,
        id::TenantId,
        list::{
            Direction, Listing, Order, PageEdge, SubscriptionFilter, SubscriptionListing,
            SubscriptionOrderField, TenantFilter, TenantListing, TenantOrderField, TenantScope,
            UserFilter, UserListing, UserOrderField,
        },
        subscription::{TenantSubscription, TenantSubscriptionStatus},
        tenant::{Plan, Tenant, TenantStatus},
        user::{MembershipSource, TenantRole, User},
    },
    store::Store,
};

use super::{for_every_store, keep, pagination::walk};
use crate::support::entities::{id, membership, some, subscription, tenant, user};

for_every_store!(tenants, users, subscriptions);

/// All of these, of one or of several, or whatever: an empty list filters nothing.
fn choices<T: Copy>(all: &[T]) -> Vec<Vec<T>> {
    vec![vec![], vec![all[0]], vec![all[1], all[all.len() - 1]], all.to_vec()]
}

fn scopes() -> [TenantScope; 3] {
    [
        TenantScope::Everything,
        TenantScope::Tenants((3..20).map(id).collect()),
        TenantScope::Tenants(Vec::new()),
    ]
}

fn in_scope(scope: &TenantScope, tenant: TenantId) -> bool {
    match scope {
        TenantScope::Everything => true,
        TenantScope::Tenants(own) => own.contains(&tenant),
    }
}

fn one_of<T: PartialEq + Copy>(wanted: &[T], value: T) -> bool {
    wanted.is_empty() || wanted.contains(&value)
}

fn by<F: Copy>(fields: &[F], n: usize) -> Order<F> {
    let direction = Direction::ALL[n % 2];
    Order { field: fields[n / 2 % fields.len()], direction }
}

fn all_tenants() -> Vec<Tenant> {
    let make = |n: u32| Tenant {
        name: format!("{} {n}", ["Acme", "acme", "Bolt"][n as usize % 3]),
        status: TenantStatus::ALL[n as usize % 4],
        plan: Plan::ALL[n as usize / 2 % 4],
        domains: (0..n % 3).map(|part| format!("{part}.{n}.example")).collect(),
        ..tenant(n)
    };
    (0..16).map(make).collect()
}

fn tenant_listings() -> Vec<TenantListing> {
    let mut all = Vec::new();
    for scope in scopes() {
        for status in choices(TenantStatus::ALL) {
            for plan in choices(Plan::ALL) {
                for domain in [None, some("1.5.example"), some("nobody.example")] {
                    for search in [None, some("ACME"), some("0.")] {
                        let (status, plan) = (status.clone(), plan.clone());
                        let filter = TenantFilter { status, plan, search, domain: domain.clone() };
                        let order = by(TenantOrderField::ALL, all.len());
                        all.push(Listing { scope: scope.clone(), filter, order });
                    }
                }
            }
        }
    }
    all
}

fn holds_tenant(TenantListing { scope, filter, .. }: &TenantListing, tenant: &Tenant) -> bool {
    let found = |prefix: &String| {
        let texts = [&tenant.slug, &tenant.name].into_iter().chain(&tenant.domains);
        texts.map(|text| text.to_lowercase()).any(|text| text.starts_with(&prefix.to_lowercase()))
    };
    in_scope(scope, tenant.id)
        && one_of(&filter.status, tenant.status)
        && one_of(&filter.plan, tenant.plan)
        && filter.search.as_ref().is_none_or(found)
        && filter.domain.as_ref().is_none_or(|domain| tenant.domains.contains(domain))
}

async fn tenants(store: Arc<dyn Store>) {
    keep(&*store, all_tenants().into_iter().map(Change::InsertTenant)).await;
    for listing in tenant_listings() {
        let expected: Vec<_> =
            all_tenants().into_iter().filter(|tenant| holds_tenant(&listing, tenant)).collect();
        let read = async |window: &_| store.tenant_page(&listing, window).await.expect("read");
        let met = walk(6, PageEdge::First, &read, async |_| {}).await;
        let mut met: Vec<_> = met.into_iter().map(|item| item.node.expect("readable")).collect();
        met.sort_by_key(|tenant| tenant.id);
        assert_eq!(met, expected, "{listing:?}");
        let count = store.count_tenants(&listing).await.expect("counted");
        assert_eq!(count, expected.len() as u64, "{listing:?}");
    }
}

fn all_users() -> Vec<User> {
    let make = |n: u32| User {
        platform_admin: (n.is_multiple_of(3)).then_some(MembershipSource::ALL[n as usize % 2]),
        disabled: n.is_multiple_of(4),
        memberships: (0..n % 3).map(|m| membership(m, TenantRole::Member)).collect(),
        email: (!n.is_multiple_of(5)).then(|| format!("Ada.{n}@example.org")),
        ..user(n)
    };
    (0..24).map(make).collect()
}

fn user_listings() -> Vec<UserListing> {
    let mut all = Vec::new();
    for search in [None, some("ADA"), some("nobody")] {
        for platform_admin in [None, Some(true), Some(false)] {
            for disabled in [None, Some(true), Some(false)] {
                for tenant in [None, Some(id(1)), Some(id(99))] {
                    let search = search.clone();
                    let filter = UserFilter { search, platform_admin, disabled, tenant };
                    let order = by(UserOrderField::ALL, all.len());
                    all.push(Listing { scope: TenantScope::Everything, filter, order });
                }
            }
        }
    }
    all
}

fn holds_user(filter: &UserFilter, user: &User) -> bool {
    let found = |prefix: &String| {
        let texts = [Some(&user.name), user.email.as_ref()].into_iter().flatten();
        texts.into_iter().any(|text| text.to_lowercase().starts_with(&prefix.to_lowercase()))
    };
    filter.search.as_ref().is_none_or(found)
        && filter.platform_admin.is_none_or(|admin| user.platform_admin.is_some() == admin)
        && filter.disabled.is_none_or(|disabled| user.disabled == disabled)
        && filter.tenant.is_none_or(|tenant| user.membership(tenant).is_some())
}

async fn users(store: Arc<dyn Store>) {
    keep(&*store, all_users().into_iter().map(Change::InsertUser)).await;
    for listing in user_listings() {
        let expected: Vec<_> =
            all_users().into_iter().filter(|user| holds_user(&listing.filter, user)).collect();
        let read = async |window: &_| store.user_page(&listing, window).await.expect("read");
        let met = walk(6, PageEdge::Last, &read, async |_| {}).await;
        let mut met: Vec<_> = met.into_iter().map(|item| item.node.expect("readable")).collect();
        met.sort_by_key(|user| user.id);
        assert_eq!(met, expected, "{listing:?}");
        let count = store.count_users(&listing).await.expect("counted");
        assert_eq!(count, expected.len() as u64, "{listing:?}");
    }
}

fn all_subscriptions() -> Vec<TenantSubscription> {
    let make = |n: u32| {
        let status = TenantSubscriptionStatus::ALL[n as usize % 8];
        // Those that are over share a tenant, as only they may.
        let tenant_id = if status.is_ended() { id(4) } else { id(n) };
        TenantSubscription {
            status,
            tenant_id,
            plan: Plan::ALL[n as usize / 3 % 4],
            ..subscription(n)
        }
    };
    (0..24).map(make).collect()
}

fn subscription_listings() -> Vec<SubscriptionListing> {
    let mut all = Vec::new();
    for scope in scopes() {
        for status in choices(TenantSubscriptionStatus::ALL) {
            for plan in choices(Plan::ALL) {
                for tenant in [None, Some(id(4)), Some(id(99))] {
                    let (status, plan) = (status.clone(), plan.clone());
                    let filter = SubscriptionFilter { status, plan, tenant };
                    let order = by(SubscriptionOrderField::ALL, all.len());
                    all.push(Listing { scope: scope.clone(), filter, order });
                }
            }
        }
    }
    all
}

fn holds_subscription(listing: &SubscriptionListing, subscription: &TenantSubscription) -> bool {
    let filter = &listing.filter;
    in_scope(&listing.scope, subscription.tenant_id)
        && one_of(&filter.status, subscription.status)
        && one_of(&filter.plan, subscription.plan)
        && filter.tenant.is_none_or(|tenant| subscription.tenant_id == tenant)
}

async fn subscriptions(store: Arc<dyn Store>) {
    keep(&*store, all_subscriptions().into_iter().map(Change::InsertSubscription)).await;
    for listing in subscription_listings() {
        let expected: Vec<_> =
            all_subscriptions().into_iter().filter(|s| holds_subscription(&listing, s)).collect();
        let read =
            async |window: &_| store.subscription_page(&listing, window).await.expect("read");
        let met = walk(6, PageEdge::First, &read, async |_| {}).await;
        let mut met: Vec<_> = met.into_iter().map(|item| item.node.expect("readable")).collect();
        met.sort_by_key(|subscription| subscription.id);
        assert_eq!(met, expected, "{listing:?}");
        let count = store.count_subscriptions(&listing).await.expect("counted");
        assert_eq!(count, expected.len() as u64, "{listing:?}");
    }
}
