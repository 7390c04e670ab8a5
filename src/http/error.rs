//! Errors that end a request before its operation executes, and their HTTP responses.
//!
//! Most constructors are named after the HTTP status of their response. The body is a GraphQL response
//! in the media type that the client accepts.

use std::time::Duration;

use axum::{
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};

use super::{
    media::MediaType,
    request_id::RequestId,
    response::{StoreCost, render_response},
};
use crate::{
    auth::token::AuthError,
    graphql::{Code, GraphQlResponse, RequestError},
};

/// The `Retry-After` of a request whose token cannot be verified yet, in seconds.
const KEYS_RETRY_AFTER: &str = "5";
/// The `Retry-After` of a caller that has too many live connections.
const LIVE_RETRY_AFTER: Duration = Duration::from_secs(5);

/// An error that ends a request before its operation executes.
#[derive(Debug)]
pub(super) struct HttpError {
    /// The status, or `None` for the one that the media type prescribes for a request error.
    status: Option<StatusCode>,
    header: Option<Box<(HeaderName, HeaderValue)>>,
    response: GraphQlResponse,
}

impl HttpError {
    /// Creates an error with a status, a code and a message.
    pub(super) fn new(status: StatusCode, code: Code, message: impl Into<String>) -> Self {
        Self::from_request_error(status, RequestError::new(code, message))
    }

    fn from_request_error(status: StatusCode, error: RequestError) -> Self {
        let response = GraphQlResponse::from_request_error(error);
        Self { status: Some(status), header: None, response }
    }

    fn with_header(self, name: HeaderName, value: &'static str) -> Self {
        self.with_header_value(name, HeaderValue::from_static(value))
    }

    fn with_header_value(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some(Box::new((name, value)));
        self
    }

    /// Rejects a request that does not conform to GraphQL over HTTP.
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::BadUserInput, message)
    }

    /// Rejects a credential, with the challenge of RFC 6750, section 3.1.
    ///
    /// The response does not say why a token is invalid. The log has the reason.
    pub(super) fn unauthenticated(error: AuthError) -> Self {
        match error {
            AuthError::MultipleCredentials => {
                let message = "Send one credential.";
                Self::new(StatusCode::BAD_REQUEST, Code::Unauthenticated, message)
                    .with_header(header::WWW_AUTHENTICATE, r#"Bearer error="invalid_request""#)
            }
            AuthError::InvalidToken(_) => {
                let message = "The token is not valid.";
                Self::new(StatusCode::UNAUTHORIZED, Code::Unauthenticated, message)
                    .with_header(header::WWW_AUTHENTICATE, r#"Bearer error="invalid_token""#)
            }
            AuthError::KeysUnavailable => {
                let message = "The gateway cannot verify tokens at the moment. Try again later.";
                Self::service_unavailable(message, KEYS_RETRY_AFTER)
            }
        }
    }

    /// Rejects a method, and lists the allowed ones in `Allow`.
    pub(super) fn method_not_allowed(allowed: &'static str, message: &str) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, Code::BadUserInput, message)
            .with_header(header::ALLOW, allowed)
    }

    /// Rejects a request whose `Accept` header excludes both media types of GraphQL responses.
    pub(super) fn not_acceptable() -> Self {
        let message = "Accept application/graphql-response+json or application/json.";
        Self::new(StatusCode::NOT_ACCEPTABLE, Code::BadUserInput, message)
    }

    /// Rejects a subscription whose response cannot be an event stream.
    pub(super) fn event_stream_required() -> Self {
        let message = "Accept text/event-stream for a subscription, or use a WebSocket.";
        Self::new(StatusCode::NOT_ACCEPTABLE, Code::BadUserInput, message)
    }

    /// Rejects a WebSocket of a page whose origin is not allowed.
    pub(super) fn forbidden_origin() -> Self {
        let message = "This origin may not open a WebSocket.";
        Self::new(StatusCode::FORBIDDEN, Code::Forbidden, message)
    }

    /// Rejects a WebSocket without the supported subprotocol.
    pub(super) fn subprotocol_required(supported: &str) -> Self {
        let message = format!("Offer the subprotocol `{supported}` in `Sec-WebSocket-Protocol`.");
        Self::new(StatusCode::BAD_REQUEST, Code::BadUserInput, message)
    }

    /// Rejects an upgrade to another protocol than version 13 of WebSocket (RFC 6455, section 4.2.2).
    pub(super) fn upgrade_required() -> Self {
        let message = "Upgrade to version 13 of the WebSocket protocol.";
        Self::new(StatusCode::UPGRADE_REQUIRED, Code::BadUserInput, message)
            .with_header(header::SEC_WEBSOCKET_VERSION, "13")
    }

    /// Rejects one more WebSocket or event stream of a caller.
    pub(super) fn too_many_live_connections() -> Self {
        let message = "Too many live connections of this caller are open. Close one of them, or wait \
                       for `retryAfterSeconds` before trying again.";
        Self::too_many_requests(message, LIVE_RETRY_AFTER)
    }

    /// Rejects one more operation of a WebSocket.
    pub(super) fn too_many_operations(max: usize) -> Self {
        let message = format!("A connection may have at most {max} operations at the same time.");
        let error = RequestError::new(Code::LimitExceeded, message);
        let error = error.with_extension("limit", "operations").with_extension("max", max);
        Self::from_request_error(StatusCode::BAD_REQUEST, error.with_extension("actual", max + 1))
    }

    /// Rejects a body that is longer than `max` bytes. `declared` is its `Content-Length`, if it has
    /// one. The length of any other body is not known, because it is not read to its end.
    pub(super) fn payload_too_large(max: usize, declared: Option<usize>) -> Self {
        let message = format!("The body may have at most {max} bytes.");
        let error = RequestError::new(Code::LimitExceeded, message);
        let mut error = error.with_extension("limit", "bodyBytes").with_extension("max", max);
        if let Some(declared) = declared {
            error = error.with_extension("actual", declared);
        }
        Self::from_request_error(StatusCode::PAYLOAD_TOO_LARGE, error)
    }

    /// Rejects a body whose `Content-Type` is not JSON in UTF-8.
    pub(super) fn unsupported_media_type() -> Self {
        let message = "Send the request as application/json in UTF-8.";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::BadUserInput, message)
    }

    /// Rejects a request that exceeds a limit of its caller. It would pass after `wait`.
    pub(super) fn too_many_requests(message: &str, wait: Duration) -> Self {
        let seconds = wait.as_millis().div_ceil(1000).max(1);
        let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
        let error = RequestError::new(Code::RateLimited, message);
        Self::from_request_error(
            StatusCode::TOO_MANY_REQUESTS,
            error.with_extension("retryAfterSeconds", seconds),
        )
        .with_header_value(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// Rejects a mutation whose `Idempotency-Key` belongs to a request that is still in progress.
    pub(super) fn conflict(message: &str, retry_after: &'static str) -> Self {
        Self::new(StatusCode::CONFLICT, Code::Unavailable, message)
            .with_header(header::RETRY_AFTER, retry_after)
    }

    /// Rejects a request for now. The client may retry it after `retry_after` seconds.
    pub(super) fn service_unavailable(message: &str, retry_after: &'static str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, message)
            .with_header(header::RETRY_AFTER, retry_after)
    }

    /// Reports that the request has exceeded its deadline.
    pub(super) fn gateway_timeout() -> Self {
        let message = "The request exceeded its time limit.";
        Self::new(StatusCode::GATEWAY_TIMEOUT, Code::Timeout, message)
    }

    /// Reports an error of the gateway, without its cause.
    pub(super) fn internal_server_error() -> Self {
        let message = "An internal error occurred.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, message)
    }
}

impl HttpError {
    /// Returns whether the error concerns the document or its variables only.
    ///
    /// Such an error is a GraphQL response that any media type can carry.
    pub(super) const fn is_document_error(&self) -> bool {
        self.status.is_none()
    }

    /// Returns the GraphQL response, without the parts that only HTTP has.
    pub(super) fn into_response(self) -> GraphQlResponse {
        self.response
    }
}

/// Converts the response to a rejected document. The media type determines the status.
impl From<GraphQlResponse> for HttpError {
    fn from(response: GraphQlResponse) -> Self {
        Self { status: None, header: None, response }
    }
}

/// The parts of a request that shape its error response.
pub(super) struct ErrorFormat {
    media_type: MediaType,
    request_id: String,
}

impl ErrorFormat {
    /// Takes the accepted media type and the identifier of a request.
    ///
    /// Errors are sent as `application/json` if the client accepts neither media type.
    pub(super) fn from_request(headers: &HeaderMap, extensions: &Extensions) -> Self {
        let request_id = extensions.get::<RequestId>().map_or("", |RequestId(id)| id).to_owned();
        let media_type = MediaType::negotiate(headers).unwrap_or(MediaType::Json);
        Self { media_type, request_id }
    }

    /// Renders an error as the response to its request.
    pub(super) fn render(&self, error: HttpError) -> Response {
        let HttpError { status, header, response } = error;
        let response = response.with_request_id(&self.request_id);
        let mut rendered = render_response(&response, self.media_type, StoreCost::ZERO);
        if let Some(status) = status {
            *rendered.status_mut() = status;
        }
        rendered.headers_mut().extend(header.map(|header| *header));
        rendered
    }
}
