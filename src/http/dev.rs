//! The routes of `tenantry dev`: its built-in issuer, and a token for each demo identity.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Serialize;
use serde_json::Value;
use url::{Host, Url};

use super::state::{AppState, DevMode};
use crate::{
    auth::dev_issuer::{DevClaims, DevIssuerError},
    domain::time::Timestamp,
    seed::{self, DemoIdentity},
};

/// A demo identity with a new token.
#[derive(Debug, Serialize)]
pub struct DemoCredential {
    /// The name that developers use for the identity.
    pub name: &'static str,
    /// The subject of the identity at the built-in issuer.
    pub subject: &'static str,
    /// The case that the identity demonstrates.
    pub description: &'static str,
    /// An access token that is valid for one hour.
    pub token: String,
}

/// Issues a token for each demo identity.
pub fn issue_demo_credentials(
    dev: &DevMode,
    now: Timestamp,
) -> Result<Vec<DemoCredential>, DevIssuerError> {
    let issue = |identity: &DemoIdentity| {
        Ok(DemoCredential {
            name: identity.subject,
            subject: identity.subject,
            description: identity.description,
            token: dev.issuer.token(&claims(identity, dev), now)?,
        })
    };
    seed::IDENTITIES.iter().map(issue).collect()
}

fn claims(identity: &DemoIdentity, dev: &DevMode) -> DevClaims {
    DevClaims {
        subject: identity.subject.to_owned(),
        email: identity.email(),
        name: identity.name.to_owned(),
        groups: identity.groups(&dev.groups),
    }
}

/// Adds the routes of the demo identities and of the built-in issuer.
pub(super) fn routes(router: Router<Arc<AppState>>) -> Router<Arc<AppState>> {
    router
        .route("/dev/identities", get(identities))
        .route("/dev/oidc/.well-known/openid-configuration", get(discovery))
        .route("/dev/oidc/jwks.json", get(jwks))
}

/// Handles `GET /dev/identities`.
async fn identities(State(state): State<Arc<AppState>>, headers: HeaderMap) -> Response {
    if let Err(rejection) = require_loopback_host(&headers) {
        return rejection.into_response();
    }
    dev_only(&state, |dev| match issue_demo_credentials(dev, state.clock.now()) {
        Ok(issue_demo_credentials) => {
            ([(header::CACHE_CONTROL, "no-store")], Json(issue_demo_credentials)).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "cannot issue tokens for the demo identities");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    })
}

/// The status and the text of a rejected request.
pub(super) type Rejection = (StatusCode, &'static str);

/// Checks that the request names a loopback host.
///
/// This prevents DNS rebinding: a foreign page whose host name resolves to this machine must not get
/// tokens or mail.
pub(super) fn require_loopback_host(headers: &HeaderMap) -> Result<(), Rejection> {
    if headers.get(header::HOST).and_then(|host| host.to_str().ok()).is_some_and(is_loopback) {
        return Ok(());
    }
    Err((StatusCode::FORBIDDEN, "Use a loopback host name, e.g. localhost."))
}

/// Returns whether the value of a `Host` header is a loopback name or address.
fn is_loopback(host: &str) -> bool {
    match Url::parse(&format!("http://{host}/")).as_ref().map(Url::host) {
        Ok(Some(Host::Domain(name))) => name == "localhost" || name.ends_with(".localhost"),
        Ok(Some(Host::Ipv4(address))) => address.is_loopback(),
        Ok(Some(Host::Ipv6(address))) => address.is_loopback(),
        _ => false,
    }
}

/// Handles `GET /dev/oidc/.well-known/openid-configuration`.
async fn discovery(State(state): State<Arc<AppState>>) -> Response {
    dev_only(&state, |dev| Json::<Value>(dev.issuer.discovery()).into_response())
}

/// Handles `GET /dev/oidc/jwks.json`.
async fn jwks(State(state): State<Arc<AppState>>) -> Response {
    dev_only(&state, |dev| Json(dev.issuer.jwks()).into_response())
}

/// Calls `handle` in `tenantry dev`, and responds with 404 otherwise.
fn dev_only(state: &AppState, handle: impl FnOnce(&DevMode) -> Response) -> Response {
    state.dev.as_ref().map_or_else(|| StatusCode::NOT_FOUND.into_response(), handle)
}
