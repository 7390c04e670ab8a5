//! Provides the current time and new identifiers.
//!
//! All other modules take both as arguments or through [`Clock`], so that tests can set them.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::domain::{id::ObjectId, time::Timestamp};

/// A source of the current time and of new identifiers.
pub trait Clock: Send + Sync {
    /// Returns the current time.
    fn now(&self) -> Timestamp;
    /// Returns a new, unique identifier.
    fn object_id(&self) -> ObjectId;
}

/// The system's clock, with identifiers in the format of a BSON `ObjectId`.
pub struct SystemClock {
    /// The random part that distinguishes this process from others.
    process: [u8; 5],
    /// The counter of created identifiers. It starts at a random value.
    count: AtomicU32,
}

impl SystemClock {
    /// Creates a clock with a random process part.
    ///
    /// # Errors
    ///
    /// Returns an error if the system's random number generator fails.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut random = [0; 8];
        getrandom::fill(&mut random)?;
        let [p0, p1, p2, p3, p4, c0, c1, c2] = random;
        let count = AtomicU32::new(u32::from_be_bytes([0, c0, c1, c2]));
        Ok(Self { process: [p0, p1, p2, p3, p4], count })
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "only this function reads the system's time")]
        let now = jiff::Timestamp::now();
        Timestamp::from_millis(now.as_millisecond()).unwrap_or(Timestamp::MAX)
    }

    fn object_id(&self) -> ObjectId {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        ObjectId::from_parts(self.now(), self.process, count)
    }
}
