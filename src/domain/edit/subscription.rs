//! The rules of creating, updating and deleting subscriptions, and of the tenant's plan.
//!
//! A tenant and its live subscription have the same plan. An edit that changes one of them changes
//! the other in the same commit.

use super::{Edit, EditError, check_input, check_version, fields, parse::parse_optional_line};
use crate::domain::{
    audit::{AuditContext, FieldChange},
    change::{Change, next_version},
    id::{NodeId, SubscriptionId},
    input_error::InputError,
    patch::Patch,
    subscription::{StripeHandles, TenantSubscription, TenantSubscriptionStatus},
    tenant::{Plan, Tenant},
    time::Timestamp,
};

/// The fields of a subscription input, before validation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubscriptionPatch {
    /// The patch of the plan.
    pub plan: Patch<Plan>,
    /// The patch of the status.
    pub status: Patch<TenantSubscriptionStatus>,
    /// The patch of the period's start.
    pub current_period_start: Patch<Timestamp>,
    /// The patch of the period's end.
    pub current_period_end: Patch<Timestamp>,
    /// The patch of the flag that ends the subscription with its period.
    pub cancel_at_period_end: Patch<bool>,
    /// The patch of the identifiers at the billing provider.
    pub stripe: Patch<StripePatch>,
}

/// The identifiers at the billing provider in a subscription input, before validation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StripePatch {
    /// The patch of the customer's identifier: `cus_…`
    pub customer_id: Patch<String>,
    /// The patch of the subscription's identifier: `sub_…`
    pub subscription_id: Patch<String>,
    /// The patch of the price's identifier: `price_…`
    pub price_id: Patch<String>,
}

/// A subscription with its tenant, whose plan an edit of the subscription may change.
#[derive(Clone, Debug, PartialEq)]
pub struct SubscriptionWithTenant {
    /// The subscription itself.
    pub subscription: TenantSubscription,
    /// The tenant that has the subscription.
    pub tenant: Tenant,
}

/// Creates a subscription of a tenant. If it is live, the tenant takes over its plan.
pub fn create(
    id: SubscriptionId,
    tenant: &Tenant,
    patch: SubscriptionPatch,
    context: &AuditContext,
) -> Result<Edit<SubscriptionWithTenant>, EditError> {
    let mut subscription = TenantSubscription::new_trial(tenant, id, context.timestamp);
    check_input(apply(patch, &mut subscription), None, 1)?;
    let mut field_changes = fields::diff(None, Some(&subscription));
    let (tenant, tenant_change) = match subscription.status.is_ended() {
        false => sync_tenant_plan(tenant, subscription.plan, &mut field_changes, context),
        true => (tenant.clone(), lock_tenant(tenant)),
    };
    let insert = Change::InsertSubscription(subscription.clone());
    let event = audit_event("subscription.create", &subscription, field_changes, context);
    Ok(Edit {
        changes: vec![tenant_change, insert, event],
        value: SubscriptionWithTenant { subscription, tenant },
    })
}

/// Updates a subscription.
///
/// The tenant takes over the plan if the subscription is live afterwards and its plan changes, or
/// if an ended subscription becomes live again.
pub fn update(
    stored: &SubscriptionWithTenant,
    version: Option<i32>,
    patch: SubscriptionPatch,
    context: &AuditContext,
) -> Result<Edit<SubscriptionWithTenant>, EditError> {
    let SubscriptionWithTenant { subscription: before, tenant } = stored;
    let mut subscription = before.clone();
    check_input(apply(patch, &mut subscription), version, before.version)?;
    let mut field_changes = fields::diff(Some(before), Some(&subscription));
    if field_changes.is_empty() {
        return Ok(Edit::unchanged(stored.clone()));
    }
    subscription.version = next_version(subscription.version);
    subscription.updated_at = context.timestamp;
    let mut changes = Vec::new();
    let mut tenant = tenant.clone();
    let is_live = !subscription.status.is_ended();
    let becomes_live = before.status.is_ended() && is_live;
    if becomes_live || (is_live && before.plan != subscription.plan) {
        let (synced, tenant_change) =
            sync_tenant_plan(&tenant, subscription.plan, &mut field_changes, context);
        tenant = synced;
        changes.push(tenant_change);
    }
    changes.push(Change::UpdateSubscription {
        expected: before.version,
        subscription: subscription.clone(),
    });
    changes.push(audit_event("subscription.update", &subscription, field_changes, context));
    Ok(Edit { value: SubscriptionWithTenant { subscription, tenant }, changes })
}

/// Deletes a subscription. The tenant keeps its plan.
pub fn delete(
    stored: &TenantSubscription,
    version: Option<i32>,
    context: &AuditContext,
) -> Result<Edit<SubscriptionId>, EditError> {
    check_version(version, stored.version)?;
    let field_changes = fields::diff(Some(stored), None);
    let event = audit_event("subscription.delete", stored, field_changes, context);
    let delete = Change::DeleteSubscription { id: stored.id, expected: stored.version };
    Ok(Edit { value: stored.id, changes: vec![delete, event] })
}

/// Returns the tenant with this plan, and the change to commit.
///
/// If the tenant already has the plan, the change only locks the tenant. So it still has the plan
/// at the commit.
fn sync_tenant_plan(
    tenant: &Tenant,
    plan: Plan,
    field_changes: &mut Vec<FieldChange>,
    context: &AuditContext,
) -> (Tenant, Change) {
    if tenant.plan == plan {
        return (tenant.clone(), lock_tenant(tenant));
    }
    field_changes.extend(FieldChange::diff(
        "tenant.plan",
        fields::enum_value(tenant.plan.as_str()),
        fields::enum_value(plan.as_str()),
    ));
    let version = next_version(tenant.version);
    let synced = Tenant { plan, version, updated_at: context.timestamp, ..tenant.clone() };
    (synced.clone(), Change::UpdateTenant { expected: tenant.version, tenant: synced })
}

const fn lock_tenant(tenant: &Tenant) -> Change {
    Change::LockTenant { id: tenant.id, expected: tenant.version }
}

fn audit_event(
    action: &str,
    subscription: &TenantSubscription,
    field_changes: Vec<FieldChange>,
    context: &AuditContext,
) -> Change {
    let target = NodeId::Subscription(subscription.id);
    let tenants = vec![subscription.tenant_id];
    Change::InsertAuditEvent(context.event(action, target, tenants, field_changes))
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
    let mut errors = Vec::new();
    let changes_period = !(current_period_start.is_keep() && current_period_end.is_keep());
    plan.apply_required("input.plan", &mut subscription.plan, &mut errors, Ok);
    status.apply_required("input.status", &mut subscription.status, &mut errors, Ok);
    let (start, end) =
        (&mut subscription.current_period_start, &mut subscription.current_period_end);
    current_period_start
        .apply_optional("input.currentPeriodStart", start, &mut errors, |at| Ok(Some(at)));
    current_period_end
        .apply_optional("input.currentPeriodEnd", end, &mut errors, |at| Ok(Some(at)));
    // An invalid stored period is not an error of an input that does not change the period.
    if let (true, Some(start), Some(end)) = (changes_period, *start, *end)
        && end <= start
    {
        errors.push(InputError::at("input.currentPeriodEnd", "must be after the period's start"));
    }
    let cancel = &mut subscription.cancel_at_period_end;
    cancel_at_period_end.apply_required("input.cancelAtPeriodEnd", cancel, &mut errors, Ok);
    stripe.apply_nested(&mut subscription.stripe, |patch, handles| {
        apply_stripe(patch, handles, &mut errors);
    });
    errors
}

fn apply_stripe(patch: StripePatch, handles: &mut StripeHandles, errors: &mut Vec<InputError>) {
    let StripePatch { customer_id, subscription_id, price_id } = patch;
    let path = |name: &str| format!("input.stripe.{name}");
    let parse = |text: String| parse_optional_line(&text);
    customer_id.apply_optional(&path("customerId"), &mut handles.customer_id, errors, parse);
    subscription_id.apply_optional(
        &path("subscriptionId"),
        &mut handles.subscription_id,
        errors,
        parse,
    );
    price_id.apply_optional(&path("priceId"), &mut handles.price_id, errors, parse);
}
