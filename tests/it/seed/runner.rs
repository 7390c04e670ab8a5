//! How demo tenants come into a store: once, whole, and without harm to what is there.

use serde_json::json;
use tenantry::{
    domain::{change::Change, tenant::Tenant, user::User},
    seed::{
        generator::DemoTenant,
        runner::{DemoSeeder, FillError, SeedProgress},
    },
    store::{Store, SubscriptionKeys, TenantKeys, UserKeys},
};

use crate::support::{
    app::{App, Reply, on_both_stores},
    world,
};

on_both_stores! {
    all_of_it_is_there,
    a_platform_admin_sees_them,
    what_was_made_is_not_made_again,
    what_was_changed_or_deleted_since_stays_so,
    what_is_in_the_way_is_named_and_left_alone,
    two_may_make_them_at_once,
}

/// Fills up to the n-th: what was done, and how it ended.
async fn fill(store: &dyn Store, n: u32) -> (SeedProgress, Result<(), FillError>) {
    let mut filling = DemoSeeder::new(store, n);
    loop {
        match filling.next().await {
            Ok(true) => {}
            Ok(false) => return (filling.progress, Ok(())),
            Err(error) => return (filling.progress, Err(error)),
        }
    }
}

/// The same, where nothing is in the way.
async fn filled(store: &dyn Store, n: u32) -> SeedProgress {
    let (filled, ended) = fill(store, n).await;
    ended.expect("filled");
    assert_eq!(filled.done, n);
    filled
}

fn samples(range: impl IntoIterator<Item = u32>) -> Vec<DemoTenant> {
    range.into_iter().map(DemoTenant::nth).collect()
}

/// What was made of those, and no more.
fn of(samples: &[DemoTenant], done: u32) -> SeedProgress {
    SeedProgress {
        done,
        tenants: samples.len() as u32,
        users: samples.iter().map(|sample| sample.users.len()).sum(),
        subscriptions: samples.iter().map(|sample| sample.subscriptions.len()).sum(),
    }
}

async fn tenant(app: &App, slug: &str) -> Option<Tenant> {
    let found = app.store.tenants(TenantKeys::Slugs(&[slug.to_owned()])).await.expect("read");
    found.into_iter().next().map(|tenant| tenant.expect("readable"))
}

async fn users(app: &App, of: &DemoTenant) -> Vec<User> {
    let ids: Vec<_> = of.users.iter().map(|user| user.id).collect();
    let found = app.store.users(UserKeys::Ids(&ids)).await.expect("read");
    let mut users: Vec<_> = found.into_iter().map(|user| user.expect("readable")).collect();
    users.sort_by_key(|user| user.identity.subject.clone());
    users
}

/// Somebody who runs the platform asks.
async fn ask(app: &App, query: &str) -> Reply {
    app.ask_by(app.issuer.token().subject("ada").groups(["platform-admins"]), query).await
}

async fn all_of_it_is_there(app: App) {
    let all = samples(1..=60);
    assert_eq!(filled(&*app.store, 60).await, of(&all, 60));
    for sample in &all {
        assert_eq!(tenant(&app, &sample.tenant.slug).await.as_ref(), Some(&sample.tenant));
        assert_eq!(users(&app, sample).await, sample.users);
        for subscription in &sample.subscriptions {
            let ids = [subscription.id];
            let keys = SubscriptionKeys::Ids(&ids);
            let found = app.store.subscriptions(keys).await.expect("read");
            assert_eq!(found, [Ok(subscription.clone())]);
        }
        let told = app.store.audit_events(&[sample.event.id]).await.expect("read");
        assert_eq!(told, [Ok(sample.event.clone())]);
    }
}

async fn a_platform_admin_sees_them(app: App) {
    filled(&*app.store, 60).await;
    let all = samples(1..=60);
    let sample = &all[7];
    let members = all.iter().flat_map(|sample| &sample.users);
    let members = members.filter(|user| user.membership(sample.tenant.id).is_some()).count();
    assert!(members > sample.users.len(), "some come from elsewhere");
    let reply = ask(
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
    let seen = &reply.data()["tenant"];
    assert_eq!(seen["name"], json!(sample.tenant.name));
    assert_eq!(seen["plan"], seen["subscription"]["plan"]);
    assert_eq!(seen["members"]["totalCount"], members);
    let owner = json!({"role": "OWNER", "user": {"email": sample.users[0].email}});
    assert!(seen["members"]["nodes"].as_array().expect("nodes").contains(&owner), "{seen}");
    let told = json!({"action": "tenant.create", "actorKind": "SYSTEM"});
    let log = reply.data()["auditLog"]["nodes"].as_array().expect("nodes");
    assert_eq!(log.iter().filter(|event| **event == told).count(), 60);
}

async fn what_was_made_is_not_made_again(app: App) {
    filled(&*app.store, 7).await;
    assert_eq!(filled(&*app.store, 7).await, of(&[], 7));
    assert_eq!(filled(&*app.store, 60).await, of(&samples(8..=60), 60), "the rest");
    assert_eq!(filled(&*app.store, 60).await, of(&[], 60));
    assert_eq!(filled(&*app.store, 3).await, of(&[], 3), "fewer take nothing away");
    let reply = ask(&app, r#"{ me { id } tenants { totalCount } users { totalCount } }"#).await;
    assert_eq!(reply.data()["tenants"]["totalCount"], 60);
    let made = of(&samples(1..=60), 60).users;
    assert_eq!(reply.data()["users"]["totalCount"], made + 1, "and who asks");
}

async fn what_was_changed_or_deleted_since_stays_so(app: App) {
    filled(&*app.store, 8).await;
    let [first, deleted, left] = [1, 2, 8].map(DemoTenant::nth);
    assert_eq!(ask(&app, "{ me { id } }").await.errors(), Vec::<String>::new());
    let mutation = format!(
        r#"mutation {{
             a: updateTenant(input: {{id: "{}", slug: "hand", plan: ENTERPRISE}}) {{ tenant {{ id }} }}
             b: deleteTenant(input: {{id: "{}"}}) {{ deletedId }}
             c: deleteUser(input: {{id: "{}"}}) {{ deletedId }}
             d: deleteSubscription(input: {{id: "{}"}}) {{ deletedId }} }}"#,
        first.tenant.id, deleted.tenant.id, left.users[3].id, left.subscriptions[0].id,
    );
    let reply = ask(&app, &mutation).await;
    assert_eq!(reply.errors(), Vec::<String>::new());
    let changed = tenant(&app, "hand").await;
    assert_eq!(filled(&*app.store, 10).await, of(&samples(9..=10), 10));
    assert_eq!(tenant(&app, "hand").await, changed);
    assert_eq!(tenant(&app, &first.tenant.slug).await, None);
    assert_eq!(tenant(&app, &deleted.tenant.slug).await, None);
    assert_eq!(users(&app, &left).await.len(), left.users.len() - 1);
    let ids = [left.subscriptions[0].id];
    let keys = SubscriptionKeys::Ids(&ids);
    assert!(app.store.subscriptions(keys).await.expect("read").is_empty());
}

async fn what_is_in_the_way_is_named_and_left_alone(app: App) {
    let wanted = DemoTenant::nth(55);
    let domain = samples(56..=60).into_iter().find(|s| !s.tenant.domains.is_empty());
    let domain = domain.expect("a tenant with a domain");
    let by_slug = Tenant { domains: vec![], ..world::tenant(1, &wanted.tenant.slug) };
    let by_domain = Tenant { domains: domain.tenant.domains.clone(), ..world::tenant(2, "real") };
    let real = [by_slug.clone(), by_domain.clone()];
    app.store.commit(&real.map(Change::InsertTenant)).await.expect("committed");

    let (so_far, ended) = fill(&*app.store, 60).await;
    assert_eq!(so_far, of(&samples(1..=54), 54), "those before are made");
    let why = ended.expect_err("a slug that is taken");
    assert!(
        matches!(&why, FillError::Taken { slug, field: "slug" } if *slug == wanted.tenant.slug)
    );
    let why = why.to_string();
    assert!(why.contains("demo-000055") && why.lines().count() == 1, "{why}");
    assert_eq!(tenant(&app, &wanted.tenant.slug).await, Some(by_slug.clone()));
    assert!(users(&app, &wanted).await.is_empty());
    assert!(app.store.audit_events(&[wanted.event.id]).await.expect("read").is_empty());

    // Out of the way, it goes on up to the next.
    let moved =
        Tenant { slug: "moved".to_owned(), version: by_slug.version + 1, ..by_slug.clone() };
    let moved = Change::UpdateTenant { was: by_slug.version, tenant: moved };
    app.store.commit(&[moved]).await.expect("committed");
    let (_, ended) = fill(&*app.store, 60).await;
    let FillError::Taken { slug, field } = ended.expect_err("a domain that is taken") else {
        panic!("the store failed");
    };
    assert_eq!((slug, field), (domain.tenant.slug, "domains"));
    assert_eq!(users(&app, &wanted).await, wanted.users);
    assert_eq!(tenant(&app, "real").await, Some(by_domain));
}

async fn two_may_make_them_at_once(app: App) {
    let (one, other) = tokio::join!(filled(&*app.store, 120), filled(&*app.store, 120));
    assert_eq!(one.tenants + other.tenants, 120);
    let all = samples(1..=120);
    assert_eq!(one.users + other.users, of(&all, 120).users);
    for sample in &all {
        assert_eq!(users(&app, sample).await, sample.users);
    }
}
