//! The two listeners, the signals that stop them, and the phases of a shutdown.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

use super::{error::AppError, open_files::ConnectionBounds};
use crate::{
    config::{ServerConfig, TrafficConfig},
    http::{self, AppState, ConnectionLimit, ShutdownPhase, TrustedProxies},
};

/// The maximum number of connections to the admin listener.
const MAX_ADMIN_CONNECTIONS: usize = 64;
/// The time that running commits have to finish after the last connection has ended.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(5);

/// The public listener and the admin listener, with the signals that stop them.
pub(super) struct Listeners {
    public: BoundListener,
    admin: BoundListener,
    bounds: ConnectionBounds,
    signals: Signals,
}

struct BoundListener {
    listener: TcpListener,
    address: SocketAddr,
}

/// The durations of a shutdown.
#[derive(Clone, Copy)]
pub(super) struct ShutdownConfig {
    /// The time during which the gateway still serves requests but reports that it is not ready.
    delay: Duration,
    /// The time that requests in flight have to finish after the delay.
    timeout: Duration,
}

/// The signals SIGINT and SIGTERM.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Listeners {
    /// Binds both addresses.
    pub(super) async fn bind(server: &ServerConfig, signals: Signals) -> Result<Self, AppError> {
        Ok(Self {
            public: BoundListener::bind("TENANTRY_BIND", server.bind).await?,
            admin: BoundListener::bind("TENANTRY_ADMIN_BIND", server.admin_bind).await?,
            bounds: ConnectionBounds::from_traffic(&server.traffic),
            signals,
        })
    }

    pub(super) const fn public_address(&self) -> SocketAddr {
        self.public.address
    }

    pub(super) const fn admin_address(&self) -> SocketAddr {
        self.admin.address
    }

    /// Serves until a signal arrives, and then until all connections and commits have ended or time
    /// is up.
    ///
    /// The admin listener closes last, because its readiness probe reports the shutdown.
    pub(super) async fn serve(
        self,
        state: Arc<AppState>,
        phases: watch::Sender<ShutdownPhase>,
        config: ShutdownConfig,
    ) {
        let Self { public, admin, bounds, mut signals } = self;
        let (admin_phases, admin_shutdown) = watch::channel(ShutdownPhase::Running);
        let limit = ConnectionLimit::new(
            bounds.max,
            bounds.max_per_address,
            state.traffic_limits.trusted_proxies.clone(),
            Some(state.metrics.clone()),
        );
        let admin_limit = ConnectionLimit::new(
            MAX_ADMIN_CONNECTIONS,
            MAX_ADMIN_CONNECTIONS,
            TrustedProxies::default(),
            None,
        );
        let access = state.access.clone();
        let public = http::serve(
            public.listener,
            http::public_router(state.clone()),
            phases.subscribe(),
            limit,
        );
        let public = async {
            let aborted = public.await;
            admin_phases.send_replace(ShutdownPhase::Closing);
            aborted
        };
        let admin =
            http::serve(admin.listener, http::admin_router(state), admin_shutdown, admin_limit);
        let served = async { tokio::join!(public, admin).0 };
        let aborted = tokio::select! {
            aborted = served => aborted,
            never = shut_down(&mut signals, &phases, &admin_phases, config) => never,
        };
        tokio::select! {
            biased;
            () = access.finish_commits() => {}
            () = signals.wait_up_to(COMMIT_TIMEOUT) => {
                tracing::warn!("commits that still run are cut off; other instances end their transactions");
            }
        }
        match aborted {
            0 => tracing::info!("stopped"),
            connections => tracing::warn!(connections, "stopped; open connections were dropped"),
        }
    }
}

/// Waits for a signal and moves through the phases of the shutdown.
///
/// This never returns. The listeners stop without it in the last phase, at the latest.
async fn shut_down<T>(
    signals: &mut Signals,
    phases: &watch::Sender<ShutdownPhase>,
    admin_phases: &watch::Sender<ShutdownPhase>,
    config: ShutdownConfig,
) -> T {
    signals.recv().await;
    tracing::info!(delay = ?config.delay, timeout = ?config.timeout, "stopping");
    phases.send_replace(ShutdownPhase::Draining);
    signals.wait_up_to(config.delay).await;
    phases.send_replace(ShutdownPhase::Closing);
    signals.wait_up_to(config.timeout).await;
    phases.send_replace(ShutdownPhase::Aborting);
    admin_phases.send_replace(ShutdownPhase::Aborting);
    std::future::pending().await
}

impl BoundListener {
    async fn bind(variable: &str, address: SocketAddr) -> Result<Self, AppError> {
        let failed = |error: io::Error| {
            AppError::failed(format!("{variable}: cannot listen on {address}: {error}"))
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        // Port 0 is replaced with the port that the system has chosen.
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }
}

impl ShutdownConfig {
    pub(super) const fn from_traffic(traffic: &TrafficConfig) -> Self {
        Self { delay: traffic.shutdown_delay, timeout: traffic.shutdown_timeout }
    }
}

impl Signals {
    /// Registers handlers for both signals.
    ///
    /// A command registers them before it is reachable. A signal without a handler would end the
    /// process at once.
    pub(super) fn listen() -> Result<Self, AppError> {
        let listen = |kind| signal(kind).map_err(AppError::failed);
        let (interrupt, terminate) = (SignalKind::interrupt(), SignalKind::terminate());
        Ok(Self { interrupt: listen(interrupt)?, terminate: listen(terminate)? })
    }

    /// Waits for the next signal.
    pub(super) async fn recv(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Waits for the given time, or until the next signal, which skips the rest of it.
    async fn wait_up_to(&mut self, duration: Duration) {
        let _ = tokio::time::timeout(duration, self.recv()).await;
    }
}
