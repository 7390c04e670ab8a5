//! Only so many requests at once.

use std::sync::Arc;

use axum::{body::Body, http::Request};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
};

use crate::support::{
    app::{App, Backend, Reply, Setup},
    store_gate::Gate,
    world::World,
};

const MUTATION: &str =
    r#"mutation { createTenant(input: {slug: "one", name: "One"}) { tenant { slug } } }"#;

/// A gateway with so many places, whose store can be held up.
async fn with_places(places: usize) -> (Arc<App>, Arc<Gate>) {
    let gate = Gate::open();
    let setup = Setup { gate: Some(gate.clone()), max_in_flight: places, ..Setup::default() };
    let app = App::with(Backend::Sqlite, setup).await;
    World::new(&app).await;
    (Arc::new(app), gate)
}

/// A request of ada's that is on its way.
fn begin(app: &Arc<App>, query: &str, key: &str) -> JoinHandle<Reply> {
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("idempotency-key", key)
        .header("authorization", format!("Bearer {}", app.token("ada", [])))
        .body(Body::from(json!({"query": query}).to_string()))
        .expect("a request");
    let app = app.clone();
    tokio::spawn(async move { app.send(request).await })
}

async fn in_flight(app: &App) -> f64 {
    app.metric("tenantry_requests_in_flight").await
}

#[tokio::test]
async fn more_than_there_are_places_for_are_sent_away_at_once() {
    let (app, gate) = with_places(3).await;
    gate.close(true);
    let begun: Vec<_> = (0..3).map(|_| begin(&app, "{ me { id } }", "k")).collect();
    gate.until_inside(3).await;
    assert_eq!(in_flight(&app).await, 3.0);
    for _ in 0..5 {
        // Nothing of it needs the store, and yet: the document of what is sent away is not looked at.
        let reply = app.ask_as_nobody("{ __typename }").await;
        assert_eq!((reply.status, reply.codes()), (503, vec!["UNAVAILABLE"]));
        assert_eq!(reply.header("retry-after"), Some("1"));
        assert_eq!(reply.json["extensions"]["requestId"].as_str(), reply.header("x-request-id"));
    }
    assert_eq!(app.metric("tenantry_requests_shed_total").await, 5.0);
    // Whoever looks after it can look all the same.
    assert_eq!(app.admin("/readyz").await.status, 200);
    gate.close(false);
    for reply in begun {
        reply.await.expect("an answer").data();
    }
    assert_eq!(in_flight(&app).await, 0.0);
    app.ask_as_nobody("{ __typename }").await.data();
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_its_place() {
    let (app, gate) = with_places(1).await;
    gate.close(true);
    let begun = begin(&app, "{ me { id } }", "k");
    gate.until_inside(1).await;
    assert_eq!(app.ask_as_nobody("{ __typename }").await.status, 503);
    begun.abort();
    gate.until_inside(0).await;
    assert!(begun.await.is_err_and(|ended| ended.is_cancelled()));
    app.ask_as_nobody("{ __typename }").await.data();
    assert_eq!(in_flight(&app).await, 0.0);
}

#[tokio::test]
async fn work_that_goes_on_without_its_client_keeps_its_place() {
    let (app, gate) = with_places(1).await;
    gate.close(true);
    let begun = begin(&app, MUTATION, "k");
    gate.until_inside(1).await;
    begun.abort();
    assert!(begun.await.is_err_and(|ended| ended.is_cancelled()));
    assert_eq!(in_flight(&app).await, 1.0);
    assert_eq!(app.ask_as_nobody("{ __typename }").await.status, 503);
    gate.close(false);
    // The place is free when the work is done, whenever that is.
    let again = loop {
        let reply = begin(&app, MUTATION, "k").await.expect("an answer");
        if reply.status != 503 {
            break reply;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(again.data()["createTenant"]["tenant"]["slug"], "one");
    assert_eq!((again.writes, in_flight(&app).await), (0, 0.0));
}

#[tokio::test]
async fn who_is_waited_for_has_no_place() {
    let (app, _) = with_places(1).await;
    let origin = app.serve().await;
    let address = origin.trim_start_matches("http://");
    let mut slow = TcpStream::connect(address).await.expect("a connection");
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                expect: 100-continue\r\ncontent-length: 30\r\n\r\n";
    slow.write_all(head.as_bytes()).await.expect("sent");
    // The server asks for the body, so it is waiting for it.
    let mut asked = [0; 25];
    slow.read_exact(&mut asked).await.expect("an answer");
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    app.ask_as_nobody("{ __typename }").await.data();
    // Made-up keys are another wait: `auth::flood` has more of them than there are places.
    slow.write_all(br#"{"query":"{ a: __typename }" }"#).await.expect("sent");
    let mut said = vec![0; 15];
    slow.read_exact(&mut said).await.expect("an answer");
    assert_eq!(&said, b"HTTP/1.1 200 OK");
}
