//! Time limits. The clock of timers stands still in these tests, and jumps to the next timer where
//! nothing else is left to do: what would take seconds takes none.

use std::{sync::Arc, time::Duration};

use axum::{body::Body, http::Request};
use serde_json::json;
use tenantry::http::HEAD_TIMEOUT;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::Instant,
};

use crate::support::{
    app::{App, Backend, Setup},
    store_gate::Gate,
    time::FrozenTime,
    world::World,
};

/// As it is configured where nobody says otherwise.
const LIMIT: Duration = Duration::from_secs(10);
/// The wheel that holds timers turns in steps.
const STEP: Duration = Duration::from_millis(2);
const MUTATION: &str =
    r#"mutation { createTenant(input: {slug: "one", name: "One"}) { tenant { slug } } }"#;

/// A gateway with the time limit that the program has by default.
fn limited() -> Setup {
    Setup { request_timeout: LIMIT, ..Setup::default() }
}

async fn gated() -> (App, Arc<Gate>) {
    let gate = Gate::open();
    let app = App::with(Backend::Sqlite, Setup { gate: Some(gate.clone()), ..limited() }).await;
    World::new(&app).await;
    (app, gate)
}

fn request(app: &App, query: &str, key: Option<&str>) -> Request<Body> {
    let token = format!("Bearer {}", app.token("ada", []));
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("x-request-id", "the-one")
        .header("authorization", token);
    let request =
        key.into_iter().fold(request, |request, key| request.header("idempotency-key", key));
    request.body(Body::from(json!({"query": query}).to_string())).expect("a request")
}

/// The same as it goes over a connection.
fn text(app: &App, query: &str, key: &str) -> String {
    let body = json!({"query": query}).to_string();
    format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nidempotency-key: {key}\r\n\
         authorization: Bearer {}\r\ncontent-length: {}\r\n\r\n{body}",
        app.token("ada", []),
        body.len()
    )
}

async fn connect(origin: &str) -> TcpStream {
    TcpStream::connect(origin.trim_start_matches("http://")).await.expect("a connection")
}

/// What comes until the other end closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.expect("an end");
    String::from_utf8(rest).expect("UTF-8")
}

#[track_caller]
fn took(since: Instant, limit: Duration) {
    let took = since.elapsed();
    assert!((limit..=limit + STEP).contains(&took), "{took:?}");
}

#[tokio::test]
async fn a_request_past_its_time_is_answered_and_its_work_dropped() {
    let (app, gate) = gated().await;
    gate.close(true);
    tokio::time::pause();
    let since = Instant::now();
    let reply = app.send(request(&app, "{ me { id } }", None)).await;
    took(since, LIMIT);
    assert_eq!((reply.status, reply.codes()), (504, vec!["TIMEOUT"]));
    assert_eq!(reply.header("x-request-id"), Some("the-one"));
    assert_eq!(reply.json["extensions"]["requestId"], "the-one");
    assert_eq!(reply.json.get("data"), None);
    // The store still holds everything up: what waited for it is gone.
    gate.until_inside(0).await;
    assert_eq!(app.metric("tenantry_requests_timed_out_total").await, 1.0);
    gate.close(false);
    app.send(request(&app, "{ me { id } }", None)).await.data();
    assert_eq!(app.metric("tenantry_requests_timed_out_total").await, 1.0);
}

#[tokio::test]
async fn a_request_with_a_key_has_no_more_time_and_may_be_sent_again_at_once() {
    let (app, gate) = gated().await;
    gate.close(true);
    tokio::time::pause();
    let since = Instant::now();
    let reply = app.send(request(&app, MUTATION, Some("k"))).await;
    took(since, LIMIT);
    assert_eq!((reply.status, reply.codes()), (504, vec!["TIMEOUT"]));
    gate.until_inside(0).await;
    gate.close(false);
    // No lease is left to wait for, and the answer was not kept.
    let since = Instant::now();
    let again = app.send(request(&app, MUTATION, Some("k"))).await;
    assert!(since.elapsed() < LIMIT / 10, "{:?}", since.elapsed());
    assert_eq!(again.data()["createTenant"]["tenant"]["slug"], "one");
    assert!(again.writes > 0);
}

#[tokio::test]
async fn a_client_that_goes_away_takes_its_work_along() {
    let (app, gate) = gated().await;
    let origin = app.serve().await;
    gate.close(true);
    let mut client = connect(&origin).await;
    let query = text(&app, "{ me { id } }", "k");
    client.write_all(query.as_bytes()).await.expect("sent");
    gate.until_inside(1).await;
    drop(client);
    gate.until_inside(0).await;
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_its_mutation_with_a_key_at_work() {
    let (app, gate) = gated().await;
    let origin = app.serve().await;
    gate.close(true);
    let mut client = connect(&origin).await;
    client.write_all(text(&app, MUTATION, "k").as_bytes()).await.expect("sent");
    gate.until_inside(1).await;
    // A query beside it on a second connection shows when the server has seen that both are gone.
    let mut other = connect(&origin).await;
    other.write_all(text(&app, "{ me { id } }", "k").as_bytes()).await.expect("sent");
    gate.until_inside(2).await;
    drop(client);
    drop(other);
    gate.until_inside(1).await;
    gate.close(false);
    let again = app.send(request(&app, MUTATION, Some("k"))).await;
    assert_eq!(again.data()["createTenant"]["tenant"]["slug"], "one");
    assert_eq!(again.writes, 0, "the first has done it");
}

#[tokio::test]
async fn a_slow_head_is_cut() {
    let app = App::with(Backend::Sqlite, limited()).await;
    // The clock stands still until the server has begun to wait, then jumps from timer to timer.
    let time = FrozenTime::start();
    let mut client = connect(&app.serve().await).await;
    let since = Instant::now();
    client.write_all(b"POST /graphql HTTP/1.1\r\nhost: x\r\n").await.expect("sent");
    drop(time);
    let said = rest(&mut client).await;
    took(since, HEAD_TIMEOUT);
    assert!(!said.contains(" 200 "), "{said}");
}

#[tokio::test]
async fn a_slow_body_is_cut() {
    let app = App::with(Backend::Sqlite, limited()).await;
    let time = FrozenTime::start();
    let mut client = connect(&app.serve().await).await;
    let since = Instant::now();
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 30\r\n\r\n{";
    client.write_all(head.as_bytes()).await.expect("sent");
    drop(time);
    let said = rest(&mut client).await;
    took(since, LIMIT);
    assert!(said.starts_with("HTTP/1.1 504 ") && said.contains("TIMEOUT"), "{said}");
}

/// A fault of this program in one request is that request's alone, and its words are for nobody.
#[tokio::test]
async fn a_panic_is_internal_and_the_next_request_is_answered() {
    let (app, gate) = gated().await;
    gate.break_it(true);
    let reply = app.ask("bob", "{ me { name } }").await;
    assert_eq!((reply.status, reply.codes()), (200, vec!["INTERNAL"]));
    assert!(!reply.body.contains("secret"), "{}", reply.body);
    assert_eq!(reply.json["data"], serde_json::Value::Null);
    let id = reply.json["extensions"]["requestId"].as_str().expect("an identifier");
    assert_eq!(Some(id), reply.header("x-request-id"));
    gate.break_it(false);
    assert_eq!(app.ask("bob", "{ me { name } }").await.codes(), [""; 0]);
}
