//! Finds unique indexes of other programs that would reject the gateway's writes.

use mongodb::{IndexModel, bson::Bson};

use crate::store::{
    StoreError,
    mongo::{
        connect::MongoStore,
        errors::with_timeout,
        indexes::{all, is_equivalent},
    },
};

/// The fields that the gateway writes, in any collection with a unique index.
const WRITTEN: &[&str] = &[
    "slug",
    "name",
    "status",
    "plan",
    "domains",
    "billingInfo",
    "integrations",
    "subject",
    "issuer",
    "email",
    "platformAdmin",
    "platformAdminSource",
    "disabled",
    "memberships",
    "groupsAsOf",
    "lastSeenAt",
    "tenantId",
    "currentPeriodStart",
    "currentPeriodEnd",
    "cancelAtPeriodEnd",
    "stripe",
    "version",
    "createdAt",
    "updatedAt",
];

impl MongoStore {
    /// Returns the unique indexes that would reject a write of the gateway: collection and name.
    pub(super) async fn refusing_indexes(&self) -> Result<Vec<(String, String)>, StoreError> {
        let mut found = Vec::new();
        for (collection, required) in all() {
            for index in self.indexes_of(collection).await? {
                let is_own = required.iter().any(|own| is_equivalent(&index, own));
                let name = index.options.as_ref().and_then(|options| options.name.clone());
                if let Some(name) = name.filter(|_| !is_own && refuses_writes(&index)) {
                    found.push((collection.to_owned(), name));
                }
            }
        }
        Ok(found)
    }

    pub(super) async fn drop_index(&self, collection: &str, name: &str) -> Result<(), StoreError> {
        let target = self.database.collection::<()>(collection);
        let command = self.command_metrics.command("dropIndexes", collection);
        with_timeout(command, target.drop_index(name)).await
    }
}

/// Returns whether an index is unique and contains documents that the gateway writes.
///
/// An index that only contains documents with a field of another program does not.
fn refuses_writes(index: &IndexModel) -> bool {
    let options = index.options.clone().unwrap_or_default();
    let is_written = |path: &String| {
        let field = path.split('.').next().unwrap_or(path);
        field == "_id" || WRITTEN.contains(&field)
    };
    let is_primary = index.keys.len() == 1 && index.keys.contains_key("_id");
    if options.unique != Some(true) || is_primary {
        return false;
    }
    if options.sparse == Some(true) && !index.keys.keys().any(is_written) {
        return false;
    }
    let requires = |condition: &Bson| match condition {
        Bson::Document(condition) => condition.iter().all(|(operator, value)| {
            operator == "$gt"
                || operator == "$type"
                || (operator == "$exists" && *value == true.into())
        }),
        Bson::Null => false,
        _ => true,
    };
    let filter = options.partial_filter_expression.unwrap_or_default();
    !filter.iter().any(|(path, condition)| !is_written(path) && requires(condition))
}

#[cfg(test)]
mod tests {
    use mongodb::{
        bson::{Document, doc},
        options::IndexOptions,
    };

    use super::*;

    #[test]
    fn index_of_foreign_fields_only_refuses_nothing() {
        let unique = |keys: Document, sparse: bool, filter: Option<Document>| {
            let options = IndexOptions::builder().unique(true).sparse(sparse);
            let options = options.partial_filter_expression(filter).build();
            refuses_writes(&IndexModel::builder().keys(keys).options(options).build())
        };
        assert!(unique(doc! { "authentikSubjectId": 1 }, false, None));
        assert!(unique(doc! { "email": 1 }, true, None));
        assert!(unique(doc! { "email": 1, "legacyId": 1 }, true, None));
        assert!(unique(doc! { "tenantId": 1 }, false, Some(doc! { "status": "active" })));
        assert!(!unique(doc! { "_id": 1 }, false, None));
        assert!(!unique(doc! { "stripeSubscriptionId": 1 }, true, None));
        let filter = Some(doc! { "legacyId": { "$exists": true } });
        assert!(!unique(doc! { "email": 1 }, false, filter));
        assert!(!refuses_writes(&IndexModel::builder().keys(doc! { "email": 1 }).build()));
    }
}
