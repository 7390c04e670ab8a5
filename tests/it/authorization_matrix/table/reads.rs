//! What can be seen.

use super::{
    Caller, EVERYBODY, FIELD_FOR_ADMINS, FIELD_FOR_PLATFORM, FIELD_OF_STRANGERS,
    FIELD_OF_WHAT_IS_SEEN, IN_LISTS,
    Outcome::{self, Forbidden, LeftOut, No, Null, Yes},
    PLATFORM_ALONE, Row, WHO_SEES_THE_TENANT, list, read,
};

#[rustfmt::skip]
pub(super) fn queries() -> Vec<Row> {
    let mut me = read("`me`", &["Query.me"], "me { id }", "/me", EVERYBODY);
    // The only thing that makes a user of a token.
    me.expected[Caller::Newcomer as usize] = Yes;
    vec![
        me,
        read("`tenant`", &["Query.tenant"], r#"tenant(slug: "$SLUG") { id }"#, "/tenant", WHO_SEES_THE_TENANT),
        read("`node` of a tenant", &["Query.node"], r#"node(id: "$TENANT") { id }"#, "/node", WHO_SEES_THE_TENANT),
        read("`node` of a member", &["Query.node"], r#"node(id: "$MEMBER") { id }"#, "/node", WHO_SEES_THE_TENANT),
        read("`node` of a stranger", &["Query.node"], r#"node(id: "$STRANGER") { id }"#, "/node", [Null, Null, Null, Null, Yes]),
        read("`node` of a subscription", &["Query.node"], r#"node(id: "$SUBSCRIPTION") { id }"#, "/node", WHO_SEES_THE_TENANT),
        read("`node` of an event", &["Query.node"], r#"node(id: "$EVENT") { id }"#, "/node", [Null, Null, Yes, Yes, Yes]),
        read("`nodes` of a tenant", &["Query.nodes"], r#"nodes(ids: ["$TENANT"]) { id }"#, "/nodes/0", WHO_SEES_THE_TENANT),
        read("`nodes` of a member", &["Query.nodes"], r#"nodes(ids: ["$MEMBER"]) { id }"#, "/nodes/0", WHO_SEES_THE_TENANT),
        read("`nodes` of a stranger", &["Query.nodes"], r#"nodes(ids: ["$STRANGER"]) { id }"#, "/nodes/0", [Null, Null, Null, Null, Yes]),
        read("`nodes` of a subscription", &["Query.nodes"], r#"nodes(ids: ["$SUBSCRIPTION"]) { id }"#, "/nodes/0", WHO_SEES_THE_TENANT),
        read("`nodes` of an event", &["Query.nodes"], r#"nodes(ids: ["$EVENT"]) { id }"#, "/nodes/0", [Null, Null, Yes, Yes, Yes]),
        read("`user`: oneself", &["Query.user"], r#"user(id: "$CALLER") { id }"#, "/user", EVERYBODY),
        read("`user`: a member", &["Query.user"], r#"user(id: "$MEMBER") { id }"#, "/user", WHO_SEES_THE_TENANT),
        read("`user`: a stranger", &["Query.user"], r#"user(id: "$STRANGER") { id }"#, "/user", [Null, Null, Null, Null, Yes]),
        read("`subscription`", &["Query.subscription"], r#"subscription(id: "$SUBSCRIPTION") { id }"#, "/subscription", WHO_SEES_THE_TENANT),
        list("`tenants`", &["Query.tenants"], ("tenants { nodes { id } }", "/tenants/nodes"), "$TENANT", IN_LISTS),
        list("`subscriptions`", &["Query.subscriptions"], ("subscriptions { nodes { id } }", "/subscriptions/nodes"), "$SUBSCRIPTION", IN_LISTS),
        list("`subscriptions` of a tenant", &["Query.subscriptions"], (r#"subscriptions(filter: {tenantId: "$TENANT"}) { nodes { id } }"#, "/subscriptions/nodes"), "$SUBSCRIPTION", IN_LISTS),
        list("`users`", &["Query.users"], ("users(first: 100) { nodes { id } }", "/users"), "$STRANGER", PLATFORM_ALONE),
        list("`users` of a tenant", &["Query.users"], (r#"users(filter: {tenantId: "$TENANT"}) { nodes { id } }"#, "/users"), "$MEMBER", PLATFORM_ALONE),
        list("`auditLog`", &["Query.auditLog"], ("auditLog { nodes { id } }", "/auditLog"), "$EVENT", PLATFORM_ALONE),
        list("`auditLog` of a tenant", &["Query.auditLog"], (r#"auditLog(filter: {tenantId: "$TENANT"}) { nodes { id } }"#, "/auditLog"), "$EVENT", PLATFORM_ALONE),
    ]
}

#[rustfmt::skip]
pub(super) fn tenant_fields() -> Vec<Row> {
    vec![
        read("`billingInfo`", &["Tenant.billingInfo"], r#"tenant(slug: "$SLUG") { billingInfo { email } }"#, "/tenant/billingInfo", FIELD_FOR_ADMINS),
        read("`integrations`", &["Tenant.integrations"], r#"tenant(slug: "$SLUG") { integrations { ocisSpace } }"#, "/tenant/integrations", FIELD_FOR_PLATFORM),
        read("`subscription`", &["Tenant.subscription"], r#"tenant(slug: "$SLUG") { subscription { id } }"#, "/tenant/subscription", FIELD_OF_WHAT_IS_SEEN),
        list("`members`", &["Tenant.members"], (r#"tenant(slug: "$SLUG") { members { nodes { user { id } } } }"#, "/tenant/members"), "$OWNER", FIELD_OF_WHAT_IS_SEEN),
        read("`myMembership`", &["Tenant.myMembership"], r#"tenant(slug: "$SLUG") { myMembership { role } }"#, "/tenant/myMembership", [No, Yes, Yes, Yes, Null]),
        list("`auditLog`", &["Tenant.auditLog"], (r#"tenant(slug: "$SLUG") { auditLog { nodes { id } } }"#, "/tenant/auditLog"), "$EVENT", FIELD_FOR_ADMINS),
        list("`auditLog` by a member", &["Tenant.auditLog"], (r#"tenant(slug: "$SLUG") { auditLog(filter: {actorId: "$MEMBER"}) { nodes { id } } }"#, "/tenant/auditLog"), "$EVENT", FIELD_FOR_ADMINS),
        list("`auditLog` by a stranger", &["Tenant.auditLog"], (r#"tenant(slug: "$SLUG") { auditLog(filter: {actorId: "$STRANGER"}) { nodes { id } } }"#, "/tenant/auditLog"), "$FOREIGN", [No, Forbidden, LeftOut, LeftOut, Yes]),
    ]
}

#[rustfmt::skip]
pub(super) fn subscription_fields() -> Vec<Row> {
    vec![
        read("`stripe`", &["TenantSubscription.stripe"], r#"subscription(id: "$SUBSCRIPTION") { stripe { customerId } }"#, "/subscription/stripe", FIELD_FOR_PLATFORM),
        read("`stripe`, by the tenant", &["TenantSubscription.stripe"], r#"tenant(slug: "$SLUG") { subscription { stripe { customerId } } }"#, "/tenant/subscription/stripe", FIELD_FOR_PLATFORM),
    ]
}

/// What only oneself and platform admins see of a user.
const PRIVATE: &[&str] =
    &["User.subject", "User.platformAdmin", "User.disabled", "User.lastSeenAt"];

#[rustfmt::skip]
pub(super) fn user_fields() -> Vec<Row> {
    let memberships = r#"user(id: "$MEMBER") { memberships { tenant { id } } }"#;
    vec![
        read("`subject`, `platformAdmin`, `disabled`, `lastSeenAt` of oneself", PRIVATE, r#"user(id: "$CALLER") { {0} }"#, "/user/{0}", EVERYBODY),
        read("the same of a member", PRIVATE, r#"user(id: "$MEMBER") { {0} }"#, "/user/{0}", FIELD_FOR_PLATFORM),
        read("the same of a member, in the list of members", PRIVATE, r#"tenant(slug: "$SLUG") { members(role: MEMBER, first: 1) { nodes { user { {0} } } } }"#, "/tenant/members/nodes/0/user/{0}", FIELD_FOR_PLATFORM),
        read("the same of a stranger", PRIVATE, r#"user(id: "$STRANGER") { {0} }"#, "/user/{0}", FIELD_OF_STRANGERS),
        read("`email` of oneself", &["User.email"], r#"user(id: "$CALLER") { email }"#, "/user/email", EVERYBODY),
        read("`email` of a member", &["User.email"], r#"user(id: "$MEMBER") { email }"#, "/user/email", FIELD_OF_WHAT_IS_SEEN),
        read("`email` of a stranger", &["User.email"], r#"user(id: "$STRANGER") { email }"#, "/user/email", FIELD_OF_STRANGERS),
        list("`memberships` of a member, here", &["User.memberships"], (memberships, "/user/memberships"), "$TENANT", FIELD_OF_WHAT_IS_SEEN),
        list("`memberships` of a member, in another tenant", &["User.memberships"], (memberships, "/user/memberships"), "$HIDDEN", [No, LeftOut, LeftOut, LeftOut, Yes]),
        list("`role` of a member, which is higher in another tenant", &["User.role"], (r#"user(id: "$MEMBER") { role }"#, "/user/role"), "OWNER", [No, LeftOut, LeftOut, LeftOut, Yes]),
    ]
}

#[rustfmt::skip]
pub(super) fn event_fields() -> Vec<Row> {
    const FOR_ADMINS: [Outcome; 5] = [No, No, Yes, Yes, Yes];
    const HIDDEN: [Outcome; 5] = [No, No, Null, Null, Yes];
    const PARTLY: [Outcome; 5] = [No, No, LeftOut, LeftOut, Yes];
    let changes = r#"node(id: "$EVENT") { ... on AuditEvent { changes } }"#;
    let of_user = r#"node(id: "$FOREIGN") { ... on AuditEvent { changes } }"#;
    vec![
        read("`actor`, who is a member", &["AuditEvent.actor"], r#"node(id: "$EVENT") { ... on AuditEvent { actor { id } } }"#, "/node/actor", FOR_ADMINS),
        read("`actor`, who is a stranger", &["AuditEvent.actor"], r#"node(id: "$FOREIGN") { ... on AuditEvent { actor { id } } }"#, "/node/actor", HIDDEN),
        read("`tenant`", &["AuditEvent.tenant"], r#"node(id: "$EVENT") { ... on AuditEvent { tenant { id } } }"#, "/node/tenant", FOR_ADMINS),
        read("`target`, the tenant", &["AuditEvent.target"], r#"node(id: "$EVENT") { ... on AuditEvent { target { id } } }"#, "/node/target", FOR_ADMINS),
        read("`target`, a stranger", &["AuditEvent.target"], r#"node(id: "$FOREIGN") { ... on AuditEvent { target { id } } }"#, "/node/target", HIDDEN),
        list("`changes` of what admins see", &["AuditEvent.changes"], (changes, "/node/changes"), "\"name\"", FOR_ADMINS),
        list("`changes` of `integrations`", &["AuditEvent.changes"], (changes, "/node/changes"), "integrations.ocisSpace", PARTLY),
        list("`changes` of a stranger", &["AuditEvent.changes"], (of_user, "/node/changes"), "\"email\"", PARTLY),
        list("`changes` of a place in this tenant", &["AuditEvent.changes"], (of_user, "/node/changes"), "memberships.$TENANT", FOR_ADMINS),
        list("`changes` of a place in another tenant", &["AuditEvent.changes"], (of_user, "/node/changes"), "memberships.$HIDDEN", PARTLY),
    ]
}
