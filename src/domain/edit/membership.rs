//! Giving, changing and taking away a place in a tenant. What is given here is DIRECT from then on,
//! whatever it was: no sync from groups touches it.

use super::{AuditContext, Edit, fields, user::advance_watermark};
use crate::domain::{
    change::{Change, UserVersion},
    id::NodeId,
    tenant::Tenant,
    user::{Membership, MembershipSource, TenantRole, User},
};

/// Whether the tenant has to keep an owner: what its own people do may not leave it without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerRequirement {
    /// It has to.
    Required,
    /// It may be left without.
    Optional,
}

/// A user becomes a member; `None` where it is one already.
#[must_use]
pub fn add(
    tenant: &Tenant,
    stored: &User,
    role: TenantRole,
    deed: &AuditContext,
) -> Option<Edit<User>> {
    if stored.membership(tenant.id).is_some() {
        return None;
    }
    let mut user = stored.clone();
    user.memberships.push(Membership {
        tenant_id: tenant.id,
        role,
        source: MembershipSource::Direct,
        since: deed.now,
    });
    Some(edit("membership.add", tenant, stored, user, OwnerRequirement::Optional, deed))
}

/// A member gets another role; `None` where the user is no member.
#[must_use]
pub fn update(
    tenant: &Tenant,
    stored: &User,
    role: TenantRole,
    owner: OwnerRequirement,
    deed: &AuditContext,
) -> Option<Edit<User>> {
    let was = stored.membership(tenant.id)?.role;
    let mut user = stored.clone();
    for membership in user.memberships.iter_mut().filter(|m| m.tenant_id == tenant.id) {
        membership.role = role;
        membership.source = MembershipSource::Direct;
    }
    if user == *stored {
        return Some(Edit::unchanged(user));
    }
    if role < was {
        advance_watermark(&mut user, deed.now);
    }
    Some(edit("membership.update", tenant, stored, user, owner, deed))
}

/// A member is none any more; `None` where the user was none.
#[must_use]
pub fn remove(
    tenant: &Tenant,
    stored: &User,
    owner: OwnerRequirement,
    deed: &AuditContext,
) -> Option<Edit<User>> {
    stored.membership(tenant.id)?;
    let mut user = stored.clone();
    user.memberships.retain(|m| m.tenant_id != tenant.id);
    advance_watermark(&mut user, deed.now);
    Some(edit("membership.remove", tenant, stored, user, owner, deed))
}

fn edit(
    action: &str,
    tenant: &Tenant,
    stored: &User,
    mut user: User,
    owner: OwnerRequirement,
    deed: &AuditContext,
) -> Edit<User> {
    user.version = user.version.saturating_add(1);
    user.updated_at = deed.now;
    let told = fields::memberships(&stored.memberships, &user.memberships);
    let mut changes = vec![
        // A tenant that goes while somebody comes would leave a place in nothing.
        Change::LockTenant { id: tenant.id, was: tenant.version },
        Change::UpdateUser { was: UserVersion::from(stored), user: user.clone() },
    ];
    if owner == OwnerRequirement::Required && ceases_to_own(tenant, stored, &user) {
        changes.push(Change::RequireOwner(tenant.id));
    }
    changes.push(deed.event(action, NodeId::User(user.id), vec![tenant.id], told));
    Edit { value: user, changes }
}

/// A disabled owner does not count as one, so taking that away leaves no tenant without.
fn ceases_to_own(tenant: &Tenant, was: &User, is: &User) -> bool {
    let owns = |user: &User| {
        !user.disabled && user.membership(tenant.id).is_some_and(|m| m.role == TenantRole::Owner)
    };
    owns(was) && !owns(is)
}
