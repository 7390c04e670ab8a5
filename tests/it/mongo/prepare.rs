//! Preparing a database: indexes, existing documents, and unsuitable servers and URLs.

use futures_util::TryStreamExt;
use mongodb::{
    IndexModel,
    bson::{Document, doc},
    options::IndexOptions,
};
use tenantry::store::{PrepareError, Store, StoreError, mongo::MongoStore};

use super::*;
use crate::support::mongod::{FreshDatabase, ISSUER, Kind, Mongod};

/// Returns the names of all indexes as `collection.index`, sorted.
async fn index_names(fresh: &FreshDatabase) -> Vec<String> {
    let mut names = Vec::new();
    for name in fresh.database.list_collection_names().await.expect("collections") {
        let collection = fresh.database.collection::<Document>(&name);
        let indexes: Vec<IndexModel> = collection
            .list_indexes()
            .await
            .expect("indexes")
            .try_collect()
            .await
            .expect("cursor is readable");
        for index in indexes {
            let index_name =
                index.options.and_then(|options| options.name).expect("every index has a name");
            names.push(format!("{name}.{index_name}"));
        }
    }
    names.sort();
    names
}

#[tokio::test]
async fn second_preparation_changes_nothing() {
    let fresh = FreshDatabase::new().await;
    fresh.prepared().await;
    let names = index_names(&fresh).await;
    fresh.prepared().await;
    assert_eq!(index_names(&fresh).await, names);
    assert!(names.contains(&"tenants.slug_unique".to_owned()), "{names:?}");
}

#[tokio::test]
async fn concurrent_preparations_succeed() {
    let fresh = FreshDatabase::new().await;
    let (first, second) = (fresh.store().await, fresh.store().await);
    let (first, second) = tokio::join!(first.prepare(), second.prepare());
    first.expect("the first preparation succeeds");
    second.expect("the second preparation succeeds");
}

#[tokio::test]
async fn equivalent_index_with_another_name_is_accepted() {
    let fresh = FreshDatabase::new().await;
    let tenants = fresh.database.collection::<Document>("tenants");
    let options = IndexOptions::builder().name("custom".to_owned()).unique(true).build();
    let unique = IndexModel::builder().keys(doc! { "slug": 1.0 }).options(options).build();
    tenants.create_index(unique).await.expect("index is created");
    // This index is not equivalent, because it is not unique. It does not conflict, either.
    let plain = IndexModel::builder().keys(doc! { "domains": 1 }).build();
    tenants.create_index(plain).await.expect("index is created");
    fresh.prepared().await;
    let names = index_names(&fresh).await;
    assert!(names.contains(&"tenants.custom".to_owned()), "{names:?}");
    assert!(!names.contains(&"tenants.slug_unique".to_owned()), "{names:?}");
    assert!(names.contains(&"tenants.domains_unique".to_owned()), "{names:?}");
}

#[tokio::test]
async fn conflicting_index_name_is_reported() {
    let fresh = FreshDatabase::new().await;
    let options = IndexOptions::builder().name("slug_unique".to_owned()).build();
    let other = IndexModel::builder().keys(doc! { "plan": 1 }).options(options).build();
    fresh
        .database
        .collection::<Document>("tenants")
        .create_index(other)
        .await
        .expect("index is created");
    let result = fresh.store().await.prepare().await;
    let Err(PrepareError::Misconfigured(text)) = result else { panic!("{result:?}") };
    assert!(text.contains("slug_unique"), "{text}");
}

#[tokio::test]
async fn duplicate_values_are_reported_with_collection_and_index() {
    let fresh = FreshDatabase::new().await;
    let duplicate = |n| doc! { "_id": oid(n), "slug": "twice", "name": "Twice" };
    fresh.insert("tenants", vec![duplicate(1), duplicate(2)]).await;
    let result = fresh.store().await.prepare().await;
    let Err(PrepareError::Misconfigured(text)) = result else { panic!("{result:?}") };
    assert!(text.contains("tenants") && text.contains("slug_unique"), "{text}");
    assert!(!text.contains("twice") && !text.contains('\n'), "{text}");
}

#[tokio::test]
async fn standalone_server_is_rejected_with_instructions() {
    let mongod = Mongod::running(Kind::Standalone);
    let store = MongoStore::connect(&mongod.uri("alone"), ISSUER, None).await.expect("store opens");
    // Discovering a new server may take longer than the server selection timeout.
    let result = loop {
        match store.prepare().await {
            Err(PrepareError::Failed(StoreError::Unavailable(_))) => {}
            other => break other,
        }
    };
    let Err(PrepareError::Misconfigured(text)) = result else { panic!("{result:?}") };
    assert!(text.contains("--replSet") && text.contains("rs.initiate()"), "{text}");
    assert!(!text.contains('\n'), "{text}");
}

#[tokio::test]
async fn invalid_url_error_contains_no_secrets() {
    for url in [
        "mongodb://ada:s3cret@localhost:27017",
        "mongodb://ada:s3cret@localhost:27017/",
        "mongodb://ada:s3cret@@localhost:27017/db",
        "mongodb://ada:s3cret@localhost:s3cret/db",
        "mongodb://ada:s3%cret@localhost/db",
        "mongodb://ada:s3cret@localhost/db?w=s3cret&readConcernLevel=&x",
        "postgres://ada:s3cret@localhost/db",
        "",
    ] {
        let result = MongoStore::connect(url, ISSUER, None).await.map(drop);
        let Err(PrepareError::Misconfigured(text)) = result else { panic!("{url}: {result:?}") };
        assert!(!text.contains("cret") && !text.contains('\n'), "{url}: {text}");
        assert!(text.contains("mongodb://"), "{url}: {text}");
    }
}
