//! Checks the path of a database file, and explains why a file cannot be a database.

use std::{fs, io, path::Path};

use rusqlite::ErrorCode;

use super::private_files;
use crate::store::{PrepareError, StoreError};

/// The paths that an operator can configure.
const EXPECTED: &str = "expected the path of a SQLite file, or of a file that does not exist yet";

/// Checks that a path can be the one of a database file. This changes nothing.
///
/// # Errors
///
/// [`PrepareError::Misconfigured`] if the path names a folder, a socket, a device, or something in a
/// place that is not a folder.
pub(super) fn validate(path: &Path) -> Result<(), PrepareError> {
    let ends_with_slash = path.as_os_str().as_encoded_bytes().ends_with(b"/");
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            let inside = path.join("tenantry.db");
            Err(invalid(path, format_args!("is a folder; {EXPECTED}, e.g. {inside:?}")))
        }
        Ok(metadata) if !metadata.is_file() => {
            Err(invalid(path, format_args!("is not a regular file; {EXPECTED}")))
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(inaccessible(path, &error)),
        Err(_) if ends_with_slash => {
            Err(invalid(path, format_args!("ends with a slash, as a folder does; {EXPECTED}")))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Creates a database file and its folder, if they do not exist. Only their owner may access them.
pub(super) fn create(path: &Path) -> Result<(), PrepareError> {
    let Some(folder) = path.parent() else { return Ok(()) };
    private_files::create_folder(folder).map_err(|error| {
        let reason = format_args!("cannot be created: its folder: {error}; {EXPECTED}");
        invalid(path, reason)
    })?;
    private_files::create_file(path).map_err(|error| inaccessible(path, &error))
}

/// Converts the error of a connection to a database file.
///
/// Another process that has locked the file, and a disk that is full or fails, can recover. All other
/// errors are those of the file and its permissions.
pub(super) fn open_error(path: &Path, error: rusqlite::Error) -> PrepareError {
    let is_inaccessible = matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly)
    );
    if is_inaccessible {
        return inaccessible(path, &error);
    }
    match PrepareError::from(error) {
        PrepareError::Misconfigured(cause) => {
            invalid(path, format_args!("is not usable: {cause}; {EXPECTED}"))
        }
        PrepareError::Failed(StoreError::Internal(cause)) => inaccessible(path, &cause),
        other => other,
    }
}

fn inaccessible(path: &Path, cause: &dyn std::fmt::Display) -> PrepareError {
    let expected = "expected the path of a SQLite file that the gateway may read and write";
    invalid(path, format_args!("cannot be opened: {cause}; {expected}"))
}

fn invalid(path: &Path, reason: std::fmt::Arguments<'_>) -> PrepareError {
    PrepareError::Misconfigured(format!("{path:?} {reason}"))
}
