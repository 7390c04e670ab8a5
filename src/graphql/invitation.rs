//! Resolves the fields of invitations.

use async_graphql::{Context, ID, Object, SimpleObject};

use super::{
    context::{ContextExt, Nullable, nullable},
    enums::{InvitationStatus, MailStatus, TenantRole},
    objects::{InvitationObject, TenantObject, UserObject},
    scalar::{DateTime, id},
};
use crate::{access, domain::id::UserId};

/// An offer of a membership in a tenant. Visible to admins and owners of the tenant and to platform
/// admins.
#[Object(name = "Invitation")]
impl InvitationObject {
    /// The identifier of the invitation: `inv_` followed by 24 hexadecimal digits.
    pub(super) async fn id(&self) -> ID {
        id(self.invitation.id)
    }

    /// The tenant of the offered membership.
    async fn tenant(&self) -> TenantObject {
        TenantObject(self.tenant.clone())
    }

    /// The e-mail address of the invited person, in lower case, with its domain in ASCII form.
    async fn email(&self) -> &str {
        &self.invitation.email
    }

    /// The offered role.
    async fn role(&self) -> TenantRole {
        self.invitation.role.into()
    }

    /// The status of the invitation.
    async fn status(&self, ctx: &Context<'_>) -> InvitationStatus {
        ctx.session().status_of(&self.invitation).into()
    }

    /// The status of the latest e-mail message. A change of it does not change the version.
    async fn mail(&self) -> MailStatus {
        self.invitation.mail.into()
    }

    /// The user who made the invitation, or who renewed it last. Null if the user was deleted or is
    /// hidden from the viewer.
    async fn invited_by(&self, ctx: &Context<'_>) -> Nullable<UserObject> {
        find_user(ctx, Some(self.invitation.invited_by)).await
    }

    /// The user who accepted the invitation. Null before, and if the user was deleted or is hidden
    /// from the viewer.
    async fn accepted_by(&self, ctx: &Context<'_>) -> Nullable<UserObject> {
        find_user(ctx, self.invitation.accepted_by).await
    }

    /// The time at which the invitation was made.
    async fn created_at(&self) -> DateTime {
        DateTime(self.invitation.created_at)
    }

    /// The time from which the invitation can no longer be accepted.
    async fn expires_at(&self) -> DateTime {
        DateTime(self.invitation.expires_at)
    }

    /// The time at which the invitation was accepted. Null before.
    async fn accepted_at(&self) -> Option<DateTime> {
        self.invitation.accepted_at.map(DateTime)
    }

    /// The version of the invitation: 1 at first, and 1 more after each change.
    async fn version(&self) -> i32 {
        self.invitation.version
    }
}

async fn find_user(ctx: &Context<'_>, id: Option<UserId>) -> Nullable<UserObject> {
    let id = id?;
    nullable(ctx.load(id).await.map(|user| user.map(UserObject)))
}

/// The part of an invitation that the invited person can see before accepting it.
#[derive(SimpleObject)]
pub(super) struct InvitationPreview {
    /// The display name of the tenant.
    tenant_name: String,
    /// The offered role.
    role: TenantRole,
    /// The e-mail address of the invited person, in lower case, with its domain in ASCII form.
    email: String,
    /// The time from which the invitation can no longer be accepted.
    expires_at: DateTime,
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
