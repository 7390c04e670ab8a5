//! Making, changing and deleting subscriptions. All of it is for platform admins.

use super::{AccessError, Command, Session, SubscriptionWithTenant, Viewer};
use crate::{
    domain::{
        edit::{self, Edit, subscription::SubscriptionPatch},
        id::{SubscriptionId, TenantId},
    },
    policy::PlatformAction,
};

/// Makes a subscription of a tenant.
#[derive(Clone, Debug)]
pub struct CreateSubscription {
    /// Whose.
    pub tenant: TenantId,
    /// What it is to be.
    pub patch: SubscriptionPatch,
}

/// Changes a subscription.
#[derive(Clone, Debug)]
pub struct UpdateSubscription {
    /// Which.
    pub id: SubscriptionId,
    /// Only where the stored version is this one.
    pub version: Option<i32>,
    /// The change.
    pub patch: SubscriptionPatch,
}

/// Deletes a subscription; its tenant keeps the plan.
#[derive(Clone, Copy, Debug)]
pub struct DeleteSubscription {
    /// Which.
    pub id: SubscriptionId,
    /// Only where the stored version is this one.
    pub version: Option<i32>,
}

impl Command for CreateSubscription {
    type Outcome = SubscriptionWithTenant;

    async fn decide(
        &self,
        session: &Session,
        viewer: &Viewer,
    ) -> Result<Edit<SubscriptionWithTenant>, AccessError> {
        viewer.authorize_platform(PlatformAction::ManageSubscriptions)?;
        let tenant = session.require_tenant(self.tenant).await?;
        let id = SubscriptionId::new(session.access.clock.object_id());
        let deed = session.audit_context(viewer);
        Ok(edit::subscription::create(id, &tenant, self.patch.clone(), &deed)?)
    }
}

impl Command for UpdateSubscription {
    type Outcome = SubscriptionWithTenant;

    async fn decide(
        &self,
        session: &Session,
        viewer: &Viewer,
    ) -> Result<Edit<SubscriptionWithTenant>, AccessError> {
        viewer.authorize_platform(PlatformAction::ManageSubscriptions)?;
        let stored = session.require_subscription(self.id).await?;
        let deed = session.audit_context(viewer);
        Ok(edit::subscription::update(&stored, self.version, self.patch.clone(), &deed)?)
    }
}

impl Command for DeleteSubscription {
    type Outcome = SubscriptionId;

    async fn decide(
        &self,
        session: &Session,
        viewer: &Viewer,
    ) -> Result<Edit<SubscriptionId>, AccessError> {
        viewer.authorize_platform(PlatformAction::ManageSubscriptions)?;
        let stored = session.require_subscription(self.id).await?.subscription;
        Ok(edit::subscription::delete(&stored, self.version, &session.audit_context(viewer))?)
    }
}

impl Session {
    /// A subscription with its tenant; one that outlived it does not exist.
    pub(super) async fn require_subscription(
        &self,
        id: SubscriptionId,
    ) -> Result<SubscriptionWithTenant, AccessError> {
        let found = self.subscriptions(&[id]).await?.remove(&id).ok_or(AccessError::NotFound)?;
        let subscription = (*found?).clone();
        let tenant = self.require_tenant(subscription.tenant_id).await?;
        Ok(SubscriptionWithTenant { subscription, tenant })
    }
}
