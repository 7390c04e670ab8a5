//! Requests that are sent again: a mutation with an `Idempotency-Key` is done once, and every repeat
//! of it is answered as the first was, also where they come at the same time.

use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};

use super::{Access, Caller, Refusal, Session};
use crate::domain::{
    change::Change,
    id::{NodeId, ObjectId},
    request::{Claim, Claimed, RequestKey, Settlement, Step},
};

/// How long a repeat waits for the first to be answered: less than a request has by default, so that
/// it is told to try again before it is told that its time is up.
const PATIENCE: Duration = Duration::from_secs(5);
/// The wait before it looks again; it doubles up to [`LOOK_MAX`].
const LOOK_FIRST: Duration = Duration::from_millis(10);
const LOOK_MAX: Duration = Duration::from_millis(200);

/// A run of a request that may be sent again.
#[derive(Clone, Debug)]
pub struct Run {
    key: RequestKey,
    holder: ObjectId,
    /// What a run before this one did, which nobody answered.
    done: Vec<Step>,
}

/// Whether a request with a key is to run.
#[derive(Debug)]
pub enum Admission {
    /// It is, as this.
    Run(Run),
    /// It did; this was the answer.
    Answered(String),
    /// Another one with its key is still at work.
    Busy,
    /// The key was used for another request.
    Mismatch,
}

impl Access {
    /// Admits a request of that caller. Waits for another one that is at work on the same.
    pub async fn admit(
        &self,
        caller: &Caller,
        key: &str,
        fingerprint: [u8; 32],
    ) -> Result<Admission, Refusal> {
        if !self.is_open() {
            return Err(Refusal::Unavailable);
        }
        let key = request_key(caller, key);
        let holder = self.clock.object_id();
        let (mut waited, mut look) = (Duration::ZERO, LOOK_FIRST);
        loop {
            let claim = Claim { key, fingerprint, holder, now: self.clock.now() };
            match self.store.claim(&claim).await? {
                Claimed::Ours(done) => return Ok(Admission::Run(Run { key, holder, done })),
                Claimed::Answered(body) => return Ok(Admission::Answered(body)),
                Claimed::Mismatch => return Ok(Admission::Mismatch),
                Claimed::Busy if waited >= PATIENCE => return Ok(Admission::Busy),
                Claimed::Busy => {}
            }
            tokio::time::sleep(look).await;
            waited += look;
            look = (look * 2).min(LOOK_MAX);
        }
    }

    /// Ends a run: with the answer that counts from now on, or with none.
    pub async fn settle(&self, run: &Run, answer: Option<String>) {
        let end = answer.map_or(Settlement::Released, Settlement::Answered);
        if let Err(error) = self.store.settle(run.key, run.holder, &end).await {
            // A repeat waits for the lease to end, and finds what was done.
            tracing::warn!(%error, "the answer of a request with a key could not be kept");
        }
    }
}

/// A digest, so that no store holds what a client may have taken for a secret.
fn request_key(caller: &Caller, key: &str) -> RequestKey {
    let Caller { identity, .. } = caller;
    RequestKey(digest(&[&identity.issuer, &identity.subject, key]))
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
    pub(super) fn done_before(&self) -> Option<&[NodeId]> {
        let run = self.request.run.as_ref()?;
        let step = run.done.iter().find(|step| step.ordinal == self.ordinal)?;
        Some(&step.ids)
    }

    /// What has to be committed beside the changes, so that a later run knows of them.
    pub(super) fn mark_done(&self, ids: Vec<NodeId>) -> Option<Change> {
        let run = self.request.run.as_ref()?;
        let step = Step { ordinal: self.ordinal, ids };
        Some(Change::Done { key: run.key, holder: run.holder, step })
    }
}
