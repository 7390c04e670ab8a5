//! Documents that older versions or other programs wrote are served without a migration.

use mongodb::bson::{Binary, Bson, Document, doc, spec::BinarySubtype};
use tenantry::{
    domain::{
        change::{Change, UserVersion},
        id::NodeId,
        idempotency::{
            Claim, ClaimResult, CompletedMutation, IdempotencyKeyHash, RightsDigest, RunHolder,
        },
        list::{Decoded, UnreadableDocument},
        subscription::TenantSubscriptionStatus,
        tenant::{Plan, TenantStatus},
        time::Timestamp,
        user::{Identity, MembershipSource, TenantRole, User},
    },
    store::{Store, SubscriptionKeys, TenantKeys, UserKeys, mongo::MongoStore},
};

use super::*;
use crate::support::mongod::{FreshDatabase, ISSUER};

async fn users_by_identity(store: &MongoStore, issuer: &str, subject: &str) -> Vec<Decoded<User>> {
    let identity = Identity { issuer: issuer.to_owned(), subject: subject.to_owned() };
    store.users(UserKeys::Identity(&identity)).await.expect("read succeeds")
}

#[tokio::test]
async fn minimal_documents_get_default_values() {
    let fresh = FreshDatabase::new().await;
    let store = fresh.prepared().await;
    fresh.insert("tenants", vec![doc! { "_id": oid(1), "slug": "acme", "name": "Acme" }]).await;
    let memberships = vec![doc! { "tenantId": oid(1), "role": "owner" }];
    let user = doc! {
        "_id": oid(2), "subject": "ada", "name": "Ada", "platformAdmin": true,
        "memberships": memberships, "createdAt": date(7), "email": null, "lastSeenAt": null,
        "favouriteColour": "blue",
    };
    fresh.insert("users", vec![user]).await;
    let live = doc! { "_id": oid(3), "tenantId": oid(1), "plan": "free", "status": "past_due" };
    fresh.insert("subscriptions", vec![live]).await;

    let tenants = store.tenants(TenantKeys::Ids(&[id(1)])).await.expect("read succeeds");
    let [Ok(tenant)] = &tenants[..] else { panic!("{tenants:?}") };
    let created = Timestamp::from_seconds(0x6500_0000).expect("in range");
    assert_eq!((tenant.status, tenant.plan), (TenantStatus::Active, Plan::Free));
    assert_eq!((tenant.version, tenant.created_at, tenant.updated_at), (1, created, created));
    assert!(tenant.domains.is_empty() && tenant.billing_info.is_none());

    let users = users_by_identity(&store, ISSUER, "ada").await;
    let [Ok(user)] = &users[..] else { panic!("{users:?}") };
    assert_eq!(user.identity.issuer, ISSUER);
    assert_eq!(user.platform_admin, Some(MembershipSource::Direct));
    assert_eq!(user.memberships[0].source, MembershipSource::Direct);
    assert_eq!((user.memberships[0].role, user.memberships[0].since), (TenantRole::Owner, time(7)));
    assert_eq!((user.updated_at, user.disabled), (time(7), false));
    assert_eq!((user.groups_as_of, user.last_seen_at, &user.email), (None, None, &None));

    let live = store
        .subscriptions(SubscriptionKeys::LiveOfTenants(&[id(1)]))
        .await
        .expect("read succeeds");
    let [Ok(live)] = &live[..] else { panic!("{live:?}") };
    assert_eq!(live.status, TenantSubscriptionStatus::PastDue);
    assert!(!live.cancel_at_period_end && live.stripe.is_none());
}

#[tokio::test]
async fn integers_of_any_bson_type_are_accepted() {
    let fresh = FreshDatabase::new().await;
    let store = fresh.prepared().await;
    let versions: Vec<Bson> = vec![7_i32.into(), 7_i64.into(), 7.0.into()];
    let tenant = |(n, version)| {
        let n = n as u32;
        doc! { "_id": oid(n), "slug": format!("t-{n}"), "name": "T", "version": version }
    };
    fresh.insert("tenants", versions.into_iter().enumerate().map(tenant).collect()).await;
    let tenants =
        store.tenants(TenantKeys::Ids(&[id(0), id(1), id(2)])).await.expect("read succeeds");
    assert_eq!(tenants.len(), 3);
    for tenant in tenants {
        assert_eq!(tenant.expect("readable").version, 7);
    }
}

#[tokio::test]
async fn first_of_duplicate_memberships_is_used() {
    let fresh = FreshDatabase::new().await;
    let store = fresh.prepared().await;
    let membership = |n, role| doc! { "tenantId": oid(n), "role": role };
    let memberships = vec![membership(1, "member"), membership(2, "admin"), membership(1, "owner")];
    fresh
        .insert("users", vec![doc! { "subject": "ada", "name": "Ada", "memberships": memberships }])
        .await;
    let users = users_by_identity(&store, ISSUER, "ada").await;
    let [Ok(user)] = &users[..] else { panic!("{users:?}") };
    let roles: Vec<_> = user.memberships.iter().map(|m| (m.tenant_id, m.role)).collect();
    assert_eq!(roles, [(id(1), TenantRole::Member), (id(2), TenantRole::Admin)]);
}

#[tokio::test]
async fn user_without_issuer_belongs_to_the_default_issuer() {
    let fresh = FreshDatabase::new().await;
    let store = fresh.prepared().await;
    let user = |n, subject: &str, issuer: Option<&str>| {
        let mut user = doc! { "_id": oid(n), "subject": subject, "name": "Ada" };
        user.extend(issuer.map(|issuer| ("issuer".to_owned(), issuer.into())));
        user
    };
    let users = vec![
        user(1, "both", None),
        user(2, "both", Some(ISSUER)),
        user(3, "old", None),
        user(4, "old", Some("https://other.example/")),
    ];
    fresh.insert("users", users).await;
    let ids = async |issuer, subject| {
        let users = users_by_identity(&store, issuer, subject).await;
        users.into_iter().map(|user| user.expect("readable").id).collect::<Vec<_>>()
    };
    assert_eq!(ids(ISSUER, "both").await, [id(2)]);
    assert_eq!(ids(ISSUER, "old").await, [id(3)]);
    assert_eq!(ids("https://other.example/", "old").await, [id(4)]);
    assert_eq!(ids("https://other.example/", "both").await, []);
}

#[tokio::test]
async fn identity_lookup_returns_an_unreadable_user() {
    let fresh = FreshDatabase::new().await;
    let store = fresh.prepared().await;
    let unreadable = doc! { "_id": oid(1), "subject": "ada", "issuer": ISSUER, "name": "Ada", "disabled": "yes" };
    fresh.insert("users", vec![unreadable]).await;
    assert_eq!(
        users_by_identity(&store, ISSUER, "ada").await,
        [Err(UnreadableDocument { id: id::<User>(1).raw, tenant: None })]
    );
    assert_eq!(users_by_identity(&store, "https://other.example/", "ada").await, []);
}

#[tokio::test]
async fn user_update_keeps_unknown_fields() {
    let fresh = FreshDatabase::new().await;
    let store = fresh.prepared().await;
    let existing = doc! {
        "_id": oid(1), "subject": "ada", "name": "Ada", "email": "ada@example.org",
        "favouriteColour": "blue", "lastSeenAt": date(50),
    };
    fresh.insert("users", vec![existing]).await;
    let users = users_by_identity(&store, ISSUER, "ada").await;
    let [Ok(loaded)] = &users[..] else { panic!("{users:?}") };
    let expected = UserVersion::from(loaded);
    let mut user = loaded.clone();
    user.name = "Ada L.".to_owned();
    user.email = None;
    user.version = 2;
    user.groups_as_of = Some(time(9));
    user.last_seen_at = Some(time(40));
    let update = Change::UpdateUser { expected, user: user.clone() };
    store.commit(std::slice::from_ref(&update)).await.expect("commit succeeds");

    let collection = fresh.database.collection::<Document>("users");
    let stored =
        collection.find_one(doc! { "_id": oid(1) }).await.expect("read succeeds").expect("present");
    assert_eq!(stored.get_str("favouriteColour").ok(), Some("blue"));
    assert!(!stored.contains_key("issuer") && !stored.contains_key("email"), "{stored}");
    let users = users_by_identity(&store, ISSUER, "ada").await;
    // A later `lastSeenAt` of another instance is kept.
    user.last_seen_at = Some(time(50));
    assert_eq!(users, [Ok(user)]);
}

/// A response of an older version names no rights, so the next run reads the outcome again.
#[tokio::test]
async fn idempotency_records_without_a_user_are_continued() {
    let fresh = FreshDatabase::new().await;
    let store = fresh.prepared().await;
    let binary =
        |n: u8| Bson::Binary(Binary { subtype: BinarySubtype::Generic, bytes: vec![n; 32] });
    let record = |n: u8, answer: Option<&str>| {
        let step = doc! { "ordinal": 0_i64, "ids": [NodeId::Tenant(id(5)).to_string()] };
        let mut record = doc! {
            "_id": binary(n), "fingerprint": binary(100), "holder": oid(1), "claimedAt": date(0),
            "leaseUntil": date(60), "expiresAt": date(86_400), "steps": [step],
        };
        record.extend(answer.map(|answer| ("answer".to_owned(), answer.into())));
        record
    };
    fresh.insert("requests", vec![record(1, None), record(2, Some("{}"))]).await;
    let claim = |n: u8| Claim {
        key: IdempotencyKeyHash([n; 32]),
        fingerprint: [100; 32],
        run_id: id::<()>(2).raw,
        process: id::<()>(6).raw,
        user: Some(id(3)),
        rights: RightsDigest([4; 32]),
        lost_run: None,
        now: time(1),
    };
    let run_id = id::<()>(1).raw;
    let holder = RunHolder { run_id, process: None };
    let step = CompletedMutation { root_field_index: 0, ids: vec![NodeId::Tenant(id(5))] };
    let acquired = ClaimResult::Acquired(vec![step]);
    for (claim, expected) in [
        (claim(1), ClaimResult::InProgress(holder)),
        (Claim { lost_run: Some(run_id), ..claim(1) }, acquired.clone()),
        (claim(2), acquired),
    ] {
        assert_eq!(store.claim_request(&claim).await.expect("claim succeeds"), expected);
    }
}
