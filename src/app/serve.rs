//! `tenantry serve`: serves with the configured database and provider.
//!
//! The gateway listens before its dependencies are reachable. Until then, readiness fails.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use super::{
    build::{
        StateParts, build_state, create_fetcher, create_key_source, create_mail_sender,
        database_error, invitation_settings, load_trusted_documents, open_store, system_clock,
    },
    error::AppError,
    listeners::{Listeners, ShutdownConfig, Signals},
    outbox,
};
use crate::{
    access::{Access, AccessConfig},
    auth::{
        discovery::OidcKeySource,
        error::audience_hint,
        jwks_cache::JwksCache,
        token::{TokenValidation, Verifier},
    },
    config::{
        DatabaseConfig, DefaultTenant, InvitationConfig, MailConfig, OidcConfig, ServerConfig,
    },
    domain::sync::GroupMapping,
    http::ShutdownPhase,
    metrics::Metrics,
    seed::Seeder,
    store::PrepareError,
};

/// The delay between the first two attempts to prepare the store. It doubles up to [`MAX_BACKOFF`].
const INITIAL_BACKOFF: Duration = Duration::from_millis(250);
const MAX_BACKOFF: Duration = Duration::from_secs(10);

/// The configuration of `serve` and `check`.
pub struct ServeConfig {
    /// The configuration of the HTTP server.
    pub server: ServerConfig,
    /// The database that stores all data.
    pub database: DatabaseConfig,
    /// Lets queries use a user that was read up to a second before.
    pub actor_cache: bool,
    /// The issuers whose tokens are accepted.
    pub oidc: OidcConfig,
    /// The mapping of groups to roles.
    pub groups: GroupMapping,
    /// The tenant that always exists.
    pub default_tenant: DefaultTenant,
    /// The configuration of invitations.
    pub invitations: InvitationConfig,
    /// The configuration of outgoing mail, or `None` to send none.
    pub mail: Option<MailConfig>,
}

pub(super) async fn serve(config: ServeConfig) -> Result<(), AppError> {
    let ServeConfig {
        server,
        database,
        actor_cache,
        oidc,
        groups,
        default_tenant,
        invitations,
        mail,
    } = config;
    let trusted_documents = load_trusted_documents(&server)?;
    let clock = system_clock()?;
    let mut signals = Signals::listen()?;
    let metrics = Metrics::new().map_err(AppError::failed)?;
    let store = tokio::select! {
        opened = open_store(&database, oidc.default_issuer(), Some(metrics.clone())) => opened?,
        () = signals.recv() => return Ok(()),
    };
    let mail_sender = create_mail_sender(mail.as_ref())?;
    let fetcher = create_fetcher(&oidc)?;
    let sources = oidc.issuers.iter().map(|issuer| create_key_source(&fetcher, issuer));
    let sources = sources.collect::<Result<Vec<_>, _>>()?;
    let listeners = Listeners::bind(&server, signals).await?;
    let (phases, shutdown) = watch::channel(ShutdownPhase::Running);
    let shutdown_config = ShutdownConfig::from_traffic(&server.traffic);
    let issuers: Vec<String> = oidc.issuers.iter().map(|issuer| issuer.url.clone()).collect();
    tracing::info!(bind = %listeners.public_address(), admin = %listeners.admin_address(), database = database.redacted(), issuers = issuers.join(" "), "serving");
    let access_config =
        AccessConfig { groups, default_tenant: default_tenant.slug.clone(), issuers };
    let access = Access::new(store.clone(), clock.clone(), access_config);
    let access = access.with_invitations(invitation_settings(&invitations, mail.is_some())?);
    let access = access.with_metrics(metrics.clone());
    let access = Arc::new(if actor_cache { access.with_actor_cache() } else { access });
    let outbox = mail_sender.map(|sender| {
        outbox::start(
            store.clone(),
            clock.clone(),
            access.clone(),
            Arc::new(sender),
            metrics.clone(),
            shutdown.clone(),
        )
    });
    let state = build_state(
        server,
        StateParts {
            access: access.clone(),
            verifiers: create_verifiers(oidc, sources, &metrics),
            trusted_documents,
            metrics,
            clock: clock.clone(),
            shutdown,
            dev: None,
        },
    );
    tokio::select! {
        result = prepare_store(Seeder { store, clock }, default_tenant, access) => return result,
        () = listeners.serve(state, phases, shutdown_config) => {}
    }
    if let Some(outbox) = outbox {
        outbox.finish().await;
    }
    Ok(())
}

fn create_verifiers(
    oidc: OidcConfig,
    sources: Vec<OidcKeySource>,
    metrics: &Metrics,
) -> Vec<Verifier> {
    let OidcConfig { issuers, groups_claim, .. } = oidc;
    for hint in issuers.iter().filter_map(|issuer| audience_hint(&issuer.url, &issuer.audiences)) {
        tracing::warn!(help = hint.help, "{}", hint.message);
    }
    let verifiers = issuers.into_iter().zip(sources).map(|(issuer, source)| {
        let keys = JwksCache::remote(source, metrics.clone());
        let validation = TokenValidation {
            issuer: issuer.url,
            audiences: issuer.audiences,
            groups_claim: groups_claim.clone(),
        };
        Verifier::new(validation, Arc::new(keys))
    });
    verifiers.collect()
}

/// Prepares the store, and returns only if the store can never work.
async fn prepare_store(
    seeder: Seeder,
    default_tenant: DefaultTenant,
    access: Arc<Access>,
) -> Result<(), AppError> {
    prepare_with_retries(&seeder, &default_tenant).await?;
    access.mark_ready();
    access.start_change_feed();
    tracing::info!("the database is ready");
    match seeder.store.warnings().await {
        Ok(warnings) => warnings.iter().for_each(|warning| tracing::warn!("{warning}")),
        Err(error) => tracing::warn!(%error, "the set-up of the database was not examined"),
    }
    if let Err(error) = seeder.store.finish_deletions().await {
        tracing::warn!(%error, "memberships of deleted tenants were not removed; a later cleanup retries");
    }
    seeder.store.follow_manual_edits().await;
    // The listeners decide when the command ends.
    std::future::pending().await
}

/// Prepares the store and creates the default tenant. Retries as long as the store is unreachable.
async fn prepare_with_retries(
    seeder: &Seeder,
    default_tenant: &DefaultTenant,
) -> Result<(), AppError> {
    let mut backoff = INITIAL_BACKOFF;
    loop {
        let error = match seeder.store.prepare().await {
            Ok(()) => match seeder.ensure_default_tenant(default_tenant).await {
                Ok(()) => return Ok(()),
                Err(error) => error.to_string(),
            },
            Err(PrepareError::Failed(error)) => error.to_string(),
            Err(error) => return Err(database_error(error)),
        };
        tracing::warn!(error, "the database is not ready; retrying");
        tokio::time::sleep(backoff).await;
        backoff = (backoff * 2).min(MAX_BACKOFF);
    }
}
