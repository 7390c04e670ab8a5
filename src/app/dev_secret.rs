//! The secret of `tenantry dev`, in a file that a later start uses again.

use std::{
    fs::{self, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use secrecy::SecretSlice;

/// The name of the file in the folder of `dev`.
const FILE: &str = "secret";
const FILE_MODE: u32 = 0o600;
const SECRET_BYTES: usize = 32;

/// Returns the secret in this folder. A missing one is created.
pub(super) fn open_secret(folder: &Path) -> Result<SecretSlice<u8>, String> {
    let path = folder.join(FILE);
    let stored = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create(folder, &path).and_then(|()| fs::read(&path))
        }
        stored => stored,
    };
    let path = path.display();
    match stored {
        Ok(bytes) if bytes.len() == SECRET_BYTES => Ok(SecretSlice::from(bytes)),
        Ok(_) => Err(format!("{path} is not a secret of the gateway: remove the file")),
        Err(error) => Err(format!("the secret {path} cannot be read or created: {error}")),
    }
}

/// Writes a new secret. If another process was faster, its secret stays.
fn create(folder: &Path, path: &Path) -> io::Result<()> {
    let mut secret = [0; SECRET_BYTES];
    getrandom::fill(&mut secret).map_err(io::Error::other)?;
    let temporary = folder.join(format!("{FILE}.{}", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(FILE_MODE)
        .open(&temporary)?;
    // The umask can also withhold permissions of the owner.
    file.set_permissions(Permissions::from_mode(FILE_MODE))?;
    file.write_all(&secret)?;
    file.sync_all()?;
    // Unlike a rename, a hard link fails if the file exists.
    let linked = fs::hard_link(&temporary, path);
    fs::remove_file(&temporary)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    }
}
