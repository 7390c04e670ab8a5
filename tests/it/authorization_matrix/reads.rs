//! Runs every row that reads, for every caller.

use serde_json::{Value, json};
use tenantry::domain::change::Change;

use super::{
    expected_reads,
    fixture::{self, Fixture},
    send_as,
    table::{self, Caller, Request, TenantKind},
};
use crate::support::app::{App, Reply, on_both_stores};

on_both_stores! {
    queries_match_the_matrix_for_every_caller,
}

/// Returns the outcome of the value at a JSON pointer below `data`, in the words of the table.
pub(super) fn outcome(reply: &Reply, pointer: &str, contains: &str) -> String {
    let value = reply.json["data"].pointer(pointer);
    let path = pointer.trim_start_matches('/').replace('/', ".");
    match (&reply.codes()[..], value) {
        ([], None) => "–".to_owned(),
        ([], Some(Value::Null)) => "null".to_owned(),
        ([], Some(value)) if value.to_string().contains(contains) => "✓".to_owned(),
        ([], Some(_)) => "omitted".to_owned(),
        (["FORBIDDEN"], Some(Value::Null))
            if path.contains('.') && reply.errors() == [format!("FORBIDDEN {path}")] =>
        {
            "null + FORBIDDEN".to_owned()
        }
        (&[code], None | Some(Value::Null)) => code.to_owned(),
        _ => reply.body.clone(),
    }
}

async fn queries_match_the_matrix_for_every_caller(app: App) {
    let fixtures = [TenantKind::Active, TenantKind::Suspended].map(|kind| {
        let number = u32::from(kind == TenantKind::Suspended);
        Fixture::new(&app, number, kind, &Caller::ALL)
    });
    let changes: Vec<Change> = fixture::shared_changes()
        .into_iter()
        .chain(fixtures.iter().flat_map(Fixture::changes))
        .collect();
    app.store.commit(&changes).await.expect("the store is empty");
    let (mut sent, mut mismatches) = (0, Vec::new());
    for row in table::rows() {
        let Request::Read { covers, document, pointer, contains } = &row.request else { continue };
        let fixture = fixtures
            .iter()
            .find(|fixture| fixture.tenant_kind == row.tenant)
            .expect("a fixture with that kind of tenant");
        for coordinate in *covers {
            let (_, field) = coordinate.split_once('.').expect("a type and a field");
            for caller in Caller::ALL {
                let fill = |text: &str| fixture.fill(caller, &text.replace("{0}", field));
                let document = format!("{{ {} }}", fill(document));
                assert!(document.contains(field), "{document} does not select {coordinate}");
                let reply = send_as(&app, fixture, caller, "matrix", &document, json!({})).await;
                sent += 1;
                let actual = outcome(&reply, &fill(pointer), &fill(contains));
                let expected = row.expects(caller).as_str();
                let case = format!("{coordinate}, {}, for {}", row.title, caller.title());
                if actual != expected {
                    mismatches.push(format!("{case}: {actual}, not {expected}"));
                    continue;
                }
                assert_cost(&reply, expected, &case);
                if *coordinate != "Query.me" {
                    assert_eq!(reply.writes, 0, "{case}: only `me` writes");
                } else if caller == Caller::Unprovisioned {
                    delete_provisioned_user(&app, fixture).await;
                }
            }
        }
    }
    assert!(mismatches.is_empty(), "{} of {sent}: {mismatches:#?}", mismatches.len());
}

/// Asserts the status and the store reads. A query that is rejected as a whole is rejected before
/// anything but the viewer is read.
fn assert_cost(reply: &Reply, expected: &str, case: &str) {
    assert_eq!(reply.status, 200, "{case}");
    let reads = if expected == "FORBIDDEN" { Some(1) } else { expected_reads(expected) };
    if let Some(reads) = reads {
        assert_eq!(reply.reads, reads, "{case}");
    }
}

/// Deletes the user that `me` has created, because the other rows need a caller without a user.
async fn delete_provisioned_user(app: &App, fixture: &Fixture) {
    let prefix = fixture::subject_prefix(Caller::Unprovisioned);
    let user = app.stored_user(&format!("{prefix}-{}", fixture.number)).await;
    let user = user.expect("a user that `me` has created");
    let delete = Change::DeleteUser { id: user.id, expected: (&user).into() };
    app.store.commit(&[delete]).await.expect("the user is unchanged");
}
