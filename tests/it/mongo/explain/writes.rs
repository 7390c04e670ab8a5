//! Commits, claims of idempotency keys and cleanups.

use tenantry::{
    domain::{
        change::{Change, UserVersion},
        idempotency::{
            Claim, CompletedMutation, Heartbeat, IdempotencyKeyHash, KEY_TTL, RightsDigest,
            RunOutcome, StoredResponse,
        },
        user::Identity,
    },
    store::{CommitError, Store, SubscriptionKeys, TenantKeys, UserKeys},
};

use super::*;

/// Asserts that the store has sent `expected` commands with a query plan since the last call, that
/// all of them use an index without sorting, and that none examined more than `max_examined`
/// documents.
pub(super) async fn assert_indexed_commands(
    fresh: &FreshDatabase,
    query: &str,
    expected: usize,
    max_examined: i32,
) {
    let commands = profiled(fresh).await;
    let plans: Vec<_> = commands
        .iter()
        .filter_map(|command| Some((command.get_str("planSummary").ok()?, command)))
        .collect();
    assert_eq!(plans.len(), expected, "{query}: {plans:#?}");
    for (plan, command) in plans {
        assert!(!plan.contains("COLLSCAN"), "{query}: {plan}: {command}");
        let sorts = command.get_bool("hasSortStage").unwrap_or(false);
        assert!(!sorts, "{query} sorts: {plan}: {command}");
        let examined = command.get_i32("docsExamined").unwrap_or_default();
        assert!(examined <= max_examined, "{query}: {examined} documents: {plan}: {command}");
    }
}

fn user_version(version: i32) -> UserVersion {
    UserVersion { version, groups_as_of: None }
}

/// Every change that queries documents examines only the documents it concerns.
#[tokio::test]
async fn changes_examine_only_their_documents() {
    let fresh = filled().await;
    let store = fresh.store().await;
    let mut tenants = store.tenants(TenantKeys::Ids(&[id(3)])).await.expect("read succeeds");
    let tenant = tenants.pop().expect("present").expect("readable");
    let subscriptions = SubscriptionKeys::Ids(&[id(3)]);
    let mut subscriptions = store.subscriptions(subscriptions).await.expect("read succeeds");
    let subscription = subscriptions.pop().expect("present").expect("readable");
    let mut users = store.users(UserKeys::Ids(&[id(3)])).await.expect("read succeeds");
    let user = users.pop().expect("present").expect("readable");
    let identity = Identity { issuer: ISSUER.to_owned(), subject: "u-7".to_owned() };
    let lock = Change::LockTenant { id: id(4), expected: 1 };
    profiled(&fresh).await;
    let delete =
        |n| Change::DeleteTenant { id: id(n), expected: 1, at: time(1), watermark: time(2) };
    let updated = |version| tenantry::domain::tenant::Tenant { version, ..tenant.clone() };
    for (change, commands) in [
        (Change::UpdateTenant { expected: 1, tenant: updated(2) }, 1),
        (Change::UpdateTenant { expected: 2, tenant: updated(3) }, 1),
        (lock.clone(), 1),
        (Change::UpdateSubscription { expected: 1, subscription }, 1),
        (Change::DeleteSubscription { id: id(3), expected: 1 }, 1),
        (Change::RequireNoLiveSubscription(id(3)), 1),
        (Change::UpdateUser { expected: user_version(1), user: user.clone() }, 1),
        (Change::TouchLastSeen { id: id(3), at: time(9) }, 1),
        (Change::DeleteUser { id: id(3), expected: user_version(1) }, 2),
        (Change::DeleteTombstones { identity: identity.clone(), expected: Some(time(1)) }, 2),
        (Change::DeleteTombstones { identity, expected: None }, 1),
        (Change::InsertUser(user), 1),
        // Deletes the tenant, its search keys, its subscriptions and its invitations, counts and removes its
        // members, looks for a marker document, and looks for late memberships.
        (delete(10), 8),
    ] {
        let query = format!("{change:?}");
        // A second change makes the commit a transaction.
        let result = store.commit(&[change, lock.clone()]).await;
        result.unwrap_or_else(|error| panic!("{query}: {error}"));
        assert_indexed_commands(&fresh, &query, commands + 1, 9).await;
    }
}

/// The store finds out whether a tenant has an owner without examining all its members.
#[tokio::test]
async fn owner_check_does_not_examine_all_members() {
    let fresh = filled().await;
    let store = fresh.store().await;
    let member = |n: u32, role: &str| {
        let here = doc! { "tenantId": oid(1_000), "role": role };
        // Some members own another tenant, and they sort before the owner of this one.
        let other = doc! { "tenantId": oid(n), "role": if n < 20 { "owner" } else { "member" } };
        doc! {
            "_id": oid(1_000 + n), "subject": format!("m-{n}"), "name": "M",
            "memberships": [here, other],
        }
    };
    fresh.insert("users", (0..500).map(|n| member(n, "member")).collect()).await;
    profiled(&fresh).await;
    let result = store.commit(&[Change::RequireOwner(id(1_000))]).await;
    assert!(matches!(result, Err(CommitError::LastOwner)), "{result:?}");
    assert_indexed_commands(&fresh, "no owner", 1, 25).await;
    fresh.insert("users", vec![member(600, "owner")]).await;
    profiled(&fresh).await;
    store.commit(&[Change::RequireOwner(id(1_000))]).await.expect("the tenant has an owner");
    assert_indexed_commands(&fresh, "an owner", 1, 25).await;
}

#[tokio::test]
async fn idempotency_records_use_indexes() {
    let fresh = filled().await;
    let store = fresh.store().await;
    let claim = |n: u8, at| Claim {
        key: IdempotencyKeyHash([n; 32]),
        fingerprint: [1; 32],
        run_id: raw_id(1),
        process: raw_id(2),
        user: Some(id(1)),
        rights: RightsDigest([2; 32]),
        lost_run: None,
        now: time(at),
    };
    for n in 0..100 {
        store.claim_request(&claim(n, 0)).await.expect("claim succeeds");
    }
    profiled(&fresh).await;
    let expiry = KEY_TTL.as_secs().cast_signed();
    for (now, commands) in [(1, 2), (expiry, 3)] {
        store
            .claim_request(&claim(200 + u8::try_from(commands).expect("in range"), now))
            .await
            .expect("claim succeeds");
        // The commands are the claim, the search for expired records, and their deletion.
        assert_indexed_commands(&fresh, "claim", commands, 8).await;
    }
    let key = IdempotencyKeyHash([202; 32]);
    let step = CompletedMutation { root_field_index: 0, ids: Vec::new() };
    store
        .commit(&[Change::RecordIdempotentStep { key, run_id: raw_id(1), step }])
        .await
        .expect("commit succeeds");
    assert_indexed_commands(&fresh, "record step", 1, 1).await;
    let heartbeat = Heartbeat { process: raw_id(2), runs: vec![raw_id(1)], now: time(1) };
    for count in 1..3 {
        store.record_heartbeat(&heartbeat).await.expect("a heartbeat");
        assert_indexed_commands(&fresh, "heartbeat", 1, 1).await;
        let found = store.count_heartbeats(raw_id(2), raw_id(1)).await.expect("read succeeds");
        assert_eq!(found, Some(count));
        assert_indexed_commands(&fresh, "count heartbeats", 1, 1).await;
    }
    let response = StoredResponse { body: "a".to_owned(), rights: RightsDigest([2; 32]) };
    for (outcome, commands) in [(RunOutcome::Abandoned, 2), (RunOutcome::Completed(response), 1)] {
        store.complete_request(key, raw_id(1), &outcome).await.expect("completion succeeds");
        assert_indexed_commands(&fresh, "complete", commands, 1).await;
    }
}

#[tokio::test]
async fn tenant_cleanup_uses_indexes() {
    let fresh = filled().await;
    let store = fresh.store().await;
    let member = |n: u32| {
        let here = doc! { "tenantId": oid(1_000), "role": "member" };
        doc! { "_id": oid(1_000 + n), "subject": format!("m-{n}"), "name": "M", "memberships": [here] }
    };
    fresh.insert("tenants", vec![doc! { "_id": oid(1_000), "slug": "many", "name": "Many" }]).await;
    fresh.insert("users", (0..1_100).map(member).collect()).await;
    profiled(&fresh).await;
    let delete =
        Change::DeleteTenant { id: id(1_000), expected: 1, at: time(1), watermark: time(2) };
    store.commit(&[delete]).await.expect("commit succeeds");
    // The members are counted from the index alone, up to the limit of a transaction. Then the
    // marker document is looked up.
    assert_indexed_commands(&fresh, "delete", 6, 1_001).await;
    assert_eq!(store.finish_deletions().await.expect("cleanup succeeds"), 1_100);
    // Two lookups of marker documents, three of members, two removals of memberships, and the
    // removal of the marker.
    assert_indexed_commands(&fresh, "finish", 8, 1_000).await;
}
