//! Options that map groups of the provider to roles.

use clap::Args;

use crate::domain::sync::GroupMapping;

/// Options that map groups to roles.
#[derive(Args, Clone, Debug)]
pub struct GroupOptions {
    /// Name of the group whose members are platform admins.
    #[arg(
        long,
        env = "TENANTRY_PLATFORM_ADMIN_GROUP",
        default_value = "platform-admins",
        value_name = "GROUP"
    )]
    pub platform_admin_group: String,
    /// Prefix of the groups of tenants. `<prefix><slug>` makes a user a member of that tenant,
    /// `<prefix><slug>:admin` an admin, and `<prefix><slug>:owner` an owner.
    #[arg(
        long,
        env = "TENANTRY_TENANT_GROUP_PREFIX",
        default_value = "tenant:",
        value_name = "PREFIX"
    )]
    pub tenant_group_prefix: String,
}

impl GroupOptions {
    /// Returns the mapping of groups to roles. Every text is a valid name of a group.
    #[must_use]
    pub fn into_mapping(self) -> GroupMapping {
        GroupMapping {
            platform_admins: self.platform_admin_group,
            tenant_prefix: self.tenant_group_prefix,
        }
    }
}
