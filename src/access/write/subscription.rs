//! The commands that create, update and delete subscriptions, for platform admins.

use super::command::Command;
use crate::{
    access::{error::AccessError, session::Session, viewer::Viewer},
    domain::{
        edit::{
            self, Edit,
            subscription::{SubscriptionPatch, SubscriptionWithTenant},
        },
        id::{SubscriptionId, TenantId},
    },
    policy::PlatformAction,
};

/// Creates a subscription of a tenant.
#[derive(Clone, Debug)]
pub struct CreateSubscription {
    /// The tenant of the new subscription.
    pub tenant: TenantId,
    /// The fields of the new subscription.
    pub patch: SubscriptionPatch,
}

/// Updates a subscription. A change of the plan may change the tenant's plan too.
#[derive(Clone, Debug)]
pub struct UpdateSubscription {
    /// The subscription to update.
    pub id: SubscriptionId,
    /// The version that must be stored, or `None` to accept any.
    pub version: Option<i32>,
    /// The fields to change.
    pub patch: SubscriptionPatch,
}

/// Deletes a subscription. Its tenant keeps the plan.
#[derive(Clone, Copy, Debug)]
pub struct DeleteSubscription {
    /// The subscription to delete.
    pub id: SubscriptionId,
    /// The version that must be stored, or `None` to accept any.
    pub version: Option<i32>,
}

impl Command for CreateSubscription {
    type Action = PlatformAction;
    type Output = SubscriptionWithTenant;

    const ACTION: PlatformAction = PlatformAction::ManageSubscriptions;

    fn target(&self) {}

    async fn decide(
        &self,
        session: &Session,
        viewer: &Viewer,
        (): (),
    ) -> Result<Edit<SubscriptionWithTenant>, AccessError> {
        let tenant = session.require_tenant(self.tenant).await?;
        let id = SubscriptionId::new(session.access.clock.object_id());
        let context = session.audit_context().with_actor(viewer.user());
        Ok(edit::subscription::create(id, &tenant, self.patch.clone(), &context)?)
    }
}

impl Command for UpdateSubscription {
    type Action = PlatformAction;
    type Output = SubscriptionWithTenant;

    const ACTION: PlatformAction = PlatformAction::ManageSubscriptions;

    fn target(&self) {}

    async fn decide(
        &self,
        session: &Session,
        viewer: &Viewer,
        (): (),
    ) -> Result<Edit<SubscriptionWithTenant>, AccessError> {
        let stored = session.require_subscription(self.id).await?;
        let context = session.audit_context().with_actor(viewer.user());
        Ok(edit::subscription::update(&stored, self.version, self.patch.clone(), &context)?)
    }
}

impl Command for DeleteSubscription {
    type Action = PlatformAction;
    type Output = SubscriptionId;

    const ACTION: PlatformAction = PlatformAction::ManageSubscriptions;

    fn target(&self) {}

    async fn decide(
        &self,
        session: &Session,
        viewer: &Viewer,
        (): (),
    ) -> Result<Edit<SubscriptionId>, AccessError> {
        let stored = session.require_subscription(self.id).await?.subscription;
        let context = session.audit_context().with_actor(viewer.user());
        Ok(edit::subscription::delete(&stored, self.version, &context)?)
    }
}
