//! Documents that cannot be read: each is one error, and takes nothing along.

use std::collections::BTreeSet;

use mongodb::bson::{Bson, DateTime, Document, doc};
use tenantry::{
    domain::id::TenantId,
    domain::list::{
        AuditFilter, Direction, Item, Listing, MemberFilter, Order, Page, PageRequest,
        TenantFilter, TenantListing, TenantOrderField, TenantScope, UserFilter, UserOrderField,
    },
    store::{Store, SubscriptionKeys, TenantKeys, UserKeys},
};

use super::*;
use crate::support::mongod::Fresh;

/// What is put in place of a good value, each with its field.
fn faults(faults: &[(&'static str, Bson)]) -> Vec<(&'static str, Bson)> {
    faults.to_vec()
}

fn broken_tenants() -> Vec<(&'static str, Bson)> {
    faults(&[
        ("name", 5.into()),
        ("name", Bson::Null),
        ("status", "frozen".into()),
        ("status", 1.into()),
        ("plan", "FREE".into()),
        ("domains", "acme.example".into()),
        ("domains", vec![Bson::from(1)].into()),
        ("billingInfo", "none".into()),
        ("billingInfo", doc! { "email": 1 }.into()),
        ("billingInfo", doc! { "address": { "city": [] } }.into()),
        ("integrations", doc! { "ocisSpace": true }.into()),
        ("version", 1.5.into()),
        ("version", "1".into()),
        ("version", i64::MAX.into()),
        ("createdAt", "2025-01-01".into()),
        ("updatedAt", DateTime::from_millis(i64::MAX).into()),
    ])
}

fn broken_users() -> Vec<(&'static str, Bson)> {
    let memberships = |membership: Document| vec![good_membership(), membership];
    let mut all = faults(&[
        ("name", Bson::Null),
        ("email", 5.into()),
        ("platformAdmin", "true".into()),
        ("platformAdminSource", "magic".into()),
        ("disabled", 0.into()),
        ("groupsAsOf", 0.into()),
        ("lastSeenAt", "now".into()),
        ("version", Bson::Boolean(true)),
    ]);
    for membership in [
        doc! { "tenantId": oid(1) },
        doc! { "tenantId": oid(1), "role": "king" },
        doc! { "tenantId": oid(1), "role": "member", "source": "magic" },
        doc! { "tenantId": oid(1), "role": "member", "since": 5 },
        doc! { "tenantId": "1", "role": "member" },
        doc! { "role": "member" },
    ] {
        all.push(("memberships", memberships(membership).into()));
    }
    all
}

fn good_membership() -> Document {
    doc! { "tenantId": oid(0), "role": "member" }
}

/// Number 0 is good; each after it has one fault.
fn with_faults(good: impl Fn(u32) -> Document, faults: Vec<(&str, Bson)>) -> Vec<Document> {
    let mut all = vec![good(0)];
    for (n, (field, value)) in (1..).zip(faults) {
        let mut document = good(n);
        document.insert(field, value);
        all.push(document);
    }
    all
}

fn readable<T>(page: &Page<T>) -> Vec<bool> {
    page.items.iter().map(|item| item.node.is_ok()).collect()
}

#[tokio::test]
async fn tenants() {
    let fresh = Fresh::new().await;
    let store = fresh.prepared().await;
    let good = |n: u32| {
        doc! { "_id": oid(n), "slug": format!("t-{n:02}"), "name": "T", "createdAt": date(n.into()) }
    };
    let all = with_faults(good, broken_tenants());
    let size = all.len();
    fresh.insert("tenants", all).await;

    let ids: Vec<_> = (0..size as u32).map(id).collect();
    let found = store.tenants(TenantKeys::Ids(&ids)).await.expect("read");
    assert_eq!(found.len(), size);
    assert_eq!(found.iter().filter(|found| found.is_ok()).count(), 1);

    let listing = TenantListing {
        scope: TenantScope::Everything,
        filter: TenantFilter::default(),
        order: Order { field: TenantOrderField::Slug, direction: Direction::Asc },
    };
    let page = store.tenant_page(&listing, &first(100)).await.expect("read");
    assert_eq!(readable(&page), (0..size).map(|n| n == 0).collect::<Vec<_>>());
    assert_eq!(store.count_tenants(&listing).await.expect("counted"), size as u64);
}

#[tokio::test]
async fn users_and_members() {
    let fresh = Fresh::new().await;
    let store = fresh.prepared().await;
    fresh.insert("tenants", vec![doc! { "_id": oid(0), "slug": "t-0", "name": "T" }]).await;
    let good = |n: u32| {
        doc! { "_id": oid(n), "subject": format!("u-{n:02}"), "name": "U", "createdAt": date(n.into()),
        "memberships": [good_membership()] }
    };
    let mut all = with_faults(good, broken_users());
    // One that is a member to the database's eyes: a document instead of an array of one.
    let mut lone = good(99);
    lone.insert("memberships", good_membership());
    all.push(lone);
    let size = all.len();
    fresh.insert("users", all).await;

    let ids: Vec<_> = (0..100).map(id).collect();
    let found = store.users(UserKeys::Ids(&ids)).await.expect("read");
    assert_eq!((found.len(), found.iter().filter(|found| found.is_ok()).count()), (size, 1));

    let order = Order { field: UserOrderField::CreatedAt, direction: Direction::Asc };
    let listing = Listing { scope: TenantScope::Everything, filter: UserFilter::default(), order };
    let page = store.user_page(&listing, &first(100)).await.expect("read");
    assert_eq!(readable(&page), (0..size).map(|n| n == 0).collect::<Vec<_>>());

    for role in [None, Some(tenantry::domain::user::TenantRole::Member)] {
        let filter = MemberFilter { role };
        let pages = store.member_pages(&[id(0)], &filter, &first(100)).await.expect("read");
        let page = &pages[&id(0)];
        assert!(page.items.len() >= size - 1, "{}", page.items.len());
        assert_eq!(readable(page).iter().filter(|ok| **ok).count(), 1);
        store.count_members(&[id(0)], &filter).await.expect("counted");
    }
}

#[tokio::test]
async fn subscriptions_and_events() {
    let fresh = Fresh::new().await;
    let store = fresh.prepared().await;
    let good =
        |n: u32| doc! { "_id": oid(n), "tenantId": oid(n), "plan": "free", "status": "active" };
    let all = with_faults(
        good,
        faults(&[
            ("plan", "gold".into()),
            ("plan", Bson::Null),
            ("currentPeriodEnd", 5.into()),
            ("cancelAtPeriodEnd", "no".into()),
            ("stripe", doc! { "priceId": 5 }.into()),
        ]),
    );
    fresh.insert("subscriptions", all).await;
    let tenants: Vec<_> = (0..6).map(id).collect();
    let found = store.subscriptions(SubscriptionKeys::LiveOfTenants(&tenants)).await.expect("read");
    assert_eq!((found.len(), found.iter().filter(|found| found.is_ok()).count()), (6, 1));

    let good = |n: u32| {
        doc! { "_id": oid(n), "at": date(n.into()), "action": "x", "actorKind": "system", "tenantIds": [] }
    };
    let all = with_faults(
        good,
        faults(&[
            ("action", Bson::Null),
            ("actorKind", "god".into()),
            ("actorId", "me".into()),
            ("tenantIds", vec![Bson::Null].into()),
            ("target", doc! { "kind": "planet", "id": oid(1) }.into()),
            ("changes", vec![doc! { "from": 1 }].into()),
            ("requestId", 5.into()),
        ]),
    );
    fresh.insert("auditEvents", all).await;
    let page = store.audit_page(&AuditFilter::default(), &first(100)).await.expect("read");
    assert_eq!(readable(&page).iter().filter(|ok| **ok).count(), 1);
    assert_eq!(page.items.len(), 8);
}

/// Sort fields of every type, and identifiers that are none: a walk ends, and meets each good
/// document once.
#[tokio::test]
async fn a_walk_ends_and_skips_nothing_good() {
    let fresh = Fresh::new().await;
    let store = fresh.prepared().await;
    let mut all = Vec::new();
    let odd: Vec<Bson> = vec![
        5.into(),
        "2025".into(),
        Bson::Boolean(true),
        doc! { "a": 1 }.into(),
        vec![Bson::from(date(3)), Bson::from(date(8))].into(),
        Bson::MaxKey,
        Bson::MinKey,
        Bson::Timestamp(mongodb::bson::Timestamp { time: 1, increment: 1 }),
        DateTime::from_millis(i64::MAX).into(),
        DateTime::from_millis(i64::MIN).into(),
        Bson::Null,
    ];
    for (n, value) in (100..).zip(odd) {
        all.push(doc! { "_id": oid(n), "slug": n.to_string(), "name": "N", "createdAt": value });
    }
    for n in 0..12 {
        let mut document = doc! { "_id": oid(n), "slug": n.to_string(), "name": "N" };
        // Some without, some equal: identifiers break the tie.
        if n % 3 != 0 {
            document.insert("createdAt", date(i64::from(n / 4)));
        }
        all.push(document);
    }
    all.push(doc! { "_id": "no ObjectId", "slug": "no-id", "name": "N", "createdAt": date(1) });
    fresh.insert("tenants", all).await;

    let mut good: BTreeSet<TenantId> = (0..12).map(id).collect();
    good.insert(id(110));
    for direction in [Direction::Asc, Direction::Desc] {
        let listing = TenantListing {
            scope: TenantScope::Everything,
            filter: TenantFilter::default(),
            order: Order { field: TenantOrderField::CreatedAt, direction },
        };
        for size in [1, 2, 5, 100] {
            for end in [PageEdge::First, PageEdge::Last] {
                let mut met = Vec::new();
                let mut window = PageRequest { size, edge: end, after: None, before: None };
                loop {
                    let page = store.tenant_page(&listing, &window).await.expect("read");
                    let ok = |item: &Item<_>| item.node.is_ok();
                    assert!(page.items.iter().all(ok), "{page:?}");
                    met.extend(page.items.iter().map(|item| item.position.id));
                    let more = match end {
                        PageEdge::First => page.has_next,
                        PageEdge::Last => page.has_previous,
                    };
                    if !more {
                        break;
                    }
                    match end {
                        PageEdge::First => {
                            window.after = page.items.last().map(|i| i.position.clone())
                        }
                        PageEdge::Last => {
                            window.before = page.items.first().map(|i| i.position.clone())
                        }
                    }
                    assert!(met.len() <= good.len(), "it does not end: {met:?}");
                }
                let once: BTreeSet<_> = met.iter().map(|id| TenantId::new(*id)).collect();
                assert_eq!((met.len(), &once), (good.len(), &good), "{direction:?} {size} {end:?}");
            }
        }
    }
}
