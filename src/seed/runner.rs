//! Demo tenants into a store, some at a time: what is in memory does not grow with their number.
//!
//! A tenant comes with all that is its own in one commit, so it is there with everything or not at
//! all. What was made once is never made again: it is known by its identifier, and where somebody
//! has deleted it, by the event that is left of it in the history.

use std::{collections::HashSet, fmt};

use super::sample::Sample;
use crate::{
    domain::{change::Change, id::ObjectId},
    store::{CommitError, ReadError, Store, TenantKeys},
};

/// How many tenants are made at once: they have 1,000 users.
const BATCH: u32 = 50;

/// What was done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filled {
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
pub struct Filling<'a> {
    store: &'a dyn Store,
    n: u32,
    /// What was done so far.
    pub so_far: Filled,
}

impl<'a> Filling<'a> {
    /// Up to the n-th.
    #[must_use]
    pub fn new(store: &'a dyn Store, n: u32) -> Self {
        Self { store, n, so_far: Filled::default() }
    }

    /// Makes the next few; `false` where there are no more.
    pub async fn next(&mut self) -> Result<bool, FillError> {
        let first = self.so_far.done + 1;
        if first > self.n {
            return Ok(false);
        }
        let last = self.n.min(self.so_far.done + BATCH);
        match self.make(first, last).await {
            Ok(()) => {}
            Err(away @ CommitError::Failed(ReadError::Unavailable(_))) => {
                return Err(FillError::Failed(away));
            }
            // Somebody else makes the same ones, or one of them cannot be made. Each alone tells.
            Err(_) => {
                for i in first..=last {
                    self.make_one(i).await?;
                    self.so_far.done = i;
                }
            }
        }
        self.so_far.done = last;
        Ok(true)
    }

    async fn make_one(&mut self, i: u32) -> Result<(), FillError> {
        // Whoever was faster the first time is done the second time.
        if self.make(i, i).await.is_ok() {
            return Ok(());
        }
        self.make(i, i).await.map_err(|error| match error {
            CommitError::Conflict(unique) => {
                FillError::Taken { slug: Sample::nth(i).tenant.slug, field: unique.field() }
            }
            error => FillError::Failed(error),
        })
    }

    async fn make(&mut self, first: u32, last: u32) -> Result<(), CommitError> {
        let mut samples: Vec<Sample> = (first..=last).map(Sample::nth).collect();
        let made = self.made_before(&samples).await?;
        samples.retain(|sample| !made.contains(&sample.tenant.id.raw));
        let new = Filled {
            tenants: samples.len() as u32,
            users: samples.iter().map(|sample| sample.users.len()).sum(),
            subscriptions: samples.iter().map(|sample| sample.subscriptions.len()).sum(),
            done: 0,
        };
        self.store.commit(&changes(samples)).await?;
        self.so_far.tenants += new.tenants;
        self.so_far.users += new.users;
        self.so_far.subscriptions += new.subscriptions;
        Ok(())
    }

    /// The identifiers of those tenants that were made before.
    async fn made_before(&self, samples: &[Sample]) -> Result<HashSet<ObjectId>, ReadError> {
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
fn changes(samples: Vec<Sample>) -> Vec<Change> {
    let (mut tenants, mut rest) = (Vec::new(), [Vec::new(), Vec::new(), Vec::new()]);
    for Sample { tenant, subscriptions, users, event } in samples {
        tenants.push(Change::InsertTenant(tenant));
        let [all_subscriptions, all_users, events] = &mut rest;
        all_subscriptions.extend(subscriptions.into_iter().map(Change::InsertSubscription));
        all_users.extend(users.into_iter().map(Change::InsertUser));
        events.push(Change::Record(event));
    }
    tenants.into_iter().chain(rest.into_iter().flatten()).collect()
}
