//! Cross-origin requests of browsers (CORS).

use axum::http::{HeaderMap, HeaderName, HeaderValue};
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

async fn send_query(app: &App, origin: &str) -> Reply {
    let headers = [("origin", origin), ("content-type", "application/json")];
    send(app, "POST", "/graphql", &headers, r#"{"query":"{ __typename }"}"#).await
}

/// Returns the items of a header in lower case, sorted.
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
async fn configured_origin_is_allowed() {
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
        ["authorization", "content-type", "idempotency-key", "last-event-id", "x-request-id"]
    );
    assert_eq!(reply.header("access-control-max-age"), Some("3600"));
    assert_eq!(reply.header("access-control-allow-credentials"), None);
    assert!(reply.header("x-request-id").is_some());
    let reply = send_query(&app, PORTAL).await;
    reply.data();
    assert_eq!(reply.header("access-control-allow-origin"), Some(PORTAL));
    assert_eq!(items(&reply, "access-control-expose-headers"), ["retry-after", "x-request-id"]);
    // A cache must not serve the response for one origin to another.
    let mut vary = reply.headers.get_all("vary").iter().filter_map(|value| value.to_str().ok());
    assert!(vary.any(|value| value.contains("origin")));
}

#[tokio::test]
async fn other_origins_are_not_allowed() {
    let portal = app(AllowedOrigins::List(vec![HeaderValue::from_static(PORTAL)])).await;
    for origin in ["https://portal.example.org.evil.example", "http://portal.example.org", "null"] {
        for reply in [preflight(&portal, origin).await, send_query(&portal, origin).await] {
            assert_eq!(reply.header("access-control-allow-origin"), None, "{origin}");
        }
    }
    let no_origins = app(AllowedOrigins::List(Vec::new())).await;
    let reply = preflight(&no_origins, PORTAL).await;
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (405, None));
    assert_eq!(send_query(&no_origins, PORTAL).await.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn any_origin_is_allowed_if_configured() {
    let app = app(AllowedOrigins::Any).await;
    for reply in [preflight(&app, PORTAL).await, send_query(&app, PORTAL).await] {
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
        assert_eq!(reply.header("access-control-allow-credentials"), None);
    }
    // Error responses have the header, too, so that a page can read them.
    let reply = send(&app, "POST", "/graphql", &[("origin", PORTAL)], "").await;
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (415, Some("*")));
}

/// Pages of other origins may send GraphQL requests. Everything else is for pages of this origin.
#[tokio::test]
async fn other_paths_are_never_shared_with_other_origins() {
    let setup = Setup { cors: AllowedOrigins::Any, playground: true, ..Setup::default() };
    let app = App::with(Backend::Sqlite, setup).await;
    for path in ["/", "/playground/licenses.md", "/dev/identities", "/nowhere"] {
        for method in ["GET", "OPTIONS"] {
            let headers = [("origin", PORTAL), ("access-control-request-method", "GET")];
            let reply = send(&app, method, path, &headers, "").await;
            assert_not_shared(&reply.headers, &format!("{method} {path}"));
            assert!(reply.header("x-request-id").is_some(), "{method} {path}");
        }
    }
}

/// Asserts that the response has no CORS header at all.
#[track_caller]
pub(crate) fn assert_not_shared(headers: &HeaderMap, request: &str) {
    let names = headers.keys().map(HeaderName::as_str);
    let shared: Vec<_> = names.filter(|name| name.starts_with("access-control-")).collect();
    assert_eq!(shared, [""; 0], "{request}");
}
