//! Shares SQLite connections: several for reads and one for writes.
//!
//! SQLite blocks its thread. A read takes some 15 µs if its pages are in memory, and six times as
//! long if it is handed to another thread first (measured). So a read runs on the thread of its
//! request, after the runtime has moved its other work away. A write waits for the disk and for
//! other writers. It runs on a thread that may block, and continues to its end even if its request
//! is dropped.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, Error, OpenFlags, ffi, vtab::array};
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::Semaphore,
};

use super::database_file;
use crate::store::{PrepareError, StoreError, instrumentation::CommandMetrics};

/// The maximum number of concurrent reads. Further reads wait.
const MAX_READERS: usize = 4;
/// The time that a writer waits for another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The number of prepared statements that a connection caches.
const STATEMENT_CACHE_CAPACITY: usize = 128;

/// The connections to one database.
pub(super) struct Pool {
    readers: Arc<Connections>,
    writer: Arc<Connections>,
    command_metrics: CommandMetrics,
}

/// The thread on which a connection is used.
enum RunOn {
    /// The thread of the request.
    Inline,
    /// A thread that may block for long.
    Blocking,
}

/// A set of connections, each of which is used by one task at a time.
struct Connections {
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

impl Connections {
    fn new(connections: Vec<Connection>) -> Arc<Self> {
        let permits = Arc::new(Semaphore::new(connections.len()));
        Arc::new(Self { idle: Mutex::new(connections), permits })
    }

    fn take(&self) -> Option<Connection> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn put(&self, connection: Connection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }

    /// Runs `work` with a connection as soon as one is idle.
    async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        run_on: RunOn,
        work: impl FnOnce(&mut Connection) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let internal = |text: &str| StoreError::Internal(text.to_owned());
        let permit = self.permits.clone().acquire_owned().await;
        let permit = permit.map_err(|_| internal("the connections are closed"))?;
        let connections = self.clone();
        let work = move || {
            let mut connection = connections.take()?;
            let output = work(&mut connection);
            connections.put(connection);
            // The permit is released after the connection is idle again.
            drop(permit);
            Some(output)
        };
        let output = match run_on {
            // A runtime with one thread cannot move its other work to another thread.
            RunOn::Inline if Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread => {
                tokio::task::block_in_place(work)
            }
            _ => {
                let output = tokio::task::spawn_blocking(work).await;
                output.map_err(|_| internal("a database operation panicked"))?
            }
        };
        output.ok_or_else(|| internal("a connection was lost"))
    }
}

impl Pool {
    pub(super) fn open(path: &Path, command_metrics: CommandMetrics) -> Result<Self, PrepareError> {
        database_file::validate(path)?;
        database_file::create(path)?;
        let connect = |read_only: bool| {
            connect(path, read_only).map_err(|error| database_file::open_error(path, error))
        };
        // The writer connects first, because it creates the file and enables the write-ahead log.
        let writer = connect(false)?;
        let readers = (0..MAX_READERS).map(|_| connect(true)).collect::<Result<_, _>>()?;
        let (readers, writer) = (Connections::new(readers), Connections::new(vec![writer]));
        Ok(Self { readers, writer, command_metrics })
    }

    pub(super) fn in_memory(command_metrics: CommandMetrics) -> Result<Self, PrepareError> {
        let connection = Connection::open_in_memory().and_then(|db| {
            array::load_module(&db)?;
            db.set_prepared_statement_cache_capacity(STATEMENT_CACHE_CAPACITY);
            db.execute_batch("PRAGMA foreign_keys = ON")?;
            Ok(db)
        })?;
        // Every connection to memory has its own database, so reads and writes share this one.
        let shared = Connections::new(vec![connection]);
        Ok(Self { readers: shared.clone(), writer: shared, command_metrics })
    }

    /// Runs a read of this table.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        table: &'static str,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let read = async { Ok(self.readers.run(RunOn::Inline, work).await??) };
        self.command_metrics.command("select", table).instrument(read).await
    }

    /// Runs a read that takes long, on a thread that may block.
    pub(super) async fn scan<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let scan = async { Ok(self.readers.run(RunOn::Blocking, work).await??) };
        self.command_metrics.command("scan", "").instrument(scan).await
    }

    /// Runs a write, which is the only one at a time. `command` is its name in the metrics.
    pub(super) async fn write<T: Send + 'static, E: From<StoreError> + Send + 'static>(
        &self,
        command: &'static str,
        work: impl FnOnce(&mut Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let write = async { self.writer.run(RunOn::Blocking, work).await? };
        self.command_metrics.command(command, "").instrument(write).await
    }
}

fn connect(path: &Path, read_only: bool) -> rusqlite::Result<Connection> {
    // Without the flag for URIs, a path that begins with `file:` is a path, too.
    let flags = OpenFlags::default().difference(OpenFlags::SQLITE_OPEN_URI);
    let db = Connection::open_with_flags(path, flags)?;
    // SQLite opens a file that it may not write for reading only.
    if !read_only && db.is_readonly("main")? {
        return Err(Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_READONLY), None));
    }
    db.busy_timeout(BUSY_TIMEOUT)?;
    array::load_module(&db)?;
    db.set_prepared_statement_cache_capacity(STATEMENT_CACHE_CAPACITY);
    // FULL, because with NORMAL the last commits are lost in a power failure.
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
    )?;
    if read_only {
        db.execute_batch("PRAGMA query_only = ON")?;
    }
    Ok(db)
}
