//! A client of `graphql-transport-ws` on a TCP connection, for tests of single messages.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest, http::HeaderValue},
};

use super::tcp::connect;

/// A connected WebSocket.
pub(crate) struct WebSocketClient {
    socket: WebSocketStream<TcpStream>,
}

impl WebSocketClient {
    /// Opens a WebSocket with these headers and the subprotocol.
    ///
    /// The error is the status of the response and its body.
    pub(crate) async fn open(
        origin: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, (u16, String)> {
        let protocol = ("sec-websocket-protocol", "graphql-transport-ws");
        Self::open_with(origin, &[&[protocol], headers].concat()).await
    }

    /// Opens a WebSocket with these headers only.
    pub(crate) async fn open_with(
        origin: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, (u16, String)> {
        let url = format!("{}/graphql", origin.replace("http://", "ws://"));
        let mut request = url.into_client_request().expect("a URL");
        for (name, value) in headers {
            request.headers_mut().append(*name, HeaderValue::from_str(value).expect("a header"));
        }
        match client_async(request, connect(origin).await).await {
            Ok((socket, response)) => {
                let protocol = response.headers().get("sec-websocket-protocol");
                assert_eq!(protocol.map(HeaderValue::as_bytes), Some(&b"graphql-transport-ws"[..]));
                Ok(Self { socket })
            }
            Err(Error::Http(response)) => {
                let body = response.body().clone().unwrap_or_default();
                Err((response.status().as_u16(), String::from_utf8(body).expect("UTF-8")))
            }
            Err(error) => panic!("no response: {error}"),
        }
    }

    /// Opens a WebSocket and sends `connection_init` with this token.
    pub(crate) async fn init(origin: &str, token: Option<&str>) -> Self {
        let mut client = Self::open(origin, &[]).await.expect("a WebSocket");
        let payload = token.map(|token| json!({"authorization": format!("Bearer {token}")}));
        client.send(json!({"type": "connection_init", "payload": payload})).await;
        assert_eq!(client.next().await, json!({"type": "connection_ack"}));
        client
    }

    /// Sends a message.
    pub(crate) async fn send(&mut self, message: Value) {
        self.send_frame(Message::text(message.to_string())).await;
    }

    /// Sends a frame.
    pub(crate) async fn send_frame(&mut self, frame: Message) {
        self.socket.send(frame).await.expect("sent");
    }

    /// Starts an operation.
    pub(crate) async fn subscribe(&mut self, id: &str, query: &str) {
        let payload = json!({"query": query});
        self.send(json!({"type": "subscribe", "id": id, "payload": payload})).await;
    }

    /// Returns the next message.
    pub(crate) async fn next(&mut self) -> Value {
        match self.next_frame().await {
            Some(Message::Text(text)) => serde_json::from_str(&text).expect("JSON"),
            other => panic!("not a message: {other:?}"),
        }
    }

    /// Returns the next frame that is no ping or pong. `None` is the end of the connection.
    pub(crate) async fn next_frame(&mut self) -> Option<Message> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(message)) => return Some(message),
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// Runs an operation to its end. Returns its payloads and the type of each message.
    pub(crate) async fn run(&mut self, payload: Value) -> Vec<(String, Value)> {
        self.send(json!({"type": "subscribe", "id": "run", "payload": payload})).await;
        let mut messages = Vec::new();
        loop {
            let message = self.next().await;
            assert_eq!(message["id"], "run", "{message}");
            let kind = message["type"].as_str().expect("a type").to_owned();
            if kind == "complete" {
                return messages;
            }
            let is_last = kind == "error";
            messages.push((kind, message["payload"].clone()));
            if is_last {
                return messages;
            }
        }
    }

    /// Reads until the gateway closes the connection. Returns the close code.
    pub(crate) async fn close_code(&mut self) -> u16 {
        loop {
            match self.next_frame().await {
                Some(Message::Close(frame)) => return frame.expect("a close code").code.into(),
                Some(_) => {}
                None => panic!("the connection ended without a close code"),
            }
        }
    }

    /// Returns the TCP connection, without closing the WebSocket.
    pub(crate) fn into_stream(self) -> TcpStream {
        self.socket.into_inner()
    }
}
