//! `Idempotency-Key`: what is sent again is done once and answered the same.

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
    a_repeat_is_answered_the_same_and_does_nothing,
    many_at_once_do_it_once,
    a_refusal_is_remembered_too,
    one_key_is_for_one_request,
    keys_are_each_actors_own,
    a_key_is_kept_for_a_day,
    malformed_keys_are_refused,
    queries_and_strangers_need_no_key,
    who_is_shut_out_reads_no_old_answer,
    what_a_dead_run_did_is_found,
    leaving_is_found_again_too,
    who_was_nobody_has_asked_for_nothing,
}

async fn send(app: &App, subject: &str, key: &str, query: &str, variables: Value) -> Reply {
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("idempotency-key", key)
        .header("authorization", format!("Bearer {}", app.token(subject, [])));
    let body = json!({"query": query, "variables": variables}).to_string();
    app.send(request.body(Body::from(body)).expect("a request")).await
}

async fn create(app: &App, key: &str, slug: &str) -> Reply {
    let input = json!({"input": {"slug": slug, "name": "X"}});
    send(app, "ada", key, &document("createTenant", "tenant { id slug version }"), input).await
}

async fn a_repeat_is_answered_the_same_and_does_nothing(app: App) {
    let world = World::new(&app).await;
    let first = create(&app, "k1", "one").await;
    first.data();
    let again = create(&app, "k1", "one").await;
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert_eq!(again.writes, 0);
    // Also where it has changed since.
    let id = first.json["data"]["x"]["tenant"]["id"].clone();
    let rename = json!({"input": {"id": id, "slug": "two"}});
    let update = document("updateTenant", "tenant { slug version }");
    let renamed = send(&app, "ada", "k2", &update, rename.clone()).await;
    assert_eq!(renamed.data()["x"]["tenant"], json!({"slug": "two", "version": 2}));
    assert_eq!(create(&app, "k1", "one").await.body, first.body);
    assert_eq!(send(&app, "ada", "k2", &update, rename).await.body, renamed.body);
    assert_eq!(app.history().await.len(), 3);
    let leave = json!({"input": {"tenantId": world.acme.id.to_string(), "userId": world.carol.to_string()}});
    let remove = document("removeTenantMember", "removedUserId tenant { slug }");
    let left = send(&app, "carol", "k", &remove, leave.clone()).await;
    left.data();
    assert_eq!(send(&app, "carol", "k", &remove, leave).await.body, left.body);
}

async fn many_at_once_do_it_once(app: App) {
    let (_, app) = (World::new(&app).await, Arc::new(app));
    let running: Vec<_> = (0..16)
        .map(|_| {
            let app = app.clone();
            tokio::spawn(async move { create(&app, "same", "one").await })
        })
        .collect();
    let mut bodies = Vec::new();
    for reply in running {
        let reply = reply.await.expect("an answer");
        reply.data();
        bodies.push(reply.body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:#?}");
    assert_eq!(app.history().await.len(), 2);
}

async fn a_refusal_is_remembered_too(app: App) {
    World::new(&app).await;
    let first = create(&app, "k", "acme").await;
    assert_eq!(first.codes(), ["CONFLICT"]);
    let again = create(&app, "k", "acme").await;
    assert_eq!(again.body, first.body, "its identifier of the request too");
    // What never ran is none: it can be mended and sent again.
    let invalid = send(&app, "ada", "k3", "mutation { nope }", json!({})).await;
    assert_eq!(invalid.codes(), ["GRAPHQL_VALIDATION_FAILED"]);
    assert_eq!(create(&app, "k3", "mended").await.codes(), [""; 0]);
}

async fn one_key_is_for_one_request(app: App) {
    World::new(&app).await;
    create(&app, "k", "one").await.data();
    let other = create(&app, "k", "two").await;
    assert_eq!((other.status, other.codes()), (422, vec!["BAD_USER_INPUT"]));
    let input = json!({"input": {"slug": "one", "name": "X"}});
    let query = document("createTenant", "tenant { id }");
    let other = send(&app, "ada", "k", &query, input).await;
    assert_eq!(other.status, 422, "the same input, and another document");
    assert_eq!(app.history().await.len(), 2);
}

async fn keys_are_each_actors_own(app: App) {
    let world = World::new(&app).await;
    let rename = |id: &dyn ToString| json!({"input": {"id": id.to_string(), "name": "New"}});
    let query = document("updateTenant", "tenant { slug name }");
    let bob = send(&app, "bob", "k", &query, rename(&world.acme.id)).await;
    let carol = send(&app, "carol", "k", &query, rename(&world.globex.id)).await;
    assert_eq!(bob.data()["x"]["tenant"]["slug"], "acme");
    assert_eq!(carol.data()["x"]["tenant"]["slug"], "globex");
}

async fn a_key_is_kept_for_a_day(app: App) {
    World::new(&app).await;
    let first = create(&app, "k", "one").await;
    app.clock.advance(24 * 60 * 60 - 1);
    assert_eq!(create(&app, "k", "one").await.body, first.body);
    app.clock.advance(1);
    assert_eq!(create(&app, "k", "one").await.codes(), ["CONFLICT"], "it is done anew");
}

async fn malformed_keys_are_refused(app: App) {
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
    let reply = app.send(request.body(Body::from(body.to_string())).expect("a request")).await;
    assert_eq!(reply.status, 400);
    create(&app, &"x".repeat(255), "one").await.data();
}

async fn queries_and_strangers_need_no_key(app: App) {
    World::new(&app).await;
    let count = "{ tenants { totalCount } }";
    let first = send(&app, "ada", "k", count, json!({})).await;
    create(&app, "k", "one").await.data();
    let second = send(&app, "ada", "k", count, json!({})).await;
    assert_ne!(first.body, second.body, "a query is asked anew");
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("idempotency-key", "k");
    let body = json!({"query": "mutation { deleteTenant(input: {id: \"ten_65000000000000000000ffff\"}) { deletedId } }"});
    let reply = app.send(request.body(Body::from(body.to_string())).expect("a request")).await;
    assert_eq!((reply.codes(), reply.reads), (vec!["UNAUTHENTICATED"], 0));
}

async fn who_is_shut_out_reads_no_old_answer(app: App) {
    let world = World::new(&app).await;
    let rename = json!({"input": {"id": world.acme.id.to_string(), "name": "New"}});
    let query = document("updateTenant", "tenant { billingInfo { vatId } }");
    let first = send(&app, "bob", "k", &query, rename.clone()).await;
    assert!(first.body.contains("DE123456789"));
    app.change("bob", |bob| bob.disabled = true).await;
    let again = send(&app, "bob", "k", &query, rename).await;
    assert_eq!((again.status, again.codes()), (200, vec!["USER_DISABLED"]));
    assert!(!again.body.contains("DE123456789"));
}

/// Once there is an actor, the same request is asked for the first time.
async fn who_was_nobody_has_asked_for_nothing(app: App) {
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
        app.send(request.body(Body::from(body)).expect("a request")).await
    };
    assert_eq!(send_as_newcomer().await.codes(), ["USER_NOT_PROVISIONED"]);
    app.ask_with(&token, "{ me { id } }", json!({})).await.data();
    assert_eq!(send_as_newcomer().await.data()["x"]["tenant"]["slug"], "one");
    app.change("bob", |bob| bob.disabled = true).await;
    let rename = json!({"input": {"id": world.acme.id.to_string(), "name": "New"}});
    let query = document("updateTenant", "tenant { name }");
    let shut = send(&app, "bob", "k", &query, rename.clone()).await;
    assert_eq!(shut.codes(), ["USER_DISABLED"]);
    app.change("bob", |bob| bob.disabled = false).await;
    let open = send(&app, "bob", "k", &query, rename).await;
    assert_eq!(open.data()["x"]["tenant"]["name"], "New");
}

/// A run that did its work at the first field and died before it could answer.
async fn what_a_dead_run_did_is_found(app: App) {
    World::new(&app).await;
    let query = "mutation($a: CreateTenantInput!, $b: CreateTenantInput!) {
        a: createTenant(input: $a) { tenant { id slug } }
        b: createTenant(input: $b) { tenant { id slug } } }";
    let variables =
        json!({"a": {"slug": "first", "name": "A"}, "b": {"slug": "second", "name": "B"}});
    let dead = die_after_the_first(&app, query, &variables).await;
    app.clock.advance(61);
    let reply = send(&app, "ada", "k", query, variables.clone()).await;
    let data = reply.data();
    assert_eq!(data["a"]["tenant"], json!({"id": dead.to_string(), "slug": "first"}));
    assert_eq!(data["b"]["tenant"]["slug"], "second");
    assert_eq!(app.history().await.len(), 3, "each was made once");
    assert_eq!(send(&app, "ada", "k", query, variables).await.body, reply.body);
}

/// A run of that request by that subject, under the key `k`.
async fn begin(app: &App, subject: &str, query: &str, variables: &Value) -> Session {
    let identity = Identity { issuer: app.issuer.url().to_owned(), subject: subject.to_owned() };
    let caller = Caller { identity, profile: TokenProfile::default() };
    let fingerprint = digest(&[query, "", "", &variables.to_string(), ""]);
    let admitted = app.access.claim_request(&caller, "k", fingerprint).await;
    let Ok(ClaimOutcome::Run(run)) = admitted else { panic!("{admitted:?}") };
    let session = Session::new(app.access.clone(), Some(caller), "dead".to_owned(), Some(run));
    session.viewer(false).await.expect("somebody");
    session
}

async fn leaving_is_found_again_too(app: App) {
    let world = World::new(&app).await;
    let (tenant, user) = (world.acme.id, world.carol);
    let variables = json!({"input": {"tenantId": tenant.to_string(), "userId": user.to_string()}});
    let query =
        document("removeTenantMember", "removedUserId tenant { slug billingInfo { email } }");
    let session = begin(&app, "carol", &query, &variables).await;
    session.execute(&RemoveMember { tenant, user }).await.expect("left");
    app.clock.advance(61);
    let reply = send(&app, "carol", "k", &query, variables).await;
    assert_eq!(
        reply.json["data"]["x"],
        json!({"removedUserId": user.to_string(), "tenant": {"slug": "acme", "billingInfo": null}})
    );
    assert_eq!(reply.errors(), ["FORBIDDEN x.tenant.billingInfo"]);
}

async fn die_after_the_first(app: &App, query: &str, variables: &Value) -> TenantId {
    let session = begin(app, "ada", query, variables).await;
    let text = |text: &str| Patch::Set(text.to_owned());
    let patch = TenantPatch { slug: text("first"), name: text("A"), ..TenantPatch::default() };
    session.execute(&CreateTenant { patch }).await.expect("made").id
}

/// Until the lease ends, nobody knows whether it is dead: a repeat waits, and then is told to.
#[tokio::test]
async fn a_repeat_of_a_silent_run_is_told_to_wait() {
    let app = App::on(Backend::Sqlite).await;
    World::new(&app).await;
    let variables = json!({"input": {"slug": "first", "name": "A"}});
    let query = document("createTenant", "tenant { id }");
    die_after_the_first(&app, &query, &variables).await;
    tokio::time::pause();
    let reply = send(&app, "ada", "k", &query, variables).await;
    assert_eq!((reply.status, reply.codes()), (409, vec!["UNAVAILABLE"]));
    assert_eq!(reply.header("retry-after"), Some("1"));
}
