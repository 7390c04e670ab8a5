//! What only `tenantry dev` serves: its built-in issuer, and a token for each demo identity.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::Value;
use url::{Host, Url};

use super::{AppState, DevMode};
use crate::{
    auth::dev_issuer::{DevClaims, DevIssuerError},
    domain::time::Timestamp,
    seed::{self, DemoIdentity},
};

/// A demo identity with a fresh token.
#[derive(Debug, Serialize)]
pub struct Persona {
    /// How it is called.
    pub name: &'static str,
    /// Its subject at the built-in issuer.
    pub subject: &'static str,
    /// What it is there to show.
    pub description: &'static str,
    /// An access token that is good for an hour.
    pub token: String,
}

/// The demo identities, each with a token issued now.
pub fn personas(dev: &DevMode, now: Timestamp) -> Result<Vec<Persona>, DevIssuerError> {
    let persona = |identity: &DemoIdentity| {
        Ok(Persona {
            name: identity.subject,
            subject: identity.subject,
            description: identity.description,
            token: dev.issuer.token(&claims(identity, dev), now)?,
        })
    };
    seed::IDENTITIES.iter().map(persona).collect()
}

fn claims(identity: &DemoIdentity, dev: &DevMode) -> DevClaims {
    DevClaims {
        subject: identity.subject.to_owned(),
        email: identity.email(),
        name: identity.name.to_owned(),
        groups: identity.groups(&dev.groups),
    }
}

/// `GET /dev/identities`
pub(super) async fn identities(
    State(gateway): State<Arc<AppState>>,
    headers: HeaderMap,
) -> Response {
    // A page elsewhere whose name was made to mean this machine is not to have tokens.
    if !headers.get(header::HOST).and_then(|host| host.to_str().ok()).is_some_and(is_loopback) {
        return (StatusCode::FORBIDDEN, "Ask by a name of loopback.").into_response();
    }
    dev_only(&gateway, |dev| match personas(dev, gateway.clock.now()) {
        Ok(fresh) => ([(header::CACHE_CONTROL, "no-store")], Json(fresh)).into_response(),
        Err(error) => {
            tracing::error!(%error, "no tokens can be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    })
}

/// Whether a `Host` names this machine by itself.
fn is_loopback(host: &str) -> bool {
    match Url::parse(&format!("http://{host}/")).as_ref().map(Url::host) {
        Ok(Some(Host::Domain(name))) => name == "localhost" || name.ends_with(".localhost"),
        Ok(Some(Host::Ipv4(address))) => address.is_loopback(),
        Ok(Some(Host::Ipv6(address))) => address.is_loopback(),
        _ => false,
    }
}

/// `GET /dev/oidc/.well-known/openid-configuration`
pub(super) async fn discovery(State(gateway): State<Arc<AppState>>) -> Response {
    dev_only(&gateway, |dev| Json::<Value>(dev.issuer.discovery()).into_response())
}

/// `GET /dev/oidc/jwks.json`
pub(super) async fn jwks(State(gateway): State<Arc<AppState>>) -> Response {
    dev_only(&gateway, |dev| Json::<Value>(dev.issuer.jwks()).into_response())
}

fn dev_only(gateway: &AppState, answer: impl FnOnce(&DevMode) -> Response) -> Response {
    gateway.dev.as_ref().map_or_else(|| StatusCode::NOT_FOUND.into_response(), answer)
}
