//! Idempotent requests: a mutation with an `Idempotency-Key` is executed once.
//!
//! Every repeat gets the response of the first request, as long as the user's rights are the same.
//! Otherwise it reads the results of the completed mutations again. A repeat that arrives while the
//! first request is being executed waits for it.
//!
//! A run shows that it is alive (`heartbeats.rs`). A repeat that sees no sign of life takes the request
//! over. The earlier run can then commit nothing more, so the mutation is executed once in any case.

use std::{sync::Arc, time::Duration};

use super::{
    caller::Caller,
    error::AccessError,
    idempotent_run::{IdempotentRun, digest, no_rights_digest, rights_digest},
    session::Session,
    state::Access,
    viewer::Viewer,
};
use crate::{
    domain::{
        id::ObjectId,
        idempotency::{
            Claim, ClaimResult, CompletedMutation, IdempotencyKeyHash, RunHolder, RunOutcome,
            StoredResponse,
        },
    },
    store::Store,
};

/// The maximum time that a repeat waits for the first request. It is shorter than the default
/// request timeout, so that the client is asked to retry before its request times out.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// The delay before the first poll. It doubles up to [`MAX_POLL_DELAY`].
const INITIAL_POLL_DELAY: Duration = Duration::from_millis(10);
const MAX_POLL_DELAY: Duration = Duration::from_millis(200);
/// The time without a sign of life after which a run is lost. A repeat then waits for about a second.
///
/// Repeats add up the delays between their polls. So a repeat whose own process is paused does not
/// take a run for lost.
const LOST_AFTER: Duration = Duration::from_millis(900);

/// The decision about a request with an `Idempotency-Key`.
pub enum ClaimOutcome {
    /// The request is to be executed in this session.
    Execute {
        /// The session of the claimed run.
        session: Arc<Session>,
        /// `true` if the key had no record yet.
        is_new: bool,
    },
    /// The request was executed before. The text is the body of its response.
    Completed(String),
    /// Another request with the key is still being executed.
    InProgress,
    /// The key was used for another request.
    KeyReused,
    /// The caller's user is disabled or was deleted, so no key is claimed. In this session, the first
    /// mutation is rejected, which ends the request.
    Denied(Arc<Session>),
}

impl Session {
    /// Claims the session's request for a new run.
    ///
    /// Waits up to 5 seconds while another run executes the same request. If the other run shows no
    /// sign of life for about a second, its process is lost, and this run takes over.
    ///
    /// # Errors
    ///
    /// If the store fails. The request is then not claimed.
    pub async fn claim_request(
        self: &Arc<Self>,
        key: &str,
        fingerprint: [u8; 32],
    ) -> Result<ClaimOutcome, AccessError> {
        let caller = self.request.caller.as_ref().ok_or(AccessError::Unauthenticated)?;
        let (key, run_id) = (key_hash(caller, key), self.access.clock.object_id());
        let process = self.access.heartbeats.process(run_id);
        let (mut session, mut wait) = (self.clone(), Wait::default());
        loop {
            let viewer = match session.claimant(caller).await {
                Ok(viewer) => viewer,
                Err(AccessError::NotProvisioned | AccessError::Disabled) => {
                    return Ok(ClaimOutcome::Denied(session));
                }
                Err(error) => return Err(error),
            };
            let viewer = viewer.as_deref();
            let user = viewer.map(|viewer| viewer.user().id);
            let rights = viewer.map_or_else(no_rights_digest, rights_digest);
            let (now, lost_run) = (self.access.clock.now(), wait.lost_run());
            let claim = Claim { key, fingerprint, run_id, process, user, rights, lost_run, now };
            match self.access.store.claim_request(&claim).await {
                Ok(ClaimResult::Acquired(completed)) => {
                    return Ok(session.begin_run(key, run_id, completed, viewer));
                }
                Ok(ClaimResult::Completed(body)) => return Ok(ClaimOutcome::Completed(body)),
                Ok(ClaimResult::KeyReused) => return Ok(ClaimOutcome::KeyReused),
                Ok(ClaimResult::InProgress(_)) if wait.total >= MAX_WAIT => {
                    return Ok(ClaimOutcome::InProgress);
                }
                Ok(ClaimResult::InProgress(holder)) => {
                    wait.poll_later(holder, &*self.access.store).await?;
                }
                Err(error) => {
                    // The claim may have succeeded without a reply.
                    self.end_run(key, run_id, RunOutcome::Abandoned).await;
                    return Err(error.into());
                }
            }
            // The rights can change during the wait, so the viewer is loaded again.
            session = Arc::new(self.for_root_field(0));
        }
    }

    /// Returns the viewer, or `None` if the caller has no user yet. An acceptance of an invitation can
    /// create it.
    async fn claimant(&self, caller: &Caller) -> Result<Option<Arc<Viewer>>, AccessError> {
        match self.viewer(false).await {
            Err(AccessError::NotProvisioned) => match self.user_and_tombstone(caller).await? {
                (None, _) => Ok(None),
                // The user was created in between.
                (Some(user), _) => Ok(Some(Arc::new(Viewer::new(Arc::new(user))))),
            },
            viewer => viewer.map(Some),
        }
    }

    fn begin_run(
        self: Arc<Self>,
        key: IdempotencyKeyHash,
        run_id: ObjectId,
        completed: Vec<CompletedMutation>,
        viewer: Option<&Viewer>,
    ) -> ClaimOutcome {
        let is_new = completed.is_empty();
        let run = IdempotentRun::new(key, run_id, completed);
        if let Some(viewer) = viewer {
            run.record_viewer(0, viewer);
        }
        // A request is claimed once, so it has no run yet.
        drop(self.request.run.set(run));
        ClaimOutcome::Execute { session: self, is_new }
    }

    /// Does the work of the session's run, and shows meanwhile that the run is alive.
    pub async fn keep_alive_during<T>(&self, work: impl Future<Output = T>) -> T {
        let Some(run) = self.request.run.get() else { return work.await };
        let Access { store, clock, heartbeats, .. } = &*self.access;
        heartbeats.record_during(run.id, (&**store, &**clock), work).await
    }

    /// Ends the session's run. `body` is the response to store for repeats.
    ///
    /// The response is stored only if the run has committed a mutation. Without a stored response,
    /// the next run may begin immediately.
    pub async fn complete_request(&self, body: Option<String>) {
        let Some(run) = self.request.run.get() else { return };
        let response = body.zip(run.rights_to_store());
        let response = response.map(|(body, rights)| StoredResponse { body, rights });
        let outcome = response.map_or(RunOutcome::Abandoned, RunOutcome::Completed);
        self.end_run(run.key, run.id, outcome).await;
    }

    async fn end_run(&self, key: IdempotencyKeyHash, run_id: ObjectId, outcome: RunOutcome) {
        if let Err(error) = self.access.store.complete_request(key, run_id, &outcome).await {
            // A repeat finds no heartbeat that names the run, and takes over.
            tracing::warn!(%error, "an idempotent request could not be completed");
        }
    }
}

/// The wait of a repeat for another run.
#[derive(Default)]
struct Wait {
    total: Duration,
    delay: Option<Duration>,
    /// The other run, and the number of heartbeats that named it.
    seen: Option<(RunHolder, Option<i64>)>,
    /// The time since that number has changed.
    stalled: Duration,
}

impl Wait {
    /// Returns the other run if it has shown no sign of life for [`LOST_AFTER`].
    fn lost_run(&self) -> Option<ObjectId> {
        let (holder, _) = self.seen.filter(|_| self.stalled >= LOST_AFTER)?;
        // Older versions have no heartbeats. Their runs hold the request until the lease ends.
        holder.process.and(Some(holder.run_id))
    }

    /// Looks for a sign of life of the other run, and sleeps until the next poll.
    async fn poll_later(
        &mut self,
        holder: RunHolder,
        store: &dyn Store,
    ) -> Result<(), AccessError> {
        let heartbeats = match holder.process {
            Some(process) => store.count_heartbeats(process, holder.run_id).await?,
            None => None,
        };
        if self.seen != Some((holder, heartbeats)) {
            (self.seen, self.stalled) = (Some((holder, heartbeats)), Duration::ZERO);
        }
        let delay = self.delay.map_or(INITIAL_POLL_DELAY, |delay| delay * 2).min(MAX_POLL_DELAY);
        self.delay = Some(delay);
        tokio::time::sleep(delay).await;
        self.total += delay;
        self.stalled += delay;
        Ok(())
    }
}

/// Returns the digest of the caller and the key.
///
/// A store holds only the digest, because a client may use a secret as its key. The record names the
/// user in addition, because one identity can have several users after each other.
fn key_hash(caller: &Caller, key: &str) -> IdempotencyKeyHash {
    let Caller { identity, .. } = caller;
    IdempotencyKeyHash(digest(&[&identity.issuer, &identity.subject, key]))
}
