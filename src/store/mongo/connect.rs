//! From a URL to a store: nothing is asked of the server yet, so it may be away.

use std::time::Duration;

use mongodb::{
    Client,
    options::{ClientOptions, ReadConcern, WriteConcern},
};

use super::{MongoStore, RawCollection};
use crate::{
    metrics::Metrics,
    store::{PrepareError, StoreError, instrumentation::CommandMetrics},
};

const SERVER_SELECTION_TIMEOUT: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections to one server. More of them make nothing faster; fewer make a queue.
const MAX_POOL_SIZE: u32 = 32;

const URL_HELP: &str = "it should be like mongodb://user:password@host:27017/database?replicaSet=rs0, \
                    with user and password percent-encoded";

impl MongoStore {
    /// Takes a `mongodb://` or `mongodb+srv://` URL that names a database; `default_issuer` is the
    /// issuer of users that name none. A server that is away is no error, but only the DNS can
    /// resolve a `mongodb+srv://` URL. Commands are counted where there is something to count with.
    pub async fn connect(
        url: &str,
        default_issuer: &str,
        metrics: Option<Metrics>,
    ) -> Result<Self, PrepareError> {
        let options = ClientOptions::parse(url).await.map_err(|error| unusable(url, &error))?;
        let Some(name) = options.default_database.clone() else {
            let text = format!("the database URL names no database: {URL_HELP}");
            return Err(PrepareError::Misconfigured(text));
        };
        let client =
            Client::with_options(with_defaults(options)).map_err(|error| unusable(url, &error))?;
        let database = client.database(&name);
        let observer =
            metrics.map_or_else(CommandMetrics::default, |m| CommandMetrics::new(m, "mongodb"));
        let collection = |name: &str| RawCollection {
            collection: database.collection(name),
            observer: observer.clone(),
        };
        Ok(Self {
            tenants: collection("tenants"),
            users: collection("users"),
            subscriptions: collection("subscriptions"),
            audit_events: collection("auditEvents"),
            tombstones: collection("tombstones"),
            requests: collection("requests"),
            observer: observer.clone(),
            turns: super::commit::TenantLocks::new(),
            default_issuer: default_issuer.to_owned(),
            database,
            client,
        })
    }
}

/// The URL may ask for other times and another pool, but not for weaker guarantees.
fn with_defaults(mut options: ClientOptions) -> ClientOptions {
    options.app_name.get_or_insert_with(|| "tenantry".to_owned());
    options.server_selection_timeout.get_or_insert(SERVER_SELECTION_TIMEOUT);
    options.connect_timeout.get_or_insert(CONNECT_TIMEOUT);
    options.max_pool_size.get_or_insert(MAX_POOL_SIZE);
    options.read_concern = Some(ReadConcern::majority());
    options.write_concern = Some(WriteConcern::majority());
    options.retry_reads = Some(true);
    options.retry_writes = Some(true);
    // A secondary may lag behind what was committed here a moment ago.
    options.selection_criteria = None;
    options
}

/// The driver's own words may quote parts of the URL, so they are kept only without a secret in it.
fn unusable(url: &str, error: &mongodb::error::Error) -> PrepareError {
    if matches!(*error.kind, mongodb::error::ErrorKind::DnsResolve { .. }) {
        let text = "the DNS does not resolve the database URL".to_owned();
        return PrepareError::Failed(StoreError::Unavailable(text));
    }
    let secret = url.contains('@') || url.contains("assword") || url.contains("TOKEN");
    let why = if secret { String::new() } else { format!(" ({})", error.kind) };
    PrepareError::Misconfigured(format!("the database URL cannot be used{why}: {URL_HELP}"))
}
