//! Converts tenants, after a survey of all values that must be unique among them.

use std::collections::{HashMap, HashSet};

use mongodb::bson::{RawBsonRef, RawDocument};

use super::{
    fields::{Conversion, OldFields, created_at, get, require_id},
    values,
};
use crate::{
    domain::{
        id::ObjectId,
        migration::{
            report::FindingKind,
            slugs::{AssignedSlug, SlugClaim, assign_slugs},
        },
        tenant::{Plan, TenantStatus},
        text,
        time::Timestamp,
    },
    store::mongo::documents,
};

/// The path of the unique group.
const GROUP: &str = "integrations.authentikGroup";
/// The fields of a billing address and contact, all of which are text.
const BILLING_FIELDS: &[&str] = &[
    "companyName",
    "email",
    "vatId",
    "address.line1",
    "address.line2",
    "address.city",
    "address.region",
    "address.postalCode",
    "address.country",
];

/// The parts of the database that decide about a tenant.
#[derive(Default)]
pub(super) struct TenantContext {
    /// The new slugs of tenants whose slug changes.
    slugs: HashMap<ObjectId, AssignedSlug>,
    /// The domains of each tenant that belong to another one.
    lost_domains: HashMap<ObjectId, HashSet<String>>,
    /// The tenants whose group belongs to another one.
    lost_groups: HashSet<ObjectId>,
}

impl TenantContext {
    /// Returns whether a tenant gives up a value that another tenant gets. It must be written first.
    pub(super) fn gives_up_a_value(&self, id: ObjectId) -> bool {
        self.slugs.get(&id).is_some_and(|slug| slug.is_numbered)
            || self.lost_domains.contains_key(&id)
            || self.lost_groups.contains(&id)
    }
}

/// Returns the changes that convert a tenant, or the reason why it cannot be converted.
pub(super) fn convert<'a>(
    raw: &'a RawDocument,
    fields: &OldFields,
    context: &TenantContext,
) -> Result<Conversion<'a>, String> {
    let id = require_id(raw)?;
    let mut conversion = Conversion::new(raw);
    let slug = set_slug(&mut conversion, id, raw, fields, context)?;
    match values::visible_text("name", fields.get(raw, "name"))? {
        Some(name) => conversion.set("name", name),
        None => {
            conversion.report(FindingKind::NameDerived, format!("the name is now {slug:?}"));
            conversion.set("name", slug);
        }
    }
    let status = values::string_enum("status", fields.get(raw, "status"), TenantStatus::parse)?;
    if let Some(status) = status {
        conversion.set("status", status.as_str());
    }
    if let Some(plan) = values::string_enum("plan", fields.get(raw, "plan"), Plan::parse)? {
        conversion.set("plan", plan.as_str());
    }
    set_domains(&mut conversion, id, raw, fields, context)?;
    set_billing_info(&mut conversion, raw, fields)?;
    for (old, new) in [
        ("authentikGroup", "authentikGroup"),
        ("ocisSpace", "ocisSpace"),
        ("stalwartDomain", "stalwartDomain"),
    ] {
        if get(raw, &format!("integrations.{new}")).is_some() {
            continue;
        }
        let Some(handle) = values::visible_text(old, fields.get(raw, old))? else { continue };
        if new == "authentikGroup" && context.lost_groups.contains(&id) {
            conversion.report(FindingKind::DuplicateGroup, values::shorten(&handle));
            conversion.kept.push(old);
        } else {
            conversion.set_nested("integrations", new, handle);
        }
    }
    conversion.set_times(fields)?;
    conversion.check(documents::tenant::decode)?;
    Ok(conversion)
}

/// Returns the changes of a tenant that cannot be converted: only those without which a unique index
/// could not exist.
pub(super) fn adjust<'a>(
    raw: &'a RawDocument,
    fields: &OldFields,
    context: &TenantContext,
) -> Conversion<'a> {
    let mut conversion = Conversion::new(raw);
    let Ok(id) = require_id(raw) else { return conversion };
    if context.slugs.get(&id).is_some_and(|slug| slug.is_numbered) {
        // A value of another type is in no unique index.
        drop(set_slug(&mut conversion, id, raw, fields, context));
    }
    if let Some(lost) = context.lost_domains.get(&id)
        && let Ok(Some(stored)) = domains(raw, fields)
    {
        let (moved, kept): (Vec<_>, Vec<_>) =
            stored.into_iter().partition(|domain| lost.contains(domain));
        for domain in &moved {
            conversion.report(FindingKind::DuplicateDomain, values::shorten(domain));
        }
        conversion.set("domains", kept);
        conversion.set("legacyDomains", [legacy_domains(raw), moved].concat());
    }
    conversion
}

fn set_slug(
    conversion: &mut Conversion<'_>,
    id: ObjectId,
    raw: &RawDocument,
    fields: &OldFields,
    context: &TenantContext,
) -> Result<String, String> {
    let value = fields.get(raw, "slug");
    let stored = values::visible_text("slug", value)?;
    let stored = stored.ok_or_else(|| values::unexpected("slug", "a string", value))?;
    let slug = context.slugs.get(&id).map_or(&stored, |assigned| &assigned.slug).clone();
    if slug != stored {
        conversion.report(FindingKind::SlugChanged, format!("{stored:?} is now {slug:?}"));
    }
    conversion.set("slug", slug.as_str());
    Ok(slug)
}

fn set_domains(
    conversion: &mut Conversion<'_>,
    id: ObjectId,
    raw: &RawDocument,
    fields: &OldFields,
    context: &TenantContext,
) -> Result<(), String> {
    let Some(stored) = domains(raw, fields)? else { return Ok(()) };
    let lost = context.lost_domains.get(&id);
    let (mut kept, mut moved) = (Vec::new(), legacy_domains(raw));
    for domain in stored {
        let canonical = canonical(&domain);
        if lost.is_some_and(|lost| lost.contains(&canonical)) {
            conversion.report(FindingKind::DuplicateDomain, values::shorten(&domain));
            moved.push(domain);
        } else if !kept.contains(&canonical) {
            if canonical != domain {
                let detail = format!("{} is now {canonical:?}", values::shorten(&domain));
                conversion.report(FindingKind::DomainChanged, detail);
            }
            kept.push(canonical);
        }
    }
    conversion.set("domains", kept);
    if lost.is_some() {
        conversion.set("legacyDomains", moved);
    }
    Ok(())
}

/// Returns the domains of a tenant without blank ones. Mongoose reads a single value as an array.
fn domains(raw: &RawDocument, fields: &OldFields) -> Result<Option<Vec<String>>, String> {
    let value = fields.get(raw, "domains");
    let unexpected = || values::unexpected("domains", "an array of strings", value);
    let mut domains = match value {
        None => return Ok(None),
        Some(RawBsonRef::String(domain)) => vec![domain.to_owned()],
        Some(RawBsonRef::Array(array)) => {
            let text = |value: Result<RawBsonRef<'_>, _>| match value {
                Ok(RawBsonRef::String(text)) => Ok(text.to_owned()),
                _ => Err(unexpected()),
            };
            array.into_iter().map(text).collect::<Result<_, _>>()?
        }
        Some(_) => return Err(unexpected()),
    };
    domains.retain(|domain| !domain.trim().is_empty());
    Ok(Some(domains))
}

fn legacy_domains(raw: &RawDocument) -> Vec<String> {
    let Some(RawBsonRef::Array(array)) = get(raw, "legacyDomains") else { return Vec::new() };
    array.into_iter().flatten().filter_map(|value| Some(value.as_str()?.to_owned())).collect()
}

/// Returns a domain in ASCII form and lower case, or as it is if it is no domain.
fn canonical(domain: &str) -> String {
    text::parse_domain(domain).unwrap_or_else(|| domain.to_owned())
}

/// Converts numbers in the billing information, such as postal codes, to text.
fn set_billing_info(
    conversion: &mut Conversion<'_>,
    raw: &RawDocument,
    fields: &OldFields,
) -> Result<(), String> {
    let Some(stored) = fields.get(raw, "billingInfo") else { return Ok(()) };
    if get(raw, "billingInfo") != Some(stored) {
        let moved = mongodb::bson::Bson::try_from(stored);
        conversion.set("billingInfo", moved.map_err(|_| "billingInfo: malformed".to_owned())?);
        return Ok(());
    }
    for field in BILLING_FIELDS {
        let path = format!("billingInfo.{field}");
        if let Some(text) = values::text(&path, get(raw, &path))? {
            conversion.set(&path, text);
        }
    }
    Ok(())
}

/// Collects the values of all tenants that must be unique.
#[derive(Default)]
pub(super) struct TenantSurvey {
    slugs: Vec<SlugClaim>,
    claims: Vec<UniqueClaim>,
    /// The identifiers of all tenants.
    pub(super) ids: HashSet<ObjectId>,
}

/// The domains and the group of a tenant.
struct UniqueClaim {
    converts: bool,
    created_at: Timestamp,
    id: ObjectId,
    domains: Vec<String>,
    group: Option<String>,
}

impl TenantSurvey {
    /// Takes note of a tenant.
    pub(super) fn add(&mut self, raw: &RawDocument, fields: &OldFields) {
        let Ok(id) = require_id(raw) else { return };
        self.ids.insert(id);
        let converts = convert(raw, fields, &TenantContext::default()).is_ok();
        let created_at = created_at(raw, fields, id);
        if let Ok(Some(slug)) = values::text("slug", fields.get(raw, "slug")) {
            self.slugs.push(SlugClaim { tenant: id, created_at, slug, is_left: !converts });
        }
        let domains = domains(raw, fields).ok().flatten().unwrap_or_default();
        let domains = match converts {
            true => domains.iter().map(|domain| canonical(domain)).collect(),
            false => domains,
        };
        let group = match get(raw, GROUP) {
            None if converts => fields.get(raw, "authentikGroup"),
            stored => stored,
        };
        let group = group.and_then(|group| values::visible_text(GROUP, Some(group)).ok()?);
        if !domains.is_empty() || group.is_some() {
            self.claims.push(UniqueClaim { converts, created_at, id, domains, group });
        }
    }

    /// Decides which tenant keeps each value: one that is left as it is, or else the oldest.
    pub(super) fn finish(mut self) -> (TenantContext, HashSet<ObjectId>) {
        self.claims.sort_by_key(|claim| (claim.converts, claim.created_at, claim.id));
        let mut context =
            TenantContext { slugs: assign_slugs(self.slugs), ..TenantContext::default() };
        let (mut owners, mut groups) = (HashMap::new(), HashSet::new());
        for claim in self.claims {
            for domain in claim.domains {
                if *owners.entry(domain.clone()).or_insert(claim.id) != claim.id {
                    context.lost_domains.entry(claim.id).or_default().insert(domain);
                }
            }
            if claim.group.is_some_and(|group| !groups.insert(group)) {
                context.lost_groups.insert(claim.id);
            }
        }
        (context, self.ids)
    }
}
