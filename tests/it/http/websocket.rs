//! The protocol `graphql-transport-ws`: the upgrade, the messages, and the close codes.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{
    app::{App, Backend, Setup, on_both_stores},
    time::FrozenTime,
    websocket::WebSocketClient,
    world::World,
};
use tenantry::http::AllowedOrigins;

const ME: &str = "{ me { name } }";

on_both_stores! {
    queries_and_mutations_run_on_one_connection,
}

async fn queries_and_mutations_run_on_one_connection(app: App) {
    let world = World::new(&app).await;
    let origin = app.serve().await;
    let mut client = WebSocketClient::init(&origin, Some(&app.token("ada", []))).await;
    let name = client.run(json!({"query": ME})).await;
    assert_eq!(name, [("next".to_owned(), json!({"data": {"me": {"name": "Ada"}}}))]);
    let rename = json!({
        "query": "mutation ($id: ID!) { updateTenant(input: {id: $id, name: \"New\"}) { tenant { name version } } }",
        "variables": {"id": world.acme.id.to_string()},
        "extensions": {"idempotencyKey": "one"},
    });
    let renamed = client.run(rename.clone()).await;
    let expected = json!({"updateTenant": {"tenant": {"name": "New", "version": 2}}});
    assert_eq!(renamed[0].1["data"], expected, "{renamed:?}");
    // The repeat gets the stored response, also on another connection.
    let mut other = WebSocketClient::init(&origin, Some(&app.token("ada", []))).await;
    assert_eq!(other.run(rename).await, renamed);
    let events = app.audit_log().await;
    assert_eq!(
        events
            .iter()
            .filter(|event| event.action == "tenant.update"
                && event.request_id.as_deref() != Some("r-1"))
            .count(),
        1
    );
    let denied =
        client.run(json!({"query": "{ tenant(slug: \"acme\") { integrations { ocisSpace } } }"}));
    let denied = denied.await;
    assert_eq!(denied[0].0, "next");
    assert_eq!(app.metric("tenantry_live_connections{transport=\"websocket\"}").await, 2.0);
}

async fn app() -> (App, String) {
    let app = App::on(Backend::Sqlite).await;
    World::new(&app).await;
    let origin = app.serve().await;
    (app, origin)
}

#[tokio::test]
async fn rejected_document_is_an_error_message() {
    let (_app, origin) = app().await;
    let mut client = WebSocketClient::init(&origin, None).await;
    for (query, code) in [("{ nope }", "GRAPHQL_VALIDATION_FAILED"), ("{", "GRAPHQL_PARSE_FAILED")]
    {
        let messages = client.run(json!({"query": query})).await;
        assert_eq!(messages[0].0, "error", "{messages:?}");
        let error = &messages[0].1[0];
        assert_eq!(error["extensions"]["code"], code);
        assert!(error["extensions"]["requestId"].as_str().is_some_and(|id| !id.is_empty()));
    }
    // An error of execution is a response, as in HTTP.
    let messages = client.run(json!({"query": ME})).await;
    assert_eq!(messages[0].0, "next");
    assert_eq!(messages[0].1["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    assert_eq!(messages[0].1["data"], Value::Null);
    // The identifier can be used again, and the connection goes on.
    let messages = client.run(json!({"query": "{ __typename }"})).await;
    assert_eq!(messages[0].1["data"], json!({"__typename": "Query"}));
}

#[tokio::test]
async fn upgrade_is_checked_before_it_is_accepted() {
    let (app, origin) = app().await;
    let token = format!("Bearer {}", app.token("ada", []));
    let own = origin.clone();
    let protocol = ("sec-websocket-protocol", "graphql-transport-ws");
    for (headers, status) in [
        (vec![("sec-websocket-protocol", "graphql-ws")], 400),
        (vec![("sec-websocket-protocol", "graphql-transport-wsx")], 400),
        (vec![], 400),
        (vec![protocol, ("authorization", "Bearer x")], 401),
        (vec![protocol, ("authorization", &token), ("authorization", &token)], 400),
        (vec![protocol, ("origin", "https://evil.example")], 403),
        (vec![protocol, ("origin", "null")], 403),
        (vec![protocol, ("origin", &own), ("origin", &own)], 403),
        (vec![protocol, ("origin", &own)], 101),
        (vec![("sec-websocket-protocol", "graphql-ws, graphql-transport-ws")], 101),
        (vec![protocol, ("authorization", &token)], 101),
    ] {
        let result = WebSocketClient::open_with(&origin, &headers).await;
        let actual = result.as_ref().err().map_or(101, |(status, _)| *status);
        assert_eq!(actual, status, "{headers:?}");
        if let Err((_, body)) = result {
            let body: Value = serde_json::from_str(&body).expect("JSON");
            assert!(body["errors"][0]["extensions"]["code"].is_string(), "{body}");
        }
    }
}

#[tokio::test]
async fn request_without_a_valid_handshake_is_426() {
    let (app, _) = app().await;
    let headers = [("upgrade", "websocket"), ("sec-websocket-protocol", "graphql-transport-ws")];
    let reply = super::send(&app, "GET", "/graphql", &headers, "").await;
    assert_eq!((reply.status, reply.header("sec-websocket-version")), (426, Some("13")));
}

#[tokio::test]
async fn origins_of_cors_may_open_a_websocket() {
    let allowed = "https://portal.example.org";
    for (cors, origin, status) in [
        (AllowedOrigins::List(vec![allowed.parse().expect("an origin")]), allowed, 101),
        (
            AllowedOrigins::List(vec![allowed.parse().expect("an origin")]),
            "https://evil.example",
            403,
        ),
        (AllowedOrigins::Any, "https://evil.example", 101),
    ] {
        let app = App::with(Backend::Sqlite, Setup { cors, ..Setup::default() }).await;
        let result = WebSocketClient::open(&app.serve().await, &[("origin", origin)]).await;
        assert_eq!(result.err().map_or(101, |(status, _)| status), status, "{origin}");
    }
}

#[tokio::test]
async fn token_is_accepted_in_the_header_or_in_the_init_payload() {
    let (app, origin) = app().await;
    let bearer = format!("Bearer {}", app.token("ada", []));
    let expired = format!("Bearer {}", app.issuer.token().expires_at(1).sign());
    let header = [("authorization", &*bearer)];
    for (headers, payload, expected) in [
        (&header[..], Value::Null, Ok("Ada")),
        (&header, json!({"locale": "de"}), Ok("Ada")),
        (&header, json!({"authorization": null}), Ok("Ada")),
        (&[], json!({"authorization": bearer}), Ok("Ada")),
        (&[], json!({"Authorization": bearer}), Ok("Ada")),
        (&header, json!({"authorization": bearer}), Err(4400)),
        (&[], json!({"authorization": bearer, "Authorization": bearer}), Err(4400)),
        (&[], json!({"authorization": "Bearer x"}), Err(4403)),
        (&[], json!({"authorization": expired}), Err(4403)),
        (&[], json!({"authorization": "Basic YTpi"}), Err(4403)),
        (&[], json!({"authorization": 1}), Err(4403)),
        (&[], json!([]), Err(4400)),
        (&[], json!("x"), Err(4400)),
    ] {
        let mut client = WebSocketClient::open(&origin, headers).await.expect("a WebSocket");
        client.send(json!({"type": "connection_init", "payload": payload})).await;
        match expected {
            Ok(name) => {
                assert_eq!(client.next().await, json!({"type": "connection_ack"}), "{payload}");
                let messages = client.run(json!({"query": ME})).await;
                assert_eq!(messages[0].1["data"]["me"]["name"], name);
            }
            Err(code) => assert_eq!(client.close_code().await, code, "{payload}"),
        }
    }
}

#[tokio::test]
async fn violation_of_the_protocol_closes_the_connection() {
    let (app, origin) = app().await;
    let text = |value: Value| Message::text(value.to_string());
    let init = || text(json!({"type": "connection_init"}));
    let subscribe = |id: Value| {
        text(json!({"type": "subscribe", "id": id, "payload": {"query": "{ __typename }"}}))
    };
    let typed = |kind: &str| text(json!({"type": kind, "id": "1", "payload": {}}));
    for (messages, code) in [
        (vec![subscribe(json!("1"))], 4401),
        (vec![init(), init()], 4429),
        (vec![Message::text("x")], 4400),
        (vec![Message::text("[]")], 4400),
        (vec![Message::text("")], 4400),
        (vec![Message::binary(r#"{"type":"connection_init"}"#)], 4400),
        (vec![text(json!({"type": "nope"}))], 4400),
        (vec![text(json!({"id": "1"}))], 4400),
        (vec![init(), typed("start")], 4400),
        (vec![init(), typed("stop")], 4400),
        (vec![init(), typed("next")], 4400),
        (vec![init(), typed("connection_terminate")], 4400),
        (vec![init(), subscribe(json!(""))], 4400),
        (vec![init(), subscribe(json!(1))], 4400),
        (vec![init(), subscribe(json!("x".repeat(256)))], 4400),
        (vec![init(), text(json!({"type": "subscribe", "id": "1"}))], 4400),
        (vec![init(), text(json!({"type": "subscribe", "id": "1", "payload": "x"}))], 4400),
        (vec![init(), text(json!({"type": "complete"}))], 4400),
    ] {
        let mut client = WebSocketClient::open(&origin, &[]).await.expect("a WebSocket");
        for message in &messages {
            client.send_frame(message.clone()).await;
        }
        assert_eq!(client.close_code().await, code, "{messages:?}");
    }
    for code in ["4400", "4401", "4429"] {
        let closes = format!("tenantry_websocket_closes_total{{code=\"{code}\"}}");
        assert!(app.metric(&closes).await > 0.0, "{code}");
    }
}

/// Sends a message while the gateway waits for the provider's keys, because it does not know the key of
/// the token. Returns the close code.
async fn close_code_during_verification(message: Value) -> u16 {
    let (app, origin) = app().await;
    // The wait for the keys has a time limit.
    let _time = FrozenTime::start();
    let _gate = app.issuer.pause();
    let token = app.issuer.token().header("kid", json!("unknown")).sign();
    let mut client = WebSocketClient::open(&origin, &[]).await.expect("a WebSocket");
    let payload = json!({"authorization": format!("Bearer {token}")});
    client.send(json!({"type": "connection_init", "payload": payload})).await;
    client.send(json!({"type": "ping"})).await;
    assert_eq!(client.next().await, json!({"type": "pong"}));
    client.send(message).await;
    client.close_code().await
}

#[tokio::test]
async fn subscribe_before_the_acknowledgement_is_unauthorized() {
    let subscribe = json!({"type": "subscribe", "id": "1", "payload": {"query": "{ __typename }"}});
    assert_eq!(close_code_during_verification(subscribe).await, 4401);
}

#[tokio::test]
async fn second_init_before_the_acknowledgement_is_rejected() {
    assert_eq!(close_code_during_verification(json!({"type": "connection_init"})).await, 4429);
}

#[tokio::test]
async fn ping_is_answered_and_pong_is_ignored() {
    let (_app, origin) = app().await;
    let mut client = WebSocketClient::open(&origin, &[]).await.expect("a WebSocket");
    client.send(json!({"type": "ping", "payload": {"at": 1}})).await;
    assert_eq!(client.next().await, json!({"type": "pong"}));
    client.send(json!({"type": "pong"})).await;
    client.send_frame(Message::Ping("x".into())).await;
    client.send(json!({"type": "connection_init"})).await;
    assert_eq!(client.next().await, json!({"type": "connection_ack"}));
    // An operation that has ended, or never began, can be completed.
    client.send(json!({"type": "complete", "id": "1"})).await;
    client.send(json!({"type": "ping"})).await;
    assert_eq!(client.next().await, json!({"type": "pong"}));
}

#[tokio::test]
async fn message_that_is_too_long_ends_the_connection() {
    let (app, origin) = app().await;
    let mut client = WebSocketClient::init(&origin, None).await;
    // A payload at the limit of a body is read, and one beyond it is an error of its operation.
    let long = |length: usize| json!({"query": format!("{{ __typename }}{}", " ".repeat(length))});
    let empty = long(0).to_string().len();
    let messages = client.run(long(256 * 1024 - empty)).await;
    assert_eq!(messages[0].1["data"], json!({"__typename": "Query"}));
    let messages = client.run(long(256 * 1024 - empty + 1)).await;
    let extensions = &messages[0].1[0]["extensions"];
    assert_eq!(
        (&extensions["code"], &extensions["limit"]),
        (&json!("LIMIT_EXCEEDED"), &json!("bodyBytes"))
    );
    // The gateway does not process the rest of a message, but reads it until the client gets 1009.
    client.send_frame(Message::text("x".repeat(900 * 1024))).await;
    assert_eq!(client.close_code().await, 1009);
    let closes = "tenantry_websocket_closes_total{code=\"1009\"}";
    assert_eq!(app.metric(closes).await, 1.0);
}
