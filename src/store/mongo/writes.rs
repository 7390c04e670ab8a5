//! Write commands and the result of one attempt.
//!
//! A write runs in a transaction if it gets the session of the transaction. `apply` composes these
//! commands into changes, and `commit` decides whether to try again.

use std::future::IntoFuture;

use mongodb::{
    ClientSession, Collection,
    bson::{Bson, Document, RawDocumentBuf, doc},
    error::Error,
    options::UpdateModifications,
};

use super::{
    collection::RawCollection,
    connect::MongoStore,
    documents::oid,
    errors::{
        COMMAND_TIMEOUT, ViolatedIndex, is_conflict, read_error, timeout_error, violated_index,
        write_failure,
    },
};
use crate::{
    domain::id::Id,
    store::{CommitError, instrumentation::Command},
};

/// The reason why one attempt of a write failed.
pub(super) enum WriteError {
    /// Nothing was written, and another attempt would have the same result.
    Final(CommitError),
    /// The driver returned an error.
    Driver(Error),
    /// The driver did not respond in time.
    TimedOut,
}

impl From<Error> for WriteError {
    fn from(error: Error) -> Self {
        match violated_index(&error) {
            Some(index) => Self::Final(index.into_commit_error()),
            None => Self::Driver(error),
        }
    }
}

impl WriteError {
    pub(super) fn has_label(&self, label: &str) -> bool {
        matches!(self, Self::Driver(error) if error.contains_label(label))
    }

    /// Returns whether another transaction blocked the write.
    pub(super) fn is_conflict(&self) -> bool {
        matches!(self, Self::Driver(error) if is_conflict(error))
    }

    pub(super) fn into_commit_error(self) -> CommitError {
        match self {
            Self::Final(error) => error,
            Self::Driver(error) => read_error(&error).into(),
            Self::TimedOut => timeout_error().into(),
        }
    }
}

/// Runs one write command with a timeout of [`COMMAND_TIMEOUT`].
pub(super) async fn write_with_timeout<T>(
    command: Command<'_>,
    action: impl IntoFuture<Output = Result<T, Error>>,
) -> Result<T, WriteError> {
    let future = async {
        let result = tokio::time::timeout(COMMAND_TIMEOUT, action.into_future()).await;
        result.map_err(|_| WriteError::TimedOut)?.map_err(WriteError::from)
    };
    command.instrument(future).await
}

impl MongoStore {
    /// Inserts a document. Inside a transaction this is a bare command, see [`Self::run_write`].
    /// Outside of one it is the driver's method, because only that one retries.
    pub(super) async fn insert(
        &self,
        collection: &RawCollection,
        document: Document,
        session: Option<&mut ClientSession>,
    ) -> Result<(), WriteError> {
        let Some(session) = session else {
            let typed: Collection<Document> = collection.clone_with_type();
            return write_with_timeout(collection.command("insert"), typed.insert_one(document))
                .await
                .map(drop);
        };
        let insert = doc! { "insert": collection.name(), "documents": [document] };
        self.run_write(collection.command("insert"), insert, session).await.map(drop)
    }

    /// Updates a document by a pipeline, and returns how many matched the filter.
    pub(super) async fn update_by_pipeline(
        &self,
        collection: &RawCollection,
        filter: Document,
        pipeline: Vec<Document>,
        session: &mut ClientSession,
    ) -> Result<u64, WriteError> {
        let update = doc! { "q": filter, "u": pipeline };
        let update = doc! { "update": collection.name(), "updates": [update] };
        self.run_write(collection.command("update"), update, session).await
    }

    /// Sends a bare write command, and returns how many documents it matched. The driver's own
    /// methods discard the part of the reply that names the index that rejected a write.
    pub(super) async fn run_write(
        &self,
        command: Command<'_>,
        document: Document,
        session: &mut ClientSession,
    ) -> Result<u64, WriteError> {
        let action = self.database.run_command(document).session(session);
        let reply = write_with_timeout(command, action).await?;
        let Some(error) = first_write_error(&reply) else {
            let matched_count = reply.get_i32("n").unwrap_or_default();
            return Ok(matched_count.try_into().unwrap_or_default());
        };
        let raw = RawDocumentBuf::try_from(error).ok();
        let index = raw.as_deref().and_then(ViolatedIndex::from_write_error);
        Err(WriteError::Final(match index {
            Some(index) => index.into_commit_error(),
            None => write_failure(error.get_i32("code").unwrap_or_default()).into(),
        }))
    }
}

fn first_write_error(reply: &Document) -> Option<&Document> {
    reply.get_array("writeErrors").ok()?.first()?.as_document()
}

/// Updates at most one document, and returns how many matched the filter.
pub(super) async fn update(
    collection: &RawCollection,
    filter: Document,
    update: impl Into<UpdateModifications>,
    session: Option<&mut ClientSession>,
) -> Result<u64, WriteError> {
    let update = collection.update_one(filter, update);
    let updated = match session {
        Some(session) => {
            write_with_timeout(collection.command("update"), update.session(session)).await
        }
        None => write_with_timeout(collection.command("update"), update).await,
    };
    Ok(updated?.matched_count)
}

/// Deletes at most one document, and returns how many were deleted.
pub(super) async fn delete(
    collection: &RawCollection,
    filter: Document,
    session: &mut ClientSession,
) -> Result<u64, WriteError> {
    let delete = collection.delete_one(filter).session(session);
    Ok(write_with_timeout(collection.command("delete"), delete).await?.deleted_count)
}

/// Returns [`CommitError::Stale`] if a write matched no document. The command must then read the
/// document and decide again.
pub(super) fn ensure_matched(matched_count: u64) -> Result<(), WriteError> {
    if matched_count == 0 { Err(WriteError::Final(CommitError::Stale)) } else { Ok(()) }
}

/// Matches a document with the expected version. An absent version reads as 1.
pub(super) fn id_version_filter<E>(id: Id<E>, expected: i32) -> Document {
    let version = match expected {
        1 => doc! { "$in": [1, null] }.into(),
        version => Bson::Int32(version),
    };
    doc! { "_id": oid(id.raw), "version": version }
}
