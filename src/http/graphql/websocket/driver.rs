//! Serves one WebSocket until it ends: drives its operations, and observes the events that end it.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use async_graphql_axum::{GraphQLProtocol, GraphQLWebSocket};
use axum::{
    Error,
    extract::ws::{Message, WebSocket},
};
use futures_util::{
    Sink, SinkExt, Stream, StreamExt,
    future::BoxFuture,
    sink,
    stream::{self, SplitSink, SplitStream},
};
use tokio::sync::mpsc;

use crate::{
    http::{
        live_connections::wait_for_expiry,
        rate_limit::BASE_COST,
        serve::{ShutdownPhase, wait_for_phase},
    },
    trace,
};

use super::{
    close::CloseReason, connection::Connection, guard::Verdict, operation::OperationExecutor,
    writer,
};

/// The maximum time for a client to send `connection_init`.
const INIT_TIMEOUT: Duration = Duration::from_secs(10);
/// The maximum time for a client to confirm the end of the connection.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// The verification of a credential. It returns the message that `async-graphql` then gets.
type Initialization<'a> = BoxFuture<'a, Result<Message, CloseReason>>;

/// Drives one connection.
pub(super) struct ConnectionDriver(pub(super) Arc<Connection>);

impl ConnectionDriver {
    /// Serves the connection until it ends.
    pub(super) async fn serve(self, socket: WebSocket, protocol: GraphQLProtocol) {
        let start = Instant::now();
        let mut shutdown = self.0.state().shutdown.clone();
        let aborting = wait_for_phase(&mut shutdown, ShutdownPhase::Aborting);
        let (mut sink, mut stream) = socket.split();
        let reason = tokio::select! {
            reason = self.run(&mut sink, &mut stream, protocol) => reason,
            () = aborting => CloseReason::GoingAway,
        };
        self.record_end(reason, start.elapsed());
        let mut shutdown = self.0.state().shutdown.clone();
        tokio::select! {
            () = close(&mut sink, &mut stream, reason) => {}
            () = wait_for_phase(&mut shutdown, ShutdownPhase::Aborting) => {}
        }
    }

    /// Runs the protocol. Returns the reason for which the connection ends.
    async fn run(
        &self,
        sink: &mut SplitSink<WebSocket, Message>,
        stream: &mut SplitStream<WebSocket>,
        protocol: GraphQLProtocol,
    ) -> CloseReason {
        let (sender, mut messages) = mpsc::channel(1);
        let executor = OperationExecutor(self.0.clone());
        let (outgoing, incoming) = (self.outgoing(sender), self.incoming(stream));
        let driver =
            GraphQLWebSocket::new_with_pair(outgoing, incoming, executor, protocol).serve();
        let reason = tokio::select! {
            reason = writer::write(sink, &mut messages, &self.0.is_alive) => reason,
            () = driver => self.0.guard.close_reason(),
            reason = self.wait_for_end() => reason,
        };
        // The client still gets the responses that were sent.
        while let Ok(message) = messages.try_recv() {
            let _ = tokio::time::timeout(CLOSE_TIMEOUT, sink.send(message)).await;
        }
        reason
    }

    /// Returns the messages of the client that `async-graphql` gets.
    ///
    /// It gets `connection_init` when the credential is verified. Meanwhile, other messages are read.
    fn incoming<'a>(
        &'a self,
        stream: &'a mut SplitStream<WebSocket>,
    ) -> impl Stream<Item = Result<Message, Error>> + 'a {
        let state = (stream, None::<Initialization<'a>>);
        stream::unfold(state, move |(stream, mut initialization)| async move {
            loop {
                self.0.guard.has_room().await;
                let verdict = tokio::select! {
                    biased;
                    result = initialized(&mut initialization) => match result {
                        Ok(message) => Verdict::Forward(message),
                        Err(reason) => Verdict::Close(reason),
                    },
                    message = stream.next() => match message {
                        Some(Ok(message)) => self.receive(&message),
                        Some(Err(error)) => Verdict::Close(self.error_reason(error)),
                        None => Verdict::Close(CloseReason::ClientClosed),
                    },
                };
                match verdict {
                    Verdict::Forward(message) => {
                        return Some((Ok(message), (stream, initialization)));
                    }
                    Verdict::Initialize(message) => {
                        initialization =
                            Some(Box::pin(async { self.0.initialize().await.map(|()| message) }));
                    }
                    Verdict::Ignore => {}
                    Verdict::Close(reason) => {
                        self.0.guard.close(reason);
                        return None;
                    }
                }
            }
        })
    }

    /// Inspects a message of the client, and charges its cost.
    ///
    /// The pipeline charges the cost of an operation itself.
    fn receive(&self, message: &Message) -> Verdict {
        self.0.is_alive.store(true, Ordering::Relaxed);
        let verdict = self.0.guard.inspect(message);
        if self.0.guard.has_starting() {
            return verdict;
        }
        let caller = self.0.identity().and_then(|identity| identity.caller.as_ref());
        match self.0.pipeline.check_rate_limit(self.0.pipeline.rate_limit_key(caller), BASE_COST, 0)
        {
            Ok(()) => verdict,
            Err(_) => Verdict::Close(CloseReason::TryAgainLater),
        }
    }

    /// Returns the sink for the messages of `async-graphql`.
    fn outgoing(&self, sender: mpsc::Sender<Message>) -> impl Sink<Message, Error = ()> + '_ {
        sink::unfold(sender, move |sender, message| async move {
            if let Some(message) = self.0.guard.inspect_outgoing(message) {
                sender.send(message).await.map_err(|_| ())?;
                self.0.guard.sent();
            }
            Ok(sender)
        })
    }

    /// Waits for an event that ends the connection, other than a message.
    async fn wait_for_end(&self) -> CloseReason {
        let limits = &self.0.state().traffic_limits.live_connections;
        let init_timeout = async {
            tokio::time::sleep(INIT_TIMEOUT).await;
            if self.0.guard.has_init() {
                std::future::pending::<()>().await;
            }
        };
        let expiry = async {
            self.0.guard.acknowledged().await;
            let expires_at = self.0.identity().and_then(|identity| identity.expires_at);
            wait_for_expiry(self.0.state().clock.clone(), expires_at).await;
        };
        let shutdown = async {
            limits.wait_for_shutdown(self.0.state().shutdown.clone()).await;
            // Queries and mutations that are running still get their responses.
            self.0.guard.drain().await;
        };
        tokio::select! {
            () = init_timeout => CloseReason::InitTimeout,
            () = expiry => CloseReason::TokenExpired,
            () = shutdown => CloseReason::GoingAway,
        }
    }

    /// Returns the reason for which a message cannot be read.
    fn error_reason(&self, error: Error) -> CloseReason {
        // axum does not export the type of the error, but its text is documented.
        if !error.into_inner().to_string().contains("too long") {
            return CloseReason::ClientClosed;
        }
        // No later message can be read, but the client may still be sending this one.
        self.0.discard_rest();
        CloseReason::MessageTooBig
    }

    fn record_end(&self, reason: CloseReason, duration: Duration) {
        self.0.state().metrics.record_websocket_close(reason.as_label());
        let auth_error = self.0.pipeline.telemetry().with_facts(|facts| facts.auth_error);
        tracing::info!(
            target: trace::REQUEST_LOG_TARGET,
            request_id = self.0.pipeline.request_id(),
            code = reason.as_label(),
            duration_ms = duration.as_millis(),
            auth_error,
            "WebSocket closed"
        );
    }
}

/// Waits for the verification of a credential, and ends it. Without one, the wait never ends.
async fn initialized(
    initialization: &mut Option<Initialization<'_>>,
) -> Result<Message, CloseReason> {
    let Some(running) = initialization else { return std::future::pending().await };
    let result = running.await;
    *initialization = None;
    result
}

/// Sends the reason to the client, and waits for the client to close the connection.
///
/// A client that does not respond gets no more time.
async fn close(
    sink: &mut SplitSink<WebSocket, Message>,
    stream: &mut SplitStream<WebSocket>,
    reason: CloseReason,
) {
    if reason == CloseReason::Unresponsive {
        return;
    }
    let handshake = async {
        if let Some(message) = reason.message() {
            let _ = sink.send(message).await;
        }
        while stream.next().await.is_some_and(|message| message.is_ok()) {}
    };
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, handshake).await;
}
