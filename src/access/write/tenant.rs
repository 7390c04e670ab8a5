//! The commands that create, update and delete tenants.

use super::command::Command;
use crate::{
    access::{error::AccessError, session::Session, viewer::Viewer},
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

/// Creates a tenant with its first subscription, for platform admins.
#[derive(Clone, Debug)]
pub struct CreateTenant {
    /// The fields of the new tenant.
    pub patch: TenantPatch,
}

/// Updates a tenant. Its admins can change its profile, platform admins can change every field.
#[derive(Clone, Debug)]
pub struct UpdateTenant {
    /// The tenant to update.
    pub id: TenantId,
    /// The version that must be stored, or `None` to accept any.
    pub version: Option<i32>,
    /// The fields to change.
    pub patch: TenantPatch,
}

/// Deletes a tenant with its subscriptions and memberships, for platform admins.
#[derive(Clone, Copy, Debug)]
pub struct DeleteTenant {
    /// The tenant to delete.
    pub id: TenantId,
    /// The version that must be stored, or `None` to accept any.
    pub version: Option<i32>,
}

impl Command for CreateTenant {
    type Action = PlatformAction;
    type Output = Tenant;

    const ACTION: PlatformAction = PlatformAction::ManageTenants;

    fn target(&self) {}

    async fn decide(
        &self,
        session: &Session,
        viewer: &Viewer,
        (): (),
    ) -> Result<Edit<Tenant>, AccessError> {
        let clock = &session.access.clock;
        let ids = NewTenant {
            tenant: TenantId::new(clock.object_id()),
            subscription: SubscriptionId::new(clock.object_id()),
        };
        let context = session.audit_context().with_actor(viewer.user());
        Ok(edit::tenant::create(ids, self.patch.clone(), &context)?)
    }
}

impl Command for UpdateTenant {
    type Action = TenantAction;
    type Output = Tenant;

    /// Some fields require more, see `decide`.
    const ACTION: TenantAction = TenantAction::UpdateProfile;

    fn target(&self) -> TenantId {
        self.id
    }

    async fn decide(
        &self,
        session: &Session,
        viewer: &Viewer,
        stored: Tenant,
    ) -> Result<Edit<Tenant>, AccessError> {
        if self.patch.names_platform_fields() {
            viewer.authorize(self.id, TenantAction::UpdatePlatformFields)?;
        }
        let default_slug = &session.access.config.default_tenant;
        if stored.slug == *default_slug && !self.patch.slug.would_keep(default_slug) {
            return Err(AccessError::Forbidden);
        }
        viewer.require_writable(&stored)?;
        let tenant = edit::tenant::update(&stored, self.version, self.patch.clone())?;
        let live = match tenant.plan == stored.plan {
            true => None,
            false => session.live_subscriptions(&[self.id]).await?.remove(&self.id).transpose()?,
        };
        let context = session.audit_context().with_actor(viewer.user());
        Ok(edit::tenant::commit_update(&stored, tenant, live.as_deref(), &context))
    }
}

impl Command for DeleteTenant {
    type Action = PlatformAction;
    type Output = TenantId;

    const ACTION: PlatformAction = PlatformAction::ManageTenants;

    fn target(&self) {}

    async fn decide(
        &self,
        session: &Session,
        viewer: &Viewer,
        (): (),
    ) -> Result<Edit<TenantId>, AccessError> {
        let stored = session.require_tenant(self.id).await?;
        if stored.slug == session.access.config.default_tenant {
            return Err(AccessError::Forbidden);
        }
        let context = session.audit_context().with_actor(viewer.user());
        Ok(edit::tenant::delete(&stored, self.version, &context)?)
    }
}
