//! Subscriptions: the plan that a tenant pays for, and its period.
//!
//! A subscription is ended or live. A tenant has at most one live subscription.

use super::{
    id::{SubscriptionId, TenantId},
    string_enum,
    tenant::{Plan, Tenant},
    time::Timestamp,
};

string_enum! {
    /// The status of a subscription, in the terms of the billing provider (Stripe).
    pub enum TenantSubscriptionStatus {
        /// The subscription is in its trial period.
        Trialing = "trialing",
        /// The subscription is paid.
        Active = "active",
        /// A payment is overdue.
        PastDue = "past_due",
        /// All attempts to collect a payment have failed.
        Unpaid = "unpaid",
        /// The subscription is paused.
        Paused = "paused",
        /// The subscription was canceled. It is ended.
        Canceled = "canceled",
        /// The first payment is outstanding.
        Incomplete = "incomplete",
        /// The first payment was never made. The subscription is ended.
        IncompleteExpired = "incomplete_expired",
    }
}

impl TenantSubscriptionStatus {
    /// Every status of a live subscription.
    pub const LIVE: &'static [Self] = &[
        Self::Trialing,
        Self::Active,
        Self::PastDue,
        Self::Unpaid,
        Self::Paused,
        Self::Incomplete,
    ];

    /// Returns whether a subscription with this status is ended. All others are live.
    #[must_use]
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Canceled | Self::IncompleteExpired)
    }
}

/// A tenant's subscription to a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantSubscription {
    /// The identifier of the subscription.
    pub id: SubscriptionId,
    /// The tenant that has the subscription.
    pub tenant_id: TenantId,
    /// The plan that the tenant pays for.
    pub plan: Plan,
    /// The status of the subscription.
    pub status: TenantSubscriptionStatus,
    /// The start of the paid (or trial) period.
    pub current_period_start: Option<Timestamp>,
    /// The end of the paid (or trial) period.
    pub current_period_end: Option<Timestamp>,
    /// `true` if the subscription ends with its period instead of being renewed.
    pub cancel_at_period_end: bool,
    /// The identifiers at the billing provider.
    pub stripe: Option<StripeHandles>,
    /// The version: 1 at creation, and 1 more with each change.
    pub version: i32,
    /// The time of the creation.
    pub created_at: Timestamp,
    /// The time of the latest change.
    pub updated_at: Timestamp,
}

impl TenantSubscription {
    /// Creates a trial subscription of the tenant's plan, with `at` as the time of its creation.
    #[must_use]
    pub const fn new_trial(tenant: &Tenant, id: SubscriptionId, at: Timestamp) -> Self {
        Self {
            id,
            tenant_id: tenant.id,
            plan: tenant.plan,
            status: TenantSubscriptionStatus::Trialing,
            current_period_start: None,
            current_period_end: None,
            cancel_at_period_end: false,
            stripe: None,
            version: 1,
            created_at: at,
            updated_at: at,
        }
    }
}

/// The identifiers of a subscription at the billing provider (Stripe).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StripeHandles {
    /// The customer's identifier: `cus_…`
    pub customer_id: Option<String>,
    /// The subscription's identifier: `sub_…`
    pub subscription_id: Option<String>,
    /// The price's identifier: `price_…`
    pub price_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_statuses_are_all_that_are_not_ended() {
        for status in TenantSubscriptionStatus::ALL {
            assert_eq!(TenantSubscriptionStatus::LIVE.contains(status), !status.is_ended());
        }
    }
}
