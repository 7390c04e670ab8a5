//! Reads the events of `text/event-stream`.

use axum::{body::Body, response::Response};
use http_body_util::BodyExt;
use serde_json::Value;

/// A response that is an event stream.
pub(crate) struct EventStreamReader {
    pub(crate) response: Response<Body>,
    received: String,
}

/// One event, or a comment without a name.
#[derive(Debug, PartialEq)]
pub(crate) struct StreamEvent {
    pub(crate) name: String,
    pub(crate) id: Option<String>,
    pub(crate) data: Value,
}

impl EventStreamReader {
    /// Asserts that the response is an event stream.
    pub(crate) fn new(response: Response<Body>) -> Self {
        let headers = response.headers();
        assert_eq!(response.status(), 200);
        assert_eq!(headers["content-type"], "text/event-stream");
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(headers.get("content-encoding"), None);
        Self { response, received: String::new() }
    }

    /// Returns the next event or comment. `None` is the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<StreamEvent> {
        let end = loop {
            if let Some(end) = self.received.find("\n\n") {
                break end;
            }
            let frame = self.response.body_mut().frame().await?.expect("a frame");
            let data = frame.into_data().expect("data");
            self.received.push_str(str::from_utf8(&data).expect("UTF-8"));
        };
        let text: String = self.received.drain(..end + 2).collect();
        let field = |name: &str| {
            let mut lines = text.lines().filter_map(|line| line.split_once(':'));
            lines.find_map(|(field, value)| (field == name).then(|| value.trim_start().to_owned()))
        };
        let data = field("data").filter(|data| !data.is_empty());
        Some(StreamEvent {
            name: field("event").unwrap_or_default(),
            id: field("id"),
            data: data.map_or(Value::Null, |data| serde_json::from_str(&data).expect("JSON")),
        })
    }

    /// Returns the next event, and skips comments.
    pub(crate) async fn next_event(&mut self) -> Option<StreamEvent> {
        loop {
            match self.next().await {
                Some(event) if event.name.is_empty() => {}
                other => return other,
            }
        }
    }
}
