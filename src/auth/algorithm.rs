//! The signature algorithms that are accepted: asymmetric ones only, and never `none`.

use aws_lc_rs::signature::{
    self, EcdsaVerificationAlgorithm, EdDSAParameters, RsaParameters, VerificationAlgorithm,
};

/// An accepted `alg` (RFC 7518 section 3.1, RFC 8037 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// Those that an RSA key may be used with.
    pub(super) const RSA: [Self; 6] =
        [Self::Rs256, Self::Rs384, Self::Rs512, Self::Ps256, Self::Ps384, Self::Ps512];

    const ALL: [Self; 9] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
    ];

    /// The one of that name; `None` for whatever is not accepted.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// As `alg` names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }

    /// How an RSA signature is verified; `None` where this is not an algorithm of RSA.
    pub(super) fn rsa(self) -> Option<&'static RsaParameters> {
        Some(match self {
            Self::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
            Self::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
            Self::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
            Self::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
            Self::Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
            Self::Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
            Self::Es256 | Self::Es384 | Self::EdDsa => return None,
        })
    }
}

/// A curve of which keys are accepted: each has one algorithm.
pub(super) struct Curve {
    pub(super) algorithm: Algorithm,
    pub(super) verification: &'static dyn VerificationAlgorithm,
    /// Bytes of a coordinate (RFC 7518 section 6.2.1.2).
    pub(super) coordinate: usize,
}

impl Curve {
    /// The curve of a `kty` and `crv`.
    pub(super) fn named(kty: &str, crv: &str) -> Option<Self> {
        const P256: &EcdsaVerificationAlgorithm = &signature::ECDSA_P256_SHA256_FIXED;
        const P384: &EcdsaVerificationAlgorithm = &signature::ECDSA_P384_SHA384_FIXED;
        const ED25519: &EdDSAParameters = &signature::ED25519;
        let (algorithm, verification, coordinate): (_, &'static dyn VerificationAlgorithm, _) =
            match (kty, crv) {
                ("EC", "P-256") => (Algorithm::Es256, P256, 32),
                ("EC", "P-384") => (Algorithm::Es384, P384, 48),
                ("OKP", "Ed25519") => (Algorithm::EdDsa, ED25519, 32),
                _ => return None,
            };
        Some(Self { algorithm, verification, coordinate })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways_and_nothing_symmetric_has_one() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
        }
        for name in ["", "none", "None", "HS256", "HS512", "rs256", "ES512", "ES256K", "RSA-OAEP"] {
            assert_eq!(Algorithm::from_name(name), None, "{name}");
        }
    }
}
