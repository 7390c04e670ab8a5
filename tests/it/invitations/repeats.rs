//! Tests acceptances with an `Idempotency-Key`, by callers whose user the acceptance creates.

use std::sync::Arc;

use serde_json::{Value, json};
use tenantry::{
    access::{Caller, ClaimOutcome, Session, digest},
    domain::{sync::TokenProfile, user::Identity},
};

use super::{document, invite, run, run_with_key};
use crate::support::{
    app::{App, on_both_stores},
    world::World,
};

on_both_stores! {
    acceptance_of_a_new_caller_is_repeated,
    repeats_at_the_same_time_accept_once,
    acceptance_of_a_crashed_run_is_continued,
    failed_acceptance_stores_nothing,
    caller_who_was_deleted_repeats_nothing,
}

fn token_of(invited: &Value) -> Value {
    json!({"token": invited["token"]})
}

async fn acceptance_of_a_new_caller_is_repeated(app: App) {
    let world = World::new(&app).await;
    let invited = invite(&app, "bob", world.acme.id, "new@example.org", "ADMIN").await;
    let other = invite(&app, "carol", world.globex.id, "new@example.org", "MEMBER").await;
    let first = run_with_key(&app, "new", "k", "acceptInvitation", token_of(&invited)).await;
    assert_eq!(first.data()["x"]["membership"]["role"], "ADMIN");
    let user = app.stored_user("new").await;
    for _ in 0..2 {
        let repeat = run_with_key(&app, "new", "k", "acceptInvitation", token_of(&invited)).await;
        assert_eq!((&repeat.body, repeat.writes), (&first.body, 0));
    }
    assert_eq!(app.stored_user("new").await, user, "nothing happens twice");
    let reused = run_with_key(&app, "new", "k", "acceptInvitation", token_of(&other)).await;
    assert_eq!(reused.status, 422);
    let unkeyed = run(&app, "new", "acceptInvitation", token_of(&invited)).await;
    assert_eq!(unkeyed.codes(), ["NOT_FOUND"]);
    // Other rights: the repeat reads the membership as it is now.
    run_with_key(&app, "new", "k-2", "acceptInvitation", token_of(&other)).await.data();
    let repeat = run_with_key(&app, "new", "k", "acceptInvitation", token_of(&invited)).await;
    assert_eq!(repeat.data()["x"]["membership"]["role"], "ADMIN");
    assert_eq!(repeat.writes, 0);
}

async fn repeats_at_the_same_time_accept_once(app: App) {
    let (world, app) = (World::new(&app).await, Arc::new(app));
    let invited = invite(&app, "bob", world.acme.id, "new@example.org", "ADMIN").await;
    let running: Vec<_> = (0..8)
        .map(|_| {
            let (app, input) = (app.clone(), token_of(&invited));
            tokio::spawn(
                async move { run_with_key(&app, "new", "k", "acceptInvitation", input).await },
            )
        })
        .collect();
    let mut bodies = Vec::new();
    for reply in running {
        let reply = reply.await.expect("a response");
        reply.data();
        bodies.push(reply.body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    let log = app.audit_log().await;
    assert_eq!(log.iter().filter(|event| event.action == "invitation.accept").count(), 1);
}

/// The first run accepts the invitation and crashes before it stores its response.
async fn acceptance_of_a_crashed_run_is_continued(app: App) {
    let world = World::new(&app).await;
    let invited = invite(&app, "bob", world.acme.id, "new@example.org", "ADMIN").await;
    let variables = json!({"input": token_of(&invited)});
    let query = document("acceptInvitation", "membership { role }");
    let fingerprint = digest(&[&query, "", "", &variables.to_string(), ""]);
    let identity = Identity { issuer: app.issuer.url().to_owned(), subject: "new".to_owned() };
    let email = Some("new@example.org".to_owned());
    let profile = TokenProfile { email, ..TokenProfile::default() };
    let caller = Some(Caller { identity, profile });
    let session = Arc::new(Session::new(app.access.clone(), caller, "crashed".to_owned()));
    let Ok(ClaimOutcome::Execute { session, is_new: true }) =
        session.claim_request("k", fingerprint).await
    else {
        panic!("the key is free")
    };
    let token = invited["token"].as_str().expect("a token");
    session.accept_invitation(token).await.expect("an acceptance");
    app.clock.advance(61);
    for _ in 0..2 {
        let repeat = run_with_key(&app, "new", "k", "acceptInvitation", token_of(&invited)).await;
        assert_eq!(
            (repeat.data()["x"].clone(), repeat.writes),
            (json!({"membership": {"role": "ADMIN"}}), 0)
        );
    }
}

async fn failed_acceptance_stores_nothing(app: App) {
    let world = World::new(&app).await;
    let invited = invite(&app, "bob", world.acme.id, "new@example.org", "ADMIN").await;
    let wrong = json!({"token": "x"});
    let failed = run_with_key(&app, "new", "k", "acceptInvitation", wrong).await;
    assert_eq!((failed.codes(), app.stored_user("new").await), (vec!["NOT_FOUND"], None));
    // The key is free again.
    run_with_key(&app, "new", "k", "acceptInvitation", token_of(&invited)).await.data();
}

/// A token from before the deletion of its user claims no key, and accepts nothing.
async fn caller_who_was_deleted_repeats_nothing(app: App) {
    let world = World::new(&app).await;
    let invited = invite(&app, "bob", world.acme.id, "new@example.org", "ADMIN").await;
    run_with_key(&app, "new", "k", "acceptInvitation", token_of(&invited)).await.data();
    let user = app.stored_user("new").await.expect("a user").id.to_string();
    run(&app, "ada", "deleteUser", json!({ "id": user })).await.data();
    let repeat = run_with_key(&app, "new", "k", "acceptInvitation", token_of(&invited)).await;
    assert_eq!(repeat.codes(), ["USER_NOT_PROVISIONED"]);
    app.clock.advance(61);
    let repeat = run_with_key(&app, "new", "k", "acceptInvitation", token_of(&invited)).await;
    let codes = (repeat.codes(), app.stored_user("new").await);
    assert_eq!(codes, (vec!["USER_NOT_PROVISIONED"], None));
    // The next user of the identity has no part in the acceptance.
    app.query_as("new", "{ me { id } }").await.data();
    let repeat = run_with_key(&app, "new", "k", "acceptInvitation", token_of(&invited)).await;
    assert_eq!((repeat.codes(), repeat.writes), (vec!["NOT_FOUND"], 0));
}
