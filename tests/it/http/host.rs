//! The `Host` header of HTTP/1.1 (RFC 9112, section 3.2).

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::app::{App, Backend};

/// Sends a request with these header lines, and returns the status and the body of its response.
async fn status_and_body(origin: &str, version: &str, headers: &str) -> (u16, String) {
    let body = json!({"query": "{ __typename }"}).to_string();
    let length = body.len();
    let request = format!(
        "POST /graphql {version}\r\n{headers}connection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    let mut stream =
        TcpStream::connect(origin.trim_start_matches("http://")).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut response = String::new();
    stream.read_to_string(&mut response).await.expect("a response");
    let (head, body) = response.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("a status"), body.to_owned())
}

#[tokio::test]
async fn http_1_1_request_needs_exactly_one_valid_host() {
    let app = App::on(Backend::Sqlite).await;
    let origin = app.serve().await;
    for headers in [
        "",
        "host: a.example\r\nhost: a.example\r\n",
        "host: a.example\r\nHost: b.example\r\n",
        "host: a.example, b.example\r\n",
        "host: user@a.example\r\n",
        "host: a.example/path\r\n",
    ] {
        let (status, body) = status_and_body(&origin, "HTTP/1.1", headers).await;
        assert_eq!(status, 400, "{headers:?} {body}");
        let body: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(body["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
        assert!(body["extensions"]["requestId"].is_string(), "{body}");
    }
    for headers in
        ["host: a.example\r\n", "host: a.example:8080\r\n", "host: [::1]:8080\r\n", "host:\r\n"]
    {
        let (status, body) = status_and_body(&origin, "HTTP/1.1", headers).await;
        assert_eq!(status, 200, "{headers:?} {body}");
    }
    assert_eq!(status_and_body(&origin, "HTTP/1.0", "").await.0, 200);
}
