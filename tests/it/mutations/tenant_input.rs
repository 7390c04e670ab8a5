//! Tests how the input of tenant mutations is validated, normalized and applied.

use serde_json::{Value, json};
use tenantry::store::TenantKeys;

use super::{input_error_paths, newest_event, run, tenants::TENANT};
use crate::support::{
    app::{App, on_both_stores},
    world::World,
};

on_both_stores! {
    all_input_errors_are_reported_at_once,
    input_values_are_normalized,
    omitted_fields_are_kept_and_null_clears_a_field,
    null_for_a_required_field_is_an_input_error,
    update_without_changes_writes_nothing,
}

async fn all_input_errors_are_reported_at_once(app: App) {
    let world = World::new(&app).await;
    let long = "x".repeat(201);
    let invalid = json!({
        "slug": "-Bad-", "name": " \u{7} ",
        "domains": ["good.example", "a b", "com", "GOOD.example", "127.0.0.1"],
        "billingInfo": {
            "companyName": long, "email": "invalid", "vatId": "12",
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
    let reply = run(&app, "ada", "createTenant", invalid.clone(), "tenant { id }").await;
    assert_eq!(input_error_paths(&reply), expected);
    let mut update = invalid;
    update["id"] = world.acme.id.to_string().into();
    update["version"] = 99.into();
    let reply = run(&app, "ada", "updateTenant", update, "tenant { id }").await;
    assert_eq!(input_error_paths(&reply), expected, "input errors come before the version check");
    for slug in ["a", "me", "www", "status", "new", "ÄÖ", "a_b", "a--", &"x".repeat(64)] {
        let input = json!({"slug": slug, "name": "X"});
        let reply = run(&app, "ada", "createTenant", input, "tenant { id }").await;
        assert_eq!(input_error_paths(&reply), ["input.slug"], "{slug}");
    }
    let many: Vec<String> = (0..101).map(|n| format!("d{n}.example")).collect();
    let input = json!({"slug": "many", "name": "X", "domains": many});
    let reply = run(&app, "ada", "createTenant", input, "tenant { id }").await;
    assert_eq!(input_error_paths(&reply), ["input.domains"]);
    assert_eq!(app.audit_log().await.len(), 1, "a rejected mutation records no event");
}

async fn input_values_are_normalized(app: App) {
    World::new(&app).await;
    let input = json!({
        "slug": "normalized", "name": "X", "domains": ["Bücher.Example.", "github.io"],
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

async fn omitted_fields_are_kept_and_null_clears_a_field(app: App) {
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
    assert_eq!(newest_event(&app).await.2, json!({"name": ["Acme", "Acme 2"]}));

    let after =
        change(json!({"billingInfo": {"vatId": null, "address": {"line1": "Weg 1"}}})).await;
    assert_eq!(after["billingInfo"]["vatId"], Value::Null);
    assert_eq!(after["billingInfo"]["email"], "billing@acme.example");
    assert_eq!(after["billingInfo"]["address"]["line1"], "Weg 1");
    assert_eq!(after["billingInfo"]["address"]["city"], "Berlin");
    assert_eq!(
        newest_event(&app).await.2,
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
    let stored = app.store.tenants(TenantKeys::Ids(&[world.acme.id])).await.expect("a lookup");
    let stored = stored[0].as_ref().expect("a readable document");
    assert_eq!(
        (stored.version, &stored.billing_info),
        (6, &None),
        "the stored tenant equals the response"
    );
}

async fn null_for_a_required_field_is_an_input_error(app: App) {
    let world = World::new(&app).await;
    let input = json!({"id": world.acme.id.to_string(), "slug": null, "name": null,
        "status": null, "plan": null, "domains": null, "version": null});
    let reply = run(&app, "ada", "updateTenant", input, "tenant { id }").await;
    assert_eq!(
        input_error_paths(&reply),
        ["input.slug", "input.name", "input.status", "input.plan", "input.domains"]
    );
}

async fn update_without_changes_writes_nothing(app: App) {
    let world = World::new(&app).await;
    let unchanged = json!({
        "id": world.acme.id.to_string(), "version": 1, "slug": "acme", "name": " Acme ",
        "plan": "BUSINESS", "status": "ACTIVE", "domains": ["ACME.example"],
        "billingInfo": {"email": "billing@acme.example", "address": {}}, "integrations": {},
    });
    app.clock.advance(60);
    let reply = run(&app, "ada", "updateTenant", unchanged, TENANT).await;
    let tenant = &reply.data()["x"]["tenant"];
    assert_eq!(tenant["version"], 1);
    assert_eq!(tenant["updatedAt"], tenant["createdAt"]);
    assert_eq!(reply.writes, 0);
    assert_eq!(app.audit_log().await.len(), 1);
}
