//! Records that a migration is running or has ended, in the collection `migrations`.
//!
//! An interrupted migration is continued by the next run. The identifier and the time of its audit
//! event are stored at its start, so that there is one event, regardless of interruptions.

use mongodb::{
    Collection,
    bson::{Document, doc},
};

use crate::{
    domain::{id::ObjectId, migration::report::MigrationState, time::Timestamp},
    store::{
        StoreError,
        mongo::{
            connect::MongoStore,
            documents::{date, id_of, oid},
            errors::with_timeout,
        },
    },
};

const COLLECTION: &str = "migrations";
/// The identifier of the document.
const ID: &str = "mongoose";

/// The identifier and the time of the audit event of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EventStamp {
    pub(super) id: ObjectId,
    pub(super) at: Timestamp,
}

/// The stored state of the migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StoredState {
    pub(super) state: MigrationState,
    pub(super) event: Option<EventStamp>,
}

impl MongoStore {
    fn migrations(&self) -> Collection<Document> {
        self.database.collection(COLLECTION)
    }

    /// Returns the state, `None` if no migration was ever started.
    pub(super) async fn migration_state(&self) -> Result<Option<StoredState>, StoreError> {
        let migrations = self.migrations();
        let find = migrations.find_one(doc! { "_id": ID });
        let found = with_timeout(self.command_metrics.command("find", COLLECTION), find).await?;
        Ok(found.map(|document| decode(&document)))
    }

    /// Records that a migration is running.
    pub(super) async fn store_running(&self, event: EventStamp) -> Result<(), StoreError> {
        let state =
            doc! { "state": "running", "eventId": oid(event.id), "startedAt": date(event.at) };
        self.store_state(state).await
    }

    /// Records that the migration has ended.
    pub(super) async fn store_done(&self, left: u64) -> Result<(), StoreError> {
        self.store_state(doc! { "state": "done", "left": left.cast_signed() }).await
    }

    async fn store_state(&self, mut state: Document) -> Result<(), StoreError> {
        state.insert("_id", ID);
        let migrations = self.migrations();
        let replace = migrations.replace_one(doc! { "_id": ID }, state).upsert(true);
        let command = self.command_metrics.command("update", COLLECTION);
        with_timeout(command, replace).await.map(drop)
    }
}

fn decode(document: &Document) -> StoredState {
    let event = || {
        let raw = mongodb::bson::rawdoc! { "_id": document.get_object_id("eventId").ok()? };
        let at = document.get_datetime("startedAt").ok()?.timestamp_millis();
        Some(EventStamp { id: id_of(&raw)?, at: Timestamp::from_millis(at)? })
    };
    let left = document.get_i64("left").unwrap_or_default().max(0).cast_unsigned();
    let state = match document.get_str("state") {
        Ok("done") => MigrationState::Done { left },
        _ => MigrationState::Running,
    };
    StoredState { state, event: event() }
}
