//! The HTTP server of the provider: two endpoints, and a listener that can drop all connections.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router, extract,
    http::{
        HeaderMap, StatusCode,
        header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HOST, LOCATION, USER_AGENT},
    },
    response::{IntoResponse, Response},
    routing::get,
    serve::Listener,
};
use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};

use super::{ProviderResponse, TestKey};

#[derive(Default)]
pub(super) struct State {
    pub(super) issuer: String,
    pub(super) keys: Vec<TestKey>,
    pub(super) odd_keys: Vec<Value>,
    pub(super) odd_members: Vec<(String, Value)>,
    pub(super) discovery: ProviderResponse,
    pub(super) jwks: ProviderResponse,
    pub(super) cache_control: Option<String>,
    pub(super) offline: bool,
    pub(super) jwks_fetches: usize,
    pub(super) discovery_fetches: usize,
    pub(super) user_agent: Option<String>,
    pub(super) traceparent: Option<String>,
}

pub(super) struct Server {
    state: Mutex<State>,
    paused: watch::Sender<bool>,
}

/// Pauses responses until it is dropped.
pub(crate) struct PauseGuard(watch::Sender<bool>);

impl Drop for PauseGuard {
    fn drop(&mut self) {
        self.0.send_replace(false);
    }
}

impl Server {
    pub(super) fn new(state: State) -> Self {
        Self { state: Mutex::new(state), paused: watch::Sender::new(false) }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while the lock was held")
    }

    pub(super) fn pause(&self) -> PauseGuard {
        self.paused.send_replace(true);
        PauseGuard(self.paused.clone())
    }
}

pub(super) async fn serve(listener: TcpListener, server: Arc<Server>) {
    let router = Router::new()
        .route("/.well-known/openid-configuration", get(discovery))
        .route("/jwks", get(jwks))
        .route("/moved", get(jwks))
        .with_state(server.clone());
    axum::serve(SwitchableListener { listener, server }, router).await.expect("served");
}

/// Accepts connections, and drops them at once while the provider is unreachable.
struct SwitchableListener {
    listener: TcpListener,
    server: Arc<Server>,
}

impl Listener for SwitchableListener {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            let accepted = Listener::accept(&mut self.listener).await;
            if !self.server.state().offline {
                return accepted;
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

async fn discovery(
    extract::State(server): extract::State<Arc<Server>>,
    headers: HeaderMap,
) -> Response {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).expect("a host");
    let (response, document) = {
        let mut state = server.state();
        state.discovery_fetches += 1;
        (state.discovery.clone(), state.discovery_document(&format!("http://{host}")))
    };
    respond(response, document, None).await
}

async fn jwks(
    extract::State(server): extract::State<Arc<Server>>,
    uri: axum::http::Uri,
    headers: HeaderMap,
) -> Response {
    {
        let mut state = server.state();
        state.jwks_fetches += 1;
        let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
        state.user_agent = agent.map(str::to_owned);
        let trace = headers.get("traceparent").and_then(|trace| trace.to_str().ok());
        state.traceparent = trace.map(str::to_owned);
    }
    // The sender lives as long as the server.
    let _ = server.paused.subscribe().wait_for(|paused| !paused).await;
    let (response, key_set, cache_control) = {
        let state = server.state();
        let moved = uri.path() == "/moved";
        let response = if moved { ProviderResponse::Good } else { state.jwks.clone() };
        (response, state.key_set(), state.cache_control.clone())
    };
    respond(response, key_set, cache_control).await
}

async fn respond(
    configured: ProviderResponse,
    correct: Value,
    cache_control: Option<String>,
) -> Response {
    let json = |value: Value| ([(CONTENT_TYPE, "application/json")], value.to_string());
    let mut response = match configured {
        ProviderResponse::Good => json(correct).into_response(),
        ProviderResponse::Json(value) => json(value).into_response(),
        ProviderResponse::Status(code) => {
            StatusCode::from_u16(code).expect("a status").into_response()
        }
        ProviderResponse::Redirect(to) => (StatusCode::FOUND, [(LOCATION, to)]).into_response(),
        ProviderResponse::Never => std::future::pending().await,
        ProviderResponse::Oversized => json(Value::String(" ".repeat(1024 * 1024))).into_response(),
        ProviderResponse::NotJson => "<!doctype html><title>Sign in</title>".into_response(),
    };
    // Each fetch opens a new connection, so that an unreachable provider is noticed at once.
    response.headers_mut().insert(CONNECTION, "close".parse().expect("a value"));
    if let Some(value) = cache_control {
        response.headers_mut().insert(CACHE_CONTROL, value.parse().expect("a value"));
    }
    response
}
