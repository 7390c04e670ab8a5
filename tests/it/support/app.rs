//! The gateway as a client sees it: the real router, a real store, real tokens.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, response::Response};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tenantry::{
    access::{Access, AccessConfig},
    auth::{
        authenticator::Authenticator,
        discovery::OidcKeySource,
        fetch::Fetcher,
        jwks_cache::JwksCache,
        token::{TokenValidation, Verifier},
    },
    clock::Clock,
    domain::{
        audit::AuditEvent,
        change::{Change, UserVersion},
        id::ObjectId,
        limits::Limits,
        list::{AuditFilter, PageEdge, PageRequest},
        sync::GroupMapping,
        time::Timestamp,
        trusted_documents::TrustedDocumentsMode,
        user::{Identity, User},
    },
    graphql::{GraphQlExecutor, TrustedDocuments},
    http::{
        self, AllowedOrigins, AppState, ConcurrencyLimit, RateLimiter, ShutdownPhase,
        ShutdownWatch, StoreCost, TrafficLimits, TrustedProxies,
    },
    metrics::Metrics,
    store::{Store, UserKeys, mongo::MongoStore, sqlite::SqliteStore},
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tower::ServiceExt;

use super::{
    issuer::{AUDIENCE, NOW, TestIssuer, TokenBuilder},
    mongod::Fresh,
    store_gate::{Gate, Gated},
};

/// The audience of the second issuer.
pub(crate) const OTHER_AUDIENCE: &str = "partner";

/// Where an app keeps its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    /// SQLite in memory.
    Sqlite,
    /// A database of its own on the real `mongod`.
    Mongo,
}

/// Runs each test on both stores, as `name::sqlite` and `name::mongo`.
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

/// A clock that stands still until it is told otherwise.
pub(crate) struct TestClock {
    millis: AtomicI64,
    count: AtomicU32,
}

impl TestClock {
    fn new() -> Self {
        Self { millis: AtomicI64::new(NOW * 1000), count: AtomicU32::new(1) }
    }

    /// Lets time pass.
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

/// A gateway with a provider, a store and a clock of its own.
pub(crate) struct App {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) issuer: Arc<TestIssuer>,
    /// The second issuer, where there is one.
    pub(crate) other_issuer: Option<Arc<TestIssuer>>,
    pub(crate) clock: Arc<TestClock>,
    /// The database of an app on MongoDB, for what a hand may do in it.
    pub(crate) mongo: Option<Fresh>,
    /// The door to the data, past HTTP and GraphQL.
    pub(crate) access: Arc<Access>,
    /// How far the end of the program has come.
    pub(crate) stages: watch::Sender<ShutdownPhase>,
    router: Router,
    admin: Router,
}

/// How an app differs from the usual one.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// Whether the schema answers questions about itself.
    pub(crate) introspection: bool,
    /// Whether the provider is away when the gateway starts.
    pub(crate) issuer_away: bool,
    /// Whether there is a second issuer.
    pub(crate) two_issuers: bool,
    /// The list of trusted documents, and whether only they run.
    pub(crate) documents: Option<(&'static str, TrustedDocumentsMode)>,
    /// The pages of other origins that may ask.
    pub(crate) cors: AllowedOrigins,
    /// What holds up the store, where something is to.
    pub(crate) gate: Option<Arc<Gate>>,
    /// How much a caller may ask for in a second; without end where nobody says: time stands still.
    pub(crate) rate: Option<u64>,
    /// How many requests may be at work at once.
    pub(crate) max_in_flight: usize,
    /// Whether GraphiQL is served.
    pub(crate) playground: bool,
    /// The time limit of a request. It is generous, so that no test depends on the machine's speed.
    pub(crate) request_timeout: Duration,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            introspection: true,
            issuer_away: false,
            two_issuers: false,
            documents: None,
            cors: AllowedOrigins::List(Vec::new()),
            gate: None,
            rate: None,
            max_in_flight: 512,
            playground: false,
            request_timeout: Duration::from_secs(600),
        }
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) body: String,
    /// The body as JSON; null where it is none.
    pub(crate) json: Value,
    /// How many reads of the store it has cost.
    pub(crate) reads: u32,
    /// How many changes it has committed.
    pub(crate) writes: u32,
}

impl Reply {
    /// The data, of an answer without an error.
    #[track_caller]
    pub(crate) fn data(&self) -> &Value {
        assert_eq!(self.json.get("errors"), None, "{}", self.body);
        &self.json["data"]
    }

    /// The codes of the errors, in their order.
    pub(crate) fn codes(&self) -> Vec<&str> {
        let errors = self.json["errors"].as_array().map_or(&[][..], Vec::as_slice);
        errors.iter().map(|e| e["extensions"]["code"].as_str().unwrap_or("none")).collect()
    }

    /// Errors as `code at path`, sorted: fields run side by side.
    pub(crate) fn errors(&self) -> Vec<String> {
        let errors = self.json["errors"].as_array().map_or(&[][..], Vec::as_slice);
        let mut told: Vec<String> = errors
            .iter()
            .map(|error| {
                let path = error["path"].as_array().map_or(&[][..], Vec::as_slice);
                let path = path
                    .iter()
                    .map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned));
                let code = error["extensions"]["code"].as_str().unwrap_or("none");
                format!("{code} {}", path.collect::<Vec<_>>().join("."))
            })
            .collect();
        told.sort();
        told
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl App {
    /// An app whose database is empty and prepared.
    pub(crate) async fn on(backend: Backend) -> Self {
        Self::with(backend, Setup::default()).await
    }

    /// The same with something different.
    pub(crate) async fn with(backend: Backend, setup: Setup) -> Self {
        let metrics = Metrics::new().expect("a catalogue");
        let issuer = Arc::new(TestIssuer::start().await);
        issuer.away(setup.issuer_away);
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
                let fresh = Fresh::new().await;
                let counted = Some(metrics.clone());
                let store = MongoStore::connect(&fresh.uri, issuer.url(), counted).await;
                (Arc::new(store.expect("a URL")), Some(fresh))
            }
        };
        store.prepare().await.expect("a store that can be prepared");
        let store: Arc<dyn Store> = match &setup.gate {
            Some(gate) => Arc::new(Gated { store, gate: gate.clone() }),
            None => store,
        };
        let clock = Arc::new(TestClock::new());
        let issuers: Vec<_> =
            [Some(&issuer), other_issuer.as_ref()].into_iter().flatten().collect();
        let (stages, seen) = watch::channel(ShutdownPhase::Running);
        let parts = (store.clone(), clock.clone() as Arc<dyn Clock>, metrics, seen);
        let gateway = gateway(&issuers, parts, setup).await;
        let access = gateway.access.clone();
        let (router, admin) = (http::public_router(gateway.clone()), http::admin_router(gateway));
        Self { store, issuer, other_issuer, clock, mongo, access, stages, router, admin }
    }

    /// The routers of another instance on the same database: it shares nothing else.
    pub(crate) async fn another_instance(&self) -> Router {
        let store: Arc<dyn Store> = match &self.mongo {
            Some(fresh) => {
                let store = MongoStore::connect(&fresh.uri, self.issuer.url(), None).await;
                Arc::new(store.expect("a URL"))
            }
            None => self.store.clone(),
        };
        let setup = Setup::default();
        let metrics = Metrics::new().expect("a catalogue");
        let seen = watch::channel(ShutdownPhase::Running).1;
        let parts = (store, self.clock.clone() as Arc<dyn Clock>, metrics, seen);
        http::public_router(gateway(&[&self.issuer], parts, setup).await)
    }

    /// Serves the public router on a free port of loopback, for as long as the test runs: its
    /// origin.
    pub(crate) async fn serve(&self) -> String {
        self.serve_through().await.0
    }

    /// The same through all stages, and its end: how many connections were cut.
    pub(crate) async fn serve_through(&self) -> (String, JoinHandle<usize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let end =
            tokio::spawn(http::serve(listener, self.router.clone(), self.stages.subscribe(), None));
        (format!("http://{address}"), end)
    }

    /// Asks the admin bind.
    pub(crate) async fn admin(&self, path: &str) -> Reply {
        let request = axum::http::Request::get(path).body(Body::empty()).expect("a request");
        send(&self.admin, request).await
    }

    /// What a metric counts, by the line's beginning.
    pub(crate) async fn metric(&self, line: &str) -> f64 {
        let reply = self.admin("/metrics").await;
        let value = reply.body.lines().find_map(|told| told.strip_prefix(line)?.strip_prefix(' '));
        value.map_or(0.0, |value| value.parse().expect("a number"))
    }

    /// A token for that subject, issued now, with those groups.
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

    /// Asks as that subject, without groups.
    pub(crate) async fn ask(&self, subject: &str, query: &str) -> Reply {
        let token = self.issuer.token().subject(subject);
        let now = self.clock.now().seconds();
        let token = token.issued_at(now).expires_at(now + 3600).without("groups").sign();
        self.ask_with(&token, query, json!({})).await
    }

    /// Asks with a token.
    pub(crate) async fn ask_with(&self, token: &str, query: &str, variables: Value) -> Reply {
        let body = json!({"query": query, "variables": variables}).to_string();
        let request = axum::http::Request::post("/graphql")
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {token}"));
        self.send(request.body(Body::from(body)).expect("a request")).await
    }

    /// Asks with a token's claims as a test has built them.
    pub(crate) async fn ask_by(&self, token: TokenBuilder, query: &str) -> Reply {
        self.ask_with(&token.sign(), query, json!({})).await
    }

    /// The stored user of that subject.
    pub(crate) async fn stored(&self, subject: &str) -> Option<User> {
        let identity =
            Identity { issuer: self.issuer.url().to_owned(), subject: subject.to_owned() };
        let found = self.store.users(UserKeys::Identity(&identity)).await.expect("a read");
        found.into_iter().next().map(|user| user.expect("one that can be read"))
    }

    /// Changes a stored user as a hand in the database would.
    pub(crate) async fn change(&self, subject: &str, change: impl FnOnce(&mut User)) {
        let mut user = self.stored(subject).await.expect("stored");
        let expected = UserVersion::from(&user);
        change(&mut user);
        self.store.commit(&[Change::UpdateUser { expected, user }]).await.expect("committed");
    }

    /// The whole history, newest first.
    pub(crate) async fn history(&self) -> Vec<AuditEvent> {
        let window = PageRequest { size: 100, edge: PageEdge::First, after: None, before: None };
        let page = self.store.audit_page(&AuditFilter::default(), &window).await.expect("a read");
        page.items.into_iter().map(|item| item.node.expect("one that can be read")).collect()
    }

    /// Asks as nobody.
    pub(crate) async fn ask_as_nobody(&self, query: &str) -> Reply {
        let request =
            axum::http::Request::post("/graphql").header("content-type", "application/json");
        let body = json!({"query": query}).to_string();
        self.send(request.body(Body::from(body)).expect("a request")).await
    }

    /// Sends any request through the router.
    pub(crate) async fn send(&self, request: axum::http::Request<Body>) -> Reply {
        send(&self.router, request).await
    }

    /// The answer to any request, its body as it comes.
    pub(crate) async fn respond(&self, request: axum::http::Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.expect("an answer")
    }
}

/// Sends any request through a router.
pub(crate) async fn send(router: &Router, request: axum::http::Request<Body>) -> Reply {
    let response = router.clone().oneshot(request).await.expect("an answer");
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.expect("a body").to_bytes();
    let body = String::from_utf8(bytes.to_vec()).expect("UTF-8");
    Reply {
        status: parts.status.as_u16(),
        reads: parts.extensions.get::<StoreCost>().map_or(0, |cost| cost.store_reads),
        writes: parts.extensions.get::<StoreCost>().map_or(0, |cost| cost.store_writes),
        headers: parts.headers,
        json: serde_json::from_str(&body).unwrap_or(Value::Null),
        body,
    }
}

async fn gateway(
    issuers: &[&Arc<TestIssuer>],
    (store, clock, metrics, stages): (Arc<dyn Store>, Arc<dyn Clock>, Metrics, ShutdownWatch),
    setup: Setup,
) -> Arc<AppState> {
    let mut verifiers = Vec::new();
    for (place, issuer) in issuers.iter().enumerate() {
        let discovery = OidcKeySource::discover(Fetcher::new(None).expect("TLS"), issuer.url());
        let keys = Arc::new(JwksCache::remote(discovery.expect("an issuer"), metrics.clone()));
        keys.first_fetch().await;
        // Each but the first has an audience of its own, which is none of the first one's.
        let audiences: &[&str] = if place == 0 { &[AUDIENCE, "other"] } else { &[OTHER_AUDIENCE] };
        let expected = TokenValidation {
            issuer: issuer.url().to_owned(),
            audiences: audiences.iter().map(|&audience| audience.to_owned()).collect(),
            groups_claim: "groups".to_owned(),
        };
        verifiers.push(Verifier::new(expected, keys));
    }
    let trusted = setup.documents.map(|(json, only)| TrustedDocuments::read(json, only));
    let trusted = trusted.transpose().expect("a manifest").unwrap_or_default();
    let rules = AccessConfig {
        groups: group_names(),
        default_tenant: "dezky".to_owned(),
        issuers: issuers.iter().map(|issuer| issuer.url().to_owned()).collect(),
    };
    let access = Access::new(store.clone(), clock.clone(), rules);
    access.mark_ready();
    Arc::new(AppState {
        executor: GraphQlExecutor::new(
            setup.introspection,
            Limits::default(),
            trusted,
            metrics.clone(),
        ),
        access: Arc::new(access),
        authenticator: Authenticator::new(verifiers, metrics.clone()),
        traffic_limits: TrafficLimits {
            allowed_origins: setup.cors,
            request_timeout: setup.request_timeout,
            rate_limiter: setup.rate.map(|units| RateLimiter::new(units, Duration::from_secs(1))),
            trusted_proxies: TrustedProxies::default(),
            concurrency: ConcurrencyLimit::new(setup.max_in_flight, metrics.clone()),
        },
        metrics,
        clock,
        max_body_bytes: 256 * 1024,
        shutdown: stages,
        playground: setup.playground,
        dev: None,
    })
}

/// What groups are called where nobody says otherwise.
pub(crate) fn group_names() -> GroupMapping {
    GroupMapping {
        platform_admins: "platform-admins".to_owned(),
        tenant_prefix: "tenant:".to_owned(),
    }
}
