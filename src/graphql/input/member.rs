//! Defines the inputs of mutations that add, change and remove members of tenants.

use async_graphql::{ID, InputObject};

use crate::graphql::enums::TenantRole;

/// The input of the mutation `addTenantMember`.
#[derive(InputObject)]
pub(in crate::graphql) struct AddTenantMemberInput {
    /// The identifier of the tenant (`ten_…`).
    pub(in crate::graphql) tenant_id: ID,
    /// The identifier of the user (`usr_…`). Admins and owners of the tenant can add only users
    /// whom they can see already. Platform admins can add any user.
    pub(in crate::graphql) user_id: ID,
    /// The role of the new member.
    #[graphql(default_with = "TenantRole::Member")]
    pub(in crate::graphql) role: TenantRole,
}

/// The input of the mutation `updateTenantMember`.
#[derive(InputObject)]
pub(in crate::graphql) struct UpdateTenantMemberInput {
    /// The identifier of the tenant (`ten_…`).
    pub(in crate::graphql) tenant_id: ID,
    /// The identifier of the user who is a member of the tenant (`usr_…`).
    pub(in crate::graphql) user_id: ID,
    /// The new role of the member.
    pub(in crate::graphql) role: TenantRole,
}

/// The input of the mutation `removeTenantMember`.
#[derive(InputObject)]
pub(in crate::graphql) struct RemoveTenantMemberInput {
    /// The identifier of the tenant (`ten_…`).
    pub(in crate::graphql) tenant_id: ID,
    /// The identifier of the member's user (`usr_…`). With the viewer's own identifier, the viewer
    /// leaves the tenant.
    pub(in crate::graphql) user_id: ID,
}
