//! The commands that add, change and remove members of a tenant.

use super::{command::Command, output::CommandOutput};
use crate::{
    access::{error::AccessError, session::Session, viewer::Viewer},
    domain::{
        edit::{Edit, membership, membership::OwnerRequirement},
        id::{NodeId, TenantId, UserId},
        tenant::Tenant,
        user::{TenantRole, User},
    },
    policy::TenantAction,
};

/// Adds a user to a tenant. Only a user that the viewer can see can be added.
#[derive(Clone, Copy, Debug)]
pub struct AddMember {
    /// The tenant of the new membership.
    pub tenant: TenantId,
    /// The user to add.
    pub user: UserId,
    /// The role to grant.
    pub role: TenantRole,
}

/// Changes the role of a member.
#[derive(Clone, Copy, Debug)]
pub struct UpdateMember {
    /// The tenant of the membership.
    pub tenant: TenantId,
    /// The member to change.
    pub user: UserId,
    /// The new role of the member.
    pub role: TenantRole,
}

/// Removes a member. Every member can remove itself, even from a suspended tenant.
#[derive(Clone, Copy, Debug)]
pub struct RemoveMember {
    /// The tenant of the membership.
    pub tenant: TenantId,
    /// The member to remove.
    pub user: UserId,
}

/// A user after a change of its membership in a tenant.
#[derive(Clone, Debug, PartialEq)]
pub struct MembershipChange {
    /// The tenant of the membership.
    pub tenant: Tenant,
    /// The user after the change.
    pub user: User,
}

impl CommandOutput for MembershipChange {
    fn ids(&self) -> Vec<NodeId> {
        vec![NodeId::Tenant(self.tenant.id), NodeId::User(self.user.id)]
    }

    /// Loads the tenant even if the command has removed the viewer from it. The response then only
    /// shows the viewer the effect of its own command.
    async fn reload(session: &Session, ids: &[NodeId]) -> Result<Self, AccessError> {
        let [NodeId::Tenant(tenant), NodeId::User(user)] = ids else {
            return Err(AccessError::Internal);
        };
        let user = session.require_user(*user).await?;
        let has_left =
            user.id == session.loaded_viewer()?.user().id && user.membership(*tenant).is_none();
        let tenant = match has_left {
            true => session.tenant_after_leaving(*tenant).await?,
            false => session.require_tenant(*tenant).await?,
        };
        Ok(Self { tenant, user })
    }
}

impl Command for AddMember {
    type Action = TenantAction;
    type Output = MembershipChange;

    /// The role `OWNER` requires more, see `decide`.
    const ACTION: TenantAction = TenantAction::ManageMembers;

    fn target(&self) -> TenantId {
        self.tenant
    }

    async fn decide(
        &self,
        session: &Session,
        viewer: &Viewer,
        tenant: Tenant,
    ) -> Result<Edit<MembershipChange>, AccessError> {
        authorize_role(viewer, tenant.id, self.role)?;
        let stored = session.users(&[self.user]).await?.remove(&self.user).transpose()?;
        let stored = stored.ok_or(AccessError::NotFound)?;
        viewer.require_writable(&tenant)?;
        let context = session.audit_context().with_actor(viewer.user());
        let added = membership::add(&tenant, &stored, self.role, &context);
        Ok(with_tenant(tenant, added.ok_or(AccessError::Conflict("userId"))?))
    }
}

impl Command for UpdateMember {
    type Action = TenantAction;
    type Output = MembershipChange;

    /// The role `OWNER` requires more, see `decide`.
    const ACTION: TenantAction = TenantAction::ManageMembers;

    fn target(&self) -> TenantId {
        self.tenant
    }

    async fn decide(
        &self,
        session: &Session,
        viewer: &Viewer,
        tenant: Tenant,
    ) -> Result<Edit<MembershipChange>, AccessError> {
        authorize_role(viewer, tenant.id, self.role)?;
        let (stored, old_role) = session.require_member(tenant.id, self.user).await?;
        authorize_role(viewer, tenant.id, old_role)?;
        viewer.require_writable(&tenant)?;
        let requirement = owner_requirement(viewer);
        let context = session.audit_context().with_actor(viewer.user());
        let updated = membership::update(&tenant, &stored, self.role, requirement, &context);
        Ok(with_tenant(tenant, updated.ok_or(AccessError::NotFound)?))
    }
}

impl Command for RemoveMember {
    type Action = TenantAction;
    type Output = MembershipChange;

    /// Each member may remove itself. The removal of another member requires more, see `decide`.
    const ACTION: TenantAction = TenantAction::Leave;

    fn target(&self) -> TenantId {
        self.tenant
    }

    async fn decide(
        &self,
        session: &Session,
        viewer: &Viewer,
        tenant: Tenant,
    ) -> Result<Edit<MembershipChange>, AccessError> {
        let is_leaving = viewer.user().id == self.user;
        if !is_leaving {
            viewer.authorize(tenant.id, TenantAction::ManageMembers)?;
        }
        let (stored, old_role) = session.require_member(tenant.id, self.user).await?;
        if !is_leaving {
            authorize_role(viewer, tenant.id, old_role)?;
            viewer.require_writable(&tenant)?;
        }
        let requirement = owner_requirement(viewer);
        let context = session.audit_context().with_actor(viewer.user());
        let removed = membership::remove(&tenant, &stored, requirement, &context);
        Ok(with_tenant(tenant, removed.ok_or(AccessError::NotFound)?))
    }
}

impl Session {
    /// Returns a member of a tenant with its role.
    async fn require_member(
        &self,
        tenant: TenantId,
        id: UserId,
    ) -> Result<(User, TenantRole), AccessError> {
        let user = self.require_user(id).await?;
        let role = user.membership(tenant).ok_or(AccessError::NotFound)?.role;
        Ok((user, role))
    }
}

/// Authorizes a viewer that may manage members to grant or revoke a role.
pub(in super::super) fn authorize_role(
    viewer: &Viewer,
    tenant: TenantId,
    role: TenantRole,
) -> Result<(), AccessError> {
    match role {
        TenantRole::Owner => viewer.authorize(tenant, TenantAction::ManageOwners),
        TenantRole::Member | TenantRole::Admin => Ok(()),
    }
}

/// Returns the owner requirement: only platform admins can leave a tenant without an owner.
fn owner_requirement(viewer: &Viewer) -> OwnerRequirement {
    if viewer.is_platform_admin() { OwnerRequirement::Optional } else { OwnerRequirement::Required }
}

fn with_tenant(tenant: Tenant, edit: Edit<User>) -> Edit<MembershipChange> {
    Edit { value: MembershipChange { tenant, user: edit.value }, changes: edit.changes }
}
