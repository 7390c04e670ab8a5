//! A queue per tenant for the transactions of this process.
//!
//! Of concurrent transactions that change one document, all but one fail and must start again. The
//! transactions of one process therefore wait for each other before they start, in order of
//! arrival.

use tokio::sync::{Mutex, MutexGuard};

use crate::domain::change::{Change, locked_tenant};

/// The number of queues. Two tenants may share one, and then wait for each other without need.
const LOCK_STRIPES: usize = 64;

/// Fair mutexes, one of which serializes the writes to a tenant.
pub(super) struct TenantLocks([Mutex<()>; LOCK_STRIPES]);

impl TenantLocks {
    pub(super) fn new() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(())))
    }

    /// Locks the tenant that these changes lock, update or delete. Returns `None` if there is none.
    pub(super) async fn lock(&self, changes: &[Change]) -> Option<MutexGuard<'_, ()>> {
        let tenant = locked_tenant(changes)?;
        let hash: usize = tenant.raw.0.iter().map(|byte| usize::from(*byte)).sum();
        Some(self.0[hash % LOCK_STRIPES].lock().await)
    }
}
