//! The visibility of every resource and field for each role, on every path through the schema.
//!
//! `root_fields.rs` has the root fields and the order of checks, `tenant_fields.rs`,
//! `user_fields.rs` and `audit_events.rs` the fields, `field_errors.rs` their errors, and `hidden.rs`
//! the equality of hidden and absent resources.

mod audit_events;
mod field_errors;
mod hidden;
mod root_fields;
mod tenant_fields;
mod user_fields;

use serde_json::Value;
use tenantry::domain::{change::Change, subscription::TenantSubscriptionStatus, user::TenantRole};

use crate::support::{
    app::{App, Reply},
    world::{self, World},
};

const ABSENT: &str = "65000000000000000000ffff";

/// The callers of the matrix. The admin is queried about globex, the others about acme.
const CALLERS: [&str; 8] =
    ["anonymous", "newcomer", "outsider", "member", "admin", "owner", "platform", "disabled"];

/// Stores the [`World`], a live subscription and an audit event of globex, and a disabled owner of
/// acme.
async fn store_world(app: &App) -> World {
    let world = World::new(app).await;
    let live = world::subscription(23, &world.globex, TenantSubscriptionStatus::Active);
    let event = world::event(32, world.globex.id, world.carol, &["name", "integrations.ocisSpace"]);
    let mut disabled = world::user(app, 15, "disabled", &[(world.acme.id, TenantRole::Owner)]);
    disabled.disabled = true;
    let changes = [
        Change::InsertSubscription(live),
        Change::InsertAuditEvent(event),
        Change::InsertUser(disabled),
    ];
    app.store.commit(&changes).await.expect("free");
    world
}

/// Sends a query as one of the [`CALLERS`]. carol is the member of acme and the admin of globex.
async fn query_as(app: &App, caller: &str, query: &str) -> Reply {
    match caller {
        "anonymous" => app.query_anonymous(query).await,
        "outsider" => app.query_as("mallory", query).await,
        "member" | "admin" => app.query_as("carol", query).await,
        "owner" => app.query_as("bob", query).await,
        "platform" => app.query_as("ada", query).await,
        other => app.query_as(other, query).await,
    }
}

/// Replaces the placeholders of a query by identifiers of the caller's tenant and its resources.
fn fill_placeholders(world: &World, caller: &str, query: &str) -> String {
    let globex = caller == "admin";
    let (tenant, live, event) =
        if globex { (&world.globex, 23, 32) } else { (&world.acme, 21, 31) };
    query
        .replace("$SLUG", &tenant.slug)
        .replace("$TENANT", &tenant.id.to_string())
        .replace("$PEER", &(if globex { world.carol } else { world.bob }).to_string())
        .replace("$SUB", &format!("sub_{}", world::id::<()>(live).raw))
        .replace("$EVENT", &format!("aud_{}", world::id::<()>(event).raw))
}

/// Returns the outcome of the field `x`: an error code, `null`, the total count, or `shown`.
fn outcome(reply: &Reply) -> String {
    match reply.codes()[..] {
        [] if reply.json["data"]["x"].is_null() => "null".to_owned(),
        [] => match &reply.json["data"]["x"]["totalCount"] {
            Value::Null => "shown".to_owned(),
            count => count.to_string(),
        },
        [code] => {
            assert!(reply.json["data"]["x"].is_null(), "{}", reply.body);
            code.to_owned()
        }
        _ => format!("{:?}", reply.codes()),
    }
}

/// Returns a query of the fields on a path, which has `{0}` in their place.
fn query_fields(path: &str, fields: &str) -> String {
    format!("{{ {} }}", path.replace("{0}", fields))
}

/// Returns the value of the data at a JSON pointer.
fn value_at<'a>(reply: &'a Reply, pointer: &str) -> &'a Value {
    let value = reply.json["data"].pointer(pointer);
    value.unwrap_or_else(|| panic!("{pointer} {}", reply.body))
}
