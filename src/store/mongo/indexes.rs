//! The indexes: every query of this program is served by one of these.

use mongodb::{
    IndexModel,
    bson::{Bson, Document, doc},
    options::{Collation, CollationStrength, IndexOptions},
};

use super::queries::live_statuses;
use crate::domain::user::TenantRole;

/// How names are compared: without regard to case, beyond ASCII too, whoever wrote the document.
pub(super) fn name_collation() -> Collation {
    Collation::builder().locale("en").strength(CollationStrength::Secondary).build()
}

/// What each collection has to have.
pub(super) fn all() -> Vec<(&'static str, Vec<IndexModel>)> {
    vec![
        ("tenants", tenants()),
        ("users", users()),
        ("subscriptions", subscriptions()),
        ("auditEvents", audit_events()),
        ("tombstones", tombstones()),
        ("requests", requests()),
    ]
}

fn tenants() -> Vec<IndexModel> {
    let group = "integrations.authentikGroup";
    vec![
        unique("slug_unique", doc! { "slug": 1 }, None),
        unique("domains_unique", doc! { "domains": 1 }, Some(doc! { "domains": { "$gt": "" } })),
        unique("authentikGroup_unique", doc! { group: 1 }, Some(doc! { group: { "$gt": "" } })),
        plain("by_createdAt", doc! { "createdAt": -1, "_id": -1 }),
        plain("by_updatedAt", doc! { "updatedAt": -1, "_id": -1 }),
        // For the order and for the search; the domains for the search alone.
        collated("by_name", doc! { "name": 1, "_id": 1 }),
        collated("by_slug", doc! { "slug": 1, "_id": 1 }),
        collated("domains_search", doc! { "domains": 1 }),
    ]
}

fn users() -> Vec<IndexModel> {
    vec![
        unique("identity_unique", doc! { "subject": 1, "issuer": 1 }, None),
        plain("members", doc! { "memberships.tenantId": 1, "_id": 1 }),
        owners(),
        plain("by_createdAt", doc! { "createdAt": -1, "_id": -1 }),
        plain("by_updatedAt", doc! { "updatedAt": -1, "_id": -1 }),
        collated("by_name", doc! { "name": 1, "_id": 1 }),
        collated("email_search", doc! { "email": 1 }),
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

fn audit_events() -> Vec<IndexModel> {
    vec![
        plain("by_at", doc! { "at": -1, "_id": -1 }),
        plain("tenant_by_at", doc! { "tenantIds": 1, "at": -1, "_id": -1 }),
        plain("actor_by_at", doc! { "actorId": 1, "at": -1, "_id": -1 }),
        plain("action_by_at", doc! { "action": 1, "at": -1, "_id": -1 }),
    ]
}

fn tombstones() -> Vec<IndexModel> {
    let leftovers = Some(doc! { "tenantId": { "$exists": true } });
    vec![
        plain("identity", doc! { "subject": 1, "issuer": 1, "deletedAt": -1 }),
        partial("leftovers", doc! { "tenantId": 1 }, leftovers),
    ]
}

fn requests() -> Vec<IndexModel> {
    // It does not end documents by itself: what time it is, this program says.
    vec![plain("by_expiresAt", doc! { "expiresAt": 1 })]
}

/// Those who own something: few, so whether a tenant still has an owner is told without a look at
/// all of its members.
fn owners() -> IndexModel {
    let keys = doc! { "memberships.tenantId": 1, "_id": 1, "memberships.role": 1 };
    let owner = TenantRole::Owner.as_str();
    partial("owners", keys, Some(doc! { "memberships.role": owner }))
}

fn plain(name: &str, keys: Document) -> IndexModel {
    index(keys, IndexOptions::builder().name(name.to_owned()).build())
}

fn partial(name: &str, keys: Document, only: Option<Document>) -> IndexModel {
    let options = IndexOptions::builder().name(name.to_owned());
    index(keys, options.partial_filter_expression(only).build())
}

fn collated(name: &str, keys: Document) -> IndexModel {
    index(keys, IndexOptions::builder().name(name.to_owned()).collation(name_collation()).build())
}

fn unique(name: &str, keys: Document, only: Option<Document>) -> IndexModel {
    let options = IndexOptions::builder().name(name.to_owned()).unique(true);
    index(keys, options.partial_filter_expression(only).build())
}

fn index(keys: Document, options: IndexOptions) -> IndexModel {
    IndexModel::builder().keys(keys).options(options).build()
}

/// Whether an index that is there does what a wanted one should, under whichever name.
pub(super) fn is_equivalent(there: &IndexModel, wanted: &IndexModel) -> bool {
    let options = |index: &IndexModel| index.options.clone().unwrap_or_default();
    let (is, should) = (options(there), options(wanted));
    let flag = |flag: Option<bool>| flag.unwrap_or(false);
    let collation = |o: &IndexOptions| {
        o.collation.as_ref().map(|c| (c.locale.clone(), c.strength.map(u32::from)))
    };
    same_keys(&there.keys, &wanted.keys)
        && flag(is.unique) == flag(should.unique)
        && is.partial_filter_expression == should.partial_filter_expression
        && collation(&is) == collation(&should)
        && !flag(is.sparse)
        && !flag(is.hidden)
        && is.expire_after.is_none()
}

/// The same fields in the same order; drivers differ in how they write a 1.
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
