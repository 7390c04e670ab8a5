//! The rules of the GraphQL specification (September 2025), section 5, and the coercion of variables.
//!
//! `tests/validation/documents.json` has documents with the section of their rule and the expected
//! code. `tests/clients/validation.test.mjs` compares the same documents with graphql-js.

use std::fs;

use axum::{body::Body, http::Request};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{
    app::{App, Backend, Reply, Setup},
    world::World,
};

/// A row of the table.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    /// The section of the specification.
    section: String,
    document: String,
    operation_name: Option<String>,
    variables: Option<Value>,
    /// The code of the rejection, or `None` if the request is valid.
    code: Option<String>,
}

fn cases() -> Vec<Case> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/validation/documents.json");
    serde_json::from_str(&fs::read_to_string(path).expect("the table")).expect("rows")
}

async fn send(app: &App, body: &Value) -> Reply {
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("accept", "application/graphql-response+json");
    app.send(request.body(Body::from(body.to_string())).expect("a request")).await
}

/// The sections with a rule, by the table of contents of the specification.
const RULES: &[&str] = &[
    "5.1.1",
    "5.2.1.1",
    "5.2.2.1",
    "5.2.3.1",
    "5.2.4.1",
    "5.3.1",
    "5.3.2",
    "5.3.3",
    "5.4.1",
    "5.4.2",
    "5.4.3",
    "5.5.1.1",
    "5.5.1.2",
    "5.5.1.3",
    "5.5.1.4",
    "5.5.2.1",
    "5.5.2.2",
    "5.5.2.3.1",
    "5.5.2.3.2",
    "5.5.2.3.3",
    "5.5.2.3.4",
    "5.6.1",
    "5.6.2",
    "5.6.3",
    "5.6.4",
    "5.7.1",
    "5.7.2",
    "5.7.3",
    "5.8.1",
    "5.8.2",
    "5.8.3",
    "5.8.4",
    "5.8.5",
    "6.1.2",
];

#[test]
fn each_rule_has_valid_and_invalid_documents() {
    let cases = cases();
    let has = |rule: &str, is_valid: bool| {
        cases.iter().any(|case| case.section == rule && case.code.is_none() == is_valid)
    };
    for rule in RULES {
        // The schema has all root types, so every operation type exists. It has one interface, so a
        // spread of an interface in an interface is possible.
        let is_never_broken = ["5.2.1.1", "5.5.2.3.4"].contains(rule);
        assert!(has(rule, false) || is_never_broken, "no invalid document for {rule}");
        assert!(has(rule, true), "no valid document for {rule}");
    }
}

#[tokio::test]
async fn documents_are_validated_by_the_specification() {
    let apps = [true, false].map(|introspection| Setup { introspection, ..Setup::default() });
    for setup in apps {
        let introspection = setup.introspection;
        let app = App::with(Backend::Sqlite, setup).await;
        let cases = cases().into_iter().filter(|case| {
            introspection || !(case.code.is_none() && case.document.contains("__schema"))
        });
        for Case { section, document, operation_name, variables, code } in cases {
            let body = json!({
                "query": document,
                "operationName": operation_name,
                "variables": variables,
            });
            // The second request finds a valid document in the cache.
            for _ in 0..2 {
                let reply = send(&app, &body).await;
                let place = format!("{section} {body} {}", reply.body);
                match &code {
                    Some(code) => assert_rejected(&reply, code, &place),
                    // A valid subscription needs another media type than this request accepts.
                    None if document.starts_with("subscription") => {
                        assert_eq!((reply.status, reply.reads), (406, 0), "{place}");
                    }
                    None => assert_executed(&reply, &place),
                }
            }
        }
    }
}

/// Asserts that the response is one request error, and that nothing was executed.
#[track_caller]
fn assert_rejected(reply: &Reply, code: &str, place: &str) {
    assert_eq!((reply.status, reply.reads, reply.json.get("data")), (400, 0, None), "{place}");
    let errors = reply.json["errors"].as_array().expect("errors");
    assert!((1..=10).contains(&errors.len()), "{place}");
    for error in errors {
        assert_eq!(error["extensions"]["code"], code, "{place}");
        let message = error["message"].as_str().expect("a message");
        assert!(message.chars().count() <= 301 && !message.contains("Did you mean"), "{place}");
        // GetOperation() (section 6.1) has no place in the document.
        if place.starts_with("6.1 ") {
            continue;
        }
        for location in error["locations"].as_array().expect(place) {
            assert!(location["line"].as_u64() >= Some(1) && location["column"].as_u64() >= Some(1));
        }
    }
}

/// Asserts that the operation was executed, for a client without a token.
#[track_caller]
fn assert_executed(reply: &Reply, place: &str) {
    assert_eq!(reply.status, 200, "{place}");
    assert!(reply.json.get("data").is_some(), "{place}");
    let codes = ["UNAUTHENTICATED", "BAD_USER_INPUT"];
    assert!(reply.codes().iter().all(|code| codes.contains(code)), "{place}");
}

#[tokio::test]
async fn invalid_request_executes_no_field_of_a_mutation() {
    let app = App::on(Backend::Sqlite).await;
    let world = World::new(&app).await;
    let id = world.acme.id.to_string();
    let before = app.audit_log().await.len();
    let first = format!(
        "a: updateTenant(input: {{id: \"{id}\", name: \"Changed\"}}) {{ tenant {{ id }} }}"
    );
    let second = |input: &str| {
        format!(
            "mutation($n: String, $v: Int = 1, $i: UpdateTenantInput) {{ {first} b: updateTenant(input: {input}) {{ tenant {{ id }} }} c: updateTenant(input: {{id: \"{id}\", name: $n, version: $v}}) {{ tenant {{ id }} }} }}"
        )
    };
    for (query, variables) in [
        (second(&format!("{{id: \"{id}\", version: 2147483648}}")), json!({})),
        (second("\"x\""), json!({})),
        (second("{id: $n}"), json!({"n": id})),
        (second("$i"), json!({"i": {"id": id}})),
        (second(&format!("{{id: \"{id}\", name: \"p\", name: \"q\"}}")), json!({})),
        (second(&format!("{{id: \"{id}\"}}")), json!({"n": 1})),
        (second(&format!("{{id: \"{id}\"}}")), json!({"v": 2_147_483_648_u64})),
    ] {
        let reply = app.query_with_variables(&app.token("ada", []), &query, variables).await;
        assert_eq!(reply.json.get("data"), None, "{query} {}", reply.body);
        assert!(reply.codes().iter().all(|code| *code == "GRAPHQL_VALIDATION_FAILED"));
        assert_eq!((reply.writes, app.audit_log().await.len()), (0, before), "{query}");
    }
}

#[tokio::test]
async fn values_reach_the_resolver_as_the_specification_defines() {
    let app = App::on(Backend::Sqlite).await;
    let world = World::new(&app).await;
    let token = app.token("ada", []);
    let id = world.acme.id.to_string();
    let rename = |literal: &str| {
        format!(
            "mutation {{ updateTenant(input: {{id: \"{id}\", name: {literal}}}) {{ tenant {{ name }} }} }}"
        )
    };
    for (literal, name) in [
        (r#""\uD83D\uDE00""#, "\u{1F600}"),
        (r#""\u{1F600} \u{e9}""#, "\u{1F600} \u{e9}"),
        (r#""""a \""" b""""#, "a \"\"\" b"),
        ("\"\"\"\n      indented\n    \"\"\"", "indented"),
    ] {
        let reply = app.query_with_variables(&token, &rename(literal), json!({})).await;
        assert_eq!(reply.data()["updateTenant"]["tenant"]["name"], name, "{literal}");
    }
    let page = "query($n: Int) { tenants(first: $n) { nodes { id } } }";
    for (n, length) in [("1.0", 1), ("-0", 0), ("2", 2)] {
        let variables = serde_json::from_str(&format!("{{\"n\": {n}}}")).expect("JSON");
        let reply = app.query_with_variables(&token, page, variables).await;
        assert_eq!(reply.data()["tenants"]["nodes"].as_array().map(Vec::len), Some(length), "{n}");
    }
    let literal =
        app.query_with_variables(&token, "{ tenants(first: -0) { nodes { id } } }", json!({}));
    assert_eq!(literal.await.data()["tenants"]["nodes"], json!([]));
    // A variable without a value leaves an input field out, and a default value applies.
    let update = "mutation($i: ID!, $n: String, $s: TenantStatus) {
        updateTenant(input: {id: $i, name: $n, status: $s}) { tenant { name status } } }";
    let variables = json!({"i": id, "s": "PENDING"});
    let reply = app.query_with_variables(&token, update, variables).await;
    assert_eq!(
        reply.data()["updateTenant"]["tenant"],
        json!({"name": "indented", "status": "PENDING"})
    );
}

#[tokio::test]
async fn errors_have_the_positions_of_the_document() {
    let app = App::on(Backend::Sqlite).await;
    let locations = async |query: &str, variables: Value| -> Vec<(u64, u64)> {
        let reply = send(&app, &json!({"query": query, "variables": variables})).await;
        let errors = reply.json["errors"].as_array().expect("errors").clone();
        let position = |error: &Value| {
            let at = &error["locations"][0];
            (at["line"].as_u64().expect("a line"), at["column"].as_u64().expect("a column"))
        };
        errors.iter().map(position).collect()
    };
    assert_eq!(locations("{ me { id\r\n  nope\rwrong } }", json!({})).await, [(2, 3), (3, 1)]);
    assert_eq!(locations("{ me {\n nope } }", json!({})).await, [(2, 2)]);
    assert_eq!(locations("{ me {\n id", json!({})).await[0].0, 2);
    assert_eq!(
        locations("query(\n $n: Int) { tenants(first: $n) { totalCount } }", json!({"n": "x"}))
            .await,
        [(2, 2)]
    );
    let twice = "{ tenants(filter: {search: \"é😀\", search: \"x\"}) { totalCount } }";
    assert_eq!(locations(twice, json!({})).await, [(1, 34)]);
    let many = (0..40).map(|n| format!("nope{n} ")).collect::<String>();
    let found = locations(&format!("{{ me {{ {many} }} }}"), json!({})).await;
    assert_eq!((found.len(), found[0]), (10, (1, 8)));
    let many = json!({"i": vec![true; 40]});
    assert_eq!(locations("query($i: [ID!]!) { nodes(ids: $i) { id } }", many).await.len(), 10);
}
