//! Reads the change feed of the store for the hub, and opens it again after a failure.

use std::{
    collections::HashMap,
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use super::hub::LiveHub;
use crate::{
    domain::{
        id::{SubscriptionId, TenantId},
        live::{ChangeKind, ChangedEntity, FeedEvent},
    },
    metrics::Metrics,
    store::{ChangeFeed, Store, StoreError, SubscriptionKeys, WatchError},
};

/// The delay before the feed is opened again. It doubles up to [`MAX_BACKOFF`].
const INITIAL_BACKOFF: Duration = Duration::from_millis(50);
const MAX_BACKOFF: Duration = Duration::from_secs(2);
/// The maximum number of subscriptions in one read.
const MAX_KEYS: usize = 1_000;

/// Reads the feed until the hub is dropped.
async fn run(hub: Weak<LiveHub>, store: Arc<dyn Store>) {
    let (mut has_gap, mut backoff) = (false, INITIAL_BACKOFF);
    loop {
        let Some(position) = hub.upgrade().map(|hub| hub.position()) else { return };
        let after = position.filter(|_| !has_gap);
        let error = match store.watch(after.as_ref()).await {
            Ok(feed) => {
                let Some(opened) = hub.upgrade() else { return };
                opened.feed_opened(&feed.position(), has_gap);
                drop(opened);
                has_gap = false;
                match read(&hub, &*store, feed, &mut backoff).await {
                    Some(error) => error,
                    None => return,
                }
            }
            Err(error) => error,
        };
        let Some(hub) = hub.upgrade() else { return };
        hub.actors.iter().for_each(|actors| actors.feed_interrupted());
        match error {
            WatchError::HistoryLost => {
                has_gap = true;
                tracing::warn!(
                    "the change feed has a gap; all live operations read their state again"
                );
                hub.record_feed_gap();
            }
            WatchError::Failed(error) => {
                tracing::warn!(%error, "the change feed is interrupted; opening it again");
                hub.feed_failed();
                hub.record_feed_reconnect();
            }
        }
        drop(hub);
        tokio::time::sleep(backoff).await;
        backoff = (backoff * 2).min(MAX_BACKOFF);
    }
}

/// Dispatches the changes of an open feed until it fails. Returns `None` if the hub was dropped.
async fn read(
    hub: &Weak<LiveHub>,
    store: &dyn Store,
    mut feed: Box<dyn ChangeFeed>,
    backoff: &mut Duration,
) -> Option<WatchError> {
    loop {
        let mut events = match feed.next().await {
            Ok(events) => events,
            Err(error) => return Some(error),
        };
        let hub = hub.upgrade()?;
        // If this fails, the feed is opened again at the position before these events.
        if let Err(error) = hub.resolve_tenants(store, &mut events).await {
            return Some(error.into());
        }
        hub.record_feed_events(&events);
        hub.dispatch(events, feed.position());
        *backoff = INITIAL_BACKOFF;
    }
}

impl LiveHub {
    /// Starts the feed, unless it has started.
    pub(in super::super) fn start(self: &Arc<Self>) {
        if !self.is_started.swap(true, Ordering::AcqRel) {
            self.confirm();
            tokio::spawn(run(Arc::downgrade(self), self.store.clone()));
        }
    }

    /// Adds the tenant of changed subscriptions whose tenant the database did not report.
    ///
    /// The tenant of a deleted subscription is known if a listener of this process has seen a change
    /// of it or listens to its tenant.
    pub(super) async fn resolve_tenants(
        &self,
        store: &dyn Store,
        events: &mut [FeedEvent],
    ) -> Result<(), StoreError> {
        let missing: Vec<SubscriptionId> = events
            .iter()
            .filter(|event| event.kind != ChangeKind::Deleted)
            .filter_map(|event| match event.entity {
                ChangedEntity::Subscription(id, None) => Some(id),
                _ => None,
            })
            .filter(|id| self.subscription_tenants.get(id).is_none())
            .collect();
        let mut found: HashMap<SubscriptionId, TenantId> = HashMap::new();
        for ids in missing.chunks(MAX_KEYS) {
            let subscriptions = store.subscriptions(SubscriptionKeys::Ids(ids)).await?;
            found.extend(subscriptions.into_iter().filter_map(|subscription| match subscription {
                Ok(subscription) => Some((subscription.id, subscription.tenant_id)),
                Err(unreadable) => Some((SubscriptionId::new(unreadable.id), unreadable.tenant?)),
            }));
        }
        for event in events {
            let ChangedEntity::Subscription(id, tenant) = &mut event.entity else { continue };
            *tenant = tenant
                .or_else(|| found.get(id).copied())
                .or_else(|| self.subscription_tenants.get(id));
            if let Some(tenant) = tenant {
                self.subscription_tenants.insert(*id, *tenant);
            }
        }
        Ok(())
    }

    fn record_feed_events(&self, events: &[FeedEvent]) {
        let Some(metrics) = &self.metrics else { return };
        for event in events {
            metrics.record_feed_event(match event.entity {
                ChangedEntity::Tenant(_) => "tenant",
                ChangedEntity::User(_) => "user",
                ChangedEntity::Subscription(..) => "subscription",
                // It is a part of the deletion of a tenant.
                ChangedEntity::FormerMember(..) => continue,
            });
        }
    }

    fn record_feed_reconnect(&self) {
        self.metrics.iter().for_each(Metrics::record_feed_reconnect);
    }

    fn record_feed_gap(&self) {
        self.metrics.iter().for_each(Metrics::record_feed_gap);
    }
}
