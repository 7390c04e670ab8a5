//! Assigns an identifier to every request.
//!
//! Every response carries the identifier, and so does every log line of the request.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};

/// The header of the identifier, in requests and responses.
const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The identifier of a request: 1 to 128 characters of `A-Za-z0-9._-`.
#[derive(Clone, Debug)]
pub(super) struct RequestId(pub(super) String);

/// Takes the identifier from the request if it is valid, and generates one otherwise.
pub(super) async fn layer(mut request: Request, next: Next) -> Response {
    let id = from_headers(request.headers()).unwrap_or_else(random);
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
    let valid = (1..=128).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    valid.then(|| id.to_owned())
}

fn random() -> String {
    let mut bytes = [0_u8; 16];
    // Without random bytes the identifier is not unique. That does not justify failing the request.
    let _ = getrandom::fill(&mut bytes);
    hex::encode(bytes)
}
