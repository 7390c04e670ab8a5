//! Users and what they belong to.

use super::{
    id::{TenantId, UserId},
    string_enum,
    time::Timestamp,
};

string_enum! {
    /// What a member may do in a tenant, from the least to the most.
    pub enum TenantRole {
        /// Sees the tenant.
        Member = "member",
        /// Also keeps its profile, billing and members.
        Admin = "admin",
        /// Also decides on its owners.
        Owner = "owner",
    }
}

string_enum! {
    /// Who gave a right: it tells whether the sync from groups may take it away again.
    pub enum MembershipSource {
        /// The identity provider's groups.
        Group = "group",
        /// Somebody here, by a mutation or by hand.
        Direct = "direct",
    }
}

/// Who somebody is: an issuer's subject. Nothing else ever identifies a user.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The issuer, exactly as its tokens name it (`iss`).
    pub issuer: String,
    /// The subject, 1 to 255 characters (`sub`).
    pub subject: String,
}

/// Somebody who may sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The identifier.
    pub id: UserId,
    /// Who it is at the provider; unique.
    pub identity: Identity,
    /// Where to write to; it identifies nobody and is not unique.
    pub email: Option<String>,
    /// The name for people: 1 to 200 characters.
    pub name: String,
    /// Whether this user runs the platform, and who said so.
    pub platform_admin: Option<MembershipSource>,
    /// Shut out of everything.
    pub disabled: bool,
    /// At most one for each tenant, in the order in which they were given.
    pub memberships: Vec<Membership>,
    /// The watermark: groups of a token issued then or earlier are not applied (any more).
    pub groups_as_of: Option<Timestamp>,
    /// The last `me`, give or take five minutes.
    pub last_seen_at: Option<Timestamp>,
    /// Starts at 1 and grows by 1 with each change.
    pub version: i32,
    /// When the user was made.
    pub created_at: Timestamp,
    /// When the user was changed last.
    pub updated_at: Timestamp,
}

/// A user's place in a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The tenant.
    pub tenant_id: TenantId,
    /// What the user may do there.
    pub role: TenantRole,
    /// Who gave it.
    pub source: MembershipSource,
    /// Since when.
    pub since: Timestamp,
}

impl User {
    /// A user made then, without a name, rights or places.
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

    /// The membership in that tenant.
    #[must_use]
    pub fn membership(&self, tenant: TenantId) -> Option<&Membership> {
        self.memberships.iter().find(|m| m.tenant_id == tenant)
    }
}

/// What is left of a deleted user: tokens from before it give nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// Who it was.
    pub identity: Identity,
    /// When the user was deleted.
    pub deleted_at: Timestamp,
}
