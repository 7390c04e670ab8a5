//! Reads all records for an export, and applies an import in bounded transactions.
//!
//! An import is recorded in the collection `imports` until it is complete. If it is interrupted, the
//! same import continues: it skips documents that exist already. An interrupted import of a tenant
//! does not concern the imports of other tenants.

use std::collections::HashSet;

use futures_util::TryStreamExt;
use mongodb::{
    ClientSession, Collection,
    bson::{Binary, Bson, Document, RawDocument, RawDocumentBuf, doc, spec::BinarySubtype},
};
use tokio::sync::mpsc;

use super::{
    collection::RawCollection,
    connect::MongoStore,
    documents::{self, DecodeResult, date, decode_or_log, id_of, oid, search::SearchOwner},
    errors::{code, read_error, with_timeout},
};
use crate::{
    domain::{
        change::Change,
        id::{ObjectId, TenantId},
        list::Decoded,
        record::{ImportPlan, ImportState, ImportStep, Record, TransferScope},
    },
    store::{CommitError, StoreError},
};

const IMPORTS: &str = "imports";
/// The identifier of the document of an import of everything. Imports of tenants have the digest of
/// their file.
const EVERYTHING: &str = "current";
/// The number of documents in one reply of the server.
const READ_BATCH: u32 = 500;
/// The server's code for a snapshot that is older than its history.
const SNAPSHOT_TOO_OLD: i32 = 239;

impl MongoStore {
    /// Sends all records of a scope, as they are at one moment.
    pub(super) async fn export_all(
        &self,
        scope: TransferScope,
        records: &mpsc::Sender<Decoded<Record>>,
    ) -> Result<(), StoreError> {
        let session = self.client.start_session().snapshot(true).await;
        let mut export = Export { session: session.map_err(|e| read_error(&e))?, records };
        let of_tenant = |field: &str| match scope {
            TransferScope::Everything => Document::new(),
            TransferScope::Tenant(tenant) => doc! { field: oid(tenant.raw) },
        };
        let by_id = doc! { "_id": 1 };
        let tenant = |raw: &_| documents::tenant::decode(raw).map(Record::Tenant);
        export.send(&self.tenants, of_tenant("_id"), &by_id, tenant).await?;
        let user = |raw: &_| documents::user::decode(raw, &self.default_issuer).map(Record::User);
        export.send(&self.users, of_tenant("memberships.tenantId"), &by_id, user).await?;
        let subscription = |raw: &_| documents::subscription::decode(raw).map(Record::Subscription);
        export.send(&self.subscriptions, of_tenant("tenantId"), &by_id, subscription).await?;
        let invitation = |raw: &_| documents::invitation::decode(raw).map(Record::Invitation);
        export.send(&self.invitations, of_tenant("tenantId"), &by_id, invitation).await?;
        let event = |raw: &_| documents::audit::decode(raw).map(Record::AuditEvent);
        export.send(&self.audit_events, of_tenant("tenantIds"), &by_id, event).await?;
        if scope == TransferScope::Everything {
            // Marker documents of deleted tenants have no subject.
            let all = doc! { "subject": { "$gt": "" } };
            let order = doc! { "subject": 1, "issuer": 1, "deletedAt": -1 };
            let tombstone = |raw: &_| documents::tombstone::decode(raw).map(Record::Tombstone);
            export.send(&self.tombstones, all, &order, tombstone).await?;
        }
        Ok(())
    }

    fn imports(&self) -> Collection<Document> {
        self.database.collection(IMPORTS)
    }

    /// Returns the records of interrupted imports.
    pub(super) async fn interrupted_imports(&self) -> Result<Vec<Document>, StoreError> {
        let imports = self.imports();
        let find = async { imports.find(doc! {}).await?.try_collect().await };
        with_timeout(self.command_metrics.command("find", IMPORTS), Box::pin(find)).await
    }

    pub(super) async fn state_of_import(
        &self,
        digest: &[u8; 32],
    ) -> Result<ImportState, StoreError> {
        let interrupted = self.interrupted_imports().await?;
        let is_same = |import: &Document| digest_of(import).as_ref() == Some(digest);
        Ok(if interrupted.iter().any(is_same) {
            ImportState::Interrupted
        } else if interrupted.iter().any(is_whole) {
            ImportState::Blocked
        } else {
            ImportState::New
        })
    }

    /// Applies the steps of an import until it is complete.
    pub(super) async fn import_all(
        &self,
        plan: ImportPlan,
        mut steps: mpsc::Receiver<ImportStep>,
    ) -> Result<(), CommitError> {
        let state = self.state_of_import(&plan.digest).await?;
        let is_continued = state == ImportState::Interrupted;
        if !is_continued {
            self.record_import(&plan).await?;
        }
        if let Some(tenant) = plan.replaced {
            self.delete_bootstrap(tenant).await?;
        }
        while let Some(step) = steps.recv().await {
            match step {
                ImportStep::Changes(changes) if is_continued => {
                    let changes = self.without_existing(changes).await?;
                    self.apply(&changes).await?;
                }
                ImportStep::Changes(changes) => self.apply(&changes).await?,
                ImportStep::Complete => {
                    let imports = self.imports();
                    let delete = imports.delete_one(doc! { "digest": stored_digest(&plan) });
                    let command = self.command_metrics.command("delete", IMPORTS);
                    return Ok(with_timeout(command, delete).await.map(drop)?);
                }
            }
        }
        Err(StoreError::Internal("the import ended early".to_owned()).into())
    }

    async fn record_import(&self, plan: &ImportPlan) -> Result<(), StoreError> {
        let is_whole = plan.scope == TransferScope::Everything;
        let id = match plan.scope {
            TransferScope::Everything => EVERYTHING.to_owned(),
            TransferScope::Tenant(_) => hex::encode(plan.digest),
        };
        let digest = stored_digest(plan);
        let document = doc! { "_id": id, "digest": digest, "everything": is_whole };
        let imports = self.imports();
        let insert = imports.insert_one(document);
        with_timeout(self.command_metrics.command("insert", IMPORTS), insert).await.map(drop)
    }

    /// Deletes the tenant of the bootstrap with its subscription and its events.
    async fn delete_bootstrap(&self, tenant: TenantId) -> Result<(), StoreError> {
        let id = oid(tenant.raw);
        let (_, search_keys) = self.search_collections(SearchOwner::Tenant);
        for (collection, filter) in [
            (search_keys, doc! { "ownerId": id }),
            (&self.audit_events, doc! { "tenantIds": id }),
            (&self.subscriptions, doc! { "tenantId": id }),
            (&self.tenants, doc! { "_id": id }),
        ] {
            let delete = collection.delete_many(filter);
            with_timeout(collection.command("delete"), delete).await?;
        }
        Ok(())
    }

    /// Returns the changes that an interrupted import has not applied.
    async fn without_existing(&self, changes: Vec<Change>) -> Result<Vec<Change>, StoreError> {
        let mut existing = HashSet::new();
        let collections = [
            &self.tenants,
            &self.users,
            &self.subscriptions,
            &self.invitations,
            &self.audit_events,
        ];
        for collection in collections {
            let ids: Vec<_> = changes
                .iter()
                .filter_map(inserted_id)
                .filter(|(name, _)| *name == collection.name())
                .map(|(_, id)| oid(id))
                .collect();
            if ids.is_empty() {
                continue;
            }
            let find =
                collection.find(doc! { "_id": { "$in": ids } }).projection(doc! { "_id": 1 });
            let mut found = with_timeout(collection.command("find"), find).await?;
            while found.advance().await.map_err(|error| read_error(&error))? {
                existing
                    .extend(id_of(found.current()).map(|id| (collection.name().to_owned(), id)));
            }
        }
        let mut missing = Vec::with_capacity(changes.len());
        for change in changes {
            let exists = match (&change, inserted_id(&change)) {
                (_, Some((collection, id))) => existing.contains(&(collection.to_owned(), id)),
                (Change::InsertTombstone(tombstone), None) => {
                    let filter = doc! {
                        "subject": &tombstone.identity.subject,
                        "issuer": &tombstone.identity.issuer,
                        "deletedAt": date(tombstone.deleted_at),
                    };
                    let find = self.tombstones.find_one(filter);
                    with_timeout(self.tombstones.command("find"), find).await?.is_some()
                }
                _ => false,
            };
            if !exists {
                missing.push(change);
            }
        }
        Ok(missing)
    }
}

/// Returns the collection and the identifier of an inserted document.
fn inserted_id(change: &Change) -> Option<(&'static str, ObjectId)> {
    match change {
        Change::InsertTenant(tenant) => Some(("tenants", tenant.id.raw)),
        Change::InsertUser(user) => Some(("users", user.id.raw)),
        Change::InsertSubscription(subscription) => Some(("subscriptions", subscription.id.raw)),
        Change::InsertInvitation(new) => Some(("invitations", new.id.raw)),
        Change::InsertAuditEvent(event) => Some(("auditEvents", event.id.raw)),
        _ => None,
    }
}

fn stored_digest(plan: &ImportPlan) -> Binary {
    Binary { subtype: BinarySubtype::Generic, bytes: plan.digest.to_vec() }
}

/// Returns the digest of the file of an import.
fn digest_of(import: &Document) -> Option<[u8; 32]> {
    match import.get("digest")? {
        Bson::Binary(binary) => binary.bytes.as_slice().try_into().ok(),
        _ => None,
    }
}

/// Returns whether an import writes the whole database, so that no gateway may use it before its end.
pub(super) fn is_whole(import: &Document) -> bool {
    import.get_bool("everything").unwrap_or(true)
}

/// An export that reads one snapshot.
struct Export<'a> {
    session: ClientSession,
    records: &'a mpsc::Sender<Decoded<Record>>,
}

impl Export<'_> {
    /// Sends the documents of one collection. Stops if nothing receives them.
    async fn send(
        &mut self,
        collection: &RawCollection,
        filter: Document,
        order: &Document,
        decode: impl Fn(&RawDocument) -> DecodeResult<Record>,
    ) -> Result<(), StoreError> {
        let raw: Collection<RawDocumentBuf> = collection.clone_with_type();
        let find = raw.find(filter).sort(order.clone()).batch_size(READ_BATCH).allow_disk_use(true);
        let find = async { find.session(&mut self.session).await.map_err(|e| snapshot_error(&e)) };
        let mut cursor = collection.command("find").instrument(Box::pin(find)).await?;
        while cursor.advance(&mut self.session).await.map_err(|error| snapshot_error(&error))? {
            let record = decode_or_log(collection.name(), cursor.current(), &decode);
            if self.records.send(record).await.is_err() {
                break;
            }
        }
        Ok(())
    }
}

fn snapshot_error(error: &mongodb::error::Error) -> StoreError {
    if code(error) == Some(SNAPSHOT_TOO_OLD) {
        let text = "the export took longer than the server keeps its history: raise its parameter \
            minSnapshotHistoryWindowInSeconds";
        return StoreError::Internal(text.to_owned());
    }
    read_error(error)
}
