//! Updates of documents that other programs also write keep unknown fields.

use mongodb::bson::{Document, doc};
use tenantry::{
    domain::{
        change::Change,
        subscription::TenantSubscription,
        tenant::{BillingInfo, PostalAddress, Tenant, TenantIntegrations},
        user::User,
    },
    store::{CommitError, Store, SubscriptionKeys, TenantKeys, UserKeys},
};

use super::*;
use crate::support::mongod::FreshDatabase;

/// Returns the first document of a collection as it is stored.
async fn stored_document(fresh: &FreshDatabase, collection: &str) -> Document {
    let collection = fresh.database.collection::<Document>(collection);
    collection.find_one(doc! { "_id": oid(1) }).await.expect("read succeeds").expect("present")
}

async fn load_tenant(store: &dyn Store) -> Tenant {
    let mut tenants = store.tenants(TenantKeys::Ids(&[id(1)])).await.expect("read succeeds");
    tenants.pop().expect("present").expect("readable")
}

#[tokio::test]
async fn tenant_update_keeps_unknown_fields() {
    let fresh = FreshDatabase::new().await;
    let store = fresh.prepared().await;
    let address = doc! { "city": "Köln", "geo": [1, 2] };
    let existing = doc! {
        "_id": oid(1), "slug": "acme", "name": "Acme", "theme": { "dark": true },
        "billingInfo": { "email": "a@acme.example", "iban": "x", "address": address },
        "integrations": { "ocisSpace": "s", "extra": 1 },
        "plan": null, "version": null,
    };
    fresh.insert("tenants", vec![existing]).await;
    let mut changed = load_tenant(&store).await;
    let expected = changed.version;
    let billing = changed.billing_info.as_mut().expect("present");
    billing.email = None;
    billing.vat_id = Some("DE1".to_owned());
    billing.address = Some(PostalAddress { line1: Some("$x".to_owned()), ..Default::default() });
    changed.integrations = Some(TenantIntegrations::default());
    changed.domains = vec!["acme.example".to_owned()];
    changed.version = 2;
    changed.updated_at = time(9);
    let update = Change::UpdateTenant { expected, tenant: changed.clone() };
    store.commit(std::slice::from_ref(&update)).await.expect("commit succeeds");
    assert_eq!(load_tenant(&store).await, changed);
    let mut after = stored_document(&fresh, "tenants").await;
    assert_eq!(after.remove("theme"), Some(doc! { "dark": true }.into()));
    let billing = after.get_document("billingInfo").expect("present");
    let field = |name: &str| billing.get(name).cloned();
    assert_eq!((field("iban"), field("vatId")), (Some("x".into()), Some("DE1".into())));
    assert_eq!(field("email"), None);
    let address = billing.get_document("address").expect("present");
    assert_eq!(address, &doc! { "geo": [1, 2], "line1": "$x" });
    assert_eq!(after.get_document("integrations").expect("present"), &doc! { "extra": 1 });
    assert_eq!(after.get("createdAt"), None, "createdAt is never written by an update");
    // A second identical update is stale.
    assert!(matches!(store.commit(&[update]).await, Err(CommitError::Stale)));
    // A null object does not prevent setting its fields.
    let tenants = fresh.database.collection::<Document>("tenants");
    let null = doc! { "$set": { "billingInfo": null } };
    tenants.update_one(doc! { "_id": oid(1) }, null).await.expect("update succeeds");
    let address = Some(PostalAddress { city: Some("Bonn".to_owned()), ..Default::default() });
    let billing_info = Some(BillingInfo { address, ..Default::default() });
    let updated = Tenant { billing_info, version: 3, ..changed };
    let update = Change::UpdateTenant { expected: 2, tenant: updated.clone() };
    store.commit(&[update]).await.expect("commit succeeds");
    assert_eq!(load_tenant(&store).await, updated);
}

#[tokio::test]
async fn subscription_update_keeps_unknown_fields() {
    let fresh = FreshDatabase::new().await;
    let store = fresh.prepared().await;
    let existing = doc! {
        "_id": oid(1), "tenantId": oid(1), "plan": "free", "status": "active", "note": "x",
        "currentPeriodEnd": date(5), "stripe": { "customerId": "cus", "mode": "test" },
    };
    fresh.insert("subscriptions", vec![existing]).await;
    let mut subscriptions =
        store.subscriptions(SubscriptionKeys::Ids(&[id(1)])).await.expect("read succeeds");
    let loaded = subscriptions.pop().expect("present").expect("readable");
    let mut changed = TenantSubscription { current_period_end: None, version: 2, ..loaded };
    changed.stripe.as_mut().expect("present").customer_id = None;
    let update = Change::UpdateSubscription { expected: 1, subscription: changed.clone() };
    store.commit(&[update]).await.expect("commit succeeds");
    let subscriptions =
        store.subscriptions(SubscriptionKeys::Ids(&[id(1)])).await.expect("read succeeds");
    assert_eq!(subscriptions, [Ok(changed)]);
    let after = stored_document(&fresh, "subscriptions").await;
    assert_eq!(after.get("note"), Some(&"x".into()));
    assert_eq!(after.get("stripe"), Some(&doc! { "mode": "test" }.into()));
    assert_eq!((after.get("currentPeriodEnd"), after.get("createdAt")), (None, None));
}

/// A tenant lock changes no field that the store reads.
#[tokio::test]
async fn tenant_lock_is_not_visible() {
    let fresh = FreshDatabase::new().await;
    let store = fresh.prepared().await;
    fresh.insert("tenants", vec![doc! { "_id": oid(1), "slug": "acme", "name": "Acme" }]).await;
    let before = load_tenant(&store).await;
    for _ in 0..3 {
        store
            .commit(&[Change::LockTenant { id: id(1), expected: 1 }])
            .await
            .expect("commit succeeds");
    }
    assert_eq!(load_tenant(&store).await, before);
}

/// If another writer has stored duplicate memberships, the first decides, as it does for reads.
#[tokio::test]
async fn owner_check_uses_the_first_of_duplicate_memberships() {
    let fresh = FreshDatabase::new().await;
    let store = fresh.prepared().await;
    let membership = |role: &str| doc! { "tenantId": oid(1), "role": role };
    let user = |n: u32, memberships: Vec<Document>| {
        doc! { "_id": oid(n), "subject": n.to_string(), "name": "U", "memberships": memberships }
    };
    fresh.insert("users", vec![user(1, vec![membership("member"), membership("owner")])]).await;
    let result = store.commit(&[Change::RequireOwner(id(1))]).await;
    assert!(matches!(result, Err(CommitError::LastOwner)), "{result:?}");
    fresh.insert("users", vec![user(2, vec![membership("owner"), membership("member")])]).await;
    store.commit(&[Change::RequireOwner(id(1))]).await.expect("the tenant has an owner");
}

/// The version check matches a user document without a version and a watermark.
#[tokio::test]
async fn user_without_version_can_be_deleted() {
    let fresh = FreshDatabase::new().await;
    let store = fresh.prepared().await;
    fresh.insert("users", vec![doc! { "_id": oid(1), "subject": "ada", "name": "Ada" }]).await;
    let mut users = store.users(UserKeys::Ids(&[id(1)])).await.expect("read succeeds");
    let ada: User = users.pop().expect("present").expect("readable");
    let delete = Change::DeleteUser { id: ada.id, expected: (&ada).into() };
    store.commit(&[delete]).await.expect("commit succeeds");
    assert_eq!(store.users(UserKeys::Ids(&[id(1)])).await.expect("read succeeds"), []);
}
