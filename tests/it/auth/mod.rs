//! Authentication: tokens that are verified with real keys, and key sets of faulty providers.

pub(crate) mod credential_cases;
mod dev_issuer;
mod error_responses;
mod keys;
mod multiple_issuers;
mod provider;
mod tokens;
mod unknown_kid_flood;

use std::sync::Arc;

use tenantry::{
    auth::{
        authenticator::Authenticator,
        discovery::OidcKeySource,
        fetch::Fetcher,
        jwks_cache::JwksCache,
        token::{AuthError, TokenValidation, VerifiedToken, Verifier},
    },
    domain::time::Timestamp,
    metrics::Metrics,
};

use crate::support::issuer::{AUDIENCE, NOW, TestIssuer};

fn now() -> Timestamp {
    at(NOW)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds).expect("in range")
}

fn fetcher() -> Fetcher {
    Fetcher::new(None).expect("a fetcher")
}

fn discovery(issuer: &TestIssuer) -> OidcKeySource {
    OidcKeySource::discover(fetcher(), issuer.url()).expect("an issuer on loopback")
}

fn metrics() -> Metrics {
    Metrics::new().expect("a metrics catalogue")
}

fn token_validation(issuer: &str) -> TokenValidation {
    TokenValidation {
        issuer: issuer.to_owned(),
        audiences: vec!["other".to_owned(), AUDIENCE.to_owned()],
        groups_claim: "groups".to_owned(),
    }
}

/// Returns an authenticator for one issuer with the given keys.
fn authenticator_with_keys(issuer: &str, keys: JwksCache) -> Authenticator {
    Authenticator::new(vec![Verifier::new(token_validation(issuer), Arc::new(keys))], metrics())
}

/// Returns an authenticator for one issuer, after the first fetch of its keys has ended.
async fn authenticator(issuer: &TestIssuer) -> Authenticator {
    let keys = JwksCache::remote(discovery(issuer), metrics());
    keys.wait_for_first_fetch().await;
    authenticator_with_keys(issuer.url(), keys)
}

/// Returns the key cache of the only issuer.
fn keys(authenticator: &Authenticator) -> &JwksCache {
    authenticator.verifiers()[0].keys()
}

async fn verify(authenticator: &Authenticator, token: &str) -> Result<VerifiedToken, AuthError> {
    verify_at(authenticator, token, now()).await
}

async fn verify_at(
    authenticator: &Authenticator,
    token: &str,
    now: Timestamp,
) -> Result<VerifiedToken, AuthError> {
    let value = format!("Bearer {token}");
    let verified = authenticator.authenticate([value.as_bytes()], now).await;
    verified.map(|verified| verified.expect("a credential"))
}

/// Lets other tasks run until the condition holds.
async fn until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}

/// Waits until the given number of fetches has ended.
async fn wait_for_fetches(keys: &JwksCache, count: u64) {
    keys.fetches().wait_for(|ended| *ended >= count).await.expect("the key cache is not dropped");
}
