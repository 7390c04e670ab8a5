//! Making, changing and deleting subscriptions, and what follows for their tenants' plans.

use super::{
    AuditContext, Edit, EditError, check_input, check_version, fields, tenant::parse_optional_line,
};
use crate::domain::{
    audit::FieldChange,
    change::Change,
    id::{NodeId, SubscriptionId},
    input_error::InputError,
    patch::Patch,
    subscription::{StripeHandles, TenantSubscription, TenantSubscriptionStatus},
    tenant::{Plan, Tenant},
    time::Timestamp,
};

/// What an input says of a subscription, as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubscriptionPatch {
    /// The plan.
    pub plan: Patch<Plan>,
    /// Where it is in its life.
    pub status: Patch<TenantSubscriptionStatus>,
    /// When its period began.
    pub current_period_start: Patch<Timestamp>,
    /// When its period ends.
    pub current_period_end: Patch<Timestamp>,
    /// Whether it ends there.
    pub cancel_at_period_end: Patch<bool>,
    /// Where the billing provider knows it.
    pub stripe: Patch<StripePatch>,
}

/// What an input says of where the billing provider knows a subscription.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StripePatch {
    /// `cus_…`
    pub customer_id: Patch<String>,
    /// `sub_…`
    pub subscription_id: Patch<String>,
    /// `price_…`
    pub price_id: Patch<String>,
}

/// A subscription and its tenant, which may have another plan after a change.
#[derive(Clone, Debug, PartialEq)]
pub struct SubscriptionWithTenant {
    /// The subscription.
    pub subscription: TenantSubscription,
    /// Whose it is.
    pub tenant: Tenant,
}

/// A new subscription of a tenant. Where it is not over, the tenant has its plan from then on.
pub fn create(
    id: SubscriptionId,
    tenant: &Tenant,
    patch: SubscriptionPatch,
    deed: &AuditContext,
) -> Result<Edit<SubscriptionWithTenant>, EditError> {
    let mut subscription = TenantSubscription::new_trial(tenant, id, deed.now);
    check_input(apply(patch, &mut subscription), None, 1)?;
    let mut told = fields::diff(None, Some(&subscription));
    let (tenant, with_tenant) = match subscription.status.is_ended() {
        false => sync_tenant_plan(tenant, subscription.plan, &mut told, deed),
        true => (tenant.clone(), lock_tenant(tenant)),
    };
    let insert = Change::InsertSubscription(subscription.clone());
    let event = event("subscription.create", &subscription, told, deed);
    Ok(Edit {
        changes: vec![with_tenant, insert, event],
        value: SubscriptionWithTenant { subscription, tenant },
    })
}

/// A subscription after a change. Where it is not over then, a change of its plan, or its coming
/// back from being over, makes its plan the tenant's.
pub fn update(
    stored: &SubscriptionWithTenant,
    version: Option<i32>,
    patch: SubscriptionPatch,
    deed: &AuditContext,
) -> Result<Edit<SubscriptionWithTenant>, EditError> {
    let SubscriptionWithTenant { subscription: was, tenant } = stored;
    let mut subscription = was.clone();
    check_input(apply(patch, &mut subscription), version, was.version)?;
    let mut told = fields::diff(Some(was), Some(&subscription));
    if told.is_empty() {
        return Ok(Edit::unchanged(stored.clone()));
    }
    subscription.version = subscription.version.saturating_add(1);
    subscription.updated_at = deed.now;
    let mut changes = Vec::new();
    let mut tenant = tenant.clone();
    let revived = was.status.is_ended() && !subscription.status.is_ended();
    if revived || (!subscription.status.is_ended() && was.plan != subscription.plan) {
        let (followed, with_tenant) = sync_tenant_plan(&tenant, subscription.plan, &mut told, deed);
        tenant = followed;
        changes.push(with_tenant);
    }
    changes
        .push(Change::UpdateSubscription { was: was.version, subscription: subscription.clone() });
    changes.push(event("subscription.update", &subscription, told, deed));
    Ok(Edit { value: SubscriptionWithTenant { subscription, tenant }, changes })
}

/// A subscription ends as a document; the tenant keeps its plan.
pub fn delete(
    stored: &TenantSubscription,
    version: Option<i32>,
    deed: &AuditContext,
) -> Result<Edit<SubscriptionId>, EditError> {
    check_version(version, stored.version)?;
    let told = fields::diff(Some(stored), None);
    let event = event("subscription.delete", stored, told, deed);
    let delete = Change::DeleteSubscription { id: stored.id, was: stored.version };
    Ok(Edit { value: stored.id, changes: vec![delete, event] })
}

/// The tenant with that plan; where it has it already, it must stay so until all is committed.
fn sync_tenant_plan(
    tenant: &Tenant,
    plan: Plan,
    told: &mut Vec<FieldChange>,
    deed: &AuditContext,
) -> (Tenant, Change) {
    if tenant.plan == plan {
        return (tenant.clone(), lock_tenant(tenant));
    }
    told.extend(FieldChange::diff(
        "tenant.plan",
        fields::word(tenant.plan.as_str()),
        fields::word(plan.as_str()),
    ));
    let version = tenant.version.saturating_add(1);
    let followed = Tenant { plan, version, updated_at: deed.now, ..tenant.clone() };
    (followed.clone(), Change::UpdateTenant { was: tenant.version, tenant: followed })
}

const fn lock_tenant(tenant: &Tenant) -> Change {
    Change::LockTenant { id: tenant.id, was: tenant.version }
}

fn event(
    action: &str,
    subscription: &TenantSubscription,
    told: Vec<FieldChange>,
    deed: &AuditContext,
) -> Change {
    let target = NodeId::Subscription(subscription.id);
    deed.event(action, target, vec![subscription.tenant_id], told)
}

fn apply(patch: SubscriptionPatch, subscription: &mut TenantSubscription) -> Vec<InputError> {
    let SubscriptionPatch {
        plan,
        status,
        current_period_start,
        current_period_end,
        cancel_at_period_end,
        stripe,
    } = patch;
    let mut faults = Vec::new();
    let names_period = !(current_period_start.is_keep() && current_period_end.is_keep());
    plan.apply_required("input.plan", &mut subscription.plan, &mut faults, Ok);
    status.apply_required("input.status", &mut subscription.status, &mut faults, Ok);
    let (start, end) =
        (&mut subscription.current_period_start, &mut subscription.current_period_end);
    current_period_start
        .apply_optional("input.currentPeriodStart", start, &mut faults, |at| Ok(Some(at)));
    current_period_end
        .apply_optional("input.currentPeriodEnd", end, &mut faults, |at| Ok(Some(at)));
    // A stored period that is wrong is no fault of an input that does not name it.
    if let (true, Some(start), Some(end)) = (names_period, *start, *end)
        && end <= start
    {
        faults.push(InputError::at("input.currentPeriodEnd", "must be after the period's start"));
    }
    let cancel = &mut subscription.cancel_at_period_end;
    cancel_at_period_end.apply_required("input.cancelAtPeriodEnd", cancel, &mut faults, Ok);
    stripe.apply_nested(&mut subscription.stripe, |patch, handles| {
        apply_stripe(patch, handles, &mut faults)
    });
    faults
}

fn apply_stripe(patch: StripePatch, handles: &mut StripeHandles, faults: &mut Vec<InputError>) {
    let StripePatch { customer_id, subscription_id, price_id } = patch;
    let at = |name: &str| format!("input.stripe.{name}");
    customer_id.apply_optional(&at("customerId"), &mut handles.customer_id, faults, |t| {
        parse_optional_line(&t)
    });
    subscription_id.apply_optional(
        &at("subscriptionId"),
        &mut handles.subscription_id,
        faults,
        |t| parse_optional_line(&t),
    );
    price_id
        .apply_optional(&at("priceId"), &mut handles.price_id, faults, |t| parse_optional_line(&t));
}
