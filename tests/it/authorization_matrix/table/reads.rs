//! Contains the rows that read: queries and fields.

use super::{
    ALL_VIEWERS, Caller, FIELD_FOR_ADMINS, FIELD_FOR_MEMBERS, FIELD_FOR_PLATFORM_ADMINS,
    FIELD_OF_STRANGER, LISTED_FOR_MEMBERS, MEMBERS, MEMBERS_OR_NOT_FOUND, NOT_FOUND_FOR_ALL,
    Outcome::{self, Allowed, NotApplicable, Null, NullWithForbidden, Omitted},
    PLATFORM_ADMINS, Row, list, live, read,
};

#[rustfmt::skip]
pub(super) fn queries() -> Vec<Row> {
    let mut me = read("`me`", &["Query.me"], "me { id }", "/me", ALL_VIEWERS);
    // `me` is the only operation that creates the user of a token.
    me.expected[Caller::Unprovisioned as usize] = Allowed;
    // A caller needs no user to see its invitation.
    let preview = |title, document, viewers, unprovisioned| {
        let mut row = read(title, &["Query.invitation"], document, "/invitation", viewers);
        row.expected[Caller::Unprovisioned as usize] = unprovisioned;
        row
    };
    vec![
        me,
        preview("`invitation` of the caller", r#"invitation(token: "$CALLER_TOKEN") { role }"#, ALL_VIEWERS, Allowed),
        preview("`invitation` of another person", r#"invitation(token: "$TOKEN") { role }"#, [Null; 5], Null),
        read("`node` of an invitation", &["Query.node"], r#"node(id: "$INVITATION") { id }"#, "/node", [Null, Null, Allowed, Allowed, Allowed]),
        read("`tenant`", &["Query.tenant"], r#"tenant(slug: "$SLUG") { id }"#, "/tenant", MEMBERS),
        read("`node` of a tenant", &["Query.node"], r#"node(id: "$TENANT") { id }"#, "/node", MEMBERS),
        read("`node` of a member", &["Query.node"], r#"node(id: "$MEMBER") { id }"#, "/node", MEMBERS),
        read("`node` of a stranger", &["Query.node"], r#"node(id: "$STRANGER") { id }"#, "/node", [Null, Null, Null, Null, Allowed]),
        read("`node` of a subscription", &["Query.node"], r#"node(id: "$SUBSCRIPTION") { id }"#, "/node", MEMBERS),
        read("`node` of an audit event", &["Query.node"], r#"node(id: "$EVENT") { id }"#, "/node", [Null, Null, Allowed, Allowed, Allowed]),
        read("`nodes` of a tenant", &["Query.nodes"], r#"nodes(ids: ["$TENANT"]) { id }"#, "/nodes/0", MEMBERS),
        read("`nodes` of a member", &["Query.nodes"], r#"nodes(ids: ["$MEMBER"]) { id }"#, "/nodes/0", MEMBERS),
        read("`nodes` of a stranger", &["Query.nodes"], r#"nodes(ids: ["$STRANGER"]) { id }"#, "/nodes/0", [Null, Null, Null, Null, Allowed]),
        read("`nodes` of a subscription", &["Query.nodes"], r#"nodes(ids: ["$SUBSCRIPTION"]) { id }"#, "/nodes/0", MEMBERS),
        read("`nodes` of an audit event", &["Query.nodes"], r#"nodes(ids: ["$EVENT"]) { id }"#, "/nodes/0", [Null, Null, Allowed, Allowed, Allowed]),
        read("`user`: the caller", &["Query.user"], r#"user(id: "$CALLER") { id }"#, "/user", ALL_VIEWERS),
        read("`user`: a member", &["Query.user"], r#"user(id: "$MEMBER") { id }"#, "/user", MEMBERS),
        read("`user`: a stranger", &["Query.user"], r#"user(id: "$STRANGER") { id }"#, "/user", [Null, Null, Null, Null, Allowed]),
        read("`subscription`", &["Query.subscription"], r#"subscription(id: "$SUBSCRIPTION") { id }"#, "/subscription", MEMBERS),
        list("`tenants`", &["Query.tenants"], ("tenants { nodes { id } }", "/tenants/nodes"), "$TENANT", LISTED_FOR_MEMBERS),
        list("`subscriptions`", &["Query.subscriptions"], ("subscriptions { nodes { id } }", "/subscriptions/nodes"), "$SUBSCRIPTION", LISTED_FOR_MEMBERS),
        list("`subscriptions` of a tenant", &["Query.subscriptions"], (r#"subscriptions(filter: {tenantId: "$TENANT"}) { nodes { id } }"#, "/subscriptions/nodes"), "$SUBSCRIPTION", LISTED_FOR_MEMBERS),
        list("`users`", &["Query.users"], ("users(first: 100) { nodes { id } }", "/users"), "$STRANGER", PLATFORM_ADMINS),
        list("`users` of a tenant", &["Query.users"], (r#"users(filter: {tenantId: "$TENANT"}) { nodes { id } }"#, "/users"), "$MEMBER", PLATFORM_ADMINS),
        list("`auditLog`", &["Query.auditLog"], ("auditLog { nodes { id } }", "/auditLog"), "$EVENT", PLATFORM_ADMINS),
        list("`auditLog` of a tenant", &["Query.auditLog"], (r#"auditLog(filter: {tenantId: "$TENANT"}) { nodes { id } }"#, "/auditLog"), "$EVENT", PLATFORM_ADMINS),
    ]
}

#[rustfmt::skip]
pub(super) fn tenant_fields() -> Vec<Row> {
    vec![
        read("`billingInfo`", &["Tenant.billingInfo"], r#"tenant(slug: "$SLUG") { billingInfo { email } }"#, "/tenant/billingInfo", FIELD_FOR_ADMINS),
        read("`integrations`", &["Tenant.integrations"], r#"tenant(slug: "$SLUG") { integrations { ocisSpace } }"#, "/tenant/integrations", FIELD_FOR_PLATFORM_ADMINS),
        read("`subscription`", &["Tenant.subscription"], r#"tenant(slug: "$SLUG") { subscription { id } }"#, "/tenant/subscription", FIELD_FOR_MEMBERS),
        list("`members`", &["Tenant.members"], (r#"tenant(slug: "$SLUG") { members { nodes { user { id } } } }"#, "/tenant/members"), "$OWNER", FIELD_FOR_MEMBERS),
        read("`myMembership`", &["Tenant.myMembership"], r#"tenant(slug: "$SLUG") { myMembership { role } }"#, "/tenant/myMembership", [NotApplicable, Allowed, Allowed, Allowed, Null]),
        list("`invitations`", &["Tenant.invitations"], (r#"tenant(slug: "$SLUG") { invitations { nodes { id } } }"#, "/tenant/invitations"), "$INVITATION", FIELD_FOR_ADMINS),
        list("`auditLog`", &["Tenant.auditLog"], (r#"tenant(slug: "$SLUG") { auditLog { nodes { id } } }"#, "/tenant/auditLog"), "$EVENT", FIELD_FOR_ADMINS),
        list("`auditLog`, filtered by actor: a member", &["Tenant.auditLog"], (r#"tenant(slug: "$SLUG") { auditLog(filter: {actorId: "$MEMBER"}) { nodes { id } } }"#, "/tenant/auditLog"), "$EVENT", FIELD_FOR_ADMINS),
        list("`auditLog`, filtered by actor: a stranger", &["Tenant.auditLog"], (r#"tenant(slug: "$SLUG") { auditLog(filter: {actorId: "$STRANGER"}) { nodes { id } } }"#, "/tenant/auditLog"), "$FOREIGN_EVENT", [NotApplicable, NullWithForbidden, Omitted, Omitted, Allowed]),
    ]
}

#[rustfmt::skip]
pub(super) fn subscription_fields() -> Vec<Row> {
    vec![
        read("`stripe`", &["TenantSubscription.stripe"], r#"subscription(id: "$SUBSCRIPTION") { stripe { customerId } }"#, "/subscription/stripe", FIELD_FOR_PLATFORM_ADMINS),
        read("`stripe`, through the tenant", &["TenantSubscription.stripe"], r#"tenant(slug: "$SLUG") { subscription { stripe { customerId } } }"#, "/tenant/subscription/stripe", FIELD_FOR_PLATFORM_ADMINS),
    ]
}

/// The fields of a user that only the user themselves and platform admins see.
const PRIVATE: &[&str] =
    &["User.subject", "User.platformAdmin", "User.disabled", "User.lastSeenAt"];

#[rustfmt::skip]
pub(super) fn user_fields() -> Vec<Row> {
    let memberships = r#"user(id: "$MEMBER") { memberships { tenant { id } } }"#;
    vec![
        read("`subject`, `platformAdmin`, `disabled`, `lastSeenAt` of the caller", PRIVATE, r#"user(id: "$CALLER") { {0} }"#, "/user/{0}", ALL_VIEWERS),
        read("the same fields of a member", PRIVATE, r#"user(id: "$MEMBER") { {0} }"#, "/user/{0}", FIELD_FOR_PLATFORM_ADMINS),
        read("the same fields of a member, in the list of members", PRIVATE, r#"tenant(slug: "$SLUG") { members(role: MEMBER, first: 1) { nodes { user { {0} } } } }"#, "/tenant/members/nodes/0/user/{0}", FIELD_FOR_PLATFORM_ADMINS),
        read("the same fields of a stranger", PRIVATE, r#"user(id: "$STRANGER") { {0} }"#, "/user/{0}", FIELD_OF_STRANGER),
        read("`email` of the caller", &["User.email"], r#"user(id: "$CALLER") { email }"#, "/user/email", ALL_VIEWERS),
        read("`email` of a member", &["User.email"], r#"user(id: "$MEMBER") { email }"#, "/user/email", FIELD_FOR_MEMBERS),
        read("`email` of a stranger", &["User.email"], r#"user(id: "$STRANGER") { email }"#, "/user/email", FIELD_OF_STRANGER),
        list("`memberships` of a member: this tenant", &["User.memberships"], (memberships, "/user/memberships"), "$TENANT", FIELD_FOR_MEMBERS),
        list("`memberships` of a member: another tenant", &["User.memberships"], (memberships, "/user/memberships"), "$HIDDEN", [NotApplicable, Omitted, Omitted, Omitted, Allowed]),
        list("`role` of a member: a higher role in another tenant", &["User.role"], (r#"user(id: "$MEMBER") { role }"#, "/user/role"), "OWNER", [NotApplicable, Omitted, Omitted, Omitted, Allowed]),
    ]
}

#[rustfmt::skip]
pub(super) fn event_fields() -> Vec<Row> {
    const FOR_ADMINS: [Outcome; 5] = [NotApplicable, NotApplicable, Allowed, Allowed, Allowed];
    const NULL_FOR_ADMINS: [Outcome; 5] = [NotApplicable, NotApplicable, Null, Null, Allowed];
    const OMITTED_FOR_ADMINS: [Outcome; 5] = [NotApplicable, NotApplicable, Omitted, Omitted, Allowed];
    let changes = r#"node(id: "$EVENT") { ... on AuditEvent { changes } }"#;
    let foreign_changes = r#"node(id: "$FOREIGN_EVENT") { ... on AuditEvent { changes } }"#;
    vec![
        read("`actor`: a member", &["AuditEvent.actor"], r#"node(id: "$EVENT") { ... on AuditEvent { actor { id } } }"#, "/node/actor", FOR_ADMINS),
        read("`actor`: a stranger", &["AuditEvent.actor"], r#"node(id: "$FOREIGN_EVENT") { ... on AuditEvent { actor { id } } }"#, "/node/actor", NULL_FOR_ADMINS),
        read("`tenant`", &["AuditEvent.tenant"], r#"node(id: "$EVENT") { ... on AuditEvent { tenant { id } } }"#, "/node/tenant", FOR_ADMINS),
        read("`target`: the tenant", &["AuditEvent.target"], r#"node(id: "$EVENT") { ... on AuditEvent { target { id } } }"#, "/node/target", FOR_ADMINS),
        read("`target`: a stranger", &["AuditEvent.target"], r#"node(id: "$FOREIGN_EVENT") { ... on AuditEvent { target { id } } }"#, "/node/target", NULL_FOR_ADMINS),
        list("`changes`: fields visible to admins", &["AuditEvent.changes"], (changes, "/node/changes"), "\"name\"", FOR_ADMINS),
        list("`changes`: `integrations`", &["AuditEvent.changes"], (changes, "/node/changes"), "integrations.ocisSpace", OMITTED_FOR_ADMINS),
        list("`changes`: fields of a stranger", &["AuditEvent.changes"], (foreign_changes, "/node/changes"), "\"email\"", OMITTED_FOR_ADMINS),
        list("`changes`: a membership in this tenant", &["AuditEvent.changes"], (foreign_changes, "/node/changes"), "memberships.$TENANT", FOR_ADMINS),
        list("`changes`: a membership in another tenant", &["AuditEvent.changes"], (foreign_changes, "/node/changes"), "memberships.$HIDDEN", OMITTED_FOR_ADMINS),
    ]
}

const TENANT_CHANGE: &[&str] = &[
    "Subscription.tenantChanged",
    "TenantChange.kind",
    "TenantChange.tenantId",
    "TenantChange.tenant",
];
const SUBSCRIPTION_CHANGE: &[&str] = &[
    "Subscription.subscriptionChanged",
    "TenantSubscriptionChange.kind",
    "TenantSubscriptionChange.subscriptionId",
    "TenantSubscriptionChange.subscription",
];

#[rustfmt::skip]
pub(super) fn live_operations() -> Vec<Row> {
    vec![
        live("`meChanged`", &["Subscription.meChanged"], ("meChanged { id }", "/meChanged"), "$CALLER", ALL_VIEWERS),
        live("`tenantChanged`", TENANT_CHANGE, (r#"tenantChanged(id: "$TENANT") { kind tenantId tenant { id } }"#, "/tenantChanged/tenant"), "$TENANT", MEMBERS_OR_NOT_FOUND),
        live("`tenantChanged` of a nonexistent tenant", TENANT_CHANGE, (r#"tenantChanged(id: "$NO_TENANT") { kind tenantId tenant { id } }"#, "/tenantChanged/tenant"), "", NOT_FOUND_FOR_ALL),
        live("`tenantsChanged`", &["Subscription.tenantsChanged"], ("tenantsChanged { kind tenantId tenant { id } }", "/tenantsChanged/tenant"), "$TENANT", LISTED_FOR_MEMBERS),
        live("`subscriptionChanged`", SUBSCRIPTION_CHANGE, (r#"subscriptionChanged(tenantId: "$TENANT") { kind subscriptionId subscription { id } }"#, "/subscriptionChanged/subscription"), "$SUBSCRIPTION", MEMBERS_OR_NOT_FOUND),
        live("`subscriptionChanged` of a nonexistent tenant", SUBSCRIPTION_CHANGE, (r#"subscriptionChanged(tenantId: "$NO_TENANT") { kind subscriptionId subscription { id } }"#, "/subscriptionChanged/subscription"), "", NOT_FOUND_FOR_ALL),
    ]
}
