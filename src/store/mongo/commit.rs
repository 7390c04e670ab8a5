//! Commits a list of changes atomically, and determines an outcome that the server did not report.

use std::{future::IntoFuture, time::Duration};

use mongodb::{
    ClientSession,
    bson::{RawDocumentBuf, doc},
    error::ErrorKind,
    options::ReadConcern,
};
use tokio::time::Instant;

use super::{
    commit_probe::commit_probe,
    connect::MongoStore,
    errors::{COMMAND_TIMEOUT, read_error, timeout_error, with_timeout},
    keyset::min_object_id,
    search_keys::FillBatch,
    writes::{WriteError, write_with_timeout},
};
use crate::{
    domain::change::Change,
    store::{CommitError, StoreError},
};

const TRANSIENT_LABEL: &str = "TransientTransactionError";
const UNKNOWN_LABEL: &str = "UnknownTransactionCommitResult";
const ABORT_COMMAND: &str = "abortTransaction";
/// The time for which a transaction is retried. It conflicts with others that write the same
/// documents.
const TRANSACTION_RETRY_LIMIT: Duration = Duration::from_secs(10);
/// The delay before a retry. It is multiplied by the number of attempts, up to [`MAX_RETRY_DELAY`].
const RETRY_BASE_DELAY: Duration = Duration::from_millis(2);
const MAX_RETRY_DELAY: Duration = Duration::from_millis(100);

/// The maximum number of documents that one command inserts.
const MAX_INSERT_BATCH: usize = 1_000;

/// Returns the delay before the next attempt. It grows with the attempts. A random part of up to
/// the same length keeps transactions that failed together from retrying together.
fn retry_delay(attempt: u32) -> Duration {
    let delay = (RETRY_BASE_DELAY * attempt).min(MAX_RETRY_DELAY);
    let random = getrandom::u32().unwrap_or_default();
    delay + delay.mul_f64(f64::from(random) / f64::from(u32::MAX))
}

/// The writes of a transaction.
enum TransactionWrites<'a> {
    /// The changes of a commit.
    Changes(&'a [Change]),
    /// The search keys of documents that another program wrote. They may be written twice.
    SearchKeys(&'a FillBatch<'a>),
}

impl MongoStore {
    pub(super) async fn apply(&self, changes: &[Change]) -> Result<(), CommitError> {
        match changes {
            [] => Ok(()),
            [change] if is_single_document_write(change) => {
                self.abandoned.end_during(self.apply_single(change)).await
            }
            _ => {
                self.apply_in_transaction(changes).await?;
                self.abandoned.end_during(self.remove_late_memberships(changes)).await;
                Ok(())
            }
        }
    }

    /// Applies a change of one document without a transaction. The driver retries such a write
    /// once, and the server recognizes the retry. If the outcome is still unknown after that, a
    /// read determines it.
    async fn apply_single(&self, change: &Change) -> Result<(), CommitError> {
        let error = match self.write(change, None).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        match error.into_commit_error() {
            // The user changed, or this change needs new search keys, which are documents of their
            // own.
            CommitError::Stale if matches!(change, Change::UpdateUser { .. }) => {
                self.apply_in_transaction(std::slice::from_ref(change)).await
            }
            CommitError::Failed(StoreError::Unavailable(_))
                if self.is_applied(std::slice::from_ref(change)).await =>
            {
                Ok(())
            }
            error => Err(error),
        }
    }

    /// Starts a session. This sends no command to a server.
    async fn session(&self) -> Result<ClientSession, StoreError> {
        self.client.start_session().await.map_err(|error| read_error(&error))
    }

    async fn apply_in_transaction(&self, changes: &[Change]) -> Result<(), CommitError> {
        let deadline = Instant::now() + TRANSACTION_RETRY_LIMIT;
        let lock = tokio::time::timeout_at(deadline, self.tenant_locks.lock(changes)).await;
        let _guard = lock.map_err(|_| timeout_error())?;
        self.retry_transaction(&TransactionWrites::Changes(changes), deadline).await
    }

    /// Writes the search keys of a batch of documents in a transaction.
    pub(super) async fn fill_in_transaction(
        &self,
        batch: &FillBatch<'_>,
    ) -> Result<(), StoreError> {
        let deadline = Instant::now() + TRANSACTION_RETRY_LIMIT;
        let writes = TransactionWrites::SearchKeys(batch);
        self.retry_transaction(&writes, deadline).await.map_err(|error| match error {
            CommitError::Failed(error) => error,
            error => StoreError::Internal(error.to_string()),
        })
    }

    /// Repeats a transaction while the server reports a transient error.
    async fn retry_transaction(
        &self,
        writes: &TransactionWrites<'_>,
        deadline: Instant,
    ) -> Result<(), CommitError> {
        let mut session = self.session().await?;
        for attempt in 1.. {
            let error = match self.transact(&mut session, writes, deadline).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            if !error.has_label(TRANSIENT_LABEL) || Instant::now() >= deadline {
                return Err(error.into_commit_error());
            }
            if error.is_conflict() {
                self.abandoned.end().await;
            }
            tokio::time::sleep(retry_delay(attempt)).await;
        }
        Err(timeout_error().into())
    }

    /// Makes one attempt of the whole transaction.
    async fn transact(
        &self,
        session: &mut ClientSession,
        writes: &TransactionWrites<'_>,
        deadline: Instant,
    ) -> Result<(), WriteError> {
        start_transaction(session).await?;
        let (written, changes) = match writes {
            TransactionWrites::Changes(changes) => {
                (self.write_all(changes, session).await, *changes)
            }
            TransactionWrites::SearchKeys(batch) => {
                (self.fill_batch(batch, session).await, &[][..])
            }
        };
        if let Err(error) = written {
            // The result does not matter. The server aborts an abandoned transaction by itself.
            drop(
                write_with_timeout(self.command(ABORT_COMMAND), session.abort_transaction()).await,
            );
            return Err(error);
        }
        self.commit_with_retry(session, changes, deadline).await
    }

    /// Commits, and repeats the commit while its outcome is unknown. The server recognizes the
    /// transaction, so a repeated commit has no second effect.
    async fn commit_with_retry(
        &self,
        session: &mut ClientSession,
        changes: &[Change],
        deadline: Instant,
    ) -> Result<(), WriteError> {
        let mut was_unknown = false;
        for attempt in 1.. {
            let commit = session.commit_transaction();
            let error = match write_with_timeout(self.command("commitTransaction"), commit).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let is_unknown =
                error.has_label(UNKNOWN_LABEL) || matches!(error, WriteError::TimedOut);
            // The server reported that nothing was committed. After an unknown outcome, only the
            // label for a transient error proves this.
            if !is_unknown && (!was_unknown || error.has_label(TRANSIENT_LABEL)) {
                return Err(error);
            }
            if Instant::now() >= deadline {
                self.abort_unknown(session).await;
                return if self.is_applied(changes).await { Ok(()) } else { Err(error) };
            }
            was_unknown = true;
            tokio::time::sleep(RETRY_BASE_DELAY * attempt).await;
        }
        Err(WriteError::TimedOut)
    }

    /// Aborts a transaction with an unknown outcome. A session has one transaction at a time, so
    /// starting another one ends it. After this, it can no longer be committed, and it holds no
    /// locks.
    async fn abort_unknown(&self, session: &mut ClientSession) {
        if start_transaction(session).await.is_ok() {
            let nothing = self.tombstones.find_one(doc! { "_id": min_object_id() });
            let find = self.tombstones.command("find");
            drop(write_with_timeout(find, nothing.session(&mut *session)).await);
            drop(
                write_with_timeout(self.command(ABORT_COMMAND), session.abort_transaction()).await,
            );
        }
    }

    /// Applies all changes in the order of the list, and then checks the conditions on their
    /// result. Consecutive inserts into one collection are one command.
    async fn write_all(
        &self,
        changes: &[Change],
        session: &mut ClientSession,
    ) -> Result<(), WriteError> {
        let can_batch = |a: &Change, b: &Change| self.can_batch(a, b);
        let batches = changes.chunk_by(can_batch).flat_map(|run| run.chunks(MAX_INSERT_BATCH));
        for batch in batches {
            match batch {
                [change] => self.write(change, Some(&mut *session)).await?,
                batch => self.insert_many(batch, session).await?,
            }
        }
        for change in changes {
            if let Change::RequireOwner(tenant) = change {
                self.require_owner(*tenant, session).await?;
            }
        }
        Ok(())
    }

    /// Returns whether the changes were applied, after a reply was lost. The changes are atomic, so
    /// one document that only this commit can have written proves all of them. If no change has
    /// such a document, or the read fails, the result is `false`.
    async fn is_applied(&self, changes: &[Change]) -> bool {
        let probes = changes.iter().filter_map(commit_probe);
        // A filter with one condition is by the identifier of an inserted document.
        let Some((collection, filter)) = probes.min_by_key(|(_, filter)| filter.len()) else {
            return false;
        };
        let command = self.command_metrics.command("find", collection);
        let collection = self.database.collection::<RawDocumentBuf>(collection);
        // A majority read can miss a commit that is still being replicated. A linearizable read
        // waits for it.
        let find = collection.find_one(filter).read_concern(ReadConcern::linearizable());
        matches!(with_timeout(command, find.max_time(COMMAND_TIMEOUT)).await, Ok(Some(_)))
    }
}

/// Returns whether the change writes one document, which is atomic without a transaction.
///
/// All other changes run in a transaction. Some need it only because the write commands inside of a
/// transaction report the field of a conflict.
fn is_single_document_write(change: &Change) -> bool {
    matches!(
        change,
        Change::UpdateUser { .. }
            | Change::TouchLastSeen { .. }
            | Change::InsertAuditEvent(_)
            | Change::PostponeOutboxMessage { .. }
            | Change::RecordIdempotentStep { .. }
    )
}

async fn start_transaction(session: &mut ClientSession) -> Result<(), WriteError> {
    // All reads of the transaction see the same snapshot, on every shard. A tenant that the
    // transaction locks does not change until the commit.
    let transaction = session.start_transaction().read_concern(ReadConcern::snapshot());
    let transaction = tokio::time::timeout(COMMAND_TIMEOUT, transaction.into_future()).await;
    match transaction.map_err(|_| WriteError::TimedOut)?.map_err(WriteError::from) {
        // `prepare` has rejected standalone servers, so the driver knows no server at the moment.
        Err(WriteError::Driver(error)) if matches!(*error.kind, ErrorKind::Transaction { .. }) => {
            let text = "no server that supports transactions is reachable".to_owned();
            Err(WriteError::Final(StoreError::Unavailable(text).into()))
        }
        other => other,
    }
}
