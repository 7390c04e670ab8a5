//! Builds the parts that several commands share: the clock, the store, key sources and the state of
//! the HTTP server.

use std::sync::Arc;

use secrecy::ExposeSecret;

use super::error::AppError;
use crate::{
    access::{Access, InvitationSettings, Secrets},
    auth::{
        authenticator::Authenticator, discovery::OidcKeySource, fetch::Fetcher, token::Verifier,
    },
    clock::{Clock, SystemClock},
    config::{
        DatabaseConfig, InvitationConfig, IssuerConfig, OidcConfig, ServerConfig, TrafficConfig,
    },
    graphql::{GraphQlExecutor, TrustedDocuments},
    http::{
        AppState, ConcurrencyLimit, DevMode, LiveConnections, MAX_KEYS_PER_DAY, RateLimiter,
        ShutdownWatch, TrafficLimits, TrustedProxies, key_limiter,
    },
    metrics::Metrics,
    store::{PrepareError, Store, mongo::MongoStore, sqlite::SqliteStore},
};

/// The parts of the state that `serve` and `dev` create differently.
pub(super) struct StateParts {
    pub(super) access: Arc<Access>,
    pub(super) verifiers: Vec<Verifier>,
    pub(super) trusted_documents: TrustedDocuments,
    pub(super) metrics: Metrics,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) shutdown: ShutdownWatch,
    pub(super) dev: Option<DevMode>,
}

/// Builds the state of the HTTP server.
pub(super) fn build_state(server: ServerConfig, parts: StateParts) -> Arc<AppState> {
    let StateParts { access, verifiers, trusted_documents, metrics, clock, shutdown, dev } = parts;
    Arc::new(AppState {
        executor: GraphQlExecutor::new(
            server.introspection,
            server.limits,
            trusted_documents,
            metrics.clone(),
        ),
        access,
        authenticator: Authenticator::new(verifiers, metrics.clone()),
        traffic_limits: traffic_limits(server.traffic, &metrics),
        metrics,
        clock,
        max_body_bytes: server.max_body_bytes,
        shutdown,
        playground: server.playground,
        dev,
    })
}

fn traffic_limits(traffic: TrafficConfig, metrics: &Metrics) -> TrafficLimits {
    TrafficLimits {
        allowed_origins: traffic.cors_origins,
        request_timeout: traffic.request_timeout,
        rate_limiter: traffic.rate_limit.map(|limit| RateLimiter::new(limit.units, limit.window)),
        idempotency_keys: key_limiter(MAX_KEYS_PER_DAY),
        trusted_proxies: TrustedProxies::new(traffic.trusted_proxies),
        concurrency: ConcurrencyLimit::new(traffic.max_concurrent_requests, metrics.clone()),
        live_connections: LiveConnections::new(
            traffic.max_live_connections_per_caller,
            traffic.shutdown_delay,
            metrics.clone(),
        ),
    }
}

/// Derives the keys of invitations from the configured secrets.
pub(super) fn invitation_settings(
    config: &InvitationConfig,
) -> Result<InvitationSettings, AppError> {
    let secrets = config.secrets.iter().map(ExposeSecret::expose_secret);
    let secrets = match config.secrets.is_empty() {
        true => None,
        false => Some(
            Secrets::derive(secrets)
                .ok_or_else(|| AppError::failed("no keys can be derived from TENANTRY_SECRET"))?,
        ),
    };
    Ok(InvitationSettings {
        secrets,
        accept_url: config.url.clone(),
        requires_verified_email: config.requires_verified_email,
        sends_mail: false,
    })
}

/// Reads the trusted documents, if a file is configured.
pub(super) fn load_trusted_documents(server: &ServerConfig) -> Result<TrustedDocuments, AppError> {
    let Some(path) = &server.trusted_documents_file else { return Ok(TrustedDocuments::default()) };
    let invalid = |reason: String| {
        AppError::misconfigured(format!(
            "TENANTRY_TRUSTED_DOCUMENTS_FILE: invalid file {:?}: {reason}",
            path.display()
        ))
    };
    let json = std::fs::read_to_string(path).map_err(|error| invalid(error.to_string()))?;
    let documents =
        TrustedDocuments::parse(&json, server.trusted_documents_mode).map_err(invalid)?;
    tracing::info!(documents = documents.len(), "trusted documents loaded");
    Ok(documents)
}

pub(super) fn system_clock() -> Result<Arc<dyn Clock>, AppError> {
    Ok(Arc::new(SystemClock::new().map_err(AppError::failed)?))
}

/// Opens the configured database. In MongoDB, users without an issuer belong to the default issuer.
pub(super) async fn open_store(
    database: &DatabaseConfig,
    default_issuer: &str,
    metrics: Option<Metrics>,
) -> Result<Arc<dyn Store>, AppError> {
    connect(database, default_issuer, metrics).await.map_err(database_error)
}

async fn connect(
    database: &DatabaseConfig,
    default_issuer: &str,
    metrics: Option<Metrics>,
) -> Result<Arc<dyn Store>, PrepareError> {
    Ok(match database {
        DatabaseConfig::Mongo(url) => {
            Arc::new(MongoStore::connect(url.expose_secret(), default_issuer, metrics).await?)
        }
        DatabaseConfig::Sqlite(path) => Arc::new(SqliteStore::open(path, metrics)?),
        DatabaseConfig::SqliteInMemory => Arc::new(SqliteStore::in_memory(metrics)?),
    })
}

/// Converts an error of the configured database, and names the variable if it is misconfigured.
pub(super) fn database_error(error: PrepareError) -> AppError {
    match error {
        PrepareError::Misconfigured(reason) => {
            AppError::misconfigured(format!("TENANTRY_DATABASE_URL: {reason}"))
        }
        PrepareError::NotMigrated(reason) => {
            AppError::misconfigured(format!("TENANTRY_DATABASE_URL: {reason}"))
        }
        error @ PrepareError::Failed(_) => error.into(),
    }
}

/// Creates the HTTP client that fetches discovery documents and keys.
pub(super) fn create_fetcher(oidc: &OidcConfig) -> Result<Fetcher, AppError> {
    Fetcher::new(oidc.ca_file.as_deref())
        .map_err(|error| AppError::misconfigured(format!("TENANTRY_OIDC_CA_FILE: {error}")))
}

/// Creates the source of an issuer's keys.
pub(super) fn create_key_source(
    fetcher: &Fetcher,
    issuer: &IssuerConfig,
) -> Result<OidcKeySource, AppError> {
    match &issuer.jwks_url {
        Some(url) => OidcKeySource::with_jwks_url(fetcher.clone(), &issuer.url, url.as_str()),
        None => OidcKeySource::discover(fetcher.clone(), &issuer.url),
    }
    .map_err(|error| AppError::misconfigured(format!("TENANTRY_OIDC_ISSUER: {error}")))
}
