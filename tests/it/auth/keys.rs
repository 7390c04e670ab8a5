//! Fetches of a key set, and the keys that are in use between them.

use std::{
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures_util::{FutureExt, future::join_all};
use serde_json::json;
use tenantry::auth::{
    error::{FetchError, KeyFetchError},
    jwk::KeySet,
    jwks_cache::{COOL_DOWN, FetchedKeySet, JwksCache, JwksSource, KeysUnavailable, MAX_STALE},
    token::{AuthError, TokenError},
};
use tokio::time::Instant;

use super::{
    authenticator, authenticator_with_keys, keys, metrics, until, verify, wait_for_fetches,
};
use crate::support::{
    issuer::{Kind, ProviderResponse, TestIssuer, TestKey, TokenBuilder},
    time::FrozenTime,
};

const UNKNOWN_KEY: AuthError = AuthError::InvalidToken(TokenError::UnknownKey);

fn new_key() -> TestKey {
    TestKey::fresh(Kind::P256, "new")
}

#[tokio::test]
async fn tokens_with_a_new_key_share_one_fetch_and_known_keys_do_not_wait() {
    let issuer = TestIssuer::start().await;
    let authenticator = authenticator(&issuer).await;
    let _time = FrozenTime::start();
    let old = issuer.token().sign();
    let key = new_key();
    issuer.set_keys(&[TestKey::of(Kind::P256), key.clone()]);
    let new = issuer.token().key(&key).sign();
    let gate = issuer.pause();
    let waiting = join_all((0..50).map(|_| verify(&authenticator, &new)));
    let meanwhile = async {
        until(|| issuer.jwks_fetches() == 2).await;
        let known = verify(&authenticator, &old).now_or_never();
        assert!(matches!(known, Some(Ok(_))), "a token with a known key does not wait");
        drop(gate);
    };
    let (results, ()) = tokio::join!(waiting, meanwhile);
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(issuer.jwks_fetches(), 2, "one at start, one for all waiting tokens");
}

#[tokio::test]
async fn unknown_keys_cause_one_fetch_per_cool_down() {
    let issuer = TestIssuer::start().await;
    let authenticator = authenticator(&issuer).await;
    let time = FrozenTime::start();
    let unknown = issuer.token().key(&new_key()).sign();
    let results = join_all((0..50).map(|_| verify(&authenticator, &unknown))).await;
    assert!(results.iter().all(|result| *result == Err(UNKNOWN_KEY)), "{results:?}");
    assert_eq!(issuer.jwks_fetches(), 2, "the fetch at start does not begin a cool-down");
    assert_eq!(verify(&authenticator, &unknown).await, Err(UNKNOWN_KEY));
    assert_eq!(issuer.jwks_fetches(), 2, "the cool-down has not ended");
    time.advance(COOL_DOWN).await;
    assert_eq!(verify(&authenticator, &unknown).await, Err(UNKNOWN_KEY));
    assert_eq!(issuer.jwks_fetches(), 3);
}

#[tokio::test]
async fn failed_fetch_begins_a_cool_down() {
    let issuer = TestIssuer::start().await;
    let authenticator = authenticator(&issuer).await;
    let time = FrozenTime::start();
    let key = new_key();
    let token = issuer.token().key(&key).sign();
    issuer.set_keys(std::slice::from_ref(&key));
    issuer.set_offline(true);
    assert_eq!(verify(&authenticator, &token).await, Err(UNKNOWN_KEY));
    issuer.set_offline(false);
    assert_eq!(
        verify(&authenticator, &token).await,
        Err(UNKNOWN_KEY),
        "the cool-down has not ended"
    );
    assert_eq!(issuer.jwks_fetches(), 1);
    time.advance(COOL_DOWN).await;
    assert!(verify(&authenticator, &token).await.is_ok());
}

#[tokio::test]
async fn gateway_recovers_from_a_provider_that_is_unreachable_at_start() {
    let issuer = TestIssuer::start().await;
    issuer.set_offline(true);
    let authenticator = authenticator(&issuer).await;
    let time = FrozenTime::start();
    let token = issuer.token().sign();
    let reason = keys(&authenticator).check_ready().expect_err("not ready").to_string();
    assert!(reason.starts_with("no keys: discovery: "), "{reason}");
    assert_eq!(verify(&authenticator, &token).await, Err(AuthError::KeysUnavailable));
    assert_eq!(verify(&authenticator, &token).await, Err(AuthError::KeysUnavailable));
    issuer.set_offline(false);
    time.advance(Duration::from_secs(2)).await;
    wait_for_fetches(keys(&authenticator), 3).await;
    assert_eq!(keys(&authenticator).check_ready(), Ok(()));
    assert!(verify(&authenticator, &token).await.is_ok());
}

#[tokio::test]
async fn token_triggers_a_fetch_after_the_first_fetch_failed() {
    let issuer = TestIssuer::start().await;
    issuer.set_jwks_response(ProviderResponse::Status(500));
    let authenticator = authenticator(&issuer).await;
    let _time = FrozenTime::start();
    issuer.set_jwks_response(ProviderResponse::Good);
    assert!(verify(&authenticator, &issuer.token().sign()).await.is_ok());
}

#[tokio::test]
async fn last_fetched_keys_stay_in_use_while_the_provider_is_unreachable() {
    let issuer = TestIssuer::start().await;
    let authenticator = authenticator(&issuer).await;
    let time = FrozenTime::start();
    issuer.set_offline(true);
    time.advance(Duration::from_secs(301)).await;
    wait_for_fetches(keys(&authenticator), 2).await;
    assert!(verify(&authenticator, &issuer.token().sign()).await.is_ok());
    assert_eq!(keys(&authenticator).check_ready(), Ok(()));
}

#[tokio::test]
async fn removed_key_is_rejected_after_the_next_refresh() {
    let issuer = TestIssuer::start().await;
    let authenticator = authenticator(&issuer).await;
    let time = FrozenTime::start();
    let old = issuer.token().sign();
    let key = new_key();
    issuer.set_keys(std::slice::from_ref(&key));
    assert!(verify(&authenticator, &old).await.is_ok(), "accepted until the refresh");
    time.advance(Duration::from_secs(301)).await;
    wait_for_fetches(keys(&authenticator), 2).await;
    assert_eq!(verify(&authenticator, &old).await, Err(UNKNOWN_KEY));
    assert!(verify(&authenticator, &issuer.token().key(&key).sign()).await.is_ok());
}

#[tokio::test]
async fn empty_key_set_makes_the_gateway_not_ready() {
    let issuer = TestIssuer::start().await;
    issuer.set_keys(&[]);
    let authenticator = authenticator(&issuer).await;
    let _time = FrozenTime::start();
    let reason = keys(&authenticator).check_ready().expect_err("not ready").to_string();
    assert!(reason.contains("is a signing key chosen at the provider?"), "{reason}");
    assert_eq!(verify(&authenticator, &issuer.token().sign()).await, Err(UNKNOWN_KEY));
}

/// A source with a fixed response that needs no time and records the times of its fetches.
#[derive(Clone, Default)]
struct ScriptedSource(Arc<SourceState>);

#[derive(Default)]
struct SourceState {
    failing: AtomicBool,
    max_age: Option<Duration>,
    fetched_at: Mutex<Vec<Instant>>,
}

#[async_trait]
impl JwksSource for ScriptedSource {
    fn issuer(&self) -> &'static str {
        "https://id.example/"
    }

    async fn fetch(&self) -> Result<FetchedKeySet, KeyFetchError> {
        self.0.fetched_at.lock().expect("an intact lock").push(Instant::now());
        if self.0.failing.load(Ordering::Relaxed) {
            return Err(status_500());
        }
        let set = KeySet::from_jwks(&json!({"keys": [TestKey::of(Kind::P256).jwk()]}));
        Ok(FetchedKeySet {
            set: set.expect("a key set"),
            max_age: self.0.max_age,
            hmac_only: false,
        })
    }
}

fn status_500() -> KeyFetchError {
    KeyFetchError::KeySet {
        url: "https://id.example/jwks".to_owned(),
        error: FetchError::Status(500),
    }
}

impl ScriptedSource {
    fn with_max_age(seconds: Option<u64>) -> Self {
        Self(Arc::new(SourceState {
            max_age: seconds.map(Duration::from_secs),
            ..SourceState::default()
        }))
    }

    /// Returns the seconds between fetches, rounded up. Jitter shortens them by up to a tenth.
    fn waits(&self) -> Vec<u64> {
        let fetched_at = self.0.fetched_at.lock().expect("an intact lock");
        fetched_at
            .windows(2)
            .map(|pair| (pair[1] - pair[0]).as_millis().div_ceil(1000) as u64)
            .collect()
    }
}

#[tokio::test(start_paused = true)]
async fn refresh_interval_follows_max_age_within_bounds() {
    for (max_age, expected) in [(None, 300), (Some(120), 120), (Some(0), 60), (Some(86_400), 3600)]
    {
        let source = ScriptedSource::with_max_age(max_age);
        let keys = JwksCache::remote(source.clone(), metrics());
        wait_for_fetches(&keys, 4).await;
        for wait in source.waits() {
            assert!((expected * 9 / 10..=expected).contains(&wait), "{max_age:?}: {wait}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn failed_fetches_are_retried_with_growing_delays() {
    let source = ScriptedSource::default();
    source.0.failing.store(true, Ordering::Relaxed);
    let keys = JwksCache::remote(source.clone(), metrics());
    wait_for_fetches(&keys, 9).await;
    assert_eq!(keys.check_ready(), Err(KeysUnavailable::Failed(status_500())));
    let bounds = [1, 2, 4, 8, 16, 32, 60, 60];
    for (wait, bound) in source.waits().into_iter().zip(bounds) {
        assert!((bound * 9 / 10..=bound).contains(&wait), "{wait} of {bound}");
    }
    source.0.failing.store(false, Ordering::Relaxed);
    wait_for_fetches(&keys, 11).await;
    assert_eq!(keys.check_ready(), Ok(()));
    assert!(
        source.waits().last().is_some_and(|wait| *wait >= 270),
        "the normal interval applies again"
    );
}

#[tokio::test(start_paused = true)]
async fn last_fetched_keys_are_rejected_after_max_stale() {
    let source = ScriptedSource::default();
    let keys = JwksCache::remote(source.clone(), metrics());
    keys.wait_for_first_fetch().await;
    source.0.failing.store(true, Ordering::Relaxed);
    let authenticator = authenticator_with_keys("https://id.example/", keys);
    let token = TokenBuilder::new("https://id.example/", &TestKey::of(Kind::P256)).sign();
    let keys = super::keys(&authenticator);
    for _ in 0..47 {
        tokio::time::advance(MAX_STALE / 48).await;
        assert!(verify(&authenticator, &token).await.is_ok(), "{:?}", keys.age());
        assert_eq!(keys.check_ready(), Ok(()));
    }
    tokio::time::advance(MAX_STALE - keys.age().expect("fetched")).await;
    assert!(verify(&authenticator, &token).await.is_ok(), "accepted until the last second");
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(verify(&authenticator, &token).await, Err(AuthError::KeysUnavailable));
    assert_eq!(keys.check_ready(), Err(KeysUnavailable::Stale(status_500())));
    source.0.failing.store(false, Ordering::Relaxed);
    tokio::time::advance(COOL_DOWN).await;
    assert!(verify(&authenticator, &token).await.is_ok(), "a token triggers a fetch");
    assert_eq!(keys.check_ready(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn refresh_task_ends_when_the_cache_is_dropped() {
    let source = ScriptedSource::default();
    let source_state: Weak<SourceState> = Arc::downgrade(&source.0);
    let keys = JwksCache::remote(source, metrics());
    keys.wait_for_first_fetch().await;
    drop(keys);
    until(|| source_state.strong_count() == 0).await;
}

#[tokio::test]
async fn fixed_keys_are_ready_without_a_fetch() {
    let set = KeySet::from_jwks(&json!({"keys": [TestKey::of(Kind::P256).jwk()]}));
    let set = set.expect("a key set");
    let keys = JwksCache::fixed(set);
    keys.wait_for_first_fetch().await;
    assert_eq!(keys.check_ready(), Ok(()));
    let issuer = TestIssuer::start().await;
    let authenticator = authenticator_with_keys(issuer.url(), keys);
    assert!(verify(&authenticator, &issuer.token().sign()).await.is_ok());
    assert_eq!(
        verify(&authenticator, &issuer.token().key(&new_key()).sign()).await,
        Err(UNKNOWN_KEY)
    );
    assert_eq!(issuer.jwks_fetches(), 0);
}

#[tokio::test]
async fn keys_with_the_same_kid_are_each_tried() {
    let issuer = TestIssuer::start().await;
    let keys = [Kind::P256, Kind::P256, Kind::P384].map(|kind| TestKey::fresh(kind, "shared"));
    issuer.set_keys(&keys);
    let authenticator = authenticator(&issuer).await;
    for key in &keys {
        let token = issuer.token().key(key).sign();
        assert!(verify(&authenticator, &token).await.is_ok(), "{}", key.alg());
    }
    let other = issuer.token().key(&TestKey::fresh(Kind::P256, "shared")).sign();
    let error = AuthError::InvalidToken(TokenError::Signature);
    assert_eq!(verify(&authenticator, &other).await, Err(error));
}
