//! A store that a test can pause or fail, so that the test controls which requests are running.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use tenantry::{
    domain::{
        audit::AuditEvent,
        change::Change,
        id::{AuditEventId, ObjectId, TenantId},
        idempotency::{Claim, ClaimResult, Heartbeat, IdempotencyKeyHash, RunOutcome},
        invitation::Invitation,
        list::{
            AuditListing, Decoded, InvitationListing, MemberFilter, Page, PageRequest,
            SubscriptionListing, TenantListing, UserListing,
        },
        live::{FeedEvent, FeedPosition},
        outbox::{LeaseResult, OutboxLease},
        record::{ImportPlan, ImportStep, Record, TransferScope},
        subscription::TenantSubscription,
        tenant::Tenant,
        user::{Identity, Tombstone, User},
    },
    store::{
        ChangeFeed, CommitError, DatabaseStatus, InvitationKeys, PrepareError, Store, StoreError,
        SubscriptionKeys, TenantKeys, UserKeys, WatchError,
    },
};
use tokio::sync::{mpsc, watch};

/// Pauses calls of a store, so that a test decides when they continue.
#[derive(Debug, Default)]
pub(crate) struct StoreGate {
    /// Pauses the reads of users. Each request with a token makes one such read.
    users: Barrier,
    /// Pauses commits.
    commits: Barrier,
    /// Pauses claims after they are made.
    claims: Barrier,
    /// Pauses the change feed before it delivers events.
    feed: Barrier,
    failing: AtomicBool,
    feed_failing: AtomicBool,
}

impl StoreGate {
    /// Returns an open gate.
    pub(crate) fn open() -> Arc<Self> {
        Arc::default()
    }

    /// Makes later reads of users panic, or lets them succeed again.
    pub(crate) fn set_failing(&self, failing: bool) {
        self.failing.store(failing, Ordering::SeqCst);
    }

    /// Pauses later reads of users, or resumes all of them.
    pub(crate) fn set_closed(&self, closed: bool) {
        self.users.closed.send_replace(closed);
    }

    /// Pauses later commits, or resumes all of them.
    pub(crate) fn set_commits_closed(&self, closed: bool) {
        self.commits.closed.send_replace(closed);
    }

    /// Pauses later claims after they are made, or resumes all of them.
    pub(crate) fn set_claims_closed(&self, closed: bool) {
        self.claims.closed.send_replace(closed);
    }

    /// Makes the change feed hold back its events, or deliver all of them.
    pub(crate) fn set_feed_closed(&self, closed: bool) {
        self.feed.closed.send_replace(closed);
    }

    /// Makes the change feed fail, or lets it be opened again.
    pub(crate) fn set_feed_failing(&self, failing: bool) {
        self.feed_failing.store(failing, Ordering::SeqCst);
    }

    /// Waits until exactly this number of claims is made and has not returned.
    pub(crate) async fn wait_for_claims(&self, claims: usize) {
        self.claims.wait_for_calls(claims).await;
    }

    /// Waits until exactly this number of reads of users is paused.
    pub(crate) async fn wait_for_calls(&self, calls: usize) {
        self.users.wait_for_calls(calls).await;
    }

    /// Returns the number of commits that have begun and have not ended.
    pub(crate) fn commit_count(&self) -> usize {
        *self.commits.calls.borrow()
    }

    /// Waits until exactly this number of commits has begun and has not ended.
    pub(crate) async fn wait_for_commits(&self, commits: usize) {
        self.commits.wait_for_calls(commits).await;
    }
}

/// Pauses calls while it is closed, and counts them.
#[derive(Debug, Default)]
struct Barrier {
    closed: watch::Sender<bool>,
    calls: watch::Sender<usize>,
}

impl Barrier {
    /// Pauses until the barrier is open. The call counts until the returned value is dropped.
    async fn pass(&self) -> PausedCall<'_> {
        let call = PausedCall::new(&self.calls);
        let mut closed = self.closed.subscribe();
        closed.wait_for(|closed| !*closed).await.expect("the gate exists");
        call
    }

    async fn wait_for_calls(&self, calls: usize) {
        let mut current = self.calls.subscribe();
        current.wait_for(|current| *current == calls).await.expect("the gate exists");
    }
}

/// Counts a call until it ends or is dropped.
struct PausedCall<'a>(&'a watch::Sender<usize>);

impl<'a> PausedCall<'a> {
    fn new(paused: &'a watch::Sender<usize>) -> Self {
        paused.send_modify(|paused| *paused += 1);
        Self(paused)
    }
}

impl Drop for PausedCall<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|paused| *paused -= 1);
    }
}

impl StoreGate {
    fn check_feed(&self) -> Result<(), WatchError> {
        let fails = self.feed_failing.load(Ordering::SeqCst);
        let error = || StoreError::Unavailable("the test makes the feed fail".to_owned());
        if fails { Err(error().into()) } else { Ok(()) }
    }
}

/// A change feed behind a gate.
struct GatedFeed {
    feed: Box<dyn ChangeFeed>,
    gate: Arc<StoreGate>,
}

#[async_trait]
impl ChangeFeed for GatedFeed {
    async fn next(&mut self) -> Result<Vec<FeedEvent>, WatchError> {
        let events = self.feed.next().await?;
        self.gate.feed.pass().await;
        self.gate.check_feed()?;
        Ok(events)
    }

    fn position(&self) -> FeedPosition {
        self.feed.position()
    }
}

/// A store behind a gate.
pub(crate) struct GatedStore {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) gate: Arc<StoreGate>,
}

#[async_trait]
impl Store for GatedStore {
    async fn users(&self, keys: UserKeys<'_>) -> Result<Vec<Decoded<User>>, StoreError> {
        assert!(
            !self.gate.failing.load(Ordering::SeqCst),
            "a store failure with a secret in its message"
        );
        drop(self.gate.users.pass().await);
        self.store.users(keys).await
    }

    async fn follow_manual_edits(&self) {
        self.store.follow_manual_edits().await;
    }

    async fn prepare(&self) -> Result<(), PrepareError> {
        self.store.prepare().await
    }

    async fn check(&self) -> Result<(), PrepareError> {
        self.store.check().await
    }

    async fn status(&self) -> Result<DatabaseStatus, StoreError> {
        self.store.status().await
    }

    async fn warnings(&self) -> Result<Vec<String>, StoreError> {
        self.store.warnings().await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }

    async fn tenants(&self, keys: TenantKeys<'_>) -> Result<Vec<Decoded<Tenant>>, StoreError> {
        self.store.tenants(keys).await
    }

    async fn tenants_without_details(
        &self,
        keys: TenantKeys<'_>,
    ) -> Result<Vec<Decoded<Tenant>>, StoreError> {
        self.store.tenants_without_details(keys).await
    }

    async fn subscriptions(
        &self,
        keys: SubscriptionKeys<'_>,
    ) -> Result<Vec<Decoded<TenantSubscription>>, StoreError> {
        self.store.subscriptions(keys).await
    }

    async fn invitations(
        &self,
        keys: InvitationKeys<'_>,
    ) -> Result<Vec<Decoded<Invitation>>, StoreError> {
        self.store.invitations(keys).await
    }

    async fn audit_events(
        &self,
        ids: &[AuditEventId],
    ) -> Result<Vec<Decoded<AuditEvent>>, StoreError> {
        self.store.audit_events(ids).await
    }

    async fn tombstone(&self, identity: &Identity) -> Result<Option<Tombstone>, StoreError> {
        self.store.tombstone(identity).await
    }

    async fn tenant_page(
        &self,
        listing: &TenantListing,
        page_request: &PageRequest,
    ) -> Result<Page<Tenant>, StoreError> {
        self.store.tenant_page(listing, page_request).await
    }

    async fn user_page(
        &self,
        listing: &UserListing,
        page_request: &PageRequest,
    ) -> Result<Page<User>, StoreError> {
        self.store.user_page(listing, page_request).await
    }

    async fn subscription_page(
        &self,
        listing: &SubscriptionListing,
        page_request: &PageRequest,
    ) -> Result<Page<TenantSubscription>, StoreError> {
        self.store.subscription_page(listing, page_request).await
    }

    async fn invitation_page(
        &self,
        listing: &InvitationListing,
        page_request: &PageRequest,
    ) -> Result<Page<Invitation>, StoreError> {
        self.store.invitation_page(listing, page_request).await
    }

    async fn audit_page(
        &self,
        listing: &AuditListing,
        page_request: &PageRequest,
    ) -> Result<Page<AuditEvent>, StoreError> {
        self.store.audit_page(listing, page_request).await
    }

    async fn member_pages(
        &self,
        tenants: &[TenantId],
        filter: &MemberFilter,
        page_request: &PageRequest,
    ) -> Result<HashMap<TenantId, Page<User>>, StoreError> {
        self.store.member_pages(tenants, filter, page_request).await
    }

    async fn count_tenants(&self, listing: &TenantListing) -> Result<u64, StoreError> {
        self.store.count_tenants(listing).await
    }

    async fn count_users(&self, listing: &UserListing) -> Result<u64, StoreError> {
        self.store.count_users(listing).await
    }

    async fn count_subscriptions(&self, listing: &SubscriptionListing) -> Result<u64, StoreError> {
        self.store.count_subscriptions(listing).await
    }

    async fn count_invitations(&self, listing: &InvitationListing) -> Result<u64, StoreError> {
        self.store.count_invitations(listing).await
    }

    async fn count_audit_events(&self, listing: &AuditListing) -> Result<u64, StoreError> {
        self.store.count_audit_events(listing).await
    }

    async fn count_members(
        &self,
        tenants: &[TenantId],
        filter: &MemberFilter,
    ) -> Result<HashMap<TenantId, u64>, StoreError> {
        self.store.count_members(tenants, filter).await
    }

    async fn commit(&self, changes: &[Change]) -> Result<(), CommitError> {
        let _call = self.gate.commits.pass().await;
        self.store.commit(changes).await
    }

    async fn export(
        &self,
        scope: TransferScope,
        records: mpsc::Sender<Decoded<Record>>,
    ) -> Result<(), StoreError> {
        self.store.export(scope, records).await
    }

    async fn import(
        &self,
        plan: ImportPlan,
        steps: mpsc::Receiver<ImportStep>,
    ) -> Result<(), CommitError> {
        self.store.import(plan, steps).await
    }

    async fn finish_deletions(&self) -> Result<u64, StoreError> {
        self.store.finish_deletions().await
    }

    async fn claim_request(&self, claim: &Claim) -> Result<ClaimResult, StoreError> {
        let result = self.store.claim_request(claim).await;
        drop(self.gate.claims.pass().await);
        result
    }

    async fn record_heartbeat(&self, heartbeat: &Heartbeat) -> Result<(), StoreError> {
        self.store.record_heartbeat(heartbeat).await
    }

    async fn count_heartbeats(
        &self,
        process: ObjectId,
        run_id: ObjectId,
    ) -> Result<Option<i64>, StoreError> {
        self.store.count_heartbeats(process, run_id).await
    }

    async fn complete_request(
        &self,
        key: IdempotencyKeyHash,
        holder: ObjectId,
        outcome: &RunOutcome,
    ) -> Result<(), StoreError> {
        self.store.complete_request(key, holder, outcome).await
    }

    async fn lease_outbox_message(&self, lease: &OutboxLease) -> Result<LeaseResult, StoreError> {
        self.store.lease_outbox_message(lease).await
    }

    async fn watch(&self, after: Option<&FeedPosition>) -> Result<Box<dyn ChangeFeed>, WatchError> {
        let feed = self.store.watch(after).await?;
        self.gate.check_feed()?;
        Ok(Box::new(GatedFeed { feed, gate: self.gate.clone() }))
    }

    async fn cursor_key(&self, candidate: [u8; 32]) -> Result<[u8; 32], StoreError> {
        self.store.cursor_key(candidate).await
    }
}
