//! Deletions of tenants with more members than one transaction takes.

use futures_util::TryStreamExt;
use mongodb::bson::{Bson, Document, doc};
use tenantry::{
    domain::{change::Change, user::Identity},
    store::Store,
};

use super::*;
use crate::support::mongod::{Fresh, ISSUER};

const MANY: u32 = 1_001;

fn delete() -> [Change; 1] {
    [Change::DeleteTenant { id: id(1), was: 1, at: time(50), watermark: time(60) }]
}

fn member(n: u32) -> Document {
    doc! {
        "_id": oid(n), "subject": format!("u-{n}"), "issuer": ISSUER, "name": "U",
        "memberships": [{ "tenantId": oid(1), "role": "member" }, { "tenantId": oid(2), "role": "member" }],
    }
}

async fn filled(members: Vec<Document>) -> Fresh {
    let fresh = Fresh::new().await;
    fresh.prepared().await;
    fresh.insert("tenants", vec![doc! { "_id": oid(1), "slug": "acme", "name": "Acme" }]).await;
    fresh.insert("users", members).await;
    fresh
}

async fn all(fresh: &Fresh, collection: &str) -> Vec<Document> {
    let collection = fresh.database.collection::<Document>(collection);
    let all = collection.find(doc! {}).sort(doc! { "_id": 1 }).await.expect("read");
    all.try_collect().await.expect("all")
}

async fn count_members(fresh: &Fresh) -> u64 {
    let users = fresh.database.collection::<Document>("users");
    users.count_documents(doc! { "memberships.tenantId": oid(1) }).await.expect("counted")
}

#[tokio::test]
async fn a_mark_stays_until_all_is_done() {
    let fresh = filled((0..MANY).map(member).collect()).await;
    let store = fresh.store().await;
    store.commit(&delete()).await.expect("committed");
    let mark = doc! {
        "_id": oid(1), "tenantId": oid(1), "deletedAt": date(50), "groupsAsOf": date(60),
    };
    assert_eq!(all(&fresh, "tombstones").await, [mark]);
    assert_eq!(count_members(&fresh).await, u64::from(MANY), "not yet");
    // Nobody's tombstone, be it of nobody.
    let nobody = Identity { issuer: String::new(), subject: String::new() };
    assert_eq!(store.tombstone(&nobody).await.expect("read"), None);
    let lift = Change::DeleteTombstones { identity: nobody, was: None };
    store.commit(&[lift]).await.expect("nothing to lift");

    // A run that died half-way: some have ended already, as if by another instance.
    let users = fresh.database.collection::<Document>("users");
    let some = doc! { "_id": { "$lt": oid(400) } };
    let ended =
        doc! { "$pull": { "memberships": { "tenantId": oid(1) } }, "$set": { "version": 2 } };
    users.update_many(some, ended).await.expect("updated");
    let ended = fresh.store().await.finish_deletions().await.expect("done");
    assert_eq!(ended, u64::from(MANY) - 400);
    assert_eq!((count_members(&fresh).await, all(&fresh, "tombstones").await), (0, vec![]));
    for user in all(&fresh, "users").await {
        assert_eq!(user.get("version"), Some(&Bson::from(2)), "once: {user}");
        assert_eq!(user.get_array("memberships").expect("there").len(), 1);
    }
    assert_eq!(store.finish_deletions().await.expect("done"), 0);
}

/// Users that cannot be read are in nobody's way, in both ways of a deletion.
#[tokio::test]
async fn odd_members_end_as_well() {
    let odd = |n: u32, field: &str, value: Bson| {
        let mut user = member(n);
        user.insert(field, value);
        user
    };
    let place = |tenant: Bson| doc! { "tenantId": tenant, "role": "member" };
    let (one, two) = (Bson::from(oid(1)), Bson::from(oid(2)));
    let odd = vec![
        odd(2_000, "memberships", place(one.clone()).into()),
        odd(2_001, "memberships", vec![place(vec![one.clone(), two].into())].into()),
        odd(2_002, "memberships", vec![place(one.clone()), place(one.clone())].into()),
        odd(2_003, "memberships", vec![Bson::from(5), Bson::Null, place(one).into()].into()),
        odd(2_004, "version", "one".into()),
        odd(2_005, "version", 3_i64.into()),
        odd(2_006, "groupsAsOf", 0.into()),
        odd(2_007, "groupsAsOf", date(99).into()),
    ];
    for others in [0, MANY] {
        let members = (0..others).map(member).chain(odd.clone()).collect();
        let fresh = filled(members).await;
        let store = fresh.store().await;
        store.commit(&delete()).await.expect("committed");
        store.finish_deletions().await.expect("done");
        assert_eq!(count_members(&fresh).await, 0);
        assert_eq!(all(&fresh, "tombstones").await, Vec::<Document>::new());
        let users = all(&fresh, "users").await;
        let of = |n: u32| users.iter().find(|user| user.get("_id") == Some(&oid(n).into()));
        let of = |n, field: &str| of(n).expect("there").get(field).expect("there").clone();
        assert_eq!(of(2_004, "version"), "one".into());
        assert_eq!(of(2_005, "version"), 4_i64.into());
        assert_eq!(of(2_006, "groupsAsOf"), date(60).into());
        assert_eq!(of(2_007, "groupsAsOf"), date(99).into());
    }
}

/// A mark that a hand has spoiled stops no other.
#[tokio::test]
async fn a_broken_mark_is_left_alone() {
    let fresh = filled((0..MANY).map(member).collect()).await;
    let store = fresh.store().await;
    store.commit(&delete()).await.expect("committed");
    let broken = [
        doc! { "_id": oid(0), "tenantId": oid(0) },
        doc! { "_id": oid(3), "tenantId": oid(3), "deletedAt": "now", "groupsAsOf": date(1) },
        doc! { "_id": oid(4), "tenantId": "acme" },
    ];
    fresh.insert("tombstones", broken.to_vec()).await;
    assert_eq!(store.finish_deletions().await.expect("done"), u64::from(MANY));
    assert_eq!(all(&fresh, "tombstones").await, broken);
}
