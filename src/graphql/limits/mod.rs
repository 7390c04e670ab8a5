//! Enforces the limits on documents before execution, in time linear in the document.
//!
//! Validation and execution expand fragments. A document of a few hundred bytes can make that take
//! seconds. The checks of this module run first, in this order:
//!
//! 1. [`lexer`] counts the tokens before the document is parsed.
//! 2. [`shape`] measures the document with its fragments expanded, regardless of the variables.
//! 3. [`cost`] computes depth and complexity of the selected operation. Both visit each fragment
//!    once, however often the fragment is spread.
//! 4. [`response_keys`] collects fields as execution does. Only operations that passed the other
//!    checks get here, so they are known to be small.

mod cost;
mod exceeded;
mod lexer;
mod operation;
mod response_keys;
mod schema_index;
mod shape;

use std::borrow::Cow;

use async_graphql::parser::types::ExecutableDocument;

use super::error::{Code, RequestError};
use crate::domain::limits::Limits;

use exceeded::check_limit;

pub(super) use lexer::Tokens;
pub(super) use operation::OperationContext;
pub(super) use schema_index::SchemaIndex;

/// The maximum depth of introspection. It has its own limit because the queries of tools are deep.
const MAX_INTROSPECTION_DEPTH: u64 = 20;

/// The maximum length of a document without its ignored tokens, in bytes.
const MAX_DOCUMENT_BYTES: usize = 48 * 1024;
/// The maximum length of a name, in bytes. Errors quote names.
const MAX_NAME_BYTES: usize = 255;
/// The maximum number of selections of an operation whose fragments are expanded.
const MAX_EXPANDED_SELECTIONS: u64 = 10_000;
/// The maximum number of fields, inline fragments and fragment spreads within each other.
pub(super) const MAX_NESTING: u64 = 64;
/// The maximum number of selections that execution visits, in relation to the complexity limit.
const MAX_WORK_FACTOR: u64 = 10;

/// Returns the text for the parser and its number of tokens.
///
/// # Errors
///
/// Returns an error if the document has too many tokens or directives, or is too long. A document
/// that is too long without its ignored tokens has long literals, which the client must send as
/// variables.
pub(super) fn normalize_document<'a>(
    document: &'a str,
    limits: &Limits,
) -> Result<(Cow<'a, str>, u64), RequestError> {
    let tokens = check_text(document, limits)?;
    Ok((lexer::blank_ignored(document), tokens))
}

/// Checks the lexical limits and returns the number of tokens.
fn check_text(document: &str, limits: &Limits) -> Result<u64, RequestError> {
    let counts = lexer::count(document);
    check_limit("tokens", counts.tokens, limits.tokens)?;
    check_limit("directives", counts.directives, limits.directives)?;
    if counts.longest_name > MAX_NAME_BYTES {
        let message = format!("A name in the document has more than {MAX_NAME_BYTES} characters.");
        return Err(RequestError::new(Code::ValidationFailed, message));
    }
    if document.len() > MAX_DOCUMENT_BYTES && counts.bytes > MAX_DOCUMENT_BYTES {
        let message = "The document is too long. Send long values as variables.";
        return Err(RequestError::new(Code::LimitExceeded, message)
            .with_extension("limit", "bodyBytes")
            .with_extension("max", MAX_DOCUMENT_BYTES)
            .with_extension("actual", counts.bytes));
    }
    Ok(counts.tokens)
}

/// Checks the shape of a document, regardless of the selected operation and its variables.
///
/// Validation and execution expand fragments. The shape bounds their time and their recursion.
///
/// # Errors
///
/// Returns an error that names the exceeded limit.
pub(super) fn check_shape(document: &ExecutableDocument) -> Result<(), RequestError> {
    let shape = shape::analyze(document);
    check_limit("depth", shape.nesting, MAX_NESTING)?;
    check_limit("complexity", shape.selections, MAX_EXPANDED_SELECTIONS)
}

/// Checks an operation against the limits and returns its complexity, an upper bound of its cost.
///
/// Fields that the schema does not define cost as much as others. Validation rejects them later.
///
/// # Errors
///
/// Returns an error that names the first limit that the operation exceeds.
pub(super) fn check(
    context: OperationContext<'_>,
    index: &SchemaIndex,
    limits: &Limits,
) -> Result<u64, RequestError> {
    let cost = cost::analyze(context, index);
    check_limit("depth", cost.depth, limits.depth)?;
    check_limit("depth", cost.introspection_depth, MAX_INTROSPECTION_DEPTH)?;
    check_limit("complexity", cost.complexity, limits.complexity)?;
    check_limit("complexity", cost.introspection, limits.complexity)?;
    check_limit("complexity", cost.work, limits.complexity.saturating_mul(MAX_WORK_FACTOR))?;
    let keys = response_keys::count(context, limits.aliases)?;
    check_limit("aliases", keys.aliases, limits.aliases)?;
    check_limit("rootFields", keys.root_fields, limits.root_fields)?;
    Ok(cost.complexity)
}
