//! Finds out whether a transaction was committed when the server's reply was lost.

use mongodb::bson::{Bson, Document, doc};

use super::documents::{date, idempotency::digest, oid};
use crate::domain::{change::Change, id::ObjectId};

/// Returns a collection, and a filter that matches a document only if this change was applied.
///
/// The result is `None` if another commit can leave the same state. Examples are a deleted
/// document, a tenant of the next version, and a tombstone. The changes of a mutation always
/// include an audit event, whose unique identifier is the best probe.
pub(super) fn commit_probe(change: &Change) -> Option<(&'static str, Document)> {
    let by_id = |id: ObjectId| doc! { "_id": oid(id) };
    match change {
        Change::InsertTenant(tenant) => Some(("tenants", by_id(tenant.id.raw))),
        Change::InsertSubscription(subscription) => {
            Some(("subscriptions", by_id(subscription.id.raw)))
        }
        Change::InsertInvitation(new) => Some(("invitations", by_id(new.id.raw))),
        Change::InsertUser(user) => Some(("users", by_id(user.id.raw))),
        Change::InsertAuditEvent(event) => Some(("auditEvents", by_id(event.id.raw))),
        Change::UpdateUser { user, .. } => {
            let mut filter = by_id(user.id.raw);
            filter.insert("version", user.version);
            filter.insert("updatedAt", date(user.updated_at));
            let watermark = user.groups_as_of.map_or(Bson::Null, |at| date(at).into());
            filter.insert("groupsAsOf", watermark);
            Some(("users", filter))
        }
        Change::TouchLastSeen { id, at } => {
            let mut filter = by_id(id.raw);
            filter.insert("lastSeenAt", doc! { "$gte": date(*at) });
            Some(("users", filter))
        }
        Change::InsertOutboxMessage(message) => Some(("outbox", by_id(message.id))),
        // A run identifier belongs to one run, and a run completes each step once.
        Change::RecordIdempotentStep { key, run_id, step } => Some((
            "requests",
            doc! {
                "_id": digest(key.0),
                "holder": oid(*run_id),
                "steps.ordinal": i64::from(step.root_field_index),
            },
        )),
        Change::UpdateTenant { .. }
        | Change::DeleteTenant { .. }
        | Change::LockTenant { .. }
        | Change::RequireOwner(_)
        | Change::UpdateSubscription { .. }
        | Change::DeleteSubscription { .. }
        | Change::RequireNoLiveSubscription(_)
        | Change::UpdateInvitation { .. }
        | Change::SetInvitationMail { .. }
        | Change::LimitPendingInvitations { .. }
        | Change::LockUser { .. }
        | Change::DeleteUser { .. }
        | Change::InsertTombstone(_)
        | Change::DeleteTombstones { .. }
        | Change::RemoveOutboxMessage { .. }
        | Change::PostponeOutboxMessage { .. } => None,
    }
}
