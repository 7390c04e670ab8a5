//! Decides which role may do which action: the table of `docs/AUTHORIZATION.md` as pure functions.
//!
//! No other module decides what a role may do. `access` consults this table, and treats a platform
//! admin as able to see every tenant and every user. Conditions on stored state, such as the last
//! owner of a tenant, are checked where the state is read.

use crate::domain::{string_enum, tenant::TenantStatus, user::TenantRole};

string_enum! {
    /// The role that a viewer effectively has in a tenant.
    pub enum EffectiveRole {
        /// The viewer is not a member. The tenant looks as if it did not exist.
        Outsider = "outsider",
        /// The viewer is a member of the tenant.
        Member = "member",
        /// The viewer is an admin of the tenant.
        Admin = "admin",
        /// The viewer is an owner of the tenant.
        Owner = "owner",
        /// The viewer is a platform admin.
        PlatformAdmin = "platform_admin",
    }
}

impl From<Option<TenantRole>> for EffectiveRole {
    fn from(role: Option<TenantRole>) -> Self {
        match role {
            None => Self::Outsider,
            Some(TenantRole::Member) => Self::Member,
            Some(TenantRole::Admin) => Self::Admin,
            Some(TenantRole::Owner) => Self::Owner,
        }
    }
}

string_enum! {
    /// The relation of a viewer to a user.
    pub enum UserRelation {
        /// The viewer shares no tenant with the user.
        Stranger = "stranger",
        /// The viewer shares a tenant with the user.
        Peer = "peer",
        /// The viewer is this user.
        Own = "self",
        /// The viewer is a platform admin.
        PlatformAdmin = "platform_admin",
    }
}

string_enum! {
    /// An action on a tenant or on the objects that belong to it.
    pub enum TenantAction {
        /// Read the tenant, its subscriptions and its members.
        Read = "tenant.read",
        /// Read the billing information.
        ReadBilling = "tenant.read_billing",
        /// Read the audit log of the tenant.
        ReadAudit = "tenant.read_audit",
        /// Read the invitations of the tenant.
        ReadInvitations = "tenant.read_invitations",
        /// Read the identifiers of the tenant and its subscription in other services.
        ReadPlatformFields = "tenant.read_platform_fields",
        /// Change the name, the domains and the billing information.
        UpdateProfile = "tenant.update_profile",
        /// Change the slug, the plan, the status and the integrations.
        UpdatePlatformFields = "tenant.update_platform_fields",
        /// Add, change and remove members and admins.
        ManageMembers = "tenant.manage_members",
        /// Add, change and remove owners.
        ManageOwners = "tenant.manage_owners",
        /// Remove one's own membership.
        Leave = "tenant.leave",
    }
}

string_enum! {
    /// An action on a user.
    pub enum UserAction {
        /// Read that the user exists, the name, and visible memberships with their roles.
        Read = "user.read",
        /// Read the e-mail address.
        ReadEmail = "user.read_email",
        /// Read the subject, the platform admin flag, the disabled flag and the last-seen time.
        ReadPrivate = "user.read_private",
    }
}

string_enum! {
    /// An action that only platform admins may do. All other users are refused before any lookup.
    pub enum PlatformAction {
        /// List all users.
        ListUsers = "users.list",
        /// Read the audit log of the platform.
        ReadAuditLog = "audit_log.read",
        /// Create and delete tenants.
        ManageTenants = "tenants.manage",
        /// Create, change and delete users.
        ManageUsers = "users.manage",
        /// Create, change and delete subscriptions.
        ManageSubscriptions = "subscriptions.manage",
    }
}

string_enum! {
    /// The least right that an action requires, as clients read it in the schema.
    ///
    /// Platform admins meet every requirement.
    pub enum Requirement {
        /// The action is on the viewer's own user.
        Own = "SELF",
        /// The viewer is a member of the tenant. For an action on a user: of a tenant of that user.
        TenantMember = "TENANT_MEMBER",
        /// The viewer is an admin or an owner of the tenant.
        TenantAdmin = "TENANT_ADMIN",
        /// The viewer is an owner of the tenant.
        TenantOwner = "TENANT_OWNER",
        /// The viewer is a platform admin.
        PlatformAdmin = "PLATFORM_ADMIN",
    }
}

string_enum! {
    /// The result of an authorization check.
    pub enum Decision {
        /// The action is allowed.
        Allow = "allow",
        /// The action is not allowed, and the error is `FORBIDDEN`.
        Deny = "deny",
        /// The action is not allowed, and the resource looks as if it did not exist.
        Hide = "hide",
    }
}

/// Decides whether a viewer with this role may do this action on the tenant.
#[must_use]
pub const fn decide_tenant(role: EffectiveRole, action: TenantAction) -> Decision {
    use Decision::{Allow, Deny, Hide};
    use EffectiveRole::{Admin, Member, Outsider, Owner, PlatformAdmin};
    match (action, role) {
        (_, Outsider) => Hide,
        (TenantAction::Read | TenantAction::Leave, _)
        | (
            TenantAction::ReadBilling
            | TenantAction::ReadAudit
            | TenantAction::ReadInvitations
            | TenantAction::UpdateProfile
            | TenantAction::ManageMembers,
            Admin | Owner | PlatformAdmin,
        )
        | (TenantAction::ManageOwners, Owner | PlatformAdmin)
        | (TenantAction::ReadPlatformFields | TenantAction::UpdatePlatformFields, PlatformAdmin) => {
            Allow
        }
        (_, Member | Admin | Owner) => Deny,
    }
}

/// Returns whether a tenant with this status is read-only for a viewer with this role.
///
/// Suspended and archived tenants are read-only for all viewers except platform admins. A viewer may
/// leave a read-only tenant.
#[must_use]
pub const fn is_read_only(role: EffectiveRole, status: TenantStatus) -> bool {
    matches!(status, TenantStatus::Suspended | TenantStatus::Archived)
        && !matches!(role, EffectiveRole::PlatformAdmin)
}

/// Decides whether a viewer with this relation may do this action on the user.
#[must_use]
pub const fn decide_user(relation: UserRelation, action: UserAction) -> Decision {
    use UserRelation::{Own, Peer, PlatformAdmin, Stranger};
    match (action, relation) {
        (_, Own | PlatformAdmin) | (UserAction::Read | UserAction::ReadEmail, Peer) => {
            Decision::Allow
        }
        (_, Stranger) => Decision::Hide,
        (UserAction::ReadPrivate, Peer) => Decision::Deny,
    }
}

/// Decides whether a viewer may do this action on the platform.
///
/// A platform admin may do all of them, and any other viewer none.
#[must_use]
pub const fn decide_platform(is_platform_admin: bool, _action: PlatformAction) -> Decision {
    if is_platform_admin { Decision::Allow } else { Decision::Deny }
}

/// An action with its row in the table.
pub trait Action: Copy {
    /// Returns the least right with which the table allows the action.
    fn requirement(self) -> Requirement;
}

impl Action for TenantAction {
    fn requirement(self) -> Requirement {
        let is_allowed = |role: &&EffectiveRole| decide_tenant(**role, self) == Decision::Allow;
        match EffectiveRole::ALL.iter().find(is_allowed) {
            Some(EffectiveRole::Outsider | EffectiveRole::Member) => Requirement::TenantMember,
            Some(EffectiveRole::Admin) => Requirement::TenantAdmin,
            Some(EffectiveRole::Owner) => Requirement::TenantOwner,
            Some(EffectiveRole::PlatformAdmin) | None => Requirement::PlatformAdmin,
        }
    }
}

impl Action for UserAction {
    fn requirement(self) -> Requirement {
        let is_allowed =
            |relation: &&UserRelation| decide_user(**relation, self) == Decision::Allow;
        match UserRelation::ALL.iter().find(is_allowed) {
            Some(UserRelation::Stranger | UserRelation::Peer) => Requirement::TenantMember,
            Some(UserRelation::Own) => Requirement::Own,
            Some(UserRelation::PlatformAdmin) | None => Requirement::PlatformAdmin,
        }
    }
}

impl Action for PlatformAction {
    fn requirement(self) -> Requirement {
        Requirement::PlatformAdmin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The schema shows one requirement for an action. So the table must allow the action with every
    /// greater right, and with no lesser one.
    #[test]
    fn requirement_is_the_lower_bound_of_the_allowed_rights() {
        for action in TenantAction::ALL {
            let least = match action.requirement() {
                Requirement::TenantMember => EffectiveRole::Member,
                Requirement::TenantAdmin => EffectiveRole::Admin,
                Requirement::TenantOwner => EffectiveRole::Owner,
                Requirement::PlatformAdmin => EffectiveRole::PlatformAdmin,
                Requirement::Own => panic!("{} is not an action on a user", action.as_str()),
            };
            for role in EffectiveRole::ALL {
                let allowed = decide_tenant(*role, *action) == Decision::Allow;
                assert_eq!(allowed, *role >= least, "{} as {}", action.as_str(), role.as_str());
            }
        }
        for action in UserAction::ALL {
            let least = match action.requirement() {
                Requirement::TenantMember => UserRelation::Peer,
                Requirement::Own => UserRelation::Own,
                Requirement::PlatformAdmin => UserRelation::PlatformAdmin,
                other => panic!("{} requires {}", action.as_str(), other.as_str()),
            };
            for relation in UserRelation::ALL {
                let allowed = decide_user(*relation, *action) == Decision::Allow;
                assert_eq!(allowed, *relation >= least, "{}", action.as_str());
            }
        }
        for action in PlatformAction::ALL {
            assert_eq!(action.requirement(), Requirement::PlatformAdmin);
            assert_eq!(decide_platform(false, *action), Decision::Deny, "{}", action.as_str());
            assert_eq!(decide_platform(true, *action), Decision::Allow, "{}", action.as_str());
        }
    }

    /// Compares the whole table with a snapshot, so that a reviewer sees every changed rule.
    #[test]
    fn decisions_match_the_snapshot() {
        let mut table = String::new();
        for action in TenantAction::ALL {
            for role in EffectiveRole::ALL {
                let decision = decide_tenant(*role, *action);
                table += &format!("{} {} {}\n", action.as_str(), role.as_str(), decision.as_str());
            }
        }
        for status in TenantStatus::ALL {
            for role in EffectiveRole::ALL {
                let access = if is_read_only(*role, *status) { "suspended" } else { "open" };
                table += &format!("tenant.{} {} {access}\n", status.as_str(), role.as_str());
            }
        }
        for action in UserAction::ALL {
            for relation in UserRelation::ALL {
                let decision = decide_user(*relation, *action);
                table +=
                    &format!("{} {} {}\n", action.as_str(), relation.as_str(), decision.as_str());
            }
        }
        for action in PlatformAction::ALL {
            for admin in [false, true] {
                let decision = decide_platform(admin, *action);
                table +=
                    &format!("{} platform_admin={admin} {}\n", action.as_str(), decision.as_str());
            }
        }
        insta::assert_snapshot!(table);
    }
}
