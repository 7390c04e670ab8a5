//! Starts a listener: authorizes it, registers it with the hub, and reads the changes that it missed.

use super::{
    hub::{LiveHub, notice_for},
    listener::Listener,
    mailbox::{Mailbox, Notice, QueuedNotice},
    topic::LiveTopic,
};
use crate::{
    access::{error::AccessError, session::Session, viewer::Viewer},
    domain::{
        id::TenantId,
        input_error::InputError,
        list::{
            Direction, Order, PageEdge, PageRequest, SubscriptionFilter, SubscriptionListing,
            SubscriptionOrderField, TenantScope,
        },
        live::{ChangeKind, FeedPosition},
    },
    store::WatchError,
};

/// The maximum number of subscriptions of a tenant whose deletion by a manual edit is reported.
const MAX_KNOWN_SUBSCRIPTIONS: usize = 100;

impl Session {
    /// Starts to listen to a topic, with the changes after a cursor or from now on.
    ///
    /// # Errors
    ///
    /// - The error of [`Session::viewer`].
    /// - [`AccessError::NotFound`] if the viewer cannot see the tenant of the topic.
    /// - [`AccessError::BadInput`] if the cursor belongs to another user or topic, or is outdated.
    /// - [`AccessError::Unavailable`] if the change feed is not available yet.
    pub async fn listen(
        &self,
        topic: LiveTopic,
        since: Option<&str>,
    ) -> Result<Listener, AccessError> {
        let viewer = self.viewer(false).await?;
        let (hub, user) = (self.access.live.clone(), viewer.user().id);
        hub.opened().await?;
        let key = hub.cursor_keys(self.access.invitations.secrets.as_ref()).await?;
        let since =
            since.map(|cursor| key.open(cursor, topic, user).ok_or_else(|| bad_cursor(INVALID)));
        let (mut registration, position) = hub.register(topic, &viewer);
        let mut floor = None;
        // The rights may have changed before the registration. From now on, the hub reports it.
        let viewer = match hub.viewers.get(user).await?.transpose()? {
            Some(viewer) if viewer.user().disabled => return Err(AccessError::Disabled),
            Some(viewer) => viewer,
            None => return Err(AccessError::NotProvisioned),
        };
        if topic == LiveTopic::Tenants {
            registration.update_scope(&viewer, &position);
        }
        let visible = find_topic(&hub, topic, &viewer).await?;
        match (since.transpose(), visible) {
            (Err(_) | Ok(None), false) => return Err(AccessError::NotFound),
            (Err(invalid), true) => return Err(invalid),
            (Ok(None), true) => {}
            (Ok(Some(since)), visible) => {
                let missed = missed_notices(&hub, topic, &viewer, (&since, &position)).await?;
                // Its cursor proves that the viewer could see a tenant that was deleted meanwhile.
                if !visible && !missed.iter().any(|queued| is_deletion(queued.notice, topic)) {
                    expect_deletion(&hub, &registration.mailbox, topic).await?;
                }
                registration.mailbox.insert(missed);
                floor = Some(since).filter(|since| *since > position);
            }
        }
        Ok(Listener {
            access: self.access.clone(),
            request_id: self.request_id().into(),
            topic,
            registration,
            viewer,
            permits: self.execution_permit().map(|permit| permit.event_permits()),
            key,
            floor,
            is_ended: false,
        })
    }
}

/// Returns whether the viewer can see the tenant of the topic. A hidden tenant is read like any other.
async fn find_topic(hub: &LiveHub, topic: LiveTopic, viewer: &Viewer) -> Result<bool, AccessError> {
    let Some(tenant) = topic.tenant() else { return Ok(true) };
    let exists = hub.tenants.get(tenant).await?.is_some();
    if exists && viewer.can_see(tenant) && topic == LiveTopic::Subscriptions(tenant) {
        remember_subscriptions(hub, tenant).await?;
    }
    Ok(exists && viewer.can_see(tenant))
}

/// Remembers the tenant of its subscriptions, for the case that a manual edit deletes one.
async fn remember_subscriptions(hub: &LiveHub, tenant: TenantId) -> Result<(), AccessError> {
    let field = SubscriptionOrderField::CreatedAt;
    let listing = SubscriptionListing {
        scope: TenantScope::Tenants(vec![tenant]),
        filter: SubscriptionFilter::default(),
        order: Order { field, direction: Direction::Desc },
    };
    let (size, edge) = (MAX_KNOWN_SUBSCRIPTIONS, PageEdge::First);
    let request = PageRequest { size, edge, after: None, before: None };
    for item in hub.store.subscription_page(&listing, &request).await?.items {
        if let Ok(subscription) = item.node {
            hub.subscription_tenants.insert(subscription.id, tenant);
        }
    }
    Ok(())
}

/// Waits for the deletion of the topic's tenant, which the feed may be about to deliver.
///
/// The wait is the same for a tenant that exists, so that its time reveals nothing about a hidden one.
async fn expect_deletion(
    hub: &LiveHub,
    mailbox: &Mailbox,
    topic: LiveTopic,
) -> Result<(), AccessError> {
    tokio::select! {
        biased;
        () = mailbox.wait_for(|notice| is_deletion(notice, topic)) => Ok(()),
        delivered = hub.delivered() => delivered.and(Err(AccessError::NotFound)),
    }
}

/// Returns the notices of the events after `since` and up to `position`.
async fn missed_notices(
    hub: &LiveHub,
    topic: LiveTopic,
    viewer: &Viewer,
    (since, position): (&FeedPosition, &FeedPosition),
) -> Result<Vec<QueuedNotice>, AccessError> {
    let user = viewer.user().id;
    // Hidden tenants cost the listener no time and no room, so that it learns nothing about them.
    let is_visible = |queued: &QueuedNotice| match queued.notice {
        Notice::Tenant(id, _) if topic == LiveTopic::Tenants => viewer.can_see(id),
        _ => true,
    };
    if since < position
        && let Some(mut missed) = hub.recent_notices(topic, user, (since, position))
    {
        missed.retain(is_visible);
        return Ok(missed);
    }
    let _permit = hub.catch_ups.acquire().await.map_err(|_| AccessError::Unavailable)?;
    let mut feed = hub.store.watch(Some(since)).await.map_err(watch_error)?;
    // A mailbox merges the notices of each entity.
    let missed = Mailbox::new(topic);
    while feed.position() < *position {
        let mut events = feed.next().await.map_err(watch_error)?;
        events.retain(|event| event.position <= *position);
        hub.resolve_tenants(&*hub.store, &mut events).await?;
        events
            .iter()
            .filter_map(|event| notice_for(event, topic, user))
            .filter(is_visible)
            .for_each(|notice| missed.push(notice));
    }
    missed.into_notices().ok_or_else(|| bad_cursor(OUTDATED))
}

/// Returns whether a notice reports the deletion of the topic's tenant.
fn is_deletion(notice: Notice, topic: LiveTopic) -> bool {
    matches!(notice, Notice::Tenant(id, ChangeKind::Deleted) if topic.tenant() == Some(id))
}

const INVALID: &str = "must be a cursor that this field has returned to this user. Omit it to start with the \
                       next change";
const OUTDATED: &str = "is too old: the changes after it are no longer known. Read the present state, and \
                        subscribe without a cursor";

fn bad_cursor(message: &str) -> AccessError {
    AccessError::BadInput(vec![InputError::at("since", message)])
}

fn watch_error(error: WatchError) -> AccessError {
    match error {
        WatchError::HistoryLost => bad_cursor(OUTDATED),
        WatchError::Failed(error) => error.into(),
    }
}
