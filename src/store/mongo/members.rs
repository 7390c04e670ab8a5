//! The members of many tenants at once: one look-up for each, inside one command.
//!
//! The look-up joins by `localField` and `foreignField`, which the index
//! `{memberships.tenantId, _id}` serves in the order of the page: it reads no more users than the
//! pages hold. A join by `let` and `$expr` cannot use that index, because it is multikey.

use std::collections::HashMap;

use mongodb::bson::{Document, RawDocument, doc};

use super::{
    MongoStore,
    documents::{self, decode_or_log, id_of},
    keyset::{id_bounds, sort_direction},
    queries::{batch_size_for, for_each_document, id_filter},
};
use crate::{
    domain::{
        id::TenantId,
        list::{Direction, Item, MemberFilter, Page, PageRequest, Position, SortKey},
        user::{TenantRole, User},
    },
    store::StoreError,
};

impl MongoStore {
    pub(super) async fn pages_of_members(
        &self,
        tenants: &[TenantId],
        filter: &MemberFilter,
        window: &PageRequest,
    ) -> Result<HashMap<TenantId, Page<User>>, StoreError> {
        let mut read: HashMap<TenantId, Vec<Item<User>>> =
            tenants.iter().map(|tenant| (*tenant, Vec::new())).collect();
        if tenants.is_empty() {
            return Ok(HashMap::new());
        }
        let pipeline = page_pipeline(tenants, filter, window);
        let size = read.len().saturating_mul(window.size + 1);
        let query = self.tenants.aggregate(pipeline).batch_size(batch_size_for(size));
        for_each_document(self.tenants.command("aggregate"), query.batch(), |raw| {
            let place = id_of(raw).and_then(|id| read.get_mut(&TenantId::new(id)));
            if let (Some(items), Ok(user)) = (place, raw.get_document("members")) {
                items.extend(self.member(user));
            }
        })
        .await?;
        Ok(read.into_iter().map(|(id, items)| (id, Page::from_lookahead(window, items))).collect())
    }

    fn member(&self, raw: &RawDocument) -> Option<Item<User>> {
        let position = Position { key: SortKey::Null, id: id_of(raw)? };
        let read = |raw: &_| documents::user::read(raw, &self.default_issuer);
        Some(Item { position, node: decode_or_log(self.users.name(), raw, read) })
    }
}

fn page_pipeline(
    tenants: &[TenantId],
    filter: &MemberFilter,
    window: &PageRequest,
) -> Vec<Document> {
    let mut steps = vec![doc! { "$match": { "_id": id_bounds(window) } }];
    steps.extend(with_role(filter));
    steps.push(doc! { "$sort": { "_id": sort_direction(Direction::Asc, window.edge) } });
    steps.push(doc! { "$limit": i64::from(batch_size_for(window.size)) });
    vec![
        doc! { "$match": { "_id": id_filter(tenants) } },
        doc! { "$project": { "_id": 1 } },
        members_of(filter, steps),
        // A document for each member: all of a tenant's in one could pass the limit of 16 MiB.
        doc! { "$unwind": "$members" },
    ]
}

/// The look-up of each tenant's members, as `members`; `steps` are what to do with them.
pub(super) fn members_of(filter: &MemberFilter, steps: Vec<Document>) -> Document {
    let mut lookup = doc! {
        "from": "users",
        "localField": "_id",
        "foreignField": "memberships.tenantId",
        "pipeline": steps,
        "as": "members",
    };
    // A variable costs the server a little for each tenant, so only where it is asked for.
    if filter.role.is_some() {
        lookup.insert("let", doc! { "tenant": "$_id" });
    }
    doc! { "$lookup": lookup }
}

/// Only who has that role there, and not elsewhere; the first membership counts, as in reading.
pub(super) fn with_role(filter: &MemberFilter) -> Vec<Document> {
    let Some(role) = filter.role.map(TenantRole::as_str) else { return Vec::new() };
    let here = doc! { "$filter": {
        "input": { "$cond": [{ "$isArray": "$memberships" }, "$memberships", []] },
        "cond": { "$eq": ["$$this.tenantId", "$$tenant"] },
    } };
    let is_role = doc! { "$let": {
        "vars": { "here": { "$first": here } },
        "in": { "$eq": ["$$here.role", role] },
    } };
    // The first condition is the cheaper one, and spares most of the second.
    vec![doc! { "$match": { "memberships.role": role, "$expr": is_role } }]
}
