//! Defines the inputs of mutations that create, update and delete subscriptions.

use std::convert::identity;

use async_graphql::{ID, InputObject, MaybeUndefined};

use super::patch::{set_if_given, update_patch};
use crate::{
    domain::{
        edit::subscription::{StripePatch, SubscriptionPatch},
        patch::Patch,
    },
    graphql::{
        enums::{Plan, TenantSubscriptionStatus},
        scalar::DateTime,
    },
};

/// The identifiers of a subscription at the billing provider Stripe, each with at most 200
/// characters. Null clears a field. Omitted fields keep their value. In a new subscription,
/// they are null.
#[derive(InputObject)]
pub(super) struct StripeHandlesInput {
    /// The identifier of the customer at Stripe (`cus_…`).
    customer_id: MaybeUndefined<String>,
    /// The identifier of the subscription at Stripe (`sub_…`).
    subscription_id: MaybeUndefined<String>,
    /// The identifier of the price at Stripe (`price_…`).
    price_id: MaybeUndefined<String>,
}

/// The input of the mutation `createSubscription`.
#[derive(InputObject)]
pub(in crate::graphql) struct CreateSubscriptionInput {
    /// The identifier of the tenant (`ten_…`). A tenant has at most one live subscription.
    pub(in crate::graphql) tenant_id: ID,
    /// The plan of the subscription. The plan of a live subscription also becomes the tenant's
    /// plan.
    plan: Plan,
    /// The status of the subscription.
    #[graphql(default_with = "TenantSubscriptionStatus::Trialing")]
    status: TenantSubscriptionStatus,
    /// The start of the current paid period or trial period.
    current_period_start: Option<DateTime>,
    /// The end of the current paid period or trial period. It must be after the start.
    current_period_end: Option<DateTime>,
    /// True if the subscription ends at the end of the current period, false if it is renewed.
    #[graphql(default)]
    cancel_at_period_end: bool,
    /// The identifiers of the subscription at the billing provider Stripe.
    stripe: Option<StripeHandlesInput>,
}

/// The input of the mutation `updateSubscription`. Omitted fields keep their value.
#[derive(InputObject)]
pub(in crate::graphql) struct UpdateSubscriptionInput {
    /// The identifier of the subscription (`sub_…`).
    pub(in crate::graphql) id: ID,
    /// The version of the subscription that the client has read. If it is not the stored version,
    /// the mutation fails with `STALE_VERSION` and changes nothing. If omitted, the version is not
    /// checked.
    pub(in crate::graphql) version: Option<i32>,
    /// The plan of the subscription. The plan of a live subscription also becomes the tenant's
    /// plan. Must not be null.
    plan: MaybeUndefined<Plan>,
    /// The status of the subscription. An ended subscription that gets a live status is the live
    /// subscription of its tenant again, and the tenant takes over its plan. Must not be null.
    status: MaybeUndefined<TenantSubscriptionStatus>,
    /// The start of the current paid period or trial period. Null clears it.
    current_period_start: MaybeUndefined<DateTime>,
    /// The end of the current paid period or trial period. It must be after the start. Null clears
    /// it.
    current_period_end: MaybeUndefined<DateTime>,
    /// True if the subscription ends at the end of the current period, false if it is renewed. Must
    /// not be null.
    cancel_at_period_end: MaybeUndefined<bool>,
    /// The identifiers of the subscription at the billing provider Stripe. Null clears all of them.
    stripe: MaybeUndefined<StripeHandlesInput>,
}

/// The input of the mutation `deleteSubscription`.
#[derive(InputObject)]
pub(in crate::graphql) struct DeleteSubscriptionInput {
    /// The identifier of the subscription (`sub_…`).
    pub(in crate::graphql) id: ID,
    /// The version of the subscription that the client has read. If it is not the stored version,
    /// the mutation fails with `STALE_VERSION` and deletes nothing. If omitted, the version is not
    /// checked.
    pub(in crate::graphql) version: Option<i32>,
}

impl CreateSubscriptionInput {
    /// Converts the input into a patch of a new trial subscription.
    pub(in crate::graphql) fn into_patch(self) -> SubscriptionPatch {
        SubscriptionPatch {
            plan: Patch::Set(self.plan.into()),
            status: Patch::Set(self.status.into()),
            current_period_start: set_if_given(self.current_period_start, |at| at.0),
            current_period_end: set_if_given(self.current_period_end, |at| at.0),
            cancel_at_period_end: Patch::Set(self.cancel_at_period_end),
            stripe: set_if_given(self.stripe, StripeHandlesInput::into_patch),
        }
    }
}

impl UpdateSubscriptionInput {
    /// Converts the input into a patch of the stored subscription.
    pub(in crate::graphql) fn into_patch(self) -> SubscriptionPatch {
        SubscriptionPatch {
            plan: update_patch(self.plan, Into::into),
            status: update_patch(self.status, Into::into),
            current_period_start: update_patch(self.current_period_start, |at| at.0),
            current_period_end: update_patch(self.current_period_end, |at| at.0),
            cancel_at_period_end: update_patch(self.cancel_at_period_end, identity),
            stripe: update_patch(self.stripe, StripeHandlesInput::into_patch),
        }
    }
}

impl StripeHandlesInput {
    fn into_patch(self) -> StripePatch {
        StripePatch {
            customer_id: update_patch(self.customer_id, identity),
            subscription_id: update_patch(self.subscription_id, identity),
            price_id: update_patch(self.price_id, identity),
        }
    }
}
