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
    errors::{PATIENCE, bounded, out_of_time, read_error, refused_by, unique},
    keyset::least,
    marks::mark,
};
use crate::{
    domain::change::Change,
    store::{CommitError, ReadError, observe::Command},
};

const TRANSIENT: &str = "TransientTransactionError";
const ABORT: &str = "abortTransaction";
const UNKNOWN: &str = "UnknownTransactionCommitResult";
/// How long a transaction is tried again: others may be writing the same documents.
const TRYING: Duration = Duration::from_secs(10);
/// The wait before the next try, times the number of tries, up to [`LONGEST_PAUSE`].
const PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// How many tenants may be changed at once by this process without one waiting for another.
const TURNS: usize = 64;

/// How many documents one command inserts at most.
const AT_ONCE: usize = 1_000;

/// Whose turn it is to change a tenant. Of transactions that change one document all but one fail
/// and start anew; those of one process wait in line instead, first come first served.
pub(super) struct Turns([Mutex<()>; TURNS]);

impl Turns {
    pub(super) fn new() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(())))
    }

    /// Waits in the line of the tenant that these changes change, if any.
    async fn take(&self, changes: &[Change]) -> Option<MutexGuard<'_, ()>> {
        let tenant = changes.iter().find_map(|change| match change {
            Change::HoldTenant { id, .. } | Change::DeleteTenant { id, .. } => Some(*id),
            Change::UpdateTenant { tenant, .. } => Some(tenant.id),
            _ => None,
        })?;
        let place: usize = tenant.raw.0.iter().map(|byte| usize::from(*byte)).sum();
        Some(self.0[place % TURNS].lock().await)
    }
}

/// The wait before a try, longer each time; up to twice as long by chance, so that those who failed
/// together do not try together again.
fn pause(attempt: u32) -> Duration {
    let pause = (PAUSE * attempt).min(LONGEST_PAUSE);
    let chance = getrandom::u32().unwrap_or_default();
    pause + pause.mul_f64(f64::from(chance) / f64::from(u32::MAX))
}

/// Why one try did not work.
pub(super) enum Failed {
    /// Decided: nothing was written, and another try would end the same way.
    Decided(CommitError),
    /// The driver's error.
    Driver(Error),
    /// The driver said nothing in time.
    Silent,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        match refused_by(&error).and_then(unique) {
            Some(unique) => Self::Decided(CommitError::Conflict(unique)),
            None => Self::Driver(error),
        }
    }
}

impl Failed {
    fn has_label(&self, label: &str) -> bool {
        matches!(self, Self::Driver(error) if error.contains_label(label))
    }

    fn into_error(self) -> CommitError {
        match self {
            Self::Decided(error) => error,
            Self::Driver(error) => read_error(&error).into(),
            Self::Silent => out_of_time().into(),
        }
    }
}

impl MongoStore {
    pub(super) async fn apply(&self, changes: &[Change]) -> Result<(), CommitError> {
        match changes {
            [] => Ok(()),
            [change] if is_alone(change) => self.apply_alone(change).await,
            _ => {
                self.apply_together(changes).await?;
                self.end_latecomers(changes).await;
                Ok(())
            }
        }
    }

    /// The driver retries a single write once, and the server knows it again. After that its
    /// outcome can still be open, so it is looked up.
    async fn apply_alone(&self, change: &Change) -> Result<(), CommitError> {
        let failed = match self.write(change, None).await {
            Ok(()) => return Ok(()),
            Err(failed) => failed,
        };
        match failed.into_error() {
            CommitError::Failed(ReadError::Unavailable(_))
                if self.is_applied(std::slice::from_ref(change)).await =>
            {
                Ok(())
            }
            error => Err(error),
        }
    }

    /// Begins a session; nothing is asked of a server for it.
    async fn session(&self) -> Result<ClientSession, ReadError> {
        self.client.start_session().await.map_err(|error| read_error(&error))
    }

    async fn apply_together(&self, changes: &[Change]) -> Result<(), CommitError> {
        let deadline = Instant::now() + TRYING;
        let turn = tokio::time::timeout_at(deadline, self.turns.take(changes)).await;
        let _turn = turn.map_err(|_| out_of_time())?;
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
        Err(out_of_time().into())
    }

    /// One try of the whole transaction.
    async fn transact(
        &self,
        session: &mut ClientSession,
        changes: &[Change],
        deadline: Instant,
    ) -> Result<(), Failed> {
        start(session).await?;
        if let Err(failed) = self.write_all(changes, session).await {
            // Whatever comes of it: the server ends by itself what is not committed.
            drop(in_time(self.on(ABORT), session.abort_transaction()).await);
            return Err(failed);
        }
        self.conclude(session, changes, deadline).await
    }

    /// Commits, again and again while the outcome is open: the server knows the transaction again.
    async fn conclude(
        &self,
        session: &mut ClientSession,
        changes: &[Change],
        deadline: Instant,
    ) -> Result<(), Failed> {
        let mut was_open = false;
        for attempt in 1.. {
            let failed =
                match in_time(self.on("commitTransaction"), session.commit_transaction()).await {
                    Ok(()) => return Ok(()),
                    Err(failed) => failed,
                };
            let open = failed.has_label(UNKNOWN) || matches!(failed, Failed::Silent);
            // Told for certain that nothing was written. Once it was open, any other answer leaves
            // it so.
            if !open && (!was_open || failed.has_label(TRANSIENT)) {
                return Err(failed);
            }
            if Instant::now() >= deadline {
                self.end_open(session).await;
                return if self.is_applied(changes).await { Ok(()) } else { Err(failed) };
            }
            was_open = true;
            tokio::time::sleep(PAUSE * attempt).await;
        }
        Err(Failed::Silent)
    }

    /// Ends a transaction that may still be open: a session has one, so another ends it. What is not
    /// committed then never will be, and its locks are in nobody's way.
    async fn end_open(&self, session: &mut ClientSession) {
        if start(session).await.is_ok() {
            let nothing = self.tombstones.find_one(doc! { "_id": least() });
            let find = self.tombstones.on("find");
            drop(in_time(find, nothing.session(&mut *session)).await);
            drop(in_time(self.on(ABORT), session.abort_transaction()).await);
        }
    }

    /// Every change, in the order of the list; last of all the conditions on what became of all.
    /// New documents of one collection that follow one another are one command.
    async fn write_all(
        &self,
        changes: &[Change],
        session: &mut ClientSession,
    ) -> Result<(), Failed> {
        let together = |a: &Change, b: &Change| self.go_together(a, b);
        for some in changes.chunk_by(together).flat_map(|some| some.chunks(AT_ONCE)) {
            match some {
                [change] => self.write(change, Some(&mut *session)).await?,
                some => self.insert_together(some, session).await?,
            }
        }
        for change in changes {
            if let Change::KeepOwner(tenant) = change {
                self.keep_owner(*tenant, session).await?;
            }
        }
        Ok(())
    }

    /// Whether all of this is there, after an answer that never came. It is all or nothing, so one
    /// document that nobody else can have written tells; where none can tell, the answer is no.
    async fn is_applied(&self, changes: &[Change]) -> bool {
        let marks = changes.iter().filter_map(mark);
        let Some((collection, mark)) = marks.min_by_key(|(_, mark)| mark.len()) else {
            return false;
        };
        let find = self.observer.command("find", collection);
        let collection = self.database.collection::<RawDocumentBuf>(collection);
        // Not what most of the servers have by now, but what they will have: linearizable.
        let look = collection.find_one(mark).read_concern(ReadConcern::linearizable());
        matches!(bounded(find, look.max_time(PATIENCE)).await, Ok(Some(_)))
    }
}

/// What one document is changed by, all or nothing by itself. For any other change a transaction is
/// needed, be it to be told which of its values is taken.
fn is_alone(change: &Change) -> bool {
    matches!(
        change,
        Change::UpdateUser { .. }
            | Change::SeeUser { .. }
            | Change::Record(_)
            | Change::Done { .. }
    )
}

async fn start(session: &mut ClientSession) -> Result<(), Failed> {
    // One moment for all that is read, on every shard: what is held stays as it was then.
    let transaction = session.start_transaction().read_concern(ReadConcern::snapshot());
    let transaction = tokio::time::timeout(PATIENCE, transaction.into_future()).await;
    match transaction.map_err(|_| Failed::Silent)?.map_err(Failed::from) {
        // A standalone was refused at the start: the driver has lost sight of the servers.
        Err(Failed::Driver(error)) if matches!(*error.kind, ErrorKind::Transaction { .. }) => {
            let text = "no server that can commit is in sight".to_owned();
            Err(Failed::Decided(ReadError::Unavailable(text).into()))
        }
        other => other,
    }
}

pub(super) async fn in_time<T>(
    command: Command<'_>,
    asked: impl IntoFuture<Output = Result<T, Error>>,
) -> Result<T, Failed> {
    let asked = async {
        let answer = tokio::time::timeout(PATIENCE, asked.into_future()).await;
        answer.map_err(|_| Failed::Silent)?.map_err(Failed::from)
    };
    command.observe(asked).await
}
