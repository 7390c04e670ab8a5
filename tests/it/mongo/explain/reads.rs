//! Lookups, lists and counts.

use tenantry::{
    domain::{
        list::{
            AuditFilter, ListOrder, Listing, MemberFilter, SubscriptionFilter,
            SubscriptionOrderField, TenantFilter, TenantListing, TenantOrderField, TenantScope,
            UserFilter, UserListing, UserOrderField,
        },
        subscription::TenantSubscriptionStatus,
        tenant::{Plan, TenantStatus},
        user::{Identity, TenantRole},
    },
    store::{Store, SubscriptionKeys, TenantKeys, UserKeys, mongo::MongoStore},
};

use super::*;

#[tokio::test]
async fn lookups_use_indexes() {
    let fresh = filled().await;
    let store = fresh.store().await;
    let ids: Vec<_> = (0..40).map(id).collect();
    let slugs: Vec<_> = (0..40).map(|n| format!("t-{n:04}")).collect();
    let groups: Vec<_> = (0..40).map(|n| format!("g-{n}")).collect();
    for keys in [
        TenantKeys::Ids(&ids),
        TenantKeys::Slugs(&slugs),
        TenantKeys::Slugs(&slugs[..1]),
        TenantKeys::SlugsOrGroups(&slugs, &groups),
        TenantKeys::SlugsOrGroups(&slugs[..1], &[]),
    ] {
        assert!(!store.tenants(keys).await.expect("read succeeds").is_empty());
        assert_one_indexed_command(&fresh, &format!("{keys:?}"), Sorting::Never).await;
    }
    let ids: Vec<_> = (0..40).map(id).collect();
    let identity = Identity { issuer: ISSUER.to_owned(), subject: "u-7".to_owned() };
    for keys in [UserKeys::Ids(&ids), UserKeys::Identity(&identity)] {
        assert!(!store.users(keys).await.expect("read succeeds").is_empty());
        assert_one_indexed_command(&fresh, &format!("{keys:?}"), Sorting::Never).await;
    }
    let (ids, tenants): (Vec<_>, Vec<_>) = (0..40).map(|n| (id(n), id(n))).unzip();
    for keys in [
        SubscriptionKeys::Ids(&ids),
        SubscriptionKeys::LiveOfTenants(&tenants),
        SubscriptionKeys::LiveOfTenants(&tenants[..1]),
    ] {
        assert!(!store.subscriptions(keys).await.expect("read succeeds").is_empty());
        let command =
            assert_one_indexed_command(&fresh, &format!("{keys:?}"), Sorting::Never).await;
        // Ended subscriptions are not examined.
        assert!(command.get_i32("docsExamined").expect("a number") <= 40, "{command}");
    }
    let events: Vec<_> = (0..40).map(id).collect();
    assert_eq!(store.audit_events(&events).await.expect("read succeeds").len(), 40);
    assert_one_indexed_command(&fresh, "events", Sorting::Never).await;
    assert!(store.tombstone(&identity).await.expect("read succeeds").is_some());
    assert_one_indexed_command(&fresh, "tombstone", Sorting::Never).await;
}

/// Asserts that all pages and the count of the list use indexes.
async fn check_tenants(
    fresh: &FreshDatabase,
    store: &MongoStore,
    listing: &TenantListing,
    sorting: Sorting,
) {
    let field = listing.order.field_or(TenantOrderField::CreatedAt).field;
    let key = |n: u32| match field {
        TenantOrderField::CreatedAt | TenantOrderField::UpdatedAt => SortKey::Time(time(n.into())),
        TenantOrderField::Name => SortKey::Text(format!("Tenant {n}")),
        TenantOrderField::Slug => SortKey::Text(format!("t-{n:04}")),
    };
    for page_request in page_requests(key) {
        // The unique index allows one document without a slug, so null slugs need no order.
        let cursors = [&page_request.after, &page_request.before];
        let has_null = cursors.into_iter().flatten().any(|position| position.key == SortKey::Null);
        if has_null && field == TenantOrderField::Slug {
            continue;
        }
        store.tenant_page(listing, &page_request).await.expect("read succeeds");
        assert_one_indexed_command(fresh, &format!("{listing:?} {page_request:?}"), sorting).await;
    }
    store.count_tenants(listing).await.expect("count succeeds");
    assert_one_indexed_command(fresh, &format!("count {listing:?}"), Sorting::Never).await;
}

#[tokio::test]
async fn tenant_lists_use_indexes() {
    let fresh = filled().await;
    let store = fresh.store().await;
    let none = TenantFilter::default;
    let filters = [
        (none(), Sorting::Never),
        (TenantFilter { status: vec![TenantStatus::Active], ..none() }, Sorting::Never),
        (TenantFilter { plan: vec![Plan::Free], ..none() }, Sorting::Never),
        (TenantFilter { domain: Some("7.example".to_owned()), ..none() }, Sorting::Never),
        (TenantFilter { search: Some("tenant 1".to_owned()), ..none() }, Sorting::Search),
    ];
    for order in orders(TenantOrderField::ALL) {
        for (filter, sorting) in &filters {
            let (scope, filter) = (TenantScope::Everything, filter.clone());
            check_tenants(
                &fresh,
                &store,
                &Listing { scope, filter, order: order.into() },
                *sorting,
            )
            .await;
        }
        let scope = TenantScope::Tenants((0..30).map(id).collect());
        let own = Listing { scope, filter: none(), order: order.into() };
        check_tenants(&fresh, &store, &own, Sorting::OwnTenants).await;
    }
}

/// Asserts that all pages and the count of the list use indexes.
async fn check_users(
    fresh: &FreshDatabase,
    store: &MongoStore,
    listing: &UserListing,
    sorting: Sorting,
) {
    let key = |n: u32| match listing.order.field_or(UserOrderField::CreatedAt).field {
        UserOrderField::CreatedAt | UserOrderField::UpdatedAt => SortKey::Time(time(n.into())),
        UserOrderField::Name => SortKey::Text(format!("User {n}")),
    };
    for page_request in page_requests(key) {
        store.user_page(listing, &page_request).await.expect("read succeeds");
        assert_one_indexed_command(fresh, &format!("{listing:?} {page_request:?}"), sorting).await;
    }
    store.count_users(listing).await.expect("count succeeds");
    assert_one_indexed_command(fresh, &format!("count {listing:?}"), Sorting::Never).await;
}

#[tokio::test]
async fn user_lists_use_indexes() {
    let fresh = filled().await;
    let store = fresh.store().await;
    let none = UserFilter::default;
    let filters = [
        (none(), Sorting::Never),
        (UserFilter { platform_admin: Some(false), ..none() }, Sorting::Never),
        (UserFilter { disabled: Some(false), ..none() }, Sorting::Never),
        (UserFilter { tenant: Some(id(3)), ..none() }, Sorting::UsersOfTenant),
        (UserFilter { search: Some("u-1".to_owned()), ..none() }, Sorting::Search),
    ];
    for order in orders(UserOrderField::ALL) {
        for (filter, sorting) in &filters {
            let (scope, filter) = (TenantScope::Everything, filter.clone());
            check_users(&fresh, &store, &Listing { scope, filter, order: order.into() }, *sorting)
                .await;
        }
    }
}

/// Returns requests for pages of a search: from both ends, and after and before the middle.
fn search_pages(middle: &Position) -> Vec<PageRequest> {
    let mut all = Vec::new();
    for edge in [PageEdge::First, PageEdge::Last] {
        for (after, before) in [(None, None), (Some(middle), None), (None, Some(middle))] {
            let (after, before) = (after.cloned(), before.cloned());
            all.push(PageRequest { size: 10, edge, after, before });
        }
    }
    all
}

/// Asserts that the page of a search took one command, which sorted nothing and read no more keys
/// and documents than the page has.
async fn assert_flat_search(fresh: &FreshDatabase, query: &str) {
    let command = assert_one_indexed_command(fresh, query, Sorting::Never).await;
    let keys = command.get_i32("keysExamined").expect("a number");
    let documents = command.get_i32("docsExamined").expect("a number");
    // A page of 10 reads 11 keys, their elements, and one key more for each range. A key that equals
    // the cursor's is read twice.
    assert!(keys <= 11 + 11 + 12 && documents <= 23, "{query}: {keys} {documents}: {command}");
}

/// A search that matches everything reads only its page, whatever the key that matches, although
/// each element matches by several keys.
#[tokio::test]
async fn searches_with_many_matches_read_only_their_page() {
    let fresh = filled().await;
    let store = fresh.store().await;
    let everything = || TenantScope::Everything;
    for (search, middle) in
        [("t", "t-0100"), ("t-", "t-0100"), ("TENANT ", "tenant 150"), ("1", "15.example")]
    {
        let filter = TenantFilter { search: Some(search.to_owned()), ..Default::default() };
        let listing = TenantListing { scope: everything(), filter, order: ListOrder::MatchedKey };
        let middle = Position { key: SortKey::Text(middle.to_owned()), id: raw_id(100) };
        for page_request in search_pages(&middle) {
            let page = store.tenant_page(&listing, &page_request).await.expect("read succeeds");
            assert_eq!(page.items.len(), 10, "{search} {page_request:?}");
            assert_flat_search(&fresh, &format!("{search} {page_request:?}")).await;
        }
        store.count_tenants(&listing).await.expect("count succeeds");
        assert_one_indexed_command(&fresh, &format!("count {search}"), Sorting::Never).await;
    }
    for (search, middle) in [("u", "u-300@example.org"), ("user", "user 300")] {
        let filter = UserFilter { search: Some(search.to_owned()), ..Default::default() };
        let listing = UserListing { scope: everything(), filter, order: ListOrder::MatchedKey };
        let middle = Position { key: SortKey::Text(middle.to_owned()), id: raw_id(300) };
        for page_request in search_pages(&middle) {
            let page = store.user_page(&listing, &page_request).await.expect("read succeeds");
            assert_eq!(page.items.len(), 10, "{search} {page_request:?}");
            assert_flat_search(&fresh, &format!("{search} {page_request:?}")).await;
        }
        store.count_users(&listing).await.expect("count succeeds");
        assert_one_indexed_command(&fresh, &format!("count {search}"), Sorting::Never).await;
    }
}

/// The search of a viewer with a few tenants reads these tenants only.
#[tokio::test]
async fn search_of_own_tenants_reads_only_them() {
    let fresh = filled().await;
    let store = fresh.store().await;
    let filter = TenantFilter { search: Some("t".to_owned()), ..Default::default() };
    let scope = TenantScope::Tenants((0..5).map(id).collect());
    let listing = TenantListing { scope, filter, order: ListOrder::MatchedKey };
    let page = store.tenant_page(&listing, &first_page(100)).await.expect("read succeeds");
    assert_eq!(page.items.len(), 5);
    let command = assert_one_indexed_command(&fresh, "own tenants", Sorting::OwnTenants).await;
    assert!(command.get_i32("docsExamined").expect("a number") <= 5, "{command}");
}

#[tokio::test]
async fn subscription_lists_use_indexes() {
    let fresh = filled().await;
    let store = fresh.store().await;
    let none = SubscriptionFilter::default;
    let everything = || TenantScope::Everything;
    let own = || TenantScope::Tenants((0..30).map(id).collect());
    let status = vec![TenantSubscriptionStatus::Active];
    let lists = [
        (everything(), none(), Sorting::Never),
        (everything(), SubscriptionFilter { status, ..none() }, Sorting::Never),
        (everything(), SubscriptionFilter { plan: vec![Plan::Free], ..none() }, Sorting::Never),
        (everything(), SubscriptionFilter { tenant: Some(id(3)), ..none() }, Sorting::Never),
        (own(), none(), Sorting::OwnTenants),
        (own(), SubscriptionFilter { tenant: Some(id(3)), ..none() }, Sorting::OwnTenants),
    ];
    for order in orders(SubscriptionOrderField::ALL) {
        for (scope, filter, sorting) in lists.clone() {
            let listing = Listing { scope, filter, order };
            for page_request in page_requests(|n| SortKey::Time(time(n.into()))) {
                store.subscription_page(&listing, &page_request).await.expect("read succeeds");
                let query = format!("{listing:?} {page_request:?}");
                assert_one_indexed_command(&fresh, &query, sorting).await;
            }
            store.count_subscriptions(&listing).await.expect("count succeeds");
            assert_one_indexed_command(&fresh, &format!("count {listing:?}"), Sorting::Never).await;
        }
    }
}

#[tokio::test]
async fn audit_log_queries_use_indexes() {
    let fresh = filled().await;
    let store = fresh.store().await;
    let none = AuditFilter::default;
    for filter in [
        none(),
        AuditFilter { tenant: Some(id(3)), ..none() },
        AuditFilter { actor: Some(id(3)), ..none() },
        AuditFilter { action: Some("a-3".to_owned()), ..none() },
        AuditFilter { since: Some(time(20)), until: Some(time(90)), ..none() },
        AuditFilter { tenant: Some(id(3)), since: Some(time(20)), ..none() },
        AuditFilter { tenant: Some(id(3)), actor: Some(id(3)), ..none() },
    ] {
        for page_request in page_requests(|n| SortKey::Time(time(n.into()))) {
            store.audit_page(&filter, &page_request).await.expect("read succeeds");
            assert_one_indexed_command(
                &fresh,
                &format!("{filter:?} {page_request:?}"),
                Sorting::Never,
            )
            .await;
        }
        store.count_audit_events(&filter).await.expect("count succeeds");
        assert_one_indexed_command(&fresh, &format!("count {filter:?}"), Sorting::Never).await;
    }
}

/// Member pages of many tenants examine only as many keys and users as the pages hold.
#[tokio::test]
async fn member_pages_examine_only_their_members() {
    let fresh = filled().await;
    let store = fresh.store().await;
    let tenants: Vec<_> = (0..50).map(id).collect();
    let position = |n: u32| Some(Position { key: SortKey::Null, id: raw_id(n) });
    for role in [None, Some(TenantRole::Owner)] {
        let filter = MemberFilter { role };
        for edge in [PageEdge::First, PageEdge::Last] {
            for (after, before) in [(None, None), (position(90), None), (None, position(400))] {
                let page_request = PageRequest { size: 3, edge, after, before };
                let pages = store
                    .member_pages(&tenants, &filter, &page_request)
                    .await
                    .expect("read succeeds");
                assert_eq!(pages.len(), 50);
                let query = format!("{filter:?} {page_request:?}");
                let command = assert_one_indexed_command(&fresh, &query, Sorting::Never).await;
                let examined = command.get_i32("docsExamined").expect("a number");
                // Each tenant costs its own key and 4 of its 9 members. A role filter examines all
                // 9.
                let limit = if role.is_some() { 50 * 10 } else { 50 * 5 };
                assert!(examined <= limit, "{query}: {examined} documents: {command}");
            }
        }
        store.count_members(&tenants, &filter).await.expect("count succeeds");
        assert_one_indexed_command(&fresh, &format!("count {filter:?}"), Sorting::Never).await;
    }
}
