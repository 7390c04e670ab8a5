//! What `me` makes of a token: the profile, and the rights that its groups give.
//!
//! The one rule that reads anything of a token but who it is for.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use super::{
    audit::{ActorKind, AuditEvent, FieldChange},
    change::{Change, UserVersion},
    id::{AuditEventId, NodeId, ObjectId, TenantId, UserId},
    tenant::Tenant,
    text,
    time::Timestamp,
    user::{Identity, Membership, MembershipSource, TenantRole, Tombstone, User},
};

/// How much clocks may differ: `nbf`, `iat`, `exp` and every watermark.
pub const LEEWAY: Duration = Duration::from_secs(60);
/// How often `last_seen_at` moves at most.
const LAST_SEEN_INTERVAL: Duration = Duration::from_secs(5 * 60);

/// What a verified token says beyond who it is for; nothing of it decides anything but here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenProfile {
    /// `email`, as it came.
    pub email: Option<String>,
    /// `name`, as it came.
    pub name: Option<String>,
    /// `preferred_username`, as it came.
    pub preferred_username: Option<String>,
    /// When the token was issued (`iat`, whole seconds).
    pub issued_at: Option<Timestamp>,
    /// The groups claim; `None` where there is none, or none that can be read.
    pub groups: Option<Vec<String>>,
}

/// What groups are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMapping {
    /// The group of the platform admins.
    pub platform_admins: String,
    /// What a tenant's groups start with: `<prefix><slug>`, `<prefix><slug>:admin`, `<prefix><slug>:owner`.
    pub tenant_prefix: String,
}

/// What a token's groups name, before anybody looked up whether there is such a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedGroups {
    /// The platform admins' group is among them.
    pub platform_admin: bool,
    /// The highest role for each slug.
    pub by_slug: BTreeMap<String, TenantRole>,
    /// Every group as it is, for tenants that name one of them as their own.
    pub groups: Vec<String>,
}

impl ParsedGroups {
    /// Reads group names; those that mean nothing are ignored.
    #[must_use]
    pub fn read(groups: &[String], names: &GroupMapping) -> Self {
        let mut named = Self::default();
        for group in groups {
            if *group == names.platform_admins {
                named.platform_admin = true;
            }
            if let Some((slug, role)) = tenant_group(group, &names.tenant_prefix) {
                let highest = named.by_slug.entry(slug.to_owned()).or_insert(role);
                *highest = role.max(*highest);
            }
            if !group.is_empty() {
                named.groups.push(group.clone());
            }
        }
        named.groups.sort_unstable();
        named.groups.dedup();
        named
    }

    /// The roles that these groups give in tenants that were looked up for them.
    /// A tenant younger than the token gives none: the token was not meant for it.
    #[must_use]
    pub fn roles(
        &self,
        tenants: &[Tenant],
        issued_at: Timestamp,
    ) -> BTreeMap<TenantId, TenantRole> {
        let existed = |t: &&Tenant| t.created_at.seconds() <= issued_at.seconds();
        let role = |t: &Tenant| {
            let by_slug = self.by_slug.get(&t.slug).copied();
            let own = t.integrations.as_ref().and_then(|i| i.authentik_group.as_ref());
            let by_group = own
                .filter(|group| self.groups.binary_search(group).is_ok())
                .map(|_| TenantRole::Member);
            by_slug.max(by_group)
        };
        tenants.iter().filter(existed).filter_map(|t| Some((t.id, role(t)?))).collect()
    }
}

fn tenant_group<'a>(group: &'a str, prefix: &str) -> Option<(&'a str, TenantRole)> {
    let rest = group.strip_prefix(prefix)?;
    let (slug, role) = match rest.split_once(':') {
        None => (rest, TenantRole::Member),
        Some((slug, "admin")) => (slug, TenantRole::Admin),
        Some((slug, "owner")) => (slug, TenantRole::Owner),
        Some(_) => return None,
    };
    text::is_slug(slug).then_some((slug, role))
}

/// Whether this token's groups are to be applied to that user (`None`: one that is yet to be made).
#[must_use]
pub fn should_apply_groups(profile: &TokenProfile, watermark: Option<Timestamp>) -> bool {
    profile.groups.is_some()
        && profile.issued_at.is_some_and(|iat| watermark.is_none_or(|mark| iat > mark))
}

/// Whether a token may make its user again after a deletion.
#[must_use]
pub fn issued_after_deletion(profile: &TokenProfile, tombstone: &Tombstone) -> bool {
    profile.issued_at.is_some_and(|iat| iat > tombstone.deleted_at.saturating_add(LEEWAY))
}

/// Whether a token may be from before a deletion that this user came after. Such a user has had a
/// watermark from the first moment, and every token from before is older than that; the token that
/// made a user is not. So only of a few the tombstone has to be looked for.
#[must_use]
pub fn may_predate_deletion(profile: &TokenProfile, user: &User) -> bool {
    let older = |iat, mark| iat < mark && iat <= user.created_at.saturating_add(LEEWAY);
    user.groups_as_of.is_some_and(|mark| profile.issued_at.is_none_or(|iat| older(iat, mark)))
}

/// The rights that a token gives, once its groups were looked up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupGrants {
    /// Platform admin.
    pub platform_admin: bool,
    /// The role in each tenant.
    pub roles: BTreeMap<TenantId, TenantRole>,
}

/// Identifiers, the time and the request of a sync.
#[derive(Clone, Debug)]
pub struct SyncContext {
    /// For the user, where one is made.
    pub user_id: ObjectId,
    /// For the event.
    pub event_id: ObjectId,
    /// The time.
    pub now: Timestamp,
    /// The request.
    pub request_id: Option<String>,
}

/// A user as it is after `me`, and what has to be committed for that: nothing, where nothing differs.
#[derive(Clone, Debug, PartialEq)]
pub struct SyncResult {
    /// The user.
    pub user: User,
    /// What differs from what is stored.
    pub changes: Vec<Change>,
    /// The tenants in which the user has a place now and had none before.
    pub joined: Vec<TenantId>,
}

/// The user that a first `me` makes. `granted` is `None` where the token's groups do not count.
/// Where there was a user before, no token from before the deletion will give groups again.
#[must_use]
pub fn create(
    identity: Identity,
    profile: &TokenProfile,
    granted: Option<&GroupGrants>,
    tombstone: Option<&Tombstone>,
    occasion: &SyncContext,
) -> SyncResult {
    let name = profile.name.as_deref().and_then(text::parse_name);
    let name = name
        .or_else(|| profile.preferred_username.as_deref().and_then(text::parse_name))
        .or_else(|| {
            text::parse_name(&identity.subject.chars().take(text::NAME_MAX).collect::<String>())
        })
        // A subject of nothing but spaces and control characters is a subject all the same.
        .unwrap_or_else(|| "?".to_owned());
    let mut blank = User::new(UserId::new(occasion.user_id), identity, occasion.now);
    blank.groups_as_of = tombstone.map(|tombstone| tombstone.deleted_at.saturating_add(LEEWAY));
    blank.last_seen_at = Some(occasion.now);
    let mut user = blank.clone();
    user.name = name;
    user.email = profile.email.as_deref().and_then(text::parse_email);
    if let Some(granted) = granted {
        grant(&mut user, granted, profile.issued_at, occasion.now);
    }
    let mut event = event(&blank, &user, occasion);
    let known = |user: &User| json!(user.identity.subject);
    event.changes.extend(FieldChange::diff("subject", Value::Null, known(&user)));
    let changes = vec![Change::InsertUser(user.clone()), Change::InsertAuditEvent(event)];
    SyncResult { changes, joined: joined(&blank, &user), user }
}

/// What a later `me` makes of a stored user. `granted` is `None` where the token's groups do not count.
#[must_use]
pub fn update(
    stored: &User,
    profile: &TokenProfile,
    granted: Option<&GroupGrants>,
    occasion: &SyncContext,
) -> SyncResult {
    let mut user = stored.clone();
    if let Some(name) = profile.name.as_deref().and_then(text::parse_name) {
        user.name = name;
    }
    if let Some(email) = profile.email.as_deref().and_then(text::parse_email) {
        user.email = Some(email);
    }
    if let Some(granted) = granted {
        grant(&mut user, granted, profile.issued_at, occasion.now);
    }
    let seen = stored
        .last_seen_at
        .is_none_or(|at| occasion.now.saturating_duration_since(at) >= LAST_SEEN_INTERVAL);
    if seen {
        user.last_seen_at = Some(occasion.now);
    }
    let event = event(stored, &user, occasion);
    let changes = if !event.changes.is_empty() {
        user.version = user.version.saturating_add(1);
        user.updated_at = occasion.now;
        let was = UserVersion::from(stored);
        vec![Change::UpdateUser { was, user: user.clone() }, Change::InsertAuditEvent(event)]
    } else if user.groups_as_of != stored.groups_as_of {
        vec![Change::UpdateUser { was: UserVersion::from(stored), user: user.clone() }]
    } else if seen {
        vec![Change::TouchLastSeen { id: user.id, at: occasion.now }]
    } else {
        Vec::new()
    };
    SyncResult { changes, joined: joined(stored, &user), user }
}

fn joined(before: &User, after: &User) -> Vec<TenantId> {
    let new = |m: &&Membership| before.membership(m.tenant_id).is_none();
    after.memberships.iter().filter(new).map(|m| m.tenant_id).collect()
}

/// A user without places in tenants that were deleted while a sync gave them.
#[must_use]
pub fn remove_memberships(stored: &User, gone: &[TenantId], occasion: &SyncContext) -> SyncResult {
    let mut user = stored.clone();
    user.memberships.retain(|m| !gone.contains(&m.tenant_id));
    let event = event(stored, &user, occasion);
    if event.changes.is_empty() {
        return SyncResult { user, changes: Vec::new(), joined: Vec::new() };
    }
    user.version = user.version.saturating_add(1);
    user.updated_at = occasion.now;
    let was = UserVersion::from(stored);
    let changes =
        vec![Change::UpdateUser { was, user: user.clone() }, Change::InsertAuditEvent(event)];
    SyncResult { user, changes, joined: Vec::new() }
}

/// Applies rights from groups, leaves alone what was given here, and moves the watermark.
fn grant(user: &mut User, granted: &GroupGrants, issued_at: Option<Timestamp>, now: Timestamp) {
    user.platform_admin = match user.platform_admin {
        Some(MembershipSource::Direct) => Some(MembershipSource::Direct),
        _ => granted.platform_admin.then_some(MembershipSource::Group),
    };
    user.memberships.retain_mut(|m| match (m.source, granted.roles.get(&m.tenant_id)) {
        (MembershipSource::Direct, _) => true,
        (MembershipSource::Group, None) => false,
        (MembershipSource::Group, Some(role)) => {
            m.role = *role;
            true
        }
    });
    for (&tenant_id, &role) in &granted.roles {
        if user.membership(tenant_id).is_none() {
            let source = MembershipSource::Group;
            user.memberships.push(Membership { tenant_id, role, source, since: now });
        }
    }
    user.groups_as_of = issued_at;
}

fn event(before: &User, after: &User, occasion: &SyncContext) -> AuditEvent {
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
    let (was, is) = (roles(before), roles(after));
    let mut tenants: Vec<TenantId> = was.keys().chain(is.keys()).copied().collect();
    tenants.sort_unstable();
    tenants.dedup();
    tenants.retain(|tenant| was.get(tenant) != is.get(tenant));
    for tenant in &tenants {
        changes.extend(FieldChange::diff(
            format!("memberships.{tenant}"),
            role_json(was.get(tenant)),
            role_json(is.get(tenant)),
        ));
    }
    AuditEvent {
        id: AuditEventId::new(occasion.event_id),
        at: occasion.now,
        action: "user.sync".to_owned(),
        actor_kind: match after.platform_admin {
            Some(_) => ActorKind::PlatformAdmin,
            None => ActorKind::User,
        },
        actor: Some(after.id),
        tenants,
        target: Some(NodeId::User(after.id)),
        changes,
        request_id: occasion.request_id.clone(),
    }
}

fn text_or_null(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { json!(text) }
}

fn role_json(role: Option<&TenantRole>) -> Value {
    role.map_or(Value::Null, |role| json!(role.as_str().to_ascii_uppercase()))
}
