//! Pages of other origins.

use axum::http::HeaderValue;
use tenantry::http::AllowedOrigins;

use super::send;
use crate::support::app::{App, Backend, Reply, Setup};

const PORTAL: &str = "https://portal.example.org";

async fn app(cors: AllowedOrigins) -> App {
    App::with(Backend::Sqlite, Setup { cors, ..Setup::default() }).await
}

async fn preflight(app: &App, origin: &str) -> Reply {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type"),
    ];
    send(app, "OPTIONS", "/graphql", &headers, "").await
}

async fn ask(app: &App, origin: &str) -> Reply {
    let headers = [("origin", origin), ("content-type", "application/json")];
    send(app, "POST", "/graphql", &headers, r#"{"query":"{ __typename }"}"#).await
}

/// The header's items, sorted.
fn items(reply: &Reply, name: &str) -> Vec<String> {
    let mut items: Vec<_> = reply
        .header(name)
        .unwrap_or("")
        .split(',')
        .map(|item| item.trim().to_lowercase())
        .collect();
    items.sort();
    items
}

#[tokio::test]
async fn a_page_of_a_configured_origin_may_ask() {
    let app = app(AllowedOrigins::List(vec![
        HeaderValue::from_static("https://other.example.org"),
        HeaderValue::from_static(PORTAL),
    ]))
    .await;
    let reply = preflight(&app, PORTAL).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("access-control-allow-origin"), Some(PORTAL));
    assert_eq!(items(&reply, "access-control-allow-methods"), ["get", "post"]);
    assert_eq!(
        items(&reply, "access-control-allow-headers"),
        ["authorization", "content-type", "idempotency-key", "x-request-id"]
    );
    assert_eq!(reply.header("access-control-max-age"), Some("3600"));
    assert_eq!(reply.header("access-control-allow-credentials"), None);
    assert!(reply.header("x-request-id").is_some());
    let reply = ask(&app, PORTAL).await;
    reply.data();
    assert_eq!(reply.header("access-control-allow-origin"), Some(PORTAL));
    assert_eq!(items(&reply, "access-control-expose-headers"), ["retry-after", "x-request-id"]);
    // A cache is not to answer one origin with what another got.
    let mut vary = reply.headers.get_all("vary").iter().filter_map(|value| value.to_str().ok());
    assert!(vary.any(|value| value.contains("origin")));
}

#[tokio::test]
async fn a_page_of_another_origin_may_not() {
    let portal = app(AllowedOrigins::List(vec![HeaderValue::from_static(PORTAL)])).await;
    for origin in ["https://portal.example.org.evil.example", "http://portal.example.org", "null"] {
        for reply in [preflight(&portal, origin).await, ask(&portal, origin).await] {
            assert_eq!(reply.header("access-control-allow-origin"), None, "{origin}");
        }
    }
    let nobody = app(AllowedOrigins::List(Vec::new())).await;
    let reply = preflight(&nobody, PORTAL).await;
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (405, None));
    assert_eq!(ask(&nobody, PORTAL).await.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn every_page_may_where_that_is_configured() {
    let app = app(AllowedOrigins::Any).await;
    for reply in [preflight(&app, PORTAL).await, ask(&app, PORTAL).await] {
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
        assert_eq!(reply.header("access-control-allow-credentials"), None);
    }
    // Errors too: a page has to be able to read what was wrong.
    let reply = send(&app, "POST", "/graphql", &[("origin", PORTAL)], "").await;
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (415, Some("*")));
}
