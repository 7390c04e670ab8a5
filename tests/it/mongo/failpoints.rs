//! Answers that never come: what was committed is told as committed, what was not is not, and
//! nothing is written twice.

use std::sync::Arc;

use mongodb::{
    Client, Database,
    bson::{Document, doc},
};
use tenantry::{
    domain::{
        audit::{ActorKind, AuditEvent},
        change::Change,
        idempotency::{Claim, ClaimResult, CompletedMutation, IdempotencyKeyHash},
        user::{Identity, User},
    },
    store::{CommitError, Store, StoreError, UserKeys, mongo::MongoStore},
};

use super::*;
use crate::support::mongod::{ISSUER, Kind, Mongod};

const DATABASE: &str = "faults";
/// More often than the driver tries again.
const SEVERAL: i32 = 5;

/// A server that fails when it is told to, and a store on it.
struct Faulty {
    _mongod: Mongod,
    admin: Database,
    database: Database,
    store: Arc<MongoStore>,
}

impl Faulty {
    async fn new() -> Self {
        let mongod = tokio::task::spawn_blocking(|| Mongod::running(Kind::Faulty)).await;
        let mongod = mongod.expect("a running mongod");
        mongod.initiate().await;
        let uri = mongod.uri(DATABASE).replace("serverSelectionTimeoutMS=300&", "");
        let client = Client::with_uri_str(&uri).await.expect("a URL");
        let (admin, database) = (client.database("admin"), client.database(DATABASE));
        // Only the store's commands fail, not those of the test.
        // The server says how it is twice a second: what it says of itself here is not true.
        let uri = format!("{}&appName=store&heartbeatFrequencyMS=500", mongod.uri(DATABASE));
        let uri = uri.replace("serverSelectionTimeoutMS=300", "serverSelectionTimeoutMS=5000");
        let store = MongoStore::connect(&uri, ISSUER, None).await.expect("a store");
        store.prepare().await.expect("prepared");
        Self { _mongod: mongod, admin, database, store: Arc::new(store) }
    }

    /// From now on these commands fail in that way; `mode` says how often.
    async fn fail(&self, mode: impl Into<mongodb::bson::Bson>, commands: &[&str], how: Document) {
        let mut data = doc! { "failCommands": commands, "appName": "store" };
        data.extend(how);
        let fail = doc! { "configureFailPoint": "failCommand", "mode": mode.into(), "data": data };
        self.admin.run_command(fail).await.expect("a server that can be told to fail");
    }

    async fn heal(&self) {
        self.fail("off", &[], doc! {}).await;
    }

    /// A tenant that counts how often it was held.
    async fn insert_tenant(&self) {
        let tenant = doc! { "_id": oid(1), "slug": "acme", "name": "Acme" };
        let tenants = self.database.collection::<Document>("tenants");
        tenants.insert_one(tenant).await.expect("inserted");
    }

    async fn holds(&self) -> i64 {
        let tenants = self.database.collection::<Document>("tenants");
        let tenant = tenants.find_one(doc! { "_id": oid(1) }).await.expect("read").expect("there");
        match tenant.get("holds") {
            None => 0,
            Some(holds) => holds.as_i32().expect("a number").into(),
        }
    }

    async fn is_recorded(&self, n: u32) -> bool {
        !self.store.audit_events(&[id(n)]).await.expect("read").is_empty()
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

/// As a mutation has them: a tenant that is held, something new, the event.
fn changes(n: u32) -> [Change; 3] {
    [
        Change::LockTenant { id: id(1), was: 1 },
        Change::InsertUser(user(n)),
        Change::InsertAuditEvent(event(n)),
    ]
}

fn closes() -> Document {
    doc! { "closeConnection": true }
}

/// The command is executed, and its answer leaves open for how long that will last.
fn open(code: i32) -> Document {
    doc! { "writeConcernError": { "code": code, "errmsg": "for the test" } }
}

fn is_unavailable<T>(done: &Result<T, CommitError>) -> bool {
    matches!(done, Err(CommitError::Failed(StoreError::Unavailable(_))))
}

/// Whatever passes ends well, and once.
#[tokio::test]
async fn a_commit_that_fails_for_a_while_is_committed_once() {
    let faulty = Faulty::new().await;
    faulty.insert_tenant().await;
    let times = |n: i32| doc! { "times": n };
    let aborted = doc! { "errorCode": 251, "errorLabels": ["TransientTransactionError"] };
    let mut committed = 0;
    for (commands, how) in [
        (["commitTransaction"], closes()),
        (["commitTransaction"], open(64)),
        (["commitTransaction"], open(91)),
        (["commitTransaction"], doc! { "errorCode": 91 }),
        (["commitTransaction"], doc! { "errorCode": 10107 }),
        (["commitTransaction"], aborted),
        (["update"], closes()),
        (["insert"], closes()),
        (["insert"], doc! { "errorCode": 112, "errorLabels": ["TransientTransactionError"] }),
    ] {
        for often in [1, SEVERAL] {
            faulty.fail(times(often), &commands, how.clone()).await;
            committed += 1;
            let n = committed;
            let done = faulty.store.commit(&changes(n)).await;
            assert!(done.is_ok(), "{commands:?} {how} {often}: {done:?}");
            faulty.heal().await;
            assert!(faulty.is_recorded(n).await, "{commands:?} {how}");
            assert_eq!(faulty.holds().await, i64::from(n), "once: {commands:?} {how}");
            let users = faulty.store.users(UserKeys::Ids(&[id(n)])).await.expect("read");
            assert_eq!(users, [Ok(user(n))]);
        }
    }
}

/// No answer until the store gives up: nothing was committed, is told so, and never will be.
#[tokio::test]
async fn a_commit_that_never_arrives_is_told_as_failed() {
    let faulty = Faulty::new().await;
    faulty.insert_tenant().await;
    faulty.fail("alwaysOn", &["commitTransaction"], closes()).await;
    let done = faulty.store.commit(&changes(1)).await;
    assert!(is_unavailable(&done), "{done:?}");
    faulty.heal().await;
    assert!(!faulty.is_recorded(1).await);
    assert_eq!(faulty.holds().await, 0);
    // Nothing of it is in the way: not a lock, and not a value.
    let held = doc! { "$inc": { "holds": 1 } };
    let tenants = faulty.database.collection::<Document>("tenants");
    let held = tenants.update_one(doc! { "_id": oid(1) }, held);
    let held = tokio::time::timeout(std::time::Duration::from_secs(30), held.into_future());
    held.await.expect("before the server ends it by itself").expect("updated");
    faulty.store.commit(&changes(1)).await.expect("committed");
    assert_eq!((faulty.is_recorded(1).await, faulty.holds().await), (true, 2));
}

/// It was committed, but no answer says so until the store gives up: it is found to be there.
#[tokio::test]
async fn a_commit_that_was_never_confirmed_is_looked_up() {
    let faulty = Faulty::new().await;
    faulty.insert_tenant().await;
    faulty.fail("alwaysOn", &["commitTransaction"], open(64)).await;
    let done = faulty.store.commit(&changes(1)).await;
    assert!(done.is_ok(), "{done:?}");
    faulty.heal().await;
    assert_eq!((faulty.is_recorded(1).await, faulty.holds().await), (true, 1));
}

/// Many at once, on a server that fails now and then: who was told that it is done is there, who was
/// told that it is not is not there.
#[tokio::test]
async fn what_is_told_is_what_is_there() {
    const MANY: u32 = 40;
    let faulty = Faulty::new().await;
    faulty.insert_tenant().await;
    let commands = ["commitTransaction", "insert", "update"];
    faulty.fail(doc! { "times": 2 * MANY }, &commands, closes()).await;
    let commit = |n| {
        let store = Arc::clone(&faulty.store);
        tokio::spawn(async move { store.commit(&changes(n)).await })
    };
    let running: Vec<_> = (10..10 + MANY).map(commit).collect();
    let mut told = Vec::new();
    for one in running {
        told.push(one.await.expect("an answer"));
    }
    faulty.heal().await;
    let mut there = 0;
    for (n, told) in (10..).zip(told) {
        assert_eq!(faulty.is_recorded(n).await, told.is_ok(), "{told:?}");
        assert!(told.is_ok() || is_unavailable(&told), "{told:?}");
        there += i64::from(told.is_ok());
    }
    assert_eq!(faulty.holds().await, there, "each once");
}

fn done(ordinal: u32) -> Change {
    Change::RecordIdempotentStep {
        key: IdempotencyKeyHash([1; 32]),
        run_id: tenantry::domain::id::ObjectId([1; 12]),
        step: CompletedMutation { root_field_index: ordinal, ids: Vec::new() },
    }
}

/// What is one document's change goes without a transaction, and is told as truly.
#[tokio::test]
async fn a_single_write_is_told_as_what_it_was() {
    let faulty = Faulty::new().await;
    let store = &faulty.store;
    let holder = tenantry::domain::id::ObjectId([1; 12]);
    let claim = Claim {
        key: IdempotencyKeyHash([1; 32]),
        fingerprint: [2; 32],
        run_id: holder,
        now: time(0),
    };
    assert_eq!(
        store.claim_request(&claim).await.expect("claimed"),
        ClaimResult::Acquired(Vec::new())
    );
    store.commit(&[Change::InsertUser(user(1))]).await.expect("committed");
    let times = |n: i32| doc! { "times": n };
    let mut steps: Vec<CompletedMutation> = Vec::new();
    for (n, (often, how, applied)) in (0..).zip([
        (1, closes(), true),
        // The driver's one retry fails, too.
        (2, closes(), false),
        (1, doc! { "errorCode": 91, "errorLabels": ["RetryableWriteError"] }, true),
        (2, doc! { "errorCode": 91, "errorLabels": ["RetryableWriteError"] }, false),
        (1, open(64), true),
        (SEVERAL, open(64), true),
        (SEVERAL, open(91), true),
    ]) {
        let what = format!("{how} {often}");
        let seen = Change::TouchLastSeen { id: id(1), at: time(i64::from(n) + 1) };
        for change in [done(n), Change::InsertAuditEvent(event(n)), seen] {
            faulty.fail(times(often), &["insert", "update"], how.clone()).await;
            let told = store.commit(std::slice::from_ref(&change)).await;
            faulty.heal().await;
            assert_eq!(told.is_ok(), applied, "{what} {change:?}: {told:?}");
            assert!(told.is_ok() || is_unavailable(&told), "{what}: {told:?}");
        }
        assert_eq!(faulty.is_recorded(n).await, applied, "{what}");
        let read = store.users(UserKeys::Ids(&[id(1)])).await.expect("read");
        let last_seen_at = read[0].as_ref().expect("readable").last_seen_at;
        assert_eq!(last_seen_at == Some(time(i64::from(n) + 1)), applied, "{what}");
        if applied {
            steps.push(CompletedMutation { root_field_index: n, ids: Vec::new() });
        }
    }
    let late = time(0).saturating_add(tenantry::domain::idempotency::LEASE_TTL);
    let next = Claim { run_id: tenantry::domain::id::ObjectId([2; 12]), now: late, ..claim };
    assert_eq!(
        store.claim_request(&next).await.expect("claimed"),
        ClaimResult::Acquired(steps),
        "each once"
    );
}

/// A claim's own answer that is lost is asked for again; it is not made twice.
#[tokio::test]
async fn a_claim_survives_a_lost_answer() {
    let faulty = Faulty::new().await;
    let claim = |n: u8| Claim {
        key: IdempotencyKeyHash([n; 32]),
        fingerprint: [2; 32],
        run_id: tenantry::domain::id::ObjectId([n; 12]),
        now: time(0),
    };
    for (n, how) in (1..).zip([closes(), open(91)]) {
        faulty.fail(doc! { "times": 1 }, &["findAndModify"], how).await;
        let claimed = faulty.store.claim_request(&claim(n)).await;
        faulty.heal().await;
        assert_eq!(claimed.expect("claimed"), ClaimResult::Acquired(Vec::new()));
    }
    faulty.fail(doc! { "times": SEVERAL }, &["findAndModify"], closes()).await;
    let refused = faulty.store.claim_request(&claim(9)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    faulty.heal().await;
    let again = Claim { run_id: tenantry::domain::id::ObjectId([7; 12]), ..claim(9) };
    assert_eq!(
        faulty.store.claim_request(&again).await.expect("claimed"),
        ClaimResult::Acquired(Vec::new())
    );
    // What is to be swept is not what was asked for.
    faulty.fail("alwaysOn", &["find", "delete"], closes()).await;
    let claimed = faulty.store.claim_request(&claim(10)).await;
    faulty.heal().await;
    assert_eq!(claimed.expect("claimed"), ClaimResult::Acquired(Vec::new()));
}
