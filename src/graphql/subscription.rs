//! Resolves the fields of tenants' subscriptions. They are not GraphQL subscriptions.

use async_graphql::{Context, ID, Object, SimpleObject};

use super::{
    context::{Nullable, nullable},
    enums::{Plan, TenantSubscriptionStatus},
    guard::{Guarded, guard, requirement},
    objects::{SubscriptionObject, TenantObject},
    scalar::{DateTime, id},
};
use crate::{domain::subscription, policy::TenantAction};

/// The action that `TenantSubscription.stripe` requires.
const READ_STRIPE: TenantAction = TenantAction::ReadPlatformFields;

/// The subscription of a tenant to a plan. Visible to the members of the tenant and to platform
/// admins.
#[Object(name = "TenantSubscription")]
impl SubscriptionObject {
    /// The identifier of the subscription: `sub_` followed by 24 hexadecimal digits.
    pub(super) async fn id(&self) -> ID {
        id(self.subscription.id)
    }

    /// The tenant to which the subscription belongs.
    async fn tenant(&self) -> TenantObject {
        TenantObject(self.tenant.clone())
    }

    /// The plan of the subscription.
    async fn plan(&self) -> Plan {
        self.subscription.plan.into()
    }

    /// The status of the subscription.
    async fn status(&self) -> TenantSubscriptionStatus {
        self.subscription.status.into()
    }

    /// The start of the current paid period or trial period. Null if it is not known.
    async fn current_period_start(&self) -> Option<DateTime> {
        self.subscription.current_period_start.map(DateTime)
    }

    /// The end of the current paid period or trial period. Null if it is not known.
    async fn current_period_end(&self) -> Option<DateTime> {
        self.subscription.current_period_end.map(DateTime)
    }

    /// True if the subscription ends at the end of the current period, false if it is renewed.
    async fn cancel_at_period_end(&self) -> bool {
        self.subscription.cancel_at_period_end
    }

    /// The identifiers of the subscription at the billing provider Stripe. Null if there are none.
    /// Visible to platform admins. Null with a `FORBIDDEN` error for other viewers.
    #[graphql(directive = guard::apply(requirement(READ_STRIPE)))]
    async fn stripe(&self, ctx: &Context<'_>) -> Nullable<StripeHandles> {
        let authorized = self.subscription.authorize(ctx, READ_STRIPE);
        nullable(authorized.map(|()| self.subscription.stripe.clone().map(StripeHandles::from)))
    }

    /// The time at which the subscription was created.
    async fn created_at(&self) -> DateTime {
        DateTime(self.subscription.created_at)
    }

    /// The time of the last change of the subscription.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.subscription.updated_at)
    }

    /// The version of the subscription: 1 at first, and 1 more after each change.
    async fn version(&self) -> i32 {
        self.subscription.version
    }
}

/// The identifiers of a subscription at the billing provider Stripe.
#[derive(SimpleObject)]
struct StripeHandles {
    /// The identifier of the customer at Stripe (`cus_…`). Null if it is not set.
    customer_id: Option<String>,
    /// The identifier of the subscription at Stripe (`sub_…`). Null if it is not set.
    subscription_id: Option<String>,
    /// The identifier of the price at Stripe (`price_…`). Null if it is not set.
    price_id: Option<String>,
}

impl From<subscription::StripeHandles> for StripeHandles {
    fn from(handles: subscription::StripeHandles) -> Self {
        let subscription::StripeHandles { customer_id, subscription_id, price_id } = handles;
        Self { customer_id, subscription_id, price_id }
    }
}
