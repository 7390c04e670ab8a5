//! GraphQL over HTTP: media types, status codes and headers.

mod compression;
mod concurrency_limit;
mod connections;
mod content_sniffing;
pub(crate) mod cors;
mod disconnects;
mod event_streams;
mod graphql_over_http_audits;
mod host;
mod metrics;
mod playground;
mod rate_limit;
mod request_heads;
mod shutdown;
mod timeouts;
mod transports;
mod websocket;
mod websocket_limits;

use axum::{body::Body, http::Request};
use serde_json::{Value, json};

use crate::support::{
    app::{App, Backend, Reply, on_both_stores},
    tcp::{self, connect, read_response},
    world::World,
};

const RESPONSE: &str = "application/graphql-response+json";

on_both_stores! {
    invalid_credential_is_401_before_any_store_read,
}

async fn send(app: &App, method: &str, uri: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.send(request.body(Body::from(body.to_owned())).expect("a request")).await
}

async fn invalid_credential_is_401_before_any_store_read(app: App) {
    World::new(&app).await;
    let body = json!({"query": "{ me { id } }"}).to_string();
    let token = app.token("bob", []);
    let expired = app.issuer.token().expires_at(1).sign();
    for credential in ["Bearer x", "Basic YTpi", "Bearer", &format!("Bearer {expired}"), &token] {
        let headers = [("content-type", "application/json"), ("authorization", credential)];
        let reply = send(&app, "POST", "/graphql", &headers, &body).await;
        assert_eq!((reply.status, reply.codes()), (401, vec!["UNAUTHENTICATED"]), "{credential}");
        assert_eq!(reply.header("www-authenticate"), Some(r#"Bearer error="invalid_token""#));
        assert_eq!(reply.reads, 0);
        assert_eq!(reply.json.get("data"), None);
    }
    let bearer = format!("Bearer {token}");
    let twice = [
        ("content-type", "application/json"),
        ("authorization", &bearer),
        ("authorization", &bearer),
    ];
    let reply = send(&app, "POST", "/graphql", &twice, &body).await;
    assert_eq!((reply.status, reply.codes()), (400, vec!["UNAUTHENTICATED"]));
    // A token outside of the `Authorization` header is not a credential.
    let headers =
        [("content-type", "application/json"), ("cookie", &*format!("authorization={token}"))];
    let reply =
        send(&app, "POST", &format!("/graphql?access_token={token}"), &headers, &body).await;
    assert_eq!((reply.status, reply.codes()), (200, vec!["UNAUTHENTICATED"]));
}

#[tokio::test]
async fn status_of_a_request_error_depends_on_the_media_type() {
    let app = App::on(Backend::Sqlite).await;
    for (query, code, is_request_error) in [
        ("{ __typename }", None, false),
        ("{ me { id } }", Some("UNAUTHENTICATED"), false),
        ("{ nope }", Some("GRAPHQL_VALIDATION_FAILED"), true),
        ("{ secret-word", Some("GRAPHQL_PARSE_FAILED"), true),
        ("query A { __typename } query B { __typename }", Some("GRAPHQL_VALIDATION_FAILED"), true),
    ] {
        for accept in [RESPONSE, "application/json", "*/*"] {
            let body = json!({"query": query}).to_string();
            let headers = [("content-type", "application/json"), ("accept", accept)];
            let reply = send(&app, "POST", "/graphql", &headers, &body).await;
            let status = if is_request_error && accept == RESPONSE { 400 } else { 200 };
            assert_eq!(reply.status, status, "{query} {accept}");
            assert_eq!(reply.codes().first().copied(), code, "{query}");
            assert_eq!(reply.json.get("data").is_none(), is_request_error, "{query}");
            assert!(!reply.body.contains("secret-word"), "{}", reply.body);
            let media_type = if accept == RESPONSE { RESPONSE } else { "application/json" };
            assert!(
                reply.header("content-type").is_some_and(|value| value.starts_with(media_type))
            );
            let id = reply.header("x-request-id");
            assert!(id.is_some_and(|id| !id.is_empty()));
            if code.is_some() {
                assert_eq!(reply.json["extensions"]["requestId"].as_str(), id);
            }
        }
    }
}

#[tokio::test]
async fn malformed_http_requests_are_rejected() {
    let app = App::on(Backend::Sqlite).await;
    let json = ("content-type", "application/json");
    let valid = r#"{"query":"{ __typename }"}"#;
    let long = format!(r#"{{"query":"{{ __typename }}{}"}}"#, " ".repeat(300_000));
    for (method, headers, body, status) in [
        ("POST", vec![], valid, 415),
        ("POST", vec![("content-type", "text/plain")], valid, 415),
        ("POST", vec![("content-type", "application/x-www-form-urlencoded")], "query=x", 415),
        ("POST", vec![json], "[]", 400),
        ("POST", vec![json], "[{\"query\":\"{ __typename }\"}]", 400),
        ("POST", vec![json], "{", 400),
        ("POST", vec![json], "{}", 400),
        ("POST", vec![json], r#"{"query":1}"#, 400),
        ("POST", vec![json], r#"{"query":"{ __typename }","variables":[]}"#, 400),
        ("POST", vec![json], &long, 413),
        ("POST", vec![json, ("accept", "text/html")], valid, 406),
        ("PUT", vec![json], valid, 405),
        ("DELETE", vec![], "", 405),
        ("GET", vec![], "", 400),
    ] {
        let reply = send(&app, method, "/graphql", &headers, body).await;
        let excerpt: String = body.chars().take(60).collect();
        assert_eq!(reply.status, status, "{method} {headers:?} {excerpt}");
        assert_eq!(reply.json["errors"].as_array().map(Vec::len), Some(1), "{}", reply.body);
    }
    let reply = send(&app, "PUT", "/graphql", &[], "").await;
    assert_eq!(reply.header("allow"), Some("GET, POST"));
    let reply = send(&app, "POST", "/graphql", &[json], &long).await;
    let extensions = &reply.json["errors"][0]["extensions"];
    assert_eq!((&extensions["limit"], &extensions["max"]), (&json!("bodyBytes"), &json!(262_144)));
    assert_eq!(extensions["actual"], long.len());
}

/// The gateway does not read a body beyond the limit, so it knows a length only if the client declares
/// it.
#[tokio::test]
async fn long_body_has_an_actual_length_if_it_was_declared() {
    let app = App::on(Backend::Sqlite).await;
    let mut stream = connect(&app.serve().await).await;
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    tcp::send(&mut stream, format!("{head}content-length: 300000\r\n\r\n")).await;
    let declared = read_response(&mut stream).await;
    assert!(declared.starts_with("HTTP/1.1 413 "), "{declared}");
    assert!(declared.contains(r#""actual":300000,"code":"LIMIT_EXCEEDED""#), "{declared}");
    let chunks = vec![Ok::<_, std::io::Error>(" ".repeat(300_000))];
    let body = Body::from_stream(futures_util::stream::iter(chunks));
    let request = Request::post("/graphql").header("content-type", "application/json");
    let reply = app.send(request.body(body).expect("a request")).await;
    let extensions = &reply.json["errors"][0]["extensions"];
    assert_eq!((reply.status, &extensions["limit"]), (413, &json!("bodyBytes")));
    assert_eq!(extensions.get("actual"), None, "{}", reply.body);
}

#[tokio::test]
async fn query_by_get_is_executed_and_mutation_by_get_is_rejected() {
    let app = App::on(Backend::Sqlite).await;
    let uri = "/graphql?query=query+A(%24yes:Boolean!){a:__typename+__schema@skip(if:%24yes){queryType{name}}}&variables={%22yes%22:true}&operationName=A";
    let reply = send(&app, "GET", &uri.replace('{', "%7B").replace('}', "%7D"), &[], "").await;
    assert_eq!(reply.data(), &json!({"a": "Query"}));
    let reply = send(&app, "GET", "/graphql?query=mutation%7B__typename%7D", &[], "").await;
    assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")));
    let reply = send(&app, "GET", "/graphql?query=%7B__typename%7D&variables=1", &[], "").await;
    assert_eq!(reply.status, 400);
}

#[tokio::test]
async fn valid_request_id_is_kept_and_an_invalid_one_is_replaced() {
    let app = App::on(Backend::Sqlite).await;
    for (sent, kept) in [("a-B_9.", true), ("", false), ("a b", false), (&*"x".repeat(129), false)]
    {
        let headers = [("content-type", "application/json"), ("x-request-id", sent)];
        let reply = send(&app, "POST", "/graphql", &headers, r#"{"query":"{ me { id } }"}"#).await;
        assert_eq!(reply.header("x-request-id") == Some(sent), kept, "{sent}");
        assert_ne!(reply.json["extensions"]["requestId"], Value::Null);
    }
}

#[tokio::test]
async fn operation_without_a_required_variable_is_not_executed() {
    let app = App::on(Backend::Sqlite).await;
    World::new(&app).await;
    let token = format!("Bearer {}", app.token("bob", []));
    let query = "query($id: ID!, $n: Int! = 3, $m: Int) { me { id } node(id: $id) { id } tenants(first: $n, last: $m) { totalCount } }";
    for variables in [json!({}), json!({"id": null}), json!({"n": 1, "other": "x"})] {
        let body = json!({"query": query, "variables": variables}).to_string();
        let headers = [
            ("content-type", "application/json"),
            ("accept", RESPONSE),
            ("authorization", &*token),
        ];
        let reply = send(&app, "POST", "/graphql", &headers, &body).await;
        assert_eq!((reply.status, reply.codes()), (400, vec!["GRAPHQL_VALIDATION_FAILED"]));
        assert_eq!((reply.json.get("data"), reply.reads), (None, 0), "{}", reply.body);
        assert!(reply.body.contains("$id"), "{}", reply.body);
    }
}
