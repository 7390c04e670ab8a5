//! The error of an export or an import.

use std::{fmt, io};

use crate::store::{CommitError, StoreError};

/// The error of an export or an import. `Display` is one line.
#[derive(Debug)]
pub struct TransferError {
    line: Option<u64>,
    message: String,
}

impl TransferError {
    pub(super) fn new(message: impl fmt::Display) -> Self {
        Self { line: None, message: message.to_string() }
    }

    /// Returns the error of a line of the file. The first one has the number 1.
    pub(super) fn at(line: u64, message: impl fmt::Display) -> Self {
        Self { line: Some(line), message: message.to_string() }
    }
}

impl fmt::Display for TransferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for TransferError {}

impl From<io::Error> for TransferError {
    fn from(error: io::Error) -> Self {
        Self::new(error)
    }
}

impl From<StoreError> for TransferError {
    fn from(error: StoreError) -> Self {
        Self::new(error)
    }
}

impl From<CommitError> for TransferError {
    fn from(error: CommitError) -> Self {
        Self::new(error)
    }
}
