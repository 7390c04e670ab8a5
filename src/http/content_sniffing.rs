//! Forbids browsers to guess the type of a response from its content.

use axum::{
    http::{HeaderValue, header},
    response::Response,
};

/// Adds `X-Content-Type-Options: nosniff` to a response.
///
/// A response can contain text that a client chose, and a browser must not take that text for HTML or
/// a script.
pub(super) async fn forbid(mut response: Response) -> Response {
    let nosniff = HeaderValue::from_static("nosniff");
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    response
}
