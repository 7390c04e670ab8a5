//! Verification of tokens, and the profile that is read from an accepted token.

use serde_json::json;
use tenantry::{
    auth::token::{AuthError, TokenError},
    domain::sync::TokenProfile,
};

use super::{at, authenticator, credential_cases, now, verify};
use crate::support::issuer::{Kind, NOW, TestIssuer, TestKey};

#[tokio::test]
async fn every_credential_case_has_the_expected_outcome() {
    let issuer = TestIssuer::start().await;
    credential_cases::publish_keys(&issuer);
    let authenticator = authenticator(&issuer).await;
    let cases = credential_cases::all_cases(&issuer);
    assert_eq!(cases.len(), credential_cases::CASE_COUNT);
    for case in cases {
        let values = case.credentials.iter().map(String::as_bytes);
        let result = authenticator.authenticate(values, now()).await;
        assert_eq!(result.map(drop), case.outcome, "{}", case.name);
    }
}

#[tokio::test]
async fn token_without_kid_is_verified_with_the_only_usable_key() {
    let issuer = TestIssuer::start().await;
    issuer.set_additional_jwks(&[json!({"kty": "oct", "k": "AAAA"})]);
    let authenticator = authenticator(&issuer).await;
    let token = issuer.token().without_header("kid");
    assert!(verify(&authenticator, &token.sign()).await.is_ok());
    let other = token.signed_by(&TestKey::of(Kind::Rsa)).header("alg", json!("RS256"));
    let mismatch = Err(AuthError::InvalidToken(TokenError::KeyAlgorithmMismatch));
    assert_eq!(verify(&authenticator, &other.sign()).await, mismatch);
}

#[tokio::test]
async fn profile_is_read_from_the_claims() {
    let issuer = TestIssuer::start().await;
    let authenticator = authenticator(&issuer).await;
    let token = issuer
        .token()
        .groups(["tenant:acme", "x"])
        .claim("email", json!("ada@example.com"))
        .claim("name", json!("Ada"))
        .claim("preferred_username", json!("al"))
        .claim("iat", json!(1_767_225_599.9));
    let verified = verify(&authenticator, &token.sign()).await.expect("a valid token");
    assert_eq!(verified.identity.issuer, issuer.url());
    assert_eq!(verified.identity.subject, "ada");
    assert_eq!(verified.expires_at, at(NOW + 3600));
    let profile = TokenProfile {
        email: Some("ada@example.com".to_owned()),
        email_verified: false,
        name: Some("Ada".to_owned()),
        preferred_username: Some("al".to_owned()),
        issued_at: Some(at(NOW - 1)),
        groups: Some(vec!["tenant:acme".to_owned(), "x".to_owned()]),
    };
    assert_eq!(verified.profile, profile);
}

#[tokio::test]
async fn claims_of_the_wrong_type_are_ignored() {
    let issuer = TestIssuer::start().await;
    let authenticator = authenticator(&issuer).await;
    let mut token = issuer.token().without("iat");
    for name in ["email", "name", "preferred_username", "groups"] {
        token = token.claim(name, json!({"x": 1}));
    }
    let verified = verify(&authenticator, &token.sign()).await.expect("a valid token");
    assert_eq!(verified.profile, TokenProfile::default());
    for (claim, groups) in [
        (json!("one"), Some(vec!["one".to_owned()])),
        (json!([]), Some(vec![])),
        (json!(["one", 2]), None),
        (json!(null), None),
    ] {
        let token = issuer.token().claim("groups", claim.clone()).sign();
        let verified = verify(&authenticator, &token).await.expect("a valid token");
        assert_eq!(verified.profile.groups, groups, "{claim}");
    }
}
