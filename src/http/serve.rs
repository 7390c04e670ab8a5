//! A listener's connections: nobody holds one by being slow to ask, and all end when the program does.

use std::{io, net::IpAddr, pin::pin, time::Duration};

use axum::{Router, body::Body, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tower::Service;

/// How long a client may take to send a request's head; an idle connection is one that takes long.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long requests under way have when the program ends. Each has a time limit of its own; this is
/// for clients that do not read their answers.
const LAST_REQUESTS: Duration = Duration::from_secs(30);
/// The wait after the system could give no connection, because there are too many.
const REST: Duration = Duration::from_secs(1);

/// Who is at the other end of a request's connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// Serves until `stop` ends, then finishes the requests that are under way.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    // Each connection has a receiver until it ends.
    let (ending, _) = watch::channel(());
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, address)) => {
                let peer = Peer(address.ip());
                tokio::spawn(connection(stream, peer, router.clone(), ending.subscribe()));
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be taken");
                tokio::time::sleep(REST).await;
            }
        }
    }
    drop(listener);
    let _ = ending.send(());
    if tokio::time::timeout(LAST_REQUESTS, ending.closed()).await.is_err() {
        tracing::warn!("connections were cut whose clients do not read");
    }
}

async fn connection(
    stream: TcpStream,
    peer: Peer,
    router: Router,
    mut ending: watch::Receiver<()>,
) {
    // An answer is one write: waiting for more to send would only delay it.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer);
        router.clone().call(request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        _ = ending.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // A client that goes away, or speaks something else: its affair.
        tracing::debug!(%error, "a connection has ended early");
    }
}

/// Whether accepting failed for the client that was about to connect, and for nobody else.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
