//! The fields of a user for each viewer, on every path to a user.

use serde_json::{Value, json};

use super::{query_fields, store_world, value_at};
use crate::support::app::{App, on_both_stores};

on_both_stores! {
    user_fields_are_visible_by_role_on_every_path,
}

async fn user_fields_are_visible_by_role_on_every_path(app: App) {
    let world = store_world(&app).await;
    let guarded = "subject platformAdmin disabled lastSeenAt";
    let fields = format!("name email {guarded} role memberships {{ role tenant {{ slug }} }}");
    let bob = world.bob;
    let paths: Vec<(String, &str)> = vec![
        (format!("user(id: \"{bob}\") {{ {{0}} }}"), "/user"),
        (format!("node(id: \"{bob}\") {{ ... on User {{ {{0}} }} }}"), "/node"),
        (format!("nodes(ids: [\"{bob}\"]) {{ ... on Node {{ ... on User {{ {{0}} }} }} }}"), "/nodes/0"),
        ("tenant(slug: \"acme\") { members { nodes { user { {0} } } } }".into(), "/tenant/members/nodes/0/user"),
        ("tenant(slug: \"acme\") { members { edges { node { user { {0} } } } } }".into(), "/tenant/members/edges/0/node/user"),
        ("tenant(slug: \"acme\") { members { nodes { user { memberships { user { {0} } } } } } }".into(), "/tenant/members/nodes/0/user/memberships/0/user"),
    ];
    let errors = |pointer: &str| {
        let prefix = pointer.trim_start_matches('/').replace('/', ".");
        let mut all: Vec<_> =
            guarded.split(' ').map(|field| format!("FORBIDDEN {prefix}.{field}")).collect();
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
    let mut limited = full.clone();
    for field in guarded.split(' ') {
        limited[field] = Value::Null;
    }
    limited["memberships"] = json!([{"role": "OWNER", "tenant": {"slug": "acme"}}]);
    for (path, pointer) in &paths {
        // carol is a member of acme too, so the page is limited to bob.
        let query = query_fields(path, &fields).replace("members {", "members(first: 1) {");
        for caller in ["bob", "ada"] {
            let reply = app.query_as(caller, &query).await;
            assert_eq!(*value_at(&reply, pointer), full, "{caller} {query}");
            assert_eq!(reply.codes(), [""; 0]);
        }
        let reply = app.query_as("carol", &query).await;
        assert_eq!(*value_at(&reply, pointer), limited, "{query}");
        if !query.contains("memberships { user") {
            assert_eq!(reply.errors(), errors(pointer), "{query}");
        }
        let reply = app.query_as("mallory", &query).await;
        assert!(!reply.body.contains("Bob"), "{}", reply.body);
        assert_eq!(reply.codes(), [""; 0]);
    }
    // Users see all their own fields on every path.
    for path in [
        "me { {0} }",
        "tenant(slug: \"globex\") { members { nodes { user { {0} } } } }",
        "tenant(slug: \"globex\") { myMembership { user { {0} } } }",
        "me { memberships { user { {0} } } }",
    ] {
        assert_eq!(
            app.query_as("carol", &query_fields(path, &fields)).await.codes(),
            [""; 0],
            "{path}"
        );
    }
    // `role` is the highest role in tenants that the viewer sees. carol is an admin of globex, and
    // bob sees only acme.
    let query = format!("{{ user(id: \"{}\") {{ role memberships {{ role }} }} }}", world.carol);
    for (caller, role, memberships) in
        [("bob", "MEMBER", 1), ("carol", "ADMIN", 2), ("ada", "ADMIN", 2)]
    {
        let reply = app.query_as(caller, &query).await;
        assert_eq!(reply.data()["user"]["role"], role, "{caller}");
        assert_eq!(reply.data()["user"]["memberships"].as_array().map(Vec::len), Some(memberships));
    }
    let without_membership =
        format!("{{ user(id: \"{}\") {{ role memberships {{ role }} }} }}", world.mallory);
    assert_eq!(
        app.query_as("ada", &without_membership).await.data()["user"],
        json!({"role": null, "memberships": []})
    );
}
