//! Builds a fixture for each case, so that no case can see the effects of another one.
//!
//! A fixture is a tenant with its objects, and a user for every relation to the tenant.

use tenantry::access::Secrets;
use tenantry::domain::{
    audit::AuditEvent,
    change::Change,
    id::{AuditEventId, InvitationId, NodeId, SubscriptionId, TenantId, UserId, kind},
    invitation::Invitation,
    subscription::{TenantSubscription, TenantSubscriptionStatus},
    tenant::{Tenant, TenantStatus},
    user::{MembershipSource, TenantRole, User},
};

use super::table::{Caller, TenantKind};
use crate::support::{
    app::{App, SECRET},
    world,
};

/// Returns another tenant of callers and peers.
///
/// All callers own it, which proves that a role in it has no effect in the tenant of the case.
pub(super) fn common_tenant() -> Tenant {
    world::tenant(1, "common")
}

/// Returns a tenant in which no caller is a member.
pub(super) fn hidden_tenant() -> Tenant {
    world::tenant(2, "hidden")
}

/// Returns the default tenant.
pub(super) fn default_tenant() -> Tenant {
    world::tenant(3, "dezky")
}

/// Returns the changes that insert the tenants of all cases. A test commits them once.
pub(super) fn shared_changes() -> Vec<Change> {
    [common_tenant(), hidden_tenant(), default_tenant()].map(Change::InsertTenant).into()
}

/// The objects of one case.
#[derive(Clone)]
pub(super) struct Fixture {
    pub(super) number: u32,
    pub(super) tenant_kind: TenantKind,
    pub(super) tenant: Tenant,
    pub(super) subscription: TenantSubscription,
    /// Invitations of the tenant: one as MEMBER, one as OWNER, and one for each caller.
    pub(super) invitations: Vec<Invitation>,
    pub(super) member: User,
    pub(super) admin: User,
    pub(super) owner: User,
    pub(super) peer: User,
    pub(super) stranger: User,
    /// An audit event of the tenant with `member` as actor.
    pub(super) event: AuditEvent,
    /// An audit event of the tenant with `stranger` as actor and target.
    pub(super) foreign_event: AuditEvent,
    /// The callers that have a user.
    pub(super) callers: Vec<(Caller, User)>,
}

impl Fixture {
    /// Returns the fixture with that number, kind of tenant and callers.
    pub(super) fn new(app: &App, number: u32, tenant_kind: TenantKind, callers: &[Caller]) -> Self {
        use TenantRole::{Admin, Member, Owner};
        let base = 1000 + number * 20;
        let status = match tenant_kind {
            TenantKind::Active | TenantKind::NoOtherOwner | TenantKind::Default => {
                TenantStatus::Active
            }
            TenantKind::Pending => TenantStatus::Pending,
            TenantKind::Suspended => TenantStatus::Suspended,
            TenantKind::Archived => TenantStatus::Archived,
        };
        let own_tenant = Tenant { status, ..world::tenant(base, &format!("t{number:04}")) };
        let tenant = if tenant_kind == TenantKind::Default { default_tenant() } else { own_tenant };
        let user = |offset: u32, prefix: &str, roles: &[(TenantId, TenantRole)]| {
            world::user(app, base + offset, &format!("{prefix}-{number}"), roles)
        };
        let member = user(1, "other-member", &[(tenant.id, Member), (hidden_tenant().id, Owner)]);
        let stranger = user(5, "other-stranger", &[(hidden_tenant().id, Member)]);
        let event = world::event(base, tenant.id, member.id, &["name", "integrations.ocisSpace"]);
        let memberships =
            [tenant.id, hidden_tenant().id].map(|tenant| format!("memberships.{tenant}"));
        let fields = ["email", memberships[0].as_str(), memberships[1].as_str()];
        let mut foreign_event = world::event(base + 1, tenant.id, stranger.id, &fields);
        foreign_event.target = Some(NodeId::User(stranger.id));
        let callers = callers.iter().enumerate().filter_map(|(index, &caller)| {
            let with_role = |role| vec![(common_tenant().id, Owner), (tenant.id, role)];
            let roles = match caller {
                Caller::Anonymous | Caller::Unprovisioned => return None,
                Caller::Outsider => vec![(common_tenant().id, Owner)],
                Caller::Member => with_role(Member),
                Caller::Admin => with_role(Admin),
                Caller::Disabled | Caller::Owner => with_role(Owner),
                Caller::PlatformAdmin => vec![],
            };
            let mut caller_user = user(6 + index as u32, subject_prefix(caller), &roles);
            caller_user.disabled = caller == Caller::Disabled;
            let is_platform_admin = matches!(caller, Caller::PlatformAdmin | Caller::Disabled);
            caller_user.platform_admin = is_platform_admin.then_some(MembershipSource::Direct);
            Some((caller, caller_user))
        });
        let invited = |offset: u32, prefix: &str, role| {
            world::invitation(
                base + offset,
                tenant.id,
                user(2, "other-admin", &[]).id,
                role,
                prefix,
            )
        };
        let mut invitations = vec![
            invited(0, &format!("invited-{number}"), Member),
            invited(1, &format!("high-{number}"), Owner),
        ];
        for (index, caller) in Caller::ALL.into_iter().enumerate() {
            let address = format!("{}-{number}", subject_prefix(caller));
            invitations.push(invited(2 + index as u32, &address, Member));
        }
        Self {
            number,
            tenant_kind,
            invitations,
            subscription: world::subscription(base, &tenant, TenantSubscriptionStatus::Active),
            admin: user(2, "other-admin", &[(tenant.id, Admin)]),
            owner: user(3, "other-owner", &[(tenant.id, Owner)]),
            peer: user(4, "other-peer", &[(common_tenant().id, Member)]),
            callers: callers.collect(),
            tenant,
            member,
            stranger,
            event,
            foreign_event,
        }
    }

    /// Returns the tenants that are stored for this fixture alone.
    pub(super) fn tenants(&self) -> Vec<Tenant> {
        match self.tenant_kind {
            TenantKind::Default => Vec::new(),
            _ => vec![self.tenant.clone()],
        }
    }

    /// Returns the subscriptions of this fixture.
    pub(super) fn subscriptions(&self) -> Vec<TenantSubscription> {
        match self.tenant_kind {
            TenantKind::Default => Vec::new(),
            _ => vec![self.subscription.clone()],
        }
    }

    /// Returns the users of this fixture.
    pub(super) fn users(&self) -> Vec<User> {
        let mut users: Vec<User> =
            [&self.member, &self.admin, &self.peer, &self.stranger].map(User::clone).into();
        if self.tenant_kind != TenantKind::NoOtherOwner {
            users.push(self.owner.clone());
        }
        users.extend(self.callers.iter().map(|(_, user)| user.clone()));
        users
    }

    /// Returns the changes that insert the whole fixture.
    pub(super) fn changes(&self) -> Vec<Change> {
        let tenants = self.tenants().into_iter().map(Change::InsertTenant);
        let subscriptions = self.subscriptions().into_iter().map(Change::InsertSubscription);
        let users = self.users().into_iter().map(Change::InsertUser);
        let invitations = self.invitations.iter().cloned().map(Change::InsertInvitation);
        let events =
            [&self.event, &self.foreign_event].map(|event| Change::InsertAuditEvent(event.clone()));
        tenants.chain(subscriptions).chain(invitations).chain(users).chain(events).collect()
    }

    /// Returns the user of a caller.
    pub(super) fn caller(&self, caller: Caller) -> Option<&User> {
        self.callers.iter().find(|(other, _)| *other == caller).map(|(_, user)| user)
    }

    /// Replaces the placeholders of a template with the objects of this fixture.
    pub(super) fn fill(&self, caller: Caller, template: &str) -> String {
        let caller_id = self.caller(caller).map_or_else(nonexistent_user, |user| user.id);
        let nonexistent_subscription = SubscriptionId::new(nonexistent_id::<()>().raw);
        let nonexistent_event = AuditEventId::new(nonexistent_id::<()>().raw);
        let token = |invitation: &Invitation| {
            let secrets = Secrets::derive([&SECRET[..]]).expect("keys");
            secrets.invitation_token(invitation).expect("a token")
        };
        let nonexistent_invitation = InvitationId::new(nonexistent_id::<()>().raw);
        template
            .replace("$CALLER_TOKEN", &token(&self.invitations[2 + caller as usize]))
            .replace("$TOKEN", &token(&self.invitations[0]))
            .replace("$NO_INVITATION", &nonexistent_invitation.to_string())
            .replace("$INVITATION", &self.invitations[0].id.to_string())
            .replace("$HIGH_INVITATION", &self.invitations[1].id.to_string())
            .replace("$NO_TENANT", &nonexistent_id::<kind::Tenant>().to_string())
            .replace("$NO_SUBSCRIPTION", &nonexistent_subscription.to_string())
            .replace("$NO_USER", &nonexistent_user().to_string())
            .replace("$NO_EVENT", &nonexistent_event.to_string())
            .replace("$TENANT", &self.tenant.id.to_string())
            .replace("$SLUG", &self.tenant.slug)
            .replace("$SUBSCRIPTION", &self.subscription.id.to_string())
            .replace("$EVENT", &self.event.id.to_string())
            .replace("$FOREIGN_EVENT", &self.foreign_event.id.to_string())
            .replace("$MEMBER", &self.member.id.to_string())
            .replace("$ADMIN", &self.admin.id.to_string())
            .replace("$OWNER", &self.owner.id.to_string())
            .replace("$PEER", &self.peer.id.to_string())
            .replace("$STRANGER", &self.stranger.id.to_string())
            .replace("$CALLER", &caller_id.to_string())
            .replace("$HIDDEN", &hidden_tenant().id.to_string())
            .replace("$N", &self.number.to_string())
    }
}

/// Returns the beginning of a caller's token subject.
pub(super) const fn subject_prefix(caller: Caller) -> &'static str {
    match caller {
        Caller::Anonymous => "anonymous",
        Caller::Unprovisioned => "newcomer",
        Caller::Disabled => "disabled",
        Caller::Outsider => "outsider",
        Caller::Member => "member",
        Caller::Admin => "admin",
        Caller::Owner => "owner",
        Caller::PlatformAdmin => "platform",
    }
}

/// Returns an identifier that no object has.
fn nonexistent_id<E>() -> tenantry::domain::id::Id<E> {
    world::id(0x00ff_ffff)
}

fn nonexistent_user() -> UserId {
    nonexistent_id()
}
