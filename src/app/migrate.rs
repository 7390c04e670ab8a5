//! `tenantry migrate`: takes over the database of the former Node service.

use secrecy::ExposeSecret;

use super::{
    build::{database_error, system_clock},
    error::AppError,
    migration_report::FindingLog,
    progress::ProgressDisplay,
};
use crate::{
    config::{DatabaseConfig, ReportFormat},
    domain::migration::{MigrationOptions, OldCollection, report::Finding},
    store::mongo::{MigrationObserver, MigrationProgress, MongoStore},
};

/// The issuer of users who were stored without one. The migration does not need it.
const NO_DEFAULT_ISSUER: &str = "";

pub(super) async fn migrate(
    database: &DatabaseConfig,
    options: &MigrationOptions,
    format: ReportFormat,
) -> Result<(), AppError> {
    let DatabaseConfig::Mongo(url) = database else {
        return Err(AppError::misconfigured(
            "TENANTRY_DATABASE_URL: the former service stored its data in MongoDB; expected \
             mongodb://<host>/<database>",
        ));
    };
    let clock = system_clock()?;
    let store = MongoStore::connect(url.expose_secret(), NO_DEFAULT_ISSUER, None).await;
    let store = store.map_err(database_error)?;
    let mut observer = Observer { display: None, findings: FindingLog::new(format) };
    let stamp = (clock.object_id(), clock.now());
    let report = store.migrate(options, stamp, &mut observer).await.map_err(database_error)?;
    let Observer { display, findings } = observer;
    drop(display);
    let failed = |error| AppError::failed(format!("the report cannot be printed: {error}"));
    findings.print(&report, options).map_err(failed)?;
    match report.left() {
        0 => Ok(()),
        1 => Err(AppError::failed("1 document was left as it was")),
        left => Err(AppError::failed(format!("{left} documents were left as they were"))),
    }
}

/// Shows the progress of a migration, and keeps its remarks for the report.
struct Observer {
    display: Option<(OldCollection, ProgressDisplay)>,
    findings: FindingLog,
}

impl MigrationObserver for Observer {
    fn progress(&mut self, progress: MigrationProgress) {
        let MigrationProgress { collection, done, total } = progress;
        if self.display.as_ref().is_none_or(|(shown, _)| *shown != collection) {
            let action = match collection {
                OldCollection::Tenants => "converting tenants",
                OldCollection::Users => "converting users",
                OldCollection::Subscriptions => "converting subscriptions",
            };
            let new = ProgressDisplay::new(total, action, collection.as_str());
            self.display = Some((collection, new));
        }
        if let Some((_, display)) = &mut self.display {
            display.update(done);
        }
    }

    fn finding(&mut self, finding: Finding) {
        self.findings.add(finding);
    }
}
