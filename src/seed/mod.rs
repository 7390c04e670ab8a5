//! What is there from the start: the default tenant, and the demo data of `dev`.
//!
//! Everything here may run again, and in several instances at once: what is there is left alone.
//! `sample` and `fill` are the demo data of `seed --demo`, of which there may be much more.

pub mod generator;
pub mod runner;

use std::sync::Arc;

use serde_json::json;

use crate::{
    clock::Clock,
    config::DefaultTenant,
    domain::{
        audit::{ActorKind, AuditEvent, FieldChange},
        change::Change,
        id::{AuditEventId, NodeId, SubscriptionId, TenantId, UserId},
        list::{
            Direction, Order, PageEdge, PageRequest, SubscriptionFilter, SubscriptionListing,
            SubscriptionOrderField, TenantScope,
        },
        subscription::{TenantSubscription, TenantSubscriptionStatus},
        sync::GroupMapping,
        tenant::{BillingInfo, Plan, PostalAddress, Tenant, TenantStatus},
        time::Timestamp,
        user::{self, Membership, MembershipSource, TenantRole, User},
    },
    store::{CommitError, Store, StoreError, TenantKeys, UserKeys},
};

/// The audience of the built-in issuer's tokens.
pub const DEV_AUDIENCE: &str = "tenantry";

/// A demo identity.
pub struct DemoIdentity {
    /// Its subject at the built-in issuer, and how it is called.
    pub subject: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// What it is there to show.
    pub description: &'static str,
    /// Whether it is in the platform admins' group.
    platform_admin: bool,
    /// The tenants that its groups name.
    groups: &'static [(&'static str, TenantRole)],
    /// The tenants that it was added to here, whatever its groups say.
    direct: &'static [(&'static str, TenantRole)],
}

impl DemoIdentity {
    /// Its e-mail address.
    #[must_use]
    pub fn email(&self) -> String {
        format!("{}@example.org", self.subject)
    }

    /// Its groups, as they are called here.
    #[must_use]
    pub fn groups(&self, names: &GroupMapping) -> Vec<String> {
        let of_tenant = |(slug, role): &(&str, TenantRole)| match role {
            TenantRole::Member => format!("{}{slug}", names.tenant_prefix),
            role => format!("{}{slug}:{}", names.tenant_prefix, role.as_str()),
        };
        let mut groups: Vec<String> = self.groups.iter().map(of_tenant).collect();
        groups.extend(self.platform_admin.then(|| names.platform_admins.clone()));
        groups
    }
}

/// The demo identities.
pub const IDENTITIES: &[DemoIdentity] = &[
    DemoIdentity {
        subject: "ada",
        name: "Ada",
        description: "platform admin: sees every tenant and every field",
        platform_admin: true,
        groups: &[],
        direct: &[],
    },
    DemoIdentity {
        subject: "bob",
        name: "Bob",
        description: "owner of acme: sees its billing and its history",
        platform_admin: false,
        groups: &[("acme", TenantRole::Owner)],
        direct: &[],
    },
    DemoIdentity {
        subject: "carol",
        name: "Carol",
        description: "member of acme (by a group) and of globex (added here)",
        platform_admin: false,
        groups: &[("acme", TenantRole::Member)],
        direct: &[("globex", TenantRole::Member)],
    },
    DemoIdentity {
        subject: "mallory",
        name: "Mallory",
        description: "a user without a tenant: sees nothing but itself",
        platform_admin: false,
        groups: &[],
        direct: &[],
    },
];

/// A demo tenant.
struct FixedDemoTenant {
    slug: &'static str,
    name: &'static str,
    status: TenantStatus,
    plan: Plan,
    subscription: TenantSubscriptionStatus,
    /// How many days of its period are left; negative where it has ended.
    days_left: i64,
}

const DEMO_TENANTS: &[FixedDemoTenant] = &[
    demo(
        "acme",
        "Acme",
        TenantStatus::Active,
        Plan::Business,
        TenantSubscriptionStatus::Active,
        21,
    ),
    demo(
        "globex",
        "Globex",
        TenantStatus::Active,
        Plan::Starter,
        TenantSubscriptionStatus::PastDue,
        -3,
    ),
    demo(
        "initech",
        "Initech",
        TenantStatus::Suspended,
        Plan::Enterprise,
        TenantSubscriptionStatus::Unpaid,
        -40,
    ),
    demo(
        "hooli",
        "Hooli",
        TenantStatus::Pending,
        Plan::Free,
        TenantSubscriptionStatus::Trialing,
        13,
    ),
    demo(
        "umbrella",
        "Umbrella",
        TenantStatus::Archived,
        Plan::Starter,
        TenantSubscriptionStatus::Canceled,
        -200,
    ),
];

const fn demo(
    slug: &'static str,
    name: &'static str,
    status: TenantStatus,
    plan: Plan,
    subscription: TenantSubscriptionStatus,
    days_left: i64,
) -> FixedDemoTenant {
    FixedDemoTenant { slug, name, status, plan, subscription, days_left }
}

/// Writes what is to be there from the start.
pub struct Seeder {
    /// Where to.
    pub store: Arc<dyn Store>,
    /// The time, and new identifiers.
    pub clock: Arc<dyn Clock>,
}

impl Seeder {
    /// Makes the default tenant and its subscription where they are not there.
    pub async fn ensure_default_tenant(&self, default: &DefaultTenant) -> Result<(), CommitError> {
        let tenant = match self.tenant(&default.slug).await? {
            Some(tenant) => tenant,
            None => {
                let tenant = self.blank_tenant(&default.slug, &default.name, default.plan);
                let live = TenantSubscriptionStatus::Active;
                let subscription = self.blank_subscription(&tenant, live);
                self.insert_tenant(tenant, subscription).await?;
                match self.tenant(&default.slug).await? {
                    Some(tenant) => tenant,
                    // Somebody deletes it as fast as it is made.
                    None => return Err(CommitError::Stale),
                }
            }
        };
        if self.has_subscription(tenant.id).await? {
            return Ok(());
        }
        let subscription = self.blank_subscription(&tenant, TenantSubscriptionStatus::Active);
        let event =
            self.created("subscription.create", &tenant, NodeId::Subscription(subscription.id));
        ignore_conflict(
            self.store
                .commit(&[
                    Change::InsertSubscription(subscription),
                    Change::InsertAuditEvent(event),
                ])
                .await,
        )
    }

    /// Makes the demo tenants and the users of that issuer where they are not there.
    pub async fn demo(&self, issuer: &str) -> Result<(), CommitError> {
        for demo in DEMO_TENANTS {
            if self.tenant(demo.slug).await?.is_none() {
                let (tenant, subscription) = self.demo_tenant(demo);
                self.insert_tenant(tenant, subscription).await?;
            }
        }
        for identity in IDENTITIES {
            self.demo_user(identity, issuer).await?;
        }
        Ok(())
    }

    async fn demo_user(&self, demo: &DemoIdentity, issuer: &str) -> Result<(), CommitError> {
        let identity =
            user::Identity { issuer: issuer.to_owned(), subject: demo.subject.to_owned() };
        if !self.store.users(UserKeys::Identity(&identity)).await?.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        let mut memberships = Vec::new();
        for (source, places) in
            [(MembershipSource::Group, demo.groups), (MembershipSource::Direct, demo.direct)]
        {
            for (slug, role) in places {
                if let Some(tenant) = self.tenant(slug).await? {
                    memberships.push(Membership {
                        tenant_id: tenant.id,
                        role: *role,
                        source,
                        since: now,
                    });
                }
            }
        }
        let user = User {
            email: Some(demo.email()),
            name: demo.name.to_owned(),
            platform_admin: demo.platform_admin.then_some(MembershipSource::Group),
            memberships,
            ..User::new(UserId::new(self.clock.object_id()), identity, now)
        };
        let event = AuditEvent {
            tenants: user.memberships.iter().map(|m| m.tenant_id).collect(),
            ..self.system_event(
                "user.create",
                NodeId::User(user.id),
                vec![change("name", json!(user.name))],
            )
        };
        ignore_conflict(
            self.store.commit(&[Change::InsertUser(user), Change::InsertAuditEvent(event)]).await,
        )
    }

    fn demo_tenant(&self, demo: &FixedDemoTenant) -> (Tenant, TenantSubscription) {
        let mut tenant = self.blank_tenant(demo.slug, demo.name, demo.plan);
        tenant.status = demo.status;
        tenant.domains = vec![format!("{}.example", demo.slug)];
        tenant.billing_info = Some(BillingInfo {
            company_name: Some(format!("{} GmbH", demo.name)),
            email: Some(format!("billing@{}.example", demo.slug)),
            vat_id: None,
            address: Some(PostalAddress {
                line1: Some("Hauptstraße 1".to_owned()),
                city: Some("Berlin".to_owned()),
                postal_code: Some("10115".to_owned()),
                country: Some("DE".to_owned()),
                ..PostalAddress::default()
            }),
        });
        let mut subscription = self.blank_subscription(&tenant, demo.subscription);
        let end = days_from(tenant.created_at, demo.days_left);
        subscription.current_period_start = Some(days_from(end, -30));
        subscription.current_period_end = Some(end);
        (tenant, subscription)
    }

    async fn tenant(&self, slug: &str) -> Result<Option<Tenant>, CommitError> {
        let found = self.store.tenants(TenantKeys::Slugs(&[slug.to_owned()])).await?;
        found.into_iter().next().transpose().map_err(|_| {
            let cause = format!("the tenant {slug} is there and cannot be read");
            CommitError::Failed(StoreError::Internal(cause))
        })
    }

    async fn has_subscription(&self, tenant: TenantId) -> Result<bool, CommitError> {
        let listing = SubscriptionListing {
            scope: TenantScope::Everything,
            filter: SubscriptionFilter { tenant: Some(tenant), ..SubscriptionFilter::default() },
            order: Order { field: SubscriptionOrderField::CreatedAt, direction: Direction::Desc },
        };
        let window = PageRequest { size: 1, edge: PageEdge::First, after: None, before: None };
        Ok(!self.store.subscription_page(&listing, &window).await?.items.is_empty())
    }

    async fn insert_tenant(
        &self,
        tenant: Tenant,
        subscription: TenantSubscription,
    ) -> Result<(), CommitError> {
        let event = self.created("tenant.create", &tenant, NodeId::Tenant(tenant.id));
        let changes = [
            Change::InsertTenant(tenant),
            Change::InsertSubscription(subscription),
            Change::InsertAuditEvent(event),
        ];
        ignore_conflict(self.store.commit(&changes).await)
    }

    fn blank_tenant(&self, slug: &str, name: &str, plan: Plan) -> Tenant {
        let blank = Tenant::new(TenantId::new(self.clock.object_id()), self.clock.now());
        Tenant { slug: slug.to_owned(), name: name.to_owned(), plan, ..blank }
    }

    fn blank_subscription(
        &self,
        tenant: &Tenant,
        status: TenantSubscriptionStatus,
    ) -> TenantSubscription {
        let id = SubscriptionId::new(self.clock.object_id());
        TenantSubscription { status, ..TenantSubscription::new_trial(tenant, id, self.clock.now()) }
    }

    fn created(&self, action: &str, tenant: &Tenant, target: NodeId) -> AuditEvent {
        let changes = vec![
            change("slug", json!(tenant.slug)),
            change("name", json!(tenant.name)),
            change("plan", json!(tenant.plan.as_str().to_ascii_uppercase())),
        ];
        AuditEvent { tenants: vec![tenant.id], ..self.system_event(action, target, changes) }
    }

    fn system_event(&self, action: &str, target: NodeId, changes: Vec<FieldChange>) -> AuditEvent {
        AuditEvent {
            id: AuditEventId::new(self.clock.object_id()),
            at: self.clock.now(),
            action: action.to_owned(),
            actor_kind: ActorKind::System,
            actor: None,
            tenants: Vec::new(),
            target: Some(target),
            changes,
            request_id: None,
        }
    }
}

fn change(field: &str, to: serde_json::Value) -> FieldChange {
    FieldChange { field: field.to_owned(), from: serde_json::Value::Null, to }
}

/// Another instance was quicker: what was to be there is there.
fn ignore_conflict(committed: Result<(), CommitError>) -> Result<(), CommitError> {
    match committed {
        Err(CommitError::Conflict(_)) => Ok(()),
        committed => committed,
    }
}

fn days_from(at: Timestamp, days: i64) -> Timestamp {
    const DAY: i64 = 86_400_000;
    Timestamp::from_millis(at.millis() + days * DAY).unwrap_or(at)
}
