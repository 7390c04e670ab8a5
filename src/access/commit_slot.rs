//! The slots of requests that commit or wait to commit.
//!
//! A request that waits for its commit does no work, so it must not take a place from requests that
//! could work. It exchanges its execution permit for a slot. The number of slots is limited, because
//! a commit can outlive its request.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    event_permits::EventPermits,
    tenant_queue::{TenantQueues, TenantTurn},
};
use crate::domain::id::TenantId;

/// The maximum number of requests that commit or wait to commit at the same time.
///
/// A commit can outlive its request, and then it needs no execution permit. Without this limit,
/// clients that disconnect in the middle of many mutations could start any number of commits.
pub const MAX_CONCURRENT_COMMITS: usize = 512;

/// The permission of a request to be processed.
///
/// A request releases it while it waits for a commit. Until the permit itself is dropped, it counts
/// towards the limit of its caller.
#[async_trait]
pub trait ExecutionPermit: Send + Sync {
    /// Lets another request be processed instead of this one.
    fn release(&self);
    /// Waits until this request may be processed again.
    async fn reacquire(&self);
    /// Returns the permits of the events of a live operation that this request starts.
    fn event_permits(&self) -> EventPermits;
}

/// The slot of a request that commits or waits to commit.
///
/// The request and its commit share the slot, so it is in use until both have ended.
pub(super) struct CommitSlot {
    _turn: Option<TenantTurn>,
    _permit: OwnedSemaphorePermit,
    _execution_permit: Option<Arc<dyn ExecutionPermit>>,
}

/// The slots and the queues of one process.
pub(super) struct CommitSlots {
    permits: Arc<Semaphore>,
    queues: Arc<TenantQueues>,
}

impl CommitSlots {
    pub(super) fn new() -> Self {
        let permits = Arc::new(Semaphore::new(MAX_CONCURRENT_COMMITS));
        Self { permits, queues: Arc::default() }
    }

    /// Acquires a slot, or returns `None` if all are in use.
    ///
    /// If `tenant` is given, the slot includes its turn, for which this function may have to wait. The
    /// result says whether it waited. The tenant has then probably changed in between.
    pub(super) async fn try_acquire(
        &self,
        tenant: Option<TenantId>,
        execution_permit: Option<Arc<dyn ExecutionPermit>>,
    ) -> Option<(Arc<CommitSlot>, bool)> {
        let permit = self.permits.clone().try_acquire_owned().ok()?;
        let (turn, waited) = match tenant {
            None => (None, false),
            Some(tenant) => match self.queues.try_lock(tenant) {
                Some(turn) => (Some(turn), false),
                None => {
                    let turn = self.queues.lock(tenant);
                    (Some(wait_without_permit(execution_permit.as_deref(), turn).await), true)
                }
            },
        };
        let slot = CommitSlot { _turn: turn, _permit: permit, _execution_permit: execution_permit };
        Some((Arc::new(slot), waited))
    }

    /// Waits until all slots are free, and keeps them.
    pub(super) async fn close(&self) {
        if let Ok(all) = self.permits.acquire_many(MAX_CONCURRENT_COMMITS as u32).await {
            all.forget();
        }
    }
}

/// Releases the execution permit of a request while it waits.
pub(super) async fn wait_without_permit<T>(
    permit: Option<&dyn ExecutionPermit>,
    wait: impl Future<Output = T>,
) -> T {
    let Some(permit) = permit else { return wait.await };
    permit.release();
    let output = wait.await;
    permit.reacquire().await;
    output
}
