//! Every request has a time to be answered in. When it is over, what was at work for it is dropped,
//! and with that the calls of the store that it waits for.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{Extensions, StatusCode},
    middleware::Next,
    response::Response,
};
use tokio::time::{Instant, timeout_at};

use super::{
    AppState,
    graphql::{ErrorFormat, HttpError},
};
use crate::graphql::Code;

/// When a request's time is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(Instant);

impl Deadline {
    /// A request's; there is one behind [`layer`].
    pub(super) fn of(extensions: &Extensions) -> Result<Self, HttpError> {
        extensions.get().copied().ok_or_else(gateway_timeout)
    }

    /// Waits for work as long as there is time, then drops it.
    pub(super) async fn run<T>(self, work: impl Future<Output = T>) -> Option<T> {
        timeout_at(self.0, work).await.ok()
    }
}

/// Holds each request to its time, its body's arrival included: one that is sent slowly is cut.
pub(super) async fn layer(
    State(gateway): State<Arc<AppState>>,
    mut request: Request,
    next: Next,
) -> Response {
    let deadline = Deadline(Instant::now() + gateway.bounds.request_timeout);
    let form = ErrorFormat::of(request.headers(), request.extensions());
    request.extensions_mut().insert(deadline);
    let answered = deadline.run(next.run(request)).await;
    let response = answered.unwrap_or_else(|| form.into_response(gateway_timeout()));
    if response.status() == StatusCode::GATEWAY_TIMEOUT {
        gateway.metrics.timed_out();
    }
    response
}

/// The answer to a request whose time is over.
pub(super) fn gateway_timeout() -> HttpError {
    let message = "The request has taken longer than it may.";
    HttpError::new(StatusCode::GATEWAY_TIMEOUT, Code::Timeout, message)
}
