//! Classifies the driver's errors as temporary or permanent. A permanent one is a bug or a wrong
//! set-up of the database.

use std::{future::IntoFuture, time::Duration};

use mongodb::{
    bson::RawDocument,
    error::{Error, ErrorKind, WriteFailure},
};

use crate::{
    domain::change::UniqueField,
    store::{CommitError, StoreError, instrumentation::Command},
};

/// The timeout of one command. It also covers the retries of the driver and the network.
pub(super) const COMMAND_TIMEOUT: Duration = Duration::from_secs(10);

/// The codes of a server that cannot respond at the moment. It is starting or shutting down, is not
/// the primary, or ran out of time. The driver has already retried where it may.
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
const UNAUTHORIZED: i32 = 13;
/// The codes of a command that another transaction blocks: `LockTimeout` and `WriteConflict`.
const CONFLICT_CODES: [i32; 2] = [24, 112];

/// Runs one command with a timeout of [`COMMAND_TIMEOUT`].
pub(super) async fn with_timeout<T>(
    command: Command<'_>,
    action: impl IntoFuture<Output = Result<T, Error>>,
) -> Result<T, StoreError> {
    let future = async {
        match tokio::time::timeout(COMMAND_TIMEOUT, action.into_future()).await {
            Ok(result) => result.map_err(|error| read_error(&error)),
            Err(_) => Err(timeout_error()),
        }
    };
    command.instrument(future).await
}

pub(super) fn timeout_error() -> StoreError {
    StoreError::Unavailable(format!("no response within {} s", COMMAND_TIMEOUT.as_secs()))
}

/// Converts the driver's error. The text contains neither the URL nor a document.
pub(super) fn read_error(error: &Error) -> StoreError {
    if is_transient(error) {
        StoreError::Unavailable(error_text(error))
    } else {
        StoreError::Internal(error_text(error))
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

/// Returns the server's error code, or `None` if the error did not come from the server.
pub(super) fn code(error: &Error) -> Option<i32> {
    match error.kind.as_ref() {
        ErrorKind::Command(command) => Some(command.code),
        ErrorKind::Write(WriteFailure::WriteError(write)) => Some(write.code),
        ErrorKind::Write(WriteFailure::WriteConcernError(concern)) => Some(concern.code),
        _ => None,
    }
}

/// Returns whether another transaction blocked the command.
pub(super) fn is_conflict(error: &Error) -> bool {
    code(error).is_some_and(|code| CONFLICT_CODES.contains(&code))
}

/// Returns the error in one line. The server's text about a write contains values, so only its code
/// is included. Its text about any other command may end with a document.
fn error_text(error: &Error) -> String {
    match error.kind.as_ref() {
        ErrorKind::Write(_) => write_failure_text(code(error).unwrap_or_default()),
        ErrorKind::Command(command) => {
            command_text(command.code, &command.code_name, &command.message)
        }
        kind => kind.to_string(),
    }
}

fn command_text(code: i32, name: &str, message: &str) -> String {
    match code {
        DUPLICATE_KEY => "duplicate key".to_owned(),
        UNAUTHORIZED => unauthorized_text(message),
        _ => {
            let text = message.split_once('{').map_or(message, |(text, _)| text).trim_end();
            format!("command failed with code {code} ({name}): {text}")
        }
    }
}

/// Returns the error of a missing right. Of the command in the server's text, it has only the name and
/// the collection.
fn unauthorized_text(message: &str) -> String {
    let command = message.split_once("command { ").map_or("", |(_, command)| command);
    let command = command.split([',', '}']).next().unwrap_or_default().trim_end();
    let command = if command.is_empty() { "a command" } else { command };
    format!("the database user may not run `{command}`; the role `readWrite` is sufficient")
}

fn write_failure_text(code: i32) -> String {
    format!("a write failed with code {code}")
}

/// Returns the error for a write that the server rejected with this code.
pub(super) fn write_failure(code: i32) -> StoreError {
    StoreError::Internal(write_failure_text(code))
}

/// The unique index that rejected a write.
pub(super) struct ViolatedIndex {
    /// The fields of the index in their order.
    pub(super) fields: Vec<String>,
    /// The index with its collection, from the server's text: `portal.users index: email_1`.
    place: String,
}

impl ViolatedIndex {
    /// Reads the error of one write in the server's response.
    pub(super) fn from_write_error(error: &RawDocument) -> Option<Self> {
        let fields = error.get_document("keyPattern").ok()?.iter_elements();
        let fields = fields.filter_map(|field| Some(field.ok()?.key().to_string())).collect();
        let text = error.get_str("errmsg").unwrap_or_default();
        Some(Self { fields, place: place_of(text).unwrap_or_default().to_owned() })
    }

    /// Returns the value that the index protects. Any index with these keys is one of the gateway's,
    /// whatever its name is.
    fn unique_field(&self) -> Option<UniqueField> {
        let fields: Vec<_> = self.fields.iter().map(String::as_str).collect();
        match fields[..] {
            ["slug"] => Some(UniqueField::Slug),
            ["domains"] => Some(UniqueField::Domains),
            ["integrations.authentikGroup"] => Some(UniqueField::AuthentikGroup),
            ["subject", "issuer"] => Some(UniqueField::Subject),
            ["tenantId"] => Some(UniqueField::LiveSubscription),
            ["tenantId", "email"] => Some(UniqueField::PendingInvitation),
            _ => None,
        }
    }

    /// Returns the error of the commit. Only the log gets the name of an index of another program.
    pub(super) fn into_commit_error(self) -> CommitError {
        match self.unique_field() {
            Some(field) => CommitError::Conflict(field),
            None => StoreError::Internal(format!(
                "a unique index that is none of the gateway's rejected a write with code \
                 {DUPLICATE_KEY}: {}",
                self.place
            ))
            .into(),
        }
    }
}

/// Returns the part of the server's text that names the collection and the index. The rest has values.
fn place_of(text: &str) -> Option<&str> {
    let (_, place) = text.split_once("collection: ")?;
    let end = place.find(" dup key:")?;
    let place = place.get(..end)?;
    Some(place.split_once(" collation: ").map_or(place, |(place, _)| place))
}

/// Returns the unique index that rejected a write, or `None` for any other error.
pub(super) fn violated_index(error: &Error) -> Option<ViolatedIndex> {
    if code(error) != Some(DUPLICATE_KEY) {
        return None;
    }
    let response: &RawDocument = error.server_response()?;
    match response.get_array("writeErrors") {
        Ok(errors) => ViolatedIndex::from_write_error(errors.get_document(0).ok()?),
        Err(_) => ViolatedIndex::from_write_error(response),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_failed_command_has_no_document() {
        let message = "not authorized on portal to execute command { update: \"users\", updates: \
            [ { q: { email: \"ada@example.org\" } } ], $db: \"portal\" }";
        assert_eq!(
            command_text(13, "Unauthorized", message),
            "the database user may not run `update: \"users\"`; the role `readWrite` is sufficient"
        );
        assert!(
            command_text(13, "", "denied").starts_with("the database user may not run `a command`")
        );
        assert_eq!(
            command_text(2, "BadValue", "cannot parse { name: \"Ada\" }"),
            "command failed with code 2 (BadValue): cannot parse"
        );
    }

    #[test]
    fn name_of_a_violated_index_has_no_value() {
        let text = "E11000 duplicate key error collection: portal.users index: email_1 dup key: \
            { email: \"collection: index: \" }";
        assert_eq!(place_of(text), Some("portal.users index: email_1"));
        let collated = "E11000 duplicate key error collection: portal.users index: a b collation: \
            { locale: \"en\" } dup key: { name: \"0x29\" }";
        assert_eq!(place_of(collated), Some("portal.users index: a b"));
        assert_eq!(place_of("E11000 duplicate key"), None);
    }
}
