//! The limit of concurrent requests, and the requests that count towards it.

use std::sync::Arc;

use axum::{body::Body, http::Request};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
};

use crate::support::{
    app::{App, Backend, Reply, Setup},
    store_gate::StoreGate,
    world::World,
};

const MUTATION: &str =
    r#"mutation { createTenant(input: {slug: "one", name: "One"}) { tenant { slug } } }"#;

/// Returns a gateway that allows so many concurrent requests, and the gate that blocks its store.
async fn app_with_limit(limit: usize) -> (Arc<App>, Arc<StoreGate>) {
    let gate = StoreGate::open();
    let setup = Setup { gate: Some(gate.clone()), max_in_flight: limit, ..Setup::default() };
    let app = App::with(Backend::Sqlite, setup).await;
    World::new(&app).await;
    (Arc::new(app), gate)
}

/// Sends a request of ada's in a task of its own.
fn spawn_request(app: &Arc<App>, query: &str, key: &str) -> JoinHandle<Reply> {
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("idempotency-key", key)
        .header("authorization", format!("Bearer {}", app.token("ada", [])))
        .body(Body::from(json!({"query": query}).to_string()))
        .expect("a request");
    let app = app.clone();
    tokio::spawn(async move { app.send(request).await })
}

async fn in_flight(app: &App) -> f64 {
    app.metric("tenantry_requests_in_flight").await
}

#[tokio::test]
async fn requests_over_the_concurrency_limit_are_rejected_immediately() {
    let (app, gate) = app_with_limit(3).await;
    gate.set_closed(true);
    let pending: Vec<_> = (0..3).map(|_| spawn_request(&app, "{ me { id } }", "k")).collect();
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
    let pending = spawn_request(&app, "{ me { id } }", "k");
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
    let pending = spawn_request(&app, MUTATION, "k");
    gate.wait_for_calls(1).await;
    pending.abort();
    assert!(pending.await.is_err_and(|error| error.is_cancelled()));
    assert_eq!(in_flight(&app).await, 1.0);
    assert_eq!(app.query_anonymous("{ __typename }").await.status, 503);
    gate.set_closed(false);
    // The permit is released as soon as the mutation has completed.
    let replay = loop {
        let reply = spawn_request(&app, MUTATION, "k").await.expect("a response");
        if reply.status != 503 {
            break reply;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(replay.data()["createTenant"]["tenant"]["slug"], "one");
    assert_eq!((replay.writes, in_flight(&app).await), (0, 0.0));
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
