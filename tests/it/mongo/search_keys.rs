//! Search keys of documents that another program wrote, changed or deleted: the next start writes
//! them, and leaves everything else in the documents unchanged.

use mongodb::bson::{Document, doc};
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
