//! Writes the messages of a connection, and pings its client.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use axum::{
    body::Bytes,
    extract::ws::{Message, WebSocket},
};
use futures_util::{SinkExt, stream::SplitSink};
use tokio::sync::mpsc;

use super::close::CloseReason;

/// The time after which an idle client gets a ping. It has the same time to respond.
const HEARTBEAT: Duration = Duration::from_secs(12);

/// Writes messages until the client has gone. Returns the reason.
///
/// One message waits at most while another one is written. So a client that reads slowly takes no
/// memory: its operations wait. `is_alive` is set by every message of the client.
pub(super) async fn write(
    sink: &mut SplitSink<WebSocket, Message>,
    messages: &mut mpsc::Receiver<Message>,
    is_alive: &AtomicBool,
) -> CloseReason {
    is_alive.store(true, Ordering::Relaxed);
    loop {
        let message = tokio::select! {
            message = messages.recv() => message,
            // The time starts again with each message, because a client that reads slowly delays
            // its own messages.
            () = tokio::time::sleep(HEARTBEAT) => {
                if !is_alive.swap(false, Ordering::Relaxed) {
                    return CloseReason::Unresponsive;
                }
                Some(Message::Ping(Bytes::new()))
            }
        };
        // All messages were sent before the sender was dropped.
        let Some(message) = message else { return std::future::pending().await };
        if sink.send(message).await.is_err() {
            return CloseReason::ClientClosed;
        }
    }
}
