//! The waiting notices of one listener.
//!
//! A mailbox has at most one notice for each entity, so a slow listener costs a bounded amount of
//! memory and no time of others.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::{sync::Notify, time::Instant};

use super::topic::LiveTopic;
use crate::domain::{
    id::{SubscriptionId, TenantId},
    live::{ChangeKind, ChangedEntity, FeedEvent, FeedPosition},
};

/// The maximum number of waiting notices. Only a listener of all tenants can have so many.
const MAX_NOTICES: usize = 4_096;

/// A reason for a listener to look at the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    /// The viewer's user has changed, so the viewer's rights may have.
    User,
    /// A tenant has changed.
    Tenant(TenantId, ChangeKind),
    /// A subscription of this tenant has changed.
    Subscription(SubscriptionId, TenantId, ChangeKind),
    /// The viewer was a member of this tenant when it was deleted. If the flag is false, the viewer was one
    /// only if the membership is still stored.
    FormerMember(TenantId, bool),
    /// The feed has missed changes, so anything may have changed.
    Gap,
}

impl Notice {
    /// Returns the notice of an event. Returns `None` if a listener of the topic does not need it.
    pub(super) fn of(event: &FeedEvent, topic: LiveTopic) -> Option<Self> {
        match (event.entity, topic) {
            (ChangedEntity::User(_), _) => Some(Self::User),
            (ChangedEntity::Tenant(id), LiveTopic::Tenant(tenant)) if id == tenant => {
                Some(Self::Tenant(id, event.kind))
            }
            (ChangedEntity::Tenant(id), LiveTopic::Tenants) => Some(Self::Tenant(id, event.kind)),
            (ChangedEntity::Tenant(id), LiveTopic::Subscriptions(tenant)) => {
                let is_end = id == tenant && event.kind == ChangeKind::Deleted;
                is_end.then_some(Self::Tenant(id, event.kind))
            }
            (ChangedEntity::Subscription(id, Some(of)), LiveTopic::Subscriptions(tenant)) => {
                (of == tenant).then_some(Self::Subscription(id, of, event.kind))
            }
            (ChangedEntity::FormerMember(user, id), LiveTopic::Tenants) => {
                Some(Self::FormerMember(id, user.is_some()))
            }
            (ChangedEntity::FormerMember(Some(_), id), topic) if topic.tenant() == Some(id) => {
                Some(Self::FormerMember(id, true))
            }
            _ => None,
        }
    }

    /// Returns the kind of the change of both notices, if they concern the same entity.
    fn merge(self, next: Self) -> Option<Self> {
        match (self, next) {
            (Self::Tenant(a, first), Self::Tenant(b, second)) if a == b => {
                Some(Self::Tenant(a, first.followed_by(second)))
            }
            (Self::Subscription(a, tenant, first), Self::Subscription(b, _, second)) if a == b => {
                Some(Self::Subscription(a, tenant, first.followed_by(second)))
            }
            _ => None,
        }
    }
}

/// A notice that waits for its listener.
#[derive(Clone, Debug)]
pub(super) struct QueuedNotice {
    /// The reason for the notice.
    pub(super) notice: Notice,
    /// The position of the newest event of the notice.
    pub(super) position: FeedPosition,
    /// The time at which the gateway received the event.
    pub(super) received: Instant,
}

/// The waiting notices of one listener.
pub(super) struct Mailbox {
    pub(super) topic: LiveTopic,
    queue: Mutex<Queue>,
    wake: Notify,
}

#[derive(Default)]
struct Queue {
    notices: VecDeque<QueuedNotice>,
    overflowed: bool,
}

impl Mailbox {
    pub(super) fn new(topic: LiveTopic) -> Self {
        Self { topic, queue: Mutex::default(), wake: Notify::new() }
    }

    /// Adds a notice and wakes the listener.
    pub(super) fn push(&self, notice: QueuedNotice) {
        self.lock().push(notice, self.topic);
        self.wake.notify_one();
    }

    /// Adds notices of earlier events, in their order among those that are waiting.
    pub(super) fn insert(&self, earlier: impl IntoIterator<Item = QueuedNotice>) {
        let mut queue = self.lock();
        let later = std::mem::take(&mut queue.notices);
        let mut all: Vec<_> = earlier.into_iter().chain(later).collect();
        all.sort_by(|a, b| a.position.cmp(&b.position));
        all.into_iter().for_each(|notice| queue.push(notice, self.topic));
        self.wake.notify_one();
    }

    /// Waits until a notice for which `predicate` holds is waiting, and leaves it there.
    pub(super) async fn wait_for(&self, predicate: impl Fn(Notice) -> bool) {
        while !self.lock().notices.iter().any(|queued| predicate(queued.notice)) {
            self.wake.notified().await;
        }
        // The listener has to be woken, too.
        self.wake.notify_one();
    }

    /// Returns whether a notice is waiting.
    pub(super) fn contains(&self, notice: Notice) -> bool {
        self.lock().notices.iter().any(|queued| queued.notice == notice)
    }

    /// Returns all waiting notices, or `None` if there were too many.
    pub(super) fn into_notices(self) -> Option<Vec<QueuedNotice>> {
        let queue = self.queue.into_inner().unwrap_or_else(PoisonError::into_inner);
        (!queue.overflowed).then(|| queue.notices.into())
    }

    /// Waits for the next notice, and leaves it there. Returns `None` if too many were waiting.
    pub(super) async fn peek(&self) -> Option<Notice> {
        loop {
            {
                let queue = self.lock();
                if queue.overflowed {
                    return None;
                }
                if let Some(first) = queue.notices.front() {
                    return Some(first.notice);
                }
            }
            self.wake.notified().await;
        }
    }

    /// Waits for the next notice, and removes it. Returns `None` if too many were waiting.
    pub(super) async fn next(&self) -> Option<QueuedNotice> {
        loop {
            self.peek().await?;
            if let Some(notice) = self.lock().notices.pop_front() {
                return Some(notice);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// Adds a notice in the order of the newest events.
    ///
    /// The notice of an entity that changes again moves to the end. So the position of the first
    /// notice is always before all events that the listener has not reported.
    fn push(&mut self, mut new: QueuedNotice, topic: LiveTopic) {
        if new.notice == Notice::User {
            return self.push_user(new, topic);
        }
        let earlier = self.notices.iter().enumerate().find_map(|(index, queued)| {
            Some((index, queued.notice.merge(new.notice)?, queued.received))
        });
        if let Some((index, merged, received)) = earlier {
            self.notices.remove(index);
            (new.notice, new.received) = (merged, received);
        }
        if self.notices.len() >= MAX_NOTICES {
            self.overflowed = true;
            self.notices.clear();
            return;
        }
        self.notices.push_back(new);
    }

    /// Adds a notice of the viewer's user, unless one is waiting. The rights are then checked before
    /// any later change is reported.
    fn push_user(&mut self, new: QueuedNotice, topic: LiveTopic) {
        match self.notices.iter_mut().find(|queued| queued.notice == Notice::User) {
            // The notice is an event of this topic, so it has the position of the newest one.
            Some(queued) if topic == LiveTopic::Me => queued.position = new.position,
            Some(_) => {}
            None => self.notices.push_back(new),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::ObjectId;

    fn tenant(n: u8) -> TenantId {
        TenantId::new(ObjectId([n; 12]))
    }

    fn queued(position: u8, notice: Notice) -> QueuedNotice {
        let position = FeedPosition([position].into());
        QueuedNotice { notice, position, received: Instant::now() }
    }

    async fn drain(mailbox: &Mailbox, count: usize) -> Vec<(u8, Notice)> {
        let mut notices = Vec::new();
        for _ in 0..count {
            let next = mailbox.next().await.expect("a notice");
            notices.push((next.position.0[0], next.notice));
        }
        assert!(mailbox.lock().notices.is_empty());
        notices
    }

    #[tokio::test]
    async fn changes_of_one_tenant_are_merged_into_the_newest() {
        use ChangeKind::{Created, Deleted, Updated};
        let mailbox = Mailbox::new(LiveTopic::Tenants);
        let changes = [(1, 1, Created), (2, 2, Updated), (3, 1, Updated), (4, 3, Updated)];
        for (position, id, kind) in changes.into_iter().chain([(5, 3, Deleted)]) {
            mailbox.push(queued(position, Notice::Tenant(tenant(id), kind)));
        }
        let expected = [(2, 2, Updated), (3, 1, Created), (5, 3, Deleted)];
        let expected =
            expected.map(|(position, id, kind)| (position, Notice::Tenant(tenant(id), kind)));
        assert_eq!(drain(&mailbox, 3).await, expected);
    }

    #[tokio::test]
    async fn waiting_check_of_the_rights_stays_before_later_changes() {
        let mailbox = Mailbox::new(LiveTopic::Tenants);
        mailbox.push(queued(1, Notice::User));
        mailbox.push(queued(2, Notice::Tenant(tenant(1), ChangeKind::Deleted)));
        mailbox.push(queued(3, Notice::User));
        let deleted = Notice::Tenant(tenant(1), ChangeKind::Deleted);
        assert_eq!(drain(&mailbox, 2).await, [(1, Notice::User), (2, deleted)]);
    }

    #[tokio::test]
    async fn notice_of_an_earlier_event_gets_its_place() {
        let mailbox = Mailbox::new(LiveTopic::Tenants);
        let updated = |n| Notice::Tenant(tenant(n), ChangeKind::Updated);
        for position in [2, 5] {
            mailbox.push(queued(position, updated(position)));
        }
        mailbox.insert([queued(4, updated(4)), queued(1, Notice::User)]);
        let expected = [(1, Notice::User), (2, updated(2)), (4, updated(4)), (5, updated(5))];
        assert_eq!(drain(&mailbox, 4).await, expected);
    }

    #[tokio::test]
    async fn own_changes_are_merged_into_the_newest() {
        let mailbox = Mailbox::new(LiveTopic::Me);
        mailbox.push(queued(1, Notice::User));
        mailbox.push(queued(3, Notice::User));
        assert_eq!(drain(&mailbox, 1).await, [(3, Notice::User)]);
    }

    #[tokio::test]
    async fn too_many_waiting_notices_end_the_listener() {
        let mailbox = Mailbox::new(LiveTopic::Tenants);
        for n in 0..=MAX_NOTICES as u32 {
            let mut id = [0; 12];
            id[..4].copy_from_slice(&n.to_be_bytes());
            let tenant = TenantId::new(ObjectId(id));
            mailbox.push(queued(1, Notice::Tenant(tenant, ChangeKind::Updated)));
        }
        assert!(mailbox.next().await.is_none());
    }
}
