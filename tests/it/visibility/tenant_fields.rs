//! The fields of a tenant for each role, on every path to a tenant.

use serde_json::{Value, json};

use super::{fill_placeholders, query_as, query_fields, store_world, value_at};
use crate::support::app::{App, on_both_stores};

on_both_stores! {
    tenant_fields_are_visible_by_role_on_every_path,
}

async fn tenant_fields_are_visible_by_role_on_every_path(app: App) {
    let world = store_world(&app).await;
    // Each path has the callers that it is not visible to.
    let paths: &[(&str, &str, &[&str])] = &[
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
    for (caller, billing, integrations, audit_log, role) in [
        ("member", false, false, false, json!("MEMBER")),
        ("admin", true, false, true, json!("ADMIN")),
        ("owner", true, false, true, json!("OWNER")),
        ("platform", true, true, true, Value::Null),
    ] {
        for (path, pointer, hidden_from) in paths {
            if hidden_from.contains(&caller) {
                continue;
            }
            let query = fill_placeholders(&world, caller, &query_fields(path, fields));
            let reply = query_as(&app, caller, &query).await;
            let tenant = value_at(&reply, pointer);
            let slug = if caller == "admin" { "globex" } else { "acme" };
            let visible = |allowed: bool, value: Value| if allowed { value } else { Value::Null };
            let email = format!("billing@{slug}.example");
            let expected = json!({
                "slug": slug,
                "billingInfo": visible(billing, json!({"email": email})),
                "integrations": visible(integrations, json!({"authentikGroup": format!("grp-{slug}")})),
                "subscription": {
                    "plan": "BUSINESS",
                    "stripe": visible(integrations, json!({"customerId": format!("cus_{slug}")})),
                },
                "auditLog": visible(audit_log, json!({"totalCount": 1})),
                "myMembership": visible(!role.is_null(), json!({"role": role})),
            });
            assert_eq!(*tenant, expected, "{caller} {query}");
            let forbidden = [
                (billing, "billingInfo"),
                (integrations, "integrations"),
                (integrations, "subscription.stripe"),
                (audit_log, "auditLog"),
            ];
            let prefix = pointer.trim_start_matches('/').replace('/', ".");
            let mut errors: Vec<String> = forbidden
                .iter()
                .filter(|(allowed, _)| !allowed)
                .map(|(_, field)| format!("FORBIDDEN {prefix}.{field}"))
                .collect();
            errors.sort();
            // A list on the path also contains other tenants, with errors of their own.
            let mut actual = reply.errors();
            actual.retain(|error| error.contains(&format!(" {prefix}.")));
            assert_eq!(actual, errors, "{caller} {query}");
        }
    }
}
