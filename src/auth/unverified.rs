//! A token as it came: taken apart, and nothing of it believed.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use super::{
    algorithm::Algorithm, bearer::UnverifiedToken, json_object::UniqueKeyObject, jwk::PublicKey,
    token::TokenError,
};

/// The longest token, in bytes.
const MAX_BYTES: usize = 16 * 1024;

/// A JWS in compact form (RFC 7515 section 7.1) whose header asks for nothing that is not done here.
///
/// `jwk`, `jku`, `x5u`, `x5c` and their like are not even read: a key comes from the issuer's set.
pub(super) struct UnverifiedJws<'a> {
    /// What was signed: header and payload, as they came.
    message: &'a str,
    unverified_claims: UniqueKeyObject,
    signature: Vec<u8>,
    kid: Option<String>,
    algorithm: Algorithm,
}

impl<'a> UnverifiedJws<'a> {
    pub(super) fn read(unverified: UnverifiedToken<'a>) -> Result<Self, TokenError> {
        let unverified = unverified.text();
        if unverified.len() > MAX_BYTES {
            return Err(TokenError::TooLong);
        }
        let (message, signature) = unverified.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(TokenError::Malformed)?;
        if payload.contains('.') {
            return Err(TokenError::Malformed);
        }
        let header = object(header)?;
        let algorithm = check_header(&header)?;
        let kid = match header.get("kid") {
            None => None,
            Some(Value::String(kid)) => Some(kid.clone()),
            Some(_) => return Err(TokenError::Malformed),
        };
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenError::Malformed)?;
        let unverified_claims = object(payload)?;
        Ok(Self { message, unverified_claims, signature, kid, algorithm })
    }

    /// Who may have issued it: for choosing whom to ask, and for nothing else.
    pub(super) fn unverified_issuer(&self) -> Option<&str> {
        self.unverified_claims.text("iss")
    }

    pub(super) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The claims, once this key is known to have signed them.
    pub(super) fn claims(&self, key: &PublicKey) -> Result<&UniqueKeyObject, TokenError> {
        if !key.verifies(self.algorithm, self.message.as_bytes(), &self.signature) {
            return Err(TokenError::Signature);
        }
        Ok(&self.unverified_claims)
    }
}

fn object(part: &str) -> Result<UniqueKeyObject, TokenError> {
    let json = URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)?;
    UniqueKeyObject::read(&json).ok_or(TokenError::Malformed)
}

/// The algorithm of a header that may be accepted at all.
fn check_header(header: &UniqueKeyObject) -> Result<Algorithm, TokenError> {
    // Whatever is critical would have to be understood (RFC 7515 section 4.1.11), and nothing is.
    if header.get("crit").is_some() {
        return Err(TokenError::UnsupportedCrit);
    }
    let type_known = |typ: &Value| typ.as_str().is_some_and(is_access_token);
    if header.get("typ").is_some_and(|typ| !type_known(typ)) {
        return Err(TokenError::UnexpectedTyp);
    }
    let alg = header.text("alg").ok_or(TokenError::Algorithm)?;
    Algorithm::from_name(alg).ok_or(TokenError::Algorithm)
}

/// Media types compare without regard to case (RFC 7515 section 4.1.9, RFC 9068 section 2.1).
fn is_access_token(typ: &str) -> bool {
    ["JWT", "at+jwt"].iter().any(|known| known.eq_ignore_ascii_case(typ))
}
