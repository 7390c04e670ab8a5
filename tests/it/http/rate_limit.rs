//! The rate limit of each user and of each address. The gateway's clock moves only when a test
//! moves it.

use std::net::IpAddr;

use axum::{body::Body, http::Request};
use serde_json::json;
use tenantry::http::PeerAddr;

use crate::support::{
    app::{App, Backend, Reply, Setup},
    world::{self, World},
};

/// A query that costs 2, plus 1 for the request.
const ME: &str = "{ me { id } }";
const ADDRESS: &str = "192.0.2.1";
const OTHER_ADDRESS: &str = "192.0.2.2";

async fn limited(rate: u64) -> App {
    let app = App::with(Backend::Sqlite, Setup { rate: Some(rate), ..Setup::default() }).await;
    World::new(&app).await;
    // Starts with drained buckets.
    app.clock.advance(3600);
    app
}

async fn send_from(app: &App, address: &str, credential: Option<&str>, query: &str) -> Reply {
    let request = Request::post("/graphql").header("content-type", "application/json");
    let request = credential
        .into_iter()
        .fold(request, |request, value| request.header("authorization", value));
    let mut request =
        request.body(Body::from(json!({"query": query}).to_string())).expect("a request");
    request.extensions_mut().insert(PeerAddr(address.parse::<IpAddr>().expect("an address")));
    app.send(request).await
}

async fn send_anonymous(app: &App, address: &str) -> Reply {
    send_from(app, address, None, "{ __typename }").await
}

#[track_caller]
fn assert_rate_limited(reply: &Reply, seconds: u64) {
    assert_eq!((reply.status, reply.codes()), (429, vec!["RATE_LIMITED"]), "{}", reply.body);
    assert_eq!(reply.header("retry-after"), Some(&*seconds.to_string()));
    assert_eq!(reply.json["errors"][0]["extensions"]["retryAfterSeconds"], seconds);
    assert!(reply.header("x-request-id").is_some());
    assert_eq!((reply.reads, reply.json.get("data")), (0, None));
}

#[tokio::test]
async fn user_is_limited_to_the_rate_per_second() {
    let app = limited(30).await;
    for _ in 0..10 {
        app.query_as("bob", ME).await.data();
    }
    assert_rate_limited(&app.query_as("bob", ME).await, 1);
    assert_rate_limited(&app.query_as("bob", "{ __typename }").await, 1);
    app.query_as("carol", ME).await.data();
    assert_eq!(app.metric(r#"tenantry_requests_rate_limited_total{scope="user"}"#).await, 2.0);
    app.clock.advance(1);
    for _ in 0..10 {
        app.query_as("bob", ME).await.data();
    }
    assert_rate_limited(&app.query_as("bob", ME).await, 1);
}

#[tokio::test]
async fn request_is_charged_the_cost_of_its_document() {
    let app = limited(30).await;
    // 1 for the request, 1 for the field, and at least 1 for each element of a page of 100.
    app.query_as("bob", "{ tenants(first: 100) { nodes { id } } }").await.data();
    let rejected = app.query_as("bob", ME).await;
    let seconds = rejected.json["errors"][0]["extensions"]["retryAfterSeconds"].as_u64();
    let seconds = seconds.expect("a number");
    assert!(seconds >= 3, "{seconds}: more than 100 at 30 per second");
    assert_rate_limited(&rejected, seconds);
    app.clock.advance(i64::try_from(seconds).expect("in range") - 1);
    assert_rate_limited(&app.query_as("bob", ME).await, 1);
    app.clock.advance(1);
    app.query_as("bob", "{ __typename }").await.data();
}

#[tokio::test]
async fn each_write_is_charged_in_addition_to_its_document() {
    let app = limited(110).await;
    let id = world::tenant(1, "acme").id;
    let rename = |key: &str| {
        format!(
            r#"{key}: updateTenant(input: {{id: "{id}", name: "{key}"}}) {{ tenant {{ id }} }}"#
        )
    };
    // 1 for the request, 3 for the fields, and 100 for the write.
    app.query_as("bob", &format!("mutation {{ {} }}", rename("a"))).await.data();
    app.query_as("bob", ME).await.data();
    app.query_as("bob", ME).await.data();
    assert_rate_limited(&app.query_as("bob", ME).await, 1);
    app.clock.advance(1);
    // Three writes cost 310, and 201 must drain before the next request.
    let writes = ["a", "b", "c"].map(rename).join(" ");
    app.query_as("bob", &format!("mutation {{ {writes} }}")).await.data();
    assert_rate_limited(&app.query_as("bob", ME).await, 2);
}

#[tokio::test]
async fn unauthenticated_requests_are_limited_by_address() {
    let app = limited(2).await;
    for _ in 0..2 {
        send_anonymous(&app, ADDRESS).await.data();
    }
    assert_rate_limited(&send_anonymous(&app, ADDRESS).await, 1);
    send_anonymous(&app, OTHER_ADDRESS).await.data();
    // A request with a token is limited by its user, from any address.
    let bob = format!("Bearer {}", app.token("bob", []));
    send_from(&app, ADDRESS, Some(&bob), ME).await.data();
    assert_eq!(app.metric(r#"tenantry_requests_rate_limited_total{scope="ip"}"#).await, 1.0);
    for address in ["2001:db8::1", "2001:db8::2"] {
        send_anonymous(&app, address).await.data();
    }
    assert_rate_limited(&send_anonymous(&app, "2001:db8::3").await, 1);
    send_anonymous(&app, "2001:db8:0:1::1").await.data();
}

#[tokio::test]
async fn invalid_tokens_are_charged_to_the_address() {
    let app = limited(300).await;
    for guess in ["Bearer one", "Bearer two", "Basic dHdv"] {
        assert_eq!(send_from(&app, ADDRESS, Some(guess), ME).await.status, 401);
    }
    let reply = send_from(&app, ADDRESS, Some("Bearer four"), ME).await;
    assert_rate_limited(&reply, 1);
    assert_eq!(
        reply.header("www-authenticate"),
        None,
        "the response does not reveal whether the token was valid"
    );
    assert_rate_limited(&send_anonymous(&app, ADDRESS).await, 1);
    assert_eq!(send_from(&app, OTHER_ADDRESS, Some("Bearer five"), ME).await.status, 401);
    // Users with valid tokens at the same address are not affected.
    let bob = format!("Bearer {}", app.token("bob", []));
    send_from(&app, ADDRESS, Some(&bob), ME).await.data();
}

#[tokio::test]
async fn rejected_documents_incur_a_penalty() {
    let app = limited(300).await;
    for document in ["{", "{ me { id } } query A { me { id } }", "query A { me { id } }  }"] {
        let reply = app.query_as("bob", document).await;
        assert!(reply.codes()[0].starts_with("GRAPHQL_"), "{}", reply.body);
    }
    assert_rate_limited(&app.query_as("bob", ME).await, 1);
}

#[tokio::test]
async fn requests_are_unlimited_without_a_rate_limit() {
    let app = App::on(Backend::Sqlite).await;
    World::new(&app).await;
    for _ in 0..100 {
        app.query_as("bob", "{ tenants(first: 100) { nodes { domains } } }").await.data();
    }
}

/// The length of a body that costs no more than an empty one.
const FREE_BYTES: usize = 4096;

/// Returns a query without complexity in a body of this length, which may be invalid JSON.
fn body_of(bytes: usize, end: &str) -> String {
    let start = r#"{"query":"{ __typename }""#;
    format!("{start}{}{end}", " ".repeat(bytes - start.len() - end.len()))
}

async fn send_body(app: &App, credential: Option<&str>, body: Body) -> Reply {
    let request = Request::post("/graphql").header("content-type", "application/json");
    let request = credential
        .into_iter()
        .fold(request, |request, value| request.header("authorization", value));
    let mut request = request.body(body).expect("a request");
    request.extensions_mut().insert(PeerAddr(ADDRESS.parse::<IpAddr>().expect("an address")));
    app.send(request).await
}

#[tokio::test]
async fn body_is_charged_by_its_length() {
    let app = limited(300).await;
    let bob = format!("Bearer {}", app.token("bob", []));
    for credential in [Some(&*bob), None] {
        let send =
            async |bytes: usize| send_body(&app, credential, body_of(bytes, "}").into()).await;
        send(FREE_BYTES).await.data();
        send(FREE_BYTES + 200 * 1024).await.data();
        // Of 300, 1 and 201 are used. A rejected request uses 1.
        assert_rate_limited(&send(FREE_BYTES + 98 * 1024).await, 1);
        send(FREE_BYTES + 96 * 1024).await.data();
        assert_rate_limited(&send(FREE_BYTES).await, 1);
    }
}

#[tokio::test]
async fn rejected_body_is_charged_by_its_length_before_it_is_parsed() {
    let app = limited(300).await;
    let invalid = || body_of(FREE_BYTES + 149 * 1024, "");
    for _ in 0..2 {
        assert_eq!(send_body(&app, None, invalid().into()).await.status, 400);
    }
    assert_rate_limited(&send_body(&app, None, invalid().into()).await, 1);
    assert_rate_limited(&send_anonymous(&app, ADDRESS).await, 1);
}

#[tokio::test]
async fn body_without_a_length_is_charged_as_it_arrives() {
    let app = limited(300).await;
    let chunked = |text: String| {
        let chunks: Vec<_> = text.into_bytes().chunks(1000).map(<[u8]>::to_vec).collect();
        Body::from_stream(futures_util::stream::iter(
            chunks.into_iter().map(Ok::<_, std::io::Error>),
        ))
    };
    send_body(&app, None, chunked(body_of(FREE_BYTES + 100 * 1024, "}"))).await.data();
    // The rest of the budget is spent on the part that is read before the limit.
    let rejected = send_body(&app, None, chunked(body_of(FREE_BYTES + 250 * 1024, "}"))).await;
    assert_rate_limited(&rejected, 1);
    assert_rate_limited(&send_anonymous(&app, ADDRESS).await, 1);
    app.clock.advance(1);
    let oversized = send_body(&app, None, chunked(body_of(300 * 1024, "}"))).await;
    assert_eq!(oversized.status, 413);
    assert_rate_limited(
        &send_body(&app, None, chunked(body_of(FREE_BYTES + 60 * 1024, "}"))).await,
        1,
    );
}

#[tokio::test]
async fn query_string_is_charged_by_its_length() {
    let app = limited(10).await;
    let send = async |bytes: usize| {
        let start = "query=%7B__typename%7D";
        let query = format!("{start}{}", "+".repeat(bytes - start.len()));
        let mut request =
            Request::get(format!("/graphql?{query}")).body(Body::empty()).expect("a request");
        request.extensions_mut().insert(PeerAddr(ADDRESS.parse::<IpAddr>().expect("an address")));
        app.send(request).await
    };
    send(FREE_BYTES + 7 * 1024).await.data();
    assert_rate_limited(&send(FREE_BYTES + 2 * 1024).await, 1);
    send(FREE_BYTES).await.data();
    assert_rate_limited(&send(FREE_BYTES).await, 1);
}
