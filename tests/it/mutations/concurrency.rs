//! Many at once: one winner where there can be one, and nothing lost where there is room for all.

use std::sync::Arc;

use serde_json::{Value, json};
use tenantry::domain::{change::Change, user::TenantRole};

use super::{document, run};
use crate::support::{
    app::{App, Reply, on_both_stores},
    world::{self, World},
};

on_both_stores! {
    one_version_has_one_winner,
    one_slug_has_one_winner,
    without_a_version_nothing_is_lost,
    one_owner_is_left,
    a_tenant_has_one_live_subscription,
    the_plan_is_one_whoever_changes_it,
    many_members_come_at_once,
    nobody_comes_into_a_tenant_that_goes,
}

const WRITERS: usize = 64;

/// Runs the same mutation with different inputs at once.
async fn at_once(
    app: &Arc<App>,
    requests: impl IntoIterator<Item = (&'static str, &'static str, Value, &'static str)>,
) -> Vec<Reply> {
    let send = |(subject, name, input, fields): (&str, &'static str, Value, &'static str)| {
        let (app, token) = (app.clone(), app.token(subject, []));
        tokio::spawn(async move {
            app.ask_with(&token, &document(name, fields), json!({ "input": input })).await
        })
    };
    let running: Vec<_> = requests.into_iter().map(send).collect();
    let mut replies = Vec::with_capacity(running.len());
    for reply in running {
        replies.push(reply.await.expect("an answer"));
    }
    replies
}

fn winners(replies: &[Reply], lost: &str) -> usize {
    for reply in replies {
        assert!(reply.codes().iter().all(|code| *code == lost), "{}", reply.body);
    }
    replies.iter().filter(|reply| reply.codes().is_empty()).count()
}

async fn one_version_has_one_winner(app: App) {
    let (world, app) = (World::new(&app).await, Arc::new(app));
    let id = world.acme.id.to_string();
    let write = |n: usize| {
        let input = json!({"id": id, "version": 1, "name": format!("Writer {n}")});
        ("bob", "updateTenant", input, "tenant { name version }")
    };
    let replies = at_once(&app, (0..WRITERS).map(write)).await;
    assert_eq!(winners(&replies, "STALE_VERSION"), 1);
    let winner = replies.iter().find(|reply| reply.codes().is_empty()).expect("one");
    let stored = app.ask("bob", "{ tenant(slug: \"acme\") { name version } }").await;
    assert_eq!(stored.data()["tenant"], winner.data()["x"]["tenant"]);
    assert_eq!(app.history().await.len(), 2, "the winner's event, and the world's");
}

async fn one_slug_has_one_winner(app: App) {
    let (_, app) = (World::new(&app).await, Arc::new(app));
    let write = |n: usize| {
        let input = json!({"slug": "wanted", "name": format!("Writer {n}")});
        ("ada", "createTenant", input, "tenant { id }")
    };
    let replies = at_once(&app, (0..WRITERS).map(write)).await;
    assert_eq!(winners(&replies, "CONFLICT"), 1);
    let count = app.ask("ada", "{ tenants { totalCount } subscriptions { totalCount } }").await;
    assert_eq!(count.data()["tenants"]["totalCount"], 4);
    assert_eq!(count.data()["subscriptions"]["totalCount"], 3);
    assert_eq!(app.history().await.len(), 2);
}

async fn without_a_version_nothing_is_lost(app: App) {
    let (world, app) = (World::new(&app).await, Arc::new(app));
    let id = world.acme.id.to_string();
    let lines = ["line1", "line2", "city", "region", "postalCode"];
    let write = |n: usize| {
        let input = json!({"id": id, "billingInfo": {"address": {lines[n]: format!("n{n}")}}});
        ("bob", "updateTenant", input, "tenant { version }")
    };
    let replies = at_once(&app, (0..lines.len()).map(write)).await;
    assert_eq!(winners(&replies, "none"), lines.len());
    let query = "{ tenant(slug: \"acme\") { version billingInfo { address { line1 line2 city region postalCode } } } }";
    let tenant = app.ask("bob", query).await;
    assert_eq!(
        tenant.data()["tenant"],
        json!({"version": 6, "billingInfo": {"address": {"line1": "n0", "line2": "n1",
            "city": "n2", "region": "n3", "postalCode": "n4"}}})
    );
}

async fn one_owner_is_left(app: App) {
    let (world, app) = (World::new(&app).await, Arc::new(app));
    for round in 0..10 {
        // Two new owners of a tenant of their own, who both leave at once.
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
        app.store.commit(&changes).await.expect("free");
        let replies = at_once(&app, leave).await;
        assert_eq!(winners(&replies, "CONFLICT"), 1, "round {round}");
    }
    let _ = world;
}

async fn a_tenant_has_one_live_subscription(app: App) {
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
    let replies = at_once(&app, (0..16).map(write)).await;
    assert_eq!(winners(&replies, "CONFLICT"), 1);
    let tenant =
        app.ask("ada", "{ tenant(slug: \"globex\") { plan subscription { plan } } }").await;
    let tenant = &tenant.data()["tenant"];
    assert_eq!(tenant["plan"], tenant["subscription"]["plan"]);
}

async fn the_plan_is_one_whoever_changes_it(app: App) {
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
    let replies = at_once(&app, (0..32).map(write)).await;
    assert_eq!(winners(&replies, "CONFLICT"), 25, "all, and one of eight new ones");
    for slug in ["acme", "globex"] {
        let query = format!("{{ tenant(slug: \"{slug}\") {{ plan subscription {{ plan }} }} }}");
        let tenant = app.ask("ada", &query).await;
        let tenant = &tenant.data()["tenant"];
        assert_eq!(tenant["plan"], tenant["subscription"]["plan"], "{slug}");
    }
    run(&app, "ada", "deleteSubscription", json!({"id": live}), "deletedId").await.data();
}

/// Each holds the tenant while it is added: they wait for each other, and nobody gives up.
async fn many_members_come_at_once(app: App) {
    let (world, app) = (World::new(&app).await, Arc::new(app));
    let users: Vec<_> =
        (0..100).map(|n| world::user(&app, 1000 + n, &format!("new{n}"), &[])).collect();
    let ids: Vec<String> = users.iter().map(|user| user.id.to_string()).collect();
    let changes: Vec<_> = users.into_iter().map(Change::InsertUser).collect();
    app.store.commit(&changes).await.expect("free");
    let tenant = world.acme.id.to_string();
    let add = |id: String| {
        let input = json!({"tenantId": tenant, "userId": id});
        ("ada", "addTenantMember", input, "membership { role }")
    };
    let replies = at_once(&app, ids.into_iter().map(add)).await;
    assert_eq!(winners(&replies, "none"), 100);
    let count = app.ask("ada", "{ tenant(slug: \"acme\") { members { totalCount } } }").await;
    assert_eq!(count.data()["tenant"]["members"]["totalCount"], 102);
}

/// Those who come by their groups as well: either they are members and go with it, or there is no
/// tenant that they could come into.
async fn nobody_comes_into_a_tenant_that_goes(app: App) {
    World::new(&app).await;
    let app = Arc::new(app);
    for n in 0..8 {
        let input = json!({"slug": format!("gone-{n}"), "name": "Gone"});
        let made = run(&app, "ada", "createTenant", input, "tenant { id }").await;
        let id = made.data()["x"]["tenant"]["id"].clone();
        let group = format!("tenant:gone-{n}:owner");
        let subject = |k: u32| format!("member-{n}-{k}");
        let come = |k: u32| {
            let (app, token) = (app.clone(), app.token(&subject(k), [&*group]));
            tokio::spawn(async move { app.ask_with(&token, "{ me { id } }", json!({})).await })
        };
        let mut running: Vec<_> = (0..4).map(come).collect();
        let (there, token) = (app.clone(), app.token("ada", []));
        running.push(tokio::spawn(async move {
            let document = document("deleteTenant", "deletedId");
            there.ask_with(&token, &document, json!({"input": {"id": id}})).await
        }));
        running.extend((4..8).map(come));
        for reply in running {
            reply.await.expect("an answer").data();
        }
        for k in 0..8 {
            let user = app.stored(&subject(k)).await.expect("made");
            assert_eq!(user.memberships, [], "{}", user.name);
        }
    }
}
