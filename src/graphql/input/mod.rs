//! Defines the input types of the schema and converts them into types of the domain.
//!
//! The conversion of an update distinguishes an omitted field from `null`. Identifiers stay text
//! here, except in filters: resolvers parse them before all other input, so that a malformed
//! identifier is never looked up.

mod filter;
mod invitation;
mod member;
mod order;
mod patch;
mod subscription;
mod tenant;
mod user;

pub(super) use filter::{AuditFilterInput, TenantFilter, TenantSubscriptionFilter, UserFilter};
pub(super) use invitation::{
    AcceptInvitationInput, InviteTenantMemberInput, ResendInvitationInput, RevokeInvitationInput,
};
pub(super) use member::{AddTenantMemberInput, RemoveTenantMemberInput, UpdateTenantMemberInput};
pub(super) use order::{TenantOrder, TenantSubscriptionOrder, UserOrder};
pub(super) use subscription::{
    CreateSubscriptionInput, DeleteSubscriptionInput, UpdateSubscriptionInput,
};
pub(super) use tenant::{CreateTenantInput, DeleteTenantInput, UpdateTenantInput};
pub(super) use user::{CreateUserInput, DeleteUserInput, UpdateUserInput};
