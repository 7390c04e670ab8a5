//! Idempotent requests (`Idempotency-Key`): the claims on them and the results of their mutations.
//!
//! A request with a key is claimed before it is executed. Each of its mutations commits a
//! [`CompletedMutation`] in the transaction of its changes. So its results are known even if the
//! process dies before it responds. The response is stored when the request is complete.

use std::time::Duration;

use super::{
    id::{NodeId, ObjectId},
    time::Timestamp,
};

/// The time for which a key is stored.
pub const KEY_TTL: Duration = Duration::from_secs(24 * 60 * 60);
/// The time that a run has to complete a request before another run may take over.
pub const LEASE_TTL: Duration = Duration::from_secs(60);

/// The digest of an issuer, a subject and an `Idempotency-Key`.
///
/// A store holds only the digest, because a client may use a secret as its key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct IdempotencyKeyHash(pub [u8; 32]);

/// A run's attempt to acquire a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The key of the request.
    pub key: IdempotencyKeyHash,
    /// The digest of the request's content. A key is valid for one content only.
    pub fingerprint: [u8; 32],
    /// The unique identifier of this run.
    pub run_id: ObjectId,
    /// The current time. A record that is older than [`KEY_TTL`] counts as absent.
    pub now: Timestamp,
}

/// The result of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimResult {
    /// The run has acquired the request. An earlier run that did not complete has committed these
    /// mutations.
    Acquired(Vec<CompletedMutation>),
    /// Another run is executing the request, and its lease has not expired.
    InProgress,
    /// The key was used for another request.
    KeyReused,
    /// The request is complete. The text is the body of its response.
    Completed(String),
}

/// The result of one mutation of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletedMutation {
    /// The index of the operation's root field, from 0.
    pub root_field_index: u32,
    /// The entities that the mutation created, changed or deleted. A later run loads its response
    /// by these identifiers.
    pub ids: Vec<NodeId>,
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunOutcome {
    /// The run has completed the request. Repeats of the request get this response body.
    Completed(String),
    /// The run has no response that can be stored. The next run may begin immediately, and
    /// continues after the completed mutations.
    Abandoned,
}
