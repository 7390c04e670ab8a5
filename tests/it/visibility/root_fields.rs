//! The root fields for each role, and the order of the checks.

use serde_json::json;

use super::{ABSENT, CALLERS, fill_placeholders, outcome, query_as, store_world};
use crate::support::app::{App, on_both_stores};

on_both_stores! {
    root_fields_are_visible_by_role,
    checks_run_in_order,
    suspended_tenant_stays_readable,
}

async fn root_fields_are_visible_by_role(app: App) {
    let world = store_world(&app).await;
    let shown = ["shown"; 4];
    let hidden_from_outsiders = [&["null"][..], &shown[..]].concat();
    // Each row has the outcomes for outsider, member, admin, owner and platform admin.
    let table: &[(&str, &[&str])] = &[
        ("x: node(id: \"$TENANT\") { id }", &hidden_from_outsiders),
        ("x: node(id: \"$PEER\") { id }", &hidden_from_outsiders),
        ("x: node(id: \"$SUB\") { id }", &hidden_from_outsiders),
        ("x: node(id: \"$EVENT\") { id }", &["null", "null", "shown", "shown", "shown"]),
        ("x: tenant(slug: \"$SLUG\") { id }", &hidden_from_outsiders),
        ("x: user(id: \"$PEER\") { id }", &hidden_from_outsiders),
        ("x: subscription(id: \"$SUB\") { id }", &hidden_from_outsiders),
        ("x: tenants { totalCount }", &["0", "2", "2", "2", "3"]),
        ("x: subscriptions { totalCount }", &["0", "3", "3", "1", "3"]),
        ("x: users { totalCount }", &["FORBIDDEN", "FORBIDDEN", "FORBIDDEN", "FORBIDDEN", "5"]),
        ("x: auditLog { totalCount }", &["FORBIDDEN", "FORBIDDEN", "FORBIDDEN", "FORBIDDEN", "2"]),
    ];
    for (query, expected) in table {
        let expected =
            [&["UNAUTHENTICATED", "USER_NOT_PROVISIONED"][..], expected, &["USER_DISABLED"]]
                .concat();
        for (caller, expected) in CALLERS.into_iter().zip(expected) {
            let query = format!("{{ {} }}", fill_placeholders(&world, caller, query));
            let reply = query_as(&app, caller, &query).await;
            assert_eq!(outcome(&reply), expected, "{caller} {query}");
        }
    }
    // `me` comes last, because it creates the newcomer.
    for (caller, expected) in CALLERS.into_iter().zip([
        "UNAUTHENTICATED",
        "shown",
        "shown",
        "shown",
        "shown",
        "shown",
        "shown",
        "USER_DISABLED",
    ]) {
        assert_eq!(
            outcome(&query_as(&app, caller, "{ x: me { id } }").await),
            expected,
            "{caller}"
        );
    }
    for (caller, expected) in [
        ("outsider", json!([null, null, null, null])),
        ("member", json!([{"id": true}, {"id": true}, {"id": true}, null])),
        ("admin", json!([{"id": true}, {"id": true}, {"id": true}, {"id": true}])),
    ] {
        let query = r#"{ nodes(ids: ["$TENANT", "$PEER", "$SUB", "$EVENT"]) { id } }"#;
        let reply = query_as(&app, caller, &fill_placeholders(&world, caller, query)).await;
        let mut nodes = reply.data()["nodes"].clone();
        for node in nodes.as_array_mut().expect("nodes").iter_mut().filter(|n| !n.is_null()) {
            node["id"] = true.into();
        }
        assert_eq!(nodes, expected, "{caller}");
    }
}

async fn checks_run_in_order(app: App) {
    store_world(&app).await;
    let malformed = [
        "node(id: \"x\") { id }",
        "node(id: \"TEN_650000000000000000000001\") { id }",
        "nodes(ids: [\"ten_x\"]) { id }",
        "user(id: \"ten_650000000000000000000001\") { id }",
        "subscription(id: \"usr_650000000000000000000001\") { id }",
        "users(first: 101, filter: {tenantId: \"x\"}) { totalCount }",
        "subscriptions(first: -1, filter: {tenantId: \"x\"}) { totalCount }",
        "auditLog(filter: {tenantId: \"x\"}) { totalCount }",
        "auditLog(filter: {actorId: \"x\"}) { totalCount }",
    ];
    for caller in CALLERS {
        for query in malformed {
            let reply = query_as(&app, caller, &format!("{{ {query} }}")).await;
            assert_eq!(reply.codes(), ["BAD_USER_INPUT"], "{caller} {query}");
            assert_eq!(reply.reads, 0, "{query}");
        }
    }
    let too_many = format!("nodes(ids: [{}]) {{ id }}", format!("\"ten_{ABSENT}\" ").repeat(101));
    let bad = "BAD_USER_INPUT";
    // Each row has the codes for outsider, member, admin, owner and platform admin.
    for (query, codes) in [
        (too_many.as_str(), [bad, bad, bad, bad, bad]),
        ("tenants(first: 101) { totalCount }", [bad, bad, bad, bad, bad]),
        ("tenants(filter: {domain: \"a b\"}) { totalCount }", [bad, bad, bad, bad, bad]),
        ("subscriptions(after: \"x\") { totalCount }", [bad, bad, bad, bad, bad]),
        (
            "users(first: 101) { totalCount }",
            ["FORBIDDEN", "FORBIDDEN", "FORBIDDEN", "FORBIDDEN", bad],
        ),
        (
            "auditLog(last: -1) { totalCount }",
            ["FORBIDDEN", "FORBIDDEN", "FORBIDDEN", "FORBIDDEN", bad],
        ),
    ] {
        let first = ["UNAUTHENTICATED", "USER_NOT_PROVISIONED"];
        let expected = [&first[..], &codes[..], &["USER_DISABLED"]].concat();
        for (caller, expected) in CALLERS.into_iter().zip(expected) {
            let reply = query_as(&app, caller, &format!("{{ {query} }}")).await;
            assert_eq!(reply.codes(), [expected], "{caller} {query}");
        }
    }
    // The same order applies within a tenant: malformed identifiers, authorization, other
    // arguments.
    for (caller, arguments, expected) in [
        ("member", "filter: {actorId: \"x\"}, first: 101", bad),
        ("member", "first: 101", "FORBIDDEN"),
        ("owner", "first: 101", bad),
    ] {
        let query = format!(
            "{{ tenant(slug: \"acme\") {{ slug auditLog({arguments}) {{ totalCount }} }} }}"
        );
        let reply = query_as(&app, caller, &query).await;
        assert_eq!(reply.errors(), [format!("{expected} tenant.auditLog")], "{query}");
        assert_eq!(reply.json["data"]["tenant"], json!({"slug": "acme", "auditLog": null}));
    }
}

async fn suspended_tenant_stays_readable(app: App) {
    store_world(&app).await;
    let query = "{ tenant(slug: \"initech\") { status billingInfo { email } auditLog { totalCount } members { totalCount } } }";
    let reply = app.query_as("bob", query).await;
    assert_eq!(reply.data()["tenant"]["status"], "SUSPENDED");
    assert_eq!(reply.data()["tenant"]["members"]["totalCount"], 1);
}
