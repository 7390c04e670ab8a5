//! Who sees what: the contract's matrix for every read, by every way that leads there.

use mongodb::bson::doc;
use serde_json::{Value, json};
use tenantry::domain::{
    change::Change,
    id::NodeId,
    subscription::TenantSubscriptionStatus,
    tenant::Tenant,
    user::{MembershipSource, TenantRole},
};

use crate::support::{
    app::{App, Reply, on_both_stores},
    world::{self, World},
};

on_both_stores! {
    roots_by_caller,
    fields_of_a_tenant_by_every_way,
    fields_of_a_user_by_every_way,
    fields_of_an_event,
    nested_tenants_stay_hidden,
    hidden_is_absent,
    checks_come_in_order,
    a_hand_in_the_database_counts_at_once,
    what_outlived_its_tenant_is_not_shown,
    a_suspended_tenant_stays_readable,
}

const ABSENT: &str = "65000000000000000000ffff";

/// The callers of the matrix, and which tenant they are asked about.
const CALLERS: [&str; 8] =
    ["anonymous", "newcomer", "outsider", "member", "admin", "owner", "platform", "disabled"];

/// The world, and what the matrix needs besides: a live subscription and history everywhere.
async fn world(app: &App) -> World {
    let world = World::new(app).await;
    let live = world::subscription(23, &world.globex, TenantSubscriptionStatus::Active);
    let event = world::event(32, world.globex.id, world.carol, &["name", "integrations.ocisSpace"]);
    let mut shut = world::user(app, 15, "disabled", &[(world.acme.id, TenantRole::Owner)]);
    shut.disabled = true;
    let changes = [
        Change::InsertSubscription(live),
        Change::InsertAuditEvent(event),
        Change::InsertUser(shut),
    ];
    app.store.commit(&changes).await.expect("free");
    world
}

/// Asks as one of the callers: carol is acme's member and globex's admin.
async fn ask(app: &App, caller: &str, query: &str) -> Reply {
    match caller {
        "anonymous" => app.ask_as_nobody(query).await,
        "outsider" => app.ask("mallory", query).await,
        "member" | "admin" => app.ask("carol", query).await,
        "owner" => app.ask("bob", query).await,
        "platform" => app.ask("ada", query).await,
        other => app.ask(other, query).await,
    }
}

/// What the tenant is called and its things are, for a query about the tenant of that caller.
fn about(world: &World, caller: &str, query: &str) -> String {
    let globex = caller == "admin";
    let (tenant, live, event) =
        if globex { (&world.globex, 23, 32) } else { (&world.acme, 21, 31) };
    query
        .replace("$SLUG", &tenant.slug)
        .replace("$TENANT", &tenant.id.to_string())
        .replace("$PEER", &(if globex { world.carol } else { world.bob }).to_string())
        .replace("$SUB", &format!("sub_{}", world::id::<()>(live).raw))
        .replace("$EVENT", &format!("aud_{}", world::id::<()>(event).raw))
}

/// What came of the one field `x`: a code, `null`, or what it has.
fn outcome(reply: &Reply) -> String {
    match reply.codes()[..] {
        [] if reply.json["data"]["x"].is_null() => "null".to_owned(),
        [] => match &reply.json["data"]["x"]["totalCount"] {
            Value::Null => "shown".to_owned(),
            count => count.to_string(),
        },
        [code] => {
            assert!(reply.json["data"]["x"].is_null(), "{}", reply.body);
            code.to_owned()
        }
        _ => format!("{:?}", reply.codes()),
    }
}

async fn roots_by_caller(app: App) {
    let world = world(&app).await;
    let shown = ["shown"; 4];
    let hidden_from_outsiders = [&["null"][..], &shown[..]].concat();
    // outsider, member, admin, owner, platform admin
    let table: &[(&str, &[&str])] = &[
        ("x: node(id: \"$TENANT\") { id }", &hidden_from_outsiders),
        ("x: node(id: \"$PEER\") { id }", &hidden_from_outsiders),
        ("x: node(id: \"$SUB\") { id }", &hidden_from_outsiders),
        ("x: node(id: \"$EVENT\") { id }", &["null", "null", "shown", "shown", "shown"]),
        ("x: tenant(slug: \"$SLUG\") { id }", &hidden_from_outsiders),
        ("x: user(id: \"$PEER\") { id }", &hidden_from_outsiders),
        ("x: subscription(id: \"$SUB\") { id }", &hidden_from_outsiders),
        ("x: tenants { totalCount }", &["0", "2", "2", "2", "3"]),
        ("x: subscriptions { totalCount }", &["0", "3", "3", "1", "3"]),
        ("x: users { totalCount }", &["FORBIDDEN", "FORBIDDEN", "FORBIDDEN", "FORBIDDEN", "5"]),
        ("x: auditLog { totalCount }", &["FORBIDDEN", "FORBIDDEN", "FORBIDDEN", "FORBIDDEN", "2"]),
    ];
    for (query, expected) in table {
        let expected =
            [&["UNAUTHENTICATED", "USER_NOT_PROVISIONED"][..], expected, &["USER_DISABLED"]]
                .concat();
        for (caller, expected) in CALLERS.into_iter().zip(expected) {
            let query = format!("{{ {} }}", about(&world, caller, query));
            let reply = ask(&app, caller, &query).await;
            assert_eq!(outcome(&reply), expected, "{caller} {query}");
        }
    }
    // `me` last: it makes the newcomer.
    for (caller, expected) in CALLERS.into_iter().zip([
        "UNAUTHENTICATED",
        "shown",
        "shown",
        "shown",
        "shown",
        "shown",
        "shown",
        "USER_DISABLED",
    ]) {
        assert_eq!(outcome(&ask(&app, caller, "{ x: me { id } }").await), expected, "{caller}");
    }
    for (caller, expected) in [
        ("outsider", json!([null, null, null, null])),
        ("member", json!([{"id": true}, {"id": true}, {"id": true}, null])),
        ("admin", json!([{"id": true}, {"id": true}, {"id": true}, {"id": true}])),
    ] {
        let query = r#"{ nodes(ids: ["$TENANT", "$PEER", "$SUB", "$EVENT"]) { id } }"#;
        let reply = ask(&app, caller, &about(&world, caller, query)).await;
        let mut nodes = reply.data()["nodes"].clone();
        for node in nodes.as_array_mut().expect("nodes").iter_mut().filter(|n| !n.is_null()) {
            node["id"] = true.into();
        }
        assert_eq!(nodes, expected, "{caller}");
    }
}

/// `{0}` of a way is what is asked of the thing; the pointer leads to the thing.
fn by(way: &str, fields: &str) -> String {
    format!("{{ {} }}", way.replace("{0}", fields))
}

fn found<'a>(reply: &'a Reply, pointer: &str) -> &'a Value {
    let found = reply.json["data"].pointer(pointer);
    found.unwrap_or_else(|| panic!("{pointer} {}", reply.body))
}

async fn fields_of_a_tenant_by_every_way(app: App) {
    let world = world(&app).await;
    let ways: &[(&str, &str, &[&str])] = &[
        ("tenant(slug: \"$SLUG\") { {0} }", "/tenant", &[]),
        ("node(id: \"$TENANT\") { ... on Tenant { {0} } }", "/node", &[]),
        (
            "node(id: \"$TENANT\") { ...N } } fragment N on Node { ... on Tenant { {0} }",
            "/node",
            &[],
        ),
        ("nodes(ids: [\"$TENANT\"]) { ... on Tenant { {0} } }", "/nodes/0", &[]),
        ("tenants(filter: {search: \"$SLUG\"}) { nodes { {0} } }", "/tenants/nodes/0", &[]),
        (
            "tenants(filter: {search: \"$SLUG\"}) { edges { node { {0} } } }",
            "/tenants/edges/0/node",
            &[],
        ),
        ("subscription(id: \"$SUB\") { tenant { {0} } }", "/subscription/tenant", &[]),
        (
            "user(id: \"$PEER\") { memberships { tenant { {0} } } }",
            "/user/memberships/0/tenant",
            &["admin"],
        ),
        (
            "tenant(slug: \"$SLUG\") { subscription { tenant { {0} } } }",
            "/tenant/subscription/tenant",
            &[],
        ),
        (
            "tenant(slug: \"$SLUG\") { members(first: 1) { nodes { tenant { {0} } } } }",
            "/tenant/members/nodes/0/tenant",
            &[],
        ),
        (
            "tenant(slug: \"$SLUG\") { myMembership { tenant { {0} } } }",
            "/tenant/myMembership/tenant",
            &["platform"],
        ),
        (
            "node(id: \"$EVENT\") { ... on AuditEvent { tenant { {0} } } }",
            "/node/tenant",
            &["member"],
        ),
        (
            "node(id: \"$EVENT\") { ... on AuditEvent { target { ... on Tenant { {0} } } } }",
            "/node/target",
            &["member"],
        ),
        (
            "auditLog(filter: {tenantId: \"$TENANT\"}) { nodes { tenant { {0} } } }",
            "/auditLog/nodes/0/tenant",
            &["member", "admin", "owner"],
        ),
    ];
    let fields = "slug billingInfo { email } integrations { authentikGroup }
        subscription { plan stripe { customerId } } auditLog { totalCount } myMembership { role }";
    for (caller, billing, integrations, history, mine) in [
        ("member", false, false, false, json!("MEMBER")),
        ("admin", true, false, true, json!("ADMIN")),
        ("owner", true, false, true, json!("OWNER")),
        ("platform", true, true, true, Value::Null),
    ] {
        for (way, pointer, not_for) in ways {
            if not_for.contains(&caller) {
                continue;
            }
            let query = about(&world, caller, &by(way, fields));
            let reply = ask(&app, caller, &query).await;
            let tenant = found(&reply, pointer);
            let slug = if caller == "admin" { "globex" } else { "acme" };
            let show = |allowed: bool, value: Value| if allowed { value } else { Value::Null };
            let email = format!("billing@{slug}.example");
            let expected = json!({
                "slug": slug,
                "billingInfo": show(billing, json!({"email": email})),
                "integrations": show(integrations, json!({"authentikGroup": format!("grp-{slug}")})),
                "subscription": {
                    "plan": "BUSINESS",
                    "stripe": show(integrations, json!({"customerId": format!("cus_{slug}")})),
                },
                "auditLog": show(history, json!({"totalCount": 1})),
                "myMembership": show(!mine.is_null(), json!({"role": mine})),
            });
            assert_eq!(*tenant, expected, "{caller} {query}");
            let forbidden = [
                (billing, "billingInfo"),
                (integrations, "integrations"),
                (integrations, "subscription.stripe"),
                (history, "auditLog"),
            ];
            let at = pointer.trim_start_matches('/').replace('/', ".");
            let mut errors: Vec<String> = forbidden
                .iter()
                .filter(|(allowed, _)| !allowed)
                .map(|(_, field)| format!("FORBIDDEN {at}.{field}"))
                .collect();
            errors.sort();
            // A list on the way has others beside the one that is looked at.
            let mut told = reply.errors();
            told.retain(|error| error.contains(&format!(" {at}.")));
            assert_eq!(told, errors, "{caller} {query}");
        }
    }
}

async fn fields_of_a_user_by_every_way(app: App) {
    let world = world(&app).await;
    let guarded = "subject platformAdmin disabled lastSeenAt";
    let fields = format!("name email {guarded} role memberships {{ role tenant {{ slug }} }}");
    let bob = world.bob;
    let ways: Vec<(String, &str)> = vec![
        (format!("user(id: \"{bob}\") {{ {{0}} }}"), "/user"),
        (format!("node(id: \"{bob}\") {{ ... on User {{ {{0}} }} }}"), "/node"),
        (format!("nodes(ids: [\"{bob}\"]) {{ ... on Node {{ ... on User {{ {{0}} }} }} }}"), "/nodes/0"),
        ("tenant(slug: \"acme\") { members { nodes { user { {0} } } } }".into(), "/tenant/members/nodes/0/user"),
        ("tenant(slug: \"acme\") { members { edges { node { user { {0} } } } } }".into(), "/tenant/members/edges/0/node/user"),
        ("tenant(slug: \"acme\") { members { nodes { user { memberships { user { {0} } } } } } }".into(), "/tenant/members/nodes/0/user/memberships/0/user"),
    ];
    let errors = |pointer: &str| {
        let at = pointer.trim_start_matches('/').replace('/', ".");
        let mut all: Vec<_> =
            guarded.split(' ').map(|field| format!("FORBIDDEN {at}.{field}")).collect();
        all.sort();
        all
    };
    let full = json!({
        "name": "Bob", "email": "bob@example.org", "role": "OWNER",
        "subject": "bob", "platformAdmin": false, "disabled": false,
        "lastSeenAt": "2026-01-01T00:00:00.000Z",
        "memberships": [
            {"role": "OWNER", "tenant": {"slug": "acme"}},
            {"role": "OWNER", "tenant": {"slug": "initech"}},
        ],
    });
    let mut peers = full.clone();
    for field in guarded.split(' ') {
        peers[field] = Value::Null;
    }
    peers["memberships"] = json!([{"role": "OWNER", "tenant": {"slug": "acme"}}]);
    for (way, pointer) in &ways {
        let query = by(way, &fields);
        // Both are members of acme, so the page's other rows answer in their own way.
        let first = query.replace("members {", "members(first: 1) {");
        for caller in ["bob", "ada"] {
            let reply = app.ask(caller, &first).await;
            assert_eq!(*found(&reply, pointer), full, "{caller} {query}");
            assert_eq!(reply.codes(), [""; 0]);
        }
        let reply = app.ask("carol", &first).await;
        assert_eq!(*found(&reply, pointer), peers, "{first}");
        if !first.contains("memberships { user") {
            assert_eq!(reply.errors(), errors(pointer), "{first}");
        }
        let reply = app.ask("mallory", &first).await;
        assert!(!reply.body.contains("Bob"), "{}", reply.body);
        assert_eq!(reply.codes(), [""; 0]);
    }
    // Oneself, wherever one is met, and by `me`.
    for way in [
        "me { {0} }",
        "tenant(slug: \"globex\") { members { nodes { user { {0} } } } }",
        "tenant(slug: \"globex\") { myMembership { user { {0} } } }",
        "me { memberships { user { {0} } } }",
    ] {
        assert_eq!(app.ask("carol", &by(way, &fields)).await.codes(), [""; 0], "{way}");
    }
    // The highest role that the viewer sees: carol is globex's admin, and bob knows only of acme.
    let query = format!("{{ user(id: \"{}\") {{ role memberships {{ role }} }} }}", world.carol);
    for (caller, role, places) in [("bob", "MEMBER", 1), ("carol", "ADMIN", 2), ("ada", "ADMIN", 2)]
    {
        let reply = app.ask(caller, &query).await;
        assert_eq!(reply.data()["user"]["role"], role, "{caller}");
        assert_eq!(reply.data()["user"]["memberships"].as_array().map(Vec::len), Some(places));
    }
    let none = format!("{{ user(id: \"{}\") {{ role memberships {{ role }} }} }}", world.mallory);
    assert_eq!(
        app.ask("ada", &none).await.data()["user"],
        json!({"role": null, "memberships": []})
    );
}

async fn fields_of_an_event(app: App) {
    let world = world(&app).await;
    // Of mallory, whom nobody but the platform's people sees; of carol, in both tenants.
    let mut by_mallory =
        world::event(33, world.acme.id, world.mallory, &["billingInfo.email", "plan"]);
    by_mallory.target = Some(NodeId::User(world.mallory));
    let mut of_carol = world::event(
        34,
        world.acme.id,
        world.carol,
        &["name", "email", "subject", "platformAdmin"],
    );
    of_carol.tenants.push(world.globex.id);
    of_carol.target = Some(NodeId::User(world.carol));
    for tenant in [world.acme.id, world.globex.id] {
        of_carol.changes.push(tenantry::domain::audit::FieldChange {
            field: format!("memberships.{tenant}"),
            from: Value::Null,
            to: "ADMIN".into(),
        });
    }
    let mut elsewhere =
        world::event(35, world.acme.id, world.bob, &["stripe.customerId", "status"]);
    elsewhere.target = Some(NodeId::Tenant(world.globex.id));
    let changes = [by_mallory, of_carol, elsewhere].map(Change::InsertAuditEvent);
    app.store.commit(&changes).await.expect("free");
    let fields = "id actor { name } tenant { slug } target { id } changes";
    let in_tenant =
        format!("{{ x: tenant(slug: \"acme\") {{ auditLog {{ nodes {{ {fields} }} }} }} }}");
    let reply = app.ask("bob", &in_tenant).await;
    let nodes = reply.data()["x"]["auditLog"]["nodes"].as_array().expect("nodes").clone();
    let keys = |node: &Value| -> Vec<String> {
        node["changes"].as_object().expect("changes").keys().cloned().collect()
    };
    assert_eq!(nodes.len(), 4);
    // Newest first: 35, 34, 33, 31.
    assert_eq!((&nodes[0]["target"], keys(&nodes[0])), (&Value::Null, vec!["status".to_owned()]));
    let [acme, globex] = [world.acme.id, world.globex.id].map(|id| format!("memberships.{id}"));
    assert_eq!(keys(&nodes[1]), ["email", &acme, "name"]);
    assert_eq!(nodes[1]["target"]["id"], world.carol.to_string());
    assert_eq!((&nodes[2]["actor"], &nodes[2]["target"]), (&Value::Null, &Value::Null));
    assert_eq!(nodes[2]["tenant"]["slug"], "acme");
    assert_eq!(keys(&nodes[2]), [""; 0], "nothing of a user who is not seen");
    assert_eq!(
        (&nodes[3]["actor"]["name"], keys(&nodes[3])),
        (&json!("Bob"), vec!["name".to_owned()])
    );
    // By itself an event says the same as in the history.
    for node in &nodes {
        let id = node["id"].as_str().expect("an id");
        let alone = format!(
            "{{ node(id: \"{id}\") {{ ... on AuditEvent {{ actor {{ name }} target {{ id }} changes }} }} }}"
        );
        let reply = app.ask("bob", &alone).await;
        for field in ["actor", "target", "changes"] {
            assert_eq!(reply.data()["node"][field], node[field], "{id} {field}");
        }
        let member = app.ask("carol", &alone).await;
        let seen = !member.data()["node"].is_null();
        assert_eq!(seen, id.ends_with("22"), "carol administers globex only: {id}");
    }
    // What carol sees of her own event as globex's admin: her fields, and only that place.
    let own = format!(
        "{{ node(id: \"aud_{}\") {{ ... on AuditEvent {{ changes }} }} }}",
        world::id::<()>(34).raw
    );
    let reply = app.ask("carol", &own).await;
    assert_eq!(keys(&reply.data()["node"]), ["email", &globex, "name", "platformAdmin", "subject"]);
    let reply = app.ask("ada", &format!("{{ auditLog {{ nodes {{ {fields} }} }} }}")).await;
    let nodes = reply.data()["auditLog"]["nodes"].as_array().expect("nodes");
    let counts: Vec<usize> = nodes.iter().map(|node| keys(node).len()).collect();
    assert_eq!(counts, [2, 6, 2, 2, 2]);
    assert!(nodes.iter().all(|node| !node["actor"].is_null() && !node["target"].is_null()));
}

async fn nested_tenants_stay_hidden(app: App) {
    world(&app).await;
    // As far as the limits on depth and complexity let it go.
    let walk = "{ tenants(first: 2) { nodes { slug members(first: 2) { nodes { role
        user { name role memberships { role tenant { slug
            members(first: 2) { nodes { user { memberships { role } } } } } } } } } } } }";
    // bob is in acme and initech; carol's globex is none of his.
    let reply = app.ask("bob", walk).await;
    assert_eq!(reply.data()["tenants"]["nodes"].as_array().map(Vec::len), Some(2));
    assert!(
        reply.body.contains("Carol") && !reply.body.to_lowercase().contains("globex"),
        "{}",
        reply.body
    );
    assert!(!reply.body.contains("ADMIN"), "the role of a hidden place: {}", reply.body);
    // carol is in acme and globex; bob's initech is none of hers.
    let reply = app.ask("carol", walk).await;
    assert!(reply.body.contains("Bob") && !reply.body.contains("initech"), "{}", reply.body);
    let reply = app.ask("mallory", walk).await;
    assert_eq!(reply.data(), &json!({"tenants": {"nodes": []}}));
    assert!(app.ask("ada", walk).await.body.contains("initech"));
}

async fn hidden_is_absent(app: App) {
    let world = world(&app).await;
    let initech = world.initech.id.to_string();
    let event = world::event(36, world.initech.id, world.bob, &["name"]);
    let live = world::subscription(24, &world.initech, TenantSubscriptionStatus::Active);
    let (event_id, live_id) = (event.id.to_string(), live.id.to_string());
    let changes = [Change::InsertAuditEvent(event), Change::InsertSubscription(live)];
    app.store.commit(&changes).await.expect("free");
    // carol has places, but not in initech; mallory has none, and is seen by nobody.
    let mallory = world.mallory.to_string();
    let pairs = [
        ("tenant(slug: \"X\") { id name }", "initech", "nowhere"),
        ("node(id: \"X\") { id }", &initech, &format!("ten_{ABSENT}")),
        ("node(id: \"X\") { id }", &live_id, &format!("sub_{ABSENT}")),
        ("node(id: \"X\") { id }", &event_id, &format!("aud_{ABSENT}")),
        ("node(id: \"X\") { id }", &mallory, &format!("usr_{ABSENT}")),
        ("user(id: \"X\") { id memberships { role } }", &mallory, &format!("usr_{ABSENT}")),
        ("subscription(id: \"X\") { id tenant { slug } }", &live_id, &format!("sub_{ABSENT}")),
        ("nodes(ids: [\"X\"]) { id }", &initech, &format!("ten_{ABSENT}")),
        (
            "tenants(filter: {search: \"X\"}) { totalCount nodes { id } pageInfo { hasNextPage } }",
            "initech",
            "nowhere",
        ),
        (
            "tenants(filter: {domain: \"X\"}) { totalCount nodes { id } }",
            "initech.example",
            "nowhere.example",
        ),
        (
            "subscriptions(filter: {tenantId: \"X\"}) { totalCount nodes { id } }",
            &initech,
            &format!("ten_{ABSENT}"),
        ),
        (
            "tenant(slug: \"globex\") { auditLog(filter: {tenantId: \"X\"}) { totalCount nodes { id } } }",
            &initech,
            &format!("ten_{ABSENT}"),
        ),
        (
            "tenant(slug: \"globex\") { auditLog(filter: {actorId: \"X\"}) { totalCount nodes { id } } }",
            &mallory,
            &format!("usr_{ABSENT}"),
        ),
        ("auditLog(filter: {tenantId: \"X\"}) { totalCount }", &initech, &format!("ten_{ABSENT}")),
        ("users(filter: {tenantId: \"X\"}) { totalCount }", &initech, &format!("ten_{ABSENT}")),
    ];
    for (query, hidden, absent) in pairs {
        let [hidden, absent] = [hidden, absent].map(|x| format!("{{ {} }}", query.replace('X', x)));
        let (seen, never) = (ask_as(&app, &hidden).await, ask_as(&app, &absent).await);
        assert_eq!(
            (seen.status, &seen.body, seen.reads),
            (never.status, &never.body, never.reads),
            "{hidden}"
        );
    }
}

/// As carol, under a fixed identifier, so that answers with errors compare too.
async fn ask_as(app: &App, query: &str) -> Reply {
    let token = app.issuer.token().subject("carol").without("groups").sign();
    let request = axum::http::Request::post("/graphql")
        .header("content-type", "application/json")
        .header("x-request-id", "same")
        .header("authorization", format!("Bearer {token}"));
    app.send(request.body(json!({"query": query}).to_string().into()).expect("a request")).await
}

async fn checks_come_in_order(app: App) {
    world(&app).await;
    let malformed = [
        "node(id: \"x\") { id }",
        "node(id: \"TEN_650000000000000000000001\") { id }",
        "nodes(ids: [\"ten_x\"]) { id }",
        "user(id: \"ten_650000000000000000000001\") { id }",
        "subscription(id: \"usr_650000000000000000000001\") { id }",
        "users(first: 101, filter: {tenantId: \"x\"}) { totalCount }",
        "subscriptions(first: -1, filter: {tenantId: \"x\"}) { totalCount }",
        "auditLog(filter: {tenantId: \"x\"}) { totalCount }",
        "auditLog(filter: {actorId: \"x\"}) { totalCount }",
    ];
    for caller in CALLERS {
        for query in malformed {
            let reply = ask(&app, caller, &format!("{{ {query} }}")).await;
            assert_eq!(reply.codes(), ["BAD_USER_INPUT"], "{caller} {query}");
            assert_eq!(reply.reads, 0, "{query}");
        }
    }
    let many = format!("nodes(ids: [{}]) {{ id }}", format!("\"ten_{ABSENT}\" ").repeat(101));
    let bad = "BAD_USER_INPUT";
    for (query, at_last) in [
        (many.as_str(), [bad, bad, bad, bad, bad]),
        ("tenants(first: 101) { totalCount }", [bad, bad, bad, bad, bad]),
        ("tenants(filter: {domain: \"a b\"}) { totalCount }", [bad, bad, bad, bad, bad]),
        ("subscriptions(after: \"x\") { totalCount }", [bad, bad, bad, bad, bad]),
        (
            "users(first: 101) { totalCount }",
            ["FORBIDDEN", "FORBIDDEN", "FORBIDDEN", "FORBIDDEN", bad],
        ),
        (
            "auditLog(last: -1) { totalCount }",
            ["FORBIDDEN", "FORBIDDEN", "FORBIDDEN", "FORBIDDEN", bad],
        ),
    ] {
        let first = ["UNAUTHENTICATED", "USER_NOT_PROVISIONED"];
        let expected = [&first[..], &at_last[..], &["USER_DISABLED"]].concat();
        for (caller, expected) in CALLERS.into_iter().zip(expected) {
            let reply = ask(&app, caller, &format!("{{ {query} }}")).await;
            assert_eq!(reply.codes(), [expected], "{caller} {query}");
        }
    }
    // The same within a tenant: form of identifiers, the right, the rest.
    for (caller, arguments, expected) in [
        ("member", "filter: {actorId: \"x\"}, first: 101", bad),
        ("member", "first: 101", "FORBIDDEN"),
        ("owner", "first: 101", bad),
    ] {
        let query = format!(
            "{{ tenant(slug: \"acme\") {{ slug auditLog({arguments}) {{ totalCount }} }} }}"
        );
        let reply = ask(&app, caller, &query).await;
        assert_eq!(reply.errors(), [format!("{expected} tenant.auditLog")], "{query}");
        assert_eq!(reply.json["data"]["tenant"], json!({"slug": "acme", "auditLog": null}));
    }
}

async fn a_hand_in_the_database_counts_at_once(app: App) {
    let world = world(&app).await;
    let acme = "{ x: tenant(slug: \"acme\") { slug } }";
    let all = "{ x: users { totalCount } }";
    assert_eq!(outcome(&app.ask("carol", acme).await), "shown");
    app.change("carol", |carol| carol.memberships.retain(|m| m.tenant_id != world.acme.id)).await;
    assert_eq!(outcome(&app.ask("carol", acme).await), "null");
    let bob = format!("{{ x: user(id: \"{}\") {{ name }} }}", world.bob);
    assert_eq!(outcome(&app.ask("carol", &bob).await), "null");
    app.change("ada", |ada| ada.platform_admin = None).await;
    assert_eq!(outcome(&app.ask("ada", all).await), "FORBIDDEN");
    assert_eq!(outcome(&app.ask("ada", acme).await), "null");
    app.change("ada", |ada| ada.platform_admin = Some(MembershipSource::Direct)).await;
    assert_eq!(outcome(&app.ask("ada", all).await), "5");
    let billing = "{ tenant(slug: \"acme\") { billingInfo { email } } }";
    assert_eq!(app.ask("bob", billing).await.codes(), [""; 0]);
    app.change("bob", |bob| bob.memberships[0].role = TenantRole::Member).await;
    assert_eq!(app.ask("bob", billing).await.codes(), ["FORBIDDEN"]);
    app.change("bob", |bob| bob.disabled = true).await;
    assert_eq!(outcome(&app.ask("bob", acme).await), "USER_DISABLED");
    app.change("bob", |bob| bob.disabled = false).await;
    assert_eq!(outcome(&app.ask("bob", acme).await), "shown");
    // And by another program, in the bytes of the database itself.
    if let Some(mongo) = &app.mongo {
        let users = mongo.database.collection::<mongodb::bson::Document>("users");
        let set = doc! { "$set": { "memberships": [] } };
        users.update_one(doc! { "subject": "bob" }, set).await.expect("changed");
        assert_eq!(outcome(&app.ask("bob", acme).await), "null");
        users.delete_one(doc! { "subject": "bob" }).await.expect("deleted");
        assert_eq!(outcome(&app.ask("bob", acme).await), "USER_NOT_PROVISIONED");
    }
}

async fn what_outlived_its_tenant_is_not_shown(app: App) {
    world(&app).await;
    // Everything of a tenant but the tenant: as if a hand had deleted that alone.
    let gone: Tenant = world::tenant(9, "gone");
    let live = world::subscription(29, &gone, TenantSubscriptionStatus::Active);
    let event = world::event(39, gone.id, world::id(19), &["name"]);
    let (live_id, event_id) = (live.id.to_string(), event.id.to_string());
    let left = world::user(&app, 19, "left", &[(gone.id, TenantRole::Owner)]);
    let other = world::user(&app, 18, "other", &[(gone.id, TenantRole::Member)]);
    let other_id = other.id.to_string();
    let changes = [
        Change::InsertUser(left),
        Change::InsertUser(other),
        Change::InsertSubscription(live),
        Change::InsertAuditEvent(event),
    ];
    app.store.commit(&changes).await.expect("free");
    let me = app.ask("left", "{ me { role memberships { role } } }").await;
    assert_eq!(me.data()["me"], json!({"role": null, "memberships": []}));
    for query in [
        "x: tenant(slug: \"gone\") { id }".to_owned(),
        format!("x: node(id: \"{}\") {{ id }}", gone.id),
        format!("x: user(id: \"{other_id}\") {{ name }}"),
        format!("x: subscription(id: \"{live_id}\") {{ plan }}"),
        format!("x: node(id: \"{live_id}\") {{ id }}"),
        format!("x: node(id: \"{event_id}\") {{ id }}"),
    ] {
        let reply = app.ask("left", &format!("{{ {query} }}")).await;
        assert_eq!(outcome(&reply), "null", "{query}");
    }
    let lists = "{ tenants { totalCount nodes { id } } subscriptions { totalCount nodes { id } } }";
    let none = json!({"totalCount": 0, "nodes": []});
    let reply = app.ask("left", lists).await;
    assert_eq!(reply.data(), &json!({"tenants": none, "subscriptions": none}));
    // Nor to who runs the platform: there is no tenant that it could be of.
    let query = format!("{{ x: subscription(id: \"{live_id}\") {{ plan }} }}");
    assert_eq!(outcome(&app.ask("ada", &query).await), "null");
    let reply = app.ask("ada", "{ subscriptions { nodes { tenant { slug } } } }").await;
    assert_eq!(reply.data()["subscriptions"]["nodes"].as_array().map(Vec::len), Some(3));
    let of_it = format!("filter: {{tenantId: \"{}\"}}", gone.id);
    let lists = format!(
        "{{ users({of_it}) {{ totalCount nodes {{ id }} }} subscriptions({of_it}) {{ totalCount nodes {{ id }} }} }}"
    );
    assert_eq!(app.ask("ada", &lists).await.data(), &json!({"users": none, "subscriptions": none}));
    // The history of a tenant that is gone stays with the platform.
    let query = format!(
        "{{ x: node(id: \"{event_id}\") {{ ... on AuditEvent {{ action tenant {{ id }} target {{ id }} }} }} }}"
    );
    let reply = app.ask("ada", &query).await;
    assert_eq!(
        reply.data()["x"],
        json!({"action": "tenant.update", "tenant": null, "target": null})
    );
}

async fn a_suspended_tenant_stays_readable(app: App) {
    world(&app).await;
    let query = "{ tenant(slug: \"initech\") { status billingInfo { email } auditLog { totalCount } members { totalCount } } }";
    let reply = app.ask("bob", query).await;
    assert_eq!(reply.data()["tenant"]["status"], "SUSPENDED");
    assert_eq!(reply.data()["tenant"]["members"]["totalCount"], 1);
}
