//! Runs the worker of the outbox beside the listeners.

use std::{sync::Arc, time::Duration};

use tokio::task::JoinHandle;

use super::invitation_mail::Postman;
use crate::{
    access::Access,
    clock::Clock,
    http::{ShutdownPhase, ShutdownWatch, wait_for_phase},
    mail::MailTransport,
    metrics::Metrics,
    outbox::OutboxWorker,
    store::Store,
};

/// The time that deliveries in progress have to finish after the listeners have stopped. A message
/// that is cut off is delivered again under its identifier.
const FINISH_TIMEOUT: Duration = Duration::from_secs(5);

/// The running worker of the outbox.
pub(super) struct OutboxTask(JoinHandle<()>);

/// Starts the worker. It begins when the store is prepared, and stops taking messages when the
/// gateway closes.
pub(super) fn start(
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    access: Arc<Access>,
    transport: Arc<dyn MailTransport>,
    metrics: Metrics,
    mut shutdown: ShutdownWatch,
) -> OutboxTask {
    let wake = access.outbox_wake();
    let postman = Postman { store: store.clone(), clock: clock.clone(), access, transport };
    let worker = OutboxWorker::new(store, clock, Arc::new(postman), metrics);
    OutboxTask(tokio::spawn(async move {
        let stop = wait_for_phase(&mut shutdown, ShutdownPhase::Closing);
        tokio::pin!(stop);
        // The first notification is the one of `Access::mark_ready`.
        tokio::select! {
            () = &mut stop => {}
            () = wake.notified() => worker.run(&wake, stop).await,
        }
    }))
}

impl OutboxTask {
    /// Waits for the deliveries in progress.
    pub(super) async fn finish(self) {
        if tokio::time::timeout(FINISH_TIMEOUT, self.0).await.is_err() {
            tracing::warn!("deliveries of the outbox are cut off; they are repeated later");
        }
    }
}
