//! Commits are atomic, and their errors name the cause.

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

use super::{for_each_store, must_commit};
use crate::support::entities::{
    USER_NAMES, event, full_user, id, membership, some, subscription, tenant, time, user,
};

for_each_store!(
    empty_commit_succeeds,
    failed_commit_writes_nothing,
    insert_conflict_names_the_field,
    conflict_in_a_large_commit_writes_nothing,
    ended_subscriptions_do_not_conflict,
    outdated_user_version_is_stale,
    stale_change_writes_nothing,
    user_update_is_read_back,
    user_update_clears_optional_fields,
    memberships_can_be_added_changed_and_removed,
    last_seen_only_moves_forward,
    user_update_never_moves_last_seen_back,
);

async fn load_user(store: &dyn Store, n: u32) -> User {
    let users = store.users(UserKeys::Ids(&[id(n)])).await.expect("read succeeds");
    users.into_iter().next().expect("present").expect("readable")
}

async fn assert_conflict(store: &dyn Store, changes: &[Change], expected: UniqueField) {
    match store.commit(changes).await {
        Err(CommitError::Conflict(field)) => assert_eq!(field, expected),
        other => panic!("{expected:?}: {other:?}"),
    }
}

async fn assert_stale(store: &dyn Store, changes: &[Change]) {
    let result = store.commit(changes).await;
    assert!(matches!(result, Err(CommitError::Stale)), "{result:?}");
}

/// Returns the user with the next version and a new `updated_at`.
fn next_version(user: &User) -> User {
    User { version: user.version + 1, updated_at: time(100), ..user.clone() }
}

async fn empty_commit_succeeds(store: Arc<dyn Store>) {
    must_commit(&*store, []).await;
}

async fn failed_commit_writes_nothing(store: Arc<dyn Store>) {
    let bob = user(1);
    must_commit(&*store, [Change::InsertUser(bob.clone()), Change::InsertTenant(tenant(1))]).await;
    let valid = [
        Change::InsertTenant(tenant(2)),
        Change::InsertSubscription(subscription(2)),
        Change::InsertUser(user(2)),
        Change::UpdateUser { expected: (&bob).into(), user: next_version(&bob) },
        Change::TouchLastSeen { id: bob.id, at: time(9) },
        Change::InsertAuditEvent(event(2)),
    ];
    let conflicting = Change::InsertTenant(Tenant { slug: tenant(1).slug, ..tenant(3) });
    let changes: Vec<_> = valid.iter().cloned().chain([conflicting]).collect();
    assert_conflict(&*store, &changes, UniqueField::Slug).await;

    let tenants = [id(2), id(3)];
    assert!(store.tenants(TenantKeys::Ids(&tenants)).await.expect("read succeeds").is_empty());
    let live = SubscriptionKeys::LiveOfTenants(&tenants);
    assert!(store.subscriptions(live).await.expect("read succeeds").is_empty());
    assert!(store.users(UserKeys::Ids(&[id(2)])).await.expect("read succeeds").is_empty());
    assert!(store.audit_events(&[id(2)]).await.expect("read succeeds").is_empty());
    assert_eq!(load_user(&*store, 1).await, bob);

    // The failed commit does not block a second attempt.
    must_commit(&*store, valid).await;
    assert_eq!(
        store.tenants(TenantKeys::Ids(&tenants)).await.expect("read succeeds"),
        [Ok(tenant(2))]
    );
    assert_eq!(
        load_user(&*store, 1).await,
        User { last_seen_at: Some(time(9)), ..next_version(&bob) }
    );
}

fn with_domains(n: u32, domains: &[&str]) -> Tenant {
    let domains = domains.iter().map(|domain| (*domain).to_owned()).collect();
    Tenant { domains, ..tenant(n) }
}

fn in_group(n: u32, group: &str) -> Tenant {
    let integrations = TenantIntegrations { authentik_group: some(group), ..Default::default() };
    Tenant { integrations: Some(integrations), ..tenant(n) }
}

async fn insert_conflict_names_the_field(store: Arc<dyn Store>) {
    let first =
        Tenant { integrations: in_group(1, "g").integrations, ..with_domains(1, &["1.example"]) };
    let initial = [
        Change::InsertTenant(first),
        Change::InsertSubscription(subscription(1)),
        Change::InsertUser(user(1)),
    ];
    must_commit(&*store, initial).await;
    let other_issuer = Identity { issuer: "https://other.example/".to_owned(), ..user(1).identity };
    let other_issuer = User { identity: other_issuer, ..user(2) };
    must_commit(&*store, [Change::InsertUser(other_issuer.clone())]).await;

    for (n, (change, unique)) in (10..).zip([
        (Change::InsertTenant(Tenant { slug: tenant(1).slug, ..tenant(9) }), UniqueField::Slug),
        (Change::InsertTenant(with_domains(9, &["9.example", "1.example"])), UniqueField::Domains),
        (Change::InsertTenant(in_group(9, "g")), UniqueField::AuthentikGroup),
        (Change::InsertUser(User { identity: user(1).identity, ..user(9) }), UniqueField::Subject),
        (Change::InsertUser(User { id: id(9), ..other_issuer }), UniqueField::Subject),
        (
            Change::InsertSubscription(TenantSubscription { tenant_id: id(1), ..subscription(9) }),
            UniqueField::LiveSubscription,
        ),
    ]) {
        assert_conflict(&*store, std::slice::from_ref(&change), unique).await;
        let with_event = [Change::InsertAuditEvent(event(n)), change.clone()];
        assert_conflict(&*store, &with_event, unique).await;
        assert!(
            store.audit_events(&[id(n)]).await.expect("read succeeds").is_empty(),
            "{unique:?}"
        );
    }
    // Two changes of one commit conflict with each other, too.
    let duplicates = [30, 31].map(|n| Change::InsertTenant(with_domains(n, &["30.example"])));
    assert_conflict(&*store, &duplicates, UniqueField::Domains).await;
    let duplicates = [30, 31].map(|n| Change::InsertTenant(in_group(n, "thirty")));
    assert_conflict(&*store, &duplicates, UniqueField::AuthentikGroup).await;
    // Values that differ only in case are different, and absent values never conflict.
    let distinct = [tenant(20), tenant(21), in_group(22, "G")];
    must_commit(&*store, distinct.map(Change::InsertTenant)).await;
    let mut uppercase = user(23);
    uppercase.identity.subject = "SUBJECT-1".to_owned();
    let same_email = [24, 25].map(|n| User { email: some("ada@example.org"), ..user(n) });
    must_commit(&*store, same_email.into_iter().chain([uppercase]).map(Change::InsertUser)).await;
}

async fn conflict_in_a_large_commit_writes_nothing(store: Arc<dyn Store>) {
    // The commit has more changes of each kind than a store sends in one command. The users belong
    // to two issuers.
    let other_issuer =
        |n| Identity { issuer: "https://other.example/".to_owned(), ..user(n).identity };
    let users = (1..=1_200).map(|n| match n % 3 {
        0 => user(n),
        _ => User { identity: other_issuer(n), ..user(n) },
    });
    let mut all: Vec<_> = users.map(Change::InsertUser).collect();
    all.extend((1..=40).map(tenant).map(Change::InsertTenant));
    all.extend((1..=40).map(subscription).map(Change::InsertSubscription));
    all.extend((1..=40).map(event).map(Change::InsertAuditEvent));
    let second_live = TenantSubscription { tenant_id: id(40), ..subscription(41) };
    for (index, (change, unique)) in [
        (
            1_100,
            (
                Change::InsertUser(User { identity: other_issuer(1), ..user(9_999) }),
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
        (1_280, (Change::InsertSubscription(second_live), UniqueField::LiveSubscription)),
    ] {
        let mut changes = all.clone();
        changes.insert(index, change);
        assert_conflict(&*store, &changes, unique).await;
        assert_eq!(count_users(&*store).await, 0, "{unique:?}");
        assert!(store.tenants(TenantKeys::Ids(&[id(1)])).await.expect("read succeeds").is_empty());
        assert!(store.audit_events(&[id(1)]).await.expect("read succeeds").is_empty());
    }
    must_commit(&*store, all).await;
    assert_eq!(count_users(&*store).await, 1_200);
    assert_eq!(
        load_user(&*store, 1_199).await,
        User { identity: other_issuer(1_199), ..user(1_199) }
    );
    let tenants: Vec<_> = (1..=40).map(id).collect();
    assert_eq!(store.tenants(TenantKeys::Ids(&tenants)).await.expect("read succeeds").len(), 40);
    let live = SubscriptionKeys::LiveOfTenants(&tenants);
    assert_eq!(store.subscriptions(live).await.expect("read succeeds").len(), 40);
    let events: Vec<_> = (1..=40).map(id).collect();
    assert_eq!(store.audit_events(&events).await.expect("read succeeds").len(), 40);
}

async fn count_users(store: &dyn Store) -> u64 {
    let all_users = UserListing {
        scope: TenantScope::Everything,
        filter: UserFilter::default(),
        order: Order { field: UserOrderField::CreatedAt, direction: Direction::Asc }.into(),
    };
    store.count_users(&all_users).await.expect("count succeeds")
}

async fn ended_subscriptions_do_not_conflict(store: Arc<dyn Store>) {
    let with_status =
        |n, status| TenantSubscription { tenant_id: id(1), status, ..subscription(n) };
    let ended = [TenantSubscriptionStatus::Canceled, TenantSubscriptionStatus::IncompleteExpired];
    let before = (1..).zip(ended).map(|(n, status)| with_status(n, status));
    must_commit(&*store, before.map(Change::InsertSubscription)).await;
    let live = with_status(5, TenantSubscriptionStatus::Incomplete);
    must_commit(&*store, [Change::InsertSubscription(live.clone())]).await;
    let after = (6..).zip(ended).map(|(n, status)| with_status(n, status));
    must_commit(&*store, after.map(Change::InsertSubscription)).await;
    for status in TenantSubscriptionStatus::LIVE {
        let second = [Change::InsertSubscription(with_status(9, *status))];
        assert_conflict(&*store, &second, UniqueField::LiveSubscription).await;
    }
    let stored = store
        .subscriptions(SubscriptionKeys::LiveOfTenants(&[id(1)]))
        .await
        .expect("read succeeds");
    assert_eq!(stored, [Ok(live)]);
}

async fn outdated_user_version_is_stale(store: Arc<dyn Store>) {
    let with_watermark = User { groups_as_of: Some(time(5)), ..user(1) };
    must_commit(&*store, [Change::InsertUser(with_watermark.clone()), Change::InsertUser(user(2))])
        .await;
    for (user, version, groups_as_of) in [
        (&with_watermark, 2, Some(time(5))),
        (&with_watermark, 0, Some(time(5))),
        (&with_watermark, 1, Some(time(6))),
        (&with_watermark, 1, Some(time(4))),
        (&with_watermark, 1, None),
        (&with_watermark, 2, Some(time(6))),
        (&with_watermark, 2, None),
        (&user(2), 2, None),
        (&user(2), 1, Some(time(5))),
        (&user(2), 2, Some(time(5))),
        (&user(3), 1, None),
    ] {
        let expected = UserVersion { version, groups_as_of };
        let update = Change::UpdateUser { expected, user: next_version(user) };
        assert_stale(&*store, std::slice::from_ref(&update)).await;
        assert_stale(&*store, &[Change::InsertAuditEvent(event(1)), update]).await;
    }
    assert_eq!(load_user(&*store, 1).await, with_watermark);
    assert_eq!(load_user(&*store, 2).await, user(2));
    assert!(store.users(UserKeys::Ids(&[id(3)])).await.expect("read succeeds").is_empty());

    // A change of the watermark alone makes an earlier read stale, although the version is the
    // same.
    let moved = User { groups_as_of: Some(time(6)), ..with_watermark.clone() };
    must_commit(
        &*store,
        [Change::UpdateUser { expected: (&with_watermark).into(), user: moved.clone() }],
    )
    .await;
    assert_stale(
        &*store,
        &[Change::UpdateUser { expected: (&with_watermark).into(), user: next_version(&moved) }],
    )
    .await;
    assert_eq!(load_user(&*store, 1).await, moved);
}

async fn stale_change_writes_nothing(store: Arc<dyn Store>) {
    must_commit(&*store, [Change::InsertUser(user(1))]).await;
    let expected = UserVersion { version: 7, groups_as_of: None };
    let changes = [
        Change::InsertTenant(tenant(1)),
        Change::InsertAuditEvent(event(1)),
        Change::UpdateUser { expected, user: next_version(&user(1)) },
    ];
    assert_stale(&*store, &changes).await;
    assert!(store.tenants(TenantKeys::Ids(&[id(1)])).await.expect("read succeeds").is_empty());
    assert!(store.audit_events(&[id(1)]).await.expect("read succeeds").is_empty());
}

async fn user_update_is_read_back(store: Arc<dyn Store>) {
    must_commit(&*store, [Change::InsertUser(user(1))]).await;
    // Every field changes except the identifier, the identity and the creation time, which are
    // immutable.
    let full = User {
        id: id(1),
        identity: user(1).identity,
        created_at: user(1).created_at,
        name: USER_NAMES[3].to_owned(),
        ..full_user(1)
    };
    must_commit(&*store, [Change::UpdateUser { expected: (&user(1)).into(), user: full.clone() }])
        .await;
    assert_eq!(load_user(&*store, 1).await, full);
    let users = store.users(UserKeys::Identity(&full.identity)).await.expect("read succeeds");
    assert_eq!(users, [Ok(full)]);
}

async fn user_update_clears_optional_fields(store: Arc<dyn Store>) {
    let full = full_user(1);
    must_commit(&*store, [Change::InsertUser(full.clone())]).await;
    let bare = User {
        email: None,
        platform_admin: None,
        disabled: false,
        memberships: Vec::new(),
        groups_as_of: None,
        ..next_version(&full)
    };
    must_commit(&*store, [Change::UpdateUser { expected: (&full).into(), user: bare.clone() }])
        .await;
    assert_eq!(load_user(&*store, 1).await, bare);
}

async fn memberships_can_be_added_changed_and_removed(store: Arc<dyn Store>) {
    let mut ada = User { memberships: vec![membership(5, TenantRole::Member)], ..user(1) };
    must_commit(&*store, [Change::InsertUser(ada.clone())]).await;
    let admin_of = |tenants: &[u32]| -> Vec<Membership> {
        tenants.iter().map(|n| membership(*n, TenantRole::Admin)).collect()
    };
    let mut changed = admin_of(&[9, 5, 1]);
    changed[1].role = TenantRole::Owner;
    changed[1].source = MembershipSource::Group;
    changed[1].since = time(77);
    for memberships in [
        admin_of(&[5, 9]),       // adds one
        admin_of(&[5, 9, 1]),    // adds one that is not in identifier order
        admin_of(&[1, 5, 9]),    // reorders
        admin_of(&[9, 1]),       // removes one and reorders
        admin_of(&[]),           // removes all
        admin_of(&[3, 2, 1, 0]), // adds others
        changed,                 // changes every field of one
    ] {
        let expected = (&ada).into();
        ada = User { memberships, ..next_version(&ada) };
        must_commit(&*store, [Change::UpdateUser { expected, user: ada.clone() }]).await;
        assert_eq!(load_user(&*store, 1).await, ada);
    }
}

async fn last_seen_only_moves_forward(store: Arc<dyn Store>) {
    must_commit(&*store, [Change::InsertUser(user(1)), Change::InsertUser(user(2))]).await;
    for (at, last_seen) in [(10, 10), (5, 10), (10, 10), (11, 11), (-99, 11)] {
        must_commit(&*store, [Change::TouchLastSeen { id: id(1), at: time(at) }]).await;
        let expected = User { last_seen_at: Some(time(last_seen)), ..user(1) };
        assert_eq!(load_user(&*store, 1).await, expected, "no other field changes");
    }
    assert_eq!(load_user(&*store, 2).await, user(2));
    // Touching a user that does not exist succeeds and stores nothing.
    must_commit(&*store, [Change::TouchLastSeen { id: id(9), at: time(1) }]).await;
    assert!(store.users(UserKeys::Ids(&[id(9)])).await.expect("read succeeds").is_empty());
}

async fn user_update_never_moves_last_seen_back(store: Arc<dyn Store>) {
    let earlier_read = user(1);
    must_commit(&*store, [Change::InsertUser(earlier_read.clone())]).await;
    must_commit(&*store, [Change::TouchLastSeen { id: id(1), at: time(10) }]).await;
    // The updates are based on the earlier read. They carry no time, an older time and a later
    // time.
    let mut ada = earlier_read;
    for (at, last_seen) in [(None, 10), (Some(5), 10), (Some(20), 20)] {
        let expected = (&ada).into();
        ada = User { last_seen_at: at.map(time), ..next_version(&ada) };
        must_commit(&*store, [Change::UpdateUser { expected, user: ada.clone() }]).await;
        assert_eq!(
            load_user(&*store, 1).await,
            User { last_seen_at: Some(time(last_seen)), ..ada.clone() }
        );
    }
}
