//! What a provider may answer, and what is not taken from it.

use std::time::Duration;

use serde_json::{Value, json};
use tenantry::auth::{
    discovery::OidcKeySource,
    jwk::KeySet,
    jwks_cache::{JwksCache, JwksSource},
};

use super::{discovery, fetcher, metrics, until};
use crate::support::{
    issuer::{Answer, Kind, TestIssuer, TestKey},
    time::FrozenTime,
};

async fn refusal(issuer: &TestIssuer) -> String {
    match discovery(issuer).fetch().await {
        Ok(_) => panic!("it was not refused"),
        Err(why) => why.to_string(),
    }
}

#[tokio::test]
async fn keys_come_by_discovery_or_from_a_configured_address() {
    let issuer = TestIssuer::start().await;
    issuer.cache_control("public, max-age=120");
    let found = discovery(&issuer).fetch().await.expect("good");
    assert_eq!((found.set.len(), found.max_age), (1, Some(Duration::from_secs(120))));
    assert_eq!((issuer.discovery_fetches(), issuer.jwks_fetches()), (1, 1));
    let agent = issuer.user_agent().expect("it says who it is");
    assert_eq!(agent, concat!("tenantry/", env!("CARGO_PKG_VERSION")));
    let direct = OidcKeySource::with_jwks_url(fetcher(), issuer.url(), &issuer.jwks_url())
        .expect("loopback");
    assert_eq!(direct.fetch().await.expect("good").set.len(), 1);
    assert_eq!((issuer.discovery_fetches(), issuer.jwks_fetches()), (1, 2));
}

#[tokio::test]
async fn a_document_of_another_issuer_is_refused_by_name() {
    let issuer = TestIssuer::start().await;
    let with_slash = format!("{}/", issuer.url());
    for named in ["https://evil.example", with_slash.as_str()] {
        issuer.names_itself(named);
        let why = refusal(&issuer).await;
        assert!(why.contains(&format!("it names the issuer {named:?}")), "{why}");
    }
    assert_eq!(issuer.jwks_fetches(), 0, "its keys are not even asked for");
    let keys = JwksCache::remote(discovery(&issuer), metrics());
    keys.first_fetch().await;
    assert!(keys.check_ready().expect_err("not ready").to_string().contains("names the issuer"));
}

#[tokio::test]
async fn what_is_no_small_json_document_is_refused() {
    for (answer, why) in [
        (Answer::Status(500), "HTTP status 500"),
        (Answer::Status(404), "HTTP status 404"),
        (Answer::Status(204), "HTTP status 204"),
        (Answer::Oversized, "the response is larger than 1 MiB"),
        (Answer::NotJson, "the response is not JSON"),
    ] {
        let issuer = TestIssuer::start().await;
        issuer.jwks_answers(answer.clone());
        assert_eq!(refusal(&issuer).await, format!("key set: {why}"));
        issuer.discovery_answers(answer);
        assert_eq!(refusal(&issuer).await, format!("discovery: {why}"));
    }
    let issuer = TestIssuer::start().await;
    issuer.jwks_answers(Answer::Json(json!({"keys": "none"})));
    assert_eq!(refusal(&issuer).await, "key set: the response has no array `keys`");
    issuer.away(true);
    assert!(refusal(&issuer).await.starts_with("discovery: "));
}

#[tokio::test]
async fn redirects_lead_to_the_same_host_only_and_not_for_ever() {
    let (issuer, other) = (TestIssuer::start().await, TestIssuer::start().await);
    issuer.jwks_answers(Answer::Redirect("/moved".to_owned()));
    assert_eq!(discovery(&issuer).fetch().await.expect("followed").set.len(), 1);
    issuer.jwks_answers(Answer::Redirect("/jwks".to_owned()));
    let before = issuer.jwks_fetches();
    assert_eq!(refusal(&issuer).await, "key set: redirected too often");
    assert_eq!(issuer.jwks_fetches() - before, 4, "the first and three more");
    issuer.jwks_answers(Answer::Redirect(other.jwks_url()));
    assert_eq!(refusal(&issuer).await, "key set: redirected to another host");
    assert_eq!(other.jwks_fetches(), 0);
}

#[tokio::test]
async fn an_answer_that_never_comes_is_not_waited_for() {
    let time = FrozenTime::start();
    let issuer = TestIssuer::start().await;
    issuer.jwks_answers(Answer::Never);
    let patience = async {
        until(|| issuer.jwks_fetches() == 1).await;
        time.advance(Duration::from_millis(5001)).await;
    };
    let (why, ()) = tokio::join!(refusal(&issuer), patience);
    assert_eq!(why, "key set: no response in time");
}

#[test]
fn keys_that_cannot_be_used_are_skipped_and_named() {
    let with = |kind, member: &str, value: Value| {
        let mut jwk = TestKey::of(kind).jwk();
        jwk[member] = value;
        jwk
    };
    let rsa = |member, value| with(Kind::Rsa, member, value);
    let p256 = |member, value| with(Kind::P256, member, value);
    let big = |bytes: usize| json!("_".repeat(bytes.div_ceil(3) * 4));
    for (jwk, why) in [
        (json!("key"), "number 1 has no `kty`"),
        (json!({"kty": "oct", "k": "AAAA", "kid": "s"}), "\"s\" is a shared secret"),
        (json!({"kty": "AKP"}), "has a `kty` other than"),
        (rsa("use", json!("enc")), "\"rsa\" has a `use` other than `sig`"),
        (rsa("use", json!(null)), "has a `use` other than `sig`"),
        (rsa("key_ops", json!(["encrypt"])), "has `key_ops` without `verify`"),
        (rsa("key_ops", json!("verify")), "has `key_ops` without `verify`"),
        (rsa("kid", json!(1)), "has a `kid` that is not a string"),
        (rsa("alg", json!("RSA-OAEP")), "has an `alg` that is not accepted"),
        (rsa("alg", json!("ES256")), "has an `alg` that is not accepted"),
        (rsa("alg", json!("HS256")), "has an `alg` that is not accepted"),
        (rsa("alg", json!(null)), "has an `alg` that is not accepted"),
        (rsa("n", big(255)), "is RSA of less than 2048 bits"),
        (rsa("n", big(1026)), "is RSA of more than 8192 bits"),
        (rsa("n", json!("+/")), "has no readable `n`"),
        (rsa("e", json!("")), "is RSA with an `e`"),
        (rsa("e", json!("AQ")), "is RSA with an `e`"),
        (rsa("e", json!("BA")), "is RSA with an `e`"),
        (rsa("e", big(8)), "is RSA with an `e`"),
        (p256("alg", json!("ES384")), "has an `alg` that is not accepted"),
        (p256("crv", json!("P-384")), "has no readable `x`"),
        (p256("crv", json!("P-521")), "is on a curve that is not accepted"),
        (p256("crv", json!("secp256k1")), "is on a curve that is not accepted"),
        (p256("kty", json!("OKP")), "is on a curve that is not accepted"),
        (p256("x", json!("AAAA")), "has no readable `x`"),
        (p256("y", json!("A".repeat(43))), "is not a point of its curve"),
        (with(Kind::Ed25519, "crv", json!("Ed448")), "is on a curve that is not accepted"),
        (with(Kind::Ed25519, "x", json!("AAAA")), "has no readable `x`"),
    ] {
        let set = KeySet::from_jwks(&json!({"keys": [jwk]})).expect("a set");
        assert!(set.is_empty(), "{jwk}");
        let [skipped] = set.skipped() else { panic!("one key, one reason") };
        assert!(skipped.contains(why), "{jwk}: {skipped}");
    }
    let usable = [Kind::Rsa, Kind::P256, Kind::P384, Kind::Ed25519].map(|kind| {
        let mut jwk = TestKey::of(kind).public();
        jwk["key_ops"] = json!(["verify"]);
        jwk
    });
    assert_eq!(KeySet::from_jwks(&json!({"keys": usable})).expect("a set").len(), 4);
}
