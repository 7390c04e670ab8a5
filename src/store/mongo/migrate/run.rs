//! Converts the collections one after another.

use std::collections::HashSet;

use mongodb::{
    Cursor,
    bson::{Bson, Document, RawDocument, RawDocumentBuf, doc},
};

use super::{
    batch::Batch,
    converter::{Context, Converter},
    fields::{Conversion, OldFields, require_id},
    shape::{DatabaseShape, foreign},
    state::EventStamp,
    subscription::{LiveSubscriptions, SubscriptionContext},
    tenant::TenantSurvey,
    user::UserContext,
    values,
};
use crate::{
    domain::{
        audit::{ActorKind, AuditEvent, FieldChange},
        id::{AuditEventId, ObjectId},
        migration::{
            MigrationOptions, OldCollection,
            report::{Finding, FindingKind, MigrationReport, MigrationState},
        },
        time::Timestamp,
    },
    store::{
        PrepareError, StoreError,
        mongo::{
            connect::MongoStore,
            documents::{audit, oid},
            errors::{read_error, with_timeout},
        },
    },
};

/// The number of documents in one reply of the server.
const READ_BATCH: u32 = 500;
/// The number of attempts to write documents that another program changes at the same time.
const MAX_ATTEMPTS: u32 = 5;

/// The progress of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MigrationProgress {
    /// The collection that is being converted.
    pub collection: OldCollection,
    /// The number of its documents that are done.
    pub done: u64,
    /// The estimated number of its documents.
    pub total: u64,
}

/// Receives the progress and the remarks of a migration while it runs.
pub trait MigrationObserver: Send {
    /// Receives the progress.
    fn progress(&mut self, progress: MigrationProgress);

    /// Receives a remark. Remarks come by collection and identifier. There may be one for each document,
    /// so the migration does not keep them.
    fn finding(&mut self, finding: Finding);
}

/// A run of the migration.
struct Run<'a> {
    store: &'a MongoStore,
    options: &'a MigrationOptions,
    report: MigrationReport,
    /// The audit event of this run, or of the interrupted one that it continues.
    event: EventStamp,
    is_recorded: bool,
    /// The remarks about tenants, which are not converted in the order of their identifiers.
    of_tenants: Vec<Finding>,
    observer: &'a mut dyn MigrationObserver,
}

impl MongoStore {
    /// Converts the documents of the former Node service, and returns a report.
    ///
    /// `id` and `at` are those of the audit event. The call may be interrupted and repeated.
    ///
    /// # Errors
    ///
    /// [`PrepareError::Misconfigured`] if the deployment is a standalone server or the documents are of
    /// another program. [`PrepareError::Failed`] if the database fails.
    pub async fn migrate(
        &self,
        options: &MigrationOptions,
        (id, at): (ObjectId, Timestamp),
        observer: &mut dyn MigrationObserver,
    ) -> Result<MigrationReport, PrepareError> {
        self.check_deployment().await?;
        match self.shape().await? {
            DatabaseShape::Empty => return Ok(MigrationReport::default()),
            DatabaseShape::Foreign(collection) if options.mappings.is_empty() => {
                return Err(foreign(collection));
            }
            _ => {}
        }
        let stored = self.migration_state().await?;
        let interrupted = stored.filter(|stored| stored.state == MigrationState::Running);
        let mut run = Run {
            store: self,
            options,
            report: MigrationReport::default(),
            event: interrupted.and_then(|s| s.event).unwrap_or(EventStamp { id, at }),
            is_recorded: interrupted.is_some_and(|stored| stored.event.is_some()),
            of_tenants: Vec::new(),
            observer,
        };
        run.drop_refusing_indexes().await?;
        let tenants = run.convert_tenants().await?;
        run.convert_users(&tenants).await?;
        run.convert_subscriptions(&tenants).await?;
        if !options.dry_run {
            self.create_indexes().await?;
            let left = run.report.left();
            if run.is_recorded {
                self.insert_migration_event(&run.report, run.event).await?;
            }
            if run.is_recorded
                || stored.map(|stored| stored.state) != Some(MigrationState::Done { left })
            {
                self.store_done(left).await?;
            }
        }
        Ok(run.report)
    }

    /// Inserts the audit event of a migration, unless an interrupted run has inserted it.
    async fn insert_migration_event(
        &self,
        report: &MigrationReport,
        event: EventStamp,
    ) -> Result<(), StoreError> {
        let change = |collection: OldCollection| {
            let counts = &report.counts[collection as usize];
            let to = serde_json::json!({ "documents": counts.documents, "left": counts.left });
            FieldChange { field: collection.as_str().to_owned(), from: serde_json::Value::Null, to }
        };
        let id = oid(event.id);
        let event = AuditEvent {
            id: AuditEventId::new(event.id),
            at: event.at,
            action: "database.migrate".to_owned(),
            actor_kind: ActorKind::System,
            actor: None,
            tenants: Vec::new(),
            target: None,
            changes: OldCollection::ALL.into_iter().map(change).collect(),
            request_id: None,
        };
        let insert = doc! { "$setOnInsert": audit::encode(&event) };
        let upsert = self.audit_events.update_one(doc! { "_id": id }, insert).upsert(true);
        with_timeout(self.audit_events.command("update"), upsert).await.map(drop)
    }

    /// Returns all documents of a collection, or those with the given identifiers, in the order of
    /// their identifiers.
    pub(super) async fn old_documents(
        &self,
        collection: OldCollection,
        ids: Option<&[Bson]>,
    ) -> Result<Cursor<RawDocumentBuf>, StoreError> {
        let collection = self.old_collection(collection);
        let filter = ids.map_or_else(Document::new, |ids| doc! { "_id": { "$in": ids } });
        let find = collection.find(filter).sort(doc! { "_id": 1 }).batch_size(READ_BATCH);
        with_timeout(collection.command("find"), find).await
    }
}

impl Run<'_> {
    /// Drops the unique indexes of other programs that would reject the gateway's writes.
    async fn drop_refusing_indexes(&mut self) -> Result<(), StoreError> {
        for index in self.store.foreign_unique_indexes().await? {
            if !self.options.dry_run {
                self.record_start().await?;
                let target = self.store.database.collection::<()>(index.collection);
                let command = self.store.command_metrics.command("dropIndexes", index.collection);
                with_timeout(command, target.drop_index(&index.name)).await?;
            }
            self.report.changed = true;
            self.report.dropped_indexes.push((index.collection.to_owned(), index.name));
        }
        Ok(())
    }

    /// Converts all tenants, and returns their identifiers.
    async fn convert_tenants(&mut self) -> Result<HashSet<ObjectId>, StoreError> {
        let fields = OldFields::new(OldCollection::Tenants, &self.options.mappings);
        let mut survey = TenantSurvey::default();
        let mut all = self.store.old_documents(OldCollection::Tenants, None).await?;
        while all.advance().await.map_err(|error| read_error(&error))? {
            survey.add(all.current(), &fields);
        }
        let (context, ids) = survey.finish();
        let options = self.options;
        let converter = Converter::new(&fields, Context::Tenants(&context), options);
        // A tenant gives up a value before another one gets it. So no unique index is violated.
        for first in [true, false] {
            let gives_up =
                |raw: &RawDocument| require_id(raw).is_ok_and(|id| context.gives_up_a_value(id));
            self.convert_all(&converter, &|raw| gives_up(raw) == first).await?;
        }
        self.of_tenants.sort_by(|a, b| (&a.id, a.kind).cmp(&(&b.id, b.kind)));
        self.of_tenants.drain(..).for_each(|finding| self.observer.finding(finding));
        Ok(ids)
    }

    async fn convert_users(&mut self, tenants: &HashSet<ObjectId>) -> Result<(), StoreError> {
        let fields = OldFields::new(OldCollection::Users, &self.options.mappings);
        let duplicates = self.store.find_duplicate_users(&fields).await?;
        let context = UserContext { tenants, duplicates: &duplicates };
        let converter = Converter::new(&fields, Context::Users(context), self.options);
        self.convert_all(&converter, &|_| true).await
    }

    async fn convert_subscriptions(
        &mut self,
        tenants: &HashSet<ObjectId>,
    ) -> Result<(), StoreError> {
        let fields = OldFields::new(OldCollection::Subscriptions, &self.options.mappings);
        let mut live = LiveSubscriptions::default();
        let mut all = self.store.old_documents(OldCollection::Subscriptions, None).await?;
        while all.advance().await.map_err(|error| read_error(&error))? {
            live.add(all.current(), &fields, tenants);
        }
        let context = SubscriptionContext { tenants, superseded: &live.superseded };
        let converter = Converter::new(&fields, Context::Subscriptions(context), self.options);
        self.convert_all(&converter, &|_| true).await
    }

    /// Converts the selected documents of a collection in batches.
    async fn convert_all(
        &mut self,
        converter: &Converter<'_>,
        select: &(dyn Fn(&RawDocument) -> bool + Send + Sync),
    ) -> Result<(), StoreError> {
        let collection = converter.collection();
        let target = self.store.old_collection(collection);
        let total =
            with_timeout(target.command("count"), target.estimated_document_count()).await?;
        let mut cursor = self.store.old_documents(collection, None).await?;
        let mut batch = Batch::default();
        while cursor.advance().await.map_err(|error| read_error(&error))? {
            let raw = cursor.current();
            if !select(raw) {
                continue;
            }
            let (conversion, left) = converter.convert(raw);
            self.add_to_batch(raw, &conversion, &mut batch)?;
            self.count(collection, raw, conversion, left);
            if batch.is_full() {
                self.write(converter, std::mem::take(&mut batch)).await?;
            }
            let done = self.report.counts_mut(collection).documents;
            if done.is_multiple_of(u64::from(READ_BATCH)) {
                self.observer.progress(MigrationProgress { collection, done, total });
            }
        }
        self.write(converter, batch).await?;
        let done = self.report.counts_mut(collection).documents;
        self.observer.progress(MigrationProgress { collection, done, total: total.max(done) });
        Ok(())
    }

    fn add_to_batch(
        &self,
        raw: &RawDocument,
        conversion: &Conversion<'_>,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        if !self.options.dry_run && !conversion.is_empty() {
            batch.push(raw, conversion.statement().map_err(StoreError::Internal)?);
        }
        Ok(())
    }

    /// Adds a document to the report.
    fn count(
        &mut self,
        collection: OldCollection,
        raw: &RawDocument,
        conversion: Conversion<'_>,
        left: Option<String>,
    ) {
        let id = describe_id(raw);
        self.report.changed |= !conversion.is_empty();
        let counts = self.report.counts_mut(collection);
        counts.documents += 1;
        match (&left, conversion.set.is_empty(), conversion.unset.is_empty()) {
            (Some(_), ..) => counts.left += 1,
            (None, true, true) => counts.unchanged += 1,
            (None, false, _) => counts.converted += 1,
            (None, true, false) => {}
        }
        if !conversion.unset.is_empty() {
            counts.finished += 1;
        }
        let left = left.map(|reason| (FindingKind::Left, reason));
        let mut findings: Vec<_> = conversion.findings.into_iter().chain(left).collect();
        findings.sort_by_key(|(kind, _)| *kind);
        for (kind, detail) in findings {
            let finding = Finding { collection, id: id.clone(), kind, detail };
            match collection {
                OldCollection::Tenants => self.of_tenants.push(finding),
                _ => self.observer.finding(finding),
            }
        }
    }

    /// Writes a batch. Documents that another program has changed meanwhile are read and converted
    /// again.
    async fn write(
        &mut self,
        converter: &Converter<'_>,
        mut batch: Batch,
    ) -> Result<(), StoreError> {
        let collection = converter.collection();
        let target = self.store.old_collection(collection);
        for _ in 0..MAX_ATTEMPTS {
            if batch.is_empty() {
                return Ok(());
            }
            self.record_start().await?;
            let ids = self.store.write_batch(target, std::mem::take(&mut batch)).await?;
            if ids.is_empty() {
                return Ok(());
            }
            let mut changed = self.store.old_documents(collection, Some(&ids)).await?;
            while changed.advance().await.map_err(|error| read_error(&error))? {
                let (conversion, _) = converter.convert(changed.current());
                self.add_to_batch(changed.current(), &conversion, &mut batch)?;
            }
        }
        let name = collection.as_str();
        Err(StoreError::Unavailable(format!(
            "another program changes documents of {name}, or a unique index rejects them"
        )))
    }

    /// Records that the migration is running, before its first write.
    async fn record_start(&mut self) -> Result<(), StoreError> {
        if !self.is_recorded {
            self.store.store_running(self.event).await?;
            self.is_recorded = true;
        }
        Ok(())
    }
}

/// Returns the identifier of a document for the report.
fn describe_id(raw: &RawDocument) -> String {
    match require_id(raw) {
        Ok(id) => id.to_string(),
        Err(_) => values::describe(raw.get("_id").ok().flatten()),
    }
}
