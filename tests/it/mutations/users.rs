//! Users: made before they sign in, changed, deleted; and what a token from before can still do.

use serde_json::{Value, json};
use tenantry::domain::{
    change::Change,
    user::{MembershipSource, TenantRole},
};

use super::{faults, newest, run, told};
use crate::support::{
    app::{App, on_both_stores},
    issuer::NOW,
    world::World,
};

on_both_stores! {
    a_user_is_there_before_the_first_sign_in,
    an_identity_has_one_user,
    faults_of_a_new_user,
    parts_are_changed_one_by_one,
    platform_admin_given_here_stays,
    a_withdrawn_platform_admin_stays_withdrawn,
    who_is_disabled_is_out_at_once,
    a_deleted_user_stays_out,
    a_user_made_again_has_no_old_groups,
    a_user_signed_in_again_stays_out_by_old_tokens,
    history_outlives_its_people,
    history_is_found_by_what_it_is_of,
    somebody_with_very_many_places_can_be_deleted,
}

const USER: &str = "user { id subject email name platformAdmin disabled role version
    memberships { role } }";

fn new_user(subject: &str) -> Value {
    json!({"subject": subject, "email": "dave@example.org", "name": "Dave"})
}

async fn a_user_is_there_before_the_first_sign_in(app: App) {
    World::new(&app).await;
    let reply = run(&app, "ada", "createUser", new_user("dave"), USER).await;
    let user = reply.data()["x"]["user"].clone();
    assert_eq!(
        user,
        json!({"id": user["id"], "subject": "dave", "email": "dave@example.org", "name": "Dave",
            "platformAdmin": false, "disabled": false, "role": null, "version": 1,
            "memberships": []})
    );
    let (action, kind, changes) = newest(&app).await;
    assert_eq!((&*action, &*kind), ("user.create", "platform_admin"));
    assert_eq!(changes["subject"], json!([null, "dave"]));
    assert_eq!(app.stored("dave").await.and_then(|user| user.last_seen_at), None);
    // The first `me` finds that user, and the token's groups count.
    let token = app.issuer.token().subject("dave").issued_at(NOW - 5).groups(["tenant:acme"]);
    let me = app.ask_by(token, "{ me { id memberships { role } } }").await;
    assert_eq!(me.data()["me"], json!({"id": user["id"], "memberships": [{"role": "MEMBER"}]}));
}

async fn an_identity_has_one_user(app: App) {
    World::new(&app).await;
    let reply = run(&app, "ada", "createUser", new_user("bob"), USER).await;
    assert_eq!(told(&reply), json!({"code": "CONFLICT", "field": "subject"}));
    let mut named = new_user("bob");
    named["issuer"] = app.issuer.url().into();
    let reply = run(&app, "ada", "createUser", named, USER).await;
    assert_eq!(told(&reply), json!({"code": "CONFLICT", "field": "subject"}));
    // An e-mail address is nobody's alone.
    let twin = json!({"subject": "bob2", "email": "bob@example.org", "name": "Bob"});
    run(&app, "ada", "createUser", twin, USER).await.data();
}

async fn faults_of_a_new_user(app: App) {
    World::new(&app).await;
    let bad = json!({"subject": "", "issuer": "https://elsewhere.example", "email": "x",
        "name": "\t", "platformAdmin": true});
    let reply = run(&app, "ada", "createUser", bad, USER).await;
    assert_eq!(faults(&reply), ["input.subject", "input.issuer", "input.email", "input.name"]);
    for subject in ["x".repeat(256), "a\u{0}b".to_owned()] {
        let reply = run(&app, "ada", "createUser", new_user(&subject), USER).await;
        assert_eq!(faults(&reply), ["input.subject"]);
    }
    run(&app, "ada", "createUser", new_user(&"é".repeat(255)), USER).await.data();
}

async fn parts_are_changed_one_by_one(app: App) {
    let world = World::new(&app).await;
    let id = world.carol.to_string();
    let reply = run(&app, "ada", "updateUser", json!({"id": id, "name": "Caroline"}), USER).await;
    let user = &reply.data()["x"]["user"];
    assert_eq!((&user["name"], &user["version"]), (&json!("Caroline"), &json!(2)));
    assert_eq!(user["email"], "carol@example.org");
    assert_eq!(user["memberships"].as_array().map(Vec::len), Some(2), "places are left alone");
    let (action, _, changes) = newest(&app).await;
    assert_eq!((&*action, changes), ("user.update", json!({"name": ["Carol", "Caroline"]})));
    let reply = run(&app, "ada", "updateUser", json!({"id": id, "email": null}), USER).await;
    assert_eq!(reply.data()["x"]["user"]["email"], Value::Null);
    let nulls = json!({"id": id, "name": null, "platformAdmin": null, "disabled": null});
    let reply = run(&app, "ada", "updateUser", nulls, USER).await;
    assert_eq!(faults(&reply), ["input.name", "input.platformAdmin", "input.disabled"]);
    let same = json!({"id": id, "version": 3, "name": "Caroline", "email": null,
        "platformAdmin": false, "disabled": false});
    let reply = run(&app, "ada", "updateUser", same, USER).await;
    assert_eq!((&reply.data()["x"]["user"]["version"], reply.writes), (&json!(3), 0));
    let late = json!({"id": id, "version": 2, "name": "Late"});
    let reply = run(&app, "ada", "updateUser", late, USER).await;
    assert_eq!(told(&reply), json!({"code": "STALE_VERSION", "currentVersion": 3}));
    let reply = run(&app, "ada", "deleteUser", json!({"id": id, "version": 2}), "deletedId").await;
    assert_eq!(told(&reply), json!({"code": "STALE_VERSION", "currentVersion": 3}));
    let nobody = json!({"id": "usr_65000000000000000000ffff", "name": ""});
    let reply = run(&app, "ada", "updateUser", nobody, USER).await;
    assert_eq!(reply.codes(), ["NOT_FOUND"]);
}

async fn platform_admin_given_here_stays(app: App) {
    let world = World::new(&app).await;
    let give = json!({"id": world.carol.to_string(), "platformAdmin": true});
    run(&app, "ada", "updateUser", give.clone(), USER).await.data();
    let token = app.issuer.token().subject("carol").groups(["nothing"]);
    let me = app.ask_by(token, "{ me { platformAdmin } }").await;
    assert_eq!(me.data()["me"]["platformAdmin"], true, "no sync takes it away");
    // From a group to given here is a change, though the answer is the same.
    app.change("mallory", |mallory| mallory.platform_admin = Some(MembershipSource::Group)).await;
    let give = json!({"id": world.mallory.to_string(), "platformAdmin": true});
    let reply = run(&app, "ada", "updateUser", give, USER).await;
    assert_eq!(reply.data()["x"]["user"]["version"], 2);
    assert_eq!(newest(&app).await.2, json!({"platformAdminSource": ["GROUP", "DIRECT"]}));
}

async fn a_withdrawn_platform_admin_stays_withdrawn(app: App) {
    let world = World::new(&app).await;
    let admin = ["platform-admins"];
    let token = |iat: i64| app.issuer.token().subject("mallory").issued_at(iat).groups(admin);
    let me = "{ me { platformAdmin } }";
    assert_eq!(app.ask_by(token(NOW - 9), me).await.data()["me"]["platformAdmin"], true);
    let take = json!({"id": world.mallory.to_string(), "platformAdmin": false});
    let reply = run(&app, "ada", "updateUser", take, USER).await;
    assert_eq!(reply.data()["x"]["user"]["platformAdmin"], false);
    let users = "{ users { totalCount } }";
    assert_eq!(app.ask("mallory", users).await.codes(), ["FORBIDDEN"], "at once");
    app.clock.advance(120);
    for iat in [NOW - 9, NOW, NOW + 60] {
        let me = app.ask_by(token(iat), me).await;
        assert_eq!(me.data()["me"]["platformAdmin"], false, "{iat}: from before");
    }
    let me = app.ask_by(token(NOW + 61), me).await;
    assert_eq!(me.data()["me"]["platformAdmin"], true, "a later token may give it again");
}

async fn who_is_disabled_is_out_at_once(app: App) {
    let world = World::new(&app).await;
    let shut = json!({"id": world.bob.to_string(), "disabled": true});
    run(&app, "ada", "updateUser", shut, USER).await.data();
    assert_eq!(app.ask("bob", "{ me { id } }").await.codes(), ["USER_DISABLED"]);
    let input = json!({"id": world.acme.id.to_string(), "name": "Mine"});
    assert_eq!(
        run(&app, "bob", "updateTenant", input, "tenant { id }").await.codes(),
        ["USER_DISABLED"]
    );
    let open = json!({"id": world.bob.to_string(), "disabled": false});
    run(&app, "ada", "updateUser", open, USER).await.data();
    assert_eq!(app.ask("bob", "{ me { name } }").await.data()["me"]["name"], "Bob");
}

async fn a_deleted_user_stays_out(app: App) {
    let world = World::new(&app).await;
    let id = world.bob.to_string();
    let reply = run(&app, "ada", "deleteUser", json!({"id": id}), "deletedId").await;
    assert_eq!(reply.data()["x"], json!({"deletedId": id}));
    let (action, _, changes) = newest(&app).await;
    assert_eq!(action, "user.delete");
    assert_eq!(changes["name"], json!(["Bob", null]));
    assert_eq!(changes[format!("memberships.{}", world.acme.id)], json!(["OWNER", null]));
    let members = app.ask("carol", "{ tenant(slug: \"acme\") { members { totalCount } } }").await;
    assert_eq!(members.data()["tenant"]["members"]["totalCount"], 1);
    app.clock.advance(120);
    for query in ["{ me { id } }", "{ tenant(slug: \"acme\") { id } }"] {
        for iat in [Some(NOW - 1), Some(NOW + 60), None] {
            let token = app.issuer.token().subject("bob");
            let token = match iat {
                Some(iat) => token.issued_at(iat),
                None => token.without("iat"),
            };
            let reply = app.ask_by(token, query).await;
            assert_eq!(reply.codes(), ["USER_NOT_PROVISIONED"], "{query} {iat:?}");
        }
    }
    let token = app.issuer.token().subject("bob").issued_at(NOW + 61);
    let me = app.ask_by(token, "{ me { id memberships { role } } }").await;
    assert_eq!(me.data()["me"]["memberships"], json!([]), "a new user of that identity");
    assert_ne!(me.data()["me"]["id"], id);
    let reply = run(&app, "ada", "deleteUser", json!({"id": id}), "deletedId").await;
    assert_eq!(reply.codes(), ["NOT_FOUND"]);
}

async fn a_user_made_again_has_no_old_groups(app: App) {
    let world = World::new(&app).await;
    run(&app, "ada", "deleteUser", json!({"id": world.bob.to_string()}), "deletedId").await.data();
    run(&app, "ada", "createUser", new_user("bob"), USER).await.data();
    app.clock.advance(120);
    let token =
        |iat| app.issuer.token().subject("bob").issued_at(iat).groups(["tenant:acme:owner"]);
    let places = "{ me { memberships { role } } }";
    let old = app.ask_by(token(NOW + 60), places).await;
    assert_eq!(old.data()["me"]["memberships"], json!([]), "it lets in, and gives nothing back");
    let new = app.ask_by(token(NOW + 61), places).await;
    assert_eq!(new.data()["me"]["memberships"], json!([{"role": "OWNER"}]));
}

async fn a_user_signed_in_again_stays_out_by_old_tokens(app: App) {
    let world = World::new(&app).await;
    run(&app, "ada", "deleteUser", json!({"id": world.bob.to_string()}), "deletedId").await.data();
    app.clock.advance(120);
    let token = |iat| app.issuer.token().subject("bob").issued_at(iat);
    let new = token(NOW + 61).without("groups");
    let places = "{ me { memberships { role } } }";
    app.ask_by(new.clone(), places).await.data();
    for old in [token(NOW - 5), token(NOW + 59), token(NOW).without("iat")] {
        for query in [places, "{ tenants { totalCount } }", "{ users { totalCount } }"] {
            let reply = app.ask_by(old.clone().groups(["tenant:acme:owner"]), query).await;
            assert_eq!(reply.codes(), ["USER_NOT_PROVISIONED"], "{query}");
        }
    }
    let again = app.ask_by(new, places).await;
    assert_eq!((again.data()["me"]["memberships"].clone(), again.reads), (json!([]), 1));
    // And with groups, which move the watermark.
    let groups = token(NOW + 70).groups(["tenant:acme:owner"]);
    app.ask_by(groups.clone(), places).await.data();
    let old = app.ask_by(token(NOW + 60).groups([]), places).await;
    assert_eq!(old.codes(), ["USER_NOT_PROVISIONED"]);
    let role = app.ask_by(groups, places).await;
    assert_eq!(role.data()["me"]["memberships"], json!([{"role": "OWNER"}]));
}

async fn history_outlives_its_people(app: App) {
    let world = World::new(&app).await;
    let rename = json!({"id": world.acme.id.to_string(), "name": "By Bob"});
    run(&app, "bob", "updateTenant", rename, "tenant { id }").await.data();
    let dave = run(&app, "ada", "createUser", new_user("dave"), USER).await;
    let dave = dave.data()["x"]["user"]["id"].clone();
    let input = json!({"tenantId": world.acme.id.to_string(), "userId": dave, "role": "OWNER"});
    run(&app, "ada", "addTenantMember", input, "membership { role }").await.data();
    run(&app, "ada", "deleteUser", json!({"id": world.bob.to_string()}), "deletedId").await.data();
    let log = "{ tenant(slug: \"acme\") { auditLog { nodes { action actor { name } target { id } changes } } } }";
    let reply = app.ask("dave", log).await;
    let nodes = reply.data()["tenant"]["auditLog"]["nodes"].as_array().expect("nodes");
    let told: Vec<_> = nodes.iter().map(|node| (&node["action"], &node["actor"])).collect();
    assert_eq!(
        told,
        [
            (&json!("user.delete"), &Value::Null),
            (&json!("membership.add"), &Value::Null),
            (&json!("tenant.update"), &Value::Null),
            (&json!("tenant.update"), &Value::Null),
        ],
        "ada is seen by nobody in acme, and bob is gone"
    );
    assert_eq!(nodes[2]["changes"], json!({"name": {"from": "Acme", "to": "By Bob"}}));
    let place = format!("memberships.{}", world.acme.id);
    assert_eq!(nodes[0]["changes"][place], json!({"from": "OWNER", "to": null}));
    let of_bob = format!(
        "{{ auditLog(filter: {{actorId: \"{}\"}}) {{ nodes {{ action actor {{ id }} }} }} }}",
        world.bob
    );
    let reply = app.ask("ada", &of_bob).await;
    let nodes = reply.data()["auditLog"]["nodes"].as_array().expect("nodes");
    assert_eq!(nodes.len(), 2, "found by who did it, also when nobody is left");
}

async fn history_is_found_by_what_it_is_of(app: App) {
    let world = World::new(&app).await;
    let (acme, globex) = (world.acme.id.to_string(), world.globex.id.to_string());
    for (by, tenant, name) in [("bob", &acme, "B"), ("carol", &globex, "C"), ("ada", &acme, "A")] {
        app.clock.advance(60);
        let rename = json!({"id": tenant, "name": name});
        run(&app, by, "updateTenant", rename, "tenant { id }").await.data();
    }
    app.clock.advance(60);
    let leave = json!({"tenantId": acme, "userId": world.carol.to_string()});
    run(&app, "carol", "removeTenantMember", leave, "removedUserId").await.data();
    let found = async |caller: &str, within: &str, filter: String| -> Vec<String> {
        let (open, close) = if within.is_empty() {
            (String::new(), "")
        } else {
            (format!("tenant(slug: \"{within}\") {{ "), " }")
        };
        let query = format!(
            "{{ {open}auditLog(filter: {{{filter}}}) {{ totalCount nodes {{ action changes }} }}{close} }}"
        );
        let reply = app.ask(caller, &query).await;
        let log =
            reply.data().pointer(if within.is_empty() { "/auditLog" } else { "/tenant/auditLog" });
        let log = log.expect("a history").clone();
        let nodes = log["nodes"].as_array().expect("nodes").clone();
        assert_eq!(log["totalCount"], nodes.len(), "{filter}");
        nodes
            .iter()
            .map(|node| match &node["changes"]["name"]["to"] {
                Value::String(name) => name.clone(),
                _ => node["action"].as_str().expect("an action").to_owned(),
            })
            .collect()
    };
    let left = "membership.remove";
    assert_eq!(found("ada", "", String::new()).await, [left, "A", "C", "B", "x"]);
    assert_eq!(found("ada", "", format!("tenantId: \"{acme}\"")).await, [left, "A", "B", "x"]);
    assert_eq!(found("ada", "", format!("actorId: \"{}\"", world.carol)).await, [left, "C"]);
    assert_eq!(found("ada", "", "action: \"membership.remove\"".into()).await, [left]);
    let from = "since: \"2026-01-01T00:02:00Z\"";
    assert_eq!(found("ada", "", from.into()).await, [left, "A", "C"]);
    let until = "until: \"2026-01-01T00:03:00Z\"";
    assert_eq!(found("ada", "", format!("{from}, {until}")).await, ["C"]);
    assert_eq!(found("bob", "acme", format!("actorId: \"{}\"", world.bob)).await, ["B", "x"]);
    assert_eq!(found("bob", "acme", format!("tenantId: \"{globex}\"")).await, [""; 0]);
    assert_eq!(found("carol", "globex", from.into()).await, ["C"]);
}

async fn somebody_with_very_many_places_can_be_deleted(app: App) {
    let world = World::new(&app).await;
    let places: Vec<_> =
        (0..10_000).map(|n| (crate::support::world::id(100_000 + n), TenantRole::Owner)).collect();
    let many = crate::support::world::user(&app, 19, "many", &places);
    let id = many.id.to_string();
    app.store.commit(&[Change::InsertUser(many)]).await.expect("free");
    let input = json!({"tenantId": world.acme.id.to_string(), "userId": id});
    run(&app, "ada", "addTenantMember", input, "membership { role }").await.data();
    run(&app, "ada", "deleteUser", json!({"id": id}), "deletedId").await.data();
    let event = app.history().await.into_iter().next().expect("an event");
    assert_eq!(event.tenants.len(), 10_001);
    assert_eq!(app.stored("many").await, None);
}
