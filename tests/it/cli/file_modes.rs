//! Only the owner may read the files of the gateway, whatever the umask is.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use super::{Running, TestIssuer, check, text};

fn mode(path: impl AsRef<Path>) -> u32 {
    fs::metadata(path).expect("a file").permissions().mode() & 0o777
}

fn set_mode(path: impl AsRef<Path>, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("an own file");
}

/// Returns the files of a database and its folder.
fn files(folder: &Path, name: &str) -> Vec<PathBuf> {
    ["", "-wal", "-shm"].iter().map(|suffix| folder.join(format!("{name}{suffix}"))).collect()
}

#[test]
fn new_database_is_private_with_every_umask() {
    for umask in ["000", "022", "077", "777"] {
        let folder = tempfile::tempdir().expect("a folder");
        let program = env!("CARGO_BIN_EXE_tenantry");
        let script = format!("umask {umask}; exec {program} seed --database-url sqlite://a/b/c.db");
        let output = Command::new("sh").args(["-c", &script]).current_dir(folder.path()).output();
        let output = output.expect("a shell");
        assert!(output.status.success(), "{umask}: {}", text(&output.stderr));
        let inner = folder.path().join("a/b");
        assert_eq!(mode(inner.join("c.db")), 0o600, "{umask}");
        assert_eq!((mode(&inner), mode(folder.path().join("a"))), (0o700, 0o700), "{umask}");
    }
}

#[test]
fn files_of_dev_are_private_and_become_private_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join(".tenantry");
    for _ in 0..2 {
        let mut dev = Running::dev(folder.path());
        dev.line("readiness");
        assert_eq!(mode(&data), 0o700);
        for file in files(&data, "tenantry.db").iter().chain([&data.join("dev-issuer.pk8")]) {
            assert_eq!(mode(file), 0o600, "{file:?}");
        }
        drop(dev);
        set_mode(&data, 0o755);
        for entry in fs::read_dir(&data).expect("a folder") {
            set_mode(entry.expect("a file").path(), 0o644);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn exposed_database_stays_and_is_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = TestIssuer::start().await;
    let variables = [
        ("TENANTRY_DATABASE_URL", "sqlite://portal.db"),
        ("TENANTRY_OIDC_ISSUER", issuer.url()),
        ("TENANTRY_OIDC_AUDIENCE", "tenantry"),
    ];
    Running::serve(folder.path(), &variables).logged("the database is ready");
    let database = folder.path().join("portal.db");
    let (code, output) = check(folder.path(), &variables).await;
    assert!(code == Some(0) && !output.contains("mode"), "{output}");
    set_mode(&database, 0o640);
    let warning = "\"portal.db\" has the mode 0640, so that other users of this machine may access \
        it: run `chmod 600` on it, unless they must";
    let (code, output) = check(folder.path(), &variables).await;
    assert_eq!(code, Some(0), "{output}");
    assert!(output.contains(&format!("note   database: {warning}\n")), "{output}");
    Running::serve(folder.path(), &variables).logged(warning);
    assert_eq!(mode(&database), 0o640);
}
