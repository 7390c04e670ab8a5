//! Checks every query of the store with the server's profiler. No query scans a collection, and no
//! query sorts results that an index could return in order.

mod invitations;
mod reads;
mod writes;

use futures_util::TryStreamExt;
use mongodb::bson::{Document, doc};
use tenantry::domain::list::{Direction, Order, PageRequest, Position, SortKey};

use super::*;
use crate::support::mongod::{FreshDatabase, ISSUER};

const TENANTS: u32 = 200;
const USERS: u32 = 600;

// Every filter in this module has matches. For a filter without matches, the server's planner runs
// its candidate plans to the end of such a small collection, and they tie.

/// The reason why a query may sort its matches. Such a sort keeps only as many as the page holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sorting {
    /// The query must not sort.
    Never,
    /// A list of the caller's own tenants. The index finds them by identifier, so they arrive in
    /// that order.
    OwnTenants,
    /// A search in the order of a field. Its matches are found first, by a command of their own,
    /// and are limited in number.
    Search,
    /// A list of a tenant's users, for platform admins. The index of members finds them. Returning
    /// them in the list's orders would need an index entry for each membership and order.
    UsersOfTenant,
    /// A list of a tenant's invitations with some statuses. The server finds them by their status or in
    /// the order of the list, whichever it expects to be faster.
    InvitationsOfStatus,
}

/// Creates a database with documents in every collection and starts the profiler.
async fn filled() -> FreshDatabase {
    let fresh = FreshDatabase::new().await;
    fresh.prepared().await;
    let tenant = |n: u32| {
        doc! {
            "_id": oid(n), "slug": format!("t-{n:04}"), "name": format!("Tenant {n}"),
            "status": "active", "plan": "free", "domains": [format!("{n}.example")],
            "integrations": { "authentikGroup": format!("g-{n}") },
            "createdAt": date((n / 2).into()), "updatedAt": date(n.into()),
        }
    };
    fresh.insert("tenants", (0..TENANTS).map(tenant).collect()).await;
    let subscription = |n: u32| {
        doc! {
            "_id": oid(n), "tenantId": oid(n % TENANTS), "plan": "free",
            "status": if n < TENANTS { "active" } else { "canceled" },
            "createdAt": date(n.into()), "updatedAt": date(n.into()), "currentPeriodEnd": date(n.into()),
        }
    };
    fresh.insert("subscriptions", (0..2 * TENANTS).map(subscription).collect()).await;
    let user = |n: u32| {
        let role = if n.is_multiple_of(7) { "owner" } else { "member" };
        let memberships: Vec<Document> = (0..3)
            .map(|m| doc! { "tenantId": oid((n + m * 50) % TENANTS), "role": role })
            .collect();
        doc! {
            "_id": oid(n), "subject": format!("u-{n}"), "name": format!("User {n}"),
            "email": format!("u-{n}@example.org"), "memberships": memberships,
            "createdAt": date(n.into()), "updatedAt": date(n.into()),
        }
    };
    fresh.insert("users", (0..USERS).map(user).collect()).await;
    let event = |n: u32| {
        doc! {
            "_id": oid(n), "at": date(n.into()), "action": format!("a-{}", n % 9), "actorKind": "user",
            "actorId": oid(n % 20), "tenantIds": [oid(n % 30)],
        }
    };
    fresh.insert("auditEvents", (0..USERS).map(event).collect()).await;
    let tombstone =
        |n: u32| doc! { "subject": format!("u-{n}"), "issuer": ISSUER, "deletedAt": date(1) };
    fresh.insert("tombstones", (0..50).map(tombstone).collect()).await;
    // The documents get their search keys at the next start.
    fresh.prepared().await;
    fresh.database.run_command(doc! { "profile": 2 }).await.expect("profiler starts");
    fresh
}

/// Returns the commands that the profiler has recorded since the last call.
async fn profiled(fresh: &FreshDatabase) -> Vec<Document> {
    fresh.database.run_command(doc! { "profile": 0 }).await.expect("profiler stops");
    let profile = fresh.database.collection::<Document>("system.profile");
    let filter = doc! { "ns": { "$ne": format!("{}.system.profile", fresh.database.name()) },
    "command.profile": { "$exists": false } };
    let commands: Vec<Document> = profile
        .find(filter)
        .await
        .expect("profile is readable")
        .try_collect()
        .await
        .expect("cursor is readable");
    profile.drop().await.expect("drop succeeds");
    fresh.database.run_command(doc! { "profile": 2 }).await.expect("profiler starts");
    commands
}

/// Asserts that the store has sent one command since the last call, as the trait promises, and that
/// the command uses an index.
async fn assert_one_indexed_command(
    fresh: &FreshDatabase,
    query: &str,
    sorting: Sorting,
) -> Document {
    let commands = profiled(fresh).await;
    let (first, command) = match &commands[..] {
        [command] => (None, command),
        [find_matches, command] if sorting == Sorting::Search => (Some(find_matches), command),
        _ => panic!("{query}: {} commands: {commands:#?}", commands.len()),
    };
    if let Some(find_matches) = first {
        assert!(find_matches.get_str("planSummary").is_ok_and(|plan| plan.starts_with("IXSCAN")));
        assert!(!find_matches.get_bool("hasSortStage").unwrap_or(false), "{query}: {find_matches}");
    }
    let plan = command.get_str("planSummary").expect("a plan");
    assert!(!plan.contains("COLLSCAN"), "{query}: {plan}: {command}");
    let sorts = command.get_bool("hasSortStage").unwrap_or(false);
    assert!(!sorts || sorting != Sorting::Never, "{query} sorts: {plan}: {command}");
    command.clone()
}

/// Returns requests for the first page and for pages after, before and between cursors, from both
/// ends.
fn page_requests(key: impl Fn(u32) -> SortKey) -> Vec<PageRequest> {
    let position = |n: u32| Some(Position { key: key(n), id: raw_id(n) });
    let null = Some(Position { key: SortKey::Null, id: raw_id(5) });
    let mut all = Vec::new();
    for edge in [PageEdge::First, PageEdge::Last] {
        for (after, before) in [
            (None, None),
            (position(40), None),
            (None, position(40)),
            (position(30), position(60)),
            (position(60), position(30)),
            (null.clone(), None),
            (None, null.clone()),
        ] {
            all.push(PageRequest { size: 10, edge, after, before });
        }
    }
    all
}

/// Returns the n-th identifier as the domain's untyped identifier.
fn raw_id(n: u32) -> tenantry::domain::id::ObjectId {
    tenantry::domain::id::ObjectId(oid(n).bytes())
}

fn orders<F: Copy>(fields: &[F]) -> Vec<Order<F>> {
    let directions = [Direction::Asc, Direction::Desc];
    fields
        .iter()
        .flat_map(|field| directions.map(|direction| Order { field: *field, direction }))
        .collect()
}
