//! A cache of the viewers of queries, which the change feed keeps true.
//!
//! A cached viewer is used for at most a second after its read began. It is dropped earlier if this
//! process commits a change of the user, or if the change feed reports one. While the feed is
//! interrupted, nothing is cached. The age limit holds even if the feed reports a change late.

use std::{
    hash::BuildHasher,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use foldhash::fast::FixedState;
use quick_cache::{Weighter, sync::Cache};

use super::viewer::Viewer;
use crate::{
    domain::{
        change::Change,
        id::UserId,
        live::{ChangedEntity, FeedEvent},
        time::Timestamp,
        user::Identity,
    },
    metrics::Metrics,
};

/// The time after which a viewer is read again.
const MAX_AGE: Duration = Duration::from_secs(1);
/// The maximum size of the cache in bytes. The size is an estimate.
const MAX_BYTES: u64 = 32 * 1024 * 1024;
/// The estimated size of a viewer without memberships, and of each membership.
const VIEWER_BYTES: u64 = 512;
const MEMBERSHIP_BYTES: u64 = 96;
/// The number of entries that the cache first has room for.
const INITIAL_CAPACITY: usize = 128;
/// The number of groups of users whose changes are counted together.
const GROUPS: usize = 4_096;

/// Viewers by the identity of their caller.
pub(super) struct ActorCache {
    entries: Cache<Identity, Entry, EntryWeighter>,
    /// The number of changes so far.
    changes: AtomicU64,
    /// The number of the latest change in each group of users.
    ///
    /// A number per user would have to be kept as long as a read of that user can be in progress.
    latest: Box<[AtomicU64]>,
    /// The number of the latest change that can affect any user.
    latest_of_all: AtomicU64,
    follows_feed: AtomicBool,
    metrics: Option<Metrics>,
}

#[derive(Clone)]
struct Entry {
    viewer: Arc<Viewer>,
    began: ReadBegin,
}

/// The moment before a read of a user.
#[derive(Clone, Copy)]
pub(super) struct ReadBegin {
    changes: u64,
    at: Timestamp,
}

impl ActorCache {
    /// Creates an empty cache, which stores nothing until the change feed is open.
    pub(super) fn new(metrics: Option<Metrics>) -> Self {
        Self {
            entries: Cache::with_weighter(INITIAL_CAPACITY, MAX_BYTES, EntryWeighter),
            changes: AtomicU64::new(0),
            latest: (0..GROUPS).map(|_| AtomicU64::new(0)).collect(),
            latest_of_all: AtomicU64::new(0),
            follows_feed: AtomicBool::new(false),
            metrics,
        }
    }

    /// Returns the viewer of this identity, if it was read within the last second and has not changed
    /// since.
    pub(super) fn get(&self, identity: &Identity, now: Timestamp) -> Option<Arc<Viewer>> {
        let viewer = self.entries.get(identity).filter(|entry| self.is_valid(entry, now));
        if let Some(metrics) = &self.metrics {
            metrics.record_actor_lookup(viewer.is_some());
        }
        Some(viewer?.viewer)
    }

    /// Must be called before the read of a user that is then stored by [`insert`](Self::insert).
    pub(super) fn begin_read(&self, now: Timestamp) -> ReadBegin {
        ReadBegin { changes: self.changes.load(Ordering::SeqCst), at: now }
    }

    /// Stores a viewer that was read. It has no effect if the user has changed since the read began.
    pub(super) fn insert(&self, viewer: &Arc<Viewer>, began: ReadBegin) {
        let entry = Entry { viewer: viewer.clone(), began };
        if self.is_valid(&entry, began.at) {
            self.entries.insert(viewer.user().identity.clone(), entry);
        }
    }

    /// Drops the viewers that changes can affect, after the commit of these changes.
    pub(super) fn forget_changed(&self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::UpdateUser { user, .. } => self.forget(user.id),
                Change::DeleteUser { id, .. } | Change::TouchLastSeen { id, .. } => {
                    self.forget(*id);
                }
                // Its members lose their memberships.
                Change::DeleteTenant { .. } => self.forget_all(),
                _ => {}
            }
        }
    }

    /// Drops the viewers that events of the feed concern.
    pub(super) fn forget_reported(&self, events: &[FeedEvent]) {
        for event in events {
            if let ChangedEntity::User(id) = event.entity {
                self.forget(id);
            }
        }
    }

    /// Records that the feed is open. Changes before this moment were possibly not reported.
    pub(super) fn feed_opened(&self) {
        self.forget_all();
        self.follows_feed.store(true, Ordering::SeqCst);
    }

    /// Records that the feed is interrupted, so that every viewer is read from the store.
    pub(super) fn feed_interrupted(&self) {
        self.follows_feed.store(false, Ordering::SeqCst);
    }

    fn is_valid(&self, Entry { viewer, began }: &Entry, now: Timestamp) -> bool {
        let latest = self.group(viewer.user().id).load(Ordering::SeqCst);
        let latest = latest.max(self.latest_of_all.load(Ordering::SeqCst));
        // A clock that was set back makes the age unknown.
        let is_recent = now >= began.at && now.saturating_duration_since(began.at) < MAX_AGE;
        is_recent && latest <= began.changes && self.follows_feed.load(Ordering::SeqCst)
    }

    fn forget(&self, user: UserId) {
        self.group(user).fetch_max(self.next_change(), Ordering::SeqCst);
    }

    fn forget_all(&self) {
        self.latest_of_all.fetch_max(self.next_change(), Ordering::SeqCst);
    }

    fn next_change(&self) -> u64 {
        self.changes.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn group(&self, user: UserId) -> &AtomicU64 {
        let hash = FixedState::default().hash_one(user);
        &self.latest[usize::try_from(hash % GROUPS as u64).unwrap_or_default()]
    }
}

/// Estimates the memory of an entry in bytes.
#[derive(Clone)]
struct EntryWeighter;

impl Weighter<Identity, Entry> for EntryWeighter {
    fn weight(&self, _: &Identity, entry: &Entry) -> u64 {
        VIEWER_BYTES + MEMBERSHIP_BYTES * entry.viewer.user().memberships.len() as u64
    }
}
