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

/// How often a claim that is wrong in every token is warned of, in milliseconds.
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

/// Why a credential was not accepted. Neither this nor [`Reason`] has a text for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// More than one was presented.
    Several,
    /// It is not a good token.
    Invalid(Reason),
    /// There never was a key to verify it with: the provider cannot be reached.
    KeysUnavailable,
}

impl Refused {
    /// One word for the log and the metric's label.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Several => "several",
            Self::Invalid(reason) => reason.word(),
            Self::KeysUnavailable => "keys_unavailable",
        }
    }
}

impl From<Reason> for Refused {
    fn from(reason: Reason) -> Self {
        Self::Invalid(reason)
    }
}

/// What is wrong with a token: for the log and the metric, never for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Another scheme than `Bearer`, or not of the form of a credential.
    Credential,
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
            Self::Credential => "credential",
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
    warned_of_audience: Seldom,
    warned_of_groups: Seldom,
}

impl Verifier {
    /// A verifier for tokens that say this, signed with one of those keys.
    #[must_use]
    pub fn new(expected: Expected, keys: Arc<Keys>) -> Self {
        let (warned_of_audience, warned_of_groups) = (Seldom::default(), Seldom::default());
        Self { expected, keys, warned_of_audience, warned_of_groups }
    }

    /// The issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.expected.issuer
    }

    /// The issuer's keys.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Verifies a token, everything that it must be: what [`Unverified::read`] has left open is
    /// decided here. It waits for a fetch of keys only where its key is not known.
    pub(super) async fn verify(
        &self,
        unverified: &Unverified<'_>,
        now: Timestamp,
    ) -> Result<Verified, Refused> {
        let key = self.keys.find(unverified.kid(), unverified.algorithm()).await;
        let claims = unverified.claims(&*key.map_err(refused)?)?;
        let lifetime = claims::lifetime(claims, now)?;
        let identity = claims::identity(claims, &self.expected);
        self.warn_of_another_audience(&identity, now);
        let identity = identity?;
        let profile = claims::profile(claims, lifetime.issued_at, &self.expected.groups_claim);
        self.warn_of_unreadable_groups(claims, &profile, now);
        Ok(Verified { identity, profile, expires_at: lifetime.expires_at })
    }

    /// The issuer has signed it, so this is more likely a setting than an attack.
    fn warn_of_another_audience(&self, identity: &Result<Identity, Reason>, now: Timestamp) {
        if *identity == Err(Reason::Audience) && self.warned_of_audience.is_due(now) {
            tracing::warn!(
                issuer = self.issuer(),
                configured = ?self.expected.audiences,
                "a good token of the issuer is for another audience: with Authentik, \
                 TENANTRY_OIDC_AUDIENCE is the provider's client ID"
            );
        }
    }

    fn warn_of_unreadable_groups(&self, claims: &Object, profile: &Profile, now: Timestamp) {
        let claim = &self.expected.groups_claim;
        let unreadable = profile.groups.is_none() && claims.get(claim).is_some();
        if unreadable && self.warned_of_groups.is_due(now) {
            tracing::warn!(
                issuer = self.issuer(),
                claim,
                "groups are neither an array of strings nor a string: ignored"
            );
        }
    }
}

/// Says the same once a minute at most.
struct Seldom(AtomicI64);

impl Default for Seldom {
    fn default() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }
}

impl Seldom {
    fn is_due(&self, now: Timestamp) -> bool {
        let last = self.0.load(Ordering::Relaxed);
        let due = now.millis().saturating_sub(last) >= WARN_EVERY;
        if due {
            self.0.store(now.millis(), Ordering::Relaxed);
        }
        due
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
