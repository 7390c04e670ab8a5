//! How many there are.

use std::collections::HashMap;

use mongodb::bson::{RawBsonRef, RawDocument, doc};

use super::{
    MongoStore, Raw,
    documents::id_of,
    errors::bounded,
    indexes::names,
    members::{members_of, with_role},
    pages::List,
    queries::{batch, each, one_of},
};
use crate::{
    domain::{id::TenantId, list::MemberFilter},
    store::ReadError,
};

impl List {
    pub(super) async fn count(self, collection: &Raw) -> Result<u64, ReadError> {
        let search = self.search;
        let mut count = collection.count_documents(self.filter());
        if search {
            count = count.collation(names());
        }
        bounded(collection.on("aggregate"), count).await
    }
}

impl MongoStore {
    pub(super) async fn counts_of_members(
        &self,
        tenants: &[TenantId],
        filter: &MemberFilter,
    ) -> Result<HashMap<TenantId, u64>, ReadError> {
        let mut counts = HashMap::with_capacity(tenants.len());
        if tenants.is_empty() {
            return Ok(counts);
        }
        let mut steps = with_role(filter);
        steps.push(doc! { "$count": "count" });
        let pipeline = vec![
            doc! { "$match": { "_id": one_of(tenants) } },
            doc! { "$project": { "_id": 1 } },
            members_of(filter, steps),
            doc! { "$project": { "count": { "$first": "$members.count" } } },
        ];
        let query = self.tenants.aggregate(pipeline).batch_size(batch(tenants.len()));
        each(self.tenants.on("aggregate"), query.batch(), |raw| {
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
