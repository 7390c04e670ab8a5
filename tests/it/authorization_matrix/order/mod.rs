//! Tests the order of checks.
//!
//! Each mutation has one or more sequences of steps. A sequence begins with an input that fails every
//! check. Each step fixes the check that failed before, so that the next check in the order of the
//! contract fails. The last step succeeds.
//!
//! `$OMIT` as a value removes the field from the input. `$ENDED` is an ended subscription of a tenant
//! that also has a live one.

mod sequences;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tenantry::domain::{change::Change, subscription::TenantSubscriptionStatus};

use super::{
    fixture::{self, Fixture},
    mutation_document, send_as,
    table::{
        Caller,
        TenantKind::{self, Active, Default, NoOtherOwner, Suspended},
    },
};
use crate::support::{
    app::{App, Reply, on_both_stores},
    world,
};

on_both_stores! {
    first_failing_check_decides_the_error,
}

/// A step: the caller, the kind of tenant, the fields of the input to fix, and the expected result.
type Step = (Caller, TenantKind, &'static str, &'static str);

/// The steps of one mutation.
struct Sequence {
    /// The name of the mutation.
    name: &'static str,
    /// The fields of its payload to select.
    fields: &'static str,
    /// The initial input, which fails every check.
    input: &'static str,
    steps: Vec<Step>,
}

/// Returns the code of the only error with its details, or `✓` if there is no error.
fn summary(reply: &Reply) -> String {
    let [code] = reply.codes()[..] else {
        return if reply.codes().is_empty() { "✓".to_owned() } else { reply.body.clone() };
    };
    let extensions = &reply.json["errors"][0]["extensions"];
    let fields = extensions["fields"].as_array().map_or(&[][..], Vec::as_slice);
    let paths = fields.iter().map(|error| error["path"].to_string().replace('"', ""));
    let details = [&extensions["currentVersion"], &extensions["field"]].map(Value::to_string);
    let details = details.into_iter().filter(|text| text != "null");
    let details = details.map(|text| text.replace('"', ""));
    let words: Vec<String> = std::iter::once(code.to_owned()).chain(paths).chain(details).collect();
    words.join(" ")
}

/// Replaces some fields of an input.
fn replace_fields(input: &mut Value, fields: &str) {
    let fields: Value = serde_json::from_str(fields).expect("JSON");
    for (name, value) in fields.as_object().expect("fields") {
        if value == "$OMIT" {
            input.as_object_mut().expect("fields").remove(name);
        } else {
            input[name] = value.clone();
        }
    }
}

async fn first_failing_check_decides_the_error(app: App) {
    app.store.commit(&fixture::shared_changes()).await.expect("the store is empty");
    let mut mutations = BTreeSet::new();
    for (n, sequence) in (0..).zip(sequences::sequences()) {
        let kinds = [Active, Suspended, NoOtherOwner, Default];
        let fixtures =
            [0, 1, 2, 3].map(|k| Fixture::new(&app, n * 4 + k, kinds[k as usize], &Caller::ALL));
        let mut changes: Vec<Change> = fixtures.iter().flat_map(Fixture::changes).collect();
        let suspended = &fixtures[1];
        let canceled = TenantSubscriptionStatus::Canceled;
        let ended = world::subscription(900_000 + n, &suspended.tenant, canceled);
        changes.push(Change::InsertSubscription(ended.clone()));
        app.store.commit(&changes).await.expect("identifiers are unused");
        let mut input: Value = serde_json::from_str(sequence.input).expect("JSON");
        for (caller, tenant_kind, fixed, expected) in sequence.steps {
            replace_fields(&mut input, fixed);
            let fixture = fixtures
                .iter()
                .find(|fixture| fixture.tenant_kind == tenant_kind)
                .expect("a fixture with that kind of tenant");
            let filled =
                fixture.fill(caller, &input.to_string().replace("$ENDED", &ended.id.to_string()));
            let filled: Value = serde_json::from_str(&filled).expect("JSON");
            let document = mutation_document(sequence.name, sequence.fields);
            let variables = json!({ "input": filled });
            let reply = send_as(&app, fixture, caller, "step", &document, variables).await;
            let step = format!("{} {filled} for {}", sequence.name, caller.title());
            assert_eq!(summary(&reply), expected, "{step}");
            assert_eq!(reply.writes > 0, expected == "✓", "{step}");
        }
        mutations.insert(sequence.name);
    }
    let all: BTreeSet<&str> = super::table::rows()
        .iter()
        .filter_map(|row| match &row.request {
            super::table::Request::Write { operation, .. } => Some(operation.name),
            super::table::Request::Read { .. } | super::table::Request::Live { .. } => None,
        })
        .collect();
    assert_eq!(mutations, all, "every mutation has a sequence");
}
