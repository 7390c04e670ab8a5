//! The traffic options are applied by the started program. `http` tests their effects in detail.

use std::process::{Command, Stdio};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{Running, get};
use crate::support::issuer::TestIssuer;

/// Starts a gateway with one additional option. Returns it with its public and its admin address.
async fn serve_with(variable: &str, value: &str) -> (Running, String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = TestIssuer::start().await;
    let variables = [
        ("TENANTRY_DATABASE_URL", "sqlite::memory:"),
        ("TENANTRY_OIDC_ISSUER", issuer.url()),
        ("TENANTRY_OIDC_AUDIENCE", "tenantry"),
        (variable, value),
    ];
    let mut serve = Running::serve(folder.path(), &variables);
    let serving = serve.logged("serving");
    let address = |name: &str| serving[name].as_str().expect("an address").to_owned();
    let (public, admin) = (address("bind"), address("admin"));
    (serve, public, admin)
}

async fn send_query(address: &str) -> reqwest::Response {
    let request = reqwest::Client::new()
        .post(format!("http://{address}/graphql"))
        .header("content-type", "application/json")
        .header("origin", "https://portal.example.org");
    request.body(r#"{"query":"{ __typename }"}"#).send().await.expect("a response")
}

/// Sends the head of a request whose body never arrives.
async fn send_head(address: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("sent");
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn cors_origins_option_is_applied() {
    let (_running, address, _) =
        serve_with("TENANTRY_CORS_ORIGINS", "https://portal.example.org").await;
    let response = send_query(&address).await;
    let allowed = response.headers().get("access-control-allow-origin");
    assert_eq!(allowed.expect("a header"), "https://portal.example.org");
}

#[tokio::test(flavor = "multi_thread")]
async fn rate_limit_option_is_applied() {
    let (_running, address, admin) = serve_with("TENANTRY_RATE_LIMIT", "1/m").await;
    assert_eq!(send_query(&address).await.status(), 200);
    let rejected = send_query(&address).await;
    assert_eq!(rejected.status(), 429);
    assert!(rejected.headers().contains_key("retry-after"));
    let (_, metrics) = get(&format!("http://{admin}/metrics")).await;
    assert!(metrics.contains(r#"tenantry_requests_rate_limited_total{scope="ip"} 1"#));
}

#[tokio::test(flavor = "multi_thread")]
async fn client_address_is_taken_from_trusted_proxies() {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = TestIssuer::start().await;
    let variables = [
        ("TENANTRY_DATABASE_URL", "sqlite::memory:"),
        ("TENANTRY_OIDC_ISSUER", issuer.url()),
        ("TENANTRY_OIDC_AUDIENCE", "tenantry"),
        ("TENANTRY_RATE_LIMIT", "1/m"),
        ("TENANTRY_TRUSTED_PROXIES", "192.0.2.0/24, 127.0.0.1"),
    ];
    let mut serve = Running::serve(folder.path(), &variables);
    let address = serve.logged("serving")["bind"].as_str().expect("an address").to_owned();
    let status = async |forwarded: &str| {
        let request = reqwest::Client::new()
            .post(format!("http://{address}/graphql"))
            .header("content-type", "application/json")
            .header("x-forwarded-for", forwarded);
        let response = request.body(r#"{"query":"{ __typename }"}"#).send().await;
        response.expect("a response").status().as_u16()
    };
    assert_eq!(status("203.0.113.1").await, 200);
    assert_eq!(status("203.0.113.2, 192.0.2.9").await, 200);
    for repeated in ["203.0.113.1", "198.51.100.1, 203.0.113.2"] {
        assert_eq!(status(repeated).await, 429, "{repeated}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn request_timeout_option_is_applied() {
    let (_running, address, _) = serve_with("TENANTRY_REQUEST_TIMEOUT", "1ms").await;
    let mut response = String::new();
    send_head(&address).await.read_to_string(&mut response).await.expect("a closed connection");
    assert!(response.starts_with("HTTP/1.1 504 "), "{response}");
}

#[tokio::test(flavor = "multi_thread")]
async fn max_concurrent_requests_option_is_applied() {
    let (_running, _, admin) = serve_with("TENANTRY_MAX_CONCURRENT_REQUESTS", "7").await;
    let (_, metrics) = get(&format!("http://{admin}/metrics")).await;
    assert!(metrics.contains("tenantry_requests_in_flight_limit 7\n"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_leave_files_for_probes_and_other_clients() {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = TestIssuer::start().await;
    let mut command = Command::new("/bin/sh");
    command.args(["-c", r#"ulimit -n 128 && exec "$0" "$@""#, env!("CARGO_BIN_EXE_tenantry")]);
    command.args(["serve", "--bind", "127.0.0.1:0", "--admin-bind", "127.0.0.1:0"]);
    command.env_clear().current_dir(folder.path()).envs([
        ("TENANTRY_DATABASE_URL", "sqlite://portal.db"),
        ("TENANTRY_OIDC_ISSUER", issuer.url()),
        ("TENANTRY_OIDC_AUDIENCE", "tenantry"),
        ("TENANTRY_LOG_FORMAT", "json"),
    ]);
    command.stdin(Stdio::null()).stderr(Stdio::piped());
    let mut serve = Running::logging(command);
    let message = "TENANTRY_MAX_CONNECTIONS exceeds the limit of open files and was lowered";
    let lowered = serve.logged(message);
    assert_eq!((&lowered["open_files"], &lowered["max_connections"]), (&128.into(), &64.into()));
    assert_eq!(lowered["max_connections_per_address"], 32);
    let serving = serve.logged("serving");
    let address = |name: &str| serving[name].as_str().expect("an address").to_owned();
    let (public, admin) = (address("bind"), address("admin"));
    let mut idle = Vec::new();
    for _ in 0..150 {
        idle.push(TcpStream::connect(&public).await.expect("a connection"));
        idle.push(TcpStream::connect(&admin).await.expect("a connection"));
    }
    assert_eq!(get(&format!("http://{admin}/healthz")).await.0, 200);
    assert_eq!(send_query(&public).await.status(), 200);
    while get(&format!("http://{admin}/readyz")).await.0 != 200 {}
    let (_, metrics) = get(&format!("http://{admin}/metrics")).await;
    let closed = r#"tenantry_idle_connections_closed_total{scope="address"} 119"#;
    assert!(metrics.contains(closed), "{metrics}");
}
