//! Pages of every list, in every order, from both ends, between any bounds.

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
    for_every_store, keep,
    pagination::{assert_pages, assert_stable, in_order},
};
use crate::support::entities::{
    event, full_event, id, membership, subscription, tenant, time, user,
};

for_every_store!(
    lists_of_nothing,
    tenants,
    tenants_of_a_scope,
    users,
    users_of_a_tenant,
    subscriptions,
    subscriptions_of_a_scope,
    events,
    events_of_a_tenant,
    tenants_stay_in_place,
    subscriptions_stay_in_place,
    events_stay_in_place,
);

/// Nine tenants: by each field another order, with ties in all but the slug.
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

fn place_of_tenant(tenant: &Tenant, field: TenantOrderField) -> Position {
    let key = match field {
        TenantOrderField::CreatedAt => SortKey::Time(tenant.created_at),
        TenantOrderField::UpdatedAt => SortKey::Time(tenant.updated_at),
        TenantOrderField::Name => SortKey::Text(tenant.name.clone()),
        TenantOrderField::Slug => SortKey::Text(tenant.slug.clone()),
    };
    Position { key, id: tenant.id.raw }
}

fn nine_users() -> Vec<User> {
    let make = |n: u32| User {
        // Two names of four in capitals: "ADA" and "ada" are a tie.
        name: if n % 8 < 4 { user(n).name } else { user(n).name.to_uppercase() },
        created_at: time((n / 3).into()),
        updated_at: time(((n * 7) % 4).into()),
        memberships: vec![membership(n % 2, TenantRole::Member)],
        ..user(n)
    };
    (0..9).map(make).collect()
}

fn place_of_user(user: &User, field: UserOrderField) -> Position {
    let key = match field {
        UserOrderField::CreatedAt => SortKey::Time(user.created_at),
        UserOrderField::UpdatedAt => SortKey::Time(user.updated_at),
        UserOrderField::Name => SortKey::Text(user.name.clone()),
    };
    Position { key, id: user.id.raw }
}

/// Nine subscriptions; every third has no end.
fn nine_subscriptions() -> Vec<TenantSubscription> {
    let make = |n: u32| TenantSubscription {
        current_period_end: (!n.is_multiple_of(3)).then(|| time((n / 4).into())),
        created_at: time((n / 3).into()),
        updated_at: time(((n * 7) % 4).into()),
        ..subscription(n)
    };
    (0..9).map(make).collect()
}

fn place_of_subscription(
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

fn place_of_event(event: &AuditEvent) -> Position {
    Position { key: SortKey::Time(event.at), id: event.id.raw }
}

fn orders<F: Copy>(fields: &[F]) -> Vec<Order<F>> {
    let both = [Direction::Asc, Direction::Desc];
    let of = |field: &F| both.map(|direction| Order { field: *field, direction });
    fields.iter().flat_map(of).collect()
}

async fn lists_of_nothing(store: Arc<dyn Store>) {
    for order in orders(TenantOrderField::ALL) {
        let filter = TenantFilter::default();
        let listing = Listing { scope: TenantScope::Everything, filter, order };
        let read =
            async |window: &PageRequest| store.tenant_page(&listing, window).await.expect("read");
        assert_pages(&[], order.direction, read).await;
        assert_eq!(store.count_tenants(&listing).await.expect("counted"), 0);
    }
}

async fn tenants(store: Arc<dyn Store>) {
    keep(&*store, nine_tenants().into_iter().map(Change::InsertTenant)).await;
    for order in orders(TenantOrderField::ALL) {
        let filter = TenantFilter::default();
        let listing = Listing { scope: TenantScope::Everything, filter, order };
        let all = in_order(nine_tenants(), order.direction, |tenant| {
            place_of_tenant(tenant, order.field)
        });
        let read =
            async |window: &PageRequest| store.tenant_page(&listing, window).await.expect("read");
        assert_pages(&all, order.direction, read).await;
    }
}

async fn tenants_of_a_scope(store: Arc<dyn Store>) {
    keep(&*store, nine_tenants().into_iter().map(Change::InsertTenant)).await;
    let own = nine_tenants().split_off(2);
    for (order, scope) in [
        (TenantOrderField::Name, (2..10_002).map(id).collect()),
        (TenantOrderField::UpdatedAt, own.iter().map(|tenant| tenant.id).collect()),
    ] {
        let order = Order { field: order, direction: Direction::Desc };
        let filter = TenantFilter::default();
        let listing = Listing { scope: TenantScope::Tenants(scope), filter, order };
        let all =
            in_order(own.clone(), order.direction, |tenant| place_of_tenant(tenant, order.field));
        let read =
            async |window: &PageRequest| store.tenant_page(&listing, window).await.expect("read");
        assert_pages(&all, order.direction, read).await;
        assert_eq!(store.count_tenants(&listing).await.expect("counted"), 7);
    }
}

async fn users(store: Arc<dyn Store>) {
    keep(&*store, nine_users().into_iter().map(Change::InsertUser)).await;
    for order in orders(UserOrderField::ALL) {
        let listing =
            Listing { scope: TenantScope::Everything, filter: UserFilter::default(), order };
        let all = in_order(nine_users(), order.direction, |user| place_of_user(user, order.field));
        let read =
            async |window: &PageRequest| store.user_page(&listing, window).await.expect("read");
        assert_pages(&all, order.direction, read).await;
    }
}

async fn users_of_a_tenant(store: Arc<dyn Store>) {
    keep(&*store, nine_users().into_iter().map(Change::InsertUser)).await;
    let filter = UserFilter { tenant: Some(id(1)), ..Default::default() };
    let order = Order { field: UserOrderField::Name, direction: Direction::Asc };
    let listing = Listing { scope: TenantScope::Everything, filter, order };
    let own = nine_users().into_iter().filter(|user| user.membership(id(1)).is_some());
    let all = in_order(own, order.direction, |user| place_of_user(user, order.field));
    let read = async |window: &PageRequest| store.user_page(&listing, window).await.expect("read");
    assert_pages(&all, order.direction, read).await;
}

async fn subscriptions(store: Arc<dyn Store>) {
    keep(&*store, nine_subscriptions().into_iter().map(Change::InsertSubscription)).await;
    for order in orders(SubscriptionOrderField::ALL) {
        let filter = SubscriptionFilter::default();
        let listing = Listing { scope: TenantScope::Everything, filter, order };
        let place = |s: &TenantSubscription| place_of_subscription(s, order.field);
        let all = in_order(nine_subscriptions(), order.direction, place);
        let read = async |window: &PageRequest| {
            store.subscription_page(&listing, window).await.expect("read")
        };
        assert_pages(&all, order.direction, read).await;
    }
}

async fn subscriptions_of_a_scope(store: Arc<dyn Store>) {
    keep(&*store, nine_subscriptions().into_iter().map(Change::InsertSubscription)).await;
    for direction in Direction::ALL {
        let order =
            Order { field: SubscriptionOrderField::CurrentPeriodEnd, direction: *direction };
        let scope = TenantScope::Tenants((2..10_002).map(id).collect());
        let listing = Listing { scope, filter: SubscriptionFilter::default(), order };
        let place = |s: &TenantSubscription| place_of_subscription(s, order.field);
        let all = in_order(nine_subscriptions().split_off(2), *direction, place);
        let read = async |window: &PageRequest| {
            store.subscription_page(&listing, window).await.expect("read")
        };
        assert_pages(&all, *direction, read).await;
        assert_eq!(store.count_subscriptions(&listing).await.expect("counted"), 7);
    }
}

/// Nine events, some at the same time, some of one tenant, some of many.
fn nine_events() -> Vec<AuditEvent> {
    let make = |n: u32| {
        let tenants = (0..n % 3).map(|tenant| id(7 + tenant)).collect();
        AuditEvent { at: time((n / 4).into()), tenants, ..full_event(n) }
    };
    (0..9).map(make).collect()
}

async fn events(store: Arc<dyn Store>) {
    keep(&*store, nine_events().into_iter().map(Change::InsertAuditEvent)).await;
    let all = in_order(nine_events(), Direction::Desc, place_of_event);
    let filter = AuditFilter::default();
    let read = async |window: &PageRequest| store.audit_page(&filter, window).await.expect("read");
    assert_pages(&all, Direction::Desc, read).await;
}

async fn events_of_a_tenant(store: Arc<dyn Store>) {
    keep(&*store, nine_events().into_iter().map(Change::InsertAuditEvent)).await;
    let own = nine_events().into_iter().filter(|event| event.tenants.contains(&id(7)));
    let all = in_order(own, Direction::Desc, place_of_event);
    let filter = AuditFilter { tenant: Some(id(7)), ..Default::default() };
    let read = async |window: &PageRequest| store.audit_page(&filter, window).await.expect("read");
    assert_pages(&all, Direction::Desc, read).await;
}

async fn tenants_stay_in_place(store: Arc<dyn Store>) {
    let mut there = nine_tenants();
    keep(&*store, there.iter().cloned().map(Change::InsertTenant)).await;
    let mut number = 100;
    for order in orders(&[TenantOrderField::CreatedAt, TenantOrderField::Name]) {
        for end in [PageEdge::First, PageEdge::Last] {
            let filter = TenantFilter::default();
            let listing = Listing { scope: TenantScope::Everything, filter, order };
            let place = |tenant: &Tenant| place_of_tenant(tenant, order.field);
            let all = in_order(there.clone(), order.direction, place);
            let read = async |window: &PageRequest| {
                store.tenant_page(&listing, window).await.expect("read")
            };
            // One at each place that a walk may be at: behind it, beside it, and ahead.
            let newcomers = |page: u32| {
                nine_tenants().into_iter().zip(number + 10 * page..).map(|(old, n)| Tenant {
                    id: id(n),
                    slug: tenant(n).slug,
                    ..old
                })
            };
            let insert = async |page: u32| {
                // Not for ever: a walk does not outrun who inserts ahead of it.
                if page <= 3 {
                    keep(&*store, newcomers(page).map(Change::InsertTenant)).await;
                }
            };
            assert_stable(&all, order.direction, end, read, insert).await;
            there.extend((1..=3).flat_map(newcomers));
            number += 100;
        }
    }
}

async fn subscriptions_stay_in_place(store: Arc<dyn Store>) {
    let there = nine_subscriptions();
    keep(&*store, there.iter().cloned().map(Change::InsertSubscription)).await;
    let order =
        Order { field: SubscriptionOrderField::CurrentPeriodEnd, direction: Direction::Asc };
    let filter = SubscriptionFilter::default();
    let listing = Listing { scope: TenantScope::Everything, filter, order };
    let place = |s: &TenantSubscription| place_of_subscription(s, order.field);
    let all = in_order(there, order.direction, place);
    let read =
        async |window: &PageRequest| store.subscription_page(&listing, window).await.expect("read");
    let insert = async |page: u32| {
        let numbers = 100 + 10 * page..;
        let newcomers = nine_subscriptions()
            .into_iter()
            .zip(numbers)
            .map(|(old, n)| TenantSubscription { id: id(n), tenant_id: id(n), ..old });
        if page <= 3 {
            keep(&*store, newcomers.map(Change::InsertSubscription)).await;
        }
    };
    assert_stable(&all, order.direction, PageEdge::First, read, insert).await;
}

async fn events_stay_in_place(store: Arc<dyn Store>) {
    let of_seven = |n: u32| AuditEvent { tenants: vec![id(7)], ..event(n) };
    let there: Vec<_> = (0..9).map(|n| of_seven(10 * n)).collect();
    keep(&*store, there.iter().cloned().map(Change::InsertAuditEvent)).await;
    let all = in_order(there, Direction::Desc, place_of_event);
    for filter in
        [AuditFilter::default(), AuditFilter { tenant: Some(id(7)), ..Default::default() }]
    {
        let first = if filter.tenant.is_none() { 1 } else { 5 };
        let read =
            async |window: &PageRequest| store.audit_page(&filter, window).await.expect("read");
        let insert = async |page: u32| {
            // The history grows at its front, and another instance may be a little late.
            let newcomers = (0..10).map(|n| of_seven(10 * n + first + page));
            if page <= 3 {
                keep(&*store, newcomers.map(Change::InsertAuditEvent)).await;
            }
        };
        assert_stable(&all, Direction::Desc, PageEdge::First, read, insert).await;
    }
}
