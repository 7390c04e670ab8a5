//! The keys of lookups.

use crate::domain::{
    id::{InvitationId, SubscriptionId, TenantId, UserId},
    user::Identity,
};

/// The keys of a tenant lookup.
#[derive(Clone, Copy, Debug)]
pub enum TenantKeys<'a> {
    /// Selects the tenants with these identifiers.
    Ids(&'a [TenantId]),
    /// Selects the tenants with these slugs.
    Slugs(&'a [String]),
    /// Selects the tenants with one of these slugs (first list), or with one of these groups as
    /// `integrations.authentikGroup` (second list).
    SlugsOrGroups(&'a [String], &'a [String]),
}

/// The keys of a user lookup.
#[derive(Clone, Copy, Debug)]
pub enum UserKeys<'a> {
    /// Selects the users with these identifiers.
    Ids(&'a [UserId]),
    /// Selects the user with this issuer and subject. There is at most one. Its name or e-mail address is
    /// empty if the stored value cannot be read, so that a sync can replace it.
    Identity(&'a Identity),
}

/// The keys of a subscription lookup.
#[derive(Clone, Copy, Debug)]
pub enum SubscriptionKeys<'a> {
    /// Selects the subscriptions with these identifiers.
    Ids(&'a [SubscriptionId]),
    /// Selects the live subscriptions of these tenants. Each tenant has at most one.
    LiveOfTenants(&'a [TenantId]),
}

/// The keys of an invitation lookup.
#[derive(Clone, Copy, Debug)]
pub enum InvitationKeys<'a> {
    /// Selects the invitations with these identifiers.
    Ids(&'a [InvitationId]),
    /// Selects the invitation of this tenant to this normalized address that is stored as pending.
    /// There is at most one. It may have expired.
    Pending(TenantId, &'a str),
}
