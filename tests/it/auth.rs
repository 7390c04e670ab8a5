//! Who is asking: tokens against real keys, and keys against a provider that misbehaves.

mod dev_issuer;
mod keys;
mod provider;
mod tokens;

use std::{sync::Arc, time::Duration};

use tenantry::{
    auth::{
        discovery::Discovery,
        fetch::Fetcher,
        keys::Keys,
        token::{Expected, Refused, Verified, Verifier},
    },
    domain::time::Timestamp,
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

fn discovery(issuer: &TestIssuer) -> Discovery {
    Discovery::of_issuer(fetcher(), issuer.url()).expect("a loopback issuer")
}

fn expected(issuer: &str) -> Expected {
    Expected {
        issuer: issuer.to_owned(),
        audiences: vec!["other".to_owned(), AUDIENCE.to_owned()],
        groups_claim: "groups".to_owned(),
    }
}

/// A verifier whose first fetch has ended.
async fn verifier(issuer: &TestIssuer) -> Verifier {
    let keys = Keys::remote(discovery(issuer));
    keys.first_fetch().await;
    Verifier::new(expected(issuer.url()), Arc::new(keys))
}

async fn verify(verifier: &Verifier, token: &str) -> Result<Verified, Refused> {
    verifier.verify(token, now()).await
}

/// Lets that time pass for every timer at once.
async fn later(by: Duration) {
    tokio::time::pause();
    tokio::time::advance(by).await;
    tokio::time::resume();
}

/// Lets other tasks run until it is so.
async fn until(mut so: impl FnMut() -> bool) {
    while !so() {
        tokio::task::yield_now().await;
    }
}

async fn fetched(keys: &Keys, times: u64) {
    keys.fetches().wait_for(|ended| *ended >= times).await.expect("the keys are there");
}
