//! Who may do what: a pure table of the contract's section 5. No rule of access is written anywhere else.

use crate::domain::{string_enum, tenant::TenantStatus, user::TenantRole};

string_enum! {
    /// What an actor is to a tenant.
    pub enum EffectiveRole {
        /// Nothing: the tenant might as well not exist.
        Outsider = "outsider",
        /// Its member.
        Member = "member",
        /// Its admin.
        Admin = "admin",
        /// Its owner.
        Owner = "owner",
        /// One who runs the platform.
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
    /// What an actor is to a user.
    pub enum UserRelation {
        /// Nothing.
        Stranger = "stranger",
        /// They share a tenant.
        Peer = "peer",
        /// The very same.
        Own = "self",
        /// One who runs the platform.
        PlatformAdmin = "platform_admin",
    }
}

string_enum! {
    /// What can be done to a tenant and to what belongs to it.
    pub enum TenantAction {
        /// See the tenant, its subscriptions and its members.
        Read = "tenant.read",
        /// See whom to bill.
        ReadBilling = "tenant.read_billing",
        /// See its history.
        ReadAudit = "tenant.read_audit",
        /// See where the platform's other parts know it, and its subscription.
        ReadPlatformFields = "tenant.read_platform_fields",
        /// Change name, domains and billing.
        UpdateProfile = "tenant.update_profile",
        /// Change slug, plan, status and integrations.
        UpdatePlatformFields = "tenant.update_platform_fields",
        /// Add, change and remove members and admins.
        ManageMembers = "tenant.manage_members",
        /// Add, change and remove owners.
        ManageOwners = "tenant.manage_owners",
        /// Remove oneself.
        Leave = "tenant.leave",
    }
}

string_enum! {
    /// What can be done to a user.
    pub enum UserAction {
        /// See that there is such a user: name, visible memberships and role.
        Read = "user.read",
        /// See the e-mail address.
        ReadEmail = "user.read_email",
        /// See subject, rights on the platform, and when it was seen last.
        ReadPrivate = "user.read_private",
    }
}

string_enum! {
    /// What only those who run the platform can do: refused before anything is looked up.
    pub enum PlatformAction {
        /// List all users.
        ListUsers = "users.list",
        /// Read the whole history.
        ReadAuditLog = "audit_log.read",
        /// Make and delete tenants.
        ManageTenants = "tenants.manage",
        /// Make, change and delete users.
        ManageUsers = "users.manage",
        /// Make, change and delete subscriptions.
        ManageSubscriptions = "subscriptions.manage",
    }
}

string_enum! {
    /// The answer.
    pub enum Decision {
        /// It may be done.
        Allow = "allow",
        /// It may not, and the caller may know that: `FORBIDDEN`.
        Deny = "deny",
        /// It may not, and looks as if the thing did not exist.
        Hide = "hide",
    }
}

/// May one of that standing do this to the tenant?
#[must_use]
pub const fn decide_tenant(standing: EffectiveRole, action: TenantAction) -> Decision {
    use Decision::{Allow, Deny, Hide};
    use EffectiveRole::{Admin, Member, Outsider, Owner, PlatformAdmin};
    match (action, standing) {
        (_, Outsider) => Hide,
        (TenantAction::Read | TenantAction::Leave, _)
        | (
            TenantAction::ReadBilling
            | TenantAction::ReadAudit
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

/// Is a tenant of that status closed to what one of that standing would write? Leaving is always
/// possible.
#[must_use]
pub const fn is_read_only(standing: EffectiveRole, status: TenantStatus) -> bool {
    matches!(status, TenantStatus::Suspended | TenantStatus::Archived)
        && !matches!(standing, EffectiveRole::PlatformAdmin)
}

/// May one of that relation do this to the user?
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

/// May somebody do this to the platform?
#[must_use]
pub const fn decide_platform(is_platform_admin: bool, _action: PlatformAction) -> Decision {
    if is_platform_admin { Decision::Allow } else { Decision::Deny }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole table; a changed rule is a changed snapshot, and so a decision that somebody reads.
    #[test]
    fn the_table() {
        let mut table = String::new();
        for action in TenantAction::ALL {
            for standing in EffectiveRole::ALL {
                let decision = decide_tenant(*standing, *action);
                table +=
                    &format!("{} {} {}\n", action.as_str(), standing.as_str(), decision.as_str());
            }
        }
        for status in TenantStatus::ALL {
            for standing in EffectiveRole::ALL {
                let word = if is_read_only(*standing, *status) { "suspended" } else { "open" };
                table += &format!("tenant.{} {} {word}\n", status.as_str(), standing.as_str());
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
