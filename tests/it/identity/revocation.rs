//! What is taken away in the database is gone at the next request, on every instance.

use axum::{Router, body::Body, http::Request};
use mongodb::bson::doc;
use serde_json::{Value, json};
use tenantry::domain::user::MembershipSource;

use super::by_hand;
use crate::support::{
    app::{App, Reply, on_both_stores, send},
    world::World,
};

on_both_stores! {
    a_disabled_user_is_out_at_the_next_request,
    a_membership_is_gone_at_the_next_request,
    a_role_is_what_it_is_at_the_next_request,
    the_platform_is_out_of_reach_at_the_next_request,
}

/// Two gateways on one database.
struct Instances<'a> {
    app: &'a App,
    another: Router,
}

impl<'a> Instances<'a> {
    async fn of(app: &'a App) -> Self {
        Self { app, another: app.another_instance().await }
    }

    /// The same request to both, with one token that stays good all along.
    async fn ask(&self, subject: &str, query: &str) -> [Reply; 2] {
        let token = self.app.token(subject, []);
        let body = json!({"query": query}).to_string();
        let request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {token}"));
        let there = send(&self.another, request.body(Body::from(body)).expect("a request"));
        [self.app.ask_with(&token, query, json!({})).await, there.await]
    }

    #[track_caller]
    fn agree(replies: &[Reply; 2], codes: &[&str]) {
        for reply in replies {
            assert_eq!(reply.codes(), codes, "{}", reply.body);
        }
    }
}

async fn a_disabled_user_is_out_at_the_next_request(app: App) {
    World::new(&app).await;
    let instances = Instances::of(&app).await;
    for query in ["{ me { id } }", "{ tenants { totalCount } }", "{ node(id: \"ten_1\") { id } }"] {
        let before = instances.ask("bob", query).await;
        assert!(before.iter().all(|reply| !reply.codes().contains(&"USER_DISABLED")));
    }
    by_hand(&app, "bob", doc! { "$set": { "disabled": true } }, |bob| bob.disabled = true).await;
    for query in ["{ me { id } }", "{ tenants { totalCount } }"] {
        Instances::agree(&instances.ask("bob", query).await, &["USER_DISABLED"]);
    }
    // What needs no actor tells nobody anything.
    Instances::agree(&instances.ask("bob", "{ __typename }").await, &[]);
    by_hand(&app, "bob", doc! { "$unset": { "disabled": 1 } }, |bob| bob.disabled = false).await;
    Instances::agree(&instances.ask("bob", "{ me { id } }").await, &[]);
}

async fn a_membership_is_gone_at_the_next_request(app: App) {
    let world = World::new(&app).await;
    let instances = Instances::of(&app).await;
    let query = "{ tenant(slug: \"acme\") { slug } tenants { nodes { slug } } }";
    for reply in instances.ask("carol", query).await {
        assert_eq!(reply.data()["tenant"]["slug"], "acme");
    }
    let acme = mongodb::bson::oid::ObjectId::from_bytes(world.acme.id.raw.0);
    let pull = doc! { "$pull": { "memberships": { "tenantId": acme } } };
    by_hand(&app, "carol", pull, |carol| {
        carol.memberships.retain(|m| m.tenant_id != world.acme.id);
    })
    .await;
    for reply in instances.ask("carol", query).await {
        assert_eq!(reply.data()["tenant"], Value::Null);
        assert!(!reply.body.contains("acme"), "{}", reply.body);
    }
}

async fn a_role_is_what_it_is_at_the_next_request(app: App) {
    World::new(&app).await;
    let instances = Instances::of(&app).await;
    let query = "{ tenant(slug: \"acme\") { billingInfo { email } } }";
    Instances::agree(&instances.ask("bob", query).await, &[]);
    let demote = doc! { "$set": { "memberships.$[].role": "member" } };
    by_hand(&app, "bob", demote, |bob| {
        for membership in &mut bob.memberships {
            membership.role = tenantry::domain::user::TenantRole::Member;
        }
    })
    .await;
    Instances::agree(&instances.ask("bob", query).await, &["FORBIDDEN"]);
}

async fn the_platform_is_out_of_reach_at_the_next_request(app: App) {
    World::new(&app).await;
    let instances = Instances::of(&app).await;
    let query = "{ users { totalCount } }";
    Instances::agree(&instances.ask("ada", query).await, &[]);
    by_hand(&app, "ada", doc! { "$set": { "platformAdmin": false } }, |ada| {
        ada.platform_admin = None;
    })
    .await;
    Instances::agree(&instances.ask("ada", query).await, &["FORBIDDEN"]);
    let given = doc! { "$set": { "platformAdmin": true } };
    by_hand(&app, "mallory", given, |mallory| {
        mallory.platform_admin = Some(MembershipSource::Direct);
    })
    .await;
    Instances::agree(&instances.ask("mallory", query).await, &[]);
}
