//! Counts the members of tenants.

use std::collections::HashMap;

use mongodb::bson::{RawBsonRef, RawDocument, doc};

use super::{
    connect::MongoStore,
    documents::id_of,
    members::{member_lookup, role_stages},
    queries::{batch_size_for, for_each_document, id_filter},
};
use crate::{
    domain::{id::TenantId, list::MemberFilter},
    store::StoreError,
};

impl MongoStore {
    pub(super) async fn counts_of_members(
        &self,
        tenants: &[TenantId],
        filter: &MemberFilter,
    ) -> Result<HashMap<TenantId, u64>, StoreError> {
        let mut counts = HashMap::with_capacity(tenants.len());
        if tenants.is_empty() {
            return Ok(counts);
        }
        let mut stages = role_stages(filter);
        stages.push(doc! { "$count": "count" });
        let pipeline = vec![
            doc! { "$match": { "_id": id_filter(tenants) } },
            doc! { "$project": { "_id": 1 } },
            member_lookup(filter, stages),
            doc! { "$project": { "count": { "$first": "$members.count" } } },
        ];
        let query = self.tenants.aggregate(pipeline).batch_size(batch_size_for(tenants.len()));
        for_each_document(self.tenants.command("aggregate"), query.batch(), |raw| {
            if let (Some(id), Some(count)) = (id_of(raw), count_of(raw)) {
                counts.insert(TenantId::new(id), count);
            }
        })
        .await?;
        Ok(counts)
    }
}

fn count_of(raw: &RawDocument) -> Option<u64> {
    match raw.get("count").ok()?? {
        RawBsonRef::Int32(count) => count.try_into().ok(),
        RawBsonRef::Int64(count) => count.try_into().ok(),
        _ => None,
    }
}
