//! Defines the indexes. Every query of the store is served by one of them.

use mongodb::{
    IndexModel,
    bson::{Bson, Document, doc},
    options::{Collation, CollationStrength, IndexOptions},
};

use super::queries::live_statuses;
use crate::domain::{invitation::InvitationStatus, user::TenantRole};

/// The collation of the orders by name and slug. It ignores case, also beyond ASCII.
pub(super) fn name_collation() -> Collation {
    Collation::builder().locale("en").strength(CollationStrength::Secondary).build()
}

/// Returns the required indexes of each collection.
pub(super) fn all() -> Vec<(&'static str, Vec<IndexModel>)> {
    vec![
        ("tenants", tenants()),
        ("users", users()),
        ("subscriptions", subscriptions()),
        ("invitations", invitations()),
        ("auditEvents", audit_events()),
        ("tombstones", tombstones()),
        ("requests", requests()),
        ("outbox", outbox()),
        ("tenantSearchKeys", search_keys()),
        ("userSearchKeys", search_keys()),
    ]
}

fn tenants() -> Vec<IndexModel> {
    let group = "integrations.authentikGroup";
    vec![
        unique("slug_unique", doc! { "slug": 1 }, Some(present("slug"))),
        unique("domains_unique", doc! { "domains": 1 }, Some(present("domains"))),
        unique("authentikGroup_unique", doc! { group: 1 }, Some(present(group))),
        plain("by_createdAt", doc! { "createdAt": -1, "_id": -1 }),
        plain("by_updatedAt", doc! { "updatedAt": -1, "_id": -1 }),
        collated("by_name", doc! { "name": 1, "_id": 1 }),
        collated("by_slug", doc! { "slug": 1, "_id": 1 }),
    ]
}

fn users() -> Vec<IndexModel> {
    vec![
        unique("identity_unique", doc! { "subject": 1, "issuer": 1 }, Some(present("subject"))),
        plain("members", doc! { "memberships.tenantId": 1, "_id": 1 }),
        owners(),
        plain("by_createdAt", doc! { "createdAt": -1, "_id": -1 }),
        plain("by_updatedAt", doc! { "updatedAt": -1, "_id": -1 }),
        collated("by_name", doc! { "name": 1, "_id": 1 }),
    ]
}

fn subscriptions() -> Vec<IndexModel> {
    let live = doc! { "status": { "$in": live_statuses() } };
    vec![
        unique("live_unique", doc! { "tenantId": 1 }, Some(live)),
        plain("by_createdAt", doc! { "createdAt": -1, "_id": -1 }),
        plain("by_updatedAt", doc! { "updatedAt": -1, "_id": -1 }),
        plain("by_currentPeriodEnd", doc! { "currentPeriodEnd": -1, "_id": -1 }),
        plain("tenant_by_createdAt", doc! { "tenantId": 1, "createdAt": -1, "_id": -1 }),
        plain("tenant_by_updatedAt", doc! { "tenantId": 1, "updatedAt": -1, "_id": -1 }),
        plain("tenant_by_periodEnd", doc! { "tenantId": 1, "currentPeriodEnd": -1, "_id": -1 }),
    ]
}

fn invitations() -> Vec<IndexModel> {
    let pending = doc! { "status": InvitationStatus::Pending.as_str() };
    vec![
        unique("pending_unique", doc! { "tenantId": 1, "email": 1 }, Some(pending)),
        plain("tenant_by_createdAt", doc! { "tenantId": 1, "createdAt": -1, "_id": -1 }),
        plain("tenant_by_status", doc! { "tenantId": 1, "status": 1, "expiresAt": 1 }),
    ]
}

fn audit_events() -> Vec<IndexModel> {
    vec![
        plain("by_at", doc! { "at": -1, "_id": -1 }),
        plain("tenant_by_at", doc! { "tenantIds": 1, "at": -1, "_id": -1 }),
        plain("actor_by_at", doc! { "actorId": 1, "at": -1, "_id": -1 }),
        plain("action_by_at", doc! { "action": 1, "at": -1, "_id": -1 }),
    ]
}

fn tombstones() -> Vec<IndexModel> {
    let markers = Some(doc! { "tenantId": { "$exists": true } });
    vec![
        plain("identity", doc! { "subject": 1, "issuer": 1, "deletedAt": -1 }),
        // The index of the marker documents.
        partial("leftovers", doc! { "tenantId": 1 }, markers),
    ]
}

fn requests() -> Vec<IndexModel> {
    // This is not a TTL index. Records expire by the clock of the gateway.
    vec![plain("by_expiresAt", doc! { "expiresAt": 1 })]
}

fn outbox() -> Vec<IndexModel> {
    vec![plain("by_dueAt", doc! { "dueAt": 1 })]
}

fn search_keys() -> Vec<IndexModel> {
    vec![
        plain("by_key", doc! { "class": 1, "key": 1, "ownerId": 1 }),
        plain("of_owner", doc! { "ownerId": 1 }),
    ]
}

/// Returns the index of all owners. They are few, so the check for an owner does not read all
/// members of a tenant.
fn owners() -> IndexModel {
    let keys = doc! { "memberships.tenantId": 1, "_id": 1, "memberships.role": 1 };
    let owner = TenantRole::Owner.as_str();
    partial("owners", keys, Some(doc! { "memberships.role": owner }))
}

fn plain(name: &str, keys: Document) -> IndexModel {
    index(keys, IndexOptions::builder().name(name.to_owned()).build())
}

fn partial(name: &str, keys: Document, filter: Option<Document>) -> IndexModel {
    let options = IndexOptions::builder().name(name.to_owned());
    index(keys, options.partial_filter_expression(filter).build())
}

fn collated(name: &str, keys: Document) -> IndexModel {
    index(keys, IndexOptions::builder().name(name.to_owned()).collation(name_collation()).build())
}

fn unique(name: &str, keys: Document, filter: Option<Document>) -> IndexModel {
    let options = IndexOptions::builder().name(name.to_owned()).unique(true);
    index(keys, options.partial_filter_expression(filter).build())
}

/// Returns the filter of an index of documents that have text in a field. A document without it is
/// unreadable, or has nothing that must be unique.
fn present(field: &str) -> Document {
    doc! { field: { "$gt": "" } }
}

fn index(keys: Document, options: IndexOptions) -> IndexModel {
    IndexModel::builder().keys(keys).options(options).build()
}

/// Returns whether an existing index has the effect of a required one. Its name may differ.
pub(super) fn is_equivalent(existing: &IndexModel, required: &IndexModel) -> bool {
    let options = |index: &IndexModel| index.options.clone().unwrap_or_default();
    let (actual, expected) = (options(existing), options(required));
    let flag = |flag: Option<bool>| flag.unwrap_or(false);
    let collation = |o: &IndexOptions| {
        o.collation.as_ref().map(|c| (c.locale.clone(), c.strength.map(u32::from)))
    };
    same_keys(&existing.keys, &required.keys)
        && flag(actual.unique) == flag(expected.unique)
        && has_filter(&actual, required)
        && collation(&actual) == collation(&expected)
        && !flag(actual.sparse)
        && !flag(actual.hidden)
        && actual.expire_after.is_none()
}

/// Returns whether an existing index has the filter of a required one.
///
/// An index without a filter also suffices for a field that every readable document has. Versions up
/// to 0.1 created such indexes.
fn has_filter(actual: &IndexOptions, required: &IndexModel) -> bool {
    let expected = required.options.as_ref().and_then(|o| o.partial_filter_expression.as_ref());
    let field = required.keys.keys().next().map_or("", String::as_str);
    match &actual.partial_filter_expression {
        None => {
            expected.is_none()
                || (["slug", "subject"].contains(&field) && expected == Some(&present(field)))
        }
        filter => filter.as_ref() == expected,
    }
}

/// Returns whether both index keys have the same fields in the same order. Drivers store the
/// direction as different number types.
pub(super) fn same_keys(a: &Document, b: &Document) -> bool {
    let number = |value: &Bson| match value {
        Bson::Int32(n) => Some(f64::from(*n)),
        Bson::Int64(n) => Some(*n as f64),
        Bson::Double(n) => Some(*n),
        _ => None,
    };
    a.len() == b.len()
        && a.iter().zip(b).all(|((a_key, a), (b_key, b))| {
            a_key == b_key && number(a).is_some() && number(a) == number(b)
        })
}
