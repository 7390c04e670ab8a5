//! Finds users with the same subject, which the unique index of the gateway does not allow.

use std::collections::HashSet;

use futures_util::TryStreamExt;
use mongodb::bson::{Bson, Document, doc};

use super::{
    fields::{OldFields, created_at, get, require_id},
    user,
};
use crate::{
    domain::{id::ObjectId, migration::OldCollection},
    store::{
        StoreError,
        mongo::{connect::MongoStore, errors::read_error},
    },
};

impl MongoStore {
    /// Returns the users without a subject whose subject belongs to another user: to one that is
    /// converted, or else to the oldest.
    pub(super) async fn find_duplicate_users(
        &self,
        fields: &OldFields,
    ) -> Result<HashSet<ObjectId>, StoreError> {
        let subjects = self.find_duplicate_subjects(fields).await?;
        let mut users = Vec::new();
        if !subjects.is_empty() {
            let mut all = self.old_documents(OldCollection::Users, None).await?;
            while all.advance().await.map_err(|error| read_error(&error))? {
                let raw = all.current();
                let (Ok(id), Ok(subject)) = (require_id(raw), user::subject(raw, fields)) else {
                    continue;
                };
                if subjects.contains(&subject) {
                    let is_old = get(raw, "subject").is_none();
                    users.push((subject, is_old, created_at(raw, fields, id), id));
                }
            }
        }
        users.sort();
        let duplicates = users.windows(2).filter(|pair| pair[0].0 == pair[1].0 && pair[1].1);
        Ok(duplicates.map(|pair| pair[1].3).collect())
    }

    async fn find_duplicate_subjects(
        &self,
        fields: &OldFields,
    ) -> Result<HashSet<String>, StoreError> {
        let paths = fields.paths("authentikSubjectId");
        let subject = paths.iter().rfold(Bson::Null, |otherwise, path| {
            doc! { "$ifNull": [format!("${path}"), otherwise] }.into()
        });
        let subject = doc! { "$ifNull": ["$subject", subject] };
        let text = doc! { "$convert": { "input": subject, "to": "string", "onError": null, "onNull": null } };
        let pipeline = [
            doc! { "$group": { "_id": text, "users": { "$sum": 1 } } },
            doc! { "$match": { "users": { "$gt": 1 }, "_id": { "$gt": "" } } },
        ];
        let group = async {
            let cursor = self.users.aggregate(pipeline).allow_disk_use(true).await?;
            cursor.try_collect::<Vec<_>>().await
        };
        let group =
            async { group.await.map_err(|error: mongodb::error::Error| read_error(&error)) };
        let found = self.users.command("aggregate").instrument(Box::pin(group)).await?;
        let text = |document: &Document| Some(document.get_str("_id").ok()?.to_owned());
        Ok(found.iter().filter_map(text).collect())
    }
}
