//! Cursors of live operations: encrypted positions in the change feed.
//!
//! A position tells how many changes other tenants make, so a client must not be able to read it. A
//! cursor is valid for one user and one topic only.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use super::topic::LiveTopic;
use crate::domain::{id::UserId, live::FeedPosition};

/// The version of the format. It is the first byte of every cursor.
const VERSION: u8 = 1;
/// The maximum length of a cursor, in characters. Positions are much shorter.
const MAX_LENGTH: usize = 2_048;

/// The keys that encrypt and authenticate cursors. The first one encrypts. All instances of the
/// gateway share them.
pub(super) struct CursorKeys(Vec<RandomizedNonceKey>);

impl CursorKeys {
    /// Creates each key from 32 random bytes. Returns `None` if the cryptographic library fails.
    pub(super) fn new(keys: &[[u8; 32]]) -> Option<Self> {
        let keys = keys.iter().map(|key| RandomizedNonceKey::new(&AES_256_GCM, key).ok());
        keys.collect::<Option<_>>().map(Self)
    }

    /// Returns the cursor of a position. Returns `None` if the cryptographic library fails.
    pub(super) fn seal(
        &self,
        position: &FeedPosition,
        topic: LiveTopic,
        user: UserId,
    ) -> Option<String> {
        let mut sealed = position.0.to_vec();
        let context = Aad::from(context(topic, user));
        let nonce = self.0.first()?.seal_in_place_append_tag(context, &mut sealed).ok()?;
        let cursor = [&[VERSION], nonce.as_ref().as_slice(), &sealed].concat();
        Some(BASE64_URL_SAFE_NO_PAD.encode(cursor))
    }

    /// Returns the position of a cursor. Returns `None` if the cursor is malformed, or belongs to
    /// another user, another topic or another database.
    pub(super) fn open(
        &self,
        cursor: &str,
        topic: LiveTopic,
        user: UserId,
    ) -> Option<FeedPosition> {
        if cursor.len() > MAX_LENGTH {
            return None;
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (nonce, sealed) = bytes.strip_prefix(&[VERSION])?.split_at_checked(NONCE_LEN)?;
        self.0.iter().find_map(|key| {
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let mut sealed = sealed.to_vec();
            let context = Aad::from(context(topic, user));
            let position = key.open_in_place(nonce, context, &mut sealed).ok()?;
            Some(FeedPosition((&*position).into()))
        })
    }
}

/// Returns the bytes that identify the operation to which a cursor belongs.
fn context(topic: LiveTopic, user: UserId) -> Vec<u8> {
    let name: &[u8] = match topic {
        LiveTopic::Me => b"me",
        LiveTopic::Tenant(_) => b"tenant",
        LiveTopic::Tenants => b"tenants",
        LiveTopic::Subscriptions(_) => b"subscriptions",
    };
    let tenant = topic.tenant().map_or([0; 12], |tenant| tenant.raw.0);
    [name, b":", &tenant, &user.raw.0].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{ObjectId, TenantId};

    #[test]
    fn cursor_is_valid_for_its_user_and_topic_only() {
        let key = CursorKeys::new(&[[7; 32]]).expect("a key");
        let (user, other) = (UserId::new(ObjectId([1; 12])), UserId::new(ObjectId([2; 12])));
        let topic = LiveTopic::Tenant(TenantId::new(ObjectId([3; 12])));
        let position = FeedPosition([0, 0, 0, 0, 0, 0, 0, 9].into());
        let cursor = key.seal(&position, topic, user).expect("a cursor");
        assert_eq!(key.open(&cursor, topic, user), Some(position.clone()));
        assert_ne!(key.seal(&position, topic, user).expect("a cursor"), cursor);
        assert_eq!(key.open(&cursor, topic, other), None);
        assert_eq!(key.open(&cursor, LiveTopic::Tenants, user), None);
        let other_tenant = LiveTopic::Tenant(TenantId::new(ObjectId([4; 12])));
        assert_eq!(key.open(&cursor, other_tenant, user), None);
        let other_key = CursorKeys::new(&[[8; 32]]).expect("a key");
        assert_eq!(other_key.open(&cursor, topic, user), None);
        let both = CursorKeys::new(&[[8; 32], [7; 32]]).expect("keys");
        assert_eq!(both.open(&cursor, topic, user), Some(position.clone()));
        let mut tampered = BASE64_URL_SAFE_NO_PAD.decode(&cursor).expect("base64");
        for index in 0..tampered.len() {
            tampered[index] ^= 1;
            assert_eq!(key.open(&BASE64_URL_SAFE_NO_PAD.encode(&tampered), topic, user), None);
            tampered[index] ^= 1;
        }
        for invalid in ["", "AQ", "!", &cursor[1..], &"A".repeat(10_000)] {
            assert_eq!(key.open(invalid, topic, user), None, "{invalid}");
        }
    }
}
