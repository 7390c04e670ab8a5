//! Making, changing and deleting users.

use super::{
    AuditContext, Edit, EditError, check_input, check_version, fields,
    tenant::{parse_email, parse_name},
};
use crate::domain::{
    change::{Change, UserVersion},
    id::{NodeId, TenantId, UserId},
    input_error::InputError,
    patch::Patch,
    sync::LEEWAY,
    time::Timestamp,
    user::{Identity, MembershipSource, Tombstone, User},
};

/// The longest subject, in characters.
pub const SUBJECT_MAX: usize = 255;

/// Who a new user is, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUser {
    /// The identifier.
    pub id: UserId,
    /// The subject at the issuer.
    pub subject: String,
    /// The issuer; the first configured one where none is named.
    pub issuer: Option<String>,
    /// The rest.
    pub patch: UserPatch,
}

/// What an input says of a user, as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserPatch {
    /// The e-mail address.
    pub email: Patch<String>,
    /// The name.
    pub name: Patch<String>,
    /// Whether the user runs the platform.
    pub platform_admin: Patch<bool>,
    /// Whether the user is shut out.
    pub disabled: Patch<bool>,
}

/// A new user, before it is known whether there was one of that identity before. `issuers` are
/// those whose tokens count here.
pub fn validate_and_build(
    new: NewUser,
    issuers: &[String],
    deed: &AuditContext,
) -> Result<User, EditError> {
    let NewUser { id, subject, issuer, patch } = new;
    let mut faults = Vec::new();
    let length = subject.chars().count();
    if !(1..=SUBJECT_MAX).contains(&length) || subject.chars().any(char::is_control) {
        let message = "must be 1 to 255 characters without control characters";
        faults.push(InputError::at("input.subject", message));
    }
    let issuer = issuer.or_else(|| issuers.first().cloned()).unwrap_or_default();
    if !issuers.contains(&issuer) {
        faults.push(InputError::at("input.issuer", "must be an issuer whose tokens count here"));
    }
    let mut user = User::new(id, Identity { issuer, subject }, deed.now);
    apply(patch, &mut user, &mut faults);
    check_input(faults, None, 1)?;
    Ok(user)
}

/// What has to be committed to make a user. Where there was one of that identity before, what its
/// deletion took away stays away: tokens from before it give no groups.
#[must_use]
pub fn create(mut user: User, tombstone: Option<&Tombstone>, deed: &AuditContext) -> Edit<User> {
    user.groups_as_of = tombstone.map(|tombstone| tombstone.deleted_at.saturating_add(LEEWAY));
    let told = fields::diff(None, Some(&user));
    let was = tombstone.map(|tombstone| tombstone.deleted_at);
    let lift = Change::DeleteTombstones { identity: user.identity.clone(), was };
    let event = deed.event("user.create", NodeId::User(user.id), Vec::new(), told);
    let changes = vec![Change::InsertUser(user.clone()), lift, event];
    Edit { value: user, changes }
}

/// A user after a change.
pub fn update(
    stored: &User,
    version: Option<i32>,
    patch: UserPatch,
    deed: &AuditContext,
) -> Result<Edit<User>, EditError> {
    let mut user = stored.clone();
    let mut faults = Vec::new();
    apply(patch, &mut user, &mut faults);
    check_input(faults, version, stored.version)?;
    let told = fields::diff(Some(stored), Some(&user));
    if told.is_empty() {
        return Ok(Edit::unchanged(stored.clone()));
    }
    if stored.platform_admin.is_some() && user.platform_admin.is_none() {
        advance_watermark(&mut user, deed.now);
    }
    user.version = user.version.saturating_add(1);
    user.updated_at = deed.now;
    let event = deed.event("user.update", NodeId::User(user.id), Vec::new(), told);
    let update = Change::UpdateUser { was: UserVersion::from(stored), user: user.clone() };
    Ok(Edit { value: user, changes: vec![update, event] })
}

/// A user goes, with the memberships, and leaves a tombstone.
pub fn delete(
    stored: &User,
    version: Option<i32>,
    deed: &AuditContext,
) -> Result<Edit<UserId>, EditError> {
    check_version(version, stored.version)?;
    let mut told = fields::diff(Some(stored), None);
    told.extend(fields::memberships(&stored.memberships, &[]));
    let tenants: Vec<TenantId> = stored.memberships.iter().map(|m| m.tenant_id).collect();
    let tombstone = Tombstone { identity: stored.identity.clone(), deleted_at: deed.now };
    let changes = vec![
        Change::DeleteUser { id: stored.id, was: UserVersion::from(stored) },
        Change::InsertTombstone(tombstone),
        deed.event("user.delete", NodeId::User(stored.id), tenants, told),
    ];
    Ok(Edit { value: stored.id, changes })
}

/// Moves the watermark past a removal, never back: no token from before it brings back what is gone.
pub(super) fn advance_watermark(user: &mut User, now: Timestamp) {
    user.groups_as_of = user.groups_as_of.max(Some(now.saturating_add(LEEWAY)));
}

fn apply(patch: UserPatch, user: &mut User, faults: &mut Vec<InputError>) {
    let UserPatch { email, name, platform_admin, disabled } = patch;
    email.apply_optional("input.email", &mut user.email, faults, |email| {
        parse_email(&email).map(Some)
    });
    name.apply_required("input.name", &mut user.name, faults, |name| parse_name(&name));
    let direct = |admin: bool| Ok(admin.then_some(MembershipSource::Direct));
    platform_admin.apply_required("input.platformAdmin", &mut user.platform_admin, faults, direct);
    disabled.apply_required("input.disabled", &mut user.disabled, faults, Ok);
}
