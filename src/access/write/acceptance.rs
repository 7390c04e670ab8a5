//! The acceptance of an invitation, also by a caller who has no user yet.

use super::{command::Decision, member::MembershipChange, output::CommandOutput};
use crate::{
    access::{error::AccessError, invitee::Offer, session::Session},
    domain::{
        change::UniqueField,
        edit::{
            Edit,
            invitation::{self, Invitee},
        },
        id::UserId,
        sync,
    },
};

/// Accepts the invitation with this token.
struct Acceptance<'a> {
    token: &'a str,
}

impl Session {
    /// Accepts the invitation with this token, and returns the membership of the caller.
    ///
    /// Creates the caller's user if there is none. The viewer need not be loaded.
    pub async fn accept_invitation(&self, token: &str) -> Result<MembershipChange, AccessError> {
        let run = self.request.run.get();
        if let Some(ids) = run.and_then(|run| run.completed_ids(self.root_field_index)) {
            self.viewer(false).await?;
            return MembershipChange::reload(self, ids).await;
        }
        self.execute_decision(&Acceptance { token }).await
    }
}

impl Decision for Acceptance<'_> {
    type Output = MembershipChange;

    /// Another request has created the user in between.
    const RETRIED_CONFLICT: Option<UniqueField> = Some(UniqueField::Subject);

    async fn decide(&self, session: &Session) -> Result<Edit<MembershipChange>, AccessError> {
        let caller = session.request.caller.as_ref().ok_or(AccessError::Unauthenticated)?;
        let (stored, tombstone) = session.user_and_tombstone(caller).await?;
        session.require_secrets()?;
        let offer = session.find_offer(self.token).await?.ok_or(AccessError::NotFound)?;
        offer.check(caller, &session.access.invitations)?;
        let Offer { invitation, tenant, inviter } = offer;
        let invitee = match stored {
            Some(user) => Invitee::Stored(user),
            None => {
                let (id, identity) = (session.access.clock.object_id(), caller.identity.clone());
                let (id, context) = (UserId::new(id), session.audit_context());
                let tombstone = tombstone.as_ref();
                let created =
                    sync::create(id, identity, &caller.profile, None, tombstone, &context);
                Invitee::New(created)
            }
        };
        let context = session.audit_context();
        let Edit { value: user, changes } =
            invitation::accept(&invitation, &tenant, &inviter, invitee, &context);
        Ok(Edit { value: MembershipChange { tenant, user }, changes })
    }
}
