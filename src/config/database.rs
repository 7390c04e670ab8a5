//! The option that selects the database.

use std::path::PathBuf;

use clap::Args;
use secrecy::{ExposeSecret, SecretString};

use super::{error::ConfigError, parse};

const VARIABLE: &str = "TENANTRY_DATABASE_URL";
const EXPECTED: &str = "mongodb://<host>/<database>, mongodb+srv://<host>/<database>, sqlite://<path> or sqlite::memory:";

const EXPECTED_SQLITE: &str = "sqlite://<path> without a query (`?`) and a fragment (`#`), because the gateway chooses the options of SQLite";

/// Options of the database.
#[derive(Args, Clone, Debug)]
pub struct DatabaseOptions {
    /// URL of the database: `mongodb://<host>/<database>`, `mongodb+srv://<host>/<database>`,
    /// `sqlite://<path>` or `sqlite::memory:`.
    #[arg(long, env = "TENANTRY_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
}

/// The database that stores all data.
#[derive(Clone, Debug)]
pub enum DatabaseConfig {
    /// A MongoDB replica set or sharded cluster. The URL may contain a password.
    Mongo(SecretString),
    /// A SQLite database in a file.
    Sqlite(PathBuf),
    /// An in-memory SQLite database, which is lost when the process ends.
    SqliteInMemory,
}

impl DatabaseOptions {
    /// Validates the URL of the database.
    ///
    /// # Errors
    ///
    /// Returns an error if the URL is missing or has an unknown scheme. The error does not show the
    /// URL, because even an invalid one may contain a password.
    pub fn validate(self) -> Result<DatabaseConfig, ConfigError> {
        let url = parse::required(VARIABLE, self.database_url, EXPECTED)?;
        if url == "sqlite::memory:" {
            Ok(DatabaseConfig::SqliteInMemory)
        } else if let Some(path) = url.strip_prefix("sqlite://").filter(|path| !path.is_empty()) {
            if path.contains(['?', '#']) {
                return Err(ConfigError::invalid_secret(VARIABLE, "URL", EXPECTED_SQLITE));
            }
            Ok(DatabaseConfig::Sqlite(PathBuf::from(path)))
        } else if url.starts_with("mongodb://") || url.starts_with("mongodb+srv://") {
            Ok(DatabaseConfig::Mongo(SecretString::from(url)))
        } else {
            Err(ConfigError::invalid_secret(VARIABLE, "URL", EXPECTED))
        }
    }
}

impl DatabaseConfig {
    /// Returns a description for logs and output, without user, password and parameters.
    #[must_use]
    pub fn redacted(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("SQLite at {}", path.display()),
            Self::SqliteInMemory => "SQLite in memory".to_owned(),
            Self::Mongo(url) => {
                let rest = url.expose_secret().split_once("://").map_or("", |(_, rest)| rest);
                let hosts = rest.split(['/', '?']).next().unwrap_or("");
                let hosts = hosts.rsplit_once('@').map_or(hosts, |(_, hosts)| hosts);
                format!("MongoDB at {hosts}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn validate(url: &str) -> Result<DatabaseConfig, ConfigError> {
        DatabaseOptions { database_url: Some(url.to_owned()) }.validate()
    }

    #[test]
    fn password_of_the_url_is_never_shown() {
        let good = validate("mongodb://ada:hunter2@db1,db2/portal?replicaSet=rs0").expect("valid");
        assert_eq!(good.redacted(), "MongoDB at db1,db2");
        assert!(!format!("{good:?}").contains("hunter2"));
        let bad = validate("postgres://ada:hunter2@db/portal").expect_err("unknown scheme");
        assert!(!bad.to_string().contains("hunter2"), "{bad}");
    }
}
