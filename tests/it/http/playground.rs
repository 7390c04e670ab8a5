//! The playground's files, as a browser and others ask for them.

use std::io::Read;

use axum::{body::Body, http::Request};
use http_body_util::BodyExt;

use crate::support::app::{App, Backend, Setup};

/// An answer with its body as it was sent.
struct Got {
    status: u16,
    headers: axum::http::HeaderMap,
    body: Vec<u8>,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }
}

async fn app(playground: bool) -> App {
    App::with(Backend::Sqlite, Setup { playground, ..Setup::default() }).await
}

async fn ask(app: &App, method: &str, path: &str, headers: &[(&str, &str)]) -> Got {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = app.respond(request.body(Body::empty()).expect("a request")).await;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.expect("a body").to_bytes().to_vec();
    Got { status: parts.status.as_u16(), headers: parts.headers, body }
}

/// Every path of a file that the program has, by the names of the committed ones.
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

/// What a page names in `src` and `href`.
fn named(page: &str) -> Vec<&str> {
    let after = |start| page.split(start).skip(1).filter_map(|rest| rest.split('"').next());
    after("src=\"").chain(after("href=\"")).collect()
}

#[tokio::test]
async fn nothing_is_there_where_it_is_off() {
    let app = app(false).await;
    for path in assets().iter().map(String::as_str).chain(["/", "/playground/", "/playground"]) {
        let got = ask(&app, "GET", path, &[("accept", "text/html")]).await;
        assert_eq!((got.status, got.body.len()), (404, 0), "{path}");
    }
    let got = ask(&app, "GET", "/graphql", &[("accept", "text/html")]).await;
    assert_eq!(got.status, 406);
}

#[tokio::test]
async fn the_page_is_at_the_root_and_at_the_endpoint_for_a_browser() {
    let app = app(true).await;
    // Who wants an answer more than a page gets one.
    for accept in ["application/json, text/html;q=0.1", "text/html, application/json"] {
        let got = ask(&app, "GET", "/graphql?query=%7B__typename%7D", &[("accept", accept)]).await;
        assert_eq!(got.body, br#"{"data":{"__typename":"Query"}}"#, "{accept}");
    }
    let browser = [("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
    let root = ask(&app, "GET", "/", &[]).await;
    let endpoint = ask(&app, "GET", "/graphql", &browser).await;
    assert_eq!((root.status, endpoint.status), (200, 200));
    assert_eq!(root.body, endpoint.body);
    assert_eq!(root.header("content-type"), "text/html; charset=utf-8");
    // A client of GraphQL gets none.
    let query = "/graphql?query=%7B__typename%7D";
    let answer = ask(&app, "GET", query, &[("accept", "application/json")]).await;
    assert_eq!(answer.body, br#"{"data":{"__typename":"Query"}}"#);
}

#[tokio::test]
async fn a_page_names_only_files_beside_it_and_runs_nothing_of_its_own() {
    let app = app(true).await;
    let page = String::from_utf8(ask(&app, "GET", "/", &[]).await.body).expect("UTF-8");
    assert!(page.contains("data-mode=\"serve\""), "{page}");
    let named = named(&page);
    assert!(named.len() > 2, "{page}");
    for reference in named {
        let path = reference.strip_prefix('.').expect("relative to wherever the page is");
        assert_eq!(ask(&app, "GET", path, &[]).await.status, 200, "{path}");
    }
    assert_eq!(page.matches("<script").count(), page.matches(" src=\"./playground/").count());
    assert!(!page.contains("<style") && !page.contains(" onload"), "{page}");
}

#[tokio::test]
async fn every_file_has_its_type_the_policy_and_a_time_to_be_kept() {
    let app = app(true).await;
    for path in assets().iter().map(String::as_str).chain(["/"]) {
        let got = ask(&app, "GET", path, &[("accept-encoding", "br")]).await;
        assert_eq!((got.status, got.header("content-encoding")), (200, "br"), "{path}");
        let policy = got.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.split(';').any(|told| told.trim() == part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe-eval") && !policy.contains("http"), "{policy}");
        assert_eq!(policy.matches("unsafe-inline").count(), 1, "for styles alone: {policy}");
        assert_eq!(got.header("x-content-type-options"), "nosniff");
        assert_eq!(got.header("referrer-policy"), "no-referrer");
        let (kind, kept) = match path.rsplit('.').next() {
            Some("js") => ("text/javascript; charset=utf-8", true),
            Some("css") => ("text/css; charset=utf-8", true),
            Some("svg") => ("image/svg+xml", true),
            Some("woff2") => ("font/woff2", true),
            Some("ttf") => ("font/ttf", true),
            Some("md") => ("text/markdown; charset=utf-8", false),
            _ => ("text/html; charset=utf-8", false),
        };
        assert_eq!(got.header("content-type"), kind, "{path}");
        let keep = if kept { "public, max-age=31536000, immutable" } else { "no-cache" };
        assert_eq!(got.header("cache-control"), keep, "{path}");
    }
}

#[tokio::test]
async fn a_file_comes_as_the_client_takes_it_and_never_compressed_twice() {
    let app = app(true).await;
    for path in assets().iter().map(String::as_str).chain(["/"]) {
        let plain = ask(&app, "GET", path, &[]).await;
        assert_eq!(plain.header("content-encoding"), "", "{path}");
        assert!(plain.header("vary").contains("accept-encoding"), "{path}");
        let packed = ask(&app, "GET", path, &[("accept-encoding", "gzip, deflate, br")]).await;
        assert_eq!(packed.header("content-encoding"), "br", "{path}");
        let mut read = Vec::new();
        let done =
            brotli_decompressor::Decompressor::new(&*packed.body, 4096).read_to_end(&mut read);
        done.expect("brotli");
        assert_eq!(read, plain.body, "{path}");
        assert_eq!(packed.header("etag"), plain.header("etag"), "{path}");
        let gzip = ask(&app, "GET", path, &[("accept-encoding", "gzip, br;q=0")]).await;
        if gzip.header("content-encoding") == "gzip" {
            let mut read = Vec::new();
            flate2::read::GzDecoder::new(&*gzip.body).read_to_end(&mut read).expect("gzip");
            assert_eq!(read, plain.body, "{path}");
        } else {
            assert!(gzip.body == plain.body && plain.body.len() < 1024, "{path}");
        }
    }
}

#[tokio::test]
async fn who_has_a_file_already_is_told_so() {
    let app = app(true).await;
    let first = ask(&app, "GET", "/", &[]).await;
    let tag = first.header("etag");
    let strong = tag.trim_start_matches("W/");
    for known in [tag, "*", strong, &format!("\"another\", {tag}")] {
        let again = ask(&app, "GET", "/", &[("if-none-match", known)]).await;
        assert_eq!((again.status, again.body.len()), (304, 0), "{known}");
        assert_eq!(again.header("etag"), tag);
        assert!(again.header("content-security-policy").contains("frame-ancestors"));
    }
    let other = ask(&app, "GET", "/", &[("if-none-match", "\"another\"")]).await;
    assert_eq!(other.status, 200);
}

#[tokio::test]
async fn a_head_tells_what_a_get_would_and_other_methods_do_nothing() {
    let app = app(true).await;
    for path in ["/", &*assets()[0]] {
        let coding = [("accept-encoding", "br")];
        let get = ask(&app, "GET", path, &coding).await;
        let head = ask(&app, "HEAD", path, &coding).await;
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        for header in ["etag", "content-type", "content-encoding", "content-length"] {
            assert_eq!(head.header(header), get.header(header), "{path} {header}");
        }
        assert_eq!(ask(&app, "POST", path, &[]).await.status, 405, "{path}");
    }
}

#[tokio::test]
async fn what_is_no_file_is_not_found() {
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
        assert_eq!(ask(&app, "GET", path, &[]).await.status, 404, "{path}");
    }
}
