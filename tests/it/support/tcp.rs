//! Requests as bytes on TCP connections, for tests that an HTTP client cannot express.

use std::net::SocketAddr;

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use super::app::App;

/// A request that needs neither a token nor the store.
pub(crate) const TYPENAME_REQUEST: &str = "POST /graphql HTTP/1.1\r\nhost: x\r\n\
    content-type: application/json\r\ncontent-length: 26\r\n\r\n{\"query\":\"{ __typename }\"}";

/// Connects to an origin (`http://<ip>:<port>`).
pub(crate) async fn connect(origin: &str) -> TcpStream {
    TcpStream::connect(origin.trim_start_matches("http://")).await.expect("a connection")
}

/// Connects to an origin from another address of the loopback network.
pub(crate) async fn connect_from(address: &str, origin: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    let local = SocketAddr::new(address.parse().expect("an address"), 0);
    socket.bind(local).expect("an address of this machine");
    let remote = origin.trim_start_matches("http://").parse().expect("an address");
    socket.connect(remote).await.expect("a connection")
}

/// Returns the bytes of a query or mutation of ada, with additional header lines.
pub(crate) fn request_text(app: &App, query: &str, lines: &str) -> String {
    let body = json!({"query": query}).to_string();
    format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{lines}\
         authorization: Bearer {}\r\ncontent-length: {}\r\n\r\n{body}",
        app.token("ada", []),
        body.len()
    )
}

pub(crate) async fn send(stream: &mut TcpStream, bytes: impl AsRef<[u8]>) {
    stream.write_all(bytes.as_ref()).await.expect("sent");
}

/// Reads one response of a connection that stays open.
pub(crate) async fn read_response(stream: &mut TcpStream) -> String {
    let mut received = Vec::new();
    while !is_complete(&received) {
        let read = stream.read_buf(&mut received).await.expect("a response");
        assert!(read > 0, "incomplete: {}", String::from_utf8_lossy(&received));
    }
    String::from_utf8(received).expect("UTF-8")
}

/// Returns whether the bytes are a head and a body of the declared length.
fn is_complete(received: &[u8]) -> bool {
    let text = String::from_utf8_lossy(received);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().expect("a length"))
}

/// Reads until the server closes the connection. A reset closes it, too.
pub(crate) async fn read_until_closed(stream: &mut TcpStream) -> String {
    let mut received = Vec::new();
    while stream.read_buf(&mut received).await.is_ok_and(|read| read > 0) {}
    String::from_utf8(received).expect("UTF-8")
}

/// Disconnects with a reset, as the system does for a process that ends with unread bytes.
///
/// The end of a stream alone does not tell a server that the client has gone.
pub(crate) fn reset(stream: TcpStream) {
    stream.set_zero_linger().expect("an option of the socket");
    drop(stream);
}
