//! Tests that a tenant is reported as changed when a user joins it, leaves it or gets another role.

use serde_json::json;
use tenantry::domain::{
    change::Change,
    live::{ChangeKind, ChangedEntity},
};

use super::*;
use crate::invitations::{accept, invite};
use crate::support::{
    app::on_both_stores,
    world::{self, World},
};

on_both_stores! {
    members_of_a_tenant_are_reported,
    sync_of_groups_reports_each_tenant,
    acceptance_of_an_invitation_is_reported,
    no_tenant_is_lost_between_the_events_of_one_change,
}

const MEMBERS: &str = "subscription($id: ID!) { tenantChanged(id: $id) { kind tenant { \
    version members { nodes { role user { name } } } } } }";

/// Waits for an event, and returns the names and roles of the tenant's members.
async fn members(live: &mut Live) -> Vec<String> {
    let change = live.event().await["tenantChanged"].clone();
    assert_eq!((&change["kind"], &change["tenant"]["version"]), (&json!("UPDATED"), &json!(1)));
    let nodes = change["tenant"]["members"]["nodes"].as_array().expect("nodes").iter();
    let member = |node: &Value| {
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        format!("{} {}", text(&node["user"]["name"]), text(&node["role"]))
    };
    let mut members: Vec<_> = nodes.map(member).collect();
    members.sort();
    members
}

async fn members_of_a_tenant_are_reported(app: App) {
    let world = World::new(&app).await;
    let mut live = Live::start(&app, "carol", MEMBERS, id_of(world.acme.id)).await;
    let mut joined = Live::start(&app, "mallory", TENANTS, json!({})).await;
    let mut me = Live::start(&app, "mallory", ME, json!({})).await;
    let input = |role: Option<&str>| {
        let (tenant, user) = (world.acme.id.to_string(), world.mallory.to_string());
        let mut input = json!({"tenantId": tenant, "userId": user});
        role.into_iter().for_each(|role| input["role"] = role.into());
        input
    };
    mutate(&app, "ada", "addTenantMember", input(None)).await;
    assert_eq!(members(&mut live).await, ["Bob OWNER", "Carol MEMBER", "Mallory MEMBER"]);
    let event = joined.event().await["tenantsChanged"].clone();
    assert_eq!((&event["kind"], &event["tenant"]["name"]), (&json!("UPDATED"), &json!("Acme")));
    assert_eq!(me.event().await["meChanged"]["memberships"][0]["tenant"]["slug"], "acme");
    mutate(&app, "bob", "updateTenantMember", input(Some("ADMIN"))).await;
    assert_eq!(members(&mut live).await, ["Bob OWNER", "Carol MEMBER", "Mallory ADMIN"]);
    mutate(&app, "mallory", "removeTenantMember", input(None)).await;
    assert_eq!(members(&mut live).await, ["Bob OWNER", "Carol MEMBER"]);
    mutate(&app, "ada", "deleteUser", json!({"id": world.bob.to_string()})).await;
    assert_eq!(members(&mut live).await, ["Carol MEMBER"]);
}

async fn sync_of_groups_reports_each_tenant(app: App) {
    let world = World::new(&app).await;
    let mut acme = Live::start(&app, "carol", MEMBERS, id_of(world.acme.id)).await;
    let mut globex = Live::start(&app, "carol", MEMBERS, id_of(world.globex.id)).await;
    let mut joined = Live::start(&app, "mallory", TENANTS, json!({})).await;
    for (subject, name) in [("mallory", "Mallory"), ("new", "new")] {
        let token = app.token(subject, ["tenant:acme", "tenant:globex"]);
        app.query_with_variables(&token, "{ me { id } }", json!({})).await.data();
        let member = format!("{name} MEMBER");
        assert!(members(&mut acme).await.contains(&member), "{subject}");
        assert!(members(&mut globex).await.contains(&member), "{subject}");
    }
    let mut tenants = Vec::new();
    for _ in 0..2 {
        tenants.push(joined.event().await["tenantsChanged"]["tenant"]["name"].clone());
    }
    assert_eq!(tenants, ["Acme", "Globex"]);
    // The groups of a later token no longer have acme.
    app.clock.advance(1);
    let token = app.token("mallory", ["tenant:globex:admin"]);
    app.query_with_variables(&token, "{ me { id } }", json!({})).await.data();
    assert_eq!(members(&mut acme).await, ["Bob OWNER", "Carol MEMBER", "new MEMBER"]);
    assert_eq!(members(&mut globex).await, ["Carol ADMIN", "Mallory ADMIN", "new MEMBER"]);
}

async fn acceptance_of_an_invitation_is_reported(app: App) {
    let world = World::new(&app).await;
    let mut live = Live::start(&app, "carol", MEMBERS, id_of(world.acme.id)).await;
    let mut joined = Live::start(&app, "mallory", TENANTS, json!({})).await;
    let mut me = Live::start(&app, "mallory", ME, json!({})).await;
    for (subject, name) in [("mallory", "Mallory"), ("new", "new")] {
        let email = format!("{subject}@example.org");
        let invited = invite(&app, "bob", world.acme.id, &email, "ADMIN").await;
        accept(&app, subject, &invited).await.data();
        assert!(members(&mut live).await.contains(&format!("{name} ADMIN")), "{subject}");
    }
    assert_eq!(joined.event().await["tenantsChanged"]["tenant"]["name"], "Acme");
    assert_eq!(me.event().await["meChanged"]["memberships"][0]["role"], "ADMIN");
}

/// One commit can change the memberships of many tenants. A feed that starts after the event of one of
/// them has the events of those that follow it.
async fn no_tenant_is_lost_between_the_events_of_one_change(app: App) {
    let world = World::new(&app).await;
    let mut feed = app.store.watch(None).await.expect("a feed");
    let tenants: Vec<_> = (100..110).map(|n| world::tenant(n, &format!("t{n}"))).collect();
    let inserts: Vec<_> = tenants.iter().cloned().map(Change::InsertTenant).collect();
    app.store.commit(&inserts).await.expect("committed");
    let mut event = world::event(500, world.acme.id, world.bob, &[]);
    event.action = "user.sync".to_owned();
    event.tenants = tenants.iter().map(|tenant| tenant.id).collect();
    app.store.commit(&[Change::InsertAuditEvent(event)]).await.expect("committed");
    let mut updated = Vec::new();
    while updated.len() < tenants.len() {
        let events = feed.next().await.expect("a feed");
        updated.extend(events.into_iter().filter(|event| event.kind == ChangeKind::Updated));
    }
    let entity = |n: usize| ChangedEntity::Tenant(tenants[n].id);
    for (n, event) in updated.iter().enumerate() {
        assert_eq!(event.entity, entity(n));
        let mut resumed = app.store.watch(Some(&event.position)).await.expect("a feed");
        let mut missing: Vec<_> = (n + 1..tenants.len()).map(entity).collect();
        while !missing.is_empty() {
            for event in resumed.next().await.expect("a feed") {
                missing.retain(|entity| *entity != event.entity);
            }
        }
    }
}
