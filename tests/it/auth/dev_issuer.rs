//! The issuer of `tenantry dev` passes the same verification as any other.

use tenantry::auth::{
    dev_issuer::{DevClaims, DevIssuer},
    jwks_cache::JwksCache,
    token::{AuthError, TokenError},
};

use super::{at, now, of_keys, verify, verify_at};
use crate::support::issuer::{AUDIENCE, NOW};

const URL: &str = "http://127.0.0.1:8080/dev/oidc";

fn open(dir: &tempfile::TempDir) -> DevIssuer {
    DevIssuer::open(dir.path(), URL.to_owned(), AUDIENCE.to_owned()).expect("opened")
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
async fn its_tokens_are_good_for_an_hour_also_after_a_restart() {
    let dir = tempfile::tempdir().expect("a folder");
    let token = open(&dir).token(&ada(), now()).expect("a token");
    let authenticator = of_keys(URL, JwksCache::fixed(open(&dir).key_set()));
    let verified = verify(&authenticator, &token).await.expect("good");
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
async fn another_machines_tokens_are_not_its_own() {
    let (here, there) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("one"));
    let authenticator = of_keys(URL, JwksCache::fixed(open(&here).key_set()));
    let token = open(&there).token(&ada(), now()).expect("a token");
    let refused = verify(&authenticator, &token).await;
    assert_eq!(refused, Err(AuthError::InvalidToken(TokenError::UnknownKey)));
}
