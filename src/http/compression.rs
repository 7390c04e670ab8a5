//! Compresses responses if the client accepts it and the size is worth it.
//!
//! The length of a compressed response can reveal a secret that stands beside text of an attacker's
//! choice (BREACH). The attack needs a browser that sends its user's credential with the attacker's
//! request. No page of another origin can cause that, because the credential is not a cookie.

use tower_http::{
    CompressionLevel,
    compression::{
        CompressionLayer,
        predicate::{And, NotForContentType, Predicate, SizeAbove},
    },
};

/// The smallest response that is compressed, in bytes. A shorter one fits into one packet anyway.
const MIN_BYTES: u16 = 1024;
/// The compression level for responses, which are compressed for a single use.
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
