//! Where time and new identifiers come from: an argument everywhere else, so that tests decide both.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::domain::{id::ObjectId, time::Timestamp};

/// Tells the time and mints identifiers.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
    /// An identifier that nobody else has.
    fn object_id(&self) -> ObjectId;
}

/// The system's clock, and identifiers as BSON makes them.
pub struct SystemClock {
    process: [u8; 5],
    count: AtomicU32,
}

impl SystemClock {
    /// A clock with a process part of its own; fails where the system gives no random bytes.
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
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's time")]
        let now = jiff::Timestamp::now();
        Timestamp::from_millis(now.as_millisecond()).unwrap_or(Timestamp::MAX)
    }

    fn object_id(&self) -> ObjectId {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        ObjectId::from_parts(self.now(), self.process, count)
    }
}
