//! Users, and their places in tenants.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::{
    Nullable,
    context::{ContextExt, nullable},
    enums::{MembershipSource, TenantRole},
    scalar::{DateTime, id},
    tenant::TenantObject,
};
use crate::{
    access::AccessError,
    domain::{
        tenant::Tenant,
        user::{Membership, User},
    },
    policy::UserAction,
};

/// Somebody who may sign in.
#[derive(Clone)]
pub(super) struct UserObject(pub(super) Arc<User>);

/// Somebody who may sign in. Who shares no tenant with the viewer does not exist for the viewer.
#[Object(name = "User")]
impl UserObject {
    /// The identifier: `usr_` and 24 hexadecimal digits.
    pub(super) async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Who it is at the identity provider (`sub`). For oneself and platform admins.
    async fn subject(&self, ctx: &Context<'_>) -> Nullable<&str> {
        self.shown(ctx, UserAction::ReadPrivate, |user| Some(user.identity.subject.as_str()))
    }

    /// The e-mail address. For oneself, platform admins, and those who share a tenant.
    async fn email(&self, ctx: &Context<'_>) -> Nullable<&str> {
        self.shown(ctx, UserAction::ReadEmail, |user| user.email.as_deref())
    }

    /// The name for people.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The highest role that the viewer may see of this user; null with none.
    async fn role(&self, ctx: &Context<'_>) -> Nullable<TenantRole> {
        let memberships = self.visible_memberships(ctx).await;
        nullable(memberships.map(|shown| shown.iter().map(|m| m.membership.role).max()))
            .map(|role| role.map(Into::into))
    }

    /// Whether this user runs the platform. For oneself and platform admins.
    async fn platform_admin(&self, ctx: &Context<'_>) -> Nullable<bool> {
        self.shown(ctx, UserAction::ReadPrivate, |user| Some(user.platform_admin.is_some()))
    }

    /// Whether this user is shut out of everything. For oneself and platform admins.
    async fn disabled(&self, ctx: &Context<'_>) -> Nullable<bool> {
        self.shown(ctx, UserAction::ReadPrivate, |user| Some(user.disabled))
    }

    /// The memberships in tenants that the viewer sees.
    async fn memberships(&self, ctx: &Context<'_>) -> Result<Vec<MembershipObject>, AccessError> {
        self.visible_memberships(ctx).await
    }

    /// The last `me`, give or take five minutes. For oneself and platform admins.
    async fn last_seen_at(&self, ctx: &Context<'_>) -> Nullable<DateTime> {
        self.shown(ctx, UserAction::ReadPrivate, |user| user.last_seen_at.map(DateTime))
    }

    /// When the user was made.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When the user was changed last.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }

    /// Starts at 1 and grows by 1 with each change.
    async fn version(&self) -> i32 {
        self.0.version
    }
}

impl UserObject {
    fn shown<'a, T>(
        &'a self,
        ctx: &Context<'_>,
        action: UserAction,
        field: impl FnOnce(&'a User) -> Option<T>,
    ) -> Nullable<T> {
        let allowed =
            ctx.session().loaded_viewer().and_then(|viewer| viewer.authorize_user(&self.0, action));
        nullable(allowed.map(|()| field(&self.0)))
    }

    /// Memberships with their tenants, which have to be there: one that outlived its tenant is not
    /// shown. One whose tenant cannot be read is left out with an error beside the others.
    async fn visible_memberships(
        &self,
        ctx: &Context<'_>,
    ) -> Result<Vec<MembershipObject>, AccessError> {
        let viewer = ctx.session().loaded_viewer()?;
        let seen: Vec<&Membership> =
            self.0.memberships.iter().filter(|m| viewer.can_see(m.tenant_id)).collect();
        let tenants = ctx.load_tenants(seen.iter().map(|m| m.tenant_id).collect()).await?;
        let mut shown = Vec::with_capacity(seen.len());
        for membership in seen {
            match tenants.get(&membership.tenant_id) {
                None => {}
                Some(Err(broken)) => ctx.add_access_error((*broken).into()),
                Some(Ok(tenant)) => shown.push(MembershipObject {
                    membership: membership.clone(),
                    tenant: tenant.clone(),
                    user: self.0.clone(),
                }),
            }
        }
        Ok(shown)
    }
}

/// A user's place in a tenant.
#[derive(Clone)]
pub(super) struct MembershipObject {
    pub(super) membership: Membership,
    pub(super) tenant: Arc<Tenant>,
    pub(super) user: Arc<User>,
}

/// A user's place in a tenant.
#[Object(name = "Membership")]
impl MembershipObject {
    /// The tenant.
    async fn tenant(&self) -> TenantObject {
        TenantObject(self.tenant.clone())
    }

    /// The user.
    async fn user(&self) -> UserObject {
        UserObject(self.user.clone())
    }

    /// What the user may do there.
    async fn role(&self) -> TenantRole {
        self.membership.role.into()
    }

    /// Who gave it.
    async fn source(&self) -> MembershipSource {
        self.membership.source.into()
    }

    /// Since when.
    async fn since(&self) -> DateTime {
        DateTime(self.membership.since)
    }
}
