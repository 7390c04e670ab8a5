//! What tells that changes were applied, where the answer to a commit never came.

use mongodb::bson::{Bson, Document, doc};

use super::documents::{date, idempotency::digest, oid};
use crate::domain::{change::Change, id::ObjectId};

/// What is found in a collection once a change is applied, and never otherwise; or `None` where
/// nothing is that another one cannot have left there as well: a document that is gone, a tenant
/// of the next version, a tombstone. Every list of a mutation has an event among it, whose
/// identifier is the best of marks.
pub(super) fn commit_probe(change: &Change) -> Option<(&'static str, Document)> {
    let id = |id: ObjectId| doc! { "_id": oid(id) };
    match change {
        Change::InsertTenant(tenant) => Some(("tenants", id(tenant.id.raw))),
        Change::InsertSubscription(subscription) => {
            Some(("subscriptions", id(subscription.id.raw)))
        }
        Change::InsertUser(user) => Some(("users", id(user.id.raw))),
        Change::InsertAuditEvent(event) => Some(("auditEvents", id(event.id.raw))),
        Change::UpdateUser { user, .. } => {
            let mut mark = id(user.id.raw);
            mark.insert("version", user.version);
            mark.insert("updatedAt", date(user.updated_at));
            let watermark = user.groups_as_of.map_or(Bson::Null, |at| date(at).into());
            mark.insert("groupsAsOf", watermark);
            Some(("users", mark))
        }
        Change::TouchLastSeen { id: user, at } => {
            let mut mark = id(user.raw);
            mark.insert("lastSeenAt", doc! { "$gte": date(*at) });
            Some(("users", mark))
        }
        // A holder is one run, and a run does each step once.
        Change::RecordIdempotentStep { key, run_id: holder, step } => Some((
            "requests",
            doc! {
                "_id": digest(key.0),
                "holder": oid(*holder),
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
        | Change::DeleteUser { .. }
        | Change::InsertTombstone(_)
        | Change::DeleteTombstones { .. } => None,
    }
}
