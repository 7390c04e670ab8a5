//! Counts the shares that each caller holds of a limited resource.
//!
//! A caller without a share has no entry, so the number of entries is bounded by the resource. Entries
//! are found by a keyed hash: a client cannot choose a key that collides with another caller's, and an
//! entry takes 16 bytes regardless of its key.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::rate_limit::RateLimitKey;

/// The number of shares that each caller holds.
pub(super) struct CallerCounts {
    max: usize,
    hasher: RandomState,
    by_key: Mutex<HashMap<u64, usize>>,
}

impl CallerCounts {
    /// Lets each caller hold at most `max` shares.
    pub(super) fn new(max: usize) -> Self {
        Self { max, hasher: RandomState::new(), by_key: Mutex::default() }
    }

    /// Acquires a share, or returns `None` if the caller holds its maximum.
    pub(super) fn try_acquire(self: &Arc<Self>, caller: RateLimitKey<'_>) -> Option<CallerShare> {
        let key = self.hasher.hash_one(caller);
        let mut by_key = self.by_key();
        let count = by_key.entry(key).or_default();
        if *count >= self.max {
            return None;
        }
        *count += 1;
        Some(CallerShare { counts: self.clone(), key })
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.by_key().is_empty()
    }

    fn by_key(&self) -> MutexGuard<'_, HashMap<u64, usize>> {
        // No code panics while it holds the lock.
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One share of a caller. Dropping it makes it available again.
pub(super) struct CallerShare {
    counts: Arc<CallerCounts>,
    key: u64,
}

impl Drop for CallerShare {
    fn drop(&mut self) {
        let mut by_key = self.counts.by_key();
        if let Some(count) = by_key.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                by_key.remove(&self.key);
            }
        }
    }
}
