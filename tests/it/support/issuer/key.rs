//! Signing keys of every type. The process generates each key once, unless a test asks for a new
//! one.

use std::sync::{Arc, OnceLock};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
        EcdsaSigningAlgorithm, Ed25519KeyPair,
    },
};
use jsonwebtoken::{Algorithm, EncodingKey, crypto, jwk::Jwk};
use serde_json::{Value, json};

/// The type of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// RSA with 2048 bits, which signs RS256 by default.
    Rsa,
    /// The elliptic curve P-256.
    P256,
    /// The elliptic curve P-384.
    P384,
    /// The Edwards curve of Ed25519.
    Ed25519,
}

/// A key pair with its `kid`.
#[derive(Clone)]
pub(crate) struct TestKey {
    kid: String,
    kind: Kind,
    key: Arc<EncodingKey>,
}

impl TestKey {
    /// Returns the shared key of the type. Its `kid` is `rsa`, `p256`, `p384` or `ed25519`.
    pub(crate) fn of(kind: Kind) -> Self {
        static KEYS: [OnceLock<TestKey>; 4] = [const { OnceLock::new() }; 4];
        let kid = ["rsa", "p256", "p384", "ed25519"][kind as usize];
        KEYS[kind as usize].get_or_init(|| Self::fresh(kind, kid)).clone()
    }

    /// Generates a new key.
    pub(crate) fn fresh(kind: Kind, kid: &str) -> Self {
        let key = match kind {
            Kind::Rsa => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
                let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).expect("an encoding");
                // PKCS #8 wraps the RSAPrivateKey (RFC 8017, appendix A.1.2) of 2048 bits in 26
                // bytes.
                EncodingKey::from_rsa_der(&pkcs8.as_ref()[26..])
            }
            Kind::P256 => ec_key(&ECDSA_P256_SHA256_FIXED_SIGNING),
            Kind::P384 => ec_key(&ECDSA_P384_SHA384_FIXED_SIGNING),
            Kind::Ed25519 => {
                let pair = Ed25519KeyPair::generate().expect("a key");
                EncodingKey::from_ed_der(pair.to_pkcs8v1().expect("an encoding").as_ref())
            }
        };
        Self { kid: kid.to_owned(), kind, key: Arc::new(key) }
    }

    /// Returns the same key under another `kid`.
    pub(crate) fn named(&self, kid: &str) -> Self {
        Self { kid: kid.to_owned(), ..self.clone() }
    }

    /// Returns the `kid`.
    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    /// Returns the default `alg` of the key.
    pub(crate) fn alg(&self) -> &'static str {
        match self.kind {
            Kind::Rsa => "RS256",
            Kind::P256 => "ES256",
            Kind::P384 => "ES384",
            Kind::Ed25519 => "EdDSA",
        }
    }

    /// Returns the public JWK with `kid` and `use`. Like the keys of many providers, an RSA key has
    /// no `alg`.
    pub(crate) fn jwk(&self) -> Value {
        let mut jwk = self.public();
        jwk["kid"] = json!(self.kid);
        jwk["use"] = json!("sig");
        if self.kind != Kind::Rsa {
            jwk["alg"] = json!(self.alg());
        }
        jwk
    }

    /// Returns the public JWK without `kid`, `use` and `alg`.
    pub(crate) fn public(&self) -> Value {
        let alg = self.alg().parse().expect("an algorithm");
        let jwk = Jwk::from_encoding_key(&self.key, alg).expect("a public key");
        json!(jwk.algorithm)
    }

    /// Signs the message and returns the encoded signature.
    ///
    /// `alg` selects the scheme of an RSA key. For `HS256`, the public JWK is the secret. For an
    /// `alg` of another type of key, the key signs with its own.
    pub(super) fn sign(&self, alg: &str, message: &[u8]) -> String {
        let own: Algorithm = self.alg().parse().expect("an algorithm");
        let secret = EncodingKey::from_secret(self.public().to_string().as_bytes());
        let (key, alg) = match alg.parse::<Algorithm>() {
            Ok(Algorithm::HS256) => (&secret, Algorithm::HS256),
            Ok(alg) if alg.family() == own.family() && self.kind == Kind::Rsa => (&*self.key, alg),
            _ => (&*self.key, own),
        };
        crypto::sign(message, key, alg).expect("a signature")
    }
}

fn ec_key(algorithm: &'static EcdsaSigningAlgorithm) -> EncodingKey {
    let pair = EcdsaKeyPair::generate(algorithm).expect("a key");
    EncodingKey::from_ec_der(pair.to_pkcs8v1().expect("an encoding").as_ref())
}
