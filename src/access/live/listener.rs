//! A listener: authorizes the changes of its topic and reports them.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    cursor::CursorKeys,
    event::{LiveChange, LiveEvent, LiveNotice},
    hub::Registration,
    mailbox::{Notice, QueuedNotice},
    topic::LiveTopic,
};
use crate::{
    access::{
        error::AccessError,
        event_permits::{EventPermit, EventPermits},
        session::Session,
        state::Access,
        viewer::Viewer,
    },
    domain::{
        id::{SubscriptionId, TenantId},
        live::{ChangeKind, FeedPosition},
    },
    policy::TenantAction,
    store::SubscriptionKeys,
};

/// The delay before a listener reads again from a store that is unavailable.
const RETRY_DELAY: Duration = Duration::from_millis(200);
/// The time after which a listener gives up. A new primary is elected in a fraction of it.
const RETRY_LIMIT: Duration = Duration::from_secs(60);

/// A live operation's source of changes. Dropping it ends the operation.
pub struct Listener {
    pub(super) access: Arc<Access>,
    pub(super) request_id: Box<str>,
    pub(super) topic: LiveTopic,
    pub(super) registration: Registration,
    /// The viewer as of the latest check of its rights.
    pub(super) viewer: Arc<Viewer>,
    pub(super) key: Arc<CursorKeys>,
    /// The permits of the events. A session without a permit of its own has none.
    pub(super) permits: Option<EventPermits>,
    /// The position up to which the client has received all changes already.
    pub(super) floor: Option<FeedPosition>,
    pub(super) is_ended: bool,
}

/// The result of a notice for its listener.
enum Outcome {
    /// The listener has nothing to report.
    Nothing,
    /// The listener reports a change.
    Report(LiveNotice),
    /// The listener reports a last change, and the operation is then complete.
    ReportLast(LiveNotice),
    /// The operation is complete.
    Complete,
    /// The operation cannot continue, although the viewer has the right to it.
    Fail(AccessError),
}

impl Listener {
    /// Returns the identifier of the request that has started the operation.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// Waits for the next change that the viewer may see, and for the permit to execute its event.
    ///
    /// Returns `None` when the operation is complete.
    ///
    /// # Errors
    ///
    /// Returns the reason why the viewer has lost the right to the operation, or
    /// [`AccessError::Unavailable`] if the client reads too slowly or the store stays unavailable. The
    /// listener has then ended.
    pub async fn next(&mut self) -> Option<Result<(LiveNotice, Option<EventPermit>), AccessError>> {
        let mut retry_until = None;
        while !self.is_ended {
            let Some((queued, permit)) = self.next_notice().await else {
                return Some(Err(self.end(AccessError::Unavailable)));
            };
            // Boxed, so that a listener that waits does not reserve memory for it.
            match Box::pin(self.process(&queued)).await {
                Ok(Outcome::Nothing) => {}
                Ok(Outcome::Report(notice)) => return Some(Ok((notice, permit))),
                Ok(Outcome::ReportLast(notice)) => {
                    self.is_ended = true;
                    return Some(Ok((notice, permit)));
                }
                Ok(Outcome::Complete) => self.is_ended = true,
                // The notice is not lost while a new primary is elected.
                Err(AccessError::Unavailable)
                    if *retry_until.get_or_insert_with(|| Instant::now() + RETRY_LIMIT)
                        > Instant::now() =>
                {
                    drop(permit);
                    self.registration.mailbox.insert([queued]);
                    tokio::time::sleep(RETRY_DELAY).await;
                }
                Ok(Outcome::Fail(error)) | Err(error) => return Some(Err(self.end(error))),
            }
        }
        None
    }

    /// Waits for the next notice, and for the permit to process it.
    ///
    /// A check of the rights needs no permit, so that a viewer without rights is cut off at once. While a
    /// notice waits for its permit, later changes of its entity are merged into it.
    async fn next_notice(&self) -> Option<(QueuedNotice, Option<EventPermit>)> {
        let mailbox = &self.registration.mailbox;
        let is_check = mailbox.peek().await? == Notice::User && self.topic != LiveTopic::Me;
        let permit = match &self.permits {
            // Boxed, so that a listener that waits for a change does not reserve memory for it.
            Some(permits) if !is_check => Some(Box::pin(permits.acquire()).await),
            _ => None,
        };
        Some((mailbox.next().await?, permit))
    }

    /// Reports the change of an event again, because a part of it could not be read.
    ///
    /// The viewer and the entity are then loaded again.
    pub async fn repeat(&mut self, event: LiveEvent) {
        self.is_ended = false;
        self.registration.mailbox.insert([event.queued]);
        tokio::time::sleep(RETRY_DELAY).await;
    }

    fn end(&mut self, error: AccessError) -> AccessError {
        self.is_ended = true;
        error
    }

    async fn process(&mut self, queued: &QueuedNotice) -> Result<Outcome, AccessError> {
        let viewer = self.load_viewer().await?;
        match queued.notice {
            Notice::User => self.check_rights(viewer, queued).await,
            Notice::Gap => self.read_again(viewer, queued).await,
            _ if self.is_known(queued) => Ok(Outcome::Nothing),
            Notice::Tenant(id, ChangeKind::Deleted) => Ok(self.tenant_deleted(viewer, id, queued)),
            Notice::FormerMember(id, is_certain) => {
                Ok(self.former_member(viewer, (id, is_certain), queued))
            }
            Notice::Tenant(id, kind) => self.tenant_changed(viewer, (id, kind), queued).await,
            Notice::Subscription(id, tenant, kind) => {
                self.subscription_changed(viewer, tenant, (id, kind), queued).await
            }
        }
    }

    /// Returns whether the client has received the change in an earlier operation.
    fn is_known(&self, queued: &QueuedNotice) -> bool {
        self.floor.as_ref().is_some_and(|floor| queued.position <= *floor)
    }

    /// Returns the viewer as it is stored now.
    async fn load_viewer(&self) -> Result<Arc<Viewer>, AccessError> {
        let user = self.viewer.user().id;
        let viewer = self.registration.hub.viewers.get(user).await?.transpose()?;
        match viewer {
            Some(viewer) if viewer.user().disabled => Err(AccessError::Disabled),
            Some(viewer) if viewer.user().identity == self.viewer.user().identity => Ok(viewer),
            _ => Err(AccessError::NotProvisioned),
        }
    }

    /// Checks the right to the operation after a change of the viewer's user.
    async fn check_rights(
        &mut self,
        viewer: Arc<Viewer>,
        queued: &QueuedNotice,
    ) -> Result<Outcome, AccessError> {
        let before = std::mem::replace(&mut self.viewer, viewer.clone());
        match self.topic {
            LiveTopic::Me if self.is_known(queued) => Ok(Outcome::Nothing),
            LiveTopic::Me => Ok(self.report(viewer, LiveChange::Me, queued)),
            LiveTopic::Tenants => {
                self.registration.update_scope(&viewer, &queued.position);
                Ok(Outcome::Nothing)
            }
            LiveTopic::Tenant(tenant) | LiveTopic::Subscriptions(tenant) => {
                if !viewer.can_see(tenant) {
                    let mailbox = &self.registration.mailbox;
                    let was_deleted = mailbox.contains(Notice::Tenant(tenant, ChangeKind::Deleted))
                        && mailbox.contains(Notice::FormerMember(tenant, true));
                    return was_deleted.then_some(Outcome::Nothing).ok_or(AccessError::NotFound);
                }
                if !has_lower_role(&before, &viewer, tenant) {
                    return Ok(Outcome::Nothing);
                }
                let change = self.present_state(tenant).await?;
                Ok(change.map_or(Outcome::Nothing, |change| {
                    let (before, after) = (self.session(before), self.session(viewer));
                    Outcome::Report(LiveNotice::RoleLowered { before, after, change })
                }))
            }
        }
    }

    /// Reports the present state, because changes may be missing.
    async fn read_again(
        &mut self,
        viewer: Arc<Viewer>,
        queued: &QueuedNotice,
    ) -> Result<Outcome, AccessError> {
        self.viewer = viewer.clone();
        self.floor = None;
        match self.topic {
            LiveTopic::Me => Ok(self.report(viewer, LiveChange::Me, queued)),
            // There may be any number of tenants, so the client reads the list again.
            LiveTopic::Tenants if viewer.is_platform_admin() => {
                Ok(Outcome::Fail(AccessError::Unavailable))
            }
            LiveTopic::Tenants => {
                self.registration.update_scope(&viewer, &queued.position);
                for tenant in viewer.user().memberships.iter().map(|m| m.tenant_id) {
                    let notice = Notice::Tenant(tenant, ChangeKind::Updated);
                    self.registration.mailbox.push(QueuedNotice { notice, ..queued.clone() });
                }
                Ok(Outcome::Nothing)
            }
            LiveTopic::Tenant(tenant) | LiveTopic::Subscriptions(tenant) => {
                if !viewer.can_see(tenant) {
                    return Err(AccessError::NotFound);
                }
                match self.present_state(tenant).await? {
                    Some(change) => Ok(self.report(viewer, change, queued)),
                    None if self.registration.hub.tenants.get(tenant).await?.is_some() => {
                        Ok(Outcome::Nothing)
                    }
                    None => Ok(self.tenant_deleted(viewer, tenant, queued)),
                }
            }
        }
    }

    /// Returns the state of the topic as an update, or `None` if there is none.
    async fn present_state(&self, tenant: TenantId) -> Result<Option<LiveChange>, AccessError> {
        let hub = &self.registration.hub;
        let (Some(decoded), kind) = (hub.tenants.get(tenant).await?, ChangeKind::Updated) else {
            return Ok(None);
        };
        if matches!(self.topic, LiveTopic::Tenant(_)) {
            return Ok(Some(LiveChange::Tenant { id: tenant, kind, tenant: Some(decoded) }));
        }
        let keys = SubscriptionKeys::LiveOfTenants(&[tenant]);
        let live = hub.store.subscriptions(keys).await?.into_iter().next();
        let Some(Ok(subscription)) = live else { return Ok(None) };
        let (id, subscription) = (subscription.id, Arc::new(subscription));
        let subscription = Some(decoded.map(|tenant| (subscription, tenant)));
        Ok(Some(LiveChange::Subscription { id, kind, subscription }))
    }

    /// Reports the deletion of a tenant to a viewer that could see it until then.
    ///
    /// An operation on one tenant has ended if the viewer lost its membership before. An operation on all
    /// tenants reports the deletion to a platform admin. A member gets it with [`Notice::FormerMember`].
    fn tenant_deleted(&self, viewer: Arc<Viewer>, id: TenantId, queued: &QueuedNotice) -> Outcome {
        let change = LiveChange::Tenant { id, kind: ChangeKind::Deleted, tenant: None };
        match self.topic {
            LiveTopic::Subscriptions(_) => Outcome::Complete,
            LiveTopic::Tenant(_) => match self.report(viewer, change, queued) {
                Outcome::Report(event) => Outcome::ReportLast(event),
                other => other,
            },
            _ if self.viewer.is_platform_admin() => self.report(viewer, change, queued),
            _ => Outcome::Nothing,
        }
    }

    /// Reports the deletion of a tenant to a member of it that listens to all tenants.
    ///
    /// The notice is the proof of the membership, because the deletion has removed it.
    fn former_member(
        &self,
        viewer: Arc<Viewer>,
        (id, is_certain): (TenantId, bool),
        queued: &QueuedNotice,
    ) -> Outcome {
        if self.topic != LiveTopic::Tenants
            || self.viewer.is_platform_admin()
            || !(is_certain || self.viewer.can_see(id))
        {
            return Outcome::Nothing;
        }
        let change = LiveChange::Tenant { id, kind: ChangeKind::Deleted, tenant: None };
        self.report(viewer, change, queued)
    }

    /// Reports a change of a tenant, unless the viewer can no longer see it.
    ///
    /// The notice of the reason is still to come: a change of the user, or the deletion of the tenant.
    async fn tenant_changed(
        &self,
        viewer: Arc<Viewer>,
        (id, kind): (TenantId, ChangeKind),
        queued: &QueuedNotice,
    ) -> Result<Outcome, AccessError> {
        if !viewer.can_see(id) {
            return Ok(Outcome::Nothing);
        }
        let Some(tenant) = self.registration.hub.tenants.get(id).await? else {
            return Ok(Outcome::Nothing);
        };
        let change = LiveChange::Tenant { id, kind, tenant: Some(tenant) };
        Ok(self.report(viewer, change, queued))
    }

    /// Reports a change of a subscription, unless the viewer can no longer see its tenant.
    async fn subscription_changed(
        &self,
        viewer: Arc<Viewer>,
        tenant: TenantId,
        (id, kind): (SubscriptionId, ChangeKind),
        queued: &QueuedNotice,
    ) -> Result<Outcome, AccessError> {
        let hub = &self.registration.hub;
        if !viewer.can_see(tenant) {
            return Ok(Outcome::Nothing);
        }
        if kind == ChangeKind::Deleted {
            let change = LiveChange::Subscription { id, kind, subscription: None };
            return Ok(self.report(viewer, change, queued));
        }
        let (subscription, of) = tokio::join!(hub.subscriptions.get(id), hub.tenants.get(tenant));
        let (Some(subscription), Some(of)) = (subscription?, of?) else {
            return Ok(Outcome::Nothing);
        };
        // A manual edit can move a subscription to another tenant.
        if subscription.as_ref().is_ok_and(|found| found.tenant_id != tenant) {
            return Ok(Outcome::Nothing);
        }
        let subscription = Some(subscription.and_then(|found| Ok((found, of?))));
        Ok(self.report(viewer, LiveChange::Subscription { id, kind, subscription }, queued))
    }

    fn report(&self, viewer: Arc<Viewer>, change: LiveChange, queued: &QueuedNotice) -> Outcome {
        let Some(cursor) = self.key.seal(&queued.position, self.topic, viewer.user().id) else {
            tracing::error!("a cursor cannot be encrypted");
            return Outcome::Nothing;
        };
        let session = self.session(viewer);
        let (received, queued) = (queued.received, queued.clone());
        let event = LiveEvent { session, change, cursor, received, queued };
        Outcome::Report(LiveNotice::Event(event))
    }

    fn session(&self, viewer: Arc<Viewer>) -> Arc<Session> {
        let request_id = self.request_id.to_string();
        Arc::new(Session::for_event(self.access.clone(), viewer, request_id))
    }
}

/// Returns whether a viewer may do less in the tenant than before.
fn has_lower_role(before: &Viewer, after: &Viewer, tenant: TenantId) -> bool {
    TenantAction::ALL.iter().any(|action| {
        before.authorize(tenant, *action).is_ok() && after.authorize(tenant, *action).is_err()
    })
}
