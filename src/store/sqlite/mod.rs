//! Implements the store on an embedded SQLite database, for one process and without installation.
//!
//! Contents:
//!
//! - `queries` has lookups, `lists` pages and counts, `members` the members of many tenants.
//! - `searches` and `matched_pages` have pages and counts of a search, whose keys `search_keys`
//!   writes.
//! - `commit` has writes, `change_feed` reports them, and `idempotency` claims and responses of
//!   idempotent requests.
//! - `outbox` leases the messages of the outbox.
//! - `transfer` has exports and imports.
//! - `rows` converts between rows and domain types. `schema` has the tables.
//! - `pool` shares connections without blocking the runtime. `errors` classifies SQLite's errors, and
//!   `database_file` those of the file. `private_files` has the permissions of files.
//! - `query_plan_tests.rs` checks that every statement uses an index.

mod change_feed;
mod commit;
mod database_file;
mod errors;
mod idempotency;
mod lists;
mod matched_pages;
mod members;
mod outbox;
mod pool;
mod private_files;
mod queries;
#[cfg(test)]
mod query_plan_tests;
mod rows;
mod schema;
mod search_keys;
mod searches;
mod transfer;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use tokio::sync::{mpsc, watch};

use super::{
    ChangeFeed, CommitError, DatabaseStatus, Decoded, InvitationKeys, PrepareError, Store,
    StoreError, SubscriptionKeys, TenantKeys, UserKeys, WatchError,
    instrumentation::CommandMetrics,
};
use crate::domain::{
    audit::AuditEvent,
    change::Change,
    id::{AuditEventId, ObjectId, TenantId},
    idempotency::{Claim, ClaimResult, Heartbeat, IdempotencyKeyHash, RunOutcome},
    invitation::Invitation,
    list::{
        AuditListing, InvitationListing, MemberFilter, Page, PageRequest, SubscriptionListing,
        TenantListing, UserListing,
    },
    live::FeedPosition,
    outbox::{LeaseResult, OutboxLease},
    record::{ImportPlan, ImportStep, Record, TransferScope},
    subscription::TenantSubscription,
    tenant::Tenant,
    user::{Identity, Tombstone, User},
};
use crate::metrics::Metrics;
use change_feed::SqliteFeed;
use pool::Pool;

pub use private_files::make_folder_private;

/// Stores everything in one SQLite database.
pub struct SqliteStore {
    pool: Arc<Pool>,
    /// The path of the database file, or `None` for a database in memory.
    path: Option<PathBuf>,
    /// Wakes the change feeds after a commit.
    committed: watch::Sender<()>,
}

impl SqliteStore {
    /// Opens a store in a file. The file and its folder are created if they do not exist.
    ///
    /// # Errors
    ///
    /// [`PrepareError::Misconfigured`] if the file or its folder cannot be created or opened, or is
    /// not a database. [`PrepareError::Failed`] if the disk or another process prevents it.
    pub fn open(path: &Path, metrics: Option<Metrics>) -> Result<Self, PrepareError> {
        let pool = Pool::open(path, command_metrics(metrics))?;
        Ok(Self::new(pool, Some(path.to_owned())))
    }

    /// Checks that a path can be the one of a database file, and changes nothing.
    ///
    /// # Errors
    ///
    /// [`PrepareError::Misconfigured`] if it is the path of a folder or of anything else but a file.
    pub fn validate_path(path: &Path) -> Result<(), PrepareError> {
        database_file::validate(path)
    }

    /// Creates a store in memory. Its data is lost when the process ends.
    ///
    /// # Errors
    ///
    /// [`PrepareError::Failed`] if SQLite cannot create the database.
    pub fn in_memory(metrics: Option<Metrics>) -> Result<Self, PrepareError> {
        Ok(Self::new(Pool::in_memory(command_metrics(metrics))?, None))
    }

    fn new(pool: Pool, path: Option<PathBuf>) -> Self {
        Self { pool: Arc::new(pool), path, committed: watch::Sender::new(()) }
    }
}

fn command_metrics(metrics: Option<Metrics>) -> CommandMetrics {
    metrics.map_or_else(CommandMetrics::default, |metrics| CommandMetrics::new(metrics, "sqlite"))
}

#[async_trait]
impl Store for SqliteStore {
    async fn prepare(&self) -> Result<(), PrepareError> {
        tracing::info!(version = rusqlite::version(), "SQLite is embedded");
        self.pool.write("migrate", schema::migrate).await
    }

    async fn check(&self) -> Result<(), PrepareError> {
        self.pool.read("", |db| Ok(schema::check_version(db))).await?
    }

    async fn status(&self) -> Result<DatabaseStatus, StoreError> {
        let is_empty = self.pool.read("", |db| Ok(schema::has_no_data(db))).await??;
        Ok(DatabaseStatus { is_empty, left_documents: 0 })
    }

    async fn warnings(&self) -> Result<Vec<String>, StoreError> {
        let exposed = self.path.as_deref().map_or_else(Vec::new, private_files::exposed);
        let warning = |(path, mode): (PathBuf, u32)| {
            format!(
                "{path:?} has the mode {mode:04o}, so that other users of this machine may access it: \
                 run `chmod 600` on it, unless they must"
            )
        };
        Ok(exposed.into_iter().map(warning).collect())
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.pool.read("", |db| db.query_row("SELECT 1", [], |_| Ok(()))).await
    }

    async fn tenants(&self, keys: TenantKeys<'_>) -> Result<Vec<Decoded<Tenant>>, StoreError> {
        let query = queries::tenants(keys);
        self.pool.read("tenants", move |db| query.read_all(db, rows::tenant::decode)).await
    }

    async fn users(&self, keys: UserKeys<'_>) -> Result<Vec<Decoded<User>>, StoreError> {
        let decode = match keys {
            UserKeys::Ids(_) => rows::user::decode,
            UserKeys::Identity(_) => rows::user::decode_for_sync,
        };
        let query = queries::users(keys);
        self.pool.read("users", move |db| query.read_all(db, decode)).await
    }

    async fn subscriptions(
        &self,
        keys: SubscriptionKeys<'_>,
    ) -> Result<Vec<Decoded<TenantSubscription>>, StoreError> {
        let query = queries::subscriptions(keys);
        self.pool
            .read("subscriptions", move |db| query.read_all(db, rows::subscription::decode))
            .await
    }

    async fn invitations(
        &self,
        keys: InvitationKeys<'_>,
    ) -> Result<Vec<Decoded<Invitation>>, StoreError> {
        let query = queries::invitations(keys);
        self.pool.read("invitations", move |db| query.read_all(db, rows::invitation::decode)).await
    }

    async fn audit_events(
        &self,
        ids: &[AuditEventId],
    ) -> Result<Vec<Decoded<AuditEvent>>, StoreError> {
        let query = queries::audit_events(ids);
        self.pool.read("audit_events", move |db| query.read_all(db, rows::audit::decode)).await
    }

    async fn tombstone(&self, identity: &Identity) -> Result<Option<Tombstone>, StoreError> {
        let identity = identity.clone();
        self.pool.read("tombstones", move |db| queries::tombstone(db, identity)).await
    }

    async fn tenant_page(
        &self,
        listing: &TenantListing,
        page: &PageRequest,
    ) -> Result<Page<Tenant>, StoreError> {
        let (list, page) = (lists::tenants(listing), page.clone());
        self.pool.read("tenants", move |db| list.read_page(db, &page, rows::tenant::decode)).await?
    }

    async fn user_page(
        &self,
        listing: &UserListing,
        page: &PageRequest,
    ) -> Result<Page<User>, StoreError> {
        let (list, page) = (lists::users(listing), page.clone());
        self.pool.read("users", move |db| list.read_page(db, &page, rows::user::decode)).await?
    }

    async fn subscription_page(
        &self,
        listing: &SubscriptionListing,
        page: &PageRequest,
    ) -> Result<Page<TenantSubscription>, StoreError> {
        let (list, page) = (lists::subscriptions(listing), page.clone());
        self.pool
            .read("subscriptions", move |db| list.read_page(db, &page, rows::subscription::decode))
            .await?
    }

    async fn invitation_page(
        &self,
        listing: &InvitationListing,
        page: &PageRequest,
    ) -> Result<Page<Invitation>, StoreError> {
        let (list, page) = (lists::invitations(listing), page.clone());
        self.pool
            .read("invitations", move |db| list.read_page(db, &page, rows::invitation::decode))
            .await?
    }

    async fn audit_page(
        &self,
        listing: &AuditListing,
        page: &PageRequest,
    ) -> Result<Page<AuditEvent>, StoreError> {
        let (list, page) = (lists::audit_events(listing), page.clone());
        self.pool
            .read("audit_events", move |db| list.read_page(db, &page, rows::audit::decode))
            .await?
    }

    async fn member_pages(
        &self,
        tenants: &[TenantId],
        filter: &MemberFilter,
        page: &PageRequest,
    ) -> Result<HashMap<TenantId, Page<User>>, StoreError> {
        let (tenants, filter, page) = (tenants.to_vec(), filter.clone(), page.clone());
        self.pool.read("memberships", move |db| members::pages(db, &tenants, &filter, &page)).await
    }

    async fn count_tenants(&self, listing: &TenantListing) -> Result<u64, StoreError> {
        let list = lists::tenants(listing);
        self.pool.read("tenants", move |db| list.count(db)).await
    }

    async fn count_users(&self, listing: &UserListing) -> Result<u64, StoreError> {
        let list = lists::users(listing);
        self.pool.read("users", move |db| list.count(db)).await
    }

    async fn count_subscriptions(&self, listing: &SubscriptionListing) -> Result<u64, StoreError> {
        let list = lists::subscriptions(listing);
        self.pool.read("subscriptions", move |db| list.count(db)).await
    }

    async fn count_invitations(&self, listing: &InvitationListing) -> Result<u64, StoreError> {
        let list = lists::invitations(listing);
        self.pool.read("invitations", move |db| list.count(db)).await
    }

    async fn count_audit_events(&self, listing: &AuditListing) -> Result<u64, StoreError> {
        let list = lists::audit_events(listing);
        self.pool.read("audit_events", move |db| list.count(db)).await
    }

    async fn count_members(
        &self,
        tenants: &[TenantId],
        filter: &MemberFilter,
    ) -> Result<HashMap<TenantId, u64>, StoreError> {
        let (tenants, filter) = (tenants.to_vec(), filter.clone());
        self.pool.read("memberships", move |db| members::counts(db, &tenants, &filter)).await
    }

    async fn commit(&self, changes: &[Change]) -> Result<(), CommitError> {
        let changes = changes.to_vec();
        let committed = self.committed.clone();
        let commit = move |db: &mut _| {
            commit::commit(db, &changes)?;
            committed.send_replace(());
            Ok(())
        };
        self.pool.write("commit", commit).await
    }

    async fn export(
        &self,
        scope: TransferScope,
        records: mpsc::Sender<Decoded<Record>>,
    ) -> Result<(), StoreError> {
        self.pool.scan(move |db| transfer::export(db, scope, &records)).await
    }

    async fn import(
        &self,
        plan: ImportPlan,
        steps: mpsc::Receiver<ImportStep>,
    ) -> Result<(), CommitError> {
        self.pool.write("import", move |db| transfer::import(db, &plan, steps)).await
    }

    /// Does nothing. The keys of a manual edit need the folding of this program.
    async fn follow_manual_edits(&self) {
        std::future::pending::<()>().await;
    }

    /// Returns 0, because a deletion is always complete when it is committed.
    async fn finish_deletions(&self) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn claim_request(&self, claim: &Claim) -> Result<ClaimResult, StoreError> {
        let claim = claim.clone();
        self.pool.write("claim_request", move |db| idempotency::claim_request(db, &claim)).await
    }

    async fn record_heartbeat(&self, heartbeat: &Heartbeat) -> Result<(), StoreError> {
        let heartbeat = heartbeat.clone();
        let record = move |db: &mut _| Ok(idempotency::record_heartbeat(db, &heartbeat)?);
        self.pool.write("record_heartbeat", record).await
    }

    async fn count_heartbeats(
        &self,
        process: ObjectId,
        run_id: ObjectId,
    ) -> Result<Option<i64>, StoreError> {
        let count = move |db: &mut _| idempotency::count_heartbeats(db, process, run_id);
        self.pool.read("processes", count).await
    }

    async fn complete_request(
        &self,
        key: IdempotencyKeyHash,
        run_id: ObjectId,
        outcome: &RunOutcome,
    ) -> Result<(), StoreError> {
        let outcome = outcome.clone();
        let complete =
            move |db: &mut _| Ok(idempotency::complete_request(db, key, run_id, &outcome)?);
        self.pool.write("complete_request", complete).await
    }

    async fn lease_outbox_message(&self, lease: &OutboxLease) -> Result<LeaseResult, StoreError> {
        let lease = *lease;
        let take = move |db: &mut _| Ok(outbox::lease_message(db, &lease)?);
        self.pool.write("lease_outbox_message", take).await
    }

    async fn watch(&self, after: Option<&FeedPosition>) -> Result<Box<dyn ChangeFeed>, WatchError> {
        let committed = self.committed.subscribe();
        Ok(Box::new(SqliteFeed::open(self.pool.clone(), committed, after).await?))
    }

    async fn cursor_key(&self, candidate: [u8; 32]) -> Result<[u8; 32], StoreError> {
        let read = move |db: &mut _| change_feed::cursor_key(db, candidate);
        self.pool.write("cursor_key", read).await
    }
}
