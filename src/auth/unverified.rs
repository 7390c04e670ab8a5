//! Parses a token without trusting any of its contents.
//!
//! The parser checks syntax and header. It never reads `jwk`, `jku`, `x5u`, `x5c` and similar
//! header parameters, because a key comes only from the issuer's key set. The claims are available
//! only after [`UnverifiedJws::verify_signature`]. The exception is the issuer, which selects the
//! key set.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use super::{
    algorithm::{self, Algorithm},
    bearer::UnverifiedToken,
    error::TokenError,
    json_object::UniqueKeyObject,
    jwk::PublicKey,
};

/// The maximum length of a token, in bytes.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// A JWS in compact form (RFC 7515 section 7.1) whose header the gateway supports.
pub(super) struct UnverifiedJws<'a> {
    /// The JWS signing input: header and payload, as received.
    signing_input: &'a str,
    unverified_claims: UniqueKeyObject,
    signature: Vec<u8>,
    kid: Option<String>,
    algorithm: Algorithm,
}

impl<'a> UnverifiedJws<'a> {
    /// Parses a token and checks its header.
    pub(super) fn parse(unverified_token: UnverifiedToken<'a>) -> Result<Self, TokenError> {
        let unverified = unverified_token.as_str();
        if unverified.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::TooLong);
        }
        let (signing_input, signature) =
            unverified.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = signing_input.split_once('.').ok_or(TokenError::Malformed)?;
        if payload.contains('.') {
            return Err(TokenError::Malformed);
        }
        let header = decode_object(header)?;
        let algorithm = check_header(&header)?;
        let kid = match header.get("kid") {
            None => None,
            Some(Value::String(kid)) => Some(kid.clone()),
            Some(_) => return Err(TokenError::Malformed),
        };
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenError::Malformed)?;
        let unverified_claims = decode_object(payload)?;
        Ok(Self { signing_input, unverified_claims, signature, kid, algorithm })
    }

    /// Returns the issuer that the token claims. Use it only to select a verifier.
    pub(super) fn unverified_issuer(&self) -> Option<&str> {
        self.unverified_claims.get_str("iss")
    }

    pub(super) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Verifies the signature with one of these keys and returns the claims.
    pub(super) fn verify_signature(
        &self,
        keys: &[Arc<PublicKey>],
    ) -> Result<&UniqueKeyObject, TokenError> {
        let message = self.signing_input.as_bytes();
        if !keys.iter().any(|key| key.verifies(self.algorithm, message, &self.signature)) {
            return Err(TokenError::Signature);
        }
        Ok(&self.unverified_claims)
    }
}

fn decode_object(part: &str) -> Result<UniqueKeyObject, TokenError> {
    let json = URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)?;
    UniqueKeyObject::parse(&json).ok_or(TokenError::Malformed)
}

/// Checks that the gateway supports the header, and returns its algorithm.
fn check_header(header: &UniqueKeyObject) -> Result<Algorithm, TokenError> {
    // A recipient must understand every extension in `crit` (RFC 7515 section 4.1.11). The gateway
    // implements none.
    if header.get("crit").is_some() {
        return Err(TokenError::UnsupportedCrit);
    }
    let is_supported = |typ: &Value| typ.as_str().is_some_and(is_access_token_type);
    if header.get("typ").is_some_and(|typ| !is_supported(typ)) {
        return Err(TokenError::UnexpectedTyp);
    }
    let alg = header.get_str("alg").ok_or(TokenError::Algorithm)?;
    algorithm::parse(alg).ok_or(TokenError::Algorithm)
}

/// Compares `typ` with the accepted values, without regard to case.
///
/// It is a media type, whose prefix `application/` is usually left out (RFC 7515 section 4.1.9,
/// RFC 9068 section 4).
fn is_access_token_type(typ: &str) -> bool {
    ["JWT", "at+jwt", "application/at+jwt"]
        .iter()
        .any(|accepted| accepted.eq_ignore_ascii_case(typ))
}
