//! What a document may ask for: checked before the engine sees it, in time linear in the document.
//!
//! The engine measures depth and complexity only once it has expanded every fragment, which a few
//! hundred bytes can make take seconds. Here [`lexer`] counts tokens before anything is parsed,
//! [`cost`] visits each fragment once however often it is spread, and only what has passed both is
//! walked as it would run ([`keys`]): then it is known to be small.

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

/// How deep questions about the schema may go: a limit of their own, because tools ask deep ones.
const INTROSPECTION_DEPTH: u64 = 20;

/// From which length on, in bytes, a document is read without what has no meaning in it.
const COMPACT_THRESHOLD_BYTES: usize = 16 * 1024;
/// How long it may be then.
const MAX_DOCUMENT_BYTES: usize = 48 * 1024;
/// The longest name. The engine compares one that it does not know with every other, to suggest one.
const NAME_MAX: usize = 255;
/// How many fields the engine may be asked about that the schema does not have: it looks for each
/// through the names of all others, to suggest one.
const UNKNOWN_FIELDS: u64 = 20;

/// A document, its operation, and the variables that it runs with.
#[derive(Clone, Copy)]
pub(super) struct OperationContext<'a> {
    pub(super) operation: &'a OperationDefinition,
    pub(super) fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    pub(super) variables: &'a Variables,
}

impl OperationContext<'_> {
    /// Whether `@skip` or `@include` leaves a selection out.
    fn is_skipped(&self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().any(|directive| {
            let directive = &directive.node;
            let wanted = match directive.name.node.as_str() {
                "skip" => true,
                "include" => false,
                _ => return false,
            };
            let condition = directive.get_argument("if").map(|value| value.node.clone());
            let condition =
                condition.map(|value| value.into_const_with(|name| self.variable(&name)));
            condition == Some(Ok(Value::Boolean(wanted)))
        })
    }

    /// What stands for a variable; an error where nothing does, which the engine refuses.
    fn variable(&self, name: &Name) -> Result<Value, ()> {
        self.variables.get(name).cloned().ok_or(())
    }
}

/// What the parser is to read, and how many tokens that has; refused where it is too much.
///
/// The parser takes some 80 ns a byte, whatever the byte says. So of a long text what has no meaning
/// is left out before (places in it are not the client's own then), and what is long all the same,
/// which only values can be, has to come in variables.
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
        let message = "The document is too long: send long values as variables.";
        return Err(RequestError::new(Code::LimitExceeded, message)
            .with("limit", "bodyBytes")
            .with("max", MAX_DOCUMENT_BYTES)
            .with("actual", compact.len()));
    }
    Ok((compact.into(), tokens))
}

/// Refuses what has too many tokens or directives; how many tokens it has.
fn check_text(document: &str, limits: &Limits) -> Result<u64, RequestError> {
    let found = lexer::count(document);
    check_limit("tokens", found.tokens, limits.tokens)?;
    check_limit("directives", found.directives, limits.directives)?;
    if found.longest_name > NAME_MAX {
        let message = format!("A name in the document has more than {NAME_MAX} characters.");
        return Err(RequestError::new(Code::ValidationFailed, message));
    }
    Ok(found.tokens)
}

/// Refuses a parsed document that asks for too much, and tells what it may cost at most. Names that the schema does not have cost what
/// others do: the engine refuses them, but may be asked to only once that is cheap.
pub(super) fn check(
    asked: OperationContext<'_>,
    shape: &SchemaIndex,
    limits: &Limits,
) -> Result<u64, RequestError> {
    let cost = cost::analyze(asked, shape);
    check_limit("depth", cost.depth, limits.depth)?;
    check_limit("depth", cost.introspection_depth, INTROSPECTION_DEPTH)?;
    check_limit("complexity", cost.complexity, limits.complexity)?;
    check_limit("complexity", cost.introspection, limits.complexity)?;
    if cost.unknown > UNKNOWN_FIELDS {
        let message = "The document has many fields that the schema does not have.";
        return Err(RequestError::new(Code::ValidationFailed, message));
    }
    let keys = response_keys::of(asked, limits.aliases)?;
    check_limit("aliases", keys.aliases, limits.aliases)?;
    check_limit("rootFields", keys.root_fields, limits.root_fields)?;
    Ok(cost.complexity)
}

fn check_limit(limit: &'static str, actual: u64, max: u64) -> Result<(), RequestError> {
    if actual <= max {
        return Ok(());
    }
    let message = match limit {
        "tokens" => "The document has too many tokens.",
        "directives" => "The document has too many directives.",
        "depth" => "The document goes too deep.",
        "aliases" => "The document asks for one field too often in one place.",
        "rootFields" => "The document has too many root fields.",
        _ => "The document asks for too much at once.",
    };
    Err(RequestError::new(Code::LimitExceeded, message)
        .with("limit", limit)
        .with("max", max)
        .with("actual", actual))
}
