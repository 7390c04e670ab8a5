//! Fixed values of every stored type, without a clock and without randomness.
//!
//! A number selects the value: the n-th value of a type has the n-th identifier, slug, subject and
//! second.

use serde_json::json;
use tenantry::domain::{
    audit::{ActorKind, AuditEvent, FieldChange},
    id::{Id, NodeId, ObjectId},
    subscription::{StripeHandles, TenantSubscription, TenantSubscriptionStatus},
    tenant::{BillingInfo, Plan, PostalAddress, Tenant, TenantIntegrations, TenantStatus},
    time::Timestamp,
    user::{Identity, Membership, MembershipSource, TenantRole, Tombstone, User},
};

use super::mongod::ISSUER;

/// The names of users. There are more users than names, so that an order by name has ties.
pub(crate) const USER_NAMES: [&str; 4] = ["ada", "bob", "carol", "mallory"];

/// Returns the n-th identifier, in ascending order.
pub(crate) fn oid(n: u32) -> ObjectId {
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&0x6500_0000_u32.to_be_bytes());
    bytes[8..].copy_from_slice(&n.to_be_bytes());
    ObjectId(bytes)
}

/// Returns the n-th identifier of a type.
pub(crate) fn id<E>(n: u32) -> Id<E> {
    Id::new(oid(n))
}

/// Returns the n-th second of 2025.
pub(crate) fn time(n: i64) -> Timestamp {
    Timestamp::from_seconds(1_735_689_600 + n).expect("in range")
}

/// Returns the text as a present optional value.
pub(crate) fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// Returns a tenant without any optional value.
pub(crate) fn tenant(n: u32) -> Tenant {
    Tenant {
        id: id(n),
        slug: format!("tenant-{n:04}"),
        name: format!("Tenant {n}"),
        status: TenantStatus::Active,
        plan: Plan::Free,
        domains: Vec::new(),
        billing_info: None,
        integrations: None,
        version: 1,
        created_at: time(n.into()),
        updated_at: time(n.into()),
    }
}

/// Returns a tenant with all optional values.
pub(crate) fn full_tenant(n: u32) -> Tenant {
    Tenant {
        name: format!("Größte Firma № {n} 😀"),
        status: TenantStatus::Suspended,
        plan: Plan::Enterprise,
        // Neither ascending nor descending, so that a store which sorts them is noticed.
        domains: ["z", "a", "m"].map(|part| format!("{part}{n}.example")).to_vec(),
        billing_info: Some(billing_info()),
        integrations: Some(TenantIntegrations {
            authentik_group: Some(format!("group {n}")),
            ocis_space: some("space"),
            stalwart_domain: some("mail.example"),
        }),
        version: i32::MAX,
        created_at: Timestamp::from_millis(time(n.into()).millis() + 7).expect("in range"),
        updated_at: Timestamp::MAX,
        ..tenant(n)
    }
}

fn billing_info() -> BillingInfo {
    BillingInfo {
        company_name: some("Acme \"GmbH\" & Söhne"),
        email: some("billing@acme.example"),
        vat_id: some("DE123456789"),
        address: Some(PostalAddress {
            line1: some("Straße 1"),
            line2: some("Hof\\2"),
            city: some("Köln"),
            region: some("NRW"),
            postal_code: some("01234"),
            country: some("DE"),
        }),
    }
}

/// Returns a user without any optional value.
pub(crate) fn user(n: u32) -> User {
    User {
        id: id(n),
        identity: Identity { issuer: ISSUER.to_owned(), subject: format!("subject-{n}") },
        email: None,
        name: USER_NAMES[n as usize % USER_NAMES.len()].to_owned(),
        platform_admin: None,
        disabled: false,
        memberships: Vec::new(),
        groups_as_of: None,
        last_seen_at: None,
        version: 1,
        created_at: time(n.into()),
        updated_at: time(n.into()),
    }
}

/// Returns a user with all optional values.
pub(crate) fn full_user(n: u32) -> User {
    let last = Membership {
        source: MembershipSource::Group,
        since: Timestamp::MIN,
        ..membership(2, TenantRole::Admin)
    };
    User {
        identity: Identity {
            issuer: "https://other.example.org/ß?a=b".to_owned(),
            subject: format!("{n} 'ä\"\\ %"),
        },
        email: Some(format!("Ada.{n}@Example.org")),
        platform_admin: Some(MembershipSource::Group),
        disabled: true,
        memberships: vec![
            membership(9, TenantRole::Owner),
            membership(1, TenantRole::Member),
            last,
        ],
        groups_as_of: Some(time(1)),
        last_seen_at: Some(time(2)),
        version: 41,
        created_at: Timestamp::MIN,
        updated_at: Timestamp::MAX,
        ..user(n)
    }
}

/// Returns a direct membership in the n-th tenant.
pub(crate) fn membership(tenant: u32, role: TenantRole) -> Membership {
    Membership { tenant_id: id(tenant), role, source: MembershipSource::Direct, since: time(0) }
}

/// Returns the tombstone of the n-th user, deleted in the given second.
pub(crate) fn tombstone(n: u32, deleted_at: i64) -> Tombstone {
    Tombstone { identity: user(n).identity, deleted_at: time(deleted_at) }
}

/// Returns an active subscription of the n-th tenant without any optional value.
pub(crate) fn subscription(n: u32) -> TenantSubscription {
    TenantSubscription {
        id: id(n),
        tenant_id: id(n),
        plan: Plan::Free,
        status: TenantSubscriptionStatus::Active,
        current_period_start: None,
        current_period_end: None,
        cancel_at_period_end: false,
        stripe: None,
        version: 1,
        created_at: time(n.into()),
        updated_at: time(n.into()),
    }
}

/// Returns a subscription with all optional values.
pub(crate) fn full_subscription(n: u32) -> TenantSubscription {
    TenantSubscription {
        plan: Plan::Business,
        status: TenantSubscriptionStatus::IncompleteExpired,
        current_period_start: Some(Timestamp::MIN),
        current_period_end: Some(Timestamp::MAX),
        cancel_at_period_end: true,
        stripe: Some(StripeHandles {
            customer_id: some("cus_1"),
            subscription_id: some("sub_1"),
            price_id: some("price_1"),
        }),
        version: 7,
        ..subscription(n)
    }
}

/// Returns an audit event without any optional value.
pub(crate) fn event(n: u32) -> AuditEvent {
    AuditEvent {
        id: id(n),
        at: time(n.into()),
        action: "tenant.update".to_owned(),
        actor_kind: ActorKind::System,
        actor: None,
        tenants: Vec::new(),
        target: None,
        changes: Vec::new(),
        request_id: None,
    }
}

/// Returns an audit event with all optional values, and changes with every type of JSON value.
pub(crate) fn full_event(n: u32) -> AuditEvent {
    let change = |field: &str, from, to| FieldChange { field: field.to_owned(), from, to };
    AuditEvent {
        actor_kind: ActorKind::PlatformAdmin,
        actor: Some(id(3)),
        tenants: vec![id(9), id(1), id(5)],
        target: Some(NodeId::Subscription(id(4))),
        changes: vec![
            change("name", json!(null), json!("O'Neil \"ß\" \\ 😀 \n")),
            change("billingInfo.address", json!({}), json!({ "line1": null, "a.b": "$x" })),
            change("memberships.ten_1", json!([]), json!([[], [{}], [1, "1", true, null]])),
            change("$set", json!({ "$set": { "": { "$gt": "" } } }), json!(false)),
            change("numbers", json!([0, -1, i64::MIN]), json!([i64::MAX, 1.5, -0.25, 1e300])),
        ],
        request_id: some("req-1.A_b"),
        ..event(n)
    }
}
