//! Serves the connections of a listener until the shutdown is complete.
//!
//! A client cannot keep a connection open without sending requests: a request's head must arrive
//! within [`HEAD_TIMEOUT`]. The shutdown has the phases of [`ShutdownPhase`].

use std::{
    io,
    net::IpAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Request, header},
};
use futures_util::FutureExt;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tower::Service;

use crate::metrics::Metrics;

/// The maximum time for a client to send the head of a request.
///
/// It also limits the time that a connection stays idle between requests.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// The time for which idle connections stay open during shutdown, because a client may just be
/// sending a request.
const CLOSE_GRACE_PERIOD: Duration = Duration::from_secs(1);
/// The delay after the system failed to accept a connection, e.g. for lack of file descriptors.
const ACCEPT_BACKOFF: Duration = Duration::from_secs(1);

/// The address of the peer of a request's connection: a client or a proxy.
#[derive(Clone, Copy, Debug)]
pub struct PeerAddr(pub IpAddr);

/// The phases of the shutdown, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ShutdownPhase {
    /// The gateway serves requests. No shutdown has been requested.
    Running,
    /// The gateway reports that it is not ready, and still serves all requests.
    ///
    /// Each response closes its connection, so that clients reconnect to another instance.
    Draining,
    /// The gateway accepts no new connections. After one second, it closes the idle ones.
    Closing,
    /// The gateway aborts the requests that are still in progress.
    Aborting,
}

/// Receives the phases of the shutdown.
pub type ShutdownWatch = watch::Receiver<ShutdownPhase>;

/// Waits until the shutdown reaches a phase. Returns at once if the sender was dropped.
pub async fn wait_for_phase(shutdown: &mut ShutdownWatch, phase: ShutdownPhase) {
    let _ = shutdown.wait_for(|current| *current >= phase).await;
}

/// Serves a listener through all phases of the shutdown, until the last connection has ended.
///
/// Returns the number of connections that were aborted in [`ShutdownPhase::Aborting`]. `metrics`, if
/// present, counts the open connections.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: ShutdownWatch,
    metrics: Option<Metrics>,
) -> usize {
    // Each connection holds a receiver until it ends.
    let (open_connections, _) = watch::channel(());
    let aborted = Arc::new(AtomicUsize::new(0));
    let spawn_connection = |(stream, address): (TcpStream, std::net::SocketAddr)| {
        let connection = Connection {
            peer: PeerAddr(address.ip()),
            router: router.clone(),
            shutdown: shutdown.clone(),
            open_guard: metrics.clone().map(OpenConnectionGuard::new),
        };
        let (open_connection, aborted) = (open_connections.subscribe(), aborted.clone());
        tokio::spawn(async move {
            if connection.serve(stream).await.is_err() {
                aborted.fetch_add(1, Ordering::Relaxed);
            }
            drop(open_connection);
        });
    };
    let mut closing = pin!({
        let mut shutdown = shutdown.clone();
        async move { wait_for_phase(&mut shutdown, ShutdownPhase::Closing).await }
    });
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut closing => break,
        };
        match accepted {
            Ok(accepted) => spawn_connection(accepted),
            Err(error) if is_connection_error(&error) => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_BACKOFF).await;
            }
        }
    }
    // Connections that the system has already established are served, too.
    while let Some(Ok(accepted)) = listener.accept().now_or_never() {
        spawn_connection(accepted);
    }
    drop(listener);
    open_connections.closed().await;
    aborted.load(Ordering::Relaxed)
}

/// The error of a connection that was aborted before its request was complete.
struct AbortError;

/// Serves one connection.
struct Connection {
    peer: PeerAddr,
    router: Router,
    shutdown: ShutdownWatch,
    open_guard: Option<OpenConnectionGuard>,
}

impl Connection {
    async fn serve(self, stream: TcpStream) -> Result<(), AbortError> {
        // A response is a single write, so Nagle's algorithm would only delay it.
        let _ = stream.set_nodelay(true);
        let Self { peer, router, shutdown, open_guard: _open_guard } = self;
        let mut aborting = shutdown.clone();
        let has_request = AtomicBool::new(false);
        let service = service_fn(|request: Request<Incoming>| {
            has_request.store(true, Ordering::Relaxed);
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer);
            let (response, shutdown) = (router.clone().call(request), shutdown.clone());
            async move {
                let mut response = response.await?;
                if *shutdown.borrow() >= ShutdownPhase::Draining {
                    let close = HeaderValue::from_static("close");
                    response.headers_mut().insert(header::CONNECTION, close);
                }
                Ok::<_, std::convert::Infallible>(response)
            }
        });
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(32 * 1024);
        let connection = builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
        let mut connection = pin!(connection);
        let closing = {
            let (mut shutdown, has_request) = (shutdown.clone(), &has_request);
            async move {
                wait_for_phase(&mut shutdown, ShutdownPhase::Closing).await;
                let aborting = wait_for_phase(&mut shutdown, ShutdownPhase::Aborting);
                let _ = tokio::time::timeout(CLOSE_GRACE_PERIOD, aborting).await;
                has_request.load(Ordering::Relaxed)
            }
        };
        let result = tokio::select! {
            result = &mut connection => result,
            // If no request has arrived, the client has sent at most a part of a head. Then no
            // response is due, and the connection is dropped.
            has_request = closing => if !has_request { Ok(()) } else {
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    result = &mut connection => result,
                    () = wait_for_phase(&mut aborting, ShutdownPhase::Aborting) => {
                        return Err(AbortError);
                    }
                }
            }
        };
        if let Err(error) = result {
            // The client disconnected or does not speak HTTP, which is not an error of the gateway.
            tracing::debug!(%error, "connection ended early");
        }
        Ok(())
    }
}

/// Counts a connection as open until it is dropped.
struct OpenConnectionGuard(Metrics);

impl OpenConnectionGuard {
    fn new(metrics: Metrics) -> Self {
        metrics.connection_opened();
        Self(metrics)
    }
}

impl Drop for OpenConnectionGuard {
    fn drop(&mut self) {
        self.0.connection_closed();
    }
}

/// Returns whether accepting a connection failed because of that connection only.
///
/// All other errors concern the listener or the system.
fn is_connection_error(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
