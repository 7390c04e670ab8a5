//! The MongoDB store and its connection options.
//!
//! Connecting sends no command to the server, so an unreachable server is not an error here. The
//! methods of [`MongoStore`] are in the other files of this folder.

use std::time::Duration;

use mongodb::{
    Client, Database,
    options::{ClientOptions, ReadConcern, WriteConcern},
};

use super::{
    abandoned::AbandonedTransactions, collection::RawCollection, tenant_locks::TenantLocks,
};
use crate::{
    metrics::Metrics,
    store::{
        PrepareError, StoreError,
        instrumentation::{Command, CommandMetrics},
    },
};

const SERVER_SELECTION_TIMEOUT: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The maximum number of connections to one server. More do not increase the throughput, and fewer
/// make commands wait.
const MAX_POOL_SIZE: u32 = 32;

const URL_HELP: &str = "expected mongodb://user:password@host:27017/database?replicaSet=rs0, with \
    user and password percent-encoded";

/// Stores everything in one database of a MongoDB deployment.
pub struct MongoStore {
    pub(super) client: Client,
    pub(super) database: Database,
    pub(super) tenants: RawCollection,
    pub(super) users: RawCollection,
    pub(super) subscriptions: RawCollection,
    pub(super) invitations: RawCollection,
    pub(super) audit_events: RawCollection,
    pub(super) tombstones: RawCollection,
    pub(super) requests: RawCollection,
    pub(super) outbox: RawCollection,
    pub(super) tenant_search_keys: RawCollection,
    pub(super) user_search_keys: RawCollection,
    pub(super) command_metrics: CommandMetrics,
    pub(super) tenant_locks: TenantLocks,
    pub(super) abandoned: AbandonedTransactions,
    /// The issuer of users whose document names none.
    pub(super) default_issuer: String,
}

impl MongoStore {
    /// Creates a store from a `mongodb://` or `mongodb+srv://` URL that names a database.
    ///
    /// `default_issuer` is the issuer of users whose document names none. Commands are recorded if
    /// `metrics` is given. An unreachable server is not an error.
    ///
    /// # Errors
    ///
    /// [`PrepareError::Misconfigured`] if the URL is invalid or names no database.
    /// [`PrepareError::Failed`] if the DNS does not resolve a `mongodb+srv://` URL.
    pub async fn connect(
        url: &str,
        default_issuer: &str,
        metrics: Option<Metrics>,
    ) -> Result<Self, PrepareError> {
        let options = ClientOptions::parse(url).await.map_err(|error| url_error(url, &error))?;
        let Some(name) = options.default_database.clone() else {
            let text = format!("the database URL names no database: {URL_HELP}");
            return Err(PrepareError::Misconfigured(text));
        };
        let options = with_defaults(options);
        let app_name = options.app_name.clone().unwrap_or_default();
        let client = Client::with_options(options).map_err(|error| url_error(url, &error))?;
        let database = client.database(&name);
        let command_metrics =
            metrics.map_or_else(CommandMetrics::default, |m| CommandMetrics::new(m, "mongodb"));
        let collection =
            |name: &str| RawCollection::new(database.collection(name), command_metrics.clone());
        Ok(Self {
            tenants: collection("tenants"),
            users: collection("users"),
            subscriptions: collection("subscriptions"),
            invitations: collection("invitations"),
            audit_events: collection("auditEvents"),
            tombstones: collection("tombstones"),
            requests: collection("requests"),
            outbox: collection("outbox"),
            tenant_search_keys: collection("tenantSearchKeys"),
            user_search_keys: collection("userSearchKeys"),
            command_metrics: command_metrics.clone(),
            tenant_locks: TenantLocks::new(),
            abandoned: AbandonedTransactions::new(&client, &app_name, command_metrics),
            default_issuer: default_issuer.to_owned(),
            database,
            client,
        })
    }

    /// Returns a command that concerns no collection.
    pub(super) fn command(&self, name: &'static str) -> Command<'_> {
        self.command_metrics.command(name, "")
    }
}

/// Sets the options that the store needs. The URL may choose other timeouts and another pool size,
/// but no weaker guarantees.
fn with_defaults(mut options: ClientOptions) -> ClientOptions {
    options.app_name.get_or_insert_with(|| "tenantry".to_owned());
    options.server_selection_timeout.get_or_insert(SERVER_SELECTION_TIMEOUT);
    options.connect_timeout.get_or_insert(CONNECT_TIMEOUT);
    options.max_pool_size.get_or_insert(MAX_POOL_SIZE);
    options.read_concern = Some(ReadConcern::majority());
    options.write_concern = Some(WriteConcern::majority());
    options.retry_reads = Some(true);
    options.retry_writes = Some(true);
    // A secondary may lag behind a commit of the same client.
    options.selection_criteria = None;
    options
}

/// Returns the error for a URL that cannot be used. The driver's text may quote parts of the URL,
/// so it is included only if the URL contains no secret.
fn url_error(url: &str, error: &mongodb::error::Error) -> PrepareError {
    if matches!(*error.kind, mongodb::error::ErrorKind::DnsResolve { .. }) {
        let text = "the DNS does not resolve the database URL".to_owned();
        return PrepareError::Failed(StoreError::Unavailable(text));
    }
    let secret = url.contains('@') || url.contains("assword") || url.contains("TOKEN");
    let cause = if secret { String::new() } else { format!(" ({})", error.kind) };
    PrepareError::Misconfigured(format!("the database URL is invalid{cause}: {URL_HELP}"))
}
