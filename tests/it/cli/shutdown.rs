//! The end of the started program, while many ask.

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
const ANSWER: &[u8] = b"{\"data\":{\"__typename\":\"Query\"}}";

/// Asks over kept connections until it is told that the program is not ready any more, as what is
/// behind a balancer is asked: how many requests were sent, and how many were answered whole.
async fn load(
    address: String,
    leave: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
) -> (usize, usize) {
    let (mut sent, mut whole) = (0, 0);
    let mut kept: Option<TcpStream> = None;
    while !leave.load(Ordering::SeqCst) {
        let mut stream = match kept.take() {
            Some(stream) => stream,
            None => TcpStream::connect(&address).await.expect("a connection"),
        };
        sent += 1;
        stream.write_all(REQUEST).await.expect("sent");
        let mut said = Vec::new();
        while !said.ends_with(ANSWER) {
            if stream.read_buf(&mut said).await.expect("an answer") == 0 {
                break;
            }
        }
        if said.ends_with(ANSWER) {
            whole += 1;
            answered.fetch_add(1, Ordering::SeqCst);
        }
        let last = String::from_utf8_lossy(&said).to_lowercase().contains("connection: close");
        kept = (!last).then_some(stream);
    }
    (sent, whole)
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_who_minds_readiness_is_left_without_an_answer() {
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
    let (leave, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| tokio::spawn(load(public.clone(), leave.clone(), answered.clone())))
        .collect();
    let more = async |than: usize| {
        while answered.load(Ordering::SeqCst) <= than {
            tokio::task::yield_now().await;
        }
    };
    more(10 * CLIENTS).await;
    signal(&serve, "-TERM");
    serve.logged("stopping");
    while get(&ready).await.0 != 503 {}
    // It still answers everybody.
    more(answered.load(Ordering::SeqCst) + 10 * CLIENTS).await;
    leave.store(true, Ordering::SeqCst);
    let (mut sent, mut whole) = (0, 0);
    for client in clients {
        let (s, w) = client.await.expect("no fault");
        (sent, whole) = (sent + s, whole + w);
    }
    assert!(whole > 20 * CLIENTS, "{whole}");
    assert_eq!(sent, whole, "requests without an answer");
    // Who asks once more has no patience for the rest of the delay.
    terminate(&mut serve);
    let lines: Vec<String> = serve.lines.by_ref().collect();
    assert!(lines.iter().any(|line| line.contains("\"stopped\"")), "{lines:?}");
}
