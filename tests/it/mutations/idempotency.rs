//! Tests `Idempotency-Key`: a repeated request runs once, and its response is replayed.

use std::sync::Arc;

use axum::{body::Body, http::Request};
use serde_json::{Value, json};
use tenantry::{
    access::{Caller, ClaimOutcome, CreateTenant, RemoveMember, Session, digest},
    domain::{
        edit::tenant::TenantPatch, id::TenantId, patch::Patch, sync::TokenProfile, user::Identity,
    },
};

use super::document;
use crate::support::{
    app::{App, Backend, Reply, on_both_stores},
    world::World,
};

on_both_stores! {
    replay_returns_the_stored_response_without_writing,
    concurrent_requests_with_one_key_run_once,
    error_response_is_replayed,
    key_of_another_request_is_rejected,
    keys_are_scoped_to_the_caller,
    key_expires_after_one_day,
    malformed_keys_are_rejected,
    key_is_ignored_for_queries_and_anonymous_callers,
    disabled_user_cannot_read_a_stored_response,
    replay_of_a_crashed_run_returns_completed_fields,
    replay_of_a_crashed_run_returns_a_completed_removal,
    unprovisioned_user_errors_are_not_stored_for_replay,
}

async fn send(app: &App, subject: &str, key: &str, query: &str, variables: Value) -> Reply {
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("idempotency-key", key)
        .header("authorization", format!("Bearer {}", app.token(subject, [])));
    let body = json!({"query": query, "variables": variables}).to_string();
    app.send(request.body(Body::from(body)).expect("a valid request")).await
}

async fn create(app: &App, key: &str, slug: &str) -> Reply {
    let input = json!({"input": {"slug": slug, "name": "X"}});
    send(app, "ada", key, &document("createTenant", "tenant { id slug version }"), input).await
}

async fn replay_returns_the_stored_response_without_writing(app: App) {
    let world = World::new(&app).await;
    let first = create(&app, "k1", "one").await;
    first.data();
    let replay = create(&app, "k1", "one").await;
    assert_eq!((replay.status, &replay.body), (200, &first.body));
    assert_eq!(replay.writes, 0);
    // The response is the same even if the tenant has changed since.
    let id = first.json["data"]["x"]["tenant"]["id"].clone();
    let rename = json!({"input": {"id": id, "slug": "two"}});
    let update = document("updateTenant", "tenant { slug version }");
    let renamed = send(&app, "ada", "k2", &update, rename.clone()).await;
    assert_eq!(renamed.data()["x"]["tenant"], json!({"slug": "two", "version": 2}));
    assert_eq!(create(&app, "k1", "one").await.body, first.body);
    assert_eq!(send(&app, "ada", "k2", &update, rename).await.body, renamed.body);
    assert_eq!(app.audit_log().await.len(), 3);
    let leave = json!({"input": {"tenantId": world.acme.id.to_string(), "userId": world.carol.to_string()}});
    let remove = document("removeTenantMember", "removedUserId tenant { slug }");
    let removal = send(&app, "carol", "k", &remove, leave.clone()).await;
    removal.data();
    assert_eq!(send(&app, "carol", "k", &remove, leave).await.body, removal.body);
}

async fn concurrent_requests_with_one_key_run_once(app: App) {
    let (_, app) = (World::new(&app).await, Arc::new(app));
    let running: Vec<_> = (0..16)
        .map(|_| {
            let app = app.clone();
            tokio::spawn(async move { create(&app, "same", "one").await })
        })
        .collect();
    let mut bodies = Vec::new();
    for reply in running {
        let reply = reply.await.expect("a response");
        reply.data();
        bodies.push(reply.body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:#?}");
    assert_eq!(app.audit_log().await.len(), 2);
}

async fn error_response_is_replayed(app: App) {
    World::new(&app).await;
    let first = create(&app, "k", "acme").await;
    assert_eq!(first.codes(), ["CONFLICT"]);
    let replay = create(&app, "k", "acme").await;
    assert_eq!(replay.body, first.body, "including the request id");
    // A request that did not run stores no response. The client can fix it and send it again.
    let invalid = send(&app, "ada", "k3", "mutation { nope }", json!({})).await;
    assert_eq!(invalid.codes(), ["GRAPHQL_VALIDATION_FAILED"]);
    assert_eq!(create(&app, "k3", "fixed").await.codes(), [""; 0]);
}

async fn key_of_another_request_is_rejected(app: App) {
    World::new(&app).await;
    create(&app, "k", "one").await.data();
    let other = create(&app, "k", "two").await;
    assert_eq!((other.status, other.codes()), (422, vec!["BAD_USER_INPUT"]));
    let input = json!({"input": {"slug": "one", "name": "X"}});
    let query = document("createTenant", "tenant { id }");
    let other = send(&app, "ada", "k", &query, input).await;
    assert_eq!(other.status, 422, "the same input with another document");
    assert_eq!(app.audit_log().await.len(), 2);
}

async fn keys_are_scoped_to_the_caller(app: App) {
    let world = World::new(&app).await;
    let rename = |id: &dyn ToString| json!({"input": {"id": id.to_string(), "name": "New"}});
    let query = document("updateTenant", "tenant { slug name }");
    let bob = send(&app, "bob", "k", &query, rename(&world.acme.id)).await;
    let carol = send(&app, "carol", "k", &query, rename(&world.globex.id)).await;
    assert_eq!(bob.data()["x"]["tenant"]["slug"], "acme");
    assert_eq!(carol.data()["x"]["tenant"]["slug"], "globex");
}

async fn key_expires_after_one_day(app: App) {
    World::new(&app).await;
    let first = create(&app, "k", "one").await;
    app.clock.advance(24 * 60 * 60 - 1);
    assert_eq!(create(&app, "k", "one").await.body, first.body);
    app.clock.advance(1);
    assert_eq!(create(&app, "k", "one").await.codes(), ["CONFLICT"], "the mutation runs again");
}

async fn malformed_keys_are_rejected(app: App) {
    World::new(&app).await;
    for key in ["", " ", &"x".repeat(256)] {
        let reply = create(&app, key, "one").await;
        assert_eq!((reply.status, reply.codes()), (400, vec!["BAD_USER_INPUT"]), "{key}");
    }
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("idempotency-key", "a")
        .header("idempotency-key", "b")
        .header("authorization", format!("Bearer {}", app.token("ada", [])));
    let body = json!({"query": "mutation { deleteTenant(input: {id: \"x\"}) { deletedId } }"});
    let reply =
        app.send(request.body(Body::from(body.to_string())).expect("a valid request")).await;
    assert_eq!(reply.status, 400);
    create(&app, &"x".repeat(255), "one").await.data();
}

async fn key_is_ignored_for_queries_and_anonymous_callers(app: App) {
    World::new(&app).await;
    let count = "{ tenants { totalCount } }";
    let first = send(&app, "ada", "k", count, json!({})).await;
    create(&app, "k", "one").await.data();
    let second = send(&app, "ada", "k", count, json!({})).await;
    assert_ne!(first.body, second.body, "a query runs again");
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("idempotency-key", "k");
    let body = json!({"query": "mutation { deleteTenant(input: {id: \"ten_65000000000000000000ffff\"}) { deletedId } }"});
    let reply =
        app.send(request.body(Body::from(body.to_string())).expect("a valid request")).await;
    assert_eq!((reply.codes(), reply.reads), (vec!["UNAUTHENTICATED"], 0));
}

async fn disabled_user_cannot_read_a_stored_response(app: App) {
    let world = World::new(&app).await;
    let rename = json!({"input": {"id": world.acme.id.to_string(), "name": "New"}});
    let query = document("updateTenant", "tenant { billingInfo { vatId } }");
    let first = send(&app, "bob", "k", &query, rename.clone()).await;
    assert!(first.body.contains("DE123456789"));
    app.edit_user("bob", |bob| bob.disabled = true).await;
    let replay = send(&app, "bob", "k", &query, rename).await;
    assert_eq!((replay.status, replay.codes()), (200, vec!["USER_DISABLED"]));
    assert!(!replay.body.contains("DE123456789"));
}

/// An error that the caller gets without an enabled user is not stored. The same request runs as soon
/// as the caller has one.
async fn unprovisioned_user_errors_are_not_stored_for_replay(app: App) {
    let world = World::new(&app).await;
    let token = app.token("newcomer", ["platform-admins"]);
    let input = json!({"input": {"slug": "one", "name": "X"}});
    let query = document("createTenant", "tenant { slug }");
    let send_as_newcomer = async || {
        let request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("idempotency-key", "k")
            .header("authorization", format!("Bearer {token}"));
        let body = json!({"query": query, "variables": input}).to_string();
        app.send(request.body(Body::from(body)).expect("a valid request")).await
    };
    assert_eq!(send_as_newcomer().await.codes(), ["USER_NOT_PROVISIONED"]);
    app.query_with_variables(&token, "{ me { id } }", json!({})).await.data();
    assert_eq!(send_as_newcomer().await.data()["x"]["tenant"]["slug"], "one");
    app.edit_user("bob", |bob| bob.disabled = true).await;
    let rename = json!({"input": {"id": world.acme.id.to_string(), "name": "New"}});
    let query = document("updateTenant", "tenant { name }");
    let while_disabled = send(&app, "bob", "k", &query, rename.clone()).await;
    assert_eq!(while_disabled.codes(), ["USER_DISABLED"]);
    app.edit_user("bob", |bob| bob.disabled = false).await;
    let after_enabling = send(&app, "bob", "k", &query, rename).await;
    assert_eq!(after_enabling.data()["x"]["tenant"]["name"], "New");
}

/// The first run completes its first field and crashes before it sends the response.
async fn replay_of_a_crashed_run_returns_completed_fields(app: App) {
    World::new(&app).await;
    let query = "mutation($a: CreateTenantInput!, $b: CreateTenantInput!) {
        a: createTenant(input: $a) { tenant { id slug } }
        b: createTenant(input: $b) { tenant { id slug } } }";
    let variables =
        json!({"a": {"slug": "first", "name": "A"}, "b": {"slug": "second", "name": "B"}});
    let first_tenant = crash_after_first_field(&app, query, &variables).await;
    app.clock.advance(61);
    let reply = send(&app, "ada", "k", query, variables.clone()).await;
    let data = reply.data();
    assert_eq!(data["a"]["tenant"], json!({"id": first_tenant.to_string(), "slug": "first"}));
    assert_eq!(data["b"]["tenant"]["slug"], "second");
    assert_eq!(app.audit_log().await.len(), 3, "each tenant was created once");
    assert_eq!(send(&app, "ada", "k", query, variables).await.body, reply.body);
}

/// Claims the key `k` for a request of the subject, and returns the session of its run.
async fn begin_run(app: &App, subject: &str, query: &str, variables: &Value) -> Session {
    let identity = Identity { issuer: app.issuer.url().to_owned(), subject: subject.to_owned() };
    let caller = Caller { identity, profile: TokenProfile::default() };
    let fingerprint = digest(&[query, "", "", &variables.to_string(), ""]);
    let outcome = app.access.claim_request(&caller, "k", fingerprint).await;
    let Ok(ClaimOutcome::Run(run)) = outcome else { panic!("{outcome:?}") };
    let session = Session::new(app.access.clone(), Some(caller), "crashed".to_owned(), Some(run));
    session.viewer(false).await.expect("a viewer");
    session
}

async fn replay_of_a_crashed_run_returns_a_completed_removal(app: App) {
    let world = World::new(&app).await;
    let (tenant, user) = (world.acme.id, world.carol);
    let variables = json!({"input": {"tenantId": tenant.to_string(), "userId": user.to_string()}});
    let query =
        document("removeTenantMember", "removedUserId tenant { slug billingInfo { email } }");
    let session = begin_run(&app, "carol", &query, &variables).await;
    session.execute(&RemoveMember { tenant, user }).await.expect("the user is a member");
    app.clock.advance(61);
    let reply = send(&app, "carol", "k", &query, variables).await;
    assert_eq!(
        reply.json["data"]["x"],
        json!({"removedUserId": user.to_string(), "tenant": {"slug": "acme", "billingInfo": null}})
    );
    assert_eq!(reply.errors(), ["FORBIDDEN x.tenant.billingInfo"]);
}

/// Runs the first field of the request, without completing the run.
async fn crash_after_first_field(app: &App, query: &str, variables: &Value) -> TenantId {
    let session = begin_run(app, "ada", query, variables).await;
    let text = |text: &str| Patch::Set(text.to_owned());
    let patch = TenantPatch { slug: text("first"), name: text("A"), ..TenantPatch::default() };
    session.execute(&CreateTenant { patch }).await.expect("a new tenant").id
}

/// Until the lease of a run ends, the gateway cannot know whether the run has crashed. A repeated
/// request waits, and then gets an error with `Retry-After`.
#[tokio::test]
async fn replay_of_an_unfinished_run_returns_retry_after() {
    let app = App::on(Backend::Sqlite).await;
    World::new(&app).await;
    let variables = json!({"input": {"slug": "first", "name": "A"}});
    let query = document("createTenant", "tenant { id }");
    crash_after_first_field(&app, &query, &variables).await;
    tokio::time::pause();
    let reply = send(&app, "ada", "k", &query, variables).await;
    assert_eq!((reply.status, reply.codes()), (409, vec!["UNAVAILABLE"]));
    assert_eq!(reply.header("retry-after"), Some("1"));
}
