//! No claim but who it is for decides anything: only `me` reads the rest.

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
/// Everybody there is, and somebody who is not.
const CALLERS: [&str; 5] = ["ada", "bob", "carol", "mallory", "nobody"];
/// The claims that may decide.
const DECIDING: [&str; 6] = ["iss", "sub", "aud", "exp", "nbf", "iat"];

/// Every root field of queries but `me`, with whatever below it depends on who asks.
fn operations(world: &World) -> Vec<(&'static str, String)> {
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

/// Every mutation, asked so that whoever may do it changes nothing: by what is there already, or
/// for a version that is not.
fn mutations(world: &World) -> Vec<(&'static str, String)> {
    let (acme, bob, live) = (world.acme.id, world.bob, world.subscription);
    let place = format!("tenantId: \"{acme}\", userId: \"{bob}\"");
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
        ("addTenantMember", format!("addTenantMember(input: {{{place}}}) {{ __typename }}")),
        (
            "updateTenantMember",
            format!("updateTenantMember(input: {{{place}, role: OWNER}}) {{ membership {{ role }} }}"),
        ),
        (
            "removeTenantMember",
            format!("removeTenantMember(input: {{tenantId: \"{acme}\", userId: \"{}\"}}) {{ removedUserId }}", world.mallory),
        ),
    ]
}

/// The names of the fields of a root.
fn root_fields(root: &str) -> Vec<String> {
    let sdl = graphql::sdl();
    let fields = sdl.split(&format!("\ntype {root} {{")).nth(1);
    let fields = fields.and_then(|rest| rest.split("\n}").next()).expect("a root");
    // Every second part is a description.
    let lines = fields.split("\"\"\"").step_by(2).flat_map(str::lines);
    // The line of a field is indented by two spaces. Its name is followed by its type or arguments.
    let name = |line: &str| {
        let rest = line.strip_prefix("  ")?;
        let name: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
        let follows = rest[name.len()..].starts_with([':', '(']);
        (follows && !name.is_empty()).then_some(name)
    };
    lines.filter_map(name).collect()
}

/// Values that mean something here, or might to somebody.
fn value() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
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
        words.prop_map(|word| json!(word)),
        any::<bool>().prop_map(|yes| json!(yes)),
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

/// Claims that providers give, and any others.
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
    let any_name =
        "[a-zA-Z_:/.]{1,16}".prop_filter("decides", |name| !DECIDING.contains(&name.as_str()));
    let name = prop_oneof![4 => known.prop_map(str::to_owned), 1 => any_name];
    let any_claims = prop::collection::btree_map(name, value(), 0..8);
    // Chance alone would hardly ever hit on what `me` would take for rights.
    let rights = prop::option::weighted(0.8, groups());
    (any_claims, rights).prop_map(|(mut claims, rights)| {
        claims.extend(rights.map(|groups| ("groups".to_owned(), groups)));
        claims
    })
}

/// Groups that give rights, as `me` reads them.
fn groups() -> impl Strategy<Value = Value> {
    let given = ["platform-admins", "tenant:acme:owner", "tenant:globex:admin", "grp-initech"];
    prop_oneof![
        4 => prop::sample::subsequence(given.to_vec(), 0..=4).prop_map(|some| json!(some)),
        1 => prop::sample::select(given.to_vec()).prop_map(|one| json!(one)),
    ]
}

struct Stage {
    app: App,
    documents: Vec<String>,
    asked: Cell<usize>,
}

impl Stage {
    /// Every answer of every operation to every caller, whose tokens say this besides.
    async fn answers(&self, claims: &BTreeMap<String, Value>) -> Vec<String> {
        let mut answers = Vec::new();
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
                self.asked.set(self.asked.get() + 1);
                answers.push(format!("{caller} {document} {} {}", reply.status, reply.body));
            }
        }
        answers
    }

    async fn stored(&self) -> String {
        let mut stored = format!("{:?}", self.app.history().await);
        for caller in CALLERS {
            stored += &format!("{:?}", self.app.stored(caller).await);
        }
        stored
    }
}

#[test]
fn no_claim_but_who_it_is_for_changes_an_answer() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let stage = runtime.block_on(async {
        let app = App::on(Backend::Sqlite).await;
        let world = World::new(&app).await;
        let (operations, mutations) = (operations(&world), mutations(&world));
        let mut covered: Vec<&str> =
            operations.iter().chain(&mutations).map(|(name, _)| *name).collect();
        covered.push("me");
        covered.sort_unstable();
        let mut fields = [root_fields("Query"), root_fields("Mutation")].concat();
        fields.sort_unstable();
        assert_eq!(fields, covered, "a root field that is not asked here");
        let queries = operations.into_iter().map(|(_, document)| format!("{{ {document} }}"));
        let changes = mutations.into_iter().map(|(_, field)| format!("mutation {{ {field} }}"));
        let documents = queries.chain(changes);
        Stage { app, documents: documents.collect(), asked: Cell::new(0) }
    });
    let plain = runtime.block_on(stage.answers(&BTreeMap::new()));
    let stored = runtime.block_on(stage.stored());
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    // The same claims each time: what fails once has to fail again.
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let outcome = TestRunner::new_with_rng(config, rng).run(&claims(), |claims| {
        let answers = runtime.block_on(stage.answers(&claims));
        for (is, expected) in answers.iter().zip(&plain) {
            prop_assert_eq!(is, expected);
        }
        prop_assert_eq!(runtime.block_on(stage.stored()), stored.clone());
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    assert!(stage.asked.get() >= (CASES as usize + 1) * stage.documents.len() * CALLERS.len());
}
