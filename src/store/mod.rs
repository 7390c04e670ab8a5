//! Where data is kept: one trait, two implementations, and no rule.
//!
//! A store reads in batches and commits a list of changes all or nothing. What may change, what it
//! becomes and what the history says of it was decided before, by pure functions of
//! [`domain`](crate::domain).
//!
//! To add a read:
//!
//! 1. Name it in domain words here: a batch of keys in, what was found out. One call is one
//!    command of the database, whatever the number of keys.
//! 2. Implement it in `mongo` and in `sqlite`, with the translation between document (row) and
//!    domain type beside the query. A document that cannot be read is `Broken`: it is logged with
//!    collection and identifier, and never fails the others.
//! 3. Give it an index in both, and a case in `tests/it/conformance/`, which runs against both;
//!    the index test there fails on a scan.

mod instrumentation;
pub mod mongo;
pub mod sqlite;

use std::collections::HashMap;

use async_trait::async_trait;

use crate::domain::{
    audit::AuditEvent,
    change::{Change, UniqueField},
    id::{AuditEventId, ObjectId, SubscriptionId, TenantId, UserId},
    idempotency::{Claim, ClaimResult, IdempotencyKeyHash, RunOutcome},
    list::{
        AuditListing, Decoded, MemberFilter, Page, PageRequest, SubscriptionListing, TenantListing,
        UserListing,
    },
    subscription::TenantSubscription,
    tenant::Tenant,
    user::{Identity, Tombstone, User},
};

/// Which tenants to read.
#[derive(Clone, Copy, Debug)]
pub enum TenantKeys<'a> {
    /// Those with these identifiers.
    Ids(&'a [TenantId]),
    /// Those with these slugs.
    Slugs(&'a [String]),
    /// Those with one of these slugs or with one of these groups as `integrations.authentikGroup`.
    SlugsOrGroups(&'a [String], &'a [String]),
}

/// Which users to read.
#[derive(Clone, Copy, Debug)]
pub enum UserKeys<'a> {
    /// Those with these identifiers.
    Ids(&'a [UserId]),
    /// The one with this issuer and subject.
    Identity(&'a Identity),
}

/// Which subscriptions to read.
#[derive(Clone, Copy, Debug)]
pub enum SubscriptionKeys<'a> {
    /// Those with these identifiers.
    Ids(&'a [SubscriptionId]),
    /// The ones of these tenants that are not over: at most one each.
    LiveSubscriptionKey(&'a [TenantId]),
}

/// Why a read failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, or did not answer in time; it is safe to try again.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// Anything else: a fault of this program or of the database's set-up.
    #[error("the database refused: {0}")]
    Internal(String),
}

/// Why nothing was committed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Something that was read has changed since: read again and decide again.
    #[error("what was read has changed since")]
    Stale,
    /// Another document has the value that this field must have alone.
    #[error("{} is taken", .0.field())]
    Conflict(UniqueField),
    /// A tenant would be left without an owner who is not disabled.
    #[error("the tenant would have no owner left")]
    OwnerRequirement,
    /// Another run has taken over the request that this was done for.
    #[error("another run has taken the request over")]
    Superseded,
    /// As for a read; nothing was changed.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

/// Why a store cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// It is set up in a way that this program does not work with; the text says what to do.
    #[error("{0}")]
    Misconfigured(String),
    /// As for a read; preparing again later may do.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

/// Keeps tenants, users, subscriptions and their history.
///
/// Batched reads answer in no particular order and leave out what is not there. A document that is
/// there and cannot be read is among the found as `Broken`, but not where its key is what cannot
/// be read.
#[async_trait]
pub trait Store: Send + Sync {
    /// Makes the store ready for the first read: checks its kind, makes tables and indexes.
    /// Does nothing that is done already; several instances may do it at once.
    async fn prepare(&self) -> Result<(), PrepareError>;

    /// Whether the store could be prepared, as far as that shows without changing anything.
    async fn check(&self) -> Result<(), PrepareError>;

    /// Whether the store answers.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Reads tenants by key.
    async fn tenants(&self, keys: TenantKeys<'_>) -> Result<Vec<Decoded<Tenant>>, StoreError>;

    /// Reads users by key.
    async fn users(&self, keys: UserKeys<'_>) -> Result<Vec<Decoded<User>>, StoreError>;

    /// Reads subscriptions by key.
    async fn subscriptions(
        &self,
        keys: SubscriptionKeys<'_>,
    ) -> Result<Vec<Decoded<TenantSubscription>>, StoreError>;

    /// Reads events by identifier.
    async fn audit_events(
        &self,
        ids: &[AuditEventId],
    ) -> Result<Vec<Decoded<AuditEvent>>, StoreError>;

    /// Reads what a deleted user left: the youngest, where there are several.
    async fn tombstone(&self, identity: &Identity) -> Result<Option<Tombstone>, StoreError>;

    /// Reads a page of tenants.
    async fn tenant_page(
        &self,
        listing: &TenantListing,
        window: &PageRequest,
    ) -> Result<Page<Tenant>, StoreError>;

    /// Reads a page of users.
    async fn user_page(
        &self,
        listing: &UserListing,
        window: &PageRequest,
    ) -> Result<Page<User>, StoreError>;

    /// Reads a page of subscriptions.
    async fn subscription_page(
        &self,
        listing: &SubscriptionListing,
        window: &PageRequest,
    ) -> Result<Page<TenantSubscription>, StoreError>;

    /// Reads a page of events, newest first: by `at`, then by identifier, both descending.
    async fn audit_page(
        &self,
        listing: &AuditListing,
        window: &PageRequest,
    ) -> Result<Page<AuditEvent>, StoreError>;

    /// Reads the same page of members of each of these tenants, in one command; members are in
    /// ascending order of their users' identifiers. A tenant without any has a page of none.
    async fn member_pages(
        &self,
        tenants: &[TenantId],
        filter: &MemberFilter,
        window: &PageRequest,
    ) -> Result<HashMap<TenantId, Page<User>>, StoreError>;

    /// Counts what a listing holds.
    async fn count_tenants(&self, listing: &TenantListing) -> Result<u64, StoreError>;

    /// Counts what a listing holds.
    async fn count_users(&self, listing: &UserListing) -> Result<u64, StoreError>;

    /// Counts what a listing holds.
    async fn count_subscriptions(&self, listing: &SubscriptionListing) -> Result<u64, StoreError>;

    /// Counts what a listing holds.
    async fn count_audit_events(&self, listing: &AuditListing) -> Result<u64, StoreError>;

    /// Counts the members of each of these tenants, in one command; one without any may be absent.
    async fn count_members(
        &self,
        tenants: &[TenantId],
        filter: &MemberFilter,
    ) -> Result<HashMap<TenantId, u64>, StoreError>;

    /// Applies every change, or none. An outcome that the database left open has been found out
    /// by reading back when this returns.
    async fn commit(&self, changes: &[Change]) -> Result<(), CommitError>;

    /// Takes away what deleted tenants with many members have left, in pieces of bounded size:
    /// how many memberships that were. May run in several instances at once, and after a crash.
    async fn finish_deletions(&self) -> Result<u64, StoreError>;

    /// Claims a request for a run, unless another one has it.
    async fn claim_request(&self, claim: &Claim) -> Result<ClaimResult, StoreError>;

    /// Ends a run; does nothing where another one has taken over.
    async fn complete_request(
        &self,
        key: IdempotencyKeyHash,
        holder: ObjectId,
        end: &RunOutcome,
    ) -> Result<(), StoreError>;
}
