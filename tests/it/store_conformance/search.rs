//! Search: a case-insensitive prefix match in which every character is literal.

use std::{collections::BTreeSet, sync::Arc};

use tenantry::{
    domain::{
        change::Change,
        list::{
            Direction, Listing, Order, PageEdge, TenantFilter, TenantListing, TenantOrderField,
            TenantScope, UserFilter, UserListing, UserOrderField,
        },
        tenant::Tenant,
        user::User,
    },
    store::Store,
};

use super::{for_each_store, must_commit, pagination::page_request};
use crate::support::entities::{some, tenant, user};

for_each_store!(
    tenant_search_matches_name_prefix,
    tenant_search_matches_slug_and_domain_prefix,
    user_search_matches_name_and_email_prefix,
);

const NAMES: &[&str] = &[
    "ångström",
    "ÅNGSTRÖM",
    "straße",
    "STRASSE 2",
    "Ελλάδα",
    "ΕΛΛΆΔΑ 2",
    "100% pure",
    "100 pure",
    "a.b",
    "axb",
    "a_b",
    "a%b",
    "a*b",
    ".*",
    "back\\slash",
    "$where",
    "^start",
    "{$gt",
    "[a]",
    "(a",
    "*",
    "'quoted",
    "\"double",
    "zebra",
];

fn tenant_listing(search: &str) -> TenantListing {
    let filter = TenantFilter { search: some(search), ..Default::default() };
    let order = Order { field: TenantOrderField::CreatedAt, direction: Direction::Asc };
    Listing { scope: TenantScope::Everything, filter, order: order.into() }
}

fn user_listing(search: &str) -> UserListing {
    let filter = UserFilter { search: some(search), ..Default::default() };
    let order = Order { field: UserOrderField::CreatedAt, direction: Direction::Asc };
    Listing { scope: TenantScope::Everything, filter, order: order.into() }
}

async fn search_tenants(store: &dyn Store, search: &str) -> Vec<Tenant> {
    let listing = tenant_listing(search);
    let page = store
        .tenant_page(&listing, &page_request(100, PageEdge::First))
        .await
        .expect("read succeeds");
    let tenants: Vec<_> = page.items.into_iter().map(|item| item.node.expect("readable")).collect();
    let count = store.count_tenants(&listing).await.expect("count succeeds");
    assert_eq!(count, tenants.len() as u64, "{search:?}");
    tenants
}

async fn tenant_search_matches_name_prefix(store: Arc<dyn Store>) {
    let named = |(n, name): (u32, &&str)| Tenant { name: (*name).to_owned(), ..tenant(n) };
    must_commit(&*store, (0..).zip(NAMES).map(named).map(Change::InsertTenant)).await;
    for (search, expected) in [
        ("ÅNGSTRÖM", vec!["ångström", "ÅNGSTRÖM"]),
        ("ångström", vec!["ångström", "ÅNGSTRÖM"]),
        ("Ångs", vec!["ångström", "ÅNGSTRÖM"]),
        ("STRASSE", vec!["straße", "STRASSE 2"]),
        ("straße", vec!["straße", "STRASSE 2"]),
        ("StRaS", vec!["straße", "STRASSE 2"]),
        ("STRASSE 2", vec!["STRASSE 2"]),
        ("ΕΛΛΆΔΑ", vec!["Ελλάδα", "ΕΛΛΆΔΑ 2"]),
        ("100", vec!["100% pure", "100 pure"]),
        ("100%", vec!["100% pure"]),
        ("%", vec![]),
        ("_", vec![]),
        ("a_", vec!["a_b"]),
        ("a%", vec!["a%b"]),
        ("a*", vec!["a*b"]),
        ("a.", vec!["a.b"]),
        (".", vec![".*"]),
        (".*", vec![".*"]),
        ("*", vec!["*"]),
        ("back\\", vec!["back\\slash"]),
        ("\\", vec![]),
        ("$", vec!["$where"]),
        ("^", vec!["^start"]),
        ("{$", vec!["{$gt"]),
        ("[", vec!["[a]"]),
        ("(", vec!["(a"]),
        ("'", vec!["'quoted"]),
        ("\"", vec!["\"double"]),
        ("ZEBRA", vec!["zebra"]),
        ("zebras", vec![]),
        ("ebra", vec![]),
    ] {
        let tenants = search_tenants(&*store, search).await;
        let names: Vec<_> = tenants.iter().map(|tenant| tenant.name.as_str()).collect();
        assert_eq!(names, expected, "{search:?}");
    }
}

async fn tenant_search_matches_slug_and_domain_prefix(store: Arc<dyn Store>) {
    let domains = ["acme.example", "www.acme.example", "mail.coil.example"];
    let acme = Tenant {
        slug: "bolt".to_owned(),
        name: "Acme".to_owned(),
        domains: domains.map(str::to_owned).to_vec(),
        ..tenant(0)
    };
    let bolt = Tenant { slug: "coil-1".to_owned(), name: "Bolt".to_owned(), ..tenant(1) };
    must_commit(&*store, [acme.clone(), bolt.clone()].map(Change::InsertTenant)).await;
    for (search, expected) in [
        // A tenant that matches by name and by domain is returned once.
        ("ACME", vec![&acme]),
        ("Www.", vec![&acme]),
        ("mail.coil.example", vec![&acme]),
        ("bolt", vec![&acme, &bolt]),
        ("COIL-", vec![&bolt]),
        // The text occurs inside a domain but is not a prefix of one.
        ("b.example", vec![]),
        ("unknown", vec![]),
        ("example", vec![]),
    ] {
        let tenants = search_tenants(&*store, search).await;
        assert_eq!(tenants.iter().collect::<Vec<_>>(), expected, "{search:?}");
    }
}

async fn user_search_matches_name_and_email_prefix(store: Arc<dyn Store>) {
    let with_email = |n, email: &str| User { email: some(email), ..user(n) };
    let all = [
        with_email(0, "Zoo@Example.org"),
        with_email(1, "ada.second@example.org"),
        with_email(2, "straße_1%@example.org"),
        user(3),
        user(4),
    ];
    must_commit(&*store, all.map(Change::InsertUser)).await;
    for (search, expected) in [
        ("ADA", vec![0, 1, 4]),
        ("zoo@e", vec![0]),
        ("STRASSE_1%", vec![2]),
        ("STRASSE_1_", vec![]),
        ("mallory", vec![3]),
        ("example", vec![]),
        ("subject", vec![]),
    ] {
        let listing = user_listing(search);
        let page = store
            .user_page(&listing, &page_request(100, PageEdge::First))
            .await
            .expect("read succeeds");
        let ids: BTreeSet<_> =
            page.items.into_iter().map(|item| item.node.expect("readable").id).collect();
        let expected: BTreeSet<_> = expected.into_iter().map(|n| user(n).id).collect();
        assert_eq!(ids, expected, "{search:?}");
        let count = store.count_users(&listing).await.expect("count succeeds");
        assert_eq!(count, expected.len() as u64, "{search:?}");
    }
}
