//! Converts subscriptions, and finds those that are live beside a newer one.

use std::collections::{HashMap, HashSet};

use mongodb::bson::{RawBsonRef, RawDocument};

use super::{
    fields::{Conversion, OldFields, created_at, get, require_id},
    values,
};
use crate::{
    domain::{
        id::ObjectId, migration::report::FindingKind, subscription::TenantSubscriptionStatus,
        tenant::Plan, time::Timestamp,
    },
    store::mongo::documents::{self, date, oid},
};

/// The parts of the database that decide about a subscription.
pub(super) struct SubscriptionContext<'a> {
    /// The identifiers of all tenants.
    pub(super) tenants: &'a HashSet<ObjectId>,
    /// The live subscriptions whose tenant has a newer live one.
    pub(super) superseded: &'a HashSet<ObjectId>,
}

/// Returns the changes that convert a subscription, or the reason why it cannot be converted.
pub(super) fn convert<'a>(
    raw: &'a RawDocument,
    fields: &OldFields,
    context: &SubscriptionContext<'_>,
) -> Result<Conversion<'a>, String> {
    let id = require_id(raw)?;
    let mut conversion = Conversion::new(raw);
    let value = fields.get(raw, "tenantId");
    let tenant = value.and_then(values::id);
    let tenant = tenant.ok_or_else(|| values::unexpected("tenantId", "an ObjectId", value))?;
    if !context.tenants.contains(&tenant) {
        return Err(format!("tenantId: the tenant {tenant} does not exist"));
    }
    conversion.set("tenantId", oid(tenant));
    let plan = values::string_enum("plan", fields.get(raw, "plan"), Plan::parse)?;
    if let Some(plan) = plan {
        conversion.set("plan", plan.as_str());
    }
    if let Some(status) = status(raw, fields)? {
        if context.superseded.contains(&id) {
            cancel(&mut conversion, status.as_str());
        } else {
            conversion.set("status", status.as_str());
        }
    }
    for name in ["currentPeriodStart", "currentPeriodEnd"] {
        if let Some(at) = values::time(name, fields.get(raw, name))? {
            conversion.set(name, date(at));
        }
    }
    let name = "cancelAtPeriodEnd";
    if let Some(cancels) = values::flag(name, fields.get(raw, name))? {
        conversion.set(name, cancels);
    }
    for (old, new) in [
        ("stripeCustomerId", "customerId"),
        ("stripeSubscriptionId", "subscriptionId"),
        ("stripePriceId", "priceId"),
    ] {
        if get(raw, &format!("stripe.{new}")).is_none()
            && let Some(handle) = values::visible_text(old, fields.get(raw, old))?
        {
            conversion.set_nested("stripe", new, handle);
        }
    }
    conversion.set_times(fields)?;
    conversion.check(documents::subscription::decode)?;
    Ok(conversion)
}

/// Returns the changes of a subscription that cannot be converted: only the one without which the
/// unique index of live subscriptions could not exist.
pub(super) fn adjust<'a>(
    raw: &'a RawDocument,
    context: &SubscriptionContext<'_>,
) -> Conversion<'a> {
    let mut conversion = Conversion::new(raw);
    if require_id(raw).is_ok_and(|id| context.superseded.contains(&id))
        && let Some(status) = get(raw, "status").and_then(RawBsonRef::as_str)
    {
        cancel(&mut conversion, status);
    }
    conversion
}

/// Sets the status of a subscription that is live beside a newer one.
fn cancel(conversion: &mut Conversion<'_>, status: &str) {
    let canceled = TenantSubscriptionStatus::Canceled.as_str();
    let detail = format!("status: {status:?} is now {canceled:?}");
    conversion.report(FindingKind::SubscriptionCanceled, detail);
    conversion.set("status", canceled);
}

fn status(
    raw: &RawDocument,
    fields: &OldFields,
) -> Result<Option<TenantSubscriptionStatus>, String> {
    values::string_enum("status", fields.get(raw, "status"), TenantSubscriptionStatus::parse)
}

/// Finds the live subscriptions whose tenant has a newer live one.
#[derive(Default)]
pub(super) struct LiveSubscriptions {
    /// The best live subscription of each tenant, by the value that the unique index has.
    best: HashMap<String, (bool, Timestamp, ObjectId)>,
    pub(super) superseded: HashSet<ObjectId>,
}

impl LiveSubscriptions {
    /// Takes note of a subscription. One that can be converted takes precedence over one that is left
    /// as it is, because the gateway cannot read the latter.
    pub(super) fn add(
        &mut self,
        raw: &RawDocument,
        fields: &OldFields,
        tenants: &HashSet<ObjectId>,
    ) {
        let Ok(id) = require_id(raw) else { return };
        let Ok(Some(status)) = status(raw, fields) else { return };
        if status.is_ended() {
            return;
        }
        let context = SubscriptionContext { tenants, superseded: &HashSet::new() };
        let converts = convert(raw, fields, &context).is_ok();
        let value = fields.get(raw, "tenantId");
        let tenant = match value.and_then(values::id) {
            Some(tenant) if converts || value.is_some_and(|v| v.as_object_id().is_some()) => {
                tenant.to_string()
            }
            _ => match value {
                Some(value) => format!("{value:?}"),
                None => "null".to_owned(),
            },
        };
        let this = (converts, created_at(raw, fields, id), id);
        match self.best.get_mut(&tenant) {
            None => drop(self.best.insert(tenant, this)),
            Some(best) => {
                let (newer, older) = if this > *best { (this, *best) } else { (*best, this) };
                *best = newer;
                self.superseded.insert(older.2);
            }
        }
    }
}
