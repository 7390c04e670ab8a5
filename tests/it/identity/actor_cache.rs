//! With the actor cache, a query uses a user that was read at most a second before.
//!
//! The clock of the tests stands still, so nothing is read again because of its age, unless the test
//! moves the clock.

use std::sync::Arc;

use mongodb::bson::doc;
use serde_json::json;
use tenantry::domain::user::TenantRole;

use super::edit_manually;
use crate::support::{
    app::{App, Backend, Setup},
    store_gate::StoreGate,
    world::World,
};

const QUERY: &str = "{ tenants { nodes { slug } } }";
const HITS: &str = r#"tenantry_actor_cache_lookups_total{result="hit"}"#;

/// Defines each test for both stores, with a gate in front of the store.
macro_rules! on_both_stores {
    ($($name:ident,)+) => {
        $(
            mod $name {
                #[tokio::test]
                async fn sqlite() {
                    super::with_cache(super::Backend::Sqlite, super::$name).await;
                }

                #[tokio::test]
                async fn mongo() {
                    super::with_cache(super::Backend::Mongo, super::$name).await;
                }
            }
        )+
    };
}

on_both_stores! {
    recent_query_saves_the_read_of_its_viewer,
    nothing_is_cached_before_the_feed_is_open,
    nothing_is_cached_while_the_feed_is_interrupted,
    change_is_read_when_the_feed_reports_it,
    change_is_read_after_a_second,
    own_change_is_read_at_the_next_request,
    mutation_reads_the_rights_of_its_viewer,
    me_is_synced_with_a_newer_token,
}

async fn with_cache<F: Future>(backend: Backend, test: impl FnOnce(App, Arc<StoreGate>) -> F) {
    let gate = StoreGate::open();
    let setup = Setup { actor_cache: true, gate: Some(gate.clone()), ..Setup::default() };
    let app = App::with(backend, setup).await;
    World::new(&app).await;
    test(app, gate).await;
}

/// Starts the change feed, and waits until bob's user is cached.
async fn cache_bob(app: &App) {
    app.access.start_change_feed();
    wait_for_hit(app).await;
}

/// Waits until the cache has the user of a query by bob.
async fn wait_for_hit(app: &App) {
    let before = app.metric(HITS).await;
    while app.metric(HITS).await == before {
        let reply = app.query_as("bob", QUERY).await;
        assert_eq!(reply.codes(), [""; 0], "{}", reply.body);
        tokio::task::yield_now().await;
    }
}

async fn disable_bob(app: &App) {
    let update = doc! { "$set": { "disabled": true } };
    edit_manually(app, "bob", update, |bob| bob.disabled = true).await;
}

async fn recent_query_saves_the_read_of_its_viewer(app: App, gate: Arc<StoreGate>) {
    cache_bob(&app).await;
    gate.set_feed_closed(true);
    assert_eq!(app.query_as("bob", QUERY).await.reads, 1, "the page of tenants");
    assert_eq!(app.query_as("bob", "{ me { name } }").await.reads, 0);
    assert_eq!(app.query_as("carol", QUERY).await.reads, 2, "the first query of another caller");
}

async fn nothing_is_cached_before_the_feed_is_open(app: App, _: Arc<StoreGate>) {
    for _ in 0..2 {
        assert_eq!(app.query_as("bob", QUERY).await.reads, 2);
    }
}

async fn nothing_is_cached_while_the_feed_is_interrupted(app: App, gate: Arc<StoreGate>) {
    cache_bob(&app).await;
    gate.set_feed_failing(true);
    while app.metric("tenantry_feed_reconnects_total").await == 0.0 {
        tokio::task::yield_now().await;
    }
    for _ in 0..2 {
        assert_eq!(app.query_as("bob", QUERY).await.reads, 2);
    }
    disable_bob(&app).await;
    assert_eq!(app.query_as("bob", QUERY).await.codes(), ["USER_DISABLED"]);
    let update = doc! { "$unset": { "disabled": 1 } };
    edit_manually(&app, "bob", update, |bob| bob.disabled = false).await;
    gate.set_feed_failing(false);
    wait_for_hit(&app).await;
}

async fn change_is_read_when_the_feed_reports_it(app: App, _: Arc<StoreGate>) {
    cache_bob(&app).await;
    disable_bob(&app).await;
    while app.query_as("bob", QUERY).await.codes() != ["USER_DISABLED"] {
        tokio::task::yield_now().await;
    }
}

async fn change_is_read_after_a_second(app: App, gate: Arc<StoreGate>) {
    cache_bob(&app).await;
    gate.set_feed_closed(true);
    disable_bob(&app).await;
    assert_eq!(app.query_as("bob", QUERY).await.codes(), [""; 0], "the user is cached");
    app.clock.advance(1);
    assert_eq!(app.query_as("bob", QUERY).await.codes(), ["USER_DISABLED"]);
}

async fn own_change_is_read_at_the_next_request(app: App, gate: Arc<StoreGate>) {
    cache_bob(&app).await;
    gate.set_feed_closed(true);
    let bob = app.stored_user("bob").await.expect("stored");
    let disable = format!(
        r#"mutation {{ updateUser(input: {{ id: "{}", disabled: true }}) {{ user {{ disabled }} }} }}"#,
        bob.id
    );
    let reply = app.query_as("ada", &disable).await;
    assert_eq!(reply.codes(), [""; 0], "{}", reply.body);
    assert_eq!(app.query_as("bob", QUERY).await.codes(), ["USER_DISABLED"]);
}

async fn mutation_reads_the_rights_of_its_viewer(app: App, gate: Arc<StoreGate>) {
    cache_bob(&app).await;
    gate.set_feed_closed(true);
    let update = doc! { "$set": { "memberships.$[].role": "member" } };
    edit_manually(&app, "bob", update, |bob| {
        bob.memberships.iter_mut().for_each(|m| m.role = TenantRole::Member);
    })
    .await;
    let acme = app.query_as("bob", r#"{ tenant(slug: "acme") { id } }"#).await;
    let rename = format!(
        r#"mutation {{ updateTenant(input: {{ id: {}, name: "Bob's" }}) {{ tenant {{ name }} }} }}"#,
        acme.data()["tenant"]["id"]
    );
    let reply = app.query_as("bob", &rename).await;
    assert_eq!(reply.codes(), ["FORBIDDEN"], "{}", reply.body);
}

async fn me_is_synced_with_a_newer_token(app: App, gate: Arc<StoreGate>) {
    cache_bob(&app).await;
    gate.set_feed_closed(true);
    let token = app.issuer.token().subject("bob").claim("name", json!("Robert"));
    let reply = app.query_with_token(token, "{ me { name } }").await;
    assert_eq!(reply.data()["me"]["name"], "Robert");
    assert_eq!(app.query_as("bob", "{ me { name } }").await.data()["me"]["name"], "Robert");
}
