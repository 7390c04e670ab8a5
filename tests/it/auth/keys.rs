//! When keys are fetched, and which are in force meanwhile.

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

use super::{authenticator, fetched, keys, metrics, of_keys, until, verify};
use crate::support::{
    issuer::{Answer, Kind, TestIssuer, TestKey, TokenBuilder},
    time::FrozenTime,
};

const UNKNOWN: AuthError = AuthError::InvalidToken(TokenError::UnknownKey);

fn new_key() -> TestKey {
    TestKey::fresh(Kind::P256, "new")
}

#[tokio::test]
async fn an_unknown_key_is_fetched_once_for_all_and_good_tokens_do_not_wait() {
    let issuer = TestIssuer::start().await;
    let authenticator = authenticator(&issuer).await;
    let _time = FrozenTime::start();
    let old = issuer.token().sign();
    let key = new_key();
    issuer.set_keys(&[TestKey::of(Kind::P256), key.clone()]);
    let new = issuer.token().key(&key).sign();
    let gate = issuer.hold();
    let waiting = join_all((0..50).map(|_| verify(&authenticator, &new)));
    let meanwhile = async {
        until(|| issuer.jwks_fetches() == 2).await;
        let good = verify(&authenticator, &old).now_or_never();
        assert!(matches!(good, Some(Ok(_))), "a good token waits for nothing");
        drop(gate);
    };
    let (all, ()) = tokio::join!(waiting, meanwhile);
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(issuer.jwks_fetches(), 2, "one at start, one for all");
}

#[tokio::test]
async fn unknown_keys_cause_one_fetch_in_ten_seconds() {
    let issuer = TestIssuer::start().await;
    let authenticator = authenticator(&issuer).await;
    let time = FrozenTime::start();
    let unknown = issuer.token().key(&new_key()).sign();
    let all = join_all((0..50).map(|_| verify(&authenticator, &unknown))).await;
    assert!(all.iter().all(|refused| *refused == Err(UNKNOWN)), "{all:?}");
    assert_eq!(issuer.jwks_fetches(), 2, "the one at start does not count");
    assert_eq!(verify(&authenticator, &unknown).await, Err(UNKNOWN));
    assert_eq!(issuer.jwks_fetches(), 2, "too early for another");
    time.advance(COOL_DOWN).await;
    assert_eq!(verify(&authenticator, &unknown).await, Err(UNKNOWN));
    assert_eq!(issuer.jwks_fetches(), 3);
}

#[tokio::test]
async fn a_failed_fetch_counts() {
    let issuer = TestIssuer::start().await;
    let authenticator = authenticator(&issuer).await;
    let time = FrozenTime::start();
    let key = new_key();
    let token = issuer.token().key(&key).sign();
    issuer.set_keys(std::slice::from_ref(&key));
    issuer.away(true);
    assert_eq!(verify(&authenticator, &token).await, Err(UNKNOWN));
    issuer.away(false);
    assert_eq!(verify(&authenticator, &token).await, Err(UNKNOWN), "too early to ask again");
    assert_eq!(issuer.jwks_fetches(), 1);
    time.advance(COOL_DOWN).await;
    assert!(verify(&authenticator, &token).await.is_ok());
}

#[tokio::test]
async fn a_provider_that_is_away_at_start_heals() {
    let issuer = TestIssuer::start().await;
    issuer.away(true);
    let authenticator = authenticator(&issuer).await;
    let time = FrozenTime::start();
    let token = issuer.token().sign();
    let why = keys(&authenticator).check_ready().expect_err("not ready").to_string();
    assert!(why.starts_with("no keys: discovery: "), "{why}");
    assert_eq!(verify(&authenticator, &token).await, Err(AuthError::KeysUnavailable));
    assert_eq!(verify(&authenticator, &token).await, Err(AuthError::KeysUnavailable));
    issuer.away(false);
    time.advance(Duration::from_secs(2)).await;
    fetched(keys(&authenticator), 3).await;
    assert_eq!(keys(&authenticator).check_ready(), Ok(()));
    assert!(verify(&authenticator, &token).await.is_ok());
}

#[tokio::test]
async fn a_token_heals_keys_that_were_never_there() {
    let issuer = TestIssuer::start().await;
    issuer.jwks_answers(Answer::Status(500));
    let authenticator = authenticator(&issuer).await;
    let _time = FrozenTime::start();
    issuer.jwks_answers(Answer::Good);
    assert!(verify(&authenticator, &issuer.token().sign()).await.is_ok());
}

#[tokio::test]
async fn the_last_good_keys_serve_while_the_provider_is_away() {
    let issuer = TestIssuer::start().await;
    let authenticator = authenticator(&issuer).await;
    let time = FrozenTime::start();
    issuer.away(true);
    time.advance(Duration::from_secs(301)).await;
    fetched(keys(&authenticator), 2).await;
    assert!(verify(&authenticator, &issuer.token().sign()).await.is_ok());
    assert_eq!(keys(&authenticator).check_ready(), Ok(()));
}

#[tokio::test]
async fn a_key_that_left_the_set_stops_working_at_the_next_refresh() {
    let issuer = TestIssuer::start().await;
    let authenticator = authenticator(&issuer).await;
    let time = FrozenTime::start();
    let old = issuer.token().sign();
    let key = new_key();
    issuer.set_keys(std::slice::from_ref(&key));
    assert!(verify(&authenticator, &old).await.is_ok(), "until then it works");
    time.advance(Duration::from_secs(301)).await;
    fetched(keys(&authenticator), 2).await;
    assert_eq!(verify(&authenticator, &old).await, Err(UNKNOWN));
    assert!(verify(&authenticator, &issuer.token().key(&key).sign()).await.is_ok());
}

#[tokio::test]
async fn an_empty_set_is_an_answer_and_not_ready() {
    let issuer = TestIssuer::start().await;
    issuer.set_keys(&[]);
    let authenticator = authenticator(&issuer).await;
    let _time = FrozenTime::start();
    let why = keys(&authenticator).check_ready().expect_err("not ready").to_string();
    assert!(why.contains("is a signing key chosen at the provider?"), "{why}");
    assert_eq!(verify(&authenticator, &issuer.token().sign()).await, Err(UNKNOWN));
}

/// A source that takes no time; what it answers and when it was asked is known.
#[derive(Clone, Default)]
struct Script(Arc<Told>);

#[derive(Default)]
struct Told {
    failing: AtomicBool,
    max_age: Option<Duration>,
    asked: Mutex<Vec<Instant>>,
}

#[async_trait]
impl JwksSource for Script {
    fn issuer(&self) -> &'static str {
        "https://id.example/"
    }

    async fn fetch(&self) -> Result<FetchedKeySet, KeyFetchError> {
        self.0.asked.lock().expect("no test panicked with it").push(Instant::now());
        if self.0.failing.load(Ordering::Relaxed) {
            return Err(no_luck());
        }
        let set = KeySet::from_jwks(&json!({"keys": [TestKey::of(Kind::P256).jwk()]}));
        Ok(FetchedKeySet { set: set.expect("a set"), max_age: self.0.max_age, symmetric: false })
    }
}

fn no_luck() -> KeyFetchError {
    KeyFetchError::KeySet(FetchError::Status(500))
}

impl Script {
    fn with_max_age(seconds: Option<u64>) -> Self {
        Self(Arc::new(Told { max_age: seconds.map(Duration::from_secs), ..Told::default() }))
    }

    /// Seconds between fetches, rounded up: jitter makes them up to a tenth shorter.
    fn waits(&self) -> Vec<u64> {
        let asked = self.0.asked.lock().expect("no test panicked with it");
        asked.windows(2).map(|pair| (pair[1] - pair[0]).as_millis().div_ceil(1000) as u64).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn keys_are_refreshed_before_they_age_out() {
    for (max_age, expected) in [(None, 300), (Some(120), 120), (Some(0), 60), (Some(86_400), 3600)]
    {
        let script = Script::with_max_age(max_age);
        let keys = JwksCache::remote(script.clone(), metrics());
        fetched(&keys, 4).await;
        for wait in script.waits() {
            assert!((expected * 9 / 10..=expected).contains(&wait), "{max_age:?}: {wait}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn failures_are_tried_again_with_growing_waits_until_it_works() {
    let script = Script::default();
    script.0.failing.store(true, Ordering::Relaxed);
    let keys = JwksCache::remote(script.clone(), metrics());
    fetched(&keys, 9).await;
    assert_eq!(keys.check_ready(), Err(KeysUnavailable::Failed(no_luck())));
    let bounds = [1, 2, 4, 8, 16, 32, 60, 60];
    for (wait, bound) in script.waits().into_iter().zip(bounds) {
        assert!((bound * 9 / 10..=bound).contains(&wait), "{wait} of {bound}");
    }
    script.0.failing.store(false, Ordering::Relaxed);
    fetched(&keys, 11).await;
    assert_eq!(keys.check_ready(), Ok(()));
    assert!(script.waits().last().is_some_and(|wait| *wait >= 270), "as if nothing had been");
}

#[tokio::test(start_paused = true)]
async fn the_last_good_keys_do_not_serve_for_ever() {
    let script = Script::default();
    let keys = JwksCache::remote(script.clone(), metrics());
    keys.first_fetch().await;
    script.0.failing.store(true, Ordering::Relaxed);
    let authenticator = of_keys("https://id.example/", keys);
    let token = TokenBuilder::new("https://id.example/", &TestKey::of(Kind::P256)).sign();
    let keys = super::keys(&authenticator);
    for _ in 0..47 {
        tokio::time::advance(MAX_STALE / 48).await;
        assert!(verify(&authenticator, &token).await.is_ok(), "{:?}", keys.age());
        assert_eq!(keys.check_ready(), Ok(()));
    }
    tokio::time::advance(MAX_STALE - keys.age().expect("fetched")).await;
    assert!(verify(&authenticator, &token).await.is_ok(), "to the last second");
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(verify(&authenticator, &token).await, Err(AuthError::KeysUnavailable));
    assert_eq!(keys.check_ready(), Err(KeysUnavailable::Stale(no_luck())));
    script.0.failing.store(false, Ordering::Relaxed);
    tokio::time::advance(COOL_DOWN).await;
    assert!(verify(&authenticator, &token).await.is_ok(), "a token heals them");
    assert_eq!(keys.check_ready(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_fetched_once_the_keys_are_dropped() {
    let script = Script::default();
    let told: Weak<Told> = Arc::downgrade(&script.0);
    let keys = JwksCache::remote(script, metrics());
    keys.first_fetch().await;
    drop(keys);
    until(|| told.strong_count() == 0).await;
}

#[tokio::test]
async fn fixed_keys_are_ready_and_never_fetched() {
    let set = KeySet::from_jwks(&json!({"keys": [TestKey::of(Kind::P256).jwk()]})).expect("a set");
    let keys = JwksCache::fixed(set);
    keys.first_fetch().await;
    assert_eq!(keys.check_ready(), Ok(()));
    let issuer = TestIssuer::start().await;
    let authenticator = of_keys(issuer.url(), keys);
    assert!(verify(&authenticator, &issuer.token().sign()).await.is_ok());
    assert_eq!(verify(&authenticator, &issuer.token().key(&new_key()).sign()).await, Err(UNKNOWN));
    assert_eq!(issuer.jwks_fetches(), 0);
}
