//! Transactions of instances that were killed or do not continue. They block other instances only
//! for a short time, and no commit has a wrong result because of this.
//!
//! Without the search for such transactions, each write in these tests fails after 10 seconds,
//! because the server ends an abandoned transaction after 60.

use std::{sync::Arc, time::Duration};

use mongodb::{
    Client,
    bson::{Document, doc},
};
use serde_json::json;
use tenantry::{
    domain::{
        audit::{ActorKind, AuditEvent},
        change::Change,
        idempotency::{
            Claim, ClaimResult, IdempotencyKeyHash, LEASE_TTL, RightsDigest, RunOutcome,
            StoredResponse,
        },
    },
    store::{CommitError, Store, StoreError, mongo::MongoStore},
};
use tokio::task::JoinHandle;

use super::*;
use crate::{
    cli::{Running, now, send_query},
    support::{
        issuer::TestIssuer,
        mongo_proxy::{MongoProxy, abandon_transaction},
        mongod::{FreshDatabase, ISSUER, Kind, Mongod},
    },
};

const KEY: IdempotencyKeyHash = IdempotencyKeyHash([1; 32]);
const RIGHTS: RightsDigest = RightsDigest([3; 32]);

fn event(n: u32) -> AuditEvent {
    AuditEvent {
        id: id(n),
        at: time(0),
        action: "tenant.update".to_owned(),
        actor_kind: ActorKind::System,
        actor: None,
        tenants: Vec::new(),
        target: None,
        changes: Vec::new(),
        request_id: None,
    }
}

/// Returns a commit that locks the first tenant. The tenant counts its locks.
fn lock_changes(n: u32) -> [Change; 2] {
    [Change::LockTenant { id: id(1), expected: 1 }, Change::InsertAuditEvent(event(n))]
}

fn claim(run: u8) -> Claim {
    let run_id = tenantry::domain::id::ObjectId([run; 12]);
    let (process, user) = (tenantry::domain::id::ObjectId([9; 12]), id(1));
    let (fingerprint, rights) = ([2; 32], RIGHTS);
    Claim {
        key: KEY,
        fingerprint,
        run_id,
        process,
        user: Some(user),
        rights,
        lost_run: None,
        now: time(0),
    }
}

/// A database with a tenant, a user and an idempotency record.
struct Data(FreshDatabase);

impl Data {
    async fn new() -> Self {
        let fresh = FreshDatabase::new().await;
        let store = fresh.prepared().await;
        fresh.insert("tenants", vec![doc! { "_id": oid(1), "slug": "acme", "name": "Acme" }]).await;
        fresh.insert("users", vec![doc! { "_id": oid(1), "subject": "ada", "name": "Ada" }]).await;
        let claimed = store.claim_request(&claim(1)).await.expect("claim succeeds");
        assert_eq!(claimed, ClaimResult::Acquired(Vec::new()));
        Self(fresh)
    }

    async fn store_through(&self, proxy: &MongoProxy) -> Arc<MongoStore> {
        Arc::new(MongoStore::connect(proxy.uri(), ISSUER, None).await.expect("a store"))
    }

    /// Returns how often the tenant was locked.
    async fn lock_count(&self) -> i32 {
        let tenants = self.0.database.collection::<Document>("tenants");
        let tenant = tenants.find_one(doc! { "_id": oid(1) }).await.expect("read succeeds");
        tenant.expect("present").get_i32("holds").unwrap_or_default()
    }

    async fn has_event(&self, n: u32) -> bool {
        let events = self.0.database.collection::<Document>("auditEvents");
        events.count_documents(doc! { "_id": oid(n) }).await.expect("read succeeds") > 0
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn write_of_another_instance_succeeds_after_a_commit_was_killed() {
    let (folder, issuer) = (tempfile::tempdir().expect("a folder"), TestIssuer::start().await);
    let fresh = FreshDatabase::new().await;
    let proxy = MongoProxy::start(&fresh.uri).await;
    let start = |url: &str| {
        let variables = [
            ("TENANTRY_DATABASE_URL", url),
            ("TENANTRY_OIDC_ISSUER", issuer.url()),
            ("TENANTRY_OIDC_AUDIENCE", "tenantry"),
        ];
        let mut serve = Running::serve(folder.path(), &variables);
        let bind = serve.logged("serving")["bind"].as_str().expect("an address").to_owned();
        serve.logged("the database is ready");
        (serve, format!("http://{bind}/graphql"))
    };
    let (killed, killed_endpoint) = start(proxy.uri());
    let (_other, endpoint) = start(&fresh.uri);
    let token = issuer.token().subject("ada").issued_at(now()).expires_at(now() + 600);
    let token = token.groups(["platform-admins"]).sign();
    let created =
        r#"mutation { createTenant(input: {slug: "acme", name: "Acme"}) { tenant { id } } }"#;
    send_query(&endpoint, &token, "{ me { id } }").await;
    let created = send_query(&endpoint, &token, created).await;
    let tenant = created["data"]["createTenant"]["tenant"]["id"].as_str().expect("an id");
    let update = |field: &str| {
        format!(
            "mutation {{ updateTenant(input: {{id: \"{tenant}\", {field}}}) {{ tenant {{ name status version }} }} }}"
        )
    };
    proxy.withhold_commits();
    let request = reqwest::Client::new().post(&killed_endpoint).bearer_auth(&token);
    let body = json!({"query": update("name: \"Lost\"")}).to_string();
    let request = request.header("content-type", "application/json").body(body).send();
    let request = tokio::spawn(request);
    proxy.wait_for_commit().await;
    drop(killed);
    assert!(request.await.expect("task completes").is_err(), "the process is killed");
    let updated = send_query(&endpoint, &token, &update("status: SUSPENDED")).await;
    let expected = json!({"name": "Acme", "status": "SUSPENDED", "version": 2});
    assert_eq!(updated["data"]["updateTenant"]["tenant"], expected, "{updated}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_write_stays_blocked_by_an_abandoned_transaction() {
    let data = Data::new().await;
    let (uri, name) = (data.0.uri.clone(), data.0.database.name().to_owned());
    let store = Arc::new(data.0.store().await);
    let abandon = || abandon_transaction(&uri, &name);

    // In a transaction, the server reports the conflict.
    let _lost = abandon().await;
    store.commit(&lock_changes(1)).await.expect("commit succeeds");
    // Otherwise the server repeats the write by itself.
    let _lost = abandon().await;
    let touch = Change::TouchLastSeen { id: id(1), at: time(1) };
    store.commit(&[touch]).await.expect("commit succeeds");
    let _lost = abandon().await;
    let next = Claim { now: time(0).saturating_add(LEASE_TTL), ..claim(2) };
    let claimed = store.claim_request(&next).await.expect("claim succeeds");
    assert_eq!(claimed, ClaimResult::Acquired(Vec::new()));
    let _lost = abandon().await;
    let completed = RunOutcome::Completed(StoredResponse { body: "{}".to_owned(), rights: RIGHTS });
    store.complete_request(KEY, next.run_id, &completed).await.expect("completion succeeds");
    // A transaction also blocks the creation of an index, which would wait longer than this.
    let tenants = data.0.database.collection::<Document>("tenants");
    tenants.drop_index("slug_unique").await.expect("the index exists");
    let _lost = abandon().await;
    let prepared = tokio::time::timeout(Duration::from_secs(30), store.prepare()).await;
    prepared.expect("not blocked").expect("preparation succeeds");

    assert_eq!((data.lock_count().await, data.has_event(1).await), (1, true));
    let lost = tenants.count_documents(doc! { "lost": true }).await.expect("read succeeds");
    assert_eq!(lost, 0, "no abandoned transaction was committed");
}

fn spawn_commit(store: &Arc<MongoStore>, n: u32) -> JoinHandle<Result<(), CommitError>> {
    let store = store.clone();
    tokio::spawn(async move { store.commit(&lock_changes(n)).await })
}

/// A live instance that stalls in the middle of a commit loses its transaction to another one. It
/// then repeats the transaction.
#[tokio::test(flavor = "multi_thread")]
async fn stalled_commit_is_repeated_and_applied_once() {
    let data = Data::new().await;
    let proxy = MongoProxy::start(&data.0.uri).await;
    let stalled = data.store_through(&proxy).await;
    proxy.withhold_commits();
    let stalled = spawn_commit(&stalled, 1);
    proxy.wait_for_commit().await;
    let other = data.0.store().await;
    other.commit(&lock_changes(2)).await.expect("the stalled transaction is ended");
    assert_eq!((data.lock_count().await, data.has_event(1).await), (1, false));
    proxy.resume();
    stalled.await.expect("task completes").expect("the repeated commit succeeds");
    assert_eq!((data.lock_count().await, data.has_event(1).await), (2, true));
}

/// An instance repeats a commit whose outcome is unknown while another instance ends its
/// transaction. The result of the commit matches the stored state.
#[tokio::test(flavor = "multi_thread")]
async fn commit_with_unknown_outcome_is_not_reported_wrongly() {
    let data = Data::new().await;
    let proxy = MongoProxy::start(&data.0.uri).await;
    let unknown = data.store_through(&proxy).await;
    proxy.reject_commits();
    let unknown = spawn_commit(&unknown, 1);
    proxy.wait_for_commit().await;
    let other = data.0.store().await;
    other.commit(&lock_changes(2)).await.expect("the transaction is ended");
    proxy.resume();
    let result = unknown.await.expect("task completes");
    let is_unavailable = matches!(result, Err(CommitError::Failed(StoreError::Unavailable(_))));
    assert!(result.is_ok() || is_unavailable, "{result:?}");
    assert_eq!(data.has_event(1).await, result.is_ok(), "{result:?}");
    assert_eq!(data.lock_count().await, 1 + i32::from(result.is_ok()));
}

/// If the server rejects the search, a write waits as it would without the search.
#[tokio::test(flavor = "multi_thread")]
async fn rejected_search_does_not_fail_a_write() {
    let mongod = tokio::task::spawn_blocking(|| Mongod::running(Kind::Faulty)).await;
    let mongod = mongod.expect("a running mongod");
    mongod.initiate().await;
    let uri = mongod.uri("portal").replace("serverSelectionTimeoutMS=300&", "");
    let client = Client::with_uri_str(&uri).await.expect("a URL");
    let admin = client.database("admin");
    let store = MongoStore::connect(&format!("{uri}&appName=store"), ISSUER, None).await;
    let store = Arc::new(store.expect("a store"));
    store.prepare().await.expect("preparation succeeds");
    let tenant = doc! { "_id": oid(1), "slug": "acme", "name": "Acme" };
    let tenants = client.database("portal").collection::<Document>("tenants");
    tenants.insert_one(tenant).await.expect("insert succeeds");
    let unauthorized = doc! { "failCommands": ["aggregate"], "appName": "store", "errorCode": 13 };
    let fail =
        doc! { "configureFailPoint": "failCommand", "mode": "alwaysOn", "data": unauthorized };
    let configured = admin.run_command(fail).await.expect("the server supports fail points");

    let mut blocking = client.start_session().await.expect("a session");
    blocking.start_transaction().await.expect("a transaction");
    let update = tenants.update_many(doc! {}, doc! { "$set": { "lost": true } });
    update.session(&mut blocking).await.expect("update succeeds");
    let commit = spawn_commit(&store, 1);
    let count = configured.get_i32("count").expect("a number");
    let wait =
        doc! { "waitForFailPoint": "failCommand", "timesEntered": count + 1, "maxTimeMS": 60_000 };
    admin.run_command(wait).await.expect("the store searches");
    blocking.abort_transaction().await.expect("abort succeeds");
    commit.await.expect("task completes").expect("commit succeeds");
}
