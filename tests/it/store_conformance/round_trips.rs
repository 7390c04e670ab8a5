//! Every field of every entity is read back exactly as it was written.

use std::sync::Arc;

use serde_json::{Value, json};
use tenantry::{
    domain::{
        audit::{ActorKind, AuditEvent, FieldChange},
        change::Change,
        id::NodeId,
        subscription::{StripeHandles, TenantSubscription, TenantSubscriptionStatus},
        tenant::{BillingInfo, Plan, PostalAddress, Tenant, TenantIntegrations, TenantStatus},
        user::{MembershipSource, TenantRole, User},
    },
    store::{Store, SubscriptionKeys, TenantKeys, UserKeys},
};

use super::{for_each_store, must_commit, readable_sorted};
use crate::support::entities::{
    event, full_event, full_subscription, full_tenant, full_user, id, membership, some,
    subscription, tenant, user,
};

for_each_store!(
    tenants_are_read_back_unchanged,
    users_are_read_back_unchanged,
    subscriptions_are_read_back_unchanged,
    audit_events_are_read_back_unchanged,
    json_values_are_read_back_unchanged,
);

async fn tenants_are_read_back_unchanged(store: Arc<dyn Store>) {
    let mut all = vec![tenant(0), full_tenant(1)];
    for status in TenantStatus::ALL {
        all.push(Tenant { status: *status, ..tenant(all.len() as u32) });
    }
    for plan in Plan::ALL {
        all.push(Tenant { plan: *plan, ..tenant(all.len() as u32) });
    }
    // Nested objects that are empty, and nested objects with one field.
    let address = Some(PostalAddress::default());
    for billing_info in [
        BillingInfo::default(),
        BillingInfo { address: address.clone(), ..Default::default() },
        BillingInfo { vat_id: some(""), ..Default::default() },
    ] {
        all.push(Tenant { billing_info: Some(billing_info), ..tenant(all.len() as u32) });
    }
    for integrations in [
        TenantIntegrations::default(),
        TenantIntegrations { authentik_group: some("a group"), ..Default::default() },
        TenantIntegrations { ocis_space: some("a space"), ..Default::default() },
    ] {
        all.push(Tenant { integrations: Some(integrations), ..tenant(all.len() as u32) });
    }
    must_commit(&*store, all.clone().into_iter().map(Change::InsertTenant)).await;
    let ids: Vec<_> = all.iter().map(|tenant| tenant.id).collect();
    let stored = store.tenants(TenantKeys::Ids(&ids)).await.expect("read succeeds");
    assert_eq!(readable_sorted(stored, |tenant| tenant.id), all);
}

async fn users_are_read_back_unchanged(store: Arc<dyn Store>) {
    let mut all = vec![user(0), full_user(1)];
    for source in MembershipSource::ALL {
        all.push(User { platform_admin: Some(*source), ..user(all.len() as u32) });
        for role in TenantRole::ALL {
            let mut membership = membership(7, *role);
            membership.source = *source;
            all.push(User { memberships: vec![membership], ..user(all.len() as u32) });
        }
    }
    must_commit(&*store, all.clone().into_iter().map(Change::InsertUser)).await;
    let ids: Vec<_> = all.iter().map(|user| user.id).collect();
    let stored = store.users(UserKeys::Ids(&ids)).await.expect("read succeeds");
    assert_eq!(readable_sorted(stored, |user| user.id), all);
}

async fn subscriptions_are_read_back_unchanged(store: Arc<dyn Store>) {
    let mut all = vec![subscription(0), full_subscription(1)];
    for status in TenantSubscriptionStatus::ALL {
        all.push(TenantSubscription { status: *status, ..subscription(all.len() as u32) });
    }
    for stripe in [
        StripeHandles::default(),
        StripeHandles { customer_id: some("cus_1"), ..Default::default() },
    ] {
        all.push(TenantSubscription { stripe: Some(stripe), ..subscription(all.len() as u32) });
    }
    must_commit(&*store, all.clone().into_iter().map(Change::InsertSubscription)).await;
    let ids: Vec<_> = all.iter().map(|subscription| subscription.id).collect();
    let stored = store.subscriptions(SubscriptionKeys::Ids(&ids)).await.expect("read succeeds");
    assert_eq!(readable_sorted(stored, |subscription| subscription.id), all);
}

async fn audit_events_are_read_back_unchanged(store: Arc<dyn Store>) {
    let mut all = vec![event(0), full_event(1)];
    for kind in ActorKind::ALL {
        all.push(AuditEvent { actor_kind: *kind, ..event(all.len() as u32) });
    }
    for target in [
        NodeId::Tenant(id(1)),
        NodeId::User(id(1)),
        NodeId::Subscription(id(1)),
        NodeId::AuditEvent(id(1)),
    ] {
        all.push(AuditEvent { target: Some(target), ..event(all.len() as u32) });
    }
    must_commit(&*store, all.clone().into_iter().map(Change::InsertAuditEvent)).await;
    let ids: Vec<_> = all.iter().map(|event| event.id).collect();
    let stored = store.audit_events(&ids).await.expect("read succeeds");
    assert_eq!(readable_sorted(stored, |event| event.id), all);
}

async fn json_values_are_read_back_unchanged(store: Arc<dyn Store>) {
    let deep = (0..50).fold(json!("deep"), |inner, n| {
        if n % 2 == 0 { json!([inner]) } else { json!({ "in": inner }) }
    });
    let values = [
        Value::Null,
        json!(true),
        json!(0),
        json!(i64::MIN),
        json!(0.1),
        json!(""),
        json!("2025-01-01T00:00:00.000Z"),
        json!("ten_650000000000000000000001"),
        json!([]),
        json!({}),
        json!({ "b": 1, "a": [null, { "$oid": "650000000000000000000001" }], "": "" }),
        json!({ "a.b": { "$numberLong": "1" }, "0": [0], "ß": "\u{0}\u{7f}\u{2028}" }),
        deep,
    ];
    let changes = values.iter().zip(values.iter().rev()).map(|(from, to)| FieldChange {
        field: "a.$b.ß".to_owned(),
        from: from.clone(),
        to: to.clone(),
    });
    let event = AuditEvent { changes: changes.collect(), ..event(1) };
    must_commit(&*store, [Change::InsertAuditEvent(event.clone())]).await;
    assert_eq!(store.audit_events(&[id(1)]).await.expect("read succeeds"), [Ok(event)]);
}
