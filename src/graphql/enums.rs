//! Defines the enumerations of the schema. Each mirrors an enumeration of the domain or the policy.

use async_graphql::Enum;

use crate::{
    domain::{audit, invitation, list, live, subscription, tenant, user},
    policy,
};

/// The lifecycle status of a tenant.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "tenant::TenantStatus")]
pub(super) enum TenantStatus {
    /// The tenant was created and is not in use yet. Its members have the same rights
    /// as in an active tenant.
    Pending,
    /// The tenant is in use.
    Active,
    /// The tenant is suspended. Its members can read it and leave it, and change nothing else.
    Suspended,
    /// The tenant is closed and is not intended to be reopened. The same restrictions as for `SUSPENDED` apply.
    Archived,
}

/// The plan of a tenant or a subscription.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "tenant::Plan")]
pub(super) enum Plan {
    /// The plan that is free of charge.
    Free,
    /// The smallest paid plan.
    Starter,
    /// The standard paid plan.
    Business,
    /// The largest paid plan.
    Enterprise,
}

/// The role of a member in a tenant. Each role includes the permissions of the roles before it.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "user::TenantRole")]
pub(super) enum TenantRole {
    /// The member can see the tenant, its subscriptions and its members.
    Member,
    /// The member can also see billing information and the audit log, change name, domains and
    /// billing information, and manage members and admins.
    Admin,
    /// The member can also add, change and remove owners.
    Owner,
}

/// The least right that a guarded field or mutation requires. Platform admins meet every
/// requirement.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "policy::Requirement")]
pub(super) enum Requirement {
    /// The object is the viewer's own user.
    #[graphql(name = "SELF")]
    Own,
    /// The viewer is a member of the tenant to which the object belongs.
    TenantMember,
    /// The viewer is an admin or an owner of the tenant to which the object belongs.
    TenantAdmin,
    /// The viewer is an owner of the tenant to which the object belongs.
    TenantOwner,
    /// The viewer is a platform admin.
    PlatformAdmin,
}

/// The origin of a membership.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "user::MembershipSource")]
pub(super) enum MembershipSource {
    /// A group of the identity provider granted the membership. The next sync of the user's groups
    /// may change or remove it.
    Group,
    /// A mutation or a manual edit of the database granted the membership. The sync of the user's
    /// groups does not touch it.
    Direct,
}

/// The status of a subscription, in the terms of the billing provider. `CANCELED` and
/// `INCOMPLETE_EXPIRED` subscriptions are ended. All others are live.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "subscription::TenantSubscriptionStatus")]
pub(super) enum TenantSubscriptionStatus {
    /// The subscription is in its trial period.
    Trialing,
    /// The subscription is paid.
    Active,
    /// A payment is late.
    PastDue,
    /// All attempts to collect a payment have failed.
    Unpaid,
    /// The subscription is paused.
    Paused,
    /// The subscription was canceled and is ended.
    Canceled,
    /// The first payment is outstanding.
    Incomplete,
    /// The first payment was never made, and the subscription is ended.
    IncompleteExpired,
}

/// The status of an invitation.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Hash)]
#[graphql(remote = "invitation::InvitationStatus")]
pub(super) enum InvitationStatus {
    /// The invitation can be accepted.
    Pending,
    /// The invitation was accepted.
    Accepted,
    /// The invitation was revoked.
    Revoked,
    /// The invitation was not accepted in time. It can be renewed.
    Expired,
}

/// The status of the e-mail message of an invitation.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "invitation::MailStatus")]
pub(super) enum MailStatus {
    /// The gateway sends no message, because mail is not configured.
    None,
    /// The gateway has not sent the message yet.
    Queued,
    /// The mail server has accepted the message.
    Sent,
    /// The message could not be sent.
    Failed,
}

/// The capacity in which the actor made a change.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "audit::ActorKind")]
pub(super) enum ActorKind {
    /// A user who is not a platform admin.
    User,
    /// A user who is a platform admin.
    PlatformAdmin,
    /// The gateway itself.
    System,
}

/// The kind of a change.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "live::ChangeKind")]
pub(super) enum ChangeKind {
    /// The object was created.
    Created,
    /// The object was changed.
    Updated,
    /// The object was deleted.
    Deleted,
}

/// The direction in which a list is sorted.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "list::Direction")]
pub(super) enum OrderDirection {
    /// Ascending: from A to Z, from the earliest to the latest.
    Asc,
    /// Descending: from Z to A, from the latest to the earliest.
    Desc,
}

/// The fields by which a list of tenants can be sorted.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "list::TenantOrderField")]
pub(super) enum TenantOrderField {
    /// The time at which the tenant was created.
    CreatedAt,
    /// The time of the last change of the tenant.
    UpdatedAt,
    /// The display name of the tenant. Case is ignored.
    Name,
    /// The slug of the tenant.
    Slug,
}

/// The fields by which a list of users can be sorted.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "list::UserOrderField")]
pub(super) enum UserOrderField {
    /// The time at which the user was created.
    CreatedAt,
    /// The time of the last change of the user.
    UpdatedAt,
    /// The display name of the user. Case is ignored.
    Name,
}

/// The fields by which a list of subscriptions can be sorted.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "list::SubscriptionOrderField")]
pub(super) enum TenantSubscriptionOrderField {
    /// The time at which the subscription was created.
    CreatedAt,
    /// The time of the last change of the subscription.
    UpdatedAt,
    /// The end of the current period. Subscriptions without one count as earlier than all others.
    CurrentPeriodEnd,
}
