//! Prepares a database: checks the kind of deployment and creates missing indexes.

use std::time::Duration;

use futures_util::TryStreamExt;
use mongodb::{IndexModel, bson::doc, error::Error};

use super::{
    connect::MongoStore,
    errors::{DUPLICATE_KEY, code, read_error, violated_index, with_timeout},
    indexes::{all, is_equivalent},
    transfer::is_whole,
};
use crate::store::{PrepareError, StoreError};

/// The server's code for a collection that does not exist yet.
const NAMESPACE_NOT_FOUND: i32 = 26;
/// The server's codes for an index that another instance created first, with other options or
/// another name.
const INDEX_OPTIONS_CONFLICT: i32 = 85;
const INDEX_KEY_SPECS_CONFLICT: i32 = 86;
/// The time that the first start on a large database waits for its indexes. After that the server
/// continues to build them.
const INDEX_BUILD_TIMEOUT: Duration = Duration::from_secs(600);

const INTERRUPTED_IMPORT: &str = "an import into this database was interrupted: run `tenantry import` \
    with the same file again, which continues it";

const STANDALONE: &str = "this MongoDB is a standalone server, which has no transactions: start it \
    with `mongod --replSet rs0` and run `rs.initiate()` once in mongosh (one node is enough)";

impl MongoStore {
    /// Checks that the deployment and the documents are those of a gateway, as far as this is possible
    /// with a few small reads.
    pub(super) async fn check_database(&self) -> Result<(), PrepareError> {
        self.check_deployment().await?;
        self.check_shape().await?;
        if self.interrupted_imports().await?.iter().any(is_whole) {
            return Err(PrepareError::Misconfigured(INTERRUPTED_IMPORT.to_owned()));
        }
        Ok(())
    }

    /// Checks that the deployment is a replica set or a sharded cluster. A standalone server has no
    /// transactions.
    pub(super) async fn check_deployment(&self) -> Result<(), PrepareError> {
        let hello =
            with_timeout(self.command("hello"), self.database.run_command(doc! { "hello": 1 }))
                .await?;
        let replica_set = hello.contains_key("setName");
        let sharded = hello.get_str("msg").is_ok_and(|msg| msg == "isdbgrid");
        if replica_set || sharded {
            let info = self.database.run_command(doc! { "buildInfo": 1 });
            let info = with_timeout(self.command("buildInfo"), info).await?;
            tracing::info!(
                version = info.get_str("version").ok(),
                replica_set = hello.get_str("setName").ok(),
                sharded,
                database = self.database.name(),
                "connected to MongoDB"
            );
            return Ok(());
        }
        Err(PrepareError::Misconfigured(STANDALONE.to_owned()))
    }

    /// Creates missing indexes and writes missing search keys.
    pub(super) async fn create_indexes(&self) -> Result<(), PrepareError> {
        for (collection, required) in all() {
            self.create_missing(collection, &required).await?;
        }
        self.mark_search_position().await?;
        self.fill_search_keys().await?;
        Ok(())
    }

    async fn create_missing(
        &self,
        name: &str,
        required: &[IndexModel],
    ) -> Result<(), PrepareError> {
        // There is a second attempt, because another instance may create the same indexes.
        for is_last in [false, true] {
            let existing = self.indexes_of(name).await?;
            let missing: Vec<_> = required
                .iter()
                .filter(|index| !existing.iter().any(|other| is_equivalent(other, index)))
                .cloned()
                .collect();
            if missing.is_empty() {
                return Ok(());
            }
            match self.build(name, &missing).await? {
                Ok(()) => return Ok(()),
                Err(error) if !is_last && is_race(&error) => {}
                Err(error) => return Err(index_build_error(name, &missing, &error)),
            }
        }
        Ok(())
    }

    pub(super) async fn indexes_of(&self, name: &str) -> Result<Vec<IndexModel>, StoreError> {
        let collection = self.database.collection::<()>(name);
        let list = async { collection.list_indexes().await?.try_collect().await };
        let list = async {
            match list.await {
                Err(error) if code(&error) == Some(NAMESPACE_NOT_FOUND) => Ok(Vec::new()),
                other => other,
            }
        };
        with_timeout(self.command_metrics.command("listIndexes", name), Box::pin(list)).await
    }

    async fn build(
        &self,
        name: &str,
        missing: &[IndexModel],
    ) -> Result<Result<(), Error>, StoreError> {
        let collection = self.database.collection::<()>(name);
        let build = collection.create_indexes(missing.to_vec());
        let result = tokio::time::timeout(INDEX_BUILD_TIMEOUT, build.into_future()).await;
        let timeout = |_| StoreError::Unavailable("the indexes are still being built".to_owned());
        Ok(result.map_err(timeout)?.map(drop))
    }
}

fn is_race(error: &Error) -> bool {
    matches!(code(error), Some(INDEX_OPTIONS_CONFLICT | INDEX_KEY_SPECS_CONFLICT))
}

fn index_build_error(collection: &str, missing: &[IndexModel], error: &Error) -> PrepareError {
    if is_race(error) {
        let text =
            format!("an index of {collection} conflicts with an existing one: {}", error.kind);
        return PrepareError::Misconfigured(text);
    }
    if code(error) != Some(DUPLICATE_KEY) {
        return PrepareError::Failed(read_error(error));
    }
    let index = violated_index(error).and_then(|violated| {
        let unique =
            missing.iter().filter(|i| i.options.as_ref().is_some_and(|o| o.unique == Some(true)));
        let violated = unique.filter(|index| index.keys.keys().eq(violated.fields.iter()));
        violated.filter_map(|index| index.options.as_ref()?.name.clone()).next()
    });
    let index = index.unwrap_or_else(|| "one of its unique indexes".to_owned());
    PrepareError::Misconfigured(format!(
        "documents of {collection} have the same value in a field that must be unique, so the index \
         {index} cannot be created: remove the duplicates and start again"
    ))
}
