//! `tenantry export` and `tenantry import`: move everything, or one tenant, as NDJSON.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use tempfile::Builder;

use super::{
    build::{database_error, open_store, system_clock},
    error::AppError,
    listeners::Signals,
    progress::ProgressDisplay,
};
use crate::{
    config::DatabaseConfig,
    domain::record::TransferScope,
    store::{Store, TenantKeys, sqlite::SqliteStore},
    transfer::{ExportCounts, Exporter, ImportFile, Importer, validate},
};

/// The argument that stands for standard input.
const STANDARD_INPUT: &str = "-";

pub(super) async fn export(
    database: &DatabaseConfig,
    default_issuer: &str,
    tenant: Option<String>,
    output: Option<PathBuf>,
) -> Result<(), AppError> {
    require_existing(database)?;
    let store = open_store(database, default_issuer, None).await?;
    // An export changes nothing, so it creates no index. Tables of an older version must exist.
    store.check().await.map_err(database_error)?;
    if matches!(database, DatabaseConfig::Sqlite(_)) {
        store.prepare().await.map_err(database_error)?;
    }
    let scope = match tenant {
        None => TransferScope::Everything,
        Some(slug) => TransferScope::Tenant(find_tenant(&*store, &slug).await?),
    };
    let counts = match output {
        None => {
            let out = BufWriter::new(io::stdout().lock());
            let export = Exporter::new(out, scope).run(&*store, |_| ()).await;
            export.map_err(AppError::failed)?.0
        }
        Some(path) => export_to_file(&*store, scope, &path).await?,
    };
    report_export(counts)
}

/// Writes a file next to its final place, and moves it there when it is complete. Only its owner can
/// read it, because it has personal data.
async fn export_to_file(
    store: &dyn Store,
    scope: TransferScope,
    path: &Path,
) -> Result<ExportCounts, AppError> {
    let failed =
        |error: &dyn std::fmt::Display| AppError::failed(format!("{}: {error}", path.display()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut prefix = OsString::from(".");
    prefix.extend([path.file_name().unwrap_or_default(), OsStr::new(".")]);
    let file = Builder::new()
        .prefix(&prefix)
        .suffix(".partial")
        .tempfile_in(folder.unwrap_or(Path::new(".")));
    let file = file.map_err(|error| failed(&error))?;
    let mut signals = Signals::listen()?;
    let export = Exporter::new(BufWriter::new(file), scope).run(store, |_| ());
    let export = tokio::select! {
        export = export => export,
        // The unfinished file is removed here, because it has personal data.
        () = signals.recv() => return Err(failed(&"stopped by a signal; no file was written")),
    };
    let (counts, out) = export.map_err(|error| failed(&error))?;
    let file = out.into_inner().map_err(|error| failed(&error.error().to_string()))?;
    file.as_file().sync_all().map_err(|error| failed(&error))?;
    file.persist(path).map_err(|error| failed(&error.error.to_string()))?;
    Ok(counts)
}

/// Prints the result on standard error, because standard output may be the export.
fn report_export(counts: ExportCounts) -> Result<(), AppError> {
    let ExportCounts { written, unreadable, dangling } = counts;
    tracing::info!(records = written, "the export is complete");
    if dangling > 0 {
        tracing::warn!(
            omitted = dangling,
            "memberships and subscriptions of tenants that do not exist are not in the export"
        );
    }
    match unreadable {
        0 => Ok(()),
        1 => Err(AppError::failed(
            "1 document cannot be read and is not in the export; the log names it",
        )),
        many => Err(AppError::failed(format!(
            "{many} documents cannot be read and are not in the export; the log names them"
        ))),
    }
}

async fn find_tenant(
    store: &dyn Store,
    slug: &str,
) -> Result<crate::domain::id::TenantId, AppError> {
    let found = store.tenants(TenantKeys::Slugs(&[slug.to_owned()])).await;
    match found.map_err(AppError::failed)?.pop() {
        Some(Ok(tenant)) => Ok(tenant.id),
        Some(Err(_)) => {
            Err(AppError::failed(format!("the document of the tenant {slug:?} cannot be read")))
        }
        None => Err(AppError::failed(format!("there is no tenant with the slug {slug:?}"))),
    }
}

/// Rejects a SQLite file that does not exist. Opening it would create it.
fn require_existing(database: &DatabaseConfig) -> Result<(), AppError> {
    match database {
        DatabaseConfig::Sqlite(path) => {
            SqliteStore::validate_path(path).map_err(database_error)?;
            if path.exists() {
                Ok(())
            } else {
                Err(AppError::failed(format!("there is no database at {}", path.display())))
            }
        }
        DatabaseConfig::SqliteInMemory => Err(in_memory_error()),
        DatabaseConfig::Mongo(_) => Ok(()),
    }
}

fn in_memory_error() -> AppError {
    AppError::misconfigured(
        "TENANTRY_DATABASE_URL: a database in memory ends with its process; expected \
         mongodb://<host>/<database> or sqlite://<path>",
    )
}

pub(super) async fn import(
    database: &DatabaseConfig,
    default_issuer: &str,
    path: &Path,
) -> Result<(), AppError> {
    if matches!(database, DatabaseConfig::SqliteInMemory) {
        return Err(in_memory_error());
    }
    let failed =
        |error: &dyn std::fmt::Display| AppError::failed(format!("{}: {error}", path.display()));
    let file = open(path).map_err(|error| failed(&error))?;
    let file = validate(file).map_err(|error| failed(&error))?;
    let store = open_store(database, default_issuer, None).await?;
    store.prepare_import().await.map_err(database_error)?;
    write(&*store, &file).await.map_err(|error| failed(&error))
}

async fn write(store: &dyn Store, file: &ImportFile) -> Result<(), crate::transfer::TransferError> {
    let now = match system_clock() {
        Ok(clock) => clock.now(),
        Err(error) => return Err(crate::transfer::TransferError::from(io::Error::other(error))),
    };
    let mut display = ProgressDisplay::new(file.records, "importing", "records");
    let counts = Importer::new(store, file, now).run(|done| display.update(done)).await?;
    drop(display);
    println!("imported {} records", counts.records);
    if counts.joined > 0 {
        println!("members who had a user already: {}", counts.joined);
    }
    Ok(())
}

/// Opens a file that can be read twice. Anything else, such as standard input, is copied to one.
fn open(path: &Path) -> io::Result<File> {
    if path.as_os_str() == STANDARD_INPUT {
        return spool(&mut io::stdin().lock());
    }
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a folder; expected a file"));
    }
    if metadata.is_file() { Ok(file) } else { spool(&mut file) }
}

/// Copies everything to a temporary file without a name, which ends with the process.
fn spool(input: &mut impl io::Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(input, &mut file)?;
    file.flush()?;
    Ok(file)
}
