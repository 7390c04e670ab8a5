//! The profile of a user follows the claims of each token.

use mongodb::bson::{Document, doc};
use serde_json::{Value, json};
use tenantry::{domain::time::Timestamp, store::UserKeys};

use super::{me, memberships, store_tenants, token};
use crate::support::{
    app::{App, Backend, on_both_stores},
    issuer::NOW,
};

on_both_stores! {
    first_me_creates_the_user,
    name_falls_back_to_other_claims,
    profile_follows_each_token,
    blank_name_is_replaced,
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

async fn blank_name_is_replaced(app: App) {
    for (subject, name, expected) in
        [("ada", json!("Ada"), "Ada"), ("bob", json!(null), "bobby"), ("carol", json!(5), "bobby")]
    {
        me(&app, token(&app).subject(subject).claim("name", json!("First"))).await;
        app.edit_user(subject, |user| user.name = " ".to_owned()).await;
        let token = || {
            let token = token(&app).subject(subject).claim("name", name.clone());
            token.claim("preferred_username", json!("bobby"))
        };
        let healed = me(&app, token()).await;
        assert_eq!(healed["me"]["name"], expected);
        assert_eq!(me(&app, token()).await, healed);
        let event = app.audit_log().await.remove(0);
        assert_eq!(event.action, "user.sync");
        let change = event.changes.iter().find(|change| change.field == "name").expect("a change");
        assert_eq!((&change.from, &change.to), (&json!(" "), &json!(expected)));
    }
}

/// A manual edit or another program can leave a document without a readable profile.
#[tokio::test]
async fn unreadable_profile_is_replaced() {
    let app = App::on(Backend::Mongo).await;
    let users = app.mongo.as_ref().expect("a database").database.collection::<Document>("users");
    let token = || {
        let token = token(&app).claim("preferred_username", json!("bobby"));
        token.claim("email", json!("bob@example.org"))
    };
    me(&app, token().claim("name", json!("Bob"))).await;
    let (version, events) = (1, app.audit_log().await.len());
    for (n, (edit, name, expected)) in [
        (doc! { "$unset": { "name": "" } }, json!("Bob"), "Bob"),
        (doc! { "$set": { "name": null } }, json!("Bob"), "Bob"),
        (doc! { "$set": { "name": 5 } }, json!("Bob"), "Bob"),
        (doc! { "$set": { "name": "" } }, json!(null), "bobby"),
        (doc! { "$set": { "name": ["Bob"], "email": 5 } }, json!("Bob"), "Bob"),
    ]
    .into_iter()
    .enumerate()
    {
        users.update_one(doc! { "subject": "bob" }, edit.clone()).await.expect("an edit");
        let reply = me(&app, token().claim("name", name)).await;
        assert_eq!(reply["me"]["name"], expected, "{edit}");
        assert_eq!(reply["me"]["email"], "bob@example.org", "{edit}");
        let changed = version + 1 + i32::try_from(n).expect("small");
        assert_eq!(reply["me"]["version"], changed, "{edit}");
        let log = app.audit_log().await;
        assert_eq!(log.len(), events + n + 1, "{edit}");
        assert!(
            log[0].changes.iter().any(|change| change.field == "name"
                && change.from == Value::Null
                && change.to == expected),
            "{:?}",
            log[0]
        );
        let stored = app.stored_user("bob").await.expect("a readable user");
        let by_id = app.store.users(UserKeys::Ids(&[stored.id])).await.expect("a read");
        assert_eq!(by_id, [Ok(stored)], "{edit}");
    }
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
