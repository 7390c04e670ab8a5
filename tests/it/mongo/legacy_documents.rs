//! Documents of older versions and of other hands, served as they are.

use mongodb::bson::{Bson, Document, doc};
use tenantry::{
    domain::{
        change::{Change, UserVersion},
        list::{Decoded, UnreadableDocument},
        subscription::TenantSubscriptionStatus,
        tenant::{Plan, TenantStatus},
        time::Timestamp,
        user::{Identity, MembershipSource, TenantRole, User},
    },
    store::{Store, SubscriptionKeys, TenantKeys, UserKeys, mongo::MongoStore},
};

use super::*;
use crate::support::mongod::{Fresh, ISSUER};

async fn user_of(store: &MongoStore, issuer: &str, subject: &str) -> Vec<Decoded<User>> {
    let identity = Identity { issuer: issuer.to_owned(), subject: subject.to_owned() };
    store.users(UserKeys::Identity(&identity)).await.expect("read")
}

#[tokio::test]
async fn the_least_documents_read_as_their_defaults() {
    let fresh = Fresh::new().await;
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

    let tenants = store.tenants(TenantKeys::Ids(&[id(1)])).await.expect("read");
    let [Ok(tenant)] = &tenants[..] else { panic!("{tenants:?}") };
    let made = Timestamp::from_seconds(0x6500_0000).expect("in range");
    assert_eq!((tenant.status, tenant.plan), (TenantStatus::Active, Plan::Free));
    assert_eq!((tenant.version, tenant.created_at, tenant.updated_at), (1, made, made));
    assert!(tenant.domains.is_empty() && tenant.billing_info.is_none());

    let users = user_of(&store, ISSUER, "ada").await;
    let [Ok(user)] = &users[..] else { panic!("{users:?}") };
    assert_eq!(user.identity.issuer, ISSUER);
    assert_eq!(user.platform_admin, Some(MembershipSource::Direct));
    assert_eq!(user.memberships[0].source, MembershipSource::Direct);
    assert_eq!((user.memberships[0].role, user.memberships[0].since), (TenantRole::Owner, time(7)));
    assert_eq!((user.updated_at, user.disabled), (time(7), false));
    assert_eq!((user.groups_as_of, user.last_seen_at, &user.email), (None, None, &None));

    let live = store.subscriptions(SubscriptionKeys::LiveOfTenants(&[id(1)])).await.expect("read");
    let [Ok(live)] = &live[..] else { panic!("{live:?}") };
    assert_eq!(live.status, TenantSubscriptionStatus::PastDue);
    assert!(!live.cancel_at_period_end && live.stripe.is_none());
}

#[tokio::test]
async fn integers_come_in_three_types() {
    let fresh = Fresh::new().await;
    let store = fresh.prepared().await;
    let versions: Vec<Bson> = vec![7_i32.into(), 7_i64.into(), 7.0.into()];
    let tenant = |(n, version)| {
        let n = n as u32;
        doc! { "_id": oid(n), "slug": format!("t-{n}"), "name": "T", "version": version }
    };
    fresh.insert("tenants", versions.into_iter().enumerate().map(tenant).collect()).await;
    let tenants = store.tenants(TenantKeys::Ids(&[id(0), id(1), id(2)])).await.expect("read");
    assert_eq!(tenants.len(), 3);
    for tenant in tenants {
        assert_eq!(tenant.expect("readable").version, 7);
    }
}

#[tokio::test]
async fn the_first_of_two_memberships_counts() {
    let fresh = Fresh::new().await;
    let store = fresh.prepared().await;
    let membership = |n, role| doc! { "tenantId": oid(n), "role": role };
    let all = vec![membership(1, "member"), membership(2, "admin"), membership(1, "owner")];
    fresh.insert("users", vec![doc! { "subject": "ada", "name": "Ada", "memberships": all }]).await;
    let users = user_of(&store, ISSUER, "ada").await;
    let [Ok(user)] = &users[..] else { panic!("{users:?}") };
    let roles: Vec<_> = user.memberships.iter().map(|m| (m.tenant_id, m.role)).collect();
    assert_eq!(roles, [(id(1), TenantRole::Member), (id(2), TenantRole::Admin)]);
}

#[tokio::test]
async fn a_user_without_issuer_is_the_default_ones() {
    let fresh = Fresh::new().await;
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
        let found = user_of(&store, issuer, subject).await;
        found.into_iter().map(|user| user.expect("readable").id).collect::<Vec<_>>()
    };
    assert_eq!(ids(ISSUER, "both").await, [id(2)]);
    assert_eq!(ids(ISSUER, "old").await, [id(3)]);
    assert_eq!(ids("https://other.example/", "old").await, [id(4)]);
    assert_eq!(ids("https://other.example/", "both").await, []);
}

#[tokio::test]
async fn an_identity_finds_a_broken_user_as_broken() {
    let fresh = Fresh::new().await;
    let store = fresh.prepared().await;
    let broken = doc! { "_id": oid(1), "subject": "ada", "issuer": ISSUER, "name": "Ada", "disabled": "yes" };
    fresh.insert("users", vec![broken]).await;
    assert_eq!(
        user_of(&store, ISSUER, "ada").await,
        [Err(UnreadableDocument { id: id::<User>(1).raw, tenant: None })]
    );
    assert_eq!(user_of(&store, "https://other.example/", "ada").await, []);
}

#[tokio::test]
async fn an_update_keeps_what_it_does_not_know() {
    let fresh = Fresh::new().await;
    let store = fresh.prepared().await;
    let old = doc! {
        "_id": oid(1), "subject": "ada", "name": "Ada", "email": "ada@example.org",
        "favouriteColour": "blue", "lastSeenAt": date(50),
    };
    fresh.insert("users", vec![old]).await;
    let users = user_of(&store, ISSUER, "ada").await;
    let [Ok(read)] = &users[..] else { panic!("{users:?}") };
    let was = UserVersion::from(read);
    let mut user = read.clone();
    user.name = "Ada L.".to_owned();
    user.email = None;
    user.version = 2;
    user.groups_as_of = Some(time(9));
    user.last_seen_at = Some(time(40));
    let update = Change::UpdateUser { was, user: user.clone() };
    store.commit(std::slice::from_ref(&update)).await.expect("committed");

    let users = fresh.database.collection::<Document>("users");
    let stored = users.find_one(doc! { "_id": oid(1) }).await.expect("read").expect("there");
    assert_eq!(stored.get_str("favouriteColour").ok(), Some("blue"));
    assert!(!stored.contains_key("issuer") && !stored.contains_key("email"), "{stored}");
    let read = user_of(&store, ISSUER, "ada").await;
    // Who was seen later by another instance stays seen later.
    user.last_seen_at = Some(time(50));
    assert_eq!(read, [Ok(user)]);
}
