//! Errors as a client sees them: a code, a sentence, and what the code promises besides.

use async_graphql::{
    Error, ErrorExtensionValues, ErrorExtensions, Name, ServerError, Value, indexmap::IndexMap,
};

use crate::{
    access::{AccessError, InputError},
    domain::string_enum,
};

string_enum! {
    /// `extensions.code`: what a client may decide by.
    pub enum Code {
        /// There is no token, or not one that counts.
        Unauthenticated = "UNAUTHENTICATED",
        /// The token's subject has no user here; `me` makes it.
        UserNotProvisioned = "USER_NOT_PROVISIONED",
        /// The user is disabled.
        UserDisabled = "USER_DISABLED",
        /// The actor may not do this.
        Forbidden = "FORBIDDEN",
        /// What is to be changed does not exist for the actor.
        NotFound = "NOT_FOUND",
        /// The input is not what it should be; see `fields`.
        BadUserInput = "BAD_USER_INPUT",
        /// Something else is in the way of an input; see `field`.
        Conflict = "CONFLICT",
        /// The input was meant for another version; see `currentVersion`.
        StaleVersion = "STALE_VERSION",
        /// The tenant is suspended or archived: its people cannot change it.
        TenantSuspended = "TENANT_SUSPENDED",
        /// More than one request may have; see `limit`, `max` and `actual`.
        LimitExceeded = "LIMIT_EXCEEDED",
        /// The caller has asked for too much in a short time; see `retryAfterSeconds`.
        RateLimited = "RATE_LIMITED",
        /// The request has taken more time than it may.
        Timeout = "TIMEOUT",
        /// The store or the provider cannot be reached; trying again is safe.
        Unavailable = "UNAVAILABLE",
        /// The document is no GraphQL.
        ParseFailed = "GRAPHQL_PARSE_FAILED",
        /// The document, or its variables, do not fit the schema.
        ValidationFailed = "GRAPHQL_VALIDATION_FAILED",
        /// A fault here; the log has it under `requestId`.
        Internal = "INTERNAL",
    }
}

/// An error outside of any field: a request that does not run.
#[derive(Clone, Debug)]
pub struct RequestError {
    /// The code.
    pub code: Code,
    /// The sentence.
    pub message: String,
    /// What the code promises besides.
    extensions: Vec<(&'static str, Value)>,
}

impl RequestError {
    /// A problem with its sentence.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), extensions: Vec::new() }
    }

    /// The same with one more of `extensions`.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.extensions.push((name, value.into()));
        self
    }

    /// The error that a client sees.
    #[must_use]
    pub fn into_server_error(self) -> ServerError {
        let mut error = ServerError::new(self.message, None);
        set_code(&mut error, self.code);
        for (name, value) in self.extensions {
            error.extensions.get_or_insert_default().set(name, value);
        }
        error
    }
}

/// Gives an error its code.
pub(super) fn set_code(error: &mut ServerError, code: Code) {
    error.extensions.get_or_insert_default().set("code", code.as_str());
}

/// Whether an error has a code already.
pub(super) fn code(error: &ServerError) -> Option<&Value> {
    error.extensions.as_ref()?.get("code")
}

impl From<AccessError> for Error {
    fn from(refusal: AccessError) -> Self {
        let (code, message) = match &refusal {
            AccessError::Unauthenticated => (Code::Unauthenticated, "Sign in to ask for this."),
            AccessError::NotProvisioned => (
                Code::UserNotProvisioned,
                "There is no user for this token yet; ask for `me` first.",
            ),
            AccessError::Disabled => (Code::UserDisabled, "This user is disabled."),
            AccessError::NotFound => (Code::NotFound, "There is no such thing."),
            AccessError::Forbidden => (Code::Forbidden, "You may not see or do this."),
            AccessError::Suspended => (
                Code::TenantSuspended,
                "This tenant is suspended or archived; nothing in it changes.",
            ),
            AccessError::StaleVersion(_) => {
                (Code::StaleVersion, "It has changed since; see `currentVersion`.")
            }
            AccessError::Conflict(_) => {
                (Code::Conflict, "Something else is in the way of `field`.")
            }
            AccessError::BadInput(_) => {
                (Code::BadUserInput, "The input is not valid; see `fields`.")
            }
            AccessError::Unavailable => (Code::Unavailable, "Not available just now; try again."),
            AccessError::Internal => (Code::Internal, "Something went wrong here."),
        };
        Self::new(message).extend_with(|_, extensions| {
            extensions.set("code", code.as_str());
            match &refusal {
                AccessError::BadInput(faults) => set_faults(extensions, faults),
                AccessError::Conflict(field) => extensions.set("field", *field),
                AccessError::StaleVersion(stored) => extensions.set("currentVersion", *stored),
                _ => {}
            }
        })
    }
}

fn set_faults(extensions: &mut ErrorExtensionValues, faults: &[InputError]) {
    let fields = faults.iter().map(|fault| {
        Value::Object(IndexMap::from([
            (Name::new("path"), Value::from(fault.path.as_str())),
            (Name::new("message"), Value::from(fault.message.as_str())),
        ]))
    });
    extensions.set("fields", Value::List(fields.collect()));
}

/// Reads a part of the input and refuses all its faults at once.
pub(super) fn collect_input_errors<T>(
    read: impl FnOnce(&mut Vec<InputError>) -> T,
) -> Result<T, AccessError> {
    let mut faults = Vec::new();
    let input = read(&mut faults);
    if faults.is_empty() { Ok(input) } else { Err(AccessError::BadInput(faults)) }
}
