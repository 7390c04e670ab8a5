//! Converts users.

use std::collections::HashSet;

use mongodb::bson::{Document, RawBsonRef, RawDocument};

use super::{
    fields::{Conversion, OldFields, created_at, get, require_id},
    values,
};
use crate::{
    domain::{
        edit::user::SUBJECT_MAX,
        id::{ObjectId, TenantId},
        migration::report::FindingKind,
        text,
        time::Timestamp,
        user::{Membership, MembershipSource, TenantRole},
    },
    store::mongo::documents,
};

/// The parts of the database that decide about a user.
pub(super) struct UserContext<'a> {
    /// The identifiers of all tenants.
    pub(super) tenants: &'a HashSet<ObjectId>,
    /// The users whose subject belongs to an older user.
    pub(super) duplicates: &'a HashSet<ObjectId>,
}

/// Returns the changes that convert a user, or the reason why it cannot be converted.
pub(super) fn convert<'a>(
    raw: &'a RawDocument,
    fields: &OldFields,
    context: &UserContext<'_>,
) -> Result<Conversion<'a>, String> {
    let id = require_id(raw)?;
    let mut conversion = Conversion::new(raw);
    let is_old = get(raw, "subject").is_none();
    let subject = subject(raw, fields)?;
    if is_old {
        if context.duplicates.contains(&id) {
            let subject = values::shorten(&subject);
            return Err(format!("authentikSubjectId: an older user has the subject {subject}"));
        }
        conversion.set("subject", subject.as_str());
    }
    let email = values::text("email", fields.get(raw, "email"))?;
    if let Some(email) = &email {
        conversion.set("email", email.as_str());
    }
    set_name(&mut conversion, raw, fields, email.as_deref(), &subject)?;
    if let Some(admin) = values::flag("platformAdmin", fields.get(raw, "platformAdmin"))? {
        conversion.set("platformAdmin", admin);
        if admin && is_old {
            conversion.set("platformAdminSource", MembershipSource::Group.as_str());
        }
    }
    if get(raw, "memberships").is_none()
        && let Some(tenants) = fields.get(raw, "tenantIds")
    {
        let since = created_at(raw, fields, id);
        let memberships = memberships(&mut conversion, raw, fields, tenants, context, since)?;
        conversion.set("memberships", memberships);
    }
    conversion.set_times(fields)?;
    conversion.check(|raw| documents::user::decode(raw, ""))?;
    Ok(conversion)
}

/// Returns the subject of a user, converted or not.
pub(super) fn subject(raw: &RawDocument, fields: &OldFields) -> Result<String, String> {
    let name = "authentikSubjectId";
    let value = get(raw, "subject").or_else(|| fields.get(raw, name));
    let subject = values::text(name, value)?.unwrap_or_default();
    let length = subject.chars().count();
    if (1..=SUBJECT_MAX).contains(&length) {
        Ok(subject)
    } else {
        Err(values::unexpected(name, "a string of 1 to 255 characters", value))
    }
}

/// Derives a missing name from the e-mail address or the subject.
fn set_name(
    conversion: &mut Conversion<'_>,
    raw: &RawDocument,
    fields: &OldFields,
    email: Option<&str>,
    subject: &str,
) -> Result<(), String> {
    if let Some(name) = values::visible_text("name", fields.get(raw, "name"))? {
        conversion.set("name", name);
        return Ok(());
    }
    let email = email.filter(|email| !email.trim().is_empty());
    let name: String = email.unwrap_or(subject).chars().take(text::NAME_MAX).collect();
    let detail = format!("the name is now {}", values::shorten(&name));
    conversion.report(FindingKind::NameDerived, detail);
    conversion.set("name", name);
    Ok(())
}

fn memberships(
    conversion: &mut Conversion<'_>,
    raw: &RawDocument,
    fields: &OldFields,
    tenants: RawBsonRef<'_>,
    context: &UserContext<'_>,
    since: Timestamp,
) -> Result<Vec<Document>, String> {
    let role = match values::string_enum("role", fields.get(raw, "role"), TenantRole::parse) {
        Ok(role) => role.unwrap_or(TenantRole::Member),
        Err(reason) => {
            conversion.report(FindingKind::UnknownRole, reason);
            TenantRole::Member
        }
    };
    let mut seen = HashSet::new();
    let mut memberships = Vec::new();
    for value in elements(tenants)? {
        match values::id(value).filter(|id| context.tenants.contains(id)) {
            Some(id) if seen.insert(id) => {
                memberships.push(documents::user::encode_membership(&Membership {
                    tenant_id: TenantId::new(id),
                    role,
                    source: MembershipSource::Group,
                    since,
                }));
            }
            Some(_) => {}
            None => {
                let tenant = values::describe(Some(value));
                conversion.report(FindingKind::AbsentTenant, format!("tenantIds: {tenant}"));
            }
        }
    }
    Ok(memberships)
}

/// Returns the elements of an array. Mongoose reads a single value as an array of one.
fn elements(value: RawBsonRef<'_>) -> Result<Vec<RawBsonRef<'_>>, String> {
    let RawBsonRef::Array(array) = value else { return Ok(vec![value]) };
    let elements: Result<Vec<_>, _> = array.into_iter().collect();
    elements.map_err(|_| values::unexpected("tenantIds", "an array", Some(value)))
}
