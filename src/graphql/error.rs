//! The errors that a client receives.
//!
//! Each error has a code, a message, and the extensions that belong to the code. `docs/CLIENTS.md`
//! lists them.

use std::borrow::Cow;

use async_graphql::{
    Error, ErrorExtensionValues, ErrorExtensions, Name, ServerError, Value, indexmap::IndexMap,
};

use crate::{
    access::{AccessError, InputError},
    domain::string_enum,
};

string_enum! {
    /// The value of `extensions.code`, which tells clients how to react to an error.
    pub enum Code {
        /// The request has no token, or an invalid one.
        Unauthenticated = "UNAUTHENTICATED",
        /// The token's subject has no user yet. Querying `me` creates it.
        UserNotProvisioned = "USER_NOT_PROVISIONED",
        /// The user is disabled.
        UserDisabled = "USER_DISABLED",
        /// The viewer lacks the permission.
        Forbidden = "FORBIDDEN",
        /// The object to change does not exist, or the viewer may not see it.
        NotFound = "NOT_FOUND",
        /// The input is invalid. `fields` has the details.
        BadUserInput = "BAD_USER_INPUT",
        /// The value of `field` is taken or conflicts with the current state.
        Conflict = "CONFLICT",
        /// The input is for another version than the stored one. See `currentVersion`.
        StaleVersion = "STALE_VERSION",
        /// The tenant is suspended or archived, so its members cannot change it.
        TenantSuspended = "TENANT_SUSPENDED",
        /// The request, or the data after it, exceeds a limit. See `limit`, `max` and `actual`.
        LimitExceeded = "LIMIT_EXCEEDED",
        /// The caller has exceeded the rate limit. See `retryAfterSeconds`.
        RateLimited = "RATE_LIMITED",
        /// The request has exceeded its time limit.
        Timeout = "TIMEOUT",
        /// The store or the provider is unreachable. A retry is safe.
        Unavailable = "UNAVAILABLE",
        /// The document has a syntax error.
        ParseFailed = "GRAPHQL_PARSE_FAILED",
        /// The document or its variables do not fit the schema.
        ValidationFailed = "GRAPHQL_VALIDATION_FAILED",
        /// An internal error. The log has the cause under `requestId`.
        Internal = "INTERNAL",
    }
}

/// An error that prevents the execution of a request, outside of any field.
#[derive(Clone, Debug)]
pub struct RequestError {
    /// The value of `extensions.code`.
    pub code: Code,
    /// The message, in full sentences.
    pub message: String,
    /// The other entries of `extensions`.
    extensions: Vec<(&'static str, Value)>,
}

impl RequestError {
    /// Creates an error without further extensions.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), extensions: Vec::new() }
    }

    /// Adds an entry to `extensions`.
    #[must_use]
    pub fn with_extension(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.extensions.push((name, value.into()));
        self
    }

    /// Returns the error in the form that is sent to the client.
    #[must_use]
    pub fn into_server_error(self) -> ServerError {
        let mut error = ServerError::new(self.message, None);
        set_error_code(&mut error, self.code);
        for (name, value) in self.extensions {
            error.extensions.get_or_insert_default().set(name, value);
        }
        error
    }
}

/// Sets `extensions.code` of an error.
pub(super) fn set_error_code(error: &mut ServerError, code: Code) {
    error.extensions.get_or_insert_default().set("code", code.as_str());
}

/// Returns `extensions.code` of an error, if it has one.
pub(super) fn error_code(error: &ServerError) -> Option<&Value> {
    error.extensions.as_ref()?.get("code")
}

impl From<AccessError> for Error {
    fn from(error: AccessError) -> Self {
        let (code, message) = code_and_message(&error);
        Self::new(message).extend_with(|_, extensions| {
            extensions.set("code", code.as_str());
            match &error {
                AccessError::BadInput(errors) => set_input_errors(extensions, errors),
                AccessError::Conflict(field) => extensions.set("field", *field),
                AccessError::LimitExceeded { limit, max, actual } => {
                    extensions.set("limit", *limit);
                    extensions.set("max", *max);
                    extensions.set("actual", *actual);
                }
                AccessError::StaleVersion(stored) => extensions.set("currentVersion", *stored),
                _ => {}
            }
        })
    }
}

fn code_and_message(error: &AccessError) -> (Code, Cow<'static, str>) {
    let (code, message) = match error {
        AccessError::Unauthenticated => {
            (Code::Unauthenticated, "Authentication is required. Send a bearer token.")
        }
        AccessError::NotProvisioned => (
            Code::UserNotProvisioned,
            "The token's subject has no user yet. Query `me` to create it.",
        ),
        AccessError::Disabled => (Code::UserDisabled, "Your user is disabled."),
        AccessError::NotFound => (Code::NotFound, "Not found."),
        AccessError::Forbidden => {
            (Code::Forbidden, "You are not authorized to view this field or perform this action.")
        }
        AccessError::Suspended => (
            Code::TenantSuspended,
            "The tenant is suspended or archived. Its members cannot change it.",
        ),
        AccessError::StaleVersion(_) => (
            Code::StaleVersion,
            "The object has changed since the version in the input. See `currentVersion`.",
        ),
        AccessError::Conflict(field) => {
            let message = format!(
                "The value of `{field}` is already taken or conflicts with the current state."
            );
            return (Code::Conflict, message.into());
        }
        AccessError::LimitExceeded { limit, max, .. } => {
            let message = format!("The change exceeds the limit `{limit}`, which is {max}.");
            return (Code::LimitExceeded, message.into());
        }
        AccessError::BadInput(_) => (Code::BadUserInput, "The input is invalid. See `fields`."),
        AccessError::Unavailable => {
            (Code::Unavailable, "The service is temporarily unavailable. Try again later.")
        }
        AccessError::Internal => (Code::Internal, "An internal error occurred."),
    };
    (code, message.into())
}

fn set_input_errors(extensions: &mut ErrorExtensionValues, errors: &[InputError]) {
    let fields = errors.iter().map(|error| {
        Value::Object(IndexMap::from([
            (Name::new("path"), Value::from(error.path.as_str())),
            (Name::new("message"), Value::from(error.message.as_str())),
        ]))
    });
    extensions.set("fields", Value::List(fields.collect()));
}

/// Parses a part of the input and reports all its errors at once.
///
/// # Errors
///
/// Returns [`AccessError::BadInput`] if `parse` adds an error to its argument.
pub(super) fn collect_input_errors<T>(
    parse: impl FnOnce(&mut Vec<InputError>) -> T,
) -> Result<T, AccessError> {
    let mut errors = Vec::new();
    let input = parse(&mut errors);
    if errors.is_empty() { Ok(input) } else { Err(AccessError::BadInput(errors)) }
}
