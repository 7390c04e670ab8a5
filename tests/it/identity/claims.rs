//! Issuer and subject alone identify the caller. Other claims change no response, except through
//! `me`.
//!
//! A property test adds generated claims to tokens and compares every response and the stored data.

use std::{cell::Cell, collections::BTreeMap};

use axum::{body::Body, http::Request};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Value, json};
use tenantry::graphql;

use crate::support::{
    app::{App, Backend},
    world::World,
};

const CASES: u32 = 40;
/// The subjects of all users, and a subject without a user.
const CALLERS: [&str; 5] = ["ada", "bob", "carol", "mallory", "newcomer"];
/// The claims that identify the caller or validate the token.
const DECISIVE_CLAIMS: [&str; 6] = ["iss", "sub", "aud", "exp", "nbf", "iat"];

/// Returns a query of each root field except `me`, with all fields that depend on the viewer.
fn queries(world: &World) -> Vec<(&'static str, String)> {
    let tenant =
        "id slug plan billingInfo { email } integrations { ocisSpace } subscription { status }
        myMembership { role } members { totalCount nodes { role user { email platformAdmin } } }
        auditLog { totalCount nodes { action changes } }";
    let user = "name email platformAdmin disabled role memberships { role tenant { slug } }";
    let (acme, bob) = (world.acme.id, world.bob);
    let (subscription, event) = (world.subscription, world.event);
    vec![
        ("node", format!("node(id: \"{acme}\") {{ id ... on Tenant {{ {tenant} }} }}")),
        (
            "nodes",
            format!(
                "nodes(ids: [\"{acme}\", \"{bob}\", \"{subscription}\", \"{event}\"]) {{ __typename id }}"
            ),
        ),
        ("tenant", format!("tenant(slug: \"acme\") {{ {tenant} }}")),
        ("user", format!("user(id: \"{bob}\") {{ {user} }}")),
        (
            "subscription",
            format!(
                "subscription(id: \"{subscription}\") {{ status stripe {{ customerId }} tenant {{ slug }} }}"
            ),
        ),
        ("tenants", format!("tenants {{ totalCount nodes {{ {tenant} }} }}")),
        ("users", format!("users {{ totalCount nodes {{ {user} }} }}")),
        (
            "subscriptions",
            "subscriptions { totalCount nodes { id stripe { priceId } } }".to_owned(),
        ),
        ("auditLog", "auditLog { totalCount nodes { action changes actor { name } } }".to_owned()),
    ]
}

/// The identifier of an invitation that does not exist.
const NO_INVITATION: &str = "inv_000000000000000000000000";

/// Returns a call of each mutation that changes nothing, even for a caller who is allowed to call
/// it. The input repeats stored values, or names another version.
fn mutations(world: &World) -> Vec<(&'static str, String)> {
    let (acme, bob, live) = (world.acme.id, world.bob, world.subscription);
    let membership = format!("tenantId: \"{acme}\", userId: \"{bob}\"");
    vec![
        ("createTenant", "createTenant(input: {slug: \"acme\", name: \"X\"}) { __typename }".into()),
        (
            "updateTenant",
            format!("updateTenant(input: {{id: \"{acme}\", name: \"Acme\"}}) {{ tenant {{ billingInfo {{ email }} integrations {{ ocisSpace }} }} }}"),
        ),
        ("deleteTenant", format!("deleteTenant(input: {{id: \"{acme}\", version: 99}}) {{ deletedId }}")),
        (
            "createUser",
            "createUser(input: {subject: \"bob\", email: \"b@example.org\", name: \"B\"}) { __typename }".into(),
        ),
        ("updateUser", format!("updateUser(input: {{id: \"{bob}\", name: \"Bob\"}}) {{ user {{ subject }} }}")),
        ("deleteUser", format!("deleteUser(input: {{id: \"{bob}\", version: 99}}) {{ deletedId }}")),
        (
            "createSubscription",
            format!("createSubscription(input: {{tenantId: \"{acme}\", plan: FREE}}) {{ __typename }}"),
        ),
        (
            "updateSubscription",
            format!("updateSubscription(input: {{id: \"{live}\", status: ACTIVE}}) {{ subscription {{ stripe {{ customerId }} }} }}"),
        ),
        (
            "deleteSubscription",
            format!("deleteSubscription(input: {{id: \"{live}\", version: 99}}) {{ deletedId }}"),
        ),
        ("addTenantMember", format!("addTenantMember(input: {{{membership}}}) {{ __typename }}")),
        (
            "updateTenantMember",
            format!("updateTenantMember(input: {{{membership}, role: OWNER}}) {{ membership {{ role }} }}"),
        ),
        (
            "removeTenantMember",
            format!("removeTenantMember(input: {{tenantId: \"{acme}\", userId: \"{}\"}}) {{ removedUserId }}", world.mallory),
        ),
        (
            "inviteTenantMember",
            format!("inviteTenantMember(input: {{tenantId: \"{acme}\", email: \"x\"}}) {{ __typename }}"),
        ),
        ("resendInvitation", format!("resendInvitation(input: {{id: \"{NO_INVITATION}\"}}) {{ __typename }}")),
        ("revokeInvitation", format!("revokeInvitation(input: {{id: \"{NO_INVITATION}\"}}) {{ __typename }}")),
    ]
}

/// Returns the names of the fields of a root type.
fn root_fields(root: &str) -> Vec<String> {
    let sdl = graphql::sdl();
    let fields = sdl.split(&format!("\ntype {root} {{")).nth(1);
    let fields = fields.and_then(|rest| rest.split("\n}").next()).expect("a root type");
    // Every second part is a description.
    let lines = fields.split("\"\"\"").step_by(2).flat_map(str::lines);
    // The line of a field is indented by two spaces. Its name is followed by its type or arguments.
    let name = |line: &str| {
        let rest = line.strip_prefix("  ")?;
        let name: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
        let is_field = rest[name.len()..].starts_with([':', '(']);
        (is_field && !name.is_empty()).then_some(name)
    };
    lines.filter_map(name).collect()
}

/// Generates values of claims. Some look like groups, roles, users or scopes.
fn value() -> impl Strategy<Value = Value> {
    let texts = prop::sample::select(vec![
        "platform-admins",
        "tenant:acme:owner",
        "tenant:acme",
        "grp-acme",
        "tenant:globex:admin",
        "owner",
        "admin",
        "acme",
        "ada",
        "ada@example.org",
        "openid profile email",
        "true",
        "*",
        "",
    ]);
    let leaf = prop_oneof![
        texts.prop_map(|text| json!(text)),
        any::<bool>().prop_map(|flag| json!(flag)),
        any::<i64>().prop_map(|number| json!(number)),
        Just(Value::Null),
        ".{0,12}".prop_map(|text| json!(text)),
    ];
    leaf.prop_recursive(2, 16, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::btree_map("[a-z]{1,8}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

/// Generates claims with names that providers use, and with arbitrary names.
fn claims() -> impl Strategy<Value = BTreeMap<String, Value>> {
    let known = prop::sample::select(vec![
        "groups",
        "roles",
        "role",
        "scope",
        "scp",
        "email",
        "email_verified",
        "name",
        "azp",
        "acr",
        "preferred_username",
        "client_id",
        "jti",
        "auth_time",
        "amr",
        "sid",
        "act",
        "cnf",
        "tenant",
        "tenantId",
        "tenants",
        "memberships",
        "platformAdmin",
        "admin",
        "is_admin",
        "permissions",
        "entitlements",
        "disabled",
        "user",
        "userId",
        "id",
        "issuer",
        "subject",
        "typ",
        "alg",
        "kid",
    ]);
    let any_name = "[a-zA-Z_:/.]{1,16}"
        .prop_filter("decisive", |name| !DECISIVE_CLAIMS.contains(&name.as_str()));
    let name = prop_oneof![4 => known.prop_map(str::to_owned), 1 => any_name];
    let any_claims = prop::collection::btree_map(name, value(), 0..8);
    // Random values are hardly ever groups that grant rights in `me`, so they are generated
    // separately.
    let rights = prop::option::weighted(0.8, groups());
    (any_claims, rights).prop_map(|(mut claims, rights)| {
        claims.extend(rights.map(|groups| ("groups".to_owned(), groups)));
        claims
    })
}

/// Generates groups that grant rights in `me`.
fn groups() -> impl Strategy<Value = Value> {
    let granting = ["platform-admins", "tenant:acme:owner", "tenant:globex:admin", "grp-initech"];
    prop_oneof![
        4 => prop::sample::subsequence(granting.to_vec(), 0..=4).prop_map(|groups| json!(groups)),
        1 => prop::sample::select(granting.to_vec()).prop_map(|group| json!(group)),
    ]
}

struct Fixture {
    app: App,
    documents: Vec<String>,
    requests: Cell<usize>,
}

impl Fixture {
    /// Sends every document as every caller, with these additional claims, and returns the
    /// responses.
    async fn responses(&self, claims: &BTreeMap<String, Value>) -> Vec<String> {
        let mut responses = Vec::new();
        for caller in CALLERS {
            let token = self.app.issuer.token().subject(caller);
            let token = claims.iter().fold(token, |t, (name, value)| t.claim(name, value.clone()));
            let signed = token.sign();
            for document in &self.documents {
                let request = Request::post("/graphql")
                    .header("content-type", "application/json")
                    .header("x-request-id", "r-1")
                    .header("authorization", format!("Bearer {signed}"));
                let body = json!({"query": document}).to_string();
                let reply = self.app.send(request.body(Body::from(body)).expect("a request")).await;
                self.requests.set(self.requests.get() + 1);
                responses.push(format!("{caller} {document} {} {}", reply.status, reply.body));
            }
        }
        responses
    }

    /// Returns the audit log and the users as text.
    async fn stored(&self) -> String {
        let mut stored = format!("{:?}", self.app.audit_log().await);
        for caller in CALLERS {
            stored += &format!("{:?}", self.app.stored_user(caller).await);
        }
        stored
    }
}

#[test]
fn claims_beyond_issuer_and_subject_change_no_response() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let fixture = runtime.block_on(async {
        let app = App::on(Backend::Sqlite).await;
        let world = World::new(&app).await;
        let (queries, mutations) = (queries(&world), mutations(&world));
        let mut covered: Vec<&str> =
            queries.iter().chain(&mutations).map(|(name, _)| *name).collect();
        // These compare the e-mail address of the token, or take the profile from it.
        covered.extend(["me", "invitation", "acceptInvitation"]);
        covered.sort_unstable();
        let mut fields = [root_fields("Query"), root_fields("Mutation")].concat();
        fields.sort_unstable();
        assert_eq!(fields, covered, "a root field is missing in this test");
        let queries = queries.into_iter().map(|(_, field)| format!("{{ {field} }}"));
        let mutations = mutations.into_iter().map(|(_, field)| format!("mutation {{ {field} }}"));
        let documents = queries.chain(mutations);
        Fixture { app, documents: documents.collect(), requests: Cell::new(0) }
    });
    let expected = runtime.block_on(fixture.responses(&BTreeMap::new()));
    let stored = runtime.block_on(fixture.stored());
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    // The generator is deterministic, so that a failure can be reproduced.
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let result = TestRunner::new_with_rng(config, rng).run(&claims(), |claims| {
        let responses = runtime.block_on(fixture.responses(&claims));
        for (response, expected) in responses.iter().zip(&expected) {
            prop_assert_eq!(response, expected);
        }
        prop_assert_eq!(runtime.block_on(fixture.stored()), stored.clone());
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let requests = (CASES as usize + 1) * fixture.documents.len() * CALLERS.len();
    assert!(fixture.requests.get() >= requests);
}
