//! The limits of concurrent requests, in all and of one caller, and the requests that count towards
//! them.

use std::sync::Arc;

use axum::{body::Body, http::Request};
use serde_json::json;
use tenantry::domain::{change::Change, tenant::Tenant, user::TenantRole};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
};

use crate::support::{
    app::{App, Backend, Reply, Setup, on_both_stores},
    store_gate::StoreGate,
    websocket::WebSocketClient,
    world::{self, World},
};

on_both_stores! {
    writes_to_one_tenant_commit_once_each,
}

const ME: &str = "{ me { id } }";
const READ: &str = r#"{ tenant(slug: "acme") { name } }"#;
const TYPENAME: &str = "{ __typename }";

const MUTATION: &str =
    r#"mutation { createTenant(input: {slug: "one", name: "One"}) { tenant { slug } } }"#;

/// Returns a gateway that allows so many concurrent requests, and the gate that blocks its store.
async fn app_with_limit(limit: usize) -> (Arc<App>, Arc<StoreGate>) {
    app_with_limit_on(Backend::Sqlite, limit).await
}

async fn app_with_limit_on(backend: Backend, limit: usize) -> (Arc<App>, Arc<StoreGate>) {
    let gate = StoreGate::open();
    let setup = Setup { gate: Some(gate.clone()), max_in_flight: limit, ..Setup::default() };
    let app = App::with(backend, setup).await;
    World::new(&app).await;
    (Arc::new(app), gate)
}

/// Returns a mutation that renames acme.
fn rename(name: &str) -> String {
    let id = world::tenant(1, "acme").id;
    format!(
        r#"mutation {{ updateTenant(input: {{id: "{id}", name: "{name}"}}) {{ tenant {{ name }} }} }}"#
    )
}

/// Sends a request in a task of its own.
fn spawn_request(app: &Arc<App>, subject: &str, query: &str) -> JoinHandle<Reply> {
    spawn_keyed_request(app, subject, query, None)
}

/// Sends a request with an `Idempotency-Key` in a task of its own.
fn spawn_keyed_request(
    app: &Arc<App>,
    subject: &str,
    query: &str,
    key: Option<&str>,
) -> JoinHandle<Reply> {
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {}", app.token(subject, [])));
    let request =
        key.into_iter().fold(request, |request, key| request.header("idempotency-key", key));
    let request = request.body(Body::from(json!({"query": query}).to_string())).expect("a request");
    let app = app.clone();
    tokio::spawn(async move { app.send(request).await })
}

async fn in_flight(app: &App) -> f64 {
    app.metric("tenantry_requests_in_flight").await
}

/// Two of four callers listen. One event takes its permit, and the other one waits for it.
#[tokio::test]
async fn events_wait_for_their_share_of_the_permits() {
    let (app, gate) = app_with_limit(4).await;
    let origin = app.serve().await;
    let acme = world::tenant(1, "acme");
    let query =
        format!(r#"subscription {{ tenantChanged(id: "{}") {{ tenant {{ name }} }} }}"#, acme.id);
    let mut listeners = Vec::new();
    for subject in ["bob", "carol"] {
        let mut client = WebSocketClient::init(&origin, Some(&app.token(subject, []))).await;
        client.subscribe("1", &query).await;
        listeners.push(client);
    }
    while app.metric("tenantry_live_operations").await < 2.0 || in_flight(&app).await > 0.0 {
        tokio::task::yield_now().await;
    }
    gate.set_closed(true);
    let renamed = Tenant { name: "Acme 2".to_owned(), version: 2, ..acme };
    let update = Change::UpdateTenant { expected: 1, tenant: renamed };
    app.store.commit(&[update]).await.expect("committed");
    gate.wait_for_calls(1).await;
    assert_eq!(in_flight(&app).await, 1.0, "one event");
    // The other permits are left for requests.
    let requests = ["ada", "bob", "mallory"].map(|subject| spawn_request(&app, subject, READ));
    gate.wait_for_calls(4).await;
    assert_eq!(in_flight(&app).await, 4.0);
    assert_eq!(app.query_as("carol", TYPENAME).await.status, 503);
    gate.set_closed(false);
    for request in requests {
        assert_eq!(request.await.expect("a reply").status, 200);
    }
    for listener in &mut listeners {
        let event = listener.next().await;
        assert_eq!(event["payload"]["data"]["tenantChanged"]["tenant"]["name"], "Acme 2");
    }
}

#[tokio::test]
async fn requests_over_the_concurrency_limit_are_rejected_immediately() {
    let (app, gate) = app_with_limit(3).await;
    gate.set_closed(true);
    let pending: Vec<_> =
        ["ada", "bob", "carol"].map(|caller| spawn_request(&app, caller, ME)).into();
    gate.wait_for_calls(3).await;
    assert_eq!(in_flight(&app).await, 3.0);
    for _ in 0..5 {
        // This query needs no store, but the gateway rejects a request before it reads the
        // document.
        let reply = app.query_anonymous("{ __typename }").await;
        assert_eq!((reply.status, reply.codes()), (503, vec!["UNAVAILABLE"]));
        assert_eq!(reply.header("retry-after"), Some("1"));
        assert_eq!(reply.json["extensions"]["requestId"].as_str(), reply.header("x-request-id"));
    }
    assert_eq!(app.metric("tenantry_requests_shed_total").await, 5.0);
    // The admin endpoints are not limited.
    assert_eq!(app.admin("/readyz").await.status, 200);
    gate.set_closed(false);
    for reply in pending {
        reply.await.expect("a response").data();
    }
    assert_eq!(in_flight(&app).await, 0.0);
    app.query_anonymous("{ __typename }").await.data();
}

#[tokio::test]
async fn disconnected_client_releases_its_permit() {
    let (app, gate) = app_with_limit(1).await;
    gate.set_closed(true);
    let pending = spawn_request(&app, "ada", ME);
    gate.wait_for_calls(1).await;
    assert_eq!(app.query_anonymous("{ __typename }").await.status, 503);
    pending.abort();
    gate.wait_for_calls(0).await;
    assert!(pending.await.is_err_and(|error| error.is_cancelled()));
    app.query_anonymous("{ __typename }").await.data();
    assert_eq!(in_flight(&app).await, 0.0);
}

#[tokio::test]
async fn mutation_that_outlives_its_client_keeps_its_permit() {
    let (app, gate) = app_with_limit(1).await;
    gate.set_closed(true);
    let pending = spawn_keyed_request(&app, "ada", MUTATION, Some("k"));
    gate.wait_for_calls(1).await;
    pending.abort();
    assert!(pending.await.is_err_and(|error| error.is_cancelled()));
    assert_eq!(in_flight(&app).await, 1.0);
    assert_eq!(app.query_anonymous("{ __typename }").await.status, 503);
    gate.set_closed(false);
    // The permit is released as soon as the mutation has completed.
    let replay = loop {
        let repeated = spawn_keyed_request(&app, "ada", MUTATION, Some("k"));
        let reply = repeated.await.expect("a response");
        if reply.status != 429 {
            break reply;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(replay.data()["createTenant"]["tenant"]["slug"], "one");
    assert_eq!((replay.writes, in_flight(&app).await), (0, 0.0));
}

#[tokio::test]
async fn caller_has_a_quarter_of_the_permits() {
    let (app, gate) = app_with_limit(8).await;
    gate.set_closed(true);
    let mut pending: Vec<_> = (0..2).map(|_| spawn_request(&app, "bob", ME)).collect();
    gate.wait_for_calls(2).await;
    let reply = app.query_as("bob", TYPENAME).await;
    assert_eq!((reply.status, reply.codes()), (429, vec!["RATE_LIMITED"]));
    assert_eq!(reply.header("retry-after"), Some("1"));
    assert_eq!(reply.json["errors"][0]["extensions"]["retryAfterSeconds"], 1);
    assert_eq!(app.metric(r#"tenantry_requests_rate_limited_total{scope="user"}"#).await, 1.0);
    // Other callers are not affected, and neither are clients without a token.
    pending.push(spawn_request(&app, "carol", ME));
    gate.wait_for_calls(3).await;
    app.query_anonymous(TYPENAME).await.data();
    assert_eq!(app.metric("tenantry_requests_shed_total").await, 0.0);
    gate.set_closed(false);
    for reply in pending {
        reply.await.expect("a response").data();
    }
    app.query_as("bob", TYPENAME).await.data();
}

#[tokio::test]
async fn request_holds_no_permit_while_it_waits_for_a_commit() {
    for backend in [Backend::Sqlite, Backend::Mongo] {
        let (app, gate) = app_with_limit_on(backend, 1).await;
        gate.set_commits_closed(true);
        let pending = spawn_request(&app, "bob", &rename("Renamed"));
        gate.wait_for_commits(1).await;
        assert_eq!(in_flight(&app).await, 0.0);
        app.query_as("carol", READ).await.data();
        // The request still counts for its caller.
        assert_eq!(app.query_as("bob", TYPENAME).await.status, 429);
        gate.set_commits_closed(false);
        let reply = pending.await.expect("a response");
        assert_eq!(reply.data()["updateTenant"]["tenant"]["name"], "Renamed");
        app.query_as("bob", TYPENAME).await.data();
    }
}

#[tokio::test]
async fn writes_waiting_for_one_tenant_leave_all_permits_to_others() {
    for backend in [Backend::Sqlite, Backend::Mongo] {
        let (app, gate) = app_with_limit_on(backend, 8).await;
        let acme = world::tenant(1, "acme").id;
        let owners = ["one", "two", "three", "four"];
        let users = (1000..).zip(owners).map(|(n, subject)| {
            Change::InsertUser(world::user(&app, n, subject, &[(acme, TenantRole::Owner)]))
        });
        app.store.commit(&users.collect::<Vec<_>>()).await.expect("identifiers are unused");
        gate.set_closed(true);
        gate.set_commits_closed(true);
        let writers = owners.iter().chain(&owners);
        let pending: Vec<_> =
            writers.map(|writer| spawn_request(&app, writer, &rename(writer))).collect();
        gate.wait_for_calls(8).await;
        assert_eq!(app.query_as("carol", READ).await.status, 503);
        gate.set_closed(false);
        // One write commits, and the others wait for their turn.
        while in_flight(&app).await > 0.0 && gate.commit_count() <= 1 {
            tokio::task::yield_now().await;
        }
        assert_eq!(gate.commit_count(), 1);
        app.query_as("carol", READ).await.data();
        gate.set_commits_closed(false);
        for reply in pending {
            reply.await.expect("a response").data();
        }
    }
}

/// A write that waited for its turn decides on the current version, so its commit is never stale.
async fn writes_to_one_tenant_commit_once_each(app: App) {
    const WRITES: u32 = 20;
    World::new(&app).await;
    let app = Arc::new(app);
    let command = if app.mongo.is_some() { "commitTransaction" } else { "commit" };
    let commits = async |outcome: &str| {
        let labels = format!(r#"collection="",command="{command}",outcome="{outcome}""#);
        app.metric(&format!("tenantry_store_command_duration_seconds_count{{{labels}}}")).await
    };
    let aborts = r#"tenantry_store_command_duration_seconds_count{collection="",command="abortTransaction",outcome="ok"}"#;
    let before = commits("ok").await;
    let writes = (0..WRITES).map(|n| spawn_request(&app, "bob", &rename(&format!("Name {n}"))));
    for reply in writes.collect::<Vec<_>>() {
        reply.await.expect("a response").data();
    }
    assert_eq!(commits("ok").await - before, f64::from(WRITES));
    assert_eq!((commits("error").await, app.metric(aborts).await), (0.0, 0.0));
}

#[tokio::test]
async fn request_waits_for_a_permit_after_its_commit() {
    let (app, gate) = app_with_limit(1).await;
    gate.set_commits_closed(true);
    let write = spawn_request(&app, "bob", &rename("Renamed"));
    gate.wait_for_commits(1).await;
    gate.set_closed(true);
    let mut read = spawn_request(&app, "carol", READ);
    tokio::select! {
        reply = &mut read => panic!("{}", reply.expect("a response").body),
        () = gate.wait_for_calls(1) => {}
    }
    gate.set_commits_closed(false);
    gate.wait_for_commits(0).await;
    assert_eq!(in_flight(&app).await, 1.0);
    assert!(!write.is_finished(), "the read has the only permit");
    gate.set_closed(false);
    read.await.expect("a response").data();
    write.await.expect("a response").data();
    assert_eq!(in_flight(&app).await, 0.0);
}

#[tokio::test]
async fn commit_that_outlives_its_request_counts_for_its_caller() {
    let (app, gate) = app_with_limit(4).await;
    gate.set_commits_closed(true);
    let pending = spawn_request(&app, "bob", &rename("Renamed"));
    gate.wait_for_commits(1).await;
    pending.abort();
    assert!(pending.await.is_err_and(|error| error.is_cancelled()));
    assert_eq!(app.query_as("bob", TYPENAME).await.status, 429);
    app.query_as("carol", READ).await.data();
    gate.set_commits_closed(false);
    gate.wait_for_commits(0).await;
    let reply = app.query_as("bob", READ).await;
    assert_eq!(reply.data()["tenant"]["name"], "Renamed");
}

#[tokio::test]
async fn requests_waiting_on_io_do_not_hold_a_permit() {
    let (app, _) = app_with_limit(1).await;
    let origin = app.serve().await;
    let address = origin.trim_start_matches("http://");
    let mut slow = TcpStream::connect(address).await.expect("a connection");
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                expect: 100-continue\r\ncontent-length: 30\r\n\r\n";
    slow.write_all(head.as_bytes()).await.expect("sent");
    // The server asks for the body, so it waits for it now.
    let mut interim = [0; 25];
    slow.read_exact(&mut interim).await.expect("an interim response");
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    app.query_anonymous("{ __typename }").await.data();
    // Requests that wait for a key fetch hold no permit either. `auth::unknown_kid_flood` tests
    // that with more requests than the limit allows.
    slow.write_all(br#"{"query":"{ a: __typename }" }"#).await.expect("sent");
    let mut status_line = vec![0; 15];
    slow.read_exact(&mut status_line).await.expect("a response");
    assert_eq!(&status_line, b"HTTP/1.1 200 OK");
}
