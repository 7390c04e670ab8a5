//! Determines the shards that each command of the store would target in a sharded cluster: the
//! shards of the shard key values in its filter, or all shards. The commands are real ones that the
//! profiler recorded.

use futures_util::TryStreamExt;
use mongodb::bson::{Bson, Document, doc};
use tenantry::{
    domain::{
        audit::{ActorKind, AuditEvent},
        change::{Change, UserVersion},
        id::AuditEventId,
        idempotency::{Claim, Heartbeat, IdempotencyKeyHash, RightsDigest, RunOutcome},
        list::{
            AuditFilter, Direction, Listing, MemberFilter, Order, PageEdge, PageRequest,
            SubscriptionFilter, SubscriptionOrderField, TenantFilter, TenantOrderField,
            TenantScope, UserFilter, UserOrderField,
        },
        subscription::{TenantSubscription, TenantSubscriptionStatus},
        user::{Identity, Tombstone, User},
    },
    store::{Store, SubscriptionKeys, TenantKeys, UserKeys},
};

use super::*;
use crate::support::{
    entities::{tenant, user},
    generated_docs,
    mongod::{FreshDatabase, ISSUER},
};

/// The collections to shard and their shard keys, as `docs/OPERATIONS.md` lists them.
const SHARD_KEYS: &[(&str, &[&str])] = &[
    ("users", &["subject", "issuer"]),
    ("subscriptions", &["tenantId"]),
    ("auditEvents", &["_id"]),
    ("requests", &["_id"]),
];

fn shard_key(collection: &str) -> Option<&'static [&'static str]> {
    SHARD_KEYS.iter().find(|(name, _)| *name == collection).map(|(_, key)| *key)
}

/// Returns whether a filter restricts a field to specific values.
fn restricts_to_values(filter: &Document, field: &str) -> bool {
    filter.iter().any(|(name, value)| match (name.as_str(), value) {
        ("$and", Bson::Array(all)) => all
            .iter()
            .filter_map(Bson::as_document)
            .any(|filter| restricts_to_values(filter, field)),
        (name, Bson::Document(value)) if name == field => {
            value.keys().all(|operator| operator == "$in" || !operator.starts_with('$'))
        }
        (name, _) => name == field,
    })
}

/// Returns the shards that a profiled command targets.
fn targeted_shards(command: &Document, collection: &str, op: &str) -> &'static str {
    let Some(key) = shard_key(collection) else { return "one (not sharded)" };
    if op == "insert" {
        return "one";
    }
    let filter = ["filter", "q", "query"].iter().find_map(|name| command.get_document(name).ok());
    let first = command.get_array("pipeline").ok().and_then(|pipeline| pipeline.first());
    let first = first.and_then(|stage| stage.as_document()?.get_document("$match").ok());
    let filter = filter.or(first).unwrap_or_else(|| panic!("no filter in {command}"));
    match restricts_to_values(filter, key[0]) {
        true => "by shard key",
        false => "all",
    }
}

/// Returns the commands since the last call, each with the shards it targets.
async fn profiled(fresh: &FreshDatabase) -> Vec<(String, String)> {
    fresh.database.run_command(doc! { "profile": 0 }).await.expect("profiler stops");
    let profile = fresh.database.collection::<Document>("system.profile");
    let filter = doc! {
        "ns": { "$ne": format!("{}.system.profile", fresh.database.name()) },
        "op": { "$in": ["query", "command", "insert", "update", "remove", "getmore"] },
        "command.profile": { "$exists": false },
    };
    let cursor = profile.find(filter).sort(doc! { "ts": 1 }).await.expect("profile is readable");
    let documents: Vec<Document> = cursor.try_collect().await.expect("cursor is readable");
    profile.drop().await.expect("drop succeeds");
    fresh.database.run_command(doc! { "profile": 2 }).await.expect("profiler starts");
    let line = |document: &Document| {
        let collection = document.get_str("ns").ok()?.split_once('.')?.1.to_owned();
        if collection == "$cmd" {
            return None;
        }
        let (op, command) = (document.get_str("op").ok()?, document.get_document("command").ok()?);
        let name = match op {
            "query" | "command" => command.keys().next()?.as_str(),
            "remove" => "delete",
            op => op,
        };
        let joins_users = format!("{command}").contains("$lookup");
        let shards = if joins_users {
            "all (joins users)"
        } else {
            targeted_shards(command, &collection, op)
        };
        Some((format!("{name} {collection}"), shards.to_owned()))
    };
    let mut lines: Vec<_> = documents.iter().filter_map(line).collect();
    lines.dedup();
    lines
}

/// The rows of the table in `docs/OPERATIONS.md`.
struct Rows {
    fresh: FreshDatabase,
    lines: Vec<Vec<String>>,
}

impl Rows {
    /// Adds the commands since the last call under the given operation.
    async fn add(&mut self, operation: &str) {
        let mut operation = operation;
        let commands = profiled(&self.fresh).await;
        assert!(!commands.is_empty(), "{operation} sent no command");
        for (command, shards) in commands {
            self.lines.push(vec![operation.to_owned(), format!("`{command}`"), shards]);
            operation = "";
        }
    }
}

fn order<F>(field: F) -> Order<F> {
    Order { field, direction: Direction::Desc }
}

#[tokio::test]
async fn targeted_shards_are_documented() {
    let fresh = FreshDatabase::new().await;
    let store = fresh.prepared().await;
    let head = ["operation", "command", "shards"].map(str::to_owned).to_vec();
    let mut rows = Rows { fresh, lines: vec![head] };
    let page_request = PageRequest { size: 10, edge: PageEdge::First, after: None, before: None };
    let everything = || TenantScope::Everything;
    let own = || TenantScope::Tenants(vec![id(1), id(2)]);
    let identity = Identity { issuer: ISSUER.to_owned(), subject: "ada".to_owned() };
    let (acme, ada): (_, User) = (tenant(1), user(1));
    let key = IdempotencyKeyHash([1; 32]);
    profiled(&rows.fresh).await;

    store.users(UserKeys::Identity(&identity)).await.expect("read succeeds");
    rows.add("the viewer of a request").await;
    store.tenants(TenantKeys::Ids(&[id(1), id(2)])).await.expect("read succeeds");
    rows.add("tenants by identifier or slug").await;
    store
        .subscriptions(SubscriptionKeys::LiveOfTenants(&[id(1), id(2)]))
        .await
        .expect("read succeeds");
    rows.add("the subscriptions of tenants").await;
    store
        .member_pages(&[id(1)], &MemberFilter { role: None }, &page_request)
        .await
        .expect("read succeeds");
    rows.add("the members of tenants").await;
    store.count_members(&[id(1)], &MemberFilter { role: None }).await.expect("read succeeds");
    rows.add("the number of members").await;
    store.users(UserKeys::Ids(&[id(1), id(2)])).await.expect("read succeeds");
    rows.add("users by identifier").await;
    store.subscriptions(SubscriptionKeys::Ids(&[id(1)])).await.expect("read succeeds");
    rows.add("subscriptions by identifier").await;
    store.audit_events(&[id(1)]).await.expect("read succeeds");
    rows.add("audit events by identifier").await;
    let listing = Listing {
        scope: own(),
        filter: TenantFilter::default(),
        order: order(TenantOrderField::CreatedAt).into(),
    };
    store.tenant_page(&listing, &page_request).await.expect("read succeeds");
    rows.add("a list of tenants").await;
    let subscriptions = |scope| Listing {
        scope,
        filter: SubscriptionFilter::default(),
        order: order(SubscriptionOrderField::CreatedAt),
    };
    store.subscription_page(&subscriptions(own()), &page_request).await.expect("read succeeds");
    rows.add("a member's list of subscriptions").await;
    store
        .subscription_page(&subscriptions(everything()), &page_request)
        .await
        .expect("read succeeds");
    rows.add("a platform admin's list of subscriptions").await;
    let users = Listing {
        scope: everything(),
        filter: UserFilter::default(),
        order: order(UserOrderField::CreatedAt).into(),
    };
    store.user_page(&users, &page_request).await.expect("read succeeds");
    rows.add("a list of users").await;
    let audit_filter = AuditFilter { tenant: Some(id(1)), ..AuditFilter::default() };
    store.audit_page(&audit_filter, &page_request).await.expect("read succeeds");
    rows.add("an audit log of a tenant").await;
    store.tombstone(&identity).await.expect("read succeeds");
    rows.add("the tombstone of an identity").await;

    let event = |n: u32| AuditEvent {
        id: AuditEventId::new(id::<AuditEvent>(n).raw),
        at: time(1),
        action: "a.b".to_owned(),
        actor_kind: ActorKind::System,
        actor: None,
        tenants: Vec::new(),
        target: None,
        changes: Vec::new(),
        request_id: None,
    };
    let live = TenantSubscription {
        status: TenantSubscriptionStatus::Active,
        ..TenantSubscription::new_trial(&acme, id(1), time(1))
    };
    let create_tenant = [
        Change::InsertTenant(acme.clone()),
        Change::InsertSubscription(live.clone()),
        Change::InsertAuditEvent(event(1)),
    ];
    store.commit(&create_tenant).await.expect("commit succeeds");
    rows.add("`createTenant`").await;
    let update_tenant = [
        Change::UpdateTenant { expected: acme.version, tenant: acme.clone() },
        Change::InsertAuditEvent(event(2)),
    ];
    store.commit(&update_tenant).await.expect("commit succeeds");
    rows.add("`updateTenant`").await;
    store
        .commit(&[Change::InsertUser(ada.clone()), Change::InsertAuditEvent(event(3))])
        .await
        .expect("commit succeeds");
    rows.add("a user is created").await;
    let expected = UserVersion::from(&ada);
    let update_member = [
        Change::LockTenant { id: acme.id, expected: acme.version },
        Change::UpdateUser { expected, user: ada.clone() },
        Change::InsertAuditEvent(event(4)),
    ];
    store.commit(&update_member).await.expect("commit succeeds");
    rows.add("a member is added or changed").await;
    let update_subscription = [
        Change::UpdateSubscription { expected: live.version, subscription: live.clone() },
        Change::InsertAuditEvent(event(5)),
    ];
    store.commit(&update_subscription).await.expect("commit succeeds");
    rows.add("`updateSubscription`").await;
    let delete_user = [
        Change::DeleteUser { id: ada.id, expected },
        Change::InsertTombstone(Tombstone { identity, deleted_at: time(5) }),
        Change::InsertAuditEvent(event(6)),
    ];
    store.commit(&delete_user).await.expect("commit succeeds");
    rows.add("`deleteUser`").await;
    let delete_tenant = Change::DeleteTenant {
        id: acme.id,
        expected: acme.version,
        at: time(9),
        watermark: time(9),
    };
    store
        .commit(&[delete_tenant, Change::InsertAuditEvent(event(7))])
        .await
        .expect("commit succeeds");
    rows.add("`deleteTenant`").await;
    let claim = Claim {
        key,
        fingerprint: [1; 32],
        run_id: id::<User>(9).raw,
        process: id::<User>(8).raw,
        user: Some(id(9)),
        rights: RightsDigest([2; 32]),
        lost_run: None,
        now: time(1),
    };
    store.claim_request(&claim).await.expect("claim succeeds");
    rows.add("a request with an `Idempotency-Key`").await;
    store
        .complete_request(key, claim.run_id, &RunOutcome::Abandoned)
        .await
        .expect("completion succeeds");
    rows.add("the completion of that request").await;
    let heartbeat = Heartbeat { process: claim.process, runs: vec![claim.run_id], now: time(1) };
    store.record_heartbeat(&heartbeat).await.expect("a heartbeat");
    rows.add("a heartbeat of a process").await;
    store.count_heartbeats(claim.process, claim.run_id).await.expect("read succeeds");
    rows.add("a repeat during that request").await;

    generated_docs::assert_block(
        "docs/OPERATIONS.md",
        "shards",
        &format!("\n{}\n", generated_docs::markdown_table(&rows.lines)),
    );
}

/// A unique index of a sharded collection must begin with the shard key.
#[tokio::test]
async fn unique_indexes_begin_with_the_shard_key() {
    let fresh = FreshDatabase::new().await;
    fresh.prepared().await;
    for (collection, key) in SHARD_KEYS {
        let collection = fresh.database.collection::<Document>(collection);
        let indexes: Vec<_> = collection
            .list_indexes()
            .await
            .expect("indexes are listed")
            .try_collect()
            .await
            .expect("cursor is readable");
        for index in indexes {
            let is_unique = index.options.as_ref().is_some_and(|o| o.unique == Some(true));
            let has_prefix =
                index.keys.keys().map(String::as_str).zip(*key).all(|(field, key)| field == *key);
            assert!(!is_unique || has_prefix, "{}: {index:?}", collection.name());
        }
    }
}
