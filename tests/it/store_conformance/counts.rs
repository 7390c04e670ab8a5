//! Combinations of filters: paging through a list returns the matching entities, and the count
//! agrees.

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

use super::{for_each_store, must_commit, pagination::walk};
use crate::support::entities::{id, membership, some, subscription, tenant, user};

for_each_store!(
    tenant_pages_and_count_match_filters,
    user_pages_and_count_match_filters,
    subscription_pages_and_count_match_filters,
);

/// Returns filter lists with no, one, two and all values. An empty list filters nothing.
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
        TenantScope::Tenants(ids) => ids.contains(&tenant),
    }
}

fn matches_any<T: PartialEq + Copy>(allowed: &[T], value: T) -> bool {
    allowed.is_empty() || allowed.contains(&value)
}

fn nth_order<F: Copy>(fields: &[F], n: usize) -> Order<F> {
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
                for domain in [None, some("1.5.example"), some("unknown.example")] {
                    for search in [None, some("ACME"), some("0.")] {
                        let (status, plan) = (status.clone(), plan.clone());
                        let filter = TenantFilter { status, plan, search, domain: domain.clone() };
                        let order = nth_order(TenantOrderField::ALL, all.len());
                        all.push(Listing { scope: scope.clone(), filter, order: order.into() });
                    }
                }
            }
        }
    }
    all
}

fn matches_tenant(TenantListing { scope, filter, .. }: &TenantListing, tenant: &Tenant) -> bool {
    let has_prefix = |prefix: &String| {
        let texts = [&tenant.slug, &tenant.name].into_iter().chain(&tenant.domains);
        texts.map(|text| text.to_lowercase()).any(|text| text.starts_with(&prefix.to_lowercase()))
    };
    in_scope(scope, tenant.id)
        && matches_any(&filter.status, tenant.status)
        && matches_any(&filter.plan, tenant.plan)
        && filter.search.as_ref().is_none_or(has_prefix)
        && filter.domain.as_ref().is_none_or(|domain| tenant.domains.contains(domain))
}

async fn tenant_pages_and_count_match_filters(store: Arc<dyn Store>) {
    must_commit(&*store, all_tenants().into_iter().map(Change::InsertTenant)).await;
    for listing in tenant_listings() {
        let expected: Vec<_> =
            all_tenants().into_iter().filter(|tenant| matches_tenant(&listing, tenant)).collect();
        let read_page = async |page_request: &_| {
            store.tenant_page(&listing, page_request).await.expect("read succeeds")
        };
        let visited = walk(6, PageEdge::First, &read_page, async |_| {}).await;
        let mut visited: Vec<_> =
            visited.into_iter().map(|item| item.node.expect("readable")).collect();
        visited.sort_by_key(|tenant| tenant.id);
        assert_eq!(visited, expected, "{listing:?}");
        let count = store.count_tenants(&listing).await.expect("count succeeds");
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
    for search in [None, some("ADA"), some("unknown")] {
        for platform_admin in [None, Some(true), Some(false)] {
            for disabled in [None, Some(true), Some(false)] {
                for tenant in [None, Some(id(1)), Some(id(99))] {
                    let search = search.clone();
                    let filter = UserFilter { search, platform_admin, disabled, tenant };
                    let order = nth_order(UserOrderField::ALL, all.len());
                    all.push(Listing {
                        scope: TenantScope::Everything,
                        filter,
                        order: order.into(),
                    });
                }
            }
        }
    }
    all
}

fn matches_user(filter: &UserFilter, user: &User) -> bool {
    let has_prefix = |prefix: &String| {
        let texts = [Some(&user.name), user.email.as_ref()].into_iter().flatten();
        texts.into_iter().any(|text| text.to_lowercase().starts_with(&prefix.to_lowercase()))
    };
    filter.search.as_ref().is_none_or(has_prefix)
        && filter.platform_admin.is_none_or(|admin| user.platform_admin.is_some() == admin)
        && filter.disabled.is_none_or(|disabled| user.disabled == disabled)
        && filter.tenant.is_none_or(|tenant| user.membership(tenant).is_some())
}

async fn user_pages_and_count_match_filters(store: Arc<dyn Store>) {
    must_commit(&*store, all_users().into_iter().map(Change::InsertUser)).await;
    for listing in user_listings() {
        let expected: Vec<_> =
            all_users().into_iter().filter(|user| matches_user(&listing.filter, user)).collect();
        let read_page = async |page_request: &_| {
            store.user_page(&listing, page_request).await.expect("read succeeds")
        };
        let visited = walk(6, PageEdge::Last, &read_page, async |_| {}).await;
        let mut visited: Vec<_> =
            visited.into_iter().map(|item| item.node.expect("readable")).collect();
        visited.sort_by_key(|user| user.id);
        assert_eq!(visited, expected, "{listing:?}");
        let count = store.count_users(&listing).await.expect("count succeeds");
        assert_eq!(count, expected.len() as u64, "{listing:?}");
    }
}

fn all_subscriptions() -> Vec<TenantSubscription> {
    let make = |n: u32| {
        let status = TenantSubscriptionStatus::ALL[n as usize % 8];
        // Ended subscriptions share a tenant, because only one live subscription is allowed.
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
                    let order = nth_order(SubscriptionOrderField::ALL, all.len());
                    all.push(Listing { scope: scope.clone(), filter, order });
                }
            }
        }
    }
    all
}

fn matches_subscription(listing: &SubscriptionListing, subscription: &TenantSubscription) -> bool {
    let filter = &listing.filter;
    in_scope(&listing.scope, subscription.tenant_id)
        && matches_any(&filter.status, subscription.status)
        && matches_any(&filter.plan, subscription.plan)
        && filter.tenant.is_none_or(|tenant| subscription.tenant_id == tenant)
}

async fn subscription_pages_and_count_match_filters(store: Arc<dyn Store>) {
    must_commit(&*store, all_subscriptions().into_iter().map(Change::InsertSubscription)).await;
    for listing in subscription_listings() {
        let expected: Vec<_> =
            all_subscriptions().into_iter().filter(|s| matches_subscription(&listing, s)).collect();
        let read_page = async |page_request: &_| {
            store.subscription_page(&listing, page_request).await.expect("read succeeds")
        };
        let visited = walk(6, PageEdge::First, &read_page, async |_| {}).await;
        let mut visited: Vec<_> =
            visited.into_iter().map(|item| item.node.expect("readable")).collect();
        visited.sort_by_key(|subscription| subscription.id);
        assert_eq!(visited, expected, "{listing:?}");
        let count = store.count_subscriptions(&listing).await.expect("count succeeds");
        assert_eq!(count, expected.len() as u64, "{listing:?}");
    }
}
