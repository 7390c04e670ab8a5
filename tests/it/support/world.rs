//! The data of most tests: three tenants, and a user with each role.

use tenantry::domain::{
    audit::{ActorKind, AuditEvent, FieldChange},
    change::Change,
    id::{AuditEventId, Id, NodeId, ObjectId, SubscriptionId, TenantId, UserId},
    invitation::{Invitation, InvitationStatus, MailStatus},
    subscription::{StripeHandles, TenantSubscription, TenantSubscriptionStatus},
    tenant::{BillingInfo, Plan, PostalAddress, Tenant, TenantIntegrations, TenantStatus},
    time::Timestamp,
    user::{Identity, Membership, MembershipSource, TenantRole, User},
};

use super::{app::App, issuer::NOW};

/// Returns the n-th identifier. Entities of different types may share it.
pub(crate) fn id<E>(n: u32) -> Id<E> {
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&0x6500_0000_u32.to_be_bytes());
    bytes[8..].copy_from_slice(&n.to_be_bytes());
    Id::new(ObjectId(bytes))
}

/// Returns the timestamp this many seconds before [`NOW`].
pub(crate) fn ago(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(NOW - seconds).expect("in range")
}

/// Returns the n-th tenant. Each tenant is created an hour after the one before it.
pub(crate) fn tenant(n: u32, slug: &str) -> Tenant {
    let at = ago(1_000_000 - i64::from(n) * 3600);
    Tenant {
        id: id(n),
        slug: slug.to_owned(),
        name: format!("{}{}", slug[..1].to_uppercase(), &slug[1..]),
        status: TenantStatus::Active,
        plan: Plan::Business,
        domains: vec![format!("{slug}.example")],
        billing_info: Some(BillingInfo {
            company_name: Some(format!("{slug} GmbH")),
            email: Some(format!("billing@{slug}.example")),
            vat_id: Some("DE123456789".to_owned()),
            address: Some(PostalAddress { city: Some("Berlin".to_owned()), ..Default::default() }),
        }),
        integrations: Some(TenantIntegrations {
            authentik_group: Some(format!("grp-{slug}")),
            ocis_space: Some(format!("space-{slug}")),
            stalwart_domain: None,
        }),
        version: 1,
        created_at: at,
        updated_at: at,
    }
}

/// Returns a subscription of the tenant.
pub(crate) fn subscription(
    n: u32,
    of: &Tenant,
    status: TenantSubscriptionStatus,
) -> TenantSubscription {
    TenantSubscription {
        id: id(n),
        tenant_id: of.id,
        plan: of.plan,
        status,
        current_period_start: Some(ago(86_400)),
        current_period_end: Some(ago(-86_400)),
        cancel_at_period_end: false,
        stripe: Some(StripeHandles {
            customer_id: Some(format!("cus_{}", of.slug)),
            ..Default::default()
        }),
        version: 1,
        created_at: of.created_at,
        updated_at: of.created_at,
    }
}

/// Returns a user with direct memberships.
pub(crate) fn user(app: &App, n: u32, subject: &str, roles: &[(TenantId, TenantRole)]) -> User {
    let at = ago(500_000 - i64::from(n));
    let membership = |(tenant_id, role): &(TenantId, TenantRole)| Membership {
        tenant_id: *tenant_id,
        role: *role,
        source: MembershipSource::Direct,
        since: at,
    };
    User {
        id: id(n),
        identity: Identity { issuer: app.issuer.url().to_owned(), subject: subject.to_owned() },
        email: Some(format!("{subject}@example.org")),
        name: format!("{}{}", subject[..1].to_uppercase(), &subject[1..]),
        platform_admin: None,
        disabled: false,
        memberships: roles.iter().map(membership).collect(),
        groups_as_of: None,
        last_seen_at: Some(ago(0)),
        version: 1,
        created_at: at,
        updated_at: at,
    }
}

/// Returns a pending invitation of `<name>@example.org` to the tenant.
pub(crate) fn invitation(
    n: u32,
    tenant_id: TenantId,
    invited_by: UserId,
    role: TenantRole,
    name: &str,
) -> Invitation {
    Invitation {
        id: id(n),
        tenant_id,
        email: format!("{name}@example.org"),
        role,
        status: InvitationStatus::Pending,
        mail: MailStatus::None,
        generation: 1,
        invited_by,
        accepted_by: None,
        accepted_at: None,
        expires_at: ago(-86_400),
        version: 1,
        created_at: ago(86_400),
    }
}

/// Returns an audit event of the tenant, with a change of each field.
pub(crate) fn event(n: u32, of: TenantId, actor: UserId, fields: &[&str]) -> AuditEvent {
    let change = |field: &&str| FieldChange {
        field: (*field).to_owned(),
        from: serde_json::Value::Null,
        to: "x".into(),
    };
    AuditEvent {
        id: AuditEventId::new(id::<()>(n).raw),
        at: ago(1000 - i64::from(n)),
        action: "tenant.update".to_owned(),
        actor_kind: ActorKind::User,
        actor: Some(actor),
        tenants: vec![of],
        target: Some(NodeId::Tenant(of)),
        changes: fields.iter().map(change).collect(),
        request_id: Some("r-1".to_owned()),
    }
}

/// The identifiers of the stored data.
///
/// - `acme` has the owner bob, the member carol and an active subscription.
/// - `globex` has the admin carol and a canceled subscription.
/// - `initech` is suspended and has the owner bob.
/// - ada is a platform admin. mallory has no membership.
pub(crate) struct World {
    pub(crate) acme: Tenant,
    pub(crate) globex: Tenant,
    pub(crate) initech: Tenant,
    /// The live subscription of acme.
    pub(crate) subscription: SubscriptionId,
    /// The owner of acme and initech.
    pub(crate) bob: UserId,
    /// The member of acme and admin of globex.
    pub(crate) carol: UserId,
    /// The user without a membership.
    pub(crate) mallory: UserId,
    /// The audit event of acme.
    pub(crate) event: AuditEventId,
}

impl World {
    /// Stores the data in an empty store.
    pub(crate) async fn new(app: &App) -> Self {
        use TenantRole::{Admin, Member, Owner};
        let (acme, globex) = (tenant(1, "acme"), tenant(2, "globex"));
        let initech = Tenant { status: TenantStatus::Suspended, ..tenant(3, "initech") };
        let ada =
            User { platform_admin: Some(MembershipSource::Direct), ..user(app, 11, "ada", &[]) };
        let bob = user(app, 12, "bob", &[(acme.id, Owner), (initech.id, Owner)]);
        let carol = user(app, 13, "carol", &[(acme.id, Member), (globex.id, Admin)]);
        let mallory = user(app, 14, "mallory", &[]);
        let live = subscription(21, &acme, TenantSubscriptionStatus::Active);
        let ended = subscription(22, &globex, TenantSubscriptionStatus::Canceled);
        let event = event(31, acme.id, bob.id, &["name", "integrations.ocisSpace"]);
        let world = Self {
            acme: acme.clone(),
            globex: globex.clone(),
            initech: initech.clone(),
            subscription: live.id,
            bob: bob.id,
            carol: carol.id,
            mallory: mallory.id,
            event: event.id,
        };
        let mut changes: Vec<Change> = [acme, globex, initech].map(Change::InsertTenant).into();
        changes.extend([live, ended].map(Change::InsertSubscription));
        changes.extend([ada, bob, carol, mallory].map(Change::InsertUser));
        changes.push(Change::InsertAuditEvent(event));
        app.store.commit(&changes).await.expect("an empty store");
        world
    }
}
