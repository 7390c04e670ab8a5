//! Making, changing and deleting tenants.

use super::{Command, Refusal, Session, Viewer};
use crate::{
    domain::{
        edit::{
            self, Edit,
            tenant::{NewTenant, TenantPatch},
        },
        id::{SubscriptionId, TenantId},
        tenant::Tenant,
    },
    policy::{PlatformAction, TenantAction},
};

/// Makes a tenant with its first subscription. For platform admins.
#[derive(Clone, Debug)]
pub struct CreateTenant {
    /// What it is to be.
    pub patch: TenantPatch,
}

/// Changes a tenant: its profile for its admins, everything for platform admins.
#[derive(Clone, Debug)]
pub struct UpdateTenant {
    /// Which.
    pub id: TenantId,
    /// Only where the stored version is this one.
    pub version: Option<i32>,
    /// The change.
    pub patch: TenantPatch,
}

/// Deletes a tenant with its subscriptions and memberships. For platform admins.
#[derive(Clone, Copy, Debug)]
pub struct DeleteTenant {
    /// Which.
    pub id: TenantId,
    /// Only where the stored version is this one.
    pub version: Option<i32>,
}

impl Command for CreateTenant {
    type Outcome = Tenant;

    async fn decide(&self, session: &Session, viewer: &Viewer) -> Result<Edit<Tenant>, Refusal> {
        viewer.may_platform(PlatformAction::ManageTenants)?;
        let clock = &session.access.clock;
        let ids = NewTenant {
            tenant: TenantId::new(clock.object_id()),
            subscription: SubscriptionId::new(clock.object_id()),
        };
        Ok(edit::tenant::create(ids, self.patch.clone(), &session.deed(viewer))?)
    }
}

impl Command for UpdateTenant {
    type Outcome = Tenant;

    async fn decide(&self, session: &Session, viewer: &Viewer) -> Result<Edit<Tenant>, Refusal> {
        let stored = session.tenant_to_change(self.id).await?;
        viewer.may(self.id, TenantAction::UpdateProfile)?;
        if self.patch.names_platform_fields() {
            viewer.may(self.id, TenantAction::UpdatePlatformFields)?;
        }
        let default = &session.access.rules.default_tenant;
        if stored.slug == *default && !self.patch.slug.leaves(default) {
            return Err(Refusal::Forbidden);
        }
        viewer.may_write(&stored)?;
        let tenant = edit::tenant::update(&stored, self.version, self.patch.clone())?;
        let live = match tenant.plan == stored.plan {
            true => None,
            false => session.live_subscriptions(&[self.id]).await?.remove(&self.id).transpose()?,
        };
        let deed = session.deed(viewer);
        Ok(edit::tenant::commit_update(&stored, tenant, live.as_deref(), &deed))
    }
}

impl Command for DeleteTenant {
    type Outcome = TenantId;

    async fn decide(&self, session: &Session, viewer: &Viewer) -> Result<Edit<TenantId>, Refusal> {
        viewer.may_platform(PlatformAction::ManageTenants)?;
        let stored = session.tenant_to_change(self.id).await?;
        if stored.slug == session.access.rules.default_tenant {
            return Err(Refusal::Forbidden);
        }
        Ok(edit::tenant::delete(&stored, self.version, &session.deed(viewer))?)
    }
}
