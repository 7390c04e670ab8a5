//! Parses a JWK set (RFC 7517) into public keys.
//!
//! Each key is parsed once per fetch, for every algorithm that its `kty`, `alg`, `use` and
//! `key_ops` allow. It verifies with no other algorithm. Unusable keys are skipped with a reason.

use std::sync::Arc;

use aws_lc_rs::signature::{ParsedPublicKey, RsaPublicKeyComponents};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use super::algorithm::{Algorithm, Curve};

const MIN_RSA_BITS: usize = 2048;
const MAX_RSA_BITS: usize = 8192;

/// A public key, parsed for each algorithm that it allows.
pub struct PublicKey {
    kid: Option<String>,
    parsed: Vec<(Algorithm, ParsedPublicKey)>,
}

impl PublicKey {
    /// Returns whether `kty`, `alg`, `use` and `key_ops` allow this algorithm.
    #[must_use]
    pub fn allows(&self, algorithm: Algorithm) -> bool {
        self.parsed.iter().any(|(allowed, _)| *allowed == algorithm)
    }

    /// Returns whether this key signed the message with this algorithm.
    ///
    /// The result is `false` for an algorithm that the key does not [allow](Self::allows).
    #[must_use]
    pub fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let parsed = self.parsed.iter().find(|(allowed, _)| *allowed == algorithm);
        parsed.is_some_and(|(_, key)| key.verify_sig(message, signature).is_ok())
    }
}

/// The result of looking up a token's key in a set.
pub enum KeyMatch {
    /// The set has the key, and the key allows the algorithm.
    Found(Arc<PublicKey>),
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

    /// Looks up the key for a token with this `kid` and `alg`.
    #[must_use]
    pub fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> KeyMatch {
        let mut candidates =
            self.keys.iter().filter(|key| kid.is_none() || key.kid.as_deref() == kid);
        let Some(first) = candidates.clone().next() else {
            return if kid.is_some() { KeyMatch::Unknown } else { KeyMatch::Ambiguous };
        };
        if kid.is_none() && self.keys.len() != 1 {
            return KeyMatch::Ambiguous;
        }
        // Keys of different types may share a `kid` (RFC 7517 section 4.5).
        let key = candidates.find(|key| key.allows(algorithm)).unwrap_or(first);
        if key.allows(algorithm) {
            KeyMatch::Found(key.clone())
        } else {
            KeyMatch::AlgorithmMismatch
        }
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
    let kid = match jwk.get("kid") {
        None => None,
        Some(Value::String(kid)) => Some(kid.clone()),
        Some(_) => return Err("has a `kid` that is not a string"),
    };
    check_key_use(jwk)?;
    let mut parsed = match string(jwk, "kty").ok_or("has no `kty`")? {
        "RSA" => parse_rsa_key(jwk)?,
        kty @ ("EC" | "OKP") => vec![parse_ec_key(kty, jwk)?],
        "oct" => return Err("is a shared secret (`oct`)"),
        _ => return Err("has a `kty` other than RSA, EC and OKP"),
    };
    if let Some(alg) = jwk.get("alg") {
        parsed.retain(|(algorithm, _)| alg.as_str() == Some(algorithm.as_str()));
    }
    if parsed.is_empty() {
        return Err("has an `alg` that is not accepted or not one of its `kty`");
    }
    Ok(PublicKey { kid, parsed })
}

/// Checks that `use` and `key_ops` allow verification (RFC 7517 sections 4.2 and 4.3).
fn check_key_use(jwk: &Value) -> Result<(), &'static str> {
    if jwk.get("use").is_some_and(|usage| usage.as_str() != Some("sig")) {
        return Err("has a `use` other than `sig`");
    }
    let has_verify =
        |ops: &Value| ops.as_array().is_some_and(|ops| ops.iter().any(|op| op == "verify"));
    if jwk.get("key_ops").is_some_and(|ops| !has_verify(ops)) {
        return Err("has `key_ops` without `verify`");
    }
    Ok(())
}

/// Parses an RSA key (RFC 7518 section 6.3.1).
fn parse_rsa_key(jwk: &Value) -> Result<Vec<(Algorithm, ParsedPublicKey)>, &'static str> {
    let n = decode_bytes(jwk, "n").ok_or("has no readable `n`")?;
    let e = decode_bytes(jwk, "e").ok_or("has no readable `e`")?;
    let (n, e) = (trim_leading_zeros(&n), trim_leading_zeros(&e));
    match bit_length(n) {
        ..MIN_RSA_BITS => return Err("is an RSA key of less than 2048 bits"),
        MIN_RSA_BITS..=MAX_RSA_BITS => {}
        _ => return Err("is RSA of more than 8192 bits"),
    }
    if !is_accepted_exponent(e) {
        return Err("is RSA with an `e` that is not accepted");
    }
    let components = RsaPublicKeyComponents { n, e };
    let parse = |algorithm: Algorithm| {
        Some((algorithm, components.to_parsed_public_key(algorithm.rsa()?).ok()?))
    };
    let parsed: Vec<_> = Algorithm::RSA.into_iter().filter_map(parse).collect();
    if parsed.is_empty() { Err("is not an RSA key") } else { Ok(parsed) }
}

/// Parses a key on an elliptic curve (RFC 7518 section 6.2.1, RFC 8037 section 2).
fn parse_ec_key(kty: &str, jwk: &Value) -> Result<(Algorithm, ParsedPublicKey), &'static str> {
    let crv = string(jwk, "crv").ok_or("has no `crv`")?;
    let curve = Curve::from_names(kty, crv).ok_or("is on a curve that is not accepted")?;
    let coordinate =
        |name| decode_bytes(jwk, name).filter(|bytes| bytes.len() == curve.coordinate_bytes);
    let x = coordinate("x").ok_or("has no readable `x`")?;
    let point = if kty == "EC" {
        let y = coordinate("y").ok_or("has no readable `y`")?;
        [&[4], x.as_slice(), y.as_slice()].concat() // uncompressed, SEC 1 section 2.3.3
    } else {
        x
    };
    let key = ParsedPublicKey::new(curve.verification, point);
    Ok((curve.algorithm, key.map_err(|_| "is not a point of its curve")?))
}

fn string<'a>(jwk: &'a Value, name: &str) -> Option<&'a str> {
    jwk.get(name)?.as_str()
}

fn decode_bytes(jwk: &Value, name: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(string(jwk, name)?).ok()
}

/// Removes leading zero bytes.
///
/// Some providers add one, although RFC 7518 section 6.3.1.1 forbids it. Other implementations accept
/// it.
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
