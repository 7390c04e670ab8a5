//! The store for production: a MongoDB replica set, or a sharded cluster.
//!
//! Read on in `queries` (by key), `pages` and `keyset` (lists), `members` (lists of many tenants
//! at once), `commit` (a transaction and its outcome), `apply` (each change), `marks` (what tells that
//! a change was applied), `deletions` (of tenants), `requests` (what may be sent twice). `documents` has both directions between a document and its domain
//! type, `indexes` what the database is asked to keep.

mod apply;
mod commit;
mod connect;
mod counts;
mod deletions;
mod documents;
mod errors;
mod indexes;
mod keyset;
mod marks;
mod members;
mod pages;
mod prepare;
mod queries;
mod requests;

use std::{collections::HashMap, ops::Deref};

use async_trait::async_trait;
use mongodb::{
    Client, Collection, Database,
    bson::{RawDocumentBuf, doc},
};

use super::{
    CommitError, Found, PrepareError, ReadError, Store, SubscriptionKeys, TenantKeys, UserKeys,
    observe::{Command, Observer},
};
use crate::domain::{
    audit::AuditEvent,
    change::Change,
    id::{AuditEventId, ObjectId, TenantId},
    list::{
        AuditListing, MemberFilter, Page, SubscriptionListing, TenantListing, UserListing, Window,
    },
    request::{Claim, Claimed, RequestKey, Settlement},
    subscription::TenantSubscription,
    tenant::Tenant,
    user::{Identity, Tombstone, User},
};
use errors::bounded;

/// A collection whose documents come as they are on the wire: `documents` reads them in one pass,
/// without a copy.
struct Raw {
    collection: Collection<RawDocumentBuf>,
    observer: Observer,
}

impl Deref for Raw {
    type Target = Collection<RawDocumentBuf>;

    fn deref(&self) -> &Self::Target {
        &self.collection
    }
}

impl Raw {
    /// A command about this collection.
    fn on(&self, command: &'static str) -> Command<'_> {
        self.observer.command(command, self.collection.name())
    }
}

/// Keeps everything in one database of a MongoDB deployment.
pub struct MongoStore {
    client: Client,
    database: Database,
    tenants: Raw,
    users: Raw,
    subscriptions: Raw,
    audit_events: Raw,
    tombstones: Raw,
    requests: Raw,
    observer: Observer,
    turns: commit::Turns,
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

    async fn examine(&self) -> Result<(), PrepareError> {
        self.check_deployment().await
    }

    async fn ping(&self) -> Result<(), ReadError> {
        bounded(self.on("ping"), self.database.run_command(doc! { "ping": 1 })).await.map(drop)
    }

    async fn tenants(&self, keys: TenantKeys<'_>) -> Result<Vec<Found<Tenant>>, ReadError> {
        self.tenants_by(keys).await
    }

    async fn users(&self, keys: UserKeys<'_>) -> Result<Vec<Found<User>>, ReadError> {
        match keys {
            UserKeys::Ids(ids) => self.users_by_id(ids).await,
            UserKeys::Identity(identity) => self.user_by_identity(identity).await,
        }
    }

    async fn subscriptions(
        &self,
        keys: SubscriptionKeys<'_>,
    ) -> Result<Vec<Found<TenantSubscription>>, ReadError> {
        self.subscriptions_by(keys).await
    }

    async fn audit_events(
        &self,
        ids: &[AuditEventId],
    ) -> Result<Vec<Found<AuditEvent>>, ReadError> {
        self.audit_events_by_id(ids).await
    }

    async fn tombstone(&self, identity: &Identity) -> Result<Option<Tombstone>, ReadError> {
        self.youngest_tombstone(identity).await
    }

    async fn tenant_page(
        &self,
        listing: &TenantListing,
        window: &Window,
    ) -> Result<Page<Tenant>, ReadError> {
        pages::tenants(listing).read(&self.tenants, window, documents::tenant::read).await
    }

    async fn user_page(
        &self,
        listing: &UserListing,
        window: &Window,
    ) -> Result<Page<User>, ReadError> {
        let read = |raw: &_| documents::user::read(raw, &self.default_issuer);
        pages::users(listing).read(&self.users, window, read).await
    }

    async fn subscription_page(
        &self,
        listing: &SubscriptionListing,
        window: &Window,
    ) -> Result<Page<TenantSubscription>, ReadError> {
        let read = documents::subscription::read;
        pages::subscriptions(listing).read(&self.subscriptions, window, read).await
    }

    async fn audit_page(
        &self,
        listing: &AuditListing,
        window: &Window,
    ) -> Result<Page<AuditEvent>, ReadError> {
        pages::audit_events(listing).read(&self.audit_events, window, documents::audit::read).await
    }

    async fn member_pages(
        &self,
        tenants: &[TenantId],
        filter: &MemberFilter,
        window: &Window,
    ) -> Result<HashMap<TenantId, Page<User>>, ReadError> {
        self.pages_of_members(tenants, filter, window).await
    }

    async fn count_tenants(&self, listing: &TenantListing) -> Result<u64, ReadError> {
        pages::tenants(listing).count(&self.tenants).await
    }

    async fn count_users(&self, listing: &UserListing) -> Result<u64, ReadError> {
        pages::users(listing).count(&self.users).await
    }

    async fn count_subscriptions(&self, listing: &SubscriptionListing) -> Result<u64, ReadError> {
        pages::subscriptions(listing).count(&self.subscriptions).await
    }

    async fn count_audit_events(&self, listing: &AuditListing) -> Result<u64, ReadError> {
        pages::audit_events(listing).count(&self.audit_events).await
    }

    async fn count_members(
        &self,
        tenants: &[TenantId],
        filter: &MemberFilter,
    ) -> Result<HashMap<TenantId, u64>, ReadError> {
        self.counts_of_members(tenants, filter).await
    }

    async fn commit(&self, changes: &[Change]) -> Result<(), CommitError> {
        self.apply(changes).await
    }

    async fn finish_deletions(&self) -> Result<u64, ReadError> {
        self.end_leftovers().await
    }

    async fn claim(&self, claim: &Claim) -> Result<Claimed, ReadError> {
        self.claim_request(claim).await
    }

    async fn settle(
        &self,
        key: RequestKey,
        holder: ObjectId,
        end: &Settlement,
    ) -> Result<(), ReadError> {
        self.settle_request(key, holder, end).await
    }
}
