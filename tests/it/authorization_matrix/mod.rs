//! The authorization matrix: who may see and do what, as one table ([`table`]) that is run whole
//! against both stores, printed in `docs/AUTHORIZATION.md`, and complete: what the schema has and the
//! table does not name fails a test.

mod identifiers;
mod order;
mod print;
mod reads;
mod schema;
mod table;
mod world;
mod writes;

use axum::body::Body;
use serde_json::{Value, json};

use crate::support::app::{App, Reply};
use table::Caller;
use world::Cell;

/// Asks as one of a world's callers, under that request's identifier.
async fn ask(
    app: &App,
    cell: &Cell,
    caller: Caller,
    request_id: &str,
    document: &str,
    variables: Value,
) -> Reply {
    let mut request = axum::http::Request::post("/graphql")
        .header("content-type", "application/json")
        .header("x-request-id", request_id);
    if caller != Caller::Anonymous {
        // A token says who and no more: these groups count for `me` alone.
        let groups = if document.starts_with("{ me ") { &[][..] } else { &["platform-admins"] };
        let subject = format!("{}-{}", world::word(caller), cell.n);
        let token = app.token(&subject, groups.iter().copied());
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let body = json!({"query": document, "variables": variables}).to_string();
    app.send(request.body(Body::from(body)).expect("a request")).await
}

/// A document with one mutation, as `x`, its input in a variable.
fn mutation(name: &str, fields: &str) -> String {
    let input = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
    format!("mutation($input: {input}!) {{ x: {name}(input: $input) {{ {fields} }} }}")
}

/// How many reads of the store such a refusal costs, where that does not depend on what was asked.
fn reads_of(code: &str) -> Option<u32> {
    match code {
        "UNAUTHENTICATED" => Some(0),
        "USER_NOT_PROVISIONED" | "USER_DISABLED" => Some(1),
        _ => None,
    }
}
