//! Serves HTTP on two addresses: GraphQL on the public bind, health and metrics on the admin bind.
//!
//! A request passes the layers of [`public_router`] and then the pipeline in `graphql/handler.rs`.
//! `state` has the shared [`AppState`]. `error` and `response` build all responses of GraphQL.

mod caller_counts;
mod closing_stream;
mod compression;
mod concurrency_limit;
mod connection_io;
mod connection_limit;
mod content_sniffing;
mod cors;
mod dev;
mod dev_mail;
mod error;
mod graphql;
mod health;
mod host;
mod idempotency;
mod live_connections;
mod media;
mod playground;
mod proxies;
mod rate_limit;
mod request_facts;
mod request_id;
mod request_scanner;
#[cfg(test)]
mod request_scanner_tests;
mod response;
mod serve;
mod state;
mod telemetry;
mod timeout;

use std::sync::Arc;

use axum::{
    Router,
    http::StatusCode,
    middleware::{from_fn, from_fn_with_state, map_response},
    routing::get,
};
use tower::ServiceBuilder;
use tower_http::cors::CorsLayer;

pub use concurrency_limit::ConcurrencyLimit;
pub use connection_limit::ConnectionLimit;
pub use cors::AllowedOrigins;
pub use dev::{DemoCredential, issue_demo_credentials};
pub use idempotency::{MAX_KEYS_PER_DAY, key_limiter};
pub use live_connections::LiveConnections;
pub use proxies::TrustedProxies;
pub use rate_limit::RateLimiter;
pub use response::StoreCost;
pub use serve::{
    HEAD_TIMEOUT, MAX_HEAD_BYTES, PeerAddr, ShutdownPhase, ShutdownWatch, serve, wait_for_phase,
};
pub use state::{AppState, DevMode, TrafficLimits};

/// Returns the routes of the public bind.
pub fn public_router(state: Arc<AppState>) -> Router {
    // Pages of other origins may send GraphQL requests. Nothing else is for them, and the tokens of
    // `/dev/identities` least of all.
    let cors = cors::layer(&state.traffic_limits.allowed_origins);
    let graphql = add_layers(graphql::routes(Router::new()), cors, &state);
    let mut same_origin = Router::new().fallback(not_found);
    if state.playground {
        same_origin = playground::routes(same_origin);
    }
    if state.dev.is_some() {
        same_origin = dev_mail::routes(dev::routes(same_origin));
    }
    let router = graphql.merge(add_layers(same_origin, None, &state));
    router.layer(map_response(content_sniffing::forbid)).with_state(state)
}

/// Adds the layers of the public bind to some of its routes.
fn add_layers(
    router: Router<Arc<AppState>>,
    cors: Option<CorsLayer>,
    state: &Arc<AppState>,
) -> Router<Arc<AppState>> {
    // A request passes the layers from top to bottom, and its response from bottom to top. The
    // upper layers therefore also apply to responses that a lower layer creates.
    router.layer(
        ServiceBuilder::new()
            // Assigns the request identifier, which every response carries.
            .layer(from_fn(request_id::layer))
            // Adds the CORS headers and responds to preflight requests.
            .option_layer(cors)
            // Logs, traces and counts the request, also if a lower layer rejects it.
            .layer(from_fn_with_state(state.clone(), telemetry::layer))
            // Rejects a request of HTTP/1.1 without exactly one valid `Host` header.
            .layer(from_fn(host::layer))
            // Compresses the response.
            .layer(compression::layer())
            // Responds with 504 at the deadline.
            .layer(from_fn_with_state(state.clone(), timeout::layer)),
    )
}

async fn not_found() -> StatusCode {
    StatusCode::NOT_FOUND
}

/// Returns the routes of the admin bind.
pub fn admin_router(state: Arc<AppState>) -> Router {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .layer(from_fn(host::layer))
        .layer(from_fn(request_id::layer))
        .layer(map_response(content_sniffing::forbid))
        .with_state(state)
}
