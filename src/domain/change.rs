//! What a store is asked to commit: a list of changes, all or nothing.

use super::{
    audit::AuditEvent, id::UserId, subscription::TenantSubscription, tenant::Tenant,
    time::Timestamp, user::User,
};

/// One change of one document.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A new tenant; its slug, domains and group must be free.
    InsertTenant(Tenant),
    /// A new subscription; where it is not over, the tenant must have no other that is not.
    InsertSubscription(TenantSubscription),
    /// A new user; the identity must be free.
    InsertUser(User),
    /// A user as it is now, in place of the one that was read.
    UpdateUser {
        /// What was read: the change is stale where the stored user is not this one any more.
        was: UserStamp,
        /// What it becomes.
        user: User,
    },
    /// Somebody was seen: moves `last_seen_at` forward (never back), whatever else has changed.
    SeeUser {
        /// Who.
        id: UserId,
        /// When.
        at: Timestamp,
    },
    /// One more event of the history.
    Record(AuditEvent),
}

/// What tells one state of a user from another. The watermark counts, because it moves outside
/// `version`: a sync that was decided on an older one must not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserStamp {
    /// The version that was read.
    pub version: i32,
    /// The watermark that was read.
    pub groups_as_of: Option<Timestamp>,
}

impl From<&User> for UserStamp {
    fn from(user: &User) -> Self {
        Self { version: user.version, groups_as_of: user.groups_as_of }
    }
}

/// A value that only one document may have, by the input that sets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unique {
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

impl Unique {
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
