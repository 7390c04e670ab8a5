//! Pages and counts of the members of several tenants in one call.

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
    for_each_store, must_commit,
    pagination::{assert_pages, in_order, page_request},
};
use crate::support::entities::{id, membership, tenant, user};

for_each_store!(
    members_of_one_tenant_are_paged,
    members_of_many_tenants_are_paged_separately,
    empty_tenant_list_returns_no_pages,
);

const TENANTS: u32 = 6;

/// Returns twelve users with memberships in the tenants 0 to 5.
///
/// Tenants 0 and 5 have no members, 1 has one, 2 and 3 have some, and 4 has all. Users have
/// different roles in different tenants, so a role filter that matches the wrong tenant fails.
fn all_users() -> Vec<User> {
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
    must_commit(store, (0..TENANTS).map(tenant).map(Change::InsertTenant)).await;
    must_commit(store, all_users().into_iter().map(Change::InsertUser)).await;
}

fn role_filters() -> impl Iterator<Item = MemberFilter> {
    let roles = TenantRole::ALL.iter().map(|role| Some(*role));
    [None].into_iter().chain(roles).map(|role| MemberFilter { role })
}

fn position(user: &User) -> Position {
    Position { key: SortKey::Null, id: user.id.raw }
}

fn expected_members(tenant: TenantId, filter: &MemberFilter) -> Vec<Item<User>> {
    let members = all_users().into_iter().filter(|user| {
        user.membership(tenant).is_some_and(|m| filter.role.is_none_or(|role| m.role == role))
    });
    in_order(members, Direction::Asc, position)
}

async fn members_of_one_tenant_are_paged(store: Arc<dyn Store>) {
    fill(&*store).await;
    for filter in role_filters() {
        for tenant in [2, 4].map(id) {
            let all = expected_members(tenant, &filter);
            let read_page = async |page_request: &PageRequest| {
                let pages = store.member_pages(&[tenant], &filter, page_request).await;
                pages.expect("read succeeds").remove(&tenant).expect("a page")
            };
            assert_pages(&all, Direction::Asc, read_page).await;
        }
    }
}

async fn members_of_many_tenants_are_paged_separately(store: Arc<dyn Store>) {
    fill(&*store).await;
    // All tenants, one of them twice, and one that does not exist.
    let tenants: Vec<_> = (0..TENANTS).chain([2, 99]).map(id).collect();
    let cursor = |n| Some(position(&user(n)));
    for filter in role_filters() {
        for edge in [PageEdge::First, PageEdge::Last] {
            for (after, before) in [(None, None), (cursor(3), None), (None, cursor(8))] {
                for size in [0, 2, 100] {
                    let page_request = PageRequest {
                        after: after.clone(),
                        before: before.clone(),
                        ..page_request(size, edge)
                    };
                    let mut pages = store
                        .member_pages(&tenants, &filter, &page_request)
                        .await
                        .expect("read succeeds");
                    for tenant in (0..TENANTS).chain([99]).map(id) {
                        let single = store.member_pages(&[tenant], &filter, &page_request).await;
                        let single =
                            single.expect("read succeeds").remove(&tenant).expect("a page");
                        let page = pages.remove(&tenant).expect("a page, even if it is empty");
                        assert_eq!(page, single, "{tenant} {filter:?} {page_request:?}");
                        let all = expected_members(tenant, &filter);
                        assert!(page.items.iter().all(|item| all.contains(item)), "{tenant}");
                    }
                    assert!(pages.is_empty(), "{pages:?}");
                }
            }
        }
        let counts = store.count_members(&tenants, &filter).await.expect("count succeeds");
        for tenant in tenants.iter().copied() {
            let count = counts.get(&tenant).copied().unwrap_or_default();
            assert_eq!(
                count,
                expected_members(tenant, &filter).len() as u64,
                "{tenant} {filter:?}"
            );
        }
    }
}

async fn empty_tenant_list_returns_no_pages(store: Arc<dyn Store>) {
    fill(&*store).await;
    for filter in role_filters() {
        let pages = store
            .member_pages(&[], &filter, &page_request(5, PageEdge::First))
            .await
            .expect("read succeeds");
        assert!(pages.is_empty());
        assert!(store.count_members(&[], &filter).await.expect("count succeeds").is_empty());
    }
}
