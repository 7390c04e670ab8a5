//! Writes: all or nothing, and an outcome that is known.

use std::{future::IntoFuture, time::Duration};

use mongodb::{
    ClientSession,
    bson::{RawDocumentBuf, doc},
    error::{Error, ErrorKind},
    options::ReadConcern,
};
use tokio::{
    sync::{Mutex, MutexGuard},
    time::Instant,
};

use super::{
    MongoStore,
    commit_probe::commit_probe,
    errors::{
        COMMAND_TIMEOUT, read_error, timeout_error, unique, violated_index_field, with_timeout,
    },
    keyset::min_object_id,
};
use crate::{
    domain::change::Change,
    store::{CommitError, StoreError, instrumentation::Command},
};

const TRANSIENT: &str = "TransientTransactionError";
const ABORT: &str = "abortTransaction";
const UNKNOWN: &str = "UnknownTransactionCommitResult";
/// How long a transaction is tried again: others may be writing the same documents.
const TRANSACTION_RETRY_LIMIT: Duration = Duration::from_secs(10);
/// The wait before the next try, times the number of tries, up to [`RETRY_MAX_DELAY`].
const RETRY_BASE_DELAY: Duration = Duration::from_millis(2);
const RETRY_MAX_DELAY: Duration = Duration::from_millis(100);

/// How many tenants may be changed at once by this process without one waiting for another.
const LOCK_STRIPES: usize = 64;

/// How many documents one command inserts at most.
const MAX_INSERT_BATCH: usize = 1_000;

/// Whose turn it is to change a tenant. Of transactions that change one document all but one fail
/// and start anew; those of one process wait in line instead, first come first served.
pub(super) struct TenantLocks([Mutex<()>; LOCK_STRIPES]);

impl TenantLocks {
    pub(super) fn new() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(())))
    }

    /// Waits in the line of the tenant that these changes change, if any.
    async fn lock(&self, changes: &[Change]) -> Option<MutexGuard<'_, ()>> {
        let tenant = changes.iter().find_map(|change| match change {
            Change::LockTenant { id, .. } | Change::DeleteTenant { id, .. } => Some(*id),
            Change::UpdateTenant { tenant, .. } => Some(tenant.id),
            _ => None,
        })?;
        let place: usize = tenant.raw.0.iter().map(|byte| usize::from(*byte)).sum();
        Some(self.0[place % LOCK_STRIPES].lock().await)
    }
}

/// The wait before a try, longer each time; up to twice as long by chance, so that those who failed
/// together do not try together again.
fn pause(attempt: u32) -> Duration {
    let pause = (RETRY_BASE_DELAY * attempt).min(RETRY_MAX_DELAY);
    let chance = getrandom::u32().unwrap_or_default();
    pause + pause.mul_f64(f64::from(chance) / f64::from(u32::MAX))
}

/// Why one try did not work.
pub(super) enum WriteError {
    /// Decided: nothing was written, and another try would end the same way.
    Final(CommitError),
    /// The driver's error.
    Driver(Error),
    /// The driver said nothing in time.
    TimedOut,
}

impl From<Error> for WriteError {
    fn from(error: Error) -> Self {
        match violated_index_field(&error).and_then(unique) {
            Some(unique) => Self::Final(CommitError::Conflict(unique)),
            None => Self::Driver(error),
        }
    }
}

impl WriteError {
    fn has_label(&self, label: &str) -> bool {
        matches!(self, Self::Driver(error) if error.contains_label(label))
    }

    fn into_error(self) -> CommitError {
        match self {
            Self::Final(error) => error,
            Self::Driver(error) => read_error(&error).into(),
            Self::TimedOut => timeout_error().into(),
        }
    }
}

impl MongoStore {
    pub(super) async fn apply(&self, changes: &[Change]) -> Result<(), CommitError> {
        match changes {
            [] => Ok(()),
            [change] if is_single_document_write(change) => self.apply_single(change).await,
            _ => {
                self.apply_in_transaction(changes).await?;
                self.remove_late_memberships(changes).await;
                Ok(())
            }
        }
    }

    /// The driver retries a single write once, and the server knows it again. After that its
    /// outcome can still be open, so it is looked up.
    async fn apply_single(&self, change: &Change) -> Result<(), CommitError> {
        let failed = match self.write(change, None).await {
            Ok(()) => return Ok(()),
            Err(failed) => failed,
        };
        match failed.into_error() {
            CommitError::Failed(StoreError::Unavailable(_))
                if self.is_applied(std::slice::from_ref(change)).await =>
            {
                Ok(())
            }
            error => Err(error),
        }
    }

    /// Begins a session; nothing is asked of a server for it.
    async fn session(&self) -> Result<ClientSession, StoreError> {
        self.client.start_session().await.map_err(|error| read_error(&error))
    }

    async fn apply_in_transaction(&self, changes: &[Change]) -> Result<(), CommitError> {
        let deadline = Instant::now() + TRANSACTION_RETRY_LIMIT;
        let turn = tokio::time::timeout_at(deadline, self.turns.lock(changes)).await;
        let _turn = turn.map_err(|_| timeout_error())?;
        let mut session = self.session().await?;
        for attempt in 1.. {
            let failed = match self.transact(&mut session, changes, deadline).await {
                Ok(()) => return Ok(()),
                Err(failed) => failed,
            };
            if !failed.has_label(TRANSIENT) || Instant::now() >= deadline {
                return Err(failed.into_error());
            }
            tokio::time::sleep(pause(attempt)).await;
        }
        Err(timeout_error().into())
    }

    /// One try of the whole transaction.
    async fn transact(
        &self,
        session: &mut ClientSession,
        changes: &[Change],
        deadline: Instant,
    ) -> Result<(), WriteError> {
        start(session).await?;
        if let Err(failed) = self.write_all(changes, session).await {
            // Whatever comes of it: the server ends by itself what is not committed.
            drop(write_with_timeout(self.on(ABORT), session.abort_transaction()).await);
            return Err(failed);
        }
        self.commit_with_retry(session, changes, deadline).await
    }

    /// Commits, again and again while the outcome is open: the server knows the transaction again.
    async fn commit_with_retry(
        &self,
        session: &mut ClientSession,
        changes: &[Change],
        deadline: Instant,
    ) -> Result<(), WriteError> {
        let mut was_open = false;
        for attempt in 1.. {
            let failed = match write_with_timeout(
                self.on("commitTransaction"),
                session.commit_transaction(),
            )
            .await
            {
                Ok(()) => return Ok(()),
                Err(failed) => failed,
            };
            let open = failed.has_label(UNKNOWN) || matches!(failed, WriteError::TimedOut);
            // Told for certain that nothing was written. Once it was open, any other answer leaves
            // it so.
            if !open && (!was_open || failed.has_label(TRANSIENT)) {
                return Err(failed);
            }
            if Instant::now() >= deadline {
                self.abort_unknown(session).await;
                return if self.is_applied(changes).await { Ok(()) } else { Err(failed) };
            }
            was_open = true;
            tokio::time::sleep(RETRY_BASE_DELAY * attempt).await;
        }
        Err(WriteError::TimedOut)
    }

    /// Ends a transaction that may still be open: a session has one, so another ends it. What is not
    /// committed then never will be, and its locks are in nobody's way.
    async fn abort_unknown(&self, session: &mut ClientSession) {
        if start(session).await.is_ok() {
            let nothing = self.tombstones.find_one(doc! { "_id": min_object_id() });
            let find = self.tombstones.command("find");
            drop(write_with_timeout(find, nothing.session(&mut *session)).await);
            drop(write_with_timeout(self.on(ABORT), session.abort_transaction()).await);
        }
    }

    /// Every change, in the order of the list; last of all the conditions on what became of all.
    /// New documents of one collection that follow one another are one command.
    async fn write_all(
        &self,
        changes: &[Change],
        session: &mut ClientSession,
    ) -> Result<(), WriteError> {
        let together = |a: &Change, b: &Change| self.can_batch(a, b);
        for some in changes.chunk_by(together).flat_map(|some| some.chunks(MAX_INSERT_BATCH)) {
            match some {
                [change] => self.write(change, Some(&mut *session)).await?,
                some => self.insert_many(some, session).await?,
            }
        }
        for change in changes {
            if let Change::RequireOwner(tenant) = change {
                self.keep_owner(*tenant, session).await?;
            }
        }
        Ok(())
    }

    /// Whether all of this is there, after an answer that never came. It is all or nothing, so one
    /// document that nobody else can have written tells; where none can tell, the answer is no.
    async fn is_applied(&self, changes: &[Change]) -> bool {
        let marks = changes.iter().filter_map(commit_probe);
        let Some((collection, mark)) = marks.min_by_key(|(_, mark)| mark.len()) else {
            return false;
        };
        let find = self.observer.command("find", collection);
        let collection = self.database.collection::<RawDocumentBuf>(collection);
        // Not what most of the servers have by now, but what they will have: linearizable.
        let look = collection.find_one(mark).read_concern(ReadConcern::linearizable());
        matches!(with_timeout(find, look.max_time(COMMAND_TIMEOUT)).await, Ok(Some(_)))
    }
}

/// What one document is changed by, all or nothing by itself. For any other change a transaction is
/// needed, be it to be told which of its values is taken.
fn is_single_document_write(change: &Change) -> bool {
    matches!(
        change,
        Change::UpdateUser { .. }
            | Change::TouchLastSeen { .. }
            | Change::InsertAuditEvent(_)
            | Change::RecordIdempotentStep { .. }
    )
}

async fn start(session: &mut ClientSession) -> Result<(), WriteError> {
    // One moment for all that is read, on every shard: what is held stays as it was then.
    let transaction = session.start_transaction().read_concern(ReadConcern::snapshot());
    let transaction = tokio::time::timeout(COMMAND_TIMEOUT, transaction.into_future()).await;
    match transaction.map_err(|_| WriteError::TimedOut)?.map_err(WriteError::from) {
        // A standalone was refused at the start: the driver has lost sight of the servers.
        Err(WriteError::Driver(error)) if matches!(*error.kind, ErrorKind::Transaction { .. }) => {
            let text = "no server that can commit is in sight".to_owned();
            Err(WriteError::Final(StoreError::Unavailable(text).into()))
        }
        other => other,
    }
}

pub(super) async fn write_with_timeout<T>(
    command: Command<'_>,
    asked: impl IntoFuture<Output = Result<T, Error>>,
) -> Result<T, WriteError> {
    let asked = async {
        let answer = tokio::time::timeout(COMMAND_TIMEOUT, asked.into_future()).await;
        answer.map_err(|_| WriteError::TimedOut)?.map_err(WriteError::from)
    };
    command.instrument(asked).await
}
