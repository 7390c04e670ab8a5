//! Broken documents and bodies are the client's errors: none of them gets a status of 500 or more, or
//! the code `INTERNAL`.

use std::path::Path;

use axum::{body::Body, http::Request};
use serde_json::json;

use super::app;
use crate::support::app::{App, Reply};

/// The number of variants of each example.
const CUTS: usize = 24;

async fn send_body(app: &App, token: &str, body: Vec<u8>) -> Reply {
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {token}"));
    app.send(request.body(Body::from(body)).expect("a request")).await
}

#[track_caller]
fn assert_client_error(reply: &Reply, body: &[u8]) {
    let body = String::from_utf8_lossy(&body[..body.len().min(300)]).into_owned();
    assert!(reply.status < 500, "{body}: {}", reply.body);
    assert!(reply.json.is_object(), "{body}: {}", reply.body);
    let internal = ["INTERNAL", "UNAVAILABLE", "TIMEOUT", "none"];
    assert!(reply.codes().iter().all(|code| !internal.contains(code)), "{body}: {}", reply.body);
}

/// Returns the documents of the playground.
fn examples() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("playground/examples");
    let files =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path());
    let mut documents: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "graphql"))
        .collect();
    documents.sort();
    documents.iter().map(|path| std::fs::read_to_string(path).expect("text")).collect()
}

/// Breaks a document at a position: cuts it off, removes a character, and inserts others.
fn broken_at(document: &str, position: usize) -> Vec<String> {
    let at = document.char_indices().map(|(at, _)| at).nth(position).unwrap_or(document.len());
    let (before, after) = document.split_at(at);
    let mut rest = after.chars();
    rest.next();
    let mut broken = vec![before.to_owned(), format!("{before}{}", rest.as_str())];
    for inserted in
        ["\u{0}", "\"", "{", "}", "@", "$", "...", "\"\"\"", "\u{feff}", "999999999999999999999"]
    {
        broken.push(format!("{before}{inserted}{after}"));
    }
    broken
}

#[tokio::test]
async fn broken_documents_are_client_errors() {
    let app = app().await;
    let token = app.token("mallory", []);
    let mut sent = 0;
    for document in examples() {
        let length = document.chars().count();
        for position in (0..CUTS).map(|n| n * length / CUTS) {
            for broken in broken_at(&document, position) {
                let body = json!({"query": broken}).to_string().into_bytes();
                assert_client_error(&send_body(&app, &token, body.clone()).await, &body);
                sent += 1;
            }
        }
    }
    assert!(sent > 1_000, "{sent}");
}

#[tokio::test]
async fn broken_bodies_are_client_errors() {
    let app = app().await;
    let token = app.token("mallory", []);
    let valid = json!({
        "query": "query A($id: ID!) { user(id: $id) { id } }", "operationName": "A",
        "variables": {"id": "usr_x"}, "extensions": {"persistedQuery": {"version": 1}},
    });
    let text = valid.to_string().into_bytes();
    let mut bodies: Vec<Vec<u8>> = (0..text.len()).map(|n| text[..n].to_vec()).collect();
    for n in 0..text.len() {
        for value in [b'"', b'{', 0, 0xff] {
            let mut changed = text.clone();
            changed[n] = value;
            bodies.push(changed);
        }
    }
    for name in ["query", "operationName", "variables", "extensions"] {
        for value in [json!(null), json!(1), json!([]), json!({}), json!("x"), json!(1e308)] {
            let mut changed = valid.clone();
            changed[name] = value;
            bodies.push(changed.to_string().into_bytes());
        }
    }
    bodies.push([b"[".repeat(100_000), b"]".repeat(100_000)].concat());
    bodies.push(
        format!("{{\"query\":\"{{me{{id}}}}\",\"variables\":{}", "{\"a\":".repeat(30_000))
            .into_bytes(),
    );
    for body in bodies {
        assert_client_error(&send_body(&app, &token, body.clone()).await, &body);
    }
}
