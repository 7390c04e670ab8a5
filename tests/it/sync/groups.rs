//! The groups of a token become memberships and the platform admin flag.

use serde_json::json;
use tenantry::domain::{
    change::Change,
    tenant::Tenant,
    time::Timestamp,
    user::{MembershipSource, TenantRole},
};

use super::{me, memberships, store_tenants, token};
use crate::support::{
    app::{App, on_both_stores},
    issuer::NOW,
    world,
};

on_both_stores! {
    platform_admin_follows_the_group,
    direct_rights_are_not_changed_by_groups,
    groups_name_tenants_and_roles,
    groups_claim_of_another_type_is_ignored,
    groups_of_a_token_are_applied_once_and_in_order,
    token_without_iat_grants_no_rights,
    token_older_than_the_tenant_grants_no_membership,
}

async fn platform_admin_follows_the_group(app: App) {
    let at = |seconds, groups: &[&str]| {
        token(&app).issued_at(NOW - seconds).groups(groups.iter().copied())
    };
    assert_eq!(me(&app, at(50, &["platform-admins"])).await["me"]["platformAdmin"], true);
    let stored = app.stored_user("bob").await.expect("created");
    assert_eq!(stored.platform_admin, Some(MembershipSource::Group));
    assert_eq!(app.query_as("bob", "{ users { totalCount } }").await.codes(), [""; 0]);
    assert_eq!(me(&app, at(40, &[])).await["me"]["platformAdmin"], false);
    assert_eq!(app.query_as("bob", "{ users { totalCount } }").await.codes(), ["FORBIDDEN"]);
}

async fn direct_rights_are_not_changed_by_groups(app: App) {
    let (acme, globex) = store_tenants(&app).await;
    let mut bob = world::user(&app, 12, "bob", &[(acme.id, TenantRole::Owner)]);
    bob.platform_admin = Some(MembershipSource::Direct);
    app.store.commit(&[Change::InsertUser(bob)]).await.expect("free");
    let other_groups =
        token(&app).issued_at(NOW - 20).groups(["tenant:acme", "tenant:globex:admin"]);
    let reply = me(&app, other_groups).await;
    assert_eq!(memberships(&reply), ["acme OWNER DIRECT", "globex ADMIN GROUP"]);
    let reply = me(&app, token(&app).groups([])).await;
    assert_eq!(memberships(&reply), ["acme OWNER DIRECT"]);
    assert_eq!(reply["me"]["platformAdmin"], true);
    assert!(app.stored_user("bob").await.expect("stored").membership(globex.id).is_none());
}

async fn groups_name_tenants_and_roles(app: App) {
    store_tenants(&app).await;
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
        assert_eq!(memberships(&me(&app, token).await), expected, "{groups:?}");
    }
}

async fn groups_claim_of_another_type_is_ignored(app: App) {
    store_tenants(&app).await;
    let granting = token(&app).issued_at(NOW - 50).groups(["tenant:acme:admin"]);
    let before = me(&app, granting).await;
    for claim in
        [json!(5), json!({"tenant:globex": true}), json!(["tenant:globex", 5]), json!(null)]
    {
        let token = token(&app).issued_at(NOW - 40).claim("groups", claim);
        assert_eq!(me(&app, token).await, before);
    }
    let watermark = app.stored_user("bob").await.and_then(|user| user.groups_as_of);
    assert_eq!(
        watermark,
        Some(world::ago(50)),
        "a token without the claim does not move the watermark"
    );
    let text = token(&app).issued_at(NOW - 30).claim("groups", json!("tenant:globex"));
    assert_eq!(memberships(&me(&app, text).await), ["globex MEMBER GROUP"]);
}

async fn groups_of_a_token_are_applied_once_and_in_order(app: App) {
    let (acme, _) = store_tenants(&app).await;
    let at = |seconds, groups: &[&str]| {
        token(&app).issued_at(NOW - seconds).groups(groups.iter().copied())
    };
    assert_eq!(memberships(&me(&app, at(50, &["tenant:acme"])).await), ["acme MEMBER GROUP"]);
    // An older token, and another token of the same second, change nothing.
    for late in [at(60, &["tenant:globex:owner"]), at(50, &["tenant:globex", "platform-admins"])] {
        let reply = me(&app, late).await;
        assert_eq!(memberships(&reply), ["acme MEMBER GROUP"]);
        assert_eq!(reply["me"]["platformAdmin"], false);
    }
    // A manual removal is not undone by the same token, but by a newer one.
    app.edit_user("bob", |bob| bob.memberships.retain(|m| m.tenant_id != acme.id)).await;
    assert_eq!(memberships(&me(&app, at(50, &["tenant:acme"])).await), [""; 0]);
    assert_eq!(memberships(&me(&app, at(49, &["tenant:acme"])).await), ["acme MEMBER GROUP"]);
    // A newer token with the same groups moves the watermark, and changes nothing that a client
    // sees.
    let version = app.stored_user("bob").await.map(|bob| (bob.version, bob.updated_at));
    me(&app, at(30, &["tenant:acme"])).await;
    let bob = app.stored_user("bob").await.expect("stored");
    assert_eq!(bob.groups_as_of, Some(world::ago(30)));
    assert_eq!(version, Some((bob.version, bob.updated_at)));
    assert_eq!(memberships(&me(&app, at(40, &[])).await), ["acme MEMBER GROUP"]);
}

async fn token_without_iat_grants_no_rights(app: App) {
    store_tenants(&app).await;
    let without_iat = || {
        let token = token(&app).without("iat").claim("name", json!("Bob"));
        token.groups(["tenant:acme", "platform-admins"])
    };
    for _ in 0..2 {
        let reply = me(&app, without_iat()).await;
        assert_eq!((memberships(&reply).len(), &reply["me"]["platformAdmin"]), (0, &json!(false)));
        assert_eq!(reply["me"]["name"], "Bob");
    }
    assert_eq!(app.stored_user("bob").await.and_then(|bob| bob.groups_as_of), None);
    let reply = me(&app, token(&app).groups(["tenant:acme"])).await;
    assert_eq!(memberships(&reply), ["acme MEMBER GROUP"]);
}

async fn token_older_than_the_tenant_grants_no_membership(app: App) {
    let insert = |n, slug, millis: i64| {
        let at = Timestamp::from_millis((NOW - 50) * 1000 + millis);
        let at = at.expect("in range");
        Change::InsertTenant(Tenant { created_at: at, updated_at: at, ..world::tenant(n, slug) })
    };
    let changes = [insert(1, "acme", 999), insert(2, "globex", 1000)];
    app.store.commit(&changes).await.expect("an empty store");
    let groups = ["tenant:acme", "tenant:globex:owner", "grp-globex"];
    let reply = me(&app, token(&app).issued_at(NOW - 50).groups(groups)).await;
    assert_eq!(memberships(&reply), ["acme MEMBER GROUP"], "created in the same second or earlier");
    let reply = me(&app, token(&app).issued_at(NOW - 49).groups(groups)).await;
    assert_eq!(memberships(&reply), ["acme MEMBER GROUP", "globex OWNER GROUP"]);
}
