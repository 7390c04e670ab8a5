//! Members of many tenants at once.

use std::sync::Arc;

use tenantry::{
    domain::{
        change::Change,
        id::TenantId,
        list::{Direction, Item, MemberFilter, PageEdge, PageRequest, Position, SortKey},
        user::{TenantRole, User},
    },
    store::Store,
};

use super::{
    for_every_store, keep,
    pagination::{assert_pages, in_order, window},
};
use crate::support::entities::{id, membership, tenant, user};

for_every_store!(each_tenant_has_its_own_page, many_tenants_at_once, of_no_tenant);

const TENANTS: u32 = 6;

/// Tenant 0 has no members, 1 has one, 2 and 3 have some, 4 has all, 5 none again. Everybody is
/// what somebody else is elsewhere, so a role that is looked for in the wrong tenant shows.
fn everybody() -> Vec<User> {
    let make = |n: u32| {
        let role = |shift: u32| TenantRole::ALL[(n + shift) as usize % TenantRole::ALL.len()];
        let mut memberships = vec![membership(4, role(0))];
        if n == 5 {
            memberships.push(membership(1, role(1)));
        }
        if n.is_multiple_of(2) {
            memberships.insert(0, membership(2, role(1)));
        }
        if n.is_multiple_of(3) {
            memberships.push(membership(3, role(2)));
        }
        User { memberships, ..user(n) }
    };
    (0..12).map(make).collect()
}

async fn fill(store: &dyn Store) {
    keep(store, (0..TENANTS).map(tenant).map(Change::InsertTenant)).await;
    keep(store, everybody().into_iter().map(Change::InsertUser)).await;
}

fn roles() -> impl Iterator<Item = MemberFilter> {
    let some = TenantRole::ALL.iter().map(|role| Some(*role));
    [None].into_iter().chain(some).map(|role| MemberFilter { role })
}

fn place(user: &User) -> Position {
    Position { key: SortKey::Null, id: user.id.raw }
}

fn members(tenant: TenantId, filter: &MemberFilter) -> Vec<Item<User>> {
    let own = everybody().into_iter().filter(|user| {
        user.membership(tenant).is_some_and(|m| filter.role.is_none_or(|role| m.role == role))
    });
    in_order(own, Direction::Asc, place)
}

async fn each_tenant_has_its_own_page(store: Arc<dyn Store>) {
    fill(&*store).await;
    for filter in roles() {
        for tenant in [2, 4].map(id) {
            let all = members(tenant, &filter);
            let read = async |window: &PageRequest| {
                let pages = store.member_pages(&[tenant], &filter, window).await;
                pages.expect("read").remove(&tenant).expect("a page")
            };
            assert_pages(&all, Direction::Asc, read).await;
        }
    }
}

async fn many_tenants_at_once(store: Arc<dyn Store>) {
    fill(&*store).await;
    // All of them, one twice, and one that nobody knows.
    let tenants: Vec<_> = (0..TENANTS).chain([2, 99]).map(id).collect();
    let cursor = |n| Some(place(&user(n)));
    for filter in roles() {
        for end in [PageEdge::First, PageEdge::Last] {
            for (after, before) in [(None, None), (cursor(3), None), (None, cursor(8))] {
                for size in [0, 2, 100] {
                    let window = PageRequest {
                        after: after.clone(),
                        before: before.clone(),
                        ..window(size, end)
                    };
                    let mut pages =
                        store.member_pages(&tenants, &filter, &window).await.expect("read");
                    for tenant in (0..TENANTS).chain([99]).map(id) {
                        let alone = store.member_pages(&[tenant], &filter, &window).await;
                        let alone = alone.expect("read").remove(&tenant).expect("a page");
                        let page = pages.remove(&tenant).expect("a page, be it of none");
                        assert_eq!(page, alone, "{tenant} {filter:?} {window:?}");
                        let all = members(tenant, &filter);
                        assert!(page.items.iter().all(|item| all.contains(item)), "{tenant}");
                    }
                    assert!(pages.is_empty(), "{pages:?}");
                }
            }
        }
        let counts = store.count_members(&tenants, &filter).await.expect("counted");
        for tenant in tenants.iter().copied() {
            let count = counts.get(&tenant).copied().unwrap_or_default();
            assert_eq!(count, members(tenant, &filter).len() as u64, "{tenant} {filter:?}");
        }
    }
}

async fn of_no_tenant(store: Arc<dyn Store>) {
    fill(&*store).await;
    for filter in roles() {
        let pages =
            store.member_pages(&[], &filter, &window(5, PageEdge::First)).await.expect("read");
        assert!(pages.is_empty());
        assert!(store.count_members(&[], &filter).await.expect("counted").is_empty());
    }
}
