//! Tests the order of checks.
//!
//! Each mutation has one or more sequences of steps. A sequence begins with an input that fails every
//! check. Each step fixes the check that failed before, so that the next check in the order of the
//! contract fails. The last step succeeds.
//!
//! `$OMIT` as a value removes the field from the input. `$ENDED` is an ended subscription of a tenant
//! that also has a live one.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tenantry::domain::{change::Change, subscription::TenantSubscriptionStatus};

use super::{
    fixture::{self, Fixture},
    mutation_document, send_as,
    table::{
        Caller::{
            self, Admin, Anonymous, Disabled, Member, Outsider, Owner, PlatformAdmin, Unprovisioned,
        },
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

/// The steps of callers without an enabled user, which are the same for every mutation.
const WITHOUT_VIEWER: [Step; 3] = [
    (Anonymous, Suspended, "{}", "UNAUTHENTICATED"),
    (Disabled, Suspended, "{}", "USER_DISABLED"),
    (Unprovisioned, Suspended, "{}", "USER_NOT_PROVISIONED"),
];

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

fn sequence(
    (name, fields): (&'static str, &'static str),
    input: &'static str,
    first: &[Step],
    last: &[Step],
) -> Sequence {
    Sequence { name, fields, input, steps: [first, &WITHOUT_VIEWER, last].concat() }
}

#[rustfmt::skip]
fn sequences() -> Vec<Sequence> {
    vec![
        sequence(
            ("createTenant", "tenant { id }"),
            r#"{"slug": "-", "name": "", "domains": ["$SLUG.example"]}"#,
            &[],
            &[
                (Outsider, Suspended, "{}", "FORBIDDEN"),
                (Owner, Suspended, "{}", "FORBIDDEN"),
                (PlatformAdmin, Suspended, "{}", "BAD_USER_INPUT input.slug input.name"),
                (PlatformAdmin, Suspended, r#"{"slug": "new-$N"}"#, "BAD_USER_INPUT input.name"),
                (PlatformAdmin, Suspended, r#"{"name": "New"}"#, "CONFLICT domains"),
                (PlatformAdmin, Suspended, r#"{"domains": []}"#, "✓"),
            ],
        ),
        sequence(
            ("updateTenant", "tenant { id }"),
            r#"{"id": "x", "version": 99, "name": "", "slug": "-", "domains": ["hidden.example"]}"#,
            &[
                (Anonymous, Suspended, "{}", "BAD_USER_INPUT input.id"),
                (Anonymous, Suspended, r#"{"id": "$TENANT"}"#, "UNAUTHENTICATED"),
            ],
            &[
                (Outsider, Suspended, "{}", "NOT_FOUND"),
                (Member, Suspended, "{}", "FORBIDDEN"),
                (Owner, Suspended, "{}", "FORBIDDEN"),
                (Owner, Suspended, r#"{"slug": null}"#, "FORBIDDEN"),
                (Owner, Suspended, r#"{"slug": "$OMIT"}"#, "TENANT_SUSPENDED"),
                (Owner, Active, "{}", "BAD_USER_INPUT input.name"),
                (Owner, Active, r#"{"name": "Changed"}"#, "STALE_VERSION 1"),
                (Owner, Active, r#"{"version": 1}"#, "CONFLICT domains"),
                (Owner, Active, r#"{"domains": []}"#, "✓"),
            ],
        ),
        sequence(
            ("updateTenant", "tenant { id }"),
            r#"{"id": "$NO_TENANT", "version": 99, "name": "", "slug": "-"}"#,
            &[],
            &[
                (PlatformAdmin, Default, "{}", "NOT_FOUND"),
                (PlatformAdmin, Default, r#"{"id": "$TENANT"}"#, "FORBIDDEN"),
                (PlatformAdmin, Suspended, "{}", "BAD_USER_INPUT input.slug input.name"),
                (PlatformAdmin, Suspended, r#"{"name": "Changed", "slug": "hidden"}"#, "STALE_VERSION 1"),
                (PlatformAdmin, Suspended, r#"{"version": 1}"#, "CONFLICT slug"),
                (PlatformAdmin, Suspended, r#"{"slug": "changed-$N"}"#, "✓"),
            ],
        ),
        sequence(
            ("deleteTenant", "deletedId"),
            r#"{"id": "x", "version": 99}"#,
            &[
                (Anonymous, Suspended, "{}", "BAD_USER_INPUT input.id"),
                (Anonymous, Suspended, r#"{"id": "$NO_TENANT"}"#, "UNAUTHENTICATED"),
            ],
            &[
                (Outsider, Suspended, "{}", "FORBIDDEN"),
                (Owner, Suspended, "{}", "FORBIDDEN"),
                (PlatformAdmin, Default, "{}", "NOT_FOUND"),
                (PlatformAdmin, Default, r#"{"id": "$TENANT"}"#, "FORBIDDEN"),
                (PlatformAdmin, Suspended, "{}", "STALE_VERSION 1"),
                (PlatformAdmin, Suspended, r#"{"version": 1}"#, "✓"),
            ],
        ),
        sequence(
            ("createUser", "user { id }"),
            r#"{"subject": "", "issuer": "https://other.example", "email": "invalid", "name": ""}"#,
            &[],
            &[
                (Outsider, Suspended, "{}", "FORBIDDEN"),
                (Owner, Suspended, "{}", "FORBIDDEN"),
                (PlatformAdmin, Suspended, "{}", "BAD_USER_INPUT input.subject input.issuer input.email input.name"),
                (PlatformAdmin, Suspended, r#"{"subject": "other-member-$N", "issuer": null, "email": "new@example.org", "name": "New"}"#, "CONFLICT subject"),
                (PlatformAdmin, Suspended, r#"{"subject": "new-$N"}"#, "✓"),
            ],
        ),
        sequence(
            ("updateUser", "user { id }"),
            r#"{"id": "x", "version": 99, "email": "invalid", "name": ""}"#,
            &[
                (Anonymous, Suspended, "{}", "BAD_USER_INPUT input.id"),
                (Anonymous, Suspended, r#"{"id": "$NO_USER"}"#, "UNAUTHENTICATED"),
            ],
            &[
                (Outsider, Suspended, "{}", "FORBIDDEN"),
                (Owner, Suspended, "{}", "FORBIDDEN"),
                (PlatformAdmin, Suspended, "{}", "NOT_FOUND"),
                (PlatformAdmin, Suspended, r#"{"id": "$MEMBER"}"#, "BAD_USER_INPUT input.email input.name"),
                (PlatformAdmin, Suspended, r#"{"email": "new@example.org", "name": "Changed"}"#, "STALE_VERSION 1"),
                (PlatformAdmin, Suspended, r#"{"version": 1}"#, "✓"),
            ],
        ),
        sequence(
            ("deleteUser", "deletedId"),
            r#"{"id": "x", "version": 99}"#,
            &[
                (Anonymous, Suspended, "{}", "BAD_USER_INPUT input.id"),
                (Anonymous, Suspended, r#"{"id": "$NO_USER"}"#, "UNAUTHENTICATED"),
            ],
            &[
                (Outsider, Suspended, "{}", "FORBIDDEN"),
                (Owner, Suspended, "{}", "FORBIDDEN"),
                (PlatformAdmin, Suspended, "{}", "NOT_FOUND"),
                (PlatformAdmin, Suspended, r#"{"id": "$MEMBER"}"#, "STALE_VERSION 1"),
                (PlatformAdmin, Suspended, r#"{"version": 1}"#, "✓"),
            ],
        ),
        sequence(
            ("createSubscription", "subscription { id }"),
            r#"{"tenantId": "x", "plan": "FREE", "currentPeriodStart": "2026-02-01T00:00:00Z", "currentPeriodEnd": "2026-01-01T00:00:00Z"}"#,
            &[
                (Anonymous, Suspended, "{}", "BAD_USER_INPUT input.tenantId"),
                (Anonymous, Suspended, r#"{"tenantId": "$NO_TENANT"}"#, "UNAUTHENTICATED"),
            ],
            &[
                (Outsider, Suspended, "{}", "FORBIDDEN"),
                (Owner, Suspended, "{}", "FORBIDDEN"),
                (PlatformAdmin, Suspended, "{}", "NOT_FOUND"),
                (PlatformAdmin, Suspended, r#"{"tenantId": "$TENANT"}"#, "BAD_USER_INPUT input.currentPeriodEnd"),
                (PlatformAdmin, Suspended, r#"{"currentPeriodEnd": "2026-03-01T00:00:00Z"}"#, "CONFLICT tenantId"),
                (PlatformAdmin, Suspended, r#"{"status": "CANCELED"}"#, "✓"),
            ],
        ),
        sequence(
            ("updateSubscription", "subscription { id }"),
            r#"{"id": "x", "version": 99, "currentPeriodStart": "2026-02-01T00:00:00Z", "currentPeriodEnd": "2026-01-01T00:00:00Z"}"#,
            &[
                (Anonymous, Suspended, "{}", "BAD_USER_INPUT input.id"),
                (Anonymous, Suspended, r#"{"id": "$NO_SUBSCRIPTION"}"#, "UNAUTHENTICATED"),
            ],
            &[
                (Outsider, Suspended, "{}", "FORBIDDEN"),
                (Owner, Suspended, "{}", "FORBIDDEN"),
                (PlatformAdmin, Suspended, "{}", "NOT_FOUND"),
                (PlatformAdmin, Suspended, r#"{"id": "$SUBSCRIPTION"}"#, "BAD_USER_INPUT input.currentPeriodEnd"),
                (PlatformAdmin, Suspended, r#"{"currentPeriodEnd": "2026-03-01T00:00:00Z"}"#, "STALE_VERSION 1"),
                (PlatformAdmin, Suspended, r#"{"version": 1}"#, "✓"),
            ],
        ),
        sequence(
            ("updateSubscription", "subscription { id }"),
            r#"{"id": "$ENDED", "version": 99, "status": "ACTIVE"}"#,
            &[],
            &[
                (PlatformAdmin, Suspended, "{}", "STALE_VERSION 1"),
                (PlatformAdmin, Suspended, r#"{"version": 1}"#, "CONFLICT tenantId"),
                (PlatformAdmin, Suspended, r#"{"status": "INCOMPLETE_EXPIRED"}"#, "✓"),
            ],
        ),
        sequence(
            ("deleteSubscription", "deletedId"),
            r#"{"id": "x", "version": 99}"#,
            &[
                (Anonymous, Suspended, "{}", "BAD_USER_INPUT input.id"),
                (Anonymous, Suspended, r#"{"id": "$NO_SUBSCRIPTION"}"#, "UNAUTHENTICATED"),
            ],
            &[
                (Outsider, Suspended, "{}", "FORBIDDEN"),
                (Owner, Suspended, "{}", "FORBIDDEN"),
                (PlatformAdmin, Suspended, "{}", "NOT_FOUND"),
                (PlatformAdmin, Suspended, r#"{"id": "$SUBSCRIPTION"}"#, "STALE_VERSION 1"),
                (PlatformAdmin, Suspended, r#"{"version": 1}"#, "✓"),
            ],
        ),
        sequence(
            ("addTenantMember", "membership { role }"),
            r#"{"tenantId": "x", "userId": "y", "role": "OWNER"}"#,
            &[
                (Anonymous, Suspended, "{}", "BAD_USER_INPUT input.tenantId input.userId"),
                (Anonymous, Suspended, r#"{"tenantId": "$TENANT"}"#, "BAD_USER_INPUT input.userId"),
                (Anonymous, Suspended, r#"{"userId": "$NO_USER"}"#, "UNAUTHENTICATED"),
            ],
            &[
                (Outsider, Suspended, "{}", "NOT_FOUND"),
                (Member, Suspended, "{}", "FORBIDDEN"),
                (Admin, Suspended, "{}", "FORBIDDEN"),
                (Admin, Suspended, r#"{"role": "ADMIN"}"#, "NOT_FOUND"),
                (Admin, Suspended, r#"{"userId": "$MEMBER"}"#, "TENANT_SUSPENDED"),
                (Admin, Active, "{}", "CONFLICT userId"),
                (Admin, Active, r#"{"userId": "$PEER"}"#, "✓"),
            ],
        ),
        sequence(
            ("updateTenantMember", "membership { role }"),
            r#"{"tenantId": "x", "userId": "y", "role": "OWNER"}"#,
            &[
                (Anonymous, Suspended, "{}", "BAD_USER_INPUT input.tenantId input.userId"),
                (Anonymous, Suspended, r#"{"tenantId": "$TENANT"}"#, "BAD_USER_INPUT input.userId"),
                (Anonymous, Suspended, r#"{"userId": "$NO_USER"}"#, "UNAUTHENTICATED"),
            ],
            &[
                (Outsider, Suspended, "{}", "NOT_FOUND"),
                (Member, Suspended, "{}", "FORBIDDEN"),
                (Admin, Suspended, "{}", "FORBIDDEN"),
                (Admin, Suspended, r#"{"role": "ADMIN"}"#, "NOT_FOUND"),
                (Admin, Suspended, r#"{"userId": "$OWNER"}"#, "FORBIDDEN"),
                (Owner, Suspended, r#"{"userId": "$CALLER"}"#, "TENANT_SUSPENDED"),
                (Owner, NoOtherOwner, "{}", "CONFLICT userId"),
                (Owner, Active, "{}", "✓"),
            ],
        ),
        sequence(
            ("removeTenantMember", "removedUserId"),
            r#"{"tenantId": "x", "userId": "y"}"#,
            &[
                (Anonymous, Suspended, "{}", "BAD_USER_INPUT input.tenantId input.userId"),
                (Anonymous, Suspended, r#"{"tenantId": "$TENANT"}"#, "BAD_USER_INPUT input.userId"),
                (Anonymous, Suspended, r#"{"userId": "$NO_USER"}"#, "UNAUTHENTICATED"),
            ],
            &[
                (Outsider, Suspended, "{}", "NOT_FOUND"),
                (Member, Suspended, "{}", "FORBIDDEN"),
                (Admin, Suspended, "{}", "NOT_FOUND"),
                (Admin, Suspended, r#"{"userId": "$OWNER"}"#, "FORBIDDEN"),
                (Owner, Suspended, "{}", "TENANT_SUSPENDED"),
                (Owner, NoOtherOwner, r#"{"userId": "$CALLER"}"#, "CONFLICT userId"),
                (Owner, Suspended, "{}", "✓"),
            ],
        ),
    ]
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
    for (n, sequence) in (0..).zip(sequences()) {
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
            super::table::Request::Read { .. } => None,
        })
        .collect();
    assert_eq!(mutations, all, "every mutation has a sequence");
}
