//! Lost replies and failing commands, injected with MongoDB's fail points. The result of a commit
//! matches the stored state, and nothing is written twice.

use std::sync::Arc;

use mongodb::{
    Client, Database,
    bson::{Document, doc},
};
use tenantry::{
    domain::{
        audit::{ActorKind, AuditEvent},
        change::Change,
        idempotency::{Claim, ClaimResult, CompletedMutation, IdempotencyKeyHash, RightsDigest},
        user::{Identity, User},
    },
    store::{CommitError, Store, StoreError, UserKeys, mongo::MongoStore},
};

use super::*;
use crate::support::mongod::{ISSUER, Kind, Mongod};

const DATABASE: &str = "failpoints";
/// More failures than the driver retries.
const MORE_THAN_RETRIES: i32 = 5;

/// A server with fail points, and a store that uses it.
struct FailPointServer {
    _mongod: Mongod,
    admin: Database,
    database: Database,
    store: Arc<MongoStore>,
}

impl FailPointServer {
    async fn new() -> Self {
        let mongod = tokio::task::spawn_blocking(|| Mongod::running(Kind::Faulty)).await;
        let mongod = mongod.expect("a running mongod");
        mongod.initiate().await;
        let uri = mongod.uri(DATABASE).replace("serverSelectionTimeoutMS=300&", "");
        let client = Client::with_uri_str(&uri).await.expect("a URL");
        let (admin, database) = (client.database("admin"), client.database(DATABASE));
        // The application name restricts failures to the store's commands. The fast heartbeat lets
        // the driver recover twice a second, because the injected errors misreport the server's
        // state.
        let uri = format!("{}&appName=store&heartbeatFrequencyMS=500", mongod.uri(DATABASE));
        let uri = uri.replace("serverSelectionTimeoutMS=300", "serverSelectionTimeoutMS=5000");
        let store = MongoStore::connect(&uri, ISSUER, None).await.expect("store opens");
        store.prepare().await.expect("preparation succeeds");
        Self { _mongod: mongod, admin, database, store: Arc::new(store) }
    }

    /// Makes the store's commands fail as `failure` describes. `mode` sets how often.
    async fn fail(
        &self,
        mode: impl Into<mongodb::bson::Bson>,
        commands: &[&str],
        failure: Document,
    ) {
        let mut data = doc! { "failCommands": commands, "appName": "store" };
        data.extend(failure);
        let command =
            doc! { "configureFailPoint": "failCommand", "mode": mode.into(), "data": data };
        self.admin.run_command(command).await.expect("the server supports fail points");
    }

    /// Disables the fail point.
    async fn stop_failing(&self) {
        self.fail("off", &[], doc! {}).await;
    }

    /// Inserts the tenant that the commits lock. Its document counts the locks.
    async fn insert_tenant(&self) {
        let tenant = doc! { "_id": oid(1), "slug": "acme", "name": "Acme" };
        let tenants = self.database.collection::<Document>("tenants");
        tenants.insert_one(tenant).await.expect("insert succeeds");
    }

    /// Returns how often the tenant was locked.
    async fn lock_count(&self) -> i64 {
        let tenants = self.database.collection::<Document>("tenants");
        let tenant = tenants
            .find_one(doc! { "_id": oid(1) })
            .await
            .expect("read succeeds")
            .expect("present");
        match tenant.get("holds") {
            None => 0,
            Some(count) => count.as_i32().expect("a number").into(),
        }
    }

    /// Returns whether the n-th audit event is stored.
    async fn has_event(&self, n: u32) -> bool {
        !self.store.audit_events(&[id(n)]).await.expect("read succeeds").is_empty()
    }
}

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

fn user(n: u32) -> User {
    User {
        id: id(n),
        identity: Identity { issuer: ISSUER.to_owned(), subject: format!("u-{n}") },
        email: None,
        name: "Ada".to_owned(),
        platform_admin: None,
        disabled: false,
        memberships: Vec::new(),
        groups_as_of: None,
        last_seen_at: None,
        version: 1,
        created_at: time(0),
        updated_at: time(0),
    }
}

/// Returns changes as a mutation makes them: a tenant lock, an insert and an audit event.
fn changes(n: u32) -> [Change; 3] {
    [
        Change::LockTenant { id: id(1), expected: 1 },
        Change::InsertUser(user(n)),
        Change::InsertAuditEvent(event(n)),
    ]
}

/// Returns a failure that closes the connection without executing the command.
fn connection_closed() -> Document {
    doc! { "closeConnection": true }
}

/// Returns a failure in which the server executes the command, but its reply leaves open whether
/// the write is durable.
fn write_concern_error(code: i32) -> Document {
    doc! { "writeConcernError": { "code": code, "errmsg": "for the test" } }
}

fn is_unavailable<T>(result: &Result<T, CommitError>) -> bool {
    matches!(result, Err(CommitError::Failed(StoreError::Unavailable(_))))
}

/// A commit succeeds exactly once after any transient failure.
#[tokio::test]
async fn commit_survives_transient_failures_and_applies_once() {
    let server = FailPointServer::new().await;
    server.insert_tenant().await;
    let times = |n: i32| doc! { "times": n };
    let aborted = doc! { "errorCode": 251, "errorLabels": ["TransientTransactionError"] };
    let mut committed = 0;
    for (commands, failure) in [
        (["commitTransaction"], connection_closed()),
        (["commitTransaction"], write_concern_error(64)),
        (["commitTransaction"], write_concern_error(91)),
        (["commitTransaction"], doc! { "errorCode": 91 }),
        (["commitTransaction"], doc! { "errorCode": 10107 }),
        (["commitTransaction"], aborted),
        (["update"], connection_closed()),
        (["insert"], connection_closed()),
        (["insert"], doc! { "errorCode": 112, "errorLabels": ["TransientTransactionError"] }),
    ] {
        for times_failed in [1, MORE_THAN_RETRIES] {
            server.fail(times(times_failed), &commands, failure.clone()).await;
            committed += 1;
            let n = committed;
            let result = server.store.commit(&changes(n)).await;
            assert!(result.is_ok(), "{commands:?} {failure} {times_failed}: {result:?}");
            server.stop_failing().await;
            assert!(server.has_event(n).await, "{commands:?} {failure}");
            assert_eq!(
                server.lock_count().await,
                i64::from(n),
                "applied once: {commands:?} {failure}"
            );
            let users = server.store.users(UserKeys::Ids(&[id(n)])).await.expect("read succeeds");
            assert_eq!(users, [Ok(user(n))]);
        }
    }
}

/// The commit command never reaches the server before the store gives up. The store reports the
/// failure, and nothing is committed later.
#[tokio::test]
async fn commit_that_never_arrives_is_reported_as_failed() {
    let server = FailPointServer::new().await;
    server.insert_tenant().await;
    server.fail("alwaysOn", &["commitTransaction"], connection_closed()).await;
    let result = server.store.commit(&changes(1)).await;
    assert!(is_unavailable(&result), "{result:?}");
    server.stop_failing().await;
    assert!(!server.has_event(1).await);
    assert_eq!(server.lock_count().await, 0);
    // The failed commit leaves neither a lock nor a value behind.
    let increment = doc! { "$inc": { "holds": 1 } };
    let tenants = server.database.collection::<Document>("tenants");
    let update = tenants.update_one(doc! { "_id": oid(1) }, increment);
    let update = tokio::time::timeout(std::time::Duration::from_secs(30), update.into_future());
    update.await.expect("no lock blocks the update").expect("update succeeds");
    server.store.commit(&changes(1)).await.expect("commit succeeds");
    assert_eq!((server.has_event(1).await, server.lock_count().await), (true, 2));
}

/// The server commits, but no reply confirms it before the store gives up. The store finds the
/// commit.
#[tokio::test]
async fn unconfirmed_commit_is_verified_by_a_lookup() {
    let server = FailPointServer::new().await;
    server.insert_tenant().await;
    server.fail("alwaysOn", &["commitTransaction"], write_concern_error(64)).await;
    let result = server.store.commit(&changes(1)).await;
    assert!(result.is_ok(), "{result:?}");
    server.stop_failing().await;
    assert_eq!((server.has_event(1).await, server.lock_count().await), (true, 1));
}

/// With many concurrent commits and intermittent failures, each successful commit is stored, and no
/// failed commit is.
#[tokio::test]
async fn commit_result_matches_stored_state() {
    const MANY: u32 = 40;
    let server = FailPointServer::new().await;
    server.insert_tenant().await;
    let commands = ["commitTransaction", "insert", "update"];
    server.fail(doc! { "times": 2 * MANY }, &commands, connection_closed()).await;
    let commit = |n| {
        let store = Arc::clone(&server.store);
        tokio::spawn(async move { store.commit(&changes(n)).await })
    };
    let tasks: Vec<_> = (10..10 + MANY).map(commit).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.expect("task completes"));
    }
    server.stop_failing().await;
    let mut committed = 0;
    for (n, result) in (10..).zip(results) {
        assert_eq!(server.has_event(n).await, result.is_ok(), "{result:?}");
        assert!(result.is_ok() || is_unavailable(&result), "{result:?}");
        committed += i64::from(result.is_ok());
    }
    assert_eq!(server.lock_count().await, committed, "each commit is applied once");
}

fn record_step(root_field_index: u32) -> Change {
    Change::RecordIdempotentStep {
        key: IdempotencyKeyHash([1; 32]),
        run_id: tenantry::domain::id::ObjectId([1; 12]),
        step: CompletedMutation { root_field_index, ids: Vec::new() },
    }
}

/// Returns the n-th claim, of a key and a run of its own.
fn claim(n: u8) -> Claim {
    Claim {
        key: IdempotencyKeyHash([n; 32]),
        fingerprint: [2; 32],
        run_id: tenantry::domain::id::ObjectId([n; 12]),
        process: id::<User>(2).raw,
        user: Some(id(1)),
        rights: RightsDigest([3; 32]),
        lost_run: None,
        now: time(0),
    }
}

/// A change of a single document uses no transaction, and its result matches the stored state, too.
#[tokio::test]
async fn single_write_result_matches_stored_state() {
    let server = FailPointServer::new().await;
    let store = &server.store;
    let run_id = tenantry::domain::id::ObjectId([1; 12]);
    let claim = Claim { run_id, ..claim(1) };
    assert_eq!(
        store.claim_request(&claim).await.expect("claim succeeds"),
        ClaimResult::Acquired(Vec::new())
    );
    store.commit(&[Change::InsertUser(user(1))]).await.expect("commit succeeds");
    let times = |n: i32| doc! { "times": n };
    let mut steps: Vec<CompletedMutation> = Vec::new();
    for (n, (times_failed, failure, applied)) in (0..).zip([
        (1, connection_closed(), true),
        // The driver's single retry fails, too.
        (2, connection_closed(), false),
        (1, doc! { "errorCode": 91, "errorLabels": ["RetryableWriteError"] }, true),
        (2, doc! { "errorCode": 91, "errorLabels": ["RetryableWriteError"] }, false),
        (1, write_concern_error(64), true),
        (MORE_THAN_RETRIES, write_concern_error(64), true),
        (MORE_THAN_RETRIES, write_concern_error(91), true),
    ]) {
        let context = format!("{failure} {times_failed}");
        let touch = Change::TouchLastSeen { id: id(1), at: time(i64::from(n) + 1) };
        for change in [record_step(n), Change::InsertAuditEvent(event(n)), touch] {
            server.fail(times(times_failed), &["insert", "update"], failure.clone()).await;
            let result = store.commit(std::slice::from_ref(&change)).await;
            server.stop_failing().await;
            assert_eq!(result.is_ok(), applied, "{context} {change:?}: {result:?}");
            assert!(result.is_ok() || is_unavailable(&result), "{context}: {result:?}");
        }
        assert_eq!(server.has_event(n).await, applied, "{context}");
        let users = store.users(UserKeys::Ids(&[id(1)])).await.expect("read succeeds");
        let last_seen_at = users[0].as_ref().expect("readable").last_seen_at;
        assert_eq!(last_seen_at == Some(time(i64::from(n) + 1)), applied, "{context}");
        if applied {
            steps.push(CompletedMutation { root_field_index: n, ids: Vec::new() });
        }
    }
    let late = time(0).saturating_add(tenantry::domain::idempotency::LEASE_TTL);
    let next = Claim { run_id: tenantry::domain::id::ObjectId([2; 12]), now: late, ..claim };
    assert_eq!(
        store.claim_request(&next).await.expect("claim succeeds"),
        ClaimResult::Acquired(steps),
        "each step is recorded once"
    );
}

/// The store retries a claim whose reply was lost, and the retry recognises its own claim.
#[tokio::test]
async fn claim_survives_a_lost_reply() {
    let server = FailPointServer::new().await;
    for (n, failure) in (1..).zip([connection_closed(), write_concern_error(91)]) {
        server.fail(doc! { "times": 1 }, &["findAndModify"], failure).await;
        let result = server.store.claim_request(&claim(n)).await;
        server.stop_failing().await;
        assert_eq!(result.expect("claim succeeds"), ClaimResult::Acquired(Vec::new()));
    }
    server.fail(doc! { "times": MORE_THAN_RETRIES }, &["findAndModify"], connection_closed()).await;
    let result = server.store.claim_request(&claim(9)).await;
    assert!(matches!(result, Err(StoreError::Unavailable(_))), "{result:?}");
    server.stop_failing().await;
    let next_run = Claim { run_id: tenantry::domain::id::ObjectId([7; 12]), ..claim(9) };
    assert_eq!(
        server.store.claim_request(&next_run).await.expect("claim succeeds"),
        ClaimResult::Acquired(Vec::new())
    );
    // A failure to delete expired records does not fail the claim.
    server.fail("alwaysOn", &["find", "delete"], connection_closed()).await;
    let result = server.store.claim_request(&claim(10)).await;
    server.stop_failing().await;
    assert_eq!(result.expect("claim succeeds"), ClaimResult::Acquired(Vec::new()));
}
