//! The table of credentials over HTTP, in both forms of an answer.

use axum::{body::Body, http::Request};
use serde_json::{Value, json};
use tenantry::auth::token::AuthError;

use super::credential_cases::{self, Form};
use crate::support::app::{App, Backend, Reply};

const MEDIA: [&str; 2] = ["application/json", "application/graphql-response+json"];

async fn present(app: &App, form: &Form, accept: &str, by_get: bool) -> Reply {
    let builder = if by_get {
        Request::get("/graphql?query=%7Bme%7Bname%7D%7D")
    } else {
        Request::post("/graphql").header("content-type", "application/json")
    };
    let body = json!({"query": "{ me { name } }"}).to_string();
    let mut request = builder.header("accept", accept).header("x-request-id", "r-1");
    for value in &form.credentials {
        request = request.header("authorization", value);
    }
    let body = if by_get { Body::empty() } else { Body::from(body) };
    app.send(request.body(body).expect("a request")).await
}

/// What the client is told: the same for whatever was wrong, and nothing was run or read for it.
fn assert_refused(form: &Form, refused: AuthError, accept: &str, reply: &Reply) {
    let (status, challenge, message) = match refused {
        AuthError::MultipleCredentials => {
            (400, r#"Bearer error="invalid_request""#, "Send one credential.")
        }
        _ => (401, r#"Bearer error="invalid_token""#, "The token is not valid."),
    };
    let name = form.name;
    assert_eq!(reply.status, status, "{name}: {}", reply.body);
    assert_eq!(reply.header("www-authenticate"), Some(challenge), "{name}");
    assert!(reply.header("content-type").is_some_and(|given| given.starts_with(accept)), "{name}");
    let expected = json!({
        "errors": [{"message": message, "extensions": {"code": "UNAUTHENTICATED"}}],
        "extensions": {"requestId": "r-1"},
    });
    assert_eq!(reply.json, expected, "{name}");
    assert_eq!(reply.reads, 0, "{name}");
}

#[tokio::test]
async fn every_form_is_answered_alike_in_both_media() {
    let app = App::on(Backend::Sqlite).await;
    credential_cases::publish(&app.issuer);
    let forms = credential_cases::all(&app.issuer);
    assert!(forms.len() >= 80, "{}", forms.len());
    // The first form's key is not known yet, and brings all of them.
    let before = app.issuer.jwks_fetches();
    for accept in MEDIA {
        for by_get in [false, true] {
            for form in &forms {
                let reply = present(&app, form, accept, by_get).await;
                match form.outcome {
                    Ok(()) => {
                        assert_eq!(reply.status, 200, "{}", form.name);
                        assert_ne!(reply.data()["me"]["name"], Value::Null, "{}", form.name);
                    }
                    Err(refused) => assert_refused(form, refused, accept, &reply),
                }
            }
        }
    }
    assert_ne!(app.issuer.jwks_fetches(), before);
    counted(&app, &forms).await;
}

/// Each refusal is counted under its reason, and no acceptance is.
async fn counted(app: &App, forms: &[Form]) {
    let refused = forms.iter().filter_map(|form| form.outcome.err());
    let mut words: Vec<&str> = refused.map(AuthError::as_str).collect();
    words.sort_unstable();
    for of_reason in words.chunk_by(|a, b| a == b) {
        let line = format!("tenantry_auth_failures_total{{reason=\"{}\"}}", of_reason[0]);
        assert_eq!(app.metric(&line).await as usize, of_reason.len() * 4, "{line}");
    }
    let text = app.admin("/metrics").await.body;
    let lines = text.lines().filter(|line| line.starts_with("tenantry_auth_failures_total{"));
    assert_eq!(lines.count(), words.chunk_by(|a, b| a == b).count());
}

#[tokio::test]
async fn a_bad_credential_goes_before_a_bad_document() {
    let app = App::on(Backend::Sqlite).await;
    for body in ["{", "[]", r#"{"query":"{ nope }"}"#] {
        let request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("authorization", "Bearer x");
        let reply = app.send(request.body(Body::from(body)).expect("a request")).await;
        assert_eq!(reply.status, 401, "{body}");
    }
}
