//! Tests requests that compete: of two that exclude each other, one wins.

use std::sync::Arc;

use axum::{Router, body::Body, http::Request};
use serde_json::{Value, json};

use super::{accept, change, document, error, invite, preview, run, token_of};
use crate::support::{
    app::{App, Backend, Reply, Setup, on_both_stores, send},
    store_gate::StoreGate,
    world::World,
};

on_both_stores! {
    one_of_64_acceptances_wins,
    one_of_64_persons_with_one_address_wins,
    one_of_16_invitations_of_an_address_wins,
    later_change_finds_an_accepted_invitation,
}

async fn one_of_64_acceptances_wins(app: App) {
    let world = World::new(&app).await;
    let invited = invite(&app, "bob", world.acme.id, "new@example.org", "ADMIN").await;
    let subjects = ["new"; 64].map(str::to_owned);
    let app = Arc::new(app);
    let replies = accept_all(&app, &subjects, "new@example.org", &invited).await;
    assert_one_winner(&replies);
    let user = app.stored_user("new").await.expect("a user");
    assert_eq!((user.memberships.len(), user.version), (1, 1));
    let log = app.audit_log().await;
    assert_eq!(log.iter().filter(|event| event.action == "invitation.accept").count(), 1);
    assert_eq!(log.iter().filter(|event| event.action == "user.sync").count(), 1);
}

/// An e-mail address does not identify a user, so two subjects can have the same.
async fn one_of_64_persons_with_one_address_wins(app: App) {
    let world = World::new(&app).await;
    let invited = invite(&app, "bob", world.acme.id, "new@example.org", "ADMIN").await;
    let subjects: Vec<_> = (0..64).map(|n| format!("new-{n}")).collect();
    let app = Arc::new(app);
    let replies = accept_all(&app, &subjects, "new@example.org", &invited).await;
    assert_one_winner(&replies);
    let mut users = 0;
    for subject in &subjects {
        users += usize::from(app.stored_user(subject).await.is_some());
    }
    assert_eq!(users, 1, "a failed acceptance makes no user");
}

async fn accept_all(
    app: &Arc<App>,
    subjects: &[String],
    email: &str,
    invited: &Value,
) -> Vec<Reply> {
    let query = document("acceptInvitation", "membership { role }");
    let variables = json!({"input": {"token": invited["token"]}});
    let running: Vec<_> = subjects
        .iter()
        .map(|subject| {
            let bearer = token_of(app, subject, email);
            let (app, query, variables) = (app.clone(), query.clone(), variables.clone());
            tokio::spawn(async move { app.query_with_variables(&bearer, &query, variables).await })
        })
        .collect();
    let mut replies = Vec::new();
    for reply in running {
        replies.push(reply.await.expect("a response"));
    }
    replies
}

fn assert_one_winner(replies: &[Reply]) {
    let won = replies.iter().filter(|reply| reply.codes().is_empty()).count();
    let lost = replies.iter().filter(|reply| reply.codes() == ["NOT_FOUND"]).count();
    let codes: Vec<_> = replies.iter().map(|reply| (reply.status, reply.codes())).collect();
    assert_eq!((won, lost), (1, replies.len() - 1), "{codes:?}");
}

async fn one_of_16_invitations_of_an_address_wins(app: App) {
    let (world, app) = (World::new(&app).await, Arc::new(app));
    let input = json!({"tenantId": world.acme.id.to_string(), "email": "new@example.org"});
    let running: Vec<_> = (0..16)
        .map(|n| {
            let (app, input) = (app.clone(), input.clone());
            let subject = if n % 2 == 0 { "ada" } else { "bob" };
            tokio::spawn(async move { run(&app, subject, "inviteTenantMember", input).await })
        })
        .collect();
    let mut won = 0;
    for reply in running {
        let reply = reply.await.expect("a response");
        match reply.codes()[..] {
            [] => won += 1,
            _ => assert_eq!(error(&reply), json!({"code": "CONFLICT", "field": "email"})),
        }
    }
    assert_eq!(won, 1);
}

/// The changes that compete with an acceptance: caller, mutation and input.
fn competitors(world: &World, invited: &Value) -> Vec<(&'static str, &'static str, Value)> {
    let (tenant, bob) = (world.acme.id.to_string(), world.bob.to_string());
    let id = &invited["invitation"]["id"];
    vec![
        ("bob", "revokeInvitation", json!({ "id": id })),
        ("bob", "resendInvitation", json!({ "id": id })),
        ("ada", "updateTenantMember", json!({"tenantId": tenant, "userId": bob, "role": "MEMBER"})),
        ("ada", "removeTenantMember", json!({"tenantId": tenant, "userId": bob})),
        ("ada", "updateUser", json!({"id": bob, "disabled": true})),
        ("ada", "deleteUser", json!({"id": bob})),
        ("ada", "updateTenant", json!({"id": tenant, "status": "SUSPENDED"})),
        ("ada", "deleteTenant", json!({"id": tenant})),
    ]
}

/// The acceptance comes first. The other change then finds a member and an accepted invitation.
async fn later_change_finds_an_accepted_invitation(app: App) {
    let world = World::new(&app).await;
    let invited = invite(&app, "bob", world.acme.id, "new@example.org", "ADMIN").await;
    accept(&app, "new", &invited).await.data();
    for (subject, name, input) in competitors(&world, &invited) {
        // bob no longer has the right after the third change, and then no longer exists.
        let reply = run(&app, subject, name, input).await;
        match name {
            "revokeInvitation" | "resendInvitation" => {
                assert_eq!(error(&reply), json!({"code": "CONFLICT", "field": "id"}), "{name}");
            }
            _ => drop(reply.data()),
        }
        let user = app.stored_user("new").await.expect("the user stays");
        assert_eq!(user.membership(world.acme.id).is_some(), name != "deleteTenant", "{name}");
    }
    app.clock.advance(40 * 86_400);
    assert!(app.stored_user("new").await.is_some());
}

/// The acceptance is decided first, and the other change is committed before it. The acceptance then
/// decides again, and finds that the token is void.
#[tokio::test]
async fn acceptance_is_decided_again_after_another_change() {
    for backend in [Backend::Sqlite, Backend::Mongo] {
        for competitor in 0..8 {
            let gate = StoreGate::open();
            let app = App::with(backend, Setup { gate: Some(gate.clone()), ..Setup::default() });
            let app = Arc::new(app.await);
            let world = World::new(&app).await;
            let invited = invite(&app, "bob", world.acme.id, "new@example.org", "ADMIN").await;
            let other = app.second_instance().await;
            gate.set_commits_closed(true);
            let acceptance = {
                let (app, invited) = (app.clone(), invited.clone());
                tokio::spawn(async move { accept(&app, "new", &invited).await })
            };
            gate.wait_for_commits(1).await;
            let (subject, name, input) = competitors(&world, &invited).swap_remove(competitor);
            send_to(&other, &app, subject, name, input).await.data();
            gate.set_commits_closed(false);
            let reply = acceptance.await.expect("a response");
            let expected = if name == "updateTenant" { "TENANT_SUSPENDED" } else { "NOT_FOUND" };
            assert_eq!((reply.codes(), reply.writes), (vec![expected], 0), "{name} {backend:?}");
            assert_eq!(app.stored_user("new").await, None, "{name} {backend:?}");
        }
    }
}

/// The other change is decided first, and the acceptance is committed before it. The other change is
/// then decided again, and finds a member and an accepted invitation.
#[tokio::test]
async fn other_change_is_decided_again_after_an_acceptance() {
    for backend in [Backend::Sqlite, Backend::Mongo] {
        for competitor in 0..8 {
            let gate = StoreGate::open();
            let app = App::with(backend, Setup { gate: Some(gate.clone()), ..Setup::default() });
            let app = Arc::new(app.await);
            let world = World::new(&app).await;
            let invited = invite(&app, "bob", world.acme.id, "new@example.org", "ADMIN").await;
            let other = app.second_instance().await;
            let (subject, name, input) = competitors(&world, &invited).swap_remove(competitor);
            gate.set_commits_closed(true);
            let change = {
                let app = app.clone();
                tokio::spawn(async move { run(&app, subject, name, input).await })
            };
            gate.wait_for_commits(1).await;
            let token = json!({"token": invited["token"]});
            send_to(&other, &app, "new", "acceptInvitation", token).await.data();
            gate.set_commits_closed(false);
            let reply = change.await.expect("a response");
            match name {
                "revokeInvitation" | "resendInvitation" => {
                    let conflict = json!({"code": "CONFLICT", "field": "id"});
                    assert_eq!((error(&reply), reply.writes), (conflict, 0), "{name} {backend:?}");
                }
                _ => drop(reply.data()),
            }
            let user = app.stored_user("new").await.expect("a user");
            let is_member = user.membership(world.acme.id).is_some();
            assert_eq!(is_member, name != "deleteTenant", "{name} {backend:?}");
        }
    }
}

/// An acceptance that was decided in time counts, even if it is committed a little later. One that is
/// decided after the expiry does not.
#[tokio::test]
async fn acceptance_counts_at_the_time_of_its_decision() {
    for backend in [Backend::Sqlite, Backend::Mongo] {
        let gate = StoreGate::open();
        let setup = Setup { gate: Some(gate.clone()), ..Setup::default() };
        let app = Arc::new(App::with(backend, setup).await);
        let world = World::new(&app).await;
        let invited = invite(&app, "bob", world.acme.id, "new@example.org", "ADMIN").await;
        let late = invite(&app, "bob", world.acme.id, "late@example.org", "ADMIN").await;
        app.clock.advance(7 * 86_400 - 1);
        gate.set_commits_closed(true);
        let acceptance = {
            let (app, invited) = (app.clone(), invited.clone());
            tokio::spawn(async move { accept(&app, "new", &invited).await })
        };
        gate.wait_for_commits(1).await;
        app.clock.advance(1);
        gate.set_commits_closed(false);
        acceptance.await.expect("a response").data();
        assert_eq!(accept(&app, "late", &late).await.codes(), ["NOT_FOUND"]);
        let token = late["token"].as_str().expect("a token");
        assert_eq!(preview(&app, "late", token).await.data()["invitation"], json!(null));
        change(&app, "bob", "resendInvitation", &late).await.data();
    }
}

/// Runs a mutation on another instance.
async fn send_to(router: &Router, app: &App, subject: &str, name: &str, input: Value) -> Reply {
    let bearer = token_of(app, subject, &format!("{subject}@example.org"));
    let body = json!({"query": document(name, "__typename"), "variables": {"input": input}});
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {bearer}"));
    send(router, request.body(Body::from(body.to_string())).expect("a request")).await
}
