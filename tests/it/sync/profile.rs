//! The profile of a user follows the claims of each token.

use mongodb::bson::{Document, doc};
use serde_json::{Value, json};
use tenantry::domain::time::Timestamp;

use super::{me, memberships, store_tenants, token};
use crate::support::{
    app::{App, on_both_stores},
    issuer::NOW,
};

on_both_stores! {
    first_me_creates_the_user,
    name_falls_back_to_other_claims,
    profile_follows_each_token,
    repeated_me_writes_nothing,
    last_seen_moves_every_five_minutes,
}

async fn first_me_creates_the_user(app: App) {
    store_tenants(&app).await;
    let token = token(&app)
        .claim("name", json!("  Bob  "))
        .claim("email", json!("bob@example.org"))
        .groups(["tenant:acme", "unknown", "tenant:nowhere", "tenant:acme:king", ""]);
    let reply = me(&app, token).await;
    assert_eq!(reply["me"]["name"], "Bob");
    assert_eq!(reply["me"]["email"], "bob@example.org");
    assert_eq!(reply["me"]["platformAdmin"], false);
    assert_eq!(reply["me"]["version"], 1);
    assert_eq!(memberships(&reply), ["acme MEMBER GROUP"]);
    assert_eq!(app.stored_user("bob").await.map(|user| user.version), Some(1));
}

async fn name_falls_back_to_other_claims(app: App) {
    let long = "x".repeat(201);
    for (subject, name, preferred, expected) in [
        ("ada", json!("Ada"), json!("a"), "Ada"),
        ("bob", json!(5), json!("bobby"), "bobby"),
        ("carol", json!(" "), json!("a\u{7}b"), "carol"),
        ("mallory", json!(long), json!(null), "mallory"),
    ] {
        let token = token(&app).subject(subject).claim("email", json!("not an address"));
        let token = token.claim("name", name).claim("preferred_username", preferred);
        let reply = me(&app, token).await;
        assert_eq!(reply["me"]["name"], expected);
        assert_eq!(reply["me"]["email"], Value::Null);
    }
}

async fn profile_follows_each_token(app: App) {
    let with = |name: Value, email: Value| token(&app).claim("name", name).claim("email", email);
    let profile = |me: &Value| json!([me["me"]["name"], me["me"]["email"], me["me"]["version"]]);
    let first = me(&app, with(json!("Bob"), json!("bob@example.org"))).await;
    assert_eq!(profile(&first), json!(["Bob", "bob@example.org", 1]));
    let next = me(&app, with(json!("Robert"), json!("robert@example.org"))).await;
    assert_eq!(profile(&next), json!(["Robert", "robert@example.org", 2]));
    // The profile of an older token is applied too, because profiles have no watermark.
    let older = with(json!("Bob"), json!("robert@example.org")).issued_at(NOW - 100);
    assert_eq!(profile(&me(&app, older).await), json!(["Bob", "robert@example.org", 3]));
    for (name, email) in [
        (json!(null), json!(null)),
        (json!(5), json!(["x"])),
        (json!("a\nb"), json!("none")),
        (json!("  "), json!("a b@example.org")),
    ] {
        let reply = me(&app, with(name, email)).await;
        assert_eq!(profile(&reply), json!(["Bob", "robert@example.org", 3]));
    }
    let token = token(&app).claim("preferred_username", json!("other"));
    assert_eq!(profile(&me(&app, token).await), json!(["Bob", "robert@example.org", 3]));
}

async fn repeated_me_writes_nothing(app: App) {
    store_tenants(&app).await;
    let token = || {
        let token =
            token(&app).claim("name", json!("Bob")).claim("email", json!("bob@example.org"));
        token.groups(["tenant:acme:admin", "platform-admins"])
    };
    me(&app, token()).await;
    let (stored, events) = (app.stored_user("bob").await, app.audit_log().await);
    // The profiler records every operation from here on.
    if let Some(mongo) = &app.mongo {
        let profile_all = doc! { "profile": 2 };
        mongo.database.run_command(profile_all).await.expect("the profiler");
    }
    for _ in 0..3 {
        app.clock.advance(60);
        me(&app, token()).await;
    }
    if let Some(mongo) = &app.mongo {
        mongo.database.run_command(doc! { "profile": 0 }).await.expect("the profiler");
        let profile = mongo.database.collection::<Document>("system.profile");
        let writes = doc! { "op": { "$in": ["insert", "update", "remove"] } };
        assert_eq!(profile.count_documents(writes).await.expect("counted"), 0);
        assert_ne!(profile.count_documents(doc! {}).await.expect("counted"), 0);
    }
    assert_eq!(app.stored_user("bob").await, stored);
    assert_eq!(app.audit_log().await, events);
}

async fn last_seen_moves_every_five_minutes(app: App) {
    let first = me(&app, token(&app)).await;
    let last_seen = |reply: &Value| reply["me"]["lastSeenAt"].clone();
    app.clock.advance(299);
    assert_eq!(me(&app, token(&app)).await, first);
    app.clock.advance(1);
    let later = me(&app, token(&app)).await;
    assert_eq!(last_seen(&later), "2026-01-01T00:05:00.000Z");
    assert_eq!(later["me"]["version"], 1);
    assert_eq!(later["me"]["updatedAt"], first["me"]["updatedAt"]);
    let bob = app.stored_user("bob").await.expect("stored");
    assert_eq!(bob.last_seen_at.map(Timestamp::seconds), Some(NOW + 300));
    assert_eq!(app.audit_log().await.len(), 1, "`lastSeenAt` is not recorded in the audit log");
}
