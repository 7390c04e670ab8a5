//! What the driver's errors mean to a caller: try again, or look for the fault.

use std::{future::IntoFuture, time::Duration};

use mongodb::{
    bson::RawDocument,
    error::{Error, ErrorKind, WriteFailure},
};

use crate::{
    domain::change::UniqueField,
    store::{StoreError, instrumentation::Command},
};

/// How long one command may take, whatever the driver and the network make of it.
pub(super) const COMMAND_TIMEOUT: Duration = Duration::from_secs(10);

/// What a server says that cannot answer now: it is going away or coming up, is no primary (any
/// more), or ran out of time. The driver has retried then, where it may.
const TRANSIENT_CODES: &[i32] = &[
    6,     // HostUnreachable
    7,     // HostNotFound
    50,    // MaxTimeMSExpired
    64,    // WriteConcernFailed
    89,    // NetworkTimeout
    91,    // ShutdownInProgress
    100,   // UnsatisfiableWriteConcern
    112,   // WriteConflict
    133,   // FailedToSatisfyReadPreference
    134,   // ReadConcernMajorityNotAvailableYet
    175,   // QueryPlanKilled
    189,   // PrimarySteppedDown
    262,   // ExceededTimeLimit
    9001,  // SocketException
    10107, // NotWritablePrimary
    11600, // InterruptedAtShutdown
    11602, // InterruptedDueToReplStateChange
    13435, // NotPrimaryNoSecondaryOk
    13436, // NotPrimaryOrSecondary
];

pub(super) const DUPLICATE_KEY: i32 = 11000;

/// Runs one command within [`PATIENCE`].
pub(super) async fn with_timeout<T>(
    command: Command<'_>,
    asked: impl IntoFuture<Output = Result<T, Error>>,
) -> Result<T, StoreError> {
    let asked = async {
        match tokio::time::timeout(COMMAND_TIMEOUT, asked.into_future()).await {
            Ok(answer) => answer.map_err(|error| read_error(&error)),
            Err(_) => Err(timeout_error()),
        }
    };
    command.instrument(asked).await
}

pub(super) fn timeout_error() -> StoreError {
    StoreError::Unavailable(format!("no answer within {} s", COMMAND_TIMEOUT.as_secs()))
}

/// What an error means to who reads. Its text has neither the URL nor a document in it.
pub(super) fn read_error(error: &Error) -> StoreError {
    if is_transient(error) {
        StoreError::Unavailable(text(error))
    } else {
        StoreError::Internal(text(error))
    }
}

fn is_transient(error: &Error) -> bool {
    match error.kind.as_ref() {
        ErrorKind::ServerSelection { .. }
        | ErrorKind::Io(_)
        | ErrorKind::ConnectionPoolCleared { .. }
        | ErrorKind::DnsResolve { .. } => true,
        _ => {
            code(error).is_some_and(|code| TRANSIENT_CODES.contains(&code))
                || error.contains_label("RetryableWriteError")
                || error.contains_label("TransientTransactionError")
        }
    }
}

/// The server's number for what went wrong, if it was the server that said so.
pub(super) fn code(error: &Error) -> Option<i32> {
    match error.kind.as_ref() {
        ErrorKind::Command(command) => Some(command.code),
        ErrorKind::Write(WriteFailure::WriteError(write)) => Some(write.code),
        ErrorKind::Write(WriteFailure::WriteConcernError(concern)) => Some(concern.code),
        _ => None,
    }
}

/// The error in one line. What a server says of a write holds values, so only its number is kept.
fn text(error: &Error) -> String {
    match error.kind.as_ref() {
        ErrorKind::Write(_) => write_failed(code(error).unwrap_or_default()),
        ErrorKind::Command(command) if command.code == DUPLICATE_KEY => "duplicate key".to_owned(),
        kind => kind.to_string(),
    }
}

fn write_failed(code: i32) -> String {
    format!("a write failed with code {code}")
}

/// A write that the server refused for what it is.
pub(super) fn refused_write(code: i32) -> StoreError {
    StoreError::Internal(write_failed(code))
}

/// The first field of the unique index that refused a write, or `None` for any other error.
pub(super) fn violated_index_field(error: &Error) -> Option<&str> {
    if code(error) != Some(DUPLICATE_KEY) {
        return None;
    }
    let response: &RawDocument = error.server_response()?;
    let pattern = match response.get_array("writeErrors") {
        Ok(errors) => errors.get_document(0).ok()?.get_document("keyPattern").ok()?,
        Err(_) => response.get_document("keyPattern").ok()?,
    };
    Some(pattern.iter_elements().next()?.ok()?.key().as_str())
}

/// Whose uniqueness an index keeps, by its first field.
pub(super) fn unique(first_field: &str) -> Option<UniqueField> {
    match first_field {
        "slug" => Some(UniqueField::Slug),
        "domains" => Some(UniqueField::Domains),
        "integrations.authentikGroup" => Some(UniqueField::AuthentikGroup),
        "subject" => Some(UniqueField::Subject),
        "tenantId" => Some(UniqueField::LiveSubscription),
        _ => None,
    }
}
