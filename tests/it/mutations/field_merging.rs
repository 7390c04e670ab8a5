//! Tests field merging: root fields with the same response key are one field, which runs once.

use serde_json::json;

use super::run;
use crate::support::{
    app::{App, on_both_stores},
    world::World,
};

on_both_stores! {
    mutation_field_selected_twice_runs_once,
    conflicting_mutation_fields_are_rejected,
}

async fn mutation_field_selected_twice_runs_once(app: App) {
    let world = World::new(&app).await;
    let token = app.token("ada", []);
    // Clients that have a fragment for each component send such documents.
    let query = "mutation($input: CreateSubscriptionInput!) { ...A ...B ... on Mutation { ...A } }
        fragment A on Mutation { createSubscription(input: $input) { subscription { id } } }
        fragment B on Mutation {
            createSubscription(input: $input) { subscription { status tenant { slug } } } }";
    let input =
        json!({"tenantId": world.globex.id.to_string(), "plan": "FREE", "status": "CANCELED"});
    let reply = app.query_with_variables(&token, query, json!({ "input": input })).await;
    let created = reply.data()["createSubscription"]["subscription"].clone();
    assert_eq!(
        (&created["status"], &created["tenant"]["slug"]),
        (&json!("CANCELED"), &json!("globex"))
    );
    assert_eq!(app.audit_log().await.len(), 2, "one more event");
    let query = "mutation($input: CreateTenantInput!) {
        a: createTenant(input: $input) { tenant { id } }
        b: deleteTenant(input: {id: \"ten_650000000000000000000002\"}) { deletedId }
        a: createTenant(input: $input) { tenant { slug } } }";
    let input = json!({"slug": "one", "name": "One"});
    let reply = app.query_with_variables(&token, query, json!({ "input": input })).await;
    assert_eq!(reply.data()["a"]["tenant"]["slug"], "one");
    let leave = json!({"tenantId": world.acme.id.to_string(), "userId": world.carol.to_string()});
    let reply = run(
        &app,
        "carol",
        "removeTenantMember",
        leave,
        "removedUserId } x: removeTenantMember(input: $input) { tenant { slug }",
    )
    .await;
    assert_eq!(reply.data()["x"]["tenant"]["slug"], "acme");
    assert_eq!(reply.data()["x"]["removedUserId"], world.carol.to_string());
    assert_eq!(app.audit_log().await.len(), 5);
}

async fn conflicting_mutation_fields_are_rejected(app: App) {
    World::new(&app).await;
    for query in [
        "mutation { createTenant(input: {slug: \"one\", name: \"X\"}) { tenant { id } } ...F }
            fragment F on Mutation {
                createTenant(input: {slug: \"two\", name: \"X\"}) { tenant { slug } } }",
        "mutation { a: createTenant(input: {slug: \"one\", name: \"X\"}) { tenant { id } } ...F }
            fragment F on Mutation {
                a: deleteTenant(input: {id: \"ten_650000000000000000000002\"}) { deletedId } }",
        "mutation { ... { a: createTenant(input: {slug: \"one\", name: \"X\"}) { tenant { id } } }
            ... on Mutation {
                a: createTenant(input: {slug: \"one\", name: \"Y\"}) { tenant { id } } } }",
    ] {
        let reply = app.query_as("ada", query).await;
        assert_eq!(reply.codes(), ["GRAPHQL_VALIDATION_FAILED"], "{}", reply.body);
        assert_eq!(app.audit_log().await.len(), 1, "no field ran: {query}");
    }
}
