//! Subscriptions.

use rusqlite::{Row, Transaction, params};
use serde::{Deserialize, Serialize};

use super::{Fields, Read, found};
use crate::domain::{
    list::Found,
    subscription::{StripeHandles, TenantSubscription, TenantSubscriptionStatus},
    tenant::Plan,
    time::Timestamp,
};

/// The columns that [`read`] needs, of a table or alias `s`.
pub(in super::super) const COLUMNS: &str = "s.id, s.tenant_id, s.plan, s.status, \
    s.current_period_start, s.current_period_end, s.cancel_at_period_end, s.stripe, s.version, \
    s.created_at, s.updated_at";

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct StripeJson {
    customer_id: Option<String>,
    subscription_id: Option<String>,
    price_id: Option<String>,
}

/// Reads a subscription.
pub(in super::super) fn read(row: &Row<'_>) -> rusqlite::Result<Found<TenantSubscription>> {
    found("subscriptions", row, subscription)
}

fn subscription(fields: &Fields<'_>) -> Read<TenantSubscription> {
    let stripe: Option<StripeJson> = fields.maybe_json("stripe")?;
    Ok(TenantSubscription {
        id: fields.id("id")?,
        tenant_id: fields.id("tenant_id")?,
        plan: fields.word("plan", Plan::from_word)?,
        status: fields.word("status", TenantSubscriptionStatus::from_word)?,
        current_period_start: fields.maybe_time("current_period_start")?,
        current_period_end: fields.maybe_time("current_period_end")?,
        cancel_at_period_end: fields.flag("cancel_at_period_end")?,
        stripe: stripe.map(|json| StripeHandles {
            customer_id: json.customer_id,
            subscription_id: json.subscription_id,
            price_id: json.price_id,
        }),
        version: fields.version()?,
        created_at: fields.time("created_at")?,
        updated_at: fields.time("updated_at")?,
    })
}

/// Inserts a subscription.
pub(in super::super) fn insert(
    db: &Transaction<'_>,
    subscription: &TenantSubscription,
) -> rusqlite::Result<()> {
    let stripe = subscription.stripe.as_ref().map(|handles| StripeJson {
        customer_id: handles.customer_id.clone(),
        subscription_id: handles.subscription_id.clone(),
        price_id: handles.price_id.clone(),
    });
    db.prepare_cached(
        "INSERT INTO subscriptions (id, tenant_id, plan, status, current_period_start, \
         current_period_end, cancel_at_period_end, stripe, version, created_at, updated_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        subscription.id.raw.0,
        subscription.tenant_id.raw.0,
        subscription.plan.word(),
        subscription.status.word(),
        subscription.current_period_start.map(Timestamp::millis),
        subscription.current_period_end.map(Timestamp::millis),
        subscription.cancel_at_period_end,
        stripe.map(|json| super::to_json(&json)).transpose()?,
        subscription.version,
        subscription.created_at.millis(),
        subscription.updated_at.millis(),
    ])?;
    Ok(())
}
