//! Finds unique indexes that the gateway does not need. They can reject its writes.

use std::fmt;

use mongodb::{IndexModel, bson::Document};

use super::{
    connect::MongoStore,
    indexes::{all, is_equivalent},
};
use crate::store::StoreError;

/// A unique index that is none of the gateway's.
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
    /// Returns the unique indexes of the gateway's collections that are not equivalent to a required
    /// one, in the order of the collections.
    pub(super) async fn foreign_unique_indexes(&self) -> Result<Vec<ForeignIndex>, StoreError> {
        let mut foreign = Vec::new();
        for (collection, required) in all() {
            let existing = self.indexes_of(collection).await?.into_iter();
            let found = existing.filter(|index| is_foreign(index, &required));
            foreign.extend(found.map(|IndexModel { keys, options, .. }| {
                let name = options.and_then(|options| options.name).unwrap_or_default();
                ForeignIndex { collection, name, keys }
            }));
        }
        Ok(foreign)
    }
}

fn is_foreign(index: &IndexModel, required: &[IndexModel]) -> bool {
    let is_unique = index.options.as_ref().is_some_and(|options| options.unique == Some(true));
    // Identifiers are unique, so an index that has them can reject nothing.
    is_unique
        && !index.keys.contains_key("_id")
        && !required.iter().any(|required| is_equivalent(index, required))
}
