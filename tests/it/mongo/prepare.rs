//! Getting a database ready, whatever is there already.

use futures_util::TryStreamExt;
use mongodb::{
    IndexModel,
    bson::{Document, doc},
    options::IndexOptions,
};
use tenantry::store::{PrepareError, Store, StoreError, mongo::MongoStore};

use super::*;
use crate::support::mongod::{Fresh, ISSUER, Kind, Mongod};

async fn index_names(fresh: &Fresh) -> Vec<String> {
    let mut all = Vec::new();
    for name in fresh.database.list_collection_names().await.expect("collections") {
        let collection = fresh.database.collection::<Document>(&name);
        let indexes: Vec<IndexModel> =
            collection.list_indexes().await.expect("indexes").try_collect().await.expect("all");
        for index in indexes {
            let own =
                index.options.and_then(|options| options.name).expect("every index has a name");
            all.push(format!("{name}.{own}"));
        }
    }
    all.sort();
    all
}

#[tokio::test]
async fn twice_makes_nothing_new() {
    let fresh = Fresh::new().await;
    fresh.prepared().await;
    let once = index_names(&fresh).await;
    fresh.prepared().await;
    assert_eq!(index_names(&fresh).await, once);
    assert!(once.contains(&"tenants.slug_unique".to_owned()), "{once:?}");
}

#[tokio::test]
async fn two_at_once_agree() {
    let fresh = Fresh::new().await;
    let (one, two) = (fresh.store().await, fresh.store().await);
    let (one, two) = tokio::join!(one.prepare(), two.prepare());
    one.expect("the one");
    two.expect("the other");
}

#[tokio::test]
async fn an_equivalent_index_of_another_name_will_do() {
    let fresh = Fresh::new().await;
    let tenants = fresh.database.collection::<Document>("tenants");
    let options = IndexOptions::builder().name("ours".to_owned()).unique(true).build();
    let unique = IndexModel::builder().keys(doc! { "slug": 1.0 }).options(options).build();
    tenants.create_index(unique).await.expect("made");
    // Not equivalent: it is not unique, and neither in the way.
    let plain = IndexModel::builder().keys(doc! { "domains": 1 }).build();
    tenants.create_index(plain).await.expect("made");
    fresh.prepared().await;
    let names = index_names(&fresh).await;
    assert!(names.contains(&"tenants.ours".to_owned()), "{names:?}");
    assert!(!names.contains(&"tenants.slug_unique".to_owned()), "{names:?}");
    assert!(names.contains(&"tenants.domains_unique".to_owned()), "{names:?}");
}

#[tokio::test]
async fn a_name_that_is_taken_is_said() {
    let fresh = Fresh::new().await;
    let options = IndexOptions::builder().name("slug_unique".to_owned()).build();
    let other = IndexModel::builder().keys(doc! { "plan": 1 }).options(options).build();
    fresh.database.collection::<Document>("tenants").create_index(other).await.expect("made");
    let refused = fresh.store().await.prepare().await;
    let Err(PrepareError::Misconfigured(text)) = refused else { panic!("{refused:?}") };
    assert!(text.contains("slug_unique"), "{text}");
}

#[tokio::test]
async fn duplicates_are_said_with_collection_and_index() {
    let fresh = Fresh::new().await;
    let twice = |n| doc! { "_id": oid(n), "slug": "twice", "name": "Twice" };
    fresh.insert("tenants", vec![twice(1), twice(2)]).await;
    let refused = fresh.store().await.prepare().await;
    let Err(PrepareError::Misconfigured(text)) = refused else { panic!("{refused:?}") };
    assert!(text.contains("tenants") && text.contains("slug_unique"), "{text}");
    assert!(!text.contains("twice") && !text.contains('\n'), "{text}");
}

#[tokio::test]
async fn a_standalone_is_refused_with_the_way_out() {
    let mongod = Mongod::running(Kind::Standalone);
    let store = MongoStore::connect(&mongod.uri("alone"), ISSUER, None).await.expect("a store");
    // The first look at a server may take longer than a look at one that is away.
    let refused = loop {
        match store.prepare().await {
            Err(PrepareError::Failed(StoreError::Unavailable(_))) => {}
            other => break other,
        }
    };
    let Err(PrepareError::Misconfigured(text)) = refused else { panic!("{refused:?}") };
    assert!(text.contains("--replSet") && text.contains("rs.initiate()"), "{text}");
    assert!(!text.contains('\n'), "{text}");
}

#[tokio::test]
async fn a_url_is_refused_without_its_secrets() {
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
        let refused = MongoStore::connect(url, ISSUER, None).await.map(drop);
        let Err(PrepareError::Misconfigured(text)) = refused else { panic!("{url}: {refused:?}") };
        assert!(!text.contains("cret") && !text.contains('\n'), "{url}: {text}");
        assert!(text.contains("mongodb://"), "{url}: {text}");
    }
}
