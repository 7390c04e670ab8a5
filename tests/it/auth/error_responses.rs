//! The table of credentials over HTTP, with both media types of a response.

use axum::{body::Body, http::Request};
use serde_json::{Value, json};
use tenantry::auth::token::AuthError;

use super::credential_cases::{self, CASE_COUNT, CredentialCase};
use crate::support::app::{App, Backend, Reply};

const MEDIA_TYPES: [&str; 2] = ["application/json", "application/graphql-response+json"];

async fn present(app: &App, case: &CredentialCase, accept: &str, use_get: bool) -> Reply {
    let builder = if use_get {
        Request::get("/graphql?query=%7Bme%7Bname%7D%7D")
    } else {
        Request::post("/graphql").header("content-type", "application/json")
    };
    let body = json!({"query": "{ me { name } }"}).to_string();
    let mut request = builder.header("accept", accept).header("x-request-id", "r-1");
    for value in &case.credentials {
        request = request.header("authorization", value);
    }
    let body = if use_get { Body::empty() } else { Body::from(body) };
    app.send(request.body(body).expect("a request")).await
}

/// Asserts that all invalid tokens get the same response, and that the store was not read.
fn assert_rejected(case: &CredentialCase, error: AuthError, accept: &str, reply: &Reply) {
    let (status, challenge, message) = match error {
        AuthError::MultipleCredentials => {
            (400, r#"Bearer error="invalid_request""#, "Send one credential.")
        }
        _ => (401, r#"Bearer error="invalid_token""#, "The token is not valid."),
    };
    let name = case.name;
    assert_eq!(reply.status, status, "{name}: {}", reply.body);
    assert_eq!(reply.header("www-authenticate"), Some(challenge), "{name}");
    assert!(reply.header("content-type").is_some_and(|value| value.starts_with(accept)), "{name}");
    let expected = json!({
        "errors": [{"message": message, "extensions": {"code": "UNAUTHENTICATED"}}],
        "extensions": {"requestId": "r-1"},
    });
    assert_eq!(reply.json, expected, "{name}");
    assert_eq!(reply.reads, 0, "{name}");
}

#[tokio::test]
async fn every_case_gets_the_same_response_in_both_media_types() {
    let app = App::on(Backend::Sqlite).await;
    credential_cases::publish_keys(&app.issuer);
    let cases = credential_cases::all_cases(&app.issuer);
    assert_eq!(cases.len(), CASE_COUNT);
    // The key of the first case is not known yet. It causes the fetch of all published keys.
    let fetches_before = app.issuer.jwks_fetches();
    for accept in MEDIA_TYPES {
        for use_get in [false, true] {
            for case in &cases {
                let reply = present(&app, case, accept, use_get).await;
                match case.outcome {
                    Ok(()) => {
                        assert_eq!(reply.status, 200, "{}", case.name);
                        assert_ne!(reply.data()["me"]["name"], Value::Null, "{}", case.name);
                    }
                    Err(error) => assert_rejected(case, error, accept, &reply),
                }
            }
        }
    }
    assert_ne!(app.issuer.jwks_fetches(), fetches_before);
    assert_failures_are_counted(&app, &cases).await;
}

/// Asserts that each rejection is counted under its reason, and that accepted credentials are not.
async fn assert_failures_are_counted(app: &App, cases: &[CredentialCase]) {
    let errors = cases.iter().filter_map(|case| case.outcome.err());
    let mut reasons: Vec<&str> = errors.map(AuthError::as_str).collect();
    reasons.sort_unstable();
    // Each case is presented four times: by GET and by POST, with two media types.
    for same_reason in reasons.chunk_by(|a, b| a == b) {
        let line = format!("tenantry_auth_failures_total{{reason=\"{}\"}}", same_reason[0]);
        assert_eq!(app.metric(&line).await as usize, same_reason.len() * 4, "{line}");
    }
    let text = app.admin("/metrics").await.body;
    let lines = text.lines().filter(|line| line.starts_with("tenantry_auth_failures_total{"));
    assert_eq!(lines.count(), reasons.chunk_by(|a, b| a == b).count());
}

#[tokio::test]
async fn invalid_credential_is_reported_before_an_invalid_document() {
    let app = App::on(Backend::Sqlite).await;
    for body in ["{", "[]", r#"{"query":"{ nope }"}"#] {
        let request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("authorization", "Bearer x");
        let reply = app.send(request.body(Body::from(body)).expect("a request")).await;
        assert_eq!(reply.status, 401, "{body}");
    }
}
