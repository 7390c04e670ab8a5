//! How much one caller may ask for. The gateway's clock stands still until a test moves it.

use std::net::IpAddr;

use axum::{body::Body, http::Request};
use serde_json::json;
use tenantry::http::PeerAddr;

use crate::support::{
    app::{App, Backend, Reply, Setup},
    world::World,
};

/// Costs 2, and 1 for the request.
const ME: &str = "{ me { id } }";
const HERE: &str = "192.0.2.1";
const ELSEWHERE: &str = "192.0.2.2";

async fn limited(rate: u64) -> App {
    let app = App::with(Backend::Sqlite, Setup { rate: Some(rate), ..Setup::default() }).await;
    World::new(&app).await;
    // What it took to make that world is forgiven.
    app.clock.advance(3600);
    app
}

async fn from(app: &App, address: &str, credential: Option<&str>, query: &str) -> Reply {
    let request = Request::post("/graphql").header("content-type", "application/json");
    let request = credential.into_iter().fold(request, |r, given| r.header("authorization", given));
    let mut request =
        request.body(Body::from(json!({"query": query}).to_string())).expect("a request");
    request.extensions_mut().insert(PeerAddr(address.parse::<IpAddr>().expect("an address")));
    app.send(request).await
}

async fn nobody(app: &App, address: &str) -> Reply {
    from(app, address, None, "{ __typename }").await
}

#[track_caller]
fn is_refused(reply: &Reply, seconds: u64) {
    assert_eq!((reply.status, reply.codes()), (429, vec!["RATE_LIMITED"]), "{}", reply.body);
    assert_eq!(reply.header("retry-after"), Some(&*seconds.to_string()));
    assert_eq!(reply.json["errors"][0]["extensions"]["retryAfterSeconds"], seconds);
    assert!(reply.header("x-request-id").is_some());
    assert_eq!((reply.reads, reply.json.get("data")), (0, None));
}

#[tokio::test]
async fn an_actor_may_ask_for_so_much_in_a_second() {
    let app = limited(30).await;
    for _ in 0..10 {
        app.ask("bob", ME).await.data();
    }
    is_refused(&app.ask("bob", ME).await, 1);
    is_refused(&app.ask("bob", "{ __typename }").await, 1);
    app.ask("carol", ME).await.data();
    assert_eq!(app.metric(r#"tenantry_requests_rate_limited_total{scope="user"}"#).await, 2.0);
    app.clock.advance(1);
    for _ in 0..10 {
        app.ask("bob", ME).await.data();
    }
    is_refused(&app.ask("bob", ME).await, 1);
}

#[tokio::test]
async fn what_is_counted_is_what_a_document_costs() {
    let app = limited(30).await;
    // 1 for the request, 1 for the field, and a page of 100 whose elements cost 1 each and more.
    app.ask("bob", "{ tenants(first: 100) { nodes { id } } }").await.data();
    let refused = app.ask("bob", ME).await;
    let seconds = refused.json["errors"][0]["extensions"]["retryAfterSeconds"].as_u64();
    let seconds = seconds.expect("a number");
    assert!(seconds >= 3, "{seconds}: over 100 at 30 a second");
    is_refused(&refused, seconds);
    app.clock.advance(i64::try_from(seconds).expect("in range") - 1);
    is_refused(&app.ask("bob", ME).await, 1);
    app.clock.advance(1);
    app.ask("bob", "{ __typename }").await.data();
}

#[tokio::test]
async fn nobody_is_counted_by_address() {
    let app = limited(2).await;
    for _ in 0..2 {
        nobody(&app, HERE).await.data();
    }
    is_refused(&nobody(&app, HERE).await, 1);
    nobody(&app, ELSEWHERE).await.data();
    // Who has a token is somebody, wherever it comes from.
    let bob = format!("Bearer {}", app.token("bob", []));
    from(&app, HERE, Some(&bob), ME).await.data();
    assert_eq!(app.metric(r#"tenantry_requests_rate_limited_total{scope="ip"}"#).await, 1.0);
    for address in ["2001:db8::1", "2001:db8::2"] {
        nobody(&app, address).await.data();
    }
    is_refused(&nobody(&app, "2001:db8::3").await, 1);
    nobody(&app, "2001:db8:0:1::1").await.data();
}

#[tokio::test]
async fn guessing_tokens_costs_the_address() {
    let app = limited(300).await;
    for guess in ["Bearer one", "Bearer two", "Basic dHdv"] {
        assert_eq!(from(&app, HERE, Some(guess), ME).await.status, 401);
    }
    let reply = from(&app, HERE, Some("Bearer four"), ME).await;
    is_refused(&reply, 1);
    assert_eq!(reply.header("www-authenticate"), None, "no word on whether it was good");
    is_refused(&nobody(&app, HERE).await, 1);
    assert_eq!(from(&app, ELSEWHERE, Some("Bearer five"), ME).await.status, 401);
    // Neighbours with good tokens do not suffer for it.
    let bob = format!("Bearer {}", app.token("bob", []));
    from(&app, HERE, Some(&bob), ME).await.data();
}

#[tokio::test]
async fn refused_documents_cost_more_than_they_would_have() {
    let app = limited(300).await;
    for document in ["{", "{ me { id } } query A { me { id } }", "query A { me { id } }  }"] {
        let reply = app.ask("bob", document).await;
        assert!(reply.codes()[0].starts_with("GRAPHQL_"), "{}", reply.body);
    }
    is_refused(&app.ask("bob", ME).await, 1);
}

#[tokio::test]
async fn without_a_limit_there_is_none() {
    let app = App::on(Backend::Sqlite).await;
    World::new(&app).await;
    for _ in 0..100 {
        app.ask("bob", "{ tenants(first: 100) { nodes { domains } } }").await.data();
    }
}
