//! The WebSockets and event streams that are open, and the events that end them.
//!
//! Such a connection has no time limit of its own. It ends when its client disconnects, when the token
//! of its caller expires, or when the gateway shuts down.

use std::{sync::Arc, time::Duration};

use super::{
    caller_counts::{CallerCounts, CallerShare},
    rate_limit::RateLimitKey,
    serve::{ShutdownPhase, ShutdownWatch, wait_for_phase},
};
use crate::{
    clock::Clock,
    domain::{sync::LEEWAY, time::Timestamp},
    metrics::Metrics,
};

/// Limits the number of live connections of each caller.
pub struct LiveConnections {
    callers: Arc<CallerCounts>,
    /// The time over which the shutdown spreads the end of all live connections.
    shutdown_delay: Duration,
    metrics: Metrics,
}

/// The transport of a live connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LiveTransport {
    /// The protocol `graphql-transport-ws`.
    WebSocket,
    /// Server-sent events, by the protocol `graphql-sse`.
    EventStream,
}

impl LiveTransport {
    /// Returns the value of the metric label `transport`.
    pub(super) const fn as_label(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::EventStream => "sse",
        }
    }
}

impl LiveConnections {
    /// Lets each caller have at most `max_per_caller` live connections.
    #[must_use]
    pub fn new(max_per_caller: usize, shutdown_delay: Duration, metrics: Metrics) -> Self {
        Self { callers: Arc::new(CallerCounts::new(max_per_caller)), shutdown_delay, metrics }
    }

    /// Adds a connection of a caller. Returns `None` if the caller has its maximum.
    pub(super) fn try_open(
        &self,
        caller: RateLimitKey<'_>,
        transport: LiveTransport,
    ) -> Option<LiveConnection> {
        let Some(share) = self.callers.try_acquire(caller) else {
            self.metrics.record_live_connection_refused(transport.as_label());
            return None;
        };
        self.metrics.live_connection_opened(transport.as_label());
        Some(LiveConnection { _share: share, transport, metrics: self.metrics.clone() })
    }

    /// Waits until a connection has to end because of the shutdown.
    ///
    /// Each connection ends at a random time of the shutdown delay. The clients then reconnect to
    /// other instances one after another.
    pub(super) async fn wait_for_shutdown(&self, mut shutdown: ShutdownWatch) {
        wait_for_phase(&mut shutdown, ShutdownPhase::Draining).await;
        let delay = self.shutdown_delay.mul_f64(random_fraction());
        let closing = wait_for_phase(&mut shutdown, ShutdownPhase::Closing);
        let _ = tokio::time::timeout(delay, closing).await;
    }
}

/// One live connection. Dropping it makes room for another one of the caller.
pub(super) struct LiveConnection {
    _share: CallerShare,
    transport: LiveTransport,
    metrics: Metrics,
}

impl LiveConnection {
    /// Returns the transport of the connection.
    pub(super) const fn transport(&self) -> LiveTransport {
        self.transport
    }
}

impl Drop for LiveConnection {
    fn drop(&mut self) {
        self.metrics.live_connection_closed(self.transport.as_label());
    }
}

/// Waits until a token expires. An anonymous connection has none, and the wait never ends.
///
/// A token may be accepted up to the leeway after `expires_at`. It then expires with the leeway.
pub(super) fn wait_for_expiry(
    clock: Arc<dyn Clock>,
    expires_at: Option<Timestamp>,
) -> impl Future<Output = ()> {
    let is_late = expires_at.is_some_and(|expires_at| clock.now() >= expires_at);
    let leeway = if is_late { LEEWAY } else { Duration::ZERO };
    async move {
        let Some(expires_at) = expires_at else { return std::future::pending().await };
        loop {
            let remaining =
                expires_at.saturating_add(leeway).saturating_duration_since(clock.now());
            if remaining.is_zero() {
                return;
            }
            // The clock of the system may be set while this waits, so the time is read again.
            tokio::time::sleep(remaining).await;
        }
    }
}

/// Returns a random number from 0 to 1.
fn random_fraction() -> f64 {
    let mut bytes = [0; 2];
    // Without random bytes all connections end at once, which the shutdown allows.
    let _ = getrandom::fill(&mut bytes);
    f64::from(u16::from_ne_bytes(bytes)) / f64::from(u16::MAX)
}
