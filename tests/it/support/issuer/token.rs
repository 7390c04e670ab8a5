//! Builds valid and invalid tokens.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use super::{AUDIENCE, NOW, TestKey};

/// Builds a token. It accepts every header and claim, so that tests can build invalid tokens.
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
    /// Returns the builder of a valid token of the issuer, signed with the key.
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

    /// Sets the `sub` claim.
    pub(crate) fn subject(self, subject: &str) -> Self {
        self.claim("sub", json!(subject))
    }

    /// Sets the `groups` claim.
    pub(crate) fn groups<'a>(self, groups: impl IntoIterator<Item = &'a str>) -> Self {
        self.claim("groups", groups.into_iter().collect())
    }

    /// Sets the `iat` claim, in seconds since 1970.
    pub(crate) fn issued_at(self, seconds: i64) -> Self {
        self.claim("iat", json!(seconds))
    }

    /// Sets the `exp` claim, in seconds since 1970.
    pub(crate) fn expires_at(self, seconds: i64) -> Self {
        self.claim("exp", json!(seconds))
    }

    /// Sets a claim.
    pub(crate) fn claim(mut self, name: &str, value: Value) -> Self {
        self.claims.insert(name.to_owned(), value);
        self
    }

    /// Removes a claim.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Sets a member of the header. `alg` selects the scheme of an RSA key.
    pub(crate) fn header(mut self, name: &str, value: Value) -> Self {
        self.header.insert(name.to_owned(), value);
        self
    }

    /// Removes a member of the header.
    pub(crate) fn without_header(mut self, name: &str) -> Self {
        self.header.remove(name);
        self
    }

    /// Signs with the key, and sets its `kid` and `alg` in the header.
    pub(crate) fn key(mut self, key: &TestKey) -> Self {
        self.key = key.clone();
        self.header("kid", json!(key.kid())).header("alg", json!(key.alg()))
    }

    /// Signs with the key, and does not change the header.
    pub(crate) fn signed_by(mut self, key: &TestKey) -> Self {
        self.key = key.clone();
        self
    }

    /// Replaces the header by exactly this JSON text.
    pub(crate) fn raw_header(mut self, json: &str) -> Self {
        self.raw_header = Some(json.to_owned());
        self
    }

    /// Replaces the claims by exactly this JSON text.
    pub(crate) fn raw_claims(mut self, json: &str) -> Self {
        self.raw_claims = Some(json.to_owned());
        self
    }

    /// Replaces the encoded signature by exactly this text.
    pub(crate) fn raw_signature(mut self, part: &str) -> Self {
        self.raw_signature = Some(part.to_owned());
        self
    }

    /// Returns the claims as JSON text, for tests that edit it.
    pub(crate) fn claims_json(&self) -> String {
        Value::Object(self.claims.clone()).to_string()
    }

    /// Returns the header as JSON text, for tests that edit it.
    pub(crate) fn header_json(&self) -> String {
        Value::Object(self.header.clone()).to_string()
    }

    /// Returns the signed token.
    pub(crate) fn sign(&self) -> String {
        let header = self.raw_header.clone().unwrap_or_else(|| self.header_json());
        let claims = self.raw_claims.clone().unwrap_or_else(|| self.claims_json());
        let [header, claims] = [header, claims].map(|json| URL_SAFE_NO_PAD.encode(json));
        let message = format!("{header}.{claims}");
        let alg = self.header.get("alg").and_then(Value::as_str).unwrap_or_default();
        let sign = || self.key.sign(alg, message.as_bytes());
        let signature = self.raw_signature.clone().unwrap_or_else(sign);
        format!("{message}.{signature}")
    }
}
