//! The state of one WebSocket, and the identity of its client.

use std::sync::{Arc, OnceLock, atomic::AtomicBool};

use crate::{
    access::Caller,
    domain::time::Timestamp,
    graphql::Code,
    http::{
        closing_stream::DiscardOnClose,
        live_connections::{LiveConnection, LiveTransport},
        state::AppState,
    },
};

use super::{super::pipeline::Pipeline, close::CloseReason, guard::Guard, message};

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
    pub(super) is_alive: AtomicBool,
    discard: DiscardOnClose,
}

/// The caller of all operations of a connection.
pub(super) struct ConnectionIdentity {
    pub(super) caller: Option<Caller>,
    /// The time at which the token of the caller expires.
    pub(super) expires_at: Option<Timestamp>,
    pub(super) live_connection: LiveConnection,
}

impl Connection {
    /// Creates a connection. The caller is that of the token in the header of the upgrade.
    pub(super) fn new(
        pipeline: Pipeline,
        header_caller: Option<(Caller, Timestamp)>,
        discard: DiscardOnClose,
    ) -> Arc<Self> {
        let (guard, identity, is_alive) = Default::default();
        Arc::new(Self { pipeline, guard, header_caller, identity, is_alive, discard })
    }

    /// Returns the caller of the operations, once `connection_init` was accepted.
    pub(super) fn identity(&self) -> Option<&ConnectionIdentity> {
        self.identity.get()
    }

    /// Returns the state that all requests share.
    pub(super) fn state(&self) -> &AppState {
        self.pipeline.state()
    }

    /// Discards the bytes that the client still sends when the connection is closed.
    pub(super) fn discard_rest(&self) {
        self.discard.request();
    }

    /// Verifies the credential of `connection_init`.
    pub(super) async fn initialize(&self) -> Result<(), CloseReason> {
        // The connection is initialized only once.
        let _ = self.identity.set(self.verify_credential().await?);
        Ok(())
    }

    async fn verify_credential(&self) -> Result<ConnectionIdentity, CloseReason> {
        let payload = self.guard.take_init_payload();
        let credentials = message::credentials(payload.as_deref()).ok_or(CloseReason::Forbidden)?;
        if credentials.len() + usize::from(self.header_caller.is_some()) > 1 {
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
}
