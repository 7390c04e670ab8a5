//! Updates and deletions of existing documents: applied, read back, stale, or in conflict.

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

use super::{
    assert_commit_fails, find_subscription, find_tenant, find_user, for_each_store, is_stale,
    must_commit,
};
use crate::support::entities::{
    event, full_subscription, full_tenant, id, membership, some, subscription, tenant, time,
    tombstone, user,
};

for_each_store!(
    tenant_update_is_read_back,
    optional_tenant_fields_can_be_set_and_cleared,
    subscription_update_is_read_back,
    outdated_version_of_every_change_is_stale,
    update_conflict_names_the_field,
    tenant_keeps_its_own_unique_values,
    unique_values_move_between_tenants,
    reactivated_subscription_may_conflict,
    every_kind_of_change_is_atomic,
);

fn update(before: &Tenant, tenant: Tenant) -> Change {
    Change::UpdateTenant { expected: before.version, tenant }
}

/// Returns the tenant with the next version and a new `updated_at`.
fn next_version(tenant: &Tenant) -> Tenant {
    Tenant { version: tenant.version + 1, updated_at: time(100), ..tenant.clone() }
}

async fn tenant_update_is_read_back(store: Arc<dyn Store>) {
    must_commit(&*store, [1, 2].map(tenant).map(Change::InsertTenant)).await;
    // Every field changes except the identifier and the creation time, which are immutable.
    let full = Tenant {
        slug: "another".to_owned(),
        created_at: tenant(1).created_at,
        version: 2,
        ..full_tenant(1)
    };
    must_commit(&*store, [update(&tenant(1), full.clone())]).await;
    assert_eq!(find_tenant(&*store, 1).await, Some(full.clone()));
    let slugs = ["another".to_owned(), tenant(1).slug];
    assert_eq!(
        store.tenants(TenantKeys::Slugs(&slugs)).await.expect("read succeeds"),
        [Ok(full.clone())]
    );
    let bare = Tenant { version: 3, ..tenant(1) };
    must_commit(&*store, [update(&full, bare.clone())]).await;
    assert_eq!(find_tenant(&*store, 1).await, Some(bare));
    assert_eq!(find_tenant(&*store, 2).await, Some(tenant(2)), "the other document is unchanged");
}

async fn optional_tenant_fields_can_be_set_and_cleared(store: Arc<dyn Store>) {
    let mut stored = tenant(1);
    must_commit(&*store, [Change::InsertTenant(stored.clone())]).await;
    let full = full_tenant(1).billing_info.expect("present");
    let address = full.address.clone().expect("present");
    let with_address = |address| Some(BillingInfo { address, ..full.clone() });
    // These texts have a special meaning in MongoDB.
    let special =
        BillingInfo { company_name: some("$name"), email: some("$$ROOT"), ..full.clone() };
    for (billing_info, integrations, name) in [
        (Some(BillingInfo { vat_id: None, ..full.clone() }), None, "$slug"),
        (with_address(None), in_group("a"), "{$set: 1}"),
        (
            with_address(Some(PostalAddress { city: None, ..address.clone() })),
            in_group("$b"),
            "'; --",
        ),
        (with_address(Some(address)), full_tenant(1).integrations, "n"),
        (Some(special), Some(TenantIntegrations::default()), "n"),
        (Some(BillingInfo::default()), in_group("c"), "n"),
        (None, None, "n"),
        (with_address(Some(PostalAddress::default())), in_group("a"), "n"),
    ] {
        let name = name.to_owned();
        let changed = Tenant { name, billing_info, integrations, ..next_version(&stored) };
        must_commit(&*store, [update(&stored, changed.clone())]).await;
        assert_eq!(find_tenant(&*store, 1).await, Some(changed.clone()));
        stored = changed;
    }
}

async fn subscription_update_is_read_back(store: Arc<dyn Store>) {
    must_commit(&*store, [1, 2].map(subscription).map(Change::InsertSubscription)).await;
    let mut full = TenantSubscription { version: 2, ..full_subscription(1) };
    let change = |expected, subscription: &TenantSubscription| Change::UpdateSubscription {
        expected,
        subscription: subscription.clone(),
    };
    must_commit(&*store, [change(1, &full)]).await;
    assert_eq!(find_subscription(&*store, 1).await, Some(full.clone()));
    full.stripe = Some(StripeHandles { customer_id: some("$id"), ..Default::default() });
    full.current_period_start = None;
    full.version = 3;
    must_commit(&*store, [change(2, &full)]).await;
    assert_eq!(find_subscription(&*store, 1).await, Some(full));
    let bare = TenantSubscription { version: 4, ..subscription(1) };
    must_commit(&*store, [change(3, &bare)]).await;
    assert_eq!(find_subscription(&*store, 1).await, Some(bare));
    must_commit(&*store, [Change::DeleteSubscription { id: id(1), expected: 4 }]).await;
    assert_eq!(find_subscription(&*store, 1).await, None);
    assert_eq!(
        find_subscription(&*store, 2).await,
        Some(subscription(2)),
        "the other document is unchanged"
    );
}

/// Returns every change that names the version it is based on, for the n-th documents.
fn versioned_changes(n: u32, expected: i32) -> Vec<Change> {
    let user_version = UserVersion { version: expected, groups_as_of: None };
    let subscription = TenantSubscription { version: expected + 1, ..subscription(n) };
    vec![
        Change::UpdateTenant { expected, tenant: Tenant { version: expected + 1, ..tenant(n) } },
        Change::DeleteTenant { id: id(n), expected, at: time(1), watermark: time(2) },
        Change::LockTenant { id: id(n), expected },
        Change::UpdateSubscription { expected, subscription },
        Change::DeleteSubscription { id: id(n), expected },
        Change::UpdateUser {
            expected: user_version,
            user: User { version: expected + 1, ..user(n) },
        },
        Change::DeleteUser { id: id(n), expected: user_version },
    ]
}

async fn outdated_version_of_every_change_is_stale(store: Arc<dyn Store>) {
    let with_watermark = User { groups_as_of: Some(time(5)), ..user(3) };
    let initial = [
        Change::InsertTenant(tenant(1)),
        Change::InsertSubscription(subscription(1)),
        Change::InsertUser(user(1)),
        Change::InsertUser(with_watermark.clone()),
    ];
    must_commit(&*store, initial).await;
    for (n, expected) in [(1, 0), (1, 2), (1, i32::MAX - 1), (2, 1), (2, 2)] {
        for change in versioned_changes(n, expected) {
            assert_commit_fails(&*store, &[change], is_stale).await;
        }
    }
    // The watermark changes independently of the version.
    for groups_as_of in [None, Some(time(4)), Some(time(6))] {
        let expected = UserVersion { version: 1, groups_as_of };
        assert_commit_fails(&*store, &[Change::DeleteUser { id: id(3), expected }], is_stale).await;
    }
    assert_eq!(find_tenant(&*store, 1).await, Some(tenant(1)));
    assert_eq!(find_subscription(&*store, 1).await, Some(subscription(1)));
    assert_eq!(find_user(&*store, 1).await, Some(user(1)));
    assert_eq!(find_user(&*store, 3).await, Some(with_watermark));
}

fn in_group(group: &str) -> Option<TenantIntegrations> {
    Some(TenantIntegrations { authentik_group: some(group), ..Default::default() })
}

fn domains(domains: &[&str]) -> Vec<String> {
    domains.iter().map(|domain| (*domain).to_owned()).collect()
}

async fn update_conflict_names_the_field(store: Arc<dyn Store>) {
    let first = Tenant {
        domains: domains(&["a.example", "b.example"]),
        integrations: in_group("g"),
        ..tenant(1)
    };
    must_commit(&*store, [first.clone(), tenant(2)].map(Change::InsertTenant)).await;
    let second = next_version(&tenant(2));
    for (changed, unique) in [
        (Tenant { slug: first.slug.clone(), ..second.clone() }, UniqueField::Slug),
        (
            Tenant { domains: domains(&["c.example", "b.example"]), ..second.clone() },
            UniqueField::Domains,
        ),
        (Tenant { integrations: in_group("g"), ..second.clone() }, UniqueField::AuthentikGroup),
    ] {
        let names_field =
            |error: &CommitError| matches!(error, CommitError::Conflict(field) if *field == unique);
        assert_commit_fails(&*store, &[update(&tenant(2), changed.clone())], names_field).await;
        // The version check comes first, so a stale change reports no conflict.
        let stale = Change::UpdateTenant { expected: 7, tenant: changed };
        assert_commit_fails(&*store, &[stale], is_stale).await;
    }
    assert_eq!(find_tenant(&*store, 2).await, Some(tenant(2)));
    // Groups that differ only in case are different groups.
    let uppercase = Tenant { integrations: in_group("G"), ..second };
    must_commit(&*store, [update(&tenant(2), uppercase.clone())]).await;
    assert_eq!(find_tenant(&*store, 2).await, Some(uppercase));
}

async fn tenant_keeps_its_own_unique_values(store: Arc<dyn Store>) {
    let mut stored = Tenant {
        domains: domains(&["a.example", "b.example", "c.example"]),
        integrations: in_group("g"),
        ..tenant(1)
    };
    must_commit(&*store, [Change::InsertTenant(stored.clone())]).await;
    for list in [
        vec!["a.example", "b.example", "c.example"],
        vec!["c.example", "b.example", "a.example"],
        vec!["b.example", "d.example", "c.example", "a.example"],
        vec!["d.example"],
        vec![],
        vec!["a.example"],
    ] {
        let changed = Tenant { domains: domains(&list), ..next_version(&stored) };
        must_commit(&*store, [update(&stored, changed.clone())]).await;
        assert_eq!(find_tenant(&*store, 1).await, Some(changed.clone()));
        stored = changed;
    }
}

/// Changes apply in list order, so a value that one change frees is available to the next.
async fn unique_values_move_between_tenants(store: Arc<dyn Store>) {
    let domains = domains(&["a.example"]);
    let first = Tenant { domains: domains.clone(), integrations: in_group("g"), ..tenant(1) };
    must_commit(&*store, [first.clone(), tenant(2)].map(Change::InsertTenant)).await;
    let without_values = Tenant { slug: "elsewhere".to_owned(), version: 2, ..tenant(1) };
    let with_values = Tenant {
        slug: first.slug.clone(),
        domains,
        integrations: in_group("g"),
        ..next_version(&tenant(2))
    };
    let free = update(&first, without_values.clone());
    let claim = update(&tenant(2), with_values.clone());
    let is_conflict = |error: &CommitError| matches!(error, CommitError::Conflict(_));
    assert_commit_fails(&*store, &[claim.clone(), free.clone()], is_conflict).await;
    must_commit(&*store, [free, claim]).await;
    assert_eq!(find_tenant(&*store, 1).await, Some(without_values));
    assert_eq!(find_tenant(&*store, 2).await, Some(with_values));
}

async fn reactivated_subscription_may_conflict(store: Arc<dyn Store>) {
    let ended = TenantSubscription {
        tenant_id: id(1),
        status: TenantSubscriptionStatus::Canceled,
        ..subscription(2)
    };
    must_commit(&*store, [subscription(1), ended.clone()].map(Change::InsertSubscription)).await;
    let reactivated =
        TenantSubscription { status: TenantSubscriptionStatus::PastDue, version: 2, ..ended };
    let reactivate = Change::UpdateSubscription { expected: 1, subscription: reactivated };
    let is_conflict =
        |error: &CommitError| matches!(error, CommitError::Conflict(UniqueField::LiveSubscription));
    assert_commit_fails(&*store, std::slice::from_ref(&reactivate), is_conflict).await;
    // The update succeeds once the live subscription is deleted.
    must_commit(&*store, [Change::DeleteSubscription { id: id(1), expected: 1 }, reactivate]).await;
    let live = store
        .subscriptions(SubscriptionKeys::LiveOfTenants(&[id(1)]))
        .await
        .expect("read succeeds");
    assert_eq!(live.len(), 1);
}

async fn every_kind_of_change_is_atomic(store: Arc<dyn Store>) {
    let member = User { memberships: vec![membership(3, TenantRole::Owner)], ..user(1) };
    let initial = [
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
    must_commit(&*store, initial).await;
    let valid = [
        Change::UpdateTenant { expected: 1, tenant: next_version(&tenant(1)) },
        Change::LockTenant { id: id(2), expected: 1 },
        Change::UpdateSubscription {
            expected: 1,
            subscription: TenantSubscription { version: 2, ..subscription(1) },
        },
        Change::DeleteSubscription { id: id(2), expected: 1 },
        Change::RequireNoLiveSubscription(id(2)),
        Change::DeleteUser { id: id(2), expected: (&user(2)).into() },
        Change::InsertTombstone(tombstone(2, 5)),
        Change::DeleteTombstones { identity: user(9).identity, expected: Some(time(1)) },
        Change::DeleteTenant { id: id(3), expected: 1, at: time(7), watermark: time(8) },
        Change::InsertAuditEvent(event(1)),
    ];
    // Rotates the list so that each kind of change precedes the failing one once.
    for rotation in 0..valid.len() {
        let mut changes = valid.to_vec();
        if rotation > 4 {
            changes[5..].rotate_left(rotation - 5);
        }
        changes.push(Change::LockTenant { id: id(9), expected: 1 });
        assert_commit_fails(&*store, &changes, is_stale).await;
    }
    let assert_unchanged = async |store: &dyn Store| {
        for n in 1..=3 {
            assert_eq!(find_tenant(store, n).await, Some(tenant(n)));
            assert_eq!(find_subscription(store, n).await, Some(subscription(n)));
        }
        assert_eq!(find_user(store, 1).await, Some(member.clone()));
        assert_eq!(find_user(store, 2).await, Some(user(2)));
        let tombstone_of =
            async |n| store.tombstone(&user(n).identity).await.expect("read succeeds");
        assert_eq!((tombstone_of(2).await, tombstone_of(9).await), (None, Some(tombstone(9, 1))));
    };
    assert_unchanged(&*store).await;
    let mut without_owner = valid.to_vec();
    without_owner.insert(0, Change::RequireOwner(id(1)));
    let is_owner_error = |error: &CommitError| matches!(error, CommitError::LastOwner);
    assert_commit_fails(&*store, &without_owner, is_owner_error).await;
    assert_unchanged(&*store).await;

    must_commit(&*store, valid).await;
    assert_eq!(find_tenant(&*store, 1).await, Some(next_version(&tenant(1))));
    assert_eq!(find_tenant(&*store, 2).await, Some(tenant(2)), "a lock changes nothing");
    assert_eq!(find_tenant(&*store, 3).await, None);
    let ids = [1, 2, 3].map(id);
    let remaining = store.subscriptions(SubscriptionKeys::Ids(&ids)).await.expect("read succeeds");
    assert_eq!(remaining, [Ok(TenantSubscription { version: 2, ..subscription(1) })]);
    assert_eq!(find_user(&*store, 2).await, None);
    assert_eq!(find_user(&*store, 1).await.expect("present").memberships, []);
    assert_eq!(
        store.tombstone(&user(2).identity).await.expect("read succeeds"),
        Some(tombstone(2, 5))
    );
    assert_eq!(store.tombstone(&user(9).identity).await.expect("read succeeds"), None);
    assert_eq!(store.audit_events(&[id(1)]).await.expect("read succeeds"), [Ok(event(1))]);
}
