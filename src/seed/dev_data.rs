//! The demo identities and demo tenants of `tenantry dev`.

use serde_json::json;

use super::bootstrap::{Seeder, ignore_conflict, initial_value};
use crate::{
    domain::{
        audit::AuditEvent,
        change::Change,
        id::{NodeId, UserId},
        subscription::{TenantSubscription, TenantSubscriptionStatus},
        sync::GroupMapping,
        tenant::{BillingInfo, Plan, PostalAddress, Tenant, TenantStatus},
        time::Timestamp,
        user::{Identity, Membership, MembershipSource, TenantRole, User},
    },
    store::{CommitError, UserKeys},
};

/// The audience of the built-in issuer's tokens.
pub const DEV_AUDIENCE: &str = "tenantry";

/// A user who can sign in to `tenantry dev`.
pub struct DemoIdentity {
    /// The subject at the built-in issuer, which is also the name of the identity.
    pub subject: &'static str,
    /// The display name of the user.
    pub name: &'static str,
    /// The case that the identity demonstrates.
    pub description: &'static str,
    /// Puts the user in the group of the platform admins.
    platform_admin: bool,
    /// The slugs of tenants and the roles in them, which the user has through groups.
    group_roles: &'static [(&'static str, TenantRole)],
    /// The slugs of tenants and the roles in them, which were granted directly.
    direct_roles: &'static [(&'static str, TenantRole)],
}

impl DemoIdentity {
    /// Returns the e-mail address of the user.
    #[must_use]
    pub fn email(&self) -> String {
        format!("{}@example.org", self.subject)
    }

    /// Returns the groups of the user, with the configured names.
    #[must_use]
    pub fn groups(&self, mapping: &GroupMapping) -> Vec<String> {
        let tenant_group = |(slug, role): &(&str, TenantRole)| match role {
            TenantRole::Member => format!("{}{slug}", mapping.tenant_prefix),
            role => format!("{}{slug}:{}", mapping.tenant_prefix, role.as_str()),
        };
        let mut groups: Vec<String> = self.group_roles.iter().map(tenant_group).collect();
        groups.extend(self.platform_admin.then(|| mapping.platform_admins.clone()));
        groups
    }
}

/// The users who can sign in to `tenantry dev`.
pub const IDENTITIES: &[DemoIdentity] = &[
    DemoIdentity {
        subject: "ada",
        name: "Ada",
        description: "platform admin: sees every tenant and every field",
        platform_admin: true,
        group_roles: &[],
        direct_roles: &[],
    },
    DemoIdentity {
        subject: "bob",
        name: "Bob",
        description: "owner of acme: sees its billing information and its audit log",
        platform_admin: false,
        group_roles: &[("acme", TenantRole::Owner)],
        direct_roles: &[],
    },
    DemoIdentity {
        subject: "carol",
        name: "Carol",
        description: "member of acme (through a group) and of globex (added directly)",
        platform_admin: false,
        group_roles: &[("acme", TenantRole::Member)],
        direct_roles: &[("globex", TenantRole::Member)],
    },
    DemoIdentity {
        subject: "mallory",
        name: "Mallory",
        description: "user without a tenant: sees only their own user",
        platform_admin: false,
        group_roles: &[],
        direct_roles: &[],
    },
];

/// A demo tenant of `tenantry dev`.
struct FixedDemoTenant {
    slug: &'static str,
    name: &'static str,
    status: TenantStatus,
    plan: Plan,
    subscription: TenantSubscriptionStatus,
    /// The number of days until the billing period ends. Negative if it has ended.
    days_left: i64,
}

const DEMO_TENANTS: &[FixedDemoTenant] = &[
    FixedDemoTenant {
        slug: "acme",
        name: "Acme",
        status: TenantStatus::Active,
        plan: Plan::Business,
        subscription: TenantSubscriptionStatus::Active,
        days_left: 21,
    },
    FixedDemoTenant {
        slug: "globex",
        name: "Globex",
        status: TenantStatus::Active,
        plan: Plan::Starter,
        subscription: TenantSubscriptionStatus::PastDue,
        days_left: -3,
    },
    FixedDemoTenant {
        slug: "initech",
        name: "Initech",
        status: TenantStatus::Suspended,
        plan: Plan::Enterprise,
        subscription: TenantSubscriptionStatus::Unpaid,
        days_left: -40,
    },
    FixedDemoTenant {
        slug: "hooli",
        name: "Hooli",
        status: TenantStatus::Pending,
        plan: Plan::Free,
        subscription: TenantSubscriptionStatus::Trialing,
        days_left: 13,
    },
    FixedDemoTenant {
        slug: "umbrella",
        name: "Umbrella",
        status: TenantStatus::Archived,
        plan: Plan::Starter,
        subscription: TenantSubscriptionStatus::Canceled,
        days_left: -200,
    },
];

impl Seeder {
    /// Creates the demo tenants, and the demo users of the given issuer, unless they exist.
    ///
    /// # Errors
    ///
    /// Returns an error if the store fails.
    pub async fn create_demo_data(&self, issuer: &str) -> Result<(), CommitError> {
        for demo in DEMO_TENANTS {
            if self.find_tenant(demo.slug).await?.is_none() {
                let (tenant, subscription) = self.demo_tenant(demo);
                self.insert_tenant(tenant, subscription).await?;
            }
        }
        for identity in IDENTITIES {
            self.create_demo_user(identity, issuer).await?;
        }
        Ok(())
    }

    async fn create_demo_user(&self, demo: &DemoIdentity, issuer: &str) -> Result<(), CommitError> {
        let identity = Identity { issuer: issuer.to_owned(), subject: demo.subject.to_owned() };
        if !self.store.users(UserKeys::Identity(&identity)).await?.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        let user = User {
            email: Some(demo.email()),
            name: demo.name.to_owned(),
            platform_admin: demo.platform_admin.then_some(MembershipSource::Group),
            memberships: self.demo_memberships(demo, now).await?,
            ..User::new(UserId::new(self.clock.object_id()), identity, now)
        };
        let changes = vec![initial_value("name", json!(user.name))];
        let event = AuditEvent {
            tenants: user.memberships.iter().map(|membership| membership.tenant_id).collect(),
            ..self.system_event("user.create", NodeId::User(user.id), changes)
        };
        ignore_conflict(
            self.store.commit(&[Change::InsertUser(user), Change::InsertAuditEvent(event)]).await,
        )
    }

    async fn demo_memberships(
        &self,
        demo: &DemoIdentity,
        since: Timestamp,
    ) -> Result<Vec<Membership>, CommitError> {
        let mut memberships = Vec::new();
        for (source, roles) in [
            (MembershipSource::Group, demo.group_roles),
            (MembershipSource::Direct, demo.direct_roles),
        ] {
            for &(slug, role) in roles {
                if let Some(tenant) = self.find_tenant(slug).await? {
                    memberships.push(Membership { tenant_id: tenant.id, role, source, since });
                }
            }
        }
        Ok(memberships)
    }

    fn demo_tenant(&self, demo: &FixedDemoTenant) -> (Tenant, TenantSubscription) {
        let mut tenant = self.new_tenant(demo.slug, demo.name, demo.plan);
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
        let mut subscription = self.new_subscription(&tenant, demo.subscription);
        let end = add_days(tenant.created_at, demo.days_left);
        subscription.current_period_start = Some(add_days(end, -30));
        subscription.current_period_end = Some(end);
        (tenant, subscription)
    }
}

/// Adds a number of days, which may be negative.
fn add_days(at: Timestamp, days: i64) -> Timestamp {
    const DAY_MS: i64 = 86_400_000;
    Timestamp::from_millis(at.millis() + days * DAY_MS).unwrap_or(at)
}
