//! Tests that each event is authorized again, and that an operation ends with the right to it.

use serde_json::json;

use super::*;
use crate::support::{
    app::{on_both_stores, response_to_json},
    world::World,
};

on_both_stores! {
    operations_start_with_the_checks_of_queries,
    removed_member_is_cut_off,
    lost_tenant_falls_silent_in_the_list,
    disabled_user_is_cut_off_everywhere,
    deleted_user_is_cut_off_everywhere,
    lower_role_ends_an_operation_that_needs_the_former_one,
    lower_role_does_not_end_an_operation_that_needs_no_higher_one,
    lost_platform_admin_ends_operations_on_other_tenants,
    hidden_tenant_is_never_reported,
}

async fn operations_start_with_the_checks_of_queries(app: App) {
    let world = World::new(&app).await;
    let absent = "ten_650000000000000000000fff";
    for document in [TENANT, SUBSCRIPTION] {
        for (subject, id, expected) in [
            ("carol", "ten_1".to_owned(), "BAD_USER_INPUT"),
            ("", world.acme.id.to_string(), "UNAUTHENTICATED"),
            ("unknown", world.acme.id.to_string(), "USER_NOT_PROVISIONED"),
            ("mallory", world.acme.id.to_string(), "NOT_FOUND"),
            ("carol", world.initech.id.to_string(), "NOT_FOUND"),
            ("carol", absent.to_owned(), "NOT_FOUND"),
            ("ada", absent.to_owned(), "NOT_FOUND"),
        ] {
            let rejected = Live::try_start(&app, subject, document, json!({"id": id})).await.err();
            assert_eq!(code(&rejected.expect("a rejection")), expected, "{subject} {id}");
        }
    }
    app.edit_user("carol", |user| user.disabled = true).await;
    for (document, subject, expected) in [
        (ME, "", "UNAUTHENTICATED"),
        (TENANTS, "", "UNAUTHENTICATED"),
        (ME, "unknown", "USER_NOT_PROVISIONED"),
        (TENANTS, "carol", "USER_DISABLED"),
        (ME, "carol", "USER_DISABLED"),
    ] {
        let rejected = Live::try_start(&app, subject, document, json!({})).await.err();
        assert_eq!(code(&rejected.expect("a rejection")), expected, "{document} {subject}");
    }
}

async fn remove(app: &App, world: &World, user: impl ToString) {
    let input = json!({"tenantId": world.acme.id.to_string(), "userId": user.to_string()});
    mutate(app, "ada", "removeTenantMember", input).await;
}

async fn removed_member_is_cut_off(app: App) {
    let world = World::new(&app).await;
    let mut tenant = Live::start(&app, "carol", TENANT, id_of(world.acme.id)).await;
    let mut subscription = Live::start(&app, "carol", SUBSCRIPTION, id_of(world.acme.id)).await;
    remove(&app, &world, world.carol).await;
    assert_eq!(tenant.end().await.as_deref(), Some("NOT_FOUND"));
    assert_eq!(subscription.end().await.as_deref(), Some("NOT_FOUND"));
    assert!(app.metric("tenantry_live_cuts_total{code=\"NOT_FOUND\"}").await >= 2.0);
}

async fn lost_tenant_falls_silent_in_the_list(app: App) {
    let world = World::new(&app).await;
    let mut tenants = Live::start(&app, "carol", TENANTS, json!({})).await;
    remove(&app, &world, world.carol).await;
    rename(&app, world.acme.id, "Acme 2").await;
    mutate(&app, "ada", "deleteTenant", id_of(world.acme.id)).await;
    rename(&app, world.globex.id, "Globex 2").await;
    assert_eq!(tenants.event().await["tenantsChanged"]["tenant"]["name"], "Globex 2");
}

async fn start_all(app: &App, world: &World) -> Vec<Live> {
    let mut operations = Vec::new();
    for (document, variables) in [
        (ME, json!({})),
        (TENANTS, json!({})),
        (TENANT, id_of(world.acme.id)),
        (SUBSCRIPTION, id_of(world.acme.id)),
    ] {
        operations.push(Live::start(app, "carol", document, variables).await);
    }
    operations
}

async fn disabled_user_is_cut_off_everywhere(app: App) {
    let world = World::new(&app).await;
    let operations = start_all(&app, &world).await;
    let input = json!({"id": world.carol.to_string(), "disabled": true});
    mutate(&app, "ada", "updateUser", input).await;
    for mut operation in operations {
        assert_eq!(operation.end().await.as_deref(), Some("USER_DISABLED"));
    }
}

async fn deleted_user_is_cut_off_everywhere(app: App) {
    let world = World::new(&app).await;
    let operations = start_all(&app, &world).await;
    mutate(&app, "ada", "deleteUser", json!({"id": world.carol.to_string()})).await;
    for mut operation in operations {
        assert_eq!(operation.end().await.as_deref(), Some("USER_NOT_PROVISIONED"));
    }
}

const BILLING: &str =
    "subscription($id: ID!) { tenantChanged(id: $id) { tenant { name billingInfo { email } } } }";

async fn demote(app: &App, world: &World) {
    let input = json!({"tenantId": world.globex.id.to_string(), "userId": world.carol.to_string(),
        "role": "MEMBER"});
    mutate(app, "ada", "updateTenantMember", input).await;
}

async fn lower_role_ends_an_operation_that_needs_the_former_one(app: App) {
    let world = World::new(&app).await;
    let mut live = Live::start(&app, "carol", BILLING, id_of(world.globex.id)).await;
    demote(&app, &world).await;
    assert_eq!(live.end().await.as_deref(), Some("FORBIDDEN"));
}

async fn lower_role_does_not_end_an_operation_that_needs_no_higher_one(app: App) {
    let world = World::new(&app).await;
    let mut live = Live::start(&app, "carol", TENANT, id_of(world.globex.id)).await;
    let integrations = "subscription($id: ID!) { \
        tenantChanged(id: $id) { tenant { name integrations { ocisSpace } } } }";
    let mut denied = Live::start(&app, "carol", integrations, id_of(world.globex.id)).await;
    demote(&app, &world).await;
    rename(&app, world.globex.id, "Globex 2").await;
    assert_eq!(live.event().await["tenantChanged"]["tenant"]["name"], "Globex 2");
    let Some(LiveItem::Event { response, .. }) = denied.item().await else {
        panic!("the field was denied before, too")
    };
    assert_eq!(code(&response_to_json(&response)), "FORBIDDEN");
}

async fn lost_platform_admin_ends_operations_on_other_tenants(app: App) {
    let world = World::new(&app).await;
    let mut tenant = Live::start(&app, "ada", TENANT, id_of(world.acme.id)).await;
    let mut tenants = Live::start(&app, "ada", TENANTS, json!({})).await;
    let mut stripe = {
        app.edit_user("carol", |user| {
            user.platform_admin = Some(tenantry::domain::user::MembershipSource::Direct);
        })
        .await;
        let document = "subscription($id: ID!) { subscriptionChanged(tenantId: $id) { subscription { stripe { customerId } } } }";
        Live::start(&app, "carol", document, id_of(world.acme.id)).await
    };
    for subject in ["ada", "carol"] {
        app.edit_user(subject, |user| {
            user.platform_admin = None;
            user.version += 1;
        })
        .await;
    }
    assert_eq!(tenant.end().await.as_deref(), Some("NOT_FOUND"));
    assert_eq!(stripe.end().await.as_deref(), Some("FORBIDDEN"));
    let input = |tenant: &mut tenantry::domain::tenant::Tenant| {
        let expected = tenant.version;
        tenant.version += 1;
        tenantry::domain::change::Change::UpdateTenant { expected, tenant: tenant.clone() }
    };
    let (mut acme, mut globex) = (world.acme.clone(), world.globex.clone());
    app.store.commit(&[input(&mut acme)]).await.expect("committed");
    app.edit_user("ada", |user| {
        user.memberships = crate::support::world::user(
            &app,
            1,
            "ada",
            &[(world.globex.id, tenantry::domain::user::TenantRole::Member)],
        )
        .memberships;
        user.version += 1;
    })
    .await;
    app.store.commit(&[input(&mut globex)]).await.expect("committed");
    assert_eq!(tenants.event().await["tenantsChanged"]["tenantId"], world.globex.id.to_string());
}

async fn hidden_tenant_is_never_reported(app: App) {
    let world = World::new(&app).await;
    let mut tenants = Live::start(&app, "mallory", TENANTS, json!({})).await;
    let mut me = Live::start(&app, "mallory", ME, json!({})).await;
    rename(&app, world.acme.id, "Acme 2").await;
    mutate(&app, "ada", "createTenant", json!({"slug": "hooli", "name": "Hooli"})).await;
    mutate(
        &app,
        "ada",
        "updateSubscription",
        json!({"id": world.subscription.to_string(), "status": "PAST_DUE"}),
    )
    .await;
    mutate(&app, "ada", "deleteTenant", id_of(world.globex.id)).await;
    mutate(&app, "ada", "updateUser", json!({"id": world.mallory.to_string(), "disabled": true}))
        .await;
    assert_eq!(tenants.end().await.as_deref(), Some("USER_DISABLED"), "and nothing before");
    assert_eq!(me.end().await.as_deref(), Some("USER_DISABLED"), "and nothing before");
}
