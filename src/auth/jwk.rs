//! Parses a JWK set (RFC 7517) into public keys.
//!
//! `jsonwebtoken` reads the parameters of a key and verifies signatures with it. The checks in this
//! file are stricter: each key verifies only with the algorithms that its `kty`, `alg`, `use` and
//! `key_ops` allow, and a key that cannot verify anything is skipped with a reason.

use std::sync::Arc;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey,
    VerificationAlgorithm,
};
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind,
    crypto::aws_lc,
    jwk::{AlgorithmParameters, CommonParameters, EllipticCurve, Jwk},
};
use serde::Deserialize;
use serde_json::Value;

use super::algorithm;

const MIN_RSA_BITS: usize = 2048;
const MAX_RSA_BITS: usize = 8192;

/// A public key with the algorithms that it allows.
pub struct PublicKey {
    kid: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

impl PublicKey {
    /// Returns whether `kty`, `alg`, `use` and `key_ops` allow this algorithm.
    #[must_use]
    pub fn allows(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    /// Returns whether this key signed the message with this algorithm.
    ///
    /// The result is `false` for an algorithm that the key does not [allow](Self::allows).
    #[must_use]
    pub fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &Vec<u8>) -> bool {
        // The library's verifiers cannot be shared between threads, so each token makes one.
        self.allows(algorithm)
            && (aws_lc::DEFAULT_PROVIDER.verifier_factory)(&algorithm, &self.key)
                .is_ok_and(|verifier| verifier.verify(message, signature).is_ok())
    }
}

/// The result of looking up a token's key in a set.
pub enum KeyMatch {
    /// The set has these keys with the `kid`, and they allow the algorithm. At least one.
    Found(Vec<Arc<PublicKey>>),
    /// No usable key has this `kid`.
    Unknown,
    /// The token has no `kid`, and the set does not have exactly one usable key.
    Ambiguous,
    /// The set has the key, but the key does not allow the algorithm.
    AlgorithmMismatch,
}

/// The usable keys of a JWK set.
#[derive(Default)]
pub struct KeySet {
    keys: Vec<Arc<PublicKey>>,
    skipped: Vec<String>,
}

impl KeySet {
    /// Parses a JWK set, or returns `None` if the document has no array `keys`.
    ///
    /// Unusable keys are [`skipped`](Self::skipped), as RFC 7517 section 5 recommends.
    #[must_use]
    pub fn from_jwks(document: &Value) -> Option<Self> {
        let mut set = Self::default();
        for (index, jwk) in document.get("keys")?.as_array()?.iter().enumerate() {
            match parse_key(jwk) {
                Ok(key) => set.keys.push(Arc::new(key)),
                Err(reason) => {
                    let name = display_name(jwk, index);
                    set.skipped.push(format!("key {name} {reason}"));
                }
            }
        }
        Some(set)
    }

    /// Returns the number of usable keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Returns whether the set has no usable key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Returns a description of each unusable key: its name and the reason.
    #[must_use]
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// Looks up the keys for a token with this `kid` and `alg`.
    ///
    /// Several keys may share a `kid` (RFC 7517 section 4.5).
    #[must_use]
    pub fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> KeyMatch {
        if kid.is_none() && self.keys.len() != 1 {
            return KeyMatch::Ambiguous;
        }
        let mut candidates =
            self.keys.iter().filter(|key| kid.is_none() || key.kid.as_deref() == kid).peekable();
        if candidates.peek().is_none() {
            return KeyMatch::Unknown;
        }
        let found: Vec<_> = candidates.filter(|key| key.allows(algorithm)).cloned().collect();
        if found.is_empty() { KeyMatch::AlgorithmMismatch } else { KeyMatch::Found(found) }
    }
}

/// Returns the name of a key for the log: at most 100 characters of its `kid`, or its position.
fn display_name(jwk: &Value, index: usize) -> String {
    match jwk.get("kid").and_then(Value::as_str) {
        Some(kid) => format!("{:?}", kid.chars().take(100).collect::<String>()),
        None => format!("number {}", index + 1),
    }
}

fn parse_key(jwk: &Value) -> Result<PublicKey, &'static str> {
    let kid = match member(jwk, "kid") {
        None => None,
        Some(Value::String(kid)) => Some(kid.clone()),
        Some(_) => return Err("has a `kid` that is not a string"),
    };
    check_key_use(jwk)?;
    let parameters = parse_parameters(jwk)?;
    let mut algorithms = match &parameters {
        AlgorithmParameters::RSA(_) => AlgorithmFamily::Rsa.algorithms().to_vec(),
        AlgorithmParameters::EllipticCurve(key) => vec![ec_algorithm(&key.curve)?],
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            vec![Algorithm::EdDSA]
        }
        _ => return Err(CURVE_ERROR),
    };
    let jwk_parameters = Jwk { common: CommonParameters::default(), algorithm: parameters };
    let key = DecodingKey::from_jwk(&jwk_parameters)
        .map_err(|_| "has a parameter that is not base64url without padding")?;
    match key.kind() {
        DecodingKeyKind::RsaModulusExponent { n, e } => check_rsa_key(n, e)?,
        DecodingKeyKind::SecretOrDer(point) => check_point(&algorithms, point)?,
    }
    if let Some(alg) = member(jwk, "alg") {
        let alg = alg.as_str().and_then(algorithm::parse);
        algorithms.retain(|algorithm| alg == Some(*algorithm));
    }
    if algorithms.is_empty() {
        return Err("has an `alg` that is not accepted or not one of its `kty`");
    }
    Ok(PublicKey { kid, algorithms, key })
}

/// Returns a member of a JWK, or `None` if it is absent or null.
fn member<'a>(jwk: &'a Value, name: &str) -> Option<&'a Value> {
    jwk.get(name).filter(|value| !value.is_null())
}

/// Checks that `use` and `key_ops` allow verification (RFC 7517 sections 4.2 and 4.3).
///
/// An empty `key_ops` counts as absent.
fn check_key_use(jwk: &Value) -> Result<(), &'static str> {
    if member(jwk, "use").is_some_and(|usage| usage.as_str() != Some("sig")) {
        return Err("has a `use` other than `sig`");
    }
    let allows_verify = |ops: &Value| {
        ops.as_array().is_some_and(|ops| ops.is_empty() || ops.iter().any(|op| op == "verify"))
    };
    if member(jwk, "key_ops").is_some_and(|ops| !allows_verify(ops)) {
        return Err("has `key_ops` without `verify`");
    }
    Ok(())
}

const CURVE_ERROR: &str = "is on a curve that is not accepted";

/// Reads the parameters of a key's type (RFC 7518 section 6, RFC 8037 section 2).
///
/// Other members are ignored, as RFC 7517 section 4 requires.
fn parse_parameters(jwk: &Value) -> Result<AlgorithmParameters, &'static str> {
    let kty = member(jwk, "kty").and_then(Value::as_str).ok_or("has no `kty`")?;
    let parameters = AlgorithmParameters::deserialize(jwk).map_err(|_| "is not an object")?;
    match (kty, parameters) {
        ("oct", _) => Err("is a shared secret (`oct`)"),
        ("RSA" | "EC" | "OKP", AlgorithmParameters::Other(_)) => {
            let has_curve =
                member(jwk, "crv").is_some_and(|crv| EllipticCurve::deserialize(crv).is_ok());
            Err(if kty == "RSA" || has_curve {
                "lacks a parameter of its `kty`"
            } else {
                CURVE_ERROR
            })
        }
        ("RSA" | "EC" | "OKP", parameters) => Ok(parameters),
        _ => Err("has a `kty` other than RSA, EC and OKP"),
    }
}

/// Returns the algorithm of a curve. Each accepted curve has one (RFC 7518 section 3.4).
fn ec_algorithm(curve: &EllipticCurve) -> Result<Algorithm, &'static str> {
    match curve {
        EllipticCurve::P256 => Ok(Algorithm::ES256),
        EllipticCurve::P384 => Ok(Algorithm::ES384),
        _ => Err(CURVE_ERROR),
    }
}

/// Checks the size of an RSA key (RFC 7518 section 3.3) and its exponent.
///
/// Some providers write a leading zero byte, although RFC 7518 section 6.3.1.1 forbids it. Other
/// implementations accept it.
fn check_rsa_key(n: &[u8], e: &[u8]) -> Result<(), &'static str> {
    match bit_length(trim_leading_zeros(n)) {
        ..MIN_RSA_BITS => Err("is an RSA key of less than 2048 bits"),
        MIN_RSA_BITS..=MAX_RSA_BITS if is_accepted_exponent(trim_leading_zeros(e)) => Ok(()),
        MIN_RSA_BITS..=MAX_RSA_BITS => Err("is RSA with an `e` that is not accepted"),
        _ => Err("is RSA of more than 8192 bits"),
    }
}

/// Checks that a key is a point of its curve.
///
/// The library does not check it, and would reject every signature of such a key.
fn check_point(algorithms: &[Algorithm], point: &[u8]) -> Result<(), &'static str> {
    let curve: &'static dyn VerificationAlgorithm = match algorithms {
        [Algorithm::ES256] => &ECDSA_P256_SHA256_FIXED,
        [Algorithm::ES384] => &ECDSA_P384_SHA384_FIXED,
        _ => &ED25519,
    };
    ParsedPublicKey::new(curve, point).map(drop).map_err(|_| "is not a point of its curve")
}

/// Removes leading zero bytes.
fn trim_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

/// Returns whether an RSA exponent is odd, at least 3 (RFC 8017 section 3.1) and at most 33 bits.
///
/// A long exponent makes verification expensive. The library parses a key with another exponent and
/// then rejects all of its signatures. Skipping the key puts the reason into the log.
fn is_accepted_exponent(e: &[u8]) -> bool {
    (2..=33).contains(&bit_length(e)) && e.last().is_some_and(|last| last % 2 == 1)
}

fn bit_length(number: &[u8]) -> usize {
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bit_length_ignores_leading_zeros() {
        for (number, expected) in [
            (&[][..], 0),
            (&[0, 0], 0),
            (&[1], 1),
            (&[0, 0x80], 8),
            (&[1, 0], 9),
            (&[0xff; 256], 2048),
        ] {
            assert_eq!(bit_length(trim_leading_zeros(number)), expected);
        }
    }

    #[test]
    fn invalid_set_is_distinguished_from_an_empty_one() {
        for bad in [Value::Null, serde_json::json!([]), serde_json::json!({"keys": {}})] {
            assert!(KeySet::from_jwks(&bad).is_none(), "{bad}");
        }
        let empty = KeySet::from_jwks(&serde_json::json!({"keys": []})).expect("a set");
        assert!(empty.is_empty());
    }
}
