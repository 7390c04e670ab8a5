//! Signing keys of every type. The process generates each key once, unless a test asks for a new
//! one.

use std::sync::{Arc, OnceLock};

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{
        self, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
        Ed25519KeyPair, KeyPair, RsaEncoding,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
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

enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

/// A key pair with its `kid`.
#[derive(Clone)]
pub(crate) struct TestKey {
    kid: String,
    kind: Kind,
    pair: Arc<Pair>,
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
        let ec = |algorithm| Pair::Ec(EcdsaKeyPair::generate(algorithm).expect("a key"));
        let pair = match kind {
            Kind::Rsa => Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("a key")),
            Kind::P256 => ec(&ECDSA_P256_SHA256_FIXED_SIGNING),
            Kind::P384 => ec(&ECDSA_P384_SHA384_FIXED_SIGNING),
            Kind::Ed25519 => Pair::Ed(Ed25519KeyPair::generate().expect("a key")),
        };
        Self { kid: kid.to_owned(), kind, pair: Arc::new(pair) }
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
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match &*self.pair {
            Pair::Rsa(pair) => {
                // The offsets fit an RSAPublicKey (RFC 8017, appendix A.1.1) of 2048 bits with the
                // exponent 65537.
                let der = pair.public_key().as_ref();
                json!({"kty": "RSA", "n": text(&der[9..265]), "e": text(&der[267..])})
            }
            Pair::Ec(pair) => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let crv = if self.kind == Kind::P256 { "P-256" } else { "P-384" };
                json!({"kty": "EC", "crv": crv, "x": text(x), "y": text(y)})
            }
            Pair::Ed(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": text(pair.public_key().as_ref())})
            }
        }
    }

    /// Signs the message. `alg` selects the scheme of an RSA key. For `HS256`, the public JWK is
    /// the secret.
    pub(super) fn sign(&self, alg: &str, message: &[u8]) -> Vec<u8> {
        if alg == "HS256" {
            let secret = hmac::Key::new(hmac::HMAC_SHA256, self.public().to_string().as_bytes());
            return hmac::sign(&secret, message).as_ref().to_vec();
        }
        match &*self.pair {
            Pair::Rsa(pair) => sign_rsa(pair, alg, message),
            Pair::Ec(pair) => {
                let signed = pair.sign(&SystemRandom::new(), message);
                signed.expect("a signature").as_ref().to_vec()
            }
            Pair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }
}

fn sign_rsa(pair: &RsaKeyPair, alg: &str, message: &[u8]) -> Vec<u8> {
    let encoding: &'static dyn RsaEncoding = match alg {
        "RS384" => &signature::RSA_PKCS1_SHA384,
        "RS512" => &signature::RSA_PKCS1_SHA512,
        "PS256" => &signature::RSA_PSS_SHA256,
        "PS384" => &signature::RSA_PSS_SHA384,
        "PS512" => &signature::RSA_PSS_SHA512,
        _ => &signature::RSA_PKCS1_SHA256,
    };
    let mut signed = vec![0; pair.public_modulus_len()];
    pair.sign(encoding, &SystemRandom::new(), message, &mut signed).expect("a signature");
    signed
}
