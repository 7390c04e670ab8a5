//! Searches in the order of the matched key: their order, their pages, and what they fold.

use std::sync::Arc;

use tenantry::{
    domain::{
        change::{Change, UserVersion},
        list::{
            Direction, ListOrder, Listing, Order, Page, PageEdge, PageRequest, TenantFilter,
            TenantListing, TenantScope, UserFilter, UserListing, UserOrderField,
        },
        search::{MAX_SORTED_MATCHES, SearchPrefix, tenant_keys, user_keys},
        tenant::{Tenant, TenantStatus},
        user::{TenantRole, User},
    },
    store::{Store, StoreError},
};

use super::{for_each_store, must_commit, pagination::page_request};
use crate::support::entities::{id, membership, some, tenant, time, user};

for_each_store!(
    search_folds_case_and_nothing_else,
    tenant_with_several_matches_is_listed_once,
    search_pages_survive_inserts_and_deletes,
    search_combines_with_other_filters,
    search_follows_changes,
    more_matches_than_the_limit_are_not_sorted,
);

fn tenants_with(search: &str) -> TenantListing {
    let filter = TenantFilter { search: some(search), ..Default::default() };
    Listing { scope: TenantScope::Everything, filter, order: ListOrder::MatchedKey }
}

fn users_with(search: &str) -> UserListing {
    let filter = UserFilter { search: some(search), ..Default::default() };
    Listing { scope: TenantScope::Everything, filter, order: ListOrder::MatchedKey }
}

async fn tenant_page(
    store: &dyn Store,
    listing: &TenantListing,
    request: &PageRequest,
) -> Page<Tenant> {
    store.tenant_page(listing, request).await.expect("read succeeds")
}

/// Returns the slugs of the whole list, and asserts that the count is the same.
async fn slugs(store: &dyn Store, listing: &TenantListing) -> Vec<String> {
    let page = tenant_page(store, listing, &page_request(100, PageEdge::First)).await;
    let count = store.count_tenants(listing).await.expect("count succeeds");
    assert_eq!(count, page.items.len() as u64, "{listing:?}");
    page.items.into_iter().map(|item| item.node.expect("readable").slug).collect()
}

/// Returns the slugs of a list that is read in pages of this size from this end.
async fn walk(
    store: &dyn Store,
    listing: &TenantListing,
    size: usize,
    edge: PageEdge,
) -> Vec<String> {
    let (mut all, mut request) = (Vec::new(), page_request(size, edge));
    loop {
        let page = tenant_page(store, listing, &request).await;
        let read = page.items.iter().map(|item| item.node.clone().expect("readable").slug);
        match edge {
            PageEdge::First => all.extend(read),
            PageEdge::Last => drop(all.splice(0..0, read.collect::<Vec<_>>())),
        }
        let (has_more, end) = match edge {
            PageEdge::First => (page.has_next, page.items.last()),
            PageEdge::Last => (page.has_previous, page.items.first()),
        };
        if !has_more {
            return all;
        }
        let end = end.map(|item| item.position.clone());
        match edge {
            PageEdge::First => request.after = end,
            PageEdge::Last => request.before = end,
        }
        assert!(all.len() < 1_000, "paging does not end");
    }
}

async fn search_folds_case_and_nothing_else(store: Arc<dyn Store>) {
    let names = [
        "Josefine",
        "José",
        "STRASSE",
        "straße 2",
        "İstanbul",
        "ırmak",
        "Irmak",
        "ΣΊΣΥΦΟΣ",
        "Σίσυφος 2",
        "a b",
        "ab",
        "Jose\u{301}",
    ];
    let named = |(n, name): (u32, &str)| User { name: name.to_owned(), ..user(n + 10) };
    must_commit(&*store, (0..).zip(names).map(named).map(Change::InsertUser)).await;
    for (search, expected) in [
        ("josé", vec!["José"]),
        ("JOSE", vec!["Josefine", "Jose\u{301}"]),
        ("jose\u{301}", vec!["Jose\u{301}"]),
        ("straße", vec!["STRASSE", "straße 2"]),
        ("straẞe", vec!["STRASSE", "straße 2"]),
        ("İ", vec!["İstanbul"]),
        ("i\u{307}s", vec!["İstanbul"]),
        ("is", vec![]),
        ("I", vec!["Irmak", "İstanbul"]),
        ("ı", vec!["ırmak"]),
        ("σίσυφοσ", vec!["ΣΊΣΥΦΟΣ", "Σίσυφος 2"]),
        ("Σίσυφος ", vec!["Σίσυφος 2"]),
        ("a ", vec!["a b"]),
        (" a", vec![]),
        ("A", vec!["a b", "ab"]),
    ] {
        let listing = users_with(search);
        let page = store.user_page(&listing, &page_request(100, PageEdge::First)).await;
        let items = page.expect("read succeeds").items;
        let found: Vec<_> =
            items.into_iter().map(|item| item.node.expect("readable").name).collect();
        assert_eq!(found, expected, "{search:?}");
    }
}

/// Creates tenants that match by slug, name and domains, which are in different orders.
async fn insert_overlapping(store: &dyn Store) -> Vec<Tenant> {
    let overlapping = |n: u32| Tenant {
        slug: format!("ma-{n:02}"),
        name: if n.is_multiple_of(3) { format!("MAX {}", 30 - n) } else { "Mallory".to_owned() },
        domains: vec![
            format!("mail{}.example", 90 - n),
            format!("m{n}.example"),
            format!("xn--bcher-kva.m{n}.example"),
        ],
        status: if n.is_multiple_of(5) { TenantStatus::Suspended } else { TenantStatus::Active },
        ..tenant(n)
    };
    let all: Vec<_> = (0..24).map(overlapping).collect();
    must_commit(store, all.iter().cloned().map(Change::InsertTenant)).await;
    all
}

/// Returns the slugs of the tenants that match, in the order of the smallest key that matches.
fn expected_slugs(tenants: &[Tenant], search: &str) -> Vec<String> {
    let prefix = SearchPrefix::new(search);
    let mut matches: Vec<_> = tenants
        .iter()
        .filter_map(|tenant| {
            let keys = tenant_keys(tenant);
            let key = keys.iter().find(|key| key.text.starts_with(prefix.as_str()))?;
            Some((key.text.clone(), tenant.id, tenant.slug.clone()))
        })
        .collect();
    matches.sort();
    matches.into_iter().map(|(_, _, slug)| slug).collect()
}

async fn tenant_with_several_matches_is_listed_once(store: Arc<dyn Store>) {
    let tenants = insert_overlapping(&*store).await;
    let own: Vec<_> = tenants.iter().step_by(2).cloned().collect();
    let long = "mallory".repeat(4);
    for search in [
        "m",
        "MA",
        "ma-",
        "mal",
        "mallory",
        "max ",
        "mail",
        "mail7",
        "m1",
        "bücher.",
        "BÜCHER.m2",
        "xn--",
        "b",
        "zzz",
        &long,
    ] {
        let mut listing = tenants_with(search);
        let expected = expected_slugs(&tenants, search);
        assert_eq!(slugs(&*store, &listing).await, expected, "{search}");
        for edge in [PageEdge::First, PageEdge::Last] {
            for size in [1, 4, 7] {
                let walked = walk(&*store, &listing, size, edge).await;
                assert_eq!(walked, expected, "{search} {size} {edge:?}");
            }
        }
        listing.scope = TenantScope::Tenants(own.iter().map(|tenant| tenant.id).collect());
        let expected = expected_slugs(&own, search);
        assert_eq!(slugs(&*store, &listing).await, expected, "{search}");
        for edge in [PageEdge::First, PageEdge::Last] {
            assert_eq!(walk(&*store, &listing, 3, edge).await, expected, "{search} {edge:?}");
        }
    }
    // Between two cursors, in both orders of the cursors.
    let listing = tenants_with("m");
    let all = tenant_page(&*store, &listing, &page_request(100, PageEdge::First)).await.items;
    for (from, to) in [(2, 9), (9, 2), (4, 4), (4, 5)] {
        for edge in [PageEdge::First, PageEdge::Last] {
            let (after, before) =
                (Some(all[from].position.clone()), Some(all[to].position.clone()));
            let request = PageRequest { size: 100, edge, after, before };
            let page = tenant_page(&*store, &listing, &request).await;
            assert_eq!(page.items, all.get(from + 1..to).unwrap_or_default(), "{from} {to}");
        }
    }
}

async fn search_pages_survive_inserts_and_deletes(store: Arc<dyn Store>) {
    let named = |n: u32, name: &str| User { name: name.to_owned(), email: None, ..user(n) };
    let names = ["mab", "mad", "maf", "mah"];
    must_commit(&*store, (0..).zip(names).map(|(n, name)| Change::InsertUser(named(n, name))))
        .await;
    let listing = users_with("ma");
    let first = store.user_page(&listing, &page_request(2, PageEdge::First)).await;
    let first = first.expect("read succeeds");
    let after = first.items.last().map(|item| item.position.clone());
    // One is inserted before the cursor, one after it, and the element at the cursor is deleted.
    let deleted = user(1);
    let expected = UserVersion::from(&deleted);
    let changes = [
        Change::InsertUser(named(10, "maa")),
        Change::InsertUser(named(11, "MAE")),
        Change::DeleteUser { id: deleted.id, expected },
    ];
    must_commit(&*store, changes).await;
    let request = PageRequest { after, ..page_request(10, PageEdge::First) };
    let rest = store.user_page(&listing, &request).await.expect("read succeeds").items;
    let names: Vec<_> = rest.into_iter().map(|item| item.node.expect("readable").name).collect();
    assert_eq!(names, ["MAE", "maf", "mah"]);
    assert_eq!(store.count_users(&listing).await.expect("count succeeds"), 5);
}

async fn search_combines_with_other_filters(store: Arc<dyn Store>) {
    let tenants = insert_overlapping(&*store).await;
    let mut listing = tenants_with("ma");
    listing.filter.status = vec![TenantStatus::Suspended];
    let suspended: Vec<_> =
        tenants.iter().filter(|t| t.status == TenantStatus::Suspended).cloned().collect();
    let expected = expected_slugs(&suspended, "ma");
    assert_eq!(slugs(&*store, &listing).await, expected);
    for edge in [PageEdge::First, PageEdge::Last] {
        assert_eq!(walk(&*store, &listing, 2, edge).await, expected, "{edge:?}");
    }
    listing.filter.status.clear();
    listing.filter.domain = some("m3.example");
    assert_eq!(slugs(&*store, &listing).await, ["ma-03"]);
    listing.filter.search = some("other");
    assert!(slugs(&*store, &listing).await.is_empty());

    let member = |n: u32| User {
        name: format!("Mallory {n}"),
        memberships: vec![membership(n % 2, TenantRole::Member)],
        disabled: n.is_multiple_of(3),
        ..user(n)
    };
    must_commit(&*store, (0..12).map(member).map(Change::InsertUser)).await;
    let mut listing = users_with("mallory ");
    listing.filter.tenant = Some(id(1));
    listing.filter.disabled = Some(false);
    let page = store.user_page(&listing, &page_request(100, PageEdge::First)).await;
    let found: Vec<_> = page
        .expect("read succeeds")
        .items
        .into_iter()
        .map(|item| item.node.expect("readable").id)
        .collect();
    let mut expected: Vec<User> = [1, 5, 7, 11].map(member).to_vec();
    expected.sort_by_key(|user| user.name.clone());
    assert_eq!(found, expected.iter().map(|user| user.id).collect::<Vec<_>>());
    assert_eq!(store.count_users(&listing).await.expect("count succeeds"), 4);
}

async fn search_follows_changes(store: Arc<dyn Store>) {
    let stored = Tenant { name: "Before".to_owned(), ..tenant(1) };
    must_commit(&*store, [Change::InsertTenant(stored.clone())]).await;
    let renamed = Tenant {
        name: "Later".to_owned(),
        domains: vec!["new.example".to_owned()],
        version: 2,
        ..stored.clone()
    };
    must_commit(&*store, [Change::UpdateTenant { expected: 1, tenant: renamed.clone() }]).await;
    for (search, count) in [("before", 0), ("later", 1), ("new.", 1)] {
        assert_eq!(slugs(&*store, &tenants_with(search)).await.len(), count, "{search}");
    }
    let ada = User { name: "Ada".to_owned(), email: some("ada@example.org"), ..user(1) };
    must_commit(&*store, [Change::InsertUser(ada.clone())]).await;
    // A change of a single document, as well as one in a transaction.
    let bob = User { name: "Bob".to_owned(), email: None, version: 2, ..ada.clone() };
    let expected = UserVersion::from(&ada);
    must_commit(&*store, [Change::UpdateUser { expected, user: bob.clone() }]).await;
    for (search, count) in [("ada", 0), ("bob", 1)] {
        let found = store.count_users(&users_with(search)).await.expect("count succeeds");
        assert_eq!(found, count, "{search}");
        assert_eq!(count == 1, SearchPrefix::new(search).first_match(&user_keys(&bob)).is_some());
    }
    let delete =
        Change::DeleteTenant { id: stored.id, expected: 2, at: time(9), watermark: time(9) };
    let expected = UserVersion::from(&bob);
    must_commit(&*store, [delete, Change::DeleteUser { id: bob.id, expected }]).await;
    assert!(slugs(&*store, &tenants_with("later")).await.is_empty());
    assert_eq!(store.count_users(&users_with("bob")).await.expect("count succeeds"), 0);
}

async fn more_matches_than_the_limit_are_not_sorted(store: Arc<dyn Store>) {
    let named = |n: u32| User { name: format!("Max {n}"), email: None, ..user(n) };
    let limit = u32::try_from(MAX_SORTED_MATCHES).expect("in range");
    let all: Vec<_> = (0..limit).map(named).map(Change::InsertUser).collect();
    for batch in all.chunks(500) {
        must_commit(&*store, batch.iter().cloned()).await;
    }
    let mut listing = users_with("MAX");
    for field in [UserOrderField::CreatedAt, UserOrderField::Name] {
        listing.order = Order { field, direction: Direction::Desc }.into();
        let page = store.user_page(&listing, &page_request(2, PageEdge::First)).await;
        assert_eq!(page.expect("as many as allowed").items.len(), 2);
    }
    must_commit(&*store, [Change::InsertUser(named(limit))]).await;
    let page = store.user_page(&listing, &page_request(2, PageEdge::First)).await;
    assert!(matches!(page, Err(StoreError::TooManyMatches)), "{page:?}");
    // Neither the order of the matched key nor the count has a limit.
    let count = store.count_users(&listing).await.expect("count succeeds");
    assert_eq!(count, u64::from(limit) + 1);
    listing.order = ListOrder::MatchedKey;
    let page = store.user_page(&listing, &page_request(2, PageEdge::Last)).await;
    assert_eq!(page.expect("read succeeds").items.len(), 2);
}
