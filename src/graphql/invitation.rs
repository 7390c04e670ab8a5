//! Declares the fields of invitations.

use async_graphql::ID;

use super::{
    context::{Nullable, nullable},
    enums::{InvitationStatus, MailStatus, TenantRole},
    executor::{FieldNode, object},
    loaders::found,
    objects::{InvitationObject, TenantObject, UserObject},
    scalar::{DateTime, id},
};
use crate::{access, domain::id::UserId};

object! {
    /// An offer of a membership in a tenant. Visible to admins and owners of the tenant and to platform
    /// admins.
    [] InvitationObject, "Invitation", ["Node"] {
        /// The identifier of the invitation: `inv_` followed by 24 hexadecimal digits.
        "id": ID = each |object, _| id(object.invitation.id);

        /// The tenant of the offered membership.
        "tenant": TenantObject = each |object, _| TenantObject(object.tenant.clone());

        /// The e-mail address of the invited person, in lower case, with its domain in ASCII form.
        "email": &str = each |object, _| object.invitation.email.as_str();

        /// The offered role.
        "role": TenantRole = each |object, _| object.invitation.role.into();

        /// The status of the invitation.
        "status": InvitationStatus = each |object, node| {
            node.session().status_of(&object.invitation).into()
        };

        /// The status of the latest e-mail message. A change of it does not change the version.
        "mail": MailStatus = each |object, _| object.invitation.mail.into();

        /// The user who made the invitation, or who renewed it last. Null if the user was deleted or is
        /// hidden from the viewer.
        "invitedBy": Nullable<UserObject> = gather |objects, node| {
            users(objects, node, |object| Some(object.invitation.invited_by))
        };

        /// The user who accepted the invitation. Null before, and if the user was deleted or is hidden
        /// from the viewer.
        "acceptedBy": Nullable<UserObject> = gather |objects, node| {
            users(objects, node, |object| object.invitation.accepted_by)
        };

        /// The time at which the invitation was made.
        "createdAt": DateTime = each |object, _| DateTime(object.invitation.created_at);

        /// The time from which the invitation can no longer be accepted.
        "expiresAt": DateTime = each |object, _| DateTime(object.invitation.expires_at);

        /// The time at which the invitation was accepted. Null before.
        "acceptedAt": Option<DateTime> = each |object, _| {
            object.invitation.accepted_at.map(DateTime)
        };

        /// The version of the invitation: 1 at first, and 1 more after each change.
        "version": i32 = each |object, _| object.invitation.version;
    }
}

async fn users(
    objects: &[&InvitationObject],
    node: FieldNode<'_>,
    user: fn(&InvitationObject) -> Option<UserId>,
) -> Vec<Nullable<UserObject>> {
    let users = node.loaders().load_many(objects.iter().filter_map(|object| user(object))).await;
    let of_object = |object: &&InvitationObject| {
        let found = found(users.as_ref().map(|users| users.get(&user(object)?)));
        nullable(found.map(|found| found.map(UserObject)))
    };
    objects.iter().map(of_object).collect()
}

/// The part of an invitation that the invited person can see before accepting it.
pub(super) struct InvitationPreview {
    tenant_name: String,
    role: TenantRole,
    email: String,
    expires_at: DateTime,
}

object! {
    /// The part of an invitation that the invited person can see before accepting it.
    [] InvitationPreview, "InvitationPreview", [] {
        /// The display name of the tenant.
        "tenantName": &str = each |preview, _| preview.tenant_name.as_str();

        /// The offered role.
        "role": TenantRole = each |preview, _| preview.role;

        /// The e-mail address of the invited person, in lower case, with its domain in ASCII form.
        "email": &str = each |preview, _| preview.email.as_str();

        /// The time from which the invitation can no longer be accepted.
        "expiresAt": DateTime = each |preview, _| preview.expires_at;
    }
}

impl From<access::InvitationPreview> for InvitationPreview {
    fn from(preview: access::InvitationPreview) -> Self {
        let access::InvitationPreview { invitation, tenant_name } = preview;
        Self {
            tenant_name,
            role: invitation.role.into(),
            email: invitation.email,
            expires_at: DateTime(invitation.expires_at),
        }
    }
}
