//! The sync of `me`: creates or updates the caller's user from the claims of a token.
//!
//! These are the only rules that interpret claims other than issuer and subject. The rules are
//! pure. [`create`] and [`update`] return the new state of the user and the changes to commit.
//! [`groups`](super::groups) computes the rights that groups grant.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    audit::{AuditContext, AuditEvent, FieldChange},
    change::{Change, UserVersion, next_version},
    id::{NodeId, TenantId, UserId},
    text,
    time::Timestamp,
    user::{Identity, Membership, MembershipSource, TenantRole, Tombstone, User},
};

pub use super::groups::{GroupGrants, GroupMapping, ParsedGroups};

/// The clock difference that is tolerated for `nbf`, `iat`, `exp` and every watermark.
pub const LEEWAY: Duration = Duration::from_secs(60);
/// The minimum time between two updates of `last_seen_at`.
const LAST_SEEN_INTERVAL: Duration = Duration::from_secs(5 * 60);

/// The claims of a verified token besides issuer and subject. Only the rules of this module
/// interpret them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenProfile {
    /// The claim `email`, unchanged.
    pub email: Option<String>,
    /// `true` if the claim `email_verified` is `true`.
    pub email_verified: bool,
    /// The claim `name`, unchanged.
    pub name: Option<String>,
    /// The claim `preferred_username`, unchanged.
    pub preferred_username: Option<String>,
    /// The time at which the token was issued (`iat`, whole seconds).
    pub issued_at: Option<Timestamp>,
    /// The groups claim, or `None` if it is absent or has an unexpected type.
    pub groups: Option<Vec<String>>,
}

/// Returns whether the groups of a token are applied to a user with this watermark.
///
/// A user that does not exist yet has no watermark.
#[must_use]
pub fn should_apply_groups(profile: &TokenProfile, watermark: Option<Timestamp>) -> bool {
    profile.groups.is_some()
        && profile.issued_at.is_some_and(|iat| watermark.is_none_or(|watermark| iat > watermark))
}

/// Returns whether a token was issued after a deletion, so that it may create the user again.
#[must_use]
pub fn issued_after_deletion(profile: &TokenProfile, tombstone: &Tombstone) -> bool {
    profile.issued_at.is_some_and(|iat| iat > tombstone.deleted_at.saturating_add(LEEWAY))
}

/// Returns whether a token may be older than the deletion of an earlier user of the same identity.
///
/// A user that was created after a deletion has a watermark from its creation on. Every token from
/// before the deletion is older than this watermark. The token that created the user is not. So
/// `access` looks up the tombstone for a few tokens only.
#[must_use]
pub fn may_predate_deletion(profile: &TokenProfile, user: &User) -> bool {
    let is_older =
        |iat, watermark| iat < watermark && iat <= user.created_at.saturating_add(LEEWAY);
    user.groups_as_of
        .is_some_and(|watermark| profile.issued_at.is_none_or(|iat| is_older(iat, watermark)))
}

/// The state of a user after a sync, and the changes to commit.
#[derive(Clone, Debug, PartialEq)]
pub struct SyncResult {
    /// The user after the sync.
    pub user: User,
    /// The changes to commit. Empty if the stored user is up to date.
    pub changes: Vec<Change>,
    /// The tenants that the user has become a member of.
    pub joined: Vec<TenantId>,
}

/// Creates the user of a caller's first `me`.
///
/// `grants` is `None` if the token's groups are not applied. With a tombstone, the user gets a
/// watermark, so that no token from before the deletion ever grants rights from groups.
#[must_use]
pub fn create(
    id: UserId,
    identity: Identity,
    profile: &TokenProfile,
    grants: Option<&GroupGrants>,
    tombstone: Option<&Tombstone>,
    context: &AuditContext,
) -> SyncResult {
    let name = name_of(profile, &identity);
    let mut new_user = User::new(id, identity, context.timestamp);
    new_user.groups_as_of = tombstone.map(|tombstone| tombstone.deleted_at.saturating_add(LEEWAY));
    new_user.last_seen_at = Some(context.timestamp);
    let mut user = new_user.clone();
    user.name = name;
    user.email = profile.email.as_deref().and_then(text::parse_email);
    if let Some(grants) = grants {
        apply_grants(&mut user, grants, profile.issued_at, context.timestamp);
    }
    let mut event = audit_event(&new_user, &user, context);
    let subject = json!(user.identity.subject);
    event.changes.extend(FieldChange::diff("subject", Value::Null, subject));
    let changes = vec![Change::InsertUser(user.clone()), Change::InsertAuditEvent(event)];
    SyncResult { changes, joined: joined_tenants(&new_user, &user), user }
}

/// Returns the name of a user who has none yet.
fn name_of(profile: &TokenProfile, identity: &Identity) -> String {
    let name = profile.name.as_deref().and_then(text::parse_name);
    name.or_else(|| profile.preferred_username.as_deref().and_then(text::parse_name))
        .or_else(|| {
            text::parse_name(&identity.subject.chars().take(text::NAME_MAX).collect::<String>())
        })
        // A subject of only spaces or with control characters is valid, but it is not a valid name.
        .unwrap_or_else(|| "?".to_owned())
}

/// Updates a stored user at a later `me`. A user whose stored name is blank gets a name as a new one
/// does, and a blank e-mail address is removed.
///
/// `grants` is `None` if the token's groups are not applied. Most requests change nothing, and end
/// before anything is copied.
#[must_use]
pub fn update(
    stored: User,
    profile: &TokenProfile,
    grants: Option<&GroupGrants>,
    context: &AuditContext,
) -> SyncResult {
    let now = context.timestamp;
    let profile_name = profile.name.as_deref().and_then(text::parse_name);
    let name = match profile_name {
        None if stored.name.trim().is_empty() => Some(name_of(profile, &stored.identity)),
        name => name.filter(|name| *name != stored.name),
    };
    // `Some(None)` removes the address.
    let email = match profile.email.as_deref().and_then(text::parse_email) {
        None if stored.email.as_deref().is_some_and(|email| email.trim().is_empty()) => Some(None),
        email => email.filter(|email| stored.email.as_ref() != Some(email)).map(Some),
    };
    let touches_last_seen = stored
        .last_seen_at
        .is_none_or(|at| now.saturating_duration_since(at) >= LAST_SEEN_INTERVAL);
    if name.is_none() && email.is_none() && grants.is_none() && !touches_last_seen {
        return SyncResult { user: stored, changes: Vec::new(), joined: Vec::new() };
    }
    let mut user = stored.clone();
    if let Some(name) = name {
        user.name = name;
    }
    if let Some(email) = email {
        user.email = email;
    }
    if let Some(grants) = grants {
        apply_grants(&mut user, grants, profile.issued_at, now);
    }
    if touches_last_seen {
        user.last_seen_at = Some(now);
    }
    let event = audit_event(&stored, &user, context);
    let changes = if !event.changes.is_empty() {
        user.version = next_version(user.version);
        user.updated_at = now;
        let expected = UserVersion::from(&stored);
        vec![Change::UpdateUser { expected, user: user.clone() }, Change::InsertAuditEvent(event)]
    } else if user.groups_as_of != stored.groups_as_of {
        vec![Change::UpdateUser { expected: UserVersion::from(&stored), user: user.clone() }]
    } else if touches_last_seen {
        vec![Change::TouchLastSeen { id: user.id, at: now }]
    } else {
        Vec::new()
    };
    SyncResult { changes, joined: joined_tenants(&stored, &user), user }
}

/// Removes a user's memberships in tenants that were deleted while a sync added them.
#[must_use]
pub fn remove_memberships(
    stored: &User,
    deleted: &[TenantId],
    context: &AuditContext,
) -> SyncResult {
    let mut user = stored.clone();
    user.memberships.retain(|m| !deleted.contains(&m.tenant_id));
    let event = audit_event(stored, &user, context);
    if event.changes.is_empty() {
        return SyncResult { user, changes: Vec::new(), joined: Vec::new() };
    }
    user.version = next_version(user.version);
    user.updated_at = context.timestamp;
    let expected = UserVersion::from(stored);
    let changes =
        vec![Change::UpdateUser { expected, user: user.clone() }, Change::InsertAuditEvent(event)];
    SyncResult { user, changes, joined: Vec::new() }
}

fn tenants_of(user: &User) -> BTreeSet<TenantId> {
    user.memberships.iter().map(|m| m.tenant_id).collect()
}

fn joined_tenants(before: &User, after: &User) -> Vec<TenantId> {
    let known = tenants_of(before);
    after.memberships.iter().map(|m| m.tenant_id).filter(|tenant| !known.contains(tenant)).collect()
}

/// Applies the rights that groups grant, keeps rights with the source `Direct`, and moves the
/// watermark to the token's `iat`.
fn apply_grants(
    user: &mut User,
    grants: &GroupGrants,
    issued_at: Option<Timestamp>,
    now: Timestamp,
) {
    user.platform_admin = match user.platform_admin {
        Some(MembershipSource::Direct) => Some(MembershipSource::Direct),
        _ => grants.platform_admin.then_some(MembershipSource::Group),
    };
    user.memberships.retain_mut(|m| match (m.source, grants.roles.get(&m.tenant_id)) {
        (MembershipSource::Direct, _) => true,
        (MembershipSource::Group, None) => false,
        (MembershipSource::Group, Some(role)) => {
            m.role = *role;
            true
        }
    });
    let known = tenants_of(user);
    for (&tenant_id, &role) in &grants.roles {
        if !known.contains(&tenant_id) {
            let source = MembershipSource::Group;
            user.memberships.push(Membership { tenant_id, role, source, since: now });
        }
    }
    user.groups_as_of = issued_at;
}

/// Creates the audit event of a sync.
///
/// Its actor is the user itself, with the rights after the sync, because the sync may grant or
/// remove the platform admin right.
fn audit_event(before: &User, after: &User, context: &AuditContext) -> AuditEvent {
    let mut changes = Vec::new();
    changes.extend(FieldChange::diff("name", text_or_null(&before.name), json!(after.name)));
    changes.extend(FieldChange::diff("email", json!(before.email), json!(after.email)));
    changes.extend(FieldChange::diff(
        "platformAdmin",
        json!(before.platform_admin.is_some()),
        json!(after.platform_admin.is_some()),
    ));
    let roles = |user: &User| -> BTreeMap<TenantId, TenantRole> {
        user.memberships.iter().map(|m| (m.tenant_id, m.role)).collect()
    };
    let (old_roles, new_roles) = (roles(before), roles(after));
    let mut tenants: Vec<TenantId> = old_roles.keys().chain(new_roles.keys()).copied().collect();
    tenants.sort_unstable();
    tenants.dedup();
    tenants.retain(|tenant| old_roles.get(tenant) != new_roles.get(tenant));
    for tenant in &tenants {
        changes.extend(FieldChange::diff(
            format!("memberships.{tenant}"),
            role_json(old_roles.get(tenant)),
            role_json(new_roles.get(tenant)),
        ));
    }
    let context = context.clone().with_actor(after);
    context.event("user.sync", NodeId::User(after.id), tenants, changes)
}

fn text_or_null(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { json!(text) }
}

fn role_json(role: Option<&TenantRole>) -> Value {
    role.map_or(Value::Null, |role| json!(role.as_str().to_ascii_uppercase()))
}
