//! Records: everything that an export contains, one at a time.

use super::{
    audit::AuditEvent,
    id::TenantId,
    invitation::Invitation,
    subscription::TenantSubscription,
    tenant::Tenant,
    user::{Tombstone, User},
};

/// One stored entity.
#[expect(clippy::large_enum_variant, reason = "few records exist at a time, so no box is needed")]
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// A tenant without its members.
    Tenant(Tenant),
    /// A user with its memberships.
    User(User),
    /// A subscription of a tenant.
    Subscription(TenantSubscription),
    /// An invitation to a tenant.
    Invitation(Invitation),
    /// An audit event.
    AuditEvent(AuditEvent),
    /// The tombstone of a deleted user.
    Tombstone(Tombstone),
}

/// The records of an export or of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferScope {
    /// All records of the database.
    Everything,
    /// One tenant with its members, its subscriptions, its invitations and its audit log.
    Tenant(TenantId),
}

/// An import, as a store needs to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportPlan {
    /// The records that are imported.
    pub scope: TransferScope,
    /// The SHA-256 digest of the file, by which an interrupted import is recognized.
    pub digest: [u8; 32],
    /// The tenant of the bootstrap, which an import of everything replaces.
    pub replaced: Option<TenantId>,
}

/// The state of the import of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportState {
    /// The import of the file has not started.
    New,
    /// The import of the file was interrupted. The same import continues it.
    Interrupted,
    /// The import of everything from another file was interrupted. It must end first.
    Blocked,
}

/// A step of an import.
#[derive(Clone, Debug, PartialEq)]
pub enum ImportStep {
    /// Changes that belong together.
    Changes(Vec<super::change::Change>),
    /// The end. Without it, the import is incomplete.
    Complete,
}
