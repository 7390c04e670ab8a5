//! The topics of live operations.

use crate::domain::id::TenantId;

/// The entities whose changes a live operation reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiveTopic {
    /// The viewer's own user.
    Me,
    /// The tenant with this identifier.
    Tenant(TenantId),
    /// All tenants that the viewer can see.
    Tenants,
    /// The subscriptions of one tenant.
    Subscriptions(TenantId),
}

impl LiveTopic {
    /// Returns the tenant to which the viewer must have access.
    pub(super) const fn tenant(self) -> Option<TenantId> {
        match self {
            Self::Tenant(tenant) | Self::Subscriptions(tenant) => Some(tenant),
            Self::Me | Self::Tenants => None,
        }
    }
}
