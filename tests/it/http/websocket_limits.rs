//! The time limits and the numbers that bound a WebSocket.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tenantry::{clock::Clock, http::ShutdownPhase};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{
    app::{App, Backend, Setup},
    store_gate::StoreGate,
    tcp::reset,
    time::FrozenTime,
    websocket::WebSocketClient,
    world::World,
};

const ME: &str = "{ me { name } }";
const RENAME: &str =
    "mutation ($id: ID!) { updateTenant(input: {id: $id, name: \"New\"}) { tenant { name } } }";

async fn app_with(setup: Setup) -> (App, String, World) {
    let app = App::with(Backend::Sqlite, setup).await;
    let world = World::new(&app).await;
    let origin = app.serve().await;
    (app, origin, world)
}

async fn app_with_gate(setup: Setup) -> (App, String, World, Arc<StoreGate>) {
    let gate = StoreGate::open();
    let (app, origin, world) = app_with(Setup { gate: Some(gate.clone()), ..setup }).await;
    (app, origin, world, gate)
}

#[tokio::test]
async fn client_must_send_init_within_ten_seconds() {
    let (_app, origin, _) = app_with(Setup::default()).await;
    let time = FrozenTime::start();
    let mut client = WebSocketClient::open(&origin, &[]).await.expect("a WebSocket");
    // A response shows that the connection is being served.
    client.send(json!({"type": "ping"})).await;
    client.next().await;
    time.advance(Duration::from_millis(9_990)).await;
    client.send(json!({"type": "ping"})).await;
    assert_eq!(client.next().await, json!({"type": "pong"}));
    time.advance(Duration::from_millis(20)).await;
    assert_eq!(client.close_code().await, 4408);
}

#[tokio::test]
async fn connection_ends_when_its_token_expires() {
    let (app, origin, _) = app_with(Setup::default()).await;
    let time = FrozenTime::start();
    let now = app.clock.now().seconds();
    let token = |expires_at| app.issuer.token().subject("ada").expires_at(expires_at).sign();
    // A token that is accepted only because of the leeway expires with the leeway.
    for (expires_at, steps) in [(now - 30, 3), (now + 330, 30)] {
        let mut client = WebSocketClient::init(&origin, Some(&token(expires_at))).await;
        for step in 1..=steps {
            // The client reads before each step, so that it responds to pings.
            assert_eq!(client.run(json!({"query": "{ __typename }"})).await.len(), 1);
            app.clock.advance(10);
            let rounding = Duration::from_millis(u64::from(step == steps));
            time.advance(Duration::from_secs(10) + rounding).await;
        }
        assert_eq!(client.close_code().await, 4403);
    }
}

#[tokio::test]
async fn silent_client_is_disconnected() {
    let (app, origin, _) = app_with(Setup::default()).await;
    let mut client = WebSocketClient::init(&origin, None).await;
    let silent = WebSocketClient::init(&origin, None).await.into_stream();
    let time = FrozenTime::start();
    for _ in 0..3 {
        time.advance(Duration::from_millis(12_001)).await;
        // The client responds to the ping, because it reads.
        client.send(json!({"type": "ping"})).await;
        assert_eq!(client.next().await, json!({"type": "pong"}));
    }
    while app.metric("tenantry_websocket_closes_total{code=\"unresponsive\"}").await < 1.0 {
        tokio::task::yield_now().await;
    }
    drop(silent);
    assert_eq!(client.run(json!({"query": "{ __typename }"})).await.len(), 1);
}

#[tokio::test]
async fn identifier_of_a_running_operation_cannot_be_used() {
    let (app, origin, _, gate) = app_with_gate(Setup::default()).await;
    let mut client = WebSocketClient::init(&origin, Some(&app.token("ada", []))).await;
    gate.set_closed(true);
    client.subscribe("1", ME).await;
    gate.wait_for_calls(1).await;
    // The client ends the operation and uses its identifier again. Only the new one completes.
    client.send(json!({"type": "complete", "id": "1"})).await;
    gate.wait_for_calls(0).await;
    client.subscribe("1", "{ __typename }").await;
    assert_eq!(client.next().await["payload"]["data"], json!({"__typename": "Query"}));
    assert_eq!(client.next().await, json!({"type": "complete", "id": "1"}));
    client.subscribe("2", ME).await;
    gate.wait_for_calls(1).await;
    client.subscribe("2", ME).await;
    assert_eq!(client.close_code().await, 4409);
    gate.wait_for_calls(0).await;
}

#[tokio::test]
async fn connection_has_at_most_a_hundred_operations() {
    let (app, origin, _, gate) = app_with_gate(Setup::default()).await;
    let mut client = WebSocketClient::init(&origin, Some(&app.token("ada", []))).await;
    gate.set_closed(true);
    for id in 0..100 {
        client.subscribe(&id.to_string(), ME).await;
    }
    gate.wait_for_calls(100).await;
    let messages = client.run(json!({"query": "{ __typename }"})).await;
    assert_eq!(messages[0].0, "error");
    let extensions = &messages[0].1[0]["extensions"];
    let expected = json!(["LIMIT_EXCEEDED", "operations", 100, 101]);
    let actual =
        json!([extensions["code"], extensions["limit"], extensions["max"], extensions["actual"]]);
    assert_eq!(actual, expected);
    gate.set_closed(false);
    for _ in 0..200 {
        assert_ne!(client.next().await["type"], "error");
    }
    assert_eq!(client.run(json!({"query": ME})).await[0].0, "next");
}

#[tokio::test]
async fn caller_has_a_limited_number_of_connections() {
    let setup = Setup { max_live_connections: 2, ..Setup::default() };
    let (app, origin, _) = app_with(setup).await;
    let ada = app.token("ada", []);
    let first = WebSocketClient::init(&origin, Some(&ada)).await;
    let _second = WebSocketClient::init(&origin, Some(&ada)).await;
    let init =
        json!({"type": "connection_init", "payload": {"authorization": format!("Bearer {ada}")}});
    let mut third = WebSocketClient::open(&origin, &[]).await.expect("a WebSocket");
    third.send(init.clone()).await;
    assert_eq!(third.close_code().await, 1013);
    let refused = "tenantry_live_connections_refused_total{transport=\"websocket\"}";
    assert_eq!(app.metric(refused).await, 1.0);
    // Other callers and anonymous clients have their own connections.
    let _bob = WebSocketClient::init(&origin, Some(&app.token("bob", []))).await;
    let _anonymous = WebSocketClient::init(&origin, None).await;
    // A client that disconnects makes room.
    reset(first.into_stream());
    while app.metric("tenantry_live_connections{transport=\"websocket\"}").await > 3.0 {
        tokio::task::yield_now().await;
    }
    WebSocketClient::init(&origin, Some(&ada)).await;
}

#[tokio::test]
async fn rate_limit_applies_to_operations_and_messages() {
    let (app, origin, _) = app_with(Setup { rate: Some(40), ..Setup::default() }).await;
    app.clock.advance(3600);
    let mut client = WebSocketClient::init(&origin, Some(&app.token("ada", []))).await;
    let mut rejected = None;
    for _ in 0..40 {
        let messages = client.run(json!({"query": ME})).await;
        if messages[0].0 == "error" {
            rejected = Some(messages[0].1[0]["extensions"].clone());
            break;
        }
    }
    let extensions = rejected.expect("a rejected operation");
    assert_eq!(extensions["code"], "RATE_LIMITED");
    assert_eq!(extensions["retryAfterSeconds"], 1);
    // Other messages cost as much as the smallest request.
    let mut code = None;
    for _ in 0..80 {
        client.send(json!({"type": "ping"})).await;
        if let Some(Message::Close(frame)) = client.next_frame().await {
            code = frame.map(|frame| u16::from(frame.code));
            break;
        }
    }
    assert_eq!(code, Some(1013));
}

#[tokio::test]
async fn operation_has_the_time_limit_of_a_request() {
    let setup = Setup { request_timeout: Duration::from_secs(10), ..Setup::default() };
    let (app, origin, _, gate) = app_with_gate(setup).await;
    let time = FrozenTime::start();
    let mut client = WebSocketClient::init(&origin, Some(&app.token("ada", []))).await;
    gate.set_closed(true);
    client.subscribe("1", ME).await;
    gate.wait_for_calls(1).await;
    time.advance(Duration::from_millis(10_001)).await;
    let message = client.next().await;
    assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!("1")));
    assert_eq!(message["payload"][0]["extensions"]["code"], "TIMEOUT");
    assert_eq!(app.metric("tenantry_requests_timed_out_total").await, 1.0);
    gate.wait_for_calls(0).await;
}

#[tokio::test]
async fn caller_has_a_share_of_the_concurrent_operations() {
    let setup = Setup { max_in_flight: 4, ..Setup::default() };
    let (app, origin, _, gate) = app_with_gate(setup).await;
    let mut client = WebSocketClient::init(&origin, Some(&app.token("ada", []))).await;
    gate.set_closed(true);
    client.subscribe("1", ME).await;
    gate.wait_for_calls(1).await;
    let messages = client.run(json!({"query": ME})).await;
    assert_eq!(messages[0].1[0]["extensions"]["code"], "RATE_LIMITED");
    gate.set_closed(false);
    assert_eq!(client.next().await["payload"]["data"]["me"]["name"], "Ada");
}

#[tokio::test]
async fn client_that_disconnects_ends_its_operations() {
    let (app, origin, _, gate) = app_with_gate(Setup::default()).await;
    let mut client = WebSocketClient::init(&origin, Some(&app.token("ada", []))).await;
    gate.set_closed(true);
    client.subscribe("1", ME).await;
    client.subscribe("2", ME).await;
    gate.wait_for_calls(2).await;
    // The end of its side is enough. A WebSocket has no half-closed state.
    drop(client.into_stream());
    gate.wait_for_calls(0).await;
    while app.metric("tenantry_requests_abandoned_total").await < 2.0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn shutdown_closes_connections_after_their_running_mutations() {
    let (app, origin, world, gate) = app_with_gate(Setup::default()).await;
    let ada = app.token("ada", []);
    let mut idle = WebSocketClient::init(&origin, Some(&ada)).await;
    let mut busy = WebSocketClient::init(&origin, Some(&ada)).await;
    gate.set_commits_closed(true);
    let payload = json!({"query": RENAME, "variables": {"id": world.acme.id.to_string()}});
    busy.send(json!({"type": "subscribe", "id": "1", "payload": payload})).await;
    gate.wait_for_commits(1).await;
    app.stages.send_replace(ShutdownPhase::Draining);
    assert_eq!(idle.close_code().await, 1001);
    // An operation that starts now belongs to the next connection.
    busy.subscribe("2", "{ __typename }").await;
    gate.set_commits_closed(false);
    let message = busy.next().await;
    assert_eq!(message["payload"]["data"]["updateTenant"]["tenant"]["name"], "New");
    assert_eq!(busy.next().await, json!({"type": "complete", "id": "1"}));
    assert_eq!(busy.close_code().await, 1001);
}

#[tokio::test]
async fn shutdown_spreads_the_ends_of_connections_over_its_delay() {
    let delay = Duration::from_secs(100);
    let app = App::with(Backend::Sqlite, Setup { shutdown_delay: delay, ..Setup::default() }).await;
    World::new(&app).await;
    let (origin, server) = app.serve_until_shutdown().await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(WebSocketClient::init(&origin, None).await);
    }
    let time = FrozenTime::start();
    app.stages.send_replace(ShutdownPhase::Draining);
    let closed = async || app.metric("tenantry_websocket_closes_total{code=\"1001\"}").await;
    // All connections have seen the phase when they respond.
    for client in &mut clients {
        client.send(json!({"type": "ping"})).await;
        client.next().await;
    }
    assert!(closed().await < 20.0, "not all connections end at once");
    app.stages.send_replace(ShutdownPhase::Closing);
    for client in &mut clients {
        assert_eq!(client.close_code().await, 1001);
    }
    drop(clients);
    time.advance(Duration::from_secs(1)).await;
    assert_eq!(server.await.expect("no panic"), 0);
}

#[tokio::test]
async fn aborting_shutdown_waits_for_no_client() {
    let (app, gate) = {
        let gate = StoreGate::open();
        let setup = Setup { gate: Some(gate.clone()), ..Setup::default() };
        (App::with(Backend::Sqlite, setup).await, gate)
    };
    World::new(&app).await;
    let (origin, server) = app.serve_until_shutdown().await;
    let mut client = WebSocketClient::init(&origin, Some(&app.token("ada", []))).await;
    gate.set_closed(true);
    client.subscribe("1", ME).await;
    gate.wait_for_calls(1).await;
    for phase in [ShutdownPhase::Draining, ShutdownPhase::Closing, ShutdownPhase::Aborting] {
        app.stages.send_replace(phase);
    }
    server.await.expect("no panic");
    gate.wait_for_calls(0).await;
}
