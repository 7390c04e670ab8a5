//! Writes: conflicts by name, contention, and what else only this store has to mind.

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
    store::{CommitError, Store, UserKeys},
};

use super::*;
use crate::support::mongod::{Fresh, ISSUER};

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
async fn conflicts_name_what_is_taken_alone_and_together() {
    let fresh = Fresh::new().await;
    let store = fresh.prepared().await;
    let mut first = tenant(1, "acme");
    first.domains = vec!["acme.example".to_owned()];
    let group = Some("acme people".to_owned());
    first.integrations =
        Some(TenantIntegrations { authentik_group: group.clone(), ..Default::default() });
    let live = subscription(1, TenantSubscriptionStatus::Active);
    let there = [
        Change::InsertTenant(first.clone()),
        Change::InsertSubscription(live),
        Change::InsertUser(user(1, "ada")),
    ];
    store.commit(&there).await.expect("committed");

    let mut domains = tenant(2, "two");
    domains.domains = vec!["two.example".to_owned(), "acme.example".to_owned()];
    let mut groups = tenant(2, "two");
    groups.integrations = first.integrations.clone();
    let mut elsewhere = user(2, "bob");
    elsewhere.identity.issuer = "https://other.example/".to_owned();
    store.commit(&[Change::InsertUser(elsewhere.clone())]).await.expect("committed");
    elsewhere.id = id(3);
    for (n, (change, unique)) in (0..).zip([
        (Change::InsertTenant(tenant(2, "acme")), UniqueField::Slug),
        (Change::InsertTenant(domains), UniqueField::Domains),
        (Change::InsertTenant(groups), UniqueField::AuthentikGroup),
        (Change::InsertUser(user(3, "ada")), UniqueField::Subject),
        (Change::InsertUser(elsewhere), UniqueField::Subject),
        (
            Change::InsertSubscription(subscription(2, TenantSubscriptionStatus::Trialing)),
            UniqueField::LiveSubscription,
        ),
    ]) {
        for changes in
            [vec![change.clone()], vec![Change::InsertAuditEvent(event(n)), change.clone()]]
        {
            let refused = store.commit(&changes).await;
            let Err(CommitError::Conflict(taken)) = refused else {
                panic!("{unique:?} {refused:?}")
            };
            assert_eq!(taken, unique);
        }
        let events = store.audit_events(&[id(n)]).await.expect("read");
        assert!(events.is_empty(), "all or nothing");
    }
    // Any number of those that are over, and of tenants without domain and group.
    let over = subscription(2, TenantSubscriptionStatus::Canceled);
    let free = [Change::InsertSubscription(over), Change::InsertTenant(tenant(2, "two"))];
    store.commit(&free).await.expect("committed");
    store.commit(&[Change::InsertTenant(tenant(3, "three"))]).await.expect("committed");
}

#[tokio::test]
async fn a_user_without_issuer_holds_the_default_ones_identity() {
    let fresh = Fresh::new().await;
    let store = fresh.prepared().await;
    fresh.insert("users", vec![doc! { "_id": oid(1), "subject": "ada", "name": "Ada" }]).await;
    let refused = store.commit(&[Change::InsertUser(user(2, "ada"))]).await;
    assert!(matches!(refused, Err(CommitError::Conflict(UniqueField::Subject))), "{refused:?}");
}

#[tokio::test]
async fn an_event_comes_back_as_it_was() {
    let fresh = Fresh::new().await;
    let store = fresh.prepared().await;
    store.commit(&[Change::InsertAuditEvent(event(1))]).await.expect("committed");
    let found = store.audit_events(&[id(1)]).await.expect("read");
    assert_eq!(found, [Ok(event(1))]);
}

/// Ten writers of one document, each deciding again when it was too late: nothing is lost.
#[tokio::test]
async fn writers_of_one_document_do_not_lose_each_others_changes() {
    let fresh = Fresh::new().await;
    let store = Arc::new(fresh.prepared().await);
    store.commit(&[Change::InsertUser(user(1, "ada"))]).await.expect("committed");
    let write = |n| {
        let store = Arc::clone(&store);
        async move {
            loop {
                let mut read = store.users(UserKeys::Ids(&[id(1)])).await.expect("read");
                let mut user = read.pop().expect("there").expect("readable");
                let was = UserVersion::from(&user);
                user.version += 1;
                let changes =
                    [Change::UpdateUser { was, user }, Change::InsertAuditEvent(event(n))];
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
        writer.await.expect("written");
    }
    let read = store.users(UserKeys::Ids(&[id(1)])).await.expect("read");
    assert_eq!(read[0].as_ref().expect("readable").version, 11);
    let events: Vec<_> = (0..10).map(id).collect();
    assert_eq!(store.audit_events(&events).await.expect("read").len(), 10);
}

/// Two newcomers want one slug at the same time: one has it, the other is told.
#[tokio::test]
async fn a_race_for_a_slug_has_one_winner() {
    let fresh = Fresh::new().await;
    let store = Arc::new(fresh.prepared().await);
    let newcomer = |n| {
        let store = Arc::clone(&store);
        let changes = [Change::InsertTenant(tenant(n, "acme")), Change::InsertAuditEvent(event(n))];
        tokio::spawn(async move { store.commit(&changes).await })
    };
    let newcomers: Vec<_> = (1..=8).map(newcomer).collect();
    let mut winners = 0;
    for newcomer in newcomers {
        match newcomer.await.expect("an answer") {
            Ok(()) => winners += 1,
            Err(CommitError::Conflict(UniqueField::Slug)) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(winners, 1);
}
