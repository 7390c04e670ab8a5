//! Shutdown of the started program while many clients send requests.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{Running, get, signal, terminate};
use crate::support::issuer::TestIssuer;

const CLIENTS: usize = 16;
const REQUEST: &[u8] = b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
    content-length: 26\r\n\r\n{\"query\":\"{ __typename }\"}";
const RESPONSE: &[u8] = b"{\"data\":{\"__typename\":\"Query\"}}";

/// Sends requests over keep-alive connections until `stop` is set, as a load balancer does until
/// the program is no longer ready. Returns the number of requests and the number of complete
/// responses.
async fn send_requests(
    address: String,
    stop: Arc<AtomicBool>,
    completed: Arc<AtomicUsize>,
) -> (usize, usize) {
    let (mut sent, mut received) = (0, 0);
    let mut kept: Option<TcpStream> = None;
    while !stop.load(Ordering::SeqCst) {
        let mut stream = match kept.take() {
            Some(stream) => stream,
            None => TcpStream::connect(&address).await.expect("a connection"),
        };
        sent += 1;
        stream.write_all(REQUEST).await.expect("sent");
        let mut response = Vec::new();
        while !response.ends_with(RESPONSE) {
            if stream.read_buf(&mut response).await.expect("a response") == 0 {
                break;
            }
        }
        if response.ends_with(RESPONSE) {
            received += 1;
            completed.fetch_add(1, Ordering::SeqCst);
        }
        let last = String::from_utf8_lossy(&response).to_lowercase().contains("connection: close");
        kept = (!last).then_some(stream);
    }
    (sent, received)
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_honour_readiness_lose_no_requests_on_shutdown() {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = TestIssuer::start().await;
    let mut serve = Running::serve(
        folder.path(),
        &[
            ("TENANTRY_DATABASE_URL", "sqlite::memory:"),
            ("TENANTRY_OIDC_ISSUER", issuer.url()),
            ("TENANTRY_OIDC_AUDIENCE", "tenantry"),
            ("TENANTRY_SHUTDOWN_DELAY", "60s"),
            ("TENANTRY_RATE_LIMIT", "off"),
            ("TENANTRY_LOG", "info,tenantry::request=off"),
        ],
    );
    let serving = serve.logged("serving");
    let public = serving["bind"].as_str().expect("an address").to_owned();
    let ready = format!("http://{}/readyz", serving["admin"].as_str().expect("an address"));
    let (stop, completed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| tokio::spawn(send_requests(public.clone(), stop.clone(), completed.clone())))
        .collect();
    let wait_for_more = async |than: usize| {
        while completed.load(Ordering::SeqCst) <= than {
            tokio::task::yield_now().await;
        }
    };
    wait_for_more(10 * CLIENTS).await;
    signal(&serve, "-TERM");
    serve.logged("stopping");
    while get(&ready).await.0 != 503 {}
    // The program still answers every request.
    wait_for_more(completed.load(Ordering::SeqCst) + 10 * CLIENTS).await;
    stop.store(true, Ordering::SeqCst);
    let (mut sent, mut received) = (0, 0);
    for client in clients {
        let (client_sent, client_received) = client.await.expect("a client without an error");
        (sent, received) = (sent + client_sent, received + client_received);
    }
    assert!(received > 20 * CLIENTS, "{received}");
    assert_eq!(sent, received, "requests without a response");
    // A second signal skips the rest of the delay.
    terminate(&mut serve);
    let lines: Vec<String> = serve.lines.by_ref().collect();
    assert!(lines.iter().any(|line| line.contains("\"stopped\"")), "{lines:?}");
}
