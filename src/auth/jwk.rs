//! A JWK set (RFC 7517), read once into keys that are ready to verify with.

use std::sync::Arc;

use aws_lc_rs::signature::{ParsedPublicKey, RsaPublicKeyComponents};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use super::algorithm::{Algorithm, Curve};

const MIN_RSA_BITS: usize = 2048;
const MAX_RSA_BITS: usize = 8192;

/// A public key, parsed for each algorithm that it may be used with.
pub struct PublicKey {
    kid: Option<String>,
    uses: Vec<(Algorithm, ParsedPublicKey)>,
}

impl PublicKey {
    /// Whether `kty`, `alg`, `use` and `key_ops` agree with that algorithm.
    #[must_use]
    pub fn allows(&self, algorithm: Algorithm) -> bool {
        self.uses.iter().any(|(allowed, _)| *allowed == algorithm)
    }

    /// Whether this is a signature of that message by this key; never with an algorithm that it
    /// does not [allow](Self::allows).
    #[must_use]
    pub fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let parsed = self.uses.iter().find(|(allowed, _)| *allowed == algorithm);
        parsed.is_some_and(|(_, key)| key.verify_sig(message, signature).is_ok())
    }
}

/// What a set says of a token's key.
pub enum KeyMatch {
    /// The key.
    Found(Arc<PublicKey>),
    /// No usable key has that `kid`.
    Unknown,
    /// The token names no key, and the set has not exactly one that is usable.
    Ambiguous,
    /// The key is there, and not for that algorithm.
    AlgorithmMismatch,
}

/// The usable keys of a JWK set.
#[derive(Default)]
pub struct KeySet {
    keys: Vec<Arc<PublicKey>>,
    skipped: Vec<String>,
}

impl KeySet {
    /// Reads a JWK set; keys that cannot be used are [`skipped`](Self::skipped), as RFC 7517
    /// section 5 wants. `None` for what is not a set.
    #[must_use]
    pub fn from_jwks(document: &Value) -> Option<Self> {
        let mut set = Self::default();
        for (place, jwk) in document.get("keys")?.as_array()?.iter().enumerate() {
            match public_key(jwk) {
                Ok(key) => set.keys.push(Arc::new(key)),
                Err(why) => set.skipped.push(format!("key {} {why}", name(jwk, place))),
            }
        }
        Some(set)
    }

    /// How many keys can be used.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no key can be used.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Which keys cannot be used, and why not.
    #[must_use]
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// The key that a token with this `kid` and `alg` is to be verified with.
    #[must_use]
    pub fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> KeyMatch {
        let mut named = self.keys.iter().filter(|key| kid.is_none() || key.kid.as_deref() == kid);
        let Some(first) = named.clone().next() else {
            return if kid.is_some() { KeyMatch::Unknown } else { KeyMatch::Ambiguous };
        };
        if kid.is_none() && self.keys.len() != 1 {
            return KeyMatch::Ambiguous;
        }
        // Keys of different types may share a `kid` (RFC 7517 section 4.5).
        let key = named.find(|key| key.allows(algorithm)).unwrap_or(first);
        if key.allows(algorithm) {
            KeyMatch::Found(key.clone())
        } else {
            KeyMatch::AlgorithmMismatch
        }
    }
}

/// How a key is called in the log: its `kid`, cut short, or its place.
fn name(jwk: &Value, place: usize) -> String {
    match jwk.get("kid").and_then(Value::as_str) {
        Some(kid) => format!("{:?}", kid.chars().take(100).collect::<String>()),
        None => format!("number {}", place + 1),
    }
}

fn public_key(jwk: &Value) -> Result<PublicKey, &'static str> {
    let kid = match jwk.get("kid") {
        None => None,
        Some(Value::String(kid)) => Some(kid.clone()),
        Some(_) => return Err("has a `kid` that is not a string"),
    };
    check_key_use(jwk)?;
    let mut uses = match text(jwk, "kty").ok_or("has no `kty`")? {
        "RSA" => parse_rsa_key(jwk)?,
        kty @ ("EC" | "OKP") => vec![parse_ec_key(kty, jwk)?],
        "oct" => return Err("is a shared secret (`oct`)"),
        _ => return Err("has a `kty` other than RSA, EC and OKP"),
    };
    if let Some(alg) = jwk.get("alg") {
        uses.retain(|(algorithm, _)| alg.as_str() == Some(algorithm.name()));
    }
    if uses.is_empty() {
        return Err("has an `alg` that is not accepted or not one of its `kty`");
    }
    Ok(PublicKey { kid, uses })
}

/// RFC 7517 sections 4.2 and 4.3.
fn check_key_use(jwk: &Value) -> Result<(), &'static str> {
    if jwk.get("use").is_some_and(|usage| usage.as_str() != Some("sig")) {
        return Err("has a `use` other than `sig`");
    }
    let verifies =
        |ops: &Value| ops.as_array().is_some_and(|ops| ops.iter().any(|op| op == "verify"));
    if jwk.get("key_ops").is_some_and(|ops| !verifies(ops)) {
        return Err("has `key_ops` without `verify`");
    }
    Ok(())
}

/// RFC 7518 section 6.3.1.
fn parse_rsa_key(jwk: &Value) -> Result<Vec<(Algorithm, ParsedPublicKey)>, &'static str> {
    let n = bytes(jwk, "n").ok_or("has no readable `n`")?;
    let e = bytes(jwk, "e").ok_or("has no readable `e`")?;
    let (n, e) = (unpadded(&n), unpadded(&e));
    match bits(n) {
        ..MIN_RSA_BITS => return Err("is RSA of less than 2048 bits"),
        MIN_RSA_BITS..=MAX_RSA_BITS => {}
        _ => return Err("is RSA of more than 8192 bits"),
    }
    if !is_exponent(e) {
        return Err("is RSA with an `e` that is not accepted");
    }
    let components = RsaPublicKeyComponents { n, e };
    let parse = |algorithm: Algorithm| {
        Some((algorithm, components.to_parsed_public_key(algorithm.rsa()?).ok()?))
    };
    let uses: Vec<_> = Algorithm::RSA.into_iter().filter_map(parse).collect();
    if uses.is_empty() { Err("is not an RSA key") } else { Ok(uses) }
}

/// RFC 7518 section 6.2.1 and RFC 8037 section 2.
fn parse_ec_key(kty: &str, jwk: &Value) -> Result<(Algorithm, ParsedPublicKey), &'static str> {
    let crv = text(jwk, "crv").ok_or("has no `crv`")?;
    let curve = Curve::named(kty, crv).ok_or("is on a curve that is not accepted")?;
    let coordinate = |name| bytes(jwk, name).filter(|bytes| bytes.len() == curve.coordinate);
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

fn text<'a>(jwk: &'a Value, name: &str) -> Option<&'a str> {
    jwk.get(name)?.as_str()
}

fn bytes(jwk: &Value, name: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text(jwk, name)?).ok()
}

/// Some providers put a zero in front, which RFC 7518 section 6.3.1.1 forbids and nobody refuses.
fn unpadded(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

/// At least 3 and odd (RFC 8017 section 3.1), and no longer than costs little. The library parses
/// others and refuses every signature of theirs: better skipped, with a reason in the log.
fn is_exponent(e: &[u8]) -> bool {
    (2..=33).contains(&bits(e)) && e.last().is_some_and(|last| last % 2 == 1)
}

fn bits(number: &[u8]) -> usize {
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_bits_without_leading_zeros() {
        for (number, expected) in [
            (&[][..], 0),
            (&[0, 0], 0),
            (&[1], 1),
            (&[0, 0x80], 8),
            (&[1, 0], 9),
            (&[0xff; 256], 2048),
        ] {
            assert_eq!(bits(unpadded(number)), expected);
        }
    }

    #[test]
    fn what_is_no_set_is_told_apart_from_an_empty_one() {
        for bad in [Value::Null, serde_json::json!([]), serde_json::json!({"keys": {}})] {
            assert!(KeySet::from_jwks(&bad).is_none(), "{bad}");
        }
        let empty = KeySet::from_jwks(&serde_json::json!({"keys": []})).expect("a set");
        assert!(empty.is_empty());
    }
}
