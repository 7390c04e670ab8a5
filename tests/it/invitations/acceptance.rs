//! Tests the way of the invited person: the preview, the acceptance, and all reasons against it.

use serde_json::json;
use tenantry::{
    clock::Clock,
    domain::{
        change::Change,
        tenant::TenantStatus,
        user::{MembershipSource, TenantRole},
    },
};

use super::{accept, actions, change, error, invite, preview, run, token_of};
use crate::support::{
    app::{App, Backend, Reply, Setup, on_both_stores},
    world::World,
};

on_both_stores! {
    acceptance_creates_the_user,
    acceptance_gives_the_higher_role,
    preview_shows_the_offer_to_the_invited_person_only,
    void_tokens_look_alike,
    address_of_the_token_must_be_the_invited_one,
    caller_without_rights_is_rejected_first,
    inviter_must_still_have_the_right,
    suspended_tenant_gets_no_members,
    groups_are_applied_by_the_next_me_only,
    wrong_tokens_are_charged_like_wrong_credentials,
}

async fn acceptance_creates_the_user(app: App) {
    let world = World::new(&app).await;
    let invited = invite(&app, "bob", world.acme.id, "New@Example.org", "ADMIN").await;
    let reply = accept(&app, "new", &invited).await;
    let user = app.stored_user("new").await.expect("a user");
    assert_eq!(
        reply.data()["x"]["membership"],
        json!({"role": "ADMIN", "source": "DIRECT", "tenant": {"slug": "acme"},
            "user": {"id": user.id.to_string(), "name": "new", "email": "new@example.org"}})
    );
    assert_eq!(user.memberships.len(), 1);
    assert_eq!(
        actions(&app).await,
        ["tenant.update", "invitation.create", "user.sync", "invitation.accept"]
    );
    // The new user can be used at once, and the token only once.
    let me = app.query_as("new", "{ me { memberships { role } } }").await;
    assert_eq!(me.data()["me"]["memberships"], json!([{"role": "ADMIN"}]));
    let again = accept(&app, "new", &invited).await;
    assert_eq!((again.codes(), again.writes), (vec!["NOT_FOUND"], 0));
}

async fn acceptance_gives_the_higher_role(app: App) {
    let world = World::new(&app).await;
    let invitation = |role: &'static str, email: &'static str| {
        let (app, id) = (&app, world.acme.id);
        async move { invite(app, "ada", id, email, role).await }
    };
    // carol is a MEMBER of acme by a group, under another address.
    app.edit_user("carol", |user| {
        user.email = Some("else@example.org".to_owned());
        user.memberships[0].source = MembershipSource::Group;
    })
    .await;
    let lower = invitation("MEMBER", "carol@example.org").await;
    let reply = accept(&app, "carol", &lower).await;
    assert_eq!(reply.data()["x"]["membership"]["source"], "DIRECT");
    let higher = invitation("OWNER", "carol@example.org").await;
    assert_eq!(accept(&app, "carol", &higher).await.data()["x"]["membership"]["role"], "OWNER");
    let lower = invitation("ADMIN", "carol@example.org").await;
    let version = app.stored_user("carol").await.expect("stored").version;
    assert_eq!(accept(&app, "carol", &lower).await.data()["x"]["membership"]["role"], "OWNER");
    let carol = app.stored_user("carol").await.expect("stored");
    assert_eq!(carol.version, version, "an acceptance that changes no right leaves the user");
    assert_eq!(carol.membership(world.acme.id).map(|m| m.role), Some(TenantRole::Owner));
}

async fn preview_shows_the_offer_to_the_invited_person_only(app: App) {
    let world = World::new(&app).await;
    let invited = invite(&app, "bob", world.acme.id, "new@example.org", "ADMIN").await;
    let token = invited["token"].as_str().expect("a token");
    let reply = preview(&app, "new", token).await;
    assert_eq!(
        reply.data()["invitation"],
        json!({"tenantName": "Acme", "role": "ADMIN", "email": "new@example.org",
            "expiresAt": "2026-01-08T00:00:00.000Z"})
    );
    assert_eq!((reply.writes, app.stored_user("new").await), (0, None));
    let mut reads = Vec::new();
    for (subject, token) in [("mallory", token), ("mallory", "x"), ("mallory", &token[1..])] {
        let reply = preview(&app, subject, token).await;
        assert_eq!(reply.data()["invitation"], json!(null));
        reads.push(reply.reads);
    }
    assert_eq!(reads, [4; 3]);
    let anonymous = app.query_anonymous("{ invitation(token: \"x\") { role } }").await;
    assert_eq!((anonymous.codes(), anonymous.reads), (vec!["UNAUTHENTICATED"], 0));
    // Beside `me`, the user is created first.
    let bearer = token_of(&app, "new", "new@example.org");
    let query = "query($token: String!) { invitation(token: $token) { role } me { name } }";
    let reply = app.query_with_variables(&bearer, query, json!({ "token": token })).await;
    assert_eq!(reply.data()["invitation"]["role"], "ADMIN");
    accept(&app, "new", &invited).await.data();
    assert_eq!(preview(&app, "new", token).await.data()["invitation"], json!(null));
}

/// All reasons for which a token is void have the same answer after the same reads.
async fn void_tokens_look_alike(app: App) {
    let world = World::new(&app).await;
    let mut tokens = Vec::new();
    let mut invited = Vec::new();
    for tenant in [world.acme.id, world.globex.id] {
        for n in 0..4 {
            let email = "mallory@example.org".replace('@', &format!("+{n}@"));
            invited.push(invite(&app, "ada", tenant, &email, "MEMBER").await);
        }
    }
    change(&app, "ada", "revokeInvitation", &invited[0]).await.data();
    change(&app, "ada", "resendInvitation", &invited[1]).await.data();
    run(&app, "ada", "deleteTenant", json!({"id": world.globex.id.to_string()})).await.data();
    let bearer = token_of(&app, "other", "mallory+2@example.org");
    let query = super::document("acceptInvitation", "membership { role }");
    let input = json!({"input": {"token": invited[2]["token"]}});
    app.query_with_variables(&bearer, &query, input).await.data();
    let good = invited[3]["token"].as_str().expect("a token");
    for n in [0, 1, 2, 4] {
        tokens.push(invited[n]["token"].as_str().expect("a token").to_owned());
    }
    let flip = |at: usize| {
        let other = if &good[at..=at] == "A" { "B" } else { "A" };
        format!("{}{other}{}", &good[..at], &good[at + 1..])
    };
    tokens.extend([flip(0), flip(15), flip(16), flip(30), String::new(), "x".repeat(59)]);
    tokens.extend([good[1..].to_owned(), format!("{good}="), "\u{1f98a}".repeat(20)]);
    let mut answers = Vec::new();
    for token in &tokens {
        let token = json!({ "token": token });
        let reply = run(&app, "mallory", "acceptInvitation", token.clone()).await;
        let unprovisioned = run(&app, "newcomer", "acceptInvitation", token).await;
        assert_eq!(unprovisioned.codes(), ["NOT_FOUND"]);
        answers.push((without_request_id(&reply), reply.status, reply.reads, reply.writes));
    }
    app.clock.advance(7 * 86_400);
    let token = json!({ "token": good });
    let reply = run(&app, "mallory", "acceptInvitation", token).await;
    answers.push((without_request_id(&reply), reply.status, reply.reads, reply.writes));
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:#?}");
    assert!(answers[0].0.contains("NOT_FOUND"), "{answers:?}");
    assert_eq!(app.stored_user("newcomer").await, None, "a failed acceptance makes no user");
}

/// Returns the text of a response with one error.
fn without_request_id(reply: &Reply) -> String {
    let mut response = reply.json.clone();
    response["errors"][0]["extensions"]["requestId"].take();
    response["extensions"]["requestId"].take();
    response.to_string()
}

async fn address_of_the_token_must_be_the_invited_one(app: App) {
    let world = World::new(&app).await;
    let invited = invite(&app, "bob", world.acme.id, "kim@bücher.example", "MEMBER").await;
    let query = super::document("acceptInvitation", "membership { role }");
    let input = json!({"input": {"token": invited["token"]}});
    for email in [
        "",
        "kim",
        "kim@example.org",
        "\u{212a}im@bücher.example",
        "k\u{131}m@bücher.example",
        "kim@bucher.example",
        "kim+1@bücher.example",
        "kim@bücher.example.org",
    ] {
        let bearer = token_of(&app, "kim", email);
        let reply = app.query_with_variables(&bearer, &query, input.clone()).await;
        assert_eq!((reply.codes(), reply.writes), (vec!["FORBIDDEN"], 0), "{email}");
        assert_eq!(app.stored_user("kim").await, None);
    }
    let now = app.clock.now().seconds();
    let bearer = app.issuer.token().subject("kim").issued_at(now).expires_at(now + 60).sign();
    let reply = app.query_with_variables(&bearer, &query, input.clone()).await;
    assert_eq!(reply.codes(), ["FORBIDDEN"], "a token without an address");
    let bearer = token_of(&app, "kim", "KIM@XN--BCHER-KVA.Example");
    app.query_with_variables(&bearer, &query, input).await.data();
    assert!(app.stored_user("kim").await.is_some());
}

async fn caller_without_rights_is_rejected_first(app: App) {
    let world = World::new(&app).await;
    let invited = invite(&app, "ada", world.acme.id, "mallory@example.org", "MEMBER").await;
    app.edit_user("mallory", |user| user.disabled = true).await;
    let token = invited["token"].as_str().expect("a token");
    for token in [token, "x"] {
        let reply = run(&app, "mallory", "acceptInvitation", json!({ "token": token })).await;
        assert_eq!((reply.codes(), reply.reads), (vec!["USER_DISABLED"], 1));
        assert_eq!(preview(&app, "mallory", token).await.codes(), ["USER_DISABLED"]);
        let query = format!(
            "mutation {{ acceptInvitation(input: {{token: \"{token}\"}}) {{ __typename }} }}"
        );
        let reply = app.query_anonymous(&query).await;
        assert_eq!((reply.codes(), reply.reads), (vec!["UNAUTHENTICATED"], 0));
    }
    // A token from before the deletion of its user does not create the user again.
    run(&app, "ada", "deleteUser", json!({"id": world.mallory.to_string()})).await.data();
    for _ in 0..2 {
        let reply = accept(&app, "mallory", &invited).await;
        assert_eq!(reply.codes(), ["USER_NOT_PROVISIONED"]);
        assert_eq!(preview(&app, "mallory", token).await.codes(), ["USER_NOT_PROVISIONED"]);
    }
    app.clock.advance(61);
    accept(&app, "mallory", &invited).await.data();
}

async fn inviter_must_still_have_the_right(app: App) {
    let world = World::new(&app).await;
    let offers =
        [("MEMBER", "m@example.org"), ("ADMIN", "a@example.org"), ("OWNER", "o@example.org")];
    let mut invited = Vec::new();
    for (role, email) in offers {
        invited.push(invite(&app, "bob", world.acme.id, email, role).await);
    }
    let subjects = ["m", "a", "o"];
    let role = |role: TenantRole| {
        move |user: &mut tenantry::domain::user::User| {
            user.memberships[0].role = role;
        }
    };
    app.edit_user("bob", role(TenantRole::Member)).await;
    for (subject, invited) in subjects.iter().zip(&invited) {
        assert_eq!(accept(&app, subject, invited).await.codes(), ["NOT_FOUND"], "{subject}");
    }
    app.edit_user("bob", role(TenantRole::Admin)).await;
    assert_eq!(accept(&app, "o", &invited[2]).await.codes(), ["NOT_FOUND"]);
    app.edit_user("bob", |user| user.disabled = true).await;
    assert_eq!(accept(&app, "m", &invited[0]).await.codes(), ["NOT_FOUND"]);
    // The right counts at the moment of the acceptance, so it may come back.
    app.edit_user("bob", |user| user.disabled = false).await;
    accept(&app, "m", &invited[0]).await.data();
    let bob = app.stored_user("bob").await.expect("stored");
    let delete = Change::DeleteUser { id: bob.id, expected: (&bob).into() };
    app.store.commit(&[delete]).await.expect("deleted");
    assert_eq!(accept(&app, "a", &invited[1]).await.codes(), ["NOT_FOUND"]);
}

async fn suspended_tenant_gets_no_members(app: App) {
    let world = World::new(&app).await;
    // A platform admin may invite into a suspended tenant, its owner may not.
    let input = json!({"tenantId": world.initech.id.to_string(), "email": "n@example.org"});
    let reply = run(&app, "bob", "inviteTenantMember", input).await;
    assert_eq!(reply.codes(), ["TENANT_SUSPENDED"]);
    let invited = invite(&app, "ada", world.initech.id, "n@example.org", "MEMBER").await;
    let token = invited["token"].as_str().expect("a token");
    for status in [TenantStatus::Suspended, TenantStatus::Archived] {
        let status = status.as_str().to_uppercase();
        let input = json!({"id": world.initech.id.to_string(), "status": status});
        run(&app, "ada", "updateTenant", input).await.data();
        assert_eq!(accept(&app, "n", &invited).await.codes(), ["TENANT_SUSPENDED"]);
        assert_eq!(preview(&app, "n", token).await.data()["invitation"], json!(null));
        // Another person does not learn this.
        assert_eq!(accept(&app, "mallory", &invited).await.codes(), ["FORBIDDEN"]);
    }
    let input = json!({"id": world.initech.id.to_string(), "status": "ACTIVE"});
    run(&app, "ada", "updateTenant", input).await.data();
    accept(&app, "n", &invited).await.data();
}

async fn groups_are_applied_by_the_next_me_only(app: App) {
    let world = World::new(&app).await;
    let invited = invite(&app, "bob", world.acme.id, "new@example.org", "MEMBER").await;
    let now = app.clock.now().seconds();
    let bearer = app.issuer.token().subject("new").claim("email", json!("new@example.org"));
    let bearer = bearer.groups(["platform-admins", "tenant:globex:owner"]);
    let bearer = bearer.issued_at(now).expires_at(now + 60).sign();
    let query = super::document("acceptInvitation", "membership { user { platformAdmin } }");
    let input = json!({"input": {"token": invited["token"]}});
    let reply = app.query_with_variables(&bearer, &query, input).await;
    assert_eq!(reply.data()["x"]["membership"]["user"]["platformAdmin"], false);
    assert_eq!(app.stored_user("new").await.map(|user| user.memberships.len()), Some(1));
    let me = "{ me { platformAdmin memberships { tenant { slug } source } } }";
    let reply = app.query_with_variables(&bearer, me, json!({})).await;
    assert_eq!(
        reply.data()["me"],
        json!({"platformAdmin": true, "memberships": [
            {"tenant": {"slug": "acme"}, "source": "DIRECT"},
            {"tenant": {"slug": "globex"}, "source": "GROUP"}]})
    );
}

async fn wrong_tokens_are_charged_like_wrong_credentials(app: App) {
    drop(app);
    for backend in [Backend::Sqlite, Backend::Mongo] {
        let app = App::with(backend, Setup { rate: Some(1_000), ..Setup::default() }).await;
        World::new(&app).await;
        // Each of them costs its complexity and the penalty of 99.
        let mut passed = 0;
        while preview(&app, "mallory", "x").await.status == 200 {
            passed += 1;
            assert!(passed < 20, "wrong tokens are not limited");
        }
        assert!(passed >= 8, "{passed}");
        // Other callers are not affected.
        assert_eq!(preview(&app, "carol", "x").await.status, 200);
        let token = json!({"token": "x".repeat(59)});
        let mut accepted = 0;
        while run(&app, "bob", "acceptInvitation", token.clone()).await.status == 200 {
            accepted += 1;
            assert!(accepted < 20, "wrong tokens are not limited");
        }
        assert!(accepted >= 3, "{accepted}");
    }
}

/// If the operator requires it, the provider must have verified the address.
#[tokio::test]
async fn address_can_be_required_to_be_verified() {
    let setup = Setup { requires_verified_email: true, ..Setup::default() };
    let app = App::with(Backend::Sqlite, setup).await;
    let world = World::new(&app).await;
    let invited = invite(&app, "bob", world.acme.id, "new@example.org", "MEMBER").await;
    let now = app.clock.now().seconds();
    let bearer = |verified| {
        let token = app.issuer.token().subject("new").claim("email", json!("new@example.org"));
        let token = token.claim("email_verified", verified);
        token.issued_at(now).expires_at(now + 60).sign()
    };
    let query = super::document("acceptInvitation", "membership { role }");
    let input = json!({"input": {"token": invited["token"]}});
    for verified in [json!(null), json!(false), json!("true"), json!(1)] {
        let reply = app.query_with_variables(&bearer(verified), &query, input.clone()).await;
        assert_eq!(error(&reply), json!({"code": "FORBIDDEN"}));
    }
    app.query_with_variables(&bearer(json!(true)), &query, input).await.data();
}
