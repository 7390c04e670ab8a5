//! Tests concurrent mutations.
//!
//! If only one of them can succeed, exactly one does. If all of them can succeed, no change is lost.

use std::sync::Arc;

use serde_json::{Value, json};
use tenantry::domain::{change::Change, user::TenantRole};

use super::{document, run};
use crate::support::{
    app::{App, Reply, on_both_stores},
    world::{self, World},
};

on_both_stores! {
    one_of_many_concurrent_updates_of_a_version_succeeds,
    one_of_many_concurrent_creates_of_a_slug_succeeds,
    concurrent_updates_without_a_version_lose_nothing,
    concurrently_leaving_owners_leave_one_owner,
    concurrent_creates_make_one_live_subscription,
    tenant_and_subscription_plans_agree_after_concurrent_changes,
    many_members_can_be_added_concurrently,
    tenant_under_deletion_gains_no_members_from_groups,
}

const WRITERS: usize = 64;

/// Runs mutations concurrently, each given as subject, name, input and payload fields.
async fn run_concurrently(
    app: &Arc<App>,
    requests: impl IntoIterator<Item = (&'static str, &'static str, Value, &'static str)>,
) -> Vec<Reply> {
    let send = |(subject, name, input, fields): (&str, &'static str, Value, &'static str)| {
        let (app, token) = (app.clone(), app.token(subject, []));
        tokio::spawn(async move {
            app.query_with_variables(&token, &document(name, fields), json!({ "input": input }))
                .await
        })
    };
    let running: Vec<_> = requests.into_iter().map(send).collect();
    let mut replies = Vec::with_capacity(running.len());
    for reply in running {
        replies.push(reply.await.expect("a response"));
    }
    replies
}

/// Returns the number of successful replies. All other replies must have the given error code.
fn count_successes(replies: &[Reply], expected_code: &str) -> usize {
    for reply in replies {
        assert!(reply.codes().iter().all(|code| *code == expected_code), "{}", reply.body);
    }
    replies.iter().filter(|reply| reply.codes().is_empty()).count()
}

async fn one_of_many_concurrent_updates_of_a_version_succeeds(app: App) {
    let (world, app) = (World::new(&app).await, Arc::new(app));
    let id = world.acme.id.to_string();
    let write = |n: usize| {
        let input = json!({"id": id, "version": 1, "name": format!("Writer {n}")});
        ("bob", "updateTenant", input, "tenant { name version }")
    };
    let replies = run_concurrently(&app, (0..WRITERS).map(write)).await;
    assert_eq!(count_successes(&replies, "STALE_VERSION"), 1);
    let winner = replies.iter().find(|reply| reply.codes().is_empty()).expect("a successful reply");
    let stored = app.query_as("bob", "{ tenant(slug: \"acme\") { name version } }").await;
    assert_eq!(stored.data()["tenant"], winner.data()["x"]["tenant"]);
    assert_eq!(app.audit_log().await.len(), 2, "the winner's event and the one of the world");
}

async fn one_of_many_concurrent_creates_of_a_slug_succeeds(app: App) {
    let (_, app) = (World::new(&app).await, Arc::new(app));
    let write = |n: usize| {
        let input = json!({"slug": "contested", "name": format!("Writer {n}")});
        ("ada", "createTenant", input, "tenant { id }")
    };
    let replies = run_concurrently(&app, (0..WRITERS).map(write)).await;
    assert_eq!(count_successes(&replies, "CONFLICT"), 1);
    let count =
        app.query_as("ada", "{ tenants { totalCount } subscriptions { totalCount } }").await;
    assert_eq!(count.data()["tenants"]["totalCount"], 4);
    assert_eq!(count.data()["subscriptions"]["totalCount"], 3);
    assert_eq!(app.audit_log().await.len(), 2);
}

async fn concurrent_updates_without_a_version_lose_nothing(app: App) {
    let (world, app) = (World::new(&app).await, Arc::new(app));
    let id = world.acme.id.to_string();
    let lines = ["line1", "line2", "city", "region", "postalCode"];
    let write = |n: usize| {
        let input = json!({"id": id, "billingInfo": {"address": {lines[n]: format!("n{n}")}}});
        ("bob", "updateTenant", input, "tenant { version }")
    };
    let replies = run_concurrently(&app, (0..lines.len()).map(write)).await;
    assert_eq!(count_successes(&replies, "none"), lines.len());
    let query = "{ tenant(slug: \"acme\") { version billingInfo { address { line1 line2 city region postalCode } } } }";
    let tenant = app.query_as("bob", query).await;
    assert_eq!(
        tenant.data()["tenant"],
        json!({"version": 6, "billingInfo": {"address": {"line1": "n0", "line2": "n1",
            "city": "n2", "region": "n3", "postalCode": "n4"}}})
    );
}

async fn concurrently_leaving_owners_leave_one_owner(app: App) {
    let (world, app) = (World::new(&app).await, Arc::new(app));
    for round in 0..10 {
        // Two new owners of a new tenant leave it concurrently.
        let tenant = world::tenant(100 + round, &format!("round{round}"));
        let owners = ["one", "two"].map(|name| {
            let n = 200 + round * 2 + u32::from(name == "two");
            world::user(&app, n, &format!("{name}{round}"), &[(tenant.id, TenantRole::Owner)])
        });
        let id = tenant.id.to_string();
        let leave = owners.clone().map(|owner| {
            let input = json!({"tenantId": id, "userId": owner.id.to_string()});
            (
                owner.identity.subject.leak() as &'static str,
                "removeTenantMember",
                input,
                "removedUserId",
            )
        });
        let mut changes = vec![Change::InsertTenant(tenant)];
        changes.extend(owners.map(Change::InsertUser));
        app.store.commit(&changes).await.expect("identifiers are unused");
        let replies = run_concurrently(&app, leave).await;
        assert_eq!(count_successes(&replies, "CONFLICT"), 1, "round {round}");
    }
    let _ = world;
}

async fn concurrent_creates_make_one_live_subscription(app: App) {
    let (world, app) = (World::new(&app).await, Arc::new(app));
    let id = world.globex.id.to_string();
    let write = |n: usize| {
        let plan = ["FREE", "STARTER", "BUSINESS", "ENTERPRISE"][n % 4];
        (
            "ada",
            "createSubscription",
            json!({"tenantId": id, "plan": plan}),
            "subscription { plan }",
        )
    };
    let replies = run_concurrently(&app, (0..16).map(write)).await;
    assert_eq!(count_successes(&replies, "CONFLICT"), 1);
    let tenant =
        app.query_as("ada", "{ tenant(slug: \"globex\") { plan subscription { plan } } }").await;
    let tenant = &tenant.data()["tenant"];
    assert_eq!(tenant["plan"], tenant["subscription"]["plan"]);
}

async fn tenant_and_subscription_plans_agree_after_concurrent_changes(app: App) {
    let (world, app) = (World::new(&app).await, Arc::new(app));
    let (acme, live) = (world.acme.id.to_string(), world.subscription.to_string());
    let globex = world.globex.id.to_string();
    let write = |n: usize| {
        let plan = ["FREE", "STARTER", "BUSINESS", "ENTERPRISE"][n / 4 % 4];
        match n % 4 {
            0 => ("ada", "updateTenant", json!({"id": acme, "plan": plan}), "tenant { plan }"),
            1 => (
                "ada",
                "updateSubscription",
                json!({"id": live, "plan": plan}),
                "subscription { plan }",
            ),
            2 => ("ada", "updateTenant", json!({"id": globex, "plan": plan}), "tenant { plan }"),
            _ => (
                "ada",
                "createSubscription",
                json!({"tenantId": globex, "plan": plan}),
                "subscription { plan }",
            ),
        }
    };
    let replies = run_concurrently(&app, (0..32).map(write)).await;
    assert_eq!(count_successes(&replies, "CONFLICT"), 25, "all updates and one of eight creates");
    for slug in ["acme", "globex"] {
        let query = format!("{{ tenant(slug: \"{slug}\") {{ plan subscription {{ plan }} }} }}");
        let tenant = app.query_as("ada", &query).await;
        let tenant = &tenant.data()["tenant"];
        assert_eq!(tenant["plan"], tenant["subscription"]["plan"], "{slug}");
    }
    run(&app, "ada", "deleteSubscription", json!({"id": live}), "deletedId").await.data();
}

/// Each request locks the tenant while it adds a member. The requests wait for each other, and none
/// gives up.
async fn many_members_can_be_added_concurrently(app: App) {
    let (world, app) = (World::new(&app).await, Arc::new(app));
    let users: Vec<_> =
        (0..100).map(|n| world::user(&app, 1000 + n, &format!("new{n}"), &[])).collect();
    let ids: Vec<String> = users.iter().map(|user| user.id.to_string()).collect();
    let changes: Vec<_> = users.into_iter().map(Change::InsertUser).collect();
    app.store.commit(&changes).await.expect("identifiers are unused");
    let tenant = world.acme.id.to_string();
    let add = |id: String| {
        let input = json!({"tenantId": tenant, "userId": id});
        ("ada", "addTenantMember", input, "membership { role }")
    };
    let replies = run_concurrently(&app, ids.into_iter().map(add)).await;
    assert_eq!(count_successes(&replies, "none"), 100);
    let count = app.query_as("ada", "{ tenant(slug: \"acme\") { members { totalCount } } }").await;
    assert_eq!(count.data()["tenant"]["members"]["totalCount"], 102);
}

/// Callers gain memberships through their groups while the tenant is deleted. Either the membership
/// is deleted with the tenant, or the tenant no longer exists and no membership is added.
async fn tenant_under_deletion_gains_no_members_from_groups(app: App) {
    World::new(&app).await;
    let app = Arc::new(app);
    for n in 0..8 {
        let input = json!({"slug": format!("short-lived-{n}"), "name": "Short-lived"});
        let created = run(&app, "ada", "createTenant", input, "tenant { id }").await;
        let id = created.data()["x"]["tenant"]["id"].clone();
        let group = format!("tenant:short-lived-{n}:owner");
        let subject = |k: u32| format!("member-{n}-{k}");
        let sign_in = |k: u32| {
            let (app, token) = (app.clone(), app.token(&subject(k), [&*group]));
            tokio::spawn(async move {
                app.query_with_variables(&token, "{ me { id } }", json!({})).await
            })
        };
        let mut running: Vec<_> = (0..4).map(sign_in).collect();
        let (admin_app, token) = (app.clone(), app.token("ada", []));
        running.push(tokio::spawn(async move {
            let document = document("deleteTenant", "deletedId");
            admin_app.query_with_variables(&token, &document, json!({"input": {"id": id}})).await
        }));
        running.extend((4..8).map(sign_in));
        for reply in running {
            reply.await.expect("a response").data();
        }
        for k in 0..8 {
            let user = app.stored_user(&subject(k)).await.expect("a user that `me` has created");
            assert_eq!(user.memberships, [], "{}", user.name);
        }
    }
}
