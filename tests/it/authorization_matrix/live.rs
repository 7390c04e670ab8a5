//! Runs every live operation for every caller, and in it every field that a row of a query covers.
//!
//! An event must resolve like a query, so the outcomes of its fields are those of the queries.

use serde_json::json;
use tenantry::{
    domain::{change::Change, tenant::Tenant},
    graphql::LiveItem,
};

use super::{
    fixture::{self, Fixture},
    reads::outcome,
    table::{self, Caller, Outcome, Request, Row, TenantKind},
};
use crate::{
    live::Live,
    support::app::{App, Reply, on_both_stores, response_to_json},
};

on_both_stores! {
    live_operations_match_the_matrix_for_every_caller,
}

/// One live operation of one caller.
struct Case {
    name: String,
    caller: Caller,
    /// The selection of the subscription.
    document: String,
    pointer: String,
    contains: String,
    expected: &'static str,
}

/// The beginning of a query, and that of a live operation on the same object with the beginning of its
/// pointer.
const OPERATIONS: [(&str, &str, &str, &str); 4] = [
    (
        r#"tenant(slug: "$SLUG") {"#,
        r#"tenantChanged(id: "$TENANT") { tenant {"#,
        "/tenant",
        "/tenantChanged/tenant",
    ),
    (
        r#"tenant(slug: "$SLUG") {"#,
        "tenantsChanged { tenantId tenant {",
        "/tenant",
        "/tenantsChanged/tenant",
    ),
    (
        r#"subscription(id: "$SUBSCRIPTION") {"#,
        r#"subscriptionChanged(tenantId: "$TENANT") { subscription {"#,
        "/subscription",
        "/subscriptionChanged/subscription",
    ),
    (r#"user(id: "$CALLER") {"#, "meChanged {", "/user", "/meChanged"),
];

/// Returns the cases of a row.
fn cases(fixture: &Fixture, row: &Row) -> Vec<Case> {
    let requests: Vec<(String, String, &str)> = match &row.request {
        Request::Live { document, pointer, contains, .. } => {
            vec![((*document).to_owned(), (*pointer).to_owned(), *contains)]
        }
        Request::Read { covers, document, pointer, contains } => OPERATIONS
            .iter()
            .filter_map(|(query, live, of_query, of_live)| {
                let rest = document.strip_prefix(query)?;
                let closing = if live.matches('{').count() > 1 { " }" } else { "" };
                let pointer = format!("{of_live}{}", pointer.strip_prefix(of_query)?);
                Some((format!("{live}{rest}{closing}"), pointer))
            })
            .flat_map(|(document, pointer)| {
                covers.iter().map(move |coordinate| {
                    let (_, field) = coordinate.split_once('.').expect("a type and a field");
                    (document.replace("{0}", field), pointer.replace("{0}", field), *contains)
                })
            })
            .collect(),
        Request::Write { .. } => Vec::new(),
    };
    let of_caller = |(document, pointer, contains): &(String, String, &str), caller: Caller| Case {
        name: format!("{document}, {}, for {}", row.title, caller.title()),
        caller,
        document: fixture.fill(caller, document),
        pointer: fixture.fill(caller, pointer),
        contains: fixture.fill(caller, contains),
        expected: expected(row, caller, document),
    };
    let callers = |request| Caller::ALL.map(|caller| of_caller(request, caller));
    requests.iter().flat_map(callers).collect()
}

/// Returns the expected outcome. A live operation that needs a hidden tenant does not start, and a list
/// omits it.
fn expected(row: &Row, caller: Caller, document: &str) -> &'static str {
    match row.expects(caller) {
        Outcome::NotApplicable | Outcome::Null if caller == Caller::Outsider => {
            if document.starts_with("tenantsChanged") { "omitted" } else { "NOT_FOUND" }
        }
        outcome => outcome.as_str(),
    }
}

async fn live_operations_match_the_matrix_for_every_caller(app: App) {
    let fixture = Fixture::new(&app, 0, TenantKind::Active, &Caller::ALL);
    let changes: Vec<_> = fixture::shared_changes().into_iter().chain(fixture.changes()).collect();
    app.store.commit(&changes).await.expect("the store is empty");
    let rows = table::rows();
    let active = rows.iter().filter(|row| row.tenant == TenantKind::Active);
    let (mut outcomes, mut running) = (Vec::new(), Vec::new());
    for case in active.flat_map(|row| cases(&fixture, row)) {
        let subject = match case.caller {
            Caller::Anonymous => String::new(),
            caller => format!("{}-{}", fixture::subject_prefix(caller), fixture.number),
        };
        let document = format!("subscription {{ {} }}", case.document);
        match Live::try_start(&app, &subject, &document, json!({})).await {
            Ok(live) => running.push((case, live)),
            Err(rejected) => {
                let actual = outcome(&Reply::from_json(rejected), &case.pointer, &case.contains);
                outcomes.push((case, actual));
            }
        }
    }
    change_all(&app, &fixture).await;
    for (case, mut live) in running {
        let actual = match live.item().await {
            Some(LiveItem::Event { response, .. }) => {
                let event = Reply::from_json(response_to_json(&response));
                let tenant = &event.json["data"]["tenantsChanged"]["tenantId"];
                // Its first event is that of another tenant.
                if tenant.is_string() && *tenant != fixture.tenant.id.to_string() {
                    "omitted".to_owned()
                } else {
                    outcome(&event, &case.pointer, &case.contains)
                }
            }
            other => format!("{other:?}"),
        };
        outcomes.push((case, actual));
    }
    let differ = |(case, actual): &(Case, String)| {
        let is_different = actual != case.expected;
        is_different.then(|| format!("{}: {actual}, not {}", case.name, case.expected))
    };
    let mismatches: Vec<_> = outcomes.iter().filter_map(differ).collect();
    assert!(mismatches.is_empty(), "{} of {}: {mismatches:#?}", mismatches.len(), outcomes.len());
    assert!(outcomes.len() > 200, "{} cases", outcomes.len());
}

/// Changes the tenant, its subscription, each caller, and at last a tenant of all callers.
async fn change_all(app: &App, fixture: &Fixture) {
    let change = |tenant: &Tenant| Change::UpdateTenant {
        expected: tenant.version,
        tenant: Tenant { version: tenant.version + 1, ..tenant.clone() },
    };
    let mut subscription = fixture.subscription.clone();
    subscription.version += 1;
    let of_subscription =
        Change::UpdateSubscription { expected: fixture.subscription.version, subscription };
    app.store.commit(&[change(&fixture.tenant), of_subscription]).await.expect("committed");
    for (caller, _) in &fixture.callers {
        let subject = format!("{}-{}", fixture::subject_prefix(*caller), fixture.number);
        app.edit_user(&subject, |user| user.version += 1).await;
    }
    app.store.commit(&[change(&fixture::common_tenant())]).await.expect("committed");
}
