//! Tests invitations through the router, on both stores.
//!
//! `rules` has what each mutation changes and rejects, `acceptance` the way of the invited person,
//! `races` requests that compete, and `repeats` acceptances with an `Idempotency-Key`.

mod acceptance;
mod races;
mod repeats;
mod rules;

use axum::{body::Body, http::Request};
use serde_json::{Value, json};
use tenantry::clock::Clock;

use crate::support::app::{App, Reply};

/// The fields of an invitation that most tests select.
const INVITATION: &str = "invitation { id email role status mail version expiresAt }";

/// Returns a token of the subject with this e-mail address.
pub(crate) fn token_of(app: &App, subject: &str, email: &str) -> String {
    let now = app.clock.now().seconds();
    let token = app.issuer.token().subject(subject).claim("email", json!(email));
    token.issued_at(now).expires_at(now + 3600).without("groups").sign()
}

/// Returns a document with a single mutation, aliased as `x`, that takes its input from a variable.
fn document(name: &str, fields: &str) -> String {
    let input = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
    format!("mutation($input: {input}!) {{ x: {name}(input: $input) {{ {fields} }} }}")
}

/// Runs a mutation as this subject, whose token has the address `<subject>@example.org`.
async fn run(app: &App, subject: &str, name: &str, input: Value) -> Reply {
    let token = token_of(app, subject, &format!("{subject}@example.org"));
    let fields = match name {
        "acceptInvitation" => {
            "membership { role source tenant { slug } user { id name email } }".to_owned()
        }
        "revokeInvitation" => INVITATION.to_owned(),
        "inviteTenantMember" | "resendInvitation" => format!("{INVITATION} token acceptUrl"),
        _ => "__typename".to_owned(),
    };
    app.query_with_variables(&token, &document(name, &fields), json!({ "input": input })).await
}

/// Invites an address to a tenant, and returns the payload.
pub(crate) async fn invite(
    app: &App,
    subject: &str,
    tenant: impl ToString,
    email: &str,
    role: &str,
) -> Value {
    let input = json!({"tenantId": tenant.to_string(), "email": email, "role": role});
    run(app, subject, "inviteTenantMember", input).await.data()["x"].clone()
}

/// Accepts an invitation as this subject.
pub(crate) async fn accept(app: &App, subject: &str, invited: &Value) -> Reply {
    run(app, subject, "acceptInvitation", json!({"token": invited["token"]})).await
}

/// Renews or revokes an invitation as this subject.
async fn change(app: &App, subject: &str, name: &str, invited: &Value) -> Reply {
    run(app, subject, name, json!({"id": invited["invitation"]["id"]})).await
}

/// Returns the preview of an invitation as this subject.
async fn preview(app: &App, subject: &str, token: &str) -> Reply {
    let bearer = token_of(app, subject, &format!("{subject}@example.org"));
    let query =
        "query($token: String!) { invitation(token: $token) { tenantName role email expiresAt } }";
    app.query_with_variables(&bearer, query, json!({ "token": token })).await
}

/// Sends a mutation with an `Idempotency-Key`.
async fn run_with_key(app: &App, subject: &str, key: &str, name: &str, input: Value) -> Reply {
    let token = token_of(app, subject, &format!("{subject}@example.org"));
    let fields = match name {
        "acceptInvitation" => "membership { role }",
        _ => "invitation { id version } token acceptUrl",
    };
    let body = json!({"query": document(name, fields), "variables": {"input": input}});
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("idempotency-key", key)
        .header("authorization", format!("Bearer {token}"));
    app.send(request.body(Body::from(body.to_string())).expect("a request")).await
}

/// Returns the extensions of the only error, without the request id.
fn error(reply: &Reply) -> Value {
    assert_eq!(reply.codes().len(), 1, "{}", reply.body);
    let mut extensions = reply.json["errors"][0]["extensions"].clone();
    extensions.as_object_mut().expect("extensions").remove("requestId");
    extensions
}

/// Returns the actions of the audit log, oldest first.
async fn actions(app: &App) -> Vec<String> {
    let mut actions: Vec<_> = app.audit_log().await.into_iter().map(|event| event.action).collect();
    actions.reverse();
    actions
}
