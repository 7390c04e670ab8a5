//! Getting a database ready: the right kind of deployment, and the indexes.

use std::time::Duration;

use futures_util::TryStreamExt;
use mongodb::{IndexModel, bson::doc, error::Error};

use super::{
    MongoStore,
    errors::{DUPLICATE_KEY, code, read_error, violated_index_field, with_timeout},
    indexes::{all, is_equivalent},
};
use crate::store::{PrepareError, StoreError};

/// What a server says of a collection that is not there yet.
const NAMESPACE_NOT_FOUND: i32 = 26;
/// Another instance made one of the indexes first, in its own words.
const INDEX_OPTIONS_CONFLICT: i32 = 85;
const INDEX_KEY_SPECS_CONFLICT: i32 = 86;
/// How long the first start on a large database may build an index; the server builds on alone.
const INDEX_BUILD_TIMEOUT: Duration = Duration::from_secs(600);

const STANDALONE: &str = "this MongoDB is a standalone server, which has no transactions: start it \
    as `mongod --replSet rs0` and run `rs.initiate()` once in mongosh (one node will do)";

impl MongoStore {
    /// A replica set or a sharded cluster; anything else could not commit all or nothing.
    pub(super) async fn check_deployment(&self) -> Result<(), PrepareError> {
        let hello =
            with_timeout(self.on("hello"), self.database.run_command(doc! { "hello": 1 })).await?;
        let replica_set = hello.contains_key("setName");
        let sharded = hello.get_str("msg").is_ok_and(|msg| msg == "isdbgrid");
        if replica_set || sharded {
            let info = self.database.run_command(doc! { "buildInfo": 1 });
            let info = with_timeout(self.on("buildInfo"), info).await?;
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

    pub(super) async fn create_indexes(&self) -> Result<(), PrepareError> {
        for (collection, wanted) in all() {
            self.create_missing(collection, &wanted).await?;
        }
        Ok(())
    }

    async fn create_missing(&self, name: &str, wanted: &[IndexModel]) -> Result<(), PrepareError> {
        // Once more, where another instance was faster.
        for last in [false, true] {
            let there = self.indexes_of(name).await?;
            let missing: Vec<_> = wanted
                .iter()
                .filter(|w| !there.iter().any(|t| is_equivalent(t, w)))
                .cloned()
                .collect();
            if missing.is_empty() {
                return Ok(());
            }
            match self.build(name, &missing).await? {
                Ok(()) => return Ok(()),
                Err(error) if !last && is_race(&error) => {}
                Err(error) => return Err(index_build_error(name, &missing, &error)),
            }
        }
        Ok(())
    }

    async fn indexes_of(&self, name: &str) -> Result<Vec<IndexModel>, StoreError> {
        let collection = self.database.collection::<()>(name);
        let list = async { collection.list_indexes().await?.try_collect().await };
        let list = async {
            match list.await {
                Err(error) if code(&error) == Some(NAMESPACE_NOT_FOUND) => Ok(Vec::new()),
                other => other,
            }
        };
        with_timeout(self.observer.command("listIndexes", name), Box::pin(list)).await
    }

    async fn build(
        &self,
        name: &str,
        missing: &[IndexModel],
    ) -> Result<Result<(), Error>, StoreError> {
        let collection = self.database.collection::<()>(name);
        let build = collection.create_indexes(missing.to_vec());
        let built = tokio::time::timeout(INDEX_BUILD_TIMEOUT, build.into_future()).await;
        let late = |_| StoreError::Unavailable("the indexes are still being built".to_owned());
        Ok(built.map_err(late)?.map(drop))
    }
}

fn is_race(error: &Error) -> bool {
    matches!(code(error), Some(INDEX_OPTIONS_CONFLICT | INDEX_KEY_SPECS_CONFLICT))
}

fn index_build_error(collection: &str, missing: &[IndexModel], error: &Error) -> PrepareError {
    if is_race(error) {
        let text = format!("an index of {collection} has the name of another: {}", error.kind);
        return PrepareError::Misconfigured(text);
    }
    if code(error) != Some(DUPLICATE_KEY) {
        return PrepareError::Failed(read_error(error));
    }
    let index = violated_index_field(error).and_then(|field| {
        let unique =
            missing.iter().filter(|i| i.options.as_ref().is_some_and(|o| o.unique == Some(true)));
        let named = unique.filter(|index| index.keys.keys().next().is_some_and(|key| key == field));
        named.filter_map(|index| index.options.as_ref()?.name.clone()).next()
    });
    let index = index.unwrap_or_else(|| "one of its unique indexes".to_owned());
    PrepareError::Misconfigured(format!(
        "documents of {collection} have the same value where each needs its own, so the index \
         {index} cannot be made: remove the duplicates and start again"
    ))
}
