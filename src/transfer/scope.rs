//! The parts of a record that belong to one tenant.

use std::collections::HashSet;

use crate::domain::{
    audit::AuditEvent,
    id::{NodeId, TenantId},
    invitation::MailStatus,
    record::Record,
};

/// Returns the part of a record that belongs to one tenant, or `None` if no part does.
///
/// A member has this membership alone, and no right on the platform. Of an event that concerns several
/// tenants, the identifiers and the changes of the others are omitted.
pub(super) fn restrict(record: Record, tenant: TenantId) -> Option<Record> {
    match record {
        Record::Tenant(found) => (found.id == tenant).then_some(Record::Tenant(found)),
        Record::User(mut user) => {
            user.memberships.retain(|membership| membership.tenant_id == tenant);
            user.platform_admin = None;
            (!user.memberships.is_empty()).then_some(Record::User(user))
        }
        Record::Subscription(subscription) => {
            (subscription.tenant_id == tenant).then_some(Record::Subscription(subscription))
        }
        Record::Invitation(invitation) => {
            (invitation.tenant_id == tenant).then_some(Record::Invitation(invitation))
        }
        Record::AuditEvent(event) => restrict_event(event, tenant).map(Record::AuditEvent),
        Record::Tombstone(_) => None,
    }
}

fn restrict_event(mut event: AuditEvent, tenant: TenantId) -> Option<AuditEvent> {
    let had_others = event.tenants.iter().any(|other| *other != tenant);
    event.tenants.retain(|found| *found == tenant);
    event.tenants.truncate(1);
    if matches!(event.target, Some(NodeId::Tenant(target)) if target != tenant)
        || (had_others
            && matches!(event.target, Some(NodeId::Subscription(_) | NodeId::Invitation(_))))
    {
        event.target = None;
    }
    let is_user = matches!(event.target, Some(NodeId::User(_)));
    event.changes.retain(|change| match change.field.split_once('.') {
        Some(("memberships", rest)) => {
            TenantId::parse(rest.split('.').next().unwrap_or(rest)) == Some(tenant)
        }
        _ => !(is_user && change.field == "platformAdmin"),
    });
    (!event.tenants.is_empty()).then_some(event)
}

/// Removes repeated domains and tenants, which a manual edit of the database can leave, and the
/// memberships in tenants that do not exist. Returns `None` for a subscription or an invitation of such
/// a tenant.
///
/// `exists` is the predicate of an existing tenant.
pub(super) fn normalize(mut record: Record, exists: impl Fn(TenantId) -> bool) -> Option<Record> {
    match &mut record {
        Record::Tenant(tenant) => {
            let mut seen = HashSet::new();
            tenant.domains.retain(|domain| seen.insert(domain.clone()));
        }
        Record::User(user) => user.memberships.retain(|membership| exists(membership.tenant_id)),
        Record::Subscription(subscription) if !exists(subscription.tenant_id) => return None,
        Record::Invitation(invitation) if !exists(invitation.tenant_id) => return None,
        // The outbox is not part of an export, so nothing sends a message that is still queued.
        Record::Invitation(invitation) if invitation.mail == MailStatus::Queued => {
            invitation.mail = MailStatus::None;
        }
        Record::AuditEvent(event) => {
            let mut seen = HashSet::new();
            event.tenants.retain(|tenant| seen.insert(*tenant));
        }
        Record::Subscription(_) | Record::Invitation(_) | Record::Tombstone(_) => {}
    }
    Some(record)
}
