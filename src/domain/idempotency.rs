//! Idempotent requests (`Idempotency-Key`): the claims on them and the results of their mutations.
//!
//! A request with a key is claimed before it is executed. Each of its mutations commits a
//! [`CompletedMutation`] in the transaction of its changes. So its results are known even if the
//! process dies before it responds. The response is stored when the request is complete, unless the
//! request was rejected and has changed nothing.

use std::time::Duration;

use super::{
    id::{NodeId, ObjectId, UserId},
    time::Timestamp,
};

/// The time for which a key is stored.
pub const KEY_TTL: Duration = Duration::from_secs(24 * 60 * 60);
/// The time that a run has to complete a request before another run may take over.
///
/// A run whose process is lost is taken over sooner, see [`Heartbeat`].
pub const LEASE_TTL: Duration = Duration::from_secs(60);

/// The digest of an issuer, a subject and an `Idempotency-Key`.
///
/// A store holds only the digest, because a client may use a secret as its key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct IdempotencyKeyHash(pub [u8; 32]);

/// The digest of a user's rights.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RightsDigest(pub [u8; 32]);

/// The run that holds a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RunHolder {
    /// The identifier of the run.
    pub run_id: ObjectId,
    /// The process that executes the run, or `None` for a run of an older version.
    pub process: Option<ObjectId>,
}

/// The sign of life of a process, for the runs that it executes.
///
/// Each heartbeat increments the count of the process. A run is lost if the count no longer changes,
/// or if the last heartbeat of its process does not name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// The identifier of the process.
    pub process: ObjectId,
    /// The runs that the process executes.
    pub runs: Vec<ObjectId>,
    /// The current time. The heartbeat expires after [`KEY_TTL`].
    pub now: Timestamp,
}

/// A run's attempt to acquire a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The key of the request.
    pub key: IdempotencyKeyHash,
    /// The digest of the request's content. A key is valid for one content only.
    pub fingerprint: [u8; 32],
    /// The unique identifier of this run.
    pub run_id: ObjectId,
    /// The identifier of this process.
    pub process: ObjectId,
    /// The user who sends the request, or `None` if the caller has none yet. A record of another user
    /// counts as absent. A record without a user belongs to every later user of the caller.
    pub user: Option<UserId>,
    /// The rights of that user. A response that was stored under other rights is not replayed.
    pub rights: RightsDigest,
    /// A lost run, which the claim may take over.
    pub lost_run: Option<ObjectId>,
    /// The current time. A record that is older than [`KEY_TTL`] counts as absent.
    pub now: Timestamp,
}

/// The result of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimResult {
    /// The run has acquired the request. Earlier runs have committed these mutations.
    Acquired(Vec<CompletedMutation>),
    /// Another run is executing the request, and its lease has not expired.
    InProgress(RunHolder),
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

/// The response to a request, for repeats by a user with the same rights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredResponse {
    /// The body of the response.
    pub body: String,
    /// The rights of the user when the response was created.
    pub rights: RightsDigest,
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunOutcome {
    /// The run has completed the request. Repeats of the request get this response.
    Completed(StoredResponse),
    /// The run has no response that can be stored. The next run may begin immediately, and
    /// continues after the completed mutations.
    Abandoned,
}
