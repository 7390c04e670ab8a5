//! Where each command of the store would go in a sharded cluster: to the shards that its filter
//! names by the shard key, or to all of them. Read off real commands, as the profiler saw them.

use futures_util::TryStreamExt;
use mongodb::bson::{Bson, Document, doc};
use tenantry::{
    domain::{
        audit::{ActorKind, AuditEvent},
        change::{Change, UserVersion},
        id::AuditEventId,
        idempotency::{Claim, IdempotencyKeyHash, RunOutcome},
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
    mongod::{Fresh, ISSUER},
};

/// The shard key of each collection that is to be sharded, as `docs/OPERATIONS.md` has it.
const SHARDED: &[(&str, &[&str])] = &[
    ("users", &["subject", "issuer"]),
    ("subscriptions", &["tenantId"]),
    ("auditEvents", &["_id"]),
    ("requests", &["_id"]),
];

fn shard_key(collection: &str) -> Option<&'static [&'static str]> {
    SHARDED.iter().find(|(name, _)| *name == collection).map(|(_, key)| *key)
}

/// Whether a filter says which values of a field it looks for.
fn pins(filter: &Document, field: &str) -> bool {
    filter.iter().any(|(name, value)| match (name.as_str(), value) {
        ("$and", Bson::Array(all)) => {
            all.iter().filter_map(Bson::as_document).any(|filter| pins(filter, field))
        }
        (name, Bson::Document(value)) if name == field => {
            value.keys().all(|operator| operator == "$in" || !operator.starts_with('$'))
        }
        (name, _) => name == field,
    })
}

/// Where a profiled command goes.
fn goes(command: &Document, collection: &str, op: &str) -> &'static str {
    let Some(key) = shard_key(collection) else { return "one: it is not sharded" };
    if op == "insert" {
        return "one";
    }
    let filter = ["filter", "q", "query"].iter().find_map(|name| command.get_document(name).ok());
    let first = command.get_array("pipeline").ok().and_then(|pipeline| pipeline.first());
    let first = first.and_then(|stage| stage.as_document()?.get_document("$match").ok());
    let filter = filter.or(first).unwrap_or_else(|| panic!("no filter in {command}"));
    match pins(filter, key[0]) {
        true => "those of the keys",
        false => "all",
    }
}

/// The commands since the last look: what they are, and where they go.
async fn seen(fresh: &Fresh) -> Vec<(String, String)> {
    fresh.database.run_command(doc! { "profile": 0 }).await.expect("off");
    let profile = fresh.database.collection::<Document>("system.profile");
    let of_data = doc! {
        "ns": { "$ne": format!("{}.system.profile", fresh.database.name()) },
        "op": { "$in": ["query", "command", "insert", "update", "remove", "getmore"] },
        "command.profile": { "$exists": false },
    };
    let found = profile.find(of_data).sort(doc! { "ts": 1 }).await.expect("the profile");
    let documents: Vec<Document> = found.try_collect().await.expect("all");
    profile.drop().await.expect("dropped");
    fresh.database.run_command(doc! { "profile": 2 }).await.expect("on");
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
        let joins = format!("{command}").contains("$lookup");
        let goes = if joins { "all: it joins users" } else { goes(command, &collection, op) };
        Some((format!("{name} {collection}"), goes.to_owned()))
    };
    let mut lines: Vec<_> = documents.iter().filter_map(line).collect();
    lines.dedup();
    lines
}

struct Rows {
    fresh: Fresh,
    lines: Vec<Vec<String>>,
}

impl Rows {
    /// What was asked since the last look was this.
    async fn row(&mut self, what: &str) {
        let mut what = what;
        let seen = seen(&self.fresh).await;
        assert!(!seen.is_empty(), "nothing was asked for {what}");
        for (command, goes) in seen {
            self.lines.push(vec![what.to_owned(), format!("`{command}`"), goes]);
            what = "";
        }
    }
}

fn order<F>(field: F) -> Order<F> {
    Order { field, direction: Direction::Desc }
}

#[tokio::test]
async fn where_commands_go() {
    let fresh = Fresh::new().await;
    let store = fresh.prepared().await;
    let head = ["what", "command", "shards"].map(str::to_owned).to_vec();
    let mut rows = Rows { fresh, lines: vec![head] };
    let window = PageRequest { size: 10, edge: PageEdge::First, after: None, before: None };
    let scope = || TenantScope::Everything;
    let own = || TenantScope::Tenants(vec![id(1), id(2)]);
    let identity = Identity { issuer: ISSUER.to_owned(), subject: "ada".to_owned() };
    let (one, ada): (_, User) = (tenant(1), user(1));
    let key = IdempotencyKeyHash([1; 32]);
    seen(&rows.fresh).await;

    store.users(UserKeys::Identity(&identity)).await.expect("read");
    rows.row("the actor of a request").await;
    store.tenants(TenantKeys::Ids(&[id(1), id(2)])).await.expect("read");
    rows.row("tenants by identifier or slug").await;
    store.subscriptions(SubscriptionKeys::LiveOfTenants(&[id(1), id(2)])).await.expect("read");
    rows.row("the subscriptions of tenants").await;
    store.member_pages(&[id(1)], &MemberFilter { role: None }, &window).await.expect("read");
    rows.row("the members of tenants").await;
    store.count_members(&[id(1)], &MemberFilter { role: None }).await.expect("read");
    rows.row("their number").await;
    store.users(UserKeys::Ids(&[id(1), id(2)])).await.expect("read");
    rows.row("users by identifier").await;
    store.subscriptions(SubscriptionKeys::Ids(&[id(1)])).await.expect("read");
    rows.row("subscriptions by identifier").await;
    store.audit_events(&[id(1)]).await.expect("read");
    rows.row("events by identifier").await;
    let listing = Listing {
        scope: own(),
        filter: TenantFilter::default(),
        order: order(TenantOrderField::CreatedAt),
    };
    store.tenant_page(&listing, &window).await.expect("read");
    rows.row("a list of tenants").await;
    let subscriptions = |scope| Listing {
        scope,
        filter: SubscriptionFilter::default(),
        order: order(SubscriptionOrderField::CreatedAt),
    };
    store.subscription_page(&subscriptions(own()), &window).await.expect("read");
    rows.row("a member's list of subscriptions").await;
    store.subscription_page(&subscriptions(scope()), &window).await.expect("read");
    rows.row("a platform admin's list of subscriptions").await;
    let users = Listing {
        scope: scope(),
        filter: UserFilter::default(),
        order: order(UserOrderField::CreatedAt),
    };
    store.user_page(&users, &window).await.expect("read");
    rows.row("a list of users").await;
    let history = AuditFilter { tenant: Some(id(1)), ..AuditFilter::default() };
    store.audit_page(&history, &window).await.expect("read");
    rows.row("a history").await;
    store.tombstone(&identity).await.expect("read");
    rows.row("whether somebody was deleted").await;

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
        ..TenantSubscription::new_trial(&one, id(1), time(1))
    };
    let made = [
        Change::InsertTenant(one.clone()),
        Change::InsertSubscription(live.clone()),
        Change::InsertAuditEvent(event(1)),
    ];
    store.commit(&made).await.expect("committed");
    rows.row("`createTenant`").await;
    let changed = [
        Change::UpdateTenant { was: one.version, tenant: one.clone() },
        Change::InsertAuditEvent(event(2)),
    ];
    store.commit(&changed).await.expect("committed");
    rows.row("`updateTenant`").await;
    store
        .commit(&[Change::InsertUser(ada.clone()), Change::InsertAuditEvent(event(3))])
        .await
        .expect("made");
    rows.row("a user is made").await;
    let was = UserVersion::from(&ada);
    let placed = [
        Change::LockTenant { id: one.id, was: one.version },
        Change::UpdateUser { was, user: ada.clone() },
        Change::InsertAuditEvent(event(4)),
    ];
    store.commit(&placed).await.expect("committed");
    rows.row("a member is added or changed").await;
    let over = [
        Change::UpdateSubscription { was: live.version, subscription: live.clone() },
        Change::InsertAuditEvent(event(5)),
    ];
    store.commit(&over).await.expect("committed");
    rows.row("`updateSubscription`").await;
    let gone = [
        Change::DeleteUser { id: ada.id, was },
        Change::InsertTombstone(Tombstone { identity, deleted_at: time(5) }),
        Change::InsertAuditEvent(event(6)),
    ];
    store.commit(&gone).await.expect("committed");
    rows.row("`deleteUser`").await;
    let end =
        Change::DeleteTenant { id: one.id, was: one.version, at: time(9), watermark: time(9) };
    store.commit(&[end, Change::InsertAuditEvent(event(7))]).await.expect("committed");
    rows.row("`deleteTenant`").await;
    let claim = Claim { key, fingerprint: [1; 32], run_id: id::<User>(9).raw, now: time(1) };
    store.claim_request(&claim).await.expect("claimed");
    rows.row("a request with an `Idempotency-Key`").await;
    store.complete_request(key, claim.run_id, &RunOutcome::Abandoned).await.expect("settled");
    rows.row("its end").await;

    generated_docs::holds(
        "docs/OPERATIONS.md",
        "shards",
        &format!("\n{}\n", generated_docs::table(&rows.lines)),
    );
}

/// A unique index of a sharded collection has to begin with the shard key.
#[tokio::test]
async fn what_is_unique_stays_so() {
    let fresh = Fresh::new().await;
    fresh.prepared().await;
    for (collection, key) in SHARDED {
        let collection = fresh.database.collection::<Document>(collection);
        let indexes: Vec<_> =
            collection.list_indexes().await.expect("asked").try_collect().await.expect("all");
        for index in indexes {
            let unique = index.options.as_ref().is_some_and(|o| o.unique == Some(true));
            let begins =
                index.keys.keys().map(String::as_str).zip(*key).all(|(is, key)| is == *key);
            assert!(!unique || begins, "{}: {index:?}", collection.name());
        }
    }
}
