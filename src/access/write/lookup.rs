//! Lookups of the entities that a command changes or needs.

use super::invitation::InvitationWithTenant;
use crate::{
    access::{error::AccessError, session::Session},
    domain::{
        edit::subscription::SubscriptionWithTenant,
        id::{InvitationId, SubscriptionId, TenantId, UserId},
        tenant::Tenant,
        user::User,
    },
    store::{TenantKeys, UserKeys},
};

impl Session {
    /// Returns a tenant that the viewer can see.
    pub(super) async fn require_tenant(&self, id: TenantId) -> Result<Tenant, AccessError> {
        let tenant = self.tenants(&[id]).await?.remove(&id).ok_or(AccessError::NotFound)?;
        Ok((*tenant?).clone())
    }

    /// Returns a tenant that the viewer has just left, and so can no longer see.
    pub(super) async fn tenant_after_leaving(&self, id: TenantId) -> Result<Tenant, AccessError> {
        let tenants = self.counted_store()?.tenants(TenantKeys::Ids(&[id])).await?;
        Ok(tenants.into_iter().next().ok_or(AccessError::NotFound)??)
    }

    /// Returns a user without a check of its visibility. The command must have authorized the
    /// viewer before.
    pub(super) async fn require_user(&self, id: UserId) -> Result<User, AccessError> {
        let users = self.counted_store()?.users(UserKeys::Ids(&[id])).await?;
        Ok(users.into_iter().next().ok_or(AccessError::NotFound)??)
    }

    /// Returns a subscription with its tenant. If the tenant was deleted, the subscription counts
    /// as absent.
    pub(super) async fn require_subscription(
        &self,
        id: SubscriptionId,
    ) -> Result<SubscriptionWithTenant, AccessError> {
        let stored = self.subscriptions(&[id]).await?.remove(&id).ok_or(AccessError::NotFound)?;
        let subscription = (*stored?).clone();
        let tenant = self.require_tenant(subscription.tenant_id).await?;
        Ok(SubscriptionWithTenant { subscription, tenant })
    }

    /// Returns an invitation with its tenant. If the tenant was deleted, the invitation counts as
    /// absent.
    pub(super) async fn require_invitation(
        &self,
        id: InvitationId,
    ) -> Result<InvitationWithTenant, AccessError> {
        let stored = self.invitations(&[id]).await?.remove(&id).ok_or(AccessError::NotFound)?;
        let invitation = (*stored?).clone();
        let tenant = self.require_tenant(invitation.tenant_id).await?;
        Ok(InvitationWithTenant { invitation, tenant })
    }
}
