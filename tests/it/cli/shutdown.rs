//! Shutdown of the started program while many clients send requests.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{Running, get, now, send_query, signal, terminate};
use crate::support::{
    issuer::TestIssuer, mongo_proxy::MongoProxy, mongod::FreshDatabase, tcp::reset,
};

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

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_waits_for_the_commit_of_a_client_that_disconnected() {
    let folder = tempfile::tempdir().expect("a folder");
    let (issuer, fresh) = (TestIssuer::start().await, FreshDatabase::new().await);
    let proxy = MongoProxy::start(&fresh.uri).await;
    let mut serve = Running::serve(
        folder.path(),
        &[
            ("TENANTRY_DATABASE_URL", proxy.uri()),
            ("TENANTRY_OIDC_ISSUER", issuer.url()),
            ("TENANTRY_OIDC_AUDIENCE", "tenantry"),
        ],
    );
    let serving = serve.logged("serving");
    let public = serving["bind"].as_str().expect("an address").to_owned();
    let admin = serving["admin"].as_str().expect("an address").to_owned();
    serve.logged("the database is ready");
    let token = issuer.token().issued_at(now()).expires_at(now() + 600).groups(["platform-admins"]);
    let token = token.sign();
    send_query(&format!("http://{public}/graphql"), &token, "{ me { id } }").await;

    proxy.withhold_commits();
    let mut client = TcpStream::connect(&public).await.expect("a connection");
    let mutation =
        r#"mutation { createTenant(input: {slug: \"acme\", name: \"Acme\"}) { tenant { id } } }"#;
    let body = format!("{{\"query\":\"{mutation}\"}}");
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         authorization: Bearer {token}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    client.write_all(format!("{head}{body}").as_bytes()).await.expect("sent");
    proxy.wait_for_commit().await;
    reset(client);
    signal(&serve, "-TERM");
    // The admin listener closes last. Without the commit, the process would now end.
    while TcpStream::connect(&admin).await.is_ok() {}
    proxy.resume();
    assert_eq!(serve.child.wait().expect("an exit status").code(), Some(0));
    let tenants = fresh.database.collection::<mongodb::bson::Document>("tenants");
    let created = tenants.count_documents(mongodb::bson::doc! { "slug": "acme" }).await;
    assert_eq!(created.expect("a count"), 1);
}
