//! Enumerations as the schema has them, each the mirror of one in the domain.

use async_graphql::Enum;

use crate::domain::{audit, list, subscription, tenant, user};

/// Where a tenant is in its life.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "tenant::TenantStatus")]
pub(super) enum TenantStatus {
    /// Made, not yet in use; works as an active one does.
    Pending,
    /// In use.
    Active,
    /// Readable for its members, who cannot change it.
    Suspended,
    /// As suspended, and meant to stay so.
    Archived,
}

/// What a tenant has bought.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "tenant::Plan")]
pub(super) enum Plan {
    /// Without charge.
    Free,
    /// The least paid plan.
    Starter,
    /// The usual plan.
    Business,
    /// The largest plan.
    Enterprise,
}

/// What a member may do in a tenant, from the least to the most.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "user::TenantRole")]
pub(super) enum TenantRole {
    /// Sees the tenant, its subscription and its members.
    Member,
    /// Also sees and changes its billing and its members, and reads its history.
    Admin,
    /// Also decides on its owners.
    Owner,
}

/// Who gave a membership.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "user::MembershipSource")]
pub(super) enum MembershipSource {
    /// The identity provider's groups; the next sync may change it or take it away.
    Group,
    /// Somebody here; no sync touches it.
    Direct,
}

/// Where a subscription is in its life.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "subscription::TenantSubscriptionStatus")]
pub(super) enum TenantSubscriptionStatus {
    /// In its trial.
    Trialing,
    /// Paid.
    Active,
    /// A payment is late.
    PastDue,
    /// Payment was given up on.
    Unpaid,
    /// On hold.
    Paused,
    /// Ended: it is over.
    Canceled,
    /// The first payment is outstanding.
    Incomplete,
    /// The first payment never came: it is over.
    IncompleteExpired,
}

/// As what somebody acted.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "audit::ActorKind")]
pub(super) enum ActorKind {
    /// A user with the rights of a user.
    User,
    /// A user who runs the platform.
    PlatformAdmin,
    /// The program itself.
    System,
}

/// Which way a list runs.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "list::Direction")]
pub(super) enum OrderDirection {
    /// The least first.
    Asc,
    /// The greatest first.
    Desc,
}

/// What tenants can be ordered by.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "list::TenantOrderField")]
pub(super) enum TenantOrderField {
    /// When it was made.
    CreatedAt,
    /// When it was changed last.
    UpdatedAt,
    /// The name, without regard to case.
    Name,
    /// The slug.
    Slug,
}

/// What users can be ordered by.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "list::UserOrderField")]
pub(super) enum UserOrderField {
    /// When the user was made.
    CreatedAt,
    /// When the user was changed last.
    UpdatedAt,
    /// The name, without regard to case.
    Name,
}

/// What subscriptions can be ordered by.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "list::SubscriptionOrderField")]
pub(super) enum TenantSubscriptionOrderField {
    /// When it was made.
    CreatedAt,
    /// When it was changed last.
    UpdatedAt,
    /// When its period ends; one without an end counts as the least.
    CurrentPeriodEnd,
}
