//! Demo tenants into a store, some at a time: what is in memory does not grow with their number.
//!
//! A tenant comes with all that is its own in one commit, so it is there with everything or not at
//! all. What was made once is never made again: it is known by its identifier, and where somebody
//! has deleted it, by the event that is left of it in the history.

use std::{collections::HashSet, fmt};

use super::generator::DemoTenant;
use crate::{
    domain::{change::Change, id::ObjectId},
    store::{CommitError, Store, StoreError, TenantKeys},
};

/// How many tenants are made at once: they have 1,000 users.
const BATCH: u32 = 50;

/// What was done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeedProgress {
    /// How many tenants were looked at: all up to this one are there, but for those that somebody has
    /// deleted since.
    pub done: u32,
    /// How many of them were made.
    pub tenants: u32,
    /// How many users were made.
    pub users: usize,
    /// How many subscriptions were made.
    pub subscriptions: usize,
}

/// Why a tenant was not made; nothing of it was written. `Display` is one line.
#[derive(Debug)]
pub enum FillError {
    /// Something else has one of its values.
    Taken {
        /// The tenant's slug.
        slug: String,
        /// What it would have had.
        field: &'static str,
    },
    /// The store failed.
    Failed(CommitError),
}

impl fmt::Display for FillError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken { slug, field } => write!(
                f,
                "the demo tenant {slug} cannot be made: its {field} is taken by what is there, and was left as it is"
            ),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

/// Fills a store with the first demo tenants.
pub struct DemoSeeder<'a> {
    store: &'a dyn Store,
    n: u32,
    /// What was done so far.
    pub progress: SeedProgress,
}

impl<'a> DemoSeeder<'a> {
    /// Up to the n-th.
    #[must_use]
    pub fn new(store: &'a dyn Store, n: u32) -> Self {
        Self { store, n, progress: SeedProgress::default() }
    }

    /// Makes the next few; `false` where there are no more.
    pub async fn next(&mut self) -> Result<bool, FillError> {
        let first = self.progress.done + 1;
        if first > self.n {
            return Ok(false);
        }
        let last = self.n.min(self.progress.done + BATCH);
        match self.make(first, last).await {
            Ok(()) => {}
            Err(away @ CommitError::Failed(StoreError::Unavailable(_))) => {
                return Err(FillError::Failed(away));
            }
            // Somebody else makes the same ones, or one of them cannot be made. Each alone tells.
            Err(_) => {
                for i in first..=last {
                    self.make_one(i).await?;
                    self.progress.done = i;
                }
            }
        }
        self.progress.done = last;
        Ok(true)
    }

    async fn make_one(&mut self, i: u32) -> Result<(), FillError> {
        // Whoever was faster the first time is done the second time.
        if self.make(i, i).await.is_ok() {
            return Ok(());
        }
        self.make(i, i).await.map_err(|error| match error {
            CommitError::Conflict(unique) => {
                FillError::Taken { slug: DemoTenant::nth(i).tenant.slug, field: unique.field() }
            }
            error => FillError::Failed(error),
        })
    }

    async fn make(&mut self, first: u32, last: u32) -> Result<(), CommitError> {
        let mut samples: Vec<DemoTenant> = (first..=last).map(DemoTenant::nth).collect();
        let made = self.existing_ids(&samples).await?;
        samples.retain(|sample| !made.contains(&sample.tenant.id.raw));
        let new = SeedProgress {
            tenants: samples.len() as u32,
            users: samples.iter().map(|sample| sample.users.len()).sum(),
            subscriptions: samples.iter().map(|sample| sample.subscriptions.len()).sum(),
            done: 0,
        };
        self.store.commit(&changes(samples)).await?;
        self.progress.tenants += new.tenants;
        self.progress.users += new.users;
        self.progress.subscriptions += new.subscriptions;
        Ok(())
    }

    /// The identifiers of those tenants that were made before.
    async fn existing_ids(&self, samples: &[DemoTenant]) -> Result<HashSet<ObjectId>, StoreError> {
        let ids: Vec<_> = samples.iter().map(|sample| sample.tenant.id).collect();
        let events: Vec<_> = samples.iter().map(|sample| sample.event.id).collect();
        let tenants = self.store.tenants(TenantKeys::Ids(&ids)).await?;
        let there = tenants.into_iter().map(|found| found.map_or_else(|b| b.id, |t| t.id.raw));
        let mut made: HashSet<_> = there.collect();
        let told = self.store.audit_events(&events).await?;
        let told = told.into_iter().map(|found| found.map_or_else(|b| b.id, |e| e.id.raw));
        let told: HashSet<_> = told.collect();
        let deleted = samples.iter().filter(|sample| told.contains(&sample.event.id.raw));
        made.extend(deleted.map(|sample| sample.tenant.id.raw));
        Ok(made)
    }
}

/// All of it, each kind after the other: what is of one kind goes to the database together.
fn changes(samples: Vec<DemoTenant>) -> Vec<Change> {
    let (mut tenants, mut rest) = (Vec::new(), [Vec::new(), Vec::new(), Vec::new()]);
    for DemoTenant { tenant, subscriptions, users, event } in samples {
        tenants.push(Change::InsertTenant(tenant));
        let [all_subscriptions, all_users, events] = &mut rest;
        all_subscriptions.extend(subscriptions.into_iter().map(Change::InsertSubscription));
        all_users.extend(users.into_iter().map(Change::InsertUser));
        events.push(Change::InsertAuditEvent(event));
    }
    tenants.into_iter().chain(rest.into_iter().flatten()).collect()
}
