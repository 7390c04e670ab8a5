//! Compresses long responses for clients that accept it.
//!
//! The length of a compressed response can reveal a secret in it if an attacker controls another part
//! of the response (BREACH). The attack needs a browser that adds its user's credential to the
//! attacker's requests. A browser does not do that here, because the credential is not a cookie.

use tower_http::{
    CompressionLevel,
    compression::{
        CompressionLayer,
        predicate::{And, NotForContentType, Predicate, SizeAbove},
    },
};

/// The smallest response that is compressed, in bytes. A shorter one fits into one packet anyway.
const MIN_BYTES: u16 = 1024;
/// The compression level for responses, each of which is compressed and sent once.
///
/// Brotli's own default, 11, suits files that are compressed once and sent often.
const LEVEL: CompressionLevel = CompressionLevel::Precise(4);

/// Returns the layer that applies brotli or gzip, whichever the client prefers.
///
/// Event streams are not compressed: each event would wait in the compressor for further data.
pub(super) fn layer() -> CompressionLayer<And<SizeAbove, NotForContentType>> {
    CompressionLayer::new()
        .quality(LEVEL)
        .compress_when(SizeAbove::new(MIN_BYTES).and(NotForContentType::SSE))
}

#[cfg(test)]
mod tests {
    use axum::{
        body::Body,
        http::{HeaderValue, Request, Response, header},
    };
    use tower::{Layer, ServiceExt, service_fn};

    use super::*;

    async fn content_encoding(content_type: &'static str) -> Option<HeaderValue> {
        let service = service_fn(move |_: Request<Body>| async move {
            let response = Response::builder().header(header::CONTENT_TYPE, content_type);
            response.body(Body::from("data: {}\n\n".repeat(1000)))
        });
        let request = Request::builder().header(header::ACCEPT_ENCODING, "gzip, br");
        let request = request.body(Body::empty()).expect("valid request");
        let response = layer().layer(service).oneshot(request).await.expect("valid response");
        response.headers().get(header::CONTENT_ENCODING).cloned()
    }

    #[tokio::test]
    async fn event_stream_is_not_compressed() {
        assert_eq!(content_encoding("text/event-stream").await, None);
        assert_eq!(
            content_encoding("application/json").await,
            Some(HeaderValue::from_static("br"))
        );
    }
}
