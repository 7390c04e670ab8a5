//! The commands that make, renew and revoke invitations.

use super::{
    command::{Command, CommandAction},
    member::authorize_role,
    output::CommandOutput,
};
use crate::{
    access::{error::AccessError, session::Session, viewer::Viewer},
    domain::{
        edit::{Edit, invitation, invitation::NewInvitation},
        id::{InvitationId, NodeId, TenantId},
        invitation::{Invitation, InvitationStatus, MAX_PENDING_INVITATIONS},
        list::{
            InvitationListing, ListOrder, PageEdge, PageRequest, TenantScope, UserFilter,
            UserListing,
        },
        tenant::Tenant,
        text,
        time::Timestamp,
        user::TenantRole,
    },
    policy::{Action, Requirement, TenantAction},
    store::InvitationKeys,
};

/// The maximum number of members that are compared with an invited address.
const MAX_MATCHING_MEMBERS: usize = 100;

/// Invites a person to a tenant by an e-mail address.
#[derive(Clone, Debug)]
pub struct InviteMember {
    /// The tenant of the offered membership.
    pub tenant: TenantId,
    /// The address of the person.
    pub email: String,
    /// The role to offer.
    pub role: TenantRole,
    /// The lifetime in days.
    pub expires_in_days: i32,
}

/// Renews an invitation, with a new token. The viewer becomes the inviter.
#[derive(Clone, Copy, Debug)]
pub struct ResendInvitation {
    /// The invitation to renew.
    pub id: InvitationId,
    /// The version that must be stored, or `None` to accept any.
    pub version: Option<i32>,
    /// The new lifetime in days.
    pub expires_in_days: i32,
}

/// Revokes an invitation.
#[derive(Clone, Copy, Debug)]
pub struct RevokeInvitation {
    /// The invitation to revoke.
    pub id: InvitationId,
    /// The version that must be stored, or `None` to accept any.
    pub version: Option<i32>,
}

/// An invitation with its tenant.
#[derive(Clone, Debug, PartialEq)]
pub struct InvitationWithTenant {
    /// The invitation itself.
    pub invitation: Invitation,
    /// The tenant of the offered membership.
    pub tenant: Tenant,
}

/// An invitation with the token that was made for it.
#[derive(Clone)]
pub struct IssuedInvitation {
    /// The invitation with its tenant.
    pub offer: InvitationWithTenant,
    /// The token, or `None` if an earlier run of the request has returned it.
    pub token: Option<String>,
}

impl CommandOutput for IssuedInvitation {
    fn ids(&self) -> Vec<NodeId> {
        self.offer.ids()
    }

    fn has_secret(&self) -> bool {
        self.token.is_some()
    }

    async fn reload(session: &Session, ids: &[NodeId]) -> Result<Self, AccessError> {
        Ok(Self { offer: InvitationWithTenant::reload(session, ids).await?, token: None })
    }
}

impl CommandOutput for InvitationWithTenant {
    fn ids(&self) -> Vec<NodeId> {
        vec![NodeId::Invitation(self.invitation.id)]
    }

    async fn reload(session: &Session, ids: &[NodeId]) -> Result<Self, AccessError> {
        let [NodeId::Invitation(id)] = ids else { return Err(AccessError::Internal) };
        session.require_invitation(*id).await
    }
}

/// An action on the members of a tenant, on one of its invitations. An invitation that the viewer
/// cannot see looks absent.
#[derive(Clone, Copy, Debug)]
pub struct InvitationAction(TenantAction);

impl Action for InvitationAction {
    fn requirement(self) -> Requirement {
        self.0.requirement()
    }
}

impl CommandAction for InvitationAction {
    type Id = InvitationId;
    type Target = InvitationWithTenant;

    async fn authorize(
        self,
        id: InvitationId,
        session: &Session,
        viewer: &Viewer,
    ) -> Result<InvitationWithTenant, AccessError> {
        let target = session.require_invitation(id).await?;
        viewer.authorize(target.tenant.id, self.0)?;
        authorize_role(viewer, target.tenant.id, target.invitation.role)?;
        Ok(target)
    }
}

impl Command for InviteMember {
    type Action = TenantAction;
    type Output = IssuedInvitation;

    /// The role `OWNER` requires more, see `decide`.
    const ACTION: TenantAction = TenantAction::ManageMembers;

    fn target(&self) -> TenantId {
        self.tenant
    }

    fn ensure_available(&self, session: &Session) -> Result<(), AccessError> {
        session.require_secrets().map(drop)
    }

    async fn decide(
        &self,
        session: &Session,
        viewer: &Viewer,
        tenant: Tenant,
    ) -> Result<Edit<IssuedInvitation>, AccessError> {
        authorize_role(viewer, tenant.id, self.role)?;
        viewer.require_writable(&tenant)?;
        let id = InvitationId::new(session.access.clock.object_id());
        let new = NewInvitation::validate(id, &self.email, self.role, self.expires_in_days)?;
        let context = session.audit_context().with_actor(viewer.user());
        let now = context.timestamp;
        let lapsed = session.lapsed_invitation(tenant.id, &new.email, None, now).await?;
        if session.is_member_address(tenant.id, &new.email).await? {
            return Err(AccessError::Conflict("email"));
        }
        session.require_room(tenant.id, now).await?;
        let created = invitation::create(new, &tenant, viewer.user(), lapsed.as_ref(), &context);
        session.issue(tenant, created)
    }
}

impl Command for ResendInvitation {
    type Action = InvitationAction;
    type Output = IssuedInvitation;

    /// An invitation for the role `OWNER` requires more, see [`InvitationAction`].
    const ACTION: InvitationAction = InvitationAction(TenantAction::ManageMembers);

    fn target(&self) -> InvitationId {
        self.id
    }

    fn ensure_available(&self, session: &Session) -> Result<(), AccessError> {
        session.require_secrets().map(drop)
    }

    async fn decide(
        &self,
        session: &Session,
        viewer: &Viewer,
        InvitationWithTenant { invitation: stored, tenant }: InvitationWithTenant,
    ) -> Result<Edit<IssuedInvitation>, AccessError> {
        viewer.require_writable(&tenant)?;
        let context = session.audit_context().with_actor(viewer.user());
        let renewed = invitation::resend(&stored, self.version, self.expires_in_days, &context)?;
        let now = context.timestamp;
        let (id, email) = (Some(stored.id), &stored.email);
        let mut lapsed = None;
        if stored.status_at(now) == InvitationStatus::Expired {
            lapsed = session.lapsed_invitation(tenant.id, email, id, now).await?;
            session.require_room(tenant.id, now).await?;
        }
        let edit = invitation::commit_resend(&stored, renewed, &tenant, lapsed.as_ref(), &context);
        session.issue(tenant, edit)
    }
}

impl Command for RevokeInvitation {
    type Action = InvitationAction;
    type Output = InvitationWithTenant;

    /// An invitation for the role `OWNER` requires more, see [`InvitationAction`].
    const ACTION: InvitationAction = InvitationAction(TenantAction::ManageMembers);

    fn target(&self) -> InvitationId {
        self.id
    }

    fn ensure_available(&self, session: &Session) -> Result<(), AccessError> {
        session.require_secrets().map(drop)
    }

    async fn decide(
        &self,
        session: &Session,
        viewer: &Viewer,
        InvitationWithTenant { invitation: stored, tenant }: InvitationWithTenant,
    ) -> Result<Edit<InvitationWithTenant>, AccessError> {
        viewer.require_writable(&tenant)?;
        let context = session.audit_context().with_actor(viewer.user());
        let Edit { value: invitation, changes } =
            invitation::revoke(&stored, self.version, &tenant, &context)?;
        Ok(Edit { value: InvitationWithTenant { invitation, tenant }, changes })
    }
}

impl Session {
    /// Adds the token to an invitation that is about to be committed.
    fn issue(
        &self,
        tenant: Tenant,
        Edit { value: invitation, changes }: Edit<Invitation>,
    ) -> Result<Edit<IssuedInvitation>, AccessError> {
        let token = self.require_secrets()?.invitation_token(&invitation);
        let offer = InvitationWithTenant { invitation, tenant };
        Ok(Edit { value: IssuedInvitation { offer, token }, changes })
    }

    /// Returns the invitation of this address that is stored as pending, if it has expired.
    ///
    /// # Errors
    ///
    /// Returns a conflict if it has not expired. `renewed` is an invitation that does not count.
    async fn lapsed_invitation(
        &self,
        tenant: TenantId,
        email: &str,
        renewed: Option<InvitationId>,
        now: Timestamp,
    ) -> Result<Option<Invitation>, AccessError> {
        let keys = InvitationKeys::Pending(tenant, email);
        let stored = self.counted_store()?.invitations(keys).await?;
        let stored = stored.into_iter().next().transpose()?;
        match stored.filter(|stored| Some(stored.id) != renewed) {
            Some(stored) if stored.status_at(now) == InvitationStatus::Pending => {
                Err(AccessError::Conflict("email"))
            }
            lapsed => Ok(lapsed),
        }
    }

    /// Returns whether a member of the tenant has this normalized address.
    ///
    /// Members are found by their search keys. A stored address may have its domain in Unicode.
    async fn is_member_address(&self, tenant: TenantId, email: &str) -> Result<bool, AccessError> {
        let mut forms = vec![email.to_owned()];
        if let Some((local, domain)) = email.rsplit_once('@') {
            forms.push(format!("{local}@{}", text::domain_to_unicode(domain)));
        }
        forms.dedup();
        let (size, edge) = (MAX_MATCHING_MEMBERS, PageEdge::First);
        let request = PageRequest { size, edge, after: None, before: None };
        for form in forms {
            let filter =
                UserFilter { search: Some(form), tenant: Some(tenant), ..UserFilter::default() };
            let (scope, order) = (TenantScope::Everything, ListOrder::MatchedKey);
            let listing = UserListing { scope, filter, order };
            let page = self.counted_store()?.user_page(&listing, &request).await?;
            let mut addresses =
                page.items.iter().flat_map(|item| &item.node).filter_map(|u| u.email.as_deref());
            if addresses.any(|stored| text::normalize_email(stored).as_deref() == Some(email)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Checks that the tenant may have another pending invitation.
    async fn require_room(&self, tenant: TenantId, now: Timestamp) -> Result<(), AccessError> {
        let status = vec![InvitationStatus::Pending];
        let listing = InvitationListing { tenant, status, now };
        let pending = self.counted_store()?.count_invitations(&listing).await?;
        if pending < MAX_PENDING_INVITATIONS {
            return Ok(());
        }
        let (limit, max) = ("pendingInvitations", MAX_PENDING_INVITATIONS);
        Err(AccessError::LimitExceeded { limit, max, actual: pending + 1 })
    }
}
