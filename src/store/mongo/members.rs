//! Reads the members of many tenants in one command, by one `$lookup` per tenant.
//!
//! The `$lookup` joins by `localField` and `foreignField`. The index `{memberships.tenantId, _id}`
//! serves this join in the order of the page, so it reads no more users than the pages contain. A
//! join by `let` and `$expr` cannot use that index, because it is multikey.

use std::collections::HashMap;

use mongodb::bson::{Bson, Document, RawDocument, doc};

use super::{
    collection::without_search_keys,
    connect::MongoStore,
    documents::{self, decode_or_log},
    keyset::{id_bounds, sort_direction},
    positions::{SortKeyType, StoredPosition, value_of},
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
        page: &PageRequest,
    ) -> Result<HashMap<TenantId, Page<User>>, StoreError> {
        let mut items: HashMap<TenantId, Vec<Item<User>>> =
            tenants.iter().map(|tenant| (*tenant, Vec::new())).collect();
        if tenants.is_empty() {
            return Ok(HashMap::new());
        }
        let pipeline = page_pipeline(tenants, filter, page);
        let size = items.len().saturating_mul(page.size + 1);
        let query = self.tenants.aggregate(pipeline).batch_size(batch_size_for(size));
        for_each_document(self.tenants.command("aggregate"), query.batch(), |raw| {
            let member = documents::user::split_member(raw);
            if let Some((tenant, user)) = member
                && let Some(items) = items.get_mut(&tenant)
            {
                items.push(self.member(user));
            }
        })
        .await?;
        Ok(items.into_iter().map(|(id, items)| (id, Page::from_lookahead(page, items))).collect())
    }

    fn member(&self, raw: &RawDocument) -> Item<User> {
        let decode = |raw: &_| documents::user::decode(raw, &self.default_issuer);
        let node = decode_or_log(self.users.name(), raw, decode);
        let position = match &node {
            Ok(user) => Position { key: SortKey::Null, id: user.id.raw },
            Err(_) => StoredPosition { key: Bson::Null, id: value_of(raw, "_id") }
                .into_position(SortKeyType::Text),
        };
        Item { position, node }
    }
}

fn page_pipeline(tenants: &[TenantId], filter: &MemberFilter, page: &PageRequest) -> Vec<Document> {
    let bounds = id_bounds(page).into_iter().map(|bound| doc! { "$match": bound });
    let mut stages: Vec<Document> = bounds.chain(role_stages(filter)).collect();
    stages.push(doc! { "$sort": { "_id": sort_direction(Direction::Asc, page.edge) } });
    stages.push(doc! { "$limit": i64::from(batch_size_for(page.size)) });
    stages.push(doc! { "$project": without_search_keys() });
    vec![
        doc! { "$match": { "_id": id_filter(tenants) } },
        doc! { "$project": { "_id": 1 } },
        member_lookup(filter, stages),
        // One document per member. All members of a tenant in one document could exceed 16 MiB.
        doc! { "$unwind": "$members" },
    ]
}

/// Returns the stage that adds each tenant's members as `members`. `stages` are applied to the
/// members of one tenant.
pub(super) fn member_lookup(filter: &MemberFilter, stages: Vec<Document>) -> Document {
    let mut lookup = doc! {
        "from": "users",
        "localField": "_id",
        "foreignField": "memberships.tenantId",
        "pipeline": stages,
        "as": "members",
    };
    // A variable costs the server a little per tenant, so it is set only if a stage uses it.
    if filter.role.is_some() {
        lookup.insert("let", doc! { "tenant": "$_id" });
    }
    doc! { "$lookup": lookup }
}

/// Returns the stages that select the members with the role of the filter in the tenant itself, not
/// in another one. The first membership in the tenant counts, as it does when the user is read.
pub(super) fn role_stages(filter: &MemberFilter) -> Vec<Document> {
    let Some(role) = filter.role.map(TenantRole::as_str) else { return Vec::new() };
    let in_tenant = doc! { "$filter": {
        "input": { "$cond": [{ "$isArray": "$memberships" }, "$memberships", []] },
        "cond": { "$eq": ["$$this.tenantId", "$$tenant"] },
    } };
    let has_role = doc! { "$let": {
        "vars": { "here": { "$first": in_tenant } },
        "in": { "$eq": ["$$here.role", role] },
    } };
    // The first condition is cheaper, and makes the second unnecessary for most users.
    vec![doc! { "$match": { "memberships.role": role, "$expr": has_role } }]
}
