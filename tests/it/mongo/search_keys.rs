//! Search keys of documents that another program wrote, changed or deleted: the gateway writes them
//! while it runs and at its next start, and leaves everything else in the documents unchanged.

use std::sync::Arc;

use futures_util::StreamExt;
use mongodb::bson::{Bson, Document, doc};
use tenantry::{
    domain::list::{
        ListOrder, Listing, TenantFilter, TenantListing, TenantScope, UserFilter, UserListing,
    },
    store::{Store, mongo::MongoStore},
};

use super::*;
use crate::support::mongod::FreshDatabase;

async fn count_users(store: &MongoStore, search: &str) -> u64 {
    let filter = UserFilter { search: Some(search.to_owned()), ..Default::default() };
    let order = ListOrder::MatchedKey;
    let listing: UserListing = Listing { scope: TenantScope::Everything, filter, order };
    let page = store.user_page(&listing, &first_page(100)).await.expect("read succeeds");
    let count = store.count_users(&listing).await.expect("count succeeds");
    assert_eq!(page.items.len() as u64, count.min(100), "{search}");
    count
}

/// Returns the number of users on the page of a search. During a repair, the count may differ.
async fn find_users(store: &MongoStore, search: &str) -> u64 {
    let filter = UserFilter { search: Some(search.to_owned()), ..Default::default() };
    let order = ListOrder::MatchedKey;
    let listing: UserListing = Listing { scope: TenantScope::Everything, filter, order };
    store.user_page(&listing, &first_page(100)).await.expect("read succeeds").items.len() as u64
}

async fn count_tenants(store: &MongoStore, search: &str) -> u64 {
    let filter = TenantFilter { search: Some(search.to_owned()), ..Default::default() };
    let order = ListOrder::MatchedKey;
    let listing: TenantListing = Listing { scope: TenantScope::Everything, filter, order };
    store.count_tenants(&listing).await.expect("count succeeds")
}

#[tokio::test]
async fn start_writes_the_keys_of_existing_documents() {
    let fresh = FreshDatabase::new().await;
    let user = |n: u32| {
        doc! { "_id": oid(n), "subject": n.to_string(), "name": format!("Straße {n}"),
        "email": format!("Ada.{n}@example.org"), "favouriteColour": "blue" }
    };
    // More than one batch, and a user whose name cannot be read.
    fresh.insert("users", (0..600).map(user).collect()).await;
    fresh
        .insert(
            "users",
            vec![doc! { "_id": oid(900), "subject": "x", "name": 5, "email": "ada@x" }],
        )
        .await;
    let tenant = doc! { "_id": oid(1), "slug": "acme", "name": "Acme", "note": [1],
    "domains": ["xn--bcher-kva.example"] };
    fresh.insert("tenants", vec![tenant]).await;
    // Identifiers of all types, with the ends of batches among them.
    let ids = (0..600).map(|n| Bson::from(n.to_string()));
    let ids = ids.chain([Bson::from(7), f64::NAN.into(), true.into(), doc! { "a": 1 }.into()]);
    let foreign = |id: Bson| {
        let subject = format!("subject of {id}");
        doc! { "_id": id, "subject": subject, "name": "Foreign" }
    };
    fresh.insert("users", ids.map(foreign).collect()).await;
    // Two instances start at once.
    let (store, other) = (fresh.store().await, fresh.store().await);
    let (first, second) = tokio::join!(store.prepare(), other.prepare());
    first.expect("prepared");
    second.expect("prepared");
    assert_eq!(count_users(&store, "STRASSE").await, 600);
    assert_eq!(count_users(&store, "ada").await, 601);
    assert_eq!(count_tenants(&store, "bücher").await, 1);
    let users = fresh.database.collection::<Document>("users");
    let kept = doc! { "favouriteColour": "blue", "version": { "$exists": false } };
    assert_eq!(users.count_documents(kept).await.expect("counted"), 600);
    let without_keys = doc! { "search.keys.0": { "$exists": false } };
    assert_eq!(users.count_documents(without_keys).await.expect("counted"), 0);
}

#[tokio::test]
async fn start_repairs_keys_after_manual_edits() {
    let fresh = FreshDatabase::new().await;
    let user =
        |n: u32| doc! { "_id": oid(n), "subject": n.to_string(), "name": format!("Ada {n}") };
    fresh.insert("users", (0..4).map(user).collect()).await;
    let store = fresh.prepared().await;
    let users = fresh.database.collection::<Document>("users");
    let rename = doc! { "$set": { "name": "Bob", "email": "bob@example.org" } };
    users.update_one(doc! { "_id": oid(1) }, rename).await.expect("updated");
    users.delete_one(doc! { "_id": oid(2) }).await.expect("deleted");
    store.prepare().await.expect("prepared");
    assert_eq!((count_users(&store, "ada").await, count_users(&store, "bob").await), (2, 1));
    // All keys are lost, as after a restore of single collections.
    fresh.database.collection::<Document>("userSearchKeys").drop().await.expect("dropped");
    store.prepare().await.expect("prepared");
    assert_eq!((count_users(&store, "ada").await, count_users(&store, "bob").await), (2, 1));
}

/// Manual edits of a running gateway's database are found as soon as the change stream reports them.
/// An edit between the preparation and the start of the repairs is not lost.
#[tokio::test]
async fn running_gateway_repairs_keys_after_manual_edits() {
    let fresh = FreshDatabase::new().await;
    let store = Arc::new(fresh.prepared().await);
    let users = fresh.database.collection::<Document>("users");
    let tenants = fresh.database.collection::<Document>("tenants");
    let early = doc! { "_id": oid(1), "subject": "1", "name": "Early Ada" };
    users.insert_one(early).await.expect("inserted");
    // Each repair ends with a change of the keys, which this stream reports.
    let keys = doc! { "$match": { "ns.coll": { "$in": ["userSearchKeys", "tenantSearchKeys"] } } };
    let mut repairs = fresh.database.watch().pipeline([keys]).await.expect("a stream");
    let repairing = store.clone();
    let task = tokio::spawn(async move { repairing.follow_manual_edits().await });
    let mut repaired = async |expected: &[(&str, u64)], is_tenant: bool| {
        loop {
            let mut all = true;
            for (search, count) in expected {
                all &= *count
                    == match is_tenant {
                        true => count_tenants(&store, search).await,
                        false => find_users(&store, search).await,
                    };
            }
            if all {
                return;
            }
            repairs.next().await.expect("a change").expect("a readable change");
        }
    };
    repaired(&[("early", 1)], false).await;
    let user = doc! { "_id": oid(2), "subject": "2", "name": "Bob", "email": "b@example.org" };
    users.insert_one(user).await.expect("inserted");
    repaired(&[("bob", 1), ("b@", 1)], false).await;
    let rename = doc! { "$set": { "name": "Carol" } };
    users.update_one(doc! { "_id": oid(2) }, rename).await.expect("updated");
    repaired(&[("bob", 0), ("carol", 1), ("b@", 1)], false).await;
    users
        .update_one(doc! { "_id": oid(2) }, doc! { "$unset": { "email": 1 } })
        .await
        .expect("done");
    repaired(&[("b@", 0), ("carol", 1)], false).await;
    let replacement = doc! { "subject": "2", "name": "Mallory" };
    users.replace_one(doc! { "_id": oid(2) }, replacement).await.expect("replaced");
    repaired(&[("carol", 0), ("mallory", 1)], false).await;
    users.delete_one(doc! { "_id": oid(2) }).await.expect("deleted");
    repaired(&[("mallory", 0)], false).await;
    let tenant = doc! { "_id": "no ObjectId", "slug": "acme", "name": "Acme", "domains": ["a.example", "b.example"] };
    tenants.insert_one(tenant).await.expect("inserted");
    repaired(&[("acme", 1), ("b.ex", 1)], true).await;
    // The server reports a part of an array only.
    let change = doc! { "$set": { "domains.1": "c.example" } };
    tenants.update_one(doc! { "slug": "acme" }, change).await.expect("updated");
    repaired(&[("b.ex", 0), ("c.ex", 1)], true).await;
    tenants
        .update_one(doc! { "slug": "acme" }, doc! { "$pop": { "domains": 1 } })
        .await
        .expect("done");
    repaired(&[("c.ex", 0), ("a.ex", 1)], true).await;
    // A restore of a collection makes a gap in the stream.
    tenants.drop().await.expect("dropped");
    let restored = doc! { "_id": oid(5), "slug": "globex", "name": "Globex" };
    fresh.insert("tenants", vec![restored]).await;
    repaired(&[("acme", 0), ("globex", 1)], true).await;
    task.abort();
}
