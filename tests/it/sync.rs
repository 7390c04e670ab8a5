//! `me`: the sync from a token, and what it never does.

use mongodb::bson::{DateTime, doc};
use serde_json::{Value, json};
use tenantry::domain::{
    change::Change,
    tenant::Tenant,
    user::{MembershipSource, TenantRole},
};

use crate::support::{
    app::{App, on_both_stores},
    issuer::{NOW, TokenBuilder},
    world::{self, World},
};

on_both_stores! {
    the_first_me_makes_the_user,
    names_fall_back,
    the_profile_follows_each_token,
    platform_admin_follows_the_group,
    what_was_given_here_is_not_touched,
    groups_name_tenants_and_roles,
    a_groups_claim_of_another_type_is_absent,
    a_token_counts_once_and_in_order,
    a_token_without_iat_gives_identity_only,
    a_younger_tenant_gives_nothing,
    a_repeated_me_writes_nothing,
    last_seen_moves_every_five_minutes,
    me_comes_before_its_neighbours,
    a_skipped_me_is_no_me,
    many_first_times_make_one_user,
    a_disabled_user_stays_out,
    the_history_tells_of_a_sync,
}

const ME: &str = "{ me { name email platformAdmin version updatedAt lastSeenAt
    memberships { role source tenant { slug } } } }";

/// A token for `bob` without anything of a profile.
fn token(app: &App) -> TokenBuilder {
    app.issuer.token().subject("bob").issued_at(NOW - 10)
}

async fn tenants(app: &App) -> (Tenant, Tenant) {
    let (acme, globex) = (world::tenant(1, "acme"), world::tenant(2, "globex"));
    let changes = [acme.clone(), globex.clone()].map(Change::InsertTenant);
    app.store.commit(&changes).await.expect("an empty store");
    (acme, globex)
}

/// Memberships as `slug ROLE SOURCE`, sorted.
fn places(me: &Value) -> Vec<String> {
    let memberships = me["me"]["memberships"].as_array().expect("memberships");
    let place = |m: &Value| {
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        format!("{} {} {}", text(&m["tenant"]["slug"]), text(&m["role"]), text(&m["source"]))
    };
    let mut places: Vec<String> = memberships.iter().map(place).collect();
    places.sort();
    places
}

async fn me(app: &App, token: TokenBuilder) -> Value {
    app.ask_by(token, ME).await.data().clone()
}

async fn the_first_me_makes_the_user(app: App) {
    tenants(&app).await;
    let given = token(&app)
        .claim("name", json!("  Bob  "))
        .claim("email", json!("bob@example.org"))
        .groups(["tenant:acme", "unknown", "tenant:nowhere", "tenant:acme:king", ""]);
    let found = me(&app, given).await;
    assert_eq!(found["me"]["name"], "Bob");
    assert_eq!(found["me"]["email"], "bob@example.org");
    assert_eq!(found["me"]["platformAdmin"], false);
    assert_eq!(found["me"]["version"], 1);
    assert_eq!(places(&found), ["acme MEMBER GROUP"]);
    assert_eq!(app.stored("bob").await.map(|user| user.version), Some(1));
}

async fn names_fall_back(app: App) {
    let long = "x".repeat(201);
    for (subject, name, preferred, expected) in [
        ("ada", json!("Ada"), json!("a"), "Ada"),
        ("bob", json!(5), json!("bobby"), "bobby"),
        ("carol", json!(" "), json!("a\u{7}b"), "carol"),
        ("mallory", json!(long), json!(null), "mallory"),
    ] {
        let token = token(&app).subject(subject).claim("email", json!("nobody at all"));
        let token = token.claim("name", name).claim("preferred_username", preferred);
        let found = me(&app, token).await;
        assert_eq!(found["me"]["name"], expected);
        assert_eq!(found["me"]["email"], Value::Null);
    }
}

async fn the_profile_follows_each_token(app: App) {
    let with = |name: Value, email: Value| token(&app).claim("name", name).claim("email", email);
    let profile = |me: &Value| json!([me["me"]["name"], me["me"]["email"], me["me"]["version"]]);
    let first = me(&app, with(json!("Bob"), json!("bob@example.org"))).await;
    assert_eq!(profile(&first), json!(["Bob", "bob@example.org", 1]));
    let next = me(&app, with(json!("Robert"), json!("robert@example.org"))).await;
    assert_eq!(profile(&next), json!(["Robert", "robert@example.org", 2]));
    // An older token's profile follows as well: there is no watermark for it.
    let older = with(json!("Bob"), json!("robert@example.org")).issued_at(NOW - 100);
    assert_eq!(profile(&me(&app, older).await), json!(["Bob", "robert@example.org", 3]));
    for (name, email) in [
        (json!(null), json!(null)),
        (json!(5), json!(["x"])),
        (json!("a\nb"), json!("none")),
        (json!("  "), json!("a b@example.org")),
    ] {
        let kept = me(&app, with(name, email)).await;
        assert_eq!(profile(&kept), json!(["Bob", "robert@example.org", 3]));
    }
    let bare = token(&app).claim("preferred_username", json!("other"));
    assert_eq!(profile(&me(&app, bare).await), json!(["Bob", "robert@example.org", 3]));
}

async fn platform_admin_follows_the_group(app: App) {
    let at = |seconds, groups: &[&str]| {
        token(&app).issued_at(NOW - seconds).groups(groups.iter().copied())
    };
    assert_eq!(me(&app, at(50, &["platform-admins"])).await["me"]["platformAdmin"], true);
    let stored = app.stored("bob").await.expect("made");
    assert_eq!(stored.platform_admin, Some(MembershipSource::Group));
    assert_eq!(app.ask("bob", "{ users { totalCount } }").await.codes(), [""; 0]);
    assert_eq!(me(&app, at(40, &[])).await["me"]["platformAdmin"], false);
    assert_eq!(app.ask("bob", "{ users { totalCount } }").await.codes(), ["FORBIDDEN"]);
}

async fn what_was_given_here_is_not_touched(app: App) {
    let (acme, globex) = tenants(&app).await;
    let mut bob = world::user(&app, 12, "bob", &[(acme.id, TenantRole::Owner)]);
    bob.platform_admin = Some(MembershipSource::Direct);
    app.store.commit(&[Change::InsertUser(bob)]).await.expect("free");
    let demoting = token(&app).issued_at(NOW - 20).groups(["tenant:acme", "tenant:globex:admin"]);
    let found = me(&app, demoting).await;
    assert_eq!(places(&found), ["acme OWNER DIRECT", "globex ADMIN GROUP"]);
    let found = me(&app, token(&app).groups([])).await;
    assert_eq!(places(&found), ["acme OWNER DIRECT"]);
    assert_eq!(found["me"]["platformAdmin"], true);
    assert!(app.stored("bob").await.expect("there").membership(globex.id).is_none());
}

async fn groups_name_tenants_and_roles(app: App) {
    tenants(&app).await;
    for (seconds, groups, expected) in [
        (50, &["tenant:acme"][..], &["acme MEMBER GROUP"][..]),
        (49, &["tenant:acme:admin", "tenant:acme"], &["acme ADMIN GROUP"]),
        (48, &["tenant:acme:owner", "tenant:acme:admin"], &["acme OWNER GROUP"]),
        (47, &["grp-acme"], &["acme MEMBER GROUP"]),
        (46, &["grp-acme", "tenant:acme:admin"], &["acme ADMIN GROUP"]),
        (45, &["grp-globex", "tenant:acme"], &["acme MEMBER GROUP", "globex MEMBER GROUP"]),
        (44, &["Tenant:acme", "tenant:ACME", "GRP-ACME", "tenant:", "tenant:acme:"], &[]),
        (43, &["tenant:acme:admin:owner", "acme", "tenant: acme", "platform-admin"], &[]),
    ] {
        let token = token(&app).issued_at(NOW - seconds).groups(groups.iter().copied());
        assert_eq!(places(&me(&app, token).await), expected, "{groups:?}");
    }
}

async fn a_groups_claim_of_another_type_is_absent(app: App) {
    tenants(&app).await;
    let given = token(&app).issued_at(NOW - 50).groups(["tenant:acme:admin"]);
    let before = me(&app, given).await;
    for claim in
        [json!(5), json!({"tenant:globex": true}), json!(["tenant:globex", 5]), json!(null)]
    {
        let token = token(&app).issued_at(NOW - 40).claim("groups", claim);
        assert_eq!(me(&app, token).await, before);
    }
    let mark = app.stored("bob").await.and_then(|user| user.groups_as_of);
    assert_eq!(mark, Some(world::ago(50)), "a token without the claim does not move it");
    let one = token(&app).issued_at(NOW - 30).claim("groups", json!("tenant:globex"));
    assert_eq!(places(&me(&app, one).await), ["globex MEMBER GROUP"]);
}

async fn a_token_counts_once_and_in_order(app: App) {
    let (acme, _) = tenants(&app).await;
    let at = |seconds, groups: &[&str]| {
        token(&app).issued_at(NOW - seconds).groups(groups.iter().copied())
    };
    assert_eq!(places(&me(&app, at(50, &["tenant:acme"])).await), ["acme MEMBER GROUP"]);
    // An older one, and another one of the same second.
    for late in [at(60, &["tenant:globex:owner"]), at(50, &["tenant:globex", "platform-admins"])] {
        let found = me(&app, late).await;
        assert_eq!(places(&found), ["acme MEMBER GROUP"]);
        assert_eq!(found["me"]["platformAdmin"], false);
    }
    // What a hand takes away stays away for that token, and for its age.
    app.change("bob", |bob| bob.memberships.retain(|m| m.tenant_id != acme.id)).await;
    assert_eq!(places(&me(&app, at(50, &["tenant:acme"])).await), [""; 0]);
    assert_eq!(places(&me(&app, at(49, &["tenant:acme"])).await), ["acme MEMBER GROUP"]);
    // A newer one with the same groups moves the watermark, and nothing that a client sees.
    let version = app.stored("bob").await.map(|bob| (bob.version, bob.updated_at));
    me(&app, at(30, &["tenant:acme"])).await;
    let bob = app.stored("bob").await.expect("there");
    assert_eq!(bob.groups_as_of, Some(world::ago(30)));
    assert_eq!(version, Some((bob.version, bob.updated_at)));
    assert_eq!(places(&me(&app, at(40, &[])).await), ["acme MEMBER GROUP"]);
}

async fn a_token_without_iat_gives_identity_only(app: App) {
    tenants(&app).await;
    let timeless = || {
        let token = token(&app).without("iat").claim("name", json!("Bob"));
        token.groups(["tenant:acme", "platform-admins"])
    };
    for _ in 0..2 {
        let found = me(&app, timeless()).await;
        assert_eq!((places(&found).len(), &found["me"]["platformAdmin"]), (0, &json!(false)));
        assert_eq!(found["me"]["name"], "Bob");
    }
    assert_eq!(app.stored("bob").await.and_then(|bob| bob.groups_as_of), None);
    let found = me(&app, token(&app).groups(["tenant:acme"])).await;
    assert_eq!(places(&found), ["acme MEMBER GROUP"]);
}

async fn a_younger_tenant_gives_nothing(app: App) {
    let made = |n, slug, millis: i64| {
        let at = tenantry::domain::time::Timestamp::from_millis((NOW - 50) * 1000 + millis);
        let at = at.expect("in range");
        Change::InsertTenant(Tenant { created_at: at, updated_at: at, ..world::tenant(n, slug) })
    };
    let changes = [made(1, "acme", 999), made(2, "globex", 1000)];
    app.store.commit(&changes).await.expect("an empty store");
    let groups = ["tenant:acme", "tenant:globex:owner", "grp-globex"];
    let found = me(&app, token(&app).issued_at(NOW - 50).groups(groups)).await;
    assert_eq!(places(&found), ["acme MEMBER GROUP"], "whole seconds, at or before");
    let found = me(&app, token(&app).issued_at(NOW - 49).groups(groups)).await;
    assert_eq!(places(&found), ["acme MEMBER GROUP", "globex OWNER GROUP"]);
}

async fn a_repeated_me_writes_nothing(app: App) {
    tenants(&app).await;
    let token = || {
        let token =
            token(&app).claim("name", json!("Bob")).claim("email", json!("bob@example.org"));
        token.groups(["tenant:acme:admin", "platform-admins"])
    };
    me(&app, token()).await;
    let (stored, events) = (app.stored("bob").await, app.history().await);
    // From here on whatever is written lands in the profile.
    if let Some(mongo) = &app.mongo {
        let on = doc! { "profile": 2 };
        mongo.database.run_command(on).await.expect("the profiler");
    }
    for _ in 0..3 {
        app.clock.advance(60);
        me(&app, token()).await;
    }
    if let Some(mongo) = &app.mongo {
        mongo.database.run_command(doc! { "profile": 0 }).await.expect("the profiler");
        let profile = mongo.database.collection::<mongodb::bson::Document>("system.profile");
        let writes = doc! { "op": { "$in": ["insert", "update", "remove"] } };
        assert_eq!(profile.count_documents(writes).await.expect("counted"), 0);
        assert_ne!(profile.count_documents(doc! {}).await.expect("counted"), 0);
    }
    assert_eq!(app.stored("bob").await, stored);
    assert_eq!(app.history().await, events);
}

async fn last_seen_moves_every_five_minutes(app: App) {
    let made = me(&app, token(&app)).await;
    let seen = |found: &Value| found["me"]["lastSeenAt"].clone();
    app.clock.advance(299);
    assert_eq!(me(&app, token(&app)).await, made);
    app.clock.advance(1);
    let later = me(&app, token(&app)).await;
    assert_eq!(seen(&later), "2026-01-01T00:05:00.000Z");
    assert_eq!(later["me"]["version"], 1);
    assert_eq!(later["me"]["updatedAt"], made["me"]["updatedAt"]);
    let bob = app.stored("bob").await.expect("there");
    assert_eq!(bob.last_seen_at.map(tenantry::domain::time::Timestamp::seconds), Some(NOW + 300));
    assert_eq!(app.history().await.len(), 1, "being seen is no history");
}

async fn me_comes_before_its_neighbours(app: App) {
    tenants(&app).await;
    let all = "{
        before: tenants { totalCount }
        slug: tenant(slug: \"acme\") { slug myMembership { role } billingInfo { email } }
        ...Who
        after: tenants { nodes { slug } }
    }
    fragment Who on Query { ... { mine: me { role } again: me { id } } }";
    let groups = ["tenant:acme:admin"];
    let reply = app.ask_by(token(&app).groups(groups), all).await;
    let data = reply.data();
    assert_eq!(data["before"]["totalCount"], 1);
    assert_eq!(data["slug"]["myMembership"]["role"], "ADMIN");
    assert_eq!(data["mine"]["role"], "ADMIN");
    assert_eq!(data["after"]["nodes"], json!([{"slug": "acme"}]));
    assert_eq!(app.history().await.len(), 1);
}

async fn a_skipped_me_is_no_me(app: App) {
    tenants(&app).await;
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
        // The default of a variable counts where it is left out.
        (
            "query ($yes: Boolean = true) { me @skip(if: $yes) { id } tenants { totalCount } }",
            json!({}),
        ),
        ("query A { me { id } } query B { tenants { totalCount } }", json!({"operation": "B"})),
    ] {
        let reply = match variables["operation"].as_str() {
            None => app.ask_with(&signed, query, variables).await,
            Some(name) => {
                let body = json!({"query": query, "operationName": name}).to_string();
                let request = axum::http::Request::post("/graphql")
                    .header("content-type", "application/json")
                    .header("authorization", format!("Bearer {signed}"));
                app.send(request.body(body.into()).expect("a request")).await
            }
        };
        assert_eq!(reply.codes(), ["USER_NOT_PROVISIONED"], "{query} {}", reply.body);
        assert_eq!(app.stored("bob").await, None, "{query}");
    }
    let included = "query ($yes: Boolean = true) { me @include(if: $yes) { name } }";
    let reply = app.ask_with(&signed, included, json!({})).await;
    assert_eq!(reply.data()["me"]["name"], "bob");
}

async fn many_first_times_make_one_user(app: App) {
    tenants(&app).await;
    let signed = token(&app).groups(["tenant:acme"]).sign();
    let all = (0..32).map(|_| app.ask_with(&signed, "{ me { id version role } }", json!({})));
    let replies = futures_util::future::join_all(all).await;
    for reply in &replies {
        assert_eq!(reply.data(), replies[0].data());
    }
    assert_eq!(app.history().await.len(), 1);
}

async fn a_disabled_user_stays_out(app: App) {
    World::new(&app).await;
    app.change("carol", |carol| carol.disabled = true).await;
    let stored = app.stored("carol").await;
    let all = "{ me { id } tenants { totalCount } }";
    assert_eq!(app.ask("carol", all).await.codes(), ["USER_DISABLED"]);
    let token =
        token(&app).subject("carol").claim("name", json!("New")).groups(["platform-admins"]);
    let reply = app.ask_by(token, "{ me { id } }").await;
    assert_eq!(reply.codes(), ["USER_DISABLED"]);
    assert_eq!(app.stored("carol").await, stored);
}

async fn the_history_tells_of_a_sync(app: App) {
    let (acme, _) = tenants(&app).await;
    let signed = token(&app).groups(["tenant:acme:admin"]).sign();
    let request = axum::http::Request::post("/graphql")
        .header("content-type", "application/json")
        .header("x-request-id", "r.1")
        .header("authorization", format!("Bearer {signed}"));
    let body = json!({"query": ME}).to_string();
    app.send(request.body(body.into()).expect("a request")).await.data();
    let bob = app.stored("bob").await.expect("made");
    let events = app.history().await;
    let [event] = &events[..] else { panic!("{events:?}") };
    assert_eq!((event.action.as_str(), event.actor), ("user.sync", Some(bob.id)));
    assert_eq!((&event.tenants[..], event.at), (&[acme.id][..], bob.created_at));
    assert_eq!(event.request_id.as_deref(), Some("r.1"));
    let changes = "{ tenant(slug: \"acme\") { auditLog { nodes { action actorKind actor { name }
        target { ... on User { name } } tenant { slug } requestId changes } } } }";
    let reply = app.ask("bob", changes).await;
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

/// A user who was deleted: tokens from before then give nothing at all. (The embedded store has no
/// way yet to write what a deletion leaves.)
#[tokio::test]
async fn tombstones() {
    let app = App::on(crate::support::app::Backend::Mongo).await;
    let mongo = app.mongo.as_ref().expect("on MongoDB");
    let deleted = (NOW - 200) * 1000;
    let tombstone = doc! { "issuer": app.issuer.url(), "subject": "bob", "deletedAt": DateTime::from_millis(deleted) };
    mongo.insert("tombstones", vec![tombstone]).await;
    let refused = [
        token(&app).issued_at(NOW - 300),
        token(&app).issued_at(NOW - 200),
        token(&app).issued_at(NOW - 140),
        token(&app).without("iat"),
    ];
    for old in refused {
        for query in ["{ me { id } }", "{ tenants { totalCount } }"] {
            let reply = app.ask_by(old.clone(), query).await;
            assert_eq!(reply.codes(), ["USER_NOT_PROVISIONED"], "{query}");
        }
    }
    assert_eq!(app.stored("bob").await, None);
    assert_eq!(app.ask_by(token(&app).subject("carol"), "{ me { name } }").await.codes(), [""; 0]);
    let new = token(&app).issued_at(NOW - 139);
    assert_eq!(app.ask_by(new, "{ me { name } }").await.data()["me"]["name"], "bob");
}
