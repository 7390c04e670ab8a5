//! Tokens of invitations: the identifier, and a signature of it and of the generation.
//!
//! Nothing is stored but the generation. So every instance can derive the token, and a copy of the
//! database has none. A token must not reach a log, a trace, a metric, the history or a stored
//! response.

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use super::secrets::Secrets;
use crate::domain::{
    id::{InvitationId, ObjectId},
    invitation::Invitation,
};

/// The length of a signature, in bytes.
const SIGNATURE_LENGTH: usize = 32;
/// The length of a token, in characters.
const TOKEN_LENGTH: usize = 59;

/// A well-formed token, whose signature was not verified.
pub(super) struct UnverifiedToken {
    pub(super) id: InvitationId,
    signature: [u8; SIGNATURE_LENGTH],
}

impl UnverifiedToken {
    /// The token that is looked up for a malformed one. No invitation has its identifier.
    pub(super) const NONE: Self =
        Self { id: InvitationId::new(ObjectId::MIN), signature: [0; SIGNATURE_LENGTH] };

    /// Parses a token. Returns `None` if it is malformed.
    pub(super) fn parse(token: &str) -> Option<Self> {
        if token.len() != TOKEN_LENGTH {
            return None;
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
        let (id, signature) = bytes.split_first_chunk()?;
        let id = InvitationId::new(ObjectId(*id));
        Some(Self { id, signature: signature.try_into().ok()? })
    }
}

impl Secrets {
    /// Returns the present token of an invitation.
    #[must_use]
    pub fn invitation_token(&self, invitation: &Invitation) -> Option<String> {
        let Invitation { id, generation, .. } = invitation;
        let signature = hmac::sign(self.invitation_tokens.first()?, &message(*id, *generation));
        let bytes = [&id.raw.0, signature.as_ref()].concat();
        Some(BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Returns whether a token has a signature of this generation, in constant time.
    pub(super) fn verify_invitation_token(&self, token: &UnverifiedToken, generation: i32) -> bool {
        let message = message(token.id, generation);
        let verifies = |key| hmac::verify(key, &message, &token.signature).is_ok();
        self.invitation_tokens.iter().any(verifies)
    }
}

fn message(id: InvitationId, generation: i32) -> [u8; 16] {
    let mut message = [0; 16];
    message[..12].copy_from_slice(&id.raw.0);
    message[12..].copy_from_slice(&generation.to_be_bytes());
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        id::{TenantId, UserId},
        invitation::{InvitationStatus, MailStatus},
        time::Timestamp,
        user::TenantRole,
    };

    fn secrets(secrets: &[[u8; 32]]) -> Secrets {
        Secrets::derive(secrets.iter().map(<[u8; 32]>::as_slice)).expect("keys")
    }

    fn invitation(generation: i32) -> Invitation {
        Invitation {
            id: InvitationId::new(ObjectId([7; 12])),
            tenant_id: TenantId::new(ObjectId([1; 12])),
            email: "ada@example.org".to_owned(),
            role: TenantRole::Member,
            status: InvitationStatus::Pending,
            mail: MailStatus::None,
            generation,
            invited_by: UserId::new(ObjectId([2; 12])),
            accepted_by: None,
            accepted_at: None,
            expires_at: Timestamp::MAX,
            version: 1,
            created_at: Timestamp::MAX,
        }
    }

    fn is_valid(secrets: &Secrets, token: &str, generation: i32) -> bool {
        UnverifiedToken::parse(token)
            .is_some_and(|token| secrets.verify_invitation_token(&token, generation))
    }

    #[test]
    fn token_is_valid_for_its_generation_and_unchanged_only() {
        let secrets = secrets(&[[1; 32]]);
        let token = secrets.invitation_token(&invitation(1)).expect("a token");
        assert_eq!(token.len(), TOKEN_LENGTH);
        assert!(is_valid(&secrets, &token, 1));
        assert!(!is_valid(&secrets, &token, 2));
        for index in 0..token.len() {
            for other in ['A', 'B', '-', '=', '+', ' '] {
                let mut changed = token.clone();
                changed.replace_range(index..=index, &other.to_string());
                assert!(changed == token || !is_valid(&secrets, &changed, 1), "{index}{other}");
            }
        }
        for malformed in ["", "A", &token[1..], &format!("{token}A"), &format!("{token}=")] {
            assert!(UnverifiedToken::parse(malformed).is_none(), "{malformed}");
        }
    }

    #[test]
    fn first_secret_signs_and_all_verify() {
        let (old, both, new) =
            (secrets(&[[1; 32]]), secrets(&[[2; 32], [1; 32]]), secrets(&[[2; 32]]));
        let token = |secrets: &Secrets| secrets.invitation_token(&invitation(1)).expect("a token");
        assert!(is_valid(&both, &token(&old), 1));
        assert!(is_valid(&new, &token(&both), 1));
        assert!(!is_valid(&new, &token(&old), 1));
    }
}
