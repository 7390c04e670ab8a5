//! The one function through which every token passes, and why one is refused.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use crate::domain::{sync::Profile, time::Timestamp, user::Identity};

use super::{
    claims,
    keys::{Keys, Missing},
    object::Object,
    unverified::Unverified,
};

/// How often a claim that cannot be read is warned of, in milliseconds: every token has the same.
const WARN_EVERY: i64 = 60_000;

/// What our tokens say.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The issuer, to the letter (`iss`).
    pub issuer: String,
    /// The audiences of which a token must name one (`aud`).
    pub audiences: Vec<String>,
    /// What the claim with the groups is called: a name, not a path.
    pub groups_claim: String,
}

/// What a good token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Who it is for.
    pub identity: Identity,
    /// What else it says of them; only the sync may read it.
    pub profile: Profile,
    /// `exp`, without leeway: when live connections of this token end.
    pub expires_at: Timestamp,
}

/// Why a token was not accepted. Neither this nor [`Reason`] has a text for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The token is not good.
    Invalid(Reason),
    /// There never was a key to verify it with: the provider cannot be reached.
    KeysUnavailable,
}

impl From<Reason> for Refused {
    fn from(reason: Reason) -> Self {
        Self::Invalid(reason)
    }
}

/// What is wrong with a token: for the log and the metric, never for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// More than 16 KiB.
    TooLong,
    /// Not a JWS of three parts in base64url with JSON objects in which no name comes twice.
    Malformed,
    /// `alg` is missing or not accepted.
    Algorithm,
    /// There is a `crit`.
    Critical,
    /// `typ` is that of something else.
    Type,
    /// No `kid`, where the set has not exactly one usable key.
    NoKeyId,
    /// No usable key has that `kid`.
    UnknownKey,
    /// The key is not for that `alg`.
    KeyDisagrees,
    /// The signature is not one of that key.
    Signature,
    /// `iss` is not our issuer.
    Issuer,
    /// `aud` names none of ours.
    Audience,
    /// `sub` is not a string of 1 to 255 characters.
    Subject,
    /// No `exp`.
    NoExpiry,
    /// `exp`, `nbf` or `iat` is not a number, or not one of this era.
    Time,
    /// `exp` is over.
    Expired,
    /// `nbf` is ahead.
    NotBefore,
    /// `iat` is ahead.
    IssuedAhead,
}

impl Reason {
    /// One word for the log and the metric's label.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::Malformed => "malformed",
            Self::Algorithm => "algorithm",
            Self::Critical => "critical",
            Self::Type => "type",
            Self::NoKeyId => "no_key_id",
            Self::UnknownKey => "unknown_key",
            Self::KeyDisagrees => "key_disagrees",
            Self::Signature => "signature",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Subject => "subject",
            Self::NoExpiry => "no_expiry",
            Self::Time => "time",
            Self::Expired => "expired",
            Self::NotBefore => "not_before",
            Self::IssuedAhead => "issued_ahead",
        }
    }
}

/// Verifies tokens of one issuer.
pub struct Verifier {
    expected: Expected,
    keys: Arc<Keys>,
    warned_at: AtomicI64,
}

impl Verifier {
    /// A verifier for tokens that say this, signed with one of those keys.
    #[must_use]
    pub fn new(expected: Expected, keys: Arc<Keys>) -> Self {
        Self { expected, keys, warned_at: AtomicI64::new(i64::MIN) }
    }

    /// The keys, for readiness.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Verifies a token. It waits for a fetch of keys only where its key is not known.
    pub async fn verify(&self, unverified: &str, now: Timestamp) -> Result<Verified, Refused> {
        let unverified = Unverified::read(unverified)?;
        let key = self.keys.find(unverified.kid(), unverified.algorithm()).await;
        let claims = unverified.claims(&*key.map_err(refused)?)?;
        let lifetime = claims::lifetime(&claims, now)?;
        let identity = claims::identity(&claims, &self.expected)?;
        let profile = claims::profile(&claims, lifetime.issued_at, &self.expected.groups_claim);
        self.warn_of_unreadable_groups(&claims, &profile, now);
        Ok(Verified { identity, profile, expires_at: lifetime.expires_at })
    }

    fn warn_of_unreadable_groups(&self, claims: &Object, profile: &Profile, now: Timestamp) {
        let claim = &self.expected.groups_claim;
        if profile.groups.is_some() || claims.get(claim).is_none() {
            return;
        }
        let last = self.warned_at.load(Ordering::Relaxed);
        if now.millis().saturating_sub(last) >= WARN_EVERY {
            self.warned_at.store(now.millis(), Ordering::Relaxed);
            tracing::warn!(claim, "groups are neither an array of strings nor a string: ignored");
        }
    }
}

fn refused(missing: Missing) -> Refused {
    Refused::Invalid(match missing {
        Missing::Unavailable => return Refused::KeysUnavailable,
        Missing::Unknown => Reason::UnknownKey,
        Missing::Ambiguous => Reason::NoKeyId,
        Missing::Disagrees => Reason::KeyDisagrees,
    })
}
