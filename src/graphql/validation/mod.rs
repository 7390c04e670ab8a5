//! Parses documents and validates them and their variables, before anything runs.
//!
//! `apollo-compiler` parses a document and checks the rules of the GraphQL specification, section 5.
//! [`missing_values`], [`values`] and [`list_lengths`] add what it leaves out, and [`descriptions`]
//! removes syntax that it does not know. [`convert`] makes the
//! form that `async-graphql` executes, so that the text is parsed once. [`coercion`] applies section
//! 6.1.2 to the variables of a request.
//!
//! `async-graphql` executes the document without a validation of its own. Every check that execution
//! relies on is therefore made here.

mod coercion;
mod convert;
mod descriptions;
mod list_lengths;
mod missing_values;
mod positions;
mod values;

use std::sync::Arc;

use apollo_compiler::{
    Schema,
    ast::Document,
    diagnostic::{Diagnostic, ToCliReport},
    parser::Parser,
    validation::{DiagnosticData, Valid, WithErrors},
};
use async_graphql::{
    Pos, ServerError, Variables,
    parser::types::{ExecutableDocument, OperationDefinition},
};

use super::{
    error::{Code, RequestError, set_error_code},
    response::{GraphQlResponse, MAX_REPORTED_ERRORS},
};

use positions::Positions;

pub(super) use values::NonNullUse;

/// The maximum number of selection sets, lists, objects and types within each other. It bounds the
/// recursion of the parser and of the conversion.
const MAX_SYNTAX_DEPTH: usize = 200;
/// A field of `__Type` in the specification of September 2025 that `apollo-compiler` does not have.
const INTROSPECTION_EXTENSION: &str = "extend type __Type { isOneOf: Boolean }";

/// A document that has been parsed, but not validated.
pub(super) struct ParsedText {
    /// The document in the form that is executed.
    pub(super) executable: ExecutableDocument,
    syntax: Document,
    positions: Positions,
}

impl ParsedText {
    /// Parses a document.
    ///
    /// # Errors
    ///
    /// Returns a response with the position of the first syntax error. The parser's own message
    /// would echo the document.
    pub(super) fn parse(text: &str) -> Result<Self, GraphQlResponse> {
        let positions = Positions::new(text);
        let syntax = parse(text).map_err(|error| match error {
            SyntaxError::At(offset) => GraphQlResponse::syntax_error(positions.at(offset)),
            SyntaxError::TooDeep => GraphQlResponse::from_request_error(RequestError::new(
                Code::ParseFailed,
                "The document is nested too deeply.",
            )),
        })?;
        let executable = convert::to_executable(&syntax, &positions);
        Ok(Self { executable, syntax, positions })
    }
}

/// The reason why a text is not a document.
enum SyntaxError {
    /// The grammar does not allow the text at this offset.
    At(usize),
    /// The nesting exceeds [`MAX_SYNTAX_DEPTH`].
    TooDeep,
}

fn parse(text: &str) -> Result<Document, SyntaxError> {
    let text = &*descriptions::blank(text);
    let mut parser = Parser::new().recursion_limit(MAX_SYNTAX_DEPTH);
    let parsed = parser.parse_ast(text, "");
    if parser.recursion_reached() > MAX_SYNTAX_DEPTH {
        return Err(SyntaxError::TooDeep);
    }
    let document = parsed.map_err(|errors| {
        let first = errors.errors.iter().find_map(|diagnostic| diagnostic.error.location());
        SyntaxError::At(first.map_or(0, |span| span.offset()))
    })?;
    missing_values::find(text).map_or(Ok(document), |offset| Err(SyntaxError::At(offset)))
}

/// Returns the line of the first syntax error in a document, or `None` if it has none.
pub(super) fn syntax_error_line(text: &str) -> Option<usize> {
    match parse(text).err()? {
        SyntaxError::At(offset) => Some(Positions::new(text).at(offset).line),
        SyntaxError::TooDeep => Some(1),
    }
}

/// Validates documents and variables against the schema.
pub(super) struct Validator {
    schema: Arc<Valid<Schema>>,
}

impl Validator {
    /// Creates a validator from the schema's own SDL.
    pub(super) fn new(sdl: &str) -> Self {
        // The SDL is generated, so it is always valid. A test checks it.
        let schema = build_schema(sdl);
        let schema = schema.unwrap_or_else(|errors| Valid::assume_valid(errors.partial));
        Self { schema: Arc::new(schema) }
    }

    /// Returns the schema that documents are validated against.
    pub(super) const fn schema(&self) -> &Arc<Valid<Schema>> {
        &self.schema
    }

    /// Validates a document against all rules of the GraphQL specification, section 5.
    ///
    /// # Errors
    ///
    /// Returns a response with the first errors, in the order of the document.
    pub(super) fn validate(&self, parsed: &ParsedText) -> Result<Vec<NonNullUse>, GraphQlResponse> {
        let document = parsed
            .syntax
            .to_executable_validate(&self.schema)
            .map_err(|errors| rejection(errors.errors.iter(), &parsed.positions))?;
        let checked = values::check(&self.schema, &document);
        if !checked.faults.is_empty() {
            let errors = checked.faults.iter().take(MAX_REPORTED_ERRORS).map(|(message, span)| {
                let position = span.map(|span| parsed.positions.at(span.offset()));
                validation_error(message, position)
            });
            return Err(GraphQlResponse::not_executed(errors.collect()));
        }
        self.compare_lists(parsed)?;
        Ok(checked.non_null_uses)
    }

    /// Rejects fields that cannot be merged because of the lengths of their lists.
    fn compare_lists(&self, parsed: &ParsedText) -> Result<(), GraphQlResponse> {
        let Some(document) = list_lengths::with_lengths(&parsed.syntax) else { return Ok(()) };
        let Err(errors) = document.to_executable_validate(&self.schema) else { return Ok(()) };
        // The values of this copy do not fit the schema, so only conflicts are errors.
        let mut conflicts = errors
            .errors
            .iter()
            .filter(|diagnostic| {
                diagnostic.error.unstable_error_name() == Some("ConflictingFieldArgument")
            })
            .peekable();
        match conflicts.peek() {
            Some(_) => Err(rejection(conflicts, &parsed.positions)),
            None => Ok(()),
        }
    }

    /// Coerces the variables of a request (CoerceVariableValues() of the GraphQL specification,
    /// section 6.1.2). Variables that the operation does not declare are dropped.
    ///
    /// `uses` has the uses of variables in the whole document.
    ///
    /// # Errors
    ///
    /// Returns a response with the first errors.
    pub(super) fn coerce_variables(
        &self,
        (name, operation): (Option<&str>, &OperationDefinition),
        uses: &[NonNullUse],
        variables: Variables,
    ) -> Result<Variables, GraphQlResponse> {
        let uses = uses.iter().filter(|used| used.operation.as_deref() == name);
        coercion::coerce(&self.schema, operation, uses, variables).map_err(|faults| {
            let errors = faults
                .into_iter()
                .map(|(message, position)| validation_error(&message, Some(position)));
            GraphQlResponse::not_executed(errors.collect())
        })
    }
}

fn build_schema(sdl: &str) -> Result<Valid<Schema>, Box<WithErrors<Schema>>> {
    let builder = Schema::builder().parse(sdl, "schema.graphql");
    builder
        .parse(INTROSPECTION_EXTENSION, "introspection.graphql")
        .build()
        .map_err(Box::new)?
        .validate()
        .map_err(Box::new)
}

/// Returns the response for the first diagnostics. `apollo-compiler` has sorted them by position.
fn rejection<'a>(
    diagnostics: impl Iterator<Item = Diagnostic<'a, DiagnosticData>>,
    positions: &Positions,
) -> GraphQlResponse {
    let mut errors = Vec::new();
    let mut diagnostics = diagnostics.map(|diagnostic| diagnostic.error).peekable();
    while let Some(error) = diagnostics.next() {
        let span = error.location();
        // `apollo-compiler` drops invalid fields, and then reports that their parent has no fields.
        let next = diagnostics.peek().and_then(ToCliReport::location);
        let is_consequence = error.unstable_error_name() == Some("MissingSubselection")
            && span.zip(next).is_some_and(|(span, next)| next.offset() < span.end_offset());
        if !is_consequence {
            let position = span.map(|span| positions.at(span.offset()));
            errors.push(validation_error(&error.to_string(), position));
        }
        if errors.len() == MAX_REPORTED_ERRORS {
            break;
        }
    }
    GraphQlResponse::not_executed(errors)
}

/// Returns an error whose message is made a sentence.
fn validation_error(message: &str, position: Option<Pos>) -> ServerError {
    let mut chars = message.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    let message = first.into_iter().chain(chars).chain(['.']).collect::<String>();
    let mut error = ServerError::new(message, position);
    set_error_code(&mut error, Code::ValidationFailed);
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_schema_is_valid() {
        let schema = build_schema(&crate::graphql::sdl()).expect("a valid schema");
        let is_one_of = schema.type_field("__Type", "isOneOf").expect("a field");
        assert_eq!(is_one_of.ty.to_string(), "Boolean");
    }
}
