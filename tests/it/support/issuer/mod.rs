//! An OpenID provider for tests: real keys, served over real HTTP, and whatever can be wrong with it.

mod key;
mod server;
mod token;

use std::sync::{Arc, MutexGuard};

use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

pub(crate) use key::{Kind, TestKey};
pub(crate) use token::TokenBuilder;

use server::{Gate, State};

/// What tests take for now, in seconds since 1970: 2026-01-01T00:00:00Z.
pub(crate) const NOW: i64 = 1_767_225_600;
/// The audience of the tokens.
pub(crate) const AUDIENCE: &str = "tenantry";

/// What an endpoint answers.
#[derive(Clone, Debug, Default)]
pub(crate) enum Answer {
    /// What it should.
    #[default]
    Good,
    /// A status, and nothing else.
    Status(u16),
    /// A redirect (302) to that address.
    Redirect(String),
    /// Nothing, ever.
    Never,
    /// 1 MiB and a little more of JSON.
    Oversized,
    /// A page.
    NotJson,
    /// This instead.
    Json(Value),
}

/// A provider on a loopback port, which ends when it is dropped.
pub(crate) struct TestIssuer {
    url: String,
    server: Arc<server::Server>,
    task: JoinHandle<()>,
}

impl TestIssuer {
    /// Starts a provider with one key, the process's P-256 key.
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

    /// The issuer (`iss`).
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Where the key set is.
    pub(crate) fn jwks_url(&self) -> String {
        format!("{}/jwks", self.url)
    }

    /// A good token's builder: signed with the first key, for `ada`, good for an hour from [`NOW`].
    pub(crate) fn token(&self) -> TokenBuilder {
        let key = self.state().keys.first().cloned();
        TokenBuilder::new(&self.url, &key.unwrap_or_else(|| TestKey::of(Kind::P256)))
    }

    /// The keys from now on, each with its `kid`, `use` and `alg`.
    pub(crate) fn set_keys(&self, keys: &[TestKey]) {
        self.state().keys = keys.to_vec();
    }

    /// JWKs from now on besides the keys, as they are: odd ones.
    pub(crate) fn set_odd_keys(&self, jwks: &[Value]) {
        self.state().odd_keys = jwks.to_vec();
    }

    /// What the discovery document's endpoint answers from now on.
    pub(crate) fn discovery_answers(&self, answer: Answer) {
        self.state().discovery = answer;
    }

    /// What the key set's endpoint answers from now on.
    pub(crate) fn jwks_answers(&self, answer: Answer) {
        self.state().jwks = answer;
    }

    /// A member of the discovery document from now on.
    pub(crate) fn discovery_says(&self, member: &str, value: Value) {
        self.state().odd_members.push((member.to_owned(), value));
    }

    /// The issuer that the discovery document names from now on.
    pub(crate) fn names_itself(&self, issuer: &str) {
        issuer.clone_into(&mut self.state().issuer);
    }

    /// The `Cache-Control` of the key set from now on.
    pub(crate) fn cache_control(&self, value: &str) {
        self.state().cache_control = Some(value.to_owned());
    }

    /// Goes away (connections end without an answer; the port stays ours), or comes back.
    pub(crate) fn away(&self, away: bool) {
        self.state().away = away;
    }

    /// The `traceparent` of the last fetch of the key set.
    pub(crate) fn traceparent(&self) -> Option<String> {
        self.state().traceparent.clone()
    }

    /// Holds the answers of the key set's endpoint until the gate is dropped.
    pub(crate) fn hold(&self) -> Gate {
        self.server.hold()
    }

    /// How often the key set was asked for.
    pub(crate) fn jwks_fetches(&self) -> usize {
        self.state().jwks_fetches
    }

    /// How often the discovery document was asked for.
    pub(crate) fn discovery_fetches(&self) -> usize {
        self.state().discovery_fetches
    }

    /// The `User-Agent` of the last request.
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
