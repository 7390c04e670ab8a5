//! The one function through which every token passes, and why one is refused.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use crate::domain::{sync::TokenProfile, time::Timestamp, user::Identity};

use super::{
    claims,
    json_object::UniqueKeyObject,
    jwks_cache::{JwksCache, KeyLookupError},
    unverified::UnverifiedJws,
};

/// How often a claim that is wrong in every token is warned of, in milliseconds.
const WARN_INTERVAL_MS: i64 = 60_000;

/// What our tokens say.
#[derive(Clone, Debug)]
pub struct TokenValidation {
    /// The issuer, to the letter (`iss`).
    pub issuer: String,
    /// The audiences of which a token must name one (`aud`).
    pub audiences: Vec<String>,
    /// What the claim with the groups is called: a name, not a path.
    pub groups_claim: String,
}

/// What a good token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedToken {
    /// Who it is for.
    pub identity: Identity,
    /// What else it says of them; only the sync may read it.
    pub profile: TokenProfile,
    /// `exp`, without leeway: when live connections of this token end.
    pub expires_at: Timestamp,
}

/// Why a credential was not accepted. Neither this nor [`Reason`] has a text for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthError {
    /// More than one was presented.
    MultipleCredentials,
    /// It is not a good token.
    InvalidToken(TokenError),
    /// There never was a key to verify it with: the provider cannot be reached.
    KeysUnavailable,
}

impl AuthError {
    /// One word for the log and the metric's label.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::MultipleCredentials => "multiple_credentials",
            Self::InvalidToken(reason) => reason.word(),
            Self::KeysUnavailable => "keys_unavailable",
        }
    }
}

impl From<TokenError> for AuthError {
    fn from(reason: TokenError) -> Self {
        Self::InvalidToken(reason)
    }
}

/// What is wrong with a token: for the log and the metric, never for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenError {
    /// Another scheme than `Bearer`, or not of the form of a credential.
    Credential,
    /// More than 16 KiB.
    TooLong,
    /// Not a JWS of three parts in base64url with JSON objects in which no name comes twice.
    Malformed,
    /// `alg` is missing or not accepted.
    Algorithm,
    /// There is a `crit`.
    UnsupportedCrit,
    /// `typ` is that of something else.
    UnexpectedTyp,
    /// No `kid`, where the set has not exactly one usable key.
    AmbiguousKey,
    /// No usable key has that `kid`.
    UnknownKey,
    /// The key is not for that `alg`.
    KeyAlgorithmMismatch,
    /// The signature is not one of that key.
    Signature,
    /// `iss` is not our issuer.
    Issuer,
    /// `aud` names none of ours.
    Audience,
    /// `sub` is not a string of 1 to 255 characters.
    Subject,
    /// No `exp`.
    MissingExp,
    /// `exp`, `nbf` or `iat` is not a number, or not one of this era.
    InvalidTimestamp,
    /// `exp` is over.
    Expired,
    /// `nbf` is ahead.
    NotYetValid,
    /// `iat` is ahead.
    IssuedInFuture,
}

impl TokenError {
    /// One word for the log and the metric's label.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::TooLong => "too_long",
            Self::Malformed => "malformed",
            Self::Algorithm => "algorithm",
            Self::UnsupportedCrit => "unsupported_crit",
            Self::UnexpectedTyp => "unexpected_typ",
            Self::AmbiguousKey => "ambiguous_key",
            Self::UnknownKey => "unknown_key",
            Self::KeyAlgorithmMismatch => "key_algorithm_mismatch",
            Self::Signature => "signature",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Subject => "subject",
            Self::MissingExp => "missing_exp",
            Self::InvalidTimestamp => "invalid_timestamp",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::IssuedInFuture => "issued_in_future",
        }
    }
}

/// Verifies tokens of one issuer.
pub struct Verifier {
    expected: TokenValidation,
    keys: Arc<JwksCache>,
    audience_warning: LogThrottle,
    warned_of_groups: LogThrottle,
}

impl Verifier {
    /// A verifier for tokens that say this, signed with one of those keys.
    #[must_use]
    pub fn new(expected: TokenValidation, keys: Arc<JwksCache>) -> Self {
        let (warned_of_audience, warned_of_groups) =
            (LogThrottle::default(), LogThrottle::default());
        Self { expected, keys, audience_warning: warned_of_audience, warned_of_groups }
    }

    /// The issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.expected.issuer
    }

    /// The issuer's keys.
    #[must_use]
    pub fn keys(&self) -> &JwksCache {
        &self.keys
    }

    /// Verifies a token, everything that it must be: what [`UnverifiedJws::read`] has left open is
    /// decided here. It waits for a fetch of keys only where its key is not known.
    pub(super) async fn verify(
        &self,
        unverified: &UnverifiedJws<'_>,
        now: Timestamp,
    ) -> Result<VerifiedToken, AuthError> {
        let key = self.keys.get_or_refresh(unverified.kid(), unverified.algorithm()).await;
        let claims = unverified.claims(&*key.map_err(refused)?)?;
        let lifetime = claims::lifetime(claims, now)?;
        let identity = claims::identity(claims, &self.expected);
        self.warn_audience_mismatch(&identity, now);
        let identity = identity?;
        let profile = claims::profile(claims, lifetime.issued_at, &self.expected.groups_claim);
        self.warn_of_unreadable_groups(claims, &profile, now);
        Ok(VerifiedToken { identity, profile, expires_at: lifetime.expires_at })
    }

    /// The issuer has signed it, so this is more likely a setting than an attack.
    fn warn_audience_mismatch(&self, identity: &Result<Identity, TokenError>, now: Timestamp) {
        if *identity == Err(TokenError::Audience) && self.audience_warning.should_log(now) {
            tracing::warn!(
                issuer = self.issuer(),
                configured = ?self.expected.audiences,
                "a good token of the issuer is for another audience: with Authentik, \
                 TENANTRY_OIDC_AUDIENCE is the provider's client ID"
            );
        }
    }

    fn warn_of_unreadable_groups(
        &self,
        claims: &UniqueKeyObject,
        profile: &TokenProfile,
        now: Timestamp,
    ) {
        let claim = &self.expected.groups_claim;
        let unreadable = profile.groups.is_none() && claims.get(claim).is_some();
        if unreadable && self.warned_of_groups.should_log(now) {
            tracing::warn!(
                issuer = self.issuer(),
                claim,
                "groups are neither an array of strings nor a string: ignored"
            );
        }
    }
}

/// Says the same once a minute at most.
struct LogThrottle(AtomicI64);

impl Default for LogThrottle {
    fn default() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }
}

impl LogThrottle {
    fn should_log(&self, now: Timestamp) -> bool {
        let last = self.0.load(Ordering::Relaxed);
        let due = now.millis().saturating_sub(last) >= WARN_INTERVAL_MS;
        if due {
            self.0.store(now.millis(), Ordering::Relaxed);
        }
        due
    }
}

fn refused(missing: KeyLookupError) -> AuthError {
    AuthError::InvalidToken(match missing {
        KeyLookupError::Unavailable => return AuthError::KeysUnavailable,
        KeyLookupError::Unknown => TokenError::UnknownKey,
        KeyLookupError::Ambiguous => TokenError::AmbiguousKey,
        KeyLookupError::AlgorithmMismatch => TokenError::KeyAlgorithmMismatch,
    })
}
