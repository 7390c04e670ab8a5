//! The two doors: the public one for GraphQL, the admin one for whoever runs this.

mod compression;
mod concurrency_limit;
mod cors;
mod dev;
mod graphql;
mod health;
mod idempotency;
mod media;
mod playground;
mod proxies;
mod rate_limit;
mod request_id;
mod serve;
mod telemetry;
mod timeout;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
    routing::{get, post},
};
use tower::ServiceBuilder;

use crate::{
    access::Access,
    auth::{authenticator::Authenticator, dev_issuer::DevIssuer},
    clock::Clock,
    domain::sync::GroupMapping,
    graphql::GraphQlExecutor,
    metrics::Metrics,
};

pub use concurrency_limit::ConcurrencyLimit;
pub use cors::AllowedOrigins;
pub use dev::{Persona, personas};
pub use graphql::StoreCost;
pub use proxies::TrustedProxies;
pub use rate_limit::RateLimiter;
pub use serve::{HEAD_TIMEOUT, PeerAddr, ShutdownPhase, ShutdownWatch, serve, wait_for_phase};

/// What every request needs.
pub struct AppState {
    /// The schema.
    pub api: GraphQlExecutor,
    /// The door to data.
    pub access: Arc<Access>,
    /// Who verifies credentials.
    pub authenticator: Authenticator,
    /// What is counted.
    pub metrics: Metrics,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How long a body may be, in bytes.
    pub max_body_bytes: usize,
    /// What holds traffic in bounds.
    pub bounds: TrafficLimits,
    /// How far the end of the program has come.
    pub stages: ShutdownWatch,
    /// Whether GraphiQL is served.
    pub playground: bool,
    /// The built-in issuer, in `dev`.
    pub dev: Option<DevMode>,
}

/// What holds traffic in bounds.
pub struct TrafficLimits {
    /// The pages of other origins that may ask.
    pub cors: AllowedOrigins,
    /// How long a request may take, from its head to its answer.
    pub request_timeout: Duration,
    /// How much one caller may ask for; `None` where there is no end.
    pub rate: Option<RateLimiter>,
    /// The proxies in front, whose word counts of who asks.
    pub proxies: TrustedProxies,
    /// How many requests may be at work at once.
    pub places: ConcurrencyLimit,
}

/// What only `dev` has.
pub struct DevMode {
    /// Signs a token for whoever asks.
    pub issuer: DevIssuer,
    /// What groups are called here.
    pub groups: GroupMapping,
}

/// What the public bind serves.
pub fn public_router(gateway: Arc<AppState>) -> Router {
    let mut router = Router::new().route(
        "/graphql",
        get(graphql::get).merge(post(graphql::post)).fallback(graphql::not_allowed),
    );
    if gateway.playground {
        router = playground::routes(router);
    }
    if gateway.dev.is_some() {
        router = router
            .route("/dev/identities", get(dev::identities))
            .route("/dev/oidc/.well-known/openid-configuration", get(dev::discovery))
            .route("/dev/oidc/jwks.json", get(dev::jwks));
    }
    // The way in, from the outside; answers come back the same way, those of the layers too.
    let layers = ServiceBuilder::new()
        // Its identifier, which every answer carries.
        .layer(from_fn(request_id::layer))
        // Whether a page of another origin may ask; answers preflights.
        .option_layer(cors::layer(&gateway.bounds.cors))
        // What is told of it, whatever becomes of it further in.
        .layer(from_fn_with_state(gateway.clone(), telemetry::layer))
        // The answer made short.
        .layer(compression::layer())
        // Its time, or 504. What is left is `graphql`, in this order: the answer's form (406), the
        // credential (401), the caller's rate (429), the body (413, 415), a place among those at work
        // (503), the document (400), what that costs (429 again), and its run.
        .layer(from_fn_with_state(gateway.clone(), timeout::layer));
    router.layer(layers).with_state(gateway)
}

/// What the admin bind serves.
pub fn admin_router(gateway: Arc<AppState>) -> Router {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .with_state(gateway)
}
