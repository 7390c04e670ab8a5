//! The rules of `graphql-transport-ws` that `async-graphql` does not keep.
//!
//! The guard inspects each message of the client before `async-graphql` gets it, and each message of
//! `async-graphql` before the client gets it. Both run in the task of the connection.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::extract::ws::{Message, Utf8Bytes};
use serde_json::value::RawValue;
use tokio::sync::watch;

use super::{
    close::CloseReason,
    message::{self, ClientMessage, ServerMessage},
};

/// The maximum number of operations that a connection may have at the same time.
pub(super) const MAX_OPERATIONS: usize = 100;

/// The state of one connection's protocol.
#[derive(Default)]
pub(super) struct Guard {
    state: Mutex<State>,
    /// Reports a change of the state.
    changes: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    phase: Phase,
    /// The payload of `connection_init`, until it is taken.
    init_payload: Option<Box<RawValue>>,
    /// The operations that are running, by their identifiers.
    operations: HashMap<String, OperationState>,
    /// The operation that `async-graphql` starts next.
    starting: Option<NewOperation>,
    /// True while a message waits for the one before it to be written.
    is_sending: bool,
    is_draining: bool,
    close_reason: Option<CloseReason>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// No `connection_init` has arrived.
    #[default]
    Opened,
    /// The credential is being verified.
    Initializing,
    /// Operations may start.
    Acknowledged,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OperationState {
    /// The operation is a query or a mutation, or has not started yet.
    Running,
    /// The operation is a subscription that has started.
    Subscribed,
    /// The request was rejected, so that its response becomes the message `error`.
    Rejected,
    /// The client has ended the operation.
    Stopped,
}

/// An operation that a client starts.
pub(super) struct NewOperation {
    /// The identifier of the operation.
    pub(super) id: String,
    /// The request, or `None` if the connection has too many operations.
    pub(super) payload: Option<Box<RawValue>>,
}

/// The treatment of a client's message.
pub(super) enum Verdict {
    /// `async-graphql` gets this message.
    Forward(Message),
    /// The credential has to be verified before `async-graphql` gets this message.
    Initialize(Message),
    /// The message has no effect.
    Ignore,
    /// The connection ends.
    Close(CloseReason),
}

impl Guard {
    /// Inspects a message of the client.
    pub(super) fn inspect(&self, message: &Message) -> Verdict {
        match message {
            Message::Text(text) => match ClientMessage::parse(text) {
                Some(message) => self.state().inspect(message),
                None => Verdict::Close(CloseReason::InvalidMessage),
            },
            Message::Binary(_) => Verdict::Close(CloseReason::InvalidMessage),
            Message::Ping(_) | Message::Pong(_) => Verdict::Ignore,
            Message::Close(_) => Verdict::Close(CloseReason::ClientClosed),
        }
    }

    /// Inspects a message of `async-graphql`. Returns the message that the client gets, if any.
    pub(super) fn inspect_outgoing(&self, message: Message) -> Option<Message> {
        let message = match message {
            Message::Text(text) => self.state().replace(text),
            // `async-graphql` closes a connection by itself only for messages that it does not get.
            Message::Close(_) => {
                self.close(CloseReason::InvalidMessage);
                None
            }
            other => Some(other),
        };
        self.state().is_sending = message.is_some();
        self.changes.send_replace(());
        message
    }

    /// Records that the last message will be written, even if the connection ends now.
    pub(super) fn sent(&self) {
        self.state().is_sending = false;
        self.changes.send_replace(());
    }

    /// Takes the payload of `connection_init`.
    pub(super) fn take_init_payload(&self) -> Option<Box<RawValue>> {
        self.state().init_payload.take()
    }

    /// Returns whether `async-graphql` is about to start an operation.
    pub(super) fn has_starting(&self) -> bool {
        self.state().starting.is_some()
    }

    /// Takes the operation that `async-graphql` starts.
    pub(super) fn take_starting(&self) -> Option<NewOperation> {
        self.state().starting.take()
    }

    /// Records that an operation is a subscription, which has started.
    pub(super) fn set_subscribed(&self, id: &str) {
        self.state().update(id, OperationState::Subscribed);
        self.changes.send_replace(());
    }

    /// Records that the request of an operation was rejected.
    pub(super) fn set_rejected(&self, id: &str) {
        self.state().update(id, OperationState::Rejected);
    }

    /// Sets the reason for which the connection ends. The first reason counts.
    pub(super) fn close(&self, reason: CloseReason) {
        self.state().close_reason.get_or_insert(reason);
    }

    /// Returns the reason for which the connection ends.
    pub(super) fn close_reason(&self) -> CloseReason {
        self.state().close_reason.unwrap_or(CloseReason::ClientClosed)
    }

    /// Returns whether `connection_init` has arrived.
    pub(super) fn has_init(&self) -> bool {
        self.state().phase != Phase::Opened
    }

    /// Waits until operations may start.
    pub(super) async fn acknowledged(&self) {
        self.wait_until(|state| state.phase == Phase::Acknowledged).await;
    }

    /// Waits until the client may start another operation.
    ///
    /// One operation beyond the maximum is accepted, which is rejected. More would only take memory.
    pub(super) async fn has_room(&self) {
        self.wait_until(|state| state.operations.len() <= MAX_OPERATIONS).await;
    }

    /// Lets no further operation start, and waits until no query or mutation is running and all
    /// responses were sent.
    pub(super) async fn drain(&self) {
        self.state().is_draining = true;
        self.wait_until(|state| {
            let mut operations = state.operations.values();
            !state.is_sending && operations.all(|operation| *operation != OperationState::Running)
        })
        .await;
    }

    async fn wait_until(&self, condition: impl Fn(&State) -> bool) {
        // The sender lives as long as the guard, so the wait does not fail.
        let _ = self.changes.subscribe().wait_for(|()| condition(&self.state())).await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn inspect(&mut self, message: ClientMessage) -> Verdict {
        match message {
            ClientMessage::ConnectionInit(payload) => {
                if self.phase != Phase::Opened {
                    return Verdict::Close(CloseReason::TooManyInits);
                }
                self.phase = Phase::Initializing;
                self.init_payload = payload;
                Verdict::Initialize(message::without_payload("connection_init", None))
            }
            ClientMessage::Subscribe(..) if self.phase != Phase::Acknowledged => {
                Verdict::Close(CloseReason::Unauthorized)
            }
            ClientMessage::Subscribe(id, _) if self.operations.contains_key(&id) => {
                Verdict::Close(CloseReason::DuplicateOperation)
            }
            // The client starts the operation again on its next connection.
            ClientMessage::Subscribe(..) if self.is_draining => Verdict::Ignore,
            ClientMessage::Subscribe(id, payload) => {
                let forwarded = message::without_payload("subscribe", Some(&id));
                let payload = Some(payload).filter(|_| self.operations.len() < MAX_OPERATIONS);
                self.operations.insert(id.clone(), OperationState::Running);
                self.starting = Some(NewOperation { id, payload });
                Verdict::Forward(forwarded)
            }
            ClientMessage::Complete(id) => match self.operations.get_mut(&id) {
                Some(operation) => {
                    *operation = OperationState::Stopped;
                    Verdict::Forward(message::without_payload("complete", Some(&id)))
                }
                None => Verdict::Ignore,
            },
            ClientMessage::Ping => Verdict::Forward(message::without_payload("ping", None)),
            ClientMessage::Pong => Verdict::Ignore,
        }
    }

    fn update(&mut self, id: &str, new: OperationState) {
        if let Some(operation) = self.operations.get_mut(id)
            && *operation != OperationState::Stopped
        {
            *operation = new;
        }
    }

    /// Returns the message that the client gets instead of this one of `async-graphql`.
    ///
    /// `async-graphql` confirms a client's `complete`, which could end a new operation with the same
    /// identifier. It also sends the errors of a rejected request as `next`.
    fn replace(&mut self, text: Utf8Bytes) -> Option<Message> {
        let Ok(ServerMessage { kind, id, payload }) = serde_json::from_str(&text) else {
            return Some(Message::Text(text));
        };
        let Some(id) = id else {
            if kind == "connection_ack" {
                self.phase = Phase::Acknowledged;
            }
            return Some(Message::Text(text));
        };
        match (kind, self.operations.get(&id)) {
            ("complete", Some(OperationState::Stopped | OperationState::Rejected)) => {
                self.operations.remove(&id);
                None
            }
            ("complete", _) => {
                self.operations.remove(&id);
                Some(Message::Text(text))
            }
            ("next", Some(OperationState::Rejected)) => payload
                .and_then(|response| message::to_error_message(&id, response))
                .map(Message::Text),
            _ => Some(Message::Text(text)),
        }
    }
}
