//! Changes: the writes that a store commits together, all of them or none.
//!
//! Each change of stored data names the version that its decision was based on. If the stored
//! version is another one, the whole commit is stale and nothing is written. Versions are compared for
//! equality only.

use super::{
    audit::AuditEvent,
    id::{InvitationId, ObjectId, SubscriptionId, TenantId, UserId},
    idempotency::{CompletedMutation, IdempotencyKeyHash},
    invitation::{Invitation, MailStatus},
    outbox::OutboxMessage,
    subscription::TenantSubscription,
    tenant::Tenant,
    time::Timestamp,
    user::{Identity, Tombstone, User},
};

/// One write, or one condition on the commit.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Inserts a tenant. Its slug, domains and group must be free.
    InsertTenant(Tenant),
    /// Replaces a tenant.
    UpdateTenant {
        /// The version that was read. The commit is stale if the stored version is another one.
        expected: i32,
        /// The new state.
        tenant: Tenant,
    },
    /// Deletes a tenant with its subscriptions, invitations and memberships.
    ///
    /// Each removal of a membership is a change of its user: the user gets a new version, and a
    /// watermark that is not before `watermark`. If the tenant has many members, the store may
    /// remove their memberships shortly after the commit ([`Store::finish_deletions`]).
    ///
    /// [`Store::finish_deletions`]: crate::store::Store::finish_deletions
    DeleteTenant {
        /// The tenant to delete.
        id: TenantId,
        /// The version that was read.
        expected: i32,
        /// The time of the deletion.
        at: Timestamp,
        /// The earliest watermark that the tenant's members have afterwards.
        watermark: Timestamp,
    },
    /// Locks a tenant until the commit: no other commit may change or delete it in between, and
    /// other commits that lock it wait. Changes no readable data.
    LockTenant {
        /// The tenant to lock.
        id: TenantId,
        /// The version that was read.
        expected: i32,
    },
    /// Requires that the tenant has an enabled owner after all other changes of the commit.
    ///
    /// Otherwise the commit fails with the last-owner error of [`CommitError`] and writes nothing.
    /// The check is only reliable if the commit also locks the tenant.
    ///
    /// [`CommitError`]: crate::store::CommitError
    RequireOwner(TenantId),
    /// Inserts a subscription. If it is live, the tenant must have no other live subscription.
    InsertSubscription(TenantSubscription),
    /// Replaces a subscription.
    UpdateSubscription {
        /// The version that was read.
        expected: i32,
        /// The new state.
        subscription: TenantSubscription,
    },
    /// Deletes a subscription.
    DeleteSubscription {
        /// The subscription to delete.
        id: SubscriptionId,
        /// The version that was read.
        expected: i32,
    },
    /// Requires that the tenant has no live subscription.
    ///
    /// The check is only reliable if the commit also changes or locks the tenant.
    RequireNoLiveSubscription(TenantId),
    /// Inserts an invitation. If it is pending, the tenant must have no other pending one of its
    /// address.
    InsertInvitation(Invitation),
    /// Replaces an invitation.
    ///
    /// The commit is also stale if the generation stays the same and the stored status of the mail is
    /// another one, because that status changes without the version.
    UpdateInvitation {
        /// The version that was read.
        expected: i32,
        /// The new state.
        invitation: Invitation,
    },
    /// Sets the status of the mail of an invitation, if the invitation still has this generation. The
    /// version stays.
    SetInvitationMail {
        /// The invitation.
        id: InvitationId,
        /// The generation for which the mail was made.
        generation: i32,
        /// The new status of the mail.
        mail: MailStatus,
    },
    /// Requires that the tenant has at most so many pending invitations after the changes before
    /// this one. Otherwise the commit is stale.
    ///
    /// The check is only reliable if the commit also locks the tenant.
    LimitPendingInvitations {
        /// The tenant of the invitations.
        tenant: TenantId,
        /// The time of the commit. Invitations that have expired then do not count.
        at: Timestamp,
        /// The maximum number of pending invitations.
        max: u64,
    },
    /// Locks a user until the commit: no other commit may change or delete it in between. Changes no
    /// readable data.
    LockUser {
        /// The user to lock.
        id: UserId,
        /// The state that was read.
        expected: UserVersion,
    },
    /// Inserts a user. The identity must be free.
    InsertUser(User),
    /// Replaces a user.
    UpdateUser {
        /// The state that was read. The commit is stale if the stored user is in another one.
        expected: UserVersion,
        /// The new state.
        user: User,
    },
    /// Deletes a user with all memberships.
    DeleteUser {
        /// The user to delete.
        id: UserId,
        /// The state that was read.
        expected: UserVersion,
    },
    /// Inserts the tombstone of a deleted user.
    InsertTombstone(Tombstone),
    /// Deletes the tombstones of an identity, which may have a user again.
    DeleteTombstones {
        /// The identity of the deleted user.
        identity: Identity,
        /// The deletion time of the latest tombstone that was read, or `None` if there was none.
        /// The commit is stale if the latest stored tombstone is another one.
        expected: Option<Timestamp>,
    },
    /// Moves a user's `last_seen_at` forward, never back. Does not depend on the user's version.
    TouchLastSeen {
        /// The user who was seen.
        id: UserId,
        /// The time at which the user was seen.
        at: Timestamp,
    },
    /// Inserts an audit event.
    InsertAuditEvent(AuditEvent),
    /// Inserts a message into the outbox.
    InsertOutboxMessage(OutboxMessage),
    /// Removes a message from the outbox, because it was delivered or never will be.
    ///
    /// The commit is stale if another lease has taken the message over.
    RemoveOutboxMessage {
        /// The message to remove.
        id: ObjectId,
        /// The lease under which it was handled.
        lease: ObjectId,
    },
    /// Releases a message of the outbox for an attempt at a later time.
    ///
    /// The commit is stale if another lease has taken the message over.
    PostponeOutboxMessage {
        /// The message to release.
        id: ObjectId,
        /// The lease under which the attempt failed.
        lease: ObjectId,
        /// The time of the next attempt.
        due_at: Timestamp,
    },
    /// Records the results of one mutation of an idempotent request.
    ///
    /// If another run has taken over the request, the commit fails with
    /// [`CommitError::Superseded`] and writes nothing.
    ///
    /// [`CommitError::Superseded`]: crate::store::CommitError::Superseded
    RecordIdempotentStep {
        /// The key of the request.
        key: IdempotencyKeyHash,
        /// The run that executes the request.
        run_id: ObjectId,
        /// The mutation and its results.
        step: CompletedMutation,
    },
}

/// Returns the version of a document after a change.
///
/// After the maximum of GraphQL's `Int`, it is 1 again. If it stayed the maximum, a stale change would
/// name the stored version.
#[must_use]
pub const fn next_version(version: i32) -> i32 {
    match version.checked_add(1) {
        Some(next) => next,
        None => 1,
    }
}

/// The part of a user that identifies one of its states.
///
/// A sync can move the watermark and leave `version` unchanged. A sync that was decided on an older
/// watermark must not be written, so the watermark is compared too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserVersion {
    /// The version that was read.
    pub version: i32,
    /// The watermark that was read.
    pub groups_as_of: Option<Timestamp>,
}

impl From<&User> for UserVersion {
    fn from(user: &User) -> Self {
        Self { version: user.version, groups_as_of: user.groups_as_of }
    }
}

/// Returns the tenant that the changes lock, update or delete.
#[must_use]
pub fn locked_tenant(changes: &[Change]) -> Option<TenantId> {
    changes.iter().find_map(|change| match change {
        Change::LockTenant { id, .. } | Change::DeleteTenant { id, .. } => Some(*id),
        Change::UpdateTenant { tenant, .. } => Some(tenant.id),
        _ => None,
    })
}

/// A field whose value must be unique among all stored entities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UniqueField {
    /// The slug of a tenant.
    Slug,
    /// The domains of a tenant, each of them.
    Domains,
    /// The `integrations.authentikGroup` of a tenant.
    AuthentikGroup,
    /// The issuer and subject of a user.
    Subject,
    /// The tenant of a live subscription.
    LiveSubscription,
    /// The tenant and the address of a pending invitation.
    PendingInvitation,
}

impl UniqueField {
    /// Returns the name of the input field that sets the value.
    ///
    /// It is the `extensions.field` of a `CONFLICT` error.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Slug => "slug",
            Self::Domains => "domains",
            Self::AuthentikGroup => "integrations.authentikGroup",
            Self::Subject => "subject",
            Self::LiveSubscription => "tenantId",
            Self::PendingInvitation => "email",
        }
    }
}
