//! Creates files and folders that only their owner may access, and finds files that others may access.

use std::{
    fs::{self, DirBuilder, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
/// The permissions of the group and of all others.
const OTHERS: u32 = 0o077;

/// Creates a folder and its missing parents. Existing folders stay as they are.
///
/// # Errors
///
/// Returns the error of the operating system.
pub(super) fn create_folder(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        create_folder(parent)?;
    }
    match DirBuilder::new().mode(FOLDER_MODE).create(folder) {
        // The umask can also withhold permissions of the owner.
        Ok(()) => fs::set_permissions(folder, Permissions::from_mode(FOLDER_MODE)),
        // Another process has created it.
        Err(_) if folder.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Creates an empty file, unless it exists. SQLite gives the files beside it the same permissions.
///
/// # Errors
///
/// Returns the error of the operating system.
pub(super) fn create_file(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(false).mode(FILE_MODE).open(path)?;
    file.set_permissions(Permissions::from_mode(FILE_MODE))
}

/// Creates a folder that belongs to the gateway alone, or withdraws the permissions of others from it
/// and from its files.
///
/// # Errors
///
/// Returns the error of the operating system, for example if another user owns the folder.
pub fn make_folder_private(folder: &Path) -> io::Result<()> {
    create_folder(folder)?;
    withdraw(folder, FOLDER_MODE)?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            withdraw(&entry.path(), FILE_MODE)?;
        }
    }
    Ok(())
}

fn withdraw(path: &Path, mode: u32) -> io::Result<()> {
    match fs::metadata(path)?.permissions().mode() & OTHERS {
        0 => Ok(()),
        _ => fs::set_permissions(path, Permissions::from_mode(mode)),
    }
}

/// Returns those files of a database that the group or others may access, with their modes.
pub(super) fn exposed(database: &Path) -> Vec<(PathBuf, u32)> {
    let files = ["", "-wal", "-shm"].map(|suffix| {
        let mut path = database.as_os_str().to_owned();
        path.push(suffix);
        PathBuf::from(path)
    });
    let mode = |path: &PathBuf| Some(fs::metadata(path).ok()?.permissions().mode() & 0o777);
    let exposed = |path: PathBuf| mode(&path).filter(|mode| mode & OTHERS != 0).map(|m| (path, m));
    files.into_iter().filter_map(exposed).collect()
}
