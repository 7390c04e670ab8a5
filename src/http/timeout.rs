//! Limits the duration of every request.
//!
//! At the deadline, the gateway drops the request's work and the store calls that it awaits. A commit
//! that has begun runs to its end in a task of its own (`Access::commit`).

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    http::{Extensions, StatusCode},
    middleware::Next,
    response::Response,
};
use tokio::time::{Instant, timeout_at};

use super::{
    error::{ErrorFormat, HttpError},
    state::AppState,
};

/// The time at which a request times out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(Instant);

impl Deadline {
    /// Returns the deadline that [`layer`] has set for a request.
    pub(super) fn from_extensions(extensions: &Extensions) -> Result<Self, HttpError> {
        extensions.get().copied().ok_or_else(HttpError::gateway_timeout)
    }

    /// Returns the deadline of an operation that begins now.
    pub(super) fn after(duration: Duration) -> Self {
        Self(Instant::now() + duration)
    }

    /// Runs a future until the deadline. Returns `None` if the deadline comes first.
    pub(super) async fn run<T>(self, future: impl Future<Output = T>) -> Option<T> {
        timeout_at(self.0, future).await.ok()
    }
}

/// Responds with 504 at the request's deadline.
///
/// The time includes the arrival of the body, so a body that is sent slowly is cut off.
pub(super) async fn layer(
    State(state): State<Arc<AppState>>,
    mut request: Request,
    next: Next,
) -> Response {
    let deadline = Deadline::after(state.traffic_limits.request_timeout);
    let format = ErrorFormat::from_request(request.headers(), request.extensions());
    request.extensions_mut().insert(deadline);
    let response = deadline.run(next.run(request)).await;
    let response = response.unwrap_or_else(|| format.render(HttpError::gateway_timeout()));
    if response.status() == StatusCode::GATEWAY_TIMEOUT {
        state.metrics.record_timeout();
    }
    response
}
