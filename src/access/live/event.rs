//! The changes that a live operation reports.

use std::sync::Arc;

use tokio::time::Instant;

use super::mailbox::QueuedNotice;

use crate::{
    access::session::Session,
    domain::{
        id::{SubscriptionId, TenantId},
        list::Decoded,
        live::ChangeKind,
        subscription::TenantSubscription,
        tenant::Tenant,
    },
};

/// A change that the viewer may see, with the state after it.
#[derive(Clone, Debug)]
pub enum LiveChange {
    /// The viewer's own user has changed. The session has its state.
    Me,
    /// A tenant has changed.
    Tenant {
        /// The identifier of the tenant.
        id: TenantId,
        /// The kind of the change.
        kind: ChangeKind,
        /// The state of the tenant, or `None` if it was deleted.
        tenant: Option<Decoded<Arc<Tenant>>>,
    },
    /// A subscription has changed.
    Subscription {
        /// The identifier of the subscription.
        id: SubscriptionId,
        /// The kind of the change.
        kind: ChangeKind,
        /// The state of the subscription and of its tenant, or `None` if it was deleted.
        subscription: Option<Decoded<(Arc<TenantSubscription>, Arc<Tenant>)>>,
    },
}

/// A change, with a session whose viewer was loaded for it.
pub struct LiveEvent {
    /// The session that resolves the event.
    pub session: Arc<Session>,
    /// The change to report.
    pub change: LiveChange,
    /// The cursor after which another operation of the same topic can resume.
    pub cursor: String,
    /// The time at which the gateway received the change.
    pub received: Instant,
    /// The notice that led to the event.
    pub(super) queued: QueuedNotice,
}

/// A message to a live operation.
pub enum LiveNotice {
    /// A change that the viewer may see.
    Event(LiveEvent),
    /// The viewer's role in the tenant of the topic is lower than before.
    ///
    /// The operation must end if its selection set needs the former role.
    RoleLowered {
        /// A session with the former viewer. Its results must not be sent.
        before: Arc<Session>,
        /// A session with the present viewer.
        after: Arc<Session>,
        /// The state of the topic at this moment.
        change: LiveChange,
    },
}
