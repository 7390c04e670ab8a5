//! The end of the program: who is answered still, and who is not let in any more.

use std::{io::ErrorKind, sync::Arc};

use serde_json::json;
use tenantry::http::ShutdownPhase;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{
    app::{App, Backend, Setup},
    store_gate::Gate,
    world::World,
};

async fn gated() -> (App, Arc<Gate>) {
    let gate = Gate::open();
    let app =
        App::with(Backend::Sqlite, Setup { gate: Some(gate.clone()), ..Setup::default() }).await;
    World::new(&app).await;
    (app, gate)
}

async fn connect(origin: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(origin.trim_start_matches("http://")).await
}

/// A request as it goes over a connection that is to be kept.
fn text(app: &App) -> String {
    let body = json!({"query": "{ me { id } }"}).to_string();
    format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         authorization: Bearer {}\r\ncontent-length: {}\r\n\r\n{body}",
        app.token("ada", []),
        body.len()
    )
}

async fn ask(stream: &mut TcpStream, app: &App) {
    send(stream, &text(app)).await;
}

async fn send(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).await.expect("sent");
}

/// One answer of a connection that stays open.
async fn one(stream: &mut TcpStream) -> String {
    let mut said = Vec::new();
    while !said.ends_with(b"}}}") {
        let read = stream.read_buf(&mut said).await.expect("an answer");
        assert!(read > 0, "{}", String::from_utf8_lossy(&said));
    }
    String::from_utf8(said).expect("UTF-8")
}

/// What comes until the other side closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut said = String::new();
    stream.read_to_string(&mut said).await.expect("an end");
    said
}

#[track_caller]
fn is_answer(said: &str) {
    assert!(said.starts_with("HTTP/1.1 200 ") && said.contains("usr_"), "{said}");
}

#[tokio::test]
async fn readiness_falls_first_and_everybody_is_still_answered() {
    let (app, _gate) = gated().await;
    let (origin, end) = app.serve_through().await;
    let mut kept = connect(&origin).await.expect("a connection");
    ask(&mut kept, &app).await;
    let said = one(&mut kept).await;
    assert!(!said.to_lowercase().contains("connection: close"), "{said}");
    assert_eq!(app.admin("/readyz").await.status, 200);
    app.stages.send_replace(ShutdownPhase::Draining);
    let ready = app.admin("/readyz").await;
    assert_eq!(ready.status, 503, "{}", ready.body);
    assert_eq!(ready.json["reasons"], json!({"program": "shutting down"}));
    assert_eq!(app.admin("/healthz").await.status, 200, "it is not to be killed for it");
    // Each answer is the last of its connection, which is closed after it.
    let mut new = connect(&origin).await.expect("the door is open");
    for stream in [&mut kept, &mut new] {
        ask(stream, &app).await;
        let said = rest(stream).await;
        is_answer(&said);
        assert!(said.to_lowercase().contains("connection: close\r\n"), "{said}");
    }
    assert!(!end.is_finished());
    app.stages.send_replace(ShutdownPhase::Closing);
    assert_eq!(end.await.expect("an end"), 0);
}

#[tokio::test]
async fn what_is_under_way_at_the_end_is_finished() {
    let (app, gate) = gated().await;
    let (origin, end) = app.serve_through().await;
    let mut idle = connect(&origin).await.expect("a connection");
    ask(&mut idle, &app).await;
    one(&mut idle).await;
    gate.close(true);
    let mut client = connect(&origin).await.expect("a connection");
    ask(&mut client, &app).await;
    gate.until_inside(1).await;
    app.stages.send_replace(ShutdownPhase::Closing);
    // A connection without a request is closed, and the door is shut.
    assert_eq!(rest(&mut idle).await, "");
    let late = connect(&origin).await;
    assert!(late.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused));
    assert!(!end.is_finished());
    gate.close(false);
    is_answer(&rest(&mut client).await);
    assert_eq!(end.await.expect("an end"), 0);
}

#[tokio::test]
async fn who_is_just_asking_is_answered_and_who_says_too_little_is_not_waited_for() {
    let (app, _gate) = gated().await;
    let (origin, end) = app.serve_through().await;
    let mut silent = connect(&origin).await.expect("a connection");
    let mut slow = connect(&origin).await.expect("a connection");
    send(&mut slow, "POST /gra").await;
    let mut kept = connect(&origin).await.expect("a connection");
    ask(&mut kept, &app).await;
    one(&mut kept).await;
    let mut late = connect(&origin).await.expect("a connection");
    let text = text(&app);
    // The one is in the queue of the system, where nobody has looked yet, or was taken a moment ago;
    // the other was answered before, and asks again.
    app.stages.send_replace(ShutdownPhase::Closing);
    for stream in [&mut late, &mut kept] {
        send(stream, &text).await;
    }
    for stream in [&mut late, &mut kept] {
        is_answer(&rest(stream).await);
    }
    for stream in [&mut silent, &mut slow] {
        let mut said = String::new();
        // With bytes unread the system resets the connection, which is an end as well.
        let _ = stream.read_to_string(&mut said).await;
        assert_eq!(said, "");
    }
    assert_eq!(end.await.expect("an end"), 0);
}

#[tokio::test]
async fn what_takes_too_long_is_cut() {
    let (app, gate) = gated().await;
    let (origin, end) = app.serve_through().await;
    gate.close(true);
    let mut client = connect(&origin).await.expect("a connection");
    ask(&mut client, &app).await;
    gate.until_inside(1).await;
    app.stages.send_replace(ShutdownPhase::Closing);
    app.stages.send_replace(ShutdownPhase::Aborting);
    assert_eq!(end.await.expect("an end"), 1);
    assert_eq!(rest(&mut client).await, "");
    gate.close(false);
}
