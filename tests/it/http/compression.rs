//! Compression of responses: negotiated by `Accept-Encoding`, and only for long bodies.

use std::io::Read;

use axum::{body::Body, http::Request};
use http_body_util::BodyExt;
use serde_json::json;

use crate::support::app::{App, Backend};

const LONG_QUERY: &str = "{ __schema { types { name description fields { name description } } } }";

/// Returns the response's `Content-Encoding`, and its body as it was sent.
async fn fetch(app: &App, accept: &str, query: &str) -> (Option<String>, Vec<u8>) {
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
async fn long_response_is_compressed_with_a_coding_the_client_accepts() {
    let app = App::on(Backend::Sqlite).await;
    let (encoding, plain) = fetch(&app, "identity", LONG_QUERY).await;
    assert_eq!(encoding, None);
    for (accept, chosen) in [("gzip", "gzip"), ("br", "br"), ("gzip;q=0.5, br", "br")] {
        let (encoding, compressed) = fetch(&app, accept, LONG_QUERY).await;
        assert_eq!(encoding.as_deref(), Some(chosen), "{accept}");
        assert!(compressed.len() * 3 < plain.len(), "{} of {}", compressed.len(), plain.len());
        let mut decoded = Vec::new();
        let result = match chosen {
            "gzip" => flate2::read::GzDecoder::new(&*compressed).read_to_end(&mut decoded),
            _ => {
                brotli_decompressor::Decompressor::new(&*compressed, 4096).read_to_end(&mut decoded)
            }
        };
        result.expect("a body that can be decompressed");
        assert_eq!(decoded, plain, "{accept}");
    }
    assert_eq!(fetch(&app, "zstd", LONG_QUERY).await, (None, plain));
}

#[tokio::test]
async fn short_response_is_not_compressed() {
    let app = App::on(Backend::Sqlite).await;
    let (encoding, sent) = fetch(&app, "gzip, br", "{ __typename }").await;
    assert_eq!((encoding, &*sent), (None, &br#"{"data":{"__typename":"Query"}}"#[..]));
}
