//! Event streams: the protocol `graphql-sse` in its distinct connections mode.

use std::{sync::Arc, time::Duration};

use axum::{body::Body, http::Request, response::Response};
use serde_json::{Value, json};
use tenantry::{clock::Clock, http::ShutdownPhase};
use tokio::io::AsyncWriteExt;

use crate::support::{
    app::{App, Backend, Setup, on_both_stores},
    event_stream::EventStreamReader,
    store_gate::StoreGate,
    tcp,
    time::FrozenTime,
    world::World,
};

on_both_stores! {
    subscription_is_a_stream_that_can_be_resumed,
    lost_right_is_an_error_and_the_end,
}

/// Sends a request that accepts event streams. `caller` is the subject of its token.
async fn open(app: &App, caller: Option<&str>, headers: &[(&str, &str)], body: &Value) -> Response {
    let mut request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("accept", "text/event-stream")
        .header("accept-encoding", "br, gzip");
    if let Some(caller) = caller {
        request = request.header("authorization", format!("Bearer {}", app.token(caller, [])));
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.respond(request.body(Body::from(body.to_string())).expect("a request")).await
}

async fn subscribe(app: &App, caller: &str, query: &str) -> EventStreamReader {
    EventStreamReader::new(open(app, Some(caller), &[], &json!({"query": query})).await)
}

fn tenant_changed(world: &World) -> String {
    format!(
        "subscription {{ tenantChanged(id: \"{}\") {{ kind tenant {{ name }} }} }}",
        world.acme.id
    )
}

async fn rename(app: &App, world: &World, name: &str) {
    let mutation = format!(
        "mutation {{ updateTenant(input: {{id: \"{}\", name: \"{name}\"}}) {{ tenant {{ name }} }} }}",
        world.acme.id
    );
    app.query_as("ada", &mutation).await.data();
}

async fn subscription_is_a_stream_that_can_be_resumed(app: App) {
    let world = World::new(&app).await;
    let query = tenant_changed(&world);
    let mut events = subscribe(&app, "ada", &query).await;
    let operations = "tenantry_live_operations";
    let connections = "tenantry_live_connections{transport=\"sse\"}";
    assert_eq!((app.metric(operations).await, app.metric(connections).await), (1.0, 1.0));
    rename(&app, &world, "One").await;
    let first = events.next_event().await.expect("an event");
    assert_eq!(first.name, "next");
    assert_eq!(
        first.data["data"]["tenantChanged"],
        json!({"kind": "UPDATED", "tenant": {"name": "One"}})
    );
    let cursor = first.id.expect("a cursor");
    assert_eq!(first.data["extensions"]["cursor"], cursor);
    drop(events);
    assert_eq!((app.metric(operations).await, app.metric(connections).await), (0.0, 0.0));
    // The change happens while the client is not connected.
    rename(&app, &world, "Two").await;
    let headers = [("last-event-id", &*cursor)];
    let response = open(&app, Some("ada"), &headers, &json!({"query": query})).await;
    let mut events = EventStreamReader::new(response);
    let second = events.next_event().await.expect("an event");
    assert_eq!(second.data["data"]["tenantChanged"]["tenant"]["name"], "Two");
    let invalid = [("last-event-id", "x")];
    let response = open(&app, Some("ada"), &invalid, &json!({"query": query})).await;
    let mut events = EventStreamReader::new(response);
    let rejected = events.next_event().await.expect("an event");
    assert_eq!(rejected.data["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    assert_eq!(events.next_event().await.map(|event| event.name).as_deref(), Some("complete"));
}

async fn lost_right_is_an_error_and_the_end(app: App) {
    let world = World::new(&app).await;
    let mut events = subscribe(&app, "bob", &tenant_changed(&world)).await;
    app.edit_user("bob", |user| user.memberships.clear()).await;
    let last = events.next_event().await.expect("an event");
    assert_eq!(last.data["errors"][0]["extensions"]["code"], "NOT_FOUND");
    assert_eq!(last.data["data"], Value::Null);
    assert_eq!(events.next_event().await.map(|event| event.name).as_deref(), Some("complete"));
    assert_eq!(events.next_event().await, None);
}

async fn app() -> (App, World) {
    app_with(Setup::default()).await
}

async fn app_with(setup: Setup) -> (App, World) {
    let app = App::with(Backend::Sqlite, setup).await;
    let world = World::new(&app).await;
    (app, world)
}

#[tokio::test]
async fn single_response_is_one_event_before_the_end() {
    let (app, world) = app().await;
    let rename = format!(
        "mutation {{ updateTenant(input: {{id: \"{}\", name: \"New\"}}) {{ tenant {{ name }} }} }}",
        world.acme.id
    );
    let key = [("idempotency-key", "one")];
    for (caller, headers, query, code) in [
        (Some("ada"), &[][..], "{ me { name } }", None),
        (Some("ada"), &key, &rename, None),
        (Some("ada"), &key, &rename, None),
        (None, &[], "{ me { name } }", Some("UNAUTHENTICATED")),
        (None, &[], "{ nope }", Some("GRAPHQL_VALIDATION_FAILED")),
        (None, &[], "{", Some("GRAPHQL_PARSE_FAILED")),
        (None, &[], "subscription { meChanged { id } }", Some("UNAUTHENTICATED")),
    ] {
        let response = open(&app, caller, headers, &json!({"query": query})).await;
        let mut events = EventStreamReader::new(response);
        let event = events.next_event().await.expect("an event");
        assert_eq!((&*event.name, event.id), ("next", None));
        assert_eq!(event.data["errors"][0]["extensions"]["code"].as_str(), code, "{query}");
        let complete = events.next_event().await.expect("an event");
        assert_eq!((&*complete.name, complete.data), ("complete", Value::Null));
        assert_eq!(events.next_event().await, None);
    }
    let renamed = app.audit_log().await;
    assert_eq!(
        renamed
            .iter()
            .filter(|event| event.action == "tenant.update"
                && event.request_id.as_deref() != Some("r-1"))
            .count(),
        1
    );
}

#[tokio::test]
async fn errors_of_http_are_no_event_stream() {
    let (app, _) = app().await;
    let query = json!({"query": "{ __typename }"});
    for (headers, body, status) in [
        (&[("authorization", "Bearer x")][..], &query, 401),
        (&[], &json!([]), 400),
        (&[], &json!({}), 400),
    ] {
        let response = open(&app, None, headers, body).await;
        assert_eq!(response.status(), status, "{body}");
        assert_eq!(response.headers()["content-type"], "application/json; charset=utf-8");
    }
    let accept = [("accept", "text/event-stream")];
    let mutation = "/graphql?query=mutation%7B__typename%7D";
    assert_eq!(super::send(&app, "GET", mutation, &accept, "").await.status, 405);
    let query = "/graphql?query=%7B__typename%7D";
    let reply = super::send(&app, "GET", query, &accept, "").await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/event-stream")));
    // A client that cannot read an event stream cannot subscribe.
    let subscription = json!({"query": "subscription { meChanged { id } }"}).to_string();
    let json = ("content-type", "application/json");
    for accept in ["application/json", "*/*", "application/graphql-response+json"] {
        let headers = [json, ("accept", accept)];
        let reply = super::send(&app, "POST", "/graphql", &headers, &subscription).await;
        assert_eq!((reply.status, reply.codes()), (406, vec!["BAD_USER_INPUT"]), "{accept}");
    }
    // Other clients name both types for all operations.
    let token = format!("Bearer {}", app.token("ada", []));
    let both = "application/graphql-response+json, application/json, text/event-stream";
    let request = |query: &str| {
        Request::post("/graphql")
            .header("content-type", "application/json")
            .header("authorization", &token)
            .header("accept", both)
            .body(Body::from(json!({"query": query}).to_string()))
            .expect("a request")
    };
    EventStreamReader::new(app.respond(request("subscription { meChanged { id } }")).await);
    let response = app.respond(request("{ me { id } }")).await;
    let media_type = "application/graphql-response+json; charset=utf-8";
    assert_eq!(response.headers()["content-type"], media_type);
}

#[tokio::test]
async fn idle_stream_has_heartbeats_and_no_time_limit() {
    let setup = Setup { request_timeout: Duration::from_secs(10), ..Setup::default() };
    let (app, world) = app_with(setup).await;
    let mut events = subscribe(&app, "ada", &tenant_changed(&world)).await;
    let time = FrozenTime::start();
    for _ in 0..3 {
        let heartbeat = events.next();
        let (event, ()) = tokio::join!(heartbeat, time.advance(Duration::from_millis(12_001)));
        assert_eq!(event.map(|event| event.name).as_deref(), Some(""));
    }
    rename(&app, &world, "Later").await;
    let event = events.next_event().await.expect("an event");
    assert_eq!(event.data["data"]["tenantChanged"]["tenant"]["name"], "Later");
}

#[tokio::test]
async fn stream_ends_without_completion_when_its_token_expires() {
    let (app, world) = app().await;
    let token =
        app.issuer.token().subject("ada").expires_at(app.clock.now().seconds() + 300).sign();
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("accept", "text/event-stream")
        .header("authorization", format!("Bearer {token}"))
        .body(Body::from(json!({"query": tenant_changed(&world)}).to_string()));
    let mut events = EventStreamReader::new(app.respond(request.expect("a request")).await);
    let time = FrozenTime::start();
    app.clock.advance(300);
    let (event, ()) =
        tokio::join!(events.next_event(), time.advance(Duration::from_millis(300_001)));
    assert_eq!(event, None);
}

#[tokio::test]
async fn shutdown_ends_streams_without_completion() {
    let (app, world) = app().await;
    let mut events = subscribe(&app, "ada", &tenant_changed(&world)).await;
    app.stages.send_replace(ShutdownPhase::Draining);
    assert_eq!(events.next_event().await, None);
}

#[tokio::test]
async fn caller_has_a_limited_number_of_streams() {
    let (app, world) = app_with(Setup { max_live_connections: 1, ..Setup::default() }).await;
    let query = tenant_changed(&world);
    let first = subscribe(&app, "ada", &query).await;
    let response = open(&app, Some("ada"), &[], &json!({"query": query})).await;
    assert_eq!(
        (response.status().as_u16(), response.headers()["retry-after"].as_bytes()),
        (429, &b"5"[..])
    );
    let _other = subscribe(&app, "bob", "subscription { meChanged { id } }").await;
    // Queries are no live connections.
    let response = open(&app, Some("ada"), &[], &json!({"query": "{ me { id } }"})).await;
    assert_eq!(response.status(), 200);
    drop(first);
    subscribe(&app, "ada", &query).await;
}

#[tokio::test]
async fn client_that_closes_its_side_ends_the_stream() {
    let (app, world) = app_with(Setup::default()).await;
    let origin = app.serve().await;
    let mut client = tcp::connect(&origin).await;
    let lines = "accept: text/event-stream\r\n";
    tcp::send(&mut client, tcp::request_text(&app, &tenant_changed(&world), lines)).await;
    let operations = "tenantry_live_operations";
    while app.metric(operations).await < 1.0 {
        tokio::task::yield_now().await;
    }
    client.shutdown().await.expect("half-closed");
    while app.metric(operations).await > 0.0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn client_that_closes_its_side_before_the_response_ends_the_stream() {
    let gate = StoreGate::open();
    let (app, world) = app_with(Setup { gate: Some(Arc::clone(&gate)), ..Setup::default() }).await;
    let origin = app.serve().await;
    let mut client = tcp::connect(&origin).await;
    let lines = "accept: text/event-stream\r\n";
    gate.set_closed(true);
    tcp::send(&mut client, tcp::request_text(&app, &tenant_changed(&world), lines)).await;
    gate.wait_for_calls(1).await;
    client.shutdown().await.expect("half-closed");
    gate.set_closed(false);
    tcp::read_until_closed(&mut client).await;
    while app.metric("tenantry_live_operations").await > 0.0 {
        tokio::task::yield_now().await;
    }
}
