//! Metrics of requests, of store commands and of DataLoader batches.

use std::collections::BTreeSet;

use axum::{body::Body, http::Request};
use serde_json::json;
use tenantry::domain::trusted_documents::TrustedDocumentsMode;

use crate::support::{
    app::{App, Backend, Setup, on_both_stores},
    store_gate::StoreGate,
    world::World,
};

on_both_stores! {
    store_commands_and_dataloader_batches_are_counted,
}

const DOCUMENTS: &str = r#"{"one": "query Portal { me { id } }"}"#;

/// Returns the name and the labels of one series of `tenantry_requests_total`.
fn requests_total(
    operation_type: &str,
    root_field: &str,
    operation_name: &str,
    code: &str,
) -> String {
    format!(
        r#"tenantry_requests_total{{code="{code}",operation_name="{operation_name}",operation_type="{operation_type}",root_field="{root_field}"}}"#
    )
}

/// Returns the names and the labels of all series, without their values.
async fn series(app: &App) -> BTreeSet<String> {
    let text = app.admin("/metrics").await.body;
    let lines = text.lines().filter(|line| line.starts_with("tenantry_"));
    lines.map(|line| line.rsplit_once(' ').expect("a value").0.to_owned()).collect()
}

async fn post(app: &App, headers: &[(&str, &str)], body: &str) -> u16 {
    let mut request = Request::post("/graphql");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.send(request.body(Body::from(body.to_owned())).expect("a request")).await.status
}

#[tokio::test]
async fn requests_are_counted_by_operation_and_error_code() {
    let setup =
        Setup { documents: Some((DOCUMENTS, TrustedDocumentsMode::Off)), ..Setup::default() };
    let app = App::with(Backend::Sqlite, setup).await;
    World::new(&app).await;
    app.query_as("bob", "{ me { id } }").await.data();
    app.query_as("bob", "{ a: me { id } b: me { id } __typename }").await.data();
    app.query_as("bob", "query Portal { me { id } }").await.data();
    app.query_as(
        "bob",
        "query X { ...F } fragment F on Query { tenants { totalCount } me { id } }",
    )
    .await;
    app.query_as("carol", "{ tenant(slug: \"acme\") { billingInfo { email } } }").await;
    app.query_as(
        "bob",
        "mutation { createTenant(input: {slug: \"x\", name: \"X\"}) { tenant { id } } }",
    )
    .await;
    app.query_as("bob", "{ secretWord }").await;
    app.query_as("bob", "{ ").await;
    app.query_anonymous("{ __typename }").await.data();
    let json = ("content-type", "application/json");
    post(&app, &[json, ("authorization", "Bearer x")], "{}").await;
    post(&app, &[("content-type", "text/plain")], "{}").await;
    for (operation_type, root_field, operation_name, code, count) in [
        ("query", "me", "", "OK", 2.0),
        // Only operation names of trusted documents become labels, so that there are few.
        ("query", "me", "Portal", "OK", 1.0),
        ("query", "several", "", "OK", 1.0),
        ("query", "tenant", "", "FORBIDDEN", 1.0),
        ("mutation", "createTenant", "", "FORBIDDEN", 1.0),
        ("none", "none", "", "GRAPHQL_VALIDATION_FAILED", 1.0),
        ("query", "none", "", "OK", 1.0),
        ("none", "none", "", "GRAPHQL_PARSE_FAILED", 1.0),
        ("none", "none", "", "UNAUTHENTICATED", 1.0),
        ("none", "none", "", "BAD_USER_INPUT", 1.0),
    ] {
        let line = requests_total(operation_type, root_field, operation_name, code);
        assert_eq!(app.metric(&line).await, count, "{line}");
    }
    let durations =
        r#"tenantry_request_duration_seconds_count{operation_type="query",root_field="me"}"#;
    assert_eq!(app.metric(durations).await, 3.0);
}

#[tokio::test]
async fn clients_cannot_add_series_to_the_metrics() {
    let app = App::on(Backend::Sqlite).await;
    World::new(&app).await;
    let send_query = async |n: usize| {
        app.query_as("bob", &format!("query Q{n} {{ a{n}: me {{ id }} }}")).await.data();
        app.query_as("bob", &format!("query Q{n} {{ f{n} }}")).await;
        app.query_as("bob", &format!("{{ tenant(slug: \"none-{n}\") {{ id }} }}")).await.data();
        app.query_anonymous(&format!("{{ f{n} ")).await;
        let token = format!("Bearer {n}");
        post(&app, &[("authorization", &token), ("x-request-id", &token)], "{}").await;
    };
    send_query(0).await;
    let before = series(&app).await;
    for n in 1..20 {
        send_query(n).await;
    }
    assert_eq!(series(&app).await, before);
    assert!(!before.iter().any(|line| line.contains("Q0") || line.contains("f0")), "{before:?}");
}

#[tokio::test]
async fn disconnected_client_is_counted() {
    let gate = StoreGate::open();
    let setup = Setup { gate: Some(gate.clone()), ..Setup::default() };
    let app = App::with(Backend::Sqlite, setup).await;
    World::new(&app).await;
    gate.set_closed(true);
    let token = format!("Bearer {}", app.token("bob", []));
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("authorization", token)
        .body(Body::from(json!({"query": "{ me { id } }"}).to_string()));
    let pending = app.send(request.expect("a request"));
    tokio::select! {
        reply = pending => panic!("{}", reply.body),
        () = gate.wait_for_calls(1) => {}
    }
    gate.wait_for_calls(0).await;
    assert_eq!(app.metric("tenantry_requests_abandoned_total").await, 1.0);
    assert_eq!(app.metric("tenantry_requests_in_flight").await, 0.0);
    gate.set_closed(false);
}

async fn store_commands_and_dataloader_batches_are_counted(app: App) {
    World::new(&app).await;
    let mongo = app.mongo.is_some();
    let count = async |command: &str, collection: &str, outcome: &str| {
        let labels =
            format!(r#"collection="{collection}",command="{command}",outcome="{outcome}""#);
        app.metric(&format!("tenantry_store_command_duration_seconds_count{{{labels}}}")).await
    };
    let read = if mongo { "find" } else { "select" };
    let before = [count(read, "users", "ok").await, count(read, "tenants", "ok").await];
    let batch = r#"tenantry_dataloader_batch_size_count{loader="tenants"}"#;
    let batches = app.metric(batch).await;
    app.query_as("carol", "{ me { memberships { tenant { name } } } }").await.data();
    let after = [count(read, "users", "ok").await, count(read, "tenants", "ok").await];
    assert_eq!([after[0] - before[0], after[1] - before[1]], [1.0, 1.0]);
    assert_eq!(app.metric(batch).await - batches, 1.0);
    let commit = if mongo { ("commitTransaction", "") } else { ("commit", "") };
    let commits = count(commit.0, commit.1, "ok").await;
    let rename = format!(
        r#"mutation {{ updateTenant(input: {{id: "{}", name: "Two"}}) {{ tenant {{ id }} }} }}"#,
        app.query_as("bob", r#"{ tenant(slug: "acme") { id } }"#).await.data()["tenant"]["id"]
            .as_str()
            .expect("an identifier")
    );
    app.query_as("bob", &rename).await.data();
    assert_eq!(count(commit.0, commit.1, "ok").await - commits, 1.0);
}
