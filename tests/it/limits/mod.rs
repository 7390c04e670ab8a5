//! The limits on documents: what is at one passes, what is over it is told by how much, and nothing
//! of it runs.

mod cost_upper_bound;

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

/// Refused by that limit, in both media types, before anything was read.
async fn refused(app: &App, query: &str, variables: Value, limit: &str, max: u64, actual: u64) {
    for (accept, status) in [("application/json", 200), ("application/graphql-response+json", 400)]
    {
        let reply = send(app, accept, query, variables.clone()).await;
        let start = &query[..query.len().min(200)];
        assert_eq!(reply.status, status, "{start} {}", reply.body);
        let told = &reply.json["errors"][0]["extensions"];
        let expected = json!([limit, max, actual, "LIMIT_EXCEEDED"]);
        assert_eq!(
            json!([told["limit"], told["max"], told["actual"], told["code"]]),
            expected,
            "{start}"
        );
        assert_eq!(reply.json.get("data"), None);
        assert_eq!(reply.reads, 0);
        assert!(reply.body.len() < 8 * 1024, "{}", reply.body.len());
    }
}

async fn passes(app: &App, query: &str, variables: Value) {
    let reply = send(app, "application/json", query, variables).await;
    let codes = reply.codes();
    assert!(
        !codes.contains(&"LIMIT_EXCEEDED"),
        "{} {}",
        &query[..query.len().min(200)],
        reply.body
    );
}

/// Fields one within the other, so many levels deep.
fn deep(levels: usize) -> String {
    let fields = ["me", "memberships", "tenant", "myMembership"];
    let mut query = String::new();
    for level in 1..levels {
        // `me`, then round and round among what may follow each other.
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
async fn depth_is_bounded() {
    let app = app().await;
    passes(&app, &deep(12), json!({})).await;
    refused(&app, &deep(13), json!({}), "depth", 12, 13).await;
    refused(&app, &deep(60), json!({}), "depth", 12, 60).await;
    // Fragments add nothing, and hide nothing.
    let spread = |levels| {
        let inner = deep(levels);
        let inner = inner.trim_start_matches("{ me ");
        format!("{{ ...R }} fragment R on Query {{ ... on Query {{ me {} }}", &inner[..inner.len()])
    };
    passes(&app, &spread(12), json!({})).await;
    refused(&app, &spread(13), json!({}), "depth", 12, 13).await;
    // Questions about the schema have a limit of their own.
    let of_type = |n: usize| {
        format!(
            "{{ __type(name: \"Tenant\") {{ {}name{} }} }}",
            "ofType { ".repeat(n),
            " }".repeat(n)
        )
    };
    passes(&app, &of_type(18), json!({})).await;
    refused(&app, &of_type(19), json!({}), "depth", 20, 21).await;
}

#[tokio::test]
async fn complexity_counts_pages_by_their_size() {
    let app = app().await;
    let page = "query($n: Int = 3) { tenants(first: $n) { nodes { id slug } } }";
    // 1 + n * (1 + 2), and a page of none as one of one.
    let within = |n: u64| 1 + n.max(1) * 3;
    for (variables, n) in [(json!({}), 3), (json!({"n": 100}), 100), (json!({"n": 0}), 0)] {
        let two = format!(
            "query($n: Int = 3) {{ tenants(first: 50) {{ nodes {{ members(first: 96) {{ nodes {{ id: role }} }} }} }} {} }}",
            "x: tenants(first: $n) { nodes { id slug } }"
        );
        // 1 + 50 * (1 + 1 + 96 * 2), and the page beside it: far over.
        let base = 1 + 50 * (1 + 1 + 96 * 2);
        refused(&app, &two, variables.clone(), "complexity", 5000, base + within(n)).await;
        passes(&app, page, variables).await;
    }
    // A page counts as at most 100, and as 20 where nobody says; a bare list as 20.
    let big = |first: &str| {
        format!(
            "{{ a: tenants({first}) {{ nodes {{ members(first: 48) {{ nodes {{ role }} }} }} }} }}"
        )
    };
    refused(&app, &big("first: 1000000"), json!({}), "complexity", 5000, 1 + 100 * (2 + 48 * 2))
        .await;
    passes(&app, &big("after: \"x\""), json!({})).await;
    let list =
        "{ me { memberships { tenant { members(first: 100) { nodes { since user { id } } } } } } }";
    refused(&app, list, json!({}), "complexity", 5000, 1 + 1 + 20 * (1 + 1 + 100 * 4)).await;
    // `nodes` by its identifiers, in a variable or not.
    let ids: Vec<String> = (0..100).map(|n| format!("ten_{n:024}")).collect();
    let by_ids = "query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Tenant { members(first: 16) { nodes { user { id } } } } } }";
    passes(&app, by_ids, json!({"ids": &ids[..90]})).await;
    refused(&app, by_ids, json!({"ids": ids}), "complexity", 5000, 1 + 100 * (2 + 16 * 3)).await;
    // What is skipped costs nothing, and what is included does.
    let skipped = "query($no: Boolean = false) { me { id } ...@include(if: $no) { tenants(first: 100) { nodes { members(first: 100) { nodes { role } } } } } }";
    passes(&app, skipped, json!({})).await;
    refused(&app, skipped, json!({"no": true}), "complexity", 5000, 2 + 1 + 100 * (2 + 200)).await;
    let skip = skipped.replace("@include", "@skip");
    passes(&app, &skip, json!({"no": true})).await;
    refused(&app, &skip, json!({}), "complexity", 5000, 2 + 1 + 100 * (2 + 200)).await;
}

#[tokio::test]
async fn fragments_are_measured_once_however_often_they_are_spread() {
    let app = app().await;
    // Each doubles the one below: 2^40 fields in a thousand bytes.
    let mut bomb = "{ me { ...F0 } }".to_owned();
    for n in 0..40 {
        bomb += &format!(" fragment F{n} on User {{ a: id ...F{0} ...F{0} }}", n + 1);
    }
    bomb += " fragment F40 on User { id }";
    // The same fields each time; merged, it is a small answer, and still one that costs to merge.
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
    // In circles, and of nothing.
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
async fn response_keys_of_one_field_are_bounded() {
    let app = app().await;
    let keys =
        |n: usize, field: &str| -> String { (0..n).map(|k| format!("k{k}: {field} ")).collect() };
    passes(&app, &format!("{{ me {{ {} }} }}", keys(30, "id")), json!({})).await;
    refused(&app, &format!("{{ me {{ {} }} }}", keys(31, "id")), json!({}), "aliases", 30, 31)
        .await;
    refused(
        &app,
        &format!("{{ me {{ {} }} }}", keys(31, "__typename")),
        json!({}),
        "aliases",
        30,
        31,
    )
    .await;
    refused(&app, &format!("{{ {} }}", keys(31, "__typename")), json!({}), "aliases", 30, 31).await;
    // One key is one, however often it is there; and over fragments they add up.
    let same = "id ".repeat(100);
    passes(&app, &format!("{{ me {{ {same} }} }}"), json!({})).await;
    let (a, b) = (keys(16, "id"), keys(20, "id").replace('k', "m"));
    let split = format!("{{ me {{ ...A ... {{ {b} }} }} }} fragment A on User {{ {a} }}");
    refused(&app, &split, json!({}), "aliases", 30, 36).await;
    // Also where the same object is asked for twice.
    let twice = format!("{{ x: me {{ {a} }} x: me {{ {b} }} }}");
    refused(&app, &twice, json!({}), "aliases", 30, 36).await;
    let apart = format!("{{ x: me {{ {a} }} y: me {{ {b} }} }}");
    passes(&app, &apart, json!({})).await;
}

#[tokio::test]
async fn root_fields_tokens_and_directives_are_bounded() {
    let app = app().await;
    let roots = |n: usize| -> String {
        let some = (0..n).map(|k| match k % 2 {
            0 => format!("k{k}: me {{ id }} "),
            _ => format!("k{k}: tenant(slug: \"x\") {{ id }} "),
        });
        format!("{{ __typename {} }}", some.collect::<String>())
    };
    passes(&app, &roots(20), json!({})).await;
    refused(&app, &roots(21), json!({}), "rootFields", 20, 21).await;
    let tokens = |n: usize| format!("{{ me {{ {} }} }}", "id ".repeat(n - 5));
    passes(&app, &tokens(2000), json!({})).await;
    refused(&app, &tokens(2001), json!({}), "tokens", 2000, 2001).await;
    // Before anything is parsed: this never was GraphQL.
    refused(&app, &"{".repeat(100_000), json!({}), "tokens", 2000, 100_000).await;
    let directives = |n: usize| format!("{{ me {{ id {} }} }}", "@skip(if: false) ".repeat(n));
    refused(&app, &directives(51), json!({}), "directives", 50, 51).await;
    let spread = (0..50).map(|k| format!("k{}: id @skip(if: false) ", k % 25)).collect::<String>();
    passes(&app, &format!("{{ me {{ {spread} }} }}"), json!({})).await;
    // A comment and a long text are no tokens more.
    passes(&app, &format!("{{ me {{ id }} }} # {}", "{ x } ".repeat(5000)), json!({})).await;
}

#[tokio::test]
async fn the_questions_of_tools_pass() {
    let app = app().await;
    let reply = send(&app, "application/json", INTROSPECTION, json!({})).await;
    assert_eq!(reply.codes(), [""; 0], "{}", &reply.body[..reply.body.len().min(500)]);
}

#[tokio::test]
async fn answers_to_bad_documents_are_short_and_echo_little() {
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

/// As GraphiQL and code generators send it.
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
