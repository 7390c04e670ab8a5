//! `tenantry migrate`: takes over the database of the former Node service.

use secrecy::ExposeSecret;

use super::{
    build::{database_error, system_clock},
    error::AppError,
    migration_report,
    progress::ProgressDisplay,
};
use crate::{
    config::{DatabaseConfig, ReportFormat},
    domain::migration::{MigrationOptions, OldCollection},
    store::mongo::{MigrationProgress, MongoStore},
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
    let mut display: Option<(OldCollection, ProgressDisplay)> = None;
    let mut show = |progress: MigrationProgress| {
        let MigrationProgress { collection, done, total } = progress;
        if display.as_ref().is_none_or(|(shown, _)| *shown != collection) {
            let action = match collection {
                OldCollection::Tenants => "converting tenants",
                OldCollection::Users => "converting users",
                OldCollection::Subscriptions => "converting subscriptions",
            };
            let new = ProgressDisplay::new(total, action, collection.as_str());
            display = Some((collection, new));
        }
        if let Some((_, display)) = &mut display {
            display.update(done);
        }
    };
    let stamp = (clock.object_id(), clock.now());
    let report = store.migrate(options, stamp, &mut show).await.map_err(database_error)?;
    drop(display);
    match format {
        ReportFormat::Text => print!("{}", migration_report::text(&report, options)),
        ReportFormat::Json => println!("{:#}", migration_report::json(&report, options)),
    }
    match report.left() {
        0 => Ok(()),
        1 => Err(AppError::failed("1 document was left as it was")),
        left => Err(AppError::failed(format!("{left} documents were left as they were"))),
    }
}
