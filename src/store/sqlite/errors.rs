//! Converts SQLite's errors to the errors of the store.

use rusqlite::{Error, ErrorCode, ffi};

use crate::{
    domain::change::UniqueField,
    store::{CommitError, PrepareError, StoreError},
};

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match error.sqlite_error_code() {
            // The disk or another process prevents the call. This can pass.
            Some(
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::OutOfMemory
                | ErrorCode::ReadOnly,
            ) => Self::Unavailable(error.to_string()),
            _ => Self::Internal(error.to_string()),
        }
    }
}

impl From<Error> for PrepareError {
    fn from(error: Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Self::Misconfigured(
                "the file is not a SQLite database, or it is damaged".to_owned(),
            ),
            _ => Self::Failed(error.into()),
        }
    }
}

impl From<Error> for CommitError {
    fn from(error: Error) -> Self {
        violated_constraint(&error).map_or_else(|| Self::Failed(error.into()), Self::Conflict)
    }
}

/// Returns the unique value that is taken, by the columns of the index that SQLite names.
fn violated_constraint(error: &Error) -> Option<UniqueField> {
    let Error::SqliteFailure(failure, Some(message)) = error else { return None };
    if !matches!(
        failure.extended_code,
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
    ) {
        return None;
    }
    match message.strip_prefix("UNIQUE constraint failed: ")? {
        "tenants.slug" => Some(UniqueField::Slug),
        "tenant_domains.domain" => Some(UniqueField::Domains),
        "tenants.authentik_group" => Some(UniqueField::AuthentikGroup),
        "users.issuer, users.subject" => Some(UniqueField::Subject),
        "subscriptions.tenant_id" => Some(UniqueField::LiveSubscription),
        "invitations.tenant_id, invitations.email" => Some(UniqueField::PendingInvitation),
        _ => None,
    }
}
