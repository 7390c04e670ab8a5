//! The number, the paths and the order of the errors of fields.

use serde_json::{Value, json};

use super::store_world;
use crate::support::app::{App, on_both_stores};

on_both_stores! {
    field_that_is_selected_twice_has_one_error,
    root_fields_with_one_response_key_are_one_field,
    fragments_that_repeat_each_other_are_visited_once,
    error_has_the_path_of_its_field,
    errors_are_in_the_order_of_the_document,
}

async fn field_that_is_selected_twice_has_one_error(app: App) {
    store_world(&app).await;
    let query = "{ tenant(slug: \"acme\") { billingInfo { email } ...More slug } }
        fragment More on Tenant { billingInfo { vatId } ... on Node { __typename } }";
    // carol is a member of acme.
    let reply = app.query_as("carol", query).await;
    assert_eq!(reply.errors(), ["FORBIDDEN tenant.billingInfo"]);
    let tenant = json!({ "billingInfo": null, "__typename": "Tenant", "slug": "acme" });
    assert_eq!(reply.json["data"]["tenant"], tenant);
    // bob is its owner, so both selections are merged.
    let reply = app.query_as("bob", query).await;
    let billing = reply.data()["tenant"]["billingInfo"].as_object().expect("billing information");
    assert_eq!(billing.keys().collect::<Vec<_>>(), ["email", "vatId"]);
}

async fn root_fields_with_one_response_key_are_one_field(app: App) {
    let id = store_world(&app).await.acme.id;
    let query = r#"{
        tenant(slug: "acme") { slug billingInfo { email } subscription { plan } }
        ...First nodes(ids: ["ID", "ID"]) { id }
        ... { tenant(slug: "acme") { billingInfo { vatId } subscription { status } } }
        ...First again: tenant(slug: "acme") { slug }
    }
    fragment First on Query {
        tenant(slug: "acme") { version } nodes(ids: ["ID", "ID"]) { ... on Tenant { slug } }
    }"#;
    // carol is a member of acme.
    let reply = app.query_as("carol", &query.replace("ID", &id.to_string())).await;
    assert_eq!(reply.errors(), ["FORBIDDEN tenant.billingInfo"], "{}", reply.body);
    let subscription = json!({ "plan": "BUSINESS", "status": "ACTIVE" });
    let tenant = json!({
        "slug": "acme", "billingInfo": null, "subscription": subscription, "version": 1,
    });
    let node = json!({ "id": id.to_string(), "slug": "acme" });
    let data = json!({ "tenant": tenant, "nodes": [node, node], "again": { "slug": "acme" } });
    assert_eq!(reply.json["data"], data);
    let mutation = r#"mutation {
        updateTenant(input: {id: "ID", name: "Acme Inc."}) { tenant { name } }
        updateTenant(input: {id: "ID", name: "Acme Inc."}) { tenant { version } tenant { slug } }
    }"#;
    let reply = app.query_as("bob", &mutation.replace("ID", &id.to_string())).await;
    let tenant = json!({ "name": "Acme Inc.", "version": 2, "slug": "acme" });
    assert_eq!(reply.data(), &json!({ "updateTenant": { "tenant": tenant } }));
}

async fn fragments_that_repeat_each_other_are_visited_once(app: App) {
    store_world(&app).await;
    let mut query = "{ tenant(slug: \"acme\") { ...F6 } }
        fragment F0 on Tenant { slug billingInfo { email } }"
        .to_owned();
    for n in 1..=6 {
        let inner = n - 1;
        query += &format!(" fragment F{n} on Tenant {{ ...F{inner} ... {{ ...F{inner} }} }}");
    }
    let reply = app.query_as("carol", &query).await;
    assert_eq!(reply.errors(), ["FORBIDDEN tenant.billingInfo"]);
    let tenant = json!({ "slug": "acme", "billingInfo": null });
    assert_eq!(reply.json["data"], json!({ "tenant": tenant }));
}

async fn error_has_the_path_of_its_field(app: App) {
    store_world(&app).await;
    let query = "{ me { memberships { tenant { members(first: 101) { totalCount } } } } }";
    let reply = app.query_as("mallory", query).await;
    assert_eq!(reply.data(), &json!({ "me": { "memberships": [] } }));
    // No field between the connection and `data` is nullable.
    let reply = app.query_as("carol", query).await;
    assert_eq!(reply.errors(), ["BAD_USER_INPUT me.memberships.0.tenant.members"]);
    assert_eq!(reply.json["data"], Value::Null);
}

async fn errors_are_in_the_order_of_the_document(app: App) {
    store_world(&app).await;
    // The subscription is read, so its error is the last to occur.
    let query = "{ tenant(slug: \"acme\") { subscription { stripe { priceId } }
        integrations { ocisSpace } billingInfo { email } } }";
    let reply = app.query_as("carol", query).await;
    let errors = reply.json["errors"].as_array().expect("errors");
    let last = |error: &Value| error["path"].as_array().and_then(|path| path.last()).cloned();
    let fields: Vec<_> = errors.iter().filter_map(last).collect();
    assert_eq!(fields, ["stripe", "integrations", "billingInfo"]);
}
