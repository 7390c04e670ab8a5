//! Tests the mutations of users, and which tokens from before a change are still accepted.

use serde_json::{Value, json};
use tenantry::domain::{
    change::Change,
    user::{MembershipSource, TenantRole},
};

use super::{error_extensions, input_error_paths, newest_event, run};
use crate::support::{
    app::{App, on_both_stores},
    issuer::NOW,
    world::World,
};

on_both_stores! {
    user_can_be_created_before_the_first_sign_in,
    identity_can_have_only_one_user,
    invalid_new_user_reports_all_input_errors,
    update_changes_only_the_given_fields,
    direct_platform_admin_is_kept_by_group_sync,
    revoked_platform_admin_is_not_restored_by_older_tokens,
    disabled_user_is_rejected_immediately,
    deleted_user_is_rejected_with_older_tokens,
    recreated_user_does_not_regain_memberships_from_older_tokens,
    user_recreated_by_sign_in_is_rejected_with_older_tokens,
    audit_log_is_kept_after_its_users_are_deleted,
    audit_log_can_be_filtered,
    user_with_very_many_memberships_can_be_deleted,
}

const USER: &str = "user { id subject email name platformAdmin disabled role version
    memberships { role } }";

fn new_user(subject: &str) -> Value {
    json!({"subject": subject, "email": "dave@example.org", "name": "Dave"})
}

async fn user_can_be_created_before_the_first_sign_in(app: App) {
    World::new(&app).await;
    let reply = run(&app, "ada", "createUser", new_user("dave"), USER).await;
    let user = reply.data()["x"]["user"].clone();
    assert_eq!(
        user,
        json!({"id": user["id"], "subject": "dave", "email": "dave@example.org", "name": "Dave",
            "platformAdmin": false, "disabled": false, "role": null, "version": 1,
            "memberships": []})
    );
    let (action, kind, changes) = newest_event(&app).await;
    assert_eq!((&*action, &*kind), ("user.create", "platform_admin"));
    assert_eq!(changes["subject"], json!([null, "dave"]));
    assert_eq!(app.stored_user("dave").await.and_then(|user| user.last_seen_at), None);
    // The first `me` finds that user, and the token's groups count.
    let token = app.issuer.token().subject("dave").issued_at(NOW - 5).groups(["tenant:acme"]);
    let me = app.query_with_token(token, "{ me { id memberships { role } } }").await;
    assert_eq!(me.data()["me"], json!({"id": user["id"], "memberships": [{"role": "MEMBER"}]}));
}

async fn identity_can_have_only_one_user(app: App) {
    World::new(&app).await;
    let reply = run(&app, "ada", "createUser", new_user("bob"), USER).await;
    assert_eq!(error_extensions(&reply), json!({"code": "CONFLICT", "field": "subject"}));
    let mut with_issuer = new_user("bob");
    with_issuer["issuer"] = app.issuer.url().into();
    let reply = run(&app, "ada", "createUser", with_issuer, USER).await;
    assert_eq!(error_extensions(&reply), json!({"code": "CONFLICT", "field": "subject"}));
    // An e-mail address does not have to be unique.
    let twin = json!({"subject": "bob2", "email": "bob@example.org", "name": "Bob"});
    run(&app, "ada", "createUser", twin, USER).await.data();
}

async fn invalid_new_user_reports_all_input_errors(app: App) {
    World::new(&app).await;
    let invalid = json!({"subject": "", "issuer": "https://elsewhere.example", "email": "x",
        "name": "\t", "platformAdmin": true});
    let reply = run(&app, "ada", "createUser", invalid, USER).await;
    assert_eq!(
        input_error_paths(&reply),
        ["input.subject", "input.issuer", "input.email", "input.name"]
    );
    for subject in ["x".repeat(256), "a\u{0}b".to_owned()] {
        let reply = run(&app, "ada", "createUser", new_user(&subject), USER).await;
        assert_eq!(input_error_paths(&reply), ["input.subject"]);
    }
    run(&app, "ada", "createUser", new_user(&"é".repeat(255)), USER).await.data();
}

async fn update_changes_only_the_given_fields(app: App) {
    let world = World::new(&app).await;
    let id = world.carol.to_string();
    let reply = run(&app, "ada", "updateUser", json!({"id": id, "name": "Caroline"}), USER).await;
    let user = &reply.data()["x"]["user"];
    assert_eq!((&user["name"], &user["version"]), (&json!("Caroline"), &json!(2)));
    assert_eq!(user["email"], "carol@example.org");
    assert_eq!(user["memberships"].as_array().map(Vec::len), Some(2), "memberships are unchanged");
    let (action, _, changes) = newest_event(&app).await;
    assert_eq!((&*action, changes), ("user.update", json!({"name": ["Carol", "Caroline"]})));
    let reply = run(&app, "ada", "updateUser", json!({"id": id, "email": null}), USER).await;
    assert_eq!(reply.data()["x"]["user"]["email"], Value::Null);
    let nulls = json!({"id": id, "name": null, "platformAdmin": null, "disabled": null});
    let reply = run(&app, "ada", "updateUser", nulls, USER).await;
    assert_eq!(input_error_paths(&reply), ["input.name", "input.platformAdmin", "input.disabled"]);
    let unchanged = json!({"id": id, "version": 3, "name": "Caroline", "email": null,
        "platformAdmin": false, "disabled": false});
    let reply = run(&app, "ada", "updateUser", unchanged, USER).await;
    assert_eq!((&reply.data()["x"]["user"]["version"], reply.writes), (&json!(3), 0));
    let stale = json!({"id": id, "version": 2, "name": "Late"});
    let reply = run(&app, "ada", "updateUser", stale, USER).await;
    assert_eq!(error_extensions(&reply), json!({"code": "STALE_VERSION", "currentVersion": 3}));
    let reply = run(&app, "ada", "deleteUser", json!({"id": id, "version": 2}), "deletedId").await;
    assert_eq!(error_extensions(&reply), json!({"code": "STALE_VERSION", "currentVersion": 3}));
    let nonexistent = json!({"id": "usr_65000000000000000000ffff", "name": ""});
    let reply = run(&app, "ada", "updateUser", nonexistent, USER).await;
    assert_eq!(reply.codes(), ["NOT_FOUND"]);
}

async fn direct_platform_admin_is_kept_by_group_sync(app: App) {
    let world = World::new(&app).await;
    let grant = json!({"id": world.carol.to_string(), "platformAdmin": true});
    run(&app, "ada", "updateUser", grant.clone(), USER).await.data();
    let token = app.issuer.token().subject("carol").groups(["unrelated"]);
    let me = app.query_with_token(token, "{ me { platformAdmin } }").await;
    assert_eq!(me.data()["me"]["platformAdmin"], true, "group sync does not revoke it");
    // A new source is a change, even if the response is the same.
    app.edit_user("mallory", |mallory| mallory.platform_admin = Some(MembershipSource::Group))
        .await;
    let grant = json!({"id": world.mallory.to_string(), "platformAdmin": true});
    let reply = run(&app, "ada", "updateUser", grant, USER).await;
    assert_eq!(reply.data()["x"]["user"]["version"], 2);
    assert_eq!(newest_event(&app).await.2, json!({"platformAdminSource": ["GROUP", "DIRECT"]}));
}

async fn revoked_platform_admin_is_not_restored_by_older_tokens(app: App) {
    let world = World::new(&app).await;
    let admin = ["platform-admins"];
    let token = |iat: i64| app.issuer.token().subject("mallory").issued_at(iat).groups(admin);
    let me = "{ me { platformAdmin } }";
    assert_eq!(app.query_with_token(token(NOW - 9), me).await.data()["me"]["platformAdmin"], true);
    let revoke = json!({"id": world.mallory.to_string(), "platformAdmin": false});
    let reply = run(&app, "ada", "updateUser", revoke, USER).await;
    assert_eq!(reply.data()["x"]["user"]["platformAdmin"], false);
    let users = "{ users { totalCount } }";
    assert_eq!(app.query_as("mallory", users).await.codes(), ["FORBIDDEN"], "immediately");
    app.clock.advance(120);
    for iat in [NOW - 9, NOW, NOW + 60] {
        let me = app.query_with_token(token(iat), me).await;
        assert_eq!(
            me.data()["me"]["platformAdmin"],
            false,
            "{iat}: counts as issued before the change"
        );
    }
    let me = app.query_with_token(token(NOW + 61), me).await;
    assert_eq!(me.data()["me"]["platformAdmin"], true, "a later token may grant it again");
}

async fn disabled_user_is_rejected_immediately(app: App) {
    let world = World::new(&app).await;
    let disable = json!({"id": world.bob.to_string(), "disabled": true});
    run(&app, "ada", "updateUser", disable, USER).await.data();
    assert_eq!(app.query_as("bob", "{ me { id } }").await.codes(), ["USER_DISABLED"]);
    let input = json!({"id": world.acme.id.to_string(), "name": "Mine"});
    assert_eq!(
        run(&app, "bob", "updateTenant", input, "tenant { id }").await.codes(),
        ["USER_DISABLED"]
    );
    let enable = json!({"id": world.bob.to_string(), "disabled": false});
    run(&app, "ada", "updateUser", enable, USER).await.data();
    assert_eq!(app.query_as("bob", "{ me { name } }").await.data()["me"]["name"], "Bob");
}

async fn deleted_user_is_rejected_with_older_tokens(app: App) {
    let world = World::new(&app).await;
    let id = world.bob.to_string();
    let reply = run(&app, "ada", "deleteUser", json!({"id": id}), "deletedId").await;
    assert_eq!(reply.data()["x"], json!({"deletedId": id}));
    let (action, _, changes) = newest_event(&app).await;
    assert_eq!(action, "user.delete");
    assert_eq!(changes["name"], json!(["Bob", null]));
    assert_eq!(changes[format!("memberships.{}", world.acme.id)], json!(["OWNER", null]));
    let members =
        app.query_as("carol", "{ tenant(slug: \"acme\") { members { totalCount } } }").await;
    assert_eq!(members.data()["tenant"]["members"]["totalCount"], 1);
    app.clock.advance(120);
    for query in ["{ me { id } }", "{ tenant(slug: \"acme\") { id } }"] {
        for iat in [Some(NOW - 1), Some(NOW + 60), None] {
            let token = app.issuer.token().subject("bob");
            let token = match iat {
                Some(iat) => token.issued_at(iat),
                None => token.without("iat"),
            };
            let reply = app.query_with_token(token, query).await;
            assert_eq!(reply.codes(), ["USER_NOT_PROVISIONED"], "{query} {iat:?}");
        }
    }
    let token = app.issuer.token().subject("bob").issued_at(NOW + 61);
    let me = app.query_with_token(token, "{ me { id memberships { role } } }").await;
    assert_eq!(me.data()["me"]["memberships"], json!([]), "a new user with the same identity");
    assert_ne!(me.data()["me"]["id"], id);
    let reply = run(&app, "ada", "deleteUser", json!({"id": id}), "deletedId").await;
    assert_eq!(reply.codes(), ["NOT_FOUND"]);
}

async fn recreated_user_does_not_regain_memberships_from_older_tokens(app: App) {
    let world = World::new(&app).await;
    run(&app, "ada", "deleteUser", json!({"id": world.bob.to_string()}), "deletedId").await.data();
    run(&app, "ada", "createUser", new_user("bob"), USER).await.data();
    app.clock.advance(120);
    let token =
        |iat| app.issuer.token().subject("bob").issued_at(iat).groups(["tenant:acme:owner"]);
    let memberships = "{ me { memberships { role } } }";
    let old = app.query_with_token(token(NOW + 60), memberships).await;
    assert_eq!(
        old.data()["me"]["memberships"],
        json!([]),
        "the token is accepted but restores no membership"
    );
    let new = app.query_with_token(token(NOW + 61), memberships).await;
    assert_eq!(new.data()["me"]["memberships"], json!([{"role": "OWNER"}]));
}

async fn user_recreated_by_sign_in_is_rejected_with_older_tokens(app: App) {
    let world = World::new(&app).await;
    run(&app, "ada", "deleteUser", json!({"id": world.bob.to_string()}), "deletedId").await.data();
    app.clock.advance(120);
    let token = |iat| app.issuer.token().subject("bob").issued_at(iat);
    let new = token(NOW + 61).without("groups");
    let memberships = "{ me { memberships { role } } }";
    app.query_with_token(new.clone(), memberships).await.data();
    for old in [token(NOW - 5), token(NOW + 59), token(NOW).without("iat")] {
        for query in [memberships, "{ tenants { totalCount } }", "{ users { totalCount } }"] {
            let reply =
                app.query_with_token(old.clone().groups(["tenant:acme:owner"]), query).await;
            assert_eq!(reply.codes(), ["USER_NOT_PROVISIONED"], "{query}");
        }
    }
    let repeated = app.query_with_token(new, memberships).await;
    assert_eq!((repeated.data()["me"]["memberships"].clone(), repeated.reads), (json!([]), 1));
    // A token with groups advances the watermark.
    let groups = token(NOW + 70).groups(["tenant:acme:owner"]);
    app.query_with_token(groups.clone(), memberships).await.data();
    let old = app.query_with_token(token(NOW + 60).groups([]), memberships).await;
    assert_eq!(old.codes(), ["USER_NOT_PROVISIONED"]);
    let role = app.query_with_token(groups, memberships).await;
    assert_eq!(role.data()["me"]["memberships"], json!([{"role": "OWNER"}]));
}

async fn audit_log_is_kept_after_its_users_are_deleted(app: App) {
    let world = World::new(&app).await;
    let rename = json!({"id": world.acme.id.to_string(), "name": "By Bob"});
    run(&app, "bob", "updateTenant", rename, "tenant { id }").await.data();
    let dave = run(&app, "ada", "createUser", new_user("dave"), USER).await;
    let dave = dave.data()["x"]["user"]["id"].clone();
    let input = json!({"tenantId": world.acme.id.to_string(), "userId": dave, "role": "OWNER"});
    run(&app, "ada", "addTenantMember", input, "membership { role }").await.data();
    run(&app, "ada", "deleteUser", json!({"id": world.bob.to_string()}), "deletedId").await.data();
    let log = "{ tenant(slug: \"acme\") { auditLog { nodes { action actor { name } target { id } changes } } } }";
    let reply = app.query_as("dave", log).await;
    let nodes = reply.data()["tenant"]["auditLog"]["nodes"].as_array().expect("nodes");
    let events: Vec<_> = nodes.iter().map(|node| (&node["action"], &node["actor"])).collect();
    assert_eq!(
        events,
        [
            (&json!("user.delete"), &Value::Null),
            (&json!("membership.add"), &Value::Null),
            (&json!("tenant.update"), &Value::Null),
            (&json!("tenant.update"), &Value::Null),
        ],
        "no member of acme can see ada, and bob is deleted"
    );
    assert_eq!(nodes[2]["changes"], json!({"name": {"from": "Acme", "to": "By Bob"}}));
    let membership = format!("memberships.{}", world.acme.id);
    assert_eq!(nodes[0]["changes"][membership], json!({"from": "OWNER", "to": null}));
    let by_bob = format!(
        "{{ auditLog(filter: {{actorId: \"{}\"}}) {{ nodes {{ action actor {{ id }} }} }} }}",
        world.bob
    );
    let reply = app.query_as("ada", &by_bob).await;
    let nodes = reply.data()["auditLog"]["nodes"].as_array().expect("nodes");
    assert_eq!(nodes.len(), 2, "a deleted user can still be used as the actor filter");
}

async fn audit_log_can_be_filtered(app: App) {
    let world = World::new(&app).await;
    let (acme, globex) = (world.acme.id.to_string(), world.globex.id.to_string());
    for (subject, tenant, name) in
        [("bob", &acme, "B"), ("carol", &globex, "C"), ("ada", &acme, "A")]
    {
        app.clock.advance(60);
        let rename = json!({"id": tenant, "name": name});
        run(&app, subject, "updateTenant", rename, "tenant { id }").await.data();
    }
    app.clock.advance(60);
    let leave = json!({"tenantId": acme, "userId": world.carol.to_string()});
    run(&app, "carol", "removeTenantMember", leave, "removedUserId").await.data();
    let filtered = async |caller: &str, slug: &str, filter: String| -> Vec<String> {
        let (open, close) = if slug.is_empty() {
            (String::new(), "")
        } else {
            (format!("tenant(slug: \"{slug}\") {{ "), " }")
        };
        let query = format!(
            "{{ {open}auditLog(filter: {{{filter}}}) {{ totalCount nodes {{ action changes }} }}{close} }}"
        );
        let reply = app.query_as(caller, &query).await;
        let log =
            reply.data().pointer(if slug.is_empty() { "/auditLog" } else { "/tenant/auditLog" });
        let log = log.expect("an audit log").clone();
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
    let removal = "membership.remove";
    assert_eq!(filtered("ada", "", String::new()).await, [removal, "A", "C", "B", "x"]);
    assert_eq!(
        filtered("ada", "", format!("tenantId: \"{acme}\"")).await,
        [removal, "A", "B", "x"]
    );
    assert_eq!(filtered("ada", "", format!("actorId: \"{}\"", world.carol)).await, [removal, "C"]);
    assert_eq!(filtered("ada", "", "action: \"membership.remove\"".into()).await, [removal]);
    let from = "since: \"2026-01-01T00:02:00Z\"";
    assert_eq!(filtered("ada", "", from.into()).await, [removal, "A", "C"]);
    let until = "until: \"2026-01-01T00:03:00Z\"";
    assert_eq!(filtered("ada", "", format!("{from}, {until}")).await, ["C"]);
    assert_eq!(filtered("bob", "acme", format!("actorId: \"{}\"", world.bob)).await, ["B", "x"]);
    assert_eq!(filtered("bob", "acme", format!("tenantId: \"{globex}\"")).await, [""; 0]);
    assert_eq!(filtered("carol", "globex", from.into()).await, ["C"]);
}

async fn user_with_very_many_memberships_can_be_deleted(app: App) {
    let world = World::new(&app).await;
    let roles: Vec<_> =
        (0..10_000).map(|n| (crate::support::world::id(100_000 + n), TenantRole::Owner)).collect();
    let many = crate::support::world::user(&app, 19, "many", &roles);
    let id = many.id.to_string();
    app.store.commit(&[Change::InsertUser(many)]).await.expect("identifiers are unused");
    let input = json!({"tenantId": world.acme.id.to_string(), "userId": id});
    run(&app, "ada", "addTenantMember", input, "membership { role }").await.data();
    run(&app, "ada", "deleteUser", json!({"id": id}), "deletedId").await.data();
    let event = app.audit_log().await.into_iter().next().expect("an event");
    assert_eq!(event.tenants.len(), 10_001);
    assert_eq!(app.stored_user("many").await, None);
}
