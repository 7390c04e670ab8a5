//! Turns the credentials of a request into the verified identity of its caller.
//!
//! Every transport uses [`Authenticator::authenticate`]. It selects the verifier of the token's
//! issuer. `token` verifies the token.

use crate::{domain::time::Timestamp, metrics::Metrics};

use super::{
    bearer::{self, CredentialError, UnverifiedToken},
    error::{AuthError, TokenError},
    token::{VerifiedToken, Verifier},
    unverified::UnverifiedJws,
};

/// An authenticator for one or more issuers, each with its own keys and audiences.
pub struct Authenticator {
    verifiers: Vec<Verifier>,
    metrics: Metrics,
}

impl Authenticator {
    /// Creates an authenticator with one verifier per issuer.
    #[must_use]
    pub fn new(verifiers: Vec<Verifier>, metrics: Metrics) -> Self {
        Self { verifiers, metrics }
    }

    /// Verifies the credentials of a request and counts a rejection.
    ///
    /// `unverified_values` has the values of all `Authorization` headers, or their equivalent in
    /// another transport. The result is `None` if there are none. The keys come from the cache. This
    /// waits for a fetch of keys only if the key of the token is unknown.
    pub async fn authenticate<'a>(
        &self,
        unverified_values: impl IntoIterator<Item = &'a [u8]>,
        now: Timestamp,
    ) -> Result<Option<VerifiedToken>, AuthError> {
        let result = match bearer::parse_authorization(unverified_values) {
            Ok(None) => Ok(None),
            Ok(Some(unverified_token)) => self.verify(unverified_token, now).await.map(Some),
            Err(CredentialError::Multiple) => Err(AuthError::MultipleCredentials),
            Err(CredentialError::Malformed) => Err(TokenError::Credential.into()),
        };
        if let Err(error) = &result {
            self.metrics.record_auth_failure(error.as_str());
        }
        result
    }

    /// Verifies a token with the verifier of the issuer that the token claims.
    ///
    /// The unverified issuer only selects the verifier, which compares `iss` again after it has
    /// verified the signature.
    async fn verify(
        &self,
        unverified_token: UnverifiedToken<'_>,
        now: Timestamp,
    ) -> Result<VerifiedToken, AuthError> {
        let unverified_jws = UnverifiedJws::parse(unverified_token)?;
        let issuer = unverified_jws.unverified_issuer();
        let verifier = self.verifiers.iter().find(|verifier| Some(verifier.issuer()) == issuer);
        verifier.ok_or(TokenError::Issuer)?.verify(&unverified_jws, now).await
    }

    /// Returns the verifiers in the order in which their issuers are configured.
    #[must_use]
    pub fn verifiers(&self) -> &[Verifier] {
        &self.verifiers
    }

    /// Checks that there are usable keys of every issuer.
    ///
    /// # Errors
    ///
    /// Names each issuer without usable keys, with the reason.
    pub fn check_ready(&self) -> Result<(), String> {
        let errors: Vec<String> = self.verifiers.iter().filter_map(Self::readiness_error).collect();
        if errors.is_empty() { Ok(()) } else { Err(errors.join("; ")) }
    }

    fn readiness_error(verifier: &Verifier) -> Option<String> {
        let error = verifier.keys().check_ready().err()?;
        Some(format!("{}: {error}", verifier.issuer()))
    }

    /// Updates the gauges of the age of each issuer's keys.
    pub fn update_gauges(&self) {
        for verifier in &self.verifiers {
            if let Some(age) = verifier.keys().age() {
                self.metrics.set_jwks_age(verifier.issuer(), age);
            }
        }
    }
}
