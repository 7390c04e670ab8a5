//! The query `me` creates the user of a token and applies its claims.
//!
//! `profile.rs` has the profile and `lastSeenAt`, `groups.rs` the memberships and rights from
//! groups, and `requests.rs` the place of the sync in a request.

mod groups;
mod profile;
mod requests;

use serde_json::Value;
use tenantry::domain::{change::Change, tenant::Tenant};

use crate::support::{
    app::App,
    issuer::{NOW, TokenBuilder},
    world,
};

const ME: &str = "{ me { name email platformAdmin version updatedAt lastSeenAt
    memberships { role source tenant { slug } } } }";

/// Returns a token for `bob` without profile claims.
fn token(app: &App) -> TokenBuilder {
    app.issuer.token().subject("bob").issued_at(NOW - 10)
}

/// Stores the tenants acme and globex.
async fn store_tenants(app: &App) -> (Tenant, Tenant) {
    let (acme, globex) = (world::tenant(1, "acme"), world::tenant(2, "globex"));
    let changes = [acme.clone(), globex.clone()].map(Change::InsertTenant);
    app.store.commit(&changes).await.expect("an empty store");
    (acme, globex)
}

/// Returns the memberships of `me` as `slug ROLE SOURCE`, sorted.
fn memberships(me: &Value) -> Vec<String> {
    let memberships = me["me"]["memberships"].as_array().expect("memberships");
    let describe = |m: &Value| {
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        format!("{} {} {}", text(&m["tenant"]["slug"]), text(&m["role"]), text(&m["source"]))
    };
    let mut memberships: Vec<String> = memberships.iter().map(describe).collect();
    memberships.sort();
    memberships
}

/// Queries [`ME`] with the token, and returns the data.
async fn me(app: &App, token: TokenBuilder) -> Value {
    app.query_with_token(token, ME).await.data().clone()
}
