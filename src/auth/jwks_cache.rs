//! The issuer's keys: which are in force, and when they are fetched.
//!
//! One task fetches, so there is never more than one fetch at a time, and a request that goes away
//! stops none. The set is swapped whole: requests read it without waiting, and a key that left it
//! stops working. A failed fetch changes nothing: the last good set serves, for [`MAX_STALE`].

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::{Instant, sleep_until},
};
use tracing::{Instrument, Span, debug_span};

use super::{
    algorithm::Algorithm,
    error::KeyFetchError,
    jwk::{KeyMatch, KeySet, PublicKey},
};
use crate::{metrics::Metrics, trace};

/// How often a token's unknown key may cause a fetch.
pub const COOL_DOWN: Duration = Duration::from_secs(10);
/// How long the last good set serves while none can be fetched. Long enough for an outage over a
/// night; not for ever, because a key that was revoked meanwhile is among them.
pub const MAX_STALE: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a set is used where its answer does not say.
const DEFAULT_AGE: Duration = Duration::from_secs(5 * 60);
const MIN_AGE: Duration = Duration::from_secs(60);
const MAX_AGE: Duration = Duration::from_secs(60 * 60);
/// The wait after a first failure; it doubles up to [`MAX_BACKOFF`].
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const MAX_BACKOFF: Duration = Duration::from_secs(60);
/// How many requests may wait in line for a fetch; more wait to get in line.
const REFRESH_QUEUE_CAPACITY: usize = 1024;

/// What a source answered.
pub struct FetchedKeySet {
    /// The keys.
    pub set: KeySet,
    /// How long they may be used without asking again (`max-age`, RFC 9111 section 5.2.2.1).
    pub max_age: Option<Duration>,
    /// Whether the provider says that it signs with shared secrets alone.
    pub symmetric: bool,
}

/// Where keys come from. A fetch ends in bounded time.
#[async_trait]
pub trait JwksSource: Send + Sync + 'static {
    /// Whose keys they are.
    fn issuer(&self) -> &str;
    /// Fetches the set as it is now.
    async fn fetch(&self) -> Result<FetchedKeySet, KeyFetchError>;
}

/// Why there is no key for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyLookupError {
    /// No set was ever fetched, or the last one is older than [`MAX_STALE`].
    Unavailable,
    /// No usable key has that `kid`, and it is too early to ask again.
    Unknown,
    /// No `kid`, and not exactly one usable key.
    Ambiguous,
    /// The key is not for that algorithm.
    AlgorithmMismatch,
}

/// Why there are no keys to verify with. Its text is short and without secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysUnavailable {
    /// The first fetch has not ended.
    #[error("no keys: not fetched yet")]
    Pending,
    /// No fetch was ever good.
    #[error("no keys: {0}")]
    Failed(KeyFetchError),
    /// There were keys, and no fetch was good for longer than [`MAX_STALE`].
    #[error("no keys: the last good ones are too old; {0}")]
    Stale(KeyFetchError),
    /// The issuer has none.
    // Authentik does so for a provider without a signing key, and signs with HS256.
    #[error("no keys: the issuer's set is empty: is a signing key chosen at the provider?")]
    Empty {
        /// Whether the provider says that it signs with shared secrets alone.
        symmetric: bool,
    },
    /// None of the issuer's is one that may be used here; the first one's name and why.
    #[error("no keys: none of the issuer's can be used: {0}")]
    Unusable(String),
}

/// The keys in force.
pub struct JwksCache {
    shared: Arc<Shared>,
    refresher: Option<Refresher>,
}

/// The line to the task that fetches, and the task.
struct Refresher {
    requests: mpsc::Sender<RefreshRequest>,
    task: JoinHandle<()>,
}

struct Shared {
    current: ArcSwap<CacheState>,
    /// How many fetches have ended. Grows after `current` was swapped.
    fetches: watch::Sender<u64>,
}

#[derive(Default)]
struct CacheState {
    held: Option<CachedKeySet>,
    /// Why the last fetch failed, if it did.
    fault: Option<KeyFetchError>,
}

/// A set, and where it stands.
#[derive(Clone)]
struct CachedKeySet {
    set: Arc<KeySet>,
    symmetric: bool,
    /// When it was fetched; `None` for one that never ages.
    fetched_at: Option<Instant>,
}

impl CachedKeySet {
    fn is_stale(&self) -> bool {
        self.fetched_at.is_some_and(|at| at.elapsed() > MAX_STALE)
    }
}

/// A request that found no key.
struct RefreshRequest {
    /// How many fetches had ended when it looked.
    seen: u64,
    /// Where in its trace it waits.
    span: Span,
    done: oneshot::Sender<()>,
}

impl JwksCache {
    /// Keys that never change.
    #[must_use]
    pub fn fixed(set: KeySet) -> Self {
        let held = CachedKeySet { set: Arc::new(set), symmetric: false, fetched_at: None };
        let current = CacheState { held: Some(held), fault: None };
        Self { shared: Arc::new(Shared::new(current)), refresher: None }
    }

    /// Keys that a task fetches: at once, before they age out, and when a token names an unknown
    /// one. The task ends when these keys are dropped. Needs a tokio runtime.
    #[must_use]
    pub fn remote(source: impl JwksSource, metrics: Metrics) -> Self {
        let shared = Arc::new(Shared::new(CacheState::default()));
        let (line, waiting) = mpsc::channel(REFRESH_QUEUE_CAPACITY);
        let task = RefreshTask::new(Box::new(source), shared.clone(), waiting, metrics);
        let task = tokio::spawn(task.run());
        Self { shared, refresher: Some(Refresher { requests: line, task }) }
    }

    /// The key for a token with this `kid` and `alg`.
    ///
    /// A known key is there at once. For an unknown one this waits for a fetch: the one under way,
    /// or one that it causes where [`COOL_DOWN`] has passed since another token did.
    pub async fn get_or_refresh(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Arc<PublicKey>, KeyLookupError> {
        // Twice: the fetch that was under way may have begun before the key was there.
        for _ in 0..2 {
            let seen = *self.shared.fetches.borrow();
            match self.get(kid, algorithm) {
                Err(KeyLookupError::Unknown | KeyLookupError::Unavailable) => {
                    self.wait_for_refresh(seen).await
                }
                decided => return decided,
            }
        }
        self.get(kid, algorithm)
    }

    fn get(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Arc<PublicKey>, KeyLookupError> {
        let current = self.shared.current.load();
        let held = current.held.as_ref().filter(|held| !held.is_stale());
        match held.ok_or(KeyLookupError::Unavailable)?.set.find(kid, algorithm) {
            KeyMatch::Found(key) => Ok(key),
            KeyMatch::Unknown => Err(KeyLookupError::Unknown),
            KeyMatch::Ambiguous => Err(KeyLookupError::Ambiguous),
            KeyMatch::AlgorithmMismatch => Err(KeyLookupError::AlgorithmMismatch),
        }
    }

    /// Waits until there was a fetch after the one seen last, or it is too early for one.
    async fn wait_for_refresh(&self, seen: u64) {
        let Some(refresher) = &self.refresher else { return };
        let (done, is_done) = oneshot::channel();
        if refresher
            .requests
            .send(RefreshRequest { seen, span: Span::current(), done })
            .await
            .is_ok()
        {
            // An error means that the task has ended: there is nothing to wait for.
            let _ = is_done.await;
        }
    }

    /// Whether there are keys to verify with, and if not, why.
    pub fn check_ready(&self) -> Result<(), KeysUnavailable> {
        let current = self.shared.current.load();
        let fault = || current.fault.clone();
        match &current.held {
            None => Err(fault().map_or(KeysUnavailable::Pending, KeysUnavailable::Failed)),
            Some(held) if held.is_stale() => {
                Err(fault().map_or(KeysUnavailable::Pending, KeysUnavailable::Stale))
            }
            Some(held) => why_none(&held.set, held.symmetric).map_or(Ok(()), Err),
        }
    }

    /// How long ago they were fetched; `None` for keys that never were, or never change.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        Some(self.shared.current.load().held.as_ref()?.fetched_at?.elapsed())
    }

    /// How many fetches have ended, well or not: a way to wait for the next one.
    #[must_use]
    pub fn fetches(&self) -> watch::Receiver<u64> {
        self.shared.fetches.subscribe()
    }

    /// Waits until the first fetch has ended, well or not.
    pub async fn first_fetch(&self) {
        if self.refresher.is_some() {
            // The sender lives as long as `self`, so this ends only well.
            let _ = self.fetches().wait_for(|ended| *ended > 0).await;
        }
    }
}

impl Drop for JwksCache {
    fn drop(&mut self) {
        if let Some(refresher) = &self.refresher {
            refresher.task.abort();
        }
    }
}

/// Why a set has no key that can be used, where it has none.
fn why_none(set: &KeySet, symmetric: bool) -> Option<KeysUnavailable> {
    set.is_empty().then(|| match set.skipped().first() {
        Some(first) => KeysUnavailable::Unusable(first.clone()),
        None => KeysUnavailable::Empty { symmetric },
    })
}

/// Whether a set that was fetched can be used at all: for who fetches without keeping.
pub fn ensure_usable(fetched: &FetchedKeySet) -> Result<(), KeysUnavailable> {
    why_none(&fetched.set, fetched.symmetric).map_or(Ok(()), Err)
}

impl Shared {
    fn new(current: CacheState) -> Self {
        Self { current: ArcSwap::from_pointee(current), fetches: watch::Sender::new(0) }
    }

    fn publish(&self, current: CacheState) {
        self.current.store(Arc::new(current));
        self.fetches.send_modify(|ended| *ended += 1);
    }
}

/// The task that fetches.
struct RefreshTask {
    source: Box<dyn JwksSource>,
    shared: Arc<Shared>,
    waiting: mpsc::Receiver<RefreshRequest>,
    /// When the next fetch is due that no token asks for.
    due: Instant,
    /// How many of those have failed since the last success.
    failures: u32,
    /// When a token caused the last fetch.
    asked_at: Option<Instant>,
    metrics: Metrics,
}

impl RefreshTask {
    fn new(
        source: Box<dyn JwksSource>,
        shared: Arc<Shared>,
        waiting: mpsc::Receiver<RefreshRequest>,
        metrics: Metrics,
    ) -> Self {
        let due = Instant::now();
        Self { source, shared, waiting, due, failures: 0, asked_at: None, metrics }
    }

    async fn run(mut self) {
        loop {
            tokio::select! {
                // The fetch at start comes before any that a token asks for.
                biased;
                () = sleep_until(self.due) => self.fetch_when_due().await,
                waiting = self.waiting.recv() => match waiting {
                    Some(waiting) => self.answer(waiting).await,
                    None => return,
                },
            }
        }
    }

    async fn fetch_when_due(&mut self) {
        if !self.fetch(&Span::none()).await {
            self.due = Instant::now() + jittered(backoff(self.failures));
            self.failures = self.failures.saturating_add(1);
        }
    }

    async fn answer(&mut self, waiting: RefreshRequest) {
        let cool = self.asked_at.is_none_or(|at| at.elapsed() >= COOL_DOWN);
        if cool && waiting.seen == *self.shared.fetches.borrow() {
            // Before the fetch: a failed one counts.
            self.asked_at = Some(Instant::now());
            self.fetch(&waiting.span).await;
        }
        // An error means that the request has gone away.
        let _ = waiting.done.send(());
    }

    /// Fetches once, for whom that span is of, if anybody; a success sets when the next is due.
    async fn fetch(&mut self, asked_by: &Span) -> bool {
        let before = self.shared.current.load_full();
        let issuer = self.source.issuer();
        let span = debug_span!(parent: asked_by, "fetch keys", otel.kind = "client", issuer);
        let fetched = self.source.fetch().instrument(span.clone()).await;
        match fetched {
            Ok(fetched) => {
                self.metrics.jwks_fetched(issuer, "ok");
                log_changes(issuer, &before, &fetched);
                let FetchedKeySet { set, max_age, symmetric } = fetched;
                let fetched_at = Some(Instant::now());
                let held = CachedKeySet { set: Arc::new(set), symmetric, fetched_at };
                self.shared.publish(CacheState { held: Some(held), fault: None });
                self.failures = 0;
                self.due = Instant::now() + jittered(refresh_interval(max_age));
                true
            }
            Err(fault) => {
                trace::set_error_status(&span);
                self.metrics.jwks_fetched(issuer, fault.metric_label());
                tracing::warn!(issuer, %fault, fix = fault.help(), "keys could not be fetched");
                let held = before.held.clone();
                self.shared.publish(CacheState { held, fault: Some(fault) });
                false
            }
        }
    }
}

/// Logs what is new in a set: each unusable key once, and that there is none to use.
fn log_changes(issuer: &str, before: &CacheState, fetched: &FetchedKeySet) {
    let (was, set) = (before.held.as_ref().map(|held| &held.set), &fetched.set);
    let told = was.map_or(&[][..], |was| was.skipped());
    for skipped in set.skipped().iter().filter(|skipped| !told.contains(skipped)) {
        tracing::warn!(issuer, "a key of the issuer is not used: {skipped}");
    }
    if was.is_some_and(|was| was.len() == set.len()) && before.fault.is_none() {
        return;
    }
    match ensure_usable(fetched) {
        Ok(()) => tracing::info!(issuer, usable = set.len(), "keys fetched"),
        Err(none) => tracing::warn!(issuer, fix = none.fix(), "{none}"),
    }
}

fn refresh_interval(max_age: Option<Duration>) -> Duration {
    max_age.unwrap_or(DEFAULT_AGE).clamp(MIN_AGE, MAX_AGE)
}

fn backoff(failures: u32) -> Duration {
    FIRST_BACKOFF.saturating_mul(2_u32.saturating_pow(failures)).min(MAX_BACKOFF)
}

/// Up to a tenth sooner, so that many instances do not ask at once.
fn jittered(wait: Duration) -> Duration {
    let mut random = [0; 1];
    // Without randomness there is no jitter, and nothing worse.
    let _ = getrandom::fill(&mut random);
    wait.mul_f64(1.0 - f64::from(random[0]) / 2560.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_is_what_the_answer_says_within_bounds() {
        for (says, seconds) in [(None, 300), (Some(0), 60), (Some(90), 90), (Some(u64::MAX), 3600)]
        {
            assert_eq!(
                refresh_interval(says.map(Duration::from_secs)),
                Duration::from_secs(seconds)
            );
        }
    }

    #[test]
    fn backoff_doubles_and_is_bounded() {
        let waits = [0, 1, 2, 5, 6, 40, u32::MAX].map(|failures| backoff(failures).as_secs());
        assert_eq!(waits, [1, 2, 4, 32, 60, 60, 60]);
    }

    #[test]
    fn jitter_is_sooner_by_a_tenth_at_most() {
        for _ in 0..1000 {
            let wait = jittered(Duration::from_secs(100));
            assert!((90..=100).contains(&wait.as_secs()), "{wait:?}");
        }
    }
}
