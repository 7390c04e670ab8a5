//! Making, changing and deleting tenants.

use super::{AuditContext, Edit, EditError, check_input, fields};
use crate::domain::{
    change::Change,
    id::{NodeId, SubscriptionId, TenantId},
    input_error::InputError,
    patch::Patch,
    subscription::TenantSubscription,
    sync::LEEWAY,
    tenant::{BillingInfo, Plan, PostalAddress, Tenant, TenantIntegrations, TenantStatus},
    text,
};

/// How many domains a tenant has at most.
pub const DOMAINS_MAX: usize = 100;
/// The longest line of an address and of names at other parts of the platform, in characters.
const LINE_MAX: usize = 200;

/// What an input says of a tenant, as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantPatch {
    /// The slug.
    pub slug: Patch<String>,
    /// The name.
    pub name: Patch<String>,
    /// The status.
    pub status: Patch<TenantStatus>,
    /// The plan.
    pub plan: Patch<Plan>,
    /// All domains.
    pub domains: Patch<Vec<String>>,
    /// Whom to bill.
    pub billing_info: Patch<BillingPatch>,
    /// Where the platform's other parts know it.
    pub integrations: Patch<IntegrationsPatch>,
}

impl TenantPatch {
    /// Whether it names what only those who run the platform may change.
    #[must_use]
    pub const fn names_platform_fields(&self) -> bool {
        let Self { slug, name: _, status, plan, domains: _, billing_info: _, integrations } = self;
        !(slug.is_keep() && status.is_keep() && plan.is_keep() && integrations.is_keep())
    }
}

/// What an input says of whom to bill.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BillingPatch {
    /// The company's registered name.
    pub company_name: Patch<String>,
    /// Where invoices go.
    pub email: Patch<String>,
    /// The VAT identification number.
    pub vat_id: Patch<String>,
    /// Where the company is.
    pub address: Patch<AddressPatch>,
}

/// What an input says of an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressPatch {
    /// Street and number.
    pub line1: Patch<String>,
    /// What does not fit the first line.
    pub line2: Patch<String>,
    /// City.
    pub city: Patch<String>,
    /// State, province or canton.
    pub region: Patch<String>,
    /// Postal code.
    pub postal_code: Patch<String>,
    /// Country, ISO 3166-1 alpha-2.
    pub country: Patch<String>,
}

/// What an input says of where the platform's other parts know a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IntegrationsPatch {
    /// The group at the identity provider.
    pub authentik_group: Patch<String>,
    /// The file space.
    pub ocis_space: Patch<String>,
    /// The mail domain.
    pub stalwart_domain: Patch<String>,
}

/// Identifiers of a new tenant and its first subscription.
#[derive(Clone, Copy, Debug)]
pub struct NewTenant {
    /// The tenant's.
    pub tenant: TenantId,
    /// The subscription's.
    pub subscription: SubscriptionId,
}

/// A new tenant, with its first subscription of the same plan, in its trial.
pub fn create(
    ids: NewTenant,
    patch: TenantPatch,
    deed: &AuditContext,
) -> Result<Edit<Tenant>, EditError> {
    let mut tenant = Tenant::new(ids.tenant, deed.now);
    let mut faults = Vec::new();
    apply(patch, &mut tenant, &mut faults);
    check_input(faults, None, 1)?;
    let subscription = TenantSubscription::new_trial(&tenant, ids.subscription, deed.now);
    let told = fields::diff(None, Some(&tenant));
    let event = deed.event("tenant.create", NodeId::Tenant(tenant.id), vec![tenant.id], told);
    let changes =
        vec![Change::InsertTenant(tenant.clone()), Change::InsertSubscription(subscription), event];
    Ok(Edit { value: tenant, changes })
}

/// A tenant as it would be after this, and whether its plan would be another; nothing is decided
/// for its subscription yet.
pub fn update(
    stored: &Tenant,
    version: Option<i32>,
    patch: TenantPatch,
) -> Result<Tenant, EditError> {
    let mut tenant = stored.clone();
    let mut faults = Vec::new();
    apply(patch, &mut tenant, &mut faults);
    check_input(faults, version, stored.version)?;
    Ok(tenant)
}

/// What has to be committed to make of the stored tenant what [`update`] gave. `live` is its
/// subscription that is not over, which matters only where the plan is another.
#[must_use]
pub fn commit_update(
    stored: &Tenant,
    mut tenant: Tenant,
    live: Option<&TenantSubscription>,
    deed: &AuditContext,
) -> Edit<Tenant> {
    let mut told = fields::diff(Some(stored), Some(&tenant));
    if told.is_empty() {
        return Edit::unchanged(stored.clone());
    }
    tenant.version = tenant.version.saturating_add(1);
    tenant.updated_at = deed.now;
    let mut changes = vec![Change::UpdateTenant { was: stored.version, tenant: tenant.clone() }];
    if tenant.plan != stored.plan {
        match live {
            None => changes.push(Change::RequireNoLiveSubscription(tenant.id)),
            Some(live) if live.plan == tenant.plan => {}
            Some(live) => {
                let mut subscription = live.clone();
                subscription.plan = tenant.plan;
                told.extend(fields::diff(Some(live), Some(&subscription)).into_iter().map(
                    |mut change| {
                        change.field = format!("subscription.{}", change.field);
                        change
                    },
                ));
                subscription.version = subscription.version.saturating_add(1);
                subscription.updated_at = deed.now;
                changes.push(Change::UpdateSubscription { was: live.version, subscription });
            }
        }
    }
    changes.push(deed.event("tenant.update", NodeId::Tenant(tenant.id), vec![tenant.id], told));
    Edit { value: tenant, changes }
}

/// A tenant ends, with its subscriptions and memberships.
pub fn delete(
    stored: &Tenant,
    version: Option<i32>,
    deed: &AuditContext,
) -> Result<Edit<TenantId>, EditError> {
    super::check_version(version, stored.version)?;
    let told = fields::diff(Some(stored), None);
    let event = deed.event("tenant.delete", NodeId::Tenant(stored.id), vec![stored.id], told);
    let watermark = deed.now.saturating_add(LEEWAY);
    let delete =
        Change::DeleteTenant { id: stored.id, was: stored.version, at: deed.now, watermark };
    Ok(Edit { value: stored.id, changes: vec![delete, event] })
}

fn apply(patch: TenantPatch, tenant: &mut Tenant, faults: &mut Vec<InputError>) {
    let TenantPatch { slug, name, status, plan, domains, billing_info, integrations } = patch;
    slug.apply_required("input.slug", &mut tenant.slug, faults, |slug| parse_slug(&slug));
    name.apply_required("input.name", &mut tenant.name, faults, |name| parse_name(&name));
    status.apply_required("input.status", &mut tenant.status, faults, Ok);
    plan.apply_required("input.plan", &mut tenant.plan, faults, Ok);
    let mut list_faults = Vec::new();
    domains.apply_required("input.domains", &mut tenant.domains, faults, |list| {
        Ok(read_domains(list, &mut list_faults))
    });
    faults.append(&mut list_faults);
    billing_info
        .apply_nested(&mut tenant.billing_info, |patch, info| apply_billing(patch, info, faults));
    integrations
        .apply_nested(&mut tenant.integrations, |patch, to| apply_integrations(patch, to, faults));
}

fn parse_slug(slug: &str) -> Result<String, &'static str> {
    if !text::is_slug(slug) {
        return Err("must be 2 to 63 of a-z, 0-9 and -, with no - at its ends");
    }
    if text::is_reserved(slug) {
        return Err("is a reserved word");
    }
    Ok(slug.to_owned())
}

pub(super) fn parse_name(name: &str) -> Result<String, &'static str> {
    text::parse_name(name).ok_or("must be 1 to 200 characters without control characters")
}

pub(super) fn parse_email(email: &str) -> Result<String, &'static str> {
    text::parse_email(email).ok_or("must be an e-mail address of at most 254 bytes")
}

/// The domains in their stored form; each that cannot be one is a fault of its own.
fn read_domains(list: Vec<String>, faults: &mut Vec<InputError>) -> Vec<String> {
    if list.len() > DOMAINS_MAX {
        faults.push(InputError::at("input.domains", format!("must be at most {DOMAINS_MAX}")));
        return Vec::new();
    }
    let mut domains = Vec::with_capacity(list.len());
    for (index, given) in list.into_iter().enumerate() {
        let mut fault =
            |message| faults.push(InputError::at(format!("input.domains.{index}"), message));
        match parse_domain(&given) {
            Ok(domain) if domains.contains(&domain) => fault("is there twice"),
            Ok(domain) => domains.push(domain),
            Err(message) => fault(message),
        }
    }
    domains
}

fn parse_domain(given: &str) -> Result<String, &'static str> {
    let domain = text::parse_domain(given).ok_or("must be a DNS name of at most 253 characters")?;
    if text::is_public_suffix(&domain) {
        return Err("is a public suffix, which belongs to nobody");
    }
    Ok(domain)
}

fn apply_billing(patch: BillingPatch, info: &mut BillingInfo, faults: &mut Vec<InputError>) {
    let BillingPatch { company_name, email, vat_id, address } = patch;
    let at = |name: &str| format!("input.billingInfo.{name}");
    company_name.apply_optional(&at("companyName"), &mut info.company_name, faults, |t| {
        parse_optional_line(&t)
    });
    email.apply_optional(&at("email"), &mut info.email, faults, |t| {
        parse_unless_empty(&t, parse_email)
    });
    vat_id.apply_optional(&at("vatId"), &mut info.vat_id, faults, |t| {
        parse_unless_empty(&t, |t| {
            text::parse_vat_id(t)
                .ok_or("must be a VAT identification number with its country before it")
        })
    });
    address.apply_nested(&mut info.address, |patch, address| apply_address(patch, address, faults));
}

fn apply_address(patch: AddressPatch, address: &mut PostalAddress, faults: &mut Vec<InputError>) {
    let AddressPatch { line1, line2, city, region, postal_code, country } = patch;
    let at = |name: &str| format!("input.billingInfo.address.{name}");
    line1.apply_optional(&at("line1"), &mut address.line1, faults, |t| parse_optional_line(&t));
    line2.apply_optional(&at("line2"), &mut address.line2, faults, |t| parse_optional_line(&t));
    city.apply_optional(&at("city"), &mut address.city, faults, |t| parse_optional_line(&t));
    region.apply_optional(&at("region"), &mut address.region, faults, |t| parse_optional_line(&t));
    postal_code.apply_optional(&at("postalCode"), &mut address.postal_code, faults, |t| {
        parse_optional_line(&t)
    });
    country.apply_optional(&at("country"), &mut address.country, faults, |t| {
        parse_unless_empty(&t, |t| {
            let code = text::parse_country(t).map(str::to_owned);
            code.ok_or("must be a country's code: ISO 3166-1 alpha-2")
        })
    });
}

fn apply_integrations(
    patch: IntegrationsPatch,
    to: &mut TenantIntegrations,
    faults: &mut Vec<InputError>,
) {
    let IntegrationsPatch { authentik_group, ocis_space, stalwart_domain } = patch;
    let at = |name: &str| format!("input.integrations.{name}");
    authentik_group.apply_optional(&at("authentikGroup"), &mut to.authentik_group, faults, |t| {
        parse_optional_line(&t)
    });
    ocis_space
        .apply_optional(&at("ocisSpace"), &mut to.ocis_space, faults, |t| parse_optional_line(&t));
    stalwart_domain.apply_optional(&at("stalwartDomain"), &mut to.stalwart_domain, faults, |t| {
        parse_unless_empty(&t, parse_domain)
    });
}

/// A line of text; an empty one is none, as forms send it.
pub(super) fn parse_optional_line(given: &str) -> Result<Option<String>, &'static str> {
    let line = text::parse_line(given, LINE_MAX)
        .ok_or("must be at most 200 characters without control characters")?;
    Ok((!line.is_empty()).then(|| line.to_owned()))
}

/// A text of a form of its own; an empty one is none.
pub(super) fn parse_unless_empty(
    given: &str,
    read: impl FnOnce(&str) -> Result<String, &'static str>,
) -> Result<Option<String>, &'static str> {
    if given.trim().is_empty() { Ok(None) } else { read(given).map(Some) }
}
