//! Tells a database of the former Node service from an empty, a current and a foreign one.
//!
//! The check reads a few of the oldest documents, so it is fast at every start.

use futures_util::TryStreamExt;
use mongodb::bson::{RawDocument, RawDocumentBuf, doc};

use super::fields::get;
use crate::{
    domain::migration::{OldCollection, report::MigrationState},
    store::{
        DatabaseStatus, PrepareError, StoreError,
        mongo::{collection::RawCollection, connect::MongoStore, errors::with_timeout},
    },
};

/// The number of documents of a collection that are examined, the oldest ones.
const SAMPLE_SIZE: i64 = 100;

const UNMIGRATED: &str = "this is the database of the former Node service: run `tenantry migrate \
    --dry-run` to see what would change, and then `tenantry migrate`";
const INTERRUPTED: &str = "a migration of this database was interrupted: run `tenantry migrate` \
    again, which continues it";

/// The program that wrote the documents of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DatabaseShape {
    /// The collections have no documents.
    Empty,
    /// The gateway wrote the documents.
    Current,
    /// The former Node service wrote some of the documents.
    Old,
    /// Another program wrote the documents of this collection.
    Foreign(OldCollection),
}

impl MongoStore {
    /// Returns the collection with this name.
    pub(super) const fn old_collection(&self, collection: OldCollection) -> &RawCollection {
        match collection {
            OldCollection::Tenants => &self.tenants,
            OldCollection::Users => &self.users,
            OldCollection::Subscriptions => &self.subscriptions,
        }
    }

    /// Checks that the documents are those of a gateway. A database whose migration has ended passes,
    /// even if documents were left as they were.
    pub(in crate::store::mongo) async fn check_shape(&self) -> Result<(), PrepareError> {
        match self.migration_state().await?.map(|stored| stored.state) {
            Some(MigrationState::Done { .. }) => return Ok(()),
            Some(MigrationState::Running) => {
                return Err(PrepareError::NotMigrated(INTERRUPTED));
            }
            None => {}
        }
        match self.shape().await? {
            DatabaseShape::Empty | DatabaseShape::Current => Ok(()),
            DatabaseShape::Old => Err(PrepareError::NotMigrated(UNMIGRATED)),
            DatabaseShape::Foreign(collection) => Err(foreign(collection)),
        }
    }

    pub(in crate::store::mongo) async fn database_status(
        &self,
    ) -> Result<DatabaseStatus, StoreError> {
        let left_documents = match self.migration_state().await?.map(|stored| stored.state) {
            Some(MigrationState::Done { left }) => left,
            _ => 0,
        };
        let is_empty = self.shape().await? == DatabaseShape::Empty;
        Ok(DatabaseStatus { is_empty, left_documents })
    }

    pub(super) async fn shape(&self) -> Result<DatabaseShape, StoreError> {
        let mut shape = DatabaseShape::Empty;
        for collection in OldCollection::ALL {
            let sample = self.sample(collection).await?;
            if sample.iter().any(|document| is_old(collection, document)) {
                return Ok(DatabaseShape::Old);
            }
            if sample.is_empty() {
                continue;
            }
            if sample.iter().any(|document| is_known(collection, document)) {
                if shape == DatabaseShape::Empty {
                    shape = DatabaseShape::Current;
                }
            } else {
                shape = DatabaseShape::Foreign(collection);
            }
        }
        Ok(shape)
    }

    async fn sample(&self, collection: OldCollection) -> Result<Vec<RawDocumentBuf>, StoreError> {
        let collection = self.old_collection(collection);
        let oldest = async {
            let find = collection.find(doc! {}).sort(doc! { "_id": 1 }).limit(SAMPLE_SIZE);
            find.await?.try_collect().await
        };
        with_timeout(collection.command("find"), Box::pin(oldest)).await
    }
}

/// Returns the error for a database of another program.
pub(super) fn foreign(collection: OldCollection) -> PrepareError {
    let name = collection.as_str();
    PrepareError::Misconfigured(format!(
        "the collection {name} has documents of another program: use a database of its own, or \
         `tenantry migrate --map` if they are of the former Node service with other names of fields"
    ))
}

/// Returns whether the former Node service wrote a document, and it is not converted yet.
fn is_old(collection: OldCollection, document: &RawDocument) -> bool {
    let has = |field: &&str| get(document, field).is_some();
    match collection {
        OldCollection::Tenants => {
            let handles = [
                "authentikGroup",
                "authentikGroupId",
                "ocisSpace",
                "ocisSpaceId",
                "stalwartDomain",
                "stalwartDomainId",
            ];
            handles.iter().any(has) && !has(&"integrations")
        }
        OldCollection::Users => {
            ["authentikSubjectId", "tenantIds"].iter().any(has) && !has(&"subject")
        }
        OldCollection::Subscriptions => {
            let handles = ["stripeCustomerId", "stripeSubscriptionId", "stripePriceId"];
            handles.iter().any(has) && !has(&"stripe")
        }
    }
}

/// Returns whether a document has a field that identifies its kind.
fn is_known(collection: OldCollection, document: &RawDocument) -> bool {
    let fields: &[&str] = match collection {
        OldCollection::Tenants => &["slug"],
        OldCollection::Users => &["subject", "memberships"],
        OldCollection::Subscriptions => &["tenantId"],
    };
    fields.iter().any(|field| get(document, field).is_some())
}
