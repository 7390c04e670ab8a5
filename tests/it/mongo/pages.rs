//! Lists and searches compare names with a case-insensitive collation, whichever program wrote the
//! documents.

use mongodb::bson::doc;
use tenantry::{
    domain::{
        list::{
            Direction, Listing, Order, PageRequest, TenantFilter, TenantListing, TenantOrderField,
            TenantScope, UserFilter, UserOrderField,
        },
        tenant::TenantStatus,
    },
    store::Store,
};

use super::*;
use crate::support::mongod::FreshDatabase;

const NAMES: &[&str] = &[
    "ångström",
    "ÅNGSTRÖM",
    "straße",
    "STRASSE 2",
    "100% pure",
    "100 pure",
    "a.b",
    "axb",
    ".*",
    "back\\slash",
    "$where",
    "{$gt",
    "Ελλάδα",
    "ελλάδα 2",
    "Übung",
    "zebra",
    "\u{ffff}last",
];

/// Creates tenants and users with the names of [`NAMES`].
async fn named() -> (FreshDatabase, impl Store) {
    let fresh = FreshDatabase::new().await;
    let tenant = |(n, name): (u32, &&str)| {
        doc! { "_id": oid(n), "slug": format!("slug-{n:02}"), "name": name,
        "domains": [format!("a{n}.example"), format!("Z{n}.Example")] }
    };
    fresh.insert("tenants", (0..).zip(NAMES).map(tenant).collect()).await;
    let user = |(n, name): (u32, &&str)| {
        doc! { "_id": oid(n), "subject": n.to_string(), "name": name, "email": format!("{n}@x.org") }
    };
    fresh.insert("users", (0..).zip(NAMES).map(user).collect()).await;
    let store = fresh.prepared().await;
    (fresh, store)
}

fn by_name(filter: TenantFilter, direction: Direction) -> TenantListing {
    let order = Order { field: TenantOrderField::Name, direction };
    Listing { scope: TenantScope::Everything, filter, order: order.into() }
}

#[tokio::test]
async fn search_ignores_case_and_treats_every_character_literally() {
    let (_fresh, store) = named().await;
    for (search, expected) in [
        ("ÅNGSTRÖM", vec!["ångström", "ÅNGSTRÖM"]),
        ("ångs", vec!["ångström", "ÅNGSTRÖM"]),
        ("STRASSE", vec!["straße", "STRASSE 2"]),
        ("straße", vec!["straße", "STRASSE 2"]),
        ("ΕΛΛΆΔΑ", vec!["Ελλάδα", "ελλάδα 2"]),
        ("100%", vec!["100% pure"]),
        ("100", vec!["100 pure", "100% pure"]),
        ("%", vec![]),
        ("_", vec![]),
        ("a.", vec!["a.b"]),
        (".*", vec![".*"]),
        ("back\\", vec!["back\\slash"]),
        ("$", vec!["$where"]),
        ("{$gt", vec!["{$gt"]),
        ("SLUG-15", vec!["zebra"]),
        ("Z15.e", vec!["zebra"]),
        ("z15.example.", vec![]),
        ("b", vec!["back\\slash"]),
        ("ebra", vec![]),
    ] {
        let listing = by_name(
            TenantFilter { search: Some(search.to_owned()), ..Default::default() },
            Direction::Asc,
        );
        let page = store.tenant_page(&listing, &first_page(100)).await.expect("read succeeds");
        let names: Vec<_> = page
            .items
            .iter()
            .map(|item| item.node.as_ref().expect("readable").name.as_str())
            .collect();
        assert_eq!(names, expected, "{search}");
        let count = store.count_tenants(&listing).await.expect("count succeeds");
        assert_eq!(count, expected.len() as u64, "{search}");
    }
}

#[tokio::test]
async fn user_search_matches_name_and_email_prefix() {
    let (_fresh, store) = named().await;
    let order = Order { field: UserOrderField::CreatedAt, direction: Direction::Asc };
    for (search, count) in [("STRASS", 2), ("15@X", 1), ("5@x.org", 1), ("x.org", 0)] {
        let filter = UserFilter { search: Some(search.to_owned()), ..Default::default() };
        let listing = Listing { scope: TenantScope::Everything, filter, order: order.into() };
        let page = store.user_page(&listing, &first_page(100)).await.expect("read succeeds");
        assert_eq!(page.items.len(), count, "{search}");
        assert_eq!(
            store.count_users(&listing).await.expect("count succeeds"),
            count as u64,
            "{search}"
        );
    }
}

#[tokio::test]
async fn paging_by_name_visits_each_tenant_once() {
    let (_fresh, store) = named().await;
    for direction in [Direction::Asc, Direction::Desc] {
        let listing = by_name(TenantFilter::default(), direction);
        let all = store.tenant_page(&listing, &first_page(100)).await.expect("read succeeds");
        let all: Vec<_> = all.items.into_iter().map(|item| item.position).collect();
        assert_eq!(all.len(), NAMES.len());
        let mut visited = Vec::new();
        let mut page_request = first_page(2);
        loop {
            let page = store.tenant_page(&listing, &page_request).await.expect("read succeeds");
            visited.extend(page.items.into_iter().map(|item| item.position));
            if !page.has_next {
                break;
            }
            page_request.after = visited.last().cloned();
        }
        assert_eq!(visited, all);
        // Pages between two cursors, from both ends.
        for (from, to) in [(0, 5), (3, 4), (4, 4), (0, 16), (7, 2)] {
            for edge in [PageEdge::First, PageEdge::Last] {
                let (after, before) = (Some(all[from].clone()), Some(all[to].clone()));
                let page_request = PageRequest { size: 100, edge, after, before };
                let page = store.tenant_page(&listing, &page_request).await.expect("read succeeds");
                let between: Vec<_> = page.items.into_iter().map(|item| item.position).collect();
                let expected = all.get(from + 1..to).unwrap_or_default();
                assert_eq!(between, expected, "{from} {to} {edge:?}");
            }
        }
    }
}

#[tokio::test]
async fn list_accepts_a_scope_of_ten_thousand_tenants() {
    let (_fresh, store) = named().await;
    let filter = TenantFilter { status: vec![TenantStatus::Active], ..Default::default() };
    let mut listing = by_name(filter, Direction::Asc);
    listing.scope = TenantScope::Tenants((3..10_003).map(id).collect());
    let page = store.tenant_page(&listing, &first_page(100)).await.expect("read succeeds");
    assert_eq!(page.items.len(), NAMES.len() - 3);
    let count = store.count_tenants(&listing).await.expect("count succeeds");
    assert_eq!(count, NAMES.len() as u64 - 3);
    listing.scope = TenantScope::Tenants(Vec::new());
    let page = store.tenant_page(&listing, &first_page(100)).await.expect("read succeeds");
    assert!(page.items.is_empty() && !page.has_next);
}
