//! Giving, changing and taking away places in a tenant.

use super::{AccessError, Command, Session, Viewer};
use crate::{
    domain::{
        edit::{Edit, membership, membership::OwnerRequirement},
        id::{TenantId, UserId},
        tenant::Tenant,
        user::{TenantRole, User},
    },
    policy::TenantAction,
};

/// Makes a user a member. A tenant's own people need a user whom they see already.
#[derive(Clone, Copy, Debug)]
pub struct AddMember {
    /// Where.
    pub tenant: TenantId,
    /// Whom.
    pub user: UserId,
    /// As what.
    pub role: TenantRole,
}

/// Gives a member another role.
#[derive(Clone, Copy, Debug)]
pub struct UpdateMember {
    /// Where.
    pub tenant: TenantId,
    /// Whom.
    pub user: UserId,
    /// As what.
    pub role: TenantRole,
}

/// Ends a membership; anybody may end their own, also in a tenant that is suspended.
#[derive(Clone, Copy, Debug)]
pub struct RemoveMember {
    /// Where.
    pub tenant: TenantId,
    /// Whose.
    pub user: UserId,
}

/// A user, as it is after a change of its place in this tenant.
#[derive(Clone, Debug, PartialEq)]
pub struct MembershipChange {
    /// The tenant.
    pub tenant: Tenant,
    /// The user.
    pub user: User,
}

impl Command for AddMember {
    type Outcome = MembershipChange;

    async fn decide(
        &self,
        session: &Session,
        viewer: &Viewer,
    ) -> Result<Edit<MembershipChange>, AccessError> {
        let tenant = session.require_tenant(self.tenant).await?;
        authorize_role(viewer, tenant.id, self.role)?;
        let found = session.users(&[self.user]).await?.remove(&self.user).transpose()?;
        let stored = found.ok_or(AccessError::NotFound)?;
        viewer.require_writable(&tenant)?;
        let added = membership::add(&tenant, &stored, self.role, &session.audit_context(viewer));
        Ok(placed(tenant, added.ok_or(AccessError::Conflict("userId"))?))
    }
}

impl Command for UpdateMember {
    type Outcome = MembershipChange;

    async fn decide(
        &self,
        session: &Session,
        viewer: &Viewer,
    ) -> Result<Edit<MembershipChange>, AccessError> {
        let tenant = session.require_tenant(self.tenant).await?;
        authorize_role(viewer, tenant.id, self.role)?;
        let (stored, was) = session.member(tenant.id, self.user).await?;
        authorize_role(viewer, tenant.id, was)?;
        viewer.require_writable(&tenant)?;
        let (owner, deed) = (owner_requirement(viewer), session.audit_context(viewer));
        let updated = membership::update(&tenant, &stored, self.role, owner, &deed);
        Ok(placed(tenant, updated.ok_or(AccessError::NotFound)?))
    }
}

impl Command for RemoveMember {
    type Outcome = MembershipChange;

    async fn decide(
        &self,
        session: &Session,
        viewer: &Viewer,
    ) -> Result<Edit<MembershipChange>, AccessError> {
        let tenant = session.require_tenant(self.tenant).await?;
        let leaves = viewer.user().id == self.user;
        let action = if leaves { TenantAction::Leave } else { TenantAction::ManageMembers };
        viewer.authorize(tenant.id, action)?;
        let (stored, was) = session.member(tenant.id, self.user).await?;
        if !leaves {
            authorize_role(viewer, tenant.id, was)?;
            viewer.require_writable(&tenant)?;
        }
        let (owner, deed) = (owner_requirement(viewer), session.audit_context(viewer));
        let removed = membership::remove(&tenant, &stored, owner, &deed);
        Ok(placed(tenant, removed.ok_or(AccessError::NotFound)?))
    }
}

impl Session {
    /// A member of a tenant, and the role there.
    async fn member(
        &self,
        tenant: TenantId,
        id: UserId,
    ) -> Result<(User, TenantRole), AccessError> {
        let user = self.require_user(id).await?;
        let role = user.membership(tenant).ok_or(AccessError::NotFound)?.role;
        Ok((user, role))
    }
}

/// May the actor give that role, or take it away?
fn authorize_role(viewer: &Viewer, tenant: TenantId, role: TenantRole) -> Result<(), AccessError> {
    viewer.authorize(tenant, TenantAction::ManageMembers)?;
    match role {
        TenantRole::Owner => viewer.authorize(tenant, TenantAction::ManageOwners),
        TenantRole::Member | TenantRole::Admin => Ok(()),
    }
}

/// A tenant's own people cannot leave it without an owner.
fn owner_requirement(viewer: &Viewer) -> OwnerRequirement {
    if viewer.is_platform_admin() { OwnerRequirement::Optional } else { OwnerRequirement::Required }
}

fn placed(tenant: Tenant, edit: Edit<User>) -> Edit<MembershipChange> {
    Edit { value: MembershipChange { tenant, user: edit.value }, changes: edit.changes }
}
