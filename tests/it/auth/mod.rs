//! Who is asking: tokens against real keys, and keys against a provider that misbehaves.

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
    OidcKeySource::discover(fetcher(), issuer.url()).expect("a loopback issuer")
}

fn metrics() -> Metrics {
    Metrics::new().expect("a catalogue")
}

fn expected(issuer: &str) -> TokenValidation {
    TokenValidation {
        issuer: issuer.to_owned(),
        audiences: vec!["other".to_owned(), AUDIENCE.to_owned()],
        groups_claim: "groups".to_owned(),
    }
}

/// Verifies tokens of one issuer with those keys.
fn of_keys(issuer: &str, keys: JwksCache) -> Authenticator {
    Authenticator::new(vec![Verifier::new(expected(issuer), Arc::new(keys))], metrics())
}

/// Verifies tokens of one issuer, whose first fetch has ended.
async fn authenticator(issuer: &TestIssuer) -> Authenticator {
    let keys = JwksCache::remote(discovery(issuer), metrics());
    keys.first_fetch().await;
    of_keys(issuer.url(), keys)
}

/// The keys of the only issuer.
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

/// Lets other tasks run until it is so.
async fn until(mut so: impl FnMut() -> bool) {
    while !so() {
        tokio::task::yield_now().await;
    }
}

async fn fetched(keys: &JwksCache, times: u64) {
    keys.fetches().wait_for(|ended| *ended >= times).await.expect("the keys are there");
}
