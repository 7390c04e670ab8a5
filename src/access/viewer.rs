//! The actor of a request, and every decision about it: from memory, without a read.

use std::{collections::HashMap, sync::Arc};

use super::AccessError;
use crate::{
    domain::{
        audit::AuditEvent,
        id::{NodeId, TenantId},
        list::TenantScope,
        tenant::Tenant,
        user::{TenantRole, User},
    },
    policy::{
        self, Decision, EffectiveRole, PlatformAction, TenantAction, UserAction, UserRelation,
    },
};

/// The user who asks, as the database has it.
#[derive(Debug)]
pub struct Viewer {
    user: Arc<User>,
    roles: HashMap<TenantId, TenantRole>,
}

impl Viewer {
    pub(super) fn new(user: Arc<User>) -> Self {
        let roles = user.memberships.iter().map(|m| (m.tenant_id, m.role)).collect();
        Self { user, roles }
    }

    /// The user.
    #[must_use]
    pub const fn user(&self) -> &Arc<User> {
        &self.user
    }

    /// Whether this is one who runs the platform.
    #[must_use]
    pub fn is_platform_admin(&self) -> bool {
        self.user.platform_admin.is_some()
    }

    /// What the actor is to a tenant.
    #[must_use]
    pub fn effective_role(&self, tenant: TenantId) -> EffectiveRole {
        if self.is_platform_admin() {
            EffectiveRole::PlatformAdmin
        } else {
            self.roles.get(&tenant).copied().into()
        }
    }

    /// What the actor is to a user.
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

    /// Whether the actor may see that there is such a tenant.
    #[must_use]
    pub fn can_see(&self, tenant: TenantId) -> bool {
        policy::decide_tenant(self.effective_role(tenant), TenantAction::Read) == Decision::Allow
    }

    /// Refuses what the actor may not do to a tenant that it sees.
    pub fn authorize(&self, tenant: TenantId, action: TenantAction) -> Result<(), AccessError> {
        refuse(policy::decide_tenant(self.effective_role(tenant), action))
    }

    /// Refuses to change a tenant that is closed to the actor.
    pub fn require_writable(&self, tenant: &Tenant) -> Result<(), AccessError> {
        match policy::is_read_only(self.effective_role(tenant.id), tenant.status) {
            true => Err(AccessError::Suspended),
            false => Ok(()),
        }
    }

    /// Refuses what the actor may not do to a user that it sees.
    pub fn authorize_user(&self, user: &User, action: UserAction) -> Result<(), AccessError> {
        refuse(policy::decide_user(self.relation(user), action))
    }

    /// Refuses what only those who run the platform may do.
    pub fn authorize_platform(&self, action: PlatformAction) -> Result<(), AccessError> {
        refuse(policy::decide_platform(self.is_platform_admin(), action))
    }

    /// Whether one field of an event's changes may be shown. `user` is the event's target, where
    /// that is a user whom the actor sees.
    #[must_use]
    pub fn can_see_change(&self, event: &AuditEvent, user: Option<&User>, field: &str) -> bool {
        if self.is_platform_admin() {
            return true;
        }
        let of_tenants = |action| event.tenants.iter().all(|t| self.authorize(*t, action).is_ok());
        let of_user = |action| user.is_some_and(|user| self.authorize_user(user, action).is_ok());
        let (head, rest) = field.split_once('.').unwrap_or((field, ""));
        match (event.target, head) {
            (_, "memberships") => TenantId::parse(rest.split('.').next().unwrap_or(rest))
                .is_some_and(|tenant| self.authorize(tenant, TenantAction::ReadAudit).is_ok()),
            (_, "integrations" | "stripe") => of_tenants(TenantAction::ReadPlatformFields),
            (Some(NodeId::User(_)), "name") => of_user(UserAction::Read),
            (Some(NodeId::User(_)), "email") => of_user(UserAction::ReadEmail),
            (Some(NodeId::User(_)), _) => of_user(UserAction::ReadPrivate),
            _ => of_tenants(TenantAction::ReadAudit),
        }
    }

    /// The tenants whose data a list may hold.
    #[must_use]
    pub fn scope(&self) -> TenantScope {
        if self.is_platform_admin() {
            TenantScope::Everything
        } else {
            TenantScope::Tenants(self.user.memberships.iter().map(|m| m.tenant_id).collect())
        }
    }
}

/// The thing itself is seen here, so hiding a part of it is denying it.
const fn refuse(decision: Decision) -> Result<(), AccessError> {
    match decision {
        Decision::Allow => Ok(()),
        Decision::Deny | Decision::Hide => Err(AccessError::Forbidden),
    }
}
