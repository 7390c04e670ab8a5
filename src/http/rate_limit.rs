//! How much one caller may ask for in a time, counted in what documents cost.
//!
//! Each caller has a meter that fills by what is asked and drains at the configured rate. A request
//! passes where there is room for what it costs; one that costs more than the whole passes where
//! the meter is empty, and is waited for after it: so every document that the limits on one document
//! let through can be run.
//!
//! Memory is bounded: a meter is 24 bytes whoever it is for, one that has drained is as good as none
//! and is dropped, and there are never more than [`MAX_BUCKETS`]. Whoever comes when that many are in
//! use shares one meter with all others who do.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::http::{HeaderValue, StatusCode, header};

use super::graphql::HttpError;
use crate::{
    domain::{time::Timestamp, user::Identity},
    graphql::Code,
};

/// How many callers are told apart: some 3 MB.
const MAX_BUCKETS: usize = 65_536;
/// Below so many there is nothing to tidy up.
const MIN_BUCKETS_TO_SWEEP: usize = 1024;
/// The least time between two tidyings, in milliseconds: they look at every meter.
const SWEEP_INTERVAL_MS: u64 = 1000;
/// What a request costs by itself, whatever it asks for.
pub(super) const BASE_COST: u64 = 1;
/// What a refused token or document costs besides: it gives nobody anything, and is work to check.
const REJECTION_PENALTY: u64 = 99;

/// Whose meter a request fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum RateLimitKey<'a> {
    /// Who presents a verified token.
    Actor(&'a Identity),
    /// Everybody at an address, or in the same network of IPv6.
    Address(IpAddr),
}

impl RateLimitKey<'_> {
    /// Whoever is at this address. A site is given a /64 of IPv6 at least, and may send from each of
    /// its addresses.
    pub(super) fn from_ip(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
            v4 => v4,
        })
    }

    /// As metrics have it.
    pub(super) const fn as_label(&self) -> &'static str {
        match self {
            Self::Actor(_) => "user",
            Self::Address(_) => "ip",
        }
    }
}

/// Counts what callers ask for.
pub struct RateLimiter {
    units: u64,
    window: u64,
    hasher: RandomState,
    meters: Mutex<BucketMap>,
}

impl RateLimiter {
    /// So many units in a window, at least one, all at once or one by one.
    #[must_use]
    pub fn new(units: u64, window: Duration) -> Self {
        let window = u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
        Self { units: units.max(1), window, hasher: RandomState::new(), meters: Mutex::default() }
    }

    /// Fills a caller's meter by a cost, besides what this request has `paid`; where there is no room
    /// for it, how long to wait.
    pub(super) fn try_acquire(
        &self,
        payer: RateLimitKey<'_>,
        cost: u64,
        paid: u64,
        now: Timestamp,
    ) -> Result<(), Duration> {
        let (full, paid) = (self.to_bucket_units(self.units), self.to_bucket_units(paid));
        self.with_meter(payer, now, |meter| {
            let needed = self.to_bucket_units(cost).min(full);
            let level = meter.level.saturating_sub(paid).saturating_add(needed);
            if level > full {
                return Err(Duration::from_millis((level - full).div_ceil(self.units)));
            }
            meter.level = meter.level.saturating_add(self.to_bucket_units(cost));
            Ok(())
        })
    }

    /// Takes a fine for what was refused, as far as there is room for it: nobody waits longer for it
    /// than for a full meter.
    pub(super) fn penalize(&self, payer: RateLimitKey<'_>, now: Timestamp) {
        let full = self.to_bucket_units(self.units);
        self.with_meter(payer, now, |meter| {
            let fined =
                meter.level.saturating_add(self.to_bucket_units(REJECTION_PENALTY)).min(full);
            meter.level = meter.level.max(fined);
        });
    }

    fn with_meter<T>(
        &self,
        payer: RateLimitKey<'_>,
        now: Timestamp,
        act: impl FnOnce(&mut LeakyBucket) -> T,
    ) -> T {
        let key = self.hasher.hash_one(payer);
        // Nobody panics while holding it; if somebody did, the meters would be as good as before.
        let mut meters = self.meters.lock().unwrap_or_else(PoisonError::into_inner);
        act(meters.bucket_mut(key, now.millis(), self.units))
    }

    /// Units as meters have them.
    fn to_bucket_units(&self, units: u64) -> u64 {
        units.saturating_mul(self.window)
    }
}

/// The meters of those who have asked lately, by a keyed hash: nobody can choose to share another's.
#[derive(Default)]
struct BucketMap {
    by_key: HashMap<u64, LeakyBucket>,
    /// What those share for whom there is no room.
    shared: LeakyBucket,
    /// At how many it is time to tidy up.
    tidy_at: usize,
    tidied: i64,
}

impl BucketMap {
    fn bucket_mut(&mut self, key: u64, now: i64, units: u64) -> &mut LeakyBucket {
        if !self.by_key.contains_key(&key) {
            self.evict_drained(now, units);
        }
        let meter = if self.by_key.len() < MAX_BUCKETS || self.by_key.contains_key(&key) {
            self.by_key.entry(key).or_default()
        } else {
            &mut self.shared
        };
        meter.drain(now, units);
        meter
    }

    fn evict_drained(&mut self, now: i64, units: u64) {
        let many = self.by_key.len() >= self.tidy_at.clamp(MIN_BUCKETS_TO_SWEEP, MAX_BUCKETS);
        if !many || now.abs_diff(self.tidied) < SWEEP_INTERVAL_MS {
            return;
        }
        self.tidied = now;
        self.by_key.retain(|_, meter| {
            meter.drain(now, units);
            meter.level > 0
        });
        self.tidy_at = self.by_key.len() * 2;
        self.by_key.shrink_to(self.tidy_at.max(MIN_BUCKETS_TO_SWEEP));
    }
}

/// What a caller has asked for and has not been forgiven yet.
#[derive(Clone, Copy, Debug, Default)]
struct LeakyBucket {
    /// In units times the window's milliseconds, so that a millisecond drains whole `units`.
    level: u64,
    /// When that was so, in milliseconds.
    at: i64,
}

impl LeakyBucket {
    /// Lets it drain up to now. A clock that was set back costs nobody more than that time.
    fn drain(&mut self, now: i64, units: u64) {
        let passed = u64::try_from(now.saturating_sub(self.at)).unwrap_or(0);
        self.level = self.level.saturating_sub(passed.saturating_mul(units));
        self.at = now;
    }
}

/// The answer to a caller whose meter is full.
pub(super) fn too_many_requests(wait: Duration) -> HttpError {
    let seconds = wait.as_millis().div_ceil(1000).max(1);
    let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
    let message = "You have asked for too much in a short time; wait, and try again.";
    HttpError::new(StatusCode::TOO_MANY_REQUESTS, Code::RateLimited, message)
        .with_header_value(header::RETRY_AFTER, HeaderValue::from(seconds))
        .with_extension("retryAfterSeconds", seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000 + millis).expect("in range")
    }

    fn address(number: u32) -> RateLimitKey<'static> {
        RateLimitKey::from_ip(IpAddr::from(number.to_be_bytes()))
    }

    fn wait(
        limiter: &RateLimiter,
        payer: RateLimitKey<'_>,
        cost: u64,
        millis: i64,
    ) -> Option<u128> {
        limiter.try_acquire(payer, cost, 0, at(millis)).err().map(|wait| wait.as_millis())
    }

    #[test]
    fn a_meter_fills_and_drains() {
        let limiter = RateLimiter::new(100, Duration::from_secs(1));
        let one = address(1);
        for _ in 0..10 {
            assert_eq!(wait(&limiter, one, 10, 0), None);
        }
        assert_eq!(wait(&limiter, one, 1, 0), Some(10));
        assert_eq!(wait(&limiter, address(2), 1, 0), None, "others are not concerned");
        assert_eq!(wait(&limiter, one, 1, 9), Some(1));
        assert_eq!(wait(&limiter, one, 1, 10), None);
        // What is more than the whole passes alone, and is waited for after it.
        assert_eq!(wait(&limiter, one, 5_000, 10), Some(1_000));
        assert_eq!(wait(&limiter, one, 5_000, 1_010), None);
        assert_eq!(wait(&limiter, one, 1, 1_010), Some(49_010));
        assert_eq!(wait(&limiter, one, 1, 50_019), Some(1));
        assert_eq!(wait(&limiter, one, 1, 50_020), None);
    }

    #[test]
    fn a_rate_by_the_minute_drains_as_slowly() {
        let limiter = RateLimiter::new(6, Duration::from_secs(60));
        let one = address(1);
        assert_eq!(wait(&limiter, one, 6, 0), None);
        assert_eq!(wait(&limiter, one, 1, 0), Some(10_000));
        assert_eq!(wait(&limiter, one, 1, 9_999), Some(1));
        assert_eq!(wait(&limiter, one, 1, 10_000), None);
    }

    #[test]
    fn a_request_is_not_in_its_own_way() {
        let limiter = RateLimiter::new(2, Duration::from_secs(1));
        let spend = |cost, paid| limiter.try_acquire(address(1), cost, paid, at(0)).is_ok();
        assert!(spend(1, 0) && spend(0, 1) && spend(2, 1));
        assert!(!spend(1, 0) && !spend(1, 1));
    }

    #[test]
    fn a_fine_fills_a_meter_and_no_more() {
        let limiter = RateLimiter::new(150, Duration::from_secs(1));
        limiter.penalize(address(1), at(0));
        assert_eq!(wait(&limiter, address(1), 51, 0), None);
        limiter.penalize(address(1), at(0));
        assert_eq!(wait(&limiter, address(1), 150, 0), Some(1000));
        // Nor does it forgive what is beyond that.
        assert_eq!(wait(&limiter, address(2), 1500, 0), None);
        limiter.penalize(address(2), at(0));
        assert_eq!(wait(&limiter, address(2), 150, 0), Some(10_000));
    }

    #[test]
    fn no_cost_overflows() {
        let limiter = RateLimiter::new(1_000_000_000, Duration::from_secs(60));
        assert_eq!(wait(&limiter, address(1), u64::MAX, 0), None);
        assert!(wait(&limiter, address(1), u64::MAX, 0).is_some());
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let limiter = RateLimiter::new(10, Duration::from_secs(1));
        assert_eq!(wait(&limiter, address(1), 10, 3_600_000), None);
        assert_eq!(wait(&limiter, address(1), 1, 0), Some(100));
        assert_eq!(wait(&limiter, address(1), 1, 100), None);
    }

    #[test]
    fn what_has_drained_is_forgotten_and_there_is_an_end() {
        let limiter = RateLimiter::new(10, Duration::from_secs(1));
        let meters = || limiter.meters.lock().expect("whole").by_key.len();
        let max = u32::try_from(MAX_BUCKETS).expect("in range");
        for number in 0..max {
            assert_eq!(wait(&limiter, address(number), 10, 0), None);
        }
        assert_eq!(meters(), MAX_BUCKETS);
        // Those for whom there is no room have one meter between them, and the others keep theirs.
        assert_eq!(wait(&limiter, address(max), 10, 0), None);
        assert_eq!(wait(&limiter, address(max + 1), 1, 0), Some(100));
        assert_eq!(wait(&limiter, address(0), 1, 0), Some(100));
        assert_eq!(meters(), MAX_BUCKETS);
        assert_eq!(wait(&limiter, address(max), 1, 1000), None);
        assert_eq!(meters(), 1);
        assert!(limiter.meters.lock().expect("whole").by_key.capacity() < 4 * MIN_BUCKETS_TO_SWEEP);
    }

    #[test]
    fn a_network_of_ipv6_is_one_payer() {
        let payer = |address: &str| RateLimitKey::from_ip(address.parse().expect("an address"));
        assert_eq!(payer("2001:db8:1:2::1"), payer("2001:db8:1:2:ffff::9"));
        assert_ne!(payer("2001:db8:1:2::1"), payer("2001:db8:1:3::1"));
        assert_eq!(payer("::ffff:192.0.2.1"), payer("192.0.2.1"));
        assert_ne!(payer("192.0.2.1"), payer("192.0.2.2"));
    }
}
