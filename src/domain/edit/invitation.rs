//! The rules of inviting a person to a tenant, and of accepting an invitation.

use super::{Edit, EditError, check_version, fields, parse::parse_invited_email};
use crate::domain::{
    audit::{AuditContext, FieldChange},
    change::{Change, UserVersion, next_version},
    id::{InvitationId, NodeId, ObjectId},
    input_error::InputError,
    invitation::{
        Invitation, InvitationStatus, MAX_DAYS, MAX_PENDING_INVITATIONS, MIN_DAYS, MailStatus,
        days_after,
    },
    outbox::{OutboxMessage, OutboxTopic},
    sync::SyncResult,
    tenant::Tenant,
    user::{Membership, MembershipSource, TenantRole, User},
};

/// The reason why a rule rejects a change of an invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvitationError {
    /// The input is invalid, or names another version.
    Edit(EditError),
    /// The status of the invitation does not allow the change.
    Status,
}

impl From<EditError> for InvitationError {
    fn from(error: EditError) -> Self {
        Self::Edit(error)
    }
}

/// The input of a new invitation, after validation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewInvitation {
    /// The identifier of the new invitation.
    pub id: InvitationId,
    /// The normalized address.
    pub email: String,
    /// The offered role.
    pub role: TenantRole,
    /// The lifetime in days, within its range.
    days: i32,
}

impl NewInvitation {
    /// Validates the input of a new invitation.
    ///
    /// # Errors
    ///
    /// Returns an error for each invalid value.
    pub fn validate(
        id: InvitationId,
        email: &str,
        role: TenantRole,
        days: i32,
    ) -> Result<Self, EditError> {
        let email =
            parse_invited_email(email).map_err(|message| InputError::at("input.email", message));
        let days_error = check_days(days).err();
        match (email, days_error) {
            (Ok(email), None) => Ok(Self { id, email, role, days }),
            (email, days) => {
                Err(EditError::InvalidInput(email.err().into_iter().chain(days).collect()))
            }
        }
    }
}

fn check_days(days: i32) -> Result<(), InputError> {
    match (MIN_DAYS..=MAX_DAYS).contains(&days) {
        true => Ok(()),
        false => {
            let message = format!("must be from {MIN_DAYS} to {MAX_DAYS}");
            Err(InputError::at("input.expiresInDays", message))
        }
    }
}

/// Creates an invitation by the actor of the context.
///
/// `lapsed` is an expired invitation of the same address that is still stored as pending. `mail` is
/// the identifier of the message to send, or `None` if mail is not configured.
#[must_use]
pub fn create(
    new: NewInvitation,
    tenant: &Tenant,
    inviter: &User,
    lapsed: Option<&Invitation>,
    mail: Option<ObjectId>,
    context: &AuditContext,
) -> Edit<Invitation> {
    let invitation = Invitation {
        id: new.id,
        tenant_id: tenant.id,
        email: new.email,
        role: new.role,
        status: InvitationStatus::Pending,
        mail: mail_status(mail),
        generation: 1,
        invited_by: inviter.id,
        accepted_by: None,
        accepted_at: None,
        expires_at: days_after(context.timestamp, new.days),
        version: 1,
        created_at: context.timestamp,
    };
    let mut changes = vec![Change::LockTenant { id: tenant.id, expected: tenant.version }];
    changes.extend(lapsed.map(lapse));
    changes.push(Change::InsertInvitation(invitation.clone()));
    changes.push(limit_pending(tenant, context));
    let field_changes = fields::diff(None, Some(&invitation));
    changes.extend(mail.map(|id| queue_mail(id, &invitation, context)));
    changes.push(audit_event("invitation.create", &invitation, field_changes, context));
    Edit { value: invitation, changes }
}

/// Renews a pending or expired invitation, with a new token. The actor becomes the inviter.
///
/// # Errors
///
/// Returns an error for an invalid input, and for an invitation that was accepted or revoked.
pub fn resend(
    stored: &Invitation,
    version: Option<i32>,
    days: i32,
    mail: Option<ObjectId>,
    context: &AuditContext,
) -> Result<Invitation, InvitationError> {
    check_days(days).map_err(|error| EditError::InvalidInput(vec![error]))?;
    check_version(version, stored.version)?;
    match stored.status {
        InvitationStatus::Pending | InvitationStatus::Expired => {}
        InvitationStatus::Accepted | InvitationStatus::Revoked => {
            return Err(InvitationError::Status);
        }
    }
    Ok(Invitation {
        status: InvitationStatus::Pending,
        mail: mail_status(mail),
        generation: stored.generation.wrapping_add(1),
        invited_by: context.actor.unwrap_or(stored.invited_by),
        expires_at: days_after(context.timestamp, days),
        version: next_version(stored.version),
        ..stored.clone()
    })
}

/// Returns the changes that store an invitation which [`resend`] has renewed.
///
/// `lapsed` is another expired invitation of the same address that is still stored as pending.
#[must_use]
pub fn commit_resend(
    stored: &Invitation,
    renewed: Invitation,
    tenant: &Tenant,
    lapsed: Option<&Invitation>,
    mail: Option<ObjectId>,
    context: &AuditContext,
) -> Edit<Invitation> {
    let mut changes = vec![Change::LockTenant { id: tenant.id, expected: tenant.version }];
    changes.extend(lapsed.map(lapse));
    changes.push(update(stored, &renewed));
    changes.push(limit_pending(tenant, context));
    let field_changes = fields::diff(Some(&visible(stored, context)), Some(&renewed));
    changes.extend(mail.map(|id| queue_mail(id, &renewed, context)));
    changes.push(audit_event("invitation.resend", &renewed, field_changes, context));
    Edit { value: renewed, changes }
}

/// Revokes an invitation. One that is revoked already stays as it is.
///
/// # Errors
///
/// Returns an error if the input names another version, or if the invitation was accepted.
pub fn revoke(
    stored: &Invitation,
    version: Option<i32>,
    tenant: &Tenant,
    context: &AuditContext,
) -> Result<Edit<Invitation>, InvitationError> {
    check_version(version, stored.version)?;
    match stored.status {
        InvitationStatus::Revoked => return Ok(Edit::unchanged(stored.clone())),
        InvitationStatus::Accepted => return Err(InvitationError::Status),
        InvitationStatus::Pending | InvitationStatus::Expired => {}
    }
    let revoked = Invitation {
        status: InvitationStatus::Revoked,
        version: next_version(stored.version),
        ..stored.clone()
    };
    let field_changes = fields::diff(Some(&visible(stored, context)), Some(&revoked));
    let changes = vec![
        Change::LockTenant { id: tenant.id, expected: tenant.version },
        update(stored, &revoked),
        audit_event("invitation.revoke", &revoked, field_changes, context),
    ];
    Ok(Edit { value: revoked, changes })
}

/// The person who accepts an invitation.
#[derive(Clone, Debug, PartialEq)]
pub enum Invitee {
    /// A user who is stored already.
    Stored(User),
    /// A user whom the acceptance creates, with the changes that do so.
    New(SyncResult),
}

/// Accepts an invitation, and returns the user with the membership.
///
/// The membership has the higher of the present and the offered role. The commit is stale if the
/// rights of the inviter have changed, because the acceptance depends on them.
#[must_use]
pub fn accept(
    stored: &Invitation,
    tenant: &Tenant,
    inviter: &User,
    invitee: Invitee,
    context: &AuditContext,
) -> Edit<User> {
    let before = match &invitee {
        Invitee::Stored(user) => user.clone(),
        Invitee::New(created) => created.user.clone(),
    };
    let mut user = before.clone();
    grant(&mut user, stored, context);
    let accepted = Invitation {
        status: InvitationStatus::Accepted,
        accepted_by: Some(user.id),
        accepted_at: Some(context.timestamp),
        version: next_version(stored.version),
        ..stored.clone()
    };
    let mut field_changes = fields::diff(Some(stored), Some(&accepted));
    field_changes.extend(fields::diff_memberships(&before.memberships, &user.memberships));
    let mut changes = vec![
        Change::LockTenant { id: tenant.id, expected: tenant.version },
        update(stored, &accepted),
    ];
    if inviter.id != user.id {
        changes.push(Change::LockUser { id: inviter.id, expected: UserVersion::from(inviter) });
    }
    match invitee {
        Invitee::New(created) => {
            changes.extend(created.changes.into_iter().map(|change| match change {
                Change::InsertUser(_) => Change::InsertUser(user.clone()),
                change => change,
            }));
        }
        Invitee::Stored(stored) if user == stored => {
            changes.push(Change::LockUser { id: user.id, expected: UserVersion::from(&stored) });
        }
        Invitee::Stored(stored) => {
            user.version = next_version(user.version);
            user.updated_at = context.timestamp;
            let expected = UserVersion::from(&stored);
            changes.push(Change::UpdateUser { expected, user: user.clone() });
        }
    }
    let context = context.clone().with_actor(&user);
    changes.push(audit_event("invitation.accept", &accepted, field_changes, &context));
    Edit { value: user, changes }
}

/// Gives a user the offered role, or the present one if it is higher, with the source `Direct`.
fn grant(user: &mut User, invitation: &Invitation, context: &AuditContext) {
    let tenant_id = invitation.tenant_id;
    match user.memberships.iter_mut().find(|m| m.tenant_id == tenant_id) {
        Some(membership) => {
            membership.role = membership.role.max(invitation.role);
            membership.source = MembershipSource::Direct;
        }
        None => user.memberships.push(Membership {
            tenant_id,
            role: invitation.role,
            source: MembershipSource::Direct,
            since: context.timestamp,
        }),
    }
}

/// Returns the change that stores an expired invitation as such, so that its address can be invited
/// again. Its version stays, because clients see no difference.
fn lapse(expired: &Invitation) -> Change {
    let lapsed = Invitation { status: InvitationStatus::Expired, ..expired.clone() };
    update(expired, &lapsed)
}

fn update(stored: &Invitation, invitation: &Invitation) -> Change {
    Change::UpdateInvitation { expected: stored.version, invitation: invitation.clone() }
}

const fn mail_status(mail: Option<ObjectId>) -> MailStatus {
    match mail {
        Some(_) => MailStatus::Queued,
        None => MailStatus::None,
    }
}

fn queue_mail(id: ObjectId, invitation: &Invitation, context: &AuditContext) -> Change {
    let subject = (invitation.id.raw, invitation.generation);
    let (topic, now) = (OutboxTopic::InvitationMail, context.timestamp);
    Change::InsertOutboxMessage(OutboxMessage::new(id, topic, subject, now))
}

/// Returns the condition that the tenant has at most as many pending invitations as it may have.
fn limit_pending(tenant: &Tenant, context: &AuditContext) -> Change {
    let max = MAX_PENDING_INVITATIONS;
    Change::LimitPendingInvitations { tenant: tenant.id, at: context.timestamp, max }
}

/// Returns an invitation with the status that clients see.
fn visible(stored: &Invitation, context: &AuditContext) -> Invitation {
    Invitation { status: stored.status_at(context.timestamp), ..stored.clone() }
}

fn audit_event(
    action: &str,
    invitation: &Invitation,
    field_changes: Vec<FieldChange>,
    context: &AuditContext,
) -> Change {
    let target = NodeId::Invitation(invitation.id);
    let tenants = vec![invitation.tenant_id];
    Change::InsertAuditEvent(context.event(action, target, tenants, field_changes))
}
