//! Requests that are sent again: a mutation with an `Idempotency-Key` is done once, and every repeat
//! of it is answered as the first was, also where they come at the same time.

use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};

use super::{Access, AccessError, Caller, Session};
use crate::domain::{
    change::Change,
    id::{NodeId, ObjectId},
    idempotency::{Claim, ClaimResult, CompletedMutation, IdempotencyKeyHash, RunOutcome},
};

/// How long a repeat waits for the first to be answered: less than a request has by default, so that
/// it is told to try again before it is told that its time is up.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// The wait before it looks again; it doubles up to [`POLL_MAX`].
const POLL_INITIAL: Duration = Duration::from_millis(10);
const POLL_MAX: Duration = Duration::from_millis(200);

/// A run of a request that may be sent again.
#[derive(Clone, Debug)]
pub struct IdempotentRun {
    key: IdempotencyKeyHash,
    run_id: ObjectId,
    /// What a run before this one did, which nobody answered.
    done: Vec<CompletedMutation>,
}

/// Whether a request with a key is to run.
#[derive(Debug)]
pub enum ClaimOutcome {
    /// It is, as this.
    Run(IdempotentRun),
    /// It did; this was the answer.
    Completed(String),
    /// Another one with its key is still at work.
    InProgress,
    /// The key was used for another request.
    KeyReused,
}

impl Access {
    /// Admits a request of that caller. Waits for another one that is at work on the same.
    pub async fn claim_request(
        &self,
        caller: &Caller,
        key: &str,
        fingerprint: [u8; 32],
    ) -> Result<ClaimOutcome, AccessError> {
        if !self.is_ready() {
            return Err(AccessError::Unavailable);
        }
        let key = request_key(caller, key);
        let holder = self.clock.object_id();
        let (mut waited, mut look) = (Duration::ZERO, POLL_INITIAL);
        loop {
            let claim = Claim { key, fingerprint, run_id: holder, now: self.clock.now() };
            match self.store.claim_request(&claim).await? {
                ClaimResult::Acquired(done) => {
                    return Ok(ClaimOutcome::Run(IdempotentRun { key, run_id: holder, done }));
                }
                ClaimResult::Completed(body) => return Ok(ClaimOutcome::Completed(body)),
                ClaimResult::KeyReused => return Ok(ClaimOutcome::KeyReused),
                ClaimResult::InProgress if waited >= MAX_WAIT => {
                    return Ok(ClaimOutcome::InProgress);
                }
                ClaimResult::InProgress => {}
            }
            tokio::time::sleep(look).await;
            waited += look;
            look = (look * 2).min(POLL_MAX);
        }
    }

    /// Ends a run: with the answer that counts from now on, or with none.
    pub async fn complete_request(&self, run: &IdempotentRun, answer: Option<String>) {
        let end = answer.map_or(RunOutcome::Abandoned, RunOutcome::Completed);
        if let Err(error) = self.store.complete_request(run.key, run.run_id, &end).await {
            // A repeat waits for the lease to end, and finds what was done.
            tracing::warn!(%error, "the answer of a request with a key could not be kept");
        }
    }
}

/// A digest, so that no store holds what a client may have taken for a secret.
fn request_key(caller: &Caller, key: &str) -> IdempotencyKeyHash {
    let Caller { identity, .. } = caller;
    IdempotencyKeyHash(digest(&[&identity.issuer, &identity.subject, key]))
}

/// SHA-256 of texts, each after its length, which keeps them apart.
#[must_use]
pub fn digest(parts: &[&str]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    let mut bytes = [0; 32];
    bytes.copy_from_slice(context.finish().as_ref());
    bytes
}

impl Session {
    /// What an earlier run has done at this root field, if one did.
    pub(super) fn completed_step(&self) -> Option<&[NodeId]> {
        let run = self.request.run.as_ref()?;
        let step = run.done.iter().find(|step| step.root_field_index == self.root_field_index)?;
        Some(&step.ids)
    }

    /// What has to be committed beside the changes, so that a later run knows of them.
    pub(super) fn completion_record(&self, ids: Vec<NodeId>) -> Option<Change> {
        let run = self.request.run.as_ref()?;
        let step = CompletedMutation { root_field_index: self.root_field_index, ids };
        Some(Change::RecordIdempotentStep { key: run.key, run_id: run.run_id, step })
    }
}
