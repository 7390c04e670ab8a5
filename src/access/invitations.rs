//! Reads of invitations, for the admins of their tenants.

use super::{
    error::AccessError,
    read::{ResultsByKey, into_arc},
    session::Session,
};
use crate::{
    domain::{
        id::{InvitationId, TenantId},
        invitation::{Invitation, InvitationStatus},
        list::{InvitationListing, Page, PageRequest},
    },
    policy::TenantAction,
    store::InvitationKeys,
};

impl Session {
    /// Looks up invitations by their identifiers. The viewer sees those of the tenants whose
    /// invitations it may read.
    pub async fn invitations(
        &self,
        ids: &[InvitationId],
    ) -> Result<ResultsByKey<InvitationId, Invitation>, AccessError> {
        let viewer = self.loaded_viewer()?;
        let invitations = self.counted_store()?.invitations(InvitationKeys::Ids(ids)).await?;
        let by_id = invitations.into_iter().filter_map(|invitation| {
            let (id, tenant) = match &invitation {
                Ok(invitation) => (invitation.id, invitation.tenant_id),
                Err(unreadable) => (InvitationId::new(unreadable.id), unreadable.tenant?),
            };
            viewer.authorize(tenant, TenantAction::ReadInvitations).ok()?;
            Some((id, into_arc(invitation)))
        });
        Ok(by_id.collect())
    }

    /// Returns a page of the tenant's invitations, newest first.
    pub async fn invitation_page(
        &self,
        tenant: TenantId,
        status: &[InvitationStatus],
        request: &PageRequest,
    ) -> Result<Page<Invitation>, AccessError> {
        let listing = self.invitation_listing(tenant, status)?;
        Ok(self.counted_store()?.invitation_page(&listing, request).await?)
    }

    /// Counts the tenant's invitations.
    pub async fn count_invitations(
        &self,
        tenant: TenantId,
        status: &[InvitationStatus],
    ) -> Result<u64, AccessError> {
        let listing = self.invitation_listing(tenant, status)?;
        Ok(self.counted_store()?.count_invitations(&listing).await?)
    }

    fn invitation_listing(
        &self,
        tenant: TenantId,
        status: &[InvitationStatus],
    ) -> Result<InvitationListing, AccessError> {
        self.loaded_viewer()?.authorize(tenant, TenantAction::ReadInvitations)?;
        let (status, now) = (status.to_vec(), self.access.clock.now());
        Ok(InvitationListing { tenant, status, now })
    }
}
