//! That the options of traffic reach the door; what they do there is tested in `http`.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{Running, get};
use crate::support::issuer::TestIssuer;

/// A gateway with one more option: where it serves, and where it tells of itself.
async fn with(variable: &str, value: &str) -> (Running, String, String) {
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

async fn ask(address: &str) -> reqwest::Response {
    let request = reqwest::Client::new()
        .post(format!("http://{address}/graphql"))
        .header("content-type", "application/json")
        .header("origin", "https://portal.example.org");
    request.body(r#"{"query":"{ __typename }"}"#).send().await.expect("an answer")
}

/// A request whose body does not come.
async fn slow(address: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("sent");
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn cors_origins_reach_the_door() {
    let (_running, address, _) = with("TENANTRY_CORS_ORIGINS", "https://portal.example.org").await;
    let answer = ask(&address).await;
    let allowed = answer.headers().get("access-control-allow-origin");
    assert_eq!(allowed.expect("a header"), "https://portal.example.org");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rate_limit_reaches_the_door() {
    let (_running, address, admin) = with("TENANTRY_RATE_LIMIT", "1/m").await;
    assert_eq!(ask(&address).await.status(), 200);
    let refused = ask(&address).await;
    assert_eq!(refused.status(), 429);
    assert!(refused.headers().contains_key("retry-after"));
    let (_, metrics) = get(&format!("http://{admin}/metrics")).await;
    assert!(metrics.contains(r#"tenantry_requests_rate_limited_total{scope="ip"} 1"#));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_is_told_by_proxies_that_are_trusted() {
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
        let answer = request.body(r#"{"query":"{ __typename }"}"#).send().await;
        answer.expect("an answer").status().as_u16()
    };
    assert_eq!(status("203.0.113.1").await, 200);
    assert_eq!(status("203.0.113.2, 192.0.2.9").await, 200);
    for again in ["203.0.113.1", "198.51.100.1, 203.0.113.2"] {
        assert_eq!(status(again).await, 429, "{again}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_limit_reaches_the_door() {
    let (_running, address, _) = with("TENANTRY_REQUEST_TIMEOUT", "1ms").await;
    let mut said = String::new();
    slow(&address).await.read_to_string(&mut said).await.expect("an end");
    assert!(said.starts_with("HTTP/1.1 504 "), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_of_places_reaches_the_door() {
    let (_running, _, admin) = with("TENANTRY_MAX_CONCURRENT_REQUESTS", "7").await;
    let (_, metrics) = get(&format!("http://{admin}/metrics")).await;
    assert!(metrics.contains("tenantry_requests_in_flight_limit 7\n"), "{metrics}");
}
