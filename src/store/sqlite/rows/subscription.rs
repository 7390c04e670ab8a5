//! Converts subscriptions. The identifiers at Stripe are a JSON column.

use rusqlite::{Row, Transaction, params};
use serde::{Deserialize, Serialize};

use super::{DecodeResult, Fields, decode_or_log};
use crate::domain::{
    list::Decoded,
    subscription::{StripeHandles, TenantSubscription, TenantSubscriptionStatus},
    tenant::Plan,
    time::Timestamp,
};

/// The columns that [`decode`] needs, of a table with the alias `s`.
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

/// Decodes a subscription.
pub(in super::super) fn decode(row: &Row<'_>) -> rusqlite::Result<Decoded<TenantSubscription>> {
    decode_or_log("subscriptions", row, decode_subscription)
}

fn decode_subscription(fields: &Fields<'_>) -> DecodeResult<TenantSubscription> {
    let stripe: Option<StripeJson> = fields.optional_json("stripe")?;
    Ok(TenantSubscription {
        id: fields.id("id")?,
        tenant_id: fields.id("tenant_id")?,
        plan: fields.string_enum("plan", Plan::parse)?,
        status: fields.string_enum("status", TenantSubscriptionStatus::parse)?,
        current_period_start: fields.optional_time("current_period_start")?,
        current_period_end: fields.optional_time("current_period_end")?,
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
    db.prepare_cached(
        "INSERT INTO subscriptions (id, tenant_id, plan, status, current_period_start, \
         current_period_end, cancel_at_period_end, stripe, version, created_at, updated_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        subscription.id.raw.0,
        subscription.tenant_id.raw.0,
        subscription.plan.as_str(),
        subscription.status.as_str(),
        subscription.current_period_start.map(Timestamp::millis),
        subscription.current_period_end.map(Timestamp::millis),
        subscription.cancel_at_period_end,
        stripe_json(subscription)?,
        subscription.version,
        subscription.created_at.millis(),
        subscription.updated_at.millis(),
    ])?;
    Ok(())
}

/// Updates a subscription that has the expected version.
pub(in super::super) const UPDATE: &str = "UPDATE subscriptions SET tenant_id = ?1, plan = ?2, \
    status = ?3, current_period_start = ?4, current_period_end = ?5, cancel_at_period_end = ?6, \
    stripe = ?7, version = ?8, updated_at = ?9 WHERE id = ?10 AND version = ?11";

/// Updates a subscription. Returns `false` if none has the expected version.
pub(in super::super) fn update(
    db: &Transaction<'_>,
    expected: i32,
    subscription: &TenantSubscription,
) -> rusqlite::Result<bool> {
    let updated = db.prepare_cached(UPDATE)?.execute(params![
        subscription.tenant_id.raw.0,
        subscription.plan.as_str(),
        subscription.status.as_str(),
        subscription.current_period_start.map(Timestamp::millis),
        subscription.current_period_end.map(Timestamp::millis),
        subscription.cancel_at_period_end,
        stripe_json(subscription)?,
        subscription.version,
        subscription.updated_at.millis(),
        subscription.id.raw.0,
        expected,
    ])?;
    Ok(updated > 0)
}

fn stripe_json(subscription: &TenantSubscription) -> rusqlite::Result<Option<String>> {
    let json = |handles: &StripeHandles| {
        super::to_json(&StripeJson {
            customer_id: handles.customer_id.clone(),
            subscription_id: handles.subscription_id.clone(),
            price_id: handles.price_id.clone(),
        })
    };
    subscription.stripe.as_ref().map(json).transpose()
}
