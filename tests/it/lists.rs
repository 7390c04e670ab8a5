//! Lists in the API: pages, cursors, and the input errors of their arguments.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::json;

use crate::support::{
    app::{App, on_both_stores},
    world::World,
};

on_both_stores! {
    every_fault_of_page_arguments_is_reported_for_every_connection,
    all_input_errors_are_reported_at_once,
    pages_are_contiguous_in_both_directions,
    cursor_of_another_list_or_order_is_rejected,
    forged_cursors_are_input_errors_or_positions,
}

async fn all_input_errors_are_reported_at_once(app: App) {
    World::new(&app).await;
    for (arguments, paths) in [
        ("first: 101", vec!["first"]),
        ("first: -1", vec!["first"]),
        ("last: 101", vec!["last"]),
        ("first: 1, last: 1", vec!["last"]),
        ("first: 101, last: 3", vec!["last", "first"]),
        ("first: 3, last: -1", vec!["last", "last"]),
        (
            "first: 200, after: \"x\", before: \"\", filter: {domain: \"a b\"}",
            vec!["first", "after", "before", "filter.domain"],
        ),
    ] {
        let reply = app
            .query_as("carol", &format!("{{ tenants({arguments}) {{ nodes {{ id }} }} }}"))
            .await;
        assert_eq!(reply.codes(), ["BAD_USER_INPUT"], "{arguments}");
        let errors = reply.json["errors"][0]["extensions"]["fields"].as_array().expect("errors");
        let actual: Vec<_> = errors.iter().map(|e| e["path"].as_str().expect("a path")).collect();
        assert_eq!(actual, paths, "{arguments}");
    }
    let ids = vec!["\"ten_650000000000000000000001\""; 101].join(",");
    let reply = app.query_as("carol", &format!("{{ nodes(ids: [{ids}]) {{ id }} }}")).await;
    assert_eq!(reply.codes(), ["BAD_USER_INPUT"]);
    let reply = app.query_anonymous("{ nodes(ids: [\"x\", \"usr_1\"]) { id } }").await;
    let errors = &reply.json["errors"][0]["extensions"]["fields"];
    assert_eq!((&errors[0]["path"], &errors[1]["path"]), (&json!("ids.0"), &json!("ids.1")));
}

async fn every_fault_of_page_arguments_is_reported_for_every_connection(app: App) {
    World::new(&app).await;
    let sizes = [None, Some("3"), Some("101"), Some("-1")];
    let cursors = [None, Some("\"x\"")];
    let is_bad = |size: Option<&str>| matches!(size, Some("101" | "-1"));
    for list in ["tenants", "users", "subscriptions", "auditLog", "members", "tenant auditLog"] {
        for (first, last) in sizes.iter().flat_map(|first| sizes.map(|last| (*first, last))) {
            for (after, before) in cursors.iter().flat_map(|one| cursors.map(|two| (*one, two))) {
                let arguments =
                    [("first", first), ("last", last), ("after", after), ("before", before)];
                let arguments = arguments
                    .iter()
                    .filter_map(|(name, value)| Some(format!("{name}: {}", (*value)?)));
                let arguments = arguments.collect::<Vec<_>>().join(", ");
                if arguments.is_empty() {
                    continue;
                }
                let field = |list| format!("{list}({arguments}) {{ totalCount }}");
                let query = match list {
                    "members" => format!("{{ tenant(slug: \"acme\") {{ {} }} }}", field("members")),
                    "tenant auditLog" => {
                        format!("{{ tenant(slug: \"acme\") {{ {} }} }}", field("auditLog"))
                    }
                    _ => format!("{{ {} }}", field(list)),
                };
                let mut expected = Vec::new();
                expected.extend((first.is_some() && last.is_some()).then_some("last"));
                expected.extend(is_bad(first).then_some("first"));
                expected.extend(is_bad(last).then_some("last"));
                expected.extend(after.map(|_| "after"));
                expected.extend(before.map(|_| "before"));
                let reply = app.query_as("ada", &query).await;
                let errors = reply.json["errors"][0]["extensions"]["fields"].as_array();
                let paths = errors.map_or(&[][..], Vec::as_slice).iter();
                let paths: Vec<_> = paths.filter_map(|error| error["path"].as_str()).collect();
                assert_eq!(paths, expected, "{query}: {}", reply.body);
            }
        }
    }
}

async fn pages_are_contiguous_in_both_directions(app: App) {
    World::new(&app).await;
    let order = "orderBy: {field: NAME, direction: ASC}";
    let page = "nodes { slug } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }";
    let first = app
        .query_as("ada", &format!("{{ tenants(first: 2, {order}) {{ totalCount {page} }} }}"))
        .await;
    let first = &first.data()["tenants"];
    assert_eq!(first["nodes"], json!([{"slug": "acme"}, {"slug": "globex"}]));
    assert_eq!(first["totalCount"], 3);
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    assert_eq!(first["pageInfo"]["hasPreviousPage"], false);
    let after = &first["pageInfo"]["endCursor"];
    let next = app
        .query_as("ada", &format!("{{ tenants(first: 2, after: {after}, {order}) {{ {page} }} }}"))
        .await;
    let next = &next.data()["tenants"];
    assert_eq!(next["nodes"], json!([{"slug": "initech"}]));
    assert_eq!(next["pageInfo"]["hasNextPage"], false);
    assert_eq!(next["pageInfo"]["hasPreviousPage"], true);
    let before = &next["pageInfo"]["startCursor"];
    let previous = app
        .query_as("ada", &format!("{{ tenants(last: 1, before: {before}, {order}) {{ {page} }} }}"))
        .await;
    assert_eq!(previous.data()["tenants"]["nodes"], json!([{"slug": "globex"}]));
    let empty =
        app.query_as("ada", &format!("{{ tenants(first: 0, {order}) {{ {page} }} }}")).await;
    assert_eq!(empty.data()["tenants"]["nodes"], json!([]));
    for (filter, slugs) in [
        ("{search: \"GLO\"}", json!([{"slug": "globex"}])),
        ("{domain: \"Acme.Example\"}", json!([{"slug": "acme"}])),
        ("{status: [SUSPENDED]}", json!([{"slug": "initech"}])),
        ("{status: [], search: \"\", plan: [FREE]}", json!([])),
        // A search without a visible character is no search.
        ("{status: [SUSPENDED], search: \" \\u200b\"}", json!([{"slug": "initech"}])),
    ] {
        let reply = app
            .query_as("ada", &format!("{{ tenants(filter: {filter}) {{ nodes {{ slug }} }} }}"))
            .await;
        assert_eq!(reply.data()["tenants"]["nodes"], slugs, "{filter}");
    }
}

async fn cursor_of_another_list_or_order_is_rejected(app: App) {
    let world = World::new(&app).await;
    let reply = app
        .query_as("ada", "{ tenants { edges { cursor } } acme: tenant(slug: \"acme\") { members { edges { cursor } } } }")
        .await;
    let tenants_cursor = &reply.data()["tenants"]["edges"][0]["cursor"];
    let members_cursor = &reply.data()["acme"]["members"]["edges"][0]["cursor"];
    let globex = world.globex.id;
    for query in [
        format!(
            "tenants(after: {tenants_cursor}, orderBy: {{field: NAME, direction: DESC}}) {{ totalCount }}"
        ),
        format!("tenants(after: {members_cursor}) {{ totalCount }}"),
        format!("users(after: {tenants_cursor}) {{ totalCount }}"),
        format!("tenants(after: {tenants_cursor}, filter: {{search: \"g\"}}) {{ totalCount }}"),
        format!(
            "node(id: \"{globex}\") {{ ... on Tenant {{ members(after: {members_cursor}) {{ totalCount }} }} }}"
        ),
    ] {
        let reply = app.query_as("ada", &format!("{{ {query} }}")).await;
        assert_eq!(reply.codes(), ["BAD_USER_INPUT"], "{query}");
    }
}

/// Returns variants of a cursor: each byte changed, each length, and appended bytes.
fn forge(cursor: &str) -> Vec<String> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).expect("a cursor");
    let mut forged: Vec<Vec<u8>> = (0..bytes.len()).map(|n| bytes[..n].to_vec()).collect();
    for n in 0..bytes.len() {
        for value in [0, 1, 2, 3, 0x7f, 0x80, 0xff, bytes[n] ^ 1] {
            let mut changed = bytes.clone();
            changed[n] = value;
            forged.push(changed);
        }
    }
    for tail in [&b"\0"[..], "ß\u{10ffff}".as_bytes(), &[0xff; 8], &[b'x'; 20_000]] {
        forged.push([&bytes, tail].concat());
    }
    let texts = ["", "=", "a", "\u{0}", "../..", "{\"$gt\":\"\"}"].map(str::to_owned);
    forged.iter().map(|bytes| BASE64_URL_SAFE_NO_PAD.encode(bytes)).chain(texts).collect()
}

async fn forged_cursors_are_input_errors_or_positions(app: App) {
    World::new(&app).await;
    let token = app.token("ada", []);
    let (mut rejected, mut accepted) = (0, 0);
    for list in [
        "tenants(first: 1, after: $c)",
        "tenants(first: 1, after: $c, orderBy: {field: NAME, direction: DESC})",
        "tenants(first: 1, after: $c, filter: {search: \"g\"})",
        "users(last: 1, before: $c)",
        "subscriptions(first: 1, after: $c, orderBy: {field: CURRENT_PERIOD_END, direction: ASC})",
        "auditLog(first: 1, after: $c)",
    ] {
        let query = format!("query($c: String) {{ list: {list} {{ edges {{ cursor }} }} }}");
        let reply = app.query_with_variables(&token, &query, json!({})).await;
        let cursor = reply.data()["list"]["edges"][0]["cursor"].as_str().expect("a cursor");
        for forged in forge(cursor) {
            let reply = app.query_with_variables(&token, &query, json!({"c": forged})).await;
            assert_eq!(reply.status, 200, "{list} {forged:.80}: {}", reply.body);
            match reply.codes()[..] {
                [] => accepted += 1,
                ["BAD_USER_INPUT"] => rejected += 1,
                // No cursor has so many bytes, so the variable is rejected before the list is read.
                ["GRAPHQL_VALIDATION_FAILED"] if forged.len() > 4096 => rejected += 1,
                _ => panic!("{list} {forged:.80}: {}", reply.body),
            }
        }
    }
    assert!(rejected > 200 && accepted > 200, "{rejected} {accepted}");
}
