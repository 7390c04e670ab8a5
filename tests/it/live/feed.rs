//! Tests the change feed: which changes it sees, and how it survives failures of the database.

use std::sync::Arc;

use mongodb::bson::{Document, doc};
use serde_json::json;
use tenantry::{
    domain::{
        change::Change,
        live::{ChangeKind, ChangedEntity, FeedEvent, FeedPosition},
        tenant::Tenant,
    },
    store::{ChangeFeed, CommitError, Store, StoreError, WatchError, sqlite::SqliteStore},
};

use super::*;
use crate::support::{
    app::{Backend, Setup, on_both_stores},
    entities,
    mongod::{Kind, Mongod},
    world::World,
};

on_both_stores! {
    outdated_position_is_rejected,
    listeners_share_one_feed,
}

/// Waits for events of a feed.
async fn events(feed: &mut Box<dyn ChangeFeed>, count: usize) -> Vec<FeedEvent> {
    let mut events = Vec::new();
    while events.len() < count {
        events.extend(feed.next().await.expect("a feed"));
    }
    events
}

async fn outdated_position_is_rejected(app: App) {
    let mut feed = app.store.watch(None).await.expect("a feed");
    let tenant = entities::tenant(1);
    app.store.commit(&[Change::InsertTenant(tenant.clone())]).await.expect("committed");
    let event = events(&mut feed, 1).await.remove(0);
    assert_eq!((event.entity, event.kind), (ChangedEntity::Tenant(tenant.id), ChangeKind::Created));
    let mut again = app.store.watch(Some(&event.position)).await.expect("a feed");
    let update = Change::UpdateTenant { expected: 1, tenant: Tenant { version: 2, ..tenant } };
    app.store.commit(&[update]).await.expect("committed");
    assert_eq!(events(&mut again, 1).await[0].kind, ChangeKind::Updated, "and nothing before");
    // SQLite numbers its changes. A resume token of MongoDB begins with a type and a time.
    let mut unknown = event.position.0.to_vec();
    match app.mongo {
        None => unknown[0] = 1,
        Some(_) => unknown[1..5].fill(0),
    }
    for unknown in [unknown, vec![1, 2, 3]] {
        let unknown = FeedPosition(unknown.into());
        let rejected = match app.store.watch(Some(&unknown)).await {
            Ok(mut feed) => feed.next().await.map(drop),
            Err(error) => Err(error),
        };
        assert!(matches!(rejected, Err(WatchError::HistoryLost)), "{rejected:?}");
    }
}

async fn listeners_share_one_feed(app: App) {
    let world = World::new(&app).await;
    let mut listeners = Vec::new();
    for n in 0..200 {
        let subject = ["ada", "bob", "carol"][n % 3];
        listeners.push(Live::start(&app, subject, TENANT, id_of(world.acme.id)).await);
    }
    assert_eq!(app.metric("tenantry_live_operations").await, 200.0);
    if let Some(fresh) = &app.mongo {
        assert_eq!(change_streams(&fresh.database).await, 1);
    }
    let find = r#"tenantry_store_command_duration_seconds_count{collection="users",command="find",outcome="ok"}"#;
    let select = r#"tenantry_store_command_duration_seconds_count{collection="users",command="select",outcome="ok"}"#;
    rename(&app, world.acme.id, "Acme 2").await;
    let before = app.metric(find).await + app.metric(select).await;
    let events = futures_util::future::join_all(listeners.iter_mut().map(Live::event)).await;
    assert!(events.iter().all(|event| event["tenantChanged"]["tenant"]["name"] == "Acme 2"));
    let reads = app.metric(find).await + app.metric(select).await - before;
    // Listeners that ask during a read share the next one. How many reads that takes depends on the
    // speed of the machine. Without sharing there would be 200.
    assert!(reads <= 20.0, "{reads} reads of users for 200 listeners of three users");
    drop(listeners);
    assert_eq!(app.metric("tenantry_live_operations").await, 0.0);
}

/// Returns the number of open change streams over a database.
async fn change_streams(database: &mongodb::Database) -> usize {
    let admin = database.client().database("admin");
    let current = doc! { "$currentOp": { "allUsers": true, "idleCursors": true } };
    let matches = doc! { "$match": { "$or": [
        { "cursor.originatingCommand.pipeline.0.$changeStream": { "$exists": true } },
        { "command.pipeline.0.$changeStream": { "$exists": true } },
    ] } };
    let mut operations = admin.aggregate([current, matches]).await.expect("operations");
    let mut count = 0;
    while let Some(operation) = operations.next().await {
        let operation = operation.expect("an operation");
        let namespace = operation.get_str("ns").unwrap_or_default();
        count += usize::from(namespace.starts_with(&format!("{}.", database.name())));
    }
    count
}

#[tokio::test]
async fn changes_of_another_process_are_reported_on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = || SqliteStore::open(&folder.path().join("a.db"), None).expect("a store");
    let (store, other) = (open(), open());
    store.prepare().await.expect("prepared");
    let mut feed = store.watch(None).await.expect("a feed");
    let tenant = entities::tenant(1);
    other.commit(&[Change::InsertTenant(tenant.clone())]).await.expect("committed");
    let event = events(&mut feed, 1).await.remove(0);
    assert_eq!((event.entity, event.kind), (ChangedEntity::Tenant(tenant.id), ChangeKind::Created));
    drop((store, other, feed));
    let mut feed = open().watch(Some(&FeedPosition([0; 8].into()))).await.expect("a feed");
    assert_eq!(events(&mut feed, 1).await, [event], "the log outlives the process");
}

#[tokio::test]
async fn manual_edits_are_reported_on_mongo() {
    let app = App::on(Backend::Mongo).await;
    let world = World::new(&app).await;
    let database = &app.mongo.as_ref().expect("MongoDB").database;
    let collection = |name: &str| database.collection::<Document>(name);
    let by_slug = |slug: &str| doc! { "slug": slug };
    let mut tenant = Live::start(&app, "bob", TENANT, id_of(world.acme.id)).await;
    let mut member = Live::start(&app, "carol", TENANT, id_of(world.acme.id)).await;
    let mut subscription = Live::start(&app, "bob", SUBSCRIPTION, id_of(world.acme.id)).await;
    let name = doc! { "$set": { "name": "By hand" } };
    collection("tenants").update_one(by_slug("acme"), name).await.expect("updated");
    for live in [&mut tenant, &mut member] {
        assert_eq!(live.event().await["tenantChanged"]["tenant"]["name"], "By hand");
    }
    let removal = doc! { "$pull": { "memberships": { "role": "member" } } };
    collection("users").update_one(doc! { "subject": "carol" }, removal).await.expect("updated");
    assert_eq!(member.end().await.as_deref(), Some("NOT_FOUND"));
    let of_acme = doc! { "stripe.customerId": "cus_acme" };
    collection("subscriptions").delete_one(of_acme).await.expect("deleted");
    let deleted = subscription.event().await;
    assert_eq!(deleted["subscriptionChanged"]["kind"], "DELETED");
    assert_eq!(deleted["subscriptionChanged"]["subscriptionId"], world.subscription.to_string());
    collection("tenants").delete_one(by_slug("acme")).await.expect("deleted");
    assert_eq!(tenant.event().await["tenantChanged"]["kind"], "DELETED");
    assert_eq!(tenant.end().await, None);
}

/// The memberships of the deleted tenants are still stored, because a manual edit leaves them.
#[tokio::test]
async fn manual_deletion_is_reported_to_members_on_mongo() {
    let app = App::on(Backend::Mongo).await;
    let world = World::new(&app).await;
    let tenants = app.mongo.as_ref().expect("MongoDB").database.collection::<Document>("tenants");
    let mut live = Live::start(&app, "carol", TENANTS, json!({})).await;
    rename(&app, world.acme.id, "Acme 2").await;
    live.event().await;
    let since = json!({"since": live.cursor});
    for slug in ["initech", "acme"] {
        tenants.delete_one(doc! { "slug": slug }).await.expect("deleted");
    }
    let mut resumed = Live::start(&app, "carol", TENANTS, since.clone()).await;
    for live in [&mut live, &mut resumed] {
        let event = live.event().await["tenantsChanged"].take();
        assert_eq!(event["kind"], "DELETED");
        assert_eq!(event["tenantId"], world.acme.id.to_string());
    }
    rename(&app, world.globex.id, "Globex 2").await;
    for live in [&mut live, &mut resumed] {
        assert_eq!(live.event().await["tenantsChanged"]["tenant"]["name"], "Globex 2");
    }
    drop((live, resumed));
    let mut live = Live::start(&app.restart().await, "carol", TENANTS, since).await;
    assert_eq!(live.event().await["tenantsChanged"]["kind"], "DELETED");
    assert_eq!(live.event().await["tenantsChanged"]["tenant"]["name"], "Globex 2");
}

#[tokio::test]
async fn changes_of_another_instance_are_reported_on_mongo() {
    let app = App::on(Backend::Mongo).await;
    let world = World::new(&app).await;
    let mut live = Live::start(&app, "bob", TENANT, id_of(world.acme.id)).await;
    let other = app.mongo.as_ref().expect("MongoDB").store().await;
    let tenant = Tenant { name: "Elsewhere".to_owned(), version: 2, ..world.acme.clone() };
    other.commit(&[Change::UpdateTenant { expected: 1, tenant }]).await.expect("committed");
    assert_eq!(live.event().await["tenantChanged"]["tenant"]["name"], "Elsewhere");
}

/// A dropped collection ends the history of the change stream.
#[tokio::test]
async fn listeners_read_again_after_a_gap() {
    let app = App::on(Backend::Mongo).await;
    let world = World::new(&app).await;
    let database = &app.mongo.as_ref().expect("MongoDB").database;
    let mut tenant = Live::start(&app, "carol", TENANT, id_of(world.acme.id)).await;
    let mut tenants = Live::start(&app, "carol", TENANTS, json!({})).await;
    let mut all = Live::start(&app, "ada", TENANTS, json!({})).await;
    let mut me = Live::start(&app, "carol", ME, json!({})).await;
    database.collection::<Document>("subscriptions").drop().await.expect("dropped");
    assert_eq!(tenant.event().await["tenantChanged"]["kind"], "UPDATED");
    assert_eq!(me.event().await["meChanged"]["name"], "Carol");
    let mut slugs = vec![
        tenants.event().await["tenantsChanged"]["tenantId"].clone(),
        tenants.event().await["tenantsChanged"]["tenantId"].clone(),
    ];
    slugs.sort_by_key(ToString::to_string);
    assert_eq!(slugs, [json!(world.acme.id.to_string()), json!(world.globex.id.to_string())]);
    // A platform admin reads the list again.
    assert_eq!(all.end().await.as_deref(), Some("UNAVAILABLE"));
    rename(&app, world.acme.id, "Acme 2").await;
    assert_eq!(tenant.event().await["tenantChanged"]["tenant"]["name"], "Acme 2");
    assert_eq!(app.metric("tenantry_feed_gaps_total").await, 1.0);
}

/// Kills the primary of three members while changes are delivered. Each change is of a tenant of its
/// own, so none is merged into another.
#[tokio::test(flavor = "multi_thread")]
async fn no_change_is_lost_or_repeated_when_the_primary_is_killed() {
    const CHANGES: u32 = 40;
    let start = || (0..3).map(|_| Mongod::running(Kind::ReplicaSet)).collect();
    let servers: Vec<Mongod> = tokio::task::spawn_blocking(start).await.expect("three servers");
    let mut servers = servers;
    Mongod::initiate_set(&servers.iter().collect::<Vec<_>>()).await;
    let hosts: Vec<_> = servers.iter().map(Mongod::host).collect();
    let uri = format!("mongodb://{}/failover?replicaSet=rs0", hosts.join(","));
    let setup = Setup { mongo_uri: Some(uri.clone()), ..Setup::default() };
    let app = Arc::new(App::with(Backend::Mongo, setup).await);
    World::new(&app).await;
    let tenants: Vec<Tenant> = (100..100 + CHANGES).map(entities::tenant).collect();
    let inserts: Vec<_> = tenants.iter().cloned().map(Change::InsertTenant).collect();
    app.store.commit(&inserts).await.expect("committed");
    let mut live = Live::start(&app, "ada", TENANTS, json!({})).await;
    let writer = tokio::spawn(update_each(app.clone(), tenants.clone()));
    let mut reported = vec![live.event().await["tenantsChanged"]["tenantId"].clone()];
    let primary = Mongod::primary(&uri).await;
    let killed = servers.iter_mut().find(|server| server.host() == primary);
    killed.expect("one of the servers").stop();
    while reported.len() < tenants.len() {
        reported.push(live.event().await["tenantsChanged"]["tenantId"].clone());
    }
    writer.await.expect("all changes are committed");
    let expected: Vec<_> = tenants.iter().map(|tenant| json!(tenant.id.to_string())).collect();
    assert_eq!(reported, expected);
    assert_ne!(Mongod::primary(&uri).await, primary);
    let last = tenants.last().expect("a tenant");
    mutate(&app, "ada", "deleteTenant", id_of(last.id)).await;
    assert_eq!(live.event().await["tenantsChanged"]["kind"], "DELETED", "nothing is repeated");
}

/// Updates each tenant once, and tries again while the store is unavailable.
async fn update_each(app: Arc<App>, tenants: Vec<Tenant>) {
    for tenant in tenants {
        let change =
            [Change::UpdateTenant { expected: 1, tenant: Tenant { version: 2, ..tenant } }];
        loop {
            match app.store.commit(&change).await {
                // An earlier attempt was applied after all.
                Ok(()) | Err(CommitError::Stale) => break,
                Err(CommitError::Failed(StoreError::Unavailable(_))) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}
