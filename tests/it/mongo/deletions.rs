//! Deletion of tenants with more members than one transaction can remove.

use futures_util::TryStreamExt;
use mongodb::bson::{Bson, Document, doc};
use tenantry::{
    domain::{change::Change, live::ChangedEntity, user::Identity},
    store::Store,
};

use super::*;
use crate::support::mongod::{FreshDatabase, ISSUER};

const MANY: u32 = 1_001;

fn delete() -> [Change; 1] {
    [Change::DeleteTenant { id: id(1), expected: 1, at: time(50), watermark: time(60) }]
}

fn member(n: u32) -> Document {
    doc! {
        "_id": oid(n), "subject": format!("u-{n}"), "issuer": ISSUER, "name": "U",
        "memberships": [{ "tenantId": oid(1), "role": "member" }, { "tenantId": oid(2), "role": "member" }],
    }
}

async fn filled(members: Vec<Document>) -> FreshDatabase {
    let fresh = FreshDatabase::new().await;
    fresh.prepared().await;
    fresh.insert("tenants", vec![doc! { "_id": oid(1), "slug": "acme", "name": "Acme" }]).await;
    fresh.insert("users", members).await;
    fresh
}

/// Returns all documents of a collection in the order of their identifiers.
async fn all_documents(fresh: &FreshDatabase, collection: &str) -> Vec<Document> {
    let collection = fresh.database.collection::<Document>(collection);
    let cursor = collection.find(doc! {}).sort(doc! { "_id": 1 }).await.expect("read succeeds");
    cursor.try_collect().await.expect("cursor is readable")
}

/// Returns the number of users that are still members of the deleted tenant.
async fn count_members(fresh: &FreshDatabase) -> u64 {
    let users = fresh.database.collection::<Document>("users");
    users.count_documents(doc! { "memberships.tenantId": oid(1) }).await.expect("count succeeds")
}

#[tokio::test]
async fn deletion_marker_remains_until_cleanup_is_complete() {
    let fresh = filled((0..MANY).map(member).collect()).await;
    let store = fresh.store().await;
    store.commit(&delete()).await.expect("commit succeeds");
    let marker = doc! {
        "_id": oid(1), "tenantId": oid(1), "deletedAt": date(50), "groupsAsOf": date(60),
    };
    assert_eq!(all_documents(&fresh, "tombstones").await, [marker]);
    assert_eq!(count_members(&fresh).await, u64::from(MANY), "no membership is removed yet");
    // The marker is not a tombstone of a user, not even of an empty identity.
    let empty_identity = Identity { issuer: String::new(), subject: String::new() };
    assert_eq!(store.tombstone(&empty_identity).await.expect("read succeeds"), None);
    let delete_tombstones = Change::DeleteTombstones { identity: empty_identity, expected: None };
    store.commit(&[delete_tombstones]).await.expect("commit succeeds");

    // A cleanup was interrupted: another instance has already removed some memberships.
    let users = fresh.database.collection::<Document>("users");
    let first_members = doc! { "_id": { "$lt": oid(400) } };
    let remove =
        doc! { "$pull": { "memberships": { "tenantId": oid(1) } }, "$set": { "version": 2 } };
    users.update_many(first_members, remove).await.expect("update succeeds");
    let removed = fresh.store().await.finish_deletions().await.expect("cleanup succeeds");
    assert_eq!(removed, u64::from(MANY) - 400);
    assert_eq!(
        (count_members(&fresh).await, all_documents(&fresh, "tombstones").await),
        (0, vec![])
    );
    for user in all_documents(&fresh, "users").await {
        assert_eq!(user.get("version"), Some(&Bson::from(2)), "each user is updated once: {user}");
        assert_eq!(user.get_array("memberships").expect("present").len(), 1);
    }
    assert_eq!(store.finish_deletions().await.expect("cleanup succeeds"), 0);
}

/// The feed names each former member once, also those whose memberships are removed after the commit.
#[tokio::test]
async fn each_former_member_is_reported_once() {
    for members in [2, MANY] {
        let fresh = filled((0..members).map(member).collect()).await;
        let store = fresh.store().await;
        let mut feed = store.watch(None).await.expect("a feed");
        store.commit(&delete()).await.expect("commit succeeds");
        store.finish_deletions().await.expect("cleanup succeeds");
        let mut former = Vec::new();
        while former.len() < members as usize {
            let events = feed.next().await.expect("a feed");
            former.extend(events.into_iter().filter_map(|event| match event.entity {
                ChangedEntity::FormerMember(user, tenant) => Some((user, tenant)),
                _ => None,
            }));
        }
        former.sort_unstable();
        let expected: Vec<_> = (0..members).map(|n| (Some(id(n)), id(1))).collect();
        assert_eq!(former, expected);
        assert_eq!(feed.next().await.expect("a feed"), [], "nothing is repeated");
    }
}

/// Unreadable users do not block a deletion, with or without a cleanup after the transaction.
#[tokio::test]
async fn unreadable_members_are_removed_as_well() {
    let with_field = |n: u32, field: &str, value: Bson| {
        let mut user = member(n);
        user.insert(field, value);
        user
    };
    let membership = |tenant: Bson| doc! { "tenantId": tenant, "role": "member" };
    let (one, two) = (Bson::from(oid(1)), Bson::from(oid(2)));
    let unreadable = vec![
        with_field(2_000, "memberships", membership(one.clone()).into()),
        with_field(2_001, "memberships", vec![membership(vec![one.clone(), two].into())].into()),
        with_field(
            2_002,
            "memberships",
            vec![membership(one.clone()), membership(one.clone())].into(),
        ),
        with_field(
            2_003,
            "memberships",
            vec![Bson::from(5), Bson::Null, membership(one).into()].into(),
        ),
        with_field(2_004, "version", "one".into()),
        with_field(2_005, "version", 3_i64.into()),
        with_field(2_006, "groupsAsOf", 0.into()),
        with_field(2_007, "groupsAsOf", date(99).into()),
        with_field(2_008, "version", i64::MAX.into()),
        with_field(2_009, "version", i64::from(i32::MAX).into()),
    ];
    for others in [0, MANY] {
        let members = (0..others).map(member).chain(unreadable.clone()).collect();
        let fresh = filled(members).await;
        let store = fresh.store().await;
        store.commit(&delete()).await.expect("commit succeeds");
        store.finish_deletions().await.expect("cleanup succeeds");
        assert_eq!(count_members(&fresh).await, 0);
        assert_eq!(all_documents(&fresh, "tombstones").await, Vec::<Document>::new());
        let users = all_documents(&fresh, "users").await;
        let find = |n: u32| users.iter().find(|user| user.get("_id") == Some(&oid(n).into()));
        let field_of =
            |n, field: &str| find(n).expect("present").get(field).expect("present").clone();
        assert_eq!(field_of(2_004, "version"), "one".into());
        assert_eq!(field_of(2_005, "version"), 4_i64.into());
        assert_eq!(field_of(2_008, "version"), i64::MAX.into());
        assert_eq!(field_of(2_009, "version"), 1.into());
        assert_eq!(field_of(2_006, "groupsAsOf"), date(60).into());
        assert_eq!(field_of(2_007, "groupsAsOf"), date(99).into());
    }
}

/// An unreadable marker document does not block other deletions, and the store keeps it.
#[tokio::test]
async fn unreadable_deletion_marker_is_ignored() {
    let fresh = filled((0..MANY).map(member).collect()).await;
    let store = fresh.store().await;
    store.commit(&delete()).await.expect("commit succeeds");
    let unreadable = [
        doc! { "_id": oid(0), "tenantId": oid(0) },
        doc! { "_id": oid(3), "tenantId": oid(3), "deletedAt": "now", "groupsAsOf": date(1) },
        doc! { "_id": oid(4), "tenantId": "acme" },
    ];
    fresh.insert("tombstones", unreadable.to_vec()).await;
    assert_eq!(store.finish_deletions().await.expect("cleanup succeeds"), u64::from(MANY));
    assert_eq!(all_documents(&fresh, "tombstones").await, unreadable);
}
