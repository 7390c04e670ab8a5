//! Tests which events each root field reports.

use serde_json::json;

use super::*;
use crate::support::{
    app::{on_both_stores, response_to_json},
    world::World,
};

on_both_stores! {
    tenant_is_reported_until_its_deletion,
    all_visible_tenants_are_reported,
    platform_admin_receives_new_tenants,
    viewer_is_reported_with_new_memberships,
    subscriptions_of_a_tenant_are_reported_until_its_deletion,
    changes_of_a_tenant_are_merged_while_the_client_is_slow,
    changes_that_no_client_sees_are_not_reported,
    events_resolve_nested_fields_and_guards_like_queries,
}

async fn tenant_is_reported_until_its_deletion(app: App) {
    let world = World::new(&app).await;
    let mut live = Live::start(&app, "carol", TENANT, id_of(world.globex.id)).await;
    rename(&app, world.acme.id, "Another tenant").await;
    rename(&app, world.globex.id, "Globex 2").await;
    assert_eq!(
        live.event().await["tenantChanged"],
        json!({"kind": "UPDATED", "tenantId": world.globex.id.to_string(), "tenant":
            {"slug": "globex", "name": "Globex 2", "status": "ACTIVE", "version": 2}})
    );
    mutate(
        &app,
        "ada",
        "updateTenant",
        json!({"id": world.globex.id.to_string(), "status": "SUSPENDED"}),
    )
    .await;
    assert_eq!(live.event().await["tenantChanged"]["tenant"]["status"], "SUSPENDED");
    mutate(&app, "ada", "deleteTenant", id_of(world.globex.id)).await;
    let deleted = live.event().await;
    let id = world.globex.id.to_string();
    assert_eq!(
        deleted["tenantChanged"],
        json!({"kind": "DELETED", "tenantId": id, "tenant": null})
    );
    assert_eq!(live.end().await, None);
}

async fn all_visible_tenants_are_reported(app: App) {
    let world = World::new(&app).await;
    let mut live = Live::start(&app, "carol", TENANTS, json!({})).await;
    // carol is a member of acme and globex, and not of initech.
    rename(&app, world.initech.id, "Initech 2").await;
    rename(&app, world.acme.id, "Acme 2").await;
    assert_eq!(live.event().await["tenantsChanged"]["tenant"]["name"], "Acme 2");
    mutate(&app, "ada", "deleteTenant", id_of(world.globex.id)).await;
    let deleted = live.event().await;
    assert_eq!(deleted["tenantsChanged"]["kind"], "DELETED");
    assert_eq!(deleted["tenantsChanged"]["tenantId"], world.globex.id.to_string());
    let input =
        json!({"tenantId": world.initech.id.to_string(), "userId": world.carol.to_string()});
    mutate(&app, "ada", "addTenantMember", input).await;
    assert_eq!(live.event().await["tenantsChanged"]["tenant"]["name"], "Initech 2");
    rename(&app, world.initech.id, "Initech 3").await;
    assert_eq!(live.event().await["tenantsChanged"]["tenant"]["name"], "Initech 3");
}

async fn platform_admin_receives_new_tenants(app: App) {
    World::new(&app).await;
    let mut live = Live::start(&app, "ada", TENANTS, json!({})).await;
    mutate(&app, "ada", "createTenant", json!({"slug": "hooli", "name": "Hooli"})).await;
    let created = live.event().await;
    assert_eq!(created["tenantsChanged"]["kind"], "CREATED");
    assert_eq!(created["tenantsChanged"]["tenant"]["name"], "Hooli");
}

async fn viewer_is_reported_with_new_memberships(app: App) {
    let world = World::new(&app).await;
    let mut live = Live::start(&app, "mallory", ME, json!({})).await;
    let member = |role: &str| json!({"tenantId": world.acme.id.to_string(), "userId": world.mallory.to_string(), "role": role});
    mutate(&app, "bob", "updateTenant", json!({"id": world.acme.id.to_string(), "name": "A"}))
        .await;
    mutate(&app, "ada", "addTenantMember", member("MEMBER")).await;
    let event = live.event().await;
    let membership = json!([{"role": "MEMBER", "tenant": {"slug": "acme"}}]);
    assert_eq!(event["meChanged"], json!({"name": "Mallory", "memberships": membership}));
    mutate(&app, "ada", "updateTenantMember", member("OWNER")).await;
    assert_eq!(live.event().await["meChanged"]["memberships"][0]["role"], "OWNER");
}

async fn subscriptions_of_a_tenant_are_reported_until_its_deletion(app: App) {
    let world = World::new(&app).await;
    let mut live = Live::start(&app, "carol", SUBSCRIPTION, id_of(world.acme.id)).await;
    let id = world.subscription.to_string();
    mutate(
        &app,
        "ada",
        "updateSubscription",
        json!({"id": id, "status": "PAST_DUE", "plan": "FREE"}),
    )
    .await;
    assert_eq!(
        live.event().await["subscriptionChanged"],
        json!({"kind": "UPDATED", "subscriptionId": id, "subscription":
            {"status": "PAST_DUE", "plan": "FREE", "tenant": {"slug": "acme", "plan": "FREE"}}})
    );
    mutate(&app, "ada", "deleteSubscription", json!({"id": id})).await;
    assert_eq!(
        live.event().await["subscriptionChanged"],
        json!({"kind": "DELETED", "subscriptionId": id, "subscription": null})
    );
    let of_globex = json!({"tenantId": world.globex.id.to_string(), "plan": "STARTER"});
    mutate(&app, "ada", "createSubscription", of_globex).await;
    let of_acme = json!({"tenantId": world.acme.id.to_string(), "plan": "STARTER"});
    mutate(&app, "ada", "createSubscription", of_acme).await;
    let created = live.event().await["subscriptionChanged"].clone();
    assert_eq!(created["kind"], "CREATED");
    assert_eq!(created["subscription"]["tenant"]["slug"], "acme");
    mutate(&app, "ada", "deleteTenant", id_of(world.acme.id)).await;
    loop {
        match live.item().await {
            // The deletion of the subscription may be reported before that of the tenant.
            Some(LiveItem::Event { .. }) => {}
            Some(LiveItem::Failed(failed)) => panic!("{failed:?}"),
            None => break,
        }
    }
}

async fn changes_of_a_tenant_are_merged_while_the_client_is_slow(app: App) {
    let world = World::new(&app).await;
    let mut slow = Live::start(&app, "ada", TENANTS, json!({})).await;
    let mut fast = Live::start(&app, "ada", TENANTS, json!({})).await;
    for n in 0..5 {
        rename(&app, world.acme.id, &format!("Acme {n}")).await;
        fast.event().await;
    }
    rename(&app, world.globex.id, "Globex").await;
    rename(&app, world.globex.id, "Globex 2").await;
    while fast.event().await["tenantsChanged"]["tenant"]["name"] != "Globex 2" {}
    assert_eq!(slow.event().await["tenantsChanged"]["tenant"]["name"], "Acme 4");
    assert_eq!(slow.event().await["tenantsChanged"]["tenant"]["name"], "Globex 2");
    rename(&app, world.initech.id, "Initech 2").await;
    assert_eq!(slow.event().await["tenantsChanged"]["tenant"]["name"], "Initech 2");
}

async fn changes_that_no_client_sees_are_not_reported(app: App) {
    let world = World::new(&app).await;
    let mut tenant = Live::start(&app, "ada", TENANT, id_of(world.acme.id)).await;
    let mut me = Live::start(&app, "carol", ME, json!({})).await;
    // An invitation locks the tenant, and `me` moves the time of the latest sign-in.
    let input = json!({"tenantId": world.acme.id.to_string(), "email": "new@example.org"});
    mutate(&app, "ada", "inviteTenantMember", input).await;
    app.clock.advance(3600);
    app.query_with_variables(&app.token("carol", []), "{ me { id } }", json!({})).await.data();
    rename(&app, world.acme.id, "Acme 2").await;
    assert_eq!(tenant.event().await["tenantChanged"]["tenant"]["name"], "Acme 2");
    app.edit_user("carol", |user| {
        user.name = "Carol 2".to_owned();
        user.version += 1;
    })
    .await;
    assert_eq!(me.event().await["meChanged"]["name"], "Carol 2");
}

async fn events_resolve_nested_fields_and_guards_like_queries(app: App) {
    let world = World::new(&app).await;
    let document = "subscription S($id: ID!) { tenantChanged(id: $id) { __typename tenant { \
        ...T subscription { plan } members { nodes { role user { name email } } } } } } \
        fragment T on Tenant { name billingInfo { companyName } integrations { ocisSpace } }";
    let mut live = Live::start(&app, "carol", document, id_of(world.acme.id)).await;
    rename(&app, world.acme.id, "Acme 2").await;
    let Some(LiveItem::Event { response, .. }) = live.item().await else { panic!("an event") };
    let response = response_to_json(&response);
    let query = "{ tenant(slug: \"acme\") { ...T subscription { plan } \
        members { nodes { role user { name email } } } } } \
        fragment T on Tenant { name billingInfo { companyName } integrations { ocisSpace } }";
    let reply = app.query_as("carol", query).await;
    assert_eq!(response["data"]["tenantChanged"]["tenant"], reply.json["data"]["tenant"]);
    assert_eq!(response["data"]["tenantChanged"]["__typename"], "TenantChange");
    let paths = |response: &Value| -> Vec<Value> {
        let errors = response["errors"].as_array().expect("errors").iter();
        let mut paths: Vec<Value> = errors.map(|error| error["path"].clone()).collect();
        paths.iter_mut().for_each(|path| {
            *path = path.as_array().expect("a path")[1..].last().cloned().expect("a field");
        });
        paths.sort_by_key(ToString::to_string);
        paths
    };
    assert_eq!(paths(&response), [json!("billingInfo"), json!("integrations")]);
    assert_eq!(paths(&reply.json), paths(&response));
}
