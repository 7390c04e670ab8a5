//! Refreshes the key set of an issuer in one background task.
//!
//! Only this task fetches, so there is never more than one fetch at a time. It fetches at start,
//! before the set expires, and for a token with an unknown key. A key set is published through the
//! shared state of [`jwks_cache`](super::jwks_cache). Decision 010 describes a key rotation.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tracing::{Instrument, Span, debug_span};

use super::{
    error::KeyFetchError,
    jwks_cache::{
        self, COOL_DOWN, CacheState, CachedKeySet, FetchedKeySet, JwksCache, JwksSource,
        RefreshRequest, Refresher, SharedState,
    },
};
use crate::{metrics::Metrics, trace};

/// The time until the next fetch if the response has no `max-age`.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(5 * 60);
const MIN_INTERVAL: Duration = Duration::from_secs(60);
const MAX_INTERVAL: Duration = Duration::from_secs(60 * 60);
/// The delay after the first failure. It doubles with each failure, up to [`MAX_BACKOFF`].
const INITIAL_BACKOFF: Duration = Duration::from_secs(1);
const MAX_BACKOFF: Duration = Duration::from_secs(60);
/// The capacity of the queue of waiting requests. Further requests wait for a free slot.
const REFRESH_QUEUE_CAPACITY: usize = 1024;

impl JwksCache {
    /// Creates a cache and starts its refresh task, which ends when the cache is dropped.
    ///
    /// The first fetch starts at once. This function needs a tokio runtime.
    #[must_use]
    pub fn remote(source: impl JwksSource, metrics: Metrics) -> Self {
        let shared = Arc::new(SharedState::new(CacheState::default()));
        let (sender, requests) = mpsc::channel(REFRESH_QUEUE_CAPACITY);
        let task = RefreshTask::new(Box::new(source), shared.clone(), requests, metrics);
        let task = tokio::spawn(task.run());
        Self::with_refresher(shared, Refresher { requests: sender, task })
    }
}

struct RefreshTask {
    source: Box<dyn JwksSource>,
    shared: Arc<SharedState>,
    requests: mpsc::Receiver<RefreshRequest>,
    /// The time of the next scheduled fetch.
    due: Instant,
    /// The number of scheduled fetches that failed since the last success.
    failures: u32,
    /// The time of the last fetch that a token caused.
    requested_at: Option<Instant>,
    metrics: Metrics,
}

impl RefreshTask {
    fn new(
        source: Box<dyn JwksSource>,
        shared: Arc<SharedState>,
        requests: mpsc::Receiver<RefreshRequest>,
        metrics: Metrics,
    ) -> Self {
        let due = Instant::now();
        Self { source, shared, requests, due, failures: 0, requested_at: None, metrics }
    }

    async fn run(mut self) {
        loop {
            tokio::select! {
                // The fetch at start comes before any that a token causes.
                biased;
                () = sleep_until(self.due) => self.fetch_scheduled().await,
                request = self.requests.recv() => match request {
                    Some(request) => self.serve_request(request).await,
                    None => return,
                },
            }
        }
    }

    async fn fetch_scheduled(&mut self) {
        if !self.fetch(&Span::none()).await {
            self.due = Instant::now() + with_jitter(backoff(self.failures));
            self.failures = self.failures.saturating_add(1);
        }
    }

    /// Fetches for a waiting request, unless a fetch has finished since its lookup, or [`COOL_DOWN`] has
    /// not passed.
    async fn serve_request(&mut self, request: RefreshRequest) {
        let has_cooled_down = self.requested_at.is_none_or(|at| at.elapsed() >= COOL_DOWN);
        if has_cooled_down && request.fetches_seen == self.shared.finished_fetches() {
            // This is set before the fetch, so that a failed fetch counts, too.
            self.requested_at = Some(Instant::now());
            self.fetch(&request.span).await;
        }
        // An error means that the client has disconnected.
        let _ = request.done.send(());
    }

    /// Fetches once and returns whether it succeeded. A success schedules the next fetch.
    ///
    /// `parent` is the span of the request that waits for the fetch, if there is one.
    async fn fetch(&mut self, parent: &Span) -> bool {
        let previous = self.shared.load();
        let issuer = self.source.issuer();
        let span = debug_span!(parent: parent, "fetch keys", otel.kind = "client", issuer);
        let result = self.source.fetch().instrument(span.clone()).await;
        match result {
            Ok(fetched) => {
                self.metrics.record_jwks_fetch(issuer, "ok");
                log_changes(issuer, &previous, &fetched);
                self.failures = 0;
                self.due = Instant::now() + with_jitter(refresh_interval(fetched.max_age));
                self.shared.publish(fetched.into());
                true
            }
            Err(error) => {
                trace::set_error_status(&span);
                self.metrics.record_jwks_fetch(issuer, error.metric_label());
                tracing::warn!(issuer, %error, help = error.help(), "keys could not be fetched");
                self.shared.publish(previous.with_error(error));
                false
            }
        }
    }
}

impl From<FetchedKeySet> for CacheState {
    fn from(fetched: FetchedKeySet) -> Self {
        let FetchedKeySet { set, hmac_only, .. } = fetched;
        let fetched_at = Some(Instant::now());
        let cached = CachedKeySet { set: Arc::new(set), hmac_only, fetched_at };
        Self { cached: Some(cached), last_error: None }
    }
}

impl CacheState {
    /// Keeps the cached set in use after a failed fetch.
    fn with_error(&self, error: KeyFetchError) -> Self {
        Self { cached: self.cached.clone(), last_error: Some(error) }
    }
}

/// Logs each newly unusable key, and the number of usable keys if it changed or a fetch had failed.
fn log_changes(issuer: &str, previous: &CacheState, fetched: &FetchedKeySet) {
    let (previous_set, set) = (previous.cached.as_ref().map(|cached| &cached.set), &fetched.set);
    let already_logged = previous_set.map_or(&[][..], |previous_set| previous_set.skipped());
    for skipped in set.skipped().iter().filter(|skipped| !already_logged.contains(skipped)) {
        tracing::warn!(issuer, "a key of the issuer is not used: {skipped}");
    }
    let is_same_size = previous_set.is_some_and(|previous_set| previous_set.len() == set.len());
    if is_same_size && previous.last_error.is_none() {
        return;
    }
    match jwks_cache::ensure_usable(fetched) {
        Ok(()) => tracing::info!(issuer, usable = set.len(), "keys fetched"),
        Err(error) => tracing::warn!(issuer, help = error.help(), "{error}"),
    }
}

fn refresh_interval(max_age: Option<Duration>) -> Duration {
    max_age.unwrap_or(DEFAULT_INTERVAL).clamp(MIN_INTERVAL, MAX_INTERVAL)
}

fn backoff(failures: u32) -> Duration {
    INITIAL_BACKOFF.saturating_mul(2_u32.saturating_pow(failures)).min(MAX_BACKOFF)
}

/// Shortens a delay by up to a tenth, so that instances of the gateway do not fetch together.
fn with_jitter(delay: Duration) -> Duration {
    let mut random = [0; 1];
    // If the system has no random numbers, there is no jitter, which is harmless.
    let _ = getrandom::fill(&mut random);
    delay.mul_f64(1.0 - f64::from(random[0]) / 2560.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refresh_interval_is_max_age_within_bounds() {
        for (max_age, seconds) in
            [(None, 300), (Some(0), 60), (Some(90), 90), (Some(u64::MAX), 3600)]
        {
            let interval = refresh_interval(max_age.map(Duration::from_secs));
            assert_eq!(interval, Duration::from_secs(seconds));
        }
    }

    #[test]
    fn backoff_doubles_up_to_its_maximum() {
        let delays = [0, 1, 2, 5, 6, 40, u32::MAX].map(|failures| backoff(failures).as_secs());
        assert_eq!(delays, [1, 2, 4, 32, 60, 60, 60]);
    }

    #[test]
    fn jitter_shortens_a_delay_by_at_most_a_tenth() {
        for _ in 0..1000 {
            let delay = with_jitter(Duration::from_secs(100));
            assert!((90..=100).contains(&delay.as_secs()), "{delay:?}");
        }
    }
}
