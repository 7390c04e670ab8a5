//! Implements the store on MongoDB. It needs a replica set or a sharded cluster, because of
//! transactions.
//!
//! Contents:
//!
//! - `connect` has [`MongoStore`] and its options. `prepare` checks the deployment and creates the
//!   indexes of `indexes`. `foreign_indexes` finds unique indexes of other programs.
//! - `queries` has lookups. `pages`, `keyset` and `positions` have lists, `members` the members of many tenants,
//!   and `counts` their numbers. `searches` has lists with a search, whose keys `search_keys` writes
//!   and `search_repair` repairs.
//! - `commit` runs a transaction and determines its outcome. `tenant_locks` queues the transactions
//!   of one tenant. `apply` translates each change into the commands of `writes`. `commit_probe`
//!   finds out whether an unknown commit was applied. `abandoned` ends the transactions of killed
//!   processes. `deletions` deletes tenants.
//! - `idempotency` has claims and responses of idempotent requests.
//! - `change_feed` has the change stream, and the key of cursors.
//! - `outbox` leases the messages of the outbox.
//! - `transfer` has exports and imports.
//! - `migrate` takes over the database of the former Node service.
//! - `documents` converts between documents and domain types. `errors` classifies the driver's
//!   errors.

mod abandoned;
mod apply;
mod change_feed;
mod collection;
mod commit;
mod commit_probe;
mod connect;
mod counts;
mod deletions;
mod documents;
mod errors;
mod foreign_indexes;
mod idempotency;
mod indexes;
mod keyset;
mod members;
mod migrate;
mod outbox;
mod pages;
mod positions;
mod prepare;
mod queries;
mod search_keys;
mod search_repair;
mod searches;
mod tenant_locks;
mod transfer;
mod writes;

use std::collections::HashMap;

use async_trait::async_trait;
use mongodb::bson::{RawDocument, doc};
use tokio::sync::mpsc;

use super::{
    ChangeFeed, CommitError, DatabaseStatus, Decoded, InvitationKeys, PrepareError, Store,
    StoreError, SubscriptionKeys, TenantKeys, UserKeys, WatchError,
};
use crate::domain::{
    audit::AuditEvent,
    change::Change,
    id::{AuditEventId, ObjectId, TenantId},
    idempotency::{Claim, ClaimResult, Heartbeat, IdempotencyKeyHash, RunOutcome},
    invitation::Invitation,
    list::{
        AuditListing, InvitationListing, ListOrder, MemberFilter, Page, PageRequest,
        SubscriptionListing, TenantListing, UserListing,
    },
    live::FeedPosition,
    outbox::{LeaseResult, OutboxLease},
    record::{ImportPlan, ImportState, ImportStep, Record, TransferScope},
    subscription::TenantSubscription,
    tenant::Tenant,
    user::{Identity, Tombstone, User},
};
use collection::{without_search_keys, without_tenant_details};
pub use connect::MongoStore;
use documents::search::SearchOwner;
use errors::with_timeout;
pub use migrate::{MigrationObserver, MigrationProgress};

/// Decodes a stored user for the benchmarks, or returns `None` if it is unreadable.
#[doc(hidden)]
#[must_use]
pub fn decode_user(raw: &RawDocument, default_issuer: &str) -> Option<User> {
    documents::user::decode(raw, default_issuer).ok()
}

#[async_trait]
impl Store for MongoStore {
    async fn prepare(&self) -> Result<(), PrepareError> {
        self.check_database().await?;
        self.abandoned.end_during(self.create_indexes()).await
    }

    async fn check(&self) -> Result<(), PrepareError> {
        self.check_database().await
    }

    async fn status(&self) -> Result<DatabaseStatus, StoreError> {
        self.database_status().await
    }

    async fn follow_manual_edits(&self) {
        self.follow_manual_edits().await;
    }

    async fn warnings(&self) -> Result<Vec<String>, StoreError> {
        let indexes = self.foreign_unique_indexes().await?;
        Ok(indexes.iter().map(ToString::to_string).collect())
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let ping = self.database.run_command(doc! { "ping": 1 });
        with_timeout(self.command("ping"), ping).await.map(drop)
    }

    async fn tenants(&self, keys: TenantKeys<'_>) -> Result<Vec<Decoded<Tenant>>, StoreError> {
        self.tenants_by(keys, without_search_keys()).await
    }

    async fn tenants_without_details(
        &self,
        keys: TenantKeys<'_>,
    ) -> Result<Vec<Decoded<Tenant>>, StoreError> {
        self.tenants_by(keys, without_tenant_details()).await
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

    async fn invitations(
        &self,
        keys: InvitationKeys<'_>,
    ) -> Result<Vec<Decoded<Invitation>>, StoreError> {
        self.invitations_by(keys).await
    }

    async fn audit_events(
        &self,
        ids: &[AuditEventId],
    ) -> Result<Vec<Decoded<AuditEvent>>, StoreError> {
        self.audit_events_by_id(ids).await
    }

    async fn tombstone(&self, identity: &Identity) -> Result<Option<Tombstone>, StoreError> {
        self.latest_tombstone(identity).await
    }

    async fn tenant_page(
        &self,
        listing: &TenantListing,
        page: &PageRequest,
    ) -> Result<Page<Tenant>, StoreError> {
        let (list, decode) = (pages::tenants(listing), documents::tenant::decode);
        let search = listing.filter.search.as_deref();
        let is_by_key = listing.order == ListOrder::MatchedKey;
        self.read_page(SearchOwner::Tenant, list, search, is_by_key, page, decode).await
    }

    async fn user_page(
        &self,
        listing: &UserListing,
        page: &PageRequest,
    ) -> Result<Page<User>, StoreError> {
        let decode = |raw: &_| documents::user::decode(raw, &self.default_issuer);
        let (list, search) = (pages::users(listing), listing.filter.search.as_deref());
        let is_by_key = listing.order == ListOrder::MatchedKey;
        self.read_page(SearchOwner::User, list, search, is_by_key, page, decode).await
    }

    async fn subscription_page(
        &self,
        listing: &SubscriptionListing,
        page: &PageRequest,
    ) -> Result<Page<TenantSubscription>, StoreError> {
        let decode = documents::subscription::decode;
        pages::subscriptions(listing).read_page(&self.subscriptions, page, decode).await
    }

    async fn invitation_page(
        &self,
        listing: &InvitationListing,
        page: &PageRequest,
    ) -> Result<Page<Invitation>, StoreError> {
        let decode = documents::invitation::decode;
        pages::invitations(listing).read_page(&self.invitations, page, decode).await
    }

    async fn audit_page(
        &self,
        listing: &AuditListing,
        page: &PageRequest,
    ) -> Result<Page<AuditEvent>, StoreError> {
        let decode = documents::audit::decode;
        pages::audit_events(listing).read_page(&self.audit_events, page, decode).await
    }

    async fn member_pages(
        &self,
        tenants: &[TenantId],
        filter: &MemberFilter,
        page: &PageRequest,
    ) -> Result<HashMap<TenantId, Page<User>>, StoreError> {
        self.pages_of_members(tenants, filter, page).await
    }

    async fn count_tenants(&self, listing: &TenantListing) -> Result<u64, StoreError> {
        let search = listing.filter.search.as_deref();
        self.count(SearchOwner::Tenant, pages::tenants(listing), search).await
    }

    async fn count_users(&self, listing: &UserListing) -> Result<u64, StoreError> {
        let search = listing.filter.search.as_deref();
        self.count(SearchOwner::User, pages::users(listing), search).await
    }

    async fn count_subscriptions(&self, listing: &SubscriptionListing) -> Result<u64, StoreError> {
        pages::subscriptions(listing).count(&self.subscriptions).await
    }

    async fn count_invitations(&self, listing: &InvitationListing) -> Result<u64, StoreError> {
        pages::invitations(listing).count_by_conditions(&self.invitations).await
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

    async fn export(
        &self,
        scope: TransferScope,
        records: mpsc::Sender<Decoded<Record>>,
    ) -> Result<(), StoreError> {
        self.export_all(scope, &records).await
    }

    async fn prepare_import(&self) -> Result<(), PrepareError> {
        self.check_deployment().await?;
        self.check_shape().await?;
        self.abandoned.end_during(self.create_indexes()).await
    }

    async fn import_state(&self, digest: &[u8; 32]) -> Result<ImportState, StoreError> {
        self.state_of_import(digest).await
    }

    async fn import(
        &self,
        plan: ImportPlan,
        steps: mpsc::Receiver<ImportStep>,
    ) -> Result<(), CommitError> {
        self.import_all(plan, steps).await
    }

    async fn finish_deletions(&self) -> Result<u64, StoreError> {
        self.abandoned.end_during(self.finish_cleanups()).await
    }

    // The inherent methods of the same names are in `idempotency`, and take precedence here.
    async fn claim_request(&self, claim: &Claim) -> Result<ClaimResult, StoreError> {
        self.abandoned.end_during(self.claim_request(claim)).await
    }

    async fn record_heartbeat(&self, heartbeat: &Heartbeat) -> Result<(), StoreError> {
        self.record_heartbeat(heartbeat).await
    }

    async fn count_heartbeats(
        &self,
        process: ObjectId,
        run_id: ObjectId,
    ) -> Result<Option<i64>, StoreError> {
        self.count_heartbeats(process, run_id).await
    }

    async fn complete_request(
        &self,
        key: IdempotencyKeyHash,
        run_id: ObjectId,
        outcome: &RunOutcome,
    ) -> Result<(), StoreError> {
        self.abandoned.end_during(self.complete_request(key, run_id, outcome)).await
    }

    async fn lease_outbox_message(&self, lease: &OutboxLease) -> Result<LeaseResult, StoreError> {
        self.abandoned.end_during(self.lease_message(lease)).await
    }

    async fn watch(&self, after: Option<&FeedPosition>) -> Result<Box<dyn ChangeFeed>, WatchError> {
        Ok(Box::new(self.open_feed(after).await?))
    }

    async fn cursor_key(&self, candidate: [u8; 32]) -> Result<[u8; 32], StoreError> {
        self.stored_cursor_key(candidate).await
    }
}
