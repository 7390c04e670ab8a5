//! Making, changing and deleting tenants.

use super::{AccessError, Command, Session, Viewer};
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

    async fn decide(
        &self,
        session: &Session,
        viewer: &Viewer,
    ) -> Result<Edit<Tenant>, AccessError> {
        viewer.authorize_platform(PlatformAction::ManageTenants)?;
        let clock = &session.access.clock;
        let ids = NewTenant {
            tenant: TenantId::new(clock.object_id()),
            subscription: SubscriptionId::new(clock.object_id()),
        };
        Ok(edit::tenant::create(ids, self.patch.clone(), &session.audit_context(viewer))?)
    }
}

impl Command for UpdateTenant {
    type Outcome = Tenant;

    async fn decide(
        &self,
        session: &Session,
        viewer: &Viewer,
    ) -> Result<Edit<Tenant>, AccessError> {
        let stored = session.require_tenant(self.id).await?;
        viewer.authorize(self.id, TenantAction::UpdateProfile)?;
        if self.patch.names_platform_fields() {
            viewer.authorize(self.id, TenantAction::UpdatePlatformFields)?;
        }
        let default = &session.access.rules.default_tenant;
        if stored.slug == *default && !self.patch.slug.would_keep(default) {
            return Err(AccessError::Forbidden);
        }
        viewer.require_writable(&stored)?;
        let tenant = edit::tenant::update(&stored, self.version, self.patch.clone())?;
        let live = match tenant.plan == stored.plan {
            true => None,
            false => session.live_subscriptions(&[self.id]).await?.remove(&self.id).transpose()?,
        };
        let deed = session.audit_context(viewer);
        Ok(edit::tenant::commit_update(&stored, tenant, live.as_deref(), &deed))
    }
}

impl Command for DeleteTenant {
    type Outcome = TenantId;

    async fn decide(
        &self,
        session: &Session,
        viewer: &Viewer,
    ) -> Result<Edit<TenantId>, AccessError> {
        viewer.authorize_platform(PlatformAction::ManageTenants)?;
        let stored = session.require_tenant(self.id).await?;
        if stored.slug == session.access.rules.default_tenant {
            return Err(AccessError::Forbidden);
        }
        Ok(edit::tenant::delete(&stored, self.version, &session.audit_context(viewer))?)
    }
}
