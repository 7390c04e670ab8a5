//! The secrets of the operator, and the keys that are derived from them.
//!
//! Each purpose has keys of its own (HKDF, RFC 5869), so that a value of one purpose is never valid
//! for another. The first secret signs, and all verify. So the operator can replace a secret.

use aws_lc_rs::{
    hkdf::{HKDF_SHA256, Salt},
    hmac::{HMAC_SHA256, Key},
};

/// The purpose of the keys of invitation tokens.
const INVITATION_TOKENS: &[u8] = b"tenantry invitation tokens 1";
/// The purpose of the keys of live cursors.
const LIVE_CURSORS: &[u8] = b"tenantry live cursors 1";

/// The keys of all secrets, in the order of the secrets. There is at least one.
pub struct Secrets {
    pub(super) invitation_tokens: Vec<Key>,
    pub(super) live_cursors: Vec<[u8; 32]>,
}

impl Secrets {
    /// Derives the keys of these secrets. Returns `None` without a secret, or if the cryptographic
    /// library fails.
    pub fn derive<'a>(secrets: impl IntoIterator<Item = &'a [u8]>) -> Option<Self> {
        let (mut invitation_tokens, mut live_cursors) = (Vec::new(), Vec::new());
        for secret in secrets {
            invitation_tokens.push(Key::new(HMAC_SHA256, &derive_key(secret, INVITATION_TOKENS)?));
            live_cursors.push(derive_key(secret, LIVE_CURSORS)?);
        }
        (!live_cursors.is_empty()).then_some(Self { invitation_tokens, live_cursors })
    }
}

fn derive_key(secret: &[u8], purpose: &[u8]) -> Option<[u8; 32]> {
    let key = Salt::new(HKDF_SHA256, &[]).extract(secret);
    let mut bytes = [0; 32];
    key.expand(&[purpose], HKDF_SHA256).ok()?.fill(&mut bytes).ok()?;
    Some(bytes)
}
