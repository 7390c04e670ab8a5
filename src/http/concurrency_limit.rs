//! Limits the number of requests that are processed concurrently.
//!
//! Excess requests are rejected with 503 at once: queueing them would only make all of them time out.
//!
//! A request acquires its permit after its credential is verified and its body is read. Until then
//! it waits for its client or for the provider's keys. If it held a permit meanwhile, a few slow
//! clients or forged tokens would lock out all other clients.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::HttpError;
use crate::metrics::Metrics;

/// The `Retry-After` of a rejected request, in seconds.
const RETRY_AFTER: &str = "1";

/// Limits the number of requests that are processed concurrently.
pub struct ConcurrencyLimit {
    semaphore: Arc<Semaphore>,
    metrics: Metrics,
}

impl ConcurrencyLimit {
    /// Creates a limit with this number of permits.
    #[must_use]
    pub fn new(permits: usize, metrics: Metrics) -> Self {
        let permits = permits.min(Semaphore::MAX_PERMITS);
        metrics.set_in_flight_limit(permits);
        Self { semaphore: Arc::new(Semaphore::new(permits)), metrics }
    }

    /// Acquires a permit, or returns 503 if none is available.
    pub(super) fn try_acquire(&self) -> Result<ConcurrencyPermit, HttpError> {
        let Ok(permit) = self.semaphore.clone().try_acquire_owned() else {
            self.metrics.record_shed();
            return Err(overload_error());
        };
        self.metrics.request_started();
        Ok(ConcurrencyPermit { _permit: permit, metrics: self.metrics.clone() })
    }
}

/// The permit of one request. Dropping it makes it available again.
pub(super) struct ConcurrencyPermit {
    _permit: OwnedSemaphorePermit,
    metrics: Metrics,
}

impl Drop for ConcurrencyPermit {
    fn drop(&mut self) {
        self.metrics.request_ended();
    }
}

fn overload_error() -> HttpError {
    let message = "The gateway is processing too many requests. Try again later.";
    HttpError::service_unavailable(message, RETRY_AFTER)
}
