//! Defines the accepted signature algorithms and curves.
//!
//! Only asymmetric algorithms have a value here. `none` and HMAC algorithms cannot be represented.

use aws_lc_rs::signature::{
    self, EcdsaVerificationAlgorithm, EdDSAParameters, RsaParameters, VerificationAlgorithm,
};

/// An accepted value of `alg` (RFC 7518 section 3.1, RFC 8037 section 3.1).
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
    /// `EdDSA` with Ed25519.
    EdDsa,
}

impl Algorithm {
    /// The algorithms of RSA keys.
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

    /// Returns the algorithm with this `alg` name, or `None` if it is not accepted.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }

    /// Returns the name of the algorithm in `alg`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
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

    /// Returns the parameters for verifying an RSA signature, or `None` for other algorithms.
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

/// An accepted elliptic curve. Each curve has one algorithm.
pub(super) struct Curve {
    pub(super) algorithm: Algorithm,
    pub(super) verification: &'static dyn VerificationAlgorithm,
    /// The length of a coordinate (RFC 7518 section 6.2.1.2).
    pub(super) coordinate_bytes: usize,
}

impl Curve {
    /// Returns the curve of a `kty` and a `crv`, or `None` if it is not accepted.
    pub(super) fn from_names(kty: &str, crv: &str) -> Option<Self> {
        const P256: &EcdsaVerificationAlgorithm = &signature::ECDSA_P256_SHA256_FIXED;
        const P384: &EcdsaVerificationAlgorithm = &signature::ECDSA_P384_SHA384_FIXED;
        const ED25519: &EdDSAParameters = &signature::ED25519;
        let (algorithm, verification, bytes): (_, &'static dyn VerificationAlgorithm, _) =
            match (kty, crv) {
                ("EC", "P-256") => (Algorithm::Es256, P256, 32),
                ("EC", "P-384") => (Algorithm::Es384, P384, 48),
                ("OKP", "Ed25519") => (Algorithm::EdDsa, ED25519, 32),
                _ => return None,
            };
        Some(Self { algorithm, verification, coordinate_bytes: bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_accepted_names_are_parsed() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::parse(algorithm.as_str()), Some(algorithm));
        }
        for name in ["", "none", "None", "HS256", "HS512", "rs256", "ES512", "ES256K", "RSA-OAEP"] {
            assert_eq!(Algorithm::parse(name), None, "{name}");
        }
    }
}
