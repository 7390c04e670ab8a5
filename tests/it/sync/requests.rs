//! The sync within a request: its order, its conditions, and its audit event.

use axum::http::Request;
use mongodb::bson::{DateTime, doc};
use serde_json::json;

use super::{ME, store_tenants, token};
use crate::support::{
    app::{App, Backend, on_both_stores},
    issuer::NOW,
    world::World,
};

on_both_stores! {
    me_runs_before_the_other_root_fields,
    skipped_me_does_not_sync,
    concurrent_first_me_queries_create_one_user,
    disabled_user_is_rejected_and_not_synced,
    sync_is_recorded_in_the_audit_log,
}

async fn me_runs_before_the_other_root_fields(app: App) {
    store_tenants(&app).await;
    let query = "{
        before: tenants { totalCount }
        slug: tenant(slug: \"acme\") { slug myMembership { role } billingInfo { email } }
        ...Who
        after: tenants { nodes { slug } }
    }
    fragment Who on Query { ... { mine: me { role } again: me { id } } }";
    let groups = ["tenant:acme:admin"];
    let reply = app.query_with_token(token(&app).groups(groups), query).await;
    let data = reply.data();
    assert_eq!(data["before"]["totalCount"], 1);
    assert_eq!(data["slug"]["myMembership"]["role"], "ADMIN");
    assert_eq!(data["mine"]["role"], "ADMIN");
    assert_eq!(data["after"]["nodes"], json!([{"slug": "acme"}]));
    assert_eq!(app.audit_log().await.len(), 1);
}

async fn skipped_me_does_not_sync(app: App) {
    store_tenants(&app).await;
    let signed = token(&app).groups(["tenant:acme"]).sign();
    for (query, variables) in [
        ("{ me @skip(if: true) { id } tenants { totalCount } }", json!({})),
        ("{ ... @include(if: false) { me { id } } tenants { totalCount } }", json!({})),
        (
            "query ($no: Boolean!) { me @include(if: $no) { id } tenants { totalCount } }",
            json!({"no": false}),
        ),
        (
            "query ($yes: Boolean!) { ...F @skip(if: $yes) tenants { totalCount } }
             fragment F on Query { me { id } }",
            json!({"yes": true}),
        ),
        // The default value applies if the variable is absent.
        (
            "query ($yes: Boolean = true) { me @skip(if: $yes) { id } tenants { totalCount } }",
            json!({}),
        ),
        ("query A { me { id } } query B { tenants { totalCount } }", json!({"operation": "B"})),
    ] {
        let reply = match variables["operation"].as_str() {
            None => app.query_with_variables(&signed, query, variables).await,
            Some(name) => {
                let body = json!({"query": query, "operationName": name}).to_string();
                let request = Request::post("/graphql")
                    .header("content-type", "application/json")
                    .header("authorization", format!("Bearer {signed}"));
                app.send(request.body(body.into()).expect("a request")).await
            }
        };
        assert_eq!(reply.codes(), ["USER_NOT_PROVISIONED"], "{query} {}", reply.body);
        assert_eq!(app.stored_user("bob").await, None, "{query}");
    }
    let included = "query ($yes: Boolean = true) { me @include(if: $yes) { name } }";
    let reply = app.query_with_variables(&signed, included, json!({})).await;
    assert_eq!(reply.data()["me"]["name"], "bob");
}

async fn concurrent_first_me_queries_create_one_user(app: App) {
    store_tenants(&app).await;
    let signed = token(&app).groups(["tenant:acme"]).sign();
    let requests =
        (0..32).map(|_| app.query_with_variables(&signed, "{ me { id version role } }", json!({})));
    let replies = futures_util::future::join_all(requests).await;
    for reply in &replies {
        assert_eq!(reply.data(), replies[0].data());
    }
    assert_eq!(app.audit_log().await.len(), 1);
}

async fn disabled_user_is_rejected_and_not_synced(app: App) {
    World::new(&app).await;
    app.edit_user("carol", |carol| carol.disabled = true).await;
    let stored = app.stored_user("carol").await;
    let query = "{ me { id } tenants { totalCount } }";
    assert_eq!(app.query_as("carol", query).await.codes(), ["USER_DISABLED"]);
    let token =
        token(&app).subject("carol").claim("name", json!("New")).groups(["platform-admins"]);
    let reply = app.query_with_token(token, "{ me { id } }").await;
    assert_eq!(reply.codes(), ["USER_DISABLED"]);
    assert_eq!(app.stored_user("carol").await, stored);
}

async fn sync_is_recorded_in_the_audit_log(app: App) {
    let (acme, _) = store_tenants(&app).await;
    let signed = token(&app).groups(["tenant:acme:admin"]).sign();
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("x-request-id", "r.1")
        .header("authorization", format!("Bearer {signed}"));
    let body = json!({"query": ME}).to_string();
    app.send(request.body(body.into()).expect("a request")).await.data();
    let bob = app.stored_user("bob").await.expect("created");
    let events = app.audit_log().await;
    let [event] = &events[..] else { panic!("{events:?}") };
    assert_eq!((event.action.as_str(), event.actor), ("user.sync", Some(bob.id)));
    assert_eq!((&event.tenants[..], event.at), (&[acme.id][..], bob.created_at));
    assert_eq!(event.request_id.as_deref(), Some("r.1"));
    let query = "{ tenant(slug: \"acme\") { auditLog { nodes { action actorKind actor { name }
        target { ... on User { name } } tenant { slug } requestId changes } } } }";
    let reply = app.query_as("bob", query).await;
    let mut expected = json!({
        "action": "user.sync",
        "actorKind": "USER",
        "actor": {"name": "bob"},
        "target": {"name": "bob"},
        "tenant": {"slug": "acme"},
        "requestId": "r.1",
        "changes": {
            "name": {"from": null, "to": "bob"},
            "subject": {"from": null, "to": "bob"},
        },
    });
    expected["changes"][format!("memberships.{}", acme.id)] = json!({"from": null, "to": "ADMIN"});
    assert_eq!(reply.data()["tenant"]["auditLog"]["nodes"], json!([expected]));
}

/// Tokens from before the deletion of a user are rejected. The test inserts the tombstone as a
/// manual edit, so it runs on MongoDB only.
#[tokio::test]
async fn tombstone_rejects_tokens_from_before_the_deletion() {
    let app = App::on(Backend::Mongo).await;
    let mongo = app.mongo.as_ref().expect("on MongoDB");
    let deleted_at = (NOW - 200) * 1000;
    let tombstone = doc! { "issuer": app.issuer.url(), "subject": "bob", "deletedAt": DateTime::from_millis(deleted_at) };
    mongo.insert("tombstones", vec![tombstone]).await;
    let rejected = [
        token(&app).issued_at(NOW - 300),
        token(&app).issued_at(NOW - 200),
        token(&app).issued_at(NOW - 140),
        token(&app).without("iat"),
    ];
    for old in rejected {
        for query in ["{ me { id } }", "{ tenants { totalCount } }"] {
            let reply = app.query_with_token(old.clone(), query).await;
            assert_eq!(reply.codes(), ["USER_NOT_PROVISIONED"], "{query}");
        }
    }
    assert_eq!(app.stored_user("bob").await, None);
    assert_eq!(
        app.query_with_token(token(&app).subject("carol"), "{ me { name } }").await.codes(),
        [""; 0]
    );
    let new = token(&app).issued_at(NOW - 139);
    assert_eq!(app.query_with_token(new, "{ me { name } }").await.data()["me"]["name"], "bob");
}
