//! Heartbeats: the sign of life of this process for the runs of idempotent requests.
//!
//! A process that has runs for more than a moment records a heartbeat a few times per second. The
//! number of its runs does not matter, so many slow requests do not add load to a slow store.

use std::{
    collections::HashSet,
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

use tokio::{sync::Mutex as AsyncMutex, time::Instant};

use crate::{
    clock::Clock,
    domain::{id::ObjectId, idempotency::Heartbeat},
    store::Store,
};

/// The interval between the heartbeats of a process.
const INTERVAL: Duration = Duration::from_millis(150);

/// The runs of this process, and its heartbeats.
#[derive(Default)]
pub(super) struct Heartbeats {
    process: OnceLock<ObjectId>,
    runs: Mutex<HashSet<ObjectId>>,
    latest: AsyncMutex<Option<Instant>>,
}

impl Heartbeats {
    /// Returns the identifier of this process, which is that of its first run.
    pub(super) fn process(&self, run_id: ObjectId) -> ObjectId {
        *self.process.get_or_init(|| run_id)
    }

    /// Does the work of a run, and records heartbeats meanwhile.
    pub(super) async fn record_during<T>(
        &self,
        run_id: ObjectId,
        (store, clock): (&dyn Store, &dyn Clock),
        work: impl Future<Output = T>,
    ) -> T {
        self.with_runs(|runs| runs.insert(run_id));
        let _run = RunGuard { heartbeats: self, run_id };
        let record = async {
            loop {
                tokio::time::sleep(INTERVAL).await;
                self.record(self.process(run_id), store, clock).await;
            }
        };
        tokio::select! {
            biased;
            output = work => output,
            never = record => never,
        }
    }

    /// Records a heartbeat, unless another run has just done so.
    async fn record(&self, process: ObjectId, store: &dyn Store, clock: &dyn Clock) {
        let mut latest = self.latest.lock().await;
        if latest.is_some_and(|latest| latest.elapsed() < INTERVAL) {
            return;
        }
        let runs = self.with_runs(|runs| runs.iter().copied().collect());
        if let Err(error) =
            store.record_heartbeat(&Heartbeat { process, runs, now: clock.now() }).await
        {
            tracing::warn!(%error, "a heartbeat of the idempotent requests could not be recorded");
        }
        *latest = Some(Instant::now());
    }

    fn with_runs<T>(&self, f: impl FnOnce(&mut HashSet<ObjectId>) -> T) -> T {
        f(&mut self.runs.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Removes a run when it ends or is dropped.
struct RunGuard<'a> {
    heartbeats: &'a Heartbeats,
    run_id: ObjectId,
}

impl Drop for RunGuard<'_> {
    fn drop(&mut self) {
        self.heartbeats.with_runs(|runs| runs.remove(&self.run_id));
    }
}
