//! `tenantry seed`: prepares the database, creates the default tenant, and optionally demo tenants.
//!
//! On a terminal, one line shows the progress. Elsewhere, log lines report it.

use std::{
    fmt::Display,
    io::{self, IsTerminal},
};

use super::{
    build::{database_error, open_store, system_clock},
    error::AppError,
    listeners::Signals,
};
use crate::{
    config::{DatabaseConfig, DefaultTenant},
    seed::{
        Seeder,
        runner::{DemoSeeder, SeedProgress},
    },
    store::Store,
};

const EXAMPLE_QUERY: &str = "{ tenants(first: 20, filter: {search: \"demo-\"}) { totalCount nodes { slug name plan subscription { status } } } }";
/// The issuer of users who were stored without one. `seed` reads no user, so it needs none.
const NO_DEFAULT_ISSUER: &str = "";

pub(super) async fn seed(
    database: &DatabaseConfig,
    default_tenant: &DefaultTenant,
    demo_tenants: Option<u32>,
) -> Result<(), AppError> {
    let store = open_store(database, NO_DEFAULT_ISSUER, None).await?;
    let seeder = Seeder { store, clock: system_clock()? };
    seeder.store.prepare().await.map_err(database_error)?;
    seeder.ensure_default_tenant(default_tenant).await.map_err(AppError::failed)?;
    println!("{} is ready; the default tenant is {}", database.redacted(), default_tenant.slug);
    let Some(n) = demo_tenants else { return Ok(()) };
    let progress = create_demo_tenants(&*seeder.store, n).await?;
    let SeedProgress { tenants, users, subscriptions, .. } = progress;
    println!(
        "demo tenants 1 to {n}: created {tenants}, with {users} users and {subscriptions} subscriptions; {} were created before",
        n - tenants
    );
    println!("example query for a platform admin: {EXAMPLE_QUERY}");
    Ok(())
}

/// Creates demo tenants until all exist. A signal stops the loop between two commits.
async fn create_demo_tenants(store: &dyn Store, n: u32) -> Result<SeedProgress, AppError> {
    let mut signals = Signals::listen()?;
    let signal_task = tokio::spawn(async move { signals.recv().await });
    let mut display = ProgressDisplay::new(n);
    let mut seeder = DemoSeeder::new(store, n);
    loop {
        let incomplete_error = |reason: &dyn Display, progress: &SeedProgress| {
            let done = progress.done;
            AppError::failed(format!(
                "{reason}: {done} of {n} demo tenants are done; the same command continues from there"
            ))
        };
        match seeder.next_batch().await {
            Ok(true) => display.update(seeder.progress.done),
            Ok(false) => return Ok(seeder.progress),
            Err(error) => return Err(incomplete_error(&error, &seeder.progress)),
        }
        if signal_task.is_finished() && seeder.progress.done < n {
            return Err(incomplete_error(&"stopped", &seeder.progress));
        }
    }
}

/// Shows the progress on standard error.
struct ProgressDisplay {
    total: u32,
    is_terminal: bool,
    /// The number of tenths that were logged.
    logged_tenths: u32,
}

impl ProgressDisplay {
    fn new(total: u32) -> Self {
        let is_terminal = io::stderr().is_terminal();
        if !is_terminal {
            tracing::info!(total, "creating demo tenants");
        }
        Self { total, is_terminal, logged_tenths: 0 }
    }

    fn update(&mut self, done: u32) {
        if self.is_terminal {
            eprint!("\r{done} of {} demo tenants", self.total);
            return;
        }
        let tenths = (u64::from(done) * 10 / u64::from(self.total)) as u32;
        if tenths > self.logged_tenths {
            self.logged_tenths = tenths;
            tracing::info!(done, total = self.total, "creating demo tenants");
        }
    }
}

impl Drop for ProgressDisplay {
    /// Ends the line of the terminal.
    fn drop(&mut self) {
        if self.is_terminal {
            eprintln!();
        }
    }
}
