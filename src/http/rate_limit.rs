//! Limits the cost that each caller may cause per unit of time.
//!
//! The algorithm is the leaky bucket as a meter. Each caller has a bucket, which the cost of requests
//! fills and which drains at the configured rate. A request passes if its cost fits. A request that
//! costs more than a whole bucket passes if the bucket is empty, and the caller then waits until all
//! of it has drained. Every document within the document limits can therefore be executed.
//!
//! Memory is bounded. A bucket takes 24 bytes, regardless of the kind of its key. Drained buckets are
//! evicted, and there are never more than [`MAX_BUCKETS`]. Callers that arrive when all buckets are in
//! use share one bucket.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use super::proxies::client_network;
use crate::domain::{time::Timestamp, user::Identity};

/// The maximum number of buckets, which take about 3 MB.
const MAX_BUCKETS: usize = 65_536;
/// The number of buckets below which none are evicted.
const MIN_BUCKETS_TO_SWEEP: usize = 1024;
/// The minimum time between two sweeps, in milliseconds. A sweep visits every bucket.
const SWEEP_INTERVAL_MS: u64 = 1000;
/// The base cost of every request, regardless of its document.
pub(super) const BASE_COST: u64 = 1;
/// The length of a body or a query string that the base cost covers, in bytes.
const BYTES_OF_BASE_COST: usize = 4 * 1024;
/// The additional cost of each root field of a mutation.
///
/// A commit takes more work of the gateway and of the database than the complexity of its document
/// says.
const WRITE_COST: u64 = 100;
/// The additional cost of a rejected token or document, whose verification is wasted work.
const REJECTION_PENALTY: u64 = 99;

/// Returns the cost of an operation with this complexity that writes so many times.
///
/// The cost of writes counts towards the rate limit only, not towards the complexity limit.
pub(super) const fn cost_of_operation(complexity: u64, writes: u64) -> u64 {
    complexity.saturating_add(writes.saturating_mul(WRITE_COST))
}

/// Returns the cost of a request with a body or a query string of this length, regardless of its
/// document: the base cost, and 1 for each further KiB.
#[must_use]
pub(super) fn cost_of_length(bytes: usize) -> u64 {
    BASE_COST + bytes.saturating_sub(BYTES_OF_BASE_COST).div_ceil(1024) as u64
}

/// The key of the bucket that a request fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum RateLimitKey<'a> {
    /// The subject of a verified token.
    User(&'a Identity),
    /// The clients at one IPv4 address or in one IPv6 /64 network.
    Ip(IpAddr),
}

impl RateLimitKey<'_> {
    /// Returns the key of a client address.
    pub(super) fn from_ip(address: IpAddr) -> Self {
        Self::Ip(client_network(address))
    }

    /// Returns the value of the metric label `scope`.
    pub(super) const fn as_label(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Ip(_) => "ip",
        }
    }
}

/// Limits the cost that each caller may cause per unit of time.
pub struct RateLimiter {
    /// The cost that drains per window.
    units: u64,
    /// The length of the window, in milliseconds.
    window_ms: u64,
    hasher: RandomState,
    buckets: Mutex<BucketMap>,
}

impl RateLimiter {
    /// Allows a cost of `units`, but at least 1, per window.
    ///
    /// The same number is the capacity of a bucket, so a caller may spend it at once.
    #[must_use]
    pub fn new(units: u64, window: Duration) -> Self {
        let window_ms = u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
        Self {
            units: units.max(1),
            window_ms,
            hasher: RandomState::new(),
            buckets: Mutex::default(),
        }
    }

    /// Charges a cost if it fits into the caller's bucket.
    ///
    /// `charged` was charged for the same request before. It is in the bucket already, and counts once
    /// when this function checks whether both costs fit.
    ///
    /// # Errors
    ///
    /// Returns the time after which the cost fits into the bucket.
    pub(super) fn try_acquire(
        &self,
        key: RateLimitKey<'_>,
        cost: u64,
        charged: u64,
        now: Timestamp,
    ) -> Result<(), Duration> {
        let (capacity, charged) = (self.to_bucket_units(self.units), self.to_bucket_units(charged));
        self.with_bucket(key, now, |bucket| {
            let needed = self.to_bucket_units(cost).saturating_add(charged).min(capacity);
            let level = bucket.level.saturating_sub(charged).saturating_add(needed);
            if level > capacity {
                return Err(Duration::from_millis((level - capacity).div_ceil(self.units)));
            }
            bucket.level = bucket.level.saturating_add(self.to_bucket_units(cost));
            Ok(())
        })
    }

    /// Charges the penalty for a rejected token or document, as far as it fits into the bucket.
    ///
    /// A penalty therefore never makes a caller wait longer than for a full bucket.
    pub(super) fn penalize(&self, key: RateLimitKey<'_>, now: Timestamp) {
        let capacity = self.to_bucket_units(self.units);
        self.with_bucket(key, now, |bucket| {
            let penalty = self.to_bucket_units(REJECTION_PENALTY);
            let penalized = bucket.level.saturating_add(penalty).min(capacity);
            bucket.level = bucket.level.max(penalized);
        });
    }

    fn with_bucket<T>(
        &self,
        key: RateLimitKey<'_>,
        now: Timestamp,
        update: impl FnOnce(&mut LeakyBucket) -> T,
    ) -> T {
        let key = self.hasher.hash_one(key);
        // No code panics while it holds the lock. Even after a panic the buckets would be consistent.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        update(buckets.bucket_mut(key, now.millis(), self.units))
    }

    /// Converts a cost to the unit of [`LeakyBucket::level`].
    fn to_bucket_units(&self, units: u64) -> u64 {
        units.saturating_mul(self.window_ms)
    }
}

/// The buckets of recent callers, by a keyed hash of their keys.
///
/// The keyed hash prevents a client from choosing a key that collides with another caller's.
#[derive(Default)]
struct BucketMap {
    by_key: HashMap<u64, LeakyBucket>,
    /// The bucket that callers share when all buckets are in use.
    shared: LeakyBucket,
    /// The number of buckets that triggers the next sweep.
    sweep_threshold: usize,
    /// The time of the last sweep, in milliseconds.
    last_sweep_at: i64,
}

impl BucketMap {
    /// Returns the bucket of a key, drained up to `now`.
    fn bucket_mut(&mut self, key: u64, now: i64, units: u64) -> &mut LeakyBucket {
        if !self.by_key.contains_key(&key) {
            self.evict_drained(now, units);
        }
        let bucket = if self.by_key.len() < MAX_BUCKETS || self.by_key.contains_key(&key) {
            self.by_key.entry(key).or_default()
        } else {
            &mut self.shared
        };
        bucket.drain(now, units);
        bucket
    }

    /// Removes empty buckets if there are many and the last sweep is not recent.
    fn evict_drained(&mut self, now: i64, units: u64) {
        let sweep_threshold = self.sweep_threshold.clamp(MIN_BUCKETS_TO_SWEEP, MAX_BUCKETS);
        if self.by_key.len() < sweep_threshold
            || now.abs_diff(self.last_sweep_at) < SWEEP_INTERVAL_MS
        {
            return;
        }
        self.last_sweep_at = now;
        self.by_key.retain(|_, bucket| {
            bucket.drain(now, units);
            bucket.level > 0
        });
        self.sweep_threshold = self.by_key.len() * 2;
        self.by_key.shrink_to(self.sweep_threshold.max(MIN_BUCKETS_TO_SWEEP));
    }
}

/// The cost that one caller has caused and that has not drained yet.
#[derive(Clone, Copy, Debug, Default)]
struct LeakyBucket {
    /// The cost times the window's milliseconds, so that exactly `units` drain in a millisecond.
    level: u64,
    /// The time of the last update, in milliseconds.
    updated_at: i64,
}

impl LeakyBucket {
    /// Drains the bucket up to `now`.
    ///
    /// If the clock was set back, nothing drains this time, and the bucket continues from the new
    /// time.
    fn drain(&mut self, now: i64, units: u64) {
        let passed = u64::try_from(now.saturating_sub(self.updated_at)).unwrap_or(0);
        self.level = self.level.saturating_sub(passed.saturating_mul(units));
        self.updated_at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000 + millis).expect("in range")
    }

    fn ip_key(number: u32) -> RateLimitKey<'static> {
        RateLimitKey::from_ip(IpAddr::from(number.to_be_bytes()))
    }

    fn wait(limiter: &RateLimiter, key: RateLimitKey<'_>, cost: u64, millis: i64) -> Option<u128> {
        limiter.try_acquire(key, cost, 0, at(millis)).err().map(|wait| wait.as_millis())
    }

    #[test]
    fn bucket_fills_and_drains() {
        let limiter = RateLimiter::new(100, Duration::from_secs(1));
        let one = ip_key(1);
        for _ in 0..10 {
            assert_eq!(wait(&limiter, one, 10, 0), None);
        }
        assert_eq!(wait(&limiter, one, 1, 0), Some(10));
        assert_eq!(wait(&limiter, ip_key(2), 1, 0), None, "other callers are not affected");
        assert_eq!(wait(&limiter, one, 1, 9), Some(1));
        assert_eq!(wait(&limiter, one, 1, 10), None);
        // A cost above the capacity needs an empty bucket, and all of it must drain afterwards.
        assert_eq!(wait(&limiter, one, 5_000, 10), Some(1_000));
        assert_eq!(wait(&limiter, one, 5_000, 1_010), None);
        assert_eq!(wait(&limiter, one, 1, 1_010), Some(49_010));
        assert_eq!(wait(&limiter, one, 1, 50_019), Some(1));
        assert_eq!(wait(&limiter, one, 1, 50_020), None);
    }

    #[test]
    fn rate_per_minute_drains_slowly() {
        let limiter = RateLimiter::new(6, Duration::from_secs(60));
        let one = ip_key(1);
        assert_eq!(wait(&limiter, one, 6, 0), None);
        assert_eq!(wait(&limiter, one, 1, 0), Some(10_000));
        assert_eq!(wait(&limiter, one, 1, 9_999), Some(1));
        assert_eq!(wait(&limiter, one, 1, 10_000), None);
    }

    #[test]
    fn base_cost_is_not_counted_twice() {
        let limiter = RateLimiter::new(2, Duration::from_secs(1));
        let passes = |cost, charged| limiter.try_acquire(ip_key(1), cost, charged, at(0)).is_ok();
        assert!(passes(1, 0) && passes(0, 1) && passes(2, 1));
        assert!(!passes(1, 0) && !passes(1, 1));
    }

    #[test]
    fn penalty_never_exceeds_bucket_capacity() {
        let limiter = RateLimiter::new(150, Duration::from_secs(1));
        limiter.penalize(ip_key(1), at(0));
        assert_eq!(wait(&limiter, ip_key(1), 51, 0), None);
        limiter.penalize(ip_key(1), at(0));
        assert_eq!(wait(&limiter, ip_key(1), 150, 0), Some(1000));
        // A penalty does not reduce a level above the capacity either.
        assert_eq!(wait(&limiter, ip_key(2), 1500, 0), None);
        limiter.penalize(ip_key(2), at(0));
        assert_eq!(wait(&limiter, ip_key(2), 150, 0), Some(10_000));
    }

    #[test]
    fn maximum_cost_does_not_overflow() {
        let limiter = RateLimiter::new(1_000_000_000, Duration::from_secs(60));
        assert_eq!(wait(&limiter, ip_key(1), u64::MAX, 0), None);
        assert!(wait(&limiter, ip_key(1), u64::MAX, 0).is_some());
    }

    #[test]
    fn clock_that_is_set_back_does_not_lock_callers_out() {
        let limiter = RateLimiter::new(10, Duration::from_secs(1));
        assert_eq!(wait(&limiter, ip_key(1), 10, 3_600_000), None);
        assert_eq!(wait(&limiter, ip_key(1), 1, 0), Some(100));
        assert_eq!(wait(&limiter, ip_key(1), 1, 100), None);
    }

    #[test]
    fn drained_buckets_are_evicted_and_their_number_is_bounded() {
        let limiter = RateLimiter::new(10, Duration::from_secs(1));
        let buckets = || limiter.buckets.lock().expect("not poisoned").by_key.len();
        let max = u32::try_from(MAX_BUCKETS).expect("in range");
        for number in 0..max {
            assert_eq!(wait(&limiter, ip_key(number), 10, 0), None);
        }
        assert_eq!(buckets(), MAX_BUCKETS);
        // New callers share one bucket, and the others keep theirs.
        assert_eq!(wait(&limiter, ip_key(max), 10, 0), None);
        assert_eq!(wait(&limiter, ip_key(max + 1), 1, 0), Some(100));
        assert_eq!(wait(&limiter, ip_key(0), 1, 0), Some(100));
        assert_eq!(buckets(), MAX_BUCKETS);
        assert_eq!(wait(&limiter, ip_key(max), 1, 1000), None);
        assert_eq!(buckets(), 1);
        assert!(
            limiter.buckets.lock().expect("not poisoned").by_key.capacity()
                < 4 * MIN_BUCKETS_TO_SWEEP
        );
    }

    #[test]
    fn ipv6_network_has_one_key() {
        let key = |address: &str| RateLimitKey::from_ip(address.parse().expect("valid address"));
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::9"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
    }
}
