//! Users, their identities at the provider, and their memberships in tenants.

use super::{
    id::{TenantId, UserId},
    string_enum,
    time::Timestamp,
};

string_enum! {
    /// The role of a member in a tenant, from the fewest to the most rights.
    pub enum TenantRole {
        /// Can read the tenant.
        Member = "member",
        /// Can also manage the tenant's profile, billing information and members.
        Admin = "admin",
        /// Can also manage the tenant's owners.
        Owner = "owner",
    }
}

string_enum! {
    /// The origin of a membership or of the platform admin right. A sync only changes rights that
    /// groups granted.
    pub enum MembershipSource {
        /// The groups of the identity provider granted the right.
        Group = "group",
        /// A mutation or a manual edit of the database granted the right.
        Direct = "direct",
    }
}

/// The identity of a user: an issuer and a subject. No other claim identifies a user.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The issuer, exactly as in its tokens (`iss`).
    pub issuer: String,
    /// The subject (`sub`): 1 to 255 characters.
    pub subject: String,
}

/// A person who can sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The identifier of the user.
    pub id: UserId,
    /// The unique identity at the provider.
    pub identity: Identity,
    /// The e-mail address. It is not unique and identifies no user.
    pub email: Option<String>,
    /// The display name: 1 to 200 characters.
    pub name: String,
    /// The origin of the user's platform admin right, or `None` without that right.
    pub platform_admin: Option<MembershipSource>,
    /// `true` if the user is disabled. A disabled user has no access to any data.
    pub disabled: bool,
    /// The memberships, at most one for each tenant, in the order in which they were added.
    pub memberships: Vec<Membership>,
    /// The watermark. Groups of a token that was issued at this time or earlier are not applied.
    pub groups_as_of: Option<Timestamp>,
    /// The time of the latest `me`, accurate to five minutes.
    pub last_seen_at: Option<Timestamp>,
    /// The version: 1 at creation, and 1 more with each change.
    pub version: i32,
    /// The time of the creation.
    pub created_at: Timestamp,
    /// The time of the latest change.
    pub updated_at: Timestamp,
}

/// A user's membership in a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The tenant that the user belongs to.
    pub tenant_id: TenantId,
    /// The user's role in the tenant.
    pub role: TenantRole,
    /// The origin of the membership.
    pub source: MembershipSource,
    /// The time at which the user became a member.
    pub since: Timestamp,
}

impl User {
    /// Creates a user without a name, rights or memberships, with `at` as the time of creation.
    #[must_use]
    pub const fn new(id: UserId, identity: Identity, at: Timestamp) -> Self {
        Self {
            id,
            identity,
            email: None,
            name: String::new(),
            platform_admin: None,
            disabled: false,
            memberships: Vec::new(),
            groups_as_of: None,
            last_seen_at: None,
            version: 1,
            created_at: at,
            updated_at: at,
        }
    }

    /// Returns the user's membership in the tenant.
    #[must_use]
    pub fn membership(&self, tenant: TenantId) -> Option<&Membership> {
        self.memberships.iter().find(|m| m.tenant_id == tenant)
    }
}

/// The record of a deleted user. Tokens from before the deletion are rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// The identity of the deleted user.
    pub identity: Identity,
    /// The time of the deletion.
    pub deleted_at: Timestamp,
}
