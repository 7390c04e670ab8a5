//! The share of events in the limit of concurrent executions.
//!
//! A change can wake thousands of listeners at once. Unlike a request, an event cannot be rejected, so it
//! waits. Events hold and wait for a part of all permits only, so that requests get the others.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::metrics::Metrics;

/// Lets events take part in the limit of concurrent executions.
#[derive(Clone)]
pub struct EventPermits {
    share: Arc<Semaphore>,
    all: Arc<Semaphore>,
    metrics: Metrics,
}

impl EventPermits {
    /// Lets at most `max_events` events at the same time hold one of all permits, or wait for one.
    #[must_use]
    pub fn new(all: Arc<Semaphore>, max_events: usize, metrics: Metrics) -> Self {
        Self { share: Arc::new(Semaphore::new(max_events)), all, metrics }
    }

    /// Waits for the permit of one event.
    pub(super) async fn acquire(&self) -> EventPermit {
        // The semaphores are never closed. The fields of a permit are released in their order.
        let share = self.share.clone().acquire_owned().await.ok();
        let permit = self.all.clone().acquire_owned().await.ok();
        self.metrics.request_started();
        EventPermit { _permit: permit, _share: share, metrics: self.metrics.clone() }
    }
}

/// The permit of one event, from the check of its rights to the end of its execution.
pub struct EventPermit {
    _permit: Option<OwnedSemaphorePermit>,
    _share: Option<OwnedSemaphorePermit>,
    metrics: Metrics,
}

impl Drop for EventPermit {
    fn drop(&mut self) {
        self.metrics.request_ended();
    }
}
