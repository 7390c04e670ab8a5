//! Assigns an identifier to every request.
//!
//! The response has the identifier in its header `x-request-id`, and every log line of the request
//! has it as a field.

use axum::{
    extract::Request,
    http::{Extensions, HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};

/// The header of the identifier, in requests and responses.
const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The identifier of a request: 1 to 128 characters of `A-Za-z0-9._-`.
#[derive(Clone, Debug)]
pub(super) struct RequestId(pub(super) String);

impl RequestId {
    /// Returns the identifier of a request, or an empty text if [`layer`] did not run.
    pub(super) fn from_extensions(extensions: &Extensions) -> &str {
        extensions.get::<Self>().map_or("", |Self(id)| id)
    }
}

/// Uses the identifier in the request's header if it is valid, and generates one otherwise.
pub(super) async fn layer(mut request: Request, next: Next) -> Response {
    let id = from_headers(request.headers()).unwrap_or_else(generate);
    let header = HeaderValue::from_str(&id);
    request.extensions_mut().insert(RequestId(id));
    let mut response = next.run(request).await;
    if let Ok(header) = header {
        response.headers_mut().insert(HEADER, header);
    }
    response
}

fn from_headers(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(HEADER)?.to_str().ok()?;
    let is_valid = (1..=128).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    is_valid.then(|| id.to_owned())
}

/// Generates an identifier.
pub(super) fn generate() -> String {
    let mut bytes = [0_u8; 16];
    // Without random bytes the identifier is not unique, which is not worth rejecting the request.
    let _ = getrandom::fill(&mut bytes);
    hex::encode(bytes)
}
