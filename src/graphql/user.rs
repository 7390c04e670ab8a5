//! Resolves the fields of users and memberships.

use async_graphql::{Context, ID, Object};

use super::{
    context::{ContextExt, Nullable, nullable},
    enums::{MembershipSource, TenantRole},
    guard::{Guarded, guard, requirement},
    objects::{MembershipObject, TenantObject, UserObject},
    scalar::{DateTime, id},
};
use crate::{
    access::AccessError,
    domain::user::{Membership, User},
    policy::UserAction,
};

/// The action that the fields for the user and for platform admins require.
const READ_PRIVATE: UserAction = UserAction::ReadPrivate;
/// The action that `User.email` requires. Every viewer that can see the user may do it, so the field
/// has no directive.
const READ_EMAIL: UserAction = UserAction::ReadEmail;

/// A user of the platform. Visible to the user, to users who share a tenant with the user, and to
/// platform admins.
#[Object(name = "User")]
impl UserObject {
    /// The identifier of the user: `usr_` followed by 24 hexadecimal digits.
    pub(super) async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// The subject of the user at the identity provider (the claim `sub`). Visible to the user and
    /// to platform admins. Null with a `FORBIDDEN` error for other viewers.
    #[graphql(directive = guard::apply(requirement(READ_PRIVATE)))]
    async fn subject(&self, ctx: &Context<'_>) -> Nullable<&str> {
        self.authorized(ctx, READ_PRIVATE, |user| Some(user.identity.subject.as_str()))
    }

    /// The e-mail address of the user. Null if it is not known. Visible to the user, to users who
    /// share a tenant with the user, and to platform admins.
    async fn email(&self, ctx: &Context<'_>) -> Nullable<&str> {
        self.authorized(ctx, READ_EMAIL, |user| user.email.as_deref())
    }

    /// The display name of the user.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The highest role that the user has in the tenants that are visible to the viewer. Null if
    /// there is none. The role in each tenant is in `memberships`.
    async fn role(&self, ctx: &Context<'_>) -> Nullable<TenantRole> {
        let memberships = self.visible_memberships(ctx).await;
        nullable(memberships.map(|visible| visible.iter().map(|m| m.membership.role).max()))
            .map(|role| role.map(Into::into))
    }

    /// True if the user is a platform admin, who can see and change all tenants and users. Visible
    /// to the user and to platform admins. Null with a `FORBIDDEN` error for other viewers.
    #[graphql(directive = guard::apply(requirement(READ_PRIVATE)))]
    async fn platform_admin(&self, ctx: &Context<'_>) -> Nullable<bool> {
        self.authorized(ctx, READ_PRIVATE, |user| Some(user.platform_admin.is_some()))
    }

    /// True if all requests of the user are rejected. Visible to the user and to platform admins.
    /// Null with a `FORBIDDEN` error for other viewers.
    #[graphql(directive = guard::apply(requirement(READ_PRIVATE)))]
    async fn disabled(&self, ctx: &Context<'_>) -> Nullable<bool> {
        self.authorized(ctx, READ_PRIVATE, |user| Some(user.disabled))
    }

    /// The memberships of the user in tenants that are visible to the viewer.
    async fn memberships(&self, ctx: &Context<'_>) -> Result<Vec<MembershipObject>, AccessError> {
        self.visible_memberships(ctx).await
    }

    /// The time at which the user last queried `me`, accurate to five minutes. Null if
    /// never. Visible to the user and to platform admins. Null with a `FORBIDDEN` error for other
    /// viewers.
    #[graphql(directive = guard::apply(requirement(READ_PRIVATE)))]
    async fn last_seen_at(&self, ctx: &Context<'_>) -> Nullable<DateTime> {
        self.authorized(ctx, READ_PRIVATE, |user| user.last_seen_at.map(DateTime))
    }

    /// The time at which the user was created.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// The time of the last change of the user.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }

    /// The version of the user: 1 at first, and 1 more after each change.
    async fn version(&self) -> i32 {
        self.0.version
    }
}

impl UserObject {
    /// Returns a field of the user if the viewer may take the action.
    fn authorized<'a, T>(
        &'a self,
        ctx: &Context<'_>,
        action: UserAction,
        field: impl FnOnce(&'a User) -> Option<T>,
    ) -> Nullable<T> {
        nullable(self.0.authorize(ctx, action).map(|()| field(&self.0)))
    }

    /// Returns the visible memberships with their tenants.
    ///
    /// A membership whose tenant was deleted is hidden. A membership whose tenant is unreadable is
    /// omitted, and its error is added to the response.
    async fn visible_memberships(
        &self,
        ctx: &Context<'_>,
    ) -> Result<Vec<MembershipObject>, AccessError> {
        let viewer = ctx.session().loaded_viewer()?;
        let memberships: Vec<&Membership> =
            self.0.memberships.iter().filter(|m| viewer.can_see(m.tenant_id)).collect();
        let tenants = ctx.load_tenants(memberships.iter().map(|m| m.tenant_id).collect()).await?;
        let mut visible = Vec::with_capacity(memberships.len());
        for membership in memberships {
            match tenants.get(&membership.tenant_id) {
                None => {}
                Some(Err(unreadable)) => ctx.add_access_error((*unreadable).into()),
                Some(Ok(tenant)) => visible.push(MembershipObject {
                    membership: membership.clone(),
                    tenant: tenant.clone(),
                    user: self.0.clone(),
                }),
            }
        }
        Ok(visible)
    }
}

/// The membership of a user in a tenant.
#[Object(name = "Membership")]
impl MembershipObject {
    /// The tenant of which the user is a member.
    async fn tenant(&self) -> TenantObject {
        TenantObject(self.tenant.clone())
    }

    /// The user who is a member of the tenant.
    async fn user(&self) -> UserObject {
        UserObject(self.user.clone())
    }

    /// The role of the user in the tenant.
    async fn role(&self) -> TenantRole {
        self.membership.role.into()
    }

    /// The origin of the membership: a group of the identity provider, a mutation, or a manual edit
    /// of the database.
    async fn source(&self) -> MembershipSource {
        self.membership.source.into()
    }

    /// The time at which the user became a member of the tenant.
    async fn since(&self) -> DateTime {
        DateTime(self.membership.since)
    }
}
