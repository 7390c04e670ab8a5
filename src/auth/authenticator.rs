//! The one way from the credentials of a request to who is asking, whatever the transport.

use crate::{domain::time::Timestamp, metrics::Metrics};

use super::{
    bearer::{self, CredentialError, UnverifiedToken},
    token::{AuthError, TokenError, VerifiedToken, Verifier},
    unverified::UnverifiedJws,
};

/// Verifies credentials for a few issuers, each with keys and audiences of its own, and counts what
/// it refuses.
pub struct Authenticator {
    verifiers: Vec<Verifier>,
    metrics: Metrics,
}

impl Authenticator {
    /// One that knows these issuers.
    #[must_use]
    pub fn new(verifiers: Vec<Verifier>, metrics: Metrics) -> Self {
        Self { verifiers, metrics }
    }

    /// Who presents these credentials: the values of all `Authorization` headers, or whatever a
    /// transport has in their place. `None` where there are none.
    ///
    /// Reads nothing but the keys in force, and waits for a fetch of keys only where a token's key
    /// is not known.
    pub async fn authenticate<'a>(
        &self,
        unverified: impl IntoIterator<Item = &'a [u8]>,
        now: Timestamp,
    ) -> Result<Option<VerifiedToken>, AuthError> {
        let outcome = match bearer::parse_authorization(unverified) {
            Ok(None) => Ok(None),
            Ok(Some(unverified)) => self.verify(unverified, now).await.map(Some),
            Err(CredentialError::Multiple) => Err(AuthError::MultipleCredentials),
            Err(CredentialError::Malformed) => Err(TokenError::Credential.into()),
        };
        if let Err(refused) = &outcome {
            self.metrics.token_refused(refused.word());
        }
        outcome
    }

    /// What the token says of its issuer decides whom to ask, and nothing else: that issuer's
    /// verifier compares it again once the signature is known to be good.
    async fn verify(
        &self,
        unverified: UnverifiedToken<'_>,
        now: Timestamp,
    ) -> Result<VerifiedToken, AuthError> {
        let unverified = UnverifiedJws::read(unverified)?;
        let named = unverified.unverified_issuer();
        let verifier = self.verifiers.iter().find(|verifier| Some(verifier.issuer()) == named);
        verifier.ok_or(TokenError::Issuer)?.verify(&unverified, now).await
    }

    /// The issuers, in the order in which they are configured.
    #[must_use]
    pub fn verifiers(&self) -> &[Verifier] {
        &self.verifiers
    }

    /// Whether there are keys of every issuer, and if not, of which there are none and why.
    pub fn check_ready(&self) -> Result<(), String> {
        let faults: Vec<String> = self.verifiers.iter().filter_map(Self::fault_of).collect();
        if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
    }

    fn fault_of(verifier: &Verifier) -> Option<String> {
        let none = verifier.keys().check_ready().err()?;
        Some(format!("{}: {none}", verifier.issuer()))
    }

    /// Brings the metrics that are a state up to date: the age of keys.
    pub fn update_gauges(&self) {
        for verifier in &self.verifiers {
            if let Some(age) = verifier.keys().age() {
                self.metrics.set_jwks_age(verifier.issuer(), age);
            }
        }
    }
}
