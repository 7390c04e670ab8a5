//! What a store is asked to commit: a list of changes, all or nothing.

use super::{
    audit::AuditEvent,
    id::{ObjectId, SubscriptionId, TenantId, UserId},
    idempotency::{CompletedMutation, IdempotencyKeyHash},
    subscription::TenantSubscription,
    tenant::Tenant,
    time::Timestamp,
    user::{Identity, Tombstone, User},
};

/// One change of one document.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A new tenant; its slug, domains and group must be free.
    InsertTenant(Tenant),
    /// A tenant as it is now, in place of the one that was read.
    UpdateTenant {
        /// The version that was read: the change is stale where the stored one is another.
        was: i32,
        /// What it becomes.
        tenant: Tenant,
    },
    /// A tenant ends, and its subscriptions with it. Its memberships go too, each as any other
    /// change of its user: a new version, and a watermark that is not before `watermark`. Those of
    /// a tenant with many may be gone a little later only ([`Store::finish_deletions`]).
    ///
    /// [`Store::finish_deletions`]: crate::store::Store::finish_deletions
    DeleteTenant {
        /// Which.
        id: TenantId,
        /// The version that was read.
        was: i32,
        /// When.
        at: Timestamp,
        /// Where the watermark of its members is from then on, at least.
        watermark: Timestamp,
    },
    /// The tenant stays as it was read until this is committed: nothing may change or delete it in
    /// between, and whoever else holds it waits. Changes nothing that can be read.
    LockTenant {
        /// Which.
        id: TenantId,
        /// The version that was read.
        was: i32,
    },
    /// Once all else is done, somebody who is not disabled still owns the tenant; otherwise nothing
    /// is changed ([`CommitError::LastOwner`]). Only right where the tenant is held, too.
    ///
    /// [`CommitError::LastOwner`]: crate::store::CommitError::LastOwner
    RequireOwner(TenantId),
    /// A new subscription; where it is not over, the tenant must have no other that is not.
    InsertSubscription(TenantSubscription),
    /// A subscription as it is now, in place of the one that was read.
    UpdateSubscription {
        /// The version that was read.
        was: i32,
        /// What it becomes.
        subscription: TenantSubscription,
    },
    /// A subscription ends as a document.
    DeleteSubscription {
        /// Which.
        id: SubscriptionId,
        /// The version that was read.
        was: i32,
    },
    /// The tenant still has no subscription that is not over. Only right where the tenant is changed
    /// or held, too.
    RequireNoLiveSubscription(TenantId),
    /// A new user; the identity must be free.
    InsertUser(User),
    /// A user as it is now, in place of the one that was read.
    UpdateUser {
        /// What was read: the change is stale where the stored user is not this one any more.
        was: UserVersion,
        /// What it becomes.
        user: User,
    },
    /// A user goes, with the memberships.
    DeleteUser {
        /// Who.
        id: UserId,
        /// What was read.
        was: UserVersion,
    },
    /// What is left of a deleted user.
    InsertTombstone(Tombstone),
    /// The tombstones of an identity go: it may have a user again.
    DeleteTombstones {
        /// Whose.
        identity: Identity,
        /// The youngest that was read, or that there was none: stale where it is another.
        was: Option<Timestamp>,
    },
    /// Somebody was seen: moves `last_seen_at` forward (never back), whatever else has changed.
    TouchLastSeen {
        /// Who.
        id: UserId,
        /// When.
        at: Timestamp,
    },
    /// One more event of the history.
    InsertAuditEvent(AuditEvent),
    /// What this did for a request that may be sent again. Nothing is changed where another run has
    /// taken the request over ([`CommitError::Superseded`]).
    ///
    /// [`CommitError::Superseded`]: crate::store::CommitError::Superseded
    RecordIdempotentStep {
        /// The request.
        key: IdempotencyKeyHash,
        /// Who works on it.
        run_id: ObjectId,
        /// What was done.
        step: CompletedMutation,
    },
}

/// What tells one state of a user from another. The watermark counts, because it moves outside
/// `version`: a sync that was decided on an older one must not be written.
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

/// A value that only one document may have, by the input that sets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UniqueField {
    /// A tenant's slug.
    Slug,
    /// One of a tenant's domains.
    Domains,
    /// A tenant's `integrations.authentikGroup`.
    AuthentikGroup,
    /// A user's issuer and subject.
    Subject,
    /// A tenant's one subscription that is not over.
    LiveSubscription,
}

impl UniqueField {
    /// The name of the input, as `extensions.field` of a `CONFLICT` gives it.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Slug => "slug",
            Self::Domains => "domains",
            Self::AuthentikGroup => "integrations.authentikGroup",
            Self::Subject => "subject",
            Self::LiveSubscription => "tenantId",
        }
    }
}
