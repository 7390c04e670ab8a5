//! The store for production: a MongoDB replica set, or a sharded cluster.
//!
//! Read on in `queries` (by key), `pages` and `keyset` (lists), `members` (lists of many tenants
//! at once), `commit` (a transaction and its outcome), `apply` (each change), `marks` (what tells that
//! a change was applied), `deletions` (of tenants), `requests` (what may be sent twice). `documents` has both directions between a document and its domain
//! type, `indexes` what the database is asked to keep.

mod apply;
mod commit;
mod commit_probe;
mod connect;
mod counts;
mod deletions;
mod documents;
mod errors;
mod idempotency;
mod indexes;
mod keyset;
mod members;
mod pages;
mod prepare;
mod queries;

use std::{collections::HashMap, ops::Deref};

use async_trait::async_trait;
use mongodb::{
    Client, Collection, Database,
    bson::{RawDocumentBuf, doc},
};

use super::{
    CommitError, Decoded, PrepareError, Store, StoreError, SubscriptionKeys, TenantKeys, UserKeys,
    instrumentation::{Command, CommandMetrics},
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
use errors::with_timeout;

/// A collection whose documents come as they are on the wire: `documents` reads them in one pass,
/// without a copy.
struct RawCollection {
    collection: Collection<RawDocumentBuf>,
    observer: CommandMetrics,
}

impl Deref for RawCollection {
    type Target = Collection<RawDocumentBuf>;

    fn deref(&self) -> &Self::Target {
        &self.collection
    }
}

impl RawCollection {
    /// A command about this collection.
    fn command(&self, command: &'static str) -> Command<'_> {
        self.observer.command(command, self.collection.name())
    }
}

/// Keeps everything in one database of a MongoDB deployment.
pub struct MongoStore {
    client: Client,
    database: Database,
    tenants: RawCollection,
    users: RawCollection,
    subscriptions: RawCollection,
    audit_events: RawCollection,
    tombstones: RawCollection,
    requests: RawCollection,
    observer: CommandMetrics,
    turns: commit::TenantLocks,
    /// Whose subjects the users are that name no issuer.
    default_issuer: String,
}

impl MongoStore {
    /// A command about no collection.
    fn on(&self, command: &'static str) -> Command<'_> {
        self.observer.command(command, "")
    }
}

#[async_trait]
impl Store for MongoStore {
    async fn prepare(&self) -> Result<(), PrepareError> {
        self.check_deployment().await?;
        self.create_indexes().await
    }

    async fn check(&self) -> Result<(), PrepareError> {
        self.check_deployment().await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        with_timeout(self.on("ping"), self.database.run_command(doc! { "ping": 1 })).await.map(drop)
    }

    async fn tenants(&self, keys: TenantKeys<'_>) -> Result<Vec<Decoded<Tenant>>, StoreError> {
        self.tenants_by(keys).await
    }

    async fn users(&self, keys: UserKeys<'_>) -> Result<Vec<Decoded<User>>, StoreError> {
        match keys {
            UserKeys::Ids(ids) => self.users_by_id(ids).await,
            UserKeys::Identity(identity) => self.user_by_identity(identity).await,
        }
    }

    async fn subscriptions(
        &self,
        keys: SubscriptionKeys<'_>,
    ) -> Result<Vec<Decoded<TenantSubscription>>, StoreError> {
        self.subscriptions_by(keys).await
    }

    async fn audit_events(
        &self,
        ids: &[AuditEventId],
    ) -> Result<Vec<Decoded<AuditEvent>>, StoreError> {
        self.audit_events_by_id(ids).await
    }

    async fn tombstone(&self, identity: &Identity) -> Result<Option<Tombstone>, StoreError> {
        self.youngest_tombstone(identity).await
    }

    async fn tenant_page(
        &self,
        listing: &TenantListing,
        window: &PageRequest,
    ) -> Result<Page<Tenant>, StoreError> {
        pages::tenants(listing).read(&self.tenants, window, documents::tenant::read).await
    }

    async fn user_page(
        &self,
        listing: &UserListing,
        window: &PageRequest,
    ) -> Result<Page<User>, StoreError> {
        let read = |raw: &_| documents::user::read(raw, &self.default_issuer);
        pages::users(listing).read(&self.users, window, read).await
    }

    async fn subscription_page(
        &self,
        listing: &SubscriptionListing,
        window: &PageRequest,
    ) -> Result<Page<TenantSubscription>, StoreError> {
        let read = documents::subscription::read;
        pages::subscriptions(listing).read(&self.subscriptions, window, read).await
    }

    async fn audit_page(
        &self,
        listing: &AuditListing,
        window: &PageRequest,
    ) -> Result<Page<AuditEvent>, StoreError> {
        pages::audit_events(listing).read(&self.audit_events, window, documents::audit::read).await
    }

    async fn member_pages(
        &self,
        tenants: &[TenantId],
        filter: &MemberFilter,
        window: &PageRequest,
    ) -> Result<HashMap<TenantId, Page<User>>, StoreError> {
        self.pages_of_members(tenants, filter, window).await
    }

    async fn count_tenants(&self, listing: &TenantListing) -> Result<u64, StoreError> {
        pages::tenants(listing).count(&self.tenants).await
    }

    async fn count_users(&self, listing: &UserListing) -> Result<u64, StoreError> {
        pages::users(listing).count(&self.users).await
    }

    async fn count_subscriptions(&self, listing: &SubscriptionListing) -> Result<u64, StoreError> {
        pages::subscriptions(listing).count(&self.subscriptions).await
    }

    async fn count_audit_events(&self, listing: &AuditListing) -> Result<u64, StoreError> {
        pages::audit_events(listing).count(&self.audit_events).await
    }

    async fn count_members(
        &self,
        tenants: &[TenantId],
        filter: &MemberFilter,
    ) -> Result<HashMap<TenantId, u64>, StoreError> {
        self.counts_of_members(tenants, filter).await
    }

    async fn commit(&self, changes: &[Change]) -> Result<(), CommitError> {
        self.apply(changes).await
    }

    async fn finish_deletions(&self) -> Result<u64, StoreError> {
        self.remove_leftovers().await
    }

    async fn claim_request(&self, claim_request: &Claim) -> Result<ClaimResult, StoreError> {
        self.claim_request(claim_request).await
    }

    async fn complete_request(
        &self,
        key: IdempotencyKeyHash,
        holder: ObjectId,
        end: &RunOutcome,
    ) -> Result<(), StoreError> {
        self.settle_request(key, holder, end).await
    }
}
