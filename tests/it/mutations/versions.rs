//! Tests versions at the maximum of GraphQL's `Int`: the next version is 1, and stale writers fail.

use serde_json::{Value, json};
use tenantry::{
    domain::{change::Change, id::UserId, subscription::TenantSubscription, tenant::Tenant},
    store::{SubscriptionKeys, TenantKeys, UserKeys},
};

use super::{error_extensions, run};
use crate::support::{
    app::{App, on_both_stores},
    world::World,
};

on_both_stores! {
    stale_writer_fails_after_the_maximum_version,
    changes_of_related_objects_follow_the_maximum_version,
    deletion_of_a_tenant_follows_the_maximum_version_of_members,
    versions_that_were_never_assigned_are_compared_for_equality,
}

const MAX: i32 = i32::MAX;

async fn tenant(app: &App, world: &World) -> Tenant {
    let tenants = app.store.tenants(TenantKeys::Ids(&[world.acme.id])).await.expect("a read");
    tenants.into_iter().next().expect("stored").expect("readable")
}

async fn subscription(app: &App, world: &World) -> TenantSubscription {
    let ids = [world.subscription];
    let read = app.store.subscriptions(SubscriptionKeys::Ids(&ids)).await.expect("a read");
    read.into_iter().next().expect("stored").expect("readable")
}

async fn user_version(app: &App, id: UserId) -> i32 {
    let users = app.store.users(UserKeys::Ids(&[id])).await.expect("a read");
    users.into_iter().next().expect("stored").expect("readable").version
}

/// Sets the version of acme, of its subscription, and of bob and carol, as a manual edit does.
async fn set_versions(app: &App, world: &World, version: i32) {
    let (tenant, subscription) = (tenant(app, world).await, subscription(app, world).await);
    let changes = [
        Change::UpdateTenant { expected: tenant.version, tenant: Tenant { version, ..tenant } },
        Change::UpdateSubscription {
            expected: subscription.version,
            subscription: TenantSubscription { version, ..subscription },
        },
    ];
    app.store.commit(&changes).await.expect("committed");
    for subject in ["bob", "carol"] {
        app.edit_user(subject, |user| user.version = version).await;
    }
}

/// Returns a mutation of each kind of object: its name, its input, and the object in the payload.
fn updates(world: &World, version: i32) -> [(&'static str, Value, &'static str); 3] {
    let input =
        |id: String, name: &str, value: Value| json!({"id": id, "version": version, name: value});
    [
        ("updateTenant", input(world.acme.id.to_string(), "name", json!("N")), "tenant"),
        ("updateUser", input(world.carol.to_string(), "name", json!("N")), "user"),
        (
            "updateSubscription",
            input(world.subscription.to_string(), "cancelAtPeriodEnd", json!(true)),
            "subscription",
        ),
    ]
}

async fn stale_writer_fails_after_the_maximum_version(app: App) {
    let world = World::new(&app).await;
    set_versions(&app, &world, MAX).await;
    for (name, input, object) in updates(&world, MAX) {
        let fields = format!("{object} {{ version }}");
        let first = run(&app, "ada", name, input.clone(), &fields).await;
        assert_eq!(first.data()["x"][object]["version"], 1, "{name}");
        // The second writer read the same version. Its input differs, so it would change something.
        let mut other = input.clone();
        other[if name == "updateSubscription" { "plan" } else { "name" }] =
            json!(if name == "updateSubscription" { "FREE" } else { "Other" });
        let second = run(&app, "ada", name, other, &fields).await;
        let stale = json!({"code": "STALE_VERSION", "currentVersion": 1});
        assert_eq!(error_extensions(&second), stale, "{name}");
        let delete = name.replace("update", "delete");
        let deleted = json!({"id": input["id"], "version": MAX});
        let second = run(&app, "ada", &delete, deleted, "deletedId").await;
        assert_eq!(error_extensions(&second), stale, "{delete}");
    }
}

async fn changes_of_related_objects_follow_the_maximum_version(app: App) {
    let world = World::new(&app).await;
    let acme = world.acme.id.to_string();
    set_versions(&app, &world, MAX).await;
    // The plan of the tenant is also the one of its subscription, in both directions.
    let plan = json!({"id": acme, "plan": "FREE"});
    run(&app, "ada", "updateTenant", plan, "tenant { id }").await.data();
    assert_eq!(subscription(&app, &world).await.version, 1);
    set_versions(&app, &world, MAX).await;
    let plan = json!({"id": world.subscription.to_string(), "plan": "STARTER"});
    run(&app, "ada", "updateSubscription", plan, "subscription { id }").await.data();
    assert_eq!(tenant(&app, &world).await.version, 1);
    // A change of a membership is a change of its user.
    let role = json!({"tenantId": acme, "userId": world.carol.to_string(), "role": "ADMIN"});
    run(&app, "ada", "updateTenantMember", role, "membership { role }").await.data();
    assert_eq!(user_version(&app, world.carol).await, 1);
    // So is a sync.
    let token = app.token("bob", ["tenant:globex"]);
    app.query_with_variables(&token, "{ me { id } }", json!({})).await.data();
    assert_eq!(user_version(&app, world.bob).await, 1);
}

async fn deletion_of_a_tenant_follows_the_maximum_version_of_members(app: App) {
    let world = World::new(&app).await;
    set_versions(&app, &world, MAX).await;
    app.edit_user("bob", |user| user.version = -1).await;
    let delete = json!({"id": world.acme.id.to_string(), "version": MAX});
    run(&app, "ada", "deleteTenant", delete, "deletedId").await.data();
    let versions = [user_version(&app, world.bob).await, user_version(&app, world.carol).await];
    assert_eq!(versions, [0, 1]);
}

/// A manual edit can store any number. It is a version like any other, if it has 32 bits.
async fn versions_that_were_never_assigned_are_compared_for_equality(app: App) {
    let world = World::new(&app).await;
    let mut stored = 1;
    for version in [0, -1, i32::MIN, MAX - 1] {
        set_versions(&app, &world, version).await;
        for (name, input, object) in updates(&world, stored) {
            let reply = run(&app, "ada", name, input, &format!("{object} {{ version }}")).await;
            let stale = json!({"code": "STALE_VERSION", "currentVersion": version});
            assert_eq!(error_extensions(&reply), stale, "{name}");
        }
        let input = json!({"id": world.acme.id.to_string(), "version": version, "name": format!("N{version}")});
        let reply = run(&app, "ada", "updateTenant", input, "tenant { version }").await;
        assert_eq!(reply.data()["x"]["tenant"]["version"], version + 1);
        stored = version;
    }
}
