//! The composition root, which chooses a store and connects all modules.
//!
//! No other module knows all of them. Each command has a file: `serve`, `dev`, `check`, `seed`,
//! `migrate` (its report is in `migration_report`), and `transfer` for exports and imports.
//! `build` creates the parts that they share, `listeners` binds the addresses and shuts down, and
//! `open_files` adapts the number of connections to the system.

mod build;
mod check;
mod dev;
mod dev_secret;
mod error;
mod listeners;
mod migrate;
mod migration_report;
mod open_files;
mod progress;
mod seed;
mod serve;
mod transfer;

use std::{
    future::Future,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    config::{DatabaseConfig, DefaultTenant, InvitationConfig, ReportFormat, ServerConfig},
    domain::{migration::MigrationOptions, sync::GroupMapping},
};

pub use error::{AppError, AppErrorKind};
pub use serve::ServeConfig;

/// The time that the process waits at its end for work that cannot be cancelled.
const RUNTIME_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// Serves until a signal stops the process.
///
/// # Errors
///
/// Returns an error if the gateway cannot start, or if the database can never work.
pub fn serve(config: ServeConfig) -> Result<(), AppError> {
    run(serve::serve(config))
}

/// Serves on loopback with an embedded database, a built-in issuer and demo data, until a signal
/// stops the process.
///
/// # Errors
///
/// Returns an error if the gateway cannot start.
pub fn dev(
    server: ServerConfig,
    groups: GroupMapping,
    default_tenant: DefaultTenant,
    invitations: InvitationConfig,
) -> Result<(), AppError> {
    run(dev::dev(server, groups, default_tenant, invitations))
}

/// Checks the dependencies of `serve` with this configuration, and changes nothing.
///
/// # Errors
///
/// Returns an error if a check failed.
pub fn check(config: ServeConfig) -> Result<(), AppError> {
    run(async move { check::check(&config).await })
}

/// Prepares the database, creates the default tenant and the given number of demo tenants.
///
/// # Errors
///
/// Returns an error if the database cannot be used, or if a signal stops the command early.
pub fn seed(
    database: DatabaseConfig,
    default_tenant: DefaultTenant,
    demo_tenants: Option<u32>,
) -> Result<(), AppError> {
    run(async move { seed::seed(&database, &default_tenant, demo_tenants).await })
}

/// Takes over the database of the former Node service, and prints a report.
///
/// # Errors
///
/// Returns an error if the database cannot be used, or if documents were left as they were.
pub fn migrate(
    database: DatabaseConfig,
    options: MigrationOptions,
    format: ReportFormat,
) -> Result<(), AppError> {
    run(async move { migrate::migrate(&database, &options, format).await })
}

/// Writes everything, or the tenant with this slug, to a file or to standard output.
///
/// # Errors
///
/// Returns an error if the database or the file cannot be used, or if documents cannot be read.
pub fn export(
    database: DatabaseConfig,
    default_issuer: String,
    tenant: Option<String>,
    output: Option<PathBuf>,
) -> Result<(), AppError> {
    run(async move { transfer::export(&database, &default_issuer, tenant, output).await })
}

/// Imports an export from a file, or from standard input if the path is `-`.
///
/// # Errors
///
/// Returns an error if the file has a fault, or if the database cannot be used or conflicts with it.
pub fn import(
    database: DatabaseConfig,
    default_issuer: String,
    path: &Path,
) -> Result<(), AppError> {
    let path = path.to_owned();
    run(async move { transfer::import(&database, &default_issuer, &path).await })
}

fn run(command: impl Future<Output = Result<(), AppError>>) -> Result<(), AppError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(AppError::failed)?;
    let result = runtime.block_on(command);
    // Blocking work may still wait for a remote system, such as a name server. Its result is not
    // needed.
    runtime.shutdown_timeout(RUNTIME_SHUTDOWN_TIMEOUT);
    result
}
