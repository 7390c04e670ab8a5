//! The viewer of a request, and every decision about its rights, without a store read.

use std::sync::Arc;

use super::error::AccessError;
use crate::{
    domain::{
        audit::AuditEvent,
        id::{IdMap, NodeId, TenantId},
        list::TenantScope,
        tenant::Tenant,
        user::{TenantRole, User},
    },
    policy::{
        self, Decision, EffectiveRole, PlatformAction, TenantAction, UserAction, UserRelation,
    },
};

/// The caller's user, as loaded from the database for this request.
#[derive(Debug)]
pub struct Viewer {
    user: Arc<User>,
    roles: IdMap<TenantId, TenantRole>,
}

impl Viewer {
    pub(super) fn new(user: Arc<User>) -> Self {
        let roles = user.memberships.iter().map(|m| (m.tenant_id, m.role)).collect();
        Self { user, roles }
    }

    /// Returns the viewer's user.
    #[must_use]
    pub const fn user(&self) -> &Arc<User> {
        &self.user
    }

    /// Returns whether the viewer is a platform admin.
    #[must_use]
    pub fn is_platform_admin(&self) -> bool {
        self.user.platform_admin.is_some()
    }

    /// Returns the viewer's effective role in a tenant.
    #[must_use]
    pub fn effective_role(&self, tenant: TenantId) -> EffectiveRole {
        if self.is_platform_admin() {
            EffectiveRole::PlatformAdmin
        } else {
            self.roles.get(&tenant).copied().into()
        }
    }

    /// Returns the viewer's relation to a user.
    #[must_use]
    pub fn relation(&self, user: &User) -> UserRelation {
        if user.id == self.user.id {
            UserRelation::Own
        } else if self.is_platform_admin() {
            UserRelation::PlatformAdmin
        } else if user.memberships.iter().any(|m| self.roles.contains_key(&m.tenant_id)) {
            UserRelation::Peer
        } else {
            UserRelation::Stranger
        }
    }

    /// Returns whether the viewer can see that the tenant exists.
    #[must_use]
    pub fn can_see(&self, tenant: TenantId) -> bool {
        policy::decide_tenant(self.effective_role(tenant), TenantAction::Read) == Decision::Allow
    }

    /// Authorizes an action on a tenant that the viewer can see.
    ///
    /// # Errors
    ///
    /// Returns [`AccessError::Forbidden`] if the policy does not allow the action.
    pub fn authorize(&self, tenant: TenantId, action: TenantAction) -> Result<(), AccessError> {
        require_allowed(policy::decide_tenant(self.effective_role(tenant), action))
    }

    /// Rejects a change of a tenant that is suspended or archived.
    ///
    /// # Errors
    ///
    /// Returns [`AccessError::Suspended`] unless the viewer is a platform admin.
    pub fn require_writable(&self, tenant: &Tenant) -> Result<(), AccessError> {
        match policy::is_read_only(self.effective_role(tenant.id), tenant.status) {
            true => Err(AccessError::Suspended),
            false => Ok(()),
        }
    }

    /// Authorizes an action on a user that the viewer can see.
    ///
    /// # Errors
    ///
    /// Returns [`AccessError::Forbidden`] if the policy does not allow the action.
    pub fn authorize_user(&self, user: &User, action: UserAction) -> Result<(), AccessError> {
        require_allowed(policy::decide_user(self.relation(user), action))
    }

    /// Authorizes an action that only platform admins may perform.
    ///
    /// # Errors
    ///
    /// Returns [`AccessError::Forbidden`] for all other viewers.
    pub fn authorize_platform(&self, action: PlatformAction) -> Result<(), AccessError> {
        require_allowed(policy::decide_platform(self.is_platform_admin(), action))
    }

    /// Returns whether the viewer can see the change of one field in an audit event.
    ///
    /// `user` is the target of the event, if it is a user that the viewer can see.
    #[must_use]
    pub fn can_see_change(&self, event: &AuditEvent, user: Option<&User>, field: &str) -> bool {
        if self.is_platform_admin() {
            return true;
        }
        let allowed_for_tenants =
            |action| event.tenants.iter().all(|t| self.authorize(*t, action).is_ok());
        let allowed_for_user =
            |action| user.is_some_and(|user| self.authorize_user(user, action).is_ok());
        let (head, rest) = field.split_once('.').unwrap_or((field, ""));
        match (event.target, head) {
            (_, "memberships") => TenantId::parse(rest.split('.').next().unwrap_or(rest))
                .is_some_and(|tenant| self.authorize(tenant, TenantAction::ReadAudit).is_ok()),
            (_, "integrations" | "stripe") => allowed_for_tenants(TenantAction::ReadPlatformFields),
            (Some(NodeId::User(_)), "name") => allowed_for_user(UserAction::Read),
            (Some(NodeId::User(_)), "email") => allowed_for_user(UserAction::ReadEmail),
            (Some(NodeId::User(_)), _) => allowed_for_user(UserAction::ReadPrivate),
            _ => allowed_for_tenants(TenantAction::ReadAudit),
        }
    }

    /// Returns the tenants whose data the viewer's lists may contain.
    #[must_use]
    pub fn scope(&self) -> TenantScope {
        if self.is_platform_admin() {
            TenantScope::Everything
        } else {
            TenantScope::Tenants(self.user.memberships.iter().map(|m| m.tenant_id).collect())
        }
    }
}

/// Converts a decision into a result.
///
/// The viewer already sees the object itself, so [`Decision::Hide`] is treated like
/// [`Decision::Deny`].
const fn require_allowed(decision: Decision) -> Result<(), AccessError> {
    match decision {
        Decision::Allow => Ok(()),
        Decision::Deny | Decision::Hide => Err(AccessError::Forbidden),
    }
}
