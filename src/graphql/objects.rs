//! Defines the object types of the schema, each of which wraps shared domain values.
//!
//! Objects refer to each other in circles: a tenant has members, and a member has a tenant. So the
//! types are in this file, which imports no resolvers, and the modules `tenant`, `user`,
//! `subscription`, `invitation` and `audit` implement their fields.

use std::sync::Arc;

use crate::{
    access::AccessError,
    domain::{
        audit::AuditEvent,
        id::TenantId,
        invitation::Invitation,
        subscription::TenantSubscription,
        tenant::Tenant,
        user::{Membership, User},
    },
};

/// A tenant that is visible to the viewer.
#[derive(Clone)]
pub(super) struct TenantObject(pub(super) Arc<Tenant>);

impl TenantObject {
    /// Returns the membership of a user in this tenant.
    ///
    /// # Errors
    ///
    /// `Internal` if the user is not a member. A store never lists such a user among the members.
    pub(super) fn membership_of(&self, user: Arc<User>) -> Result<MembershipObject, AccessError> {
        let membership = user.membership(self.0.id).ok_or(AccessError::Internal)?.clone();
        Ok(MembershipObject { membership, tenant: self.0.clone(), user })
    }
}

/// A user who is visible to the viewer.
#[derive(Clone)]
pub(super) struct UserObject(pub(super) Arc<User>);

/// A membership with its tenant and its user.
#[derive(Clone)]
pub(super) struct MembershipObject {
    pub(super) membership: Membership,
    pub(super) tenant: Arc<Tenant>,
    pub(super) user: Arc<User>,
}

/// A subscription with its tenant. A subscription whose tenant was deleted is hidden.
#[derive(Clone)]
pub(super) struct SubscriptionObject {
    pub(super) subscription: Arc<TenantSubscription>,
    pub(super) tenant: Arc<Tenant>,
}

impl SubscriptionObject {
    /// Combines a subscription with its tenant.
    pub(super) const fn new(subscription: Arc<TenantSubscription>, tenant: Arc<Tenant>) -> Self {
        Self { subscription, tenant }
    }
}

/// An invitation with its tenant. An invitation whose tenant was deleted is hidden.
#[derive(Clone)]
pub(super) struct InvitationObject {
    pub(super) invitation: Arc<Invitation>,
    pub(super) tenant: Arc<Tenant>,
}

/// An audit event that is visible to the viewer.
#[derive(Clone)]
pub(super) struct AuditEventObject {
    pub(super) event: Arc<AuditEvent>,
    /// The tenant whose audit log contains the event, if it was read from there.
    pub(super) log_tenant: Option<TenantId>,
}

impl AuditEventObject {
    /// Wraps an event. `log_tenant` is the tenant in whose audit log the event was found.
    pub(super) const fn new(event: Arc<AuditEvent>, log_tenant: Option<TenantId>) -> Self {
        Self { event, log_tenant }
    }
}
