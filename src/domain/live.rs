//! Live changes: the stored entities that have changed, in the order of their commits.

use std::sync::Arc;

use super::{
    id::{SubscriptionId, TenantId, UserId},
    string_enum,
};

string_enum! {
    /// The kind of a change of an entity.
    pub enum ChangeKind {
        /// The entity was created.
        Created = "created",
        /// The entity was changed.
        Updated = "updated",
        /// The entity was deleted.
        Deleted = "deleted",
    }
}

impl ChangeKind {
    /// Returns the kind of two successive changes of one entity together.
    #[must_use]
    pub const fn followed_by(self, next: Self) -> Self {
        match (self, next) {
            (Self::Created, Self::Updated) => Self::Created,
            // A membership in a deleted tenant may end after the deletion.
            (Self::Deleted, Self::Updated) => Self::Deleted,
            (_, next) => next,
        }
    }
}

/// A position in the feed of changes.
///
/// The bytes compare in the order of the commits, also between processes on one database. Only the
/// store that created a position can interpret it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeedPosition(pub Arc<[u8]>);

/// The entity that a change concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangedEntity {
    /// The tenant with this identifier.
    Tenant(TenantId),
    /// The user with this identifier, including the user's memberships.
    User(UserId),
    /// A subscription with its tenant, or `None` if the database did not report the tenant.
    Subscription(SubscriptionId, Option<TenantId>),
    /// The membership of this user in a tenant that was deleted, at the time of the deletion.
    ///
    /// Without a user, it stands for each membership that is still stored after a manual edit has deleted
    /// the tenant.
    FormerMember(Option<UserId>, TenantId),
}

/// One change of one entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedEvent {
    /// The position of the event. A feed that starts after it does not repeat the event.
    pub position: FeedPosition,
    /// The entity that has changed.
    pub entity: ChangedEntity,
    /// The kind of the change.
    pub kind: ChangeKind,
}
