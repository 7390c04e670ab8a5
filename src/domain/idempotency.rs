//! Requests that may be sent twice (`Idempotency-Key`): who works on one, and what it did.
//!
//! A request with a key is claimed before it runs. Each of its mutations commits a [`Step`] in the
//! transaction of its changes, so that what it did is known even where nobody lived to answer; the
//! answer is kept when it is there.

use std::time::Duration;

use super::{
    id::{NodeId, ObjectId},
    time::Timestamp,
};

/// How long a key is remembered.
pub const KEY_TTL: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a request has to be answered before another with its key may take over.
pub const LEASE_TTL: Duration = Duration::from_secs(60);

/// A key of one actor: a digest of issuer, subject and `Idempotency-Key`, so that no store holds
/// what a client may have taken for a secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct IdempotencyKeyHash(pub [u8; 32]);

/// Somebody who wants to work on a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The request's key.
    pub key: IdempotencyKeyHash,
    /// A digest of what is asked: one key is for one request only.
    pub fingerprint: [u8; 32],
    /// Who works on it: an identifier of this very run.
    pub run_id: ObjectId,
    /// The time now. What is older than [`KEPT`] counts as not there.
    pub now: Timestamp,
}

/// What became of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimResult {
    /// It is ours. A run before this one, which nobody answered, has done these steps.
    Acquired(Vec<CompletedMutation>),
    /// Another run works on it, and has time left.
    InProgress,
    /// The key was used for another request.
    KeyReused,
    /// It was answered: this is the answer's body.
    Completed(String),
}

/// What one mutation of a request did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletedMutation {
    /// Which of the operation's root fields, from 0.
    pub root_field_index: u32,
    /// What it made, changed or deleted, by which its answer can be found again.
    pub ids: Vec<NodeId>,
}

/// How a run ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunOutcome {
    /// With this answer, which is the answer from now on.
    Completed(String),
    /// Without one that counts: the next run may begin at once, and goes on after what was done.
    Abandoned,
}
