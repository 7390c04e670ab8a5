//! Only so much work at once: more is sent away, which costs it less than a queue that grows until
//! nobody in it is answered in time.
//!
//! A request takes a place when its credential is known to be good and its body is there. Before, it
//! waits for its client or for the issuer's keys, and a few slow clients or made-up tokens would
//! shut everybody else out.

use std::sync::Arc;

use axum::http::{StatusCode, header};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::graphql::HttpError;
use crate::{graphql::Code, metrics::Metrics};

/// How long a client does well to wait, in seconds.
const RETRY_AFTER: &str = "1";

/// As many places as requests may be at work at once.
pub struct ConcurrencyLimit {
    free: Arc<Semaphore>,
    metrics: Metrics,
}

impl ConcurrencyLimit {
    /// So many, all of them free.
    #[must_use]
    pub fn new(number: usize, metrics: Metrics) -> Self {
        let number = number.min(Semaphore::MAX_PERMITS);
        metrics.set_in_flight_limit(number);
        Self { free: Arc::new(Semaphore::new(number)), metrics }
    }

    /// One of them, or the answer to who finds none.
    pub(super) fn try_acquire(&self) -> Result<ConcurrencyPermit, HttpError> {
        let Ok(permit) = self.free.clone().try_acquire_owned() else {
            self.metrics.shed();
            return Err(overloaded());
        };
        self.metrics.request_began();
        Ok(ConcurrencyPermit { _permit: permit, metrics: self.metrics.clone() })
    }
}

/// A request's place, until it is dropped.
pub(super) struct ConcurrencyPermit {
    _permit: OwnedSemaphorePermit,
    metrics: Metrics,
}

impl Drop for ConcurrencyPermit {
    fn drop(&mut self) {
        self.metrics.request_ended();
    }
}

fn overloaded() -> HttpError {
    let message = "Too much is under way just now; try again.";
    HttpError::new(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, message)
        .with_header(header::RETRY_AFTER, RETRY_AFTER)
}
