//! Tests the mutations of tenants.

use serde_json::{Value, json};
use tenantry::{
    domain::{subscription::TenantSubscriptionStatus, tenant::Plan},
    store::SubscriptionKeys,
};

use super::{error_extensions, newest_event, run};
use crate::support::{
    app::{App, on_both_stores},
    world::{self, World},
};

on_both_stores! {
    creating_a_tenant_creates_its_subscription,
    stale_version_is_rejected,
    conflict_names_the_field_but_not_the_other_tenant,
    changing_the_plan_updates_the_live_subscription,
    default_tenant_keeps_its_slug_and_cannot_be_deleted,
    deleting_a_tenant_deletes_its_subscriptions_and_memberships,
    mutation_fields_see_the_effects_of_earlier_fields,
}

/// The payload fields that the tests select.
pub(super) const TENANT: &str =
    "tenant { id slug name status plan domains version createdAt updatedAt
    billingInfo { companyName email vatId address { line1 line2 city region postalCode country } }
    integrations { authentikGroup ocisSpace stalwartDomain }
    subscription { plan status version } }";

async fn creating_a_tenant_creates_its_subscription(app: App) {
    World::new(&app).await;
    let input = json!({
        "slug": "hooli", "name": "  Hooli  ", "plan": "STARTER", "domains": ["hooli.example"],
        "billingInfo": {"email": "pay@hooli.example", "address": {"country": "DE", "line2": ""}},
        "integrations": {"authentikGroup": "hooli-members"},
    });
    let reply = run(&app, "ada", "createTenant", input, TENANT).await;
    let tenant = &reply.data()["x"]["tenant"];
    assert_eq!(tenant["name"], "Hooli");
    assert_eq!((&tenant["status"], &tenant["version"]), (&json!("ACTIVE"), &json!(1)));
    assert_eq!(
        tenant["billingInfo"],
        json!({
            "companyName": null, "email": "pay@hooli.example", "vatId": null,
            "address": {"line1": null, "line2": null, "city": null, "region": null,
                        "postalCode": null, "country": "DE"},
        })
    );
    assert_eq!(
        tenant["subscription"],
        json!({"plan": "STARTER", "status": "TRIALING", "version": 1})
    );
    let (action, kind, changes) = newest_event(&app).await;
    assert_eq!((&*action, &*kind), ("tenant.create", "platform_admin"));
    assert_eq!(changes["slug"], json!([null, "hooli"]));
    assert_eq!(changes["billingInfo.address.country"], json!([null, "DE"]));
    assert_eq!(changes.get("billingInfo.vatId"), None);
    // The required fields are enough.
    let reply = run(&app, "ada", "createTenant", json!({"slug": "x1", "name": "X"}), TENANT).await;
    let tenant = &reply.data()["x"]["tenant"];
    assert_eq!(
        (&tenant["plan"], &tenant["subscription"]["plan"]),
        (&json!("FREE"), &json!("FREE"))
    );
    assert_eq!(
        (&tenant["billingInfo"], &tenant["integrations"], &tenant["domains"]),
        (&Value::Null, &Value::Null, &json!([]))
    );
}

async fn stale_version_is_rejected(app: App) {
    let world = World::new(&app).await;
    let id = world.acme.id.to_string();
    let rename = async |version: i32, name: &str| {
        let input = json!({"id": id, "version": version, "name": name});
        run(&app, "bob", "updateTenant", input, "tenant { version }").await
    };
    assert_eq!(rename(1, "First").await.data()["x"]["tenant"]["version"], 2);
    let stale = rename(1, "Second").await;
    assert_eq!(error_extensions(&stale), json!({"code": "STALE_VERSION", "currentVersion": 2}));
    assert_eq!(stale.json["data"], Value::Null);
    assert_eq!(
        rename(1, "First").await.codes(),
        ["STALE_VERSION"],
        "even though it would change nothing"
    );
    assert_eq!(rename(2, "Second").await.data()["x"]["tenant"]["version"], 3);
    let reply =
        run(&app, "ada", "deleteTenant", json!({"id": id, "version": 2}), "deletedId").await;
    assert_eq!(error_extensions(&reply), json!({"code": "STALE_VERSION", "currentVersion": 3}));
}

async fn conflict_names_the_field_but_not_the_other_tenant(app: App) {
    let world = World::new(&app).await;
    let taken =
        json!({"id": world.acme.id.to_string(), "domains": ["x.example", "initech.example"]});
    let reply = run(&app, "bob", "updateTenant", taken.clone(), "tenant { id }").await;
    assert_eq!(error_extensions(&reply), json!({"code": "CONFLICT", "field": "domains"}));
    // carol cannot see initech, and the error does not reveal it.
    let mut other_tenant = taken;
    other_tenant["id"] = world.globex.id.to_string().into();
    let reply = run(&app, "carol", "updateTenant", other_tenant, "tenant { id }").await;
    assert_eq!(error_extensions(&reply), json!({"code": "CONFLICT", "field": "domains"}));
    assert!(!reply.body.to_lowercase().contains("initech"), "{}", reply.body);
    for (input, field) in [
        (json!({"slug": "globex"}), "slug"),
        (json!({"integrations": {"authentikGroup": "grp-globex"}}), "integrations.authentikGroup"),
    ] {
        let mut update = input.clone();
        update["id"] = world.acme.id.to_string().into();
        let reply = run(&app, "ada", "updateTenant", update, "tenant { id }").await;
        assert_eq!(error_extensions(&reply), json!({"code": "CONFLICT", "field": field}));
        let mut create = json!({"slug": "new-one", "name": "X"});
        create
            .as_object_mut()
            .expect("an object")
            .extend(input.as_object().expect("an object").clone());
        let reply = run(&app, "ada", "createTenant", create, "tenant { id }").await;
        assert_eq!(error_extensions(&reply), json!({"code": "CONFLICT", "field": field}));
    }
    assert_eq!(app.audit_log().await.len(), 1, "a failed mutation records no event");
    let live = app.store.subscriptions(SubscriptionKeys::LiveOfTenants(&[world.acme.id])).await;
    assert_eq!(live.expect("a lookup").len(), 1);
}

async fn changing_the_plan_updates_the_live_subscription(app: App) {
    let world = World::new(&app).await;
    let input = json!({"id": world.acme.id.to_string(), "plan": "ENTERPRISE"});
    let reply = run(&app, "ada", "updateTenant", input, TENANT).await;
    let tenant = &reply.data()["x"]["tenant"];
    assert_eq!((&tenant["plan"], &tenant["version"]), (&json!("ENTERPRISE"), &json!(2)));
    assert_eq!(
        tenant["subscription"],
        json!({"plan": "ENTERPRISE", "status": "ACTIVE", "version": 2})
    );
    assert_eq!(
        newest_event(&app).await.2,
        json!({
            "plan": ["BUSINESS", "ENTERPRISE"],
            "subscription.plan": ["BUSINESS", "ENTERPRISE"],
        })
    );
    // The only subscription of globex has ended, so it keeps its plan.
    let input = json!({"id": world.globex.id.to_string(), "plan": "FREE"});
    let reply = run(&app, "ada", "updateTenant", input, TENANT).await;
    assert_eq!(reply.data()["x"]["tenant"]["subscription"], Value::Null);
    let ended = app.store.subscriptions(SubscriptionKeys::Ids(&[world::id(22)])).await;
    let ended = ended.expect("a lookup").remove(0).expect("a readable document");
    assert_eq!((ended.plan, ended.version), (Plan::Business, 1));
    assert_eq!(ended.status, TenantSubscriptionStatus::Canceled);
}

async fn default_tenant_keeps_its_slug_and_cannot_be_deleted(app: App) {
    World::new(&app).await;
    let created =
        run(&app, "ada", "createTenant", json!({"slug": "dezky", "name": "D"}), TENANT).await;
    let id = created.data()["x"]["tenant"]["id"].clone();
    let reply = run(&app, "ada", "updateTenant", json!({"id": id, "slug": "other"}), TENANT).await;
    assert_eq!(reply.codes(), ["FORBIDDEN"]);
    let rename = json!({"id": id, "slug": "dezky", "name": "Dezky", "status": "SUSPENDED"});
    let reply = run(&app, "ada", "updateTenant", rename, TENANT).await;
    assert_eq!(reply.data()["x"]["tenant"]["name"], "Dezky");
    let reply =
        run(&app, "ada", "deleteTenant", json!({"id": id, "version": 1}), "deletedId").await;
    assert_eq!(reply.codes(), ["FORBIDDEN"], "the permission is checked before the version");
}

async fn deleting_a_tenant_deletes_its_subscriptions_and_memberships(app: App) {
    let world = World::new(&app).await;
    let id = world.acme.id.to_string();
    let before = app.stored_user("carol").await.expect("a stored user");
    let reply = run(&app, "ada", "deleteTenant", json!({"id": id}), "deletedId").await;
    assert_eq!(reply.data()["x"], json!({"deletedId": id}));
    let subscriptions = app.store.subscriptions(SubscriptionKeys::Ids(&[world.subscription])).await;
    assert!(subscriptions.expect("a lookup").is_empty());
    let carol = app.stored_user("carol").await.expect("a stored user");
    assert_eq!(carol.membership(world.acme.id), None);
    assert!(carol.membership(world.globex.id).is_some(), "other memberships are kept");
    assert_eq!(carol.version, before.version + 1);
    assert_eq!(carol.groups_as_of, Some(world::ago(-60)), "the time of the removal and the leeway");
    let reply =
        app.query_as("carol", "{ tenant(slug: \"acme\") { id } tenants { totalCount } }").await;
    assert_eq!(reply.data(), &json!({"tenant": null, "tenants": {"totalCount": 1}}));
    let reply = run(&app, "ada", "deleteTenant", json!({"id": id}), "deletedId").await;
    assert_eq!(reply.codes(), ["NOT_FOUND"]);
    let (action, _, changes) = newest_event(&app).await;
    assert_eq!(action, "tenant.delete");
    assert_eq!(changes["slug"], json!(["acme", null]));
    // The slug, the domain and the group of a deleted tenant can be used again.
    let input = json!({"slug": "acme", "name": "Again", "domains": ["acme.example"],
        "integrations": {"authentikGroup": "grp-acme"}});
    run(&app, "ada", "createTenant", input, "tenant { id }").await.data();
    let reply = app.query_as("carol", "{ tenant(slug: \"acme\") { id } }").await;
    assert_eq!(reply.data()["tenant"], Value::Null, "a new tenant with the old slug");
}

async fn mutation_fields_see_the_effects_of_earlier_fields(app: App) {
    let world = World::new(&app).await;
    let (acme, ada) = (world.acme.id, world::id::<tenantry::domain::id::kind::User>(11));
    let query = format!(
        "mutation {{
            a: updateTenant(input: {{id: \"{acme}\", plan: FREE}}) {{ tenant {{ version subscription {{ plan }} }} }}
            b: updateTenant(input: {{id: \"{acme}\", plan: STARTER}}) {{ tenant {{ version subscription {{ plan }} }} }}
            c: updateUser(input: {{id: \"{ada}\", platformAdmin: false}}) {{ user {{ platformAdmin }} }}
            d: updateTenant(input: {{id: \"{acme}\", plan: FREE}}) {{ tenant {{ version }} }}
        }}"
    );
    let reply = app.query_as("ada", &query).await;
    assert_eq!(reply.errors(), ["NOT_FOUND d"], "{}", reply.body);
    let actions: Vec<_> = app.audit_log().await.iter().map(|event| event.action.clone()).collect();
    assert_eq!(actions[..3], ["user.update", "tenant.update", "tenant.update"]);
    let live =
        app.store.subscriptions(SubscriptionKeys::LiveOfTenants(&[acme])).await.expect("a lookup");
    let live = live[0].as_ref().expect("a readable document");
    assert_eq!((live.plan, live.version), (Plan::Starter, 3));
}
