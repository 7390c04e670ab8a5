//! Time limits of requests. tokio's clock is paused in these tests and jumps to the next timer when
//! all tasks wait, so that no test waits for real.

use std::{sync::Arc, time::Duration};

use axum::{body::Body, http::Request};
use futures_util::future::join_all;
use serde_json::json;
use tenantry::{access::MAX_CONCURRENT_COMMITS, http::HEAD_TIMEOUT};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::Instant,
};

use crate::support::{
    app::{App, Backend, Setup},
    store_gate::StoreGate,
    tcp::reset,
    time::FrozenTime,
    world::World,
};

/// The default of `TENANTRY_REQUEST_TIMEOUT`.
const LIMIT: Duration = Duration::from_secs(10);
/// The tolerance for the granularity of tokio's timers.
const TOLERANCE: Duration = Duration::from_millis(2);
const MUTATION: &str =
    r#"mutation { createTenant(input: {slug: "one", name: "One"}) { tenant { slug } } }"#;

/// Returns the setup of a gateway with the default time limit.
fn with_default_timeout() -> Setup {
    Setup { request_timeout: LIMIT, ..Setup::default() }
}

async fn app_with_gate() -> (App, Arc<StoreGate>) {
    let (app, gate, _) = app_with_gate_on(Backend::Sqlite).await;
    (app, gate)
}

async fn app_with_gate_on(backend: Backend) -> (App, Arc<StoreGate>, World) {
    let gate = StoreGate::open();
    let setup = Setup { gate: Some(gate.clone()), ..with_default_timeout() };
    let app = App::with(backend, setup).await;
    let world = World::new(&app).await;
    (app, gate, world)
}

/// Returns a mutation that renames acme.
fn rename(world: &World, name: &str) -> String {
    let id = world.acme.id;
    format!(
        r#"mutation {{ updateTenant(input: {{id: "{id}", name: "{name}"}}) {{ tenant {{ version }} }} }}"#
    )
}

fn request(app: &App, query: &str, key: Option<&str>) -> Request<Body> {
    let token = format!("Bearer {}", app.token("ada", []));
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("x-request-id", "request-1")
        .header("authorization", token);
    let request =
        key.into_iter().fold(request, |request, key| request.header("idempotency-key", key));
    request.body(Body::from(json!({"query": query}).to_string())).expect("a request")
}

/// Returns the bytes of a request, with an idempotency key if there is one.
fn request_text(app: &App, query: &str, key: Option<&str>) -> String {
    let body = json!({"query": query}).to_string();
    let key = key.map(|key| format!("idempotency-key: {key}\r\n")).unwrap_or_default();
    format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{key}\
         authorization: Bearer {}\r\ncontent-length: {}\r\n\r\n{body}",
        app.token("ada", []),
        body.len()
    )
}

async fn connect(origin: &str) -> TcpStream {
    TcpStream::connect(origin.trim_start_matches("http://")).await.expect("a connection")
}

/// Reads until the server closes the connection.
async fn read_until_closed(stream: &mut TcpStream) -> String {
    let mut received = Vec::new();
    stream.read_to_end(&mut received).await.expect("a closed connection");
    String::from_utf8(received).expect("UTF-8")
}

#[track_caller]
fn assert_elapsed(since: Instant, limit: Duration) {
    let elapsed = since.elapsed();
    assert!((limit..=limit + TOLERANCE).contains(&elapsed), "{elapsed:?}");
}

#[tokio::test]
async fn timed_out_request_gets_a_response_and_is_cancelled() {
    let (app, gate) = app_with_gate().await;
    gate.set_closed(true);
    tokio::time::pause();
    let since = Instant::now();
    let reply = app.send(request(&app, "{ me { id } }", None)).await;
    assert_elapsed(since, LIMIT);
    assert_eq!((reply.status, reply.codes()), (504, vec!["TIMEOUT"]));
    assert_eq!(reply.header("x-request-id"), Some("request-1"));
    assert_eq!(reply.json["extensions"]["requestId"], "request-1");
    assert_eq!(reply.json.get("data"), None);
    // The store still blocks, but the request no longer waits for it.
    gate.wait_for_calls(0).await;
    assert_eq!(app.metric("tenantry_requests_timed_out_total").await, 1.0);
    gate.set_closed(false);
    app.send(request(&app, "{ me { id } }", None)).await.data();
    assert_eq!(app.metric("tenantry_requests_timed_out_total").await, 1.0);
}

#[tokio::test]
async fn timed_out_mutation_with_a_key_can_be_retried_immediately() {
    let (app, gate) = app_with_gate().await;
    gate.set_closed(true);
    tokio::time::pause();
    let since = Instant::now();
    let reply = app.send(request(&app, MUTATION, Some("k"))).await;
    assert_elapsed(since, LIMIT);
    assert_eq!((reply.status, reply.codes()), (504, vec!["TIMEOUT"]));
    gate.wait_for_calls(0).await;
    gate.set_closed(false);
    // The lease was released, and the timeout response was not stored.
    let since = Instant::now();
    let retry = app.send(request(&app, MUTATION, Some("k"))).await;
    assert!(since.elapsed() < LIMIT / 10, "{:?}", since.elapsed());
    assert_eq!(retry.data()["createTenant"]["tenant"]["slug"], "one");
    assert!(retry.writes > 0);
}

#[tokio::test]
async fn disconnect_cancels_a_query() {
    let (app, gate) = app_with_gate().await;
    let origin = app.serve().await;
    gate.set_closed(true);
    let mut client = connect(&origin).await;
    let query = request_text(&app, "{ me { id } }", Some("k"));
    client.write_all(query.as_bytes()).await.expect("sent");
    gate.wait_for_calls(1).await;
    reset(client);
    gate.wait_for_calls(0).await;
}

#[tokio::test]
async fn disconnect_does_not_cancel_a_commit() {
    for backend in [Backend::Sqlite, Backend::Mongo] {
        let (app, gate, world) = app_with_gate_on(backend).await;
        let origin = app.serve().await;
        gate.set_commits_closed(true);
        let mut client = connect(&origin).await;
        client
            .write_all(request_text(&app, &rename(&world, "Renamed"), None).as_bytes())
            .await
            .expect("sent");
        gate.wait_for_commits(1).await;
        // A query on a second connection shows when the server has seen both disconnects.
        gate.set_closed(true);
        let mut other = connect(&origin).await;
        let query = request_text(&app, "{ me { id } }", None);
        other.write_all(query.as_bytes()).await.expect("sent");
        gate.wait_for_calls(1).await;
        reset(client);
        reset(other);
        gate.wait_for_calls(0).await;
        gate.set_closed(false);
        assert_commit_completes(&app, &gate, &world).await;
    }
}

#[tokio::test]
async fn timeout_does_not_cancel_a_commit() {
    let (app, gate, world) = app_with_gate_on(Backend::Sqlite).await;
    gate.set_commits_closed(true);
    tokio::time::pause();
    let reply = app.send(request(&app, &rename(&world, "Renamed"), None)).await;
    assert_eq!((reply.status, reply.codes()), (504, vec!["TIMEOUT"]));
    tokio::time::resume();
    assert_commit_completes(&app, &gate, &world).await;
}

#[tokio::test]
async fn commits_of_cancelled_requests_are_limited() {
    const COMMITS: usize = MAX_CONCURRENT_COMMITS;
    let gate = StoreGate::open();
    // One caller may have a quarter of these requests in progress.
    let max_in_flight = 4 * (COMMITS + 1);
    let setup = Setup { gate: Some(gate.clone()), max_in_flight, ..with_default_timeout() };
    let app = App::with(Backend::Sqlite, setup).await;
    World::new(&app).await;
    let create = |n: usize| {
        format!(
            r#"mutation {{ createTenant(input: {{slug: "tenant-{n}", name: "T"}}) {{ tenant {{ id }} }} }}"#
        )
    };
    gate.set_commits_closed(true);
    tokio::time::pause();
    // Each request times out and leaves its commit behind, until no further commit may begin.
    let documents: Vec<_> = (0..COMMITS).map(create).collect();
    let requests = documents.iter().map(|document| app.send(request(&app, document, None)));
    assert!(join_all(requests).await.iter().all(|reply| reply.status == 504));
    gate.wait_for_commits(COMMITS).await;
    let rejected = app.send(request(&app, &create(COMMITS), None)).await;
    assert_eq!((rejected.status, rejected.codes()), (200, vec!["UNAVAILABLE"]));
    assert_eq!(gate.commit_count(), COMMITS);
    tokio::time::resume();
    gate.set_commits_closed(false);
    gate.wait_for_commits(0).await;
    app.send(request(&app, &create(COMMITS), None)).await.data();
}

#[tokio::test]
async fn write_that_times_out_in_the_queue_of_its_tenant_commits_nothing() {
    let (app, gate, world) = app_with_gate_on(Backend::Sqlite).await;
    gate.set_commits_closed(true);
    tokio::time::pause();
    let rename_first = rename(&world, "Renamed");
    let requests = (0..2).map(|_| app.send(request(&app, &rename_first, None)));
    assert!(join_all(requests).await.iter().all(|reply| reply.status == 504));
    assert_eq!(gate.commit_count(), 1);
    tokio::time::resume();
    assert_commit_completes(&app, &gate, &world).await;
}

/// Lets the paused commit of a rename continue. Expects that it is applied, and that it blocks no
/// later change of the same tenant.
async fn assert_commit_completes(app: &App, gate: &StoreGate, world: &World) {
    gate.set_commits_closed(false);
    gate.wait_for_commits(0).await;
    let reply = app.query_as("ada", r#"{ tenant(slug: "acme") { name version } }"#).await;
    assert_eq!(reply.data()["tenant"], json!({"name": "Renamed", "version": 2}));
    let reply = app.send(request(app, &rename(world, "Again"), None)).await;
    assert_eq!(reply.data()["updateTenant"]["tenant"]["version"], 3);
}

#[tokio::test]
async fn disconnect_does_not_cancel_a_mutation_with_a_key() {
    let (app, gate) = app_with_gate().await;
    let origin = app.serve().await;
    gate.set_closed(true);
    let mut client = connect(&origin).await;
    client.write_all(request_text(&app, MUTATION, Some("k")).as_bytes()).await.expect("sent");
    gate.wait_for_calls(1).await;
    // A query on a second connection shows when the server has noticed both disconnects.
    let mut other = connect(&origin).await;
    other.write_all(request_text(&app, "{ me { id } }", Some("k")).as_bytes()).await.expect("sent");
    gate.wait_for_calls(2).await;
    reset(client);
    reset(other);
    gate.wait_for_calls(1).await;
    // At its commit, the first request has claimed the key.
    gate.set_commits_closed(true);
    gate.set_closed(false);
    gate.wait_for_commits(1).await;
    gate.set_commits_closed(false);
    let replay = app.send(request(&app, MUTATION, Some("k"))).await;
    assert_eq!(replay.data()["createTenant"]["tenant"]["slug"], "one");
    assert_eq!(replay.writes, 0, "the first request has committed the change");
}

#[tokio::test]
async fn disconnect_does_not_abandon_a_claimed_key() {
    for backend in [Backend::Sqlite, Backend::Mongo] {
        let (app, gate, _) = app_with_gate_on(backend).await;
        let origin = app.serve().await;
        gate.set_claims_closed(true);
        let mut client = connect(&origin).await;
        client.write_all(request_text(&app, MUTATION, Some("k")).as_bytes()).await.expect("sent");
        gate.wait_for_claims(1).await;
        // A query on a second connection shows when the server has noticed both disconnects.
        gate.set_closed(true);
        let mut other = connect(&origin).await;
        let query = request_text(&app, "{ me { id } }", None);
        other.write_all(query.as_bytes()).await.expect("sent");
        gate.wait_for_calls(1).await;
        reset(client);
        reset(other);
        gate.wait_for_calls(0).await;
        gate.set_commits_closed(true);
        gate.set_closed(false);
        gate.set_claims_closed(false);
        gate.wait_for_commits(1).await;
        gate.set_commits_closed(false);
        let repeat = app.send(request(&app, MUTATION, Some("k"))).await;
        assert_eq!(repeat.data()["createTenant"]["tenant"]["slug"], "one");
        assert_eq!(repeat.writes, 0, "the first request has committed the change");
    }
}

#[tokio::test]
async fn slow_request_head_is_timed_out() {
    let app = App::with(Backend::Sqlite, with_default_timeout()).await;
    // The clock is frozen until the server has begun to wait. It then jumps from timer to timer.
    let time = FrozenTime::start();
    let mut client = connect(&app.serve().await).await;
    let since = Instant::now();
    client.write_all(b"POST /graphql HTTP/1.1\r\nhost: x\r\n").await.expect("sent");
    drop(time);
    let received = read_until_closed(&mut client).await;
    assert_elapsed(since, HEAD_TIMEOUT);
    assert!(!received.contains(" 200 "), "{received}");
}

#[tokio::test]
async fn slow_request_body_is_timed_out() {
    let app = App::with(Backend::Sqlite, with_default_timeout()).await;
    let time = FrozenTime::start();
    let mut client = connect(&app.serve().await).await;
    let since = Instant::now();
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 30\r\n\r\n{";
    client.write_all(head.as_bytes()).await.expect("sent");
    drop(time);
    let response = read_until_closed(&mut client).await;
    assert_elapsed(since, LIMIT);
    assert!(response.starts_with("HTTP/1.1 504 ") && response.contains("TIMEOUT"), "{response}");
}

/// A panic in one request fails only that request, and the response does not contain its message.
#[tokio::test]
async fn panic_is_an_internal_error_and_the_next_request_succeeds() {
    let (app, gate) = app_with_gate().await;
    gate.set_failing(true);
    let reply = app.query_as("bob", "{ me { name } }").await;
    assert_eq!((reply.status, reply.codes()), (200, vec!["INTERNAL"]));
    assert!(!reply.body.contains("secret"), "{}", reply.body);
    assert_eq!(reply.json["data"], serde_json::Value::Null);
    let id = reply.json["extensions"]["requestId"].as_str().expect("an identifier");
    assert_eq!(Some(id), reply.header("x-request-id"));
    gate.set_failing(false);
    assert_eq!(app.query_as("bob", "{ me { name } }").await.codes(), [""; 0]);
}
