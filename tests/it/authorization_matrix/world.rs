//! A small world for each case, so that no case can see what another one did: a tenant with all that
//! belongs to it, and somebody of every standing.

use tenantry::domain::{
    audit::AuditEvent,
    change::Change,
    id::{AuditEventId, NodeId, SubscriptionId, TenantId, UserId},
    subscription::{TenantSubscription, TenantSubscriptionStatus},
    tenant::{Tenant, TenantStatus},
    user::{MembershipSource, TenantRole, User},
};

use super::table::{Caller, Place};
use crate::support::{app::App, world};

/// Where callers and peers are besides: all callers own it, so that a role there counts for nothing here.
pub(super) fn common() -> Tenant {
    world::tenant(1, "common")
}

/// Where no caller is.
pub(super) fn hidden() -> Tenant {
    world::tenant(2, "hidden")
}

/// The default tenant.
pub(super) fn default_tenant() -> Tenant {
    world::tenant(3, "dezky")
}

/// What all cases share, to be stored once.
pub(super) fn shared() -> Vec<Change> {
    [common(), hidden(), default_tenant()].map(Change::InsertTenant).into()
}

/// The world of one case.
#[derive(Clone)]
pub(super) struct Cell {
    pub(super) n: u32,
    pub(super) place: Place,
    pub(super) tenant: Tenant,
    pub(super) subscription: TenantSubscription,
    pub(super) member: User,
    pub(super) admin: User,
    pub(super) owner: User,
    pub(super) peer: User,
    pub(super) stranger: User,
    /// Something that `member` did to the tenant.
    pub(super) event: AuditEvent,
    /// Something that happened to `stranger` here, by itself.
    pub(super) foreign: AuditEvent,
    /// Those who ask; who has no user is none of them.
    pub(super) callers: Vec<(Caller, User)>,
}

impl Cell {
    /// The n-th world, of a tenant like that, for these callers.
    pub(super) fn new(app: &App, n: u32, place: Place, callers: &[Caller]) -> Self {
        use TenantRole::{Admin, Member, Owner};
        let base = 1000 + n * 20;
        let status = match place {
            Place::Active | Place::Ownerless | Place::Default => TenantStatus::Active,
            Place::Pending => TenantStatus::Pending,
            Place::Suspended => TenantStatus::Suspended,
            Place::Archived => TenantStatus::Archived,
        };
        let own = Tenant { status, ..world::tenant(base, &format!("t{n:04}")) };
        let tenant = if place == Place::Default { default_tenant() } else { own };
        let user = |k: u32, what: &str, places: &[(TenantId, TenantRole)]| {
            world::user(app, base + k, &format!("{what}-{n}"), places)
        };
        let member = user(1, "of-member", &[(tenant.id, Member), (hidden().id, Owner)]);
        let stranger = user(5, "of-stranger", &[(hidden().id, Member)]);
        let event = world::event(base, tenant.id, member.id, &["name", "integrations.ocisSpace"]);
        let places = [tenant.id, hidden().id].map(|tenant| format!("memberships.{tenant}"));
        let fields = ["email", places[0].as_str(), places[1].as_str()];
        let mut foreign = world::event(base + 1, tenant.id, stranger.id, &fields);
        foreign.target = Some(NodeId::User(stranger.id));
        let of_callers = callers.iter().enumerate().filter_map(|(k, &caller)| {
            let here = |role| vec![(common().id, Owner), (tenant.id, role)];
            let places = match caller {
                Caller::Anonymous | Caller::Newcomer => return None,
                Caller::Outsider => vec![(common().id, Owner)],
                Caller::Member => here(Member),
                Caller::Admin => here(Admin),
                Caller::Disabled | Caller::Owner => here(Owner),
                Caller::Platform => vec![],
            };
            let mut asks = user(6 + k as u32, word(caller), &places);
            asks.disabled = caller == Caller::Disabled;
            let runs_the_platform = matches!(caller, Caller::Platform | Caller::Disabled);
            asks.platform_admin = runs_the_platform.then_some(MembershipSource::Direct);
            Some((caller, asks))
        });
        Self {
            n,
            place,
            subscription: world::subscription(base, &tenant, TenantSubscriptionStatus::Active),
            admin: user(2, "of-admin", &[(tenant.id, Admin)]),
            owner: user(3, "of-owner", &[(tenant.id, Owner)]),
            peer: user(4, "of-peer", &[(common().id, Member)]),
            callers: of_callers.collect(),
            tenant,
            member,
            stranger,
            event,
            foreign,
        }
    }

    /// The tenants that are stored for this world alone.
    pub(super) fn tenants(&self) -> Vec<Tenant> {
        if self.place == Place::Default { Vec::new() } else { vec![self.tenant.clone()] }
    }

    /// The subscriptions.
    pub(super) fn subscriptions(&self) -> Vec<TenantSubscription> {
        if self.place == Place::Default { Vec::new() } else { vec![self.subscription.clone()] }
    }

    /// The users.
    pub(super) fn users(&self) -> Vec<User> {
        let mut users: Vec<User> =
            [&self.member, &self.admin, &self.peer, &self.stranger].map(User::clone).into();
        if self.place != Place::Ownerless {
            users.push(self.owner.clone());
        }
        users.extend(self.callers.iter().map(|(_, user)| user.clone()));
        users
    }

    /// All of it, to be stored.
    pub(super) fn changes(&self) -> Vec<Change> {
        let tenants = self.tenants().into_iter().map(Change::InsertTenant);
        let subscriptions = self.subscriptions().into_iter().map(Change::InsertSubscription);
        let users = self.users().into_iter().map(Change::InsertUser);
        let events =
            [&self.event, &self.foreign].map(|event| Change::InsertAuditEvent(event.clone()));
        tenants.chain(subscriptions).chain(users).chain(events).collect()
    }

    /// The user of that caller.
    pub(super) fn caller(&self, caller: Caller) -> Option<&User> {
        self.callers.iter().find(|(other, _)| *other == caller).map(|(_, user)| user)
    }

    /// Puts this world's things where their placeholders are.
    pub(super) fn fill(&self, caller: Caller, template: &str) -> String {
        let me = self.caller(caller).map_or_else(absent_user, |user| user.id);
        template
            .replace("$NO_TENANT", &absent::<tenantry::domain::id::kind::Tenant>().to_string())
            .replace("$NO_SUBSCRIPTION", &SubscriptionId::new(absent::<()>().raw).to_string())
            .replace("$NO_USER", &absent_user().to_string())
            .replace("$NO_EVENT", &AuditEventId::new(absent::<()>().raw).to_string())
            .replace("$TENANT", &self.tenant.id.to_string())
            .replace("$SLUG", &self.tenant.slug)
            .replace("$SUBSCRIPTION", &self.subscription.id.to_string())
            .replace("$EVENT", &self.event.id.to_string())
            .replace("$FOREIGN", &self.foreign.id.to_string())
            .replace("$MEMBER", &self.member.id.to_string())
            .replace("$ADMIN", &self.admin.id.to_string())
            .replace("$OWNER", &self.owner.id.to_string())
            .replace("$PEER", &self.peer.id.to_string())
            .replace("$STRANGER", &self.stranger.id.to_string())
            .replace("$CALLER", &me.to_string())
            .replace("$HIDDEN", &hidden().id.to_string())
            .replace("$N", &self.n.to_string())
    }
}

/// What a caller's subjects begin with.
pub(super) const fn word(caller: Caller) -> &'static str {
    match caller {
        Caller::Anonymous => "anonymous",
        Caller::Newcomer => "newcomer",
        Caller::Disabled => "disabled",
        Caller::Outsider => "outsider",
        Caller::Member => "member",
        Caller::Admin => "admin",
        Caller::Owner => "owner",
        Caller::Platform => "platform",
    }
}

/// An identifier that nothing has.
fn absent<E>() -> tenantry::domain::id::Id<E> {
    world::id(0x00ff_ffff)
}

fn absent_user() -> UserId {
    absent()
}
