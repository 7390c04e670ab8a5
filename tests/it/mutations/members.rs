//! Tests adding and changing members: which role may grant which, and the effects on group sync.

use serde_json::{Value, json};
use tenantry::domain::user::{MembershipSource, TenantRole};

use super::{error_extensions, newest_event, run};
use crate::support::{
    app::{App, Reply, on_both_stores},
    issuer::NOW,
    world::{self, World},
};

on_both_stores! {
    added_member_has_a_direct_membership,
    owners_add_only_users_that_they_can_see,
    admins_cannot_grant_or_change_the_owner_role,
    members_can_only_remove_themselves,
    updating_a_group_membership_makes_it_direct,
    demotion_advances_the_group_watermark,
    member_of_another_tenant_is_not_found,
    non_member_is_not_found,
}

/// The payload fields that the tests select.
const MEMBERSHIP: &str =
    "membership { role source since tenant { slug } user { id name version } }";

/// Runs a member mutation on acme with a token of the given subject. An empty role is omitted.
pub(super) async fn change_member(
    app: &App,
    subject: &str,
    name: &str,
    world: &World,
    user: impl ToString,
    role: &str,
) -> Reply {
    let mut input = json!({"tenantId": world.acme.id.to_string(), "userId": user.to_string()});
    if !role.is_empty() {
        input["role"] = role.into();
    }
    let fields = match name {
        "removeTenantMember" => "removedUserId tenant { slug }",
        _ => MEMBERSHIP,
    };
    run(app, subject, name, input, fields).await
}

/// Returns the stored role of a user in acme.
pub(super) async fn role_of(app: &App, subject: &str, world: &World) -> Option<TenantRole> {
    app.stored_user(subject).await.expect("a stored user").membership(world.acme.id).map(|m| m.role)
}

async fn added_member_has_a_direct_membership(app: App) {
    let world = World::new(&app).await;
    let reply = change_member(&app, "ada", "addTenantMember", &world, world.mallory, "").await;
    assert_eq!(
        reply.data()["x"]["membership"],
        json!({"role": "MEMBER", "source": "DIRECT", "since": "2026-01-01T00:00:00.000Z",
            "tenant": {"slug": "acme"},
            "user": {"id": world.mallory.to_string(), "name": "Mallory", "version": 2}})
    );
    let tenant = app.query_as("mallory", "{ tenant(slug: \"acme\") { slug } }").await;
    assert_eq!(tenant.data()["tenant"]["slug"], "acme", "at the next request");
    let (action, kind, changes) = newest_event(&app).await;
    assert_eq!((&*action, &*kind), ("membership.add", "platform_admin"));
    let path = format!("memberships.{}", world.acme.id);
    assert_eq!(
        changes,
        json!({&path: [null, "MEMBER"], format!("{path}.source"): [null, "DIRECT"]})
    );
    let reply = change_member(&app, "ada", "addTenantMember", &world, world.mallory, "ADMIN").await;
    assert_eq!(error_extensions(&reply), json!({"code": "CONFLICT", "field": "userId"}));
    let log = app.query_as("bob", "{ tenant(slug: \"acme\") { auditLog(first: 1) { nodes { action changes target { id } } } } }").await;
    let event = &log.data()["tenant"]["auditLog"]["nodes"][0];
    assert_eq!(event["changes"][&path], json!({"from": null, "to": "MEMBER"}));
    assert_eq!(event["target"]["id"], world.mallory.to_string());
}

async fn owners_add_only_users_that_they_can_see(app: App) {
    let world = World::new(&app).await;
    let nonexistent = "usr_65000000000000000000ffff";
    for (user, case) in
        [(world.mallory.to_string(), "hidden"), (nonexistent.to_owned(), "nonexistent")]
    {
        let reply = change_member(&app, "bob", "addTenantMember", &world, user, "").await;
        assert_eq!((reply.codes(), reply.reads), (vec!["NOT_FOUND"], 3), "{case}");
    }
    // bob can see carol, but she is already a member.
    let reply = change_member(&app, "bob", "addTenantMember", &world, world.carol, "").await;
    assert_eq!(error_extensions(&reply), json!({"code": "CONFLICT", "field": "userId"}));
    // bob also owns initech. He can see carol through acme, but initech is suspended.
    let initech =
        json!({"tenantId": world.initech.id.to_string(), "userId": world.carol.to_string()});
    let reply = run(&app, "bob", "addTenantMember", initech.clone(), MEMBERSHIP).await;
    assert_eq!(reply.codes(), ["TENANT_SUSPENDED"]);
    let open = json!({"id": world.initech.id.to_string(), "status": "ACTIVE"});
    run(&app, "ada", "updateTenant", open, "tenant { id }").await.data();
    let reply = run(&app, "bob", "addTenantMember", initech, MEMBERSHIP).await;
    assert_eq!(reply.data()["x"]["membership"]["user"]["name"], "Carol");
}

async fn admins_cannot_grant_or_change_the_owner_role(app: App) {
    let world = World::new(&app).await;
    change_member(&app, "ada", "updateTenantMember", &world, world.carol, "ADMIN").await.data();
    change_member(&app, "ada", "addTenantMember", &world, world.mallory, "MEMBER").await.data();
    for (name, user, role) in [
        ("addTenantMember", world.mallory, "OWNER"),
        ("updateTenantMember", world.mallory, "OWNER"),
        ("updateTenantMember", world.carol, "OWNER"),
        ("updateTenantMember", world.bob, "ADMIN"),
        ("updateTenantMember", world.bob, "OWNER"),
        ("removeTenantMember", world.bob, ""),
    ] {
        let reply = change_member(&app, "carol", name, &world, user, role).await;
        assert_eq!(reply.codes(), ["FORBIDDEN"], "{name} {user} {role}");
    }
    change_member(&app, "carol", "updateTenantMember", &world, world.mallory, "ADMIN").await.data();
    change_member(&app, "carol", "removeTenantMember", &world, world.mallory, "").await.data();
    // An admin may give up the role, and then cannot manage members.
    change_member(&app, "carol", "updateTenantMember", &world, world.carol, "MEMBER").await.data();
    let reply =
        change_member(&app, "carol", "updateTenantMember", &world, world.carol, "ADMIN").await;
    assert_eq!(reply.codes(), ["FORBIDDEN"]);
    // An owner may grant the owner role and remove an owner.
    change_member(&app, "bob", "updateTenantMember", &world, world.carol, "OWNER").await.data();
    change_member(&app, "bob", "removeTenantMember", &world, world.carol, "").await.data();
}

async fn members_can_only_remove_themselves(app: App) {
    let world = World::new(&app).await;
    for (name, user, role) in [
        ("addTenantMember", world.mallory, ""),
        ("updateTenantMember", world.carol, "ADMIN"),
        ("updateTenantMember", world.carol, "MEMBER"),
        ("removeTenantMember", world.bob, ""),
        ("removeTenantMember", world.mallory, ""),
    ] {
        let reply = change_member(&app, "carol", name, &world, user, role).await;
        assert_eq!((reply.codes(), reply.reads), (vec!["FORBIDDEN"], 2), "{name} {user}");
    }
    let reply = change_member(&app, "carol", "removeTenantMember", &world, world.carol, "").await;
    assert_eq!(
        reply.data()["x"],
        json!({"removedUserId": world.carol.to_string(), "tenant": {"slug": "acme"}})
    );
    let (action, kind, _) = newest_event(&app).await;
    assert_eq!((&*action, &*kind), ("membership.remove", "user"));
}

async fn updating_a_group_membership_makes_it_direct(app: App) {
    let world = World::new(&app).await;
    let groups = |iat: i64, groups: &'static [&'static str]| {
        app.issuer.token().subject("mallory").issued_at(iat).groups(groups.iter().copied())
    };
    let me = "{ me { memberships { role source } } }";
    app.query_with_token(groups(NOW - 9, &["tenant:acme"]), me).await.data();
    let reply =
        change_member(&app, "bob", "updateTenantMember", &world, world.mallory, "MEMBER").await;
    assert_eq!(reply.data()["x"]["membership"]["source"], "DIRECT");
    assert_eq!(
        newest_event(&app).await.2,
        json!({format!("memberships.{}.source", world.acme.id): ["GROUP", "DIRECT"]})
    );
    let unchanged =
        change_member(&app, "bob", "updateTenantMember", &world, world.mallory, "MEMBER").await;
    unchanged.data();
    assert_eq!(unchanged.writes, 0, "nothing changes");
    let after = app.query_with_token(groups(NOW - 3, &[]), me).await;
    assert_eq!(after.data()["me"]["memberships"], json!([{"role": "MEMBER", "source": "DIRECT"}]));
}

async fn demotion_advances_the_group_watermark(app: App) {
    let world = World::new(&app).await;
    let token = |iat: i64| {
        app.issuer
            .token()
            .subject("mallory")
            .issued_at(iat)
            .groups(["tenant:acme:owner", "tenant:globex"])
    };
    let me = "{ me { memberships { role source tenant { slug } } } }";
    app.query_with_token(token(NOW - 9), me).await.data();
    let before = app.stored_user("mallory").await.expect("a stored user").groups_as_of;
    change_member(&app, "bob", "updateTenantMember", &world, world.mallory, "ADMIN").await.data();
    let watermark = app.stored_user("mallory").await.expect("a stored user").groups_as_of;
    assert_eq!((before, watermark), (Some(world::ago(9)), Some(world::ago(-60))));
    // A promotion does not advance the watermark.
    change_member(&app, "bob", "updateTenantMember", &world, world.mallory, "OWNER").await.data();
    assert_eq!(app.stored_user("mallory").await.expect("a stored user").groups_as_of, watermark);
    // A watermark never moves back.
    app.edit_user("mallory", |mallory| mallory.groups_as_of = Some(world::ago(-9999))).await;
    change_member(&app, "bob", "updateTenantMember", &world, world.mallory, "MEMBER").await.data();
    assert_eq!(
        app.stored_user("mallory").await.expect("a stored user").groups_as_of,
        Some(world::ago(-9999))
    );
}

async fn member_of_another_tenant_is_not_found(app: App) {
    let world = World::new(&app).await;
    // carol is an admin of globex. bob is a member of acme, but not of globex.
    let member = |user: &dyn ToString| json!({"tenantId": world.globex.id.to_string(), "userId": user.to_string()});
    let reply = run(&app, "carol", "removeTenantMember", member(&world.bob), "removedUserId").await;
    assert_eq!(reply.codes(), ["NOT_FOUND"]);
    let mut change = member(&world.bob);
    change["role"] = "MEMBER".into();
    let reply = run(&app, "carol", "updateTenantMember", change, MEMBERSHIP).await;
    assert_eq!(reply.codes(), ["NOT_FOUND"]);
    // A tenant that carol cannot see is indistinguishable from a nonexistent one.
    let in_tenant = |tenant: &str| json!({"tenantId": tenant, "userId": world.bob.to_string()});
    let initech = world.initech.id.to_string();
    let hidden =
        run(&app, "carol", "removeTenantMember", in_tenant(&initech), "removedUserId").await;
    let nonexistent = in_tenant("ten_65000000000000000000ffff");
    let nonexistent = run(&app, "carol", "removeTenantMember", nonexistent, "removedUserId").await;
    assert_eq!((hidden.codes(), hidden.reads), (nonexistent.codes(), nonexistent.reads));
    assert_eq!((hidden.codes(), hidden.reads), (vec!["NOT_FOUND"], 2));
    assert!(
        app.stored_user("bob").await.expect("a stored user").membership(world.initech.id).is_some()
    );
}

async fn non_member_is_not_found(app: App) {
    let world = World::new(&app).await;
    app.edit_user("mallory", |mallory| mallory.platform_admin = Some(MembershipSource::Group))
        .await;
    for user in [world.mallory.to_string(), "usr_65000000000000000000ffff".to_owned()] {
        let reply = change_member(&app, "ada", "updateTenantMember", &world, &user, "ADMIN").await;
        assert_eq!(reply.codes(), ["NOT_FOUND"]);
        let reply = change_member(&app, "bob", "removeTenantMember", &world, &user, "").await;
        assert_eq!(reply.codes(), ["NOT_FOUND"]);
    }
    let input = json!({"tenantId": "ten_x", "userId": "usr_x", "role": "ADMIN"});
    let reply = run(&app, "mallory", "updateTenantMember", input, MEMBERSHIP).await;
    assert_eq!(super::input_error_paths(&reply), ["input.tenantId", "input.userId"]);
    assert_eq!((reply.reads, &reply.json["data"]), (0, &Value::Null));
}
