//! `tenantry seed`: makes the database ready, fills it with demo tenants where that is asked for, and
//! tells how far it is: a bar for people, lines of the log for everybody else.

use std::fmt::Display;

use indicatif::{ProgressBar, ProgressStyle};

use super::{AppError, NO_ISSUER, Signals, open, system_clock};
use crate::{
    config::{DatabaseConfig, DefaultTenant},
    seed::{
        Seeder,
        runner::{DemoSeeder, SeedProgress},
    },
    store::Store,
};

const BAR: &str = "{bar:30} {pos} of {len} demo tenants, {eta} left";
const LOOK: &str = "{ tenants(first: 20, filter: {search: \"demo-\"}) { totalCount nodes { slug name plan subscription { status } } } }";

pub(super) async fn run(
    database: &DatabaseConfig,
    tenant: &DefaultTenant,
    demo: Option<u32>,
) -> Result<(), AppError> {
    let store = open(database, NO_ISSUER, None).await?;
    let seeder = Seeder { store, clock: system_clock()? };
    seeder.store.prepare().await?;
    seeder.ensure_default_tenant(tenant).await.map_err(AppError::failed)?;
    println!("{} is ready; the default tenant is {}", database.redacted(), tenant.slug);
    let Some(n) = demo else { return Ok(()) };
    let SeedProgress { tenants, users, subscriptions, .. } = fill(&*seeder.store, n).await?;
    println!(
        "demo tenants 1 to {n}: {tenants} were made, with {users} users and {subscriptions} subscriptions; {} had been made before",
        n - tenants
    );
    println!("what a platform admin may ask: {LOOK}");
    Ok(())
}

/// Makes demo tenants until all are made or a signal comes, which ends it between two commits.
async fn fill(store: &dyn Store, n: u32) -> Result<SeedProgress, AppError> {
    let mut signals = Signals::listen()?;
    let stop = tokio::spawn(async move { signals.recv().await });
    let mut progress = Progress::new(n);
    let mut filling = DemoSeeder::new(store, n);
    loop {
        let ended = |why: &dyn Display, so_far: &SeedProgress| {
            let done = so_far.done;
            AppError::failed(format!(
                "{why}: {done} of {n} demo tenants are done, and the same command goes on from there"
            ))
        };
        match filling.next().await {
            Ok(true) => progress.show(filling.progress.done),
            Ok(false) => return Ok(filling.progress),
            Err(error) => return Err(ended(&error, &filling.progress)),
        }
        if stop.is_finished() && filling.progress.done < n {
            return Err(ended(&"stopped", &filling.progress));
        }
    }
}

/// How far it is, on standard error.
struct Progress {
    n: u32,
    bar: ProgressBar,
    /// How many tenths were told.
    tenths: u32,
}

impl Progress {
    fn new(n: u32) -> Self {
        let bar = ProgressBar::new(n.into());
        if let Ok(style) = ProgressStyle::with_template(BAR) {
            bar.set_style(style.progress_chars("#- "));
        }
        if bar.is_hidden() {
            tracing::info!(total = n, "making demo tenants");
        }
        Self { n, bar, tenths: 0 }
    }

    fn show(&mut self, done: u32) {
        self.bar.set_position(done.into());
        let tenths = (u64::from(done) * 10 / u64::from(self.n)) as u32;
        // Nobody looks at a terminal.
        if self.bar.is_hidden() && tenths > self.tenths {
            self.tenths = tenths;
            tracing::info!(done, total = self.n, "making demo tenants");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
