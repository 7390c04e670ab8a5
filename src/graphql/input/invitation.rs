//! Defines the inputs of mutations that make, renew, revoke and accept invitations.

use async_graphql::{ID, InputObject};

use crate::graphql::enums::TenantRole;

/// The lifetime of an invitation in days, unless an input names another one.
const DEFAULT_DAYS: i32 = 7;

/// The input of the mutation `inviteTenantMember`.
#[derive(InputObject)]
pub(in crate::graphql) struct InviteTenantMemberInput {
    /// The identifier of the tenant (`ten_…`).
    pub(in crate::graphql) tenant_id: ID,
    /// The e-mail address of the person to invite.
    pub(in crate::graphql) email: String,
    /// The role to offer.
    #[graphql(default_with = "TenantRole::Member")]
    pub(in crate::graphql) role: TenantRole,
    /// The number of days after which the invitation expires: 1 to 30.
    #[graphql(default_with = "DEFAULT_DAYS")]
    pub(in crate::graphql) expires_in_days: i32,
}

/// The input of the mutation `resendInvitation`.
#[derive(InputObject)]
pub(in crate::graphql) struct ResendInvitationInput {
    /// The identifier of the invitation (`inv_…`).
    pub(in crate::graphql) id: ID,
    /// The version of the invitation that the client has read. If it is not the stored version, the
    /// error is `STALE_VERSION`. If omitted or null, the version is not checked.
    pub(in crate::graphql) version: Option<i32>,
    /// The number of days after which the invitation expires, from now on: 1 to 30.
    #[graphql(default_with = "DEFAULT_DAYS")]
    pub(in crate::graphql) expires_in_days: i32,
}

/// The input of the mutation `revokeInvitation`.
#[derive(InputObject)]
pub(in crate::graphql) struct RevokeInvitationInput {
    /// The identifier of the invitation (`inv_…`).
    pub(in crate::graphql) id: ID,
    /// The version of the invitation that the client has read. If it is not the stored version, the
    /// error is `STALE_VERSION`. If omitted or null, the version is not checked.
    pub(in crate::graphql) version: Option<i32>,
}

/// The input of the mutation `acceptInvitation`.
#[derive(InputObject)]
pub(in crate::graphql) struct AcceptInvitationInput {
    /// The token of the invitation, from the link that the invited person has received.
    pub(in crate::graphql) token: String,
}
