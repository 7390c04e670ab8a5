//! The limits on variables. Undeclared variables have no effect, whatever they contain.

use axum::{body::Body, http::Request};
use serde_json::{Value, json};

use super::app;
use crate::support::app::{App, Reply};

const TENANT: &str = "query($slug: String!) { tenant(slug: $slug) { slug } }";

/// Sends a body as it is, without building its JSON.
async fn send_text(app: &App, body: String) -> Reply {
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("accept", "application/graphql-response+json")
        .header("authorization", format!("Bearer {}", app.token("ada", [])));
    app.send(request.body(Body::from(body)).expect("a request")).await
}

/// Sends a query with the text of its variables.
async fn send(app: &App, query: &str, variables: &str) -> Reply {
    let query = Value::from(query);
    send_text(app, format!(r#"{{"query":{query},"variables":{variables}}}"#)).await
}

#[track_caller]
fn assert_rejected(reply: &Reply, code: &str) {
    let excerpt = &reply.body[..reply.body.len().min(300)];
    assert_eq!((reply.status, reply.codes()), (400, vec![code]), "{excerpt}");
    assert_eq!((reply.reads, reply.json.get("data")), (0, None));
}

#[tokio::test]
async fn undeclared_variables_have_no_effect() {
    let app = app().await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let wide = format!("[{}[]]", "[],".repeat(60_000));
    let names = format!("{{{}\"v\":0}}", "\"v\":0,".repeat(30_000));
    for junk in [&*deep, &wide, &names, "1e999", r#""\ud800""#] {
        let variables = format!(r#"{{"a":{junk},"slug":"acme","b":{junk}}}"#);
        let variables = if variables.len() > 250_000 {
            format!(r#"{{"a":{junk},"slug":"acme"}}"#)
        } else {
            variables
        };
        assert_eq!(send(&app, TENANT, &variables).await.data()["tenant"]["slug"], "acme");
        // Other members of the body are ignored as well.
        for member in ["extensions", "other"] {
            let value =
                if member == "other" { junk.to_owned() } else { format!(r#"{{"a":{junk}}}"#) };
            let reply =
                send_text(&app, format!(r#"{{"query":"{{ me {{ id }} }}","{member}":{value}}}"#));
            assert!(reply.await.data()["me"]["id"].is_string(), "{member}");
        }
    }
    // A variable of another operation is undeclared.
    let document = format!(
        "{} query Other($a: [ID!]!) {{ nodes(ids: $a) {{ id }} }}",
        TENANT.replacen("query", "query First", 1)
    );
    let body = json!({"query": document, "operationName": "First", "variables": {"slug": "acme", "a": vec![0; 9000]}});
    assert_eq!(send_text(&app, body.to_string()).await.data()["tenant"]["slug"], "acme");
}

#[tokio::test]
async fn invalid_json_in_an_undeclared_variable_is_rejected() {
    let app = app().await;
    for junk in ["[", "[}", "{\"a\"}", "nul", "01", "\"\n\"", "\"\\x\"", "[1,]", "'a'"] {
        let reply = send(&app, TENANT, &format!(r#"{{"slug":"acme","a":{junk}}}"#)).await;
        assert_rejected(&reply, "BAD_USER_INPUT");
    }
    for variables in ["[]", "\"x\"", "1", "true"] {
        assert_rejected(&send(&app, TENANT, variables).await, "BAD_USER_INPUT");
    }
}

#[tokio::test]
async fn values_of_declared_variables_are_limited() {
    let app = app().await;
    let query = "query($ids: [ID!]!, $more: [ID!]!) { nodes(ids: $ids) { id } a: nodes(ids: $more) { id } }";
    // Each list is a value, too.
    let lists = |ids: usize, more: usize| json!({"ids": vec!["x"; ids], "more": vec!["x"; more]});
    for (variables, actual) in [
        (lists(1000, 999), 2001),
        (lists(0, 1999), 2001),
        (lists(30_000, 30_000), 60_002),
        (json!({"ids": {"a": [[], {}, {"b": vec![0; 2000]}]}, "more": null}), 2007),
    ] {
        let reply = send(&app, query, &variables.to_string()).await;
        assert_rejected(&reply, "LIMIT_EXCEEDED");
        let extensions = &reply.json["errors"][0]["extensions"];
        let expected = json!(["tokens", 2000, actual]);
        assert_eq!(json!([extensions["limit"], extensions["max"], extensions["actual"]]), expected);
    }
    let reply = send(&app, query, &lists(1000, 998).to_string()).await;
    assert_eq!(reply.codes().first(), Some(&"BAD_USER_INPUT"), "more than 100 identifiers");
}

#[tokio::test]
async fn depth_of_declared_variables_is_limited() {
    let app = app().await;
    let query = "query($filter: TenantFilter) { tenants(filter: $filter) { totalCount } }";
    let nested =
        |levels: usize| format!(r#"{{"filter":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
    for (levels, exceeds) in
        [(1, false), (32, false), (33, true), (127, true), (128, true), (1000, true)]
    {
        let reply = send(&app, query, &nested(levels)).await;
        assert_eq!(reply.codes(), ["GRAPHQL_VALIDATION_FAILED"]);
        assert_eq!(reply.body.contains("32 levels"), exceeds, "{}", reply.body);
    }
    let objects = format!(r#"{{"filter":{}1{}}}"#, "{\"a\":".repeat(1000), "}".repeat(1000));
    let reply = send(&app, query, &objects).await;
    assert_rejected(&reply, "GRAPHQL_VALIDATION_FAILED");
    assert!(reply.body.contains("32 levels"), "{}", reply.body);
    let list = format!(r#"{{"filter":{{"status":{}}}}}"#, r#"["ACTIVE"]"#);
    send(&app, query, &list).await.data();
}

#[tokio::test]
async fn declared_variables_without_a_json_value_are_rejected() {
    let app = app().await;
    for value in [r#""\ud800""#, "1e999", r#"[{"\ud800":1}]"#] {
        let reply = send(&app, TENANT, &format!(r#"{{"slug":{value}}}"#)).await;
        assert_rejected(&reply, "GRAPHQL_VALIDATION_FAILED");
    }
    let reply = send(&app, TENANT, r#"{"slug":"nope","slu\u0067":"acme"}"#).await;
    assert_eq!(reply.data()["tenant"]["slug"], "acme", "the last of two values counts");
    assert_rejected(&send(&app, TENANT, "null").await, "GRAPHQL_VALIDATION_FAILED");
}

/// Sends a query string whose variables are this text.
#[tokio::test]
async fn variables_of_a_query_string_have_the_same_limits() {
    let app = app().await;
    let send = async |variables: &str| {
        let parameters = [
            ("query", "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"),
            ("variables", variables),
        ];
        let query: String =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let request = Request::get(format!("/graphql?{query}"))
            .header("accept", "application/graphql-response+json")
            .header("authorization", format!("Bearer {}", app.token("ada", [])));
        app.send(request.body(Body::empty()).expect("a request")).await
    };
    let deep = format!(r#"{{"ids":[],"a":{}{}}}"#, "[".repeat(5000), "]".repeat(5000));
    assert_eq!(send(&deep).await.data()["nodes"], json!([]));
    let reply = send(&json!({"ids": vec![0; 2000]}).to_string()).await;
    assert_rejected(&reply, "LIMIT_EXCEEDED");
    assert_rejected(&send("[]").await, "BAD_USER_INPUT");
}

#[tokio::test]
async fn repeat_matches_its_idempotency_key_by_document_and_declared_variables() {
    let app = app().await;
    let query = json!(
        "mutation($input: CreateTenantInput!) { createTenant(input: $input) { tenant { id } } }"
    );
    let send = async |key: &str, body: String| {
        let request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("idempotency-key", key)
            .header("authorization", format!("Bearer {}", app.token("ada", [])));
        app.send(request.body(Body::from(body)).expect("a request")).await
    };
    let junk = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
    let first = format!(
        r#"{{"query":{query},"variables":{{"input":{{"slug":"one","name":"X"}},"a":{junk}}}}}"#
    );
    let created = send("k", first.clone()).await;
    created.data();
    let reordered = format!(
        r#"{{ "variables": {{ "a": 1, "input": {{"name": "\u0058", "slug": "one"}} }}, "extensions": {{}}, "query": {query} }}"#
    );
    for repeat in [first, reordered] {
        let replay = send("k", repeat).await;
        assert_eq!((replay.status, &replay.body, replay.writes), (200, &created.body, 0));
    }
    let other = format!(
        r#"{{"query":{query},"variables":{{"input":{{"slug":"one","name":"Y"}},"a":{junk}}}}}"#
    );
    let other = send("k", other).await;
    assert_eq!((other.status, other.codes()), (422, vec!["BAD_USER_INPUT"]));
}

#[tokio::test]
async fn length_of_a_string_is_limited_in_documents_and_variables() {
    let app = app().await;
    // The limit counts the quotes.
    for (length, is_valid) in [(4094, true), (4095, false), (200_000, false)] {
        let text = "x".repeat(length);
        let in_variable = json!({"slug": text}).to_string();
        let literal = format!("{{ tenant(slug: \"{text}\") {{ slug }} }}");
        let default = TENANT.replace("String!", &format!("String! = \"{text}\""));
        let name = json!({"filter": {text.as_str(): 1}}).to_string();
        let list = "query($filter: TenantFilter) { tenants(filter: $filter) { totalCount } }";
        for reply in [
            send(&app, TENANT, &in_variable).await,
            send(&app, &literal, "{}").await,
            send(&app, &default, "{}").await,
        ] {
            match is_valid {
                true => assert_eq!(reply.data()["tenant"], Value::Null),
                false => assert_rejected(&reply, "GRAPHQL_VALIDATION_FAILED"),
            }
        }
        assert_rejected(&send(&app, list, &name).await, "GRAPHQL_VALIDATION_FAILED");
        // An undeclared variable has no limit.
        let undeclared = json!({"slug": "acme", "text": text}).to_string();
        assert_eq!(send(&app, TENANT, &undeclared).await.data()["tenant"]["slug"], "acme");
    }
}
