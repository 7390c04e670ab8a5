//! Converts documents of the collection `subscriptions`.

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

/// Decodes a subscription.
pub(in crate::store::mongo) fn decode(raw: &RawDocument) -> DecodeResult<TenantSubscription> {
    let mut metadata = MetadataFields::default();
    let (mut tenant, mut plan, mut status) = (None, None, None);
    let (mut start, mut end, mut cancel, mut stripe) = (None, None, None, None);
    for field in fields(raw) {
        let field = field?;
        match field.key() {
            b"tenantId" => tenant = field.id()?,
            b"plan" => plan = field.string_enum(Plan::parse)?,
            b"status" => status = field.string_enum(TenantSubscriptionStatus::parse)?,
            b"currentPeriodStart" => start = field.time()?,
            b"currentPeriodEnd" => end = field.time()?,
            b"cancelAtPeriodEnd" => cancel = field.boolean()?,
            b"stripe" => stripe = field.nested(decode_stripe)?,
            _ => metadata.decode_field(&field)?,
        }
    }
    let metadata = metadata.with_defaults()?;
    Ok(TenantSubscription {
        id: SubscriptionId::new(metadata.id),
        tenant_id: TenantId::new(require(tenant, "tenantId", "an ObjectId")?),
        plan: require(plan, "plan", "a known value")?,
        status: require(status, "status", "a known value")?,
        current_period_start: start,
        current_period_end: end,
        cancel_at_period_end: cancel.unwrap_or(false),
        stripe,
        version: metadata.version,
        created_at: metadata.created_at,
        updated_at: metadata.updated_at,
    })
}

fn decode_stripe(raw: &RawDocument) -> DecodeResult<StripeHandles> {
    let mut stripe = StripeHandles::default();
    for field in fields(raw) {
        let field = field?;
        match field.key() {
            b"customerId" => stripe.customer_id = field.text()?,
            b"subscriptionId" => stripe.subscription_id = field.text()?,
            b"priceId" => stripe.price_id = field.text()?,
            _ => {}
        }
    }
    Ok(stripe)
}

/// Encodes a subscription.
pub(in crate::store::mongo) fn encode(subscription: &TenantSubscription) -> Document {
    let mut document = doc! {
        "_id": oid(subscription.id.raw),
        "tenantId": oid(subscription.tenant_id.raw),
        "plan": subscription.plan.as_str(),
        "status": subscription.status.as_str(),
    };
    insert_some(&mut document, "currentPeriodStart", subscription.current_period_start.map(date));
    insert_some(&mut document, "currentPeriodEnd", subscription.current_period_end.map(date));
    document.insert("cancelAtPeriodEnd", subscription.cancel_at_period_end);
    insert_some(&mut document, "stripe", subscription.stripe.as_ref().map(encode_stripe));
    document.insert("version", subscription.version);
    document.insert("createdAt", date(subscription.created_at));
    document.insert("updatedAt", date(subscription.updated_at));
    document
}

/// Returns the update that turns a stored subscription into this one, and keeps unknown fields.
pub(in crate::store::mongo) fn update(subscription: &TenantSubscription) -> Vec<Document> {
    let mut document = encode(subscription);
    document.remove("stripe");
    MergeUpdate::from_document(document)
        .optional_field("currentPeriodStart", subscription.current_period_start.map(date))
        .optional_field("currentPeriodEnd", subscription.current_period_end.map(date))
        .nested("stripe", subscription.stripe.as_ref().map(encode_stripe), STRIPE_FIELDS)
        .pipeline()
}

const STRIPE_FIELDS: &[&str] = &["customerId", "subscriptionId", "priceId"];

fn encode_stripe(stripe: &StripeHandles) -> Document {
    let mut document = Document::new();
    insert_some(&mut document, "customerId", stripe.customer_id.as_deref());
    insert_some(&mut document, "subscriptionId", stripe.subscription_id.as_deref());
    insert_some(&mut document, "priceId", stripe.price_id.as_deref());
    document
}
