//! Checks every query of the store with the server's profiler. No query scans a collection, and no
//! query sorts results that an index could return in order.

use futures_util::TryStreamExt;
use mongodb::bson::{Document, doc};
use tenantry::{
    domain::{
        change::{Change, UserVersion},
        idempotency::{Claim, CompletedMutation, IdempotencyKeyHash, KEY_TTL, RunOutcome},
        list::{
            AuditFilter, Direction, Listing, MemberFilter, Order, PageRequest, Position, SortKey,
            SubscriptionFilter, SubscriptionOrderField, TenantFilter, TenantListing,
            TenantOrderField, TenantScope, UserFilter, UserListing, UserOrderField,
        },
        subscription::TenantSubscriptionStatus,
        tenant::{Plan, TenantStatus},
        user::{Identity, TenantRole},
    },
    store::{CommitError, Store, SubscriptionKeys, TenantKeys, UserKeys, mongo::MongoStore},
};

use super::*;
use crate::support::mongod::{Fresh, ISSUER};

const TENANTS: u32 = 200;
const USERS: u32 = 600;

// Every filter in this module has matches. For a filter without matches, the server's planner runs
// its candidate plans to the end of such a small collection, and they tie.

/// The reason why a query may sort its matches. Such a sort keeps only as many as the page holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sorting {
    /// The query must not sort.
    Never,
    /// A list of the caller's own tenants. The index finds them by identifier, so they arrive in that
    /// order.
    OwnTenants,
    /// A prefix search. Several indexes find the matches, each in its own order.
    Search,
    /// A list of a tenant's users, for platform admins. The index of members finds them. Returning
    /// them in the list's orders would need an index entry for each membership and order.
    UsersOfTenant,
}

/// Creates a database with documents in every collection and starts the profiler.
async fn filled() -> Fresh {
    let fresh = Fresh::new().await;
    fresh.prepared().await;
    let tenant = |n: u32| {
        doc! {
            "_id": oid(n), "slug": format!("t-{n:04}"), "name": format!("Tenant {n}"),
            "status": "active", "plan": "free", "domains": [format!("{n}.example")],
            "integrations": { "authentikGroup": format!("g-{n}") },
            "createdAt": date((n / 2).into()), "updatedAt": date(n.into()),
        }
    };
    fresh.insert("tenants", (0..TENANTS).map(tenant).collect()).await;
    let subscription = |n: u32| {
        doc! {
            "_id": oid(n), "tenantId": oid(n % TENANTS), "plan": "free",
            "status": if n < TENANTS { "active" } else { "canceled" },
            "createdAt": date(n.into()), "updatedAt": date(n.into()), "currentPeriodEnd": date(n.into()),
        }
    };
    fresh.insert("subscriptions", (0..2 * TENANTS).map(subscription).collect()).await;
    let user = |n: u32| {
        let role = if n.is_multiple_of(7) { "owner" } else { "member" };
        let memberships: Vec<Document> = (0..3)
            .map(|m| doc! { "tenantId": oid((n + m * 50) % TENANTS), "role": role })
            .collect();
        doc! {
            "_id": oid(n), "subject": format!("u-{n}"), "name": format!("User {n}"),
            "email": format!("u-{n}@example.org"), "memberships": memberships,
            "createdAt": date(n.into()), "updatedAt": date(n.into()),
        }
    };
    fresh.insert("users", (0..USERS).map(user).collect()).await;
    let event = |n: u32| {
        doc! {
            "_id": oid(n), "at": date(n.into()), "action": format!("a-{}", n % 9), "actorKind": "user",
            "actorId": oid(n % 20), "tenantIds": [oid(n % 30)],
        }
    };
    fresh.insert("auditEvents", (0..USERS).map(event).collect()).await;
    let tombstone =
        |n: u32| doc! { "subject": format!("u-{n}"), "issuer": ISSUER, "deletedAt": date(1) };
    fresh.insert("tombstones", (0..50).map(tombstone).collect()).await;
    fresh.database.run_command(doc! { "profile": 2 }).await.expect("profiler starts");
    fresh
}

/// Returns the commands that the profiler has recorded since the last call.
async fn profiled(fresh: &Fresh) -> Vec<Document> {
    fresh.database.run_command(doc! { "profile": 0 }).await.expect("profiler stops");
    let profile = fresh.database.collection::<Document>("system.profile");
    let filter = doc! { "ns": { "$ne": format!("{}.system.profile", fresh.database.name()) },
    "command.profile": { "$exists": false } };
    let commands: Vec<Document> = profile
        .find(filter)
        .await
        .expect("profile is readable")
        .try_collect()
        .await
        .expect("cursor is readable");
    profile.drop().await.expect("drop succeeds");
    fresh.database.run_command(doc! { "profile": 2 }).await.expect("profiler starts");
    commands
}

/// Asserts that the store has sent one command since the last call, as the trait promises, and that
/// the command uses an index.
async fn assert_one_indexed_command(fresh: &Fresh, query: &str, sorting: Sorting) -> Document {
    let commands = profiled(fresh).await;
    let [command] = &commands[..] else {
        panic!("{query}: {} commands: {commands:#?}", commands.len())
    };
    let plan = command.get_str("planSummary").expect("a plan");
    assert!(!plan.contains("COLLSCAN"), "{query}: {plan}: {command}");
    let sorts = command.get_bool("hasSortStage").unwrap_or(false);
    assert!(!sorts || sorting != Sorting::Never, "{query} sorts: {plan}: {command}");
    command.clone()
}

/// Returns requests for the first page and for pages after, before and between cursors, from both
/// ends.
fn page_requests(key: impl Fn(u32) -> SortKey) -> Vec<PageRequest> {
    let position = |n: u32| Some(Position { key: key(n), id: raw_id(n) });
    let null = Some(Position { key: SortKey::Null, id: raw_id(5) });
    let mut all = Vec::new();
    for edge in [PageEdge::First, PageEdge::Last] {
        for (after, before) in [
            (None, None),
            (position(40), None),
            (None, position(40)),
            (position(30), position(60)),
            (position(60), position(30)),
            (null.clone(), None),
            (None, null.clone()),
        ] {
            all.push(PageRequest { size: 10, edge, after, before });
        }
    }
    all
}

/// Returns the n-th identifier as the domain's untyped identifier.
fn raw_id(n: u32) -> tenantry::domain::id::ObjectId {
    tenantry::domain::id::ObjectId(oid(n).bytes())
}

fn orders<F: Copy>(fields: &[F]) -> Vec<Order<F>> {
    let directions = [Direction::Asc, Direction::Desc];
    fields
        .iter()
        .flat_map(|field| directions.map(|direction| Order { field: *field, direction }))
        .collect()
}

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
        SubscriptionKeys::LiveSubscriptionKey(&tenants),
        SubscriptionKeys::LiveSubscriptionKey(&tenants[..1]),
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
    fresh: &Fresh,
    store: &MongoStore,
    listing: &TenantListing,
    sorting: Sorting,
) {
    let key = |n: u32| match listing.order.field {
        TenantOrderField::CreatedAt | TenantOrderField::UpdatedAt => SortKey::Time(time(n.into())),
        TenantOrderField::Name => SortKey::Text(format!("Tenant {n}")),
        TenantOrderField::Slug => SortKey::Text(format!("t-{n:04}")),
    };
    for page_request in page_requests(key) {
        // The unique index allows one document without a slug, so null slugs need no order.
        let cursors = [&page_request.after, &page_request.before];
        let has_null = cursors.into_iter().flatten().any(|position| position.key == SortKey::Null);
        if has_null && listing.order.field == TenantOrderField::Slug {
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
            check_tenants(&fresh, &store, &Listing { scope, filter, order }, *sorting).await;
        }
        let scope = TenantScope::Tenants((0..30).map(id).collect());
        let own = Listing { scope, filter: none(), order };
        check_tenants(&fresh, &store, &own, Sorting::OwnTenants).await;
    }
}

/// Asserts that all pages and the count of the list use indexes.
async fn check_users(fresh: &Fresh, store: &MongoStore, listing: &UserListing, sorting: Sorting) {
    let key = |n: u32| match listing.order.field {
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
            check_users(&fresh, &store, &Listing { scope, filter, order }, *sorting).await;
        }
    }
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
                // Each tenant costs its own key and 4 of its 9 members. A role filter examines all 9.
                let limit = if role.is_some() { 50 * 10 } else { 50 * 5 };
                assert!(examined <= limit, "{query}: {examined} documents: {command}");
            }
        }
        store.count_members(&tenants, &filter).await.expect("count succeeds");
        assert_one_indexed_command(&fresh, &format!("count {filter:?}"), Sorting::Never).await;
    }
}

/// Asserts that the store has sent `expected` commands with a query plan since the last call, that all
/// of them use an index without sorting, and that none examined more than `max_examined` documents.
async fn assert_indexed_commands(fresh: &Fresh, query: &str, expected: usize, max_examined: i32) {
    let commands = profiled(fresh).await;
    let plans: Vec<_> = commands
        .iter()
        .filter_map(|command| Some((command.get_str("planSummary").ok()?, command)))
        .collect();
    assert_eq!(plans.len(), expected, "{query}: {plans:#?}");
    for (plan, command) in plans {
        assert!(!plan.contains("COLLSCAN"), "{query}: {plan}: {command}");
        let sorts = command.get_bool("hasSortStage").unwrap_or(false);
        assert!(!sorts, "{query} sorts: {plan}: {command}");
        let examined = command.get_i32("docsExamined").unwrap_or_default();
        assert!(examined <= max_examined, "{query}: {examined} documents: {plan}: {command}");
    }
}

fn user_version(version: i32) -> UserVersion {
    UserVersion { version, groups_as_of: None }
}

/// Every change that queries documents examines only the documents it concerns.
#[tokio::test]
async fn changes_examine_only_their_documents() {
    let fresh = filled().await;
    let store = fresh.store().await;
    let mut tenants = store.tenants(TenantKeys::Ids(&[id(3)])).await.expect("read succeeds");
    let tenant = tenants.pop().expect("present").expect("readable");
    let subscriptions = SubscriptionKeys::Ids(&[id(3)]);
    let mut subscriptions = store.subscriptions(subscriptions).await.expect("read succeeds");
    let subscription = subscriptions.pop().expect("present").expect("readable");
    let mut users = store.users(UserKeys::Ids(&[id(3)])).await.expect("read succeeds");
    let user = users.pop().expect("present").expect("readable");
    let identity = Identity { issuer: ISSUER.to_owned(), subject: "u-7".to_owned() };
    let lock = Change::LockTenant { id: id(4), was: 1 };
    profiled(&fresh).await;
    let delete = |n| Change::DeleteTenant { id: id(n), was: 1, at: time(1), watermark: time(2) };
    let updated = |version| tenantry::domain::tenant::Tenant { version, ..tenant.clone() };
    for (change, commands) in [
        (Change::UpdateTenant { was: 1, tenant: updated(2) }, 1),
        (Change::UpdateTenant { was: 2, tenant: updated(3) }, 1),
        (lock.clone(), 1),
        (Change::UpdateSubscription { was: 1, subscription }, 1),
        (Change::DeleteSubscription { id: id(3), was: 1 }, 1),
        (Change::RequireNoLiveSubscription(id(3)), 1),
        (Change::UpdateUser { was: user_version(1), user: user.clone() }, 1),
        (Change::TouchLastSeen { id: id(3), at: time(9) }, 1),
        (Change::DeleteUser { id: id(3), was: user_version(1) }, 1),
        (Change::DeleteTombstones { identity: identity.clone(), was: Some(time(1)) }, 2),
        (Change::DeleteTombstones { identity, was: None }, 1),
        (Change::InsertUser(user), 1),
        // Deletes the tenant and its subscriptions, counts and removes its members, looks for a
        // marker document, and looks for late memberships.
        (delete(10), 6),
    ] {
        let query = format!("{change:?}");
        // A second change makes the commit a transaction.
        let result = store.commit(&[change, lock.clone()]).await;
        result.unwrap_or_else(|error| panic!("{query}: {error}"));
        assert_indexed_commands(&fresh, &query, commands + 1, 9).await;
    }
}

/// The store finds out whether a tenant has an owner without examining all its members.
#[tokio::test]
async fn owner_check_does_not_examine_all_members() {
    let fresh = filled().await;
    let store = fresh.store().await;
    let member = |n: u32, role: &str| {
        let here = doc! { "tenantId": oid(1_000), "role": role };
        // Some members own another tenant, and they sort before the owner of this one.
        let other = doc! { "tenantId": oid(n), "role": if n < 20 { "owner" } else { "member" } };
        doc! {
            "_id": oid(1_000 + n), "subject": format!("m-{n}"), "name": "M",
            "memberships": [here, other],
        }
    };
    fresh.insert("users", (0..500).map(|n| member(n, "member")).collect()).await;
    profiled(&fresh).await;
    let result = store.commit(&[Change::RequireOwner(id(1_000))]).await;
    assert!(matches!(result, Err(CommitError::OwnerRequirement)), "{result:?}");
    assert_indexed_commands(&fresh, "no owner", 1, 25).await;
    fresh.insert("users", vec![member(600, "owner")]).await;
    profiled(&fresh).await;
    store.commit(&[Change::RequireOwner(id(1_000))]).await.expect("the tenant has an owner");
    assert_indexed_commands(&fresh, "an owner", 1, 25).await;
}

#[tokio::test]
async fn idempotency_records_use_indexes() {
    let fresh = filled().await;
    let store = fresh.store().await;
    let claim = |n: u8, at| Claim {
        key: IdempotencyKeyHash([n; 32]),
        fingerprint: [1; 32],
        run_id: raw_id(1),
        now: time(at),
    };
    for n in 0..100 {
        store.claim_request(&claim(n, 0)).await.expect("claim succeeds");
    }
    profiled(&fresh).await;
    let expiry = KEY_TTL.as_secs().cast_signed();
    for (now, commands) in [(1, 2), (expiry, 3)] {
        store
            .claim_request(&claim(200 + u8::try_from(commands).expect("in range"), now))
            .await
            .expect("claim succeeds");
        // The commands are the claim, the search for expired records, and their deletion.
        assert_indexed_commands(&fresh, "claim", commands, 8).await;
    }
    let key = IdempotencyKeyHash([202; 32]);
    let step = CompletedMutation { root_field_index: 0, ids: Vec::new() };
    store
        .commit(&[Change::RecordIdempotentStep { key, run_id: raw_id(1), step }])
        .await
        .expect("commit succeeds");
    assert_indexed_commands(&fresh, "record step", 1, 1).await;
    for (outcome, commands) in
        [(RunOutcome::Abandoned, 2), (RunOutcome::Completed("a".to_owned()), 1)]
    {
        store.complete_request(key, raw_id(1), &outcome).await.expect("completion succeeds");
        assert_indexed_commands(&fresh, "complete", commands, 1).await;
    }
}

#[tokio::test]
async fn tenant_cleanup_uses_indexes() {
    let fresh = filled().await;
    let store = fresh.store().await;
    let member = |n: u32| {
        let here = doc! { "tenantId": oid(1_000), "role": "member" };
        doc! { "_id": oid(1_000 + n), "subject": format!("m-{n}"), "name": "M", "memberships": [here] }
    };
    fresh.insert("tenants", vec![doc! { "_id": oid(1_000), "slug": "many", "name": "Many" }]).await;
    fresh.insert("users", (0..1_100).map(member).collect()).await;
    profiled(&fresh).await;
    let delete = Change::DeleteTenant { id: id(1_000), was: 1, at: time(1), watermark: time(2) };
    store.commit(&[delete]).await.expect("commit succeeds");
    // The members are counted from the index alone, up to the limit of a transaction. Then the marker
    // document is looked up.
    assert_indexed_commands(&fresh, "delete", 4, 1_001).await;
    assert_eq!(store.finish_deletions().await.expect("cleanup succeeds"), 1_100);
    // Two lookups of marker documents, three of members, two removals of memberships, and the
    // removal of the marker.
    assert_indexed_commands(&fresh, "finish", 8, 1_000).await;
}
