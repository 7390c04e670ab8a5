//! Responses of a provider: discovery documents and key sets that are used, rejected or skipped.

use std::time::Duration;

use serde_json::{Value, json};
use tenantry::auth::{
    discovery::OidcKeySource,
    jwk::KeySet,
    jwks_cache::{JwksCache, JwksSource},
};

use super::{discovery, fetcher, metrics, until};
use crate::support::{
    issuer::{Kind, ProviderResponse, TestIssuer, TestKey},
    time::FrozenTime,
};

async fn fetch_error(issuer: &TestIssuer) -> String {
    match discovery(issuer).fetch().await {
        Ok(_) => panic!("the key set was accepted"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn keys_are_fetched_by_discovery_or_from_a_configured_url() {
    let issuer = TestIssuer::start().await;
    issuer.set_cache_control("public, max-age=120");
    let fetched = discovery(&issuer).fetch().await.expect("a key set");
    assert_eq!((fetched.set.len(), fetched.max_age), (1, Some(Duration::from_secs(120))));
    assert_eq!((issuer.discovery_fetches(), issuer.jwks_fetches()), (1, 1));
    let agent = issuer.user_agent().expect("a User-Agent header");
    assert_eq!(agent, concat!("tenantry/", env!("CARGO_PKG_VERSION")));
    let direct = OidcKeySource::with_jwks_url(fetcher(), issuer.url(), &issuer.jwks_url())
        .expect("a URL on loopback");
    assert_eq!(direct.fetch().await.expect("a key set").set.len(), 1);
    assert_eq!((issuer.discovery_fetches(), issuer.jwks_fetches()), (1, 2));
}

#[tokio::test]
async fn discovery_document_of_another_issuer_is_rejected() {
    let issuer = TestIssuer::start().await;
    let with_slash = format!("{}/", issuer.url());
    for other_issuer in ["https://evil.example", with_slash.as_str()] {
        issuer.set_issuer(other_issuer);
        let error = fetch_error(&issuer).await;
        assert!(error.contains(&format!("it names the issuer {other_issuer:?}")), "{error}");
    }
    assert_eq!(issuer.jwks_fetches(), 0, "its key set is not fetched");
    let keys = JwksCache::remote(discovery(&issuer), metrics());
    keys.wait_for_first_fetch().await;
    assert!(keys.check_ready().expect_err("not ready").to_string().contains("names the issuer"));
}

#[tokio::test]
async fn errors_large_bodies_and_invalid_json_are_rejected() {
    for (response, error) in [
        (ProviderResponse::Status(500), "HTTP status 500"),
        (ProviderResponse::Status(404), "HTTP status 404"),
        (ProviderResponse::Status(204), "HTTP status 204"),
        (ProviderResponse::Oversized, "the response is larger than 1 MiB"),
        (ProviderResponse::NotJson, "the response is not JSON"),
    ] {
        let issuer = TestIssuer::start().await;
        issuer.set_jwks_response(response.clone());
        assert_eq!(fetch_error(&issuer).await, format!("key set: {}: {error}", issuer.jwks_url()));
        issuer.set_discovery_response(response);
        assert_eq!(
            fetch_error(&issuer).await,
            format!("discovery: {}/.well-known/openid-configuration: {error}", issuer.url())
        );
    }
    let issuer = TestIssuer::start().await;
    issuer.set_jwks_response(ProviderResponse::Json(json!({"keys": "none"})));
    assert_eq!(fetch_error(&issuer).await, "key set: the response has no array `keys`");
    issuer.set_offline(true);
    assert!(fetch_error(&issuer).await.starts_with("discovery: "));
}

#[tokio::test]
async fn redirects_are_followed_to_the_same_host_and_at_most_three_times() {
    let (issuer, other) = (TestIssuer::start().await, TestIssuer::start().await);
    issuer.set_jwks_response(ProviderResponse::Redirect("/moved".to_owned()));
    assert_eq!(discovery(&issuer).fetch().await.expect("a followed redirect").set.len(), 1);
    issuer.set_jwks_response(ProviderResponse::Redirect("/jwks".to_owned()));
    let fetches_before = issuer.jwks_fetches();
    let error = |reason| format!("key set: {}: {reason}", issuer.jwks_url());
    assert_eq!(fetch_error(&issuer).await, error("redirected too often"));
    assert_eq!(issuer.jwks_fetches() - fetches_before, 4, "the first request and three redirects");
    issuer.set_jwks_response(ProviderResponse::Redirect(other.jwks_url()));
    assert_eq!(fetch_error(&issuer).await, error("redirected to another origin"));
    assert_eq!(other.jwks_fetches(), 0);
}

#[tokio::test]
async fn fetch_times_out_without_a_response() {
    let time = FrozenTime::start();
    let issuer = TestIssuer::start().await;
    issuer.set_jwks_response(ProviderResponse::Never);
    let timeout = async {
        until(|| issuer.jwks_fetches() == 1).await;
        time.advance(Duration::from_millis(5001)).await;
    };
    let (error, ()) = tokio::join!(fetch_error(&issuer), timeout);
    assert_eq!(error, format!("key set: {}: no response in time", issuer.jwks_url()));
}

#[test]
fn unusable_keys_are_skipped_and_reported() {
    let with = |kind, member: &str, value: Value| {
        let mut jwk = TestKey::of(kind).jwk();
        jwk[member] = value;
        jwk
    };
    let rsa = |member, value| with(Kind::Rsa, member, value);
    let p256 = |member, value| with(Kind::P256, member, value);
    let base64_of_length = |bytes: usize| json!("_".repeat(bytes.div_ceil(3) * 4));
    for (jwk, reason) in [
        (json!("key"), "number 1 has no `kty`"),
        (json!({"kty": "oct", "k": "AAAA", "kid": "s"}), "\"s\" is a shared secret"),
        (json!({"kty": "AKP"}), "has a `kty` other than"),
        (rsa("use", json!("enc")), "\"rsa\" has a `use` other than `sig`"),
        (rsa("use", json!("")), "has a `use` other than `sig`"),
        (rsa("key_ops", json!(["encrypt"])), "has `key_ops` without `verify`"),
        (rsa("key_ops", json!("verify")), "has `key_ops` without `verify`"),
        (rsa("kid", json!(1)), "has a `kid` that is not a string"),
        (rsa("alg", json!("RSA-OAEP")), "has an `alg` that is not accepted"),
        (rsa("alg", json!("ES256")), "has an `alg` that is not accepted"),
        (rsa("alg", json!("HS256")), "has an `alg` that is not accepted"),
        (rsa("alg", json!(1)), "has an `alg` that is not accepted"),
        (rsa("kty", json!(null)), "has no `kty`"),
        (rsa("n", json!(null)), "lacks a parameter of its `kty`"),
        (rsa("e", json!(65537)), "lacks a parameter of its `kty`"),
        (json!({"kty": "RSA"}), "lacks a parameter of its `kty`"),
        (rsa("n", base64_of_length(255)), "is an RSA key of less than 2048 bits"),
        (rsa("n", base64_of_length(1026)), "is RSA of more than 8192 bits"),
        (rsa("n", json!("+/")), "is not base64url"),
        (rsa("e", json!("")), "is RSA with an `e`"),
        (rsa("e", json!("AQ")), "is RSA with an `e`"),
        (rsa("e", json!("BA")), "is RSA with an `e`"),
        (rsa("e", base64_of_length(8)), "is RSA with an `e`"),
        (p256("alg", json!("ES384")), "has an `alg` that is not accepted"),
        (p256("crv", json!("P-384")), "is not a point of its curve"),
        (p256("crv", json!("P-521")), "is on a curve that is not accepted"),
        (p256("crv", json!("secp256k1")), "is on a curve that is not accepted"),
        (p256("kty", json!("OKP")), "is on a curve that is not accepted"),
        (p256("x", json!("AAAA")), "is not a point of its curve"),
        (p256("y", json!("A".repeat(43))), "is not a point of its curve"),
        (with(Kind::Ed25519, "crv", json!("Ed448")), "is on a curve that is not accepted"),
        (with(Kind::Ed25519, "x", json!("AAAA")), "is not a point of its curve"),
        (with(Kind::Ed25519, "kty", json!("EC")), "lacks a parameter of its `kty`"),
        (p256("crv", json!("Ed25519")), "is on a curve that is not accepted"),
        (p256("y", json!(null)), "lacks a parameter of its `kty`"),
    ] {
        let set = KeySet::from_jwks(&json!({"keys": [jwk]})).expect("a key set");
        assert!(set.is_empty(), "{jwk}");
        let [skipped] = set.skipped() else { panic!("one reason for one key") };
        assert!(skipped.contains(reason), "{jwk}: {skipped}");
    }
}

#[test]
fn null_and_empty_restrictions_of_a_key_count_as_absent() {
    let kinds = [Kind::Rsa, Kind::P256, Kind::P384, Kind::Ed25519];
    for (member, value) in [
        ("key_ops", json!(["verify"])),
        ("key_ops", json!(["sign", "verify"])),
        ("key_ops", json!([])),
        ("key_ops", json!(null)),
        ("use", json!("sig")),
        ("use", json!(null)),
        ("alg", json!(null)),
        ("kid", json!(null)),
        ("x5u", json!(1)),
        ("unknown", json!({"keys": []})),
    ] {
        let keys = kinds.map(|kind| {
            let mut jwk = TestKey::of(kind).public();
            jwk[member] = value.clone();
            jwk
        });
        let set = KeySet::from_jwks(&json!({"keys": keys})).expect("a key set");
        assert_eq!((set.len(), set.skipped()), (4, &[][..]), "{member}: {value}");
    }
    let mut ed25519 = TestKey::of(Kind::Ed25519).jwk();
    ed25519["alg"] = json!("Ed25519");
    assert_eq!(KeySet::from_jwks(&json!({"keys": [ed25519]})).expect("a key set").len(), 1);
}
