//! Making, changing and deleting subscriptions. All of it is for platform admins.

use super::{Command, Refusal, Session, Subscribed, Viewer};
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
    type Outcome = Subscribed;

    async fn decide(
        &self,
        session: &Session,
        viewer: &Viewer,
    ) -> Result<Edit<Subscribed>, Refusal> {
        viewer.may_platform(PlatformAction::ManageSubscriptions)?;
        let tenant = session.tenant_to_change(self.tenant).await?;
        let id = SubscriptionId::new(session.access.clock.object_id());
        let deed = session.deed(viewer);
        Ok(edit::subscription::create(id, &tenant, self.patch.clone(), &deed)?)
    }
}

impl Command for UpdateSubscription {
    type Outcome = Subscribed;

    async fn decide(
        &self,
        session: &Session,
        viewer: &Viewer,
    ) -> Result<Edit<Subscribed>, Refusal> {
        viewer.may_platform(PlatformAction::ManageSubscriptions)?;
        let stored = session.subscribed(self.id).await?;
        let deed = session.deed(viewer);
        Ok(edit::subscription::update(&stored, self.version, self.patch.clone(), &deed)?)
    }
}

impl Command for DeleteSubscription {
    type Outcome = SubscriptionId;

    async fn decide(
        &self,
        session: &Session,
        viewer: &Viewer,
    ) -> Result<Edit<SubscriptionId>, Refusal> {
        viewer.may_platform(PlatformAction::ManageSubscriptions)?;
        let stored = session.subscribed(self.id).await?.subscription;
        Ok(edit::subscription::delete(&stored, self.version, &session.deed(viewer))?)
    }
}

impl Session {
    /// A subscription with its tenant; one that outlived it does not exist.
    pub(super) async fn subscribed(&self, id: SubscriptionId) -> Result<Subscribed, Refusal> {
        let found = self.subscriptions(&[id]).await?.remove(&id).ok_or(Refusal::NotFound)?;
        let subscription = (*found?).clone();
        let tenant = self.tenant_to_change(subscription.tenant_id).await?;
        Ok(Subscribed { subscription, tenant })
    }
}
