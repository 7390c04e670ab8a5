//! Heads of requests: their maximum length, and forms that servers read differently.

use tenantry::http::MAX_HEAD_BYTES;

use crate::support::{
    app::{App, Backend},
    tcp::{TYPENAME_REQUEST, connect, read_response, read_until_closed, send},
};

const TYPENAME: &str = r#"{"data":{"__typename":"Query"}}"#;

/// Returns a request whose head has exactly this length.
fn request_with_head_of(length: usize, body: &str) -> String {
    let (start, end) = TYPENAME_REQUEST.split_once("\r\n").expect("a request line");
    let (fields, _) = end.split_once("content-length").expect("a length");
    let fields = format!("{start}\r\n{fields}content-length: {}\r\nx-padding: ", body.len());
    let padding = "a".repeat(length - fields.len() - "\r\n\r\n".len());
    format!("{fields}{padding}\r\n\r\n{body}")
}

/// Returns a body of this length.
fn body_of(length: usize) -> String {
    let query = r#"{"query":"{ __typename }""#;
    format!("{query}{}}}", "\n".repeat(length - query.len() - 1))
}

/// Sends bytes while it reads the response.
async fn exchange(origin: &str, bytes: &[u8]) -> String {
    let mut stream = connect(origin).await;
    send(&mut stream, bytes).await;
    read_until_closed(&mut stream).await
}

#[tokio::test]
async fn head_over_32_kib_is_431() {
    let app = App::on(Backend::Sqlite).await;
    let origin = app.serve().await;
    // The body has the maximum length, too.
    let mut stream = connect(&origin).await;
    for _ in 0..2 {
        send(&mut stream, request_with_head_of(MAX_HEAD_BYTES, &body_of(256 * 1024))).await;
        assert!(read_response(&mut stream).await.ends_with(TYPENAME));
    }
    for length in [MAX_HEAD_BYTES + 1, 390_000] {
        let request = request_with_head_of(length, &body_of(26));
        // Without the limit, the server would close the connection after another response.
        let request = request.replace("x-padding: aaaaaaaaaa", "connection: close\r\nx:");
        let response = exchange(&origin, request.as_bytes()).await;
        assert!(response.starts_with("HTTP/1.1 431 "), "{length}: {response}");
    }
    let query = "a".repeat(MAX_HEAD_BYTES);
    let request =
        format!("GET /graphql?query={query} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert!(exchange(&origin, request.as_bytes()).await.starts_with("HTTP/1.1 431 "));
    // The server does not wait for the end of the head.
    let response = exchange(&origin, &request.as_bytes()[..MAX_HEAD_BYTES]).await;
    assert!(response.starts_with("HTTP/1.1 431 "), "{response}");
}

#[tokio::test]
async fn head_that_servers_read_differently_is_400() {
    let app = App::on(Backend::Sqlite).await;
    let origin = app.serve().await;
    let valid = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                 content-length: 26\r\nx-a: b\r\n\r\n{\"query\":\"{ __typename }\"}";
    let replace = |from: &str, to: &str| valid.replacen(from, to, 1);
    for invalid in [
        format!("\n{valid}"),
        replace("HTTP/1.1\r\n", "HTTP/1.1\n"),
        replace("host: x\r\n", "host: x\n"),
        replace("\r\n\r\n", "\r\n\n"),
        replace("\r\n\r\n", "\n\r\n"),
        replace("\r\n\r\n", "\n\n"),
        replace("\r\n", "\n").replace('\r', ""),
        replace("x-a: b", "x-a: b\rc"),
        replace("x-a: b", "x-a: b\0"),
        replace("x-a: b", "x-a: b\x01"),
        replace("x-a: b", "x-a: b\r\n c"),
        replace("x-a: b", "x-a : b"),
        replace("x-a: b", " x-a: b"),
        replace("x-a: b", "x-a"),
        replace("x-a: b", "content-length: 26"),
        replace("x-a: b", "content-length: 27"),
        replace("x-a: b", "transfer-encoding: chunked"),
        replace("content-length: 26", "content-length: +26"),
        replace("content-length: 26", "transfer-encoding: gzip, chunked"),
    ] {
        // If the server accepted the request, it would close the connection after the response.
        let invalid = invalid.replacen("host: x", "host: x\r\nconnection: close", 1);
        let is_rejected = |response: &str| response.starts_with("HTTP/1.1 400 Bad Request\r\n");
        let response = exchange(&origin, invalid.as_bytes()).await;
        assert!(is_rejected(&response), "{invalid:?}: {response}");
        // The same request after another one on a connection that is kept alive.
        let mut kept = connect(&origin).await;
        send(&mut kept, valid).await;
        assert!(read_response(&mut kept).await.ends_with(TYPENAME));
        send(&mut kept, &invalid).await;
        let response = read_until_closed(&mut kept).await;
        assert!(is_rejected(&response), "{invalid:?}: {response}");
        // The same request before the response to another one.
        let responses = exchange(&origin, format!("{valid}{invalid}{valid}").as_bytes()).await;
        let (_, response) = responses.split_once(TYPENAME).expect("the first response");
        assert!(is_rejected(response) && !response.contains(TYPENAME), "{invalid:?}: {responses}");
    }
}

#[tokio::test]
async fn body_may_contain_any_line_endings() {
    let app = App::on(Backend::Sqlite).await;
    let origin = app.serve().await;
    let body = "\n\r\n{\"query\":\n\n\"{ __typename }\"\r\n\r\n}\n\n";
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let (first, second) = body.split_at(10);
    let fixed = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    let chunked = format!(
        "\r\n{head}transfer-encoding: chunked\r\n\r\n{:x}\r\n{first}\r\n{:X};a=\"b\"\r\n{second}\r\n\
         0\r\nx-trailer: a\r\n\r\n",
        first.len(),
        second.len()
    );
    let requests = [&*fixed, &chunked, &chunked, &fixed, TYPENAME_REQUEST].concat();
    let last = TYPENAME_REQUEST.replace("host: x", "host: x\r\nconnection: close");
    for piece in [1, 7, usize::MAX] {
        let mut stream = connect(&origin).await;
        stream.set_nodelay(true).expect("an option of the socket");
        for bytes in format!("{requests}{last}").as_bytes().chunks(piece) {
            send(&mut stream, bytes).await;
        }
        let responses = read_until_closed(&mut stream).await;
        assert_eq!(responses.matches(TYPENAME).count(), 6, "{responses}");
    }
}

#[tokio::test]
async fn invalid_framing_of_a_chunked_body_ends_the_connection() {
    let app = App::on(Backend::Sqlite).await;
    let origin = app.serve().await;
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                transfer-encoding: chunked\r\n\r\n";
    let body = "{\"query\":\"{ __typename }\"}";
    for invalid in [
        format!("1a\n{body}\r\n0\r\n\r\n"),
        format!("1a\r\n{body}\n0\r\n\r\n"),
        format!("1a\r\n{body}\r\n0\n\n"),
        format!("1a\r\n{body}\r\n0\r\nx: y\n\r\n"),
        format!("+1a\r\n{body}\r\n0\r\n\r\n"),
    ] {
        let requests = format!("{head}{invalid}{TYPENAME_REQUEST}");
        let responses = exchange(&origin, requests.as_bytes()).await;
        assert!(responses.starts_with("HTTP/1.1 400 "), "{invalid:?}: {responses}");
        assert!(!responses.contains(TYPENAME), "{invalid:?}: {responses}");
    }
}
