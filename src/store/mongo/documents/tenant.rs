//! Converts documents of the collection `tenants`.

use mongodb::bson::{Document, RawDocument, doc};

use super::{
    date,
    fields::{DecodeError, DecodeResult, MetadataFields, fields, require, values},
    insert_some,
    merge_update::MergeUpdate,
    oid,
    reader::{BsonValue, Elements},
    search::SearchFields,
};
use crate::domain::{
    id::TenantId,
    tenant::{BillingInfo, Plan, PostalAddress, Tenant, TenantIntegrations, TenantStatus},
};

/// Decodes a tenant.
pub(in crate::store::mongo) fn decode(raw: &RawDocument) -> DecodeResult<Tenant> {
    let mut metadata = MetadataFields::default();
    let (mut slug, mut name, mut status, mut plan) = (None, None, None, None);
    let (mut domains, mut billing_info, mut integrations) = (Vec::new(), None, None);
    for field in fields(raw) {
        let field = field?;
        match field.key() {
            b"slug" => slug = field.text()?,
            b"name" => name = field.text()?,
            b"status" => status = field.string_enum(TenantStatus::parse)?,
            b"plan" => plan = field.string_enum(Plan::parse)?,
            b"domains" => {
                domains = field.array()?.map(decode_domains).transpose()?.unwrap_or_default();
            }
            b"billingInfo" => billing_info = field.nested(decode_billing)?,
            b"integrations" => integrations = field.nested(decode_integrations)?,
            _ => metadata.decode_field(&field)?,
        }
    }
    let metadata = metadata.with_defaults()?;
    Ok(Tenant {
        id: TenantId::new(metadata.id),
        slug: require(slug, "slug", "a string")?,
        name: require(name, "name", "a string")?,
        status: status.unwrap_or(TenantStatus::Active),
        plan: plan.unwrap_or(Plan::Free),
        domains,
        billing_info,
        integrations,
        version: metadata.version,
        created_at: metadata.created_at,
        updated_at: metadata.updated_at,
    })
}

fn decode_domains(array: Elements<'_>) -> DecodeResult<Vec<String>> {
    let domain = |value| match value {
        Some(BsonValue::String(text)) => Ok(text.to_owned()),
        _ => Err(DecodeError::new("domains", "an array of strings")),
    };
    values(array).map(domain).collect()
}

fn decode_billing(raw: &RawDocument) -> DecodeResult<BillingInfo> {
    let mut billing = BillingInfo::default();
    for field in fields(raw) {
        let field = field?;
        match field.key() {
            b"companyName" => billing.company_name = field.text()?,
            b"email" => billing.email = field.text()?,
            b"vatId" => billing.vat_id = field.text()?,
            b"address" => billing.address = field.nested(decode_address)?,
            _ => {}
        }
    }
    Ok(billing)
}

fn decode_address(raw: &RawDocument) -> DecodeResult<PostalAddress> {
    let mut address = PostalAddress::default();
    for field in fields(raw) {
        let field = field?;
        match field.key() {
            b"line1" => address.line1 = field.text()?,
            b"line2" => address.line2 = field.text()?,
            b"city" => address.city = field.text()?,
            b"region" => address.region = field.text()?,
            b"postalCode" => address.postal_code = field.text()?,
            b"country" => address.country = field.text()?,
            _ => {}
        }
    }
    Ok(address)
}

fn decode_integrations(raw: &RawDocument) -> DecodeResult<TenantIntegrations> {
    let mut integrations = TenantIntegrations::default();
    for field in fields(raw) {
        let field = field?;
        match field.key() {
            b"authentikGroup" => integrations.authentik_group = field.text()?,
            b"ocisSpace" => integrations.ocis_space = field.text()?,
            b"stalwartDomain" => integrations.stalwart_domain = field.text()?,
            _ => {}
        }
    }
    Ok(integrations)
}

/// Encodes a tenant.
pub(in crate::store::mongo) fn encode(tenant: &Tenant) -> Document {
    let mut document = doc! {
        "_id": oid(tenant.id.raw),
        "slug": &tenant.slug,
        "name": &tenant.name,
        "status": tenant.status.as_str(),
        "plan": tenant.plan.as_str(),
        "domains": &tenant.domains,
    };
    insert_some(&mut document, "billingInfo", tenant.billing_info.as_ref().map(encode_billing));
    insert_some(
        &mut document,
        "integrations",
        tenant.integrations.as_ref().map(encode_integrations),
    );
    document.insert("search", SearchFields::of_tenant(tenant).document());
    document.insert("version", tenant.version);
    document.insert("createdAt", date(tenant.created_at));
    document.insert("updatedAt", date(tenant.updated_at));
    document
}

/// Returns the update that turns a stored tenant into this one, and keeps unknown fields.
pub(in crate::store::mongo) fn update(tenant: &Tenant) -> Vec<Document> {
    let mut document = encode(tenant);
    document.remove("billingInfo");
    document.remove("integrations");
    let billing_info = tenant.billing_info.as_ref();
    let mut update = MergeUpdate::from_document(document)
        .nested(
            "integrations",
            tenant.integrations.as_ref().map(encode_integrations),
            INTEGRATIONS_FIELDS,
        )
        .nested("billingInfo", billing_info.map(encode_billing_fields), BILLING_FIELDS);
    if let Some(billing_info) = billing_info {
        let address = billing_info.address.as_ref().map(encode_address);
        update = update.nested("billingInfo.address", address, ADDRESS_FIELDS);
    }
    update.pipeline()
}

const BILLING_FIELDS: &[&str] = &["companyName", "email", "vatId"];
const ADDRESS_FIELDS: &[&str] = &["line1", "line2", "city", "region", "postalCode", "country"];
const INTEGRATIONS_FIELDS: &[&str] = &["authentikGroup", "ocisSpace", "stalwartDomain"];

fn encode_billing(billing: &BillingInfo) -> Document {
    let mut document = encode_billing_fields(billing);
    insert_some(&mut document, "address", billing.address.as_ref().map(encode_address));
    document
}

/// Encodes billing information without the address.
fn encode_billing_fields(billing: &BillingInfo) -> Document {
    let mut document = Document::new();
    insert_some(&mut document, "companyName", billing.company_name.as_deref());
    insert_some(&mut document, "email", billing.email.as_deref());
    insert_some(&mut document, "vatId", billing.vat_id.as_deref());
    document
}

fn encode_address(address: &PostalAddress) -> Document {
    let mut document = Document::new();
    insert_some(&mut document, "line1", address.line1.as_deref());
    insert_some(&mut document, "line2", address.line2.as_deref());
    insert_some(&mut document, "city", address.city.as_deref());
    insert_some(&mut document, "region", address.region.as_deref());
    insert_some(&mut document, "postalCode", address.postal_code.as_deref());
    insert_some(&mut document, "country", address.country.as_deref());
    document
}

fn encode_integrations(integrations: &TenantIntegrations) -> Document {
    let mut document = Document::new();
    insert_some(&mut document, "authentikGroup", integrations.authentik_group.as_deref());
    insert_some(&mut document, "ocisSpace", integrations.ocis_space.as_deref());
    insert_some(&mut document, "stalwartDomain", integrations.stalwart_domain.as_deref());
    document
}
