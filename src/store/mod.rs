//! Persists all entities of the domain, idempotency records and the outbox.
//!
//! The trait [`Store`] has two implementations, [`mongo`] and [`sqlite`]. Nothing above this
//! module knows which one is in use. A store decides no right and contains no business rule. Pure
//! functions of [`domain`](crate::domain) compute the new state, the list of changes and the audit
//! event. A store only reads in batches and commits such a list.
//!
//! # Kinds of calls
//!
//! - **Lookups** ([`tenants`](Store::tenants), [`users`](Store::users), …) take a batch of keys
//!   and return the documents that exist, in no particular order. A key without a document has no
//!   entry in the result.
//! - **Pages** take a listing (scope, filter, order) and a [`PageRequest`]. They are keyset pages.
//!   The position of an element is its sort key and its identifier, and elements with equal keys
//!   are ordered by identifier. A store reads one element more than the page holds, so that
//!   [`Page::from_lookahead`] can tell whether there are more.
//! - **Counts** take the same listing without a page.
//! - **Writes** take a list of [`Change`]s. See [`commit`](Store::commit).
//! - The **feed** ([`watch`](Store::watch)) reports which entities have changed, not their state.
//!
//! A stored document that cannot be decoded never fails the other documents of its batch or page.
//! It is an [`Err(UnreadableDocument)`](crate::domain::list::UnreadableDocument) in its own place.
//! The store logs the collection, the identifier, the field and the expected kind of value, but
//! never the stored value. A document whose key itself cannot be read is absent from lookups by
//! that key and from lists in that order.
//!
//! # What counts as one command
//!
//! A call of a lookup, page or count is one read. `access` counts these calls, and
//! `tests/it/store_read_counts.rs` asserts the numbers. A read must be one command of the database,
//! regardless of the number of keys. The only exception is [`member_pages`](Store::member_pages) on
//! SQLite, which executes one statement per tenant in one transaction. Calls that write or prepare
//! may take several commands, for example [`commit`](Store::commit),
//! [`claim_request`](Store::claim_request), [`complete_request`](Store::complete_request),
//! [`finish_deletions`](Store::finish_deletions) and [`prepare`](Store::prepare). Commands are sent
//! through `instrumentation`, which records their durations and spans.
//!
//! # How to add a read
//!
//! 1. Add a method to [`Store`] in domain terms. It takes a batch of keys and returns decoded
//!    values.
//! 2. Implement it in `mongo` and in `sqlite`. The conversion between document (or row) and domain
//!    type belongs to `mongo/documents/` and `sqlite/rows/`.
//! 3. Add an index in both stores (`mongo/indexes.rs`, and a new migration for `sqlite/schema.rs`).
//! 4. Add a case to `tests/it/store_conformance/`, which runs against both stores. Add the query to
//!    `tests/it/mongo/explain/` and to `sqlite/query_plan_tests.rs`. Both fail on a collection
//!    scan and on a sort that an index could replace.
//!
//! # How to add a backend
//!
//! Implement [`Store`], and run the conformance suite against it by a new test in the macro
//! `for_every_store!` in `tests/it/store_conformance/mod.rs`. SQLite is the shorter model:
//! `sqlite/queries.rs` has lookups, `lists.rs` pages and counts, `commit.rs` writes.
//! `mongo/mod.rs` describes what a remote database needs in addition.

mod change_feed;
mod error;
mod instrumentation;
mod keys;
pub mod mongo;
pub mod sqlite;

use std::collections::HashMap;

use async_trait::async_trait;
use tokio::sync::mpsc;

pub use change_feed::{ChangeFeed, WatchError};
pub use error::{CommitError, PrepareError, StoreError};
pub use keys::{InvitationKeys, SubscriptionKeys, TenantKeys, UserKeys};

use crate::domain::{
    audit::AuditEvent,
    change::Change,
    id::{AuditEventId, ObjectId, TenantId},
    idempotency::{Claim, ClaimResult, Heartbeat, IdempotencyKeyHash, RunOutcome},
    invitation::Invitation,
    list::{
        AuditListing, Decoded, InvitationListing, MemberFilter, Page, PageRequest,
        SubscriptionListing, TenantListing, UserListing,
    },
    live::FeedPosition,
    outbox::{LeaseResult, OutboxLease},
    record::{ImportPlan, ImportState, ImportStep, Record, TransferScope},
    subscription::TenantSubscription,
    tenant::Tenant,
    user::{Identity, Tombstone, User},
};

/// The contents of a database, as far as `check` reports them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatabaseStatus {
    /// `true` if the database has no tenants, users and subscriptions.
    pub is_empty: bool,
    /// The number of documents that the latest migration left as they were.
    pub left_documents: u64,
}

/// Reads and writes all persistent data of the gateway.
///
/// All methods may be called concurrently, also by several instances of the gateway on one
/// database. A future may be dropped at any time. A dropped [`commit`](Self::commit) is applied
/// completely or not at all.
///
/// # Errors
///
/// [`StoreError::Unavailable`] means that the same call may succeed later.
/// [`StoreError::Internal`] means that it will not, without a fix of the database or the gateway.
/// Neither contains a secret or a stored value.
#[async_trait]
pub trait Store: Send + Sync {
    /// Makes the store ready for its first read. Checks the kind of the database, and creates
    /// missing tables and indexes.
    ///
    /// The call is idempotent, and several instances may make it at the same time. It must succeed
    /// once before any other method except [`check`](Self::check) and [`ping`](Self::ping).
    ///
    /// # Errors
    ///
    /// [`PrepareError::Misconfigured`] for a database that can never work, such as a standalone
    /// `mongod` or a SQLite file of a newer version. [`PrepareError::NotMigrated`] for one of the former
    /// Node service. [`PrepareError::Failed`] otherwise.
    async fn prepare(&self) -> Result<(), PrepareError>;

    /// Checks that [`prepare`](Self::prepare) can succeed, as far as this is possible without a
    /// change of the database.
    ///
    /// # Errors
    ///
    /// The same as for [`prepare`](Self::prepare).
    async fn check(&self) -> Result<(), PrepareError>;

    /// Returns the contents of the database for the report of `check`. Must follow a successful
    /// [`check`](Self::check).
    async fn status(&self) -> Result<DatabaseStatus, StoreError>;

    /// Writes the search keys of documents that a manual edit creates, changes or deletes. Returns only
    /// if the future is dropped. Only MongoDB reports such edits.
    async fn follow_manual_edits(&self);

    /// Returns faults in the set-up of the database that the gateway can work with, each as one line
    /// with its fix. The start of `serve` logs them, and `check` prints them.
    async fn warnings(&self) -> Result<Vec<String>, StoreError>;

    /// Checks that the database responds. Readiness uses this.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Returns the tenants with these keys, in one command.
    ///
    /// The order is unspecified, and keys without a tenant have no entry. A tenant that matches
    /// several keys is returned once.
    async fn tenants(&self, keys: TenantKeys<'_>) -> Result<Vec<Decoded<Tenant>>, StoreError>;

    /// Returns the tenants with these keys as [`tenants`](Self::tenants) does, but `domains`,
    /// `billing_info` and `integrations` may be empty.
    ///
    /// A store that leaves them out does not notice if they are unreadable.
    async fn tenants_without_details(
        &self,
        keys: TenantKeys<'_>,
    ) -> Result<Vec<Decoded<Tenant>>, StoreError> {
        self.tenants(keys).await
    }

    /// Returns the users with these keys, in one command.
    ///
    /// The order is unspecified, and keys without a user have no entry.
    async fn users(&self, keys: UserKeys<'_>) -> Result<Vec<Decoded<User>>, StoreError>;

    /// Returns the subscriptions with these keys, in one command.
    ///
    /// The order is unspecified, and keys without a subscription have no entry.
    async fn subscriptions(
        &self,
        keys: SubscriptionKeys<'_>,
    ) -> Result<Vec<Decoded<TenantSubscription>>, StoreError>;

    /// Returns the invitations with these keys, in one command.
    ///
    /// The order is unspecified, and keys without an invitation have no entry.
    async fn invitations(
        &self,
        keys: InvitationKeys<'_>,
    ) -> Result<Vec<Decoded<Invitation>>, StoreError>;

    /// Returns the audit events with these identifiers, in one command.
    ///
    /// The order is unspecified, and identifiers without an event have no entry.
    async fn audit_events(
        &self,
        ids: &[AuditEventId],
    ) -> Result<Vec<Decoded<AuditEvent>>, StoreError>;

    /// Returns the tombstone of a deleted user, or `None` if there is none. If the identity has
    /// several, this is the one with the latest deletion.
    ///
    /// A tombstone that cannot be read must never count as absent, because its user could then sign
    /// in again. MongoDB returns [`StoreError::Internal`], and SQLite a tombstone that never ends.
    async fn tombstone(&self, identity: &Identity) -> Result<Option<Tombstone>, StoreError>;

    /// Returns a page of tenants, in one command.
    ///
    /// The elements are in the order of the listing, also for [`PageEdge::Last`].
    ///
    /// [`PageEdge::Last`]: crate::domain::list::PageEdge::Last
    async fn tenant_page(
        &self,
        listing: &TenantListing,
        page: &PageRequest,
    ) -> Result<Page<Tenant>, StoreError>;

    /// Returns a page of users, in one command.
    async fn user_page(
        &self,
        listing: &UserListing,
        page: &PageRequest,
    ) -> Result<Page<User>, StoreError>;

    /// Returns a page of subscriptions, in one command.
    async fn subscription_page(
        &self,
        listing: &SubscriptionListing,
        page: &PageRequest,
    ) -> Result<Page<TenantSubscription>, StoreError>;

    /// Returns a page of a tenant's invitations, in one command. The order is newest first:
    /// descending by time of creation, then by identifier.
    async fn invitation_page(
        &self,
        listing: &InvitationListing,
        page: &PageRequest,
    ) -> Result<Page<Invitation>, StoreError>;

    /// Returns a page of audit events, in one command. The order is newest first: descending by
    /// `at`, then by identifier.
    async fn audit_page(
        &self,
        listing: &AuditListing,
        page: &PageRequest,
    ) -> Result<Page<AuditEvent>, StoreError>;

    /// Returns the same page of members for each of these tenants, as one read.
    ///
    /// Members are in ascending order of their users' identifiers. The result has an entry for
    /// every given tenant. A tenant without members has an empty page. The page size applies to
    /// each tenant separately. MongoDB needs one command, and SQLite one statement per tenant.
    async fn member_pages(
        &self,
        tenants: &[TenantId],
        filter: &MemberFilter,
        page: &PageRequest,
    ) -> Result<HashMap<TenantId, Page<User>>, StoreError>;

    /// Returns the number of tenants of a listing, in one command. The order is ignored.
    async fn count_tenants(&self, listing: &TenantListing) -> Result<u64, StoreError>;

    /// Returns the number of users of a listing, in one command. The order is ignored.
    async fn count_users(&self, listing: &UserListing) -> Result<u64, StoreError>;

    /// Returns the number of subscriptions of a listing, in one command. The order is ignored.
    async fn count_subscriptions(&self, listing: &SubscriptionListing) -> Result<u64, StoreError>;

    /// Returns the number of invitations of a listing, in one command.
    async fn count_invitations(&self, listing: &InvitationListing) -> Result<u64, StoreError>;

    /// Returns the number of audit events of a listing, in one command.
    async fn count_audit_events(&self, listing: &AuditListing) -> Result<u64, StoreError>;

    /// Returns the number of members of each of these tenants, in one command. A tenant without
    /// members may be absent from the result.
    async fn count_members(
        &self,
        tenants: &[TenantId],
        filter: &MemberFilter,
    ) -> Result<HashMap<TenantId, u64>, StoreError>;

    /// Applies all changes in one atomic step, or none of them.
    ///
    /// Changes are applied in the order of the list. [`Change::RequireOwner`] is checked after all
    /// others. No read sees uncommitted changes. The deletion of a tenant with many members may
    /// remove its memberships a little later than the rest (see
    /// [`finish_deletions`](Self::finish_deletions)). An empty list succeeds.
    ///
    /// `Ok` means that the changes are durable. If the database did not report the outcome of a
    /// commit, the store determines it by a read before it returns.
    ///
    /// # Errors
    ///
    /// - [`CommitError::Stale`] if a document no longer has the version that its change expects.
    /// - [`CommitError::Conflict`] if a unique value is taken.
    /// - [`CommitError::LastOwner`] if a [`Change::RequireOwner`] does not hold.
    /// - [`CommitError::Superseded`] if a [`Change::RecordIdempotentStep`] names a run that no
    ///   longer holds its request.
    /// - [`CommitError::Failed`] if the database failed. The changes are then not applied, unless
    ///   the store could not determine the outcome either.
    async fn commit(&self, changes: &[Change]) -> Result<(), CommitError>;

    /// Sends all records of a scope, in the order of a file: tenants, users, subscriptions, invitations
    /// and audit events by identifier, and tombstones by subject, issuer and time, the latest first.
    ///
    /// All records are of one moment. A record that cannot be read is an error in its place. The call
    /// ends early if nothing receives the records. Of a tenant's scope, the records still have parts
    /// that belong to other tenants.
    async fn export(
        &self,
        scope: TransferScope,
        records: mpsc::Sender<Decoded<Record>>,
    ) -> Result<(), StoreError>;

    /// Makes the store ready for an import, like [`prepare`](Self::prepare), even if an earlier import
    /// was interrupted.
    async fn prepare_import(&self) -> Result<(), PrepareError> {
        self.prepare().await
    }

    /// Returns the state of the import of the file with this digest.
    async fn import_state(&self, _digest: &[u8; 32]) -> Result<ImportState, StoreError> {
        Ok(ImportState::New)
    }

    /// Applies the steps of an import until it is complete.
    ///
    /// SQLite applies all of them in one transaction. On MongoDB, each step is atomic, and an import
    /// that ends before [`ImportStep::Complete`] is interrupted. It continues if its steps are sent
    /// again. Records that exist already are then skipped.
    ///
    /// # Errors
    ///
    /// The same as for [`commit`](Self::commit).
    async fn import(
        &self,
        plan: ImportPlan,
        steps: mpsc::Receiver<ImportStep>,
    ) -> Result<(), CommitError>;

    /// Removes the remaining memberships of deleted tenants with many members, and returns how many
    /// it removed.
    ///
    /// It works in batches of bounded size, so it takes many commands. Several instances may run it
    /// at the same time, and it continues after a crash. A store that deletes everything in
    /// [`commit`](Self::commit) returns 0.
    async fn finish_deletions(&self) -> Result<u64, StoreError>;

    /// Claims an idempotent request for a run, unless another run holds it or has completed it.
    ///
    /// The claim is atomic. Of concurrent claims by different runs for one key, at most one is
    /// [`ClaimResult::Acquired`]. A run acquires the request if the key has no record, if the
    /// record has expired at `claim.now` or belongs to another user. A run also takes over the same
    /// request from an earlier run
    ///
    /// - whose lease has ended without a response,
    /// - that is `claim.lost_run`, or
    /// - whose response was stored under other rights. That response is deleted.
    ///
    /// The run then holds a lease for [`LEASE_TTL`], and the record expires after [`KEY_TTL`]. Each
    /// claim also deletes a few expired records, so it takes several commands.
    ///
    /// [`LEASE_TTL`]: crate::domain::idempotency::LEASE_TTL
    /// [`KEY_TTL`]: crate::domain::idempotency::KEY_TTL
    async fn claim_request(&self, claim: &Claim) -> Result<ClaimResult, StoreError>;

    /// Records a heartbeat of a process.
    async fn record_heartbeat(&self, heartbeat: &Heartbeat) -> Result<(), StoreError>;

    /// Returns the number of heartbeats of a process, or `None` if the last one did not name this
    /// run.
    async fn count_heartbeats(
        &self,
        process: ObjectId,
        run_id: ObjectId,
    ) -> Result<Option<i64>, StoreError>;

    /// Completes or abandons the run of an idempotent request.
    ///
    /// [`RunOutcome::Completed`] stores the response, which later claims under the same rights return.
    /// [`RunOutcome::Abandoned`] releases the request at once. Its record is deleted if the run has
    /// completed no step. Otherwise it stays, so that the next run can continue after these steps.
    /// The call has no effect if another run has taken over, or if a response is stored already.
    async fn complete_request(
        &self,
        key: IdempotencyKeyHash,
        run_id: ObjectId,
        outcome: &RunOutcome,
    ) -> Result<(), StoreError>;

    /// Leases the message of the outbox that is due first.
    ///
    /// The lease is atomic, so of concurrent workers at most one gets a message. It counts as an
    /// attempt. The message is due again at the end of the lease, unless the holder removes or
    /// postpones it. A message that cannot be read is skipped, and is due again after the same time.
    async fn lease_outbox_message(&self, lease: &OutboxLease) -> Result<LeaseResult, StoreError>;

    /// Opens the feed of changes of tenants, users and subscriptions, after a position or from now on.
    ///
    /// It reports the changes of all instances, and manual edits. It does not report changes that no
    /// client can see, such as a lock of a tenant or the watermark of a user.
    ///
    /// # Errors
    ///
    /// [`WatchError::HistoryLost`] if the changes after the position are no longer known.
    async fn watch(&self, after: Option<&FeedPosition>) -> Result<Box<dyn ChangeFeed>, WatchError>;

    /// Returns the stored key of live cursors, which all instances share. Stores `candidate` if there
    /// is none.
    async fn cursor_key(&self, candidate: [u8; 32]) -> Result<[u8; 32], StoreError>;
}
