//! An OpenID provider for tests, with real keys over real HTTP. It can misbehave in every way that
//! the gateway must handle.

mod key;
mod server;
mod token;

use std::sync::{Arc, MutexGuard};

use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

pub(crate) use key::{Kind, TestKey};
pub(crate) use token::TokenBuilder;

use server::{PauseGuard, State};

/// The current time of tests, in seconds since 1970: 2026-01-01T00:00:00Z.
pub(crate) const NOW: i64 = 1_767_225_600;
/// The audience of the tokens.
pub(crate) const AUDIENCE: &str = "tenantry";

/// The response of an endpoint.
#[derive(Clone, Debug, Default)]
pub(crate) enum ProviderResponse {
    /// The correct response.
    #[default]
    Good,
    /// A status with an empty body.
    Status(u16),
    /// A redirect (302) to a URL.
    Redirect(String),
    /// No response at all.
    Never,
    /// JSON of slightly more than 1 MiB.
    Oversized,
    /// An HTML page.
    NotJson,
    /// Another JSON value.
    Json(Value),
}

/// A provider on a loopback port. It ends when it is dropped.
pub(crate) struct TestIssuer {
    url: String,
    server: Arc<server::Server>,
    task: JoinHandle<()>,
}

impl TestIssuer {
    /// Starts a provider with one key, the shared P-256 key.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let server = Arc::new(server::Server::new(State {
            issuer: url.clone(),
            keys: vec![TestKey::of(Kind::P256)],
            ..State::default()
        }));
        let task = tokio::spawn(server::serve(listener, server.clone()));
        Self { url, server, task }
    }

    /// Returns the issuer (`iss`).
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Returns the URL of the key set.
    pub(crate) fn jwks_url(&self) -> String {
        format!("{}/jwks", self.url)
    }

    /// Returns the builder of a valid token for `ada`, signed with the first key. The token expires
    /// an hour after [`NOW`].
    pub(crate) fn token(&self) -> TokenBuilder {
        let key = self.state().keys.first().cloned();
        TokenBuilder::new(&self.url, &key.unwrap_or_else(|| TestKey::of(Kind::P256)))
    }

    /// Replaces the keys. Each is published with its `kid`, `use` and `alg`.
    pub(crate) fn set_keys(&self, keys: &[TestKey]) {
        self.state().keys = keys.to_vec();
    }

    /// Replaces the unusual JWKs, which are published unchanged after the keys.
    pub(crate) fn set_additional_jwks(&self, jwks: &[Value]) {
        self.state().odd_keys = jwks.to_vec();
    }

    /// Sets the response of the discovery endpoint.
    pub(crate) fn set_discovery_response(&self, response: ProviderResponse) {
        self.state().discovery = response;
    }

    /// Sets the response of the key set endpoint.
    pub(crate) fn set_jwks_response(&self, response: ProviderResponse) {
        self.state().jwks = response;
    }

    /// Sets a member of the discovery document.
    pub(crate) fn set_discovery_field(&self, member: &str, value: Value) {
        self.state().odd_members.push((member.to_owned(), value));
    }

    /// Sets the issuer that the discovery document names.
    pub(crate) fn set_issuer(&self, issuer: &str) {
        issuer.clone_into(&mut self.state().issuer);
    }

    /// Sets the `Cache-Control` header of the key set.
    pub(crate) fn set_cache_control(&self, value: &str) {
        self.state().cache_control = Some(value.to_owned());
    }

    /// Makes the provider unreachable or reachable again. An unreachable provider keeps its port
    /// and closes connections without a response.
    pub(crate) fn set_offline(&self, offline: bool) {
        self.state().offline = offline;
    }

    /// Returns the `traceparent` header of the last fetch of the key set.
    pub(crate) fn traceparent(&self) -> Option<String> {
        self.state().traceparent.clone()
    }

    /// Pauses the responses of the key set endpoint until the gate is dropped.
    pub(crate) fn pause(&self) -> PauseGuard {
        self.server.pause()
    }

    /// Returns the number of requests for the key set.
    pub(crate) fn jwks_fetches(&self) -> usize {
        self.state().jwks_fetches
    }

    /// Returns the number of requests for the discovery document.
    pub(crate) fn discovery_fetches(&self) -> usize {
        self.state().discovery_fetches
    }

    /// Returns the `User-Agent` header of the last fetch of the key set.
    pub(crate) fn user_agent(&self) -> Option<String> {
        self.state().user_agent.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.server.state()
    }
}

impl Drop for TestIssuer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl State {
    fn discovery_document(&self, url: &str) -> Value {
        let mut document = json!({
            "issuer": self.issuer,
            "jwks_uri": format!("{url}/jwks"),
            "authorization_endpoint": format!("{url}/authorize"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        });
        for (member, value) in &self.odd_members {
            document[member] = value.clone();
        }
        document
    }

    fn key_set(&self) -> Value {
        let keys = self.keys.iter().map(TestKey::jwk);
        json!({ "keys": keys.chain(self.odd_keys.iter().cloned()).collect::<Vec<_>>() })
    }
}
