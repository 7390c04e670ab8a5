//! Converts tenants. Domains are rows of another table. Billing information and integrations are
//! JSON columns.

use rusqlite::{Row, Transaction, params};
use serde::{Deserialize, Serialize};

use super::super::search_keys;
use super::{DecodeResult, Fields, decode_or_log};
use crate::domain::{
    list::Decoded,
    tenant::{BillingInfo, Plan, PostalAddress, Tenant, TenantIntegrations, TenantStatus},
    text,
};

/// The columns that [`decode`] needs, of a table with the alias `t`.
pub(in super::super) const COLUMNS: &str = "t.id, t.slug, t.slug_fold, t.name, t.name_fold, \
    t.status, t.plan, t.billing_info, t.authentik_group, t.integrations, t.version, t.created_at, \
    t.updated_at, (SELECT json_group_array(d.domain ORDER BY d.ordinal) FROM tenant_domains d \
    WHERE d.tenant_id = t.id) AS domains";

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct BillingJson {
    company_name: Option<String>,
    email: Option<String>,
    vat_id: Option<String>,
    address: Option<AddressJson>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct AddressJson {
    line1: Option<String>,
    line2: Option<String>,
    city: Option<String>,
    region: Option<String>,
    postal_code: Option<String>,
    country: Option<String>,
}

/// The integrations except the group, which has a column of its own because it is unique.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct IntegrationsJson {
    ocis_space: Option<String>,
    stalwart_domain: Option<String>,
}

/// Decodes a tenant.
pub(in super::super) fn decode(row: &Row<'_>) -> rusqlite::Result<Decoded<Tenant>> {
    decode_or_log("tenants", row, decode_tenant)
}

fn decode_tenant(fields: &Fields<'_>) -> DecodeResult<Tenant> {
    Ok(Tenant {
        id: fields.id("id")?,
        slug: fields.text("slug")?,
        name: fields.text("name")?,
        status: fields.string_enum("status", TenantStatus::parse)?,
        plan: fields.string_enum("plan", Plan::parse)?,
        domains: fields.json("domains")?,
        billing_info: fields.optional_json("billing_info")?.map(decode_billing_info),
        integrations: decode_integrations(fields)?,
        version: fields.version()?,
        created_at: fields.time("created_at")?,
        updated_at: fields.time("updated_at")?,
    })
}

fn decode_billing_info(json: BillingJson) -> BillingInfo {
    let BillingJson { company_name, email, vat_id, address } = json;
    let address = address.map(|a| PostalAddress {
        line1: a.line1,
        line2: a.line2,
        city: a.city,
        region: a.region,
        postal_code: a.postal_code,
        country: a.country,
    });
    BillingInfo { company_name, email, vat_id, address }
}

fn decode_integrations(fields: &Fields<'_>) -> DecodeResult<Option<TenantIntegrations>> {
    let authentik_group = fields.optional_text("authentik_group")?;
    let json: Option<IntegrationsJson> = fields.optional_json("integrations")?;
    if json.is_none() && authentik_group.is_none() {
        return Ok(None);
    }
    let IntegrationsJson { ocis_space, stalwart_domain } = json.unwrap_or_default();
    Ok(Some(TenantIntegrations { authentik_group, ocis_space, stalwart_domain }))
}

/// Inserts a tenant and its domains.
pub(in super::super) fn insert(db: &Transaction<'_>, tenant: &Tenant) -> rusqlite::Result<()> {
    let (billing_info, integrations) = json_columns(tenant)?;
    db.prepare_cached(
        "INSERT INTO tenants (id, slug, slug_fold, name, name_fold, status, plan, billing_info, \
         authentik_group, integrations, version, created_at, updated_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        tenant.id.raw.0,
        tenant.slug,
        text::case_fold(&tenant.slug),
        tenant.name,
        text::case_fold(&tenant.name),
        tenant.status.as_str(),
        tenant.plan.as_str(),
        billing_info,
        tenant.integrations.as_ref().and_then(|i| i.authentik_group.as_ref()),
        integrations,
        tenant.version,
        tenant.created_at.millis(),
        tenant.updated_at.millis(),
    ])?;
    insert_domains(db, tenant)
}

/// Updates a tenant that has the expected version.
pub(in super::super) const UPDATE: &str = "UPDATE tenants SET slug = ?1, slug_fold = ?2, \
    name = ?3, name_fold = ?4, status = ?5, plan = ?6, billing_info = ?7, authentik_group = ?8, \
    integrations = ?9, version = ?10, updated_at = ?11 WHERE id = ?12 AND version = ?13";

/// Deletes all domains of a tenant.
pub(in super::super) const DELETE_DOMAINS: &str = "DELETE FROM tenant_domains WHERE tenant_id = ?1";

/// Updates a tenant and its domains. Returns `false` if none has the expected version.
pub(in super::super) fn update(
    db: &Transaction<'_>,
    expected: i32,
    tenant: &Tenant,
) -> rusqlite::Result<bool> {
    let (billing_info, integrations) = json_columns(tenant)?;
    let updated = db.prepare_cached(UPDATE)?.execute(params![
        tenant.slug,
        text::case_fold(&tenant.slug),
        tenant.name,
        text::case_fold(&tenant.name),
        tenant.status.as_str(),
        tenant.plan.as_str(),
        billing_info,
        tenant.integrations.as_ref().and_then(|i| i.authentik_group.as_ref()),
        integrations,
        tenant.version,
        tenant.updated_at.millis(),
        tenant.id.raw.0,
        expected,
    ])?;
    if updated == 0 {
        return Ok(false);
    }
    // All domains are deleted first, so that a domain that only changes its position does not
    // conflict with itself.
    db.prepare_cached(DELETE_DOMAINS)?.execute([tenant.id.raw.0])?;
    insert_domains(db, tenant)?;
    Ok(true)
}

/// Inserts the domains of a tenant, and replaces its search keys.
fn insert_domains(db: &Transaction<'_>, tenant: &Tenant) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO tenant_domains (domain, tenant_id, ordinal) VALUES (?, ?, ?)",
    )?;
    for (ordinal, domain) in tenant.domains.iter().enumerate() {
        insert.execute(params![domain, tenant.id.raw.0, ordinal as i64])?;
    }
    search_keys::replace_of_tenant(db, tenant)
}

/// Returns the two JSON columns, billing information and integrations.
fn json_columns(tenant: &Tenant) -> rusqlite::Result<(Option<String>, Option<String>)> {
    let billing_info = tenant.billing_info.as_ref().map(billing_json);
    let integrations = tenant.integrations.as_ref().map(|i| IntegrationsJson {
        ocis_space: i.ocis_space.clone(),
        stalwart_domain: i.stalwart_domain.clone(),
    });
    Ok((
        billing_info.map(|json| super::to_json(&json)).transpose()?,
        integrations.map(|json| super::to_json(&json)).transpose()?,
    ))
}

fn billing_json(info: &BillingInfo) -> BillingJson {
    let BillingInfo { company_name, email, vat_id, address } = info.clone();
    let address = address.map(|a| AddressJson {
        line1: a.line1,
        line2: a.line2,
        city: a.city,
        region: a.region,
        postal_code: a.postal_code,
        country: a.country,
    });
    BillingJson { company_name, email, vat_id, address }
}
