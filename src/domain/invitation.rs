//! Invitations: offers of a membership in a tenant, which the owner of an e-mail address can accept.

use std::time::Duration;

use super::{
    id::{InvitationId, TenantId, UserId},
    string_enum,
    time::Timestamp,
    user::TenantRole,
};

/// The maximum number of pending invitations of a tenant.
pub const MAX_PENDING_INVITATIONS: u64 = 500;
/// The minimum lifetime of an invitation, in days.
pub const MIN_DAYS: i32 = 1;
/// The maximum lifetime of an invitation, in days.
pub const MAX_DAYS: i32 = 30;

string_enum! {
    /// The status of an invitation.
    pub enum InvitationStatus {
        /// The invitation can be accepted.
        Pending = "pending",
        /// The invitation was accepted.
        Accepted = "accepted",
        /// The invitation was revoked.
        Revoked = "revoked",
        /// The invitation was not accepted in time.
        Expired = "expired",
    }
}

string_enum! {
    /// The status of the e-mail message of an invitation.
    pub enum MailStatus {
        /// There is no message, because mail is not configured.
        None = "none",
        /// The message is to be sent.
        Queued = "queued",
        /// The message was sent.
        Sent = "sent",
        /// The message could not be sent.
        Failed = "failed",
    }
}

/// An offer of a membership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// The identifier of the invitation.
    pub id: InvitationId,
    /// The tenant of the offered membership.
    pub tenant_id: TenantId,
    /// The address of the invited person, as [`normalize_email`](super::text::normalize_email)
    /// returns it.
    pub email: String,
    /// The offered role.
    pub role: TenantRole,
    /// The stored status. An invitation that is stored as pending may have expired since, see
    /// [`status_at`](Self::status_at).
    pub status: InvitationStatus,
    /// The status of the latest e-mail message. A change of it does not change the version.
    pub mail: MailStatus,
    /// The generation of the token. Each new token of the invitation has the next one.
    pub generation: i32,
    /// The user who made or renewed the invitation.
    pub invited_by: UserId,
    /// The user who accepted the invitation.
    pub accepted_by: Option<UserId>,
    /// The time of the acceptance.
    pub accepted_at: Option<Timestamp>,
    /// The time from which the invitation can no longer be accepted.
    pub expires_at: Timestamp,
    /// The version: 1 at creation, and 1 more with each change.
    pub version: i32,
    /// The time of the creation.
    pub created_at: Timestamp,
}

impl Invitation {
    /// Returns the status at a time.
    #[must_use]
    pub fn status_at(&self, now: Timestamp) -> InvitationStatus {
        match self.status {
            InvitationStatus::Pending if self.expires_at <= now => InvitationStatus::Expired,
            status => status,
        }
    }
}

/// Returns the time that many days after another one.
pub(super) fn days_after(now: Timestamp, days: i32) -> Timestamp {
    let days = u64::try_from(days).unwrap_or(0);
    now.saturating_add(Duration::from_secs(days * 24 * 60 * 60))
}
