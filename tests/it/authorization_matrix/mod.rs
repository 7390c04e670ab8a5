//! Tests the authorization matrix: one [`table`] of what each kind of caller may see and do.
//!
//! Every row runs against both stores. The table is printed in `docs/AUTHORIZATION.md`. It is
//! complete: a test fails if the schema has an element that the table does not name.

mod fixture;
mod guards;
mod identifiers;
mod live;
mod order;
mod print;
mod reads;
mod schema;
mod table;
mod writes;

use axum::body::Body;
use serde_json::{Value, json};
use tenantry::clock::Clock;

use crate::support::app::{App, Reply};
use fixture::Fixture;
use table::Caller;

/// Sends a request as one of a fixture's callers, with the given request id.
async fn send_as(
    app: &App,
    fixture: &Fixture,
    caller: Caller,
    request_id: &str,
    document: &str,
    variables: Value,
) -> Reply {
    let mut request = axum::http::Request::post("/graphql")
        .header("content-type", "application/json")
        .header("x-request-id", request_id);
    if caller != Caller::Anonymous {
        // Only `me` may read the groups of a token. Every other request claims a platform admin's
        // group, which must have no effect.
        let groups = if document.starts_with("{ me ") { &[][..] } else { &["platform-admins"] };
        let subject = format!("{}-{}", fixture::subject_prefix(caller), fixture.number);
        let now = app.clock.now().seconds();
        let token = app.issuer.token().subject(&subject).groups(groups.iter().copied());
        let token = token.claim("email", json!(format!("{subject}@example.org")));
        let token = token.issued_at(now).expires_at(now + 3600).sign();
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let body = json!({"query": document, "variables": variables}).to_string();
    app.send(request.body(Body::from(body)).expect("a valid request")).await
}

/// Returns a document with a single mutation, aliased as `x`, that takes its input from a variable.
fn mutation_document(name: &str, fields: &str) -> String {
    let input = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
    format!("mutation($input: {input}!) {{ x: {name}(input: $input) {{ {fields} }} }}")
}

/// Returns the store reads of a request that fails with `code`, if they are the same for every
/// request.
fn expected_reads(code: &str) -> Option<u32> {
    match code {
        "UNAUTHENTICATED" => Some(0),
        "USER_NOT_PROVISIONED" | "USER_DISABLED" => Some(1),
        _ => None,
    }
}
