//! Enforces the limits on documents before execution, in time linear in the document.
//!
//! `async-graphql` measures depth and complexity after it has expanded every fragment. A document
//! of a few hundred bytes can make that take seconds. The checks of this module run first, in this
//! order:
//!
//! 1. [`lexer`] counts the tokens before the document is parsed.
//! 2. [`cost`] computes depth and complexity. It visits each fragment once, however often the
//!    fragment is spread.
//! 3. [`response_keys`] collects fields as execution does. Only operations that passed the other
//!    two checks get here, so they are known to be small.

mod cost;
mod lexer;
mod response_keys;
mod schema_index;

use std::{borrow::Cow, collections::HashMap};

use async_graphql::{
    Name, Positioned, Value, Variables,
    parser::types::{Directive, FragmentDefinition, OperationDefinition},
};

use super::error::{Code, RequestError};
use crate::domain::limits::Limits;

pub(super) use schema_index::SchemaIndex;

/// The maximum depth of introspection. It has its own limit because the queries of tools are deep.
const MAX_INTROSPECTION_DEPTH: u64 = 20;

/// The length in bytes above which ignored tokens are removed before a document is parsed.
const COMPACT_THRESHOLD_BYTES: usize = 16 * 1024;
/// The maximum length of a document without its ignored tokens, in bytes.
const MAX_DOCUMENT_BYTES: usize = 48 * 1024;
/// The maximum length of a name, in bytes. `async-graphql` compares an unknown name with every other
/// name to make a suggestion.
const MAX_NAME_BYTES: usize = 255;
/// The maximum number of fields that the schema does not define. For each, `async-graphql` searches
/// all other names to make a suggestion.
const MAX_UNKNOWN_FIELDS: u64 = 20;

/// An operation with the fragments of its document and the values of its variables.
#[derive(Clone, Copy)]
pub(super) struct OperationContext<'a> {
    /// The operation to execute.
    pub(super) operation: &'a OperationDefinition,
    /// The fragments of the document, by name.
    pub(super) fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    /// The values of the variables, with the defaults.
    pub(super) variables: &'a Variables,
}

impl OperationContext<'_> {
    /// Returns `true` if `@skip` or `@include` excludes a selection.
    fn is_skipped(&self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().any(|directive| {
            let directive = &directive.node;
            let skipped_if = match directive.name.node.as_str() {
                "skip" => true,
                "include" => false,
                _ => return false,
            };
            let condition = directive.get_argument("if").map(|value| value.node.clone());
            let condition =
                condition.map(|value| value.into_const_with(|name| self.variable(&name)));
            condition == Some(Ok(Value::Boolean(skipped_if)))
        })
    }

    /// Returns the value of a variable. Validation rejects a variable without a value later.
    fn variable(&self, name: &Name) -> Result<Value, ()> {
        self.variables.get(name).cloned().ok_or(())
    }
}

/// Returns the text for the parser and its number of tokens.
///
/// The parser takes about 80 ns per byte, even for ignored tokens. They are therefore removed from
/// a long document. Locations in errors then differ from those in the client's text. A document
/// that is still too long has long literals, which the client must send as variables.
///
/// # Errors
///
/// Returns an error if the document has too many tokens or directives, or is too long.
pub(super) fn normalize_document<'a>(
    document: &'a str,
    limits: &Limits,
) -> Result<(Cow<'a, str>, u64), RequestError> {
    let tokens = check_text(document, limits)?;
    if document.len() <= COMPACT_THRESHOLD_BYTES {
        return Ok((document.into(), tokens));
    }
    let compact = lexer::compact(document);
    if compact.len() > MAX_DOCUMENT_BYTES {
        let message = "The document is too long. Send long values as variables.";
        return Err(RequestError::new(Code::LimitExceeded, message)
            .with("limit", "bodyBytes")
            .with("max", MAX_DOCUMENT_BYTES)
            .with("actual", compact.len()));
    }
    Ok((compact.into(), tokens))
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
    Ok(counts.tokens)
}

/// Checks an operation against the limits and returns its complexity, an upper bound of its cost.
///
/// Fields that the schema does not define cost as much as others. Validation rejects them later,
/// but only documents for which that is cheap get there.
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
    if cost.unknown > MAX_UNKNOWN_FIELDS {
        let message = format!(
            "The document has more than {MAX_UNKNOWN_FIELDS} fields that the schema does not define."
        );
        return Err(RequestError::new(Code::ValidationFailed, message));
    }
    let keys = response_keys::count(context, limits.aliases)?;
    check_limit("aliases", keys.aliases, limits.aliases)?;
    check_limit("rootFields", keys.root_fields, limits.root_fields)?;
    Ok(cost.complexity)
}

/// Compares a value with its limit. `limit` is the name of the limit in the error.
fn check_limit(limit: &'static str, actual: u64, max: u64) -> Result<(), RequestError> {
    if actual <= max {
        return Ok(());
    }
    let problem = match limit {
        "tokens" => "The document has too many tokens.",
        "directives" => "The document has too many directives.",
        "depth" => "The operation is nested too deeply.",
        "aliases" => "A selection set has too many aliases of one field.",
        "rootFields" => "The operation has too many root fields.",
        _ => "The complexity of the operation is too high.",
    };
    let message = format!("{problem} The limit is {max}, but the value is {actual}.");
    Err(RequestError::new(Code::LimitExceeded, message)
        .with("limit", limit)
        .with("max", max)
        .with("actual", actual))
}
