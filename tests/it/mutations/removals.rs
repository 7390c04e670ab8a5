//! Tests removing members and leaving a tenant, and the rule of the last owner.

use serde_json::json;
use tenantry::domain::{change::Change, user::TenantRole};

use super::{
    error_extensions,
    members::{change_member, role_of},
    run,
};
use crate::support::{
    app::{App, on_both_stores},
    issuer::NOW,
    world::{self, World},
};

on_both_stores! {
    removed_member_is_not_restored_by_older_tokens,
    last_owner_cannot_leave_or_be_demoted,
    disabled_owner_does_not_count_as_an_owner,
    platform_admins_may_remove_the_last_owner,
    payload_after_losing_a_role_hides_its_fields,
    suspended_tenant_rejects_changes_except_leaving,
}

async fn removed_member_is_not_restored_by_older_tokens(app: App) {
    let world = World::new(&app).await;
    let token =
        |iat: i64| app.issuer.token().subject("mallory").issued_at(iat).groups(["tenant:acme"]);
    let me = "{ me { memberships { role } } }";
    app.query_with_token(token(NOW - 9), me).await.data();
    change_member(&app, "bob", "removeTenantMember", &world, world.mallory, "").await.data();
    app.clock.advance(120);
    for iat in [NOW - 9, NOW - 1, NOW + 60] {
        let reply = app.query_with_token(token(iat), me).await;
        assert_eq!(reply.data()["me"]["memberships"], json!([]), "{iat}");
    }
    let reply = app.query_with_token(token(NOW + 61), me).await;
    assert_eq!(reply.data()["me"]["memberships"], json!([{"role": "MEMBER"}]));
}

async fn last_owner_cannot_leave_or_be_demoted(app: App) {
    let world = World::new(&app).await;
    for (name, role) in [("removeTenantMember", ""), ("updateTenantMember", "ADMIN")] {
        let reply = change_member(&app, "bob", name, &world, world.bob, role).await;
        assert_eq!(
            error_extensions(&reply),
            json!({"code": "CONFLICT", "field": "userId"}),
            "{name}"
        );
    }
    assert_eq!(app.audit_log().await.len(), 1);
    change_member(&app, "bob", "updateTenantMember", &world, world.carol, "OWNER").await.data();
    change_member(&app, "bob", "updateTenantMember", &world, world.bob, "ADMIN").await.data();
    let reply = change_member(&app, "carol", "removeTenantMember", &world, world.carol, "").await;
    assert_eq!(error_extensions(&reply), json!({"code": "CONFLICT", "field": "userId"}));
    // bob owns another tenant, which does not count.
    assert_eq!(role_of(&app, "carol", &world).await, Some(TenantRole::Owner));
}

async fn disabled_owner_does_not_count_as_an_owner(app: App) {
    let world = World::new(&app).await;
    let mut disabled_owner =
        world::user(&app, 15, "disabled", &[(world.acme.id, TenantRole::Owner)]);
    disabled_owner.disabled = true;
    let id = disabled_owner.id;
    app.store.commit(&[Change::InsertUser(disabled_owner)]).await.expect("identifiers are unused");
    let reply = change_member(&app, "bob", "removeTenantMember", &world, world.bob, "").await;
    assert_eq!(error_extensions(&reply), json!({"code": "CONFLICT", "field": "userId"}));
    change_member(&app, "bob", "removeTenantMember", &world, id, "").await.data();
}

async fn platform_admins_may_remove_the_last_owner(app: App) {
    let world = World::new(&app).await;
    change_member(&app, "ada", "updateTenantMember", &world, world.bob, "MEMBER").await.data();
    assert_eq!(role_of(&app, "bob", &world).await, Some(TenantRole::Member));
    change_member(&app, "ada", "removeTenantMember", &world, world.bob, "").await.data();
    // A platform admin that owns a tenant may leave it too.
    let ada = world::id::<tenantry::domain::id::kind::User>(11);
    change_member(&app, "ada", "addTenantMember", &world, ada, "OWNER").await.data();
    let reply = change_member(&app, "ada", "removeTenantMember", &world, ada, "").await;
    reply.data();
    let reply = change_member(&app, "ada", "removeTenantMember", &world, ada, "").await;
    assert_eq!(reply.codes(), ["NOT_FOUND"], "a non-member cannot leave");
}

async fn payload_after_losing_a_role_hides_its_fields(app: App) {
    let world = World::new(&app).await;
    change_member(&app, "ada", "updateTenantMember", &world, world.carol, "ADMIN").await.data();
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
    // A demoted admin gets the payload with the permissions of the new role.
    let input = json!({"tenantId": world.globex.id.to_string(), "userId": world.carol.to_string(),
        "role": "MEMBER"});
    let fields = "membership { role tenant { billingInfo { email } } }";
    let reply = run(&app, "carol", "updateTenantMember", input, fields).await;
    assert_eq!(reply.errors(), ["FORBIDDEN x.membership.tenant.billingInfo"]);
}

async fn suspended_tenant_rejects_changes_except_leaving(app: App) {
    let world = World::new(&app).await;
    for status in ["SUSPENDED", "ARCHIVED"] {
        let close = json!({"id": world.acme.id.to_string(), "status": status});
        run(&app, "ada", "updateTenant", close, "tenant { id }").await.data();
        let rename = json!({"id": world.acme.id.to_string(), "name": "", "version": 99});
        let reply = run(&app, "bob", "updateTenant", rename, "tenant { id }").await;
        assert_eq!(reply.codes(), ["TENANT_SUSPENDED"], "before the rest of the input is checked");
        let plan = json!({"id": world.acme.id.to_string(), "plan": "FREE"});
        let reply = run(&app, "bob", "updateTenant", plan, "tenant { id }").await;
        assert_eq!(reply.codes(), ["FORBIDDEN"], "after the permission is checked");
        for (name, role) in [("updateTenantMember", "ADMIN"), ("removeTenantMember", "")] {
            let reply = change_member(&app, "bob", name, &world, world.carol, role).await;
            assert_eq!(reply.codes(), ["TENANT_SUSPENDED"], "{name}");
        }
    }
    change_member(&app, "carol", "removeTenantMember", &world, world.carol, "").await.data();
    change_member(&app, "ada", "addTenantMember", &world, world.carol, "ADMIN").await.data();
}
