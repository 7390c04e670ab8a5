//! Which pages of other origins may ask (CORS).
//!
//! Credentials mode is never allowed: a credential here is a header that a page sets itself, so a
//! browser has nothing to add to a request.

use std::time::Duration;

use axum::http::{HeaderName, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

pub use crate::domain::cors::AllowedOrigins;

/// How long a browser may go by a preflight's answer.
const MAX_AGE: Duration = Duration::from_secs(60 * 60);

/// What answers preflights and marks answers; nothing where no other origin may ask.
pub(super) fn layer(origins: &AllowedOrigins) -> Option<CorsLayer> {
    let origins = match origins {
        AllowedOrigins::Any => AllowOrigin::any(),
        AllowedOrigins::List(none) if none.is_empty() => return None,
        AllowedOrigins::List(these) => AllowOrigin::list(these.iter().cloned()),
    };
    let request_id = HeaderName::from_static("x-request-id");
    let layer = CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([
            header::CONTENT_TYPE,
            header::AUTHORIZATION,
            HeaderName::from_static("idempotency-key"),
            request_id.clone(),
        ])
        .expose_headers([request_id, header::RETRY_AFTER])
        .max_age(MAX_AGE);
    Some(layer)
}
