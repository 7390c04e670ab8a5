//! `X-Content-Type-Options: nosniff` on every response, whichever layer or route creates it.

use std::time::Duration;

use tenantry::http::{AllowedOrigins, ShutdownPhase};

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

    let full = App::with(Backend::Sqlite, Setup { max_in_flight: 0, ..Setup::default() }).await;
    assert_nosniff(&send(&full, "POST", "/graphql", &[JSON], QUERY).await, 503);

    let gate = StoreGate::open();
    let request_timeout = Duration::from_secs(10);
    let setup = Setup { gate: Some(gate.clone()), request_timeout, ..Setup::default() };
    let slow = App::with(Backend::Sqlite, setup).await;
    World::new(&slow).await;
    gate.set_closed(true);
    tokio::time::pause();
    assert_nosniff(&slow.query_as("bob", "{ me { id } }").await, 504);
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
