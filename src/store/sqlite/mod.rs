//! The embedded store: one file, one process, nothing to install.
//!
//! Read on in `queries` (by key), `lists` (pages and counts), `members` (lists of many tenants at
//! once), `commit` (writes), `requests` (what may be sent twice). `rows` has both directions between a row and its domain type,
//! `schema` the tables, `pool` how connections are shared without holding up the runtime.

mod commit;
mod errors;
mod idempotency;
mod lists;
mod members;
mod pool;
mod queries;
#[cfg(test)]
mod query_plan_tests;
mod rows;
mod schema;

use std::{collections::HashMap, path::Path};

use async_trait::async_trait;

use super::{
    CommitError, Decoded, PrepareError, Store, StoreError, SubscriptionKeys, TenantKeys, UserKeys,
    instrumentation::CommandMetrics,
};
use crate::domain::{
    audit::AuditEvent,
    change::Change,
    id::{AuditEventId, ObjectId, TenantId},
    idempotency::{Claim, ClaimResult, IdempotencyKeyHash, RunOutcome},
    list::{
        AuditListing, MemberFilter, Page, PageRequest, SubscriptionListing, TenantListing,
        UserListing,
    },
    subscription::TenantSubscription,
    tenant::Tenant,
    user::{Identity, Tombstone, User},
};
use crate::metrics::Metrics;
use pool::Pool;

/// Keeps everything in one SQLite database.
pub struct SqliteStore {
    pool: Pool,
}

impl SqliteStore {
    /// A store in that file, which is made, with its folder, where it is not there.
    pub fn open(path: &Path, metrics: Option<Metrics>) -> Result<Self, PrepareError> {
        Ok(Self { pool: Pool::open(path, observer(metrics))? })
    }

    /// A store that ends with the process.
    pub fn in_memory(metrics: Option<Metrics>) -> Result<Self, PrepareError> {
        Ok(Self { pool: Pool::in_memory(observer(metrics))? })
    }
}

fn observer(metrics: Option<Metrics>) -> CommandMetrics {
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

    async fn ping(&self) -> Result<(), StoreError> {
        self.pool.read("", |db| db.query_row("SELECT 1", [], |_| Ok(()))).await
    }

    async fn tenants(&self, keys: TenantKeys<'_>) -> Result<Vec<Decoded<Tenant>>, StoreError> {
        let query = queries::tenants(keys);
        self.pool.read("tenants", move |db| query.all(db, rows::tenant::read)).await
    }

    async fn users(&self, keys: UserKeys<'_>) -> Result<Vec<Decoded<User>>, StoreError> {
        let query = queries::users(keys);
        self.pool.read("users", move |db| query.all(db, rows::user::read)).await
    }

    async fn subscriptions(
        &self,
        keys: SubscriptionKeys<'_>,
    ) -> Result<Vec<Decoded<TenantSubscription>>, StoreError> {
        let query = queries::subscriptions(keys);
        self.pool.read("subscriptions", move |db| query.all(db, rows::subscription::read)).await
    }

    async fn audit_events(
        &self,
        ids: &[AuditEventId],
    ) -> Result<Vec<Decoded<AuditEvent>>, StoreError> {
        let query = queries::audit_events(ids);
        self.pool.read("audit_events", move |db| query.all(db, rows::audit::read)).await
    }

    async fn tombstone(&self, identity: &Identity) -> Result<Option<Tombstone>, StoreError> {
        let identity = identity.clone();
        self.pool.read("tombstones", move |db| queries::tombstone(db, identity)).await
    }

    async fn tenant_page(
        &self,
        listing: &TenantListing,
        window: &PageRequest,
    ) -> Result<Page<Tenant>, StoreError> {
        let (list, window) = (lists::tenants(listing), window.clone());
        self.pool.read("tenants", move |db| list.page(db, &window, rows::tenant::read)).await
    }

    async fn user_page(
        &self,
        listing: &UserListing,
        window: &PageRequest,
    ) -> Result<Page<User>, StoreError> {
        let (list, window) = (lists::users(listing), window.clone());
        self.pool.read("users", move |db| list.page(db, &window, rows::user::read)).await
    }

    async fn subscription_page(
        &self,
        listing: &SubscriptionListing,
        window: &PageRequest,
    ) -> Result<Page<TenantSubscription>, StoreError> {
        let (list, window) = (lists::subscriptions(listing), window.clone());
        self.pool
            .read("subscriptions", move |db| list.page(db, &window, rows::subscription::read))
            .await
    }

    async fn audit_page(
        &self,
        listing: &AuditListing,
        window: &PageRequest,
    ) -> Result<Page<AuditEvent>, StoreError> {
        let (list, window) = (lists::audit_events(listing), window.clone());
        self.pool.read("audit_events", move |db| list.page(db, &window, rows::audit::read)).await
    }

    async fn member_pages(
        &self,
        tenants: &[TenantId],
        filter: &MemberFilter,
        window: &PageRequest,
    ) -> Result<HashMap<TenantId, Page<User>>, StoreError> {
        let (tenants, filter, window) = (tenants.to_vec(), filter.clone(), window.clone());
        self.pool
            .read("memberships", move |db| members::pages(db, &tenants, &filter, &window))
            .await
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
        self.pool.write("commit", move |db| commit::commit(db, &changes)).await
    }

    /// Nothing is ever left: a deletion takes all along.
    async fn finish_deletions(&self) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn claim_request(&self, claim_request: &Claim) -> Result<ClaimResult, StoreError> {
        let claim_request = claim_request.clone();
        self.pool.write("claim_request", move |db| idempotency::claim(db, &claim_request)).await
    }

    async fn complete_request(
        &self,
        key: IdempotencyKeyHash,
        holder: ObjectId,
        end: &RunOutcome,
    ) -> Result<(), StoreError> {
        let end = end.clone();
        let complete_request = move |db: &mut _| Ok(idempotency::settle(db, key, holder, &end)?);
        self.pool.write("complete_request", complete_request).await
    }
}
