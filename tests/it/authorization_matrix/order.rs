//! The order of checks. For each mutation a ladder: it begins with everything wrong, and each step
//! mends the one thing that was the answer before, so that the next wrong in the contract's order is
//! the answer, until nothing is wrong. `$LEFT_OUT` takes a field out of the input, and `$OVER` is a
//! subscription that is over, of a tenant that has another one.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tenantry::domain::{change::Change, subscription::TenantSubscriptionStatus};

use super::{
    ask, mutation,
    table::{
        Caller::{self, Admin, Anonymous, Disabled, Member, Newcomer, Outsider, Owner, Platform},
        Place::{self, Active, Default, Ownerless, Suspended},
    },
    world::{self, Cell},
};
use crate::support::{
    app::{App, Reply, on_both_stores},
    world as things,
};

on_both_stores! {
    the_first_wrong_is_the_answer,
}

/// Who asks, about which tenant, what of the input is mended, and what the answer is.
type Step = (Caller, Place, &'static str, &'static str);

/// What is not there or not well for everybody alike.
const NOBODY: [Step; 3] = [
    (Anonymous, Suspended, "{}", "UNAUTHENTICATED"),
    (Disabled, Suspended, "{}", "USER_DISABLED"),
    (Newcomer, Suspended, "{}", "USER_NOT_PROVISIONED"),
];

/// A mutation, the fields of its payload, the input where all is wrong, and the steps.
struct Ladder {
    name: &'static str,
    fields: &'static str,
    input: &'static str,
    steps: Vec<Step>,
}

fn ladder(
    (name, fields): (&'static str, &'static str),
    input: &'static str,
    first: &[Step],
    then: &[Step],
) -> Ladder {
    Ladder { name, fields, input, steps: [first, &NOBODY, then].concat() }
}

#[rustfmt::skip]
fn ladders() -> Vec<Ladder> {
    vec![
        ladder(
            ("createTenant", "tenant { id }"),
            r#"{"slug": "-", "name": "", "domains": ["$SLUG.example"]}"#,
            &[],
            &[
                (Outsider, Suspended, "{}", "FORBIDDEN"),
                (Owner, Suspended, "{}", "FORBIDDEN"),
                (Platform, Suspended, "{}", "BAD_USER_INPUT input.slug input.name"),
                (Platform, Suspended, r#"{"slug": "new-$N"}"#, "BAD_USER_INPUT input.name"),
                (Platform, Suspended, r#"{"name": "New"}"#, "CONFLICT domains"),
                (Platform, Suspended, r#"{"domains": []}"#, "✓"),
            ],
        ),
        ladder(
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
                (Owner, Suspended, r#"{"slug": "$LEFT_OUT"}"#, "TENANT_SUSPENDED"),
                (Owner, Active, "{}", "BAD_USER_INPUT input.name"),
                (Owner, Active, r#"{"name": "Changed"}"#, "STALE_VERSION 1"),
                (Owner, Active, r#"{"version": 1}"#, "CONFLICT domains"),
                (Owner, Active, r#"{"domains": []}"#, "✓"),
            ],
        ),
        ladder(
            ("updateTenant", "tenant { id }"),
            r#"{"id": "$NO_TENANT", "version": 99, "name": "", "slug": "-"}"#,
            &[],
            &[
                (Platform, Default, "{}", "NOT_FOUND"),
                (Platform, Default, r#"{"id": "$TENANT"}"#, "FORBIDDEN"),
                (Platform, Suspended, "{}", "BAD_USER_INPUT input.slug input.name"),
                (Platform, Suspended, r#"{"name": "Changed", "slug": "hidden"}"#, "STALE_VERSION 1"),
                (Platform, Suspended, r#"{"version": 1}"#, "CONFLICT slug"),
                (Platform, Suspended, r#"{"slug": "changed-$N"}"#, "✓"),
            ],
        ),
        ladder(
            ("deleteTenant", "deletedId"),
            r#"{"id": "x", "version": 99}"#,
            &[
                (Anonymous, Suspended, "{}", "BAD_USER_INPUT input.id"),
                (Anonymous, Suspended, r#"{"id": "$NO_TENANT"}"#, "UNAUTHENTICATED"),
            ],
            &[
                (Outsider, Suspended, "{}", "FORBIDDEN"),
                (Owner, Suspended, "{}", "FORBIDDEN"),
                (Platform, Default, "{}", "NOT_FOUND"),
                (Platform, Default, r#"{"id": "$TENANT"}"#, "FORBIDDEN"),
                (Platform, Suspended, "{}", "STALE_VERSION 1"),
                (Platform, Suspended, r#"{"version": 1}"#, "✓"),
            ],
        ),
        ladder(
            ("createUser", "user { id }"),
            r#"{"subject": "", "issuer": "https://other.example", "email": "nobody", "name": ""}"#,
            &[],
            &[
                (Outsider, Suspended, "{}", "FORBIDDEN"),
                (Owner, Suspended, "{}", "FORBIDDEN"),
                (Platform, Suspended, "{}", "BAD_USER_INPUT input.subject input.issuer input.email input.name"),
                (Platform, Suspended, r#"{"subject": "of-member-$N", "issuer": null, "email": "new@example.org", "name": "New"}"#, "CONFLICT subject"),
                (Platform, Suspended, r#"{"subject": "new-$N"}"#, "✓"),
            ],
        ),
        ladder(
            ("updateUser", "user { id }"),
            r#"{"id": "x", "version": 99, "email": "nobody", "name": ""}"#,
            &[
                (Anonymous, Suspended, "{}", "BAD_USER_INPUT input.id"),
                (Anonymous, Suspended, r#"{"id": "$NO_USER"}"#, "UNAUTHENTICATED"),
            ],
            &[
                (Outsider, Suspended, "{}", "FORBIDDEN"),
                (Owner, Suspended, "{}", "FORBIDDEN"),
                (Platform, Suspended, "{}", "NOT_FOUND"),
                (Platform, Suspended, r#"{"id": "$MEMBER"}"#, "BAD_USER_INPUT input.email input.name"),
                (Platform, Suspended, r#"{"email": "new@example.org", "name": "Changed"}"#, "STALE_VERSION 1"),
                (Platform, Suspended, r#"{"version": 1}"#, "✓"),
            ],
        ),
        ladder(
            ("deleteUser", "deletedId"),
            r#"{"id": "x", "version": 99}"#,
            &[
                (Anonymous, Suspended, "{}", "BAD_USER_INPUT input.id"),
                (Anonymous, Suspended, r#"{"id": "$NO_USER"}"#, "UNAUTHENTICATED"),
            ],
            &[
                (Outsider, Suspended, "{}", "FORBIDDEN"),
                (Owner, Suspended, "{}", "FORBIDDEN"),
                (Platform, Suspended, "{}", "NOT_FOUND"),
                (Platform, Suspended, r#"{"id": "$MEMBER"}"#, "STALE_VERSION 1"),
                (Platform, Suspended, r#"{"version": 1}"#, "✓"),
            ],
        ),
        ladder(
            ("createSubscription", "subscription { id }"),
            r#"{"tenantId": "x", "plan": "FREE", "currentPeriodStart": "2026-02-01T00:00:00Z", "currentPeriodEnd": "2026-01-01T00:00:00Z"}"#,
            &[
                (Anonymous, Suspended, "{}", "BAD_USER_INPUT input.tenantId"),
                (Anonymous, Suspended, r#"{"tenantId": "$NO_TENANT"}"#, "UNAUTHENTICATED"),
            ],
            &[
                (Outsider, Suspended, "{}", "FORBIDDEN"),
                (Owner, Suspended, "{}", "FORBIDDEN"),
                (Platform, Suspended, "{}", "NOT_FOUND"),
                (Platform, Suspended, r#"{"tenantId": "$TENANT"}"#, "BAD_USER_INPUT input.currentPeriodEnd"),
                (Platform, Suspended, r#"{"currentPeriodEnd": "2026-03-01T00:00:00Z"}"#, "CONFLICT tenantId"),
                (Platform, Suspended, r#"{"status": "CANCELED"}"#, "✓"),
            ],
        ),
        ladder(
            ("updateSubscription", "subscription { id }"),
            r#"{"id": "x", "version": 99, "currentPeriodStart": "2026-02-01T00:00:00Z", "currentPeriodEnd": "2026-01-01T00:00:00Z"}"#,
            &[
                (Anonymous, Suspended, "{}", "BAD_USER_INPUT input.id"),
                (Anonymous, Suspended, r#"{"id": "$NO_SUBSCRIPTION"}"#, "UNAUTHENTICATED"),
            ],
            &[
                (Outsider, Suspended, "{}", "FORBIDDEN"),
                (Owner, Suspended, "{}", "FORBIDDEN"),
                (Platform, Suspended, "{}", "NOT_FOUND"),
                (Platform, Suspended, r#"{"id": "$SUBSCRIPTION"}"#, "BAD_USER_INPUT input.currentPeriodEnd"),
                (Platform, Suspended, r#"{"currentPeriodEnd": "2026-03-01T00:00:00Z"}"#, "STALE_VERSION 1"),
                (Platform, Suspended, r#"{"version": 1}"#, "✓"),
            ],
        ),
        ladder(
            ("updateSubscription", "subscription { id }"),
            r#"{"id": "$OVER", "version": 99, "status": "ACTIVE"}"#,
            &[],
            &[
                (Platform, Suspended, "{}", "STALE_VERSION 1"),
                (Platform, Suspended, r#"{"version": 1}"#, "CONFLICT tenantId"),
                (Platform, Suspended, r#"{"status": "INCOMPLETE_EXPIRED"}"#, "✓"),
            ],
        ),
        ladder(
            ("deleteSubscription", "deletedId"),
            r#"{"id": "x", "version": 99}"#,
            &[
                (Anonymous, Suspended, "{}", "BAD_USER_INPUT input.id"),
                (Anonymous, Suspended, r#"{"id": "$NO_SUBSCRIPTION"}"#, "UNAUTHENTICATED"),
            ],
            &[
                (Outsider, Suspended, "{}", "FORBIDDEN"),
                (Owner, Suspended, "{}", "FORBIDDEN"),
                (Platform, Suspended, "{}", "NOT_FOUND"),
                (Platform, Suspended, r#"{"id": "$SUBSCRIPTION"}"#, "STALE_VERSION 1"),
                (Platform, Suspended, r#"{"version": 1}"#, "✓"),
            ],
        ),
        ladder(
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
        ladder(
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
                (Owner, Ownerless, "{}", "CONFLICT userId"),
                (Owner, Active, "{}", "✓"),
            ],
        ),
        ladder(
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
                (Owner, Ownerless, r#"{"userId": "$CALLER"}"#, "CONFLICT userId"),
                (Owner, Suspended, "{}", "✓"),
            ],
        ),
    ]
}

/// The code, and what it says besides.
fn answer(reply: &Reply) -> String {
    let [code] = reply.codes()[..] else {
        return if reply.codes().is_empty() { "✓".to_owned() } else { reply.body.clone() };
    };
    let told = &reply.json["errors"][0]["extensions"];
    let fields = told["fields"].as_array().map_or(&[][..], Vec::as_slice);
    let paths = fields.iter().map(|fault| fault["path"].to_string().replace('"', ""));
    let besides = [&told["currentVersion"], &told["field"]].map(Value::to_string);
    let besides = besides.into_iter().filter(|t| t != "null").map(|told| told.replace('"', ""));
    let words: Vec<String> = std::iter::once(code.to_owned()).chain(paths).chain(besides).collect();
    words.join(" ")
}

/// Mends some fields of an input.
fn mend(input: &mut Value, fields: &str) {
    let fields: Value = serde_json::from_str(fields).expect("JSON");
    for (name, value) in fields.as_object().expect("fields") {
        if value == "$LEFT_OUT" {
            input.as_object_mut().expect("fields").remove(name);
        } else {
            input[name] = value.clone();
        }
    }
}

async fn the_first_wrong_is_the_answer(app: App) {
    app.store.commit(&world::shared()).await.expect("an empty store");
    let mut mutations = BTreeSet::new();
    for (n, ladder) in (0..).zip(ladders()) {
        let places = [Active, Suspended, Ownerless, Default];
        let cells =
            [0, 1, 2, 3].map(|k| Cell::new(&app, n * 4 + k, places[k as usize], &Caller::ALL));
        let mut changes: Vec<Change> = cells.iter().flat_map(Cell::changes).collect();
        let suspended = &cells[1];
        let over = TenantSubscriptionStatus::Canceled;
        let over = things::subscription(900_000 + n, &suspended.tenant, over);
        changes.push(Change::InsertSubscription(over.clone()));
        app.store.commit(&changes).await.expect("free");
        let mut input: Value = serde_json::from_str(ladder.input).expect("JSON");
        for (caller, place, mended, expected) in ladder.steps {
            mend(&mut input, mended);
            let cell = cells.iter().find(|cell| cell.place == place).expect("a world like that");
            let filled =
                cell.fill(caller, &input.to_string().replace("$OVER", &over.id.to_string()));
            let filled: Value = serde_json::from_str(&filled).expect("JSON");
            let document = mutation(ladder.name, ladder.fields);
            let variables = json!({ "input": filled });
            let reply = ask(&app, cell, caller, "step", &document, variables).await;
            let about = format!("{} {filled} for {}", ladder.name, caller.title());
            assert_eq!(answer(&reply), expected, "{about}");
            assert_eq!(reply.writes > 0, expected == "✓", "{about}");
        }
        mutations.insert(ladder.name);
    }
    let all: BTreeSet<&str> = super::table::rows()
        .iter()
        .filter_map(|row| match &row.ask {
            super::table::Ask::Write { operation, .. } => Some(operation.name),
            super::table::Ask::Read { .. } => None,
        })
        .collect();
    assert_eq!(mutations, all, "every mutation has a ladder");
}
