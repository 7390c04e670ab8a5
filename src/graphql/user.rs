//! Declares the fields of users and memberships.

use async_graphql::ID;

use super::{
    context::{Nullable, nullable},
    enums::{MembershipSource, TenantRole},
    executor::{FieldNode, object},
    guard::{Guarded, requirement},
    objects::{MembershipObject, TenantObject, UserObject},
    scalar::{DateTime, id},
};
use crate::{
    access::{AccessError, Viewer},
    domain::user::{Membership, User},
    policy::UserAction,
};

/// The action that the fields for the user and for platform admins require.
const READ_PRIVATE: UserAction = UserAction::ReadPrivate;
/// The action that `User.email` requires. Every viewer that can see the user may do it, so the field
/// has no directive.
const READ_EMAIL: UserAction = UserAction::ReadEmail;

object! {
    /// A user of the platform. Visible to the user, to users who share a tenant with the user, and to
    /// platform admins.
    [] UserObject, "User", ["Node"] {
        /// The identifier of the user: `usr_` followed by 24 hexadecimal digits.
        "id": ID = each |user, _| id(user.0.id);

        /// The subject of the user at the identity provider (the claim `sub`). Visible to the user and
        /// to platform admins. Null with a `FORBIDDEN` error for other viewers.
        #[requires(requirement(READ_PRIVATE))]
        "subject": Nullable<&str> = each |user, node| {
            user.authorized(node, READ_PRIVATE, |user| Some(user.identity.subject.as_str()))
        };

        /// The e-mail address of the user. Null if it is not known. Visible to the user, to users who
        /// share a tenant with the user, and to platform admins.
        "email": Nullable<&str> = each |user, node| {
            user.authorized(node, READ_EMAIL, |user| user.email.as_deref())
        };

        /// The display name of the user.
        "name": &str = each |user, _| user.0.name.as_str();

        /// The highest role that the user has in the tenants that are visible to the viewer. Null if
        /// there is none. The role in each tenant is in `memberships`.
        "role": Nullable<TenantRole> = gather highest_roles;

        /// True if the user is a platform admin, who can see and change all tenants and users. Visible
        /// to the user and to platform admins. Null with a `FORBIDDEN` error for other viewers.
        #[requires(requirement(READ_PRIVATE))]
        "platformAdmin": Nullable<bool> = each |user, node| {
            user.authorized(node, READ_PRIVATE, |user| Some(user.platform_admin.is_some()))
        };

        /// True if all requests of the user are rejected. Visible to the user and to platform admins.
        /// Null with a `FORBIDDEN` error for other viewers.
        #[requires(requirement(READ_PRIVATE))]
        "disabled": Nullable<bool> = each |user, node| {
            user.authorized(node, READ_PRIVATE, |user| Some(user.disabled))
        };

        /// The memberships of the user in tenants that are visible to the viewer.
        "memberships": Result<Vec<MembershipObject>, AccessError> = gather visible_memberships;

        /// The time at which the user last queried `me`, accurate to five minutes. Null if
        /// never. Visible to the user and to platform admins. Null with a `FORBIDDEN` error for other
        /// viewers.
        #[requires(requirement(READ_PRIVATE))]
        "lastSeenAt": Nullable<DateTime> = each |user, node| {
            user.authorized(node, READ_PRIVATE, |user| user.last_seen_at.map(DateTime))
        };

        /// The time at which the user was created.
        "createdAt": DateTime = each |user, _| DateTime(user.0.created_at);

        /// The time of the last change of the user.
        "updatedAt": DateTime = each |user, _| DateTime(user.0.updated_at);

        /// The version of the user: 1 at first, and 1 more after each change.
        "version": i32 = each |user, _| user.0.version;
    }
}

impl UserObject {
    /// Returns a field of the user if the viewer may take the action.
    fn authorized<'a, T>(
        &'a self,
        node: FieldNode<'_>,
        action: UserAction,
        field: impl FnOnce(&'a User) -> Option<T>,
    ) -> Nullable<T> {
        nullable(self.0.authorize(node.session(), action).map(|()| field(&self.0)))
    }

    /// Returns the memberships in tenants that the viewer can see, unless they are deleted.
    fn visible<'a>(&'a self, viewer: &'a Viewer) -> impl Iterator<Item = &'a Membership> {
        self.0.memberships.iter().filter(|m| viewer.can_see(m.tenant_id))
    }
}

/// Returns the visible memberships of each user with their tenants.
///
/// A membership whose tenant was deleted is hidden. A membership whose tenant is unreadable is
/// omitted, and its error is added to the response.
async fn visible_memberships(
    users: &[&UserObject],
    node: FieldNode<'_>,
) -> Vec<Result<Vec<MembershipObject>, AccessError>> {
    let viewer = match node.session().loaded_viewer() {
        Ok(viewer) => viewer,
        Err(error) => return users.iter().map(|_| Err(error.clone())).collect(),
    };
    let ids = users.iter().flat_map(|user| user.visible(viewer)).map(|m| m.tenant_id);
    let tenants = match node.loaders().load_many(ids).await {
        Ok(tenants) => tenants,
        Err(error) => return users.iter().map(|_| Err(error.clone())).collect(),
    };
    let of_user = |(number, user): (usize, &&UserObject)| {
        let with_tenant = |membership: &Membership| match tenants.get(&membership.tenant_id)? {
            Err(unreadable) => {
                node.add_error(*node.error(number, AccessError::from(*unreadable)));
                None
            }
            Ok(tenant) => Some(MembershipObject {
                membership: membership.clone(),
                tenant: tenant.clone(),
                user: user.0.clone(),
            }),
        };
        Ok(user.visible(viewer).filter_map(with_tenant).collect())
    };
    users.iter().enumerate().map(of_user).collect()
}

async fn highest_roles(users: &[&UserObject], node: FieldNode<'_>) -> Vec<Nullable<TenantRole>> {
    let highest = |memberships: Vec<MembershipObject>| {
        memberships.iter().map(|m| m.membership.role).max().map(Into::into)
    };
    let memberships = visible_memberships(users, node).await;
    memberships.into_iter().map(|visible| nullable(visible.map(highest))).collect()
}

object! {
    /// The membership of a user in a tenant.
    [] MembershipObject, "Membership", [] {
        /// The tenant of which the user is a member.
        "tenant": TenantObject = each |membership, _| TenantObject(membership.tenant.clone());

        /// The user who is a member of the tenant.
        "user": UserObject = each |membership, _| UserObject(membership.user.clone());

        /// The role of the user in the tenant.
        "role": TenantRole = each |membership, _| membership.membership.role.into();

        /// The origin of the membership: a group of the identity provider, a mutation, or a manual edit
        /// of the database.
        "source": MembershipSource = each |membership, _| membership.membership.source.into();

        /// The time at which the user became a member of the tenant.
        "since": DateTime = each |membership, _| DateTime(membership.membership.since);
    }
}
