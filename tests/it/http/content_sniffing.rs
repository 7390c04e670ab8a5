//! `X-Content-Type-Options: nosniff` on every response, whichever layer or route creates it.

use std::time::Duration;

use tenantry::http::{AllowedOrigins, ShutdownPhase};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::send;
use crate::support::{
    app::{App, Backend, Reply, Setup},
    store_gate::StoreGate,
    world::World,
};

const JSON: (&str, &str) = ("content-type", "application/json");
const QUERY: &str = r#"{"query":"{ __typename }"}"#;

#[track_caller]
fn assert_nosniff(reply: &Reply, status: u16) {
    assert_eq!(reply.status, status, "{}", reply.body);
    let values: Vec<_> = reply.headers.get_all("x-content-type-options").iter().collect();
    assert_eq!(values, ["nosniff"], "status {status}");
}

#[tokio::test]
async fn every_response_of_the_public_bind_forbids_sniffing() {
    let cors = AllowedOrigins::Any;
    let app =
        App::with(Backend::Sqlite, Setup { cors, playground: true, ..Setup::default() }).await;
    let too_long = "x".repeat(256 * 1024 + 1);
    let preflight = [("origin", "https://a.example"), ("access-control-request-method", "POST")];
    for (status, method, path, headers, body) in [
        (200, "POST", "/graphql", &[JSON][..], QUERY),
        (200, "GET", "/graphql", &[("accept", "text/html")], ""),
        (200, "GET", "/", &[], ""),
        (200, "GET", "/playground/licenses.md", &[], ""),
        (200, "OPTIONS", "/graphql", &preflight, ""),
        (400, "POST", "/graphql", &[JSON], "{"),
        (401, "POST", "/graphql", &[JSON, ("authorization", "Bearer x")], QUERY),
        (404, "GET", "/nowhere", &[], ""),
        (404, "GET", "/playground/nowhere.js", &[], ""),
        (405, "PUT", "/graphql", &[], ""),
        (405, "POST", "/", &[], ""),
        (406, "POST", "/graphql", &[JSON, ("accept", "text/plain")], QUERY),
        (413, "POST", "/graphql", &[JSON], &too_long),
        (415, "POST", "/graphql", &[("content-type", "text/plain")], QUERY),
    ] {
        assert_nosniff(&send(&app, method, path, headers, body).await, status);
    }
}

#[tokio::test]
async fn responses_of_the_traffic_limits_forbid_sniffing() {
    let limited = App::with(Backend::Sqlite, Setup { rate: Some(1), ..Setup::default() }).await;
    assert_nosniff(&send(&limited, "POST", "/graphql", &[JSON], QUERY).await, 200);
    assert_nosniff(&send(&limited, "POST", "/graphql", &[JSON], QUERY).await, 429);

    let gate = StoreGate::open();
    let request_timeout = Duration::from_secs(10);
    let setup =
        Setup { gate: Some(gate.clone()), request_timeout, max_in_flight: 1, ..Setup::default() };
    let slow = App::with(Backend::Sqlite, setup).await;
    World::new(&slow).await;
    gate.set_closed(true);
    let full = async {
        gate.wait_for_calls(1).await;
        assert_nosniff(&slow.query_as("ada", "{ me { id } }").await, 503);
        // Without a running task, tokio's clock jumps to the deadline of the first request.
        tokio::time::pause();
    };
    let (reply, ()) = tokio::join!(slow.query_as("bob", "{ me { id } }"), full);
    assert_nosniff(&reply, 504);
}

#[tokio::test]
async fn every_response_of_the_admin_bind_forbids_sniffing() {
    let app = App::on(Backend::Sqlite).await;
    for (path, status) in [("/healthz", 200), ("/readyz", 200), ("/metrics", 200), ("/", 404)] {
        assert_nosniff(&app.admin(path).await, status);
    }
    app.stages.send_replace(ShutdownPhase::Draining);
    assert_nosniff(&app.admin("/readyz").await, 503);
}

/// The HTTP library responds to these heads before any layer.
#[tokio::test]
async fn responses_to_invalid_heads_forbid_sniffing() {
    let app = App::on(Backend::Sqlite).await;
    let address = app.serve().await.replace("http://", "");
    let too_long = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "a".repeat(64 * 1024));
    let too_many = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "x: a\r\n".repeat(500));
    let bare_lf = "GET / HTTP/1.1\nhost: x\n\n".to_owned();
    for (status, head) in
        [(431, too_long), (431, too_many), (400, bare_lf), (400, "nonsense\r\n\r\n".to_owned())]
    {
        let mut stream = TcpStream::connect(&address).await.expect("a connection");
        stream.write_all(head.as_bytes()).await.expect("sent");
        let mut response = String::new();
        stream.read_to_string(&mut response).await.expect("a closed connection");
        assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{response}");
        assert!(response.ends_with("\r\n\r\n"), "{response}");
        assert_eq!(
            response.matches("x-content-type-options: nosniff\r\n").count(),
            1,
            "{response}"
        );
    }
}
