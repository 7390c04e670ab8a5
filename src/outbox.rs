//! Delivers the messages of the outbox.
//!
//! A worker leases each message that is due, gives it to the handler of its topic, and records the
//! result in one commit with the changes that the handler wants. Several instances share the work,
//! because a lease is atomic. If an instance ends between delivery and commit, the lease ends, and the
//! message is delivered again under its identifier.
//!
//! A commit of this process wakes the worker. A commit of another one is found by the next poll, if
//! that other process has not delivered the message already.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    clock::Clock,
    domain::{
        change::Change,
        outbox::{LeaseResult, OutboxLease, OutboxMessage},
        time::Timestamp,
    },
    metrics::Metrics,
    store::{CommitError, Store, StoreError},
};

/// The maximum number of messages that one process delivers at the same time.
const MAX_CONCURRENT_DELIVERIES: usize = 4;
/// The maximum time between two polls.
const POLL_INTERVAL: Duration = Duration::from_secs(5);
/// The time limit of one delivery. The lease is longer, so it also covers the commit.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(22);

/// The result of an attempt to deliver a message. The texts are logged, so they have no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The message was delivered.
    Delivered,
    /// The message is outdated, and must not be delivered.
    Obsolete,
    /// The message was rejected for good.
    Rejected(String),
    /// The attempt failed, and another one may succeed.
    Failed(String),
}

/// The final result of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboxResult {
    /// The message was delivered.
    Delivered,
    /// The message was outdated.
    Obsolete,
    /// The message was not delivered, and never will be.
    Failed,
}

/// Delivers the messages of the outbox.
#[async_trait]
pub trait OutboxHandler: Send + Sync {
    /// Makes one attempt. It may be repeated, also after a success that was not recorded.
    async fn deliver(&self, message: &OutboxMessage) -> Delivery;

    /// Returns the changes to commit together with the removal of the message.
    fn changes(&self, message: &OutboxMessage, result: OutboxResult) -> Vec<Change>;
}

/// Delivers the messages of one store. Clones share all parts.
#[derive(Clone)]
pub struct OutboxWorker {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    handler: Arc<dyn OutboxHandler>,
    metrics: Metrics,
}

impl OutboxWorker {
    /// Creates a worker. It does nothing until [`Self::run`] or [`Self::deliver_due`].
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        handler: Arc<dyn OutboxHandler>,
        metrics: Metrics,
    ) -> Self {
        Self { store, clock, handler, metrics }
    }

    /// Delivers messages until `stop` ends, and then waits for the deliveries in progress.
    ///
    /// `wake` is notified after each commit that has inserted a message.
    pub async fn run(&self, wake: &Notify, stop: impl Future<Output = ()>) {
        let mut deliveries = JoinSet::new();
        tokio::pin!(stop);
        loop {
            let pause = self.start_deliveries(&mut deliveries).await;
            tokio::select! {
                biased;
                () = &mut stop => break,
                Some(_) = deliveries.join_next() => {}
                () = wake.notified() => {}
                () = sleep(pause) => {}
            }
        }
        while deliveries.join_next().await.is_some() {}
    }

    /// Starts as many deliveries as are due and allowed, and returns the time until the next poll.
    async fn start_deliveries(&self, deliveries: &mut JoinSet<()>) -> Duration {
        while deliveries.len() < MAX_CONCURRENT_DELIVERIES {
            match self.lease().await {
                Ok(LeaseResult::Leased(message)) => {
                    let worker = self.clone();
                    deliveries.spawn(async move { worker.handle(&message).await });
                }
                Ok(LeaseResult::Idle(next)) => return self.pause_until(next),
                Err(error) => {
                    tracing::warn!(%error, "the outbox could not be read; retrying");
                    return POLL_INTERVAL;
                }
            }
        }
        POLL_INTERVAL
    }

    fn pause_until(&self, next: Option<Timestamp>) -> Duration {
        let until = |next: Timestamp| next.saturating_duration_since(self.clock.now());
        // Timers have a granularity of a millisecond, so the pause does not end too early.
        let pause = next.map_or(POLL_INTERVAL, |next| until(next) + Duration::from_millis(1));
        pause.min(POLL_INTERVAL)
    }

    /// Delivers the messages that are due, one after the other, and returns their number.
    ///
    /// # Errors
    ///
    /// Returns the error of the store if the outbox cannot be read.
    pub async fn deliver_due(&self) -> Result<usize, StoreError> {
        let mut count = 0;
        while let LeaseResult::Leased(message) = self.lease().await? {
            self.handle(&message).await;
            count += 1;
        }
        Ok(count)
    }

    async fn lease(&self) -> Result<LeaseResult, StoreError> {
        let lease = OutboxLease { id: self.clock.object_id(), now: self.clock.now() };
        self.store.lease_outbox_message(&lease).await
    }

    /// Delivers a leased message and records the result.
    async fn handle(&self, message: &OutboxMessage) {
        let delivery = timeout(DELIVERY_TIMEOUT, self.handler.deliver(message)).await;
        let delivery =
            delivery.unwrap_or_else(|_| Delivery::Failed("no result in time".to_owned()));
        let now = self.clock.now();
        let (outcome, reason, next) = match delivery {
            Delivery::Delivered => ("delivered", String::new(), Err(OutboxResult::Delivered)),
            Delivery::Obsolete => ("obsolete", String::new(), Err(OutboxResult::Obsolete)),
            Delivery::Rejected(reason) => ("failed", reason, Err(OutboxResult::Failed)),
            Delivery::Failed(reason) => match message.next_attempt(now) {
                Some(at) => ("postponed", reason, Ok(at)),
                None => ("failed", reason, Err(OutboxResult::Failed)),
            },
        };
        self.metrics.record_outbox_delivery(message.topic.as_str(), outcome);
        let at = next.ok();
        match self.store.commit(&self.result_changes(message, next)).await {
            Ok(()) => self.log(message, outcome, &reason, at),
            Err(CommitError::Stale) => {
                tracing::warn!(id = %message.id, "another worker has taken over a message of the outbox");
            }
            Err(error) => {
                tracing::warn!(id = %message.id, outcome, %error, "the result of a delivery was not recorded; it is repeated");
            }
        }
    }

    fn result_changes(
        &self,
        message: &OutboxMessage,
        next: Result<Timestamp, OutboxResult>,
    ) -> Vec<Change> {
        let Some(lease) = message.lease else { return Vec::new() };
        let id = message.id;
        match next {
            Ok(due_at) => vec![Change::PostponeOutboxMessage { id, lease, due_at }],
            Err(result) => {
                let mut changes = vec![Change::RemoveOutboxMessage { id, lease }];
                changes.extend(self.handler.changes(message, result));
                changes
            }
        }
    }

    /// Emits the one log line of an attempt.
    fn log(
        &self,
        message: &OutboxMessage,
        outcome: &'static str,
        reason: &str,
        next: Option<Timestamp>,
    ) {
        let OutboxMessage { id, topic, subject, attempts, .. } = message;
        let (topic, next) = (topic.as_str(), next.map(|at| at.to_string()));
        if reason.is_empty() {
            tracing::info!(%id, topic, %subject, attempts, outcome, "outbox message handled");
        } else {
            tracing::warn!(%id, topic, %subject, attempts, outcome, reason, next, "outbox message not delivered");
        }
    }
}
