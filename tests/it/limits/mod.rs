//! The limits on documents.
//!
//! A document at a limit is executed. A document over a limit is rejected before execution, and the
//! error reports the limit and the actual value. `cost_upper_bound.rs` compares the computed
//! complexity with real responses.

mod broken_documents;
mod cost_upper_bound;
mod variables;

use axum::{body::Body, http::Request};
use serde_json::{Value, json};

use crate::support::{
    app::{App, Backend, Reply},
    world::World,
};

async fn app() -> App {
    let app = App::on(Backend::Sqlite).await;
    World::new(&app).await;
    app
}

async fn send(app: &App, accept: &str, query: &str, variables: Value) -> Reply {
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("accept", accept)
        .header("authorization", format!("Bearer {}", app.token("ada", [])));
    let body = json!({"query": query, "variables": variables}).to_string();
    app.send(request.body(Body::from(body)).expect("a request")).await
}

/// Asserts that the document exceeds the limit, in both media types, and that the store is not
/// read.
async fn assert_rejected(
    app: &App,
    query: &str,
    variables: Value,
    limit: &str,
    max: u64,
    actual: u64,
) {
    for (accept, status) in [("application/json", 200), ("application/graphql-response+json", 400)]
    {
        let reply = send(app, accept, query, variables.clone()).await;
        let start = &query[..query.len().min(200)];
        assert_eq!(reply.status, status, "{start} {}", reply.body);
        let extensions = &reply.json["errors"][0]["extensions"];
        let expected = json!([limit, max, actual, "LIMIT_EXCEEDED"]);
        assert_eq!(
            json!([
                extensions["limit"],
                extensions["max"],
                extensions["actual"],
                extensions["code"]
            ]),
            expected,
            "{start}"
        );
        assert_eq!(reply.json.get("data"), None);
        assert_eq!(reply.reads, 0);
        assert!(reply.body.len() < 8 * 1024, "{}", reply.body.len());
    }
}

/// Asserts that the document exceeds no limit.
async fn assert_passes(app: &App, query: &str, variables: Value) {
    let reply = send(app, "application/json", query, variables).await;
    let codes = reply.codes();
    assert!(
        !codes.contains(&"LIMIT_EXCEEDED"),
        "{} {}",
        &query[..query.len().min(200)],
        reply.body
    );
}

/// Returns a query of this depth.
fn deep(levels: usize) -> String {
    let fields = ["me", "memberships", "tenant", "myMembership"];
    let mut query = String::new();
    for level in 1..levels {
        // `me` and `memberships` first, then `tenant` and `myMembership` alternate.
        let field = match level {
            1 => fields[0],
            2 => fields[1],
            n if n % 2 == 1 => fields[2],
            _ => fields[3],
        };
        query += &format!("{{ {field} ");
    }
    format!(
        "{query}{{ __typename {} }}{}",
        if levels % 2 == 1 { "id" } else { "role" },
        "}".repeat(levels - 1)
    )
}

#[tokio::test]
async fn depth_is_limited() {
    let app = app().await;
    assert_passes(&app, &deep(12), json!({})).await;
    assert_rejected(&app, &deep(13), json!({}), "depth", 12, 13).await;
    assert_rejected(&app, &deep(60), json!({}), "depth", 12, 60).await;
    // Fragments add no level, and hide none.
    let spread = |levels| {
        let inner = deep(levels);
        let inner = inner.trim_start_matches("{ me ");
        format!("{{ ...R }} fragment R on Query {{ ... on Query {{ me {} }}", &inner[..inner.len()])
    };
    assert_passes(&app, &spread(12), json!({})).await;
    assert_rejected(&app, &spread(13), json!({}), "depth", 12, 13).await;
    // Introspection has its own limit.
    let of_type = |n: usize| {
        format!(
            "{{ __type(name: \"Tenant\") {{ {}name{} }} }}",
            "ofType { ".repeat(n),
            " }".repeat(n)
        )
    };
    assert_passes(&app, &of_type(18), json!({})).await;
    assert_rejected(&app, &of_type(19), json!({}), "depth", 20, 21).await;
}

#[tokio::test]
async fn complexity_multiplies_by_page_size() {
    let app = app().await;
    let page = "query($n: Int = 3) { tenants(first: $n) { nodes { id slug } } }";
    // 1 + n * (1 + 2). An empty page counts like a page of one.
    let page_cost = |n: u64| 1 + n.max(1) * 3;
    for (variables, n) in [(json!({}), 3), (json!({"n": 100}), 100), (json!({"n": 0}), 0)] {
        let two = format!(
            "query($n: Int = 3) {{ tenants(first: 50) {{ nodes {{ members(first: 96) {{ nodes {{ id: role }} }} }} }} {} }}",
            "x: tenants(first: $n) { nodes { id slug } }"
        );
        // 1 + 50 * (1 + 1 + 96 * 2), plus the second page. The sum is far over the limit.
        let base = 1 + 50 * (1 + 1 + 96 * 2);
        assert_rejected(&app, &two, variables.clone(), "complexity", 5000, base + page_cost(n))
            .await;
        assert_passes(&app, page, variables).await;
    }
    // A page counts as at most 100, and as 20 without `first` and `last`. A plain list counts as
    // 20.
    let big = |first: &str| {
        format!(
            "{{ a: tenants({first}) {{ nodes {{ members(first: 48) {{ nodes {{ role }} }} }} }} }}"
        )
    };
    assert_rejected(
        &app,
        &big("first: 1000000"),
        json!({}),
        "complexity",
        5000,
        1 + 100 * (2 + 48 * 2),
    )
    .await;
    assert_passes(&app, &big("after: \"x\""), json!({})).await;
    let list =
        "{ me { memberships { tenant { members(first: 100) { nodes { since user { id } } } } } } }";
    assert_rejected(&app, list, json!({}), "complexity", 5000, 1 + 1 + 20 * (1 + 1 + 100 * 4))
        .await;
    // `nodes` counts by its identifiers, also in a variable.
    let ids: Vec<String> = (0..100).map(|n| format!("ten_{n:024}")).collect();
    let by_ids = "query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Tenant { members(first: 16) { nodes { user { id } } } } } }";
    assert_passes(&app, by_ids, json!({"ids": &ids[..90]})).await;
    assert_rejected(&app, by_ids, json!({"ids": ids}), "complexity", 5000, 1 + 100 * (2 + 16 * 3))
        .await;
    // A skipped selection costs nothing. An included one does.
    let skipped = "query($no: Boolean = false) { me { id } ...@include(if: $no) { tenants(first: 100) { nodes { members(first: 100) { nodes { role } } } } } }";
    assert_passes(&app, skipped, json!({})).await;
    assert_rejected(
        &app,
        skipped,
        json!({"no": true}),
        "complexity",
        5000,
        2 + 1 + 100 * (2 + 200),
    )
    .await;
    let skip = skipped.replace("@include", "@skip");
    assert_passes(&app, &skip, json!({"no": true})).await;
    assert_rejected(&app, &skip, json!({}), "complexity", 5000, 2 + 1 + 100 * (2 + 200)).await;
}

#[tokio::test]
async fn fragments_are_measured_once_for_all_spreads() {
    let app = app().await;
    // Each fragment spreads the next one twice: 2^40 fields in a thousand bytes.
    let mut bomb = "{ me { ...F0 } }".to_owned();
    for n in 0..40 {
        bomb += &format!(" fragment F{n} on User {{ a: id ...F{0} ...F{0} }}", n + 1);
    }
    bomb += " fragment F40 on User { id }";
    // Merged, the same fields make a small response, but the merge itself is expensive.
    let reply = send(&app, "application/json", &bomb, json!({})).await;
    assert_eq!(reply.codes(), ["LIMIT_EXCEEDED"], "{}", reply.body);
    let mut nested = "{ ...F0 }".to_owned();
    for n in 0..9 {
        nested += &format!(
            " fragment F{n} on Query {{ a{n}: me {{ memberships {{ tenant {{ id }} }} }} ...F{0} ...F{0} }}",
            n + 1
        );
    }
    nested += " fragment F9 on Query { z: me { id } }";
    let reply = send(&app, "application/json", &nested, json!({})).await;
    assert_eq!(reply.codes(), ["LIMIT_EXCEEDED"], "{}", reply.body);
    // Cycles, an unknown fragment, and unknown fields.
    for query in [
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A me { id } }",
        "{ me { ...A } } fragment A on User { memberships { user { ...A } } }",
        "{ ...Nowhere }",
        "{ nope { nope { nope } } }",
    ] {
        let reply = send(&app, "application/json", query, json!({})).await;
        assert_eq!(
            reply.codes().first(),
            Some(&"GRAPHQL_VALIDATION_FAILED"),
            "{query} {}",
            reply.body
        );
    }
}

#[tokio::test]
async fn expanded_fragments_are_limited() {
    let app = app().await;
    // Each fragment spreads the next one twice, so n levels have 3 * 2^n - 1 selections.
    let doubling = |levels: usize, on: &str, leaf: &str| {
        let fragment = |n: usize| format!(" fragment F{n} on {on} {{ ...F{0} ...F{0} }}", n + 1);
        let fragments = (0..levels).map(fragment).collect::<String>();
        format!("{fragments} fragment F{levels} on {on} {{ {leaf} }}")
    };
    for (start, on) in [
        ("{ ...F0 }", "Query"),
        ("{ me { id ...F0 @skip(if: true) } }", "User"),
        ("{ __schema { ...F0 } }", "__Schema"),
    ] {
        let document = start.to_owned() + &doubling(30, on, "__typename");
        let reply = send(&app, "application/json", &document, json!({})).await;
        assert_eq!(reply.codes(), ["LIMIT_EXCEEDED"], "{start}");
    }
    let sized = |levels: usize| "{ ...F0 }".to_owned() + &doubling(levels, "Query", "__typename");
    assert_passes(&app, &sized(11), json!({})).await;
    let actual = 3 * (1 << 12) - 1;
    assert_rejected(&app, &sized(12), json!({}), "complexity", 10_000, actual).await;
    // An operation that is not selected counts, too, because it is validated.
    let body = json!({"query": format!("query A {{ me {{ id }} }} query B {}", sized(12)), "operationName": "A"});
    let request = Request::post("/graphql").header("content-type", "application/json");
    let reply = app.send(request.body(Body::from(body.to_string())).expect("a request")).await;
    assert_eq!(reply.codes(), ["LIMIT_EXCEEDED"]);
    // Selections that cost nothing are multiplied like the others.
    let page = |n: usize| {
        let names = "__typename ".repeat(n);
        format!(
            "{{ tenants(first: 100) {{ nodes {{ members(first: 20) {{ nodes {{ {names} }} }} }} }} }}"
        )
    };
    assert_passes(&app, &page(20), json!({})).await;
    let reply = send(&app, "application/json", &page(30), json!({})).await;
    let max = &reply.json["errors"][0]["extensions"]["max"];
    assert_eq!((reply.codes(), max), (vec!["LIMIT_EXCEEDED"], &json!(50_000)));
}

#[tokio::test]
async fn nesting_is_limited() {
    let app = app().await;
    let inline =
        |n: usize| format!("{}__typename{}", "{ ... ".repeat(n) + "{ ", " }".repeat(n + 1));
    assert_passes(&app, &inline(63), json!({})).await;
    assert_rejected(&app, &inline(64), json!({}), "depth", 64, 65).await;
    assert_rejected(&app, &inline(190), json!({}), "depth", 64, 191).await;
    let chain = |n: usize| {
        let fragment = |n: usize| format!(" fragment F{n} on Query {{ ...F{} }}", n + 1);
        let fragments = (0..n).map(fragment).collect::<String>();
        format!("{{ ...F0 }}{fragments} fragment F{n} on Query {{ __typename }}")
    };
    assert_passes(&app, &chain(62), json!({})).await;
    assert_rejected(&app, &chain(200), json!({}), "depth", 64, 202).await;
    for document in [
        inline(400),
        format!("{{ nodes(ids: {}{}) {{ id }} }}", "[".repeat(900), "]".repeat(900)),
        format!("{{ tenants(filter: {}1{}) {{ id }} }}", "{a: ".repeat(400), "}".repeat(400)),
        format!("query($a: {}Int{}) {{ me {{ id }} }}", "[".repeat(900), "]".repeat(900)),
    ] {
        let reply = send(&app, "application/json", &document, json!({})).await;
        assert_eq!(reply.codes(), ["GRAPHQL_PARSE_FAILED"], "{}", &document[..40]);
    }
}

#[tokio::test]
async fn response_keys_of_one_field_are_limited() {
    let app = app().await;
    let keys =
        |n: usize, field: &str| -> String { (0..n).map(|k| format!("k{k}: {field} ")).collect() };
    assert_passes(&app, &format!("{{ me {{ {} }} }}", keys(30, "id")), json!({})).await;
    assert_rejected(
        &app,
        &format!("{{ me {{ {} }} }}", keys(31, "id")),
        json!({}),
        "aliases",
        30,
        31,
    )
    .await;
    assert_rejected(
        &app,
        &format!("{{ me {{ {} }} }}", keys(31, "__typename")),
        json!({}),
        "aliases",
        30,
        31,
    )
    .await;
    assert_rejected(
        &app,
        &format!("{{ {} }}", keys(31, "__typename")),
        json!({}),
        "aliases",
        30,
        31,
    )
    .await;
    // A repeated key counts once. Keys add up across fragments.
    let same = "id ".repeat(100);
    assert_passes(&app, &format!("{{ me {{ {same} }} }}"), json!({})).await;
    let (a, b) = (keys(16, "id"), keys(20, "id").replace('k', "m"));
    let split = format!("{{ me {{ ...A ... {{ {b} }} }} }} fragment A on User {{ {a} }}");
    assert_rejected(&app, &split, json!({}), "aliases", 30, 36).await;
    // Keys also add up across fields that are merged.
    let twice = format!("{{ x: me {{ {a} }} x: me {{ {b} }} }}");
    assert_rejected(&app, &twice, json!({}), "aliases", 30, 36).await;
    let apart = format!("{{ x: me {{ {a} }} y: me {{ {b} }} }}");
    assert_passes(&app, &apart, json!({})).await;
}

#[tokio::test]
async fn root_fields_tokens_and_directives_are_limited() {
    let app = app().await;
    let roots = |n: usize| -> String {
        let fields = (0..n).map(|k| match k % 2 {
            0 => format!("k{k}: me {{ id }} "),
            _ => format!("k{k}: tenant(slug: \"x\") {{ id }} "),
        });
        format!("{{ __typename {} }}", fields.collect::<String>())
    };
    assert_passes(&app, &roots(20), json!({})).await;
    assert_rejected(&app, &roots(21), json!({}), "rootFields", 20, 21).await;
    let tokens = |n: usize| format!("{{ me {{ {} }} }}", "id ".repeat(n - 5));
    assert_passes(&app, &tokens(2000), json!({})).await;
    assert_rejected(&app, &tokens(2001), json!({}), "tokens", 2000, 2001).await;
    // Tokens are counted before the text is parsed, so the text need not be valid GraphQL.
    assert_rejected(&app, &"{".repeat(100_000), json!({}), "tokens", 2000, 100_000).await;
    let directives = |n: usize| format!("{{ me {{ id {} }} }}", "@skip(if: false) ".repeat(n));
    assert_rejected(&app, &directives(51), json!({}), "directives", 50, 51).await;
    let spread = (0..50).map(|k| format!("k{}: id @skip(if: false) ", k % 25)).collect::<String>();
    assert_passes(&app, &format!("{{ me {{ {spread} }} }}"), json!({})).await;
    // The content of a comment has no tokens.
    assert_passes(&app, &format!("{{ me {{ id }} }} # {}", "{ x } ".repeat(5000)), json!({})).await;
}

#[tokio::test]
async fn introspection_query_of_tools_passes() {
    let app = app().await;
    let reply = send(&app, "application/json", INTROSPECTION, json!({})).await;
    assert_eq!(reply.codes(), [""; 0], "{}", &reply.body[..reply.body.len().min(500)]);
}

#[tokio::test]
async fn introspection_has_limits_of_its_own() {
    let app = app().await;
    let fields = |n: usize| "kind ".repeat(n);
    let query = |n| format!("{{ __schema {{ queryType {{ {} }} }} }}", fields(n));
    assert_passes(&app, &query(1_900), json!({})).await;
    // `__schema` and `queryType` count, too. 1,990 tokens are within their limit.
    let spread = "fragment F on __Type { kind kind kind }";
    let many = "...F ".repeat(600);
    let query = format!("{{ __schema {{ queryType {{ {many} }} }} }} {spread}");
    assert_rejected(&app, &query, json!({}), "complexity", 2_000, 2_402).await;
    let nested = |lists: usize| {
        let levels = "fields { type { ".repeat(lists);
        format!("{{ __type(name: \"Query\") {{ {levels} name {} }} }}", "} } ".repeat(lists))
    };
    assert_passes(&app, &nested(2), json!({})).await;
    assert_rejected(&app, &nested(3), json!({}), "depth", 2, 3).await;
    let fragment =
        "{ __type(name: \"Node\") { ...A } } fragment A on __Type { possibleTypes { ...B } }
        fragment B on __Type { interfaces { fields { name } } }";
    assert_rejected(&app, fragment, json!({}), "depth", 2, 3).await;
}

#[tokio::test]
async fn error_responses_to_bad_documents_are_short() {
    let app = app().await;
    let long = "x".repeat(100_000);
    for query in [
        format!("{{ {long} }}"),
        format!("{{ me {{ {long}: {long} }} }}"),
        format!("{{ me {{ {} }} }}", (0..600).map(|n| format!("nope{n} ")).collect::<String>()),
        format!("query(${long}: Int) {{ me {{ id }} }}"),
        format!("{{ tenant(slug: \"{long}\", nope: \"{long}\") {{ id }} }}"),
        format!("{{ me {{ id @{long} }} }}"),
        format!("{{ ...{long} }}"),
        format!("{{ user(id: \"{long}\") {{ id }} }}"),
        format!("\u{0}{{ {long}"),
        format!("{{ nodes(ids: [{}]) {{ id }} }}", "\"x\" ".repeat(1900)),
        format!("mutation {{ createTenant(input: {{slug: {long}}}) {{ tenant {{ id }} }} }}"),
    ] {
        let reply = send(&app, "application/json", &query, json!({})).await;
        assert!(!reply.codes().is_empty(), "{}", reply.body);
        assert!(reply.body.len() < 8 * 1024, "{} {}", &query[..60], reply.body.len());
    }
    let variables = json!({"id": long, "input": {long.as_str(): 1}});
    let query = "query($id: Int!, $input: TenantFilter) { tenants(first: $id, filter: $input) { totalCount } }";
    let reply = send(&app, "application/json", query, variables).await;
    assert_eq!(reply.codes().first(), Some(&"GRAPHQL_VALIDATION_FAILED"));
    assert!(reply.body.len() < 8 * 1024, "{}", reply.body.len());
}

/// The introspection query of GraphiQL and code generators.
const INTROSPECTION: &str = "query IntrospectionQuery { __schema {
    queryType { name } mutationType { name } subscriptionType { name }
    types { ...FullType } directives { name description locations args { ...InputValue } } } }
  fragment FullType on __Type { kind name description specifiedByURL
    fields(includeDeprecated: true) { name description args { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
    inputFields { ...InputValue } interfaces { ...TypeRef }
    enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
    possibleTypes { ...TypeRef } }
  fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
  fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name
    ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }";
