//! The errors of a store.

use crate::domain::change::UniqueField;

/// The error of every call except [`Store::prepare`](super::Store::prepare), [`Store::check`](super::Store::check) and [`Store::commit`](super::Store::commit).
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database is unreachable or did not respond in time. A later call may succeed.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// A search has more than [`MAX_SORTED_MATCHES`] matches, and its order needs a sort.
    ///
    /// [`MAX_SORTED_MATCHES`]: crate::domain::search::MAX_SORTED_MATCHES
    #[error("the search has too many matches to sort")]
    TooManyMatches,
    /// Any other error: a bug of the gateway, or a wrong set-up of the database.
    #[error("database error: {0}")]
    Internal(String),
}

/// The reason why [`Store::commit`](super::Store::commit) applied no change.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// A document has changed since it was read. The command must read it and decide again.
    #[error("a document has changed since it was read")]
    Stale,
    /// Another document already has this value, which must be unique.
    #[error("the value of {} is already taken", .0.field())]
    Conflict(UniqueField),
    /// The tenant would be left without an owner who is not disabled.
    #[error("the tenant would be left without an owner who is not disabled")]
    LastOwner,
    /// Another run has taken over the idempotent request for which the changes were made.
    #[error("another run has taken over the request")]
    Superseded,
    /// The database failed, and the changes are not known to be applied.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

/// The reason why a store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The database is set up in a way that the gateway cannot use. The text names the cause and
    /// the fix. Waiting does not help.
    #[error("{0}")]
    Misconfigured(String),
    /// The database is one of the former Node service, or its migration was interrupted. The text names
    /// the command that migrates it.
    #[error("{0}")]
    NotMigrated(&'static str),
    /// The database failed. A later attempt can succeed.
    #[error(transparent)]
    Failed(#[from] StoreError),
}
