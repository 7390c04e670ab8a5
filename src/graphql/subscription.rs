//! Declares the fields of tenants' subscriptions. They are not GraphQL subscriptions.

use async_graphql::ID;

use super::{
    context::{Nullable, nullable},
    enums::{Plan, TenantSubscriptionStatus},
    executor::object,
    guard::{Guarded, requirement},
    objects::{SubscriptionObject, TenantObject},
    scalar::{DateTime, id},
};
use crate::{domain::subscription::StripeHandles, policy::TenantAction};

/// The action that `TenantSubscription.stripe` requires.
const READ_STRIPE: TenantAction = TenantAction::ReadPlatformFields;

object! {
    /// The subscription of a tenant to a plan. Visible to the members of the tenant and to platform
    /// admins.
    [] SubscriptionObject, "TenantSubscription", ["Node"] {
        /// The identifier of the subscription: `sub_` followed by 24 hexadecimal digits.
        "id": ID = each |object, _| id(object.subscription.id);

        /// The tenant to which the subscription belongs.
        "tenant": TenantObject = each |object, _| TenantObject(object.tenant.clone());

        /// The plan of the subscription.
        "plan": Plan = each |object, _| object.subscription.plan.into();

        /// The status of the subscription.
        "status": TenantSubscriptionStatus = each |object, _| object.subscription.status.into();

        /// The start of the current paid period or trial period. Null if it is not known.
        "currentPeriodStart": Option<DateTime> = each |object, _| {
            object.subscription.current_period_start.map(DateTime)
        };

        /// The end of the current paid period or trial period. Null if it is not known.
        "currentPeriodEnd": Option<DateTime> = each |object, _| {
            object.subscription.current_period_end.map(DateTime)
        };

        /// True if the subscription ends at the end of the current period, false if it is renewed.
        "cancelAtPeriodEnd": bool = each |object, _| object.subscription.cancel_at_period_end;

        /// The identifiers of the subscription at the billing provider Stripe. Null if there are none.
        /// Visible to platform admins. Null with a `FORBIDDEN` error for other viewers.
        #[requires(requirement(READ_STRIPE))]
        "stripe": Nullable<&StripeHandles> = each |object, node| {
            let authorized = object.subscription.authorize(node.session(), READ_STRIPE);
            nullable(authorized.map(|()| object.subscription.stripe.as_ref()))
        };

        /// The time at which the subscription was created.
        "createdAt": DateTime = each |object, _| DateTime(object.subscription.created_at);

        /// The time of the last change of the subscription.
        "updatedAt": DateTime = each |object, _| DateTime(object.subscription.updated_at);

        /// The version of the subscription: 1 at first, and 1 more after each change.
        "version": i32 = each |object, _| object.subscription.version;
    }
}

object! {
    /// The identifiers of a subscription at the billing provider Stripe.
    [] StripeHandles, "StripeHandles", [] {
        /// The identifier of the customer at Stripe (`cus_…`). Null if it is not set.
        "customerId": Option<&str> = each |handles, _| handles.customer_id.as_deref();

        /// The identifier of the subscription at Stripe (`sub_…`). Null if it is not set.
        "subscriptionId": Option<&str> = each |handles, _| handles.subscription_id.as_deref();

        /// The identifier of the price at Stripe (`price_…`). Null if it is not set.
        "priceId": Option<&str> = each |handles, _| handles.price_id.as_deref();
    }
}
