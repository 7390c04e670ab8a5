//! The messages of a client, and those that the gateway passes on or replaces.
//!
//! A payload stays text: a parsed value takes a multiple of the memory of its text.

use std::borrow::Cow;

use axum::extract::ws::{Message, Utf8Bytes};
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};

/// The maximum length of an operation's identifier, in bytes.
const MAX_ID_BYTES: usize = 255;

/// A message of a client.
#[derive(Debug)]
pub(super) enum ClientMessage {
    /// Opens the connection. The payload is a JSON object, if there is one.
    ConnectionInit(Option<Box<RawValue>>),
    /// Starts an operation. The payload is a JSON object.
    Subscribe(String, Box<RawValue>),
    /// Ends an operation.
    Complete(String),
    /// Asks for a pong.
    Ping,
    /// Responds to a ping.
    Pong,
}

/// The members of all messages.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    id: Option<String>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

impl ClientMessage {
    /// Parses a message. Returns `None` if the protocol has no such message of a client.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let Envelope { kind, id, payload } = serde_json::from_str(text).ok()?;
        let id = id.filter(|id| (1..=MAX_ID_BYTES).contains(&id.len()));
        let payload = payload.filter(|payload| payload.get() != "null");
        if payload.is_some_and(|payload| !payload.get().starts_with('{')) {
            return None;
        }
        Some(match &*kind {
            "connection_init" => Self::ConnectionInit(payload.map(ToOwned::to_owned)),
            "subscribe" => Self::Subscribe(id?, payload?.to_owned()),
            "complete" => Self::Complete(id?),
            "ping" => Self::Ping,
            "pong" => Self::Pong,
            _ => return None,
        })
    }
}

/// Returns the credentials of `connection_init`: the values of all members named `authorization`.
///
/// Names are compared without regard to case, as those of headers. `null` counts as absent. Returns
/// `None` if a value is not a text.
pub(super) fn credentials(payload: Option<&RawValue>) -> Option<Vec<String>> {
    let Some(payload) = payload else { return Some(Vec::new()) };
    serde_json::from_str::<Credentials>(payload.get()).ok().map(|Credentials(values)| values)
}

/// Collects the members named `authorization`.
struct Credentials(Vec<String>);

impl<'de> Deserialize<'de> for Credentials {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(CredentialsVisitor)
    }
}

struct CredentialsVisitor;

impl<'de> serde::de::Visitor<'de> for CredentialsVisitor {
    type Value = Credentials;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(
        self,
        mut object: A,
    ) -> Result<Credentials, A::Error> {
        let mut values = Vec::new();
        while let Some(name) = object.next_key::<String>()? {
            if name.eq_ignore_ascii_case("authorization") {
                values.extend(object.next_value::<Option<String>>()?);
            } else {
                object.next_value::<serde::de::IgnoredAny>()?;
            }
        }
        Ok(Credentials(values))
    }
}

/// Returns the message without its payload, for `async-graphql`, which would parse all of it.
pub(super) fn without_payload(kind: &str, id: Option<&str>) -> Message {
    let message = match (kind, id) {
        ("subscribe", id) => json!({"type": kind, "id": id, "payload": {}}),
        (_, Some(id)) => json!({"type": kind, "id": id}),
        (_, None) => json!({"type": kind}),
    };
    Message::text(message.to_string())
}

/// A message of the gateway, as `async-graphql` has written it.
#[derive(Deserialize)]
pub(super) struct ServerMessage<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'a str,
    /// The identifier of the operation.
    pub(super) id: Option<String>,
    /// The response of the operation.
    #[serde(borrow)]
    pub(super) payload: Option<&'a RawValue>,
}

/// Replaces `next` with `error`, which has only the errors of the response.
pub(super) fn to_error_message(id: &str, response: &RawValue) -> Option<Utf8Bytes> {
    #[derive(Deserialize)]
    struct Response<'a> {
        #[serde(borrow)]
        errors: &'a RawValue,
    }
    #[derive(Serialize)]
    struct ErrorMessage<'a> {
        #[serde(rename = "type")]
        kind: &'static str,
        id: &'a str,
        payload: &'a RawValue,
    }
    let Response { errors } = serde_json::from_str(response.get()).ok()?;
    let message = ErrorMessage { kind: "error", id, payload: errors };
    serde_json::to_string(&message).ok().map(Into::into)
}
