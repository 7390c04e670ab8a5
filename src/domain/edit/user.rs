//! The rules of creating, updating and deleting users.

use super::{
    Edit, EditError, check_input, check_version, fields,
    parse::{parse_email, parse_name},
};
use crate::domain::{
    audit::AuditContext,
    change::{Change, UserVersion, next_version},
    id::{NodeId, TenantId, UserId},
    input_error::InputError,
    patch::Patch,
    sync::LEEWAY,
    time::Timestamp,
    user::{Identity, MembershipSource, Tombstone, User},
};

/// The maximum length of a subject, in characters.
pub const SUBJECT_MAX: usize = 255;

/// The input of a new user, before validation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUser {
    /// The identifier of the new user.
    pub id: UserId,
    /// The subject at the issuer.
    pub subject: String,
    /// The issuer, or `None` for the first configured one.
    pub issuer: Option<String>,
    /// The other fields of the input.
    pub patch: UserPatch,
}

/// The fields of a user input, before validation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserPatch {
    /// The patch of the e-mail address.
    pub email: Patch<String>,
    /// The patch of the name.
    pub name: Patch<String>,
    /// The patch of the platform admin right.
    pub platform_admin: Patch<bool>,
    /// The patch of the flag that disables the user.
    pub disabled: Patch<bool>,
}

/// Validates the input of a new user and returns the user.
///
/// The identity of the result is needed to look up its tombstone. Then [`create`] returns the
/// changes. `issuers` are the configured issuers.
pub fn validate_and_build(
    new: NewUser,
    issuers: &[String],
    context: &AuditContext,
) -> Result<User, EditError> {
    let NewUser { id, subject, issuer, patch } = new;
    let mut errors = Vec::new();
    let length = subject.chars().count();
    if !(1..=SUBJECT_MAX).contains(&length) || subject.chars().any(char::is_control) {
        let message = "must be 1 to 255 characters without control characters";
        errors.push(InputError::at("input.subject", message));
    }
    let issuer = issuer.or_else(|| issuers.first().cloned()).unwrap_or_default();
    if !issuers.contains(&issuer) {
        errors.push(InputError::at("input.issuer", "must be one of the configured issuers"));
    }
    let mut user = User::new(id, Identity { issuer, subject }, context.timestamp);
    apply(patch, &mut user, &mut errors);
    check_input(errors, None, 1)?;
    Ok(user)
}

/// Returns the changes that create a user.
///
/// If an earlier user of the same identity was deleted, the new user gets a watermark. So the
/// groups of tokens from before the deletion are not applied.
#[must_use]
pub fn create(mut user: User, tombstone: Option<&Tombstone>, context: &AuditContext) -> Edit<User> {
    let deleted_at = tombstone.map(|tombstone| tombstone.deleted_at);
    user.groups_as_of = deleted_at.map(|deleted_at| deleted_at.saturating_add(LEEWAY));
    let field_changes = fields::diff(None, Some(&user));
    let event = context.event("user.create", NodeId::User(user.id), Vec::new(), field_changes);
    let changes = vec![
        Change::InsertUser(user.clone()),
        Change::DeleteTombstones { identity: user.identity.clone(), expected: deleted_at },
        Change::InsertAuditEvent(event),
    ];
    Edit { value: user, changes }
}

/// Updates a user. The loss of the platform admin right advances the watermark.
pub fn update(
    stored: &User,
    version: Option<i32>,
    patch: UserPatch,
    context: &AuditContext,
) -> Result<Edit<User>, EditError> {
    let mut user = stored.clone();
    let mut errors = Vec::new();
    apply(patch, &mut user, &mut errors);
    check_input(errors, version, stored.version)?;
    let field_changes = fields::diff(Some(stored), Some(&user));
    if field_changes.is_empty() {
        return Ok(Edit::unchanged(stored.clone()));
    }
    if stored.platform_admin.is_some() && user.platform_admin.is_none() {
        advance_watermark(&mut user, context.timestamp);
    }
    user.version = next_version(user.version);
    user.updated_at = context.timestamp;
    let event = context.event("user.update", NodeId::User(user.id), Vec::new(), field_changes);
    let update = Change::UpdateUser { expected: UserVersion::from(stored), user: user.clone() };
    Ok(Edit { value: user, changes: vec![update, Change::InsertAuditEvent(event)] })
}

/// Deletes a user with all memberships, and leaves a tombstone.
pub fn delete(
    stored: &User,
    version: Option<i32>,
    context: &AuditContext,
) -> Result<Edit<UserId>, EditError> {
    check_version(version, stored.version)?;
    let mut field_changes = fields::diff(Some(stored), None);
    field_changes.extend(fields::diff_memberships(&stored.memberships, &[]));
    let tenants: Vec<TenantId> = stored.memberships.iter().map(|m| m.tenant_id).collect();
    let event = context.event("user.delete", NodeId::User(stored.id), tenants, field_changes);
    let changes = vec![
        Change::DeleteUser { id: stored.id, expected: UserVersion::from(stored) },
        Change::InsertTombstone(Tombstone {
            identity: stored.identity.clone(),
            deleted_at: context.timestamp,
        }),
        Change::InsertAuditEvent(event),
    ];
    Ok(Edit { value: stored.id, changes })
}

/// Advances the watermark past a removal of rights. Never moves it back.
///
/// After this, the groups of a token from before the removal are not applied.
pub(super) fn advance_watermark(user: &mut User, now: Timestamp) {
    user.groups_as_of = user.groups_as_of.max(Some(now.saturating_add(LEEWAY)));
}

fn apply(patch: UserPatch, user: &mut User, errors: &mut Vec<InputError>) {
    let UserPatch { email, name, platform_admin, disabled } = patch;
    email.apply_optional("input.email", &mut user.email, errors, |email| {
        parse_email(&email).map(Some)
    });
    name.apply_required("input.name", &mut user.name, errors, |name| parse_name(&name));
    let direct = |admin: bool| Ok(admin.then_some(MembershipSource::Direct));
    platform_admin.apply_required("input.platformAdmin", &mut user.platform_admin, errors, direct);
    disabled.apply_required("input.disabled", &mut user.disabled, errors, Ok);
}
