//! The computed complexity is an upper bound for the fields of the response.
//!
//! A property test executes generated documents with fragments, aliases, pages and conditions, and
//! counts the fields of each response.

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
use crate::support::app::response_to_json;

const CASES: u32 = 200;
/// The number of fragments in a document.
const FRAGMENTS: usize = 3;

/// The fields of each type, with their arguments and their type. A leaf has no type.
///
/// `#` stands for a page size, and `%` for a variable with a page size.
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

/// Generates a document from random numbers. At their end, every choice is the first one.
struct DocumentGenerator<'a> {
    numbers: std::slice::Iter<'a, u8>,
    keys: usize,
}

impl DocumentGenerator<'_> {
    /// Returns the next number below the bound.
    fn next(&mut self, bound: usize) -> usize {
        self.numbers.next().map_or(0, |&number| usize::from(number) % bound)
    }

    /// Generates a selection set on the type.
    fn selection_set(
        &mut self,
        on: &str,
        depth: usize,
        fragments: &[(String, &'static str)],
    ) -> String {
        let fields = TYPES.iter().find(|(name, _)| *name == on).map_or(&[][..], |(_, f)| f);
        let mut text = "{ ".to_owned();
        for _ in 0..=1 + self.next(3) {
            let condition =
                ["", "", " @skip(if: $yes)", " @include(if: $yes)", " @skip(if: false)"]
                    [self.next(5)];
            let applicable: Vec<_> = fragments.iter().filter(|(_, of)| *of == on).collect();
            match (self.next(4), &applicable[..]) {
                (0, [first, ..]) => write!(text, "...{}{condition} ", first.0),
                (1, _) if depth > 0 => {
                    let inner = self.selection_set(on, depth - 1, fragments);
                    write!(text, "... on {on}{condition} {inner} ")
                }
                _ => {
                    let field = self.field(fields, depth, fragments, condition);
                    write!(text, "{field} ")
                }
            }
            .expect("writing to a string never fails");
        }
        text + "}"
    }

    /// Generates a field with its own response key.
    fn field(
        &mut self,
        fields: &[(&'static str, &'static str)],
        depth: usize,
        fragments: &[(String, &'static str)],
        condition: &str,
    ) -> String {
        let fits = |field: &&(&str, &str)| depth > 0 || field.1.is_empty();
        let possible: Vec<_> = fields.iter().filter(fits).collect();
        let Some((field, of)) = possible.get(self.next(possible.len().max(1))) else {
            return "__typename".to_owned();
        };
        let field = field.replace('#', &self.next(4).to_string()).replace('%', "$size");
        self.keys += 1;
        let key = self.keys;
        match *of {
            "" => format!("k{key}: {field}{condition}"),
            of => format!(
                "k{key}: {field}{condition} {}",
                self.selection_set(of, depth - 1, fragments)
            ),
        }
    }

    /// Generates the document.
    fn document(&mut self) -> String {
        let mut fragments: Vec<(String, &'static str)> = Vec::new();
        let mut text = String::new();
        for n in 0..FRAGMENTS {
            // A fragment spreads only earlier ones, so there are no cycles.
            let on = ["Tenant", "User", "Query", "Membership"][self.next(4)];
            let selection_set = self.selection_set(on, 2, &fragments);
            text += &format!(" fragment F{n} on {on} {selection_set}");
            fragments.insert(0, (format!("F{n}"), on));
        }
        let operation = self.selection_set("Query", 7, &fragments);
        // A document with an unused fragment or variable is invalid.
        let spreads = |types: &[&str]| -> String {
            let fragments = fragments.iter().filter(|(_, on)| types.contains(on));
            fragments.map(|(name, on)| format!("... on {on} {{ ...{name} }} ")).collect()
        };
        let (query, node, membership) =
            (spreads(&["Query"]), spreads(&["Tenant", "User"]), spreads(&["Membership"]));
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

/// Counts the fields of a response without `__typename`, which costs nothing. Its keys are aliases,
/// so it is recognised by its value.
fn count_fields(value: &Value) -> u64 {
    match value {
        Value::Object(map) => map
            .values()
            .map(|value| {
                let typename =
                    value.as_str().is_some_and(|text| TYPES.iter().any(|(name, _)| *name == text));
                u64::from(!typename) + count_fields(value)
            })
            .sum(),
        Value::Array(items) => items.iter().map(count_fields).sum(),
        _ => 0,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn response_never_has_more_fields_than_its_complexity() {
    let app = app().await;
    let unlimited = u64::from(u32::MAX);
    let limits = Limits {
        depth: unlimited,
        complexity: unlimited,
        aliases: unlimited,
        root_fields: unlimited,
        tokens: unlimited,
        directives: unlimited,
    };
    let executor = GraphQlExecutor::new(
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
    let (executed, largest) = (Cell::new(0), Cell::new(0));
    let result = runner.run(&proptest::collection::vec(any::<u8>(), 100..600), |numbers| {
        let text = DocumentGenerator { numbers: numbers.iter(), keys: 0 }.document();
        let request: GraphQlRequest =
            serde_json::from_value(json!({"query": text})).expect("a request");
        let Ok(prepared) = executor.prepare(&request) else { panic!("rejected: {text}") };
        let cost = prepared.complexity();
        let session = Session::new(app.access.clone(), Some(caller.clone()), "r".to_owned());
        let response = tokio::task::block_in_place(|| {
            handle.block_on(executor.execute(Arc::new(session), prepared))
        });
        let response = response_to_json(&response);
        prop_assert!(response.get("errors").is_none(), "{response} {text}");
        let fields = count_fields(&response["data"]);
        prop_assert!(fields <= cost, "{fields} fields for a complexity of {cost}: {text}");
        executed.set(executed.get() + 1);
        largest.set(fields.max(largest.get()));
        Ok(())
    });
    result.expect("the bound holds for every document");
    let (executed, largest) = (executed.get(), largest.get());
    assert!(
        executed >= CASES && largest > 50,
        "the test is too weak: {executed} documents with at most {largest} fields"
    );
}

/// Prepares random sequences of tokens, most of which are invalid GraphQL.
#[test]
fn preparing_arbitrary_text_never_panics() {
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
    let any_text = prop_oneof![text, ".{0,200}"];
    let executor = GraphQlExecutor::new(
        false,
        Limits::default(),
        TrustedDocuments::default(),
        Metrics::new().expect("a catalogue"),
    );
    let config = Config { cases: 3000, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let result = TestRunner::new_with_rng(config, rng).run(&any_text, |text| {
        let variables = json!({"n": 3, "F": [], "x": null});
        let request = json!({"query": text, "variables": variables});
        let request: GraphQlRequest = serde_json::from_value(request).expect("a request");
        if let Err(response) = executor.prepare(&request) {
            let body = response.to_json().expect("JSON");
            prop_assert!(body.len() < 8 * 1024);
        }
        Ok(())
    });
    result.expect("every error response is short");
}
