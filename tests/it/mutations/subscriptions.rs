//! Subscriptions: made, changed, deleted, and the plan that they share with their tenant.

use serde_json::{Value, json};

use super::{faults, newest, run, told};
use crate::support::{
    app::{App, on_both_stores},
    world::{self, World},
};

on_both_stores! {
    a_new_one_gives_the_tenant_its_plan,
    a_second_live_one_is_a_conflict,
    one_that_is_over_changes_nothing,
    one_that_comes_back_is_the_live_one,
    faults_of_an_update,
    parts_are_changed_one_by_one,
    a_deleted_one_leaves_the_plan,
    one_whose_tenant_is_gone_does_not_exist,
}

const SUBSCRIPTION: &str =
    "subscription { id plan status version currentPeriodStart currentPeriodEnd
    cancelAtPeriodEnd stripe { customerId subscriptionId priceId }
    tenant { slug plan version subscription { id } } }";

async fn a_new_one_gives_the_tenant_its_plan(app: App) {
    let world = World::new(&app).await;
    let input = json!({"tenantId": world.globex.id.to_string(), "plan": "ENTERPRISE",
        "currentPeriodStart": "2026-01-01T01:00:00.0009+01:00", "stripe": {"priceId": "price_1"}});
    let reply = run(&app, "ada", "createSubscription", input, SUBSCRIPTION).await;
    let made = &reply.data()["x"]["subscription"];
    assert_eq!((&made["status"], &made["cancelAtPeriodEnd"]), (&json!("TRIALING"), &json!(false)));
    assert_eq!(made["currentPeriodStart"], "2026-01-01T00:00:00.000Z");
    assert_eq!(
        made["stripe"],
        json!({"customerId": null, "subscriptionId": null, "priceId": "price_1"})
    );
    assert_eq!(
        made["tenant"],
        json!({"slug": "globex", "plan": "ENTERPRISE", "version": 2, "subscription": {"id": made["id"]}})
    );
    let (action, kind, changes) = newest(&app).await;
    assert_eq!((&*action, &*kind), ("subscription.create", "platform_admin"));
    assert_eq!(changes["plan"], json!([null, "ENTERPRISE"]));
    assert_eq!(changes["tenant.plan"], json!(["BUSINESS", "ENTERPRISE"]));
    // Globex's admin reads that in the tenant's history, without what is the platform's.
    let log = "{ tenant(slug: \"globex\") { auditLog { nodes { action changes } } } }";
    let reply = app.ask("carol", log).await;
    let shown = &reply.data()["tenant"]["auditLog"]["nodes"][0];
    assert_eq!(shown["action"], "subscription.create");
    assert_eq!(shown["changes"]["tenant.plan"], json!({"from": "BUSINESS", "to": "ENTERPRISE"}));
    assert_eq!(shown["changes"].get("stripe.priceId"), None);
}

async fn a_second_live_one_is_a_conflict(app: App) {
    let world = World::new(&app).await;
    let input = json!({"tenantId": world.acme.id.to_string(), "plan": "FREE"});
    let reply = run(&app, "ada", "createSubscription", input.clone(), SUBSCRIPTION).await;
    assert_eq!(told(&reply), json!({"code": "CONFLICT", "field": "tenantId"}));
    let tenant = app.ask("ada", "{ tenant(slug: \"acme\") { plan version } }").await;
    assert_eq!(tenant.data()["tenant"], json!({"plan": "BUSINESS", "version": 1}), "nothing of it");
    let mut over = input;
    over["status"] = "CANCELED".into();
    let reply = run(&app, "ada", "createSubscription", over, SUBSCRIPTION).await;
    assert_eq!(reply.data()["x"]["subscription"]["tenant"]["plan"], "BUSINESS");
    let missing = json!({"tenantId": "ten_65000000000000000000ffff", "plan": "FREE",
        "currentPeriodStart": "2026-01-02T00:00:00Z", "currentPeriodEnd": "2026-01-01T00:00:00Z"});
    let reply = run(&app, "ada", "createSubscription", missing, SUBSCRIPTION).await;
    assert_eq!(reply.codes(), ["NOT_FOUND"], "before the rest of the input");
}

async fn one_that_is_over_changes_nothing(app: App) {
    let world = World::new(&app).await;
    let over = format!("sub_{}", world::id::<()>(22).raw);
    let input = json!({"id": over, "plan": "FREE"});
    let reply = run(&app, "ada", "updateSubscription", input, SUBSCRIPTION).await;
    let changed = &reply.data()["x"]["subscription"];
    assert_eq!((&changed["plan"], &changed["version"]), (&json!("FREE"), &json!(2)));
    assert_eq!(
        changed["tenant"],
        json!({"slug": "globex", "plan": "BUSINESS", "version": 1, "subscription": null})
    );
    // One that ends with this very change: its plan is nobody's any more.
    let input = json!({"id": world.subscription.to_string(), "plan": "FREE", "status": "CANCELED"});
    let reply = run(&app, "ada", "updateSubscription", input, SUBSCRIPTION).await;
    assert_eq!(
        reply.data()["x"]["subscription"]["tenant"],
        json!({"slug": "acme", "plan": "BUSINESS", "version": 1, "subscription": null})
    );
}

async fn one_that_comes_back_is_the_live_one(app: App) {
    let world = World::new(&app).await;
    let over = format!("sub_{}", world::id::<()>(22).raw);
    let free = json!({"id": world.globex.id.to_string(), "plan": "FREE"});
    run(&app, "ada", "updateTenant", free, "tenant { id }").await.data();
    let input = json!({"id": over, "status": "PAST_DUE"});
    let reply = run(&app, "ada", "updateSubscription", input, SUBSCRIPTION).await;
    let back = &reply.data()["x"]["subscription"];
    assert_eq!(
        back["tenant"],
        json!({"slug": "globex", "plan": "BUSINESS", "version": 3, "subscription": {"id": over}}),
        "the tenant has its plan again"
    );
    assert_eq!(
        newest(&app).await.2,
        json!({"status": ["CANCELED", "PAST_DUE"], "tenant.plan": ["FREE", "BUSINESS"]})
    );
    // Where another one lives, it cannot.
    let second =
        json!({"tenantId": world.acme.id.to_string(), "plan": "FREE", "status": "CANCELED"});
    let reply = run(&app, "ada", "createSubscription", second, "subscription { id }").await;
    let input = json!({"id": reply.data()["x"]["subscription"]["id"], "status": "ACTIVE"});
    let reply = run(&app, "ada", "updateSubscription", input, SUBSCRIPTION).await;
    assert_eq!(told(&reply), json!({"code": "CONFLICT", "field": "tenantId"}));
}

async fn faults_of_an_update(app: App) {
    let world = World::new(&app).await;
    let id = world.subscription.to_string();
    let input = json!({"id": id, "plan": null, "status": null, "cancelAtPeriodEnd": null,
        "currentPeriodEnd": "2020-01-01T00:00:00Z",
        "stripe": {"customerId": "x".repeat(201), "subscriptionId": "\n", "priceId": "a\u{0}b"}});
    let reply = run(&app, "ada", "updateSubscription", input, SUBSCRIPTION).await;
    assert_eq!(
        faults(&reply),
        [
            "input.plan",
            "input.status",
            "input.currentPeriodEnd",
            "input.cancelAtPeriodEnd",
            "input.stripe.customerId",
            "input.stripe.priceId",
        ],
        "it ends before it began, by what is stored"
    );
    let same = "2026-01-01T00:00:00Z";
    let input = json!({"id": id, "currentPeriodStart": same, "currentPeriodEnd": same});
    let reply = run(&app, "ada", "updateSubscription", input, SUBSCRIPTION).await;
    assert_eq!(faults(&reply), ["input.currentPeriodEnd"]);
    for time in ["yesterday", "2026-01-01", "2026-13-01T00:00:00Z"] {
        let input = json!({"id": id, "currentPeriodStart": time});
        let reply = run(&app, "ada", "updateSubscription", input, SUBSCRIPTION).await;
        assert_eq!(reply.codes(), ["GRAPHQL_VALIDATION_FAILED"], "{time}");
    }
    let input = json!({"id": id, "version": 7, "plan": "FREE"});
    let reply = run(&app, "ada", "updateSubscription", input, SUBSCRIPTION).await;
    assert_eq!(told(&reply), json!({"code": "STALE_VERSION", "currentVersion": 1}));
}

async fn parts_are_changed_one_by_one(app: App) {
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
    assert_eq!(changed["tenant"]["version"], 1, "another plan would be the tenant's too");
    let clear = json!({"id": id, "stripe": null});
    let reply = run(&app, "ada", "updateSubscription", clear, SUBSCRIPTION).await;
    assert_eq!(reply.data()["x"]["subscription"]["stripe"], Value::Null);
    let again = json!({"id": id, "stripe": null, "plan": "BUSINESS"});
    let reply = run(&app, "ada", "updateSubscription", again, SUBSCRIPTION).await;
    assert_eq!((&reply.data()["x"]["subscription"]["version"], reply.writes), (&json!(3), 0));
    let plan = json!({"id": id, "plan": "STARTER"});
    let reply = run(&app, "ada", "updateSubscription", plan, SUBSCRIPTION).await;
    let tenant = &reply.data()["x"]["subscription"]["tenant"];
    assert_eq!((&tenant["plan"], &tenant["version"]), (&json!("STARTER"), &json!(2)));
}

async fn a_deleted_one_leaves_the_plan(app: App) {
    let world = World::new(&app).await;
    let id = world.subscription.to_string();
    let stale = json!({"id": id, "version": 2});
    let reply = run(&app, "ada", "deleteSubscription", stale, "deletedId").await;
    assert_eq!(told(&reply), json!({"code": "STALE_VERSION", "currentVersion": 1}));
    let reply = run(&app, "ada", "deleteSubscription", json!({"id": id}), "deletedId").await;
    assert_eq!(reply.data()["x"], json!({"deletedId": id}));
    let tenant = app.ask("ada", "{ tenant(slug: \"acme\") { plan subscription { id } } }").await;
    assert_eq!(tenant.data()["tenant"], json!({"plan": "BUSINESS", "subscription": null}));
    let (action, _, changes) = newest(&app).await;
    assert_eq!((&*action, &changes["status"]), ("subscription.delete", &json!(["ACTIVE", null])));
    let reply = run(&app, "ada", "deleteSubscription", json!({"id": id}), "deletedId").await;
    assert_eq!(reply.codes(), ["NOT_FOUND"]);
}

async fn one_whose_tenant_is_gone_does_not_exist(app: App) {
    World::new(&app).await;
    let gone = world::tenant(9, "gone");
    let left = world::subscription(
        29,
        &gone,
        tenantry::domain::subscription::TenantSubscriptionStatus::Active,
    );
    let id = left.id.to_string();
    let change = tenantry::domain::change::Change::InsertSubscription(left);
    app.store.commit(&[change]).await.expect("free");
    let update = json!({"id": id, "plan": "FREE"});
    let reply = run(&app, "ada", "updateSubscription", update, SUBSCRIPTION).await;
    assert_eq!(reply.codes(), ["NOT_FOUND"]);
    let reply = run(&app, "ada", "deleteSubscription", json!({"id": id}), "deletedId").await;
    assert_eq!(reply.codes(), ["NOT_FOUND"]);
}
