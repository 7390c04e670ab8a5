//! A tenant's subscriptions: what it pays for, and until when.

use super::{
    id::{SubscriptionId, TenantId},
    string_enum,
    tenant::{Plan, Tenant},
    time::Timestamp,
};

string_enum! {
    /// Where a subscription is in its life, in the billing provider's terms.
    pub enum TenantSubscriptionStatus {
        /// In its trial.
        Trialing = "trialing",
        /// Paid.
        Active = "active",
        /// A payment is late.
        PastDue = "past_due",
        /// Payment was given up on.
        Unpaid = "unpaid",
        /// On hold.
        Paused = "paused",
        /// Ended: over.
        Canceled = "canceled",
        /// The first payment is outstanding.
        Incomplete = "incomplete",
        /// The first payment never came: over.
        IncompleteExpired = "incomplete_expired",
    }
}

impl TenantSubscriptionStatus {
    /// Every status of a subscription that is not over.
    pub const LIVE: &'static [Self] = &[
        Self::Trialing,
        Self::Active,
        Self::PastDue,
        Self::Unpaid,
        Self::Paused,
        Self::Incomplete,
    ];

    /// Whether this is the end: a tenant has at most one subscription that is not over.
    #[must_use]
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Canceled | Self::IncompleteExpired)
    }
}

/// A tenant's subscription to a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantSubscription {
    /// Its identifier.
    pub id: SubscriptionId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// The plan.
    pub plan: Plan,
    /// Where it is in its life.
    pub status: TenantSubscriptionStatus,
    /// When the paid (or trial) period began.
    pub current_period_start: Option<Timestamp>,
    /// When it ends.
    pub current_period_end: Option<Timestamp>,
    /// Whether it ends there instead of going on.
    pub cancel_at_period_end: bool,
    /// Where the billing provider knows it.
    pub stripe: Option<StripeHandles>,
    /// Starts at 1 and grows by 1 with each change.
    pub version: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

impl TenantSubscription {
    /// A subscription made then, in its trial, of that tenant's plan.
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

/// Where the billing provider knows a subscription.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StripeHandles {
    /// `cus_…`
    pub customer_id: Option<String>,
    /// `sub_…`
    pub subscription_id: Option<String>,
    /// `price_…`
    pub price_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_is_all_that_is_not_over() {
        for status in TenantSubscriptionStatus::ALL {
            assert_eq!(TenantSubscriptionStatus::LIVE.contains(status), !status.is_ended());
        }
    }
}
