//! Search: a beginning of text, without regard to case, every character taken as it is.

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

use super::{for_every_store, keep, pagination::window};
use crate::support::entities::{some, tenant, user};

for_every_store!(tenants_by_name, tenants_by_slug_and_domain, users_by_name_and_email);

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

fn tenants_with(search: &str) -> TenantListing {
    let filter = TenantFilter { search: some(search), ..Default::default() };
    let order = Order { field: TenantOrderField::CreatedAt, direction: Direction::Asc };
    Listing { scope: TenantScope::Everything, filter, order }
}

fn users_with(search: &str) -> UserListing {
    let filter = UserFilter { search: some(search), ..Default::default() };
    let order = Order { field: UserOrderField::CreatedAt, direction: Direction::Asc };
    Listing { scope: TenantScope::Everything, filter, order }
}

async fn tenants_found(store: &dyn Store, search: &str) -> Vec<Tenant> {
    let listing = tenants_with(search);
    let page = store.tenant_page(&listing, &window(100, PageEdge::First)).await.expect("read");
    let found: Vec<_> = page.items.into_iter().map(|item| item.node.expect("readable")).collect();
    let count = store.count_tenants(&listing).await.expect("counted");
    assert_eq!(count, found.len() as u64, "{search:?}");
    found
}

async fn tenants_by_name(store: Arc<dyn Store>) {
    let named = |(n, name): (u32, &&str)| Tenant { name: (*name).to_owned(), ..tenant(n) };
    keep(&*store, (0..).zip(NAMES).map(named).map(Change::InsertTenant)).await;
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
        let found = tenants_found(&*store, search).await;
        let found: Vec<_> = found.iter().map(|tenant| tenant.name.as_str()).collect();
        assert_eq!(found, expected, "{search:?}");
    }
}

async fn tenants_by_slug_and_domain(store: Arc<dyn Store>) {
    let domains = ["acme.example", "www.acme.example", "mail.coil.example"];
    let acme = Tenant {
        slug: "bolt".to_owned(),
        name: "Acme".to_owned(),
        domains: domains.map(str::to_owned).to_vec(),
        ..tenant(0)
    };
    let bolt = Tenant { slug: "coil-1".to_owned(), name: "Bolt".to_owned(), ..tenant(1) };
    keep(&*store, [acme.clone(), bolt.clone()].map(Change::InsertTenant)).await;
    for (search, expected) in [
        // By name and by domain at once, and still once.
        ("ACME", vec![&acme]),
        ("Www.", vec![&acme]),
        ("mail.coil.example", vec![&acme]),
        ("bolt", vec![&acme, &bolt]),
        ("COIL-", vec![&bolt]),
        // Between two domains of one tenant, and a beginning of neither.
        ("b.example", vec![]),
        ("nobody", vec![]),
        ("example", vec![]),
    ] {
        let found = tenants_found(&*store, search).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{search:?}");
    }
}

async fn users_by_name_and_email(store: Arc<dyn Store>) {
    let with = |n, email: &str| User { email: some(email), ..user(n) };
    let all = [
        with(0, "Zoo@Example.org"),
        with(1, "ada.second@example.org"),
        with(2, "straße_1%@example.org"),
        user(3),
        user(4),
    ];
    keep(&*store, all.map(Change::InsertUser)).await;
    for (search, expected) in [
        ("ADA", vec![0, 1, 4]),
        ("zoo@e", vec![0]),
        ("STRASSE_1%", vec![2]),
        ("STRASSE_1_", vec![]),
        ("mallory", vec![3]),
        ("example", vec![]),
        ("subject", vec![]),
    ] {
        let listing = users_with(search);
        let page = store.user_page(&listing, &window(100, PageEdge::First)).await.expect("read");
        let found: BTreeSet<_> =
            page.items.into_iter().map(|item| item.node.expect("readable").id).collect();
        let expected: BTreeSet<_> = expected.into_iter().map(|n| user(n).id).collect();
        assert_eq!(found, expected, "{search:?}");
        let count = store.count_users(&listing).await.expect("counted");
        assert_eq!(count, expected.len() as u64, "{search:?}");
    }
}
