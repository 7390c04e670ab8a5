//! The feed of changes that a store reports, in the order of their commits.

use async_trait::async_trait;

use super::StoreError;
use crate::domain::live::{FeedEvent, FeedPosition};

/// The reason why a feed cannot continue.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The database no longer has the changes after the position, or never had the position. A feed
    /// that starts now misses changes.
    #[error("the database no longer has the changes after this position")]
    HistoryLost,
    /// The database failed. A feed from the same position can succeed later.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

/// An open feed of changes.
#[async_trait]
pub trait ChangeFeed: Send {
    /// Waits for the next changes, and returns them in order. Returns none after about a second
    /// without changes.
    ///
    /// After an error, the feed cannot be used. A new one can start at [`Self::position`].
    async fn next(&mut self) -> Result<Vec<FeedEvent>, WatchError>;

    /// Returns the position up to which all changes were returned.
    fn position(&self) -> FeedPosition;
}
