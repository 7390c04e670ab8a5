//! The option that lets queries use a recently read user.

use clap::Args;

use super::{database::DatabaseConfig, error::ConfigError, parse};

const VARIABLE: &str = "TENANTRY_ACTOR_CACHE";

/// The option of the actor cache.
#[derive(Args, Clone, Debug)]
pub struct ActorCacheOptions {
    /// Let queries use a user that the gateway read at most one second before, so that a change of
    /// rights by another process can take up to a second. Needs MongoDB. Off by default.
    #[arg(long, env = "TENANTRY_ACTOR_CACHE", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub actor_cache: Option<String>,
}

impl ActorCacheOptions {
    /// Returns whether the cache is on.
    ///
    /// # Errors
    ///
    /// Returns an error if the value is not a boolean, or if the cache is on and the database is not
    /// MongoDB, because SQLite reports no changes by other programs.
    pub fn validate(&self, database: &DatabaseConfig) -> Result<bool, ConfigError> {
        let value = self.actor_cache.as_deref();
        let is_on = parse::boolean(VARIABLE, value, false)?;
        if is_on && !matches!(database, DatabaseConfig::Mongo(_)) {
            let expected = "`false`, because SQLite reports no changes by other programs";
            return Err(ConfigError::invalid(
                VARIABLE,
                "boolean",
                value.unwrap_or_default(),
                expected,
            ));
        }
        Ok(is_on)
    }
}
