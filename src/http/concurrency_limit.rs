//! Limits the number of requests that are processed concurrently, in all and for each caller.
//!
//! Excess requests are rejected at once: queueing them would only make all of them time out. A caller
//! that has its share of requests in progress gets 429, and other callers are served. If all permits are
//! in use, every request gets 503.
//!
//! A request acquires its permit after its credential is verified and its body is read. Until then
//! it waits for its client or for the provider's keys. If it held a permit meanwhile, a few slow
//! clients or forged tokens would lock out all other clients.
//!
//! Events of live operations wait for a permit, because they cannot be rejected. At most a quarter of all
//! permits is held or waited for by events, so that they cannot lock out requests.
//!
//! A request releases its permit while it waits for a commit. It still counts for its caller, until
//! both the request and its commit have ended.

use std::{
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    caller_counts::{CallerCounts, CallerShare},
    error::HttpError,
    rate_limit::RateLimitKey,
};
use crate::{
    access::{EventPermits, ExecutionPermit},
    metrics::Metrics,
};

/// The `Retry-After` of a rejected request, in seconds.
const RETRY_AFTER: &str = "1";
/// The `Retry-After` of a request whose caller has its share of requests in progress.
const CALLER_RETRY_AFTER: Duration = Duration::from_secs(1);
/// The part of all permits that one caller may hold: one of so many.
const CALLER_SHARE: usize = 4;
/// The part of all permits that events of live operations may hold: one of so many.
const EVENT_SHARE: usize = 4;

/// Limits the number of requests that are processed concurrently.
pub struct ConcurrencyLimit {
    permits: Arc<Semaphore>,
    callers: Arc<CallerCounts>,
    events: EventPermits,
    metrics: Metrics,
}

impl ConcurrencyLimit {
    /// Creates a limit with this number of permits. A quarter of them, but at least 1, is the limit of one
    /// caller.
    #[must_use]
    pub fn new(permits: usize, metrics: Metrics) -> Self {
        let permits = permits.min(Semaphore::MAX_PERMITS);
        metrics.set_in_flight_limit(permits);
        let callers = Arc::new(CallerCounts::new(permits.div_ceil(CALLER_SHARE).max(1)));
        let max_events = permits.div_ceil(EVENT_SHARE).max(1);
        let permits = Arc::new(Semaphore::new(permits));
        let events = EventPermits::new(permits.clone(), max_events, metrics.clone());
        Self { permits, callers, events, metrics }
    }

    /// Acquires a permit.
    ///
    /// # Errors
    ///
    /// Returns 429 if the caller has its share of requests in progress, and 503 if no permit is
    /// available.
    pub(super) fn try_acquire(
        &self,
        caller: RateLimitKey<'_>,
    ) -> Result<ConcurrencyPermit, HttpError> {
        let Some(share) = self.callers.try_acquire(caller) else {
            self.metrics.record_rate_limited(caller.as_label());
            return Err(caller_error());
        };
        let Ok(permit) = self.permits.clone().try_acquire_owned() else {
            self.metrics.record_shed();
            return Err(overload_error());
        };
        let (permits, metrics) = (self.permits.clone(), self.metrics.clone());
        let running = Mutex::new(Some(RunningRequest::new(permit, metrics.clone())));
        let events = self.events.clone();
        let state = PermitState { running, permits, events, metrics, _share: share };
        Ok(ConcurrencyPermit(Arc::new(state)))
    }
}

/// The permit of one request. Dropping it makes it available again.
pub(super) struct ConcurrencyPermit(Arc<PermitState>);

impl ConcurrencyPermit {
    /// Returns a reference for the request's session, which may outlive the permit.
    pub(super) fn downgrade(&self) -> Weak<dyn ExecutionPermit> {
        let permit: Arc<dyn ExecutionPermit> = self.0.clone();
        Arc::downgrade(&permit)
    }
}

struct PermitState {
    /// `None` while the request waits for a commit.
    running: Mutex<Option<RunningRequest>>,
    permits: Arc<Semaphore>,
    events: EventPermits,
    metrics: Metrics,
    _share: CallerShare,
}

impl PermitState {
    fn set_running(&self, running: Option<RunningRequest>) {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = running;
    }
}

#[async_trait]
impl ExecutionPermit for PermitState {
    fn release(&self) {
        self.set_running(None);
    }

    async fn reacquire(&self) {
        // The semaphore is never closed, so a permit is always granted. New requests do not overtake
        // the requests that wait here.
        let permit = self.permits.clone().acquire_owned().await.ok();
        let metrics = || self.metrics.clone();
        self.set_running(permit.map(|permit| RunningRequest::new(permit, metrics())));
    }

    fn event_permits(&self) -> EventPermits {
        self.events.clone()
    }
}

/// A request that is being processed.
struct RunningRequest {
    _permit: OwnedSemaphorePermit,
    metrics: Metrics,
}

impl RunningRequest {
    fn new(permit: OwnedSemaphorePermit, metrics: Metrics) -> Self {
        metrics.request_started();
        Self { _permit: permit, metrics }
    }
}

impl Drop for RunningRequest {
    fn drop(&mut self) {
        self.metrics.request_ended();
    }
}

fn caller_error() -> HttpError {
    let message = "Too many requests of this caller are in progress. Wait for `retryAfterSeconds` \
                   before trying again.";
    HttpError::too_many_requests(message, CALLER_RETRY_AFTER)
}

fn overload_error() -> HttpError {
    let message = "The gateway is processing too many requests. Try again later.";
    HttpError::service_unavailable(message, RETRY_AFTER)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::domain::user::Identity;

    #[test]
    fn anonymous_clients_do_not_take_the_permits_of_callers_at_their_address() {
        let limit = ConcurrencyLimit::new(8, Metrics::new().expect("a catalogue"));
        let address = RateLimitKey::from_ip(IpAddr::from([192, 0, 2, 1]));
        let anonymous: Vec<_> = (0..2).map(|_| limit.try_acquire(address)).collect();
        assert!(anonymous.iter().all(Result::is_ok) && limit.try_acquire(address).is_err());
        let bob = Identity { issuer: "https://id.example.org/".into(), subject: "bob".into() };
        let bob = [(); 2].map(|()| limit.try_acquire(RateLimitKey::User(&bob)));
        assert!(bob.iter().all(Result::is_ok));
        drop((anonymous, bob));
        assert!(limit.callers.is_empty());
    }
}
