//! Tokens, good ones and all others.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use super::{AUDIENCE, NOW, TestKey};

/// Builds a token; whatever it is told is in the token, however wrong.
#[derive(Clone)]
pub(crate) struct TokenBuilder {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    key: TestKey,
    raw_header: Option<String>,
    raw_claims: Option<String>,
    raw_signature: Option<String>,
}

impl TokenBuilder {
    /// A good token of that issuer, signed with that key.
    pub(crate) fn new(issuer: &str, key: &TestKey) -> Self {
        let builder = Self {
            header: Map::new(),
            claims: Map::new(),
            key: key.clone(),
            raw_header: None,
            raw_claims: None,
            raw_signature: None,
        };
        builder
            .header("typ", json!("at+jwt"))
            .key(key)
            .claim("iss", json!(issuer))
            .claim("aud", json!(AUDIENCE))
            .subject("ada")
            .issued_at(NOW - 10)
            .expires_at(NOW + 3600)
    }

    /// `sub`
    pub(crate) fn subject(self, subject: &str) -> Self {
        self.claim("sub", json!(subject))
    }

    /// `groups`
    pub(crate) fn groups<'a>(self, groups: impl IntoIterator<Item = &'a str>) -> Self {
        self.claim("groups", groups.into_iter().collect())
    }

    /// `iat`, in seconds since 1970.
    pub(crate) fn issued_at(self, seconds: i64) -> Self {
        self.claim("iat", json!(seconds))
    }

    /// `exp`, in seconds since 1970.
    pub(crate) fn expires_at(self, seconds: i64) -> Self {
        self.claim("exp", json!(seconds))
    }

    /// Sets a claim.
    pub(crate) fn claim(mut self, name: &str, value: Value) -> Self {
        self.claims.insert(name.to_owned(), value);
        self
    }

    /// Leaves a claim out.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Sets a member of the header; `alg` decides how an RSA key signs.
    pub(crate) fn header(mut self, name: &str, value: Value) -> Self {
        self.header.insert(name.to_owned(), value);
        self
    }

    /// Leaves a member of the header out.
    pub(crate) fn without_header(mut self, name: &str) -> Self {
        self.header.remove(name);
        self
    }

    /// Signs with that key, under its `kid` and its `alg`.
    pub(crate) fn key(mut self, key: &TestKey) -> Self {
        self.key = key.clone();
        self.header("kid", json!(key.kid())).header("alg", json!(key.alg()))
    }

    /// Signs with that key, and leaves the header as it is.
    pub(crate) fn signed_by(mut self, key: &TestKey) -> Self {
        self.key = key.clone();
        self
    }

    /// The header, to the letter.
    pub(crate) fn raw_header(mut self, json: &str) -> Self {
        self.raw_header = Some(json.to_owned());
        self
    }

    /// The claims, to the letter.
    pub(crate) fn raw_claims(mut self, json: &str) -> Self {
        self.raw_claims = Some(json.to_owned());
        self
    }

    /// The third part, to the letter.
    pub(crate) fn raw_signature(mut self, part: &str) -> Self {
        self.raw_signature = Some(part.to_owned());
        self
    }

    /// The claims as JSON, to change by hand.
    pub(crate) fn claims_json(&self) -> String {
        Value::Object(self.claims.clone()).to_string()
    }

    /// The header as JSON, to change by hand.
    pub(crate) fn header_json(&self) -> String {
        Value::Object(self.header.clone()).to_string()
    }

    /// The token.
    pub(crate) fn sign(&self) -> String {
        let header = self.raw_header.clone().unwrap_or_else(|| self.header_json());
        let claims = self.raw_claims.clone().unwrap_or_else(|| self.claims_json());
        let [header, claims] = [header, claims].map(|json| URL_SAFE_NO_PAD.encode(json));
        let message = format!("{header}.{claims}");
        let alg = self.header.get("alg").and_then(Value::as_str).unwrap_or_default();
        let signed = || URL_SAFE_NO_PAD.encode(self.key.sign(alg, message.as_bytes()));
        let signature = self.raw_signature.clone().unwrap_or_else(signed);
        format!("{message}.{signature}")
    }
}
