//! The issuer of `tenantry dev`, whose tokens pass the same verification as those of a provider.

use tenantry::auth::{
    dev_issuer::{DevClaims, DevIssuer},
    jwks_cache::JwksCache,
    token::{AuthError, TokenError},
};

use super::{at, authenticator_with_keys, now, verify, verify_at};
use crate::support::issuer::{AUDIENCE, NOW};

const URL: &str = "http://127.0.0.1:8080/dev/oidc";

fn open(dir: &tempfile::TempDir) -> DevIssuer {
    DevIssuer::open(dir.path(), URL.to_owned(), AUDIENCE.to_owned()).expect("an issuer")
}

fn ada() -> DevClaims {
    DevClaims {
        subject: "ada".to_owned(),
        email: "ada@example.com".to_owned(),
        name: "Ada".to_owned(),
        groups: vec!["tenant:acme:owner".to_owned()],
    }
}

#[tokio::test]
async fn dev_tokens_are_valid_for_an_hour_and_survive_a_restart() {
    let dir = tempfile::tempdir().expect("a folder");
    let token = open(&dir).token(&ada(), now()).expect("a token");
    let authenticator = authenticator_with_keys(URL, JwksCache::fixed(open(&dir).key_set()));
    let verified = verify(&authenticator, &token).await.expect("a valid token");
    assert_eq!(verified.identity.issuer, URL);
    assert_eq!(verified.identity.subject, "ada");
    assert_eq!(verified.expires_at, at(NOW + 3600));
    let profile = verified.profile;
    assert_eq!(profile.email.as_deref(), Some("ada@example.com"));
    assert_eq!(profile.name.as_deref(), Some("Ada"));
    assert_eq!(profile.issued_at, Some(now()));
    assert_eq!(profile.groups, Some(ada().groups));
    let later = verify_at(&authenticator, &token, at(NOW + 3660)).await;
    assert_eq!(later, Err(AuthError::InvalidToken(TokenError::Expired)));
}

#[tokio::test]
async fn tokens_of_another_dev_issuer_are_rejected() {
    let dir = tempfile::tempdir().expect("a folder");
    let other_dir = tempfile::tempdir().expect("a second folder");
    let authenticator = authenticator_with_keys(URL, JwksCache::fixed(open(&dir).key_set()));
    let token = open(&other_dir).token(&ada(), now()).expect("a token");
    let result = verify(&authenticator, &token).await;
    assert_eq!(result, Err(AuthError::InvalidToken(TokenError::UnknownKey)));
}
