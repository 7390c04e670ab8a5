//! An unreadable document is one error and does not affect other documents.

use mongodb::bson::{Bson, DateTime, Document, doc};
use tenantry::{
    domain::list::{
        AuditFilter, Direction, Listing, MemberFilter, Order, Page, TenantFilter, TenantListing,
        TenantOrderField, TenantScope, UserFilter, UserOrderField,
    },
    store::{Store, SubscriptionKeys, TenantKeys, UserKeys},
};

use super::*;
use crate::support::mongod::FreshDatabase;

/// Returns invalid values, each with the field it replaces.
fn invalid_fields(fields: &[(&'static str, Bson)]) -> Vec<(&'static str, Bson)> {
    fields.to_vec()
}

fn invalid_tenant_fields() -> Vec<(&'static str, Bson)> {
    invalid_fields(&[
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

fn invalid_user_fields() -> Vec<(&'static str, Bson)> {
    let memberships = |membership: Document| vec![valid_membership(), membership];
    let mut fields = invalid_fields(&[
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
        fields.push(("memberships", memberships(membership).into()));
    }
    fields
}

fn valid_membership() -> Document {
    doc! { "tenantId": oid(0), "role": "member" }
}

/// Returns one valid document, followed by one document for each invalid field.
fn with_invalid_fields(
    valid: impl Fn(u32) -> Document,
    fields: Vec<(&str, Bson)>,
) -> Vec<Document> {
    let mut documents = vec![valid(0)];
    for (n, (field, value)) in (1..).zip(fields) {
        let mut document = valid(n);
        document.insert(field, value);
        documents.push(document);
    }
    documents
}

/// Returns, for each item of the page, whether it is readable.
fn is_readable<T>(page: &Page<T>) -> Vec<bool> {
    page.items.iter().map(|item| item.node.is_ok()).collect()
}

#[tokio::test]
async fn unreadable_tenants_do_not_hide_others() {
    let fresh = FreshDatabase::new().await;
    let store = fresh.prepared().await;
    let valid = |n: u32| {
        doc! { "_id": oid(n), "slug": format!("t-{n:02}"), "name": "T", "createdAt": date(n.into()) }
    };
    let all = with_invalid_fields(valid, invalid_tenant_fields());
    let size = all.len();
    fresh.insert("tenants", all).await;

    let ids: Vec<_> = (0..size as u32).map(id).collect();
    let tenants = store.tenants(TenantKeys::Ids(&ids)).await.expect("read succeeds");
    assert_eq!(tenants.len(), size);
    assert_eq!(tenants.iter().filter(|tenant| tenant.is_ok()).count(), 1);

    let details = ["domains", "billingInfo", "integrations"];
    let fields = invalid_tenant_fields().into_iter().map(|(field, _)| field);
    let in_details = fields.filter(|field| details.contains(field)).count();
    let tenants = store.tenants_without_details(TenantKeys::Ids(&ids)).await.expect("a read");
    assert_eq!(tenants.iter().filter(|tenant| tenant.is_ok()).count(), 1 + in_details);

    let listing = TenantListing {
        scope: TenantScope::Everything,
        filter: TenantFilter::default(),
        order: Order { field: TenantOrderField::Slug, direction: Direction::Asc }.into(),
    };
    let page = store.tenant_page(&listing, &first_page(100)).await.expect("read succeeds");
    assert_eq!(is_readable(&page), (0..size).map(|n| n == 0).collect::<Vec<_>>());
    assert_eq!(store.count_tenants(&listing).await.expect("count succeeds"), size as u64);
}

#[tokio::test]
async fn unreadable_users_do_not_hide_others() {
    let fresh = FreshDatabase::new().await;
    let store = fresh.prepared().await;
    fresh.insert("tenants", vec![doc! { "_id": oid(0), "slug": "t-0", "name": "T" }]).await;
    let valid = |n: u32| {
        doc! { "_id": oid(n), "subject": format!("u-{n:02}"), "name": "U", "createdAt": date(n.into()),
        "memberships": [valid_membership()] }
    };
    let mut all = with_invalid_fields(valid, invalid_user_fields());
    // MongoDB's queries match a document in place of an array of one, so this user counts as a
    // member.
    let mut without_array = valid(99);
    without_array.insert("memberships", valid_membership());
    all.push(without_array);
    let size = all.len();
    fresh.insert("users", all).await;

    let ids: Vec<_> = (0..100).map(id).collect();
    let users = store.users(UserKeys::Ids(&ids)).await.expect("read succeeds");
    assert_eq!((users.len(), users.iter().filter(|user| user.is_ok()).count()), (size, 1));

    let order = Order { field: UserOrderField::CreatedAt, direction: Direction::Asc };
    let listing = Listing {
        scope: TenantScope::Everything,
        filter: UserFilter::default(),
        order: order.into(),
    };
    let page = store.user_page(&listing, &first_page(100)).await.expect("read succeeds");
    assert_eq!(is_readable(&page), (0..size).map(|n| n == 0).collect::<Vec<_>>());

    for role in [None, Some(tenantry::domain::user::TenantRole::Member)] {
        let filter = MemberFilter { role };
        let pages =
            store.member_pages(&[id(0)], &filter, &first_page(100)).await.expect("read succeeds");
        let page = &pages[&id(0)];
        assert!(page.items.len() >= size - 1, "{}", page.items.len());
        assert_eq!(is_readable(page).iter().filter(|ok| **ok).count(), 1);
        store.count_members(&[id(0)], &filter).await.expect("count succeeds");
    }
}

#[tokio::test]
async fn unreadable_subscriptions_and_audit_events_do_not_hide_others() {
    let fresh = FreshDatabase::new().await;
    let store = fresh.prepared().await;
    let valid =
        |n: u32| doc! { "_id": oid(n), "tenantId": oid(n), "plan": "free", "status": "active" };
    let all = with_invalid_fields(
        valid,
        invalid_fields(&[
            ("plan", "gold".into()),
            ("plan", Bson::Null),
            ("currentPeriodEnd", 5.into()),
            ("cancelAtPeriodEnd", "no".into()),
            ("stripe", doc! { "priceId": 5 }.into()),
        ]),
    );
    fresh.insert("subscriptions", all).await;
    let tenants: Vec<_> = (0..6).map(id).collect();
    let stored = store
        .subscriptions(SubscriptionKeys::LiveOfTenants(&tenants))
        .await
        .expect("read succeeds");
    assert_eq!((stored.len(), stored.iter().filter(|item| item.is_ok()).count()), (6, 1));

    let valid = |n: u32| {
        doc! { "_id": oid(n), "at": date(n.into()), "action": "x", "actorKind": "system", "tenantIds": [] }
    };
    let all = with_invalid_fields(
        valid,
        invalid_fields(&[
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
    let page =
        store.audit_page(&AuditFilter::default(), &first_page(100)).await.expect("read succeeds");
    assert_eq!(is_readable(&page).iter().filter(|ok| **ok).count(), 1);
    assert_eq!(page.items.len(), 8);
}
