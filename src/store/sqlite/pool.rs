//! Connections: some to read with, one to write with, none on the runtime's threads.
//!
//! SQLite blocks. A read takes some 15 µs where the pages are in memory, and six times that where it
//! is handed to another thread first (measured), so a read runs where it is, after the runtime was
//! told to move its other work. A write, which waits for the disk and for other writers, runs on a
//! thread that may block, and goes on to its end even where nobody waits for it any more.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, vtab::array};
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::Semaphore,
};

use crate::store::{PrepareError, StoreError, instrumentation::CommandMetrics};

/// How many reads run at once; more wait.
const READERS: usize = 4;
/// How long a writer waits for another process to finish.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How many statements a connection keeps ready.
const STATEMENT_CACHE_CAPACITY: usize = 128;

/// The connections to one database.
pub(super) struct Pool {
    readers: Arc<Connections>,
    writer: Arc<Connections>,
    observer: CommandMetrics,
}

/// Where a use of a connection runs.
enum RunOn {
    /// Where the request runs.
    Inline,
    /// Where it may block for long.
    Blocking,
}

/// Connections that are used by one at a time each.
struct Connections {
    idle: Mutex<Vec<Connection>>,
    free: Arc<Semaphore>,
}

impl Connections {
    fn new(connections: Vec<Connection>) -> Arc<Self> {
        let free = Arc::new(Semaphore::new(connections.len()));
        Arc::new(Self { idle: Mutex::new(connections), free })
    }

    fn take(&self) -> Option<Connection> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn put(&self, connection: Connection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }

    /// Uses a connection as soon as one is free.
    async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        on: RunOn,
        work: impl FnOnce(&mut Connection) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let fault = |why: &str| StoreError::Internal(why.to_owned());
        let permit = self.free.clone().acquire_owned().await;
        let permit = permit.map_err(|_| fault("the connections are closed"))?;
        let connections = self.clone();
        let work = move || {
            let mut connection = connections.take()?;
            let done = work(&mut connection);
            connections.put(connection);
            // Only now may the next one look for a connection.
            drop(permit);
            Some(done)
        };
        let done = match on {
            // A runtime of one thread has nowhere to move its other work to.
            RunOn::Inline if Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread => {
                tokio::task::block_in_place(work)
            }
            _ => {
                let done = tokio::task::spawn_blocking(work).await;
                done.map_err(|_| fault("a use of the database panicked"))?
            }
        };
        done.ok_or_else(|| fault("a connection was lost"))
    }
}

impl Pool {
    pub(super) fn open(path: &Path, observer: CommandMetrics) -> Result<Self, PrepareError> {
        let shown = path.display();
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| {
                PrepareError::Misconfigured(format!(
                    "the folder of {shown} cannot be made: {error}"
                ))
            })?;
        }
        let connect = |read_only: bool| {
            connect(path, read_only).map_err(|error| match PrepareError::from(error) {
                PrepareError::Misconfigured(why) => {
                    PrepareError::Misconfigured(format!("{shown}: {why}"))
                }
                PrepareError::Failed(StoreError::Internal(why)) => {
                    PrepareError::Misconfigured(format!("{shown} cannot be opened: {why}"))
                }
                passing => passing,
            })
        };
        // The writer first: it makes the file, and turns on the log that readers need.
        let writer = connect(false)?;
        let readers = (0..READERS).map(|_| connect(true)).collect::<Result<_, _>>()?;
        let (readers, writer) = (Connections::new(readers), Connections::new(vec![writer]));
        Ok(Self { readers, writer, observer })
    }

    pub(super) fn in_memory(observer: CommandMetrics) -> Result<Self, PrepareError> {
        let connection = Connection::open_in_memory().and_then(|db| {
            array::load_module(&db)?;
            db.set_prepared_statement_cache_capacity(STATEMENT_CACHE_CAPACITY);
            db.execute_batch("PRAGMA foreign_keys = ON")?;
            Ok(db)
        })?;
        // Each connection to memory would have a database of its own: all share this one.
        let one = Connections::new(vec![connection]);
        Ok(Self { readers: one.clone(), writer: one, observer })
    }

    /// Reads from that table.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        table: &'static str,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let read = async { Ok(self.readers.run(RunOn::Inline, work).await??) };
        self.observer.command("select", table).instrument(read).await
    }

    /// Writes, alone; what for is told by that word.
    pub(super) async fn write<T: Send + 'static, E: From<StoreError> + Send + 'static>(
        &self,
        what: &'static str,
        work: impl FnOnce(&mut Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let write = async { self.writer.run(RunOn::Blocking, work).await? };
        self.observer.command(what, "").instrument(write).await
    }
}

fn connect(path: &Path, read_only: bool) -> rusqlite::Result<Connection> {
    let db = Connection::open(path)?;
    db.busy_timeout(BUSY_TIMEOUT)?;
    array::load_module(&db)?;
    db.set_prepared_statement_cache_capacity(STATEMENT_CACHE_CAPACITY);
    // FULL: with NORMAL, what was committed last is lost when the power goes.
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
    )?;
    if read_only {
        db.execute_batch("PRAGMA query_only = ON")?;
    }
    Ok(db)
}
