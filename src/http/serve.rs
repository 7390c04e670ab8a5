//! A listener's connections: nobody holds one by being slow to ask, and all end when the program does.

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

/// How long a client may take to send a request's head; an idle connection is one that takes long.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long connections stay open for a request that is on its way, when the program ends.
const CLOSE_GRACE_PERIOD: Duration = Duration::from_secs(1);
/// The wait after the system could give no connection, because there are too many.
const ACCEPT_BACKOFF: Duration = Duration::from_secs(1);

/// Who is at the other end of a request's connection.
#[derive(Clone, Copy, Debug)]
pub struct PeerAddr(pub IpAddr);

/// How far the end of the program has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ShutdownPhase {
    /// It has not begun.
    Running,
    /// The program is not ready any more, and still answers everybody; each answer is the last one
    /// of its connection, so that clients go elsewhere.
    Draining,
    /// No connection is taken any more, and those are closed on which nothing is asked for a second.
    Closing,
    /// What is under way is dropped.
    Aborting,
}

/// Tells how far the end of the program has come.
pub type ShutdownWatch = watch::Receiver<ShutdownPhase>;

/// Waits for a stage. Where nobody can tell of one any more, it has come.
pub async fn wait_for_phase(stages: &mut ShutdownWatch, stage: ShutdownPhase) {
    let _ = stages.wait_for(|now| *now >= stage).await;
}

/// Serves through all stages, and ends when the last connection has. How many of them were cut in
/// [`Stage::Over`].
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stages: ShutdownWatch,
    metrics: Option<Metrics>,
) -> usize {
    // Each connection has a receiver until it ends.
    let (alive, _) = watch::channel(());
    let cut = Arc::new(AtomicUsize::new(0));
    let open = |(stream, address): (TcpStream, std::net::SocketAddr)| {
        let connection = Connection {
            peer: PeerAddr(address.ip()),
            router: router.clone(),
            stages: stages.clone(),
            counted: metrics.clone().map(OpenConnectionGuard::new),
        };
        let (alive, cut) = (alive.subscribe(), cut.clone());
        tokio::spawn(async move {
            if connection.serve(stream).await.is_err() {
                cut.fetch_add(1, Ordering::Relaxed);
            }
            drop(alive);
        });
    };
    let mut closing = pin!({
        let mut stages = stages.clone();
        async move { wait_for_phase(&mut stages, ShutdownPhase::Closing).await }
    });
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut closing => break,
        };
        match accepted {
            Ok(accepted) => open(accepted),
            Err(error) if is_connection_error(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be taken");
                tokio::time::sleep(ACCEPT_BACKOFF).await;
            }
        }
    }
    // Who is in line already is answered, too.
    while let Some(Ok(accepted)) = listener.accept().now_or_never() {
        open(accepted);
    }
    drop(listener);
    alive.closed().await;
    cut.load(Ordering::Relaxed)
}

/// A connection ended before its request was answered.
struct Aborted;

/// What a connection is served with.
struct Connection {
    peer: PeerAddr,
    router: Router,
    stages: ShutdownWatch,
    counted: Option<OpenConnectionGuard>,
}

impl Connection {
    async fn serve(self, stream: TcpStream) -> Result<(), Aborted> {
        // An answer is one write: waiting for more to send would only delay it.
        let _ = stream.set_nodelay(true);
        let Self { peer, router, stages, counted: _counted } = self;
        let mut over = stages.clone();
        let asked = AtomicBool::new(false);
        let service = service_fn(|request: Request<Incoming>| {
            asked.store(true, Ordering::Relaxed);
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer);
            let (answer, stages) = (router.clone().call(request), stages.clone());
            async move {
                let mut response = answer.await?;
                if *stages.borrow() >= ShutdownPhase::Draining {
                    let close = HeaderValue::from_static("close");
                    response.headers_mut().insert(header::CONNECTION, close);
                }
                Ok::<_, std::convert::Infallible>(response)
            }
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
        let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
        let mut connection = pin!(connection);
        let closing = {
            let (mut stages, asked) = (stages.clone(), &asked);
            async move {
                wait_for_phase(&mut stages, ShutdownPhase::Closing).await;
                let over = wait_for_phase(&mut stages, ShutdownPhase::Aborting);
                let _ = tokio::time::timeout(CLOSE_GRACE_PERIOD, over).await;
                asked.load(Ordering::Relaxed)
            }
        };
        let ended = tokio::select! {
            ended = &mut connection => ended,
            // Whoever has not asked by now has sent a part of a head at most, and is owed no answer.
            has_asked = closing => if !has_asked { Ok(()) } else {
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    ended = &mut connection => ended,
                    () = wait_for_phase(&mut over, ShutdownPhase::Aborting) => return Err(Aborted),
                }
            }
        };
        if let Err(error) = ended {
            // A client that goes away, or speaks something else: its affair.
            tracing::debug!(%error, "a connection has ended early");
        }
        Ok(())
    }
}

/// A connection that is counted as open until this is dropped.
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

/// Whether accepting failed for the client that was about to connect, and for nobody else.
fn is_connection_error(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
