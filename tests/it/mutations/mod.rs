//! Tests the mutations through the router, on both stores.
//!
//! The tests check what a mutation changes and what it leaves unchanged, which requests it rejects
//! and in which order it checks, and what the audit log contains afterwards.

mod concurrency;
mod field_merging;
mod idempotency;
mod members;
mod removals;
mod subscriptions;
mod tenant_input;
mod tenants;
mod users;
mod versions;

use serde_json::{Value, json};

use crate::support::app::{App, Reply};

/// Runs one mutation, aliased as `x`, with a token of the given subject.
async fn run(app: &App, subject: &str, name: &str, input: Value, fields: &str) -> Reply {
    let token = app.token(subject, []);
    app.query_with_variables(&token, &document(name, fields), json!({ "input": input })).await
}

/// Returns a document with a single mutation, aliased as `x`, that takes its input from a variable.
fn document(name: &str, fields: &str) -> String {
    let input = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
    format!("mutation($input: {input}!) {{ x: {name}(input: $input) {{ {fields} }} }}")
}

/// Returns the paths of all input errors of a `BAD_USER_INPUT` error.
fn input_error_paths(reply: &Reply) -> Vec<&str> {
    assert_eq!(reply.codes(), ["BAD_USER_INPUT"], "{}", reply.body);
    let fields = reply.json["errors"][0]["extensions"]["fields"].as_array().expect("fields");
    fields.iter().map(|error| error["path"].as_str().expect("a path")).collect()
}

/// Returns the extensions of the only error, without the request id.
fn error_extensions(reply: &Reply) -> Value {
    assert_eq!(reply.codes().len(), 1, "{}", reply.body);
    let mut extensions = reply.json["errors"][0]["extensions"].clone();
    if let Some(fields) = extensions.as_object_mut() {
        fields.remove("requestId");
    }
    extensions
}

/// Returns the newest audit event: its action, the kind of its actor, and its changes by field.
async fn newest_event(app: &App) -> (String, String, Value) {
    let event = app.audit_log().await.into_iter().next().expect("an event");
    let changes = event
        .changes
        .iter()
        .map(|change| (change.field.clone(), json!([change.from.clone(), change.to.clone()])));
    let kind = event.actor_kind.as_str().to_owned();
    (event.action, kind, Value::Object(changes.collect()))
}
