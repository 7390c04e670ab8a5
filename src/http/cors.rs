//! Allows pages of other origins to send GraphQL requests (CORS).
//!
//! `Access-Control-Allow-Credentials` is never sent. A page sets the `Authorization` header itself, so
//! the browser has no credential to add.

use std::time::Duration;

use axum::http::{HeaderName, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

pub use crate::domain::cors::AllowedOrigins;

/// The time for which a browser may cache the response to a preflight request.
const MAX_AGE: Duration = Duration::from_secs(60 * 60);

/// Returns the CORS layer, or `None` if no other origin is allowed.
pub(super) fn layer(allowed_origins: &AllowedOrigins) -> Option<CorsLayer> {
    let allow_origin = match allowed_origins {
        AllowedOrigins::Any => AllowOrigin::any(),
        AllowedOrigins::List(origins) if origins.is_empty() => return None,
        AllowedOrigins::List(origins) => AllowOrigin::list(origins.iter().cloned()),
    };
    let request_id = HeaderName::from_static("x-request-id");
    let layer = CorsLayer::new()
        .allow_origin(allow_origin)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([
            header::CONTENT_TYPE,
            header::AUTHORIZATION,
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("last-event-id"),
            request_id.clone(),
        ])
        .expose_headers([request_id, header::RETRY_AFTER])
        .max_age(MAX_AGE);
    Some(layer)
}
