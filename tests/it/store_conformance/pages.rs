//! Pages of every list, in every order, from both ends, between any cursors.

use std::sync::Arc;

use tenantry::{
    domain::{
        audit::AuditEvent,
        change::Change,
        list::{
            AuditFilter, Direction, Listing, Order, PageEdge, PageRequest, Position, SortKey,
            SubscriptionFilter, SubscriptionOrderField, TenantFilter, TenantOrderField,
            TenantScope, UserFilter, UserOrderField,
        },
        subscription::TenantSubscription,
        tenant::Tenant,
        user::{TenantRole, User},
    },
    store::Store,
};

use super::{
    for_each_store, must_commit,
    pagination::{assert_pages, assert_stable, in_order},
};
use crate::support::entities::{
    event, full_event, id, membership, subscription, tenant, time, user,
};

for_each_store!(
    empty_list_has_empty_pages,
    tenants_are_paged_in_every_order,
    tenants_of_a_scope_are_paged,
    users_are_paged_in_every_order,
    users_of_a_tenant_are_paged,
    subscriptions_are_paged_in_every_order,
    subscriptions_of_a_scope_are_paged,
    audit_events_are_paged,
    audit_events_of_a_tenant_are_paged,
    tenant_paging_is_stable_under_inserts,
    subscription_paging_is_stable_under_inserts,
    audit_event_paging_is_stable_under_inserts,
);

/// Returns nine tenants that sort differently by each field, with ties in all fields but the slug.
fn nine_tenants() -> Vec<Tenant> {
    let names = ["acme", "Bolt", "ACME", "coil", "bolt", "Acme", "zinc", "coil 2", "BOLT"];
    let make = |(n, name): (u32, &str)| Tenant {
        slug: format!("slug-{}", (n * 5) % 9),
        name: name.to_owned(),
        created_at: time((n / 3).into()),
        updated_at: time(((n * 7) % 4).into()),
        ..tenant(n)
    };
    (0..).zip(names).map(make).collect()
}

fn position_of_tenant(tenant: &Tenant, field: TenantOrderField) -> Position {
    let key = match field {
        TenantOrderField::CreatedAt => SortKey::Time(tenant.created_at),
        TenantOrderField::UpdatedAt => SortKey::Time(tenant.updated_at),
        TenantOrderField::Name => SortKey::Text(tenant.name.clone()),
        TenantOrderField::Slug => SortKey::Text(tenant.slug.clone()),
    };
    Position { key, id: tenant.id.raw }
}

/// Returns nine users that sort differently by each field, with ties.
fn nine_users() -> Vec<User> {
    let make = |n: u32| User {
        // Half of the names are in upper case, so that "ADA" and "ada" tie.
        name: if n % 8 < 4 { user(n).name } else { user(n).name.to_uppercase() },
        created_at: time((n / 3).into()),
        updated_at: time(((n * 7) % 4).into()),
        memberships: vec![membership(n % 2, TenantRole::Member)],
        ..user(n)
    };
    (0..9).map(make).collect()
}

fn position_of_user(user: &User, field: UserOrderField) -> Position {
    let key = match field {
        UserOrderField::CreatedAt => SortKey::Time(user.created_at),
        UserOrderField::UpdatedAt => SortKey::Time(user.updated_at),
        UserOrderField::Name => SortKey::Text(user.name.clone()),
    };
    Position { key, id: user.id.raw }
}

/// Returns nine subscriptions. Every third has no period end.
fn nine_subscriptions() -> Vec<TenantSubscription> {
    let make = |n: u32| TenantSubscription {
        current_period_end: (!n.is_multiple_of(3)).then(|| time((n / 4).into())),
        created_at: time((n / 3).into()),
        updated_at: time(((n * 7) % 4).into()),
        ..subscription(n)
    };
    (0..9).map(make).collect()
}

fn position_of_subscription(
    subscription: &TenantSubscription,
    field: SubscriptionOrderField,
) -> Position {
    let key = match field {
        SubscriptionOrderField::CreatedAt => SortKey::Time(subscription.created_at),
        SubscriptionOrderField::UpdatedAt => SortKey::Time(subscription.updated_at),
        SubscriptionOrderField::CurrentPeriodEnd => {
            subscription.current_period_end.map_or(SortKey::Null, SortKey::Time)
        }
    };
    Position { key, id: subscription.id.raw }
}

fn position_of_event(event: &AuditEvent) -> Position {
    Position { key: SortKey::Time(event.at), id: event.id.raw }
}

fn orders<F: Copy>(fields: &[F]) -> Vec<Order<F>> {
    let directions = [Direction::Asc, Direction::Desc];
    let orders_of = |field: &F| directions.map(|direction| Order { field: *field, direction });
    fields.iter().flat_map(orders_of).collect()
}

async fn empty_list_has_empty_pages(store: Arc<dyn Store>) {
    for order in orders(TenantOrderField::ALL) {
        let filter = TenantFilter::default();
        let listing = Listing { scope: TenantScope::Everything, filter, order: order.into() };
        let read_page = async |page_request: &PageRequest| {
            store.tenant_page(&listing, page_request).await.expect("read succeeds")
        };
        assert_pages(&[], order.direction, read_page).await;
        assert_eq!(store.count_tenants(&listing).await.expect("count succeeds"), 0);
    }
}

async fn tenants_are_paged_in_every_order(store: Arc<dyn Store>) {
    must_commit(&*store, nine_tenants().into_iter().map(Change::InsertTenant)).await;
    for order in orders(TenantOrderField::ALL) {
        let filter = TenantFilter::default();
        let listing = Listing { scope: TenantScope::Everything, filter, order: order.into() };
        let all = in_order(nine_tenants(), order.direction, |tenant| {
            position_of_tenant(tenant, order.field)
        });
        let read_page = async |page_request: &PageRequest| {
            store.tenant_page(&listing, page_request).await.expect("read succeeds")
        };
        assert_pages(&all, order.direction, read_page).await;
    }
}

async fn tenants_of_a_scope_are_paged(store: Arc<dyn Store>) {
    must_commit(&*store, nine_tenants().into_iter().map(Change::InsertTenant)).await;
    let in_scope = nine_tenants().split_off(2);
    for (field, scope) in [
        (TenantOrderField::Name, (2..10_002).map(id).collect()),
        (TenantOrderField::UpdatedAt, in_scope.iter().map(|tenant| tenant.id).collect()),
    ] {
        let order = Order { field, direction: Direction::Desc };
        let filter = TenantFilter::default();
        let listing = Listing { scope: TenantScope::Tenants(scope), filter, order: order.into() };
        let all = in_order(in_scope.clone(), order.direction, |tenant| {
            position_of_tenant(tenant, order.field)
        });
        let read_page = async |page_request: &PageRequest| {
            store.tenant_page(&listing, page_request).await.expect("read succeeds")
        };
        assert_pages(&all, order.direction, read_page).await;
        assert_eq!(store.count_tenants(&listing).await.expect("count succeeds"), 7);
    }
}

async fn users_are_paged_in_every_order(store: Arc<dyn Store>) {
    must_commit(&*store, nine_users().into_iter().map(Change::InsertUser)).await;
    for order in orders(UserOrderField::ALL) {
        let listing = Listing {
            scope: TenantScope::Everything,
            filter: UserFilter::default(),
            order: order.into(),
        };
        let all =
            in_order(nine_users(), order.direction, |user| position_of_user(user, order.field));
        let read_page = async |page_request: &PageRequest| {
            store.user_page(&listing, page_request).await.expect("read succeeds")
        };
        assert_pages(&all, order.direction, read_page).await;
    }
}

async fn users_of_a_tenant_are_paged(store: Arc<dyn Store>) {
    must_commit(&*store, nine_users().into_iter().map(Change::InsertUser)).await;
    let filter = UserFilter { tenant: Some(id(1)), ..Default::default() };
    let order = Order { field: UserOrderField::Name, direction: Direction::Asc };
    let listing = Listing { scope: TenantScope::Everything, filter, order: order.into() };
    let members = nine_users().into_iter().filter(|user| user.membership(id(1)).is_some());
    let all = in_order(members, order.direction, |user| position_of_user(user, order.field));
    let read_page = async |page_request: &PageRequest| {
        store.user_page(&listing, page_request).await.expect("read succeeds")
    };
    assert_pages(&all, order.direction, read_page).await;
}

async fn subscriptions_are_paged_in_every_order(store: Arc<dyn Store>) {
    must_commit(&*store, nine_subscriptions().into_iter().map(Change::InsertSubscription)).await;
    for order in orders(SubscriptionOrderField::ALL) {
        let filter = SubscriptionFilter::default();
        let listing = Listing { scope: TenantScope::Everything, filter, order };
        let position = |s: &TenantSubscription| position_of_subscription(s, order.field);
        let all = in_order(nine_subscriptions(), order.direction, position);
        let read_page = async |page_request: &PageRequest| {
            store.subscription_page(&listing, page_request).await.expect("read succeeds")
        };
        assert_pages(&all, order.direction, read_page).await;
    }
}

async fn subscriptions_of_a_scope_are_paged(store: Arc<dyn Store>) {
    must_commit(&*store, nine_subscriptions().into_iter().map(Change::InsertSubscription)).await;
    for direction in Direction::ALL {
        let order =
            Order { field: SubscriptionOrderField::CurrentPeriodEnd, direction: *direction };
        let scope = TenantScope::Tenants((2..10_002).map(id).collect());
        let listing = Listing { scope, filter: SubscriptionFilter::default(), order };
        let position = |s: &TenantSubscription| position_of_subscription(s, order.field);
        let all = in_order(nine_subscriptions().split_off(2), *direction, position);
        let read_page = async |page_request: &PageRequest| {
            store.subscription_page(&listing, page_request).await.expect("read succeeds")
        };
        assert_pages(&all, *direction, read_page).await;
        assert_eq!(store.count_subscriptions(&listing).await.expect("count succeeds"), 7);
    }
}

/// Returns nine audit events. Some share a timestamp, and they concern no, one or two tenants.
fn nine_events() -> Vec<AuditEvent> {
    let make = |n: u32| {
        let tenants = (0..n % 3).map(|tenant| id(7 + tenant)).collect();
        AuditEvent { at: time((n / 4).into()), tenants, ..full_event(n) }
    };
    (0..9).map(make).collect()
}

async fn audit_events_are_paged(store: Arc<dyn Store>) {
    must_commit(&*store, nine_events().into_iter().map(Change::InsertAuditEvent)).await;
    let all = in_order(nine_events(), Direction::Desc, position_of_event);
    let filter = AuditFilter::default();
    let read_page = async |page_request: &PageRequest| {
        store.audit_page(&filter, page_request).await.expect("read succeeds")
    };
    assert_pages(&all, Direction::Desc, read_page).await;
}

async fn audit_events_of_a_tenant_are_paged(store: Arc<dyn Store>) {
    must_commit(&*store, nine_events().into_iter().map(Change::InsertAuditEvent)).await;
    let of_tenant = nine_events().into_iter().filter(|event| event.tenants.contains(&id(7)));
    let all = in_order(of_tenant, Direction::Desc, position_of_event);
    let filter = AuditFilter { tenant: Some(id(7)), ..Default::default() };
    let read_page = async |page_request: &PageRequest| {
        store.audit_page(&filter, page_request).await.expect("read succeeds")
    };
    assert_pages(&all, Direction::Desc, read_page).await;
}

async fn tenant_paging_is_stable_under_inserts(store: Arc<dyn Store>) {
    let mut initial = nine_tenants();
    must_commit(&*store, initial.iter().cloned().map(Change::InsertTenant)).await;
    let mut number = 100;
    for order in orders(&[TenantOrderField::CreatedAt, TenantOrderField::Name]) {
        for edge in [PageEdge::First, PageEdge::Last] {
            let filter = TenantFilter::default();
            let listing = Listing { scope: TenantScope::Everything, filter, order: order.into() };
            let position = |tenant: &Tenant| position_of_tenant(tenant, order.field);
            let all = in_order(initial.clone(), order.direction, position);
            let read_page = async |page_request: &PageRequest| {
                store.tenant_page(&listing, page_request).await.expect("read succeeds")
            };
            // One new tenant sorts next to each initial one: behind, beside and ahead of the walk.
            let inserted = |page: u32| {
                nine_tenants().into_iter().zip(number + 10 * page..).map(|(old, n)| Tenant {
                    id: id(n),
                    slug: tenant(n).slug,
                    ..old
                })
            };
            let insert = async |page: u32| {
                // Inserts stop after three pages. A walk never ends while inserts continue ahead of
                // it.
                if page <= 3 {
                    must_commit(&*store, inserted(page).map(Change::InsertTenant)).await;
                }
            };
            assert_stable(&all, order.direction, edge, read_page, insert).await;
            initial.extend((1..=3).flat_map(inserted));
            number += 100;
        }
    }
}

async fn subscription_paging_is_stable_under_inserts(store: Arc<dyn Store>) {
    let initial = nine_subscriptions();
    must_commit(&*store, initial.iter().cloned().map(Change::InsertSubscription)).await;
    let order =
        Order { field: SubscriptionOrderField::CurrentPeriodEnd, direction: Direction::Asc };
    let filter = SubscriptionFilter::default();
    let listing = Listing { scope: TenantScope::Everything, filter, order };
    let position = |s: &TenantSubscription| position_of_subscription(s, order.field);
    let all = in_order(initial, order.direction, position);
    let read_page = async |page_request: &PageRequest| {
        store.subscription_page(&listing, page_request).await.expect("read succeeds")
    };
    let insert = async |page: u32| {
        let numbers = 100 + 10 * page..;
        let inserted = nine_subscriptions()
            .into_iter()
            .zip(numbers)
            .map(|(old, n)| TenantSubscription { id: id(n), tenant_id: id(n), ..old });
        if page <= 3 {
            must_commit(&*store, inserted.map(Change::InsertSubscription)).await;
        }
    };
    assert_stable(&all, order.direction, PageEdge::First, read_page, insert).await;
}

async fn audit_event_paging_is_stable_under_inserts(store: Arc<dyn Store>) {
    let event_of_tenant = |n: u32| AuditEvent { tenants: vec![id(7)], ..event(n) };
    let initial: Vec<_> = (0..9).map(|n| event_of_tenant(10 * n)).collect();
    must_commit(&*store, initial.iter().cloned().map(Change::InsertAuditEvent)).await;
    let all = in_order(initial, Direction::Desc, position_of_event);
    for filter in
        [AuditFilter::default(), AuditFilter { tenant: Some(id(7)), ..Default::default() }]
    {
        let offset = if filter.tenant.is_none() { 1 } else { 5 };
        let read_page = async |page_request: &PageRequest| {
            store.audit_page(&filter, page_request).await.expect("read succeeds")
        };
        let insert = async |page: u32| {
            // The audit log grows at its front, but events of an instance with a slow clock sort
            // further back.
            let inserted = (0..10).map(|n| event_of_tenant(10 * n + offset + page));
            if page <= 3 {
                must_commit(&*store, inserted.map(Change::InsertAuditEvent)).await;
            }
        };
        assert_stable(&all, Direction::Desc, PageEdge::First, read_page, insert).await;
    }
}
