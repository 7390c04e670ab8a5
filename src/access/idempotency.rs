//! Idempotent requests: a mutation with an `Idempotency-Key` is executed once.
//!
//! Every repeat gets the response of the first request. A repeat that arrives while the first
//! request is being executed waits for it.

use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};

use super::{caller::Caller, error::AccessError, state::Access};
use crate::domain::{
    change::Change,
    id::{NodeId, ObjectId},
    idempotency::{Claim, ClaimResult, CompletedMutation, IdempotencyKeyHash, RunOutcome},
};

/// The maximum time that a repeat waits for the first request. It is shorter than the default
/// request timeout, so that the client is asked to retry before its request times out.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// The delay before the first poll. It doubles up to [`MAX_POLL_DELAY`].
const INITIAL_POLL_DELAY: Duration = Duration::from_millis(10);
const MAX_POLL_DELAY: Duration = Duration::from_millis(200);

/// One run of an idempotent request.
#[derive(Clone, Debug)]
pub struct IdempotentRun {
    key: IdempotencyKeyHash,
    run_id: ObjectId,
    /// The mutations that an earlier run committed before it was lost.
    completed: Vec<CompletedMutation>,
}

impl IdempotentRun {
    /// Returns the entities of the mutation at this root field, if an earlier run has committed it.
    pub(super) fn completed_ids(&self, root_field_index: u32) -> Option<&[NodeId]> {
        let mut completed = self.completed.iter();
        let mutation = completed.find(|step| step.root_field_index == root_field_index)?;
        Some(&mutation.ids)
    }

    /// Returns the change that records the mutation at this root field for later runs.
    pub(super) fn completion_record(&self, root_field_index: u32, ids: Vec<NodeId>) -> Change {
        let step = CompletedMutation { root_field_index, ids };
        Change::RecordIdempotentStep { key: self.key, run_id: self.run_id, step }
    }
}

/// The decision about a request with an `Idempotency-Key`.
#[derive(Debug)]
pub enum ClaimOutcome {
    /// The request is to be executed as this run.
    Run(IdempotentRun),
    /// The request was executed before. The text is the body of its response.
    Completed(String),
    /// Another request with the key is still being executed.
    InProgress,
    /// The key was used for another request.
    KeyReused,
}

impl Access {
    /// Claims a caller's request for a new run.
    ///
    /// Waits up to 5 seconds while another run executes the same request.
    pub async fn claim_request(
        &self,
        caller: &Caller,
        key: &str,
        fingerprint: [u8; 32],
    ) -> Result<ClaimOutcome, AccessError> {
        if !self.is_ready() {
            return Err(AccessError::Unavailable);
        }
        let key = key_hash(caller, key);
        let run_id = self.clock.object_id();
        let (mut waited, mut delay) = (Duration::ZERO, INITIAL_POLL_DELAY);
        loop {
            let claim = Claim { key, fingerprint, run_id, now: self.clock.now() };
            match self.store.claim_request(&claim).await? {
                ClaimResult::Acquired(completed) => {
                    return Ok(ClaimOutcome::Run(IdempotentRun { key, run_id, completed }));
                }
                ClaimResult::Completed(body) => return Ok(ClaimOutcome::Completed(body)),
                ClaimResult::KeyReused => return Ok(ClaimOutcome::KeyReused),
                ClaimResult::InProgress if waited >= MAX_WAIT => {
                    return Ok(ClaimOutcome::InProgress);
                }
                ClaimResult::InProgress => {}
            }
            tokio::time::sleep(delay).await;
            waited += delay;
            delay = (delay * 2).min(MAX_POLL_DELAY);
        }
    }

    /// Ends a run. `body` is the response to store for repeats. With `None`, the next run may begin
    /// immediately.
    pub async fn complete_request(&self, run: &IdempotentRun, body: Option<String>) {
        let outcome = body.map_or(RunOutcome::Abandoned, RunOutcome::Completed);
        if let Err(error) = self.store.complete_request(run.key, run.run_id, &outcome).await {
            // A repeat is `InProgress` until the lease expires. After that, it finds the committed
            // mutations.
            tracing::warn!(%error, "the response of an idempotent request could not be stored");
        }
    }
}

/// Returns the digest of the caller and the key.
///
/// A store holds only the digest, because a client may use a secret as its key.
fn key_hash(caller: &Caller, key: &str) -> IdempotencyKeyHash {
    let Caller { identity, .. } = caller;
    IdempotencyKeyHash(digest(&[&identity.issuer, &identity.subject, key]))
}

/// Returns the SHA-256 digest of several texts.
///
/// Each text is preceded by its length, so that different lists never have the same input.
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
