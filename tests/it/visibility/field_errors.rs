//! The number, the paths and the order of the errors of fields.

use serde_json::{Value, json};

use super::store_world;
use crate::support::app::{App, on_both_stores};

on_both_stores! {
    field_that_is_selected_twice_has_one_error,
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
