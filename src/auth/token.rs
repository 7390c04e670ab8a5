//! Verifies tokens: signature, issuer, audience, subject and lifetime.
//!
//! Every token passes [`Verifier::verify`]. The checks of claims are in `claims`, and the checks of
//! the header are in `unverified`. No check depends on the transport.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use crate::domain::{sync::TokenProfile, time::Timestamp, user::Identity};

use super::{
    claims, json_object::UniqueKeyObject, jwks_cache::JwksCache, unverified::UnverifiedJws,
};

pub use super::error::{AuthError, TokenError};

/// The minimum time between two warnings about the same claim, in milliseconds.
const WARN_INTERVAL_MS: i64 = 60_000;

/// The expected claims of an issuer's tokens.
#[derive(Clone, Debug)]
pub struct TokenValidation {
    /// The issuer, which must match `iss` exactly.
    pub issuer: String,
    /// The accepted audiences. `aud` must contain at least one of them.
    pub audiences: Vec<String>,
    /// The name of the groups claim. It is a name, not a path.
    pub groups_claim: String,
}

/// The claims of a verified token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedToken {
    /// The issuer and the subject of the token.
    pub identity: Identity,
    /// The other claims. Only the sync may read them.
    pub profile: TokenProfile,
    /// The time at which the token expires: `exp`, without the leeway.
    pub expires_at: Timestamp,
}

/// A verifier of the tokens of one issuer.
pub struct Verifier {
    validation: TokenValidation,
    keys: Arc<JwksCache>,
    audience_warning: LogThrottle,
    groups_warning: LogThrottle,
}

impl Verifier {
    /// Creates a verifier with the expected claims and the issuer's keys.
    #[must_use]
    pub fn new(validation: TokenValidation, keys: Arc<JwksCache>) -> Self {
        Self {
            validation,
            keys,
            audience_warning: LogThrottle::default(),
            groups_warning: LogThrottle::default(),
        }
    }

    /// Returns the issuer whose tokens this verifies.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.validation.issuer
    }

    /// Returns the cache of the issuer's keys.
    #[must_use]
    pub fn keys(&self) -> &JwksCache {
        &self.keys
    }

    /// Verifies everything that [`UnverifiedJws::parse`] has not checked.
    ///
    /// This waits for a fetch of keys only if the token's key is unknown.
    pub(super) async fn verify(
        &self,
        unverified: &UnverifiedJws<'_>,
        now: Timestamp,
    ) -> Result<VerifiedToken, AuthError> {
        let keys = self.keys.get_or_refresh(unverified.kid(), unverified.algorithm()).await?;
        let claims = unverified.verify_signature(&keys)?;
        let lifetime = claims::check_lifetime(claims, now)?;
        let identity =
            claims::check_identity(claims, &self.validation.issuer, &self.validation.audiences);
        self.warn_audience_mismatch(&identity, now);
        let identity = identity?;
        let profile =
            claims::extract_profile(claims, lifetime.issued_at, &self.validation.groups_claim);
        self.warn_unreadable_groups(claims, &profile, now);
        Ok(VerifiedToken { identity, profile, expires_at: lifetime.expires_at })
    }

    /// Logs an audience mismatch. The issuer signed the token, so a wrong setting is more likely
    /// than an attack.
    fn warn_audience_mismatch(&self, identity: &Result<Identity, TokenError>, now: Timestamp) {
        if *identity == Err(TokenError::Audience) && self.audience_warning.should_log(now) {
            tracing::warn!(
                issuer = self.issuer(),
                configured = ?self.validation.audiences,
                "a validly signed token is for another audience; with Authentik, \
                 TENANTRY_OIDC_AUDIENCE must be the provider's client ID"
            );
        }
    }

    fn warn_unreadable_groups(
        &self,
        claims: &UniqueKeyObject,
        profile: &TokenProfile,
        now: Timestamp,
    ) {
        let claim = &self.validation.groups_claim;
        let is_unreadable = profile.groups.is_none() && claims.get(claim).is_some();
        if is_unreadable && self.groups_warning.should_log(now) {
            tracing::warn!(
                issuer = self.issuer(),
                claim,
                "the groups claim is ignored: it is neither an array of strings nor a string"
            );
        }
    }
}

/// Rate-limits a recurring warning to once per minute.
struct LogThrottle(AtomicI64);

impl Default for LogThrottle {
    fn default() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }
}

impl LogThrottle {
    fn should_log(&self, now: Timestamp) -> bool {
        let last = self.0.load(Ordering::Relaxed);
        let is_due = now.millis().saturating_sub(last) >= WARN_INTERVAL_MS;
        if is_due {
            self.0.store(now.millis(), Ordering::Relaxed);
        }
        is_due
    }
}
