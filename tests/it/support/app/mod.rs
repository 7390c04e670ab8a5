//! Runs a gateway in the process of the tests: the real router, a real store, real tokens.
//!
//! [`App`] sends requests as a client does and reads the stored state. `setup.rs` has the options
//! of an app, `reply.rs` the response.

mod reply;
mod setup;

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU32, Ordering},
};

use axum::{Router, body::Body, http::Request, response::Response};
use serde_json::{Value, json};
use tenantry::{
    access::Access,
    clock::Clock,
    domain::{
        audit::AuditEvent,
        change::{Change, UserVersion},
        id::ObjectId,
        list::{AuditFilter, PageEdge, PageRequest},
        time::Timestamp,
        user::{Identity, User},
    },
    http::{self, AppState, ConnectionLimit, ShutdownPhase, TrustedProxies},
    metrics::Metrics,
    store::{Store, UserKeys, mongo::MongoStore, sqlite::SqliteStore},
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tower::ServiceExt;

use reply::with_host;
pub(crate) use reply::{Reply, response_to_json, send};
pub(crate) use setup::{OTHER_AUDIENCE, SECRET, Setup};

use setup::{Parts, build_state};

use super::{
    issuer::{NOW, TestIssuer, TokenBuilder},
    mongod::FreshDatabase,
    store_gate::GatedStore,
};

/// The database of an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    /// SQLite in memory.
    Sqlite,
    /// A new database on the real `mongod`.
    Mongo,
}

/// Defines each test for both stores, as `name::sqlite` and `name::mongo`.
macro_rules! on_both_stores {
    ($($name:ident,)+) => {
        $(
            mod $name {
                use crate::support::app::{App, Backend};

                #[tokio::test]
                async fn sqlite() {
                    super::$name(App::on(Backend::Sqlite).await).await;
                }

                #[tokio::test]
                async fn mongo() {
                    super::$name(App::on(Backend::Mongo).await).await;
                }
            }
        )+
    };
}
pub(crate) use on_both_stores;

/// A clock that stands still until a test moves it.
pub(crate) struct TestClock {
    millis: AtomicI64,
    count: AtomicU32,
}

impl TestClock {
    fn new() -> Self {
        Self { millis: AtomicI64::new(NOW * 1000), count: AtomicU32::new(1) }
    }

    /// Moves the clock forward.
    pub(crate) fn advance(&self, seconds: i64) {
        self.millis.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.millis.load(Ordering::SeqCst)).expect("in range")
    }

    fn object_id(&self) -> ObjectId {
        ObjectId::from_parts(self.now(), *b"tests", self.count.fetch_add(1, Ordering::SeqCst))
    }
}

/// A gateway with its own provider, store and clock.
pub(crate) struct App {
    pub(crate) store: Arc<dyn Store>,
    /// The store without its gate.
    ungated: Arc<dyn Store>,
    pub(crate) issuer: Arc<TestIssuer>,
    /// The second issuer, if [`Setup::two_issuers`] is set.
    pub(crate) other_issuer: Option<Arc<TestIssuer>>,
    pub(crate) clock: Arc<TestClock>,
    /// The database of an app on MongoDB, for manual edits.
    pub(crate) mongo: Option<FreshDatabase>,
    /// The access module, for calls that bypass HTTP and GraphQL.
    pub(crate) access: Arc<Access>,
    /// The state of the gateway, for live operations without a transport.
    pub(crate) state: Arc<AppState>,
    /// Sets the phase of the shutdown.
    pub(crate) stages: watch::Sender<ShutdownPhase>,
    router: Router,
    admin: Router,
}

impl App {
    /// Starts an app with an empty, prepared database.
    pub(crate) async fn on(backend: Backend) -> Self {
        Self::with(backend, Setup::default()).await
    }

    /// Starts an app with an empty, prepared database and these options.
    pub(crate) async fn with(backend: Backend, setup: Setup) -> Self {
        let metrics = Metrics::new().expect("a catalogue");
        let issuer = Arc::new(TestIssuer::start().await);
        issuer.set_offline(setup.issuer_away);
        let other_issuer = match setup.two_issuers {
            true => Some(Arc::new(TestIssuer::start().await)),
            false => None,
        };
        let (store, mongo): (Arc<dyn Store>, _) = match backend {
            Backend::Sqlite => {
                let store = SqliteStore::in_memory(Some(metrics.clone()));
                (Arc::new(store.expect("memory")), None)
            }
            Backend::Mongo => {
                let fresh = match &setup.mongo_uri {
                    Some(uri) => FreshDatabase::at(uri).await,
                    None => FreshDatabase::new().await,
                };
                let metrics = Some(metrics.clone());
                let store = MongoStore::connect(&fresh.uri, issuer.url(), metrics).await;
                (Arc::new(store.expect("a URL")), Some(fresh))
            }
        };
        store.prepare().await.expect("a store that can be prepared");
        let ungated = store.clone();
        let store: Arc<dyn Store> = match &setup.gate {
            Some(gate) => Arc::new(GatedStore { store, gate: gate.clone() }),
            None => store,
        };
        let clock = Arc::new(TestClock::new());
        let issuers: Vec<_> =
            [Some(&issuer), other_issuer.as_ref()].into_iter().flatten().collect();
        let (stages, shutdown) = watch::channel(ShutdownPhase::Running);
        let parts = Parts { store: store.clone(), clock: clock.clone(), metrics, shutdown };
        let state = build_state(&issuers, parts, setup).await;
        let access = state.access.clone();
        let router = http::public_router(state.clone());
        let admin = http::admin_router(state.clone());
        Self {
            store,
            ungated,
            issuer,
            other_issuer,
            clock,
            mongo,
            access,
            state,
            stages,
            router,
            admin,
        }
    }

    /// Restarts the gateway. Only the database, the provider and the clock stay.
    pub(crate) async fn restart(self) -> Self {
        self.restart_with(Setup::default()).await
    }

    /// Restarts the gateway with these options.
    pub(crate) async fn restart_with(self, setup: Setup) -> Self {
        let metrics = Metrics::new().expect("a catalogue");
        let store: Arc<dyn Store> = match &self.mongo {
            Some(fresh) => {
                let metrics = Some(metrics.clone());
                let store = MongoStore::connect(&fresh.uri, self.issuer.url(), metrics).await;
                Arc::new(store.expect("a URL"))
            }
            None => self.store.clone(),
        };
        let shutdown = self.stages.subscribe();
        let parts = Parts { store: store.clone(), clock: self.clock.clone(), metrics, shutdown };
        let state = build_state(&[&self.issuer], parts, setup).await;
        let access = state.access.clone();
        let router = http::public_router(state.clone());
        let admin = http::admin_router(state.clone());
        let ungated = store.clone();
        Self { store, ungated, access, state, router, admin, ..self }
    }

    /// Returns the router of another instance, which shares only the database, the provider and the
    /// clock.
    pub(crate) async fn second_instance(&self) -> Router {
        let store: Arc<dyn Store> = match &self.mongo {
            Some(fresh) => {
                let store = MongoStore::connect(&fresh.uri, self.issuer.url(), None).await;
                Arc::new(store.expect("a URL"))
            }
            None => self.ungated.clone(),
        };
        let metrics = Metrics::new().expect("a catalogue");
        let shutdown = watch::channel(ShutdownPhase::Running).1;
        let parts = Parts { store, clock: self.clock.clone(), metrics, shutdown };
        http::public_router(build_state(&[&self.issuer], parts, Setup::default()).await)
    }

    /// Serves the public router on a free loopback port until the test ends, and returns its
    /// origin.
    pub(crate) async fn serve(&self) -> String {
        self.serve_until_shutdown().await.0
    }

    /// Serves the public router with at most this number of connections, in all and per address.
    pub(crate) async fn serve_with_limit(&self, limit: ConnectionLimit) -> String {
        self.spawn_server(limit).await.0
    }

    /// Serves the public router through all phases of the shutdown.
    ///
    /// Returns its origin and the task that serves it. The task's result is the number of aborted
    /// connections.
    pub(crate) async fn serve_until_shutdown(&self) -> (String, JoinHandle<usize>) {
        let limit = ConnectionLimit::new(1000, 1000, TrustedProxies::default(), None);
        self.spawn_server(limit).await
    }

    async fn spawn_server(&self, limit: ConnectionLimit) -> (String, JoinHandle<usize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let shutdown = self.stages.subscribe();
        let server = tokio::spawn(http::serve(listener, self.router.clone(), shutdown, limit));
        (format!("http://{address}"), server)
    }

    /// Sends a `GET` request to the admin router.
    pub(crate) async fn admin(&self, path: &str) -> Reply {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        send(&self.admin, request).await
    }

    /// Returns the value of a metric, by its name with labels. A missing line counts as zero.
    pub(crate) async fn metric(&self, line: &str) -> f64 {
        let reply = self.admin("/metrics").await;
        let value = reply.body.lines().find_map(|l| l.strip_prefix(line)?.strip_prefix(' '));
        value.map_or(0.0, |value| value.parse().expect("a number"))
    }

    /// Returns a token for the subject, issued now, with the groups.
    pub(crate) fn token<'a>(
        &self,
        subject: &str,
        groups: impl IntoIterator<Item = &'a str>,
    ) -> String {
        let now = self.clock.now().seconds();
        self.issuer
            .token()
            .subject(subject)
            .groups(groups)
            .issued_at(now)
            .expires_at(now + 3600)
            .sign()
    }

    /// Sends a query with a token of the subject that has no groups claim.
    pub(crate) async fn query_as(&self, subject: &str, query: &str) -> Reply {
        let token = self.issuer.token().subject(subject);
        let now = self.clock.now().seconds();
        let token = token.issued_at(now).expires_at(now + 3600).without("groups").sign();
        self.query_with_variables(&token, query, json!({})).await
    }

    /// Sends a query with a token and variables.
    pub(crate) async fn query_with_variables(
        &self,
        token: &str,
        query: &str,
        variables: Value,
    ) -> Reply {
        let body = json!({"query": query, "variables": variables}).to_string();
        let request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {token}"));
        self.send(request.body(Body::from(body)).expect("a request")).await
    }

    /// Sends a query with the token that the builder signs.
    pub(crate) async fn query_with_token(&self, token: TokenBuilder, query: &str) -> Reply {
        self.query_with_variables(&token.sign(), query, json!({})).await
    }

    /// Returns the stored user of the subject.
    pub(crate) async fn stored_user(&self, subject: &str) -> Option<User> {
        let identity =
            Identity { issuer: self.issuer.url().to_owned(), subject: subject.to_owned() };
        let users = self.store.users(UserKeys::Identity(&identity)).await.expect("a read");
        users.into_iter().next().map(|user| user.expect("a readable user"))
    }

    /// Changes a stored user without the rules of mutations, as a manual edit does.
    pub(crate) async fn edit_user(&self, subject: &str, change: impl FnOnce(&mut User)) {
        let mut user = self.stored_user(subject).await.expect("stored");
        let expected = UserVersion::from(&user);
        change(&mut user);
        self.store.commit(&[Change::UpdateUser { expected, user }]).await.expect("committed");
    }

    /// Returns the whole audit log, newest first.
    pub(crate) async fn audit_log(&self) -> Vec<AuditEvent> {
        let request = PageRequest { size: 100, edge: PageEdge::First, after: None, before: None };
        let page = self.store.audit_page(&AuditFilter::default(), &request).await.expect("a read");
        page.items.into_iter().map(|item| item.node.expect("a readable event")).collect()
    }

    /// Sends a query without a token.
    pub(crate) async fn query_anonymous(&self, query: &str) -> Reply {
        let request = Request::post("/graphql").header("content-type", "application/json");
        let body = json!({"query": query}).to_string();
        self.send(request.body(Body::from(body)).expect("a request")).await
    }

    /// Sends a request through the public router.
    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        send(&self.router, request).await
    }

    /// Sends a request through the public router, and does not wait for the body of the response.
    pub(crate) async fn respond(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(with_host(request)).await.expect("a response")
    }
}
