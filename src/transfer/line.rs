//! The lines of a file: the header, and one record each.
//!
//! Names of fields are those of the API. Enumerations have the stored form, and identifiers the form of
//! clients. Absent values are omitted.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::line_types::{
    AddressLine, BillingLine, ChangeLine, EventLine, IntegrationsLine, InvitationLine, Line,
    MembershipLine, StripeLine, SubscriptionLine, TenantLine, TombstoneLine, UserLine,
};
use crate::domain::{
    audit::{ActorKind, AuditEvent, FieldChange},
    id::{Entity, Id, NodeId, TenantId},
    invitation::{Invitation, InvitationStatus, MailStatus},
    record::{Record, TransferScope},
    subscription::{StripeHandles, TenantSubscription, TenantSubscriptionStatus},
    tenant::{BillingInfo, Plan, PostalAddress, Tenant, TenantIntegrations, TenantStatus},
    text,
    time::Timestamp,
    user::{Identity, Membership, MembershipSource, TenantRole, Tombstone, User},
};

const FORMAT: &str = "tenantry";
/// The version of the format. A change that older programs cannot read gets a new one.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    version: u32,
    scope: Scope,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Scope {
    All,
    Tenant(String),
}

/// Returns the first line of a file.
pub(super) fn header(scope: TransferScope) -> serde_json::Result<String> {
    let scope = match scope {
        TransferScope::Everything => Scope::All,
        TransferScope::Tenant(tenant) => Scope::Tenant(tenant.to_string()),
    };
    serde_json::to_string(&Header { format: FORMAT.to_owned(), version: VERSION, scope })
}

/// Parses the first line of a file.
pub(super) fn parse_header(text: &str) -> Result<TransferScope, String> {
    let value: Value = serde_json::from_str(text).map_err(describe)?;
    if value["format"] != FORMAT {
        return Err(r#"expected the header {"format": "tenantry", …} of an export"#.to_owned());
    }
    if value["version"] != VERSION {
        let version = &value["version"];
        return Err(format!("version {version} of the format; this program reads {VERSION}"));
    }
    let header: Header = serde_json::from_value(value).map_err(describe)?;
    Ok(match header.scope {
        Scope::All => TransferScope::Everything,
        Scope::Tenant(tenant) => TransferScope::Tenant(id("scope.tenant", &tenant)?),
    })
}

/// Returns the line of a record.
pub(super) fn to_line(record: &Record) -> serde_json::Result<String> {
    serde_json::to_string(&match record {
        Record::Tenant(tenant) => Line::Tenant(tenant_line(tenant.clone())),
        Record::User(user) => Line::User(user_line(user.clone())),
        Record::Subscription(subscription) => {
            Line::Subscription(subscription_line(subscription.clone()))
        }
        Record::Invitation(invitation) => Line::Invitation(invitation_line(invitation.clone())),
        Record::AuditEvent(event) => Line::AuditEvent(event_line(event.clone())),
        Record::Tombstone(Tombstone { identity, deleted_at }) => Line::Tombstone(TombstoneLine {
            issuer: identity.issuer.clone(),
            subject: identity.subject.clone(),
            deleted_at: deleted_at.to_string(),
        }),
    })
}

fn tenant_line(tenant: Tenant) -> TenantLine {
    let address = |address: PostalAddress| AddressLine {
        line1: address.line1,
        line2: address.line2,
        city: address.city,
        region: address.region,
        postal_code: address.postal_code,
        country: address.country,
    };
    TenantLine {
        id: tenant.id.to_string(),
        slug: tenant.slug,
        name: tenant.name,
        status: tenant.status.as_str().to_owned(),
        plan: tenant.plan.as_str().to_owned(),
        domains: tenant.domains,
        billing_info: tenant.billing_info.map(|billing| BillingLine {
            company_name: billing.company_name,
            email: billing.email,
            vat_id: billing.vat_id,
            address: billing.address.map(address),
        }),
        integrations: tenant.integrations.map(|integrations| IntegrationsLine {
            authentik_group: integrations.authentik_group,
            ocis_space: integrations.ocis_space,
            stalwart_domain: integrations.stalwart_domain,
        }),
        version: tenant.version,
        created_at: tenant.created_at.to_string(),
        updated_at: tenant.updated_at.to_string(),
    }
}

fn user_line(user: User) -> UserLine {
    let membership = |membership: &Membership| MembershipLine {
        tenant_id: membership.tenant_id.to_string(),
        role: membership.role.as_str().to_owned(),
        source: membership.source.as_str().to_owned(),
        since: membership.since.to_string(),
    };
    UserLine {
        id: user.id.to_string(),
        issuer: user.identity.issuer,
        subject: user.identity.subject,
        email: user.email,
        name: user.name,
        platform_admin_source: user.platform_admin.map(|source| source.as_str().to_owned()),
        disabled: user.disabled,
        memberships: user.memberships.iter().map(membership).collect(),
        groups_as_of: user.groups_as_of.map(|at| at.to_string()),
        last_seen_at: user.last_seen_at.map(|at| at.to_string()),
        version: user.version,
        created_at: user.created_at.to_string(),
        updated_at: user.updated_at.to_string(),
    }
}

fn subscription_line(subscription: TenantSubscription) -> SubscriptionLine {
    SubscriptionLine {
        id: subscription.id.to_string(),
        tenant_id: subscription.tenant_id.to_string(),
        plan: subscription.plan.as_str().to_owned(),
        status: subscription.status.as_str().to_owned(),
        current_period_start: subscription.current_period_start.map(|at| at.to_string()),
        current_period_end: subscription.current_period_end.map(|at| at.to_string()),
        cancel_at_period_end: subscription.cancel_at_period_end,
        stripe: subscription.stripe.map(|stripe| StripeLine {
            customer_id: stripe.customer_id,
            subscription_id: stripe.subscription_id,
            price_id: stripe.price_id,
        }),
        version: subscription.version,
        created_at: subscription.created_at.to_string(),
        updated_at: subscription.updated_at.to_string(),
    }
}

fn invitation_line(invitation: Invitation) -> InvitationLine {
    InvitationLine {
        id: invitation.id.to_string(),
        tenant_id: invitation.tenant_id.to_string(),
        email: invitation.email,
        role: invitation.role.as_str().to_owned(),
        status: invitation.status.as_str().to_owned(),
        mail: invitation.mail.as_str().to_owned(),
        generation: invitation.generation,
        invited_by_id: invitation.invited_by.to_string(),
        accepted_by_id: invitation.accepted_by.map(|user| user.to_string()),
        accepted_at: invitation.accepted_at.map(|at| at.to_string()),
        expires_at: invitation.expires_at.to_string(),
        version: invitation.version,
        created_at: invitation.created_at.to_string(),
    }
}

fn event_line(event: AuditEvent) -> EventLine {
    let change = |FieldChange { field, from, to }| ChangeLine { field, from, to };
    EventLine {
        id: event.id.to_string(),
        at: event.at.to_string(),
        action: event.action,
        actor_kind: event.actor_kind.as_str().to_owned(),
        actor_id: event.actor.map(|actor| actor.to_string()),
        tenant_ids: event.tenants.iter().map(ToString::to_string).collect(),
        target_id: event.target.map(|target| target.to_string()),
        changes: event.changes.into_iter().map(change).collect(),
        request_id: event.request_id,
    }
}

/// Parses the line of a record.
pub(super) fn parse_line(text: &str) -> Result<Record, String> {
    let line: Line = serde_json::from_str(text).map_err(describe)?;
    Ok(match line {
        Line::Tenant(line) => Record::Tenant(parse_tenant(line)?),
        Line::User(line) => Record::User(parse_user(line)?),
        Line::Subscription(line) => Record::Subscription(parse_subscription(line)?),
        Line::Invitation(line) => Record::Invitation(parse_invitation(line)?),
        Line::AuditEvent(line) => Record::AuditEvent(parse_event(line)?),
        Line::Tombstone(line) => Record::Tombstone(Tombstone {
            deleted_at: time("deletedAt", &line.deleted_at)?,
            identity: Identity { issuer: line.issuer, subject: line.subject },
        }),
    })
}

fn parse_tenant(line: TenantLine) -> Result<Tenant, String> {
    let address = |address: AddressLine| PostalAddress {
        line1: address.line1,
        line2: address.line2,
        city: address.city,
        region: address.region,
        postal_code: address.postal_code,
        country: address.country,
    };
    Ok(Tenant {
        id: id("id", &line.id)?,
        slug: line.slug,
        name: line.name,
        status: known("status", &line.status, TenantStatus::parse)?,
        plan: known("plan", &line.plan, Plan::parse)?,
        domains: line.domains,
        billing_info: line.billing_info.map(|billing| BillingInfo {
            company_name: billing.company_name,
            email: billing.email,
            vat_id: billing.vat_id,
            address: billing.address.map(address),
        }),
        integrations: line.integrations.map(|integrations| TenantIntegrations {
            authentik_group: integrations.authentik_group,
            ocis_space: integrations.ocis_space,
            stalwart_domain: integrations.stalwart_domain,
        }),
        version: line.version,
        created_at: time("createdAt", &line.created_at)?,
        updated_at: time("updatedAt", &line.updated_at)?,
    })
}

fn parse_user(line: UserLine) -> Result<User, String> {
    let source = |text: &String| known("platformAdminSource", text, MembershipSource::parse);
    let membership = |line: &MembershipLine| {
        Ok::<_, String>(Membership {
            tenant_id: id("memberships.tenantId", &line.tenant_id)?,
            role: known("memberships.role", &line.role, TenantRole::parse)?,
            source: known("memberships.source", &line.source, MembershipSource::parse)?,
            since: time("memberships.since", &line.since)?,
        })
    };
    Ok(User {
        id: id("id", &line.id)?,
        platform_admin: line.platform_admin_source.as_ref().map(source).transpose()?,
        memberships: line.memberships.iter().map(membership).collect::<Result<_, _>>()?,
        groups_as_of: optional_time("groupsAsOf", line.groups_as_of.as_deref())?,
        last_seen_at: optional_time("lastSeenAt", line.last_seen_at.as_deref())?,
        created_at: time("createdAt", &line.created_at)?,
        updated_at: time("updatedAt", &line.updated_at)?,
        identity: Identity { issuer: line.issuer, subject: line.subject },
        email: line.email,
        name: line.name,
        disabled: line.disabled,
        version: line.version,
    })
}

fn parse_subscription(line: SubscriptionLine) -> Result<TenantSubscription, String> {
    let start = line.current_period_start.as_deref();
    let end = line.current_period_end.as_deref();
    Ok(TenantSubscription {
        id: id("id", &line.id)?,
        tenant_id: id("tenantId", &line.tenant_id)?,
        plan: known("plan", &line.plan, Plan::parse)?,
        status: known("status", &line.status, TenantSubscriptionStatus::parse)?,
        current_period_start: optional_time("currentPeriodStart", start)?,
        current_period_end: optional_time("currentPeriodEnd", end)?,
        cancel_at_period_end: line.cancel_at_period_end,
        stripe: line.stripe.map(|stripe| StripeHandles {
            customer_id: stripe.customer_id,
            subscription_id: stripe.subscription_id,
            price_id: stripe.price_id,
        }),
        version: line.version,
        created_at: time("createdAt", &line.created_at)?,
        updated_at: time("updatedAt", &line.updated_at)?,
    })
}

fn parse_invitation(line: InvitationLine) -> Result<Invitation, String> {
    let accepted_by = line.accepted_by_id.as_deref();
    if text::normalize_email(&line.email).as_ref() != Some(&line.email) {
        return Err("email: expected an address in lower case with an ASCII domain".to_owned());
    }
    Ok(Invitation {
        id: id("id", &line.id)?,
        tenant_id: id("tenantId", &line.tenant_id)?,
        role: known("role", &line.role, TenantRole::parse)?,
        status: known("status", &line.status, InvitationStatus::parse)?,
        mail: known("mail", &line.mail, MailStatus::parse)?,
        generation: line.generation,
        invited_by: id("invitedById", &line.invited_by_id)?,
        accepted_by: accepted_by.map(|user| id("acceptedById", user)).transpose()?,
        accepted_at: optional_time("acceptedAt", line.accepted_at.as_deref())?,
        expires_at: time("expiresAt", &line.expires_at)?,
        email: line.email,
        version: line.version,
        created_at: time("createdAt", &line.created_at)?,
    })
}

fn parse_event(line: EventLine) -> Result<AuditEvent, String> {
    let tenant = |text: &String| id::<_>("tenantIds", text);
    let target = |text: String| {
        NodeId::parse(&text).ok_or_else(|| format!("targetId: invalid identifier {text:?}"))
    };
    let change = |ChangeLine { field, from, to }| {
        if [&from, &to].into_iter().any(has_nul_key) {
            return Err("changes: a name with the character U+0000".to_owned());
        }
        Ok(FieldChange { field, from, to })
    };
    Ok(AuditEvent {
        id: id("id", &line.id)?,
        at: time("at", &line.at)?,
        action: line.action,
        actor_kind: known("actorKind", &line.actor_kind, ActorKind::parse)?,
        actor: line.actor_id.map(|actor| id("actorId", &actor)).transpose()?,
        tenants: line.tenant_ids.iter().map(tenant).collect::<Result<Vec<TenantId>, _>>()?,
        target: line.target_id.map(target).transpose()?,
        changes: line.changes.into_iter().map(change).collect::<Result<_, _>>()?,
        request_id: line.request_id,
    })
}

/// Returns whether an object has a name that BSON cannot represent.
fn has_nul_key(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_nul_key),
        Value::Object(map) => {
            map.iter().any(|(key, value)| key.contains('\0') || has_nul_key(value))
        }
        _ => false,
    }
}

fn id<E: Entity>(field: &str, text: &str) -> Result<Id<E>, String> {
    Id::parse(text).ok_or_else(|| {
        let text: String = text.chars().take(60).collect();
        format!("{field}: invalid identifier {text:?}; expected {} and 24 digits", E::PREFIX)
    })
}

fn time(field: &str, text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| format!("{field}: expected a time in RFC 3339"))
}

fn optional_time(field: &str, text: Option<&str>) -> Result<Option<Timestamp>, String> {
    text.map(|text| time(field, text)).transpose()
}

fn known<T>(field: &str, text: &str, parse: fn(&str) -> Option<T>) -> Result<T, String> {
    parse(text).ok_or_else(|| {
        let text: String = text.chars().take(60).collect();
        format!("{field}: unknown value {text:?}")
    })
}

/// Describes a fault of the JSON in one short line.
fn describe(error: impl std::fmt::Display) -> String {
    let text = error.to_string();
    // The position names line 1, because each line of the file is parsed by itself.
    let text = text.split(" at line 1 column").next().unwrap_or(&text);
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}
