//! The outbox: messages are leased in the order in which they are due, by one worker at a time.

use std::sync::Arc;

use tenantry::{
    domain::{
        change::Change,
        id::ObjectId,
        outbox::{LeaseResult, OUTBOX_LEASE_TTL, OutboxLease, OutboxMessage, OutboxTopic},
        time::Timestamp,
    },
    store::Store,
};

use super::{assert_commit_fails, for_each_store, is_stale, must_commit};
use crate::support::entities::{oid, time};

for_each_store!(
    message_is_leased_in_the_order_of_its_time,
    lease_ends_and_is_taken_over,
    result_names_the_latest_lease,
    message_is_leased_by_one_of_many_workers,
    message_is_inserted_with_its_commit_or_not_at_all,
);

fn message(n: u32, due_at: Timestamp) -> OutboxMessage {
    let subject = (oid(n + 100), i32::try_from(n).expect("in range"));
    OutboxMessage::new(oid(n), OutboxTopic::InvitationMail, subject, due_at)
}

async fn insert(store: &dyn Store, messages: impl IntoIterator<Item = OutboxMessage>) {
    must_commit(store, messages.into_iter().map(Change::InsertOutboxMessage)).await;
}

async fn lease(store: &dyn Store, id: u32, now: Timestamp) -> LeaseResult {
    let lease = OutboxLease { id: oid(id), now };
    store.lease_outbox_message(&lease).await.expect("a lease")
}

fn leased(result: LeaseResult) -> OutboxMessage {
    match result {
        LeaseResult::Leased(message) => message,
        LeaseResult::Idle(next) => panic!("no message is due before {next:?}"),
    }
}

async fn message_is_leased_in_the_order_of_its_time(store: Arc<dyn Store>) {
    assert_eq!(lease(&*store, 500, time(9)).await, LeaseResult::Idle(None));
    insert(&*store, [message(1, time(30)), message(2, time(10)), message(3, time(20))]).await;
    assert_eq!(lease(&*store, 500, time(9)).await, LeaseResult::Idle(Some(time(10))));
    for (n, id) in [(2, 501), (3, 502)] {
        let before = message(n, time(10 * i64::from(n - 1)));
        let expected = OutboxMessage {
            due_at: time(20).saturating_add(OUTBOX_LEASE_TTL),
            attempts: 1,
            lease: Some(oid(id)),
            ..before
        };
        assert_eq!(leased(lease(&*store, id, time(20)).await), expected);
    }
    assert_eq!(lease(&*store, 503, time(20)).await, LeaseResult::Idle(Some(time(30))));
}

async fn lease_ends_and_is_taken_over(store: Arc<dyn Store>) {
    insert(&*store, [message(1, time(1))]).await;
    for attempt in 1..4 {
        let now = time(30 * i64::from(attempt));
        let message = leased(lease(&*store, 500 + attempt, now).await);
        assert_eq!((message.attempts, message.lease), (attempt, Some(oid(500 + attempt))));
        let before_end = Timestamp::from_millis(message.due_at.millis() - 1).expect("in range");
        let idle = LeaseResult::Idle(Some(message.due_at));
        assert_eq!(lease(&*store, 600, before_end).await, idle);
        assert_eq!(message.due_at, time(30 * i64::from(attempt + 1)));
    }
}

async fn result_names_the_latest_lease(store: Arc<dyn Store>) {
    insert(&*store, [message(1, time(1)), message(2, time(2))]).await;
    let (id, first, second) = (oid(1), oid(501), oid(502));
    leased(lease(&*store, 501, time(1)).await);
    let taken_over = leased(lease(&*store, 502, time(31)).await);
    assert_eq!(taken_over.id, oid(2), "the other message is due earlier");
    leased(lease(&*store, 502, time(31)).await);
    let postpone = |lease| Change::PostponeOutboxMessage { id, lease, due_at: time(90) };
    let remove = |id, lease| Change::RemoveOutboxMessage { id, lease };
    for stale in [postpone(first), remove(id, first), remove(oid(9), second)] {
        assert_commit_fails(&*store, &[stale], is_stale).await;
    }
    must_commit(&*store, [postpone(second)]).await;
    assert_eq!(lease(&*store, 503, time(60)).await, LeaseResult::Idle(Some(time(61))));
    must_commit(&*store, [remove(id, second), remove(oid(2), second)]).await;
    assert_eq!(lease(&*store, 504, Timestamp::MAX).await, LeaseResult::Idle(None));
}

async fn message_is_leased_by_one_of_many_workers(store: Arc<dyn Store>) {
    insert(&*store, (0..8).map(|n| message(n, time(1)))).await;
    let running: Vec<_> = (0..32)
        .map(|worker| {
            let store = store.clone();
            tokio::spawn(async move { lease(&*store, 1_000 + worker, time(2)).await })
        })
        .collect();
    let mut found: Vec<ObjectId> = Vec::new();
    for lease in running {
        if let LeaseResult::Leased(message) = lease.await.expect("a result") {
            assert_eq!(message.attempts, 1);
            found.push(message.id);
        }
    }
    found.sort_unstable();
    assert_eq!(found, (0..8).map(oid).collect::<Vec<_>>());
}

async fn message_is_inserted_with_its_commit_or_not_at_all(store: Arc<dyn Store>) {
    let insert = Change::InsertOutboxMessage(message(1, time(1)));
    let stale = Change::RemoveOutboxMessage { id: oid(9), lease: oid(9) };
    assert_commit_fails(&*store, &[insert, stale], is_stale).await;
    assert_eq!(lease(&*store, 500, time(9)).await, LeaseResult::Idle(None));
}
