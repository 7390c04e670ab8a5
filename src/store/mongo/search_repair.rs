//! Writes the search keys again after a manual edit, as soon as a change stream reports it.
//!
//! The gateway writes the search keys of a document with the document itself. The stream has only
//! the other changes: those after which the keys do not match the document. The server filters them,
//! so the gateway's own writes cost no traffic. All instances follow the stream. If two write the same
//! keys, one transaction conflicts and finds them up to date.

use std::time::Duration;

use mongodb::{
    bson::{Bson, Document, RawDocument, RawDocumentBuf, doc},
    change_stream::{ChangeStream, event::ResumeToken},
};

use super::{
    change_feed::watch_error,
    connect::MongoStore,
    documents::search::SearchOwner,
    errors::{COMMAND_TIMEOUT, timeout_error, with_timeout},
    positions::value_of,
    search_keys::FillBatch,
};
use crate::store::{StoreError, WatchError};

/// The time that the server waits for a change before it returns an empty batch, which ends a batch of
/// repairs.
const MAX_AWAIT_TIME: Duration = Duration::from_millis(250);
/// The maximum number of documents that are repaired together.
const MAX_BATCH: usize = 500;
/// The delay before the stream is opened again. It doubles up to [`MAX_BACKOFF`].
const INITIAL_BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(10);

const OWNERS: [SearchOwner; 2] = [SearchOwner::Tenant, SearchOwner::User];

impl MongoStore {
    /// Remembers the current end of the change stream, unless a position is known. The caller then
    /// writes all missing keys, so an edit is in one of them.
    pub(super) async fn mark_search_position(&self) -> Result<(), StoreError> {
        if self.search_position.lock().await.is_some() {
            return Ok(());
        }
        let stream = self.open_edits(None).await.map_err(|error| match error {
            WatchError::Failed(error) => error,
            WatchError::HistoryLost => StoreError::Internal("no change stream".to_owned()),
        })?;
        *self.search_position.lock().await = stream.resume_token();
        Ok(())
    }

    /// Repairs search keys until the future is dropped.
    pub(super) async fn follow_manual_edits(&self) {
        let mut backoff = INITIAL_BACKOFF;
        loop {
            match self.repair_from_stream(&mut backoff).await {
                WatchError::HistoryLost => {
                    *self.search_position.lock().await = None;
                    tracing::warn!("the change stream has a gap; all search keys are compared");
                }
                WatchError::Failed(error) => {
                    tracing::warn!(%error, "search keys are not repaired; the gateway tries again");
                }
            }
            tokio::time::sleep(backoff).await;
            backoff = (backoff * 2).min(MAX_BACKOFF);
        }
    }

    /// Repairs search keys until the stream fails.
    async fn repair_from_stream(&self, backoff: &mut Duration) -> WatchError {
        let after = self.search_position.lock().await.clone();
        let has_gap = after.is_none();
        let mut stream = match self.open_edits(after).await {
            Ok(stream) => stream,
            Err(error) => return error,
        };
        if has_gap && let Err(error) = self.fill_search_keys().await {
            return error.into();
        }
        loop {
            match self.repair_batch(&mut stream).await {
                Ok(()) => *self.search_position.lock().await = stream.resume_token(),
                Err(error) => return error,
            }
            *backoff = INITIAL_BACKOFF;
        }
    }

    async fn open_edits(
        &self,
        after: Option<ResumeToken>,
    ) -> Result<ChangeStream<RawDocumentBuf>, WatchError> {
        let watch = self.database.watch().pipeline(self.edits());
        let watch = watch.max_await_time(MAX_AWAIT_TIME).resume_after(after);
        let opened = async {
            let watch = tokio::time::timeout(COMMAND_TIMEOUT, watch.into_future()).await;
            watch.map_err(|_| WatchError::Failed(timeout_error()))?.map_err(|e| watch_error(&e))
        };
        Ok(self.command("aggregate").instrument(Box::pin(opened)).await?.with_type())
    }

    /// Selects the changes after which search keys may not match their document, and reduces them to
    /// identifiers.
    fn edits(&self) -> [Document; 2] {
        let of_owner = |owner: SearchOwner| {
            let (collection, _) = self.search_collections(owner);
            let of = owner.values("$fullDocument.");
            doc! { "ns.coll": collection.name(), "$or": [
                { "operationType": "delete" },
                {
                    "operationType": { "$in": ["insert", "replace"] },
                    "$expr": { "$ne": ["$fullDocument.search.of", of] },
                },
                { "operationType": "update", "$expr": changes_fields(owner.fields()) },
            ] }
        };
        let mut selected: Vec<Document> = OWNERS.map(of_owner).into();
        selected.push(doc! { "operationType": { "$in": ["drop", "rename", "dropDatabase"] } });
        let project = doc! { "operationType": 1, "ns": 1, "documentKey._id": 1 };
        [doc! { "$match": { "$or": selected } }, doc! { "$project": project }]
    }

    /// Waits for changes, and repairs the keys of their documents.
    async fn repair_batch(
        &self,
        stream: &mut ChangeStream<RawDocumentBuf>,
    ) -> Result<(), WatchError> {
        let (mut tenants, mut users) = (Vec::new(), Vec::new());
        while tenants.len() + users.len() < MAX_BATCH {
            // The server responds after `MAX_AWAIT_TIME`, unless the connection is broken.
            let next = tokio::time::timeout(COMMAND_TIMEOUT, stream.next_if_any()).await;
            let next = next.map_err(|_| WatchError::Failed(timeout_error()))?;
            let Some(change) = next.map_err(|error| watch_error(&error))? else {
                if stream.is_alive() {
                    break;
                }
                return Err(WatchError::HistoryLost);
            };
            let id = change.get_document("documentKey").map(|key| value_of(key, "_id"));
            match (collection_of(&change), id) {
                (name, Ok(id)) if name == self.tenants.name() => tenants.push(id),
                (name, Ok(id)) if name == self.users.name() => users.push(id),
                // A collection was dropped or renamed.
                _ => return Err(WatchError::HistoryLost),
            }
        }
        for (owner, ids) in OWNERS.into_iter().zip([tenants, users]) {
            self.repair(owner, &ids).await?;
        }
        Ok(())
    }

    /// Writes the outdated keys of these documents, and deletes the keys of those that are deleted.
    async fn repair(&self, owner: SearchOwner, ids: &[Bson]) -> Result<(), StoreError> {
        if ids.is_empty() {
            return Ok(());
        }
        let outdated = owner.outdated();
        self.fill_in_transaction(&FillBatch { owner, outdated: &outdated, ids }).await?;
        let existing = self.find_ids(owner, doc! { "_id": { "$in": ids } }).await?;
        let deleted: Vec<_> = ids.iter().filter(|id| !existing.contains(id)).collect();
        if !deleted.is_empty() {
            let (_, keys) = self.search_collections(owner);
            let delete = keys.delete_many(doc! { "ownerId": { "$in": deleted } });
            with_timeout(keys.command("delete"), delete).await?;
        }
        tracing::debug!(documents = ids.len(), "search keys repaired after a manual edit");
        Ok(())
    }
}

fn collection_of(change: &RawDocument) -> &str {
    change.get_document("ns").and_then(|ns| ns.get_str("coll")).unwrap_or_default()
}

/// Returns the condition that an update changes one of these fields, but not the search keys.
fn changes_fields(fields: &[&str]) -> Document {
    let update = |field: &str| format!("$updateDescription.{field}");
    let or_empty = |value: Document| doc! { "$ifNull": [value, []] };
    let names = |array: &str, name: &str| {
        or_empty(doc! { "$map": { "input": update(array), "in": format!("$$this{name}") } })
    };
    let updated = doc! { "$map": {
        "input": { "$objectToArray": update("updatedFields") }, "in": "$$this.k",
    } };
    let paths = doc! { "$concatArrays": [
        or_empty(updated), names("removedFields", ""), names("truncatedArrays", ".field"),
    ] };
    let first = doc! { "$arrayElemAt": [{ "$split": ["$$this", "."] }, 0] };
    let changed = doc! { "$map": { "input": paths, "in": first } };
    doc! { "$let": {
        "vars": { "changed": changed },
        "in": { "$and": [
            { "$not": [{ "$in": ["search", "$$changed"] }] },
            { "$ne": [{ "$setIntersection": ["$$changed", fields.to_vec()] }, []] },
        ] },
    } }
}
