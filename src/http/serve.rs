//! Serves the connections of a listener until the shutdown is complete.
//!
//! A client cannot keep a connection open without sending requests: a request's head must arrive
//! within [`HEAD_TIMEOUT`], and has at most [`MAX_HEAD_BYTES`]. `connection_limit` limits the number of
//! connections, and `connection_io` checks their bytes. The shutdown has the phases of
//! [`ShutdownPhase`].

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Error as BodyError, Router,
    body::{Body, Bytes},
    http::{HeaderValue, Request, Response, StatusCode, header},
};
use futures_util::FutureExt;
use hyper::{
    body::{Body as HttpBody, Frame, Incoming, SizeHint},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tower::ServiceExt;

use super::{
    closing_stream::{ClosingStream, DiscardOnClose},
    connection_io::ConnectionIo,
    connection_limit::{ConnectionLimit, ConnectionPermit, RequestGuard},
};

/// The maximum time for a client to send the head of a request.
///
/// It also limits the time that a connection stays idle between requests.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// The maximum length of the head of a request, in bytes. A longer one gets 431.
///
/// It is also the size of the buffer that a connection reads into.
pub const MAX_HEAD_BYTES: usize = 32 * 1024;
/// The time for which idle connections stay open during shutdown, because a client may just be
/// sending a request.
const CLOSE_GRACE_PERIOD: Duration = Duration::from_secs(1);
/// The delay after the system failed to accept a connection, e.g. for lack of file descriptors.
const ACCEPT_BACKOFF: Duration = Duration::from_secs(1);

/// The address of the peer of a request's connection: a client or a proxy.
#[derive(Clone, Copy, Debug)]
pub struct PeerAddr(pub IpAddr);

/// Marks a response whose body is an event stream, as an extension of the response.
#[derive(Clone, Copy, Debug)]
pub(super) struct EventStream;

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
/// Returns the number of connections that were aborted in [`ShutdownPhase::Aborting`].
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: ShutdownWatch,
    limit: ConnectionLimit,
) -> usize {
    let aborted = Arc::new(AtomicUsize::new(0));
    let spawn_connection = async |(stream, address): (TcpStream, SocketAddr)| {
        let Some(permit) = limit.admit(address.ip()).await else { return };
        let connection = Connection {
            peer: PeerAddr(address.ip()),
            router: router.clone(),
            shutdown: shutdown.clone(),
            permit,
        };
        let aborted = aborted.clone();
        tokio::spawn(async move {
            if connection.serve(stream).await.is_err() {
                aborted.fetch_add(1, Ordering::Relaxed);
            }
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
            Ok(accepted) => spawn_connection(accepted).await,
            Err(error) if is_connection_error(&error) => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept a connection");
                limit.close_longest_idle();
                tokio::time::sleep(ACCEPT_BACKOFF).await;
            }
        }
    }
    // Connections that the system has already established are served, too.
    while let Some(Ok(accepted)) = listener.accept().now_or_never() {
        spawn_connection(accepted).await;
    }
    drop(listener);
    limit.wait_until_empty().await;
    aborted.load(Ordering::Relaxed)
}

/// The error of a connection that was aborted before its request was complete.
struct AbortError;

/// Serves one connection.
struct Connection {
    peer: PeerAddr,
    router: Router,
    shutdown: ShutdownWatch,
    permit: Arc<ConnectionPermit>,
}

impl Connection {
    async fn serve(self, stream: TcpStream) -> Result<(), AbortError> {
        // A response is a single write, so Nagle's algorithm would only delay it.
        let _ = stream.set_nodelay(true);
        let (permit, mut shutdown) = (&self.permit, self.shutdown.clone());
        let discard = DiscardOnClose::default();
        let mut aborting = shutdown.clone();
        let has_request = AtomicBool::new(false);
        let service = service_fn(|request| {
            has_request.store(true, Ordering::Relaxed);
            self.respond(request, discard.clone())
        });
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
        builder.max_header_size(MAX_HEAD_BYTES).max_buf_size(MAX_HEAD_BYTES);
        let stream = ClosingStream::new(stream, permit.clone(), discard.clone());
        let io = TokioIo::new(ConnectionIo::new(stream, permit.clone()));
        // A WebSocket outlives this future. It keeps its permit, and observes the shutdown itself.
        let mut connection = pin!(builder.serve_connection(io, service).with_upgrades());
        let closing = async {
            wait_for_phase(&mut shutdown, ShutdownPhase::Closing).await;
            let aborting = wait_for_phase(&mut shutdown, ShutdownPhase::Aborting);
            let _ = tokio::time::timeout(CLOSE_GRACE_PERIOD, aborting).await;
            has_request.load(Ordering::Relaxed)
        };
        let result = tokio::select! {
            result = &mut connection => result,
            () = permit.closed() => Ok(()),
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

    /// Responds to one request. Fails if the connection is being closed to make room.
    fn respond(
        &self,
        request: Request<Incoming>,
        discard: DiscardOnClose,
    ) -> impl Future<Output = Result<Response<GuardedBody>, ClosedError>> + use<> {
        let (permit, shutdown) = (self.permit.clone(), self.shutdown.clone());
        let (guard, router, peer) = (permit.start_request(), self.router.clone(), self.peer);
        async move {
            let guard = guard.ok_or(ClosedError)?;
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer);
            request.extensions_mut().insert(discard);
            let Ok(mut response) = router.oneshot(request).await;
            if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                permit.set_upgraded();
            } else if *shutdown.borrow() >= ShutdownPhase::Draining {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(header::CONNECTION, close);
            }
            if response.extensions().get::<EventStream>().is_some() {
                permit.set_streaming();
            }
            Ok(response.map(|body| GuardedBody { body, _guard: guard }))
        }
    }
}

/// The error of a request that arrived when its connection was already being closed.
#[derive(Debug, thiserror::Error)]
#[error("the connection is being closed to make room for another one")]
struct ClosedError;

/// The body of a response, which keeps its request in progress.
struct GuardedBody {
    body: Body,
    _guard: RequestGuard,
}

impl HttpBody for GuardedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Returns whether accepting a connection failed because of that connection only.
///
/// All other errors concern the listener or the system.
fn is_connection_error(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
