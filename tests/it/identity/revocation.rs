//! A right that is removed in the database stops working at the next request, on every instance.

use axum::{Router, body::Body, http::Request};
use mongodb::bson::doc;
use serde_json::{Value, json};
use tenantry::domain::user::MembershipSource;

use super::edit_manually;
use crate::support::{
    app::{App, Reply, on_both_stores, send},
    world::World,
};

on_both_stores! {
    disabled_user_is_rejected_at_the_next_request,
    removed_membership_is_gone_at_the_next_request,
    lowered_role_applies_at_the_next_request,
    platform_admin_flag_applies_at_the_next_request,
}

/// Two instances of the gateway on one database.
struct Instances<'a> {
    app: &'a App,
    other: Router,
}

impl<'a> Instances<'a> {
    async fn new(app: &'a App) -> Self {
        Self { app, other: app.second_instance().await }
    }

    /// Sends the same query with the same valid token to both instances.
    async fn query(&self, subject: &str, query: &str) -> [Reply; 2] {
        let token = self.app.token(subject, []);
        let body = json!({"query": query}).to_string();
        let request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {token}"));
        let other = send(&self.other, request.body(Body::from(body)).expect("a request"));
        [self.app.query_with_variables(&token, query, json!({})).await, other.await]
    }

    /// Asserts that both responses have exactly these error codes.
    #[track_caller]
    fn assert_codes(replies: &[Reply; 2], codes: &[&str]) {
        for reply in replies {
            assert_eq!(reply.codes(), codes, "{}", reply.body);
        }
    }
}

async fn disabled_user_is_rejected_at_the_next_request(app: App) {
    World::new(&app).await;
    let instances = Instances::new(&app).await;
    for query in ["{ me { id } }", "{ tenants { totalCount } }", "{ node(id: \"ten_1\") { id } }"] {
        let before = instances.query("bob", query).await;
        assert!(before.iter().all(|reply| !reply.codes().contains(&"USER_DISABLED")));
    }
    edit_manually(&app, "bob", doc! { "$set": { "disabled": true } }, |bob| bob.disabled = true)
        .await;
    for query in ["{ me { id } }", "{ tenants { totalCount } }"] {
        Instances::assert_codes(&instances.query("bob", query).await, &["USER_DISABLED"]);
    }
    // A query that needs no viewer is allowed, and reveals nothing about the user.
    Instances::assert_codes(&instances.query("bob", "{ __typename }").await, &[]);
    edit_manually(&app, "bob", doc! { "$unset": { "disabled": 1 } }, |bob| bob.disabled = false)
        .await;
    Instances::assert_codes(&instances.query("bob", "{ me { id } }").await, &[]);
}

async fn removed_membership_is_gone_at_the_next_request(app: App) {
    let world = World::new(&app).await;
    let instances = Instances::new(&app).await;
    let query = "{ tenant(slug: \"acme\") { slug } tenants { nodes { slug } } }";
    for reply in instances.query("carol", query).await {
        assert_eq!(reply.data()["tenant"]["slug"], "acme");
    }
    let acme = mongodb::bson::oid::ObjectId::from_bytes(world.acme.id.raw.0);
    let pull = doc! { "$pull": { "memberships": { "tenantId": acme } } };
    edit_manually(&app, "carol", pull, |carol| {
        carol.memberships.retain(|m| m.tenant_id != world.acme.id);
    })
    .await;
    for reply in instances.query("carol", query).await {
        assert_eq!(reply.data()["tenant"], Value::Null);
        assert!(!reply.body.contains("acme"), "{}", reply.body);
    }
}

async fn lowered_role_applies_at_the_next_request(app: App) {
    World::new(&app).await;
    let instances = Instances::new(&app).await;
    let query = "{ tenant(slug: \"acme\") { billingInfo { email } } }";
    Instances::assert_codes(&instances.query("bob", query).await, &[]);
    let demote = doc! { "$set": { "memberships.$[].role": "member" } };
    edit_manually(&app, "bob", demote, |bob| {
        for membership in &mut bob.memberships {
            membership.role = tenantry::domain::user::TenantRole::Member;
        }
    })
    .await;
    Instances::assert_codes(&instances.query("bob", query).await, &["FORBIDDEN"]);
}

async fn platform_admin_flag_applies_at_the_next_request(app: App) {
    World::new(&app).await;
    let instances = Instances::new(&app).await;
    let query = "{ users { totalCount } }";
    Instances::assert_codes(&instances.query("ada", query).await, &[]);
    edit_manually(&app, "ada", doc! { "$set": { "platformAdmin": false } }, |ada| {
        ada.platform_admin = None;
    })
    .await;
    Instances::assert_codes(&instances.query("ada", query).await, &["FORBIDDEN"]);
    let grant = doc! { "$set": { "platformAdmin": true } };
    edit_manually(&app, "mallory", grant, |mallory| {
        mallory.platform_admin = Some(MembershipSource::Direct);
    })
    .await;
    Instances::assert_codes(&instances.query("mallory", query).await, &[]);
}
