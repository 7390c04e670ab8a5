//! Only so many requests at once: more are sent away, which costs them less than a queue that grows
//! until nobody in it is answered in time.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::Response,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::graphql::{Form, Rejection};
use crate::{graphql::Code, metrics::Metrics};

/// How long a client does well to wait, in seconds.
const RETRY_AFTER: &str = "1";

/// As many places as requests may be under way.
#[derive(Clone)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    metrics: Metrics,
}

impl Places {
    /// So many, all of them free.
    pub(super) fn new(number: usize, metrics: Metrics) -> Self {
        Self { free: Arc::new(Semaphore::new(number.min(Semaphore::MAX_PERMITS))), metrics }
    }

    fn take(&self) -> Option<Place> {
        let permit = self.free.clone().try_acquire_owned().ok()?;
        self.metrics.request_began();
        Some(Place(Arc::new(Taken { _permit: permit, metrics: self.metrics.clone() })))
    }
}

/// A request's place. It is taken until the last clone is gone: work that goes on without its client
/// has one.
#[derive(Clone)]
pub(super) struct Place(
    #[expect(dead_code, reason = "what counts is that it is there")] Arc<Taken>,
);

struct Taken {
    _permit: OwnedSemaphorePermit,
    metrics: Metrics,
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.metrics.request_ended();
    }
}

/// Gives each request a place, or sends it away at once.
pub(super) async fn layer(
    State(places): State<Places>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(place) = places.take() else {
        places.metrics.shed();
        let form = Form::of(request.headers(), request.extensions());
        return form.refuse(overloaded());
    };
    request.extensions_mut().insert(place.clone());
    let response = next.run(request).await;
    drop(place);
    response
}

fn overloaded() -> Rejection {
    let message = "Too many requests are under way; try again.";
    Rejection::new(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, message)
        .with(header::RETRY_AFTER, RETRY_AFTER)
}
