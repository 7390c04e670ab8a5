//! `tenantry check`: looks at everything that `serve` will need, changes nothing, and says of each
//! fault how to mend it.

use std::fmt::Display;

use super::{AppError, ServeConfig, discovery, fetcher, open};
use crate::{
    auth::{
        discovery::OidcKeySource,
        error::{KeyFetchError, audience_hint},
        jwks_cache::{self, FetchedKeySet, JwksSource},
    },
    config::{DatabaseConfig, IssuerConfig},
    store::PrepareError,
};

/// What was found so far. Each finding is on standard output as soon as it is known.
#[derive(Default)]
struct Report {
    faults: usize,
    /// The first fault with which it makes no sense to start.
    unusable: Option<String>,
}

impl Report {
    fn good(what: impl Display) {
        println!("ok     {what}");
    }

    fn note(what: impl Display) {
        println!("note   {what}");
    }

    fn problem(&mut self, what: impl Display, fix: impl Display) {
        self.faults += 1;
        println!("FAULT  {what}\n       fix: {fix}");
    }

    fn end(self) -> Result<(), AppError> {
        match (self.unusable, self.faults) {
            (Some(why), _) => Err(AppError::misconfigured(why)),
            (None, 0) => Ok(()),
            (None, 1) => Err(AppError::failed("there is a fault")),
            (None, faults) => Err(AppError::failed(format!("there are {faults} faults"))),
        }
    }
}

/// Examines database, discovery and keys; the configuration was validated before.
pub(super) async fn examine(config: &ServeConfig) -> Result<(), AppError> {
    let fetcher = fetcher(&config.provider)?;
    let mut report = Report::default();
    Report::good("configuration: every option is of its form");
    database(config, &mut report).await;
    for issuer in &config.provider.issuers {
        provider(&discovery(&fetcher, issuer)?, issuer, &mut report).await;
    }
    report.end()
}

async fn database(config: &ServeConfig, report: &mut Report) {
    let shown = config.database.redacted();
    if let DatabaseConfig::Sqlite(path) = &config.database
        && !path.exists()
    {
        return Report::good(format!("database: {shown}, which the first start makes"));
    }
    let examined = match open(&config.database, config.provider.default_issuer(), None).await {
        Ok(store) => store.check().await.map_err(|error| match error {
            PrepareError::Misconfigured(why) => {
                AppError::misconfigured(format!("TENANTRY_DATABASE_URL: {why}"))
            }
            PrepareError::Failed(error) => AppError::failed(error),
        }),
        Err(error) => Err(error),
    };
    match examined {
        Ok(()) => Report::good(format!("database: {shown} answers, and will do")),
        Err(error) if error.is_unusable() => {
            report.problem(format!("database: {shown}"), &error);
            report.unusable.get_or_insert(error.to_string());
        }
        Err(error) => report.problem(
            format!("database: {shown}: {error}"),
            "start it, or mend TENANTRY_DATABASE_URL: host, port, user, password, name of the \
             replica set. `serve` starts without it, is not ready, and goes on trying",
        ),
    }
}

async fn provider(source: &OidcKeySource, issuer: &IssuerConfig, report: &mut Report) {
    let url = &issuer.url;
    let fetched = source.fetch().await;
    let of_keys =
        matches!(fetched, Ok(_) | Err(KeyFetchError::KeySet(_) | KeyFetchError::NotAKeySet));
    if issuer.jwks_url.is_some() {
        Report::note(format!(
            "{url}: TENANTRY_OIDC_JWKS_URL names the keys, so nothing has confirmed the issuer"
        ));
    } else if of_keys {
        Report::good(format!("{url}: its discovery document names this issuer"));
    }
    match fetched {
        Ok(fetched) => keys_of(url, &fetched, report),
        Err(fault) => report.problem(format!("{url}: {fault}"), fault.help()),
    }
    match audience_hint(url, &issuer.audiences) {
        Some(hint) if hint.certain => report.problem(format!("{url}: {}", hint.message), hint.help),
        Some(hint) => Report::note(format!("{url}: {}: {}", hint.message, hint.help)),
        None => {}
    }
}

fn keys_of(url: &str, fetched: &FetchedKeySet, report: &mut Report) {
    for skipped in fetched.set.skipped() {
        Report::note(format!("{url}: not used: {skipped}"));
    }
    match jwks_cache::ensure_usable(fetched) {
        Ok(()) => Report::good(format!("{url}: usable keys: {}", fetched.set.len())),
        Err(none) => report.problem(format!("{url}: {none}"), none.help()),
    }
}
