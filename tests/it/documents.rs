//! Requests that reference a document instead of sending it: automatic persisted queries and
//! trusted documents.

use axum::{body::Body, http::Request};
use serde_json::{Value, json};
use tenantry::{domain::trusted_documents::TrustedDocumentsMode, graphql::TrustedDocuments};

use crate::support::{
    app::{App, Backend, Reply, Setup},
    world::World,
};

/// A document and its SHA-256 digest.
const TYPENAME: (&str, &str) =
    ("{ __typename }", "7f56e67dd21ab3f30d1ff8b7bed08893f0a0db86449836189b361dd1e56ddb4b");
const NAME: &str = "{ me { name } }";

async fn app(documents: Option<(&'static str, TrustedDocumentsMode)>) -> App {
    let app = App::with(Backend::Sqlite, Setup { documents, ..Setup::default() }).await;
    World::new(&app).await;
    app
}

async fn send(app: &App, body: Value) -> Reply {
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {}", app.token("bob", [])));
    app.send(request.body(Body::from(body.to_string())).expect("a request")).await
}

async fn get(app: &App, parameters: &[(&str, &str)]) -> Reply {
    let query =
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    let request = Request::get(format!("/graphql?{query}"))
        .header("authorization", format!("Bearer {}", app.token("bob", [])));
    app.send(request.body(Body::empty()).expect("a request")).await
}

fn by_hash(hash: &str) -> Value {
    json!({"persistedQuery": {"version": 1, "sha256Hash": hash}})
}

fn message(reply: &Reply) -> &str {
    reply.json["errors"][0]["message"].as_str().unwrap_or("none")
}

#[tokio::test]
async fn registered_document_is_found_by_its_hash() {
    let app = app(None).await;
    let (text, hash) = TYPENAME;
    let unknown = send(&app, json!({"extensions": by_hash(hash)})).await;
    assert_eq!(message(&unknown), "PersistedQueryNotFound");
    let mismatch = send(&app, json!({"query": NAME, "extensions": by_hash(hash)})).await;
    assert_eq!(mismatch.codes(), ["BAD_USER_INPUT"]);
    let lookup = send(&app, json!({"extensions": by_hash(hash)})).await;
    assert_eq!(
        message(&lookup),
        "PersistedQueryNotFound",
        "a document is never registered under the hash of another one"
    );
    let registered = send(&app, json!({"query": text, "extensions": by_hash(hash)})).await;
    assert_eq!(registered.data(), &json!({"__typename": "Query"}));
    let by_hash_alone = send(&app, json!({"extensions": by_hash(hash)})).await;
    assert_eq!(by_hash_alone.data(), registered.data());
    let extensions = by_hash(hash).to_string();
    assert_eq!(get(&app, &[("extensions", &extensions)]).await.data(), registered.data());
    for hash in ["", "x", &hash[1..], &format!("{hash}00")] {
        let reply = send(&app, json!({"query": text, "extensions": by_hash(hash)})).await;
        assert_eq!(reply.codes(), ["BAD_USER_INPUT"], "{hash}");
    }
    // Text that is not a document is not registered, even if its hash matches.
    let invalid = "d70c168da7f728e73f2d9a02b79d45f7d28576a5f07292caa475b8ff4a2ebdf4";
    let rejected = send(&app, json!({"query": "{ me {", "extensions": by_hash(invalid)})).await;
    assert_eq!(rejected.codes(), ["GRAPHQL_PARSE_FAILED"]);
    let lookup = send(&app, json!({"extensions": by_hash(invalid)})).await;
    assert_eq!(message(&lookup), "PersistedQueryNotFound");
    for body in
        [json!({}), json!({"extensions": {}}), json!({"variables": {}}), json!({"query": null})]
    {
        assert_eq!(send(&app, body.clone()).await.status, 400, "{body}");
    }
}

#[tokio::test]
async fn trusted_document_is_found_by_its_identifier() {
    let manifest = r#"{"name-1": "{ me { name } }", "7f56e67dd21ab3f30d1ff8b7bed08893f0a0db86449836189b361dd1e56ddb4b": "{ __typename }"}"#;
    let app = app(Some((manifest, TrustedDocumentsMode::Off))).await;
    let (_, hash) = TYPENAME;
    for body in [
        json!({"documentId": "name-1"}),
        json!({"doc_id": "name-1", "variables": {}}),
        json!({"documentId": "name-1", "operationName": ""}),
    ] {
        assert_eq!(send(&app, body).await.data(), &json!({"me": {"name": "Bob"}}));
    }
    assert_eq!(get(&app, &[("documentId", "name-1")]).await.data()["me"]["name"], "Bob");
    for body in [
        json!({"documentId": hash}),
        json!({"documentId": format!("sha256:{hash}")}),
        json!({"extensions": by_hash(hash)}),
    ] {
        assert_eq!(send(&app, body).await.data(), &json!({"__typename": "Query"}));
    }
    assert_eq!(send(&app, json!({"documentId": "nope"})).await.codes(), ["BAD_USER_INPUT"]);
    // Manifests of GraphQL Code Generator have the name of the digest in their keys.
    let manifest = r#"{"sha256:7f56e67dd21ab3f30d1ff8b7bed08893f0a0db86449836189b361dd1e56ddb4b": "{ __typename }"}"#;
    let prefixed = self::app(Some((manifest, TrustedDocumentsMode::Enforce))).await;
    for body in [json!({"documentId": hash}), json!({"extensions": by_hash(hash)})] {
        assert_eq!(send(&prefixed, body).await.data(), &json!({"__typename": "Query"}));
    }
    let both = send(&app, json!({"documentId": "name-1", "query": NAME})).await;
    assert_eq!(both.codes(), ["BAD_USER_INPUT"]);
    assert_eq!(
        send(&app, json!({"query": "{ __typename }"})).await.codes(),
        [""; 0],
        "a document outside the manifest"
    );
}

#[tokio::test]
async fn only_trusted_documents_are_executed_in_enforce_mode() {
    let manifest = r#"{"format": "apollo-persisted-query-manifest", "version": 1,
        "operations": [{"id": "a", "name": "Name", "type": "query", "body": "{ me { name } }"}]}"#;
    let enforcing = app(Some((manifest, TrustedDocumentsMode::Enforce))).await;
    let (text, hash) = TYPENAME;
    assert_eq!(send(&enforcing, json!({"documentId": "a"})).await.data()["me"]["name"], "Bob");
    assert_eq!(
        send(&enforcing, json!({"query": NAME})).await.data()["me"]["name"],
        "Bob",
        "a trusted document sent as text"
    );
    for body in [
        json!({"query": text}),
        json!({"query": "{ me { name }}"}),
        json!({"query": text, "extensions": by_hash(hash)}),
    ] {
        let reply = send(&enforcing, body.clone()).await;
        assert_eq!((reply.codes(), reply.reads), (vec!["FORBIDDEN"], 0), "{body}");
    }
    let reply = send(&enforcing, json!({"extensions": by_hash(hash)})).await;
    assert_eq!(message(&reply), "PersistedQueryNotFound");
    let reporting = app(Some((manifest, TrustedDocumentsMode::Report))).await;
    assert_eq!(send(&reporting, json!({"query": text})).await.codes(), [""; 0]);
    let register = json!({"query": text, "extensions": by_hash(hash)});
    assert_eq!(send(&reporting, register).await.codes(), [""; 0]);
}

#[test]
fn invalid_manifest_is_rejected_with_a_reason() {
    for (json, reason) in [
        ("", "expected JSON"),
        ("[]", "expected JSON"),
        (r#"{"a": 1}"#, "expected JSON"),
        (r#"{"a": "{ me { name }"}"#, "\"a\" is not valid GraphQL"),
    ] {
        let error = TrustedDocuments::parse(json, TrustedDocumentsMode::Off).expect_err(json);
        assert!(error.contains(reason) && !error.contains('\n'), "{json} {error}");
    }
    assert!(
        TrustedDocuments::parse("{}", TrustedDocumentsMode::Off)
            .expect("an empty manifest")
            .is_empty()
    );
}

/// A document is parsed once. Later requests may use other variables and another operation.
#[tokio::test]
async fn cached_document_executes_with_new_variables_and_operation() {
    let app = app(None).await;
    let query = "query A($slug: String = \"acme\", $no: Boolean = false) { tenant(slug: $slug) { slug name @include(if: $no) } }
        query B { me { name } }";
    for _ in 0..2 {
        let a = send(&app, json!({"query": query, "operationName": "A"})).await;
        assert_eq!(a.data(), &json!({"tenant": {"slug": "acme"}}));
        let variables = json!({"slug": "initech", "no": true});
        let a =
            send(&app, json!({"query": query, "operationName": "A", "variables": variables})).await;
        assert_eq!(a.data(), &json!({"tenant": {"slug": "initech", "name": "Initech"}}));
        let b = send(&app, json!({"query": query, "operationName": "B"})).await;
        assert_eq!(b.data(), &json!({"me": {"name": "Bob"}}));
        let none = send(&app, json!({"query": query})).await;
        assert_eq!(none.codes(), ["GRAPHQL_VALIDATION_FAILED"]);
        let many = json!({"query": "query($n: Int!) { tenants(first: $n) { nodes { members(first: 90) { nodes { role } } } } }",
            "variables": {"n": 100}});
        assert_eq!(send(&app, many).await.codes(), ["LIMIT_EXCEEDED"]);
        let few = json!({"query": "query($n: Int!) { tenants(first: $n) { nodes { members(first: 90) { nodes { role } } } } }",
            "variables": {"n": 1}});
        assert_eq!(send(&app, few).await.codes(), [""; 0], "the same document with a smaller page");
    }
}
