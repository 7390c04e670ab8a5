//! Holds an issuer's current key set and looks up the keys of tokens in it.
//!
//! The set is replaced as a whole: requests read it without waiting, and a key that is no longer in
//! the set stops working. A failed fetch keeps the last valid set in use, for up to [`MAX_STALE`].
//! A request whose key is unknown waits for the task of `refresh`, which is the only code that
//! fetches. A client that disconnects does not stop a fetch.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::Instant,
};
use tracing::Span;

use super::{
    algorithm::Algorithm,
    error::KeyFetchError,
    jwk::{KeyMatch, KeySet, PublicKey},
};

pub use super::error::{KeyLookupError, KeysUnavailable};

/// The minimum time between two fetches that tokens with unknown keys cause.
pub const COOL_DOWN: Duration = Duration::from_secs(10);
/// The maximum age of a key set that is used while the provider is unreachable.
///
/// An outage of one night therefore has no effect. The age is limited, because the set may still
/// contain a key that the provider has revoked since the last fetch.
pub const MAX_STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// A key set as a source returned it.
pub struct FetchedKeySet {
    /// The keys of the set.
    pub set: KeySet,
    /// The freshness lifetime of the response (`max-age`, RFC 9111 section 5.2.2.1).
    pub max_age: Option<Duration>,
    /// True if the provider declares that it signs only with shared secrets.
    pub hmac_only: bool,
}

/// A source of the key set of one issuer. Every fetch ends in bounded time.
#[async_trait]
pub trait JwksSource: Send + Sync + 'static {
    /// Returns the issuer whose keys this source fetches.
    fn issuer(&self) -> &str;
    /// Fetches the current key set.
    async fn fetch(&self) -> Result<FetchedKeySet, KeyFetchError>;
}

/// A cache of the key set of one issuer.
pub struct JwksCache {
    shared: Arc<SharedState>,
    /// `None` for a fixed set.
    refresher: Option<Refresher>,
}

/// The refresh task and the queue of requests to it.
pub(super) struct Refresher {
    pub(super) requests: mpsc::Sender<RefreshRequest>,
    pub(super) task: JoinHandle<()>,
}

/// A request that found no key and waits for a fetch.
pub(super) struct RefreshRequest {
    /// The number of finished fetches before the lookup that found no key.
    pub(super) fetches_seen: u64,
    /// The span of the waiting request. The fetch appears in its trace.
    pub(super) span: Span,
    pub(super) done: oneshot::Sender<()>,
}

/// The state that requests read and the refresh task writes.
pub(super) struct SharedState {
    current: ArcSwap<CacheState>,
    /// The number of finished fetches. It is incremented after `current` has been replaced.
    fetches: watch::Sender<u64>,
}

#[derive(Default)]
pub(super) struct CacheState {
    pub(super) cached: Option<CachedKeySet>,
    /// The error of the last fetch, if it failed.
    pub(super) last_error: Option<KeyFetchError>,
}

#[derive(Clone)]
pub(super) struct CachedKeySet {
    pub(super) set: Arc<KeySet>,
    pub(super) hmac_only: bool,
    /// The time of the fetch, or `None` for a fixed set, which never ages.
    pub(super) fetched_at: Option<Instant>,
}

impl CachedKeySet {
    fn is_stale(&self) -> bool {
        self.fetched_at.is_some_and(|at| at.elapsed() > MAX_STALE)
    }
}

impl SharedState {
    pub(super) fn new(current: CacheState) -> Self {
        Self { current: ArcSwap::from_pointee(current), fetches: watch::Sender::new(0) }
    }

    pub(super) fn load(&self) -> Arc<CacheState> {
        self.current.load_full()
    }

    pub(super) fn finished_fetches(&self) -> u64 {
        *self.fetches.borrow()
    }

    /// Replaces the state after a fetch has finished.
    pub(super) fn publish(&self, current: CacheState) {
        self.current.store(Arc::new(current));
        self.fetches.send_modify(|finished| *finished += 1);
    }
}

impl JwksCache {
    /// Creates a cache of a key set that never changes.
    #[must_use]
    pub fn fixed(set: KeySet) -> Self {
        let cached = CachedKeySet { set: Arc::new(set), hmac_only: false, fetched_at: None };
        let current = CacheState { cached: Some(cached), last_error: None };
        Self { shared: Arc::new(SharedState::new(current)), refresher: None }
    }

    /// Creates a cache that a refresh task fills. Dropping the cache ends the task.
    pub(super) fn with_refresher(shared: Arc<SharedState>, refresher: Refresher) -> Self {
        Self { shared, refresher: Some(refresher) }
    }

    /// Returns the key for a token with this `kid` and `alg`.
    ///
    /// A known key is returned at once. For an unknown key, this waits for a fetch. It is the fetch
    /// in progress, or a new one if [`COOL_DOWN`] has passed since another token caused one.
    pub async fn get_or_refresh(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Vec<Arc<PublicKey>>, KeyLookupError> {
        // Two attempts: a fetch in progress may have started before the provider published the key.
        for _ in 0..2 {
            let fetches_seen = self.shared.finished_fetches();
            match self.get(kid, algorithm) {
                Err(KeyLookupError::Unknown | KeyLookupError::Unavailable) => {
                    self.wait_for_refresh(fetches_seen).await;
                }
                result => return result,
            }
        }
        self.get(kid, algorithm)
    }

    fn get(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Vec<Arc<PublicKey>>, KeyLookupError> {
        let current = self.shared.current.load();
        let cached = current.cached.as_ref().filter(|cached| !cached.is_stale());
        match cached.ok_or(KeyLookupError::Unavailable)?.set.find(kid, algorithm) {
            KeyMatch::Found(keys) => Ok(keys),
            KeyMatch::Unknown => Err(KeyLookupError::Unknown),
            KeyMatch::Ambiguous => Err(KeyLookupError::Ambiguous),
            KeyMatch::AlgorithmMismatch => Err(KeyLookupError::AlgorithmMismatch),
        }
    }

    /// Waits until a fetch has finished that `fetches_seen` does not count.
    ///
    /// Returns without a fetch if [`COOL_DOWN`] has not passed, or if the set is fixed.
    async fn wait_for_refresh(&self, fetches_seen: u64) {
        let Some(refresher) = &self.refresher else { return };
        let (done, done_receiver) = oneshot::channel();
        let request = RefreshRequest { fetches_seen, span: Span::current(), done };
        if refresher.requests.send(request).await.is_ok() {
            // An error means that the task has ended, so there is nothing to wait for.
            let _ = done_receiver.await;
        }
    }

    /// Checks that there is a usable key.
    pub fn check_ready(&self) -> Result<(), KeysUnavailable> {
        let current = self.shared.current.load();
        let last_error = || current.last_error.clone();
        match &current.cached {
            None => Err(last_error().map_or(KeysUnavailable::Pending, KeysUnavailable::Failed)),
            Some(cached) if cached.is_stale() => {
                Err(last_error().map_or(KeysUnavailable::Pending, KeysUnavailable::Stale))
            }
            Some(cached) => require_usable_key(&cached.set, cached.hmac_only),
        }
    }

    /// Returns the time since the last successful fetch, or `None` without one or for a fixed set.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        Some(self.shared.current.load().cached.as_ref()?.fetched_at?.elapsed())
    }

    /// Returns a receiver of the number of finished fetches, successful or not.
    #[must_use]
    pub fn fetches(&self) -> watch::Receiver<u64> {
        self.shared.fetches.subscribe()
    }

    /// Waits until the first fetch has finished, successfully or not.
    pub async fn wait_for_first_fetch(&self) {
        if self.refresher.is_some() {
            // The sender lives as long as `self`, so this cannot fail.
            let _ = self.fetches().wait_for(|finished| *finished > 0).await;
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

/// Checks that a fetched set has a usable key.
pub fn ensure_usable(fetched: &FetchedKeySet) -> Result<(), KeysUnavailable> {
    require_usable_key(&fetched.set, fetched.hmac_only)
}

fn require_usable_key(set: &KeySet, hmac_only: bool) -> Result<(), KeysUnavailable> {
    if !set.is_empty() {
        return Ok(());
    }
    Err(match set.skipped().first() {
        Some(first) => KeysUnavailable::Unusable(first.clone()),
        None => KeysUnavailable::Empty { hmac_only },
    })
}
