//! Tenants: made, changed, deleted.

use serde_json::{Value, json};
use tenantry::{
    domain::{subscription::TenantSubscriptionStatus, tenant::Plan},
    store::{SubscriptionKeys, TenantKeys},
};

use super::{faults, newest, run, told};
use crate::support::{
    app::{App, on_both_stores},
    world::{self, World},
};

on_both_stores! {
    a_tenant_comes_with_its_subscription,
    all_faults_come_at_once,
    forms_are_made_canonical,
    what_is_left_out_stays_and_null_clears,
    null_is_a_fault_where_a_value_must_be,
    what_changes_nothing_writes_nothing,
    a_version_holds_off_the_late,
    a_conflict_names_the_field_and_nobody,
    the_plan_is_the_subscriptions_too,
    the_default_tenant_stays,
    a_deleted_tenant_takes_all_along,
    one_field_after_another_sees_what_was_done,
}

const TENANT: &str = "tenant { id slug name status plan domains version createdAt updatedAt
    billingInfo { companyName email vatId address { line1 line2 city region postalCode country } }
    integrations { authentikGroup ocisSpace stalwartDomain }
    subscription { plan status version } }";

async fn a_tenant_comes_with_its_subscription(app: App) {
    World::new(&app).await;
    let input = json!({
        "slug": "hooli", "name": "  Hooli  ", "plan": "STARTER", "domains": ["hooli.example"],
        "billingInfo": {"email": "pay@hooli.example", "address": {"country": "DE", "line2": ""}},
        "integrations": {"authentikGroup": "hooli-people"},
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
    let (action, kind, changes) = newest(&app).await;
    assert_eq!((&*action, &*kind), ("tenant.create", "platform_admin"));
    assert_eq!(changes["slug"], json!([null, "hooli"]));
    assert_eq!(changes["billingInfo.address.country"], json!([null, "DE"]));
    assert_eq!(changes.get("billingInfo.vatId"), None);
    // The least that a tenant can be.
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

async fn all_faults_come_at_once(app: App) {
    let world = World::new(&app).await;
    let long = "x".repeat(201);
    let bad = json!({
        "slug": "-Bad-", "name": " \u{7} ",
        "domains": ["good.example", "a b", "com", "GOOD.example", "127.0.0.1"],
        "billingInfo": {
            "companyName": long, "email": "nobody", "vatId": "12",
            "address": {"line1": "a\nb", "line2": long, "city": long, "region": long,
                        "postalCode": long, "country": "ZZ"},
        },
        "integrations": {"authentikGroup": long, "ocisSpace": "\u{0}", "stalwartDomain": "co.uk"},
    });
    let expected = [
        "input.slug",
        "input.name",
        "input.domains.1",
        "input.domains.2",
        "input.domains.3",
        "input.domains.4",
        "input.billingInfo.companyName",
        "input.billingInfo.email",
        "input.billingInfo.vatId",
        "input.billingInfo.address.line1",
        "input.billingInfo.address.line2",
        "input.billingInfo.address.city",
        "input.billingInfo.address.region",
        "input.billingInfo.address.postalCode",
        "input.billingInfo.address.country",
        "input.integrations.authentikGroup",
        "input.integrations.ocisSpace",
        "input.integrations.stalwartDomain",
    ];
    let reply = run(&app, "ada", "createTenant", bad.clone(), "tenant { id }").await;
    assert_eq!(faults(&reply), expected);
    let mut update = bad;
    update["id"] = world.acme.id.to_string().into();
    update["version"] = 99.into();
    let reply = run(&app, "ada", "updateTenant", update, "tenant { id }").await;
    assert_eq!(faults(&reply), expected, "before the version is looked at");
    for slug in ["a", "me", "www", "status", "new", "ÄÖ", "a_b", "a--", &"x".repeat(64)] {
        let input = json!({"slug": slug, "name": "X"});
        let reply = run(&app, "ada", "createTenant", input, "tenant { id }").await;
        assert_eq!(faults(&reply), ["input.slug"], "{slug}");
    }
    let many: Vec<String> = (0..101).map(|n| format!("d{n}.example")).collect();
    let input = json!({"slug": "many", "name": "X", "domains": many});
    let reply = run(&app, "ada", "createTenant", input, "tenant { id }").await;
    assert_eq!(faults(&reply), ["input.domains"]);
    assert_eq!(app.history().await.len(), 1, "a refused mutation leaves no history");
}

async fn forms_are_made_canonical(app: App) {
    World::new(&app).await;
    let input = json!({
        "slug": "forms", "name": "X", "domains": ["Bücher.Example.", "github.io"],
        "billingInfo": {"vatId": "de 123-456.789", "email": " a@b.example ",
                        "address": {"country": "de", "city": "  Köln "}},
    });
    let reply = run(&app, "ada", "createTenant", input, TENANT).await;
    let tenant = &reply.data()["x"]["tenant"];
    assert_eq!(tenant["domains"], json!(["xn--bcher-kva.example", "github.io"]));
    let billing = &tenant["billingInfo"];
    assert_eq!(billing["vatId"], "DE123456789");
    assert_eq!(billing["email"], "a@b.example");
    assert_eq!(billing["address"]["country"], "DE");
    assert_eq!(billing["address"]["city"], "Köln");
}

async fn what_is_left_out_stays_and_null_clears(app: App) {
    let world = World::new(&app).await;
    let id = world.acme.id.to_string();
    let change = async |input: Value| {
        let mut input = input;
        input["id"] = id.clone().into();
        let reply = run(&app, "ada", "updateTenant", input, TENANT).await;
        reply.data()["x"]["tenant"].clone()
    };
    let after = change(json!({"name": "Acme 2"})).await;
    assert_eq!((&after["name"], &after["version"]), (&json!("Acme 2"), &json!(2)));
    assert_eq!(after["domains"], json!(["acme.example"]));
    assert_eq!(after["billingInfo"]["vatId"], "DE123456789");
    assert_eq!(newest(&app).await.2, json!({"name": ["Acme", "Acme 2"]}));

    let after =
        change(json!({"billingInfo": {"vatId": null, "address": {"line1": "Weg 1"}}})).await;
    assert_eq!(after["billingInfo"]["vatId"], Value::Null);
    assert_eq!(after["billingInfo"]["email"], "billing@acme.example");
    assert_eq!(after["billingInfo"]["address"]["line1"], "Weg 1");
    assert_eq!(after["billingInfo"]["address"]["city"], "Berlin");
    assert_eq!(
        newest(&app).await.2,
        json!({
            "billingInfo.vatId": ["DE123456789", null],
            "billingInfo.address.line1": [null, "Weg 1"],
        })
    );
    let after = change(json!({"billingInfo": {"address": null}, "domains": ["b.example"]})).await;
    assert_eq!(after["billingInfo"]["address"], Value::Null);
    assert_eq!(after["domains"], json!(["b.example"]));
    let after =
        change(json!({"billingInfo": null, "integrations": {"authentikGroup": null}})).await;
    assert_eq!(after["billingInfo"], Value::Null);
    assert_eq!(
        after["integrations"],
        json!({"authentikGroup": null, "ocisSpace": "space-acme",
        "stalwartDomain": null})
    );
    let after = change(json!({"domains": [], "integrations": null, "status": "PENDING"})).await;
    assert_eq!((&after["domains"], &after["integrations"]), (&json!([]), &Value::Null));
    assert_eq!((&after["status"], &after["version"]), (&json!("PENDING"), &json!(6)));
    let stored = app.store.tenants(TenantKeys::Ids(&[world.acme.id])).await.expect("a read");
    let stored = stored[0].as_ref().expect("readable");
    assert_eq!((stored.version, &stored.billing_info), (6, &None), "as answered, so stored");
}

async fn null_is_a_fault_where_a_value_must_be(app: App) {
    let world = World::new(&app).await;
    let input = json!({"id": world.acme.id.to_string(), "slug": null, "name": null,
        "status": null, "plan": null, "domains": null, "version": null});
    let reply = run(&app, "ada", "updateTenant", input, "tenant { id }").await;
    assert_eq!(
        faults(&reply),
        ["input.slug", "input.name", "input.status", "input.plan", "input.domains"]
    );
}

async fn what_changes_nothing_writes_nothing(app: App) {
    let world = World::new(&app).await;
    let same = json!({
        "id": world.acme.id.to_string(), "version": 1, "slug": "acme", "name": " Acme ",
        "plan": "BUSINESS", "status": "ACTIVE", "domains": ["ACME.example"],
        "billingInfo": {"email": "billing@acme.example", "address": {}}, "integrations": {},
    });
    app.clock.advance(60);
    let reply = run(&app, "ada", "updateTenant", same, TENANT).await;
    let tenant = &reply.data()["x"]["tenant"];
    assert_eq!(tenant["version"], 1);
    assert_eq!(tenant["updatedAt"], tenant["createdAt"]);
    assert_eq!(reply.writes, 0);
    assert_eq!(app.history().await.len(), 1);
}

async fn a_version_holds_off_the_late(app: App) {
    let world = World::new(&app).await;
    let id = world.acme.id.to_string();
    let rename = async |version: i32, name: &str| {
        let input = json!({"id": id, "version": version, "name": name});
        run(&app, "bob", "updateTenant", input, "tenant { version }").await
    };
    assert_eq!(rename(1, "First").await.data()["x"]["tenant"]["version"], 2);
    let late = rename(1, "Second").await;
    assert_eq!(told(&late), json!({"code": "STALE_VERSION", "currentVersion": 2}));
    assert_eq!(late.json["data"], Value::Null);
    assert_eq!(
        rename(1, "First").await.codes(),
        ["STALE_VERSION"],
        "though it would change nothing"
    );
    assert_eq!(rename(2, "Second").await.data()["x"]["tenant"]["version"], 3);
    let reply =
        run(&app, "ada", "deleteTenant", json!({"id": id, "version": 2}), "deletedId").await;
    assert_eq!(told(&reply), json!({"code": "STALE_VERSION", "currentVersion": 3}));
}

async fn a_conflict_names_the_field_and_nobody(app: App) {
    let world = World::new(&app).await;
    let taken =
        json!({"id": world.acme.id.to_string(), "domains": ["x.example", "initech.example"]});
    let reply = run(&app, "bob", "updateTenant", taken.clone(), "tenant { id }").await;
    assert_eq!(told(&reply), json!({"code": "CONFLICT", "field": "domains"}));
    // carol knows nothing of initech, and learns nothing.
    let mut elsewhere = taken;
    elsewhere["id"] = world.globex.id.to_string().into();
    let reply = run(&app, "carol", "updateTenant", elsewhere, "tenant { id }").await;
    assert_eq!(told(&reply), json!({"code": "CONFLICT", "field": "domains"}));
    assert!(!reply.body.to_lowercase().contains("initech"), "{}", reply.body);
    for (input, field) in [
        (json!({"slug": "globex"}), "slug"),
        (json!({"integrations": {"authentikGroup": "grp-globex"}}), "integrations.authentikGroup"),
    ] {
        let mut update = input.clone();
        update["id"] = world.acme.id.to_string().into();
        let reply = run(&app, "ada", "updateTenant", update, "tenant { id }").await;
        assert_eq!(told(&reply), json!({"code": "CONFLICT", "field": field}));
        let mut create = json!({"slug": "new-one", "name": "X"});
        create.as_object_mut().expect("an object").extend(input.as_object().expect("one").clone());
        let reply = run(&app, "ada", "createTenant", create, "tenant { id }").await;
        assert_eq!(told(&reply), json!({"code": "CONFLICT", "field": field}));
    }
    assert_eq!(app.history().await.len(), 1, "a failed mutation leaves no history");
    let live = app.store.subscriptions(SubscriptionKeys::LiveOfTenants(&[world.acme.id])).await;
    assert_eq!(live.expect("a read").len(), 1);
}

async fn the_plan_is_the_subscriptions_too(app: App) {
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
        newest(&app).await.2,
        json!({
            "plan": ["BUSINESS", "ENTERPRISE"],
            "subscription.plan": ["BUSINESS", "ENTERPRISE"],
        })
    );
    // Globex's only subscription is over: it stays what it was.
    let input = json!({"id": world.globex.id.to_string(), "plan": "FREE"});
    let reply = run(&app, "ada", "updateTenant", input, TENANT).await;
    assert_eq!(reply.data()["x"]["tenant"]["subscription"], Value::Null);
    let over = app.store.subscriptions(SubscriptionKeys::Ids(&[world::id(22)])).await;
    let over = over.expect("a read").remove(0).expect("readable");
    assert_eq!((over.plan, over.version), (Plan::Business, 1));
    assert_eq!(over.status, TenantSubscriptionStatus::Canceled);
}

async fn the_default_tenant_stays(app: App) {
    World::new(&app).await;
    let made =
        run(&app, "ada", "createTenant", json!({"slug": "dezky", "name": "D"}), TENANT).await;
    let id = made.data()["x"]["tenant"]["id"].clone();
    let reply = run(&app, "ada", "updateTenant", json!({"id": id, "slug": "other"}), TENANT).await;
    assert_eq!(reply.codes(), ["FORBIDDEN"]);
    let rename = json!({"id": id, "slug": "dezky", "name": "Dezky", "status": "SUSPENDED"});
    let reply = run(&app, "ada", "updateTenant", rename, TENANT).await;
    assert_eq!(reply.data()["x"]["tenant"]["name"], "Dezky");
    let reply =
        run(&app, "ada", "deleteTenant", json!({"id": id, "version": 1}), "deletedId").await;
    assert_eq!(reply.codes(), ["FORBIDDEN"], "before the version is looked at");
}

async fn a_deleted_tenant_takes_all_along(app: App) {
    let world = World::new(&app).await;
    let id = world.acme.id.to_string();
    let before = app.stored("carol").await.expect("stored");
    let reply = run(&app, "ada", "deleteTenant", json!({"id": id}), "deletedId").await;
    assert_eq!(reply.data()["x"], json!({"deletedId": id}));
    let found = app.store.subscriptions(SubscriptionKeys::Ids(&[world.subscription])).await;
    assert!(found.expect("a read").is_empty());
    let carol = app.stored("carol").await.expect("stored");
    assert_eq!(carol.membership(world.acme.id), None);
    assert!(carol.membership(world.globex.id).is_some(), "only that one");
    assert_eq!(carol.version, before.version + 1);
    assert_eq!(carol.groups_as_of, Some(world::ago(-60)), "the time of the removal and the leeway");
    let reply = app.ask("carol", "{ tenant(slug: \"acme\") { id } tenants { totalCount } }").await;
    assert_eq!(reply.data(), &json!({"tenant": null, "tenants": {"totalCount": 1}}));
    let reply = run(&app, "ada", "deleteTenant", json!({"id": id}), "deletedId").await;
    assert_eq!(reply.codes(), ["NOT_FOUND"]);
    let (action, _, changes) = newest(&app).await;
    assert_eq!(action, "tenant.delete");
    assert_eq!(changes["slug"], json!(["acme", null]));
    // What is gone is free.
    let input = json!({"slug": "acme", "name": "Again", "domains": ["acme.example"],
        "integrations": {"authentikGroup": "grp-acme"}});
    run(&app, "ada", "createTenant", input, "tenant { id }").await.data();
    let reply = app.ask("carol", "{ tenant(slug: \"acme\") { id } }").await;
    assert_eq!(reply.data()["tenant"], Value::Null, "a new tenant of the old name");
}

async fn one_field_after_another_sees_what_was_done(app: App) {
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
    let reply = app.ask("ada", &query).await;
    assert_eq!(reply.errors(), ["NOT_FOUND d"], "{}", reply.body);
    let plans: Vec<_> = app.history().await.iter().map(|event| event.action.clone()).collect();
    assert_eq!(plans[..3], ["user.update", "tenant.update", "tenant.update"]);
    let live =
        app.store.subscriptions(SubscriptionKeys::LiveOfTenants(&[acme])).await.expect("a read");
    let live = live[0].as_ref().expect("readable");
    assert_eq!((live.plan, live.version), (Plan::Starter, 3));
}
