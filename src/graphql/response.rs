//! The response to a GraphQL request, with errors that are safe to send to a client.

use async_graphql::{Pos, Response, ServerError, Value};

use super::error::{Code, RequestError, error_code, set_error_code};
use crate::access::AccessError;

/// The maximum number of errors, and of locations in each, for a document that was not executed.
///
/// Ten errors are enough to fix the document. Together with the limit on the length of each, this
/// prevents a short document from causing a long response.
pub(super) const MAX_REPORTED_ERRORS: usize = 10;
/// The maximum length of an error message, in characters.
const MAX_ERROR_MESSAGE_CHARS: usize = 300;

/// The response to a request, before the transport encodes it.
#[derive(Debug)]
pub struct GraphQlResponse {
    // Boxed because this type is also the `Err` variant of functions that reject a request.
    response: Box<Response>,
    executed: bool,
}

impl GraphQlResponse {
    /// Creates the response to a request that is rejected before execution.
    #[must_use]
    pub fn from_request_error(error: RequestError) -> Self {
        Self::not_executed(vec![error.into_server_error()])
    }

    /// Creates the response to an operation that fails as a whole with this error.
    ///
    /// It looks like the response of an execution whose `data` is `null` because of the error.
    #[must_use]
    pub fn denied_by(error: AccessError) -> Self {
        let mut error = async_graphql::Error::from(error).into_server_error(Pos::default());
        error.locations.clear();
        Self { response: Box::new(Response::from_errors(vec![error])), executed: true }
    }

    /// Creates the response to a document that cannot be parsed.
    ///
    /// It has the location of the error only. The parser's own message would echo the document.
    pub(super) fn syntax_error(location: Pos) -> Self {
        let Pos { line, column } = location;
        let message = format!("The document has a syntax error at line {line}, column {column}.");
        let mut error = RequestError::new(Code::ParseFailed, message).into_server_error();
        error.locations = vec![location];
        Self::not_executed(vec![error])
    }

    /// Creates the response to a request that is rejected with these errors before execution.
    pub(super) fn not_executed(mut errors: Vec<ServerError>) -> Self {
        errors.truncate(MAX_REPORTED_ERRORS);
        errors.iter_mut().for_each(shorten);
        Self { response: Box::new(Response::from_errors(errors)), executed: false }
    }

    /// Creates the response from the result of `async-graphql`.
    pub(super) fn from_execution(mut response: Response) -> Self {
        // Errors of `async-graphql` itself have no code. An error without a path is a rejection of
        // the document before execution.
        let executed = response.errors.iter().all(|error| !error.path.is_empty());
        for error in response.errors.iter_mut().filter(|error| error_code(error).is_none()) {
            set_error_code(error, Code::ValidationFailed);
        }
        if !executed {
            return Self::not_executed(response.errors);
        }
        // Fields finish in the order of their reads. The order of the document is stable, so that equal
        // requests have equal responses.
        response.errors.sort_by_key(|error| error.locations.first().map(|at| (at.line, at.column)));
        Self { response: Box::new(response), executed }
    }

    /// Adds the request's identifier to a response with errors. The log has details under it.
    #[must_use]
    pub fn with_request_id(mut self, request_id: &str) -> Self {
        if self.response.errors.is_empty() {
            return self;
        }
        let internal = Value::from(Code::Internal.as_str());
        for error in &mut self.response.errors {
            if error_code(error) == Some(&internal) {
                error.extensions.get_or_insert_default().set("requestId", request_id);
            }
        }
        self.response.extensions.insert("requestId".to_owned(), Value::from(request_id));
        self
    }

    /// Adds the request's identifier to each error, for a transport that sends only the errors.
    #[must_use]
    pub fn with_request_id_in_errors(mut self, request_id: &str) -> Self {
        for error in &mut self.response.errors {
            error.extensions.get_or_insert_default().set("requestId", request_id);
        }
        self
    }

    /// Returns the response in the form that `async-graphql` sends.
    #[must_use]
    pub fn into_inner(mut self) -> Response {
        parse_text(&mut self.response.data);
        *self.response
    }

    /// Returns the response in the JSON format of the GraphQL specification, section 7.
    ///
    /// `errors` is the first entry, as the specification suggests, so that readers notice it.
    ///
    /// # Errors
    ///
    /// Fails only if a part of the response cannot be serialized as JSON, which cannot occur.
    pub fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        let Response { data, errors, extensions, .. } = &*self.response;
        let (mut json, mut entries) = (vec![b'{'], 0..);
        if !errors.is_empty() {
            write_key(entries.next().unwrap_or_default(), "errors", &mut json)?;
            serde_json::to_writer(&mut json, errors)?;
        }
        if self.executed {
            write_key(entries.next().unwrap_or_default(), "data", &mut json)?;
            write_value(data, &mut json)?;
        }
        if !extensions.is_empty() {
            write_key(entries.next().unwrap_or_default(), "extensions", &mut json)?;
            serde_json::to_writer(&mut json, extensions)?;
        }
        json.push(b'}');
        Ok(json)
    }

    /// Adds the cursor of a live event, from which a client can resume.
    #[must_use]
    pub(super) fn with_cursor(mut self, cursor: &str) -> Self {
        self.response.extensions.insert("cursor".to_owned(), Value::from(cursor));
        self
    }

    /// Returns the paths of the errors with this code.
    pub(super) fn paths_with(&self, code: Code) -> impl Iterator<Item = String> {
        let code = Value::from(code.as_str());
        let errors = self.response.errors.iter();
        errors
            .filter(move |error| error_code(error) == Some(&code))
            .map(|error| format!("{:?}", error.path))
    }

    /// Returns `true` if the operation was executed. Otherwise the response has no `data`.
    #[must_use]
    pub const fn executed(&self) -> bool {
        self.executed
    }

    /// Returns the codes of the errors, in the order of the errors.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.response.errors.iter().filter_map(error_code).filter_map(|value| match value {
            Value::String(code) => Some(code.as_str()),
            _ => None,
        })
    }
}

/// Appends a value of a response to JSON text.
fn write_value(value: &Value, json: &mut Vec<u8>) -> serde_json::Result<()> {
    match value {
        // The executor has already written the text.
        Value::Binary(text) => json.extend_from_slice(text),
        Value::Object(fields) => {
            json.push(b'{');
            for (index, (key, value)) in fields.iter().enumerate() {
                write_key(index, key, json)?;
                write_value(value, json)?;
            }
            json.push(b'}');
        }
        Value::List(elements) => {
            json.push(b'[');
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    json.push(b',');
                }
                write_value(element, json)?;
            }
            json.push(b']');
        }
        scalar => serde_json::to_writer(json, scalar)?,
    }
    Ok(())
}

/// Appends the key of an object's member to JSON text. `index` is the number of members before it.
fn write_key(index: usize, key: &str, json: &mut Vec<u8>) -> serde_json::Result<()> {
    if index > 0 {
        json.push(b',');
    }
    serde_json::to_writer(&mut *json, key)?;
    json.push(b':');
    Ok(())
}

/// Parses the parts of a value that the executor has written as text.
fn parse_text(value: &mut Value) {
    match value {
        // The executor writes valid JSON.
        Value::Binary(text) => *value = serde_json::from_slice(text).unwrap_or_default(),
        Value::Object(fields) => fields.values_mut().for_each(parse_text),
        Value::List(elements) => elements.iter_mut().for_each(parse_text),
        _ => {}
    }
}

/// Limits the size of an error. Its message quotes names of the document, which can be as long as the
/// document allows.
fn shorten(error: &mut ServerError) {
    if let Some((end, _)) = error.message.char_indices().nth(MAX_ERROR_MESSAGE_CHARS) {
        error.message.truncate(end);
        error.message.push('…');
    }
    error.locations.truncate(MAX_REPORTED_ERRORS);
}
