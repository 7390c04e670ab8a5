//! Renders GraphQL responses as HTTP responses.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::media::MediaType;
use crate::{
    access::Session,
    graphql::{Code, GraphQlResponse},
};

/// The largest number of error codes that one log line lists.
const MAX_LOGGED_CODES: usize = 5;
/// The code in logs and metrics of a response without errors.
pub(super) const OK: &str = "OK";
/// The code in logs and metrics of a replayed response.
///
/// The log line of the original request has the codes of the stored response.
const REPLAYED: &str = "REPLAYED";

/// The store operations that one request has caused.
///
/// The response carries it as an extension. It is not sent to the client: logs and tests read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreCost {
    /// The number of reads of the store.
    pub store_reads: u32,
    /// The number of committed changes of documents.
    pub store_writes: u32,
}

impl StoreCost {
    /// The cost of a request that does not reach the store.
    pub(super) const ZERO: Self = Self { store_reads: 0, store_writes: 0 };

    /// Returns the operations that a session has counted so far.
    pub(super) fn from_session(session: &Session) -> Self {
        Self { store_reads: session.reads(), store_writes: session.writes() }
    }
}

/// The error codes of a GraphQL response.
///
/// They are an extension of the HTTP response. Pages and files do not have this extension.
#[derive(Clone, Debug, Default)]
pub(super) struct ResponseCodes {
    /// The distinct codes of the errors, or `None` for a replayed response.
    codes: Option<Vec<&'static str>>,
}

impl ResponseCodes {
    /// Collects the distinct codes, up to [`MAX_LOGGED_CODES`].
    pub(super) fn new<'a>(codes: impl Iterator<Item = &'a str>) -> Self {
        let mut distinct: Vec<&'static str> = Vec::new();
        for code in codes.filter_map(Code::parse).map(Code::as_str) {
            if distinct.len() < MAX_LOGGED_CODES && !distinct.contains(&code) {
                distinct.push(code);
            }
        }
        Self { codes: Some(distinct) }
    }

    /// Marks a response that was stored for its `Idempotency-Key`.
    pub(super) const fn replayed() -> Self {
        Self { codes: None }
    }

    /// Returns the one code for the metrics.
    ///
    /// Errors of the gateway take precedence over errors that the client caused.
    pub(super) fn primary_code(&self) -> &'static str {
        let Some(codes) = &self.codes else { return REPLAYED };
        let gateway_errors = [Code::Internal.as_str(), Code::Unavailable.as_str()];
        let gateway_error = gateway_errors.into_iter().find(|code| codes.contains(code));
        gateway_error.or(codes.first().copied()).unwrap_or(OK)
    }

    /// Returns the codes for the log: all of them if there are several, otherwise the primary one.
    pub(super) fn log_codes(&self) -> String {
        match self.codes.as_deref() {
            Some(codes) if codes.len() > 1 => codes.join(" "),
            _ => self.primary_code().to_owned(),
        }
    }
}

/// Renders a GraphQL response in the negotiated media type.
pub(super) fn render_response(
    response: &GraphQlResponse,
    media_type: MediaType,
    cost: StoreCost,
) -> Response {
    let Ok(body) = response.to_json() else {
        // Unreachable in practice: every part of a response can be serialized as JSON.
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let codes = ResponseCodes::new(response.codes());
    let mut rendered = render_body(body, response.executed(), media_type);
    rendered.extensions_mut().insert(cost);
    rendered.extensions_mut().insert(codes);
    rendered
}

/// Renders the JSON of a GraphQL response in the negotiated media type.
///
/// Only with `application/graphql-response+json` does the status show whether the operation was
/// executed. With `application/json`, 200 says only that the body is a GraphQL response.
pub(super) fn render_body(body: Vec<u8>, executed: bool, media_type: MediaType) -> Response {
    let status = match media_type {
        MediaType::GraphqlResponse if !executed => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    };
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, media_type.content_type());
    // A response depends on its caller and on the current data, so no cache may store it.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
