//! The outbox: messages that must leave the program after a commit.
//!
//! A commit inserts the message together with the changes that caused it. A worker later leases the
//! message, delivers it, and removes it in the commit that records the result. So a message is
//! delivered at least once, and every repeat has the identifier of the message.
//!
//! A message has no content of its own. It names its subject and the revision of it, so the handler
//! of the topic reads the current state and drops an outdated message.

use std::time::Duration;

use super::{id::ObjectId, string_enum, time::Timestamp};

/// The time that a worker has for one attempt before another worker may take the message over.
pub const OUTBOX_LEASE_TTL: Duration = Duration::from_secs(30);
/// The time during which a failed delivery is repeated.
pub const OUTBOX_MESSAGE_TTL: Duration = Duration::from_secs(24 * 60 * 60);
/// The delay before the first repeat. Each further delay is twice as long, up to [`MAX_BACKOFF`].
const INITIAL_BACKOFF: Duration = Duration::from_secs(1);
const MAX_BACKOFF: Duration = Duration::from_secs(300);

string_enum! {
    /// The kind of a message, which chooses its handler.
    pub enum OutboxTopic {
        /// The mail of an invitation. The subject is the invitation, and the revision its generation.
        InvitationMail = "invitationMail",
    }
}

/// A message that must leave the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxMessage {
    /// The identifier, which is the same for every attempt.
    pub id: ObjectId,
    /// The kind of the message.
    pub topic: OutboxTopic,
    /// The identifier of the entity that the message is about.
    pub subject: ObjectId,
    /// The state of the subject for which the message was made. A handler drops the message if the
    /// subject has another one.
    pub revision: i32,
    /// The time of the commit that made the message.
    pub created_at: Timestamp,
    /// The time from which a worker may lease the message. A lease moves it to the end of the lease.
    pub due_at: Timestamp,
    /// The number of leases so far.
    pub attempts: u32,
    /// The latest lease, or `None` before the first one.
    pub lease: Option<ObjectId>,
}

/// A worker's attempt to lease the message that is due first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboxLease {
    /// The unique identifier of the lease. Only its holder can remove or postpone the message.
    pub id: ObjectId,
    /// The current time.
    pub now: Timestamp,
}

impl OutboxLease {
    /// Returns the end of the lease.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        self.now.saturating_add(OUTBOX_LEASE_TTL)
    }
}

/// The result of a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaseResult {
    /// The message, as it is with the lease.
    Leased(OutboxMessage),
    /// No message is due. The time is that of the next message, or `None` if the outbox is empty.
    Idle(Option<Timestamp>),
}

impl OutboxMessage {
    /// Creates a message that is due at once.
    #[must_use]
    pub const fn new(
        id: ObjectId,
        topic: OutboxTopic,
        (subject, revision): (ObjectId, i32),
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            topic,
            subject,
            revision,
            created_at: now,
            due_at: now,
            attempts: 0,
            lease: None,
        }
    }

    /// Returns the time of the next attempt after a failed one, or `None` if there is none.
    #[must_use]
    pub fn next_attempt(&self, now: Timestamp) -> Option<Timestamp> {
        let doublings = self.attempts.saturating_sub(1).min(16);
        let backoff = INITIAL_BACKOFF.saturating_mul(1 << doublings).min(MAX_BACKOFF);
        let next = now.saturating_add(backoff);
        (next <= self.created_at.saturating_add(OUTBOX_MESSAGE_TTL)).then_some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds).expect("in range")
    }

    #[test]
    fn backoff_doubles_up_to_five_minutes_for_a_day() {
        let id = ObjectId([1; 12]);
        let mut message = OutboxMessage::new(id, OutboxTopic::InvitationMail, (id, 1), at(0));
        let (mut now, mut delays) = (0, Vec::new());
        message.attempts = 1;
        while let Some(next) = message.next_attempt(at(now)) {
            delays.push(next.seconds() - now);
            now = next.seconds();
            message.attempts += 1;
        }
        assert_eq!(delays[..11], [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert!((86_100..=86_400).contains(&now), "{now}");
        message.attempts = u32::MAX;
        assert_eq!(message.next_attempt(at(10)), Some(at(310)));
    }
}
