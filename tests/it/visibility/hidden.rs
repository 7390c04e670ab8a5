//! Hidden resources look like absent ones, also after manual edits of the database.

use mongodb::bson::doc;
use serde_json::json;
use tenantry::domain::{
    change::Change,
    subscription::TenantSubscriptionStatus,
    tenant::Tenant,
    user::{MembershipSource, TenantRole},
};

use super::{ABSENT, outcome, store_world};
use crate::support::{
    app::{App, Reply, on_both_stores},
    world,
};

on_both_stores! {
    nested_tenants_stay_hidden,
    hidden_resource_looks_absent,
    manual_database_edits_take_effect_immediately,
    orphans_of_deleted_tenants_are_hidden,
}

async fn nested_tenants_stay_hidden(app: App) {
    store_world(&app).await;
    // As deep as the limits on depth and complexity allow.
    let query = "{ tenants(first: 2) { nodes { slug members(first: 2) { nodes { role
        user { name role memberships { role tenant { slug
            members(first: 2) { nodes { user { memberships { role } } } } } } } } } } } }";
    // bob is a member of acme and initech, but not of carol's globex.
    let reply = app.query_as("bob", query).await;
    assert_eq!(reply.data()["tenants"]["nodes"].as_array().map(Vec::len), Some(2));
    assert!(
        reply.body.contains("Carol") && !reply.body.to_lowercase().contains("globex"),
        "{}",
        reply.body
    );
    assert!(!reply.body.contains("ADMIN"), "the role of a hidden membership: {}", reply.body);
    // carol is a member of acme and globex, but not of bob's initech.
    let reply = app.query_as("carol", query).await;
    assert!(reply.body.contains("Bob") && !reply.body.contains("initech"), "{}", reply.body);
    let reply = app.query_as("mallory", query).await;
    assert_eq!(reply.data(), &json!({"tenants": {"nodes": []}}));
    assert!(app.query_as("ada", query).await.body.contains("initech"));
}

async fn hidden_resource_looks_absent(app: App) {
    let world = store_world(&app).await;
    let initech = world.initech.id.to_string();
    let event = world::event(36, world.initech.id, world.bob, &["name"]);
    let live = world::subscription(24, &world.initech, TenantSubscriptionStatus::Active);
    let (event_id, live_id) = (event.id.to_string(), live.id.to_string());
    let changes = [Change::InsertAuditEvent(event), Change::InsertSubscription(live)];
    app.store.commit(&changes).await.expect("free");
    // carol is not a member of initech. mallory has no membership, so other users do not see her.
    let mallory = world.mallory.to_string();
    let pairs = [
        ("tenant(slug: \"X\") { id name }", "initech", "nowhere"),
        ("node(id: \"X\") { id }", &initech, &format!("ten_{ABSENT}")),
        ("node(id: \"X\") { id }", &live_id, &format!("sub_{ABSENT}")),
        ("node(id: \"X\") { id }", &event_id, &format!("aud_{ABSENT}")),
        ("node(id: \"X\") { id }", &mallory, &format!("usr_{ABSENT}")),
        ("user(id: \"X\") { id memberships { role } }", &mallory, &format!("usr_{ABSENT}")),
        ("subscription(id: \"X\") { id tenant { slug } }", &live_id, &format!("sub_{ABSENT}")),
        ("nodes(ids: [\"X\"]) { id }", &initech, &format!("ten_{ABSENT}")),
        (
            "tenants(filter: {search: \"X\"}) { totalCount nodes { id } pageInfo { hasNextPage } }",
            "initech",
            "nowhere",
        ),
        (
            "tenants(filter: {domain: \"X\"}) { totalCount nodes { id } }",
            "initech.example",
            "nowhere.example",
        ),
        (
            "subscriptions(filter: {tenantId: \"X\"}) { totalCount nodes { id } }",
            &initech,
            &format!("ten_{ABSENT}"),
        ),
        (
            "tenant(slug: \"globex\") { auditLog(filter: {tenantId: \"X\"}) { totalCount nodes { id } } }",
            &initech,
            &format!("ten_{ABSENT}"),
        ),
        (
            "tenant(slug: \"globex\") { auditLog(filter: {actorId: \"X\"}) { totalCount nodes { id } } }",
            &mallory,
            &format!("usr_{ABSENT}"),
        ),
        ("auditLog(filter: {tenantId: \"X\"}) { totalCount }", &initech, &format!("ten_{ABSENT}")),
        ("users(filter: {tenantId: \"X\"}) { totalCount }", &initech, &format!("ten_{ABSENT}")),
    ];
    for (query, hidden, absent) in pairs {
        let [hidden, absent] = [hidden, absent].map(|x| format!("{{ {} }}", query.replace('X', x)));
        let hidden_reply = query_as_carol(&app, &hidden).await;
        let absent_reply = query_as_carol(&app, &absent).await;
        assert_eq!(
            (hidden_reply.status, &hidden_reply.body, hidden_reply.reads),
            (absent_reply.status, &absent_reply.body, absent_reply.reads),
            "{hidden}"
        );
    }
}

/// Sends a query as carol. The request identifier is fixed, so that error responses are comparable.
async fn query_as_carol(app: &App, query: &str) -> Reply {
    let token = app.issuer.token().subject("carol").without("groups").sign();
    let request = axum::http::Request::post("/graphql")
        .header("content-type", "application/json")
        .header("x-request-id", "same")
        .header("authorization", format!("Bearer {token}"));
    app.send(request.body(json!({"query": query}).to_string().into()).expect("a request")).await
}

async fn manual_database_edits_take_effect_immediately(app: App) {
    let world = store_world(&app).await;
    let acme = "{ x: tenant(slug: \"acme\") { slug } }";
    let all = "{ x: users { totalCount } }";
    assert_eq!(outcome(&app.query_as("carol", acme).await), "shown");
    app.edit_user("carol", |carol| carol.memberships.retain(|m| m.tenant_id != world.acme.id))
        .await;
    assert_eq!(outcome(&app.query_as("carol", acme).await), "null");
    let bob = format!("{{ x: user(id: \"{}\") {{ name }} }}", world.bob);
    assert_eq!(outcome(&app.query_as("carol", &bob).await), "null");
    app.edit_user("ada", |ada| ada.platform_admin = None).await;
    assert_eq!(outcome(&app.query_as("ada", all).await), "FORBIDDEN");
    assert_eq!(outcome(&app.query_as("ada", acme).await), "null");
    app.edit_user("ada", |ada| ada.platform_admin = Some(MembershipSource::Direct)).await;
    assert_eq!(outcome(&app.query_as("ada", all).await), "5");
    let billing = "{ tenant(slug: \"acme\") { billingInfo { email } } }";
    assert_eq!(app.query_as("bob", billing).await.codes(), [""; 0]);
    app.edit_user("bob", |bob| bob.memberships[0].role = TenantRole::Member).await;
    assert_eq!(app.query_as("bob", billing).await.codes(), ["FORBIDDEN"]);
    app.edit_user("bob", |bob| bob.disabled = true).await;
    assert_eq!(outcome(&app.query_as("bob", acme).await), "USER_DISABLED");
    app.edit_user("bob", |bob| bob.disabled = false).await;
    assert_eq!(outcome(&app.query_as("bob", acme).await), "shown");
    // Changes by another program, without the store.
    if let Some(mongo) = &app.mongo {
        let users = mongo.database.collection::<mongodb::bson::Document>("users");
        let set = doc! { "$set": { "memberships": [] } };
        users.update_one(doc! { "subject": "bob" }, set).await.expect("changed");
        assert_eq!(outcome(&app.query_as("bob", acme).await), "null");
        users.delete_one(doc! { "subject": "bob" }).await.expect("deleted");
        assert_eq!(outcome(&app.query_as("bob", acme).await), "USER_NOT_PROVISIONED");
    }
}

async fn orphans_of_deleted_tenants_are_hidden(app: App) {
    store_world(&app).await;
    // Resources of a tenant without the tenant, as after a manual deletion of the tenant alone.
    let deleted: Tenant = world::tenant(9, "deleted");
    let live = world::subscription(29, &deleted, TenantSubscriptionStatus::Active);
    let event = world::event(39, deleted.id, world::id(19), &["name"]);
    let (live_id, event_id) = (live.id.to_string(), event.id.to_string());
    let owner = world::user(&app, 19, "orphan-owner", &[(deleted.id, TenantRole::Owner)]);
    let member = world::user(&app, 18, "orphan-member", &[(deleted.id, TenantRole::Member)]);
    let member_id = member.id.to_string();
    let changes = [
        Change::InsertUser(owner),
        Change::InsertUser(member),
        Change::InsertSubscription(live),
        Change::InsertAuditEvent(event),
    ];
    app.store.commit(&changes).await.expect("free");
    let me = app.query_as("orphan-owner", "{ me { role memberships { role } } }").await;
    assert_eq!(me.data()["me"], json!({"role": null, "memberships": []}));
    for query in [
        "x: tenant(slug: \"deleted\") { id }".to_owned(),
        format!("x: node(id: \"{}\") {{ id }}", deleted.id),
        format!("x: user(id: \"{member_id}\") {{ name }}"),
        format!("x: subscription(id: \"{live_id}\") {{ plan }}"),
        format!("x: node(id: \"{live_id}\") {{ id }}"),
        format!("x: node(id: \"{event_id}\") {{ id }}"),
    ] {
        let reply = app.query_as("orphan-owner", &format!("{{ {query} }}")).await;
        assert_eq!(outcome(&reply), "null", "{query}");
    }
    let lists = "{ tenants { totalCount nodes { id } } subscriptions { totalCount nodes { id } } }";
    let empty = json!({"totalCount": 0, "nodes": []});
    let reply = app.query_as("orphan-owner", lists).await;
    assert_eq!(reply.data(), &json!({"tenants": empty, "subscriptions": empty}));
    // Platform admins do not see the subscription either, because its `tenant` would be missing.
    let query = format!("{{ x: subscription(id: \"{live_id}\") {{ plan }} }}");
    assert_eq!(outcome(&app.query_as("ada", &query).await), "null");
    let reply = app.query_as("ada", "{ subscriptions { nodes { tenant { slug } } } }").await;
    assert_eq!(reply.data()["subscriptions"]["nodes"].as_array().map(Vec::len), Some(3));
    let filter = format!("filter: {{tenantId: \"{}\"}}", deleted.id);
    let lists = format!(
        "{{ users({filter}) {{ totalCount nodes {{ id }} }} subscriptions({filter}) {{ totalCount nodes {{ id }} }} }}"
    );
    assert_eq!(
        app.query_as("ada", &lists).await.data(),
        &json!({"users": empty, "subscriptions": empty})
    );
    // Platform admins still see the audit log of a deleted tenant.
    let query = format!(
        "{{ x: node(id: \"{event_id}\") {{ ... on AuditEvent {{ action tenant {{ id }} target {{ id }} }} }} }}"
    );
    let reply = app.query_as("ada", &query).await;
    assert_eq!(
        reply.data()["x"],
        json!({"action": "tenant.update", "tenant": null, "target": null})
    );
}
