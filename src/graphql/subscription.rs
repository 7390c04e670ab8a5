//! What tenants pay for. (Not GraphQL's own subscriptions.)

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};

use super::{
    Nullable,
    context::{ContextExt, nullable},
    enums::{Plan, TenantSubscriptionStatus},
    scalar::{DateTime, id},
    tenant::TenantObject,
};
use crate::{
    domain::{
        subscription::{self, TenantSubscription},
        tenant::Tenant,
    },
    policy::TenantAction,
};

/// A tenant's subscription to a plan.
#[derive(Clone)]
pub(super) struct SubscriptionObject {
    subscription: Arc<TenantSubscription>,
    tenant: Arc<Tenant>,
}

impl SubscriptionObject {
    /// A subscription of that tenant: one whose tenant is gone is not shown.
    pub(super) const fn of(subscription: Arc<TenantSubscription>, tenant: Arc<Tenant>) -> Self {
        Self { subscription, tenant }
    }
}

/// A tenant's subscription to a plan.
#[Object(name = "TenantSubscription")]
impl SubscriptionObject {
    /// The identifier: `sub_` and 24 hexadecimal digits.
    pub(super) async fn id(&self) -> ID {
        id(self.subscription.id)
    }

    /// Whose it is.
    async fn tenant(&self) -> TenantObject {
        TenantObject(self.tenant.clone())
    }

    /// The plan.
    async fn plan(&self) -> Plan {
        self.subscription.plan.into()
    }

    /// Where it is in its life.
    async fn status(&self) -> TenantSubscriptionStatus {
        self.subscription.status.into()
    }

    /// When the paid, or the trial, period began.
    async fn current_period_start(&self) -> Option<DateTime> {
        self.subscription.current_period_start.map(DateTime)
    }

    /// When it ends.
    async fn current_period_end(&self) -> Option<DateTime> {
        self.subscription.current_period_end.map(DateTime)
    }

    /// Whether it ends there instead of going on.
    async fn cancel_at_period_end(&self) -> bool {
        self.subscription.cancel_at_period_end
    }

    /// Where the billing provider knows it. For platform admins.
    async fn stripe(&self, ctx: &Context<'_>) -> Nullable<StripeHandles> {
        nullable(
            ctx.authorize(self.subscription.tenant_id, TenantAction::ReadPlatformFields)
                .map(|()| self.subscription.stripe.clone().map(StripeHandles::from)),
        )
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        DateTime(self.subscription.created_at)
    }

    /// When it was changed last.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.subscription.updated_at)
    }

    /// Starts at 1 and grows by 1 with each change.
    async fn version(&self) -> i32 {
        self.subscription.version
    }
}

/// Where the billing provider knows a subscription.
#[derive(SimpleObject)]
struct StripeHandles {
    /// The customer there.
    customer_id: Option<String>,
    /// The subscription there.
    subscription_id: Option<String>,
    /// The price there.
    price_id: Option<String>,
}

impl From<subscription::StripeHandles> for StripeHandles {
    fn from(handles: subscription::StripeHandles) -> Self {
        let subscription::StripeHandles { customer_id, subscription_id, price_id } = handles;
        Self { customer_id, subscription_id, price_id }
    }
}
