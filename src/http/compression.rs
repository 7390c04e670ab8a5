//! Answers are compressed, where the client takes that and it is worth it.
//!
//! A secret beside text of an attacker's choice could be guessed by the length of what is
//! compressed. For that he has to make a browser ask with its user's credential, which no page of
//! another origin can: it is no cookie.

use tower_http::{
    CompressionLevel,
    compression::{
        CompressionLayer,
        predicate::{And, NotForContentType, Predicate, SizeAbove},
    },
};

/// Below this many bytes an answer fits into one packet as it is.
const MIN_BYTES: u16 = 1024;
/// For what is sent once: brotli's own default, 11, is for files that are compressed once and sent often.
const LEVEL: CompressionLevel = CompressionLevel::Precise(4);

/// Brotli or gzip, as the client prefers; never of an event stream, whose events would wait for
/// more to compress.
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

    async fn encoding(content_type: &'static str) -> Option<HeaderValue> {
        let answer = service_fn(move |_: Request<Body>| async move {
            let answer = Response::builder().header(header::CONTENT_TYPE, content_type);
            answer.body(Body::from("data: {}\n\n".repeat(1000)))
        });
        let request = Request::builder().header(header::ACCEPT_ENCODING, "gzip, br");
        let request = request.body(Body::empty()).expect("a request");
        let answer = layer().layer(answer).oneshot(request).await.expect("an answer");
        answer.headers().get(header::CONTENT_ENCODING).cloned()
    }

    #[tokio::test]
    async fn an_event_stream_is_left_alone() {
        assert_eq!(encoding("text/event-stream").await, None);
        assert_eq!(encoding("application/json").await, Some(HeaderValue::from_static("br")));
    }
}
