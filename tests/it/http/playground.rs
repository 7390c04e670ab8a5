//! The playground's files over HTTP: paths, headers, compression and conditional requests.

use std::io::Read;

use axum::{body::Body, http::Request};
use http_body_util::BodyExt;

use crate::support::app::{App, Backend, Setup};

/// A response with its body as it was sent.
struct RawResponse {
    status: u16,
    headers: axum::http::HeaderMap,
    body: Vec<u8>,
}

impl RawResponse {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }
}

async fn app(playground: bool) -> App {
    App::with(Backend::Sqlite, Setup { playground, ..Setup::default() }).await
}

async fn send_request(
    app: &App,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> RawResponse {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = app.respond(request.body(Body::empty()).expect("a request")).await;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.expect("a body").to_bytes().to_vec();
    RawResponse { status: parts.status.as_u16(), headers: parts.headers, body }
}

/// Returns the path of every embedded asset, derived from the names of the committed files.
fn assets() -> Vec<String> {
    let dist = concat!(env!("CARGO_MANIFEST_DIR"), "/playground/dist");
    let files = std::fs::read_dir(dist).expect("the built files").map(|entry| {
        let name = entry.expect("a file").file_name().into_string().expect("UTF-8");
        name.strip_suffix(".br").expect("compressed").to_owned()
    });
    let assets: Vec<_> = files
        .filter(|name| !name.ends_with(".html"))
        .map(|name| format!("/playground/{name}"))
        .collect();
    assert!(assets.len() > 5, "{assets:?}");
    assets
}

/// Returns the URLs in the `src` and `href` attributes of a page.
fn referenced_urls(page: &str) -> Vec<&str> {
    let values_of = |start| page.split(start).skip(1).filter_map(|rest| rest.split('"').next());
    values_of("src=\"").chain(values_of("href=\"")).collect()
}

#[tokio::test]
async fn disabled_playground_is_not_found() {
    let app = app(false).await;
    for path in assets().iter().map(String::as_str).chain(["/", "/playground/", "/playground"]) {
        let response = send_request(&app, "GET", path, &[("accept", "text/html")]).await;
        assert_eq!((response.status, response.body.len()), (404, 0), "{path}");
    }
    let response = send_request(&app, "GET", "/graphql", &[("accept", "text/html")]).await;
    assert_eq!(response.status, 406);
}

#[tokio::test]
async fn page_is_served_at_the_root_and_to_browsers_at_the_endpoint() {
    let app = app(true).await;
    // A client that prefers JSON, or rates it equal to HTML, gets the GraphQL response.
    for accept in ["application/json, text/html;q=0.1", "text/html, application/json"] {
        let response =
            send_request(&app, "GET", "/graphql?query=%7B__typename%7D", &[("accept", accept)])
                .await;
        assert_eq!(response.body, br#"{"data":{"__typename":"Query"}}"#, "{accept}");
    }
    let browser = [("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
    let root = send_request(&app, "GET", "/", &[]).await;
    let endpoint = send_request(&app, "GET", "/graphql", &browser).await;
    assert_eq!((root.status, endpoint.status), (200, 200));
    assert_eq!(root.body, endpoint.body);
    assert_eq!(root.header("content-type"), "text/html; charset=utf-8");
    // A GraphQL client does not get the page.
    let query = "/graphql?query=%7B__typename%7D";
    let response = send_request(&app, "GET", query, &[("accept", "application/json")]).await;
    assert_eq!(response.body, br#"{"data":{"__typename":"Query"}}"#);
}

#[tokio::test]
async fn page_references_only_relative_files_and_has_no_inline_scripts() {
    let app = app(true).await;
    let page = String::from_utf8(send_request(&app, "GET", "/", &[]).await.body).expect("UTF-8");
    assert!(page.contains("data-mode=\"serve\""), "{page}");
    let urls = referenced_urls(&page);
    assert!(urls.len() > 2, "{page}");
    for url in urls {
        let path = url.strip_prefix('.').expect("a relative URL");
        assert_eq!(send_request(&app, "GET", path, &[]).await.status, 200, "{path}");
    }
    assert_eq!(page.matches("<script").count(), page.matches(" src=\"./playground/").count());
    assert!(!page.contains("<style") && !page.contains(" onload"), "{page}");
}

#[tokio::test]
async fn every_file_has_a_type_security_headers_and_a_cache_policy() {
    let app = app(true).await;
    for path in assets().iter().map(String::as_str).chain(["/"]) {
        let response = send_request(&app, "GET", path, &[("accept-encoding", "br")]).await;
        assert_eq!((response.status, response.header("content-encoding")), (200, "br"), "{path}");
        let policy = response.header("content-security-policy");
        for expected in [
            "default-src 'none'",
            "script-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(
                policy.split(';').any(|directive| directive.trim() == expected),
                "{path}: {policy}"
            );
        }
        assert!(!policy.contains("unsafe-eval") && !policy.contains("http"), "{policy}");
        assert_eq!(policy.matches("unsafe-inline").count(), 1, "only for styles: {policy}");
        assert_eq!(response.header("x-content-type-options"), "nosniff");
        assert_eq!(response.header("referrer-policy"), "no-referrer");
        let (content_type, immutable) = match path.rsplit('.').next() {
            Some("js") => ("text/javascript; charset=utf-8", true),
            Some("css") => ("text/css; charset=utf-8", true),
            Some("svg") => ("image/svg+xml", true),
            Some("woff2") => ("font/woff2", true),
            Some("ttf") => ("font/ttf", true),
            Some("md") => ("text/markdown; charset=utf-8", false),
            _ => ("text/html; charset=utf-8", false),
        };
        assert_eq!(response.header("content-type"), content_type, "{path}");
        let cache_control =
            if immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
        assert_eq!(response.header("cache-control"), cache_control, "{path}");
    }
}

#[tokio::test]
async fn file_coding_is_negotiated_and_never_applied_twice() {
    let app = app(true).await;
    for path in assets().iter().map(String::as_str).chain(["/"]) {
        let plain = send_request(&app, "GET", path, &[]).await;
        assert_eq!(plain.header("content-encoding"), "", "{path}");
        assert!(plain.header("vary").contains("accept-encoding"), "{path}");
        let compressed =
            send_request(&app, "GET", path, &[("accept-encoding", "gzip, deflate, br")]).await;
        assert_eq!(compressed.header("content-encoding"), "br", "{path}");
        let mut decoded = Vec::new();
        brotli_decompressor::Decompressor::new(&*compressed.body, 4096)
            .read_to_end(&mut decoded)
            .expect("brotli");
        assert_eq!(decoded, plain.body, "{path}");
        assert_eq!(compressed.header("etag"), plain.header("etag"), "{path}");
        let gzip = send_request(&app, "GET", path, &[("accept-encoding", "gzip, br;q=0")]).await;
        if gzip.header("content-encoding") == "gzip" {
            let mut decoded = Vec::new();
            flate2::read::GzDecoder::new(&*gzip.body).read_to_end(&mut decoded).expect("gzip");
            assert_eq!(decoded, plain.body, "{path}");
        } else {
            assert!(gzip.body == plain.body && plain.body.len() < 1024, "{path}");
        }
    }
}

#[tokio::test]
async fn matching_if_none_match_gets_not_modified() {
    let app = app(true).await;
    let first = send_request(&app, "GET", "/", &[]).await;
    let etag = first.header("etag");
    let strong = etag.trim_start_matches("W/");
    for value in [etag, "*", strong, &format!("\"another\", {etag}")] {
        let response = send_request(&app, "GET", "/", &[("if-none-match", value)]).await;
        assert_eq!((response.status, response.body.len()), (304, 0), "{value}");
        assert_eq!(response.header("etag"), etag);
        assert!(response.header("content-security-policy").contains("frame-ancestors"));
    }
    let other = send_request(&app, "GET", "/", &[("if-none-match", "\"another\"")]).await;
    assert_eq!(other.status, 200);
}

#[tokio::test]
async fn head_has_the_headers_of_get_and_other_methods_are_rejected() {
    let app = app(true).await;
    for path in ["/", &*assets()[0]] {
        let headers = [("accept-encoding", "br")];
        let get = send_request(&app, "GET", path, &headers).await;
        let head = send_request(&app, "HEAD", path, &headers).await;
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        for header in ["etag", "content-type", "content-encoding", "content-length"] {
            assert_eq!(head.header(header), get.header(header), "{path} {header}");
        }
        assert_eq!(send_request(&app, "POST", path, &[]).await.status, 405, "{path}");
    }
}

#[tokio::test]
async fn unknown_paths_are_not_found() {
    let app = app(true).await;
    for path in [
        "/playground",
        "/playground/",
        "/playground/nothing.js",
        "/playground/serve.html",
        "/playground/main.js.br",
        "/playground/..%2F..%2FCargo.toml",
        "/playground/%2e%2e/graphql",
    ] {
        assert_eq!(send_request(&app, "GET", path, &[]).await.status, 404, "{path}");
    }
}
