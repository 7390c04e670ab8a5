//! Changes of documents that other hands have written, too: what this program does not know stays.

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
use crate::support::mongod::Fresh;

async fn stored(fresh: &Fresh, collection: &str) -> Document {
    let collection = fresh.database.collection::<Document>(collection);
    collection.find_one(doc! { "_id": oid(1) }).await.expect("read").expect("there")
}

async fn tenant(store: &dyn Store) -> Tenant {
    let mut found = store.tenants(TenantKeys::Ids(&[id(1)])).await.expect("read");
    found.pop().expect("there").expect("readable")
}

#[tokio::test]
async fn unknown_fields_stay() {
    let fresh = Fresh::new().await;
    let store = fresh.prepared().await;
    let address = doc! { "city": "Köln", "geo": [1, 2] };
    let there = doc! {
        "_id": oid(1), "slug": "acme", "name": "Acme", "theme": { "dark": true },
        "billingInfo": { "email": "a@acme.example", "iban": "x", "address": address },
        "integrations": { "ocisSpace": "s", "extra": 1 },
        "plan": null, "version": null,
    };
    fresh.insert("tenants", vec![there]).await;
    let mut changed = tenant(&store).await;
    let was = changed.version;
    let billing = changed.billing_info.as_mut().expect("there");
    billing.email = None;
    billing.vat_id = Some("DE1".to_owned());
    billing.address = Some(PostalAddress { line1: Some("$x".to_owned()), ..Default::default() });
    changed.integrations = Some(TenantIntegrations::default());
    changed.domains = vec!["acme.example".to_owned()];
    changed.version = 2;
    changed.updated_at = time(9);
    let update = Change::UpdateTenant { was, tenant: changed.clone() };
    store.commit(std::slice::from_ref(&update)).await.expect("committed");
    assert_eq!(tenant(&store).await, changed);
    let mut after = stored(&fresh, "tenants").await;
    assert_eq!(after.remove("theme"), Some(doc! { "dark": true }.into()));
    let billing = after.get_document("billingInfo").expect("there");
    let line = |line: &str| billing.get(line).cloned();
    assert_eq!((line("iban"), line("vatId")), (Some("x".into()), Some("DE1".into())));
    assert_eq!(line("email"), None);
    let address = billing.get_document("address").expect("there");
    assert_eq!(address, &doc! { "geo": [1, 2], "line1": "$x" });
    assert_eq!(after.get_document("integrations").expect("there"), &doc! { "extra": 1 });
    assert_eq!(after.get("createdAt"), None, "it never changes");
    // The same once more is late.
    assert!(matches!(store.commit(&[update]).await, Err(CommitError::Stale)));
    // What is null is nothing that could be in the way.
    let tenants = fresh.database.collection::<Document>("tenants");
    let null = doc! { "$set": { "billingInfo": null } };
    tenants.update_one(doc! { "_id": oid(1) }, null).await.expect("updated");
    let address = Some(PostalAddress { city: Some("Bonn".to_owned()), ..Default::default() });
    let billing_info = Some(BillingInfo { address, ..Default::default() });
    let again = Tenant { billing_info, version: 3, ..changed };
    let update = Change::UpdateTenant { was: 2, tenant: again.clone() };
    store.commit(&[update]).await.expect("committed");
    assert_eq!(tenant(&store).await, again);
}

#[tokio::test]
async fn unknown_fields_of_a_subscription_stay() {
    let fresh = Fresh::new().await;
    let store = fresh.prepared().await;
    let there = doc! {
        "_id": oid(1), "tenantId": oid(1), "plan": "free", "status": "active", "note": "x",
        "currentPeriodEnd": date(5), "stripe": { "customerId": "cus", "mode": "test" },
    };
    fresh.insert("subscriptions", vec![there]).await;
    let mut found = store.subscriptions(SubscriptionKeys::Ids(&[id(1)])).await.expect("read");
    let found = found.pop().expect("there").expect("readable");
    let mut changed = TenantSubscription { current_period_end: None, version: 2, ..found };
    changed.stripe.as_mut().expect("there").customer_id = None;
    let update = Change::UpdateSubscription { was: 1, subscription: changed.clone() };
    store.commit(&[update]).await.expect("committed");
    let found = store.subscriptions(SubscriptionKeys::Ids(&[id(1)])).await.expect("read");
    assert_eq!(found, [Ok(changed)]);
    let after = stored(&fresh, "subscriptions").await;
    assert_eq!(after.get("note"), Some(&"x".into()));
    assert_eq!(after.get("stripe"), Some(&doc! { "mode": "test" }.into()));
    assert_eq!((after.get("currentPeriodEnd"), after.get("createdAt")), (None, None));
}

/// Who holds a tenant leaves all that can be read as it is.
#[tokio::test]
async fn a_hold_cannot_be_seen() {
    let fresh = Fresh::new().await;
    let store = fresh.prepared().await;
    fresh.insert("tenants", vec![doc! { "_id": oid(1), "slug": "acme", "name": "Acme" }]).await;
    let before = tenant(&store).await;
    for _ in 0..3 {
        store.commit(&[Change::LockTenant { id: id(1), was: 1 }]).await.expect("committed");
    }
    assert_eq!(tenant(&store).await, before);
}

/// The first of two memberships that a hand has stored counts, as in reading.
#[tokio::test]
async fn the_first_of_two_memberships_says_who_owns() {
    let fresh = Fresh::new().await;
    let store = fresh.prepared().await;
    let place = |role: &str| doc! { "tenantId": oid(1), "role": role };
    let user = |n: u32, memberships: Vec<Document>| {
        doc! { "_id": oid(n), "subject": n.to_string(), "name": "U", "memberships": memberships }
    };
    fresh.insert("users", vec![user(1, vec![place("member"), place("owner")])]).await;
    let kept = store.commit(&[Change::RequireOwner(id(1))]).await;
    assert!(matches!(kept, Err(CommitError::LastOwner)), "{kept:?}");
    fresh.insert("users", vec![user(2, vec![place("owner"), place("member")])]).await;
    store.commit(&[Change::RequireOwner(id(1))]).await.expect("there is one");
}

/// A user whose document has neither version nor watermark is the one that was read so.
#[tokio::test]
async fn a_bare_user_can_be_deleted() {
    let fresh = Fresh::new().await;
    let store = fresh.prepared().await;
    fresh.insert("users", vec![doc! { "_id": oid(1), "subject": "ada", "name": "Ada" }]).await;
    let mut found = store.users(UserKeys::Ids(&[id(1)])).await.expect("read");
    let ada: User = found.pop().expect("there").expect("readable");
    let gone = Change::DeleteUser { id: ada.id, was: (&ada).into() };
    store.commit(&[gone]).await.expect("committed");
    assert_eq!(store.users(UserKeys::Ids(&[id(1)])).await.expect("read"), []);
}
