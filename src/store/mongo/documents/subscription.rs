//! `subscriptions`.

use mongodb::bson::{Document, RawDocument, doc};

use super::{
    date,
    fields::{DecodeResult, MetadataFields, fields, require},
    insert_some,
    merge_update::MergeUpdate,
    oid,
};
use crate::domain::{
    id::{SubscriptionId, TenantId},
    subscription::{StripeHandles, TenantSubscription, TenantSubscriptionStatus},
    tenant::Plan,
};

/// Reads a subscription.
pub(in crate::store::mongo) fn read(raw: &RawDocument) -> DecodeResult<TenantSubscription> {
    let mut stamps = MetadataFields::default();
    let (mut tenant, mut plan, mut status) = (None, None, None);
    let (mut start, mut end, mut cancel, mut stripe) = (None, None, None, None);
    for field in fields(raw) {
        let field = field?;
        match field.key() {
            "tenantId" => tenant = field.id()?,
            "plan" => plan = field.word(Plan::parse)?,
            "status" => status = field.word(TenantSubscriptionStatus::parse)?,
            "currentPeriodStart" => start = field.time()?,
            "currentPeriodEnd" => end = field.time()?,
            "cancelAtPeriodEnd" => cancel = field.boolean()?,
            "stripe" => stripe = field.nested(read_stripe)?,
            _ => stamps.take(&field)?,
        }
    }
    let stamped = stamps.with_defaults()?;
    Ok(TenantSubscription {
        id: SubscriptionId::new(stamped.id),
        tenant_id: TenantId::new(require(tenant, "tenantId", "an ObjectId")?),
        plan: require(plan, "plan", "one of its words")?,
        status: require(status, "status", "one of its words")?,
        current_period_start: start,
        current_period_end: end,
        cancel_at_period_end: cancel.unwrap_or(false),
        stripe,
        version: stamped.version,
        created_at: stamped.created_at,
        updated_at: stamped.updated_at,
    })
}

fn read_stripe(raw: &RawDocument) -> DecodeResult<StripeHandles> {
    let mut stripe = StripeHandles::default();
    for field in fields(raw) {
        let field = field?;
        match field.key() {
            "customerId" => stripe.customer_id = field.text()?,
            "subscriptionId" => stripe.subscription_id = field.text()?,
            "priceId" => stripe.price_id = field.text()?,
            _ => {}
        }
    }
    Ok(stripe)
}

/// Writes a subscription.
pub(in crate::store::mongo) fn write(subscription: &TenantSubscription) -> Document {
    let mut document = doc! {
        "_id": oid(subscription.id.raw),
        "tenantId": oid(subscription.tenant_id.raw),
        "plan": subscription.plan.as_str(),
        "status": subscription.status.as_str(),
    };
    insert_some(&mut document, "currentPeriodStart", subscription.current_period_start.map(date));
    insert_some(&mut document, "currentPeriodEnd", subscription.current_period_end.map(date));
    document.insert("cancelAtPeriodEnd", subscription.cancel_at_period_end);
    insert_some(&mut document, "stripe", subscription.stripe.as_ref().map(write_stripe));
    document.insert("version", subscription.version);
    document.insert("createdAt", date(subscription.created_at));
    document.insert("updatedAt", date(subscription.updated_at));
    document
}

/// What turns a stored subscription into this one, and leaves alone what this program does not
/// know of.
pub(in crate::store::mongo) fn update(subscription: &TenantSubscription) -> Vec<Document> {
    let mut document = write(subscription);
    document.remove("stripe");
    MergeUpdate::of(document)
        .field("currentPeriodStart", subscription.current_period_start.map(date))
        .field("currentPeriodEnd", subscription.current_period_end.map(date))
        .part("stripe", subscription.stripe.as_ref().map(write_stripe), STRIPE)
        .pipeline()
}

const STRIPE: &[&str] = &["customerId", "subscriptionId", "priceId"];

fn write_stripe(stripe: &StripeHandles) -> Document {
    let mut document = Document::new();
    insert_some(&mut document, "customerId", stripe.customer_id.as_deref());
    insert_some(&mut document, "subscriptionId", stripe.subscription_id.as_deref());
    insert_some(&mut document, "priceId", stripe.price_id.as_deref());
    document
}
