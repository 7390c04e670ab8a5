//! The error with which a command ends.

use std::fmt;

use crate::store::PrepareError;

/// The error with which a command ends. `Display` is one line and contains no secret.
#[derive(Debug)]
pub struct AppError {
    kind: AppErrorKind,
    message: String,
}

/// The kind of an [`AppError`], which decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppErrorKind {
    /// The configuration, or the database that it selects, can never work. A retry is pointless.
    Misconfigured,
    /// The command failed. A later attempt may succeed.
    Failed,
}

impl AppError {
    pub(super) fn misconfigured(message: impl fmt::Display) -> Self {
        Self { kind: AppErrorKind::Misconfigured, message: message.to_string() }
    }

    pub(super) fn failed(message: impl fmt::Display) -> Self {
        Self { kind: AppErrorKind::Failed, message: message.to_string() }
    }

    /// Returns the kind of the error.
    #[must_use]
    pub const fn kind(&self) -> AppErrorKind {
        self.kind
    }
}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for AppError {}

impl From<PrepareError> for AppError {
    fn from(error: PrepareError) -> Self {
        match error {
            PrepareError::Misconfigured(message) => Self::misconfigured(message),
            PrepareError::NotMigrated(message) => Self::misconfigured(message),
            PrepareError::Failed(error) => Self::failed(error),
        }
    }
}
