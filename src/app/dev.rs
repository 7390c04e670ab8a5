//! `tenantry dev`: serves on loopback with an embedded database, a built-in issuer and demo data.

use std::{path::Path, sync::Arc};

use tokio::sync::watch;

use super::{
    build::{StateParts, build_state, invitation_settings, load_trusted_documents, system_clock},
    dev_secret::open_secret,
    error::AppError,
    listeners::{Listeners, ShutdownConfig, Signals},
};
use crate::{
    access::{Access, AccessConfig},
    auth::{
        dev_issuer::DevIssuer,
        jwks_cache::JwksCache,
        token::{TokenValidation, Verifier},
    },
    config::{DefaultTenant, InvitationConfig, ServerConfig},
    domain::sync::GroupMapping,
    http::{self, AppState, DevMode, ShutdownPhase},
    metrics::Metrics,
    seed::{DEV_AUDIENCE, Seeder},
    store::{
        Store,
        sqlite::{SqliteStore, make_folder_private},
    },
};

/// The folder of the database and the signing key, which a later start uses again.
const DEV_FOLDER: &str = ".tenantry";
/// The playground with the mutation that accepts an invitation.
const ACCEPT_PATH: &str = "/?query=mutation%20Accept(%24token%3A%20String!)%20%7B%0A%20%20acceptInvitation(input%3A%20%7B%20token%3A%20%24token%20%7D)%20%7B%0A%20%20%20%20membership%20%7B%20role%20tenant%20%7B%20name%20%7D%20%7D%0A%20%20%7D%0A%7D&variables=%7B%22token%22%3A%22{token}%22%7D";
/// The query of the printed `curl` commands.
const EXAMPLE_QUERY: &str = "{ me { name memberships { role tenant { slug billingInfo { email } subscription { plan status } } } } }";

pub(super) async fn dev(
    server: ServerConfig,
    groups: GroupMapping,
    default_tenant: DefaultTenant,
    mut invitations: InvitationConfig,
) -> Result<(), AppError> {
    let trusted_documents = load_trusted_documents(&server)?;
    let clock = system_clock()?;
    let listeners = Listeners::bind(&server, Signals::listen()?).await?;
    let (phases, shutdown) = watch::channel(ShutdownPhase::Running);
    let shutdown_config = ShutdownConfig::from_traffic(&server.traffic);
    let url = format!("http://{}", listeners.public_address());
    let folder = Path::new(DEV_FOLDER);
    let metrics = Metrics::new().map_err(AppError::failed)?;
    make_folder_private(folder).map_err(|error| {
        AppError::failed(format!("the folder {DEV_FOLDER} cannot be made private: {error}"))
    })?;
    if invitations.secrets.is_empty() {
        invitations.secrets.push(open_secret(folder).map_err(AppError::failed)?);
    }
    invitations.url.get_or_insert_with(|| format!("{url}{ACCEPT_PATH}"));
    let issuer_url = format!("{url}/dev/oidc");
    let issuer = DevIssuer::open(folder, issuer_url.clone(), DEV_AUDIENCE.to_owned())
        .map_err(AppError::failed)?;
    let store: Arc<dyn Store> =
        Arc::new(SqliteStore::open(&folder.join("tenantry.db"), Some(metrics.clone()))?);
    store.prepare().await?;
    let seeder = Seeder { store: store.clone(), clock: clock.clone() };
    seeder.ensure_default_tenant(&default_tenant).await.map_err(AppError::failed)?;
    seeder.create_demo_data(&issuer_url).await.map_err(AppError::failed)?;
    let access_config = AccessConfig {
        groups: groups.clone(),
        default_tenant: default_tenant.slug,
        issuers: vec![issuer_url.clone()],
    };
    let access = Access::new(store, clock.clone(), access_config).with_metrics(metrics.clone());
    let access = access.with_invitations(invitation_settings(&invitations)?);
    access.mark_ready();
    access.start_change_feed();
    let state = build_state(
        server,
        StateParts {
            access: Arc::new(access),
            verifiers: vec![create_verifier(&issuer, issuer_url)],
            trusted_documents,
            metrics,
            clock,
            shutdown,
            dev: Some(DevMode { issuer, groups }),
        },
    );
    print_quickstart(&state, &url, &listeners.admin_address().to_string())?;
    listeners.serve(state, phases, shutdown_config).await;
    Ok(())
}

fn create_verifier(issuer: &DevIssuer, issuer_url: String) -> Verifier {
    let validation = TokenValidation {
        issuer: issuer_url,
        audiences: vec![DEV_AUDIENCE.to_owned()],
        groups_claim: "groups".to_owned(),
    };
    Verifier::new(validation, Arc::new(JwksCache::fixed(issuer.key_set())))
}

/// Prints the addresses, and a `curl` command with a token for each demo identity.
fn print_quickstart(state: &AppState, url: &str, admin_address: &str) -> Result<(), AppError> {
    if state.playground {
        println!("playground  {url}/");
    }
    println!("endpoint    {url}/graphql");
    println!("readiness   http://{admin_address}/readyz");
    println!(
        "tokens      {url}/dev/identities (valid for one hour; request it again for new ones)"
    );
    let Some(dev) = &state.dev else { return Ok(()) };
    let issue_demo_credentials =
        http::issue_demo_credentials(dev, state.clock.now()).map_err(AppError::failed)?;
    for persona in issue_demo_credentials {
        println!("\n{}: {}", persona.name, persona.description);
        println!(
            "  curl -s {url}/graphql -H 'content-type: application/json' -H 'authorization: Bearer {}' -d '{{\"query\":\"{EXAMPLE_QUERY}\"}}'",
            persona.token
        );
    }
    Ok(())
}
