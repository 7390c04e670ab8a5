//! Every query of the store, as the server's profiler saw it: none reads a whole collection, none
//! sorts what an index could give in order.

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

// Every filter here has matches. For one that has none the server's planner tries its candidates to
// the end of a collection this small, and they come in equal.

/// Why the matches of a query may be sorted, though only as many as the page holds are kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sorting {
    /// It may not.
    Never,
    /// A caller's own tenants: the index finds each by its identifier, so they come in that order.
    OwnTenants,
    /// A beginning of names: several indexes find them, each in its own order.
    Search,
    /// A tenant's users, for platform admins: found by the index of members. To have them in the
    /// list's orders too would take an index entry for each membership and order.
    UsersOfTenant,
}

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
    fresh.database.run_command(doc! { "profile": 2 }).await.expect("profiling");
    fresh
}

/// What the profiler saw since the last look.
async fn seen(fresh: &Fresh) -> Vec<Document> {
    fresh.database.run_command(doc! { "profile": 0 }).await.expect("off");
    let profile = fresh.database.collection::<Document>("system.profile");
    let of_data = doc! { "ns": { "$ne": format!("{}.system.profile", fresh.database.name()) },
    "command.profile": { "$exists": false } };
    let seen: Vec<Document> =
        profile.find(of_data).await.expect("the profile").try_collect().await.expect("all");
    profile.drop().await.expect("dropped");
    fresh.database.run_command(doc! { "profile": 2 }).await.expect("on");
    seen
}

/// One command since the last look, as the trait promises, and a good one.
async fn assert_one_good_command(fresh: &Fresh, what: &str, sorting: Sorting) -> Document {
    let seen = seen(fresh).await;
    let [one] = &seen[..] else { panic!("{what}: {} commands: {seen:#?}", seen.len()) };
    let plan = one.get_str("planSummary").expect("a plan");
    assert!(!plan.contains("COLLSCAN"), "{what}: {plan}: {one}");
    let sorts = one.get_bool("hasSortStage").unwrap_or(false);
    assert!(!sorts || sorting != Sorting::Never, "{what} sorts: {plan}: {one}");
    one.clone()
}

/// The windows of a page: the first, one after, one before, one between, from both ends.
fn windows(key: impl Fn(u32) -> SortKey) -> Vec<PageRequest> {
    let place = |n: u32| Some(Position { key: key(n), id: oid_of(n) });
    let absent = Some(Position { key: SortKey::Null, id: oid_of(5) });
    let mut all = Vec::new();
    for end in [PageEdge::First, PageEdge::Last] {
        for (after, before) in [
            (None, None),
            (place(40), None),
            (None, place(40)),
            (place(30), place(60)),
            (place(60), place(30)),
            (absent.clone(), None),
            (None, absent.clone()),
        ] {
            all.push(PageRequest { size: 10, edge: end, after, before });
        }
    }
    all
}

fn oid_of(n: u32) -> tenantry::domain::id::ObjectId {
    tenantry::domain::id::ObjectId(oid(n).bytes())
}

fn orders<F: Copy>(fields: &[F]) -> Vec<Order<F>> {
    let both = [Direction::Asc, Direction::Desc];
    fields
        .iter()
        .flat_map(|field| both.map(|direction| Order { field: *field, direction }))
        .collect()
}

#[tokio::test]
async fn reads_by_key() {
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
        assert!(!store.tenants(keys).await.expect("read").is_empty());
        assert_one_good_command(&fresh, &format!("{keys:?}"), Sorting::Never).await;
    }
    let ids: Vec<_> = (0..40).map(id).collect();
    let identity = Identity { issuer: ISSUER.to_owned(), subject: "u-7".to_owned() };
    for keys in [UserKeys::Ids(&ids), UserKeys::Identity(&identity)] {
        assert!(!store.users(keys).await.expect("read").is_empty());
        assert_one_good_command(&fresh, &format!("{keys:?}"), Sorting::Never).await;
    }
    let (ids, tenants): (Vec<_>, Vec<_>) = (0..40).map(|n| (id(n), id(n))).unzip();
    for keys in [
        SubscriptionKeys::Ids(&ids),
        SubscriptionKeys::LiveOfTenants(&tenants),
        SubscriptionKeys::LiveOfTenants(&tenants[..1]),
    ] {
        assert!(!store.subscriptions(keys).await.expect("read").is_empty());
        let seen = assert_one_good_command(&fresh, &format!("{keys:?}"), Sorting::Never).await;
        // The ones that are over are not even looked at.
        assert!(seen.get_i32("docsExamined").expect("counted") <= 40, "{seen}");
    }
    let events: Vec<_> = (0..40).map(id).collect();
    assert_eq!(store.audit_events(&events).await.expect("read").len(), 40);
    assert_one_good_command(&fresh, "events", Sorting::Never).await;
    assert!(store.tombstone(&identity).await.expect("read").is_some());
    assert_one_good_command(&fresh, "tombstone", Sorting::Never).await;
}

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
    for window in windows(key) {
        // The unique index lets one document be without a slug: there is nothing to order.
        let absent = [&window.after, &window.before];
        let absent = absent.into_iter().flatten().any(|place| place.key == SortKey::Null);
        if absent && listing.order.field == TenantOrderField::Slug {
            continue;
        }
        store.tenant_page(listing, &window).await.expect("read");
        assert_one_good_command(fresh, &format!("{listing:?} {window:?}"), sorting).await;
    }
    store.count_tenants(listing).await.expect("counted");
    assert_one_good_command(fresh, &format!("count {listing:?}"), Sorting::Never).await;
}

#[tokio::test]
async fn lists_of_tenants() {
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

async fn check_users(fresh: &Fresh, store: &MongoStore, listing: &UserListing, sorting: Sorting) {
    let key = |n: u32| match listing.order.field {
        UserOrderField::CreatedAt | UserOrderField::UpdatedAt => SortKey::Time(time(n.into())),
        UserOrderField::Name => SortKey::Text(format!("User {n}")),
    };
    for window in windows(key) {
        store.user_page(listing, &window).await.expect("read");
        assert_one_good_command(fresh, &format!("{listing:?} {window:?}"), sorting).await;
    }
    store.count_users(listing).await.expect("counted");
    assert_one_good_command(fresh, &format!("count {listing:?}"), Sorting::Never).await;
}

#[tokio::test]
async fn lists_of_users() {
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
async fn lists_of_subscriptions() {
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
            for window in windows(|n| SortKey::Time(time(n.into()))) {
                store.subscription_page(&listing, &window).await.expect("read");
                let what = format!("{listing:?} {window:?}");
                assert_one_good_command(&fresh, &what, sorting).await;
            }
            store.count_subscriptions(&listing).await.expect("counted");
            assert_one_good_command(&fresh, &format!("count {listing:?}"), Sorting::Never).await;
        }
    }
}

#[tokio::test]
async fn lists_of_events() {
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
        for window in windows(|n| SortKey::Time(time(n.into()))) {
            store.audit_page(&filter, &window).await.expect("read");
            assert_one_good_command(&fresh, &format!("{filter:?} {window:?}"), Sorting::Never)
                .await;
        }
        store.count_audit_events(&filter).await.expect("counted");
        assert_one_good_command(&fresh, &format!("count {filter:?}"), Sorting::Never).await;
    }
}

/// The members of many tenants cost as many keys and users as the pages hold, and no more.
#[tokio::test]
async fn members_of_many_tenants() {
    let fresh = filled().await;
    let store = fresh.store().await;
    let tenants: Vec<_> = (0..50).map(id).collect();
    let place = |n: u32| Some(Position { key: SortKey::Null, id: oid_of(n) });
    for role in [None, Some(TenantRole::Owner)] {
        let filter = MemberFilter { role };
        for end in [PageEdge::First, PageEdge::Last] {
            for (after, before) in [(None, None), (place(90), None), (None, place(400))] {
                let window = PageRequest { size: 3, edge: end, after, before };
                let pages = store.member_pages(&tenants, &filter, &window).await.expect("read");
                assert_eq!(pages.len(), 50);
                let what = format!("{filter:?} {window:?}");
                let seen = assert_one_good_command(&fresh, &what, Sorting::Never).await;
                let examined = seen.get_i32("docsExamined").expect("counted");
                // 4 of its 9 members for each tenant, and the tenant's own key; a role is looked
                // for among all 9.
                let most = if role.is_some() { 50 * 10 } else { 50 * 5 };
                assert!(examined <= most, "{what}: {examined} documents: {seen}");
            }
        }
        store.count_members(&tenants, &filter).await.expect("counted");
        assert_one_good_command(&fresh, &format!("count {filter:?}"), Sorting::Never).await;
    }
}

/// Good commands since the last look, whatever their number: as `found` of them as looked for
/// documents, and none that looked at more than `examined` of them.
async fn assert_good_commands(fresh: &Fresh, what: &str, found: usize, examined: i32) {
    let seen = seen(fresh).await;
    let plans: Vec<_> =
        seen.iter().filter_map(|one| Some((one.get_str("planSummary").ok()?, one))).collect();
    assert_eq!(plans.len(), found, "{what}: {plans:#?}");
    for (plan, one) in plans {
        assert!(!plan.contains("COLLSCAN"), "{what}: {plan}: {one}");
        assert!(!one.get_bool("hasSortStage").unwrap_or(false), "{what} sorts: {plan}: {one}");
        let looked_at = one.get_i32("docsExamined").unwrap_or_default();
        assert!(looked_at <= examined, "{what}: {looked_at} documents: {plan}: {one}");
    }
}

fn stale(was: i32) -> UserVersion {
    UserVersion { version: was, groups_as_of: None }
}

/// Every change that looks for documents: those that are meant, and no others.
#[tokio::test]
async fn changes_find_what_they_change() {
    let fresh = filled().await;
    let store = fresh.store().await;
    let mut tenants = store.tenants(TenantKeys::Ids(&[id(3)])).await.expect("read");
    let tenant = tenants.pop().expect("there").expect("readable");
    let subscriptions = SubscriptionKeys::Ids(&[id(3)]);
    let mut subscriptions = store.subscriptions(subscriptions).await.expect("read");
    let subscription = subscriptions.pop().expect("there").expect("readable");
    let mut users = store.users(UserKeys::Ids(&[id(3)])).await.expect("read");
    let user = users.pop().expect("there").expect("readable");
    let identity = Identity { issuer: ISSUER.to_owned(), subject: "u-7".to_owned() };
    let hold = Change::LockTenant { id: id(4), was: 1 };
    seen(&fresh).await;
    let delete = |n| Change::DeleteTenant { id: id(n), was: 1, at: time(1), watermark: time(2) };
    let changed = |version| tenantry::domain::tenant::Tenant { version, ..tenant.clone() };
    for (change, found) in [
        (Change::UpdateTenant { was: 1, tenant: changed(2) }, 1),
        (Change::UpdateTenant { was: 2, tenant: changed(3) }, 1),
        (hold.clone(), 1),
        (Change::UpdateSubscription { was: 1, subscription }, 1),
        (Change::DeleteSubscription { id: id(3), was: 1 }, 1),
        (Change::RequireNoLiveSubscription(id(3)), 1),
        (Change::UpdateUser { was: stale(1), user: user.clone() }, 1),
        (Change::TouchLastSeen { id: id(3), at: time(9) }, 1),
        (Change::DeleteUser { id: id(3), was: stale(1) }, 1),
        (Change::DeleteTombstones { identity: identity.clone(), was: Some(time(1)) }, 2),
        (Change::DeleteTombstones { identity, was: None }, 1),
        (Change::InsertUser(user), 1),
        // The tenant, its subscriptions, its members counted and ended; a mark, and who came late.
        (delete(10), 6),
    ] {
        let what = format!("{change:?}");
        // Together with something else, so that it is a transaction.
        let done = store.commit(&[change, hold.clone()]).await;
        done.unwrap_or_else(|refused| panic!("{what}: {refused}"));
        assert_good_commands(&fresh, &what, found + 1, 9).await;
    }
}

/// One owner among many members is found without a look at all of them; and so is that there is
/// none.
#[tokio::test]
async fn an_owner_is_found_among_many_members() {
    let fresh = filled().await;
    let store = fresh.store().await;
    let member = |n: u32, role: &str| {
        let here = doc! { "tenantId": oid(1_000), "role": role };
        // An owner elsewhere: some of these come before the one who is meant.
        let elsewhere =
            doc! { "tenantId": oid(n), "role": if n < 20 { "owner" } else { "member" } };
        doc! {
            "_id": oid(1_000 + n), "subject": format!("m-{n}"), "name": "M",
            "memberships": [here, elsewhere],
        }
    };
    fresh.insert("users", (0..500).map(|n| member(n, "member")).collect()).await;
    seen(&fresh).await;
    let kept = store.commit(&[Change::RequireOwner(id(1_000))]).await;
    assert!(matches!(kept, Err(CommitError::LastOwner)), "{kept:?}");
    assert_good_commands(&fresh, "no owner", 1, 25).await;
    fresh.insert("users", vec![member(600, "owner")]).await;
    seen(&fresh).await;
    store.commit(&[Change::RequireOwner(id(1_000))]).await.expect("there is one");
    assert_good_commands(&fresh, "an owner", 1, 25).await;
}

#[tokio::test]
async fn requests_are_found_by_key_and_by_age() {
    let fresh = filled().await;
    let store = fresh.store().await;
    let claim = |n: u8, at| Claim {
        key: IdempotencyKeyHash([n; 32]),
        fingerprint: [1; 32],
        run_id: oid_of(1),
        now: time(at),
    };
    for n in 0..100 {
        store.claim_request(&claim(n, 0)).await.expect("claimed");
    }
    seen(&fresh).await;
    let at_once = KEY_TTL.as_secs().cast_signed();
    for (now, found) in [(1, 2), (at_once, 3)] {
        store
            .claim_request(&claim(200 + u8::try_from(found).expect("few"), now))
            .await
            .expect("claimed");
        // The claim, the look for what is old, and its end.
        assert_good_commands(&fresh, "claim", found, 8).await;
    }
    let key = IdempotencyKeyHash([202; 32]);
    let step = CompletedMutation { root_field_index: 0, ids: Vec::new() };
    store
        .commit(&[Change::RecordIdempotentStep { key, run_id: oid_of(1), step }])
        .await
        .expect("committed");
    assert_good_commands(&fresh, "done", 1, 1).await;
    for (end, found) in [(RunOutcome::Abandoned, 2), (RunOutcome::Completed("a".to_owned()), 1)] {
        store.complete_request(key, oid_of(1), &end).await.expect("settled");
        assert_good_commands(&fresh, "settle", found, 1).await;
    }
}

#[tokio::test]
async fn what_is_left_of_a_tenant_is_found_by_its_mark() {
    let fresh = filled().await;
    let store = fresh.store().await;
    let member = |n: u32| {
        let here = doc! { "tenantId": oid(1_000), "role": "member" };
        doc! { "_id": oid(1_000 + n), "subject": format!("m-{n}"), "name": "M", "memberships": [here] }
    };
    fresh.insert("tenants", vec![doc! { "_id": oid(1_000), "slug": "many", "name": "Many" }]).await;
    fresh.insert("users", (0..1_100).map(member).collect()).await;
    seen(&fresh).await;
    let delete = Change::DeleteTenant { id: id(1_000), was: 1, at: time(1), watermark: time(2) };
    store.commit(&[delete]).await.expect("committed");
    // The members are counted as far as it matters, from the index alone; then the mark is seen.
    assert_good_commands(&fresh, "delete", 4, 1_001).await;
    assert_eq!(store.finish_deletions().await.expect("done"), 1_100);
    // The marks twice, the members thrice, their ends twice, the end of the mark.
    assert_good_commands(&fresh, "finish", 8, 1_000).await;
}
