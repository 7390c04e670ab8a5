//! A queue per tenant for the writes of this process.
//!
//! Of writes that are decided on the same version of a tenant, one is committed and all others are
//! stale. So a write that finds another one in progress waits for its turn, decides again, and then
//! commits. Turns are granted in the order of arrival.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::OwnedMutexGuard;

use crate::domain::id::TenantId;

/// The queues of the tenants that are being written.
#[derive(Default)]
pub(super) struct TenantQueues(Mutex<HashMap<TenantId, TenantQueue>>);

/// The queue of one tenant, which exists as long as it has members.
#[derive(Default)]
struct TenantQueue {
    /// The number of writes that have the turn or wait for it.
    members: usize,
    /// A fair mutex.
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl TenantQueues {
    /// Takes the turn of a tenant if no other write has it or waits for it.
    pub(super) fn try_lock(self: &Arc<Self>, tenant: TenantId) -> Option<TenantTurn> {
        let member = QueueMember::new(self, tenant);
        let guard = member.turn.clone().try_lock_owned().ok()?;
        Some(TenantTurn { _guard: guard, _member: member })
    }

    /// Waits for the turn of a tenant.
    pub(super) async fn lock(self: &Arc<Self>, tenant: TenantId) -> TenantTurn {
        let member = QueueMember::new(self, tenant);
        let guard = member.turn.clone().lock_owned().await;
        TenantTurn { _guard: guard, _member: member }
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<TenantId, TenantQueue>> {
        // No code panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The turn of one write. Dropping it lets the next one proceed.
pub(super) struct TenantTurn {
    _guard: OwnedMutexGuard<()>,
    _member: QueueMember,
}

/// The membership of one write in the queue of its tenant. The last one removes the queue.
struct QueueMember {
    queues: Arc<TenantQueues>,
    tenant: TenantId,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl QueueMember {
    fn new(queues: &Arc<TenantQueues>, tenant: TenantId) -> Self {
        let mut by_tenant = queues.queues();
        let queue = by_tenant.entry(tenant).or_default();
        queue.members += 1;
        Self { queues: queues.clone(), tenant, turn: queue.turn.clone() }
    }
}

impl Drop for QueueMember {
    fn drop(&mut self) {
        let mut by_tenant = self.queues.queues();
        if let Some(queue) = by_tenant.get_mut(&self.tenant) {
            queue.members -= 1;
            if queue.members == 0 {
                by_tenant.remove(&self.tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::domain::id::ObjectId;

    fn tenant(number: u8) -> TenantId {
        TenantId::new(ObjectId([number; 12]))
    }

    #[test]
    fn turns_are_granted_in_order_of_arrival() {
        let queues = Arc::new(TenantQueues::default());
        let first = queues.try_lock(tenant(1)).expect("a free turn");
        let mut second = Box::pin(queues.lock(tenant(1)));
        let mut third = Box::pin(queues.lock(tenant(1)));
        assert!(second.as_mut().now_or_never().is_none());
        assert!(third.as_mut().now_or_never().is_none());
        assert!(queues.try_lock(tenant(2)).is_some(), "each tenant has its own queue");
        drop(first);
        assert!(queues.try_lock(tenant(1)).is_none(), "a newcomer does not overtake");
        assert!(third.as_mut().now_or_never().is_none());
        drop(second.now_or_never().expect("the next turn"));
        drop(third.now_or_never().expect("the last turn"));
        assert!(queues.queues().is_empty());
    }

    #[test]
    fn cancelled_wait_leaves_the_queue() {
        let queues = Arc::new(TenantQueues::default());
        let first = queues.try_lock(tenant(1)).expect("a free turn");
        let mut second = Box::pin(queues.lock(tenant(1)));
        assert!(second.as_mut().now_or_never().is_none());
        drop(first);
        drop(second);
        assert!(queues.queues().is_empty());
    }
}
