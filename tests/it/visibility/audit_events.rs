//! The fields of an audit event for each viewer.

use serde_json::{Value, json};
use tenantry::domain::{audit::FieldChange, change::Change, id::NodeId};

use super::store_world;
use crate::support::{
    app::{App, on_both_stores},
    world,
};

on_both_stores! {
    audit_event_fields_are_visible_by_role,
}

async fn audit_event_fields_are_visible_by_role(app: App) {
    let world = store_world(&app).await;
    // Only platform admins see mallory. carol's event belongs to both of her tenants.
    let mut by_mallory =
        world::event(33, world.acme.id, world.mallory, &["billingInfo.email", "plan"]);
    by_mallory.target = Some(NodeId::User(world.mallory));
    let mut of_carol = world::event(
        34,
        world.acme.id,
        world.carol,
        &["name", "email", "subject", "platformAdmin"],
    );
    of_carol.tenants.push(world.globex.id);
    of_carol.target = Some(NodeId::User(world.carol));
    for tenant in [world.acme.id, world.globex.id] {
        of_carol.changes.push(FieldChange {
            field: format!("memberships.{tenant}"),
            from: Value::Null,
            to: "ADMIN".into(),
        });
    }
    let mut of_globex =
        world::event(35, world.acme.id, world.bob, &["stripe.customerId", "status"]);
    of_globex.target = Some(NodeId::Tenant(world.globex.id));
    let changes = [by_mallory, of_carol, of_globex].map(Change::InsertAuditEvent);
    app.store.commit(&changes).await.expect("free");
    let fields = "id actor { name } tenant { slug } target { id } changes";
    let tenant_audit_log =
        format!("{{ x: tenant(slug: \"acme\") {{ auditLog {{ nodes {{ {fields} }} }} }} }}");
    let reply = app.query_as("bob", &tenant_audit_log).await;
    let nodes = reply.data()["x"]["auditLog"]["nodes"].as_array().expect("nodes").clone();
    let keys = |node: &Value| -> Vec<String> {
        node["changes"].as_object().expect("changes").keys().cloned().collect()
    };
    assert_eq!(nodes.len(), 4);
    // The events 35, 34, 33 and 31, newest first.
    assert_eq!((&nodes[0]["target"], keys(&nodes[0])), (&Value::Null, vec!["status".to_owned()]));
    let [acme, globex] = [world.acme.id, world.globex.id].map(|id| format!("memberships.{id}"));
    assert_eq!(keys(&nodes[1]), ["email", &acme, "name"]);
    assert_eq!(nodes[1]["target"]["id"], world.carol.to_string());
    assert_eq!((&nodes[2]["actor"], &nodes[2]["target"]), (&Value::Null, &Value::Null));
    assert_eq!(nodes[2]["tenant"]["slug"], "acme");
    assert_eq!(keys(&nodes[2]), [""; 0], "fields of a hidden user are omitted");
    assert_eq!(
        (&nodes[3]["actor"]["name"], keys(&nodes[3])),
        (&json!("Bob"), vec!["name".to_owned()])
    );
    // `node` returns an event as the audit log does.
    for node in &nodes {
        let id = node["id"].as_str().expect("an id");
        let by_node = format!(
            "{{ node(id: \"{id}\") {{ ... on AuditEvent {{ actor {{ name }} target {{ id }} changes }} }} }}"
        );
        let reply = app.query_as("bob", &by_node).await;
        for field in ["actor", "target", "changes"] {
            assert_eq!(reply.data()["node"][field], node[field], "{id} {field}");
        }
        let as_carol = app.query_as("carol", &by_node).await;
        let visible = !as_carol.data()["node"].is_null();
        assert_eq!(visible, id.ends_with("22"), "carol is an admin of globex only: {id}");
    }
    // As an admin of globex, carol sees her own fields in her event, and only the membership in
    // globex.
    let own = format!(
        "{{ node(id: \"aud_{}\") {{ ... on AuditEvent {{ changes }} }} }}",
        world::id::<()>(34).raw
    );
    let reply = app.query_as("carol", &own).await;
    assert_eq!(keys(&reply.data()["node"]), ["email", &globex, "name", "platformAdmin", "subject"]);
    let reply = app.query_as("ada", &format!("{{ auditLog {{ nodes {{ {fields} }} }} }}")).await;
    let nodes = reply.data()["auditLog"]["nodes"].as_array().expect("nodes");
    let counts: Vec<usize> = nodes.iter().map(|node| keys(node).len()).collect();
    assert_eq!(counts, [2, 6, 2, 2, 2]);
    assert!(nodes.iter().all(|node| !node["actor"].is_null() && !node["target"].is_null()));
}
