//! The demo seeder stores each tenant atomically and once, and leaves existing documents unchanged.

use serde_json::json;
use tenantry::{
    domain::{change::Change, tenant::Tenant, user::User},
    seed::{
        generator::DemoTenant,
        runner::{DemoSeedError, DemoSeeder, SeedProgress},
    },
    store::{Store, SubscriptionKeys, TenantKeys, UserKeys},
};

use crate::support::{
    app::{App, Reply, on_both_stores},
    world,
};

on_both_stores! {
    seed_stores_all_entities,
    platform_admin_sees_demo_tenants,
    seed_is_idempotent_and_extends,
    seed_keeps_later_changes_and_deletions,
    seed_reports_conflicts_and_changes_nothing,
    concurrent_seeds_share_the_work,
}

/// Seeds the first `n` demo tenants and returns the progress and the result.
async fn try_seed(store: &dyn Store, n: u32) -> (SeedProgress, Result<(), DemoSeedError>) {
    let mut seeder = DemoSeeder::new(store, n);
    loop {
        match seeder.next_batch().await {
            Ok(true) => {}
            Ok(false) => return (seeder.progress, Ok(())),
            Err(error) => return (seeder.progress, Err(error)),
        }
    }
}

/// Seeds the first `n` demo tenants, which must succeed, and returns the progress.
async fn seed(store: &dyn Store, n: u32) -> SeedProgress {
    let (progress, result) = try_seed(store, n).await;
    result.expect("seeding succeeds");
    assert_eq!(progress.done, n);
    progress
}

fn demo_tenants(range: impl IntoIterator<Item = u32>) -> Vec<DemoTenant> {
    range.into_iter().map(DemoTenant::nth).collect()
}

/// Returns the progress after creating exactly these tenants.
fn progress(created: &[DemoTenant], done: u32) -> SeedProgress {
    SeedProgress {
        done,
        tenants: created.len() as u32,
        users: created.iter().map(|demo| demo.users.len()).sum(),
        subscriptions: created.iter().map(|demo| demo.subscriptions.len()).sum(),
    }
}

/// Returns the tenant with this slug, if it is stored.
async fn find_tenant(app: &App, slug: &str) -> Option<Tenant> {
    let tenants =
        app.store.tenants(TenantKeys::Slugs(&[slug.to_owned()])).await.expect("read succeeds");
    tenants.into_iter().next().map(|tenant| tenant.expect("readable"))
}

/// Returns the stored users of a demo tenant in the order of their subjects.
async fn stored_users(app: &App, demo: &DemoTenant) -> Vec<User> {
    let ids: Vec<_> = demo.users.iter().map(|user| user.id).collect();
    let users = app.store.users(UserKeys::Ids(&ids)).await.expect("read succeeds");
    let mut users: Vec<_> = users.into_iter().map(|user| user.expect("readable")).collect();
    users.sort_by_key(|user| user.identity.subject.clone());
    users
}

/// Sends a query as a platform admin.
async fn query_as_admin(app: &App, query: &str) -> Reply {
    app.query_with_token(app.issuer.token().subject("ada").groups(["platform-admins"]), query).await
}

async fn seed_stores_all_entities(app: App) {
    let all = demo_tenants(1..=60);
    assert_eq!(seed(&*app.store, 60).await, progress(&all, 60));
    for demo in &all {
        assert_eq!(find_tenant(&app, &demo.tenant.slug).await.as_ref(), Some(&demo.tenant));
        assert_eq!(stored_users(&app, demo).await, demo.users);
        for subscription in &demo.subscriptions {
            let ids = [subscription.id];
            let keys = SubscriptionKeys::Ids(&ids);
            let stored = app.store.subscriptions(keys).await.expect("read succeeds");
            assert_eq!(stored, [Ok(subscription.clone())]);
        }
        let events = app.store.audit_events(&[demo.event.id]).await.expect("read succeeds");
        assert_eq!(events, [Ok(demo.event.clone())]);
    }
}

async fn platform_admin_sees_demo_tenants(app: App) {
    seed(&*app.store, 60).await;
    let all = demo_tenants(1..=60);
    let demo = &all[7];
    let members = all.iter().flat_map(|demo| &demo.users);
    let members = members.filter(|user| user.membership(demo.tenant.id).is_some()).count();
    assert!(members > demo.users.len(), "some members must belong to other demo tenants first");
    let reply = query_as_admin(
        &app,
        r#"{ me { id }
             tenants(filter: {search: "demo-"}) { totalCount }
             tenant(slug: "demo-000008") {
               name plan subscription { plan }
               members(first: 100) { totalCount nodes { role user { email } } } }
             auditLog(first: 100) { nodes { action actorKind } } }"#,
    )
    .await;
    assert_eq!(reply.data()["tenants"]["totalCount"], 60);
    let tenant = &reply.data()["tenant"];
    assert_eq!(tenant["name"], json!(demo.tenant.name));
    assert_eq!(tenant["plan"], tenant["subscription"]["plan"]);
    assert_eq!(tenant["members"]["totalCount"], members);
    let owner = json!({"role": "OWNER", "user": {"email": demo.users[0].email}});
    assert!(tenant["members"]["nodes"].as_array().expect("nodes").contains(&owner), "{tenant}");
    let created = json!({"action": "tenant.create", "actorKind": "SYSTEM"});
    let log = reply.data()["auditLog"]["nodes"].as_array().expect("nodes");
    assert_eq!(log.iter().filter(|event| **event == created).count(), 60);
}

async fn seed_is_idempotent_and_extends(app: App) {
    seed(&*app.store, 7).await;
    assert_eq!(seed(&*app.store, 7).await, progress(&[], 7));
    assert_eq!(
        seed(&*app.store, 60).await,
        progress(&demo_tenants(8..=60), 60),
        "only the missing tenants are created"
    );
    assert_eq!(seed(&*app.store, 60).await, progress(&[], 60));
    assert_eq!(seed(&*app.store, 3).await, progress(&[], 3), "a smaller number removes nothing");
    let reply =
        query_as_admin(&app, r#"{ me { id } tenants { totalCount } users { totalCount } }"#).await;
    assert_eq!(reply.data()["tenants"]["totalCount"], 60);
    let created = progress(&demo_tenants(1..=60), 60).users;
    assert_eq!(reply.data()["users"]["totalCount"], created + 1, "the caller is a user, too");
}

async fn seed_keeps_later_changes_and_deletions(app: App) {
    seed(&*app.store, 8).await;
    let [edited, deleted, reduced] = [1, 2, 8].map(DemoTenant::nth);
    assert_eq!(query_as_admin(&app, "{ me { id } }").await.errors(), Vec::<String>::new());
    let mutation = format!(
        r#"mutation {{
             a: updateTenant(input: {{id: "{}", slug: "edited", plan: ENTERPRISE}}) {{ tenant {{ id }} }}
             b: deleteTenant(input: {{id: "{}"}}) {{ deletedId }}
             c: deleteUser(input: {{id: "{}"}}) {{ deletedId }}
             d: deleteSubscription(input: {{id: "{}"}}) {{ deletedId }} }}"#,
        edited.tenant.id, deleted.tenant.id, reduced.users[3].id, reduced.subscriptions[0].id,
    );
    let reply = query_as_admin(&app, &mutation).await;
    assert_eq!(reply.errors(), Vec::<String>::new());
    let changed = find_tenant(&app, "edited").await;
    assert_eq!(seed(&*app.store, 10).await, progress(&demo_tenants(9..=10), 10));
    assert_eq!(find_tenant(&app, "edited").await, changed);
    assert_eq!(find_tenant(&app, &edited.tenant.slug).await, None);
    assert_eq!(find_tenant(&app, &deleted.tenant.slug).await, None);
    assert_eq!(stored_users(&app, &reduced).await.len(), reduced.users.len() - 1);
    let ids = [reduced.subscriptions[0].id];
    let keys = SubscriptionKeys::Ids(&ids);
    assert!(app.store.subscriptions(keys).await.expect("read succeeds").is_empty());
}

async fn seed_reports_conflicts_and_changes_nothing(app: App) {
    let blocked = DemoTenant::nth(55);
    let with_domain =
        demo_tenants(56..=60).into_iter().find(|demo| !demo.tenant.domains.is_empty());
    let with_domain = with_domain.expect("a tenant with a domain");
    let by_slug = Tenant { domains: vec![], ..world::tenant(1, &blocked.tenant.slug) };
    let by_domain =
        Tenant { domains: with_domain.tenant.domains.clone(), ..world::tenant(2, "real") };
    let existing = [by_slug.clone(), by_domain.clone()];
    app.store.commit(&existing.map(Change::InsertTenant)).await.expect("commit succeeds");

    let (seeded, result) = try_seed(&*app.store, 60).await;
    assert_eq!(seeded, progress(&demo_tenants(1..=54), 54), "earlier tenants are created");
    let error = result.expect_err("the slug is taken");
    assert!(
        matches!(&error, DemoSeedError::Taken { slug, field: "slug" } if *slug == blocked.tenant.slug)
    );
    let text = error.to_string();
    assert!(text.contains("demo-000055") && text.lines().count() == 1, "{text}");
    assert_eq!(find_tenant(&app, &blocked.tenant.slug).await, Some(by_slug.clone()));
    assert!(stored_users(&app, &blocked).await.is_empty());
    assert!(app.store.audit_events(&[blocked.event.id]).await.expect("read succeeds").is_empty());

    // Once the conflicting tenant has another slug, the seeder continues up to the next conflict.
    let renamed =
        Tenant { slug: "renamed".to_owned(), version: by_slug.version + 1, ..by_slug.clone() };
    let rename = Change::UpdateTenant { expected: by_slug.version, tenant: renamed };
    app.store.commit(&[rename]).await.expect("commit succeeds");
    let (_, result) = try_seed(&*app.store, 60).await;
    let DemoSeedError::Taken { slug, field } = result.expect_err("the domain is taken") else {
        panic!("the store failed");
    };
    assert_eq!((slug, field), (with_domain.tenant.slug, "domains"));
    assert_eq!(stored_users(&app, &blocked).await, blocked.users);
    assert_eq!(find_tenant(&app, "real").await, Some(by_domain));
}

async fn concurrent_seeds_share_the_work(app: App) {
    let (first, second) = tokio::join!(seed(&*app.store, 120), seed(&*app.store, 120));
    assert_eq!(first.tenants + second.tenants, 120);
    let all = demo_tenants(1..=120);
    assert_eq!(first.users + second.users, progress(&all, 120).users);
    for demo in &all {
        assert_eq!(stored_users(&app, demo).await, demo.users);
    }
}
