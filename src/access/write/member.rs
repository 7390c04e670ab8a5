//! Giving, changing and taking away places in a tenant.

use super::{Command, Refusal, Session, Viewer};
use crate::{
    domain::{
        edit::{Edit, membership, membership::LastOwner},
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
pub struct Placed {
    /// The tenant.
    pub tenant: Tenant,
    /// The user.
    pub user: User,
}

impl Command for AddMember {
    type Outcome = Placed;

    async fn decide(&self, session: &Session, viewer: &Viewer) -> Result<Edit<Placed>, Refusal> {
        let tenant = session.tenant_to_change(self.tenant).await?;
        may_give(viewer, tenant.id, self.role)?;
        let found = session.users(&[self.user]).await?.remove(&self.user).transpose()?;
        let stored = found.ok_or(Refusal::NotFound)?;
        viewer.may_write(&tenant)?;
        let added = membership::add(&tenant, &stored, self.role, &session.deed(viewer));
        Ok(placed(tenant, added.ok_or(Refusal::Conflict("userId"))?))
    }
}

impl Command for UpdateMember {
    type Outcome = Placed;

    async fn decide(&self, session: &Session, viewer: &Viewer) -> Result<Edit<Placed>, Refusal> {
        let tenant = session.tenant_to_change(self.tenant).await?;
        may_give(viewer, tenant.id, self.role)?;
        let (stored, was) = session.member(tenant.id, self.user).await?;
        may_give(viewer, tenant.id, was)?;
        viewer.may_write(&tenant)?;
        let (owner, deed) = (last_owner(viewer), session.deed(viewer));
        let updated = membership::update(&tenant, &stored, self.role, owner, &deed);
        Ok(placed(tenant, updated.ok_or(Refusal::NotFound)?))
    }
}

impl Command for RemoveMember {
    type Outcome = Placed;

    async fn decide(&self, session: &Session, viewer: &Viewer) -> Result<Edit<Placed>, Refusal> {
        let tenant = session.tenant_to_change(self.tenant).await?;
        let leaves = viewer.user().id == self.user;
        let action = if leaves { TenantAction::Leave } else { TenantAction::ManageMembers };
        viewer.may(tenant.id, action)?;
        let (stored, was) = session.member(tenant.id, self.user).await?;
        if !leaves {
            may_give(viewer, tenant.id, was)?;
            viewer.may_write(&tenant)?;
        }
        let (owner, deed) = (last_owner(viewer), session.deed(viewer));
        let removed = membership::remove(&tenant, &stored, owner, &deed);
        Ok(placed(tenant, removed.ok_or(Refusal::NotFound)?))
    }
}

impl Session {
    /// A member of a tenant, and the role there.
    async fn member(&self, tenant: TenantId, id: UserId) -> Result<(User, TenantRole), Refusal> {
        let user = self.user_to_change(id).await?;
        let role = user.membership(tenant).ok_or(Refusal::NotFound)?.role;
        Ok((user, role))
    }
}

/// May the actor give that role, or take it away?
fn may_give(viewer: &Viewer, tenant: TenantId, role: TenantRole) -> Result<(), Refusal> {
    viewer.may(tenant, TenantAction::ManageMembers)?;
    match role {
        TenantRole::Owner => viewer.may(tenant, TenantAction::ManageOwners),
        TenantRole::Member | TenantRole::Admin => Ok(()),
    }
}

/// A tenant's own people cannot leave it without an owner.
fn last_owner(viewer: &Viewer) -> LastOwner {
    if viewer.is_platform_admin() { LastOwner::MayGo } else { LastOwner::Kept }
}

fn placed(tenant: Tenant, edit: Edit<User>) -> Edit<Placed> {
    Edit { value: Placed { tenant, user: edit.value }, changes: edit.changes }
}
