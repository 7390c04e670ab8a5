//! Groups: the rights that the groups of a token grant.
//!
//! Group names are parsed first ([`ParsedGroups::parse`]). Then `access` looks up the tenants that
//! they name, and [`ParsedGroups::roles`] computes the roles.

use std::collections::BTreeMap;

use super::{id::TenantId, tenant::Tenant, text, time::Timestamp, user::TenantRole};

/// The configured names of groups that grant rights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMapping {
    /// The group of the platform admins.
    pub platform_admins: String,
    /// The prefix of tenant groups: `<prefix><slug>`, `<prefix><slug>:admin`,
    /// `<prefix><slug>:owner`.
    pub tenant_prefix: String,
}

/// The rights that a token's groups name, before the lookup of their tenants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedGroups {
    /// `true` if the groups contain the group of the platform admins.
    pub platform_admin: bool,
    /// The highest role for each slug.
    pub by_slug: BTreeMap<String, TenantRole>,
    /// All group names, sorted, for tenants whose `integrations.authentikGroup` is one of them.
    pub groups: Vec<String>,
}

impl ParsedGroups {
    /// Parses group names. Groups that match no tenant and no pattern grant nothing.
    #[must_use]
    pub fn parse(groups: &[String], mapping: &GroupMapping) -> Self {
        let mut parsed = Self::default();
        for group in groups {
            if *group == mapping.platform_admins {
                parsed.platform_admin = true;
            }
            if let Some((slug, role)) = parse_tenant_group(group, &mapping.tenant_prefix) {
                let highest = parsed.by_slug.entry(slug.to_owned()).or_insert(role);
                *highest = role.max(*highest);
            }
            if !group.is_empty() {
                parsed.groups.push(group.clone());
            }
        }
        parsed.groups.sort_unstable();
        parsed.groups.dedup();
        parsed
    }

    /// Returns the role that the groups grant in each of these tenants.
    ///
    /// A tenant that was created after the token was issued is omitted. The token's groups cannot
    /// refer to it, but may refer to an earlier tenant of the same slug.
    #[must_use]
    pub fn roles(
        &self,
        tenants: &[Tenant],
        issued_at: Timestamp,
    ) -> BTreeMap<TenantId, TenantRole> {
        let existed_at_issue =
            |tenant: &&Tenant| tenant.created_at.seconds() <= issued_at.seconds();
        let granted_role = |tenant: &Tenant| {
            let by_slug = self.by_slug.get(&tenant.slug).copied();
            let own_group = tenant.integrations.as_ref().and_then(|i| i.authentik_group.as_ref());
            let by_group = own_group
                .filter(|group| self.groups.binary_search(group).is_ok())
                .map(|_| TenantRole::Member);
            by_slug.max(by_group)
        };
        tenants
            .iter()
            .filter(existed_at_issue)
            .filter_map(|tenant| Some((tenant.id, granted_role(tenant)?)))
            .collect()
    }
}

/// The rights that a token's groups grant, after the lookup of their tenants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupGrants {
    /// `true` if the groups grant the platform admin right.
    pub platform_admin: bool,
    /// The role in each tenant.
    pub roles: BTreeMap<TenantId, TenantRole>,
}

fn parse_tenant_group<'a>(group: &'a str, prefix: &str) -> Option<(&'a str, TenantRole)> {
    let rest = group.strip_prefix(prefix)?;
    let (slug, role) = match rest.split_once(':') {
        None => (rest, TenantRole::Member),
        Some((slug, "admin")) => (slug, TenantRole::Admin),
        Some((slug, "owner")) => (slug, TenantRole::Owner),
        Some(_) => return None,
    };
    text::is_slug(slug).then_some((slug, role))
}
