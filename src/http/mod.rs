//! Serves HTTP on two addresses: GraphQL on the public bind, health and metrics on the admin bind.
//!
//! A request passes the layers of [`public_router`] and then the pipeline in `graphql/handler.rs`.
//! `state` has the shared [`AppState`]. `error` and `response` build all responses of GraphQL.

mod compression;
mod concurrency_limit;
mod cors;
mod dev;
mod error;
mod graphql;
mod health;
mod idempotency;
mod media;
mod playground;
mod proxies;
mod rate_limit;
mod request_id;
mod response;
mod serve;
mod state;
mod telemetry;
mod timeout;

use std::sync::Arc;

use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
    routing::get,
};
use tower::ServiceBuilder;

pub use concurrency_limit::ConcurrencyLimit;
pub use cors::AllowedOrigins;
pub use dev::{DemoCredential, issue_demo_credentials};
pub use idempotency::{MAX_KEYS_PER_DAY, key_limiter};
pub use proxies::TrustedProxies;
pub use rate_limit::RateLimiter;
pub use response::StoreCost;
pub use serve::{HEAD_TIMEOUT, PeerAddr, ShutdownPhase, ShutdownWatch, serve, wait_for_phase};
pub use state::{AppState, DevMode, TrafficLimits};

/// Returns the routes of the public bind.
pub fn public_router(state: Arc<AppState>) -> Router {
    let mut router = graphql::routes(Router::new());
    if state.playground {
        router = playground::routes(router);
    }
    if state.dev.is_some() {
        router = dev::routes(router);
    }
    // A request passes the layers from top to bottom, and its response from bottom to top. The
    // upper layers therefore also apply to responses that a lower layer creates.
    let layers = ServiceBuilder::new()
        // Assigns the request identifier, which every response carries.
        .layer(from_fn(request_id::layer))
        // Adds the CORS headers and responds to preflight requests.
        .option_layer(cors::layer(&state.traffic_limits.allowed_origins))
        // Logs, traces and counts the request, also if a lower layer rejects it.
        .layer(from_fn_with_state(state.clone(), telemetry::layer))
        // Compresses the response.
        .layer(compression::layer())
        // Responds with 504 at the deadline.
        .layer(from_fn_with_state(state.clone(), timeout::layer));
    router.layer(layers).with_state(state)
}

/// Returns the routes of the admin bind.
pub fn admin_router(state: Arc<AppState>) -> Router {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .with_state(state)
}
