//! Defines the accepted signature algorithms.

use jsonwebtoken::AlgorithmFamily;

pub use jsonwebtoken::Algorithm;

/// Returns the algorithm with this `alg` name, or `None` if it is not accepted.
///
/// Only asymmetric algorithms are accepted: neither `none` nor HMAC. `Ed25519` is another name of
/// `EdDSA` with a key on that curve (RFC 9864, section 2.2), which is the only one that is accepted.
#[must_use]
pub fn parse(name: &str) -> Option<Algorithm> {
    if name == "Ed25519" {
        return Some(Algorithm::EdDSA);
    }
    name.parse().ok().filter(|algorithm: &Algorithm| algorithm.family() != AlgorithmFamily::Hmac)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_accepted_names_are_parsed() {
        use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
        for algorithm in [RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA] {
            assert_eq!(parse(&format!("{algorithm:?}")), Some(algorithm));
        }
        assert_eq!(parse("Ed25519"), Some(EdDSA));
        for name in [
            "", "none", "None", "HS256", "HS384", "HS512", "rs256", "ES512", "ES256K", "RSA-OAEP",
            "Ed448", "ed25519", "EDDSA",
        ] {
            assert_eq!(parse(name), None, "{name}");
        }
    }
}
