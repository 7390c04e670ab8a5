//! The error for a request that exceeds a limit.

use crate::graphql::error::{Code, RequestError};

/// Compares a value with its limit. `limit` is the name of the limit in the error.
pub(super) fn check_limit(limit: &'static str, actual: u64, max: u64) -> Result<(), RequestError> {
    let problem = match limit {
        "tokens" => "The document has too many tokens.",
        "directives" => "The document has too many directives.",
        "depth" => "The operation is nested too deeply.",
        "aliases" => "A selection set has too many aliases of one field.",
        "rootFields" => "The operation has too many root fields.",
        _ => "The complexity of the operation is too high.",
    };
    check_described_limit(problem, limit, actual, max)
}

/// Compares a value with its limit. `problem` is the first sentence of the error.
pub(super) fn check_described_limit(
    problem: &str,
    limit: &'static str,
    actual: u64,
    max: u64,
) -> Result<(), RequestError> {
    if actual <= max {
        return Ok(());
    }
    let message = format!("{problem} The limit is {max}, but the value is {actual}.");
    Err(RequestError::new(Code::LimitExceeded, message)
        .with_extension("limit", limit)
        .with_extension("max", max)
        .with_extension("actual", actual))
}
