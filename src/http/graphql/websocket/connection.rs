//! Serves one WebSocket until it ends.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use async_graphql::Data;
use async_graphql_axum::{GraphQLProtocol, GraphQLWebSocket};
use axum::{
    Error,
    extract::ws::{Message, WebSocket},
};
use futures_util::{
    Sink, SinkExt, Stream, StreamExt, pin_mut, sink,
    stream::{self, SplitSink, SplitStream},
};
use tokio::sync::mpsc;

use crate::{
    access::Caller,
    domain::time::Timestamp,
    graphql::Code,
    http::{
        live_connections::{LiveConnection, LiveTransport, wait_for_expiry},
        rate_limit::BASE_COST,
        serve::{ShutdownPhase, wait_for_phase},
        state::AppState,
    },
    trace,
};

use super::{
    super::pipeline::Pipeline,
    close::CloseReason,
    guard::{Guard, Verdict},
    message,
    operation::OperationExecutor,
    writer,
};

/// The maximum time for a client to send `connection_init`.
const INIT_TIMEOUT: Duration = Duration::from_secs(10);
/// The maximum time for a client to confirm the end of the connection.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// The state of one WebSocket.
pub(super) struct Connection {
    /// The pipeline of the request that was upgraded.
    pub(super) pipeline: Pipeline,
    pub(super) guard: Guard,
    /// The caller of the token in the header of the upgrade.
    header_caller: Option<(Caller, Timestamp)>,
    /// The parts that `connection_init` determines.
    identity: OnceLock<ConnectionIdentity>,
    /// Set by every message of the client.
    is_alive: AtomicBool,
}

/// The caller of all operations of a connection.
pub(super) struct ConnectionIdentity {
    pub(super) caller: Option<Caller>,
    expires_at: Option<Timestamp>,
    pub(super) live_connection: LiveConnection,
}

impl Connection {
    /// Creates a connection. The caller is that of the token in the header of the upgrade.
    pub(super) fn new(pipeline: Pipeline, header_caller: Option<(Caller, Timestamp)>) -> Arc<Self> {
        let (guard, identity, is_alive) = Default::default();
        Arc::new(Self { pipeline, guard, header_caller, identity, is_alive })
    }

    /// Returns the caller of the operations, once `connection_init` was accepted.
    pub(super) fn identity(&self) -> Option<&ConnectionIdentity> {
        self.identity.get()
    }

    fn state(&self) -> &AppState {
        self.pipeline.state()
    }

    /// Serves the connection until it ends.
    pub(super) async fn serve(self: Arc<Self>, socket: WebSocket, protocol: GraphQLProtocol) {
        let start = Instant::now();
        let mut shutdown = self.state().shutdown.clone();
        let aborting = wait_for_phase(&mut shutdown, ShutdownPhase::Aborting);
        let (mut sink, mut stream) = socket.split();
        let reason = tokio::select! {
            reason = self.run(&mut sink, &mut stream, protocol) => {
                reason
            }
            () = aborting => CloseReason::GoingAway,
        };
        self.record_end(reason, start.elapsed());
        let mut shutdown = self.state().shutdown.clone();
        tokio::select! {
            () = close(&mut sink, &mut stream, reason) => {}
            () = wait_for_phase(&mut shutdown, ShutdownPhase::Aborting) => {}
        }
    }

    /// Runs the protocol. Returns the reason for which the connection ends.
    async fn run(
        self: &Arc<Self>,
        sink: &mut SplitSink<WebSocket, Message>,
        stream: &mut SplitStream<WebSocket>,
        protocol: GraphQLProtocol,
    ) -> CloseReason {
        let (sender, mut messages) = mpsc::channel(1);
        let initializer = self.clone();
        let executor = OperationExecutor(self.clone());
        let (outgoing, incoming) = (self.outgoing(sender), self.incoming(stream));
        let driver = GraphQLWebSocket::new_with_pair(outgoing, incoming, executor, protocol)
            .on_connection_init(move |_| async move { initializer.initialize().await })
            .serve();
        let reason = tokio::select! {
            // Messages that are ready to be written take precedence over the end.
            reason = writer::write(sink, &mut messages, &self.is_alive) => reason,
            () = driver => self.guard.close_reason(),
            reason = self.wait_for_end() => reason,
        };
        while let Ok(message) = messages.try_recv() {
            let _ = tokio::time::timeout(CLOSE_TIMEOUT, sink.send(message)).await;
        }
        reason
    }

    /// Returns the messages of the client that `async-graphql` gets.
    fn incoming<'a>(
        self: &'a Arc<Self>,
        stream: &'a mut SplitStream<WebSocket>,
    ) -> impl Stream<Item = Result<Message, Error>> + 'a {
        stream::unfold(stream, move |stream| async move {
            loop {
                self.guard.has_room().await;
                let reason = match stream.next().await {
                    Some(Ok(message)) => match self.receive(&message) {
                        Verdict::Forward(message) => return Some((Ok(message), stream)),
                        Verdict::Ignore => continue,
                        Verdict::Close(reason) => reason,
                    },
                    Some(Err(error)) => error_reason(error),
                    None => CloseReason::ClientClosed,
                };
                self.guard.close(reason);
                return None;
            }
        })
    }

    /// Inspects a message of the client, and charges its cost.
    ///
    /// The pipeline charges the cost of an operation itself.
    fn receive(&self, message: &Message) -> Verdict {
        self.is_alive.store(true, Ordering::Relaxed);
        let verdict = self.guard.inspect(message);
        if self.guard.has_starting() {
            return verdict;
        }
        let caller = self.identity().and_then(|identity| identity.caller.as_ref());
        match self.pipeline.check_rate_limit(self.pipeline.rate_limit_key(caller), BASE_COST, 0) {
            Ok(()) => verdict,
            Err(_) => Verdict::Close(CloseReason::TryAgainLater),
        }
    }

    /// Returns the sink for the messages of `async-graphql`.
    fn outgoing(&self, sender: mpsc::Sender<Message>) -> impl Sink<Message, Error = ()> + '_ {
        sink::unfold(sender, move |sender, message| async move {
            if let Some(message) = self.guard.inspect_outgoing(message) {
                sender.send(message).await.map_err(|_| ())?;
            }
            Ok(sender)
        })
    }

    /// Verifies the credential of `connection_init`.
    async fn initialize(&self) -> async_graphql::Result<Data> {
        match self.try_initialize().await {
            Ok(identity) => {
                // The connection is initialized only once.
                let _ = self.identity.set(identity);
                self.guard.acknowledge();
                Ok(Data::default())
            }
            Err(reason) => {
                self.guard.close(reason);
                Err(async_graphql::Error::new(""))
            }
        }
    }

    async fn try_initialize(&self) -> Result<ConnectionIdentity, CloseReason> {
        let payload = self.guard.take_init_payload();
        let credentials = message::credentials(payload.as_deref()).ok_or(CloseReason::Forbidden)?;
        if self.header_caller.is_some() && !credentials.is_empty() {
            return Err(CloseReason::SeveralCredentials);
        }
        let caller = match &self.header_caller {
            Some(caller) => Some(caller.clone()),
            None => {
                let credentials = credentials.iter().map(String::as_bytes);
                let caller = self.pipeline.authenticate(credentials).await;
                caller.map_err(|error| match error.into_response().codes().next() {
                    Some(code) if code == Code::Unauthenticated.as_str() => CloseReason::Forbidden,
                    _ => CloseReason::TryAgainLater,
                })?
            }
        };
        let (caller, expires_at) = caller.unzip();
        let key = self.pipeline.rate_limit_key(caller.as_ref());
        let limits = &self.state().traffic_limits.live_connections;
        let live_connection =
            limits.try_open(key, LiveTransport::WebSocket).ok_or(CloseReason::TryAgainLater)?;
        Ok(ConnectionIdentity { caller, expires_at, live_connection })
    }

    /// Waits for an event that ends the connection, other than a message.
    async fn wait_for_end(&self) -> CloseReason {
        let limits = &self.state().traffic_limits.live_connections;
        let init_timeout = async {
            tokio::time::sleep(INIT_TIMEOUT).await;
            if self.guard.has_init() {
                std::future::pending().await
            }
        };
        let expiry = async {
            self.guard.acknowledged().await;
            let expires_at = self.identity().and_then(|identity| identity.expires_at);
            wait_for_expiry(&*self.state().clock, expires_at).await;
        };
        let shutdown = async {
            limits.wait_for_shutdown(self.state().shutdown.clone()).await;
            // Queries and mutations that are running still get their responses.
            self.guard.drain().await;
        };
        tokio::select! {
            () = init_timeout => CloseReason::InitTimeout,
            () = expiry => CloseReason::TokenExpired,
            () = shutdown => CloseReason::GoingAway,
        }
    }

    fn record_end(&self, reason: CloseReason, duration: Duration) {
        self.state().metrics.record_websocket_close(reason.as_label());
        let auth_error = self.pipeline.telemetry().with_facts(|facts| facts.auth_error);
        tracing::info!(
            target: trace::REQUEST_LOG_TARGET,
            request_id = self.pipeline.request_id(),
            code = reason.as_label(),
            duration_ms = duration.as_millis(),
            auth_error,
            "WebSocket closed"
        );
    }
}

/// Returns the reason for which a message cannot be read.
fn error_reason(error: Error) -> CloseReason {
    let error = error.into_inner();
    // axum does not export the type of the error, but its text is documented.
    match error.to_string() {
        text if text.contains("too long") => CloseReason::MessageTooBig,
        _ => CloseReason::ClientClosed,
    }
}

/// Sends the reason to the client, and waits for the client to close the connection.
async fn close(
    sink: &mut SplitSink<WebSocket, Message>,
    stream: &mut SplitStream<WebSocket>,
    reason: CloseReason,
) {
    let handshake = async {
        if let Some(message) = reason.message() {
            let _ = sink.send(message).await;
        }
        pin_mut!(stream);
        while stream.next().await.is_some_and(|message| message.is_ok()) {}
    };
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, handshake).await;
}
