//! Forbids browsers to guess the type of a response from its content.

use axum::{
    http::{HeaderValue, header},
    response::Response,
};

/// The head field of every response.
const FIELD: &[u8] = b"x-content-type-options: nosniff\r\n";

/// Adds `X-Content-Type-Options: nosniff` to a response.
///
/// A response can contain text that a client chose, and a browser must not take that text for HTML or
/// a script.
pub(super) async fn forbid(mut response: Response) -> Response {
    let nosniff = HeaderValue::from_static("nosniff");
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    response
}

/// Adds the same field to the bytes of a response that hyper creates itself.
///
/// Returns `None` if the bytes do not begin with a status line.
pub(super) fn forbid_in(response: &[u8]) -> Option<Vec<u8>> {
    let end = response.windows(2).position(|window| window == b"\r\n")? + 2;
    let (status_line, rest) = response.split_at(end);
    status_line.starts_with(b"HTTP/1.1 ").then(|| [status_line, FIELD, rest].concat())
}
