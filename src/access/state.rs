//! The state that all sessions share: store, clock, configuration and readiness.

use std::{
    panic::resume_unwind,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;
use tracing::Instrument;

use super::{
    actor_cache::ActorCache,
    commit_slot::{CommitSlot, CommitSlots},
    heartbeats::Heartbeats,
    live::LiveHub,
    secrets::Secrets,
};
use crate::{
    clock::Clock,
    domain::{change::Change, invitation::Invitation, sync::GroupMapping},
    metrics::Metrics,
    store::{CommitError, Store, StoreError},
};

/// The time after which an interrupted change feed makes the gateway not ready. The election of a new
/// primary takes less.
const MAX_FEED_LAG: Duration = Duration::from_secs(15);

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

/// The configuration of invitations.
#[derive(Default)]
pub struct InvitationSettings {
    /// The secrets of the operator. Without them, there are no invitations.
    pub secrets: Option<Secrets>,
    /// The URL of the page that accepts an invitation, with `{token}` in it.
    pub accept_url: Option<String>,
    /// `true` if an invitation can only be accepted with a verified e-mail address.
    pub requires_verified_email: bool,
    /// `true` if the gateway sends the link by e-mail.
    pub sends_mail: bool,
}

impl InvitationSettings {
    /// Returns the URL at which the invitation with this token can be accepted.
    #[must_use]
    pub fn accept_url(&self, token: &str) -> Option<String> {
        Some(self.accept_url.as_ref()?.replace("{token}", token))
    }
}

/// The access to a store, shared by all sessions.
pub struct Access {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) config: AccessConfig,
    pub(super) invitations: InvitationSettings,
    pub(super) commit_slots: CommitSlots,
    pub(super) heartbeats: Heartbeats,
    pub(super) live: Arc<LiveHub>,
    /// The viewers of recent queries, or `None` if each request reads its viewer.
    pub(super) actors: Option<Arc<ActorCache>>,
    metrics: Option<Metrics>,
    outbox_wake: Arc<Notify>,
    ready: AtomicBool,
}

impl Access {
    /// Creates the access to a store. Every request is `UNAVAILABLE` until [`Self::mark_ready`].
    #[must_use]
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, config: AccessConfig) -> Self {
        let (commit_slots, heartbeats) = (CommitSlots::new(), Heartbeats::default());
        let live = LiveHub::new(store.clone(), None, None);
        let (actors, metrics) = (None, None);
        let ready = AtomicBool::new(false);
        let invitations = InvitationSettings::default();
        let outbox_wake = Arc::default();
        Self {
            store,
            clock,
            config,
            invitations,
            commit_slots,
            heartbeats,
            live,
            actors,
            metrics,
            outbox_wake,
            ready,
        }
    }

    /// Records the change feed and the live operations in these metrics.
    #[must_use]
    pub fn with_metrics(self, metrics: Metrics) -> Self {
        let actors = self.actors.map(|_| Arc::new(ActorCache::new(Some(metrics.clone()))));
        let live = LiveHub::new(self.store.clone(), Some(metrics.clone()), actors.clone());
        Self { live, actors, metrics: Some(metrics), ..self }
    }

    /// Lets queries use a viewer that was read up to a second before. Starts with the change feed.
    #[must_use]
    pub fn with_actor_cache(self) -> Self {
        let actors = Some(Arc::new(ActorCache::new(self.metrics.clone())));
        let live = LiveHub::new(self.store.clone(), self.metrics.clone(), actors.clone());
        Self { live, actors, ..self }
    }

    /// Allows invitations, if the settings have a secret. Keys live cursors with it, too.
    #[must_use]
    pub fn with_invitations(self, invitations: InvitationSettings) -> Self {
        Self { invitations, ..self }
    }

    /// Returns the notification that follows each commit with a message for the outbox.
    #[must_use]
    pub fn outbox_wake(&self) -> Arc<Notify> {
        self.outbox_wake.clone()
    }

    /// Returns the URL at which an invitation can be accepted, with its present token.
    ///
    /// It is `None` if the secret or the URL is not configured. It must not be logged or stored.
    #[must_use]
    pub fn invitation_url(&self, invitation: &Invitation) -> Option<String> {
        let token = self.invitations.secrets.as_ref()?.invitation_token(invitation)?;
        self.invitations.accept_url(&token)
    }

    /// Starts the change feed, unless it has started. The first live operation starts it, too.
    ///
    /// The store must be prepared.
    pub fn start_change_feed(&self) {
        self.live.start();
    }

    /// Checks that the change feed is complete, if it has started.
    ///
    /// # Errors
    ///
    /// Returns the reason, which contains no secret.
    pub fn check_change_feed(&self) -> Result<(), String> {
        match self.live.lag() {
            Some(lag) if lag > MAX_FEED_LAG => {
                Err(format!("the change feed has been interrupted for {} s", lag.as_secs()))
            }
            _ => Ok(()),
        }
    }

    /// Returns the time since the change feed was known to be complete, or `None` if it has not
    /// started.
    #[must_use]
    pub fn change_feed_lag(&self) -> Option<Duration> {
        self.live.lag()
    }

    /// Allows requests, because the store is prepared.
    ///
    /// A store that is not prepared has no unique indexes, so it could not reject duplicates.
    pub fn mark_ready(&self) {
        self.ready.store(true, Ordering::Release);
        // The worker of the outbox waits for this.
        self.outbox_wake.notify_one();
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
    /// The commit keeps the slot until it has ended, so commits without a request are limited, too.
    ///
    /// # Errors
    ///
    /// Returns the error of [`Store::commit`].
    pub(super) async fn commit(
        &self,
        changes: &Arc<[Change]>,
        slot: &Arc<CommitSlot>,
    ) -> Result<(), CommitError> {
        let (store, changes, slot) = (self.store.clone(), changes.clone(), slot.clone());
        let (outbox_wake, actors) = (self.outbox_wake.clone(), self.actors.clone());
        let commit = async move {
            let _slot = slot;
            let result = store.commit(&changes).await;
            // A commit that failed may have been applied all the same.
            actors.iter().for_each(|actors| actors.forget_changed(&changes));
            result?;
            if changes.iter().any(|change| matches!(change, Change::InsertOutboxMessage(_))) {
                outbox_wake.notify_one();
            }
            Ok(())
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
        self.commit_slots.close().await;
    }

    pub(super) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }
}
