//! Options that limit the size and the cost of GraphQL documents.

use clap::Args;

use super::{error::ConfigError, parse};
use crate::domain::limits::Limits;

/// Options that limit GraphQL documents.
#[derive(Args, Clone, Debug)]
pub struct LimitOptions {
    /// Maximum number of lexical tokens in a document.
    #[arg(long, env = "TENANTRY_MAX_DOCUMENT_TOKENS", default_value = "2000", value_name = "N")]
    pub max_document_tokens: String,
    /// Maximum number of directives in a document.
    #[arg(long, env = "TENANTRY_MAX_DIRECTIVES", default_value = "50", value_name = "N")]
    pub max_directives: String,
    /// Maximum nesting depth of the fields in a document. A root field has depth 1.
    #[arg(long, env = "TENANTRY_MAX_DEPTH", default_value = "12", value_name = "N")]
    pub max_depth: String,
    /// Maximum complexity of a document in points. A field costs 1. A connection multiplies the cost
    /// of its children by its page size, any other list by 20.
    #[arg(long, env = "TENANTRY_MAX_COMPLEXITY", default_value = "5000", value_name = "N")]
    pub max_complexity: String,
    /// Maximum number of response keys (aliases) of one field in one selection set.
    #[arg(long, env = "TENANTRY_MAX_ALIASES", default_value = "30", value_name = "N")]
    pub max_aliases: String,
    /// Maximum number of root fields in a document.
    #[arg(long, env = "TENANTRY_MAX_ROOT_FIELDS", default_value = "20", value_name = "N")]
    pub max_root_fields: String,
}

impl LimitOptions {
    /// Validates the limits.
    ///
    /// # Errors
    ///
    /// Returns an error if a limit is not a whole number from 1 to 1,000,000,000.
    pub fn validate(&self) -> Result<Limits, ConfigError> {
        let limit = |variable, value: &str, example| {
            parse::whole_number(variable, value, &(1..=1_000_000_000), example)
        };
        let default = Limits::default();
        Ok(Limits {
            depth: limit("TENANTRY_MAX_DEPTH", &self.max_depth, default.depth)?,
            complexity: limit("TENANTRY_MAX_COMPLEXITY", &self.max_complexity, default.complexity)?,
            aliases: limit("TENANTRY_MAX_ALIASES", &self.max_aliases, default.aliases)?,
            root_fields: limit(
                "TENANTRY_MAX_ROOT_FIELDS",
                &self.max_root_fields,
                default.root_fields,
            )?,
            tokens: limit(
                "TENANTRY_MAX_DOCUMENT_TOKENS",
                &self.max_document_tokens,
                default.tokens,
            )?,
            directives: limit("TENANTRY_MAX_DIRECTIVES", &self.max_directives, default.directives)?,
        })
    }
}
