//! The rules of creating, updating and deleting tenants.

use super::{
    Edit, EditError, check_input, check_version, fields,
    parse::{
        parse_country, parse_domain, parse_email, parse_name, parse_optional_line, parse_slug,
        parse_unless_empty, parse_vat_id,
    },
};
use crate::domain::{
    audit::AuditContext,
    change::{Change, next_version},
    id::{NodeId, SubscriptionId, TenantId},
    input_error::InputError,
    patch::Patch,
    subscription::TenantSubscription,
    sync::LEEWAY,
    tenant::{BillingInfo, Plan, PostalAddress, Tenant, TenantIntegrations, TenantStatus},
};

/// The maximum number of domains of a tenant.
pub const DOMAINS_MAX: usize = 100;

/// The fields of a tenant input, before validation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantPatch {
    /// The patch of the slug.
    pub slug: Patch<String>,
    /// The patch of the name.
    pub name: Patch<String>,
    /// The patch of the status.
    pub status: Patch<TenantStatus>,
    /// The patch of the plan.
    pub plan: Patch<Plan>,
    /// The patch of the domains, which replaces the whole list.
    pub domains: Patch<Vec<String>>,
    /// The patch of the billing address and contact.
    pub billing_info: Patch<BillingPatch>,
    /// The patch of the names in other services of the platform.
    pub integrations: Patch<IntegrationsPatch>,
}

impl TenantPatch {
    /// Returns whether the patch names a field that only platform admins may change.
    #[must_use]
    pub const fn names_platform_fields(&self) -> bool {
        let Self { slug, name: _, status, plan, domains: _, billing_info: _, integrations } = self;
        !(slug.is_keep() && status.is_keep() && plan.is_keep() && integrations.is_keep())
    }
}

/// The billing information of a tenant input, before validation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BillingPatch {
    /// The patch of the company's registered name.
    pub company_name: Patch<String>,
    /// The patch of the e-mail address for invoices.
    pub email: Patch<String>,
    /// The patch of the VAT identification number.
    pub vat_id: Patch<String>,
    /// The patch of the company's postal address.
    pub address: Patch<AddressPatch>,
}

/// The postal address of a tenant input, before validation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressPatch {
    /// The patch of the street and number.
    pub line1: Patch<String>,
    /// The patch of the second line.
    pub line2: Patch<String>,
    /// The patch of the city.
    pub city: Patch<String>,
    /// The patch of the state, province or canton.
    pub region: Patch<String>,
    /// The patch of the postal code.
    pub postal_code: Patch<String>,
    /// The patch of the country code (ISO 3166-1 alpha-2).
    pub country: Patch<String>,
}

/// The names in other services in a tenant input, before validation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IntegrationsPatch {
    /// The patch of the group at the identity provider.
    pub authentik_group: Patch<String>,
    /// The patch of the space in the file storage.
    pub ocis_space: Patch<String>,
    /// The patch of the domain on the mail server.
    pub stalwart_domain: Patch<String>,
}

/// The identifiers of a new tenant and its first subscription.
#[derive(Clone, Copy, Debug)]
pub struct NewTenant {
    /// The identifier of the tenant.
    pub tenant: TenantId,
    /// The identifier of the subscription.
    pub subscription: SubscriptionId,
}

/// Creates a tenant with its first subscription, a trial of the same plan.
pub fn create(
    ids: NewTenant,
    patch: TenantPatch,
    context: &AuditContext,
) -> Result<Edit<Tenant>, EditError> {
    let mut tenant = Tenant::new(ids.tenant, context.timestamp);
    let mut errors = Vec::new();
    apply(patch, &mut tenant, &mut errors);
    check_input(errors, None, 1)?;
    let subscription = TenantSubscription::new_trial(&tenant, ids.subscription, context.timestamp);
    let field_changes = fields::diff(None, Some(&tenant));
    let target = NodeId::Tenant(tenant.id);
    let event = context.event("tenant.create", target, vec![tenant.id], field_changes);
    let changes = vec![
        Change::InsertTenant(tenant.clone()),
        Change::InsertSubscription(subscription),
        Change::InsertAuditEvent(event),
    ];
    Ok(Edit { value: tenant, changes })
}

/// Returns the tenant after an update, without its new version.
///
/// [`commit_update`] returns the changes. It needs the live subscription if the plan changes.
pub fn update(
    stored: &Tenant,
    version: Option<i32>,
    patch: TenantPatch,
) -> Result<Tenant, EditError> {
    let mut tenant = stored.clone();
    let mut errors = Vec::new();
    apply(patch, &mut tenant, &mut errors);
    check_input(errors, version, stored.version)?;
    Ok(tenant)
}

/// Returns the changes that replace the stored tenant with the result of [`update`].
///
/// `live` is the tenant's live subscription. It matters only if the plan changes.
#[must_use]
pub fn commit_update(
    stored: &Tenant,
    mut tenant: Tenant,
    live: Option<&TenantSubscription>,
    context: &AuditContext,
) -> Edit<Tenant> {
    let mut field_changes = fields::diff(Some(stored), Some(&tenant));
    if field_changes.is_empty() {
        return Edit::unchanged(stored.clone());
    }
    tenant.version = next_version(tenant.version);
    tenant.updated_at = context.timestamp;
    let mut changes =
        vec![Change::UpdateTenant { expected: stored.version, tenant: tenant.clone() }];
    if tenant.plan != stored.plan {
        match live {
            None => changes.push(Change::RequireNoLiveSubscription(tenant.id)),
            Some(live) if live.plan == tenant.plan => {}
            Some(live) => {
                let mut subscription = live.clone();
                subscription.plan = tenant.plan;
                field_changes.extend(
                    fields::diff(Some(live), Some(&subscription)).into_iter().map(|mut change| {
                        change.field = format!("subscription.{}", change.field);
                        change
                    }),
                );
                subscription.version = next_version(subscription.version);
                subscription.updated_at = context.timestamp;
                changes.push(Change::UpdateSubscription { expected: live.version, subscription });
            }
        }
    }
    let target = NodeId::Tenant(tenant.id);
    let event = context.event("tenant.update", target, vec![tenant.id], field_changes);
    changes.push(Change::InsertAuditEvent(event));
    Edit { value: tenant, changes }
}

/// Deletes a tenant with its subscriptions and memberships.
pub fn delete(
    stored: &Tenant,
    version: Option<i32>,
    context: &AuditContext,
) -> Result<Edit<TenantId>, EditError> {
    check_version(version, stored.version)?;
    let field_changes = fields::diff(Some(stored), None);
    let target = NodeId::Tenant(stored.id);
    let event = context.event("tenant.delete", target, vec![stored.id], field_changes);
    let (id, expected, at) = (stored.id, stored.version, context.timestamp);
    let delete = Change::DeleteTenant { id, expected, at, watermark: at.saturating_add(LEEWAY) };
    Ok(Edit { value: stored.id, changes: vec![delete, Change::InsertAuditEvent(event)] })
}

fn apply(patch: TenantPatch, tenant: &mut Tenant, errors: &mut Vec<InputError>) {
    let TenantPatch { slug, name, status, plan, domains, billing_info, integrations } = patch;
    slug.apply_required("input.slug", &mut tenant.slug, errors, |slug| parse_slug(&slug));
    name.apply_required("input.name", &mut tenant.name, errors, |name| parse_name(&name));
    status.apply_required("input.status", &mut tenant.status, errors, Ok);
    plan.apply_required("input.plan", &mut tenant.plan, errors, Ok);
    let mut domain_errors = Vec::new();
    domains.apply_required("input.domains", &mut tenant.domains, errors, |list| {
        Ok(parse_domains(list, &mut domain_errors))
    });
    errors.append(&mut domain_errors);
    billing_info
        .apply_nested(&mut tenant.billing_info, |patch, info| apply_billing(patch, info, errors));
    integrations.apply_nested(&mut tenant.integrations, |patch, integrations| {
        apply_integrations(patch, integrations, errors);
    });
}

/// Returns the domains in their stored form. Each invalid domain is an input error of its own.
fn parse_domains(list: Vec<String>, errors: &mut Vec<InputError>) -> Vec<String> {
    if list.len() > DOMAINS_MAX {
        let message = format!("must have at most {DOMAINS_MAX} domains");
        errors.push(InputError::at("input.domains", message));
        return Vec::new();
    }
    let mut domains = Vec::with_capacity(list.len());
    for (index, text) in list.into_iter().enumerate() {
        let mut add_error =
            |message| errors.push(InputError::at(format!("input.domains.{index}"), message));
        match parse_domain(&text) {
            Ok(domain) if domains.contains(&domain) => {
                add_error("must not repeat another domain of the list");
            }
            Ok(domain) => domains.push(domain),
            Err(message) => add_error(message),
        }
    }
    domains
}

fn apply_billing(patch: BillingPatch, info: &mut BillingInfo, errors: &mut Vec<InputError>) {
    let BillingPatch { company_name, email, vat_id, address } = patch;
    let path = |name: &str| format!("input.billingInfo.{name}");
    company_name.apply_optional(&path("companyName"), &mut info.company_name, errors, |text| {
        parse_optional_line(&text)
    });
    email.apply_optional(&path("email"), &mut info.email, errors, |text| {
        parse_unless_empty(&text, parse_email)
    });
    vat_id.apply_optional(&path("vatId"), &mut info.vat_id, errors, |text| {
        parse_unless_empty(&text, parse_vat_id)
    });
    address.apply_nested(&mut info.address, |patch, address| apply_address(patch, address, errors));
}

fn apply_address(patch: AddressPatch, address: &mut PostalAddress, errors: &mut Vec<InputError>) {
    let AddressPatch { line1, line2, city, region, postal_code, country } = patch;
    let path = |name: &str| format!("input.billingInfo.address.{name}");
    let parse = |text: String| parse_optional_line(&text);
    line1.apply_optional(&path("line1"), &mut address.line1, errors, parse);
    line2.apply_optional(&path("line2"), &mut address.line2, errors, parse);
    city.apply_optional(&path("city"), &mut address.city, errors, parse);
    region.apply_optional(&path("region"), &mut address.region, errors, parse);
    postal_code.apply_optional(&path("postalCode"), &mut address.postal_code, errors, parse);
    country.apply_optional(&path("country"), &mut address.country, errors, |text| {
        parse_unless_empty(&text, parse_country)
    });
}

fn apply_integrations(
    patch: IntegrationsPatch,
    integrations: &mut TenantIntegrations,
    errors: &mut Vec<InputError>,
) {
    let IntegrationsPatch { authentik_group, ocis_space, stalwart_domain } = patch;
    let path = |name: &str| format!("input.integrations.{name}");
    let parse = |text: String| parse_optional_line(&text);
    let TenantIntegrations { authentik_group: group, ocis_space: space, stalwart_domain: domain } =
        integrations;
    authentik_group.apply_optional(&path("authentikGroup"), group, errors, parse);
    ocis_space.apply_optional(&path("ocisSpace"), space, errors, parse);
    stalwart_domain.apply_optional(&path("stalwartDomain"), domain, errors, |text| {
        parse_unless_empty(&text, parse_domain)
    });
}
