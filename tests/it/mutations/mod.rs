//! What mutations do, through the router on both stores: what they make, what they refuse and in
//! which order, what they leave alone, and what the history says afterwards.

mod concurrency;
mod field_merging;
mod idempotency;
mod members;
mod subscriptions;
mod tenants;
mod users;

use serde_json::{Value, json};

use crate::support::app::{App, Reply};

/// Runs one mutation as that subject, as `x`.
async fn run(app: &App, subject: &str, name: &str, input: Value, fields: &str) -> Reply {
    let token = app.token(subject, []);
    app.ask_with(&token, &document(name, fields), json!({ "input": input })).await
}

/// A document with that mutation alone, its input in a variable.
fn document(name: &str, fields: &str) -> String {
    let input = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
    format!("mutation($input: {input}!) {{ x: {name}(input: $input) {{ {fields} }} }}")
}

/// The paths of all faults of a `BAD_USER_INPUT`.
fn faults(reply: &Reply) -> Vec<&str> {
    assert_eq!(reply.codes(), ["BAD_USER_INPUT"], "{}", reply.body);
    let fields = reply.json["errors"][0]["extensions"]["fields"].as_array().expect("fields");
    fields.iter().map(|fault| fault["path"].as_str().expect("a path")).collect()
}

/// The extensions of the only error.
fn told(reply: &Reply) -> Value {
    assert_eq!(reply.codes().len(), 1, "{}", reply.body);
    let mut told = reply.json["errors"][0]["extensions"].clone();
    if let Some(told) = told.as_object_mut() {
        told.remove("requestId");
    }
    told
}

/// The newest event as `action`, actor's kind, and its changes by field.
async fn newest(app: &App) -> (String, String, Value) {
    let event = app.history().await.into_iter().next().expect("an event");
    let changes = event
        .changes
        .iter()
        .map(|change| (change.field.clone(), json!([change.from.clone(), change.to.clone()])));
    let kind = event.actor_kind.as_str().to_owned();
    (event.action, kind, Value::Object(changes.collect()))
}
