//! Writes: all or nothing, and told why not.

use std::sync::Arc;

use tenantry::{
    domain::{
        change::{Change, UniqueField, UserVersion},
        list::{Direction, Order, TenantScope, UserFilter, UserListing, UserOrderField},
        subscription::{TenantSubscription, TenantSubscriptionStatus},
        tenant::{Tenant, TenantIntegrations},
        user::{Identity, Membership, MembershipSource, TenantRole, User},
    },
    store::{CommitError, Store, SubscriptionKeys, TenantKeys, UserKeys},
};

use super::{for_every_store, keep};
use crate::support::entities::{
    PEOPLE, event, full_user, id, membership, some, subscription, tenant, time, user,
};

for_every_store!(
    nothing_is_no_change,
    all_or_nothing,
    conflicts_are_named,
    one_of_many_takes_all_along,
    what_is_over_is_not_live,
    what_has_changed_is_stale,
    a_stale_change_takes_all_along,
    an_update_is_read_back,
    an_update_clears_what_is_gone,
    memberships_come_and_go,
    being_seen_only_moves_forward,
    an_update_never_unsees,
);

async fn read(store: &dyn Store, n: u32) -> User {
    let found = store.users(UserKeys::Ids(&[id(n)])).await.expect("read");
    found.into_iter().next().expect("there").expect("readable")
}

async fn assert_conflict(store: &dyn Store, changes: &[Change], expected: UniqueField) {
    match store.commit(changes).await {
        Err(CommitError::Conflict(taken)) => assert_eq!(taken, expected),
        other => panic!("{expected:?}: {other:?}"),
    }
}

async fn assert_stale(store: &dyn Store, changes: &[Change]) {
    let refused = store.commit(changes).await;
    assert!(matches!(refused, Err(CommitError::Stale)), "{refused:?}");
}

/// Somebody else's change that ends as every other: with the next version.
fn next(user: &User) -> User {
    User { version: user.version + 1, updated_at: time(100), ..user.clone() }
}

async fn nothing_is_no_change(store: Arc<dyn Store>) {
    keep(&*store, []).await;
}

async fn all_or_nothing(store: Arc<dyn Store>) {
    let bob = user(1);
    keep(&*store, [Change::InsertUser(bob.clone()), Change::InsertTenant(tenant(1))]).await;
    let good = [
        Change::InsertTenant(tenant(2)),
        Change::InsertSubscription(subscription(2)),
        Change::InsertUser(user(2)),
        Change::UpdateUser { was: (&bob).into(), user: next(&bob) },
        Change::TouchLastSeen { id: bob.id, at: time(9) },
        Change::InsertAuditEvent(event(2)),
    ];
    let last = Change::InsertTenant(Tenant { slug: tenant(1).slug, ..tenant(3) });
    let changes: Vec<_> = good.iter().cloned().chain([last]).collect();
    assert_conflict(&*store, &changes, UniqueField::Slug).await;

    let tenants = [id(2), id(3)];
    assert!(store.tenants(TenantKeys::Ids(&tenants)).await.expect("read").is_empty());
    let live = SubscriptionKeys::LiveOfTenants(&tenants);
    assert!(store.subscriptions(live).await.expect("read").is_empty());
    assert!(store.users(UserKeys::Ids(&[id(2)])).await.expect("read").is_empty());
    assert!(store.audit_events(&[id(2)]).await.expect("read").is_empty());
    assert_eq!(read(&*store, 1).await, bob);

    // Nothing of it is in the way of a second try.
    keep(&*store, good).await;
    assert_eq!(store.tenants(TenantKeys::Ids(&tenants)).await.expect("read"), [Ok(tenant(2))]);
    assert_eq!(read(&*store, 1).await, User { last_seen_at: Some(time(9)), ..next(&bob) });
}

fn with_domains(n: u32, domains: &[&str]) -> Tenant {
    let domains = domains.iter().map(|domain| (*domain).to_owned()).collect();
    Tenant { domains, ..tenant(n) }
}

fn in_group(n: u32, group: &str) -> Tenant {
    let integrations = TenantIntegrations { authentik_group: some(group), ..Default::default() };
    Tenant { integrations: Some(integrations), ..tenant(n) }
}

async fn conflicts_are_named(store: Arc<dyn Store>) {
    let first =
        Tenant { integrations: in_group(1, "g").integrations, ..with_domains(1, &["1.example"]) };
    let there = [
        Change::InsertTenant(first),
        Change::InsertSubscription(subscription(1)),
        Change::InsertUser(user(1)),
    ];
    keep(&*store, there).await;
    let elsewhere = Identity { issuer: "https://other.example/".to_owned(), ..user(1).identity };
    let elsewhere = User { identity: elsewhere, ..user(2) };
    keep(&*store, [Change::InsertUser(elsewhere.clone())]).await;

    for (n, (change, unique)) in (10..).zip([
        (Change::InsertTenant(Tenant { slug: tenant(1).slug, ..tenant(9) }), UniqueField::Slug),
        (Change::InsertTenant(with_domains(9, &["9.example", "1.example"])), UniqueField::Domains),
        (Change::InsertTenant(in_group(9, "g")), UniqueField::AuthentikGroup),
        (Change::InsertUser(User { identity: user(1).identity, ..user(9) }), UniqueField::Subject),
        (Change::InsertUser(User { id: id(9), ..elsewhere }), UniqueField::Subject),
        (
            Change::InsertSubscription(TenantSubscription { tenant_id: id(1), ..subscription(9) }),
            UniqueField::LiveSubscription,
        ),
    ]) {
        assert_conflict(&*store, std::slice::from_ref(&change), unique).await;
        let recorded = [Change::InsertAuditEvent(event(n)), change.clone()];
        assert_conflict(&*store, &recorded, unique).await;
        assert!(store.audit_events(&[id(n)]).await.expect("read").is_empty(), "{unique:?}");
    }
    // Also where both come in the same list.
    let twins = [30, 31].map(|n| Change::InsertTenant(with_domains(n, &["30.example"])));
    assert_conflict(&*store, &twins, UniqueField::Domains).await;
    let twins = [30, 31].map(|n| Change::InsertTenant(in_group(n, "thirty")));
    assert_conflict(&*store, &twins, UniqueField::AuthentikGroup).await;
    // What differs in case only is not the same, and what nobody has is never taken.
    let free = [tenant(20), tenant(21), in_group(22, "G")];
    keep(&*store, free.map(Change::InsertTenant)).await;
    let mut shouting = user(23);
    shouting.identity.subject = "SUBJECT-1".to_owned();
    let same_email = [24, 25].map(|n| User { email: some("ada@example.org"), ..user(n) });
    keep(&*store, same_email.into_iter().chain([shouting]).map(Change::InsertUser)).await;
}

async fn one_of_many_takes_all_along(store: Arc<dyn Store>) {
    // More of each kind than one command of any database would be given, and users of two issuers.
    let elsewhere =
        |n| Identity { issuer: "https://other.example/".to_owned(), ..user(n).identity };
    let users = (1..=1_200).map(|n| match n % 3 {
        0 => user(n),
        _ => User { identity: elsewhere(n), ..user(n) },
    });
    let mut all: Vec<_> = users.map(Change::InsertUser).collect();
    all.extend((1..=40).map(tenant).map(Change::InsertTenant));
    all.extend((1..=40).map(subscription).map(Change::InsertSubscription));
    all.extend((1..=40).map(event).map(Change::InsertAuditEvent));
    let twice = TenantSubscription { tenant_id: id(40), ..subscription(41) };
    for (place, (change, unique)) in [
        (
            1_100,
            (
                Change::InsertUser(User { identity: elsewhere(1), ..user(9_999) }),
                UniqueField::Subject,
            ),
        ),
        (
            1_220,
            (
                Change::InsertTenant(Tenant { slug: tenant(7).slug, ..tenant(41) }),
                UniqueField::Slug,
            ),
        ),
        (1_280, (Change::InsertSubscription(twice), UniqueField::LiveSubscription)),
    ] {
        let mut changes = all.clone();
        changes.insert(place, change);
        assert_conflict(&*store, &changes, unique).await;
        assert_eq!(count_users(&*store).await, 0, "{unique:?}");
        assert!(store.tenants(TenantKeys::Ids(&[id(1)])).await.expect("read").is_empty());
        assert!(store.audit_events(&[id(1)]).await.expect("read").is_empty());
    }
    keep(&*store, all).await;
    assert_eq!(count_users(&*store).await, 1_200);
    assert_eq!(read(&*store, 1_199).await, User { identity: elsewhere(1_199), ..user(1_199) });
    let tenants: Vec<_> = (1..=40).map(id).collect();
    assert_eq!(store.tenants(TenantKeys::Ids(&tenants)).await.expect("read").len(), 40);
    let live = SubscriptionKeys::LiveOfTenants(&tenants);
    assert_eq!(store.subscriptions(live).await.expect("read").len(), 40);
    let events: Vec<_> = (1..=40).map(id).collect();
    assert_eq!(store.audit_events(&events).await.expect("read").len(), 40);
}

async fn count_users(store: &dyn Store) -> u64 {
    let everybody = UserListing {
        scope: TenantScope::Everything,
        filter: UserFilter::default(),
        order: Order { field: UserOrderField::CreatedAt, direction: Direction::Asc },
    };
    store.count_users(&everybody).await.expect("a count")
}

async fn what_is_over_is_not_live(store: Arc<dyn Store>) {
    let with = |n, status| TenantSubscription { tenant_id: id(1), status, ..subscription(n) };
    let over = [TenantSubscriptionStatus::Canceled, TenantSubscriptionStatus::IncompleteExpired];
    let before = (1..).zip(over).map(|(n, status)| with(n, status));
    keep(&*store, before.map(Change::InsertSubscription)).await;
    let live = with(5, TenantSubscriptionStatus::Incomplete);
    keep(&*store, [Change::InsertSubscription(live.clone())]).await;
    let after = (6..).zip(over).map(|(n, status)| with(n, status));
    keep(&*store, after.map(Change::InsertSubscription)).await;
    for status in TenantSubscriptionStatus::LIVE {
        let second = [Change::InsertSubscription(with(9, *status))];
        assert_conflict(&*store, &second, UniqueField::LiveSubscription).await;
    }
    let found = store.subscriptions(SubscriptionKeys::LiveOfTenants(&[id(1)])).await.expect("read");
    assert_eq!(found, [Ok(live)]);
}

async fn what_has_changed_is_stale(store: Arc<dyn Store>) {
    let marked = User { groups_as_of: Some(time(5)), ..user(1) };
    keep(&*store, [Change::InsertUser(marked.clone()), Change::InsertUser(user(2))]).await;
    for (there, version, groups_as_of) in [
        (&marked, 2, Some(time(5))),
        (&marked, 0, Some(time(5))),
        (&marked, 1, Some(time(6))),
        (&marked, 1, Some(time(4))),
        (&marked, 1, None),
        (&marked, 2, Some(time(6))),
        (&marked, 2, None),
        (&user(2), 2, None),
        (&user(2), 1, Some(time(5))),
        (&user(2), 2, Some(time(5))),
        (&user(3), 1, None),
    ] {
        let was = UserVersion { version, groups_as_of };
        let update = Change::UpdateUser { was, user: next(there) };
        assert_stale(&*store, std::slice::from_ref(&update)).await;
        assert_stale(&*store, &[Change::InsertAuditEvent(event(1)), update]).await;
    }
    assert_eq!(read(&*store, 1).await, marked);
    assert_eq!(read(&*store, 2).await, user(2));
    assert!(store.users(UserKeys::Ids(&[id(3)])).await.expect("read").is_empty());

    // A watermark moves outside of the version, and makes stale all the same.
    let moved = User { groups_as_of: Some(time(6)), ..marked.clone() };
    keep(&*store, [Change::UpdateUser { was: (&marked).into(), user: moved.clone() }]).await;
    assert_stale(&*store, &[Change::UpdateUser { was: (&marked).into(), user: next(&moved) }])
        .await;
    assert_eq!(read(&*store, 1).await, moved);
}

async fn a_stale_change_takes_all_along(store: Arc<dyn Store>) {
    keep(&*store, [Change::InsertUser(user(1))]).await;
    let was = UserVersion { version: 7, groups_as_of: None };
    let changes = [
        Change::InsertTenant(tenant(1)),
        Change::InsertAuditEvent(event(1)),
        Change::UpdateUser { was, user: next(&user(1)) },
    ];
    assert_stale(&*store, &changes).await;
    assert!(store.tenants(TenantKeys::Ids(&[id(1)])).await.expect("read").is_empty());
    assert!(store.audit_events(&[id(1)]).await.expect("read").is_empty());
}

async fn an_update_is_read_back(store: Arc<dyn Store>) {
    keep(&*store, [Change::InsertUser(user(1))]).await;
    // All but what never changes: who it is, and when it was made.
    let full = User {
        id: id(1),
        identity: user(1).identity,
        created_at: user(1).created_at,
        name: PEOPLE[3].to_owned(),
        ..full_user(1)
    };
    keep(&*store, [Change::UpdateUser { was: (&user(1)).into(), user: full.clone() }]).await;
    assert_eq!(read(&*store, 1).await, full);
    let found = store.users(UserKeys::Identity(&full.identity)).await.expect("read");
    assert_eq!(found, [Ok(full)]);
}

async fn an_update_clears_what_is_gone(store: Arc<dyn Store>) {
    let full = full_user(1);
    keep(&*store, [Change::InsertUser(full.clone())]).await;
    let bare = User {
        email: None,
        platform_admin: None,
        disabled: false,
        memberships: Vec::new(),
        groups_as_of: None,
        ..next(&full)
    };
    keep(&*store, [Change::UpdateUser { was: (&full).into(), user: bare.clone() }]).await;
    assert_eq!(read(&*store, 1).await, bare);
}

async fn memberships_come_and_go(store: Arc<dyn Store>) {
    let mut ada = User { memberships: vec![membership(5, TenantRole::Member)], ..user(1) };
    keep(&*store, [Change::InsertUser(ada.clone())]).await;
    let of = |tenants: &[u32]| -> Vec<Membership> {
        tenants.iter().map(|n| membership(*n, TenantRole::Admin)).collect()
    };
    let mut changed = of(&[9, 5, 1]);
    changed[1].role = TenantRole::Owner;
    changed[1].source = MembershipSource::Group;
    changed[1].since = time(77);
    for memberships in [
        of(&[5, 9]),       // one more
        of(&[5, 9, 1]),    // and another, not in the order of identifiers
        of(&[1, 5, 9]),    // in another order
        of(&[9, 1]),       // one less, and turned round
        of(&[]),           // none
        of(&[3, 2, 1, 0]), // others
        changed,           // everything of one
    ] {
        let was = (&ada).into();
        ada = User { memberships, ..next(&ada) };
        keep(&*store, [Change::UpdateUser { was, user: ada.clone() }]).await;
        assert_eq!(read(&*store, 1).await, ada);
    }
}

async fn being_seen_only_moves_forward(store: Arc<dyn Store>) {
    keep(&*store, [Change::InsertUser(user(1)), Change::InsertUser(user(2))]).await;
    for (at, seen) in [(10, 10), (5, 10), (10, 10), (11, 11), (-99, 11)] {
        keep(&*store, [Change::TouchLastSeen { id: id(1), at: time(at) }]).await;
        let expected = User { last_seen_at: Some(time(seen)), ..user(1) };
        assert_eq!(read(&*store, 1).await, expected, "nothing else moves");
    }
    assert_eq!(read(&*store, 2).await, user(2));
    // Who is gone is seen by nobody, and that is no fault.
    keep(&*store, [Change::TouchLastSeen { id: id(9), at: time(1) }]).await;
    assert!(store.users(UserKeys::Ids(&[id(9)])).await.expect("read").is_empty());
}

async fn an_update_never_unsees(store: Arc<dyn Store>) {
    let read_before = user(1);
    keep(&*store, [Change::InsertUser(read_before.clone())]).await;
    keep(&*store, [Change::TouchLastSeen { id: id(1), at: time(10) }]).await;
    // Decided on what was read before: it names no time, then an older one, then a later one.
    let mut ada = read_before;
    for (at, seen) in [(None, 10), (Some(5), 10), (Some(20), 20)] {
        let was = (&ada).into();
        ada = User { last_seen_at: at.map(time), ..next(&ada) };
        keep(&*store, [Change::UpdateUser { was, user: ada.clone() }]).await;
        assert_eq!(read(&*store, 1).await, User { last_seen_at: Some(time(seen)), ..ada.clone() });
    }
}
