//! What a document costs: one read of the store for each level, whatever its width.

use tenantry::domain::{
    change::Change, id::TenantId, subscription::TenantSubscriptionStatus, user::TenantRole,
};

use crate::support::{
    app::{App, on_both_stores},
    world::{self, World},
};

on_both_stores! {
    me_is_three_reads,
    a_page_with_children_does_not_grow_with_its_width,
    a_tenant_by_slug_is_three_reads,
    what_is_hidden_costs_what_is_absent_costs,
    typename_reads_nothing,
    what_a_mutation_costs,
}

const ME: &str = "{ me { memberships { role tenant { slug subscription { plan } } } } }";

/// Tenants with a subscription each, and a user who is in all of them.
async fn crowd(app: &App, tenants: u32, members: u32) {
    let mut changes = Vec::new();
    let mut ids: Vec<TenantId> = Vec::new();
    for n in 0..tenants {
        let tenant = world::tenant(1000 + n, &format!("t{n:04}"));
        let status = TenantSubscriptionStatus::Active;
        changes.push(Change::InsertSubscription(world::subscription(50_000 + n, &tenant, status)));
        ids.push(tenant.id);
        changes.push(Change::InsertTenant(tenant));
    }
    let places: Vec<_> = ids.iter().map(|id| (*id, TenantRole::Member)).collect();
    changes.push(Change::InsertUser(world::user(app, 1, "carol", &places)));
    for n in 0..members {
        changes.push(Change::InsertUser(world::user(app, 100 + n, &format!("m{n}"), &places)));
    }
    app.store.commit(&changes).await.expect("an empty store");
}

async fn me_is_three_reads(app: App) {
    crowd(&app, 200, 0).await;
    let reply = app.ask("carol", ME).await;
    assert_eq!(reply.data()["me"]["memberships"].as_array().map(Vec::len), Some(200));
    assert_eq!(reply.reads, 3, "the user, the tenants, the subscriptions");
}

async fn a_page_with_children_does_not_grow_with_its_width(app: App) {
    crowd(&app, 50, 12).await;
    for first in [2, 50] {
        let query = format!(
            "{{ tenants(first: {first}) {{ totalCount nodes {{ slug subscription {{ plan }}
               members(first: 10) {{ totalCount nodes {{ role user {{ id name email }} }} }} }} }} }}"
        );
        let reply = app.ask("carol", &query).await;
        let nodes = reply.data()["tenants"]["nodes"].as_array().expect("nodes");
        assert_eq!(nodes.len(), first);
        assert!(nodes.iter().all(|t| t["members"]["nodes"].as_array().map(Vec::len) == Some(10)));
        assert_eq!(reply.reads, 6, "user, page, count; subscriptions, members, their counts");
    }
}

async fn a_tenant_by_slug_is_three_reads(app: App) {
    World::new(&app).await;
    let reply = app.ask("carol", r#"{ tenant(slug: "acme") { subscription { status } } }"#).await;
    assert_eq!(reply.data()["tenant"]["subscription"]["status"], "ACTIVE");
    assert_eq!(reply.reads, 3);
}

async fn what_is_hidden_costs_what_is_absent_costs(app: App) {
    let world = World::new(&app).await;
    let absent = "65000000000000000000ffff";
    let same = [
        (r#"tenant(slug: "acme") { id }"#.to_owned(), r#"tenant(slug: "nope") { id }"#.to_owned()),
        (
            format!("user(id: \"{}\") {{ id }}", world.bob),
            format!("user(id: \"usr_{absent}\") {{ id }}"),
        ),
        (
            format!("subscription(id: \"{}\") {{ tenant {{ id }} }}", world.subscription),
            format!("subscription(id: \"sub_{absent}\") {{ tenant {{ id }} }}"),
        ),
        (
            format!("node(id: \"{}\") {{ id }}", world.acme.id),
            format!("node(id: \"ten_{absent}\") {{ id }}"),
        ),
        (
            format!("node(id: \"{}\") {{ id }}", world.event),
            format!("node(id: \"aud_{absent}\") {{ id }}"),
        ),
        (
            format!(
                "subscriptions(filter: {{tenantId: \"{}\"}}) {{ totalCount nodes {{ id }} }}",
                world.acme.id
            ),
            format!(
                "subscriptions(filter: {{tenantId: \"ten_{absent}\"}}) {{ totalCount nodes {{ id }} }}"
            ),
        ),
    ];
    for (hidden, absent) in same {
        let hidden_reply = app.ask("mallory", &format!("{{ {hidden} }}")).await;
        let absent_reply = app.ask("mallory", &format!("{{ {absent} }}")).await;
        assert_eq!(hidden_reply.body, absent_reply.body, "{hidden}");
        assert_eq!(hidden_reply.reads, absent_reply.reads, "{hidden}");
    }
}

async fn typename_reads_nothing(app: App) {
    World::new(&app).await;
    let reply = app.ask("carol", "{ __typename __schema { queryType { name } } }").await;
    assert_eq!((reply.data()["__typename"].as_str(), reply.reads), (Some("Query"), 0));
}

/// Reads of the store, and changes that are committed together; what only guards a commit (a tenant
/// that is held, an owner who is left) is one of them. docs/ARCHITECTURE.md has this table too.
async fn what_a_mutation_costs(app: App) {
    let world = World::new(&app).await;
    let (acme, globex, initech) = (world.acme.id, world.globex.id, world.initech.id);
    let (bob, carol, mallory, live) = (world.bob, world.carol, world.mallory, world.subscription);
    for (caller, mutation, reads, writes) in [
        ("ada", "createTenant(input: {slug: \"new-one\", name: \"X\"}) { __typename }".to_owned(), 1, 3),
        ("bob", format!("updateTenant(input: {{id: \"{acme}\", name: \"X\"}}) {{ __typename }}"), 2, 2),
        ("ada", format!("updateTenant(input: {{id: \"{acme}\", plan: FREE}}) {{ __typename }}"), 3, 3),
        ("ada", format!("createSubscription(input: {{tenantId: \"{globex}\", plan: FREE}}) {{ __typename }}"), 2, 3),
        ("ada", format!("updateSubscription(input: {{id: \"{live}\", status: PAST_DUE}}) {{ __typename }}"), 3, 2),
        ("ada", format!("updateSubscription(input: {{id: \"{live}\", plan: STARTER}}) {{ __typename }}"), 3, 3),
        ("ada", format!("deleteSubscription(input: {{id: \"{live}\"}}) {{ __typename }}"), 3, 2),
        ("ada", "createUser(input: {subject: \"dave\", email: \"d@example.org\", name: \"D\"}) { __typename }".to_owned(), 2, 3),
        ("ada", format!("updateUser(input: {{id: \"{mallory}\", name: \"X\"}}) {{ __typename }}"), 2, 2),
        ("ada", format!("addTenantMember(input: {{tenantId: \"{acme}\", userId: \"{mallory}\"}}) {{ __typename }}"), 3, 3),
        ("bob", format!("updateTenantMember(input: {{tenantId: \"{acme}\", userId: \"{mallory}\", role: OWNER}}) {{ __typename }}"), 3, 3),
        ("bob", format!("updateTenantMember(input: {{tenantId: \"{acme}\", userId: \"{mallory}\", role: MEMBER}}) {{ __typename }}"), 3, 4),
        // One read more, of the tenants that they share: bob has to see her. She is a member already.
        ("bob", format!("addTenantMember(input: {{tenantId: \"{acme}\", userId: \"{carol}\"}}) {{ __typename }}"), 4, 0),
        ("carol", format!("removeTenantMember(input: {{tenantId: \"{acme}\", userId: \"{carol}\"}}) {{ __typename }}"), 3, 3),
        ("ada", format!("deleteUser(input: {{id: \"{bob}\"}}) {{ __typename }}"), 2, 3),
        ("ada", format!("deleteTenant(input: {{id: \"{initech}\"}}) {{ __typename }}"), 2, 2),
    ] {
        let reply = app.ask(caller, &format!("mutation {{ {mutation} }}")).await;
        assert_eq!((reply.reads, reply.writes), (reads, writes), "{mutation} {}", reply.body);
    }
}
