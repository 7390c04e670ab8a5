//! Rejects requests whose `Host` header does not conform to HTTP/1.1 (RFC 9112, section 3.2).

use axum::{
    extract::Request,
    http::{HeaderMap, Version, header, uri::Authority},
    middleware::Next,
    response::Response,
};

use super::error::{ErrorFormat, HttpError};

/// Responds with 400 unless the request has exactly one valid `Host` header.
///
/// HTTP/1.0 and HTTP/2 permit a request without the header.
pub(super) async fn layer(request: Request, next: Next) -> Response {
    if is_valid(request.version(), request.headers()) {
        return next.run(request).await;
    }
    let format = ErrorFormat::from_request(request.headers(), request.extensions());
    format.render(HttpError::bad_request("Send exactly one valid `Host` header."))
}

fn is_valid(version: Version, headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::HOST).iter();
    match (values.next(), values.next()) {
        (None, _) => version != Version::HTTP_11,
        (Some(host), None) => host.to_str().is_ok_and(is_host),
        (Some(_), Some(_)) => false,
    }
}

/// Returns whether a text is a host with an optional port. It may be empty (RFC 9110, section 7.2).
fn is_host(text: &str) -> bool {
    text.is_empty() || (text.parse::<Authority>().is_ok() && !text.contains('@'))
}
