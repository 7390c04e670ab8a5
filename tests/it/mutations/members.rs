//! Members: who may give and take which role, the last owner, leaving, and what it does to groups.

use serde_json::{Value, json};
use tenantry::domain::{
    change::Change,
    user::{MembershipSource, TenantRole},
};

use super::{newest, run, told};
use crate::support::{
    app::{App, Reply, on_both_stores},
    issuer::NOW,
    world::{self, World},
};

on_both_stores! {
    a_member_is_added_directly,
    a_tenants_own_people_add_whom_they_see,
    admins_do_not_touch_owners,
    members_manage_nobody_but_themselves,
    what_is_given_here_is_direct,
    a_lower_role_stays_lower,
    a_removed_member_stays_removed,
    the_last_owner_stays,
    a_disabled_owner_is_none,
    platform_admins_may_leave_it_without_owner,
    who_leaves_sees_no_more,
    a_suspended_tenant_is_closed_but_for_leaving,
    the_other_tenants_member_is_not_mine,
    who_is_no_member_is_not_found,
}

const MEMBERSHIP: &str =
    "membership { role source since tenant { slug } user { id name version } }";

async fn place(
    app: &App,
    by: &str,
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
    run(app, by, name, input, fields).await
}

async fn role_of(app: &App, subject: &str, world: &World) -> Option<TenantRole> {
    app.stored(subject).await.expect("stored").membership(world.acme.id).map(|m| m.role)
}

async fn a_member_is_added_directly(app: App) {
    let world = World::new(&app).await;
    let reply = place(&app, "ada", "addTenantMember", &world, world.mallory, "").await;
    assert_eq!(
        reply.data()["x"]["membership"],
        json!({"role": "MEMBER", "source": "DIRECT", "since": "2026-01-01T00:00:00.000Z",
            "tenant": {"slug": "acme"},
            "user": {"id": world.mallory.to_string(), "name": "Mallory", "version": 2}})
    );
    let seen = app.ask("mallory", "{ tenant(slug: \"acme\") { slug } }").await;
    assert_eq!(seen.data()["tenant"]["slug"], "acme", "at the next request");
    let (action, kind, changes) = newest(&app).await;
    assert_eq!((&*action, &*kind), ("membership.add", "platform_admin"));
    let path = format!("memberships.{}", world.acme.id);
    assert_eq!(
        changes,
        json!({&path: [null, "MEMBER"], format!("{path}.source"): [null, "DIRECT"]})
    );
    let reply = place(&app, "ada", "addTenantMember", &world, world.mallory, "ADMIN").await;
    assert_eq!(told(&reply), json!({"code": "CONFLICT", "field": "userId"}));
    let shown = app.ask("bob", "{ tenant(slug: \"acme\") { auditLog(first: 1) { nodes { action changes target { id } } } } }").await;
    let shown = &shown.data()["tenant"]["auditLog"]["nodes"][0];
    assert_eq!(shown["changes"][&path], json!({"from": null, "to": "MEMBER"}));
    assert_eq!(shown["target"]["id"], world.mallory.to_string());
}

async fn a_tenants_own_people_add_whom_they_see(app: App) {
    let world = World::new(&app).await;
    let absent = "usr_65000000000000000000ffff";
    for (user, what) in [(world.mallory.to_string(), "hidden"), (absent.to_owned(), "absent")] {
        let reply = place(&app, "bob", "addTenantMember", &world, user, "").await;
        assert_eq!((reply.codes(), reply.reads), (vec!["NOT_FOUND"], 3), "{what}");
    }
    // carol is seen by bob, and is a member already.
    let reply = place(&app, "bob", "addTenantMember", &world, world.carol, "").await;
    assert_eq!(told(&reply), json!({"code": "CONFLICT", "field": "userId"}));
    // bob owns initech too: with carol in acme he may bring her there, were it open.
    let initech =
        json!({"tenantId": world.initech.id.to_string(), "userId": world.carol.to_string()});
    let reply = run(&app, "bob", "addTenantMember", initech.clone(), MEMBERSHIP).await;
    assert_eq!(reply.codes(), ["TENANT_SUSPENDED"]);
    let open = json!({"id": world.initech.id.to_string(), "status": "ACTIVE"});
    run(&app, "ada", "updateTenant", open, "tenant { id }").await.data();
    let reply = run(&app, "bob", "addTenantMember", initech, MEMBERSHIP).await;
    assert_eq!(reply.data()["x"]["membership"]["user"]["name"], "Carol");
}

async fn admins_do_not_touch_owners(app: App) {
    let world = World::new(&app).await;
    place(&app, "ada", "updateTenantMember", &world, world.carol, "ADMIN").await.data();
    place(&app, "ada", "addTenantMember", &world, world.mallory, "MEMBER").await.data();
    for (name, user, role) in [
        ("addTenantMember", world.mallory, "OWNER"),
        ("updateTenantMember", world.mallory, "OWNER"),
        ("updateTenantMember", world.carol, "OWNER"),
        ("updateTenantMember", world.bob, "ADMIN"),
        ("updateTenantMember", world.bob, "OWNER"),
        ("removeTenantMember", world.bob, ""),
    ] {
        let reply = place(&app, "carol", name, &world, user, role).await;
        assert_eq!(reply.codes(), ["FORBIDDEN"], "{name} {user} {role}");
    }
    place(&app, "carol", "updateTenantMember", &world, world.mallory, "ADMIN").await.data();
    place(&app, "carol", "removeTenantMember", &world, world.mallory, "").await.data();
    // An admin may step down, and then manages nobody.
    place(&app, "carol", "updateTenantMember", &world, world.carol, "MEMBER").await.data();
    let reply = place(&app, "carol", "updateTenantMember", &world, world.carol, "ADMIN").await;
    assert_eq!(reply.codes(), ["FORBIDDEN"]);
    // An owner does all of it.
    place(&app, "bob", "updateTenantMember", &world, world.carol, "OWNER").await.data();
    place(&app, "bob", "removeTenantMember", &world, world.carol, "").await.data();
}

async fn members_manage_nobody_but_themselves(app: App) {
    let world = World::new(&app).await;
    for (name, user, role) in [
        ("addTenantMember", world.mallory, ""),
        ("updateTenantMember", world.carol, "ADMIN"),
        ("updateTenantMember", world.carol, "MEMBER"),
        ("removeTenantMember", world.bob, ""),
        ("removeTenantMember", world.mallory, ""),
    ] {
        let reply = place(&app, "carol", name, &world, user, role).await;
        assert_eq!((reply.codes(), reply.reads), (vec!["FORBIDDEN"], 2), "{name} {user}");
    }
    let reply = place(&app, "carol", "removeTenantMember", &world, world.carol, "").await;
    assert_eq!(
        reply.data()["x"],
        json!({"removedUserId": world.carol.to_string(), "tenant": {"slug": "acme"}})
    );
    let (action, kind, _) = newest(&app).await;
    assert_eq!((&*action, &*kind), ("membership.remove", "user"));
}

async fn what_is_given_here_is_direct(app: App) {
    let world = World::new(&app).await;
    let groups = |iat: i64, groups: &'static [&'static str]| {
        app.issuer.token().subject("mallory").issued_at(iat).groups(groups.iter().copied())
    };
    let me = "{ me { memberships { role source } } }";
    app.ask_by(groups(NOW - 9, &["tenant:acme"]), me).await.data();
    let reply = place(&app, "bob", "updateTenantMember", &world, world.mallory, "MEMBER").await;
    assert_eq!(reply.data()["x"]["membership"]["source"], "DIRECT");
    assert_eq!(
        newest(&app).await.2,
        json!({format!("memberships.{}.source", world.acme.id): ["GROUP", "DIRECT"]})
    );
    let again = place(&app, "bob", "updateTenantMember", &world, world.mallory, "MEMBER").await;
    again.data();
    assert_eq!(again.writes, 0, "it is so already");
    let after = app.ask_by(groups(NOW - 3, &[]), me).await;
    assert_eq!(after.data()["me"]["memberships"], json!([{"role": "MEMBER", "source": "DIRECT"}]));
}

async fn a_lower_role_stays_lower(app: App) {
    let world = World::new(&app).await;
    let token = |iat: i64| {
        app.issuer
            .token()
            .subject("mallory")
            .issued_at(iat)
            .groups(["tenant:acme:owner", "tenant:globex"])
    };
    let me = "{ me { memberships { role source tenant { slug } } } }";
    app.ask_by(token(NOW - 9), me).await.data();
    let before = app.stored("mallory").await.expect("stored").groups_as_of;
    place(&app, "bob", "updateTenantMember", &world, world.mallory, "ADMIN").await.data();
    let mark = app.stored("mallory").await.expect("stored").groups_as_of;
    assert_eq!((before, mark), (Some(world::ago(9)), Some(world::ago(-60))));
    // A higher role is no removal.
    place(&app, "bob", "updateTenantMember", &world, world.mallory, "OWNER").await.data();
    assert_eq!(app.stored("mallory").await.expect("stored").groups_as_of, mark);
    // A watermark never moves back.
    app.change("mallory", |mallory| mallory.groups_as_of = Some(world::ago(-9999))).await;
    place(&app, "bob", "updateTenantMember", &world, world.mallory, "MEMBER").await.data();
    assert_eq!(app.stored("mallory").await.expect("stored").groups_as_of, Some(world::ago(-9999)));
}

async fn a_removed_member_stays_removed(app: App) {
    let world = World::new(&app).await;
    let token =
        |iat: i64| app.issuer.token().subject("mallory").issued_at(iat).groups(["tenant:acme"]);
    let me = "{ me { memberships { role } } }";
    app.ask_by(token(NOW - 9), me).await.data();
    place(&app, "bob", "removeTenantMember", &world, world.mallory, "").await.data();
    app.clock.advance(120);
    for iat in [NOW - 9, NOW - 1, NOW + 60] {
        let reply = app.ask_by(token(iat), me).await;
        assert_eq!(reply.data()["me"]["memberships"], json!([]), "{iat}");
    }
    let reply = app.ask_by(token(NOW + 61), me).await;
    assert_eq!(reply.data()["me"]["memberships"], json!([{"role": "MEMBER"}]));
}

async fn the_last_owner_stays(app: App) {
    let world = World::new(&app).await;
    for (name, role) in [("removeTenantMember", ""), ("updateTenantMember", "ADMIN")] {
        let reply = place(&app, "bob", name, &world, world.bob, role).await;
        assert_eq!(told(&reply), json!({"code": "CONFLICT", "field": "userId"}), "{name}");
    }
    assert_eq!(app.history().await.len(), 1);
    place(&app, "bob", "updateTenantMember", &world, world.carol, "OWNER").await.data();
    place(&app, "bob", "updateTenantMember", &world, world.bob, "ADMIN").await.data();
    let reply = place(&app, "carol", "removeTenantMember", &world, world.carol, "").await;
    assert_eq!(told(&reply), json!({"code": "CONFLICT", "field": "userId"}));
    // An owner of another tenant is none of this one.
    assert_eq!(role_of(&app, "carol", &world).await, Some(TenantRole::Owner));
}

async fn a_disabled_owner_is_none(app: App) {
    let world = World::new(&app).await;
    let mut shut = world::user(&app, 15, "shut", &[(world.acme.id, TenantRole::Owner)]);
    shut.disabled = true;
    let id = shut.id;
    app.store.commit(&[Change::InsertUser(shut)]).await.expect("free");
    let reply = place(&app, "bob", "removeTenantMember", &world, world.bob, "").await;
    assert_eq!(told(&reply), json!({"code": "CONFLICT", "field": "userId"}));
    place(&app, "bob", "removeTenantMember", &world, id, "").await.data();
}

async fn platform_admins_may_leave_it_without_owner(app: App) {
    let world = World::new(&app).await;
    place(&app, "ada", "updateTenantMember", &world, world.bob, "MEMBER").await.data();
    assert_eq!(role_of(&app, "bob", &world).await, Some(TenantRole::Member));
    place(&app, "ada", "removeTenantMember", &world, world.bob, "").await.data();
    // Who runs the platform and owns a tenant may leave it too.
    place(
        &app,
        "ada",
        "addTenantMember",
        &world,
        world::id::<tenantry::domain::id::kind::User>(11),
        "OWNER",
    )
    .await
    .data();
    let reply = place(
        &app,
        "ada",
        "removeTenantMember",
        &world,
        world::id::<tenantry::domain::id::kind::User>(11),
        "",
    )
    .await;
    reply.data();
    let reply = place(
        &app,
        "ada",
        "removeTenantMember",
        &world,
        world::id::<tenantry::domain::id::kind::User>(11),
        "",
    )
    .await;
    assert_eq!(reply.codes(), ["NOT_FOUND"], "who is no member cannot leave");
}

async fn who_leaves_sees_no_more(app: App) {
    let world = World::new(&app).await;
    place(&app, "ada", "updateTenantMember", &world, world.carol, "ADMIN").await.data();
    let input = json!({"tenantId": world.acme.id.to_string(), "userId": world.carol.to_string()});
    let fields = "tenant { slug billingInfo { email } myMembership { role }
        members { totalCount nodes { user { name } } } auditLog { totalCount } }";
    let reply = run(&app, "carol", "removeTenantMember", input, fields).await;
    assert_eq!(
        reply.json["data"]["x"]["tenant"],
        json!({"slug": "acme", "billingInfo": null, "myMembership": null,
            "members": {"totalCount": 0, "nodes": []}, "auditLog": null}),
        "{}",
        reply.body
    );
    assert_eq!(reply.errors(), ["FORBIDDEN x.tenant.auditLog", "FORBIDDEN x.tenant.billingInfo"]);
    // Who steps down sees what is left at once.
    let input = json!({"tenantId": world.globex.id.to_string(), "userId": world.carol.to_string(),
        "role": "MEMBER"});
    let fields = "membership { role tenant { billingInfo { email } } }";
    let reply = run(&app, "carol", "updateTenantMember", input, fields).await;
    assert_eq!(reply.errors(), ["FORBIDDEN x.membership.tenant.billingInfo"]);
}

async fn a_suspended_tenant_is_closed_but_for_leaving(app: App) {
    let world = World::new(&app).await;
    for status in ["SUSPENDED", "ARCHIVED"] {
        let close = json!({"id": world.acme.id.to_string(), "status": status});
        run(&app, "ada", "updateTenant", close, "tenant { id }").await.data();
        let rename = json!({"id": world.acme.id.to_string(), "name": "", "version": 99});
        let reply = run(&app, "bob", "updateTenant", rename, "tenant { id }").await;
        assert_eq!(reply.codes(), ["TENANT_SUSPENDED"], "before the rest of the input");
        let plan = json!({"id": world.acme.id.to_string(), "plan": "FREE"});
        let reply = run(&app, "bob", "updateTenant", plan, "tenant { id }").await;
        assert_eq!(reply.codes(), ["FORBIDDEN"], "after the right");
        for (name, role) in [("updateTenantMember", "ADMIN"), ("removeTenantMember", "")] {
            let reply = place(&app, "bob", name, &world, world.carol, role).await;
            assert_eq!(reply.codes(), ["TENANT_SUSPENDED"], "{name}");
        }
    }
    place(&app, "carol", "removeTenantMember", &world, world.carol, "").await.data();
    place(&app, "ada", "addTenantMember", &world, world.carol, "ADMIN").await.data();
}

async fn the_other_tenants_member_is_not_mine(app: App) {
    let world = World::new(&app).await;
    // carol administers globex; bob is in acme only. By his identifier she can do nothing to him.
    let place = |user: &dyn ToString| json!({"tenantId": world.globex.id.to_string(), "userId": user.to_string()});
    let reply = run(&app, "carol", "removeTenantMember", place(&world.bob), "removedUserId").await;
    assert_eq!(reply.codes(), ["NOT_FOUND"]);
    let mut change = place(&world.bob);
    change["role"] = "MEMBER".into();
    let reply = run(&app, "carol", "updateTenantMember", change, MEMBERSHIP).await;
    assert_eq!(reply.codes(), ["NOT_FOUND"]);
    // And a tenant that she does not see is none, to the byte and the read.
    let elsewhere = |tenant: &str| json!({"tenantId": tenant, "userId": world.bob.to_string()});
    let initech = world.initech.id.to_string();
    let hidden =
        run(&app, "carol", "removeTenantMember", elsewhere(&initech), "removedUserId").await;
    let absent = elsewhere("ten_65000000000000000000ffff");
    let absent = run(&app, "carol", "removeTenantMember", absent, "removedUserId").await;
    assert_eq!((hidden.codes(), hidden.reads), (absent.codes(), absent.reads));
    assert_eq!((hidden.codes(), hidden.reads), (vec!["NOT_FOUND"], 2));
    assert!(app.stored("bob").await.expect("stored").membership(world.initech.id).is_some());
}

async fn who_is_no_member_is_not_found(app: App) {
    let world = World::new(&app).await;
    app.change("mallory", |mallory| mallory.platform_admin = Some(MembershipSource::Group)).await;
    for user in [world.mallory.to_string(), "usr_65000000000000000000ffff".to_owned()] {
        let reply = place(&app, "ada", "updateTenantMember", &world, &user, "ADMIN").await;
        assert_eq!(reply.codes(), ["NOT_FOUND"]);
        let reply = place(&app, "bob", "removeTenantMember", &world, &user, "").await;
        assert_eq!(reply.codes(), ["NOT_FOUND"]);
    }
    let input = json!({"tenantId": "ten_x", "userId": "usr_x", "role": "ADMIN"});
    let reply = run(&app, "mallory", "updateTenantMember", input, MEMBERSHIP).await;
    assert_eq!(super::faults(&reply), ["input.tenantId", "input.userId"]);
    assert_eq!((reply.reads, &reply.json["data"]), (0, &Value::Null));
}
