//! Clients that close their side of a connection, or that reset it.

use serde_json::json;

use crate::support::{
    app::{App, Backend, Setup},
    store_gate::StoreGate,
    tcp::{connect, read_until_closed, request_text, reset, send},
    world::World,
};
use tokio::io::AsyncWriteExt;

const QUERY: &str = "{ me { name } }";

#[tokio::test]
async fn half_closed_connection_gets_its_responses() {
    let gate = StoreGate::open();
    let setup = Setup { gate: Some(gate.clone()), ..Setup::default() };
    let app = App::with(Backend::Sqlite, setup).await;
    let world = World::new(&app).await;
    let origin = app.serve().await;
    let rename = format!(
        r#"mutation {{ updateTenant(input: {{id: "{}", name: "New"}}) {{ tenant {{ name }} }} }}"#,
        world.acme.id
    );
    let mut client = connect(&origin).await;
    send(&mut client, request_text(&app, QUERY, "")).await;
    client.shutdown().await.expect("half-closed");
    assert!(read_until_closed(&mut client).await.starts_with("HTTP/1.1 200 OK"));
    for (first, second) in [(&*rename, None), (QUERY, None), (&rename, Some(QUERY))] {
        gate.set_closed(true);
        let mut client = connect(&origin).await;
        let second = second.map(|query| request_text(&app, query, ""));
        send(&mut client, request_text(&app, first, "") + &second.clone().unwrap_or_default())
            .await;
        client.shutdown().await.expect("half-closed");
        gate.wait_for_calls(1).await;
        // The reset of a later connection shows when the server has seen the end of the first.
        let mut other = connect(&origin).await;
        send(&mut other, request_text(&app, QUERY, "")).await;
        gate.wait_for_calls(2).await;
        reset(other);
        gate.wait_for_calls(1).await;
        gate.set_closed(false);
        let responses = read_until_closed(&mut client).await;
        let expected = 1 + usize::from(second.is_some());
        assert_eq!(responses.matches("HTTP/1.1 200 OK").count(), expected, "{responses}");
        assert_eq!(responses.matches("\"name\":").count(), expected, "{responses}");
    }
    let reply = app.query_as("ada", r#"{ tenant(slug: "acme") { name version } }"#).await;
    assert_eq!(reply.data()["tenant"], json!({"name": "New", "version": 2}));
}

#[tokio::test]
async fn half_closed_connection_without_a_complete_request_is_closed() {
    let app = App::on(Backend::Sqlite).await;
    let origin = app.serve().await;
    let request = request_text(&app, QUERY, "");
    let head = request.find("\r\n\r\n").expect("an end of the head");
    for (length, expected) in [(0, ""), (20, ""), (head, ""), (head + 10, "HTTP/1.1 400 ")] {
        let mut client = connect(&origin).await;
        send(&mut client, &request[..length]).await;
        client.shutdown().await.expect("half-closed");
        let response = read_until_closed(&mut client).await;
        assert!(
            response.starts_with(expected) && response.is_empty() == expected.is_empty(),
            "{response}"
        );
    }
}
