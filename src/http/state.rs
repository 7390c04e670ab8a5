//! The state that all request handlers share.

use std::{sync::Arc, time::Duration};

use super::{
    concurrency_limit::ConcurrencyLimit, cors::AllowedOrigins, live_connections::LiveConnections,
    proxies::TrustedProxies, rate_limit::RateLimiter, serve::ShutdownWatch,
};
use crate::{
    access::Access,
    auth::{authenticator::Authenticator, dev_issuer::DevIssuer},
    clock::Clock,
    domain::sync::GroupMapping,
    graphql::GraphQlExecutor,
    mail::Mailbox,
    metrics::Metrics,
};

/// The state that all request handlers share.
pub struct AppState {
    /// Prepares and executes GraphQL requests.
    pub executor: GraphQlExecutor,
    /// Authorizes all access to stored data.
    pub access: Arc<Access>,
    /// Verifies bearer tokens.
    pub authenticator: Authenticator,
    /// The metrics of this process.
    pub metrics: Metrics,
    /// The source of the current time.
    pub clock: Arc<dyn Clock>,
    /// The maximum length of a request body, in bytes.
    pub max_body_bytes: usize,
    /// The limits on incoming traffic.
    pub traffic_limits: TrafficLimits,
    /// Reports the progress of the shutdown.
    pub shutdown: ShutdownWatch,
    /// Enables the GraphiQL playground.
    pub playground: bool,
    /// The parts that only `tenantry dev` has.
    pub dev: Option<DevMode>,
}

/// The limits on incoming traffic.
pub struct TrafficLimits {
    /// The origins whose pages may send requests (CORS).
    pub allowed_origins: AllowedOrigins,
    /// The maximum duration of a request, from its head to its response.
    pub request_timeout: Duration,
    /// Limits the cost per caller and unit of time. `None` disables the limit.
    pub rate_limiter: Option<RateLimiter>,
    /// Limits the number of new idempotency keys per user and day.
    pub idempotency_keys: RateLimiter,
    /// The proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: TrustedProxies,
    /// Limits the number of requests that are processed concurrently.
    pub concurrency: ConcurrencyLimit,
    /// Limits the WebSockets and event streams of each caller.
    pub live_connections: LiveConnections,
}

/// The parts that only `tenantry dev` has.
pub struct DevMode {
    /// The built-in issuer, which signs a token for every demo identity.
    pub issuer: DevIssuer,
    /// The configured names of the provider's groups.
    pub groups: GroupMapping,
    /// The mailbox that keeps all mail.
    pub mailbox: Arc<Mailbox>,
}
