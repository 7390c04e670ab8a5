//! Writes the search keys of tenants and users: with each change of them, and at the start for
//! documents that another program wrote. `search_repair` does so for later manual edits.

use std::time::Duration;

use mongodb::{
    ClientSession, Cursor,
    bson::{Bson, Document, RawDocumentBuf, doc, oid::ObjectId},
    error::Error,
    options::{CollectionOptions, Hint, ReadConcern},
};
use tokio::time::Instant;

use super::{
    collection::RawCollection,
    connect::MongoStore,
    documents::search::{SearchFields, SearchOwner},
    errors::{read_error, with_timeout},
    positions::{literal, value_of},
    writes::{WriteError, write_with_timeout},
};
use crate::store::{StoreError, instrumentation::Command};

/// The maximum number of keys that one command inserts.
const MAX_INSERT_BATCH: usize = 10_000;
/// The number of documents whose keys are written in one transaction at the start.
const FILL_BATCH: usize = 500;
/// The timeout of a command that reads a whole collection.
const SCAN_TIMEOUT: Duration = Duration::from_secs(600);
/// The time between two log lines about the progress.
const LOG_INTERVAL: Duration = Duration::from_secs(5);

/// Documents whose search keys are written in one transaction.
pub(super) struct FillBatch<'a> {
    pub(super) owner: SearchOwner,
    /// Matches the documents that still need their keys.
    pub(super) outdated: &'a Document,
    pub(super) ids: &'a [Bson],
}

impl MongoStore {
    pub(super) const fn search_collections(
        &self,
        owner: SearchOwner,
    ) -> (&RawCollection, &RawCollection) {
        match owner {
            SearchOwner::Tenant => (&self.tenants, &self.tenant_search_keys),
            SearchOwner::User => (&self.users, &self.user_search_keys),
        }
    }

    pub(super) async fn insert_search_keys(
        &self,
        owner: SearchOwner,
        keys: Vec<Document>,
        session: &mut ClientSession,
    ) -> Result<(), WriteError> {
        let (_, collection) = self.search_collections(owner);
        for batch in keys.chunks(MAX_INSERT_BATCH) {
            let insert = doc! { "insert": collection.name(), "documents": batch };
            self.run_write(collection.command("insert"), insert, session).await?;
        }
        Ok(())
    }

    pub(super) async fn delete_search_keys(
        &self,
        owner: SearchOwner,
        ids: &[Bson],
        session: &mut ClientSession,
    ) -> Result<(), WriteError> {
        let (_, collection) = self.search_collections(owner);
        let of_owners = doc! { "ownerId": { "$in": ids } };
        let delete = collection.delete_many(of_owners).session(session);
        write_with_timeout(collection.command("delete"), delete).await.map(drop)
    }

    pub(super) async fn replace_search_keys(
        &self,
        owner: SearchOwner,
        id: ObjectId,
        fields: &SearchFields,
        session: &mut ClientSession,
    ) -> Result<(), WriteError> {
        self.delete_search_keys(owner, &[id.into()], session).await?;
        self.insert_search_keys(owner, fields.key_documents(id), session).await
    }

    /// Writes the search keys of all documents that have none, or whose keys are outdated, and
    /// deletes the keys of documents that another program deleted.
    ///
    /// Several instances may do this at the same time. Each batch is one transaction, and of two
    /// transactions that write the same document, one conflicts and finds it up to date later.
    pub(super) async fn fill_search_keys(&self) -> Result<(), StoreError> {
        for owner in [SearchOwner::Tenant, SearchOwner::User] {
            let (expected, stored) = self.count_search_keys(owner).await?;
            if stored > expected {
                self.delete_orphaned_keys(owner).await?;
            }
            // Keys can only be missing if another program deleted them. All are written again.
            let outdated = if stored < expected {
                doc! {}
            } else {
                owner.outdated()
            };
            self.fill_outdated(owner, &outdated).await?;
        }
        Ok(())
    }

    /// Writes the search keys of all documents that match. Each page of identifiers is a read of its own,
    /// so no cursor stays open during the writes, and memory does not grow with the documents.
    async fn fill_outdated(
        &self,
        owner: SearchOwner,
        outdated: &Document,
    ) -> Result<(), StoreError> {
        let (collection, _) = self.search_collections(owner);
        let count = collection.count_documents(outdated.clone());
        let total = scan_with_timeout(collection.command("aggregate"), count.into_future()).await?;
        let mut progress = FillProgress::new(collection.name(), total);
        let mut last = Bson::MinKey;
        while progress.total > 0 {
            let ids = self.find_ids_after(owner, outdated.clone(), &last).await?;
            let Some(end) = ids.last() else { break };
            last = end.clone();
            self.fill_in_transaction(&FillBatch { owner, outdated, ids: &ids }).await?;
            progress.add(ids.len() as u64);
        }
        Ok(())
    }

    /// Returns the number of keys that the documents list, and the number of stored keys, both at
    /// the same time.
    async fn count_search_keys(&self, owner: SearchOwner) -> Result<(i64, i64), StoreError> {
        let (collection, keys) = self.search_collections(owner);
        let start = self.client.start_session().snapshot(true);
        let mut session = start.await.map_err(|error| read_error(&error))?;
        let size = doc! { "$cond": [
            { "$isArray": "$search.keys" }, { "$size": "$search.keys" }, 0,
        ] };
        let sum = vec![doc! { "$group": { "_id": Bson::Null, "n": { "$sum": size } } }];
        let expected = self.scan_number(collection, sum, &mut session).await?;
        let count = vec![
            doc! { "$match": { "class": { "$gte": 0 } } },
            doc! { "$group": { "_id": Bson::Null, "n": { "$sum": 1 } } },
        ];
        Ok((expected, self.scan_number(keys, count, &mut session).await?))
    }

    async fn scan_number(
        &self,
        collection: &RawCollection,
        pipeline: Vec<Document>,
        session: &mut ClientSession,
    ) -> Result<i64, StoreError> {
        let typed = collection.clone_with_type::<Document>();
        // A snapshot session has a read concern of its own.
        let options = CollectionOptions::builder().read_concern(ReadConcern::snapshot()).build();
        let typed = self.database.collection_with_options::<Document>(typed.name(), options);
        let action = async {
            let mut cursor = typed.aggregate(pipeline).session(&mut *session).await?;
            let found = cursor.next(session).await.transpose()?;
            Ok(found.and_then(|result| match result.get("n") {
                Some(Bson::Int32(n)) => Some(i64::from(*n)),
                Some(Bson::Int64(n)) => Some(*n),
                _ => None,
            }))
        };
        scan_with_timeout(collection.command("aggregate"), Box::pin(action))
            .await
            .map(Option::unwrap_or_default)
    }

    /// Returns the identifiers of documents.
    pub(super) async fn find_ids(
        &self,
        owner: SearchOwner,
        filter: Document,
    ) -> Result<Vec<Bson>, StoreError> {
        let (collection, _) = self.search_collections(owner);
        let find = collection.find(filter).projection(doc! { "_id": 1 });
        let action = async { ids_of(find.await?).await };
        scan_with_timeout(collection.command("find"), Box::pin(action)).await
    }

    /// Returns up to [`FILL_BATCH`] identifiers of any type, in their order, after the given one.
    async fn find_ids_after(
        &self,
        owner: SearchOwner,
        filter: Document,
        after: &Bson,
    ) -> Result<Vec<Bson>, StoreError> {
        let (collection, _) = self.search_collections(owner);
        // The bound of the index covers all types, as this form of `$gt` does, but it is inclusive.
        let is_after = doc! { "$expr": { "$gt": ["$_id", literal(after)] } };
        let find = collection.find(doc! { "$and": [filter, is_after] });
        let find = find.min(doc! { "_id": after }).hint(Hint::Keys(doc! { "_id": 1 }));
        let find = find.sort(doc! { "_id": 1 }).limit(FILL_BATCH as i64);
        let action = async { ids_of(find.projection(doc! { "_id": 1 }).await?).await };
        scan_with_timeout(collection.command("find"), Box::pin(action)).await
    }

    /// Writes the search keys of a batch of documents. It reads them in the same transaction, so that
    /// a concurrent change conflicts.
    pub(super) async fn fill_batch(
        &self,
        batch: &FillBatch<'_>,
        session: &mut ClientSession,
    ) -> Result<(), WriteError> {
        let (collection, _) = self.search_collections(batch.owner);
        let mut filter = batch.outdated.clone();
        filter.insert("_id", doc! { "$in": batch.ids });
        let fields = batch.owner.fields().iter().map(|field| ((*field).to_owned(), 1.into()));
        let projection: Document = fields.collect();
        let find = doc! {
            "find": collection.name(), "filter": filter, "projection": projection,
            "batchSize": FILL_BATCH as i32, "singleBatch": true,
        };
        let find = self.database.run_command(find).session(&mut *session);
        let reply = write_with_timeout(collection.command("find"), find).await?;
        let documents =
            reply.get_document("cursor").and_then(|cursor| cursor.get_array("firstBatch"));
        let documents = documents.into_iter().flatten().filter_map(Bson::as_document);
        self.fill_documents(batch.owner, documents, session).await
    }

    async fn fill_documents(
        &self,
        owner: SearchOwner,
        documents: impl Iterator<Item = &Document>,
        session: &mut ClientSession,
    ) -> Result<(), WriteError> {
        let (mut ids, mut updates, mut keys) = (Vec::new(), Vec::<Bson>::new(), Vec::new());
        for document in documents {
            let Some(id) = document.get("_id") else { continue };
            let fields = SearchFields::from_stored(owner, document);
            let set = doc! { "$set": { "search": fields.document() } };
            updates.push(doc! { "q": { "_id": id }, "u": set }.into());
            keys.extend(fields.key_documents(id.clone()));
            ids.push(id.clone());
        }
        if ids.is_empty() {
            return Ok(());
        }
        let (collection, _) = self.search_collections(owner);
        let update = doc! { "update": collection.name(), "updates": updates };
        self.run_write(collection.command("update"), update, session).await?;
        self.delete_search_keys(owner, &ids, session).await?;
        self.insert_search_keys(owner, keys, session).await
    }

    /// Deletes the keys of documents that another program deleted.
    async fn delete_orphaned_keys(&self, owner: SearchOwner) -> Result<(), StoreError> {
        let (collection, keys) = self.search_collections(owner);
        let orphans = vec![
            doc! { "$group": { "_id": "$ownerId" } },
            doc! { "$lookup": {
                "from": collection.name(), "localField": "_id", "foreignField": "_id",
                "pipeline": [{ "$project": { "_id": 1 } }], "as": "owner",
            } },
            doc! { "$match": { "owner": [] } },
        ];
        let typed = keys.clone_with_type::<Document>();
        let open = typed.aggregate(orphans).with_type::<RawDocumentBuf>().into_future();
        let mut cursor = scan_with_timeout(keys.command("aggregate"), open).await?;
        let mut documents = 0;
        loop {
            let next = Box::pin(next_ids(&mut cursor, FILL_BATCH));
            let ids = scan_with_timeout(keys.command("getMore"), next).await?;
            if ids.is_empty() {
                break;
            }
            documents += ids.len();
            let delete = keys.delete_many(doc! { "ownerId": { "$in": ids } });
            with_timeout(keys.command("delete"), delete).await?;
        }
        tracing::info!(keys = keys.name(), documents, "orphaned search keys deleted");
        Ok(())
    }
}

/// Reads the identifiers of all documents of a cursor.
async fn ids_of(mut cursor: Cursor<RawDocumentBuf>) -> Result<Vec<Bson>, Error> {
    next_ids(&mut cursor, usize::MAX).await
}

/// Reads the identifiers of up to `max` further documents of a cursor.
async fn next_ids(cursor: &mut Cursor<RawDocumentBuf>, max: usize) -> Result<Vec<Bson>, Error> {
    let mut ids = Vec::new();
    while ids.len() < max && cursor.advance().await? {
        ids.push(value_of(cursor.current(), "_id"));
    }
    Ok(ids)
}

/// Runs a command that reads a whole collection, with a timeout of [`SCAN_TIMEOUT`].
async fn scan_with_timeout<T>(
    command: Command<'_>,
    action: impl Future<Output = Result<T, Error>>,
) -> Result<T, StoreError> {
    let future = async {
        match tokio::time::timeout(SCAN_TIMEOUT, action).await {
            Ok(result) => result.map_err(|error| read_error(&error)),
            Err(_) => Err(StoreError::Unavailable("the search keys are being read".to_owned())),
        }
    };
    command.instrument(future).await
}

/// The progress at the start, for the log.
struct FillProgress<'a> {
    collection: &'a str,
    done: u64,
    total: u64,
    logged_at: Instant,
}

impl<'a> FillProgress<'a> {
    fn new(collection: &'a str, total: u64) -> Self {
        if total > 0 {
            tracing::info!(collection, total, "writing search keys of existing documents");
        }
        Self { collection, done: 0, total, logged_at: Instant::now() }
    }

    fn add(&mut self, documents: u64) {
        self.done += documents;
        if self.done >= self.total || self.logged_at.elapsed() >= LOG_INTERVAL {
            let Self { collection, done, total, .. } = *self;
            tracing::info!(collection, done, total, "search keys written");
            self.logged_at = Instant::now();
        }
    }
}
