//! Limits on the number of connections, in all and per address.

use tenantry::{
    http::{ConnectionLimit, TrustedProxies},
    metrics::Metrics,
};
use tokio::net::TcpStream;

use crate::support::{
    app::{App, Backend, Setup},
    store_gate::StoreGate,
    tcp::{
        TYPENAME_REQUEST, connect, connect_from, read_response, read_until_closed, request_text,
        send,
    },
    world::World,
};

/// A server with a limit, and its metrics.
struct Limited {
    app: App,
    origin: String,
    metrics: Metrics,
}

impl Limited {
    async fn start(app: App, max: usize, max_per_address: usize, proxies: &[&str]) -> Self {
        let metrics = Metrics::new().expect("a catalogue");
        let proxies = proxies.iter().map(|network| network.parse().expect("a network")).collect();
        let proxies = TrustedProxies::new(proxies);
        let limit = ConnectionLimit::new(max, max_per_address, proxies, Some(metrics.clone()));
        let origin = app.serve_with_limit(limit).await;
        Self { app, origin, metrics }
    }

    #[track_caller]
    fn assert_metric(&self, line: &str) {
        let text = String::from_utf8(self.metrics.encode().expect("metrics")).expect("UTF-8");
        assert!(text.lines().any(|exported| exported == line), "{line}\n{text}");
    }
}

async fn assert_served(stream: &mut TcpStream) {
    send(stream, TYPENAME_REQUEST).await;
    let response = read_response(stream).await;
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
}

async fn assert_closed(mut stream: TcpStream) {
    assert_eq!(read_until_closed(&mut stream).await, "");
}

#[tokio::test]
async fn new_connection_replaces_the_longest_idle_one() {
    let server = Limited::start(App::on(Backend::Sqlite).await, 3, 3, &[]).await;
    let mut first = connect(&server.origin).await;
    let mut second = connect(&server.origin).await;
    let mut third = connect(&server.origin).await;
    for stream in [&mut first, &mut second, &mut third] {
        assert_served(stream).await;
    }
    assert_served(&mut first).await;
    let mut fourth = connect(&server.origin).await;
    assert_served(&mut fourth).await;
    server.assert_metric(r#"tenantry_idle_connections_closed_total{scope="address"} 1"#);
    assert_closed(second).await;
    for stream in [&mut third, &mut first, &mut fourth] {
        assert_served(stream).await;
    }
    server.assert_metric("tenantry_connections 3");
}

#[tokio::test]
async fn connection_without_a_complete_head_is_idle() {
    let server = Limited::start(App::on(Backend::Sqlite).await, 2, 10, &[]).await;
    let silent = connect(&server.origin).await;
    let mut slow = connect(&server.origin).await;
    send(&mut slow, "POST /gra").await;
    let mut next = connect(&server.origin).await;
    assert_served(&mut next).await;
    server.assert_metric(r#"tenantry_idle_connections_closed_total{scope="all"} 1"#);
    assert_closed(silent).await;
    let mut last = connect(&server.origin).await;
    assert_served(&mut last).await;
    server.assert_metric(r#"tenantry_idle_connections_closed_total{scope="all"} 2"#);
    assert_closed(slow).await;
    assert_served(&mut next).await;
    server.assert_metric("tenantry_connections 2");
}

#[tokio::test]
async fn connection_is_refused_if_none_is_idle() {
    let gate = StoreGate::open();
    let setup = Setup { gate: Some(gate.clone()), ..Setup::default() };
    let app = App::with(Backend::Sqlite, setup).await;
    World::new(&app).await;
    let server = Limited::start(app, 2, 10, &[]).await;
    gate.set_closed(true);
    let mut busy = Vec::new();
    for count in 1..=2 {
        let mut stream = connect(&server.origin).await;
        send(&mut stream, request_text(&server.app, "{ me { id } }", "")).await;
        gate.wait_for_calls(count).await;
        busy.push(stream);
    }
    assert_closed(connect(&server.origin).await).await;
    server.assert_metric(r#"tenantry_connections_refused_total{scope="all"} 1"#);
    gate.set_closed(false);
    for stream in &mut busy {
        assert!(read_response(stream).await.contains("usr_"));
    }
    // Both connections are idle now.
    let mut next = connect(&server.origin).await;
    assert_served(&mut next).await;
    server.assert_metric("tenantry_connections 2");
}

#[tokio::test]
async fn one_address_cannot_take_the_connections_of_another() {
    let server = Limited::start(App::on(Backend::Sqlite).await, 10, 1, &["127.0.0.3/32"]).await;
    let mut other = connect_from("127.0.0.2", &server.origin).await;
    assert_served(&mut other).await;
    let mut first = connect(&server.origin).await;
    assert_served(&mut first).await;
    let mut second = connect(&server.origin).await;
    assert_served(&mut second).await;
    server.assert_metric(r#"tenantry_idle_connections_closed_total{scope="address"} 1"#);
    assert_closed(first).await;
    // A trusted proxy has the connections of many clients.
    let mut proxied = [
        connect_from("127.0.0.3", &server.origin).await,
        connect_from("127.0.0.3", &server.origin).await,
    ];
    for stream in proxied.iter_mut().rev().chain([&mut other, &mut second]) {
        assert_served(stream).await;
    }
    server.assert_metric("tenantry_connections 4");
}
