//! Identifiers of entities: 12 bytes in a database, a prefix and 24 hexadecimal digits for a client.
//!
//! The types are distinct for each kind of entity, so the compiler rejects an identifier of the
//! wrong kind.

use std::{
    cmp::Ordering,
    collections::HashMap,
    fmt,
    hash::{Hash, Hasher},
    marker::PhantomData,
};

use super::time::Timestamp;

/// The 12 bytes of a BSON `ObjectId`.
///
/// The first 4 bytes are seconds since 1970 (big-endian), then 5 bytes identify the process, and
/// the last 3 are a counter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectId(pub [u8; 12]);

/// Hashes the bytes as two integers, without their constant length. A hasher takes less time for
/// integers than for a slice.
impl Hash for ObjectId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = self.0;
        state.write_u64(u64::from_ne_bytes([a, b, c, d, e, f, g, h]));
        state.write_u32(u32::from_ne_bytes([i, j, k, l]));
    }
}

/// The hasher of maps whose keys are identifiers.
///
/// It is several times faster than the default one of std. A client can choose identifiers, for
/// example in `nodes`. Each map has a random seed that no client learns, so a client cannot choose
/// identifiers with equal hashes. A request has at most a few thousand identifiers in any case.
pub type IdHasher = foldhash::fast::RandomState;

/// A map whose keys are identifiers.
pub type IdMap<K, V> = HashMap<K, V, IdHasher>;

impl ObjectId {
    /// The smallest identifier.
    pub const MIN: Self = Self([0; 12]);

    /// Creates an identifier from its three parts. Only the low 3 bytes of `count` are used.
    #[must_use]
    pub fn from_parts(at: Timestamp, process: [u8; 5], count: u32) -> Self {
        let mut bytes = [0; 12];
        // The format has 32 bits of seconds, which wrap in 2106.
        bytes[..4].copy_from_slice(&(at.seconds() as u32).to_be_bytes());
        bytes[4..9].copy_from_slice(&process);
        bytes[9..].copy_from_slice(&count.to_be_bytes()[1..]);
        Self(bytes)
    }

    /// Parses exactly 24 lower-case hexadecimal digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        // Each identifier has one spelling, because clients compare and cache them as text.
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            return None;
        }
        let mut bytes = [0; 12];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; 24];
        hex::encode_to_slice(self.0, &mut digits).map_err(|_| fmt::Error)?;
        f.write_str(std::str::from_utf8(&digits).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The kinds of entities that have identifiers.
///
/// They are separate from the entity types so that this module depends on none of them.
pub mod kind {
    /// The kind of [`TenantId`](super::TenantId).
    pub enum Tenant {}
    /// The kind of [`UserId`](super::UserId).
    pub enum User {}
    /// The kind of [`SubscriptionId`](super::SubscriptionId).
    pub enum Subscription {}
    /// The kind of [`AuditEventId`](super::AuditEventId).
    pub enum AuditEvent {}
    /// The kind of [`InvitationId`](super::InvitationId).
    pub enum Invitation {}
}

/// A kind of entity that has identifiers of its own.
pub trait Entity {
    /// The prefix of a client's identifier of this kind, with the underscore.
    const PREFIX: &'static str;
}

impl Entity for kind::Tenant {
    const PREFIX: &'static str = "ten_";
}
impl Entity for kind::User {
    const PREFIX: &'static str = "usr_";
}
impl Entity for kind::Subscription {
    const PREFIX: &'static str = "sub_";
}
impl Entity for kind::AuditEvent {
    const PREFIX: &'static str = "aud_";
}
impl Entity for kind::Invitation {
    const PREFIX: &'static str = "inv_";
}

/// The identifier of an entity of kind `E`.
///
/// `Display` writes the client's form: `ten_66f0c1…`.
pub struct Id<E> {
    /// The bytes that a database stores.
    pub raw: ObjectId,
    kind: PhantomData<fn() -> E>,
}

/// The identifier of a tenant.
pub type TenantId = Id<kind::Tenant>;
/// The identifier of a user.
pub type UserId = Id<kind::User>;
/// The identifier of a subscription.
pub type SubscriptionId = Id<kind::Subscription>;
/// The identifier of an audit event.
pub type AuditEventId = Id<kind::AuditEvent>;
/// The identifier of an invitation.
pub type InvitationId = Id<kind::Invitation>;

impl<E> Id<E> {
    /// Creates an identifier of this kind from its bytes.
    #[must_use]
    pub const fn new(raw: ObjectId) -> Self {
        Self { raw, kind: PhantomData }
    }
}

impl<E: Entity> Id<E> {
    /// Parses a client's identifier. Returns `None` if it is malformed or of another kind.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.strip_prefix(E::PREFIX).and_then(ObjectId::from_hex).map(Self::new)
    }
}

// These implementations are manual because a derive would require the same traits of `E`.
impl<E> Clone for Id<E> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<E> Copy for Id<E> {}
impl<E> PartialEq for Id<E> {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}
impl<E> Eq for Id<E> {}
impl<E> PartialOrd for Id<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<E> Ord for Id<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.raw.cmp(&other.raw)
    }
}
impl<E> Hash for Id<E> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.raw.hash(state);
    }
}
impl<E: Entity> fmt::Display for Id<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", E::PREFIX, self.raw)
    }
}
impl<E: Entity> fmt::Debug for Id<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The identifier of any entity that the root field `node` can return.
///
/// `Display` writes the client's form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NodeId {
    /// The identifier of a tenant.
    Tenant(TenantId),
    /// The identifier of a user.
    User(UserId),
    /// The identifier of a subscription.
    Subscription(SubscriptionId),
    /// The identifier of an audit event.
    AuditEvent(AuditEventId),
    /// The identifier of an invitation.
    Invitation(InvitationId),
}

impl NodeId {
    /// Parses a client's identifier of any kind. Returns `None` if it is malformed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        TenantId::parse(text)
            .map(Self::Tenant)
            .or_else(|| UserId::parse(text).map(Self::User))
            .or_else(|| SubscriptionId::parse(text).map(Self::Subscription))
            .or_else(|| AuditEventId::parse(text).map(Self::AuditEvent))
            .or_else(|| InvitationId::parse(text).map(Self::Invitation))
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tenant(id) => id.fmt(f),
            Self::User(id) => id.fmt(f),
            Self::Subscription(id) => id.fmt(f),
            Self::AuditEvent(id) => id.fmt(f),
            Self::Invitation(id) => id.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_have_one_spelling() {
        let id = TenantId::parse("ten_66f0c1000000000000000001").expect("well formed");
        assert_eq!(id.to_string(), "ten_66f0c1000000000000000001");
        for invalid in [
            "",
            "ten_",
            "usr_66f0c1000000000000000001",
            "ten_66f0c100000000000000000",
            "ten_66f0c10000000000000000011",
            "ten_66F0C1000000000000000001",
            "ten_66f0c100000000000000000g",
            "TEN_66f0c1000000000000000001",
            " ten_66f0c1000000000000000001",
            "66f0c1000000000000000001",
        ] {
            assert_eq!(TenantId::parse(invalid), None, "{invalid:?}");
        }
    }

    #[test]
    fn parts_are_in_bson_order() {
        let at = Timestamp::from_millis(1_700_000_000_999).expect("in range");
        let id = ObjectId::from_parts(at, [1, 2, 3, 4, 5], 0xff_00_00_07);
        assert_eq!(id.to_string(), "6553f1000102030405000007");
    }
}
