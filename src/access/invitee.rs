//! The look of an invitation from the side of the invited person, who has its token.
//!
//! All reasons for which a token is not valid have the same result after the same reads.

use std::sync::{Arc, atomic::Ordering};

use super::{
    caller::Caller,
    error::AccessError,
    invitation_token::UnverifiedToken,
    secrets::Secrets,
    session::{Session, reject_disabled},
    state::InvitationSettings,
    viewer::Viewer,
    write::authorize_role,
};
use crate::{
    domain::{
        id::{TenantId, UserId},
        invitation::{Invitation, InvitationStatus},
        sync,
        tenant::Tenant,
        text,
        user::{Tombstone, User},
    },
    policy::{self, EffectiveRole, TenantAction},
    store::{InvitationKeys, TenantKeys, UserKeys},
};

/// An invitation that its token opens.
pub(super) struct Offer {
    pub(super) invitation: Invitation,
    pub(super) tenant: Tenant,
    pub(super) inviter: User,
}

/// The part of an invitation that the invited person may see before the acceptance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvitationPreview {
    /// The invitation itself.
    pub invitation: Invitation,
    /// The name of its tenant.
    pub tenant_name: String,
}

impl Session {
    /// Returns the secrets of the operator.
    pub(super) fn require_secrets(&self) -> Result<&Secrets, AccessError> {
        self.access.invitations.secrets.as_ref().ok_or(AccessError::Unavailable)
    }

    /// Returns the URL at which the invitation with this token can be accepted, if one is configured.
    #[must_use]
    pub fn accept_url(&self, token: &str) -> Option<String> {
        self.access.invitations.accept_url(token)
    }

    /// Returns the time at which the status of an invitation is decided.
    #[must_use]
    pub fn status_of(&self, invitation: &Invitation) -> InvitationStatus {
        invitation.status_at(self.access.clock.now())
    }

    /// Returns the invitation with this token, if the caller could accept it now.
    ///
    /// # Errors
    ///
    /// Returns an error if the caller has a disabled user, or a token from before the deletion of its
    /// user.
    pub async fn preview_invitation(
        &self,
        token: &str,
    ) -> Result<Option<InvitationPreview>, AccessError> {
        let caller = self.request.caller.as_ref().ok_or(AccessError::Unauthenticated)?;
        self.user_and_tombstone(caller).await?;
        if self.require_secrets().is_err() {
            return Ok(None);
        }
        let settings = &self.access.invitations;
        let offer = self.find_offer(token).await?;
        let offer = offer.filter(|offer| offer.check(caller, settings).is_ok());
        Ok(offer.map(|Offer { invitation, tenant, .. }| InvitationPreview {
            invitation,
            tenant_name: tenant.name,
        }))
    }

    /// Returns the caller's user, or the tombstone of its former user.
    ///
    /// # Errors
    ///
    /// Returns an error if the user is disabled, or if the token is from before a deletion.
    pub(super) async fn user_and_tombstone(
        &self,
        caller: &Caller,
    ) -> Result<(Option<User>, Option<Tombstone>), AccessError> {
        let Caller { identity, profile } = caller;
        if let Some(user) = reject_disabled(self.stored_user(identity).await?)? {
            self.reject_token_of_deleted_user(caller, &user).await?;
            return Ok((Some(user), None));
        }
        let tombstone = self.counted_store()?.tombstone(identity).await?;
        if tombstone.as_ref().is_some_and(|t| !sync::issued_after_deletion(profile, t)) {
            return Err(AccessError::NotProvisioned);
        }
        Ok((None, tombstone))
    }

    /// Returns the invitation that a token opens. The reads are the same for every token.
    pub(super) async fn find_offer(&self, token: &str) -> Result<Option<Offer>, AccessError> {
        let secrets = self.require_secrets()?;
        let token = UnverifiedToken::parse(token).unwrap_or(UnverifiedToken::NONE);
        let keys = InvitationKeys::Ids(&[token.id]);
        let stored = self.counted_store()?.invitations(keys).await?;
        let stored = stored.into_iter().flatten().next();
        let generation = stored.as_ref().map_or(0, |invitation| invitation.generation);
        let is_signed = secrets.verify_invitation_token(&token, generation);
        let now = self.access.clock.now();
        let is_valid =
            |found: &Invitation| is_signed && found.status_at(now) == InvitationStatus::Pending;
        let invitation = stored.filter(is_valid);
        let offer = self.find_tenant_and_inviter(invitation).await?;
        if offer.is_none() {
            self.request.rejected_tokens.fetch_add(1, Ordering::Relaxed);
        }
        Ok(offer)
    }

    async fn find_tenant_and_inviter(
        &self,
        invitation: Option<Invitation>,
    ) -> Result<Option<Offer>, AccessError> {
        let none = UnverifiedToken::NONE.id.raw;
        let (tenant, inviter) = match &invitation {
            Some(invitation) => (invitation.tenant_id, invitation.invited_by),
            None => (TenantId::new(none), UserId::new(none)),
        };
        let tenants = self.counted_store()?.tenants(TenantKeys::Ids(&[tenant])).await?;
        let inviters = self.counted_store()?.users(UserKeys::Ids(&[inviter])).await?;
        let tenant = tenants.into_iter().flatten().next();
        let inviter = inviters.into_iter().flatten().next();
        let (Some(invitation), Some(tenant), Some(inviter)) = (invitation, tenant, inviter) else {
            return Ok(None);
        };
        let offer = Offer { invitation, tenant, inviter };
        Ok(offer.inviter_may_give_role().then_some(offer))
    }
}

impl Offer {
    /// Returns whether the inviter still has the right to give the role.
    fn inviter_may_give_role(&self) -> bool {
        let viewer = Viewer::new(Arc::new(self.inviter.clone()));
        let tenant = self.tenant.id;
        !self.inviter.disabled
            && viewer.authorize(tenant, TenantAction::ManageMembers).is_ok()
            && authorize_role(&viewer, tenant, self.invitation.role).is_ok()
    }

    /// Checks that the caller is the invited person, and that the tenant can get members.
    pub(super) fn check(
        &self,
        caller: &Caller,
        settings: &InvitationSettings,
    ) -> Result<(), AccessError> {
        let profile = &caller.profile;
        let email = profile.email.as_deref().and_then(text::normalize_email);
        if email.as_ref() != Some(&self.invitation.email)
            || (settings.requires_verified_email && !profile.email_verified)
        {
            return Err(AccessError::Forbidden);
        }
        match policy::is_read_only(EffectiveRole::Member, self.tenant.status) {
            true => Err(AccessError::Suspended),
            false => Ok(()),
        }
    }
}
