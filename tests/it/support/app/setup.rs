//! The options of an app, and the state of the gateway that they result in.

use std::{sync::Arc, time::Duration};

use tenantry::{
    access::{Access, AccessConfig, InvitationSettings, Secrets},
    auth::{
        authenticator::Authenticator,
        discovery::OidcKeySource,
        fetch::Fetcher,
        jwks_cache::JwksCache,
        token::{TokenValidation, Verifier},
    },
    clock::Clock,
    domain::{limits::Limits, sync::GroupMapping, trusted_documents::TrustedDocumentsMode},
    graphql::{GraphQlExecutor, TrustedDocuments},
    http::{
        AllowedOrigins, AppState, ConcurrencyLimit, LiveConnections, MAX_KEYS_PER_DAY, RateLimiter,
        ShutdownWatch, TrafficLimits, TrustedProxies, key_limiter,
    },
    metrics::Metrics,
    store::Store,
};

use super::super::{
    issuer::{AUDIENCE, TestIssuer},
    store_gate::StoreGate,
};

/// The audience of the second issuer.
pub(crate) const OTHER_AUDIENCE: &str = "partner";

/// The default secret of an app.
pub(crate) const SECRET: [u8; 32] = [7; 32];

/// The options of an app.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// Enables GraphQL introspection.
    pub(crate) introspection: bool,
    /// The URL of the database of an app on MongoDB. The default is a new one on the shared server.
    pub(crate) mongo_uri: Option<String>,
    /// Makes the provider unreachable when the gateway starts.
    pub(crate) issuer_away: bool,
    /// Adds a second issuer.
    pub(crate) two_issuers: bool,
    /// The manifest of trusted documents and the mode of the check.
    pub(crate) documents: Option<(&'static str, TrustedDocumentsMode)>,
    /// The origins that CORS allows.
    pub(crate) cors: AllowedOrigins,
    /// The gate in front of the store. Without a gate, the app uses the store directly.
    pub(crate) gate: Option<Arc<StoreGate>>,
    /// The rate limit, as complexity per second. The default is no limit, because the test clock
    /// stands still.
    pub(crate) rate: Option<u64>,
    /// The limit on new idempotency keys per user and day.
    pub(crate) keys_per_day: u64,
    /// The limit on concurrent requests.
    pub(crate) max_in_flight: usize,
    /// The limit on the WebSockets and event streams of one caller.
    pub(crate) max_live_connections: usize,
    /// The time over which a shutdown spreads the end of these.
    pub(crate) shutdown_delay: Duration,
    /// The secrets of invitations. The default is one secret.
    pub(crate) secrets: Vec<[u8; 32]>,
    /// Requires a verified e-mail address of an invited person.
    pub(crate) requires_verified_email: bool,
    /// Queues the mail of invitations.
    pub(crate) sends_mail: bool,
    /// Lets queries use a user that was read up to a second before.
    pub(crate) actor_cache: bool,
    /// Serves the GraphiQL page.
    pub(crate) playground: bool,
    /// The time limit of a request. It is generous, so that no test depends on the machine's speed.
    pub(crate) request_timeout: Duration,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            introspection: true,
            mongo_uri: None,
            issuer_away: false,
            two_issuers: false,
            documents: None,
            cors: AllowedOrigins::List(Vec::new()),
            gate: None,
            rate: None,
            keys_per_day: MAX_KEYS_PER_DAY,
            max_in_flight: 512,
            max_live_connections: 512,
            shutdown_delay: Duration::ZERO,
            secrets: vec![SECRET],
            requires_verified_email: false,
            sends_mail: false,
            actor_cache: false,
            playground: false,
            request_timeout: Duration::from_secs(600),
        }
    }
}

/// The parts of the gateway's state that an app also uses itself.
pub(super) struct Parts {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) metrics: Metrics,
    pub(super) shutdown: ShutdownWatch,
}

/// Builds the state of a gateway that trusts these issuers.
pub(super) async fn build_state(
    issuers: &[&Arc<TestIssuer>],
    parts: Parts,
    setup: Setup,
) -> Arc<AppState> {
    let Parts { store, clock, metrics, shutdown } = parts;
    let verifiers = build_verifiers(issuers, &metrics).await;
    let documents = setup.documents.map(|(json, mode)| TrustedDocuments::parse(json, mode));
    let documents = documents.transpose().expect("a manifest").unwrap_or_default();
    let config = AccessConfig {
        groups: group_names(),
        default_tenant: "dezky".to_owned(),
        issuers: issuers.iter().map(|issuer| issuer.url().to_owned()).collect(),
    };
    let access = Access::new(store, clock.clone(), config).with_metrics(metrics.clone());
    let access = access.with_invitations(InvitationSettings {
        secrets: Secrets::derive(setup.secrets.iter().map(<[u8; 32]>::as_slice)),
        accept_url: Some("https://portal.example.org/i/{token}".to_owned()),
        requires_verified_email: setup.requires_verified_email,
        sends_mail: setup.sends_mail,
    });
    let access = if setup.actor_cache { access.with_actor_cache() } else { access };
    access.mark_ready();
    Arc::new(AppState {
        executor: GraphQlExecutor::new(
            setup.introspection,
            Limits::default(),
            documents,
            metrics.clone(),
        ),
        access: Arc::new(access),
        authenticator: Authenticator::new(verifiers, metrics.clone()),
        traffic_limits: TrafficLimits {
            allowed_origins: setup.cors,
            request_timeout: setup.request_timeout,
            rate_limiter: setup.rate.map(|units| RateLimiter::new(units, Duration::from_secs(1))),
            idempotency_keys: key_limiter(setup.keys_per_day),
            trusted_proxies: TrustedProxies::default(),
            concurrency: ConcurrencyLimit::new(setup.max_in_flight, metrics.clone()),
            live_connections: LiveConnections::new(
                setup.max_live_connections,
                setup.shutdown_delay,
                metrics.clone(),
            ),
        },
        metrics,
        clock,
        max_body_bytes: 256 * 1024,
        shutdown,
        playground: setup.playground,
        dev: None,
    })
}

/// Builds one verifier per issuer. Each has fetched its keys once, successfully or not.
async fn build_verifiers(issuers: &[&Arc<TestIssuer>], metrics: &Metrics) -> Vec<Verifier> {
    let mut verifiers = Vec::new();
    for (index, issuer) in issuers.iter().enumerate() {
        let discovery = OidcKeySource::discover(Fetcher::new(None).expect("TLS"), issuer.url());
        let keys = Arc::new(JwksCache::remote(discovery.expect("an issuer"), metrics.clone()));
        keys.wait_for_first_fetch().await;
        // The first issuer shares no audience with the others.
        let audiences: &[&str] = if index == 0 { &[AUDIENCE, "other"] } else { &[OTHER_AUDIENCE] };
        let validation = TokenValidation {
            issuer: issuer.url().to_owned(),
            audiences: audiences.iter().map(|&audience| audience.to_owned()).collect(),
            groups_claim: "groups".to_owned(),
        };
        verifiers.push(Verifier::new(validation, keys));
    }
    verifiers
}

/// Returns the default names of groups.
fn group_names() -> GroupMapping {
    GroupMapping {
        platform_admins: "platform-admins".to_owned(),
        tenant_prefix: "tenant:".to_owned(),
    }
}
