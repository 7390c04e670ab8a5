//! The state that all sessions share: store, clock, configuration and readiness.

use std::{
    panic::resume_unwind,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::Semaphore;
use tracing::Instrument;

use crate::{
    clock::Clock,
    domain::{change::Change, sync::GroupMapping},
    store::{CommitError, Store, StoreError},
};

/// The maximum number of commits that run at the same time.
///
/// A commit can outlive its request, and then no limit on requests counts it. Without this limit, a
/// client that disconnects in the middle of many mutations could start any number of commits.
pub const MAX_CONCURRENT_COMMITS: usize = 512;

/// The configuration that affects rights and data.
#[derive(Clone, Debug)]
pub struct AccessConfig {
    /// The names of the groups that grant rights.
    pub groups: GroupMapping,
    /// The slug of the default tenant, which cannot be deleted and keeps its slug.
    pub default_tenant: String,
    /// The configured issuers. A new user without an issuer gets the first one.
    pub issuers: Vec<String>,
}

/// The access to a store, shared by all sessions.
pub struct Access {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) config: AccessConfig,
    ready: AtomicBool,
    commit_permits: Arc<Semaphore>,
}

impl Access {
    /// Creates the access to a store. Every request is `UNAVAILABLE` until [`Self::mark_ready`].
    #[must_use]
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, config: AccessConfig) -> Self {
        let commit_permits = Arc::new(Semaphore::new(MAX_CONCURRENT_COMMITS));
        Self { store, clock, config, ready: AtomicBool::new(false), commit_permits }
    }

    /// Allows requests, because the store is prepared.
    ///
    /// A store that is not prepared has no unique indexes, so it could not reject duplicates.
    pub fn mark_ready(&self) {
        self.ready.store(true, Ordering::Release);
    }

    /// Checks that the store responds and is prepared.
    ///
    /// # Errors
    ///
    /// Returns the reason, which contains no secret.
    pub async fn check_ready(&self) -> Result<(), String> {
        self.store.ping().await.map_err(|error| error.to_string())?;
        if self.is_ready() { Ok(()) } else { Err("the database is not prepared yet".to_owned()) }
    }

    /// Commits changes in a task of its own, so that a commit that has begun runs to its end.
    ///
    /// The caller's future is dropped when the client disconnects or the request times out. If that
    /// dropped the commit, MongoDB would keep its transaction open, and every other commit of the
    /// same documents would fail until the server aborts the transaction after a minute.
    ///
    /// If [`MAX_CONCURRENT_COMMITS`] commits run, this waits for one of them. The wait ends with the
    /// request.
    ///
    /// # Errors
    ///
    /// Returns the error of [`Store::commit`].
    pub(super) async fn commit(&self, changes: &Arc<[Change]>) -> Result<(), CommitError> {
        let (store, changes) = (self.store.clone(), changes.clone());
        // The semaphore is never closed, so a permit is always granted.
        let permit = self.commit_permits.clone().acquire_owned().await;
        let commit = async move {
            let _permit = permit;
            store.commit(&changes).await
        };
        match tokio::spawn(commit.in_current_span()).await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                // The runtime cancels tasks only when the process ends.
                Err(_) => Err(StoreError::Unavailable("the process is stopping".to_owned()).into()),
            },
        }
    }

    /// Waits until no commit runs, and lets no other one start.
    ///
    /// The process calls this at its end, because a commit can outlive its request.
    pub async fn finish_commits(&self) {
        if let Ok(all) = self.commit_permits.acquire_many(MAX_CONCURRENT_COMMITS as u32).await {
            all.forget();
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }
}
