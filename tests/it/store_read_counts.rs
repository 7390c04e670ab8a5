//! Counts the store reads and the committed changes of requests, on both stores.
//!
//! The number of reads depends on the levels of a document, and never on the width of its lists. A
//! hidden resource costs exactly the reads of an absent one. `docs/STORE-READS.md` has the numbers
//! of the mutations and of the queries of invitations. Its table is generated from [`COSTS`].

use tenantry::domain::{
    change::Change, id::TenantId, subscription::TenantSubscriptionStatus, user::TenantRole,
};

use serde_json::json;

use crate::invitations::token_of;
use crate::support::{
    app::{App, on_both_stores},
    generated_docs,
    world::{self, World},
};

on_both_stores! {
    me_takes_three_reads,
    nested_page_reads_do_not_depend_on_its_width,
    tenant_by_slug_takes_three_reads,
    hidden_resource_costs_the_reads_of_an_absent_one,
    typename_takes_no_reads,
    mutations_cost_the_documented_reads_and_changes,
}

const ME: &str = "{ me { memberships { role tenant { slug subscription { plan } } } } }";

/// Stores tenants with a subscription each. carol and the other members are in all of them.
async fn store_tenants(app: &App, tenants: u32, members: u32) {
    let mut changes = Vec::new();
    let mut ids: Vec<TenantId> = Vec::new();
    for n in 0..tenants {
        let tenant = world::tenant(1000 + n, &format!("t{n:04}"));
        let status = TenantSubscriptionStatus::Active;
        changes.push(Change::InsertSubscription(world::subscription(50_000 + n, &tenant, status)));
        ids.push(tenant.id);
        changes.push(Change::InsertTenant(tenant));
    }
    let roles: Vec<_> = ids.iter().map(|id| (*id, TenantRole::Member)).collect();
    changes.push(Change::InsertUser(world::user(app, 1, "carol", &roles)));
    for n in 0..members {
        changes.push(Change::InsertUser(world::user(app, 100 + n, &format!("m{n}"), &roles)));
    }
    app.store.commit(&changes).await.expect("an empty store");
}

async fn me_takes_three_reads(app: App) {
    store_tenants(&app, 200, 0).await;
    let reply = app.query_as("carol", ME).await;
    assert_eq!(reply.data()["me"]["memberships"].as_array().map(Vec::len), Some(200));
    assert_eq!(reply.reads, 3, "one each for the user, the tenants and the subscriptions");
}

async fn nested_page_reads_do_not_depend_on_its_width(app: App) {
    store_tenants(&app, 50, 12).await;
    for first in [2, 50] {
        let query = format!(
            "{{ tenants(first: {first}) {{ totalCount nodes {{ slug subscription {{ plan }}
               members(first: 10) {{ totalCount nodes {{ role user {{ id name email }} }} }} }} }} }}"
        );
        let reply = app.query_as("carol", &query).await;
        let nodes = reply.data()["tenants"]["nodes"].as_array().expect("nodes");
        assert_eq!(nodes.len(), first);
        assert!(nodes.iter().all(|t| t["members"]["nodes"].as_array().map(Vec::len) == Some(10)));
        assert_eq!(
            reply.reads, 6,
            "user, tenants, count of tenants, subscriptions, members, counts of members"
        );
    }
}

async fn tenant_by_slug_takes_three_reads(app: App) {
    World::new(&app).await;
    let reply =
        app.query_as("carol", r#"{ tenant(slug: "acme") { subscription { status } } }"#).await;
    assert_eq!(reply.data()["tenant"]["subscription"]["status"], "ACTIVE");
    assert_eq!(reply.reads, 3);
}

async fn hidden_resource_costs_the_reads_of_an_absent_one(app: App) {
    let world = World::new(&app).await;
    let absent = "65000000000000000000ffff";
    let pairs = [
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
    for (hidden, absent) in pairs {
        let hidden_reply = app.query_as("mallory", &format!("{{ {hidden} }}")).await;
        let absent_reply = app.query_as("mallory", &format!("{{ {absent} }}")).await;
        assert_eq!(hidden_reply.body, absent_reply.body, "{hidden}");
        assert_eq!(hidden_reply.reads, absent_reply.reads, "{hidden}");
    }
}

async fn typename_takes_no_reads(app: App) {
    World::new(&app).await;
    let reply = app.query_as("carol", "{ __typename __schema { queryType { name } } }").await;
    assert_eq!((reply.data()["__typename"].as_str(), reply.reads), (Some("Query"), 0));
}

/// The cost of a mutation, or of a query of invitations.
///
/// In `field`, `$ACME`, `$GLOBEX`, `$INITECH`, `$BOB`, `$CAROL`, `$MALLORY` and `$LIVE` stand for
/// identifiers of the [`World`]. `$INVITATION` and `$TOKEN` are those of the latest invitation.
struct Cost {
    /// The subject of the token, whose address is `<caller>@example.org`.
    caller: &'static str,
    /// The name of the root field, with the case if the cost depends on it.
    label: &'static str,
    /// The root field of a mutation, or a query in braces.
    field: &'static str,
    /// The number of store reads.
    reads: u32,
    /// The changes of the commit.
    changes: &'static [&'static str],
}

/// The costs in the order of execution.
const COSTS: &[Cost] = &[
    Cost {
        caller: "ada",
        label: "`createTenant`",
        field: "createTenant(input: {slug: \"new-one\", name: \"X\"}) { __typename }",
        reads: 1,
        changes: &["tenant", "subscription", "audit event"],
    },
    Cost {
        caller: "bob",
        label: "`updateTenant`",
        field: "updateTenant(input: {id: \"$ACME\", name: \"X\"}) { __typename }",
        reads: 2,
        changes: &["tenant", "audit event"],
    },
    Cost {
        caller: "ada",
        label: "`updateTenant` with another plan",
        field: "updateTenant(input: {id: \"$ACME\", plan: FREE}) { __typename }",
        reads: 3,
        changes: &["tenant", "subscription", "audit event"],
    },
    Cost {
        caller: "ada",
        label: "`createSubscription`",
        field: "createSubscription(input: {tenantId: \"$GLOBEX\", plan: FREE}) { __typename }",
        reads: 2,
        changes: &["subscription", "tenant", "audit event"],
    },
    Cost {
        caller: "ada",
        label: "`updateSubscription`",
        field: "updateSubscription(input: {id: \"$LIVE\", status: PAST_DUE}) { __typename }",
        reads: 3,
        changes: &["subscription", "audit event"],
    },
    Cost {
        caller: "ada",
        label: "`updateSubscription` with another plan",
        field: "updateSubscription(input: {id: \"$LIVE\", plan: STARTER}) { __typename }",
        reads: 3,
        changes: &["subscription", "tenant", "audit event"],
    },
    Cost {
        caller: "ada",
        label: "`deleteSubscription`",
        field: "deleteSubscription(input: {id: \"$LIVE\"}) { __typename }",
        reads: 3,
        changes: &["subscription", "audit event"],
    },
    Cost {
        caller: "ada",
        label: "`createUser`",
        field: "createUser(input: {subject: \"dave\", email: \"d@example.org\", name: \"D\"}) { __typename }",
        reads: 2,
        changes: &["user", "tombstone (deleted)", "audit event"],
    },
    Cost {
        caller: "ada",
        label: "`updateUser`",
        field: "updateUser(input: {id: \"$MALLORY\", name: \"X\"}) { __typename }",
        reads: 2,
        changes: &["user", "audit event"],
    },
    Cost {
        caller: "ada",
        label: "`addTenantMember`",
        field: "addTenantMember(input: {tenantId: \"$ACME\", userId: \"$MALLORY\"}) { __typename }",
        reads: 3,
        changes: &["tenant (locked)", "user", "audit event"],
    },
    Cost {
        caller: "bob",
        label: "`updateTenantMember`",
        field: "updateTenantMember(input: {tenantId: \"$ACME\", userId: \"$MALLORY\", role: OWNER}) { __typename }",
        reads: 3,
        changes: &["tenant (locked)", "user", "audit event"],
    },
    Cost {
        caller: "bob",
        label: "`updateTenantMember` of an owner",
        field: "updateTenantMember(input: {tenantId: \"$ACME\", userId: \"$MALLORY\", role: MEMBER}) { __typename }",
        reads: 3,
        changes: &["tenant (locked)", "user", "condition that an owner remains", "audit event"],
    },
    // bob must share a tenant with carol to see her, which takes another read.
    Cost {
        caller: "bob",
        label: "`addTenantMember` by an owner, of a user who is a member already",
        field: "addTenantMember(input: {tenantId: \"$ACME\", userId: \"$CAROL\"}) { __typename }",
        reads: 4,
        changes: &[],
    },
    Cost {
        caller: "carol",
        label: "`removeTenantMember`",
        field: "removeTenantMember(input: {tenantId: \"$ACME\", userId: \"$CAROL\"}) { __typename }",
        reads: 3,
        changes: &["tenant (locked)", "user", "audit event"],
    },
    Cost {
        caller: "bob",
        label: "`inviteTenantMember`",
        field: "inviteTenantMember(input: {tenantId: \"$ACME\", email: \"dora@example.org\"}) { token invitation { id } }",
        reads: 5,
        changes: &[
            "tenant (locked)",
            "invitation",
            "condition on the number of pending ones",
            "audit event",
        ],
    },
    Cost {
        caller: "bob",
        label: "`resendInvitation`",
        field: "resendInvitation(input: {id: \"$INVITATION\"}) { token invitation { id } }",
        reads: 3,
        changes: &[
            "tenant (locked)",
            "invitation",
            "condition on the number of pending ones",
            "audit event",
        ],
    },
    Cost {
        caller: "dora",
        label: "query `invitation` by a caller without a user",
        field: "{ invitation(token: \"$TOKEN\") { tenantName email role expiresAt } }",
        reads: 5,
        changes: &[],
    },
    Cost {
        caller: "mallory",
        label: "query `invitation`, also with a wrong token",
        field: "{ invitation(token: \"x\") { tenantName email role expiresAt } }",
        reads: 4,
        changes: &[],
    },
    Cost {
        caller: "dora",
        label: "`acceptInvitation` by a caller without a user",
        field: "acceptInvitation(input: {token: \"$TOKEN\"}) { __typename }",
        reads: 5,
        changes: &[
            "tenant (locked)",
            "invitation",
            "inviter (locked)",
            "user",
            "audit event of the user",
            "audit event",
        ],
    },
    Cost {
        caller: "ada",
        label: "`inviteTenantMember` by a platform admin",
        field: "inviteTenantMember(input: {tenantId: \"$GLOBEX\", email: \"dora@example.org\"}) { token invitation { id } }",
        reads: 5,
        changes: &[
            "tenant (locked)",
            "invitation",
            "condition on the number of pending ones",
            "audit event",
        ],
    },
    Cost {
        caller: "dora",
        label: "`acceptInvitation`",
        field: "acceptInvitation(input: {token: \"$TOKEN\"}) { __typename }",
        reads: 4,
        changes: &["tenant (locked)", "invitation", "inviter (locked)", "user", "audit event"],
    },
    Cost {
        caller: "bob",
        label: "`inviteTenantMember` of an address with a domain beyond ASCII",
        field: "inviteTenantMember(input: {tenantId: \"$ACME\", email: \"dora@bücher.example\"}) { token invitation { id } }",
        reads: 6,
        changes: &[
            "tenant (locked)",
            "invitation",
            "condition on the number of pending ones",
            "audit event",
        ],
    },
    Cost {
        caller: "bob",
        label: "`revokeInvitation`",
        field: "revokeInvitation(input: {id: \"$INVITATION\"}) { __typename }",
        reads: 3,
        changes: &["tenant (locked)", "invitation", "audit event"],
    },
    Cost {
        caller: "bob",
        label: "query `tenant` with `invitations` and their number",
        field: "{ tenant(slug: \"acme\") { invitations { totalCount nodes { email status } } } }",
        reads: 4,
        changes: &[],
    },
    Cost {
        caller: "ada",
        label: "`deleteUser`",
        field: "deleteUser(input: {id: \"$BOB\"}) { __typename }",
        reads: 2,
        changes: &["user", "tombstone", "audit event"],
    },
    Cost {
        caller: "ada",
        label: "`deleteTenant`",
        field: "deleteTenant(input: {id: \"$INITECH\"}) { __typename }",
        reads: 2,
        changes: &["tenant with its subscriptions, invitations and memberships", "audit event"],
    },
];

async fn mutations_cost_the_documented_reads_and_changes(app: App) {
    let world = World::new(&app).await;
    let mut identifiers = vec![
        ("$ACME", world.acme.id.to_string()),
        ("$GLOBEX", world.globex.id.to_string()),
        ("$INITECH", world.initech.id.to_string()),
        ("$BOB", world.bob.to_string()),
        ("$CAROL", world.carol.to_string()),
        ("$MALLORY", world.mallory.to_string()),
        ("$LIVE", world.subscription.to_string()),
    ];
    for cost in COSTS {
        // The latest invitation replaces the earlier ones.
        let document = identifiers
            .iter()
            .rev()
            .fold(cost.field.to_owned(), |field, (name, id)| field.replace(name, id));
        let is_query = document.starts_with('{');
        let document = if is_query { document } else { format!("mutation {{ {document} }}") };
        let token = token_of(&app, cost.caller, &format!("{}@example.org", cost.caller));
        let reply = app.query_with_variables(&token, &document, json!({})).await;
        let changes = u32::try_from(cost.changes.len()).expect("in range");
        let measured = (reply.reads, reply.writes);
        assert_eq!(measured, (cost.reads, changes), "{document} {}", reply.body);
        let issued = reply.json["data"].as_object().and_then(|data| data.values().next());
        if let Some(token) = issued.and_then(|issued| issued["token"].as_str()) {
            let id = issued.and_then(|issued| issued["invitation"]["id"].as_str());
            identifiers.push(("$INVITATION", id.expect("an identifier").to_owned()));
            identifiers.push(("$TOKEN", token.to_owned()));
        }
    }
}

#[test]
fn documented_mutation_costs_match_the_measured_ones() {
    let head = ["root field", "reads", "changes", "list of changes"].map(str::to_owned).to_vec();
    let line = |cost: &Cost| {
        let list = if cost.changes.is_empty() { "–".to_owned() } else { cost.changes.join(", ") };
        vec![cost.label.to_owned(), cost.reads.to_string(), cost.changes.len().to_string(), list]
    };
    let lines: Vec<_> = std::iter::once(head).chain(COSTS.iter().map(line)).collect();
    let table = generated_docs::markdown_table(&lines);
    generated_docs::assert_block("docs/STORE-READS.md", "mutation costs", &format!("\n{table}\n"));
}
