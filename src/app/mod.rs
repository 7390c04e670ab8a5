//! The composition root: the only place that knows every part, picks a store and wires them.

mod check;
mod seed;

use std::{fmt, future::Future, io, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use axum::http::HeaderValue;
use secrecy::ExposeSecret;
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

use crate::{
    access::{Access, AccessConfig},
    auth::{
        authenticator::Authenticator,
        dev_issuer::DevIssuer,
        discovery::OidcKeySource,
        error::audience_hint,
        fetch::Fetcher,
        jwks_cache::JwksCache,
        token::{TokenValidation, Verifier},
    },
    clock::{Clock, SystemClock},
    config::{
        CorsOrigins, DatabaseConfig, DefaultTenant, IssuerConfig, OidcConfig, ServerConfig,
        TrafficConfig,
    },
    domain::sync::GroupMapping,
    graphql::{GraphQlExecutor, TrustedDocuments},
    http::{
        self, AllowedOrigins, AppState, ConcurrencyLimit, DevMode, RateLimiter, ShutdownPhase,
        TrafficLimits, TrustedProxies,
    },
    metrics::Metrics,
    seed::{DEV_AUDIENCE, Seeder},
    store::{CommitError, PrepareError, Store, mongo::MongoStore, sqlite::SqliteStore},
};

/// What `dev` keeps between two starts.
const DEV_FOLDER: &str = ".tenantry";
/// Who says what a user document without an issuer means, where nobody has one: nothing reads it.
const NO_ISSUER: &str = "";
/// What the printed `curl` lines ask.
const EXAMPLE_QUERY: &str = "{ me { name memberships { role tenant { slug billingInfo { email } subscription { plan status } } } } }";
/// The wait after a first failure to prepare the store; it doubles up to [`MAX_BACKOFF`].
const FIRST_BACKOFF: Duration = Duration::from_millis(250);
const MAX_BACKOFF: Duration = Duration::from_secs(10);
/// How long the end of the program waits for work that cannot be stopped.
const RUNTIME_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// Why the program ends without success. `Display` is one line, without a secret.
#[derive(Debug)]
pub struct AppError {
    why: String,
    misconfigured: bool,
}

impl AppError {
    /// What was configured can never work; trying again as it is makes no sense.
    fn misconfigured(why: impl fmt::Display) -> Self {
        Self { why: why.to_string(), misconfigured: true }
    }

    fn failed(why: impl fmt::Display) -> Self {
        Self { why: why.to_string(), misconfigured: false }
    }

    /// Whether it is the configuration's fault.
    #[must_use]
    pub const fn is_unusable(&self) -> bool {
        self.misconfigured
    }
}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for AppError {}

impl From<PrepareError> for AppError {
    fn from(error: PrepareError) -> Self {
        match error {
            PrepareError::Misconfigured(why) => Self::misconfigured(why),
            PrepareError::Failed(error) => Self::failed(error),
        }
    }
}

/// Everything that `serve` and `check` are told.
pub struct ServeConfig {
    /// How to serve.
    pub server: ServerConfig,
    /// Where data is kept.
    pub database: DatabaseConfig,
    /// Whose tokens count.
    pub provider: OidcConfig,
    /// What groups are called.
    pub groups: GroupMapping,
    /// The tenant that is always there.
    pub tenant: DefaultTenant,
}

/// Serves until it is told to stop.
pub fn serve(config: ServeConfig) -> Result<(), AppError> {
    run(async move {
        let ServeConfig { server, database, provider, groups, tenant } = config;
        let trusted = load_trusted_documents(&server)?;
        let clock = system_clock()?;
        let mut signals = Signals::listen()?;
        let metrics = Metrics::new().map_err(AppError::failed)?;
        let store = tokio::select! {
            opened = open(&database, provider.default_issuer(), Some(metrics.clone())) => opened?,
            () = signals.recv() => return Ok(()),
        };
        let fetcher = fetcher(&provider)?;
        let sources = provider.issuers.iter().map(|issuer| discovery(&fetcher, issuer));
        let sources = sources.collect::<Result<Vec<_>, _>>()?;
        let doors = Listeners::bind(&server, signals).await?;
        let (stages, seen) = watch::channel(ShutdownPhase::Running);
        let ending = ShutdownConfig::from_traffic(&server.traffic);
        let issuers: Vec<&str> = provider.issuers.iter().map(|issuer| &*issuer.url).collect();
        tracing::info!(bind = %doors.public.address, admin = %doors.admin.address, database = database.redacted(), issuers = issuers.join(" "), "serving");
        let rules = AccessConfig {
            groups,
            default_tenant: tenant.slug.clone(),
            issuers: provider.issuers.iter().map(|issuer| issuer.url.clone()).collect(),
        };
        let OidcConfig { issuers, groups_claim, .. } = provider;
        for hint in issuers.iter().filter_map(|i| audience_hint(&i.url, &i.audiences)) {
            tracing::warn!(help = hint.help, "{}", hint.message);
        }
        let verifiers = issuers.into_iter().zip(sources).map(|(issuer, source)| {
            let keys = JwksCache::remote(source, metrics.clone());
            Verifier::new(expected(issuer, &groups_claim), Arc::new(keys))
        });
        let gateway = Arc::new(AppState {
            api: GraphQlExecutor::new(
                server.introspection,
                server.limits,
                trusted,
                metrics.clone(),
            ),
            access: Arc::new(Access::new(store.clone(), clock.clone(), rules)),
            authenticator: Authenticator::new(verifiers.collect(), metrics.clone()),
            bounds: bounds(server.traffic, &metrics)?,
            metrics,
            clock: clock.clone(),
            max_body_bytes: server.max_body_bytes,
            stages: seen,
            playground: server.playground,
            dev: None,
        });
        let access = gateway.access.clone();
        let preparing = async move {
            prepare(&Seeder { store: store.clone(), clock }, &tenant).await?;
            access.mark_ready();
            tracing::info!("the database is ready");
            if let Err(error) = store.finish_deletions().await {
                tracing::warn!(%error, "memberships of deleted tenants are left for later");
            }
            // What is left is to serve.
            std::future::pending().await
        };
        tokio::select! {
            ended = preparing => ended,
            () = doors.serve(gateway, stages, ending) => Ok(()),
        }
    })
}

/// Serves everything by itself, on loopback.
pub fn dev(
    server: ServerConfig,
    groups: GroupMapping,
    tenant: DefaultTenant,
) -> Result<(), AppError> {
    run(async move {
        let trusted = load_trusted_documents(&server)?;
        let clock = system_clock()?;
        let doors = Listeners::bind(&server, Signals::listen()?).await?;
        let (stages, seen) = watch::channel(ShutdownPhase::Running);
        let ending = ShutdownConfig::from_traffic(&server.traffic);
        let url = format!("http://{}", doors.public.address);
        let folder = Path::new(DEV_FOLDER);
        let metrics = Metrics::new().map_err(AppError::failed)?;
        let issuer_url = format!("{url}/dev/oidc");
        let issuer = DevIssuer::open(folder, issuer_url.clone(), DEV_AUDIENCE.to_owned());
        let issuer = issuer.map_err(AppError::failed)?;
        let store: Arc<dyn Store> =
            Arc::new(SqliteStore::open(&folder.join("tenantry.db"), Some(metrics.clone()))?);
        let seeder = Seeder { store: store.clone(), clock: clock.clone() };
        store.prepare().await?;
        seeder.ensure_default_tenant(&tenant).await.map_err(AppError::failed)?;
        seeder.demo(&issuer_url).await.map_err(AppError::failed)?;
        let rules = AccessConfig {
            groups: groups.clone(),
            default_tenant: tenant.slug.clone(),
            issuers: vec![issuer_url.clone()],
        };
        let access = Access::new(store.clone(), clock.clone(), rules);
        access.mark_ready();
        let expected = TokenValidation {
            issuer: issuer_url,
            audiences: vec![DEV_AUDIENCE.to_owned()],
            groups_claim: "groups".to_owned(),
        };
        let keys = JwksCache::fixed(issuer.key_set());
        let verifier = Verifier::new(expected, Arc::new(keys));
        let gateway = Arc::new(AppState {
            api: GraphQlExecutor::new(
                server.introspection,
                server.limits,
                trusted,
                metrics.clone(),
            ),
            access: Arc::new(access),
            authenticator: Authenticator::new(vec![verifier], metrics.clone()),
            bounds: bounds(server.traffic, &metrics)?,
            metrics,
            clock: clock.clone(),
            max_body_bytes: server.max_body_bytes,
            stages: seen,
            playground: server.playground,
            dev: Some(DevMode { issuer, groups }),
        });
        print_quickstart(&gateway, &url, &doors.admin.address.to_string())?;
        doors.serve(gateway, stages, ending).await;
        Ok(())
    })
}

/// Examines what `serve` with this configuration would need, and changes nothing.
pub fn check(config: ServeConfig) -> Result<(), AppError> {
    run(async move { check::examine(&config).await })
}

/// Makes the database ready, with so many demo tenants, and ends.
pub fn seed(
    database: DatabaseConfig,
    tenant: DefaultTenant,
    demo: Option<u32>,
) -> Result<(), AppError> {
    run(async move { seed::run(&database, &tenant, demo).await })
}

/// The documents that are trusted.
fn load_trusted_documents(server: &ServerConfig) -> Result<TrustedDocuments, AppError> {
    let Some(path) = &server.trusted_documents_file else { return Ok(TrustedDocuments::default()) };
    let wrong = |why: String| {
        AppError::misconfigured(format!(
            "TENANTRY_TRUSTED_DOCUMENTS_FILE holds {:?}: {why}",
            path.display()
        ))
    };
    let json = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let trusted = TrustedDocuments::read(&json, server.trusted_documents_mode).map_err(wrong)?;
    tracing::info!(documents = trusted.len(), "documents are trusted");
    Ok(trusted)
}

fn run(main: impl Future<Output = Result<(), AppError>>) -> Result<(), AppError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(AppError::failed)?;
    let ended = runtime.block_on(main);
    // What still runs waits for something outside, such as a name server, and nobody waits for it.
    runtime.shutdown_timeout(RUNTIME_SHUTDOWN_TIMEOUT);
    ended
}

fn system_clock() -> Result<Arc<dyn Clock>, AppError> {
    Ok(Arc::new(SystemClock::new().map_err(AppError::failed)?))
}

async fn open(
    database: &DatabaseConfig,
    default_issuer: &str,
    metrics: Option<Metrics>,
) -> Result<Arc<dyn Store>, AppError> {
    connect(database, default_issuer, metrics).await.map_err(|error| match error {
        PrepareError::Misconfigured(why) => {
            AppError::misconfigured(format!("TENANTRY_DATABASE_URL: {why}"))
        }
        passing @ PrepareError::Failed(_) => passing.into(),
    })
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

/// What is configured of traffic, as the door has it.
fn bounds(traffic: TrafficConfig, metrics: &Metrics) -> Result<TrafficLimits, AppError> {
    let cors = match traffic.cors_origins {
        CorsOrigins::Any => AllowedOrigins::Any,
        CorsOrigins::These(these) => {
            let these = these.iter().map(|origin| HeaderValue::from_str(origin));
            AllowedOrigins::List(these.collect::<Result<_, _>>().map_err(AppError::misconfigured)?)
        }
    };
    let rate = traffic.rate_limit.map(|rate| RateLimiter::new(rate.units, rate.window));
    Ok(TrafficLimits {
        cors,
        request_timeout: traffic.request_timeout,
        rate,
        proxies: TrustedProxies::new(traffic.trusted_proxies),
        places: ConcurrencyLimit::new(traffic.max_concurrent_requests, metrics.clone()),
    })
}

fn fetcher(provider: &OidcConfig) -> Result<Fetcher, AppError> {
    Fetcher::new(provider.ca_file.as_deref())
        .map_err(|error| AppError::misconfigured(format!("TENANTRY_OIDC_CA_FILE: {error}")))
}

fn discovery(fetcher: &Fetcher, issuer: &IssuerConfig) -> Result<OidcKeySource, AppError> {
    match &issuer.jwks_url {
        Some(url) => OidcKeySource::with_jwks_url(fetcher.clone(), &issuer.url, url.as_str()),
        None => OidcKeySource::discover(fetcher.clone(), &issuer.url),
    }
    .map_err(|error| AppError::misconfigured(format!("TENANTRY_OIDC_ISSUER: {error}")))
}

fn expected(issuer: IssuerConfig, groups_claim: &str) -> TokenValidation {
    TokenValidation {
        issuer: issuer.url,
        audiences: issuer.audiences,
        groups_claim: groups_claim.to_owned(),
    }
}

/// Prepares the store and writes what has to be there, again and again while it is away.
async fn prepare(seeder: &Seeder, tenant: &DefaultTenant) -> Result<(), AppError> {
    let mut backoff = FIRST_BACKOFF;
    loop {
        let why = match seeder.store.prepare().await {
            Ok(()) => match seeder.ensure_default_tenant(tenant).await {
                Ok(()) => return Ok(()),
                Err(CommitError::Failed(error)) => error.to_string(),
                Err(error) => error.to_string(),
            },
            Err(PrepareError::Failed(error)) => error.to_string(),
            Err(error @ PrepareError::Misconfigured(_)) => return Err(error.into()),
        };
        tracing::warn!(why, "the database is not ready; trying again");
        tokio::time::sleep(backoff).await;
        backoff = (backoff * 2).min(MAX_BACKOFF);
    }
}

/// What a newcomer needs: where it is, and something to paste for each identity.
fn print_quickstart(gateway: &AppState, url: &str, admin: &str) -> Result<(), AppError> {
    if gateway.playground {
        println!("playground  {url}/");
    }
    println!("endpoint    {url}/graphql");
    println!("readiness   http://{admin}/readyz");
    println!("tokens      {url}/dev/identities (good for an hour; ask again for fresh ones)");
    let Some(dev) = &gateway.dev else { return Ok(()) };
    let personas = http::personas(dev, gateway.clock.now()).map_err(AppError::failed)?;
    for persona in personas {
        println!("\n{}: {}", persona.name, persona.description);
        println!(
            "  curl -s {url}/graphql -H 'content-type: application/json' -H 'authorization: Bearer {}' -d '{{\"query\":\"{EXAMPLE_QUERY}\"}}'",
            persona.token
        );
    }
    Ok(())
}

/// The two listeners, and what ends them.
struct Listeners {
    public: BoundListener,
    admin: BoundListener,
    signals: Signals,
}

struct BoundListener {
    listener: TcpListener,
    address: SocketAddr,
}

impl Listeners {
    async fn bind(server: &ServerConfig, signals: Signals) -> Result<Self, AppError> {
        Ok(Self {
            public: BoundListener::bind("TENANTRY_BIND", server.bind).await?,
            admin: BoundListener::bind("TENANTRY_ADMIN_BIND", server.admin_bind).await?,
            signals,
        })
    }

    /// Serves until a signal says to stop, and then what is under way. The admin's door is the last
    /// to close: it says that the program is not ready any more.
    async fn serve(
        self,
        gateway: Arc<AppState>,
        stages: watch::Sender<ShutdownPhase>,
        ending: ShutdownConfig,
    ) {
        let Self { public, admin, mut signals } = self;
        let (admin_stages, seen) = watch::channel(ShutdownPhase::Running);
        let metrics = gateway.metrics.clone();
        let public = http::serve(
            public.listener,
            http::public_router(gateway.clone()),
            stages.subscribe(),
            Some(metrics),
        );
        let public = async {
            let cut = public.await;
            admin_stages.send_replace(ShutdownPhase::Closing);
            cut
        };
        let admin = http::serve(admin.listener, http::admin_router(gateway), seen, None);
        let end = async {
            signals.recv().await;
            tracing::info!(delay = ?ending.delay, timeout = ?ending.timeout, "stopping");
            stages.send_replace(ShutdownPhase::Draining);
            signals.wait_up_to(ending.delay).await;
            stages.send_replace(ShutdownPhase::Closing);
            signals.wait_up_to(ending.timeout).await;
            stages.send_replace(ShutdownPhase::Aborting);
            admin_stages.send_replace(ShutdownPhase::Aborting);
            std::future::pending().await
        };
        let served = async { tokio::join!(public, admin).0 };
        let cut = tokio::select! {
            cut = served => cut,
            never = end => never,
        };
        match cut {
            0 => tracing::info!("stopped"),
            connections => tracing::warn!(connections, "stopped; connections were cut"),
        }
    }
}

/// How the program ends, once it is told to.
#[derive(Clone, Copy)]
struct ShutdownConfig {
    /// How long it goes on answering while it says that it is not ready.
    delay: Duration,
    /// How long requests under way have after that.
    timeout: Duration,
}

impl ShutdownConfig {
    const fn from_traffic(traffic: &TrafficConfig) -> Self {
        Self { delay: traffic.shutdown_delay, timeout: traffic.shutdown_timeout }
    }
}

impl BoundListener {
    async fn bind(variable: &str, address: SocketAddr) -> Result<Self, AppError> {
        let failed = |error: io::Error| {
            AppError::failed(format!("{variable}: cannot listen on {address}: {error}"))
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }
}

/// What asks the program to stop. Listened to from the time it is reachable: a signal that comes
/// before that would end it at once.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> Result<Self, AppError> {
        let listen = |kind| signal(kind).map_err(AppError::failed);
        let (interrupt, terminate) = (SignalKind::interrupt(), SignalKind::terminate());
        Ok(Self { interrupt: listen(interrupt)?, terminate: listen(terminate)? })
    }

    /// The next time that somebody asks.
    async fn recv(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Lets time pass; who asks once more has no patience.
    async fn wait_up_to(&mut self, patience: Duration) {
        let _ = tokio::time::timeout(patience, self.recv()).await;
    }
}
