//! The hub: connects the one change feed of the process with all listeners.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use quick_cache::sync::Cache;
use tokio::{
    sync::{OnceCell, Semaphore, watch},
    time::{Instant, timeout},
};

use super::{
    cursor::CursorKeys,
    history::History,
    mailbox::{Mailbox, Notice, QueuedNotice},
    reads::{read_subscriptions, read_tenants, read_viewers},
    shared_reads::SharedReads,
    topic::LiveTopic,
};
use crate::{
    access::{actor_cache::ActorCache, error::AccessError, secrets::Secrets, viewer::Viewer},
    domain::{
        id::{SubscriptionId, TenantId, UserId},
        list::{Decoded, TenantScope},
        live::{ChangedEntity, FeedEvent, FeedPosition},
        subscription::TenantSubscription,
        tenant::Tenant,
    },
    metrics::Metrics,
    store::Store,
};

/// The state of the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FeedStatus {
    /// The feed was not opened yet.
    Starting,
    /// The feed was opened. It may be interrupted, but continues without a gap.
    Opened,
    /// The feed could not be opened so far.
    Failed,
}

/// The listeners of this process and the feed that wakes them.
pub(in super::super) struct LiveHub {
    pub(super) store: Arc<dyn Store>,
    pub(super) metrics: Option<Metrics>,
    pub(super) actors: Option<Arc<ActorCache>>,
    pub(super) viewers: Arc<SharedReads<UserId, Decoded<Arc<Viewer>>>>,
    pub(super) tenants: Arc<SharedReads<TenantId, Decoded<Arc<Tenant>>>>,
    pub(super) subscriptions: Arc<SharedReads<SubscriptionId, Decoded<Arc<TenantSubscription>>>>,
    registry: Mutex<Registry>,
    status: watch::Sender<FeedStatus>,
    /// The time at which the feed was last known to be complete.
    confirmed: Mutex<Instant>,
    /// The number of times that the feed has returned, with or without changes.
    rounds: watch::Sender<u64>,
    pub(super) is_started: AtomicBool,
    next_listener: AtomicU64,
    /// Limits the feeds that are open for listeners that resume.
    pub(super) catch_ups: Semaphore,
    cursor_keys: OnceCell<Arc<CursorKeys>>,
    /// The tenants of known subscriptions. MongoDB does not report the tenant of a deleted one.
    pub(super) subscription_tenants: Cache<SubscriptionId, TenantId>,
}

/// The maximum number of listeners that read missed changes from the store at the same time.
const MAX_CATCH_UPS: usize = 4;
/// The maximum number of subscriptions whose tenant is remembered.
const MAX_KNOWN_SUBSCRIPTIONS: usize = 65_536;

/// The maximum time of two reads of the feed. Each lasts at most about a second without changes.
const MAX_ROUNDS_TIME: Duration = Duration::from_secs(5);

/// The mailboxes by the entities that concern them, and the latest events.
#[derive(Default)]
struct Registry {
    by_user: Index<UserId>,
    by_tenant: Index<TenantId>,
    /// The mailboxes of platform admins that listen to all tenants.
    all_tenants: HashMap<u64, Arc<Mailbox>>,
    /// `None` until the feed is opened.
    history: Option<History>,
}

/// Mailboxes by entity and by the number of their listener.
type Index<K> = HashMap<K, HashMap<u64, Arc<Mailbox>>>;

impl LiveHub {
    pub(in super::super) fn new(
        store: Arc<dyn Store>,
        metrics: Option<Metrics>,
        actors: Option<Arc<ActorCache>>,
    ) -> Arc<Self> {
        let (users, tenants, subscriptions) = (store.clone(), store.clone(), store.clone());
        Arc::new(Self {
            metrics,
            actors,
            viewers: SharedReads::new(move |ids| read_viewers(users.clone(), ids)),
            tenants: SharedReads::new(move |ids| read_tenants(tenants.clone(), ids)),
            subscriptions: SharedReads::new(move |ids| {
                read_subscriptions(subscriptions.clone(), ids)
            }),
            store,
            registry: Mutex::default(),
            status: watch::Sender::new(FeedStatus::Starting),
            confirmed: Mutex::new(Instant::now()),
            rounds: watch::Sender::new(0),
            is_started: AtomicBool::new(false),
            next_listener: AtomicU64::new(0),
            catch_ups: Semaphore::new(MAX_CATCH_UPS),
            cursor_keys: OnceCell::new(),
            subscription_tenants: Cache::new(MAX_KNOWN_SUBSCRIPTIONS),
        })
    }

    /// Returns the time since the feed was known to be complete, or `None` if it has not started.
    pub(in super::super) fn lag(&self) -> Option<Duration> {
        let confirmed = *self.confirmed.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_started.load(Ordering::Acquire).then(|| confirmed.elapsed())
    }

    /// Waits until the feed is opened.
    pub(super) async fn opened(self: &Arc<Self>) -> Result<(), AccessError> {
        self.start();
        let mut status = self.status.subscribe();
        match status.wait_for(|status| *status != FeedStatus::Starting).await.as_deref() {
            Ok(FeedStatus::Opened) => Ok(()),
            _ => Err(AccessError::Unavailable),
        }
    }

    /// Returns the keys of cursors. Without a secret of the operator, the store keeps the key.
    pub(super) async fn cursor_keys(
        &self,
        secrets: Option<&Secrets>,
    ) -> Result<Arc<CursorKeys>, AccessError> {
        let keys = self.cursor_keys.get_or_try_init(async || {
            if let Some(secrets) = secrets {
                let keys = CursorKeys::new(&secrets.live_cursors);
                return keys.map(Arc::new).ok_or(AccessError::Internal);
            }
            let mut candidate = [0; 32];
            getrandom::fill(&mut candidate).map_err(|_| AccessError::Internal)?;
            let keys = CursorKeys::new(&[self.store.cursor_key(candidate).await?]);
            keys.map(Arc::new).ok_or(AccessError::Internal)
        });
        keys.await.cloned()
    }

    /// Registers a listener. It receives the events after the returned position.
    pub(super) fn register(
        self: &Arc<Self>,
        topic: LiveTopic,
        viewer: &Viewer,
    ) -> (Registration, FeedPosition) {
        let mailbox = Arc::new(Mailbox::new(topic));
        let listener = self.next_listener.fetch_add(1, Ordering::Relaxed);
        let user = viewer.user().id;
        let mut registration =
            Registration { hub: self.clone(), mailbox, listener, user, tenants: HashSet::new() };
        let mut registry = self.registry();
        registry.by_user.entry(user).or_default().insert(listener, registration.mailbox.clone());
        match topic {
            LiveTopic::Me => {}
            LiveTopic::Tenant(tenant) | LiveTopic::Subscriptions(tenant) => {
                registration.add(&mut registry, tenant);
            }
            LiveTopic::Tenants => registration.set_scope(&mut registry, viewer.scope()),
        }
        // `opened` was called before.
        let position = registry.history.as_ref().map(|history| history.end().clone());
        drop(registry);
        if let Some(metrics) = &self.metrics {
            metrics.listener_started();
        }
        (registration, position.unwrap_or_else(|| FeedPosition([].into())))
    }

    /// Records that the feed was opened at a position. `has_gap` if it has missed changes.
    pub(super) fn feed_opened(&self, position: &FeedPosition, has_gap: bool) {
        let mut registry = self.registry();
        if has_gap || registry.history.is_none() {
            registry.history = Some(History::new(position.clone()));
        }
        if has_gap {
            let received = Instant::now();
            for mailbox in registry.by_user.values().flat_map(HashMap::values) {
                let position = position.clone();
                mailbox.push(QueuedNotice { notice: Notice::Gap, position, received });
            }
        }
        drop(registry);
        self.actors.iter().for_each(|actors| actors.feed_opened());
        self.confirm();
        self.status.send_replace(FeedStatus::Opened);
    }

    /// Records that the feed is interrupted.
    pub(super) fn feed_failed(&self) {
        self.status.send_if_modified(|status| {
            *status == FeedStatus::Starting && {
                *status = FeedStatus::Failed;
                true
            }
        });
    }

    /// Wakes the listeners that events concern.
    pub(super) fn dispatch(&self, events: Vec<FeedEvent>, position: FeedPosition) {
        self.actors.iter().for_each(|actors| actors.forget_reported(&events));
        let received = Instant::now();
        let mut registry = self.registry();
        for event in &events {
            registry.for_each_concerned(event, |mailbox| {
                if let Some(notice) = Notice::of(event, mailbox.topic) {
                    let position = event.position.clone();
                    mailbox.push(QueuedNotice { notice, position, received });
                }
            });
        }
        if let Some(history) = &mut registry.history {
            history.extend(events, position);
        }
        drop(registry);
        self.confirm();
    }

    /// Returns the position up to which the feed is known.
    pub(super) fn position(&self) -> Option<FeedPosition> {
        self.registry().history.as_ref().map(|history| history.end().clone())
    }

    /// Returns the notices of the events after a position and up to another one, or `None` if some of
    /// them are not in memory.
    pub(super) fn recent_notices(
        &self,
        topic: LiveTopic,
        user: UserId,
        (after, up_to): (&FeedPosition, &FeedPosition),
    ) -> Option<Vec<QueuedNotice>> {
        let registry = self.registry();
        let events = registry.history.as_ref()?.after(after)?;
        let events = events.take_while(|event| event.position <= *up_to);
        Some(events.filter_map(|event| notice_for(event, topic, user)).collect())
    }

    pub(super) fn confirm(&self) {
        *self.confirmed.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.rounds.send_modify(|rounds| *rounds += 1);
    }

    /// Waits until the feed has delivered all changes that were committed before the call.
    ///
    /// The read that the feed is waiting for may have begun before these commits. The one after it
    /// has not.
    ///
    /// # Errors
    ///
    /// Returns [`AccessError::Unavailable`] if the feed does not return in time.
    pub(super) async fn delivered(&self) -> Result<(), AccessError> {
        let mut rounds = self.rounds.subscribe();
        let complete = *rounds.borrow() + 2;
        let waited = timeout(MAX_ROUNDS_TIME, rounds.wait_for(|rounds| *rounds >= complete)).await;
        waited.is_ok_and(|waited| waited.is_ok()).then_some(()).ok_or(AccessError::Unavailable)
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the notice of an event for a listener of this topic and user.
pub(super) fn notice_for(
    event: &FeedEvent,
    topic: LiveTopic,
    user: UserId,
) -> Option<QueuedNotice> {
    if let ChangedEntity::User(id) | ChangedEntity::FormerMember(Some(id), _) = event.entity
        && id != user
    {
        return None;
    }
    let notice = Notice::of(event, topic)?;
    Some(QueuedNotice { notice, position: event.position.clone(), received: Instant::now() })
}

impl Registry {
    fn for_each_concerned(&self, event: &FeedEvent, wake: impl FnMut(&Arc<Mailbox>)) {
        let none = HashMap::new();
        let (concerned, all) = match event.entity {
            ChangedEntity::User(id) => (self.by_user.get(&id), &none),
            ChangedEntity::Tenant(id) => (self.by_tenant.get(&id), &self.all_tenants),
            ChangedEntity::Subscription(_, tenant) => {
                (tenant.and_then(|tenant| self.by_tenant.get(&tenant)), &none)
            }
            ChangedEntity::FormerMember(Some(user), _) => (self.by_user.get(&user), &none),
            ChangedEntity::FormerMember(None, tenant) => (self.by_tenant.get(&tenant), &none),
        };
        concerned.into_iter().flat_map(HashMap::values).chain(all.values()).for_each(wake);
    }
}

/// The place of a listener in the hub. Dropping it removes the listener.
pub(super) struct Registration {
    pub(super) hub: Arc<LiveHub>,
    pub(super) mailbox: Arc<Mailbox>,
    listener: u64,
    user: UserId,
    tenants: HashSet<TenantId>,
}

impl Registration {
    /// Lets a listener of all tenants receive the changes of those in the scope of its viewer.
    ///
    /// Of a tenant that is new in the scope, the listener also receives the changes after `since`.
    pub(super) fn update_scope(&mut self, viewer: &Viewer, since: &FeedPosition) {
        let hub = self.hub.clone();
        let mut registry = hub.registry();
        let former = self.tenants.clone();
        self.set_scope(&mut registry, viewer.scope());
        let Some(history) = &registry.history else { return };
        let is_new = |event: &&FeedEvent| match event.entity {
            ChangedEntity::Tenant(id) => self.tenants.contains(&id) && !former.contains(&id),
            _ => false,
        };
        let missed = history.after_if_known(since).filter(is_new);
        let notices = missed.filter_map(|event| notice_for(event, self.mailbox.topic, self.user));
        self.mailbox.insert(notices);
    }

    fn set_scope(&mut self, registry: &mut Registry, scope: TenantScope) {
        let tenants: HashSet<TenantId> = match scope {
            TenantScope::Everything => {
                registry.all_tenants.insert(self.listener, self.mailbox.clone());
                HashSet::new()
            }
            TenantScope::Tenants(tenants) => {
                registry.all_tenants.remove(&self.listener);
                tenants.into_iter().collect()
            }
        };
        let removed: Vec<TenantId> = self.tenants.difference(&tenants).copied().collect();
        removed.into_iter().for_each(|tenant| self.remove(registry, tenant));
        tenants.into_iter().for_each(|tenant| self.add(registry, tenant));
    }

    fn add(&mut self, registry: &mut Registry, tenant: TenantId) {
        if self.tenants.insert(tenant) {
            let mailboxes = registry.by_tenant.entry(tenant).or_default();
            mailboxes.insert(self.listener, self.mailbox.clone());
        }
    }

    fn remove(&mut self, registry: &mut Registry, tenant: TenantId) {
        self.tenants.remove(&tenant);
        remove(&mut registry.by_tenant, &tenant, self.listener);
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let hub = self.hub.clone();
        let mut registry = hub.registry();
        remove(&mut registry.by_user, &self.user, self.listener);
        registry.all_tenants.remove(&self.listener);
        for tenant in std::mem::take(&mut self.tenants) {
            remove(&mut registry.by_tenant, &tenant, self.listener);
        }
        drop(registry);
        if let Some(metrics) = &hub.metrics {
            metrics.listener_ended();
        }
    }
}

/// Removes a listener from an index, and its entity if it has no other listener.
fn remove<K: std::hash::Hash + Eq>(index: &mut Index<K>, key: &K, listener: u64) {
    if let Some(mailboxes) = index.get_mut(key) {
        mailboxes.remove(&listener);
        if mailboxes.is_empty() {
            index.remove(key);
        }
    }
}
