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
mod json_size;
mod lexer;
mod operation;
mod response_keys;
mod schema_index;
mod shape;

use std::borrow::Cow;

use async_graphql::parser::types::ExecutableDocument;

use super::error::{Code, RequestError};
use crate::domain::limits::Limits;

use exceeded::{check_described_limit, check_limit};
use json_size::JsonSize;

pub(super) use lexer::Tokens;
pub(super) use operation::OperationContext;
pub(super) use schema_index::SchemaIndex;

/// The maximum depth of introspection. It has its own limit because the queries of tools are deep.
const MAX_INTROSPECTION_DEPTH: u64 = 20;
/// The maximum number of selections below `__schema` and `__type`. The queries of tools have some 100.
const MAX_INTROSPECTION_SELECTIONS: u64 = 2_000;
/// The maximum number of lists of fields, types and input fields within each other. Each level
/// multiplies the response by the size of the schema. The queries of tools have one level, and
/// graphql-js allows two.
const MAX_INTROSPECTION_LISTS: u64 = 2;

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
/// The maximum length of a string in a document or in its variables, in bytes, with its quotes and
/// escape sequences. The longest valid input has less than 3,000. Each field that uses a variable
/// copies its value.
const MAX_TEXT_BYTES: usize = 4096;

/// The maximum number of levels of lists and objects in a variable. The input types of the schema have
/// a few.
const MAX_VARIABLE_DEPTH: u64 = 32;

/// Returns the text for the parser and its number of tokens.
///
/// # Errors
///
/// Returns an error if the document has too many tokens or directives, or if the document, a name or a
/// string is too long. A document that is too long without its ignored tokens has long literals, which
/// the client must send as variables.
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
    check_text_length(counts.longest_text)?;
    if document.len() > MAX_DOCUMENT_BYTES && counts.bytes > MAX_DOCUMENT_BYTES {
        let message = "The document is too long. Send long values as variables.";
        return Err(RequestError::new(Code::LimitExceeded, message)
            .with_extension("limit", "bodyBytes")
            .with_extension("max", MAX_DOCUMENT_BYTES)
            .with_extension("actual", counts.bytes));
    }
    Ok(counts.tokens)
}

/// The measures of an operation that passed all limits.
#[derive(Clone, Copy, Debug)]
pub(super) struct OperationCost {
    /// The upper bound of the cost of all fields.
    pub(super) complexity: u64,
    /// The number of response keys of the root, without those of `__typename`.
    pub(super) root_fields: u64,
}

/// The measures of an operation that do not change with every request.
#[derive(Clone, Copy, Debug)]
pub(super) struct OperationMeasures {
    /// The cost of the operation, which is within the limits.
    pub(super) cost: OperationCost,
    /// `true` if the operation uses introspection.
    pub(super) introspects: bool,
}

fn check_text_length(bytes: usize) -> Result<(), RequestError> {
    if bytes <= MAX_TEXT_BYTES {
        return Ok(());
    }
    let message = format!(
        "A string in the document or in its variables has more than {MAX_TEXT_BYTES} bytes."
    );
    Err(RequestError::new(Code::ValidationFailed, message))
}

/// Checks the texts of the declared variables, before they are parsed.
///
/// They may have as many values as the document may have tokens.
///
/// # Errors
///
/// Returns an error if the variables have too many values, or if one has a string that is too long or
/// is nested too deeply.
pub(super) fn check_variables<'a>(
    variables: impl Iterator<Item = &'a str>,
    limits: &Limits,
) -> Result<(), RequestError> {
    let mut total = JsonSize::default();
    for size in variables.map(json_size::measure) {
        total.values += size.values;
        total.depth = total.depth.max(size.depth);
        total.longest_text = total.longest_text.max(size.longest_text);
    }
    let problem = "The variables have too many values.";
    check_described_limit(problem, "tokens", total.values, limits.tokens)?;
    check_text_length(total.longest_text)?;
    if total.depth > MAX_VARIABLE_DEPTH {
        let message =
            format!("A variable has more than {MAX_VARIABLE_DEPTH} levels of lists and objects.");
        return Err(RequestError::new(Code::ValidationFailed, message));
    }
    Ok(())
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

/// Checks an operation against the limits and returns its cost.
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
) -> Result<OperationCost, RequestError> {
    let cost = cost::analyze(context, index);
    check_limit("depth", cost.depth, limits.depth)?;
    check_limit("depth", cost.introspection_depth, MAX_INTROSPECTION_DEPTH)?;
    check_limit("complexity", cost.complexity, limits.complexity)?;
    check_limit("complexity", cost.introspection, MAX_INTROSPECTION_SELECTIONS)?;
    check_limit("depth", cost.introspection_lists, MAX_INTROSPECTION_LISTS)?;
    check_limit("complexity", cost.work, limits.complexity.saturating_mul(MAX_WORK_FACTOR))?;
    let keys = response_keys::count(context, limits.aliases)?;
    check_limit("aliases", keys.aliases, limits.aliases)?;
    check_limit("rootFields", keys.root_fields, limits.root_fields)?;
    Ok(OperationCost { complexity: cost.complexity, root_fields: keys.root_fields })
}
