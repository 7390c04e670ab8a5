//! Defines the payloads of mutations. Each mutation has its own payload type, so that each can get
//! more fields independently.

use async_graphql::ID;

use super::{
    executor::object,
    objects::{InvitationObject, MembershipObject, SubscriptionObject, TenantObject, UserObject},
};

macro_rules! payloads {
    ($(
        $(#[doc = $description:literal])+
        $name:ident {
            $($(#[doc = $field_description:literal])+ $graphql_name:literal $field:ident: $type:ty,)+
        }
    )+) => { $(
        $(#[doc = $description])+
        pub(super) struct $name { $($(#[doc = $field_description])+ $field: $type,)+ }

        impl $name {
            pub(super) const fn new($($field: $type),+) -> Self {
                Self { $($field),+ }
            }
        }

        object! {
            $(#[doc = $description])+
            [] $name, stringify!($name), [] {
                $(
                    $(#[doc = $field_description])+
                    $graphql_name: $type = each |payload, _| payload.$field.clone();
                )+
            }
        }
    )+ };
}

payloads! {
    /// The result of the mutation `createTenant`.
    CreateTenantPayload {
        /// The created tenant.
        "tenant" tenant: TenantObject,
    }
    /// The result of the mutation `updateTenant`.
    UpdateTenantPayload {
        /// The tenant after the change.
        "tenant" tenant: TenantObject,
    }
    /// The result of the mutation `deleteTenant`.
    DeleteTenantPayload {
        /// The identifier of the deleted tenant.
        "deletedId" deleted_id: ID,
    }
    /// The result of the mutation `createUser`.
    CreateUserPayload {
        /// The created user.
        "user" user: UserObject,
    }
    /// The result of the mutation `updateUser`.
    UpdateUserPayload {
        /// The user after the change.
        "user" user: UserObject,
    }
    /// The result of the mutation `deleteUser`.
    DeleteUserPayload {
        /// The identifier of the deleted user.
        "deletedId" deleted_id: ID,
    }
    /// The result of the mutation `createSubscription`.
    CreateSubscriptionPayload {
        /// The created subscription.
        "subscription" subscription: SubscriptionObject,
    }
    /// The result of the mutation `updateSubscription`.
    UpdateSubscriptionPayload {
        /// The subscription after the change.
        "subscription" subscription: SubscriptionObject,
    }
    /// The result of the mutation `deleteSubscription`.
    DeleteSubscriptionPayload {
        /// The identifier of the deleted subscription.
        "deletedId" deleted_id: ID,
    }
    /// The result of the mutation `addTenantMember`.
    AddTenantMemberPayload {
        /// The created membership.
        "membership" membership: MembershipObject,
    }
    /// The result of the mutation `updateTenantMember`.
    UpdateTenantMemberPayload {
        /// The membership after the change.
        "membership" membership: MembershipObject,
    }
    /// The result of the mutation `removeTenantMember`.
    RemoveTenantMemberPayload {
        /// The tenant from which the member was removed.
        "tenant" tenant: TenantObject,
        /// The identifier of the user who is no longer a member.
        "removedUserId" removed_user_id: ID,
    }
    /// The result of the mutation `inviteTenantMember`.
    InviteTenantMemberPayload {
        /// The created invitation.
        "invitation" invitation: InvitationObject,
        /// The token that accepts the invitation. It is shown only once: null if the request is a
        /// repeat with the same idempotency key.
        "token" token: Option<String>,
        /// The URL at which the invited person accepts the invitation. Null without `token`, and if
        /// the gateway has no URL of such a page.
        "acceptUrl" accept_url: Option<String>,
    }
    /// The result of the mutation `resendInvitation`.
    ResendInvitationPayload {
        /// The renewed invitation.
        "invitation" invitation: InvitationObject,
        /// The new token that accepts the invitation. It is shown only once: null if the request is
        /// a repeat with the same idempotency key.
        "token" token: Option<String>,
        /// The URL at which the invited person accepts the invitation. Null without `token`, and if
        /// the gateway has no URL of such a page.
        "acceptUrl" accept_url: Option<String>,
    }
    /// The result of the mutation `revokeInvitation`.
    RevokeInvitationPayload {
        /// The revoked invitation.
        "invitation" invitation: InvitationObject,
    }
    /// The result of the mutation `acceptInvitation`.
    AcceptInvitationPayload {
        /// The membership of the subject of the request's token.
        "membership" membership: MembershipObject,
    }
}
