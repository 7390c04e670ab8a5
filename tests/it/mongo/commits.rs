//! Commits on MongoDB: conflicts that name the field, documents of other writers, and contention.

use std::sync::Arc;

use mongodb::bson::doc;
use serde_json::json;
use tenantry::{
    domain::{
        audit::{ActorKind, AuditEvent, FieldChange},
        change::{Change, UniqueField, UserVersion},
        subscription::{TenantSubscription, TenantSubscriptionStatus},
        tenant::{Plan, Tenant, TenantIntegrations, TenantStatus},
        user::{Identity, User},
    },
    store::{CommitError, Store, StoreError, UserKeys},
};

use super::*;
use crate::support::mongod::{FreshDatabase, ISSUER};

fn tenant(n: u32, slug: &str) -> Tenant {
    Tenant {
        id: id(n),
        slug: slug.to_owned(),
        name: "Acme".to_owned(),
        status: TenantStatus::Active,
        plan: Plan::Free,
        domains: Vec::new(),
        billing_info: None,
        integrations: None,
        version: 1,
        created_at: time(0),
        updated_at: time(0),
    }
}

fn subscription(n: u32, status: TenantSubscriptionStatus) -> TenantSubscription {
    TenantSubscription {
        id: id(n),
        tenant_id: id(1),
        plan: Plan::Free,
        status,
        current_period_start: None,
        current_period_end: None,
        cancel_at_period_end: false,
        stripe: None,
        version: 1,
        created_at: time(0),
        updated_at: time(0),
    }
}

fn user(n: u32, subject: &str) -> User {
    User {
        id: id(n),
        identity: Identity { issuer: ISSUER.to_owned(), subject: subject.to_owned() },
        email: None,
        name: "Ada".to_owned(),
        platform_admin: None,
        disabled: false,
        memberships: Vec::new(),
        groups_as_of: None,
        last_seen_at: None,
        version: 1,
        created_at: time(0),
        updated_at: time(0),
    }
}

fn event(n: u32) -> AuditEvent {
    AuditEvent {
        id: id(n),
        at: time(0),
        action: "user.sync".to_owned(),
        actor_kind: ActorKind::System,
        actor: None,
        tenants: vec![id(1)],
        target: None,
        changes: vec![FieldChange {
            field: "a.b".to_owned(),
            from: json!(null),
            to: json!({ "$set": [1, -1, 1.5, "x", true, {}], "a.b": u64::from(u32::MAX) }),
        }],
        request_id: None,
    }
}

#[tokio::test]
async fn conflict_names_the_field_with_and_without_a_transaction() {
    let fresh = FreshDatabase::new().await;
    let store = fresh.prepared().await;
    let mut first = tenant(1, "acme");
    first.domains = vec!["acme.example".to_owned()];
    let group = Some("acme people".to_owned());
    first.integrations =
        Some(TenantIntegrations { authentik_group: group.clone(), ..Default::default() });
    let live = subscription(1, TenantSubscriptionStatus::Active);
    let initial = [
        Change::InsertTenant(first.clone()),
        Change::InsertSubscription(live),
        Change::InsertUser(user(1, "ada")),
    ];
    store.commit(&initial).await.expect("commit succeeds");

    let mut same_domain = tenant(2, "two");
    same_domain.domains = vec!["two.example".to_owned(), "acme.example".to_owned()];
    let mut same_group = tenant(2, "two");
    same_group.integrations = first.integrations.clone();
    let mut other_issuer = user(2, "bob");
    other_issuer.identity.issuer = "https://other.example/".to_owned();
    store.commit(&[Change::InsertUser(other_issuer.clone())]).await.expect("commit succeeds");
    other_issuer.id = id(3);
    for (n, (change, unique)) in (0..).zip([
        (Change::InsertTenant(tenant(2, "acme")), UniqueField::Slug),
        (Change::InsertTenant(same_domain), UniqueField::Domains),
        (Change::InsertTenant(same_group), UniqueField::AuthentikGroup),
        (Change::InsertUser(user(3, "ada")), UniqueField::Subject),
        (Change::InsertUser(other_issuer), UniqueField::Subject),
        (
            Change::InsertSubscription(subscription(2, TenantSubscriptionStatus::Trialing)),
            UniqueField::LiveSubscription,
        ),
    ]) {
        for changes in
            [vec![change.clone()], vec![Change::InsertAuditEvent(event(n)), change.clone()]]
        {
            let result = store.commit(&changes).await;
            let Err(CommitError::Conflict(field)) = result else { panic!("{unique:?} {result:?}") };
            assert_eq!(field, unique);
        }
        let events = store.audit_events(&[id(n)]).await.expect("read succeeds");
        assert!(events.is_empty(), "a failed commit writes nothing");
    }
    // Ended subscriptions and tenants without a domain or group do not conflict.
    let ended = subscription(2, TenantSubscriptionStatus::Canceled);
    let distinct = [Change::InsertSubscription(ended), Change::InsertTenant(tenant(2, "two"))];
    store.commit(&distinct).await.expect("commit succeeds");
    store.commit(&[Change::InsertTenant(tenant(3, "three"))]).await.expect("commit succeeds");
}

#[tokio::test]
async fn user_without_issuer_conflicts_with_the_default_issuer() {
    let fresh = FreshDatabase::new().await;
    let store = fresh.prepared().await;
    fresh.insert("users", vec![doc! { "_id": oid(1), "subject": "ada", "name": "Ada" }]).await;
    let result = store.commit(&[Change::InsertUser(user(2, "ada"))]).await;
    assert!(matches!(result, Err(CommitError::Conflict(UniqueField::Subject))), "{result:?}");
}

#[tokio::test]
async fn audit_event_is_read_back_unchanged() {
    let fresh = FreshDatabase::new().await;
    let store = fresh.prepared().await;
    store.commit(&[Change::InsertAuditEvent(event(1))]).await.expect("commit succeeds");
    let events = store.audit_events(&[id(1)]).await.expect("read succeeds");
    assert_eq!(events, [Ok(event(1))]);
}

/// Ten writers update one document and retry stale commits. No update is lost.
#[tokio::test]
async fn concurrent_writers_lose_no_updates() {
    let fresh = FreshDatabase::new().await;
    let store = Arc::new(fresh.prepared().await);
    store.commit(&[Change::InsertUser(user(1, "ada"))]).await.expect("commit succeeds");
    let write = |n| {
        let store = Arc::clone(&store);
        async move {
            loop {
                let mut users = store.users(UserKeys::Ids(&[id(1)])).await.expect("read succeeds");
                let mut user = users.pop().expect("present").expect("readable");
                let expected = UserVersion::from(&user);
                user.version += 1;
                let changes =
                    [Change::UpdateUser { expected, user }, Change::InsertAuditEvent(event(n))];
                match store.commit(&changes).await {
                    Ok(()) => return,
                    Err(CommitError::Stale) => {}
                    Err(other) => panic!("{other}"),
                }
            }
        }
    };
    let writers: Vec<_> = (0..10).map(|n| tokio::spawn(write(n))).collect();
    for writer in writers {
        writer.await.expect("write succeeds");
    }
    let users = store.users(UserKeys::Ids(&[id(1)])).await.expect("read succeeds");
    assert_eq!(users[0].as_ref().expect("readable").version, 11);
    let events: Vec<_> = (0..10).map(id).collect();
    assert_eq!(store.audit_events(&events).await.expect("read succeeds").len(), 10);
}

/// One of several concurrent inserts of a slug succeeds, and all others report the conflict.
#[tokio::test]
async fn concurrent_inserts_of_one_slug_have_one_winner() {
    let fresh = FreshDatabase::new().await;
    let store = Arc::new(fresh.prepared().await);
    let insert = |n| {
        let store = Arc::clone(&store);
        let changes = [Change::InsertTenant(tenant(n, "acme")), Change::InsertAuditEvent(event(n))];
        tokio::spawn(async move { store.commit(&changes).await })
    };
    let tasks: Vec<_> = (1..=8).map(insert).collect();
    let mut winners = 0;
    for task in tasks {
        match task.await.expect("task completes") {
            Ok(()) => winners += 1,
            Err(CommitError::Conflict(UniqueField::Slug)) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(winners, 1);
}

/// The name goes to the log, and the value does not. An index with other keys is no conflict of a field
/// that a client could change.
#[tokio::test]
async fn foreign_unique_index_is_named_by_the_error() {
    let fresh = FreshDatabase::new().await;
    let store = fresh.prepared().await;
    let index = doc! { "createIndexes": "users", "indexes": [
        { "key": { "email": 1 }, "name": "email_1", "unique": true,
            "partialFilterExpression": { "email": { "$gt": "" } } },
        { "key": { "subject": 1 }, "name": "subject_1", "unique": true },
    ] };
    fresh.database.run_command(index).await.expect("indexes");
    let with_email =
        |n, subject: &str| User { email: Some("ada@example.org".to_owned()), ..user(n, subject) };
    store.commit(&[Change::InsertUser(with_email(1, "ada"))]).await.expect("the first user");
    store.commit(&[Change::InsertUser(user(2, "bob"))]).await.expect("another user");
    let bob = with_email(2, "bob");
    let expected = UserVersion::from(&bob);
    let other_issuer = User {
        identity: Identity {
            issuer: "https://other.example/".to_owned(),
            subject: "ada".to_owned(),
        },
        ..user(3, "ada")
    };
    for (change, index) in [
        (Change::InsertUser(with_email(4, "carol")), "email_1"),
        (Change::UpdateUser { expected, user: bob }, "email_1"),
        (Change::InsertUser(other_issuer), "subject_1"),
    ] {
        let error = store.commit(&[change]).await.expect_err("the index rejects it");
        assert!(matches!(error, CommitError::Failed(StoreError::Internal(_))), "{error}");
        let text = error.to_string();
        let place = format!(".users index: {index}");
        assert!(text.ends_with(&place) && text.contains("11000"), "{text}");
        assert!(!text.contains("example"), "{text}");
    }
}
