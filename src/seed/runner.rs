//! Writes generated demo tenants to a store, in batches, so that memory use does not depend on their
//! number.
//!
//! All documents of a tenant are in the same commit, so it exists completely or not at all. A
//! demo tenant is created only once. An existing one is recognised by its identifier, and a deleted
//! one by its event in the audit log.

use std::{collections::HashSet, fmt};

use super::generator::DemoTenant;
use crate::{
    domain::{change::Change, id::ObjectId},
    store::{CommitError, Store, StoreError, TenantKeys},
};

/// The number of tenants per commit. They have 1,000 users in total.
const BATCH_SIZE: u32 = 50;

/// The progress of a [`DemoSeeder`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeedProgress {
    /// The number of processed tenants. All tenants up to this number exist, unless they were
    /// deleted.
    pub done: u32,
    /// The number of tenants that this run created.
    pub tenants: u32,
    /// The number of users that this run created.
    pub users: usize,
    /// The number of subscriptions that this run created.
    pub subscriptions: usize,
}

/// The error of a demo tenant that was not created. Nothing of it was written. `Display` is one line.
#[derive(Debug)]
pub enum DemoSeedError {
    /// Existing data already uses a unique value of the tenant.
    Taken {
        /// The slug of the demo tenant.
        slug: String,
        /// The field with the unique value.
        field: &'static str,
    },
    /// The store failed to commit.
    Failed(CommitError),
}

impl fmt::Display for DemoSeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken { slug, field } => write!(
                f,
                "cannot create the demo tenant {slug}: its {field} is already in use; existing data was not changed"
            ),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

/// Creates the first demo tenants in a store.
pub struct DemoSeeder<'a> {
    store: &'a dyn Store,
    n: u32,
    /// The progress of this run.
    pub progress: SeedProgress,
}

impl<'a> DemoSeeder<'a> {
    /// Creates a seeder of the first `n` demo tenants.
    #[must_use]
    pub fn new(store: &'a dyn Store, n: u32) -> Self {
        Self { store, n, progress: SeedProgress::default() }
    }

    /// Processes the next batch. Returns `false` if all tenants are done.
    ///
    /// # Errors
    ///
    /// Returns an error if the store fails, or if existing data conflicts with a tenant.
    pub async fn next_batch(&mut self) -> Result<bool, DemoSeedError> {
        let first = self.progress.done + 1;
        if first > self.n {
            return Ok(false);
        }
        let last = self.n.min(self.progress.done + BATCH_SIZE);
        match self.create_range(first, last).await {
            Ok(()) => {}
            Err(error @ CommitError::Failed(StoreError::Unavailable(_))) => {
                return Err(DemoSeedError::Failed(error));
            }
            // Another process creates the same tenants, or one of them conflicts with existing data.
            // One commit per tenant finds the conflict.
            Err(_) => {
                for number in first..=last {
                    self.create_one(number).await?;
                    self.progress.done = number;
                }
            }
        }
        self.progress.done = last;
        Ok(true)
    }

    async fn create_one(&mut self, number: u32) -> Result<(), DemoSeedError> {
        // If another process creates the tenant during the first attempt, the second one finds it.
        if self.create_range(number, number).await.is_ok() {
            return Ok(());
        }
        self.create_range(number, number).await.map_err(|error| match error {
            CommitError::Conflict(unique) => DemoSeedError::Taken {
                slug: DemoTenant::nth(number).tenant.slug,
                field: unique.field(),
            },
            error => DemoSeedError::Failed(error),
        })
    }

    /// Creates the missing tenants of a range in one commit.
    async fn create_range(&mut self, first: u32, last: u32) -> Result<(), CommitError> {
        let mut demo_tenants: Vec<DemoTenant> = (first..=last).map(DemoTenant::nth).collect();
        let existing = self.existing_ids(&demo_tenants).await?;
        demo_tenants.retain(|demo| !existing.contains(&demo.tenant.id.raw));
        let tenants = demo_tenants.len() as u32;
        let users: usize = demo_tenants.iter().map(|demo| demo.users.len()).sum();
        let subscriptions: usize = demo_tenants.iter().map(|demo| demo.subscriptions.len()).sum();
        self.store.commit(&changes(demo_tenants)).await?;
        self.progress.tenants += tenants;
        self.progress.users += users;
        self.progress.subscriptions += subscriptions;
        Ok(())
    }

    /// Returns the identifiers of the tenants that were created before, including deleted ones.
    async fn existing_ids(
        &self,
        demo_tenants: &[DemoTenant],
    ) -> Result<HashSet<ObjectId>, StoreError> {
        let ids: Vec<_> = demo_tenants.iter().map(|demo| demo.tenant.id).collect();
        let event_ids: Vec<_> = demo_tenants.iter().map(|demo| demo.event.id).collect();
        // An unreadable document counts as existing. It has an identifier, too.
        let tenants = self.store.tenants(TenantKeys::Ids(&ids)).await?;
        let tenants = tenants
            .into_iter()
            .map(|decoded| decoded.map_or_else(|unreadable| unreadable.id, |tenant| tenant.id.raw));
        let mut existing: HashSet<_> = tenants.collect();
        let events = self.store.audit_events(&event_ids).await?;
        let events = events
            .into_iter()
            .map(|decoded| decoded.map_or_else(|unreadable| unreadable.id, |event| event.id.raw));
        let events: HashSet<_> = events.collect();
        let logged = demo_tenants.iter().filter(|demo| events.contains(&demo.event.id.raw));
        existing.extend(logged.map(|demo| demo.tenant.id.raw));
        Ok(existing)
    }
}

/// Returns the changes that insert the tenants, grouped by collection, because the store inserts
/// consecutive documents of a collection in one command.
fn changes(demo_tenants: Vec<DemoTenant>) -> Vec<Change> {
    let (mut tenants, mut subscriptions) = (Vec::new(), Vec::new());
    let (mut users, mut events) = (Vec::new(), Vec::new());
    for demo in demo_tenants {
        tenants.push(Change::InsertTenant(demo.tenant));
        subscriptions.extend(demo.subscriptions.into_iter().map(Change::InsertSubscription));
        users.extend(demo.users.into_iter().map(Change::InsertUser));
        events.push(Change::InsertAuditEvent(demo.event));
    }
    [tenants, subscriptions, users, events].into_iter().flatten().collect()
}
