//! The rules of adding, changing and removing memberships.
//!
//! A membership that a rule adds or changes has the source `Direct` from then on, regardless of its
//! earlier source. The sync from groups no longer changes it.

use super::{Edit, fields, user::advance_watermark};
use crate::domain::{
    audit::AuditContext,
    change::{Change, UserVersion, next_version},
    id::NodeId,
    tenant::Tenant,
    user::{Membership, MembershipSource, TenantRole, User},
};

/// The condition on the owners of a tenant after an edit.
///
/// An edit by a member of the tenant must leave it with an enabled owner. An edit by a platform
/// admin may leave it without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerRequirement {
    /// The tenant must have an enabled owner afterwards.
    Required,
    /// The tenant may have no owner afterwards.
    Optional,
}

/// Adds a user to a tenant. Returns `None` if the user is already a member.
#[must_use]
pub fn add(
    tenant: &Tenant,
    stored: &User,
    role: TenantRole,
    context: &AuditContext,
) -> Option<Edit<User>> {
    if stored.membership(tenant.id).is_some() {
        return None;
    }
    let mut user = stored.clone();
    user.memberships.push(Membership {
        tenant_id: tenant.id,
        role,
        source: MembershipSource::Direct,
        since: context.timestamp,
    });
    Some(edit("membership.add", tenant, stored, user, OwnerRequirement::Optional, context))
}

/// Changes the role of a member. Returns `None` if the user is not a member.
///
/// A lower role advances the user's watermark.
#[must_use]
pub fn update(
    tenant: &Tenant,
    stored: &User,
    role: TenantRole,
    requirement: OwnerRequirement,
    context: &AuditContext,
) -> Option<Edit<User>> {
    let old_role = stored.membership(tenant.id)?.role;
    let mut user = stored.clone();
    for membership in user.memberships.iter_mut().filter(|m| m.tenant_id == tenant.id) {
        membership.role = role;
        membership.source = MembershipSource::Direct;
    }
    if user == *stored {
        return Some(Edit::unchanged(user));
    }
    if role < old_role {
        advance_watermark(&mut user, context.timestamp);
    }
    Some(edit("membership.update", tenant, stored, user, requirement, context))
}

/// Removes a member and advances the user's watermark. Returns `None` if the user is not a member.
#[must_use]
pub fn remove(
    tenant: &Tenant,
    stored: &User,
    requirement: OwnerRequirement,
    context: &AuditContext,
) -> Option<Edit<User>> {
    stored.membership(tenant.id)?;
    let mut user = stored.clone();
    user.memberships.retain(|m| m.tenant_id != tenant.id);
    advance_watermark(&mut user, context.timestamp);
    Some(edit("membership.remove", tenant, stored, user, requirement, context))
}

fn edit(
    action: &str,
    tenant: &Tenant,
    stored: &User,
    mut user: User,
    requirement: OwnerRequirement,
    context: &AuditContext,
) -> Edit<User> {
    user.version = next_version(user.version);
    user.updated_at = context.timestamp;
    let field_changes = fields::diff_memberships(&stored.memberships, &user.memberships);
    let event = context.event(action, NodeId::User(user.id), vec![tenant.id], field_changes);
    let mut changes = vec![
        // Without the lock, a concurrent deletion of the tenant could leave an orphaned membership.
        Change::LockTenant { id: tenant.id, expected: tenant.version },
        Change::UpdateUser { expected: UserVersion::from(stored), user: user.clone() },
    ];
    if requirement == OwnerRequirement::Required && loses_ownership(tenant, stored, &user) {
        changes.push(Change::RequireOwner(tenant.id));
    }
    changes.push(Change::InsertAuditEvent(event));
    Edit { value: user, changes }
}

/// Returns whether the edit removes an enabled owner. A disabled owner does not count, so removing
/// one never leaves a tenant without an owner.
fn loses_ownership(tenant: &Tenant, before: &User, after: &User) -> bool {
    let is_owner = |user: &User| {
        !user.disabled && user.membership(tenant.id).is_some_and(|m| m.role == TenantRole::Owner)
    };
    is_owner(before) && !is_owner(after)
}
