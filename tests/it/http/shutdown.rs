//! Graceful shutdown: requests that are still answered, and connections that are closed.

use std::{io::ErrorKind, sync::Arc};

use serde_json::json;
use tenantry::http::ShutdownPhase;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{
    app::{App, Backend, Setup},
    store_gate::StoreGate,
    world::World,
};

async fn app_with_gate() -> (App, Arc<StoreGate>) {
    let gate = StoreGate::open();
    let app =
        App::with(Backend::Sqlite, Setup { gate: Some(gate.clone()), ..Setup::default() }).await;
    World::new(&app).await;
    (app, gate)
}

async fn connect(origin: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(origin.trim_start_matches("http://")).await
}

/// Returns the bytes of a request on a connection that is to be kept alive.
fn request_text(app: &App) -> String {
    let body = json!({"query": "{ me { id } }"}).to_string();
    format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         authorization: Bearer {}\r\ncontent-length: {}\r\n\r\n{body}",
        app.token("ada", []),
        body.len()
    )
}

async fn send_query(stream: &mut TcpStream, app: &App) {
    send(stream, &request_text(app)).await;
}

async fn send(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).await.expect("sent");
}

/// Reads one response of a connection that stays open.
async fn read_response(stream: &mut TcpStream) -> String {
    let mut response = Vec::new();
    while !response.ends_with(b"}}}") {
        let read = stream.read_buf(&mut response).await.expect("a response");
        assert!(read > 0, "{}", String::from_utf8_lossy(&response));
    }
    String::from_utf8(response).expect("UTF-8")
}

/// Reads until the server closes the connection.
async fn read_until_closed(stream: &mut TcpStream) -> String {
    let mut received = String::new();
    stream.read_to_string(&mut received).await.expect("a closed connection");
    received
}

#[track_caller]
fn assert_success(response: &str) {
    assert!(response.starts_with("HTTP/1.1 200 ") && response.contains("usr_"), "{response}");
}

#[tokio::test]
async fn draining_gateway_is_not_ready_but_answers_every_request() {
    let (app, _gate) = app_with_gate().await;
    let (origin, server) = app.serve_until_shutdown().await;
    let mut kept = connect(&origin).await.expect("a connection");
    send_query(&mut kept, &app).await;
    let response = read_response(&mut kept).await;
    assert!(!response.to_lowercase().contains("connection: close"), "{response}");
    assert_eq!(app.admin("/readyz").await.status, 200);
    app.stages.send_replace(ShutdownPhase::Draining);
    let ready = app.admin("/readyz").await;
    assert_eq!(ready.status, 503, "{}", ready.body);
    assert_eq!(ready.json["reasons"], json!({"program": "shutting down"}));
    assert_eq!(
        app.admin("/healthz").await.status,
        200,
        "liveness does not change during the shutdown"
    );
    // The server closes each connection after the next response.
    let mut new = connect(&origin).await.expect("a new connection is accepted");
    for stream in [&mut kept, &mut new] {
        send_query(stream, &app).await;
        let response = read_until_closed(stream).await;
        assert_success(&response);
        assert!(response.to_lowercase().contains("connection: close\r\n"), "{response}");
    }
    assert!(!server.is_finished());
    app.stages.send_replace(ShutdownPhase::Closing);
    assert_eq!(server.await.expect("the server ends"), 0);
}

#[tokio::test]
async fn requests_in_progress_complete_during_shutdown() {
    let (app, gate) = app_with_gate().await;
    let (origin, server) = app.serve_until_shutdown().await;
    let mut idle = connect(&origin).await.expect("a connection");
    send_query(&mut idle, &app).await;
    read_response(&mut idle).await;
    gate.set_closed(true);
    let mut client = connect(&origin).await.expect("a connection");
    send_query(&mut client, &app).await;
    gate.wait_for_calls(1).await;
    app.stages.send_replace(ShutdownPhase::Closing);
    // The server closes idle connections and accepts no new ones.
    assert_eq!(read_until_closed(&mut idle).await, "");
    let late = connect(&origin).await;
    assert!(late.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused));
    assert!(!server.is_finished());
    gate.set_closed(false);
    assert_success(&read_until_closed(&mut client).await);
    assert_eq!(server.await.expect("the server ends"), 0);
}

#[tokio::test]
async fn new_requests_are_answered_and_incomplete_ones_are_dropped_on_closing() {
    let (app, _gate) = app_with_gate().await;
    let (origin, server) = app.serve_until_shutdown().await;
    let mut silent = connect(&origin).await.expect("a connection");
    let mut slow = connect(&origin).await.expect("a connection");
    send(&mut slow, "POST /gra").await;
    let mut kept = connect(&origin).await.expect("a connection");
    send_query(&mut kept, &app).await;
    read_response(&mut kept).await;
    let mut late = connect(&origin).await.expect("a connection");
    let request = request_text(&app);
    // `late` is still in the listen queue, or was accepted a moment ago. `kept` had a response
    // before and sends a second request.
    app.stages.send_replace(ShutdownPhase::Closing);
    for stream in [&mut late, &mut kept] {
        send(stream, &request).await;
    }
    for stream in [&mut late, &mut kept] {
        assert_success(&read_until_closed(stream).await);
    }
    for stream in [&mut silent, &mut slow] {
        let mut received = String::new();
        // If bytes are unread, the operating system resets the connection. That closes it, too.
        let _ = stream.read_to_string(&mut received).await;
        assert_eq!(received, "");
    }
    assert_eq!(server.await.expect("the server ends"), 0);
}

#[tokio::test]
async fn requests_are_aborted_when_the_shutdown_timeout_ends() {
    let (app, gate) = app_with_gate().await;
    let (origin, server) = app.serve_until_shutdown().await;
    gate.set_closed(true);
    let mut client = connect(&origin).await.expect("a connection");
    send_query(&mut client, &app).await;
    gate.wait_for_calls(1).await;
    app.stages.send_replace(ShutdownPhase::Closing);
    app.stages.send_replace(ShutdownPhase::Aborting);
    assert_eq!(server.await.expect("the server ends"), 1);
    assert_eq!(read_until_closed(&mut client).await, "");
    gate.set_closed(false);
}
