//! The two doors: the public one for GraphQL, the admin one for whoever runs this.

mod compression;
mod cors;
mod dev;
mod graphql;
mod health;
mod in_flight;
mod media;
mod observe;
mod playground;
mod rate;
mod repeat;
mod request_id;
mod serve;
mod time_limit;

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
    domain::sync::GroupNames,
    graphql::Api,
    metrics::Metrics,
};

pub use cors::Origins;
pub use dev::{Persona, personas};
pub use graphql::Cost;
pub use in_flight::Places;
pub use rate::RateLimiter;
pub use serve::{HEAD_TIMEOUT, Peer, Stage, Stages, reached, serve};

/// What every request needs.
pub struct Gateway {
    /// The schema.
    pub api: Api,
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
    pub bounds: Bounds,
    /// How far the end of the program has come.
    pub stages: Stages,
    /// Whether GraphiQL is served.
    pub playground: bool,
    /// The built-in issuer, in `dev`.
    pub dev: Option<Dev>,
}

/// What holds traffic in bounds.
pub struct Bounds {
    /// The pages of other origins that may ask.
    pub cors: Origins,
    /// How long a request may take, from its head to its answer.
    pub request_timeout: Duration,
    /// How much one caller may ask for; `None` where there is no end.
    pub rate: Option<RateLimiter>,
    /// How many requests may be at work at once.
    pub places: Places,
}

/// What only `dev` has.
pub struct Dev {
    /// Signs a token for whoever asks.
    pub issuer: DevIssuer,
    /// What groups are called here.
    pub groups: GroupNames,
}

/// What the public bind serves.
pub fn public(gateway: Arc<Gateway>) -> Router {
    let mut router = Router::new()
        .route(
            "/graphql",
            get(graphql::get).merge(post(graphql::post)).fallback(graphql::not_allowed),
        )
        .route("/", get(playground::page));
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
        .layer(from_fn_with_state(gateway.clone(), observe::layer))
        // The answer made short.
        .layer(compression::layer())
        // Its time, or 504. What is left is `graphql`, in this order: the answer's form (406), the
        // credential (401), the caller's rate (429), the body (413, 415), a place among those at work
        // (503), the document (400), what that costs (429 again), and its run.
        .layer(from_fn_with_state(gateway.clone(), time_limit::layer));
    router.layer(layers).with_state(gateway)
}

/// What the admin bind serves.
pub fn admin(gateway: Arc<Gateway>) -> Router {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .with_state(gateway)
}
