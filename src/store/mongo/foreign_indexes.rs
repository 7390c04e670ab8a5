//! Finds unique indexes of other programs that can reject the gateway's writes.

use std::fmt;

use mongodb::{
    IndexModel,
    bson::{Bson, Document},
};

use super::{
    connect::MongoStore,
    indexes::{all, is_equivalent},
};
use crate::store::StoreError;

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

/// A unique index of another program that can reject a write of the gateway.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ForeignIndex {
    /// The collection of the index.
    pub(super) collection: &'static str,
    /// The name of the index.
    pub(super) name: String,
    /// The fields of the index with their directions.
    pub(super) keys: Document,
}

impl fmt::Display for ForeignIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { collection, name, keys } = self;
        write!(
            f,
            "the unique index {name:?} of the collection {collection:?} with the keys {keys} is not an \
             index of the gateway and can reject its writes: drop it, unless another program needs it"
        )
    }
}

impl MongoStore {
    /// Returns the unique indexes of other programs that can reject a write of the gateway, in the order
    /// of the collections. A migration drops them, and `check` names them.
    pub(super) async fn foreign_unique_indexes(&self) -> Result<Vec<ForeignIndex>, StoreError> {
        let mut foreign = Vec::new();
        for (collection, required) in all() {
            let existing = self.indexes_of(collection).await?.into_iter();
            let is_own = |index: &_| required.iter().any(|own| is_equivalent(index, own));
            let found = existing.filter(|index| !is_own(index) && refuses_writes(index));
            foreign.extend(found.map(|IndexModel { keys, options, .. }| {
                let name = options.and_then(|options| options.name).unwrap_or_default();
                ForeignIndex { collection, name, keys }
            }));
        }
        Ok(foreign)
    }
}

/// Returns whether an index is unique and contains documents that the gateway writes.
///
/// An index that only contains documents with a field of another program does not.
fn refuses_writes(index: &IndexModel) -> bool {
    let options = index.options.clone().unwrap_or_default();
    let is_written = |path: &String| {
        let field = path.split('.').next().unwrap_or(path);
        WRITTEN.contains(&field)
    };
    // Identifiers are unique, so an index that has them can reject nothing.
    if options.unique != Some(true) || index.keys.contains_key("_id") {
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
    use mongodb::{bson::doc, options::IndexOptions};

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
        assert!(!unique(doc! { "slug": 1, "_id": 1 }, false, None));
        assert!(!unique(doc! { "stripeSubscriptionId": 1 }, true, None));
        let filter = Some(doc! { "legacyId": { "$exists": true } });
        assert!(!unique(doc! { "email": 1 }, false, filter));
        assert!(!refuses_writes(&IndexModel::builder().keys(doc! { "email": 1 }).build()));
    }
}
