//! The caller: the identity and the claims of a verified token.

use crate::domain::{sync::TokenProfile, user::Identity};

/// The identity of a verified token, with its claims for the sync of `me` and for the check whether
/// the token is older than a deletion of its user.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The issuer and subject of the token.
    pub identity: Identity,
    /// The other claims of the token.
    pub profile: TokenProfile,
}
