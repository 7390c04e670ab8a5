//! Tests `Idempotency-Key`: a repeated request runs once, and its response is replayed.

use std::sync::Arc;

use axum::{body::Body, http::Request};
use serde_json::{Value, json};
use tenantry::{
    access::{AccessError, Caller, ClaimOutcome, CreateTenant, RemoveMember, Session, digest},
    clock::Clock,
    domain::{
        edit::tenant::TenantPatch,
        id::TenantId,
        patch::Patch,
        sync::TokenProfile,
        user::{Identity, Membership, MembershipSource, TenantRole},
    },
};

use super::document;
use crate::support::{
    app::{App, Backend, Reply, Setup, on_both_stores},
    store_gate::StoreGate,
    world::World,
};

on_both_stores! {
    replay_returns_the_stored_response_without_writing,
    concurrent_requests_with_one_key_run_once,
    rejected_mutation_stores_nothing,
    key_of_another_request_is_rejected,
    keys_are_scoped_to_the_caller,
    key_expires_after_one_day,
    malformed_keys_are_rejected,
    key_is_ignored_for_queries_and_anonymous_callers,
    disabled_user_cannot_read_a_stored_response,
    replay_of_a_crashed_run_returns_completed_fields,
    replay_of_a_crashed_run_returns_a_completed_removal,
    unprovisioned_user_errors_are_not_stored_for_replay,
    mutation_without_a_change_is_replayed,
    removed_member_cannot_read_a_stored_response,
    demoted_member_cannot_read_a_stored_response,
    response_under_several_rights_is_not_replayed,
    new_user_cannot_read_the_response_of_a_deleted_one,
    long_response_is_read_again,
    lost_run_is_taken_over_and_commits_nothing,
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

/// A rejected mutation runs again, and its key is free for another request.
async fn rejected_mutation_stores_nothing(app: App) {
    let world = World::new(&app).await;
    assert_eq!(create(&app, "k", "acme").await.codes(), ["CONFLICT"]);
    assert_eq!(create(&app, "k", "acme").await.codes(), ["CONFLICT"]);
    assert_eq!(create(&app, "k", "one").await.codes(), [""; 0]);
    let query = document("updateTenant", "tenant { name }");
    for name in ["A", "B"] {
        let rename = json!({"input": {"id": world.acme.id.to_string(), "name": name}});
        let reply = send(&app, "mallory", "k", &query, rename).await;
        assert_eq!((reply.status, reply.codes()), (200, vec!["NOT_FOUND"]));
    }
    let invalid = send(&app, "ada", "k3", "mutation { nope }", json!({})).await;
    assert_eq!(invalid.codes(), ["GRAPHQL_VALIDATION_FAILED"]);
    assert_eq!(create(&app, "k3", "fixed").await.codes(), [""; 0]);
}

/// A late repeat must not undo a change that was made after the first request.
async fn mutation_without_a_change_is_replayed(app: App) {
    let world = World::new(&app).await;
    let query = document("updateTenant", "tenant { name version }");
    let first = send(&app, "bob", "k", &query, rename_acme(&world, "Acme")).await;
    assert_eq!(first.data()["x"]["tenant"], json!({"name": "Acme", "version": 1}));
    send(&app, "bob", "other", &query, rename_acme(&world, "New")).await.data();
    let repeat = send(&app, "bob", "k", &query, rename_acme(&world, "Acme")).await;
    assert_eq!(repeat.body, first.body);
    let current = send(&app, "bob", "other", &query, rename_acme(&world, "New")).await;
    assert_eq!(current.data()["x"]["tenant"], json!({"name": "New", "version": 2}));
}

fn rename_acme(world: &World, name: &str) -> Value {
    json!({"input": {"id": world.acme.id.to_string(), "name": name}})
}

const BILLING: &str = "tenant { name version billingInfo { vatId } }";

/// Renames acme as bob under the key `k`, and returns the document and its variables for a repeat.
async fn rename_with_billing(app: &App, world: &World) -> (String, Value) {
    let (query, input) = (document("updateTenant", BILLING), rename_acme(world, "New"));
    let first = send(app, "bob", "k", &query, input.clone()).await;
    assert!(first.body.contains("DE123456789"), "{}", first.body);
    assert_eq!(send(app, "bob", "k", &query, input.clone()).await.body, first.body);
    (query, input)
}

async fn removed_member_cannot_read_a_stored_response(app: App) {
    let world = World::new(&app).await;
    let (query, input) = rename_with_billing(&app, &world).await;
    let member =
        json!({"input": {"tenantId": world.acme.id.to_string(), "userId": world.bob.to_string()}});
    let remove = document("removeTenantMember", "removedUserId");
    send(&app, "ada", "k", &remove, member).await.data();
    let events = app.audit_log().await.len();
    for _ in 0..2 {
        let repeat = send(&app, "bob", "k", &query, input.clone()).await;
        assert_eq!(repeat.codes(), ["NOT_FOUND"], "{}", repeat.body);
    }
    assert_eq!(app.audit_log().await.len(), events, "nothing runs again");
}

async fn demoted_member_cannot_read_a_stored_response(app: App) {
    let world = World::new(&app).await;
    let (query, input) = rename_with_billing(&app, &world).await;
    app.edit_user("bob", |bob| bob.memberships[0].role = TenantRole::Member).await;
    let events = app.audit_log().await.len();
    let repeat = send(&app, "bob", "k", &query, input.clone()).await;
    let tenant = json!({"name": "New", "version": 2, "billingInfo": null});
    assert_eq!(repeat.json["data"]["x"]["tenant"], tenant);
    assert_eq!(repeat.errors(), ["FORBIDDEN x.tenant.billingInfo"]);
    assert_eq!(send(&app, "bob", "k", &query, input.clone()).await.body, repeat.body);
    // The outcome is read again after each change of the rights.
    app.edit_user("bob", |bob| bob.memberships[0].role = TenantRole::Owner).await;
    let promoted = send(&app, "bob", "k", &query, input).await;
    assert_eq!(promoted.data()["x"]["tenant"]["billingInfo"], json!({"vatId": "DE123456789"}));
    assert_eq!(app.audit_log().await.len(), events, "nothing runs again");
}

/// The first field reads billing information, and the second field gives up the right to read it.
async fn response_under_several_rights_is_not_replayed(app: App) {
    let world = World::new(&app).await;
    let query = format!(
        "mutation($a: UpdateTenantInput!, $b: RemoveTenantMemberInput!) {{
            a: updateTenant(input: $a) {{ {BILLING} }}
            b: removeTenantMember(input: $b) {{ removedUserId }} }}"
    );
    let globex = world.globex.id.to_string();
    let variables = json!({
        "a": {"id": globex, "name": "New"},
        "b": {"tenantId": globex, "userId": world.carol.to_string()},
    });
    let first = send(&app, "carol", "k", &query, variables.clone()).await;
    assert!(first.body.contains("DE123456789"), "{}", first.body);
    let repeat = send(&app, "carol", "k", &query, variables).await;
    assert_eq!(repeat.codes(), ["NOT_FOUND"], "{}", repeat.body);
}

async fn new_user_cannot_read_the_response_of_a_deleted_one(app: App) {
    let world = World::new(&app).await;
    let (query, input) = rename_with_billing(&app, &world).await;
    let bob = json!({"input": {"id": world.bob.to_string()}});
    send(&app, "ada", "1", &document("deleteUser", "deletedId"), bob).await.data();
    let again = json!({"input": {"subject": "bob", "email": "bob@example.org", "name": "Bob"}});
    send(&app, "ada", "2", &document("createUser", "user { id }"), again).await.data();
    let role = Membership {
        tenant_id: world.acme.id,
        role: TenantRole::Owner,
        source: MembershipSource::Direct,
        since: app.clock.now(),
    };
    app.edit_user("bob", |bob| bob.memberships.push(role)).await;
    // The new user has the same rights. The request is a new one for this user.
    let other = document("updateTenant", "tenant { version }");
    let reply = send(&app, "bob", "k", &other, rename_acme(&world, "Newer")).await;
    assert_eq!(reply.data()["x"]["tenant"]["version"], 3);
    assert_eq!(send(&app, "bob", "k", &query, input).await.status, 422);
}

/// A response over 16 KiB is not stored. A repeat reads the outcome again and changes nothing.
async fn long_response_is_read_again(app: App) {
    let world = World::new(&app).await;
    let name = "n".repeat(200);
    let rename = json!({"input": {"id": world.acme.id.to_string(), "name": name}});
    let names: String = (0..30).map(|n| format!(" n{n}: name")).collect();
    let tenants: String = (0..4).map(|n| format!(" t{n}: tenant {{ version {names} }}")).collect();
    let query = document("updateTenant", &tenants);
    let first = send(&app, "bob", "k", &query, rename.clone()).await;
    assert_eq!(first.data()["x"]["t0"]["version"], 2);
    assert!(first.body.len() > 16 * 1024);
    let update = document("updateTenant", "tenant { name }");
    send(&app, "bob", "2", &update, rename_acme(&world, "Short")).await.data();
    let repeat = send(&app, "bob", "k", &query, rename).await;
    assert_eq!((repeat.data()["x"]["t3"]["version"].clone(), repeat.writes), (json!(3), 0));
    assert_eq!(repeat.json["data"]["x"]["t0"]["n7"], "Short");
}

/// The process of the first run was stopped. It continues after a repeat has executed the request.
async fn lost_run_is_taken_over_and_commits_nothing(app: App) {
    let world = World::new(&app).await;
    let variables = json!({"input": {"slug": "first", "name": "A"}});
    let query = document("createTenant", "tenant { slug version }");
    let stopped = begin_run(&app, "ada", &query, &variables).await;
    let repeat = send(&app, "ada", "k", &query, variables.clone()).await;
    assert_eq!(repeat.data()["x"]["tenant"], json!({"slug": "first", "version": 1}));
    let patch = TenantPatch {
        slug: Patch::Set("second".to_owned()),
        name: Patch::Set("A".to_owned()),
        ..TenantPatch::default()
    };
    let late = stopped.execute(&CreateTenant { patch }).await;
    assert_eq!(late.expect_err("another run holds the key"), AccessError::Unavailable);
    let leave = RemoveMember { tenant: world.acme.id, user: world.carol };
    assert_eq!(stopped.execute(&leave).await.err(), Some(AccessError::Unavailable));
    stopped.complete_request(Some("{}".to_owned())).await;
    assert_eq!(send(&app, "ada", "k", &query, variables).await.body, repeat.body);
    assert_eq!(app.audit_log().await.len(), 2, "one run has committed");
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
async fn begin_run(app: &App, subject: &str, query: &str, variables: &Value) -> Arc<Session> {
    let identity = Identity { issuer: app.issuer.url().to_owned(), subject: subject.to_owned() };
    let caller = Caller { identity, profile: TokenProfile::default() };
    let fingerprint = digest(&[query, "", "", &variables.to_string(), ""]);
    let session = Session::new(app.access.clone(), Some(caller), "crashed".to_owned());
    match Arc::new(session).claim_request("k", fingerprint).await {
        Ok(ClaimOutcome::Execute { session, .. }) => session,
        _ => panic!("the key is claimed already"),
    }
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

/// A repeat waits for a run that is alive, however long it takes, and then gets an error with
/// `Retry-After`.
#[tokio::test]
async fn repeat_of_a_slow_run_returns_retry_after() {
    let gate = StoreGate::open();
    let setup = Setup { gate: Some(gate.clone()), ..Setup::default() };
    let app = Arc::new(App::with(Backend::Sqlite, setup).await);
    World::new(&app).await;
    gate.set_commits_closed(true);
    let first = tokio::spawn({
        let app = app.clone();
        async move { create(&app, "k", "one").await }
    });
    gate.wait_for_commits(1).await;
    tokio::time::pause();
    let reply = create(&app, "k", "one").await;
    assert_eq!((reply.status, reply.codes()), (409, vec!["UNAVAILABLE"]));
    assert_eq!(reply.header("retry-after"), Some("1"));
    gate.set_commits_closed(false);
    let first = first.await.expect("a response");
    assert_eq!(first.data()["x"]["tenant"]["slug"], "one");
    assert_eq!(create(&app, "k", "one").await.body, first.body);
}

#[tokio::test]
async fn new_keys_are_limited_per_day() {
    let setup = Setup { keys_per_day: 2, ..Setup::default() };
    let app = App::with(Backend::Sqlite, setup).await;
    World::new(&app).await;
    let first = create(&app, "1", "one").await;
    create(&app, "2", "two").await.data();
    let third = create(&app, "3", "three").await;
    assert_eq!((third.status, third.codes()), (429, vec!["RATE_LIMITED"]));
    assert_eq!(third.header("retry-after"), Some("43200"));
    // Repeats and other users are not limited, and the rejected key stays free.
    assert_eq!(create(&app, "1", "one").await.body, first.body);
    let leave = document("removeTenantMember", "removedUserId");
    assert_eq!(send(&app, "mallory", "1", &leave, json!({"input": {"tenantId": "ten_65000000000000000000ffff", "userId": "usr_65000000000000000000ffff"}})).await.codes(), ["NOT_FOUND"]);
    app.clock.advance(43_200);
    create(&app, "3", "other").await.data();
    assert_eq!(create(&app, "4", "four").await.status, 429);
}
