//! Ends transactions that their process no longer continues.
//!
//! A process that is killed leaves its transaction open at the server, which ends it after a minute.
//! Until then, no other write of the same documents succeeds. A write that is blocked therefore
//! searches for transactions of this program at which no command runs. A transaction is abandoned
//! if it makes no progress between two searches, and its connection has been closed or it has not
//! made progress for [`STALL_LIMIT`].
//!
//! **Invariant:** this never changes the outcome of a commit. If a live process loses its
//! transaction, the server has not committed it, and the process repeats the whole transaction.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use futures_util::TryStreamExt;
use mongodb::{
    Client, Database,
    bson::{Bson, Document, Uuid, doc},
    options::{DatabaseOptions, ReadConcern},
};
use tokio::{sync::Mutex, time::Instant};

use super::errors::with_timeout;
use crate::store::{StoreError, instrumentation::CommandMetrics};

/// The minimum time between two searches of one process.
const SEARCH_INTERVAL: Duration = Duration::from_millis(200);
/// The time without progress after which a transaction is abandoned even if its connection is open.
/// Its process may be suspended, or its host may be unreachable.
const STALL_LIMIT: Duration = Duration::from_secs(3);

/// Searches for abandoned transactions and ends them.
pub(super) struct AbandonedTransactions {
    admin: Database,
    /// The application name in the transactions of this program.
    app_name: String,
    command_metrics: CommandMetrics,
    state: Mutex<SearchState>,
}

#[derive(Default)]
struct SearchState {
    last_search: Option<Instant>,
    /// The transactions that the last search found, by their session.
    idle: HashMap<Uuid, IdleTransaction>,
    /// Set if the server rejects the search. There is no further one then.
    is_rejected: bool,
}

/// An open transaction at which no command runs.
#[derive(Clone)]
struct IdleTransaction {
    /// Its number in the session, its processing time and its connection. They change whenever a
    /// command of the transaction runs.
    progress: Document,
    /// The search that found this progress first.
    idle_since: Instant,
}

impl AbandonedTransactions {
    pub(super) fn new(client: &Client, app_name: &str, command_metrics: CommandMetrics) -> Self {
        // `$currentOp` accepts no other read concern.
        let local = DatabaseOptions::builder().read_concern(ReadConcern::local()).build();
        Self {
            admin: client.database_with_options("admin", local),
            app_name: app_name.to_owned(),
            command_metrics,
            state: Mutex::default(),
        }
    }

    /// Searches for abandoned transactions and ends them.
    ///
    /// Does nothing if another search of this process runs or has just run. A failure is only
    /// logged. The server then ends the transactions later.
    pub(super) async fn end(&self) {
        let Ok(mut state) = self.state.try_lock() else { return };
        let is_recent = state.last_search.is_some_and(|last| last.elapsed() < SEARCH_INTERVAL);
        if is_recent || state.is_rejected {
            return;
        }
        match self.search(&mut state).await {
            Ok(0) | Err(StoreError::Unavailable(_)) => {}
            Ok(transactions) => {
                tracing::warn!(transactions, "ended abandoned transactions that blocked a write");
            }
            Err(error) => {
                state.is_rejected = true;
                tracing::warn!(
                    %error,
                    "cannot search for abandoned transactions; if an instance is killed, its \
                     transactions may block other writes for a minute"
                );
            }
        }
    }

    /// Runs a write that is not part of a transaction, and ends abandoned transactions meanwhile.
    ///
    /// The server reports no conflict of such a write. It repeats the write until the transaction
    /// that blocks it has ended.
    pub(super) async fn end_during<T>(&self, write: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            result = write => result,
            never = self.end_repeatedly() => never,
        }
    }

    async fn end_repeatedly<T>(&self) -> T {
        loop {
            tokio::time::sleep(SEARCH_INTERVAL).await;
            self.end().await;
        }
    }

    /// Returns the number of ended transactions.
    async fn search(&self, state: &mut SearchState) -> Result<usize, StoreError> {
        let now = Instant::now();
        state.last_search = Some(now);
        let mut idle = HashMap::new();
        for (session, progress) in self.idle_transactions().await? {
            let same = state.idle.get(&session).filter(|known| known.progress == progress);
            let idle_since = same.map_or(now, |known| known.idle_since);
            idle.insert(session, IdleTransaction { progress, idle_since });
        }
        let is_unchanged = |transaction: &IdleTransaction| transaction.idle_since < now;
        let unchanged: Vec<_> =
            idle.iter().filter(|(_, transaction)| is_unchanged(transaction)).collect();
        let mut abandoned = Vec::new();
        if !unchanged.is_empty() {
            // A later command of a transaction may use a new connection. The connections are
            // listed after the transactions, so an unchanged transaction has none that is newer.
            let open = self.open_connections().await?;
            let is_abandoned = |transaction: &IdleTransaction| {
                let is_stalled = now - transaction.idle_since >= STALL_LIMIT;
                is_stalled || has_lost_connection(&transaction.progress, &open)
            };
            abandoned.extend(unchanged.iter().filter(|(_, t)| is_abandoned(t)).map(|(s, _)| **s));
        }
        idle.retain(|session, _| !abandoned.contains(session));
        state.idle = idle;
        if !abandoned.is_empty() {
            let sessions: Vec<_> =
                abandoned.iter().map(|session| doc! { "id": *session }).collect();
            let kill = self.admin.run_command(doc! { "killSessions": sessions });
            with_timeout(self.command_metrics.command("killSessions", ""), kill).await?;
        }
        Ok(abandoned.len())
    }

    /// Returns the idle transactions of this program and database user, with their progress.
    async fn idle_transactions(&self) -> Result<Vec<(Uuid, Document)>, StoreError> {
        let transactions = self.current_operations(vec![
            doc! { "$currentOp": { "allUsers": false, "idleSessions": true } },
            doc! { "$match": { "type": "idleSession", "appName": &self.app_name } },
            doc! { "$project": {
                "session": "$lsid.id",
                "number": "$transaction.parameters.txnNumber",
                "active": "$transaction.timeActiveMicros",
                "connection": { "$toLong": "$connectionId" },
                // Behind a router, connections are those of the router, and outlive its clients.
                "shard": 1,
            } },
        ]);
        let transaction = |mut progress: Document| {
            let Some(Bson::Binary(session)) = progress.remove("session") else { return None };
            let session = session.to_uuid().ok()?;
            progress.contains_key("active").then_some((session, progress))
        };
        Ok(transactions.await?.into_iter().filter_map(transaction).collect())
    }

    /// Returns the identifiers of the connections of this database user.
    async fn open_connections(&self) -> Result<HashSet<i64>, StoreError> {
        let connections = self.current_operations(vec![
            doc! { "$currentOp": { "allUsers": false, "idleConnections": true, "idleSessions": false } },
            doc! { "$match": { "connectionId": { "$exists": true } } },
            doc! { "$group": { "_id": { "$toLong": "$connectionId" } } },
        ]);
        Ok(connections.await?.iter().filter_map(|found| found.get_i64("_id").ok()).collect())
    }

    async fn current_operations(
        &self,
        pipeline: Vec<Document>,
    ) -> Result<Vec<Document>, StoreError> {
        let read = async { self.admin.aggregate(pipeline).await?.try_collect().await };
        with_timeout(self.command_metrics.command("aggregate", ""), Box::pin(read)).await
    }
}

/// Returns whether the connection of the transaction's last command has been closed.
fn has_lost_connection(progress: &Document, open: &HashSet<i64>) -> bool {
    let connection = progress.get_i64("connection");
    !progress.contains_key("shard") && connection.is_ok_and(|id| !open.contains(&id))
}
