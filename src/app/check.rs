//! `tenantry check`: checks the dependencies of `serve` and prints how to fix each error.
//!
//! It changes nothing: neither the database nor the provider.

use std::fmt::Display;

use super::{
    build::{create_fetcher, create_key_source, database_error, open_store},
    error::{AppError, AppErrorKind},
    serve::ServeConfig,
};
use crate::{
    auth::{
        discovery::OidcKeySource,
        error::{KeyFetchError, audience_hint},
        jwks_cache::{self, FetchedKeySet, JwksSource},
    },
    config::{DatabaseConfig, InvitationConfig, IssuerConfig},
    store::{DatabaseStatus, PrepareError, sqlite::SqliteStore},
};

/// Prints each result to standard output as soon as it is known, and counts the errors.
#[derive(Default)]
struct Report {
    errors: usize,
    /// The first error with which `serve` could never work.
    misconfigured: Option<String>,
}

impl Report {
    fn ok(message: impl Display) {
        println!("ok     {message}");
    }

    fn note(message: impl Display) {
        println!("note   {message}");
    }

    fn error(&mut self, message: impl Display, help: impl Display) {
        self.errors += 1;
        println!("ERROR  {message}\n       help: {help}");
    }

    fn finish(self) -> Result<(), AppError> {
        match (self.misconfigured, self.errors) {
            (Some(message), _) => Err(AppError::misconfigured(message)),
            (None, 0) => Ok(()),
            (None, 1) => Err(AppError::failed("1 check failed")),
            (None, errors) => Err(AppError::failed(format!("{errors} checks failed"))),
        }
    }
}

/// Checks the database, and discovery and keys of each issuer. The options are already valid.
pub(super) async fn check(config: &ServeConfig) -> Result<(), AppError> {
    let fetcher = create_fetcher(&config.oidc)?;
    let mut report = Report::default();
    Report::ok("configuration: all options are valid");
    check_invitations(&config.invitations);
    check_database(config, &mut report).await;
    for issuer in &config.oidc.issuers {
        check_issuer(&create_key_source(&fetcher, issuer)?, issuer, &mut report).await;
    }
    report.finish()
}

/// Notes the parts of invitations that are not configured. The gateway works without them.
fn check_invitations(invitations: &InvitationConfig) {
    if invitations.secrets.is_empty() {
        Report::note(
            "invitations: off, because TENANTRY_SECRET is not set; `openssl rand -base64 32` makes one",
        );
    } else if invitations.url.is_none() {
        Report::note(
            "invitations: without links, because TENANTRY_INVITATION_URL is not set; clients must pass \
             on the tokens",
        );
    }
}

async fn check_database(config: &ServeConfig, report: &mut Report) {
    let description = config.database.redacted();
    if let DatabaseConfig::Sqlite(path) = &config.database
        && !path.exists()
        && SqliteStore::validate_path(path).is_ok()
    {
        return Report::ok(format!("database: {description}, which the first start creates"));
    }
    let checked = async {
        let store = open_store(&config.database, config.oidc.default_issuer(), None).await;
        // The URL is valid, so every error is one of the database.
        let store = store.map_err(DatabaseError::App)?;
        store.check().await.map_err(DatabaseError::Prepare)?;
        let status = store.status().await.map_err(|error| DatabaseError::Prepare(error.into()))?;
        let warnings =
            store.warnings().await.map_err(|error| DatabaseError::Prepare(error.into()))?;
        Ok((status, warnings))
    };
    match checked.await {
        Ok((status, warnings)) => {
            report_status(&description, status);
            for warning in warnings {
                Report::note(format!("database: {warning}"));
            }
        }
        // `serve` would exit with 2. For `check`, it is one failed check among others.
        Err(DatabaseError::Prepare(PrepareError::NotMigrated(reason))) => {
            report.error(format!("database: {description}: {reason}"), MIGRATION_HELP);
        }
        Err(error) => match error.into_app_error() {
            error if error.kind() == AppErrorKind::Misconfigured => {
                report.error(format!("database: {description}"), &error);
                report.misconfigured.get_or_insert(error.to_string());
            }
            error => report.error(
                format!("database: {description}: {error}"),
                unavailable_help(&config.database),
            ),
        },
    }
}

const MIGRATION_HELP: &str = "docs/MIGRATING.md describes the way from the former service";

/// The error of a step of the database check.
enum DatabaseError {
    App(AppError),
    Prepare(PrepareError),
}

impl DatabaseError {
    fn into_app_error(self) -> AppError {
        match self {
            Self::App(error) => error,
            Self::Prepare(error) => database_error(error),
        }
    }
}

fn report_status(description: &str, status: DatabaseStatus) {
    let empty = if status.is_empty { ", and empty" } else { "" };
    Report::ok(format!("database: {description} is reachable and usable{empty}"));
    if status.left_documents > 0 {
        let documents = match status.left_documents {
            1 => "1 document as it was".to_owned(),
            left => format!("{left} documents as they were"),
        };
        Report::note(format!(
            "database: the latest `tenantry migrate` left {documents}; `tenantry migrate --dry-run` \
             lists them"
        ));
    }
}

/// Returns the fix for a database that failed but may recover.
const fn unavailable_help(database: &DatabaseConfig) -> &'static str {
    match database {
        DatabaseConfig::Mongo(_) => {
            "start the database, or fix TENANTRY_DATABASE_URL: host, port, user, password, name of \
             the replica set. Without the database, `serve` starts, is not ready, and retries"
        }
        DatabaseConfig::Sqlite(_) | DatabaseConfig::SqliteInMemory => {
            "stop the process that locks the file of TENANTRY_DATABASE_URL, or free space on its disk"
        }
    }
}

async fn check_issuer(source: &OidcKeySource, issuer: &IssuerConfig, report: &mut Report) {
    let url = &issuer.url;
    let fetched = source.fetch().await;
    // If the fetch failed at the key set, discovery had succeeded before.
    let is_discovered =
        matches!(fetched, Ok(_) | Err(KeyFetchError::KeySet { .. } | KeyFetchError::NotAKeySet));
    if issuer.jwks_url.is_some() {
        Report::note(format!(
            "{url}: the issuer is not verified, because TENANTRY_OIDC_JWKS_URL replaces discovery"
        ));
    } else if is_discovered {
        Report::ok(format!("{url}: its discovery document names this issuer"));
    }
    match fetched {
        Ok(fetched) => check_keys(url, &fetched, report),
        Err(error) => report.error(format!("{url}: {error}"), error.help()),
    }
    match audience_hint(url, &issuer.audiences) {
        Some(hint) if hint.certain => report.error(format!("{url}: {}", hint.message), hint.help),
        Some(hint) => Report::note(format!("{url}: {}: {}", hint.message, hint.help)),
        None => {}
    }
}

fn check_keys(url: &str, fetched: &FetchedKeySet, report: &mut Report) {
    for skipped in fetched.set.skipped() {
        Report::note(format!("{url}: not used: {skipped}"));
    }
    match jwks_cache::ensure_usable(fetched) {
        Ok(()) => Report::ok(format!("{url}: usable keys: {}", fetched.set.len())),
        Err(error) => report.error(format!("{url}: {error}"), error.help()),
    }
}
