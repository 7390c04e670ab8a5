//! Answers are compressed where the client takes that and it is worth it.

use std::io::Read;

use axum::{body::Body, http::Request};
use http_body_util::BodyExt;
use serde_json::json;

use crate::support::app::{App, Backend};

const LONG: &str = "{ __schema { types { name description fields { name description } } } }";

/// The answer's `Content-Encoding`, and its body as it was sent.
async fn ask(app: &App, accept: &str, query: &str) -> (Option<String>, Vec<u8>) {
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("accept-encoding", accept)
        .body(Body::from(json!({"query": query}).to_string()))
        .expect("a request");
    let response = app.respond(request).await;
    assert_eq!(response.status(), 200);
    let encoding = response.headers().get("content-encoding");
    let encoding = encoding.map(|value| value.to_str().expect("text").to_owned());
    (encoding, response.into_body().collect().await.expect("a body").to_bytes().to_vec())
}

#[tokio::test]
async fn a_long_answer_is_compressed_as_the_client_takes_it() {
    let app = App::on(Backend::Sqlite).await;
    let (encoding, plain) = ask(&app, "identity", LONG).await;
    assert_eq!(encoding, None);
    for (accept, chosen) in [("gzip", "gzip"), ("br", "br"), ("gzip;q=0.5, br", "br")] {
        let (encoding, sent) = ask(&app, accept, LONG).await;
        assert_eq!(encoding.as_deref(), Some(chosen), "{accept}");
        assert!(sent.len() * 3 < plain.len(), "{} of {}", sent.len(), plain.len());
        let mut read = Vec::new();
        let done = match chosen {
            "gzip" => flate2::read::GzDecoder::new(&*sent).read_to_end(&mut read),
            _ => brotli_decompressor::Decompressor::new(&*sent, 4096).read_to_end(&mut read),
        };
        done.expect("what was compressed");
        assert_eq!(read, plain, "{accept}");
    }
    assert_eq!(ask(&app, "zstd", LONG).await, (None, plain));
}

#[tokio::test]
async fn a_short_answer_stays_as_it_is() {
    let app = App::on(Backend::Sqlite).await;
    let (encoding, sent) = ask(&app, "gzip, br", "{ __typename }").await;
    assert_eq!((encoding, &*sent), (None, &br#"{"data":{"__typename":"Query"}}"#[..]));
}
