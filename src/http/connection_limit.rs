//! Limits the number of open connections, in all and per client address.
//!
//! A new connection beyond a limit takes the place of the connection that has been idle longest. It is
//! refused if none is idle. A connection is idle while no request is in progress, also if it has not
//! sent its first request yet. A request begins with its complete head, and ends when its response has
//! been written. An event stream is one long request, and a WebSocket is never idle. `live_limit` limits
//! how many of them one caller may hold.
//!
//! **Invariant:** there are never more open connections than the limit. A new connection waits until
//! the one that it replaces has been closed.

use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use tokio::sync::Notify;

use super::proxies::{TrustedProxies, client_network};
use crate::metrics::Metrics;

/// The ticket of a connection that is not idle.
const BUSY: u64 = 0;

/// Limits the number of open connections of one listener. Clones share the connections.
#[derive(Clone)]
pub struct ConnectionLimit(Arc<LimitState>);

struct LimitState {
    max: usize,
    max_per_address: usize,
    /// Proxies carry the requests of many clients, so the limit per address does not apply to them.
    trusted_proxies: TrustedProxies,
    /// The metrics of the public listener.
    metrics: Option<Metrics>,
    registry: Mutex<Registry>,
    /// Wakes the accept loop when a connection has ended.
    ended: Notify,
}

/// The open connections.
#[derive(Default)]
struct Registry {
    last_ticket: u64,
    idle: HashMap<u64, IdleConnection>,
    all: Usage,
    by_address: HashMap<IpAddr, Usage>,
}

struct IdleConnection {
    address: Option<IpAddr>,
    close: Arc<Notify>,
}

/// The connections of one address, or of all.
#[derive(Default)]
struct Usage {
    open: usize,
    /// The number of open connections that are being closed to make room.
    closing: usize,
    /// The tickets of the idle connections. The first one has been idle longest.
    idle: BTreeSet<u64>,
}

/// The result of an attempt to add a connection.
#[derive(Debug, PartialEq, Eq)]
enum Admission {
    Admitted,
    /// An idle connection is being closed. Its place is free as soon as it has ended.
    Pending,
    /// This limit is reached, and no connection is idle.
    Refused(Scope),
}

/// The connections that a limit applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    All,
    Address,
}

impl Scope {
    /// Returns the value of the metric label `scope`.
    const fn as_label(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Address => "address",
        }
    }
}

impl ConnectionLimit {
    /// Creates a limit on all connections and on those of a client address.
    ///
    /// An IPv6 /64 network counts as one address. The limit per address does not apply to trusted
    /// proxies. `metrics`, if present, counts the open, closed and refused connections.
    #[must_use]
    pub fn new(
        max: usize,
        max_per_address: usize,
        trusted_proxies: TrustedProxies,
        metrics: Option<Metrics>,
    ) -> Self {
        let registry = Mutex::default();
        let ended = Notify::new();
        let state = LimitState { max, max_per_address, trusted_proxies, metrics, registry, ended };
        Self(Arc::new(state))
    }

    /// Adds a connection, and first closes the one that has been idle longest if a limit is reached.
    ///
    /// Returns `None` if no connection is idle. Only one task may call this function.
    pub(super) async fn admit(&self, peer: IpAddr) -> Option<Arc<ConnectionPermit>> {
        let state = &*self.0;
        let is_proxy = state.trusted_proxies.is_trusted(peer.to_canonical());
        let address = (!is_proxy).then(|| client_network(peer));
        loop {
            match state.try_admit(address) {
                Admission::Admitted => break,
                Admission::Pending => state.ended.notified().await,
                Admission::Refused(scope) => {
                    state.record(|metrics| metrics.record_connection_refused(scope.as_label()));
                    return None;
                }
            }
        }
        state.record(Metrics::connection_opened);
        let permit = ConnectionPermit {
            limit: self.clone(),
            address,
            close: Arc::default(),
            ticket: AtomicU64::new(BUSY),
            is_processing: AtomicBool::new(false),
            is_streaming: AtomicBool::new(false),
            is_upgraded: AtomicBool::new(false),
        };
        permit.set_idle();
        Some(Arc::new(permit))
    }

    /// Waits until no connection is open. Only the task that calls [`Self::admit`] may call this.
    pub(super) async fn wait_until_empty(&self) {
        while self.0.registry().all.open > 0 {
            self.0.ended.notified().await;
        }
    }

    /// Closes the connection that has been idle longest, to free its file descriptor.
    pub(super) fn close_longest_idle(&self) {
        let mut registry = self.0.registry();
        if let Some(&ticket) = registry.all.idle.first() {
            registry.close(ticket);
            self.0.record(|metrics| metrics.record_idle_connection_closed(Scope::All.as_label()));
        }
    }
}

impl LimitState {
    fn registry(&self) -> MutexGuard<'_, Registry> {
        // No code panics while it holds the lock. Even after a panic the registry would be usable.
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, update: impl FnOnce(&Metrics)) {
        if let Some(metrics) = &self.metrics {
            update(metrics);
        }
    }

    fn try_admit(&self, address: Option<IpAddr>) -> Admission {
        let mut registry = self.registry();
        let of_address = address.and_then(|address| registry.by_address.get(&address));
        let (scope, usage) = match of_address {
            Some(usage) if usage.open >= self.max_per_address => (Scope::Address, usage),
            _ if registry.all.open >= self.max => (Scope::All, &registry.all),
            _ => {
                registry.update_usage(address, |usage| usage.open += 1);
                return Admission::Admitted;
            }
        };
        if usage.closing > 0 {
            return Admission::Pending;
        }
        let Some(&ticket) = usage.idle.first() else { return Admission::Refused(scope) };
        registry.close(ticket);
        self.record(|metrics| metrics.record_idle_connection_closed(scope.as_label()));
        Admission::Pending
    }
}

impl Registry {
    fn update_usage(&mut self, address: Option<IpAddr>, update: impl Fn(&mut Usage)) {
        update(&mut self.all);
        if let Some(address) = address {
            let usage = self.by_address.entry(address).or_default();
            update(usage);
            if usage.open == 0 {
                self.by_address.remove(&address);
            }
        }
    }

    /// Adds an idle connection and returns its ticket.
    fn add_idle(&mut self, connection: IdleConnection) -> u64 {
        self.last_ticket += 1;
        let ticket = self.last_ticket;
        self.update_usage(connection.address, |usage| {
            usage.idle.insert(ticket);
        });
        self.idle.insert(ticket, connection);
        ticket
    }

    /// Removes an idle connection. Returns `None` if it is being closed.
    fn remove_idle(&mut self, ticket: u64) -> Option<IdleConnection> {
        let connection = self.idle.remove(&ticket)?;
        self.update_usage(connection.address, |usage| {
            usage.idle.remove(&ticket);
        });
        Some(connection)
    }

    /// Tells an idle connection to close.
    fn close(&mut self, ticket: u64) {
        if let Some(connection) = self.remove_idle(ticket) {
            self.update_usage(connection.address, |usage| usage.closing += 1);
            connection.close.notify_one();
        }
    }
}

/// The place of one open connection. Dropping it makes the place available again.
pub(super) struct ConnectionPermit {
    limit: ConnectionLimit,
    address: Option<IpAddr>,
    close: Arc<Notify>,
    /// The ticket of the connection while it is idle, otherwise [`BUSY`].
    ticket: AtomicU64,
    /// True while a request is being processed, up to the last byte of its response body.
    is_processing: AtomicBool,
    /// True while the response in progress is an event stream.
    is_streaming: AtomicBool,
    /// True once the connection has become a WebSocket.
    is_upgraded: AtomicBool,
}

impl ConnectionPermit {
    /// Starts a request. Returns `None` if the connection is being closed.
    pub(super) fn start_request(self: &Arc<Self>) -> Option<RequestGuard> {
        let ticket = self.ticket.swap(BUSY, Ordering::Relaxed);
        if ticket != BUSY && self.limit.0.registry().remove_idle(ticket).is_none() {
            // The drop of this permit ends the closing.
            self.ticket.store(ticket, Ordering::Relaxed);
            return None;
        }
        self.is_processing.store(true, Ordering::Relaxed);
        Some(RequestGuard(self.clone()))
    }

    /// Returns whether a request is in progress.
    pub(super) fn is_busy(&self) -> bool {
        self.ticket.load(Ordering::Relaxed) == BUSY
    }

    /// Marks the response in progress as an event stream, which its client ends by disconnecting.
    pub(super) fn set_streaming(&self) {
        self.is_streaming.store(true, Ordering::Relaxed);
    }

    /// Marks the connection as a WebSocket. It then stays busy until it ends.
    pub(super) fn set_upgraded(&self) {
        self.is_upgraded.store(true, Ordering::Relaxed);
    }

    /// Returns whether the connection has become a WebSocket.
    pub(super) fn is_upgraded(&self) -> bool {
        self.is_upgraded.load(Ordering::Relaxed)
    }

    /// Returns whether a client that closes its side still waits for a response.
    pub(super) fn can_be_half_closed(&self) -> bool {
        self.is_busy() && !self.is_streaming.load(Ordering::Relaxed) && !self.is_upgraded()
    }

    /// Ends the request if its response is complete, because all of it has been written.
    pub(super) fn end_written_request(&self) {
        let is_processing = self.is_processing.load(Ordering::Relaxed);
        if self.is_busy() && !is_processing && !self.is_upgraded() {
            self.is_streaming.store(false, Ordering::Relaxed);
            self.set_idle();
        }
    }

    /// Waits until this connection has to make room for another one.
    pub(super) async fn closed(&self) {
        self.close.notified().await;
    }

    fn set_idle(&self) {
        let connection = IdleConnection { address: self.address, close: self.close.clone() };
        let ticket = self.limit.0.registry().add_idle(connection);
        self.ticket.store(ticket, Ordering::Relaxed);
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let state = &*self.limit.0;
        let ticket = self.ticket.load(Ordering::Relaxed);
        let mut registry = state.registry();
        let is_closing = ticket != BUSY && registry.remove_idle(ticket).is_none();
        registry.update_usage(self.address, |usage| {
            usage.open -= 1;
            usage.closing -= usize::from(is_closing);
        });
        drop(registry);
        state.record(Metrics::connection_closed);
        state.ended.notify_one();
    }
}

/// Marks a request as in progress, until its response body is complete or dropped.
pub(super) struct RequestGuard(Arc<ConnectionPermit>);

impl Drop for RequestGuard {
    fn drop(&mut self) {
        self.0.is_processing.store(false, Ordering::Relaxed);
    }
}
