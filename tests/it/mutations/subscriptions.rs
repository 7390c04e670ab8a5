//! Tests the mutations of subscriptions, and the plan that a subscription shares with its tenant.

use serde_json::{Value, json};

use super::{error_extensions, input_error_paths, newest_event, run};
use crate::support::{
    app::{App, on_both_stores},
    world::{self, World},
};

on_both_stores! {
    new_live_subscription_sets_the_plan_of_the_tenant,
    second_live_subscription_is_a_conflict,
    ended_subscription_does_not_change_the_tenant,
    resumed_subscription_becomes_the_live_one,
    invalid_update_reports_all_input_errors,
    update_changes_only_the_given_fields,
    deleting_a_subscription_keeps_the_plan_of_the_tenant,
    subscription_of_a_deleted_tenant_is_not_found,
}

const SUBSCRIPTION: &str =
    "subscription { id plan status version currentPeriodStart currentPeriodEnd
    cancelAtPeriodEnd stripe { customerId subscriptionId priceId }
    tenant { slug plan version subscription { id } } }";

async fn new_live_subscription_sets_the_plan_of_the_tenant(app: App) {
    let world = World::new(&app).await;
    let input = json!({"tenantId": world.globex.id.to_string(), "plan": "ENTERPRISE",
        "currentPeriodStart": "2026-01-01T01:00:00.0009+01:00", "stripe": {"priceId": "price_1"}});
    let reply = run(&app, "ada", "createSubscription", input, SUBSCRIPTION).await;
    let created = &reply.data()["x"]["subscription"];
    assert_eq!(
        (&created["status"], &created["cancelAtPeriodEnd"]),
        (&json!("TRIALING"), &json!(false))
    );
    assert_eq!(created["currentPeriodStart"], "2026-01-01T00:00:00.000Z");
    assert_eq!(
        created["stripe"],
        json!({"customerId": null, "subscriptionId": null, "priceId": "price_1"})
    );
    assert_eq!(
        created["tenant"],
        json!({"slug": "globex", "plan": "ENTERPRISE", "version": 2, "subscription": {"id": created["id"]}})
    );
    let (action, kind, changes) = newest_event(&app).await;
    assert_eq!((&*action, &*kind), ("subscription.create", "platform_admin"));
    assert_eq!(changes["plan"], json!([null, "ENTERPRISE"]));
    assert_eq!(changes["tenant.plan"], json!(["BUSINESS", "ENTERPRISE"]));
    // The admin of globex reads the event in the audit log, without the platform fields.
    let log = "{ tenant(slug: \"globex\") { auditLog { nodes { action changes } } } }";
    let reply = app.query_as("carol", log).await;
    let event = &reply.data()["tenant"]["auditLog"]["nodes"][0];
    assert_eq!(event["action"], "subscription.create");
    assert_eq!(event["changes"]["tenant.plan"], json!({"from": "BUSINESS", "to": "ENTERPRISE"}));
    assert_eq!(event["changes"].get("stripe.priceId"), None);
}

async fn second_live_subscription_is_a_conflict(app: App) {
    let world = World::new(&app).await;
    let input = json!({"tenantId": world.acme.id.to_string(), "plan": "FREE"});
    let reply = run(&app, "ada", "createSubscription", input.clone(), SUBSCRIPTION).await;
    assert_eq!(error_extensions(&reply), json!({"code": "CONFLICT", "field": "tenantId"}));
    let tenant = app.query_as("ada", "{ tenant(slug: \"acme\") { plan version } }").await;
    assert_eq!(
        tenant.data()["tenant"],
        json!({"plan": "BUSINESS", "version": 1}),
        "the tenant is unchanged"
    );
    let mut ended = input;
    ended["status"] = "CANCELED".into();
    let reply = run(&app, "ada", "createSubscription", ended, SUBSCRIPTION).await;
    assert_eq!(reply.data()["x"]["subscription"]["tenant"]["plan"], "BUSINESS");
    let missing = json!({"tenantId": "ten_65000000000000000000ffff", "plan": "FREE",
        "currentPeriodStart": "2026-01-02T00:00:00Z", "currentPeriodEnd": "2026-01-01T00:00:00Z"});
    let reply = run(&app, "ada", "createSubscription", missing, SUBSCRIPTION).await;
    assert_eq!(reply.codes(), ["NOT_FOUND"], "before the rest of the input");
}

async fn ended_subscription_does_not_change_the_tenant(app: App) {
    let world = World::new(&app).await;
    let ended = format!("sub_{}", world::id::<()>(22).raw);
    let input = json!({"id": ended, "plan": "FREE"});
    let reply = run(&app, "ada", "updateSubscription", input, SUBSCRIPTION).await;
    let changed = &reply.data()["x"]["subscription"];
    assert_eq!((&changed["plan"], &changed["version"]), (&json!("FREE"), &json!(2)));
    assert_eq!(
        changed["tenant"],
        json!({"slug": "globex", "plan": "BUSINESS", "version": 1, "subscription": null})
    );
    // A subscription that ends with this change no longer sets the plan of its tenant.
    let input = json!({"id": world.subscription.to_string(), "plan": "FREE", "status": "CANCELED"});
    let reply = run(&app, "ada", "updateSubscription", input, SUBSCRIPTION).await;
    assert_eq!(
        reply.data()["x"]["subscription"]["tenant"],
        json!({"slug": "acme", "plan": "BUSINESS", "version": 1, "subscription": null})
    );
}

async fn resumed_subscription_becomes_the_live_one(app: App) {
    let world = World::new(&app).await;
    let ended = format!("sub_{}", world::id::<()>(22).raw);
    let free = json!({"id": world.globex.id.to_string(), "plan": "FREE"});
    run(&app, "ada", "updateTenant", free, "tenant { id }").await.data();
    let input = json!({"id": ended, "status": "PAST_DUE"});
    let reply = run(&app, "ada", "updateSubscription", input, SUBSCRIPTION).await;
    let resumed = &reply.data()["x"]["subscription"];
    assert_eq!(
        resumed["tenant"],
        json!({"slug": "globex", "plan": "BUSINESS", "version": 3, "subscription": {"id": ended}}),
        "the tenant has the plan of the subscription again"
    );
    assert_eq!(
        newest_event(&app).await.2,
        json!({"status": ["CANCELED", "PAST_DUE"], "tenant.plan": ["FREE", "BUSINESS"]})
    );
    // A subscription cannot be resumed if its tenant has another live one.
    let second =
        json!({"tenantId": world.acme.id.to_string(), "plan": "FREE", "status": "CANCELED"});
    let reply = run(&app, "ada", "createSubscription", second, "subscription { id }").await;
    let input = json!({"id": reply.data()["x"]["subscription"]["id"], "status": "ACTIVE"});
    let reply = run(&app, "ada", "updateSubscription", input, SUBSCRIPTION).await;
    assert_eq!(error_extensions(&reply), json!({"code": "CONFLICT", "field": "tenantId"}));
}

async fn invalid_update_reports_all_input_errors(app: App) {
    let world = World::new(&app).await;
    let id = world.subscription.to_string();
    let input = json!({"id": id, "plan": null, "status": null, "cancelAtPeriodEnd": null,
        "currentPeriodEnd": "2020-01-01T00:00:00Z",
        "stripe": {"customerId": "x".repeat(201), "subscriptionId": "\n", "priceId": "a\u{0}b"}});
    let reply = run(&app, "ada", "updateSubscription", input, SUBSCRIPTION).await;
    assert_eq!(
        input_error_paths(&reply),
        [
            "input.plan",
            "input.status",
            "input.currentPeriodEnd",
            "input.cancelAtPeriodEnd",
            "input.stripe.customerId",
            "input.stripe.priceId",
        ],
        "the period ends before the stored start"
    );
    let same = "2026-01-01T00:00:00Z";
    let input = json!({"id": id, "currentPeriodStart": same, "currentPeriodEnd": same});
    let reply = run(&app, "ada", "updateSubscription", input, SUBSCRIPTION).await;
    assert_eq!(input_error_paths(&reply), ["input.currentPeriodEnd"]);
    for time in ["yesterday", "2026-01-01", "2026-13-01T00:00:00Z"] {
        let input = json!({"id": id, "currentPeriodStart": time});
        let reply = run(&app, "ada", "updateSubscription", input, SUBSCRIPTION).await;
        assert_eq!(reply.codes(), ["GRAPHQL_VALIDATION_FAILED"], "{time}");
    }
    let input = json!({"id": id, "version": 7, "plan": "FREE"});
    let reply = run(&app, "ada", "updateSubscription", input, SUBSCRIPTION).await;
    assert_eq!(error_extensions(&reply), json!({"code": "STALE_VERSION", "currentVersion": 1}));
}

async fn update_changes_only_the_given_fields(app: App) {
    let world = World::new(&app).await;
    let id = world.subscription.to_string();
    let input = json!({"id": id, "stripe": {"subscriptionId": "sub_1"}, "currentPeriodEnd": null,
        "cancelAtPeriodEnd": true});
    let reply = run(&app, "ada", "updateSubscription", input, SUBSCRIPTION).await;
    let changed = &reply.data()["x"]["subscription"];
    assert_eq!(
        changed["stripe"],
        json!({"customerId": "cus_acme", "subscriptionId": "sub_1", "priceId": null})
    );
    assert_eq!((&changed["currentPeriodEnd"], &changed["version"]), (&Value::Null, &json!(2)));
    assert_eq!(changed["tenant"]["version"], 1, "only a new plan changes the tenant");
    let clear = json!({"id": id, "stripe": null});
    let reply = run(&app, "ada", "updateSubscription", clear, SUBSCRIPTION).await;
    assert_eq!(reply.data()["x"]["subscription"]["stripe"], Value::Null);
    let unchanged = json!({"id": id, "stripe": null, "plan": "BUSINESS"});
    let reply = run(&app, "ada", "updateSubscription", unchanged, SUBSCRIPTION).await;
    assert_eq!((&reply.data()["x"]["subscription"]["version"], reply.writes), (&json!(3), 0));
    let plan = json!({"id": id, "plan": "STARTER"});
    let reply = run(&app, "ada", "updateSubscription", plan, SUBSCRIPTION).await;
    let tenant = &reply.data()["x"]["subscription"]["tenant"];
    assert_eq!((&tenant["plan"], &tenant["version"]), (&json!("STARTER"), &json!(2)));
}

async fn deleting_a_subscription_keeps_the_plan_of_the_tenant(app: App) {
    let world = World::new(&app).await;
    let id = world.subscription.to_string();
    let stale = json!({"id": id, "version": 2});
    let reply = run(&app, "ada", "deleteSubscription", stale, "deletedId").await;
    assert_eq!(error_extensions(&reply), json!({"code": "STALE_VERSION", "currentVersion": 1}));
    let reply = run(&app, "ada", "deleteSubscription", json!({"id": id}), "deletedId").await;
    assert_eq!(reply.data()["x"], json!({"deletedId": id}));
    let tenant =
        app.query_as("ada", "{ tenant(slug: \"acme\") { plan subscription { id } } }").await;
    assert_eq!(tenant.data()["tenant"], json!({"plan": "BUSINESS", "subscription": null}));
    let (action, _, changes) = newest_event(&app).await;
    assert_eq!((&*action, &changes["status"]), ("subscription.delete", &json!(["ACTIVE", null])));
    let reply = run(&app, "ada", "deleteSubscription", json!({"id": id}), "deletedId").await;
    assert_eq!(reply.codes(), ["NOT_FOUND"]);
}

async fn subscription_of_a_deleted_tenant_is_not_found(app: App) {
    World::new(&app).await;
    let deleted = world::tenant(9, "deleted");
    let orphan = world::subscription(
        29,
        &deleted,
        tenantry::domain::subscription::TenantSubscriptionStatus::Active,
    );
    let id = orphan.id.to_string();
    let change = tenantry::domain::change::Change::InsertSubscription(orphan);
    app.store.commit(&[change]).await.expect("identifiers are unused");
    let update = json!({"id": id, "plan": "FREE"});
    let reply = run(&app, "ada", "updateSubscription", update, SUBSCRIPTION).await;
    assert_eq!(reply.codes(), ["NOT_FOUND"]);
    let reply = run(&app, "ada", "deleteSubscription", json!({"id": id}), "deletedId").await;
    assert_eq!(reply.codes(), ["NOT_FOUND"]);
}
