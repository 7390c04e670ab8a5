//! Changes of what is there already: applied, read back, stale, in conflict.

use std::sync::Arc;

use tenantry::{
    domain::{
        change::{Change, UniqueField, UserVersion},
        subscription::{StripeHandles, TenantSubscription, TenantSubscriptionStatus},
        tenant::{BillingInfo, PostalAddress, Tenant, TenantIntegrations},
        user::{TenantRole, User},
    },
    store::{CommitError, Store, SubscriptionKeys, TenantKeys},
};

use super::{assert_refused, for_every_store, is_stale, keep, subscription_of, tenant_of, user_of};
use crate::support::entities::{
    event, full_subscription, full_tenant, id, membership, some, subscription, tenant, time,
    tombstone, user,
};

for_every_store!(
    a_tenant_is_changed,
    parts_of_a_tenant_come_and_go,
    a_subscription_is_changed,
    every_stamp_can_be_stale,
    conflicts_of_an_update_are_named,
    ones_own_values_are_free,
    values_move_from_one_to_another,
    a_subscription_that_comes_back_may_conflict,
    each_is_all_or_nothing,
);

fn update(was: &Tenant, tenant: Tenant) -> Change {
    Change::UpdateTenant { was: was.version, tenant }
}

/// As it is after somebody's change.
fn next(tenant: &Tenant) -> Tenant {
    Tenant { version: tenant.version + 1, updated_at: time(100), ..tenant.clone() }
}

async fn a_tenant_is_changed(store: Arc<dyn Store>) {
    keep(&*store, [1, 2].map(tenant).map(Change::InsertTenant)).await;
    // All but what never changes: its identifier, and when it was made.
    let full = Tenant {
        slug: "another".to_owned(),
        created_at: tenant(1).created_at,
        version: 2,
        ..full_tenant(1)
    };
    keep(&*store, [update(&tenant(1), full.clone())]).await;
    assert_eq!(tenant_of(&*store, 1).await, Some(full.clone()));
    let by = ["another".to_owned(), tenant(1).slug];
    assert_eq!(store.tenants(TenantKeys::Slugs(&by)).await.expect("read"), [Ok(full.clone())]);
    let bare = Tenant { version: 3, ..tenant(1) };
    keep(&*store, [update(&full, bare.clone())]).await;
    assert_eq!(tenant_of(&*store, 1).await, Some(bare));
    assert_eq!(tenant_of(&*store, 2).await, Some(tenant(2)), "nobody else");
}

async fn parts_of_a_tenant_come_and_go(store: Arc<dyn Store>) {
    let mut stored = tenant(1);
    keep(&*store, [Change::InsertTenant(stored.clone())]).await;
    let full = full_tenant(1).billing_info.expect("there");
    let address = full.address.clone().expect("there");
    let with = |address| Some(BillingInfo { address, ..full.clone() });
    // Texts that mean something to a database.
    let odd = BillingInfo { company_name: some("$name"), email: some("$$ROOT"), ..full.clone() };
    for (billing_info, integrations, name) in [
        (Some(BillingInfo { vat_id: None, ..full.clone() }), None, "$slug"),
        (with(None), in_group("a"), "{$set: 1}"),
        (with(Some(PostalAddress { city: None, ..address.clone() })), in_group("$b"), "'; --"),
        (with(Some(address)), full_tenant(1).integrations, "n"),
        (Some(odd), Some(TenantIntegrations::default()), "n"),
        (Some(BillingInfo::default()), in_group("c"), "n"),
        (None, None, "n"),
        (with(Some(PostalAddress::default())), in_group("a"), "n"),
    ] {
        let name = name.to_owned();
        let changed = Tenant { name, billing_info, integrations, ..next(&stored) };
        keep(&*store, [update(&stored, changed.clone())]).await;
        assert_eq!(tenant_of(&*store, 1).await, Some(changed.clone()));
        stored = changed;
    }
}

async fn a_subscription_is_changed(store: Arc<dyn Store>) {
    keep(&*store, [1, 2].map(subscription).map(Change::InsertSubscription)).await;
    let mut full = TenantSubscription { version: 2, ..full_subscription(1) };
    let change = |was, subscription: &TenantSubscription| Change::UpdateSubscription {
        was,
        subscription: subscription.clone(),
    };
    keep(&*store, [change(1, &full)]).await;
    assert_eq!(subscription_of(&*store, 1).await, Some(full.clone()));
    full.stripe = Some(StripeHandles { customer_id: some("$id"), ..Default::default() });
    full.current_period_start = None;
    full.version = 3;
    keep(&*store, [change(2, &full)]).await;
    assert_eq!(subscription_of(&*store, 1).await, Some(full));
    let bare = TenantSubscription { version: 4, ..subscription(1) };
    keep(&*store, [change(3, &bare)]).await;
    assert_eq!(subscription_of(&*store, 1).await, Some(bare));
    keep(&*store, [Change::DeleteSubscription { id: id(1), was: 4 }]).await;
    assert_eq!(subscription_of(&*store, 1).await, None);
    assert_eq!(subscription_of(&*store, 2).await, Some(subscription(2)), "nobody else");
}

/// Each change that names what was read, of the n-th document at that version.
fn stamped(n: u32, was: i32) -> Vec<Change> {
    let stamp = UserVersion { version: was, groups_as_of: None };
    let subscription = TenantSubscription { version: was + 1, ..subscription(n) };
    vec![
        Change::UpdateTenant { was, tenant: Tenant { version: was + 1, ..tenant(n) } },
        Change::DeleteTenant { id: id(n), was, at: time(1), watermark: time(2) },
        Change::LockTenant { id: id(n), was },
        Change::UpdateSubscription { was, subscription },
        Change::DeleteSubscription { id: id(n), was },
        Change::UpdateUser { was: stamp, user: User { version: was + 1, ..user(n) } },
        Change::DeleteUser { id: id(n), was: stamp },
    ]
}

async fn every_stamp_can_be_stale(store: Arc<dyn Store>) {
    let marked = User { groups_as_of: Some(time(5)), ..user(3) };
    let there = [
        Change::InsertTenant(tenant(1)),
        Change::InsertSubscription(subscription(1)),
        Change::InsertUser(user(1)),
        Change::InsertUser(marked.clone()),
    ];
    keep(&*store, there).await;
    for (n, was) in [(1, 0), (1, 2), (1, i32::MAX - 1), (2, 1), (2, 2)] {
        for change in stamped(n, was) {
            assert_refused(&*store, &[change], is_stale).await;
        }
    }
    // A watermark moves outside of the version.
    for groups_as_of in [None, Some(time(4)), Some(time(6))] {
        let was = UserVersion { version: 1, groups_as_of };
        assert_refused(&*store, &[Change::DeleteUser { id: id(3), was }], is_stale).await;
    }
    assert_eq!(tenant_of(&*store, 1).await, Some(tenant(1)));
    assert_eq!(subscription_of(&*store, 1).await, Some(subscription(1)));
    assert_eq!(user_of(&*store, 1).await, Some(user(1)));
    assert_eq!(user_of(&*store, 3).await, Some(marked));
}

fn in_group(group: &str) -> Option<TenantIntegrations> {
    Some(TenantIntegrations { authentik_group: some(group), ..Default::default() })
}

fn domains(domains: &[&str]) -> Vec<String> {
    domains.iter().map(|domain| (*domain).to_owned()).collect()
}

async fn conflicts_of_an_update_are_named(store: Arc<dyn Store>) {
    let first = Tenant {
        domains: domains(&["a.example", "b.example"]),
        integrations: in_group("g"),
        ..tenant(1)
    };
    keep(&*store, [first.clone(), tenant(2)].map(Change::InsertTenant)).await;
    let second = next(&tenant(2));
    for (changed, unique) in [
        (Tenant { slug: first.slug.clone(), ..second.clone() }, UniqueField::Slug),
        (
            Tenant { domains: domains(&["c.example", "b.example"]), ..second.clone() },
            UniqueField::Domains,
        ),
        (Tenant { integrations: in_group("g"), ..second.clone() }, UniqueField::AuthentikGroup),
    ] {
        let named = |refused: &CommitError| matches!(refused, CommitError::Conflict(taken) if *taken == unique);
        assert_refused(&*store, &[update(&tenant(2), changed.clone())], named).await;
        // What was read comes first: who is late is told that, and nothing of others.
        let late = Change::UpdateTenant { was: 7, tenant: changed };
        assert_refused(&*store, &[late], is_stale).await;
    }
    assert_eq!(tenant_of(&*store, 2).await, Some(tenant(2)));
    // What differs in case only is another.
    let shouting = Tenant { integrations: in_group("G"), ..second };
    keep(&*store, [update(&tenant(2), shouting.clone())]).await;
    assert_eq!(tenant_of(&*store, 2).await, Some(shouting));
}

async fn ones_own_values_are_free(store: Arc<dyn Store>) {
    let mut stored = Tenant {
        domains: domains(&["a.example", "b.example", "c.example"]),
        integrations: in_group("g"),
        ..tenant(1)
    };
    keep(&*store, [Change::InsertTenant(stored.clone())]).await;
    for list in [
        vec!["a.example", "b.example", "c.example"],
        vec!["c.example", "b.example", "a.example"],
        vec!["b.example", "d.example", "c.example", "a.example"],
        vec!["d.example"],
        vec![],
        vec!["a.example"],
    ] {
        let changed = Tenant { domains: domains(&list), ..next(&stored) };
        keep(&*store, [update(&stored, changed.clone())]).await;
        assert_eq!(tenant_of(&*store, 1).await, Some(changed.clone()));
        stored = changed;
    }
}

/// In the order of the list: what one gives up, the next may take.
async fn values_move_from_one_to_another(store: Arc<dyn Store>) {
    let domains = domains(&["a.example"]);
    let first = Tenant { domains: domains.clone(), integrations: in_group("g"), ..tenant(1) };
    keep(&*store, [first.clone(), tenant(2)].map(Change::InsertTenant)).await;
    let without = Tenant { slug: "elsewhere".to_owned(), version: 2, ..tenant(1) };
    let with = Tenant {
        slug: first.slug.clone(),
        domains,
        integrations: in_group("g"),
        ..next(&tenant(2))
    };
    let (give, take) = (update(&first, without.clone()), update(&tenant(2), with.clone()));
    let taken = |refused: &CommitError| matches!(refused, CommitError::Conflict(_));
    assert_refused(&*store, &[take.clone(), give.clone()], taken).await;
    keep(&*store, [give, take]).await;
    assert_eq!(tenant_of(&*store, 1).await, Some(without));
    assert_eq!(tenant_of(&*store, 2).await, Some(with));
}

async fn a_subscription_that_comes_back_may_conflict(store: Arc<dyn Store>) {
    let over = TenantSubscription {
        tenant_id: id(1),
        status: TenantSubscriptionStatus::Canceled,
        ..subscription(2)
    };
    keep(&*store, [subscription(1), over.clone()].map(Change::InsertSubscription)).await;
    let back = TenantSubscription { status: TenantSubscriptionStatus::PastDue, version: 2, ..over };
    let back = Change::UpdateSubscription { was: 1, subscription: back };
    let taken = |refused: &CommitError| {
        matches!(refused, CommitError::Conflict(UniqueField::LiveSubscription))
    };
    assert_refused(&*store, std::slice::from_ref(&back), taken).await;
    // The other one ends first.
    keep(&*store, [Change::DeleteSubscription { id: id(1), was: 1 }, back]).await;
    let live = store.subscriptions(SubscriptionKeys::LiveOfTenants(&[id(1)])).await.expect("read");
    assert_eq!(live.len(), 1);
}

async fn each_is_all_or_nothing(store: Arc<dyn Store>) {
    let member = User { memberships: vec![membership(3, TenantRole::Owner)], ..user(1) };
    let there = [
        Change::InsertTenant(tenant(1)),
        Change::InsertTenant(tenant(2)),
        Change::InsertTenant(tenant(3)),
        Change::InsertSubscription(subscription(1)),
        Change::InsertSubscription(subscription(2)),
        Change::InsertSubscription(subscription(3)),
        Change::InsertUser(member.clone()),
        Change::InsertUser(user(2)),
        Change::InsertTombstone(tombstone(9, 1)),
    ];
    keep(&*store, there).await;
    let good = [
        Change::UpdateTenant { was: 1, tenant: next(&tenant(1)) },
        Change::LockTenant { id: id(2), was: 1 },
        Change::UpdateSubscription {
            was: 1,
            subscription: TenantSubscription { version: 2, ..subscription(1) },
        },
        Change::DeleteSubscription { id: id(2), was: 1 },
        Change::RequireNoLiveSubscription(id(2)),
        Change::DeleteUser { id: id(2), was: (&user(2)).into() },
        Change::InsertTombstone(tombstone(2, 5)),
        Change::DeleteTombstones { identity: user(9).identity, was: Some(time(1)) },
        Change::DeleteTenant { id: id(3), was: 1, at: time(7), watermark: time(8) },
        Change::InsertAuditEvent(event(1)),
    ];
    // Whichever of them comes last before the one that is refused.
    for turn in 0..good.len() {
        let mut changes = good.to_vec();
        if turn > 4 {
            changes[5..].rotate_left(turn - 5);
        }
        changes.push(Change::LockTenant { id: id(9), was: 1 });
        assert_refused(&*store, &changes, is_stale).await;
    }
    let unchanged = async |store: &dyn Store| {
        for n in 1..=3 {
            assert_eq!(tenant_of(store, n).await, Some(tenant(n)));
            assert_eq!(subscription_of(store, n).await, Some(subscription(n)));
        }
        assert_eq!(user_of(store, 1).await, Some(member.clone()));
        assert_eq!(user_of(store, 2).await, Some(user(2)));
        let of = async |n| store.tombstone(&user(n).identity).await.expect("read");
        assert_eq!((of(2).await, of(9).await), (None, Some(tombstone(9, 1))));
    };
    unchanged(&*store).await;
    let mut refused = good.to_vec();
    refused.insert(0, Change::RequireOwner(id(1)));
    let ownerless = |refused: &CommitError| matches!(refused, CommitError::LastOwner);
    assert_refused(&*store, &refused, ownerless).await;
    unchanged(&*store).await;

    keep(&*store, good).await;
    assert_eq!(tenant_of(&*store, 1).await, Some(next(&tenant(1))));
    assert_eq!(tenant_of(&*store, 2).await, Some(tenant(2)), "to hold is to change nothing");
    assert_eq!(tenant_of(&*store, 3).await, None);
    let left = [1, 2, 3].map(id);
    let left = store.subscriptions(SubscriptionKeys::Ids(&left)).await.expect("read");
    assert_eq!(left, [Ok(TenantSubscription { version: 2, ..subscription(1) })]);
    assert_eq!(user_of(&*store, 2).await, None);
    assert_eq!(user_of(&*store, 1).await.expect("there").memberships, []);
    assert_eq!(store.tombstone(&user(2).identity).await.expect("read"), Some(tombstone(2, 5)));
    assert_eq!(store.tombstone(&user(9).identity).await.expect("read"), None);
    assert_eq!(store.audit_events(&[id(1)]).await.expect("read"), [Ok(event(1))]);
}
