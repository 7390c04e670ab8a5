//! What the checks compute holds for what the engine does: no answer has more fields than its
//! document was said to cost, whatever fragments, aliases, pages and conditions it is made of.

use std::{cell::Cell, fmt::Write, sync::Arc};

use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Value, json};
use tenantry::{
    access::{Caller, Session},
    domain::{limits::Limits, sync::TokenProfile, user::Identity},
    graphql::{GraphQlExecutor, GraphQlRequest, TrustedDocuments},
    metrics::Metrics,
};

use super::app;

const CASES: u32 = 200;
/// How many fragments a document has.
const FRAGMENTS: usize = 3;

/// Each type's fields: how they are asked for, and of which type they are (none: a leaf). `#` is a
/// page's size, `%` a variable that is one.
const TYPES: &[(&str, &[(&str, &str)])] = &[
    (
        "Query",
        &[
            ("me", "User"),
            ("tenants(first: #)", "TenantConnection"),
            ("tenants(last: %)", "TenantConnection"),
            ("tenant(slug: \"acme\")", "Tenant"),
            ("users(first: #)", "UserConnection"),
            ("subscriptions", "TenantSubscriptionConnection"),
            ("__typename", ""),
        ],
    ),
    ("TenantConnection", &[("nodes", "Tenant"), ("edges", "TenantEdge"), ("totalCount", "")]),
    ("TenantEdge", &[("node", "Tenant"), ("cursor", "")]),
    ("UserConnection", &[("nodes", "User"), ("pageInfo", "PageInfo")]),
    ("TenantSubscriptionConnection", &[("nodes", "TenantSubscription")]),
    ("MembershipConnection", &[("nodes", "Membership"), ("pageInfo", "PageInfo")]),
    ("PageInfo", &[("hasNextPage", ""), ("endCursor", "")]),
    (
        "Tenant",
        &[
            ("slug", ""),
            ("domains", ""),
            ("members(first: #)", "MembershipConnection"),
            ("members", "MembershipConnection"),
            ("subscription", "TenantSubscription"),
            ("billingInfo", "BillingInfo"),
            ("__typename", ""),
        ],
    ),
    ("BillingInfo", &[("email", ""), ("vatId", "")]),
    ("User", &[("id", ""), ("name", ""), ("memberships", "Membership")]),
    ("Membership", &[("role", ""), ("user", "User"), ("tenant", "Tenant")]),
    ("TenantSubscription", &[("plan", ""), ("tenant", "Tenant")]),
];

/// A document that is made of a tape of numbers; where it ends, so does every branch.
struct Maker<'a> {
    tape: std::slice::Iter<'a, u8>,
    keys: usize,
}

impl Maker<'_> {
    fn next(&mut self, below: usize) -> usize {
        self.tape.next().map_or(0, |&number| usize::from(number) % below)
    }

    fn set(&mut self, of: &str, depth: usize, fragments: &[(String, &'static str)]) -> String {
        let fields = TYPES.iter().find(|(name, _)| *name == of).map_or(&[][..], |(_, f)| f);
        let mut text = "{ ".to_owned();
        for _ in 0..=1 + self.next(3) {
            let condition =
                ["", "", " @skip(if: $yes)", " @include(if: $yes)", " @skip(if: false)"]
                    [self.next(5)];
            let spread: Vec<_> = fragments.iter().filter(|(_, on)| *on == of).collect();
            match (self.next(4), &spread[..]) {
                (0, [first, ..]) => write!(text, "...{}{condition} ", first.0),
                (1, _) if depth > 0 => {
                    let inner = self.set(of, depth - 1, fragments);
                    write!(text, "... on {of}{condition} {inner} ")
                }
                _ => {
                    let field = self.field(fields, depth, fragments, condition);
                    write!(text, "{field} ")
                }
            }
            .expect("a string");
        }
        text + "}"
    }

    fn field(
        &mut self,
        fields: &[(&'static str, &'static str)],
        depth: usize,
        fragments: &[(String, &'static str)],
        condition: &str,
    ) -> String {
        let leaf = |field: &&(&str, &str)| depth > 0 || field.1.is_empty();
        let possible: Vec<_> = fields.iter().filter(leaf).collect();
        let Some((field, of)) = possible.get(self.next(possible.len().max(1))) else {
            return "__typename".to_owned();
        };
        let field = field.replace('#', &self.next(4).to_string()).replace('%', "$size");
        self.keys += 1;
        let key = self.keys;
        match *of {
            "" => format!("k{key}: {field}{condition}"),
            of => format!("k{key}: {field}{condition} {}", self.set(of, depth - 1, fragments)),
        }
    }

    fn document(&mut self) -> String {
        let mut fragments: Vec<(String, &'static str)> = Vec::new();
        let mut text = String::new();
        for n in 0..FRAGMENTS {
            // One may spread those before it, so they never go in circles.
            let on = ["Tenant", "User", "Query", "Membership"][self.next(4)];
            let set = self.set(on, 2, &fragments);
            text += &format!(" fragment F{n} on {on} {set}");
            fragments.insert(0, (format!("F{n}"), on));
        }
        let operation = self.set("Query", 7, &fragments);
        // A document may not have a fragment that nobody spreads, or a variable that nobody uses.
        let used = |types: &[&str]| -> String {
            let some = fragments.iter().filter(|(_, on)| types.contains(on));
            some.map(|(name, on)| format!("... on {on} {{ ...{name} }} ")).collect()
        };
        let (query, node, membership) =
            (used(&["Query"]), used(&["Tenant", "User"]), used(&["Membership"]));
        format!(
            "query($size: Int! = 2, $yes: Boolean! = true) {{
                ...Every @skip(if: true) none: tenants(first: $size) @skip(if: $yes) {{ totalCount }}
                ... on Query {operation} }}
            fragment Every on Query {{ {query} __typename
                node(id: \"ten_650000000000000000000001\") {{ id {node} }}
                me {{ memberships {{ role {membership} }} }} }} {text}"
        )
    }
}

/// The fields of an answer, `__typename` apart, which costs nothing: its keys have no field before.
fn fields(value: &Value) -> u64 {
    match value {
        Value::Object(map) => map
            .values()
            .map(|value| {
                let typename =
                    value.as_str().is_some_and(|text| TYPES.iter().any(|(name, _)| *name == text));
                u64::from(!typename) + fields(value)
            })
            .sum(),
        Value::Array(items) => items.iter().map(fields).sum(),
        _ => 0,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn no_answer_has_more_fields_than_its_document_was_said_to_cost() {
    let app = app().await;
    let most = u64::from(u32::MAX);
    let limits = Limits {
        depth: most,
        complexity: most,
        aliases: most,
        root_fields: most,
        tokens: most,
        directives: most,
    };
    let api = GraphQlExecutor::new(
        true,
        limits,
        TrustedDocuments::default(),
        Metrics::new().expect("a catalogue"),
    );
    let identity = Identity { issuer: app.issuer.url().to_owned(), subject: "ada".to_owned() };
    let caller = Caller { identity, profile: TokenProfile::default() };
    let handle = tokio::runtime::Handle::current();
    let mut runner =
        TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() });
    let (ran, largest) = (Cell::new(0), Cell::new(0));
    let outcome = runner.run(&proptest::collection::vec(any::<u8>(), 100..600), |tape| {
        let text = Maker { tape: tape.iter(), keys: 0 }.document();
        let document: GraphQlRequest =
            serde_json::from_value(json!({"query": text})).expect("a request");
        let Ok(prepared) = api.prepare(document) else { panic!("refused: {text}") };
        let cost = prepared.complexity();
        let session = Session::new(app.access.clone(), Some(caller.clone()), "r".to_owned(), None);
        let answer = tokio::task::block_in_place(|| {
            handle.block_on(api.execute(Arc::new(session), prepared))
        });
        let answer = serde_json::to_value(&answer).expect("JSON");
        prop_assert!(answer.get("errors").is_none(), "{answer} {text}");
        let found = fields(&answer["data"]);
        prop_assert!(found <= cost, "{found} fields for {cost}: {text}");
        ran.set(ran.get() + 1);
        largest.set(found.max(largest.get()));
        Ok(())
    });
    outcome.expect("every document");
    let (ran, largest) = (ran.get(), largest.get());
    assert!(ran >= CASES && largest > 50, "{ran} documents, at most {largest} fields: too small");
}

/// Pieces of documents, in any order: most is no GraphQL, and none of it is a reason to fall over.
#[test]
fn no_text_is_a_reason_to_fall_over() {
    let pieces = prop::sample::select(vec![
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "!",
        ":",
        "=",
        "@",
        "$",
        "...",
        "..",
        "|",
        "&",
        "\"",
        "\"\"\"",
        "\\",
        "#",
        "\n",
        "\r",
        ",",
        " ",
        "\u{feff}",
        "\u{0}",
        "é",
        "😀",
        "query",
        "mutation",
        "subscription",
        "fragment",
        "on",
        "F",
        "...F",
        "...on Query",
        "me",
        "id",
        "nodes",
        "tenants",
        "first",
        "ids",
        "$n",
        "$n: Int",
        "@skip(if: true)",
        "@include(if: $n)",
        "__schema",
        "__typename",
        "__type",
        "null",
        "true",
        "-1",
        "1.5e9",
        "{ me { id } }",
        "fragment F on Query { ...F }",
        "query Q($n: Int = 1)",
        "first: $n",
        "ids: [\"x\"]",
        "input: {a: [{b: $n}]}",
    ]);
    let text = prop::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.join(" "));
    let any = prop_oneof![text, ".{0,200}"];
    let api = GraphQlExecutor::new(
        false,
        Limits::default(),
        TrustedDocuments::default(),
        Metrics::new().expect("a catalogue"),
    );
    let config = Config { cases: 3000, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let outcome = TestRunner::new_with_rng(config, rng).run(&any, |text| {
        let variables = json!({"n": 3, "F": [], "x": null});
        let request = json!({"query": text, "variables": variables});
        let document: GraphQlRequest = serde_json::from_value(request).expect("a request");
        if let Err(refused) = api.prepare(document) {
            let answer = serde_json::to_string(&refused).expect("JSON");
            prop_assert!(answer.len() < 8 * 1024);
        }
        Ok(())
    });
    outcome.expect("every text");
}
