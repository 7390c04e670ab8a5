//! What mutations answer: a payload of its own for each, so that each can grow by itself.

use async_graphql::{ID, SimpleObject};

use super::{
    subscription::SubscriptionObject,
    tenant::TenantObject,
    user::{MembershipObject, UserObject},
};

macro_rules! payloads {
    ($($(#[$meta:meta])* $name:ident { $($(#[$fmeta:meta])* $field:ident: $type:ty,)+ })+) => { $(
        $(#[$meta])*
        #[derive(SimpleObject)]
        pub(super) struct $name { $($(#[$fmeta])* $field: $type,)+ }

        impl $name {
            pub(super) const fn new($($field: $type),+) -> Self {
                Self { $($field),+ }
            }
        }
    )+ };
}

payloads! {
    /// What `createTenant` made.
    CreateTenantPayload {
        /// The tenant.
        tenant: TenantObject,
    }
    /// What `updateTenant` changed.
    UpdateTenantPayload {
        /// The tenant, as it is now.
        tenant: TenantObject,
    }
    /// What `deleteTenant` deleted.
    DeleteTenantPayload {
        /// The tenant's identifier.
        deleted_id: ID,
    }
    /// What `createUser` made.
    CreateUserPayload {
        /// The user.
        user: UserObject,
    }
    /// What `updateUser` changed.
    UpdateUserPayload {
        /// The user, as it is now.
        user: UserObject,
    }
    /// What `deleteUser` deleted.
    DeleteUserPayload {
        /// The user's identifier.
        deleted_id: ID,
    }
    /// What `createSubscription` made.
    CreateSubscriptionPayload {
        /// The subscription.
        subscription: SubscriptionObject,
    }
    /// What `updateSubscription` changed.
    UpdateSubscriptionPayload {
        /// The subscription, as it is now.
        subscription: SubscriptionObject,
    }
    /// What `deleteSubscription` deleted.
    DeleteSubscriptionPayload {
        /// The subscription's identifier.
        deleted_id: ID,
    }
    /// Whom `addTenantMember` made a member.
    AddTenantMemberPayload {
        /// The membership.
        membership: MembershipObject,
    }
    /// Whose role `updateTenantMember` changed.
    UpdateTenantMemberPayload {
        /// The membership, as it is now.
        membership: MembershipObject,
    }
    /// Whom `removeTenantMember` removed.
    RemoveTenantMemberPayload {
        /// The tenant.
        tenant: TenantObject,
        /// The identifier of the user who is no member any more.
        removed_user_id: ID,
    }
}
