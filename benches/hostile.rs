//! How long hostile documents take to be refused: `cargo bench --bench hostile`. Each goes the whole
//! way that a request goes, the engine's own validation included, and is refused somewhere on it.
//! It is no test of time: machines differ; it prints what it measures, and says where 5 ms were not
//! enough.

use std::{sync::Arc, time::Instant};

use serde_json::{Value, json};
use tenantry::{
    access::{Access, AccessConfig, Session},
    clock::{Clock, SystemClock},
    domain::{limits::Limits, sync::GroupMapping},
    graphql::{GraphQlExecutor, GraphQlRequest, GraphQlResponse, TrustedDocuments},
    metrics::Metrics,
    store::sqlite::SqliteStore,
};

/// A document's size is at most that of a body.
const BODY: usize = 256 * 1024;
/// How often each is measured; the median counts.
const ROUNDS: usize = 11;

fn repeat(part: &str, around: (&str, &str)) -> String {
    let (before, after) = around;
    let room = BODY - 1024 - before.len() - after.len();
    format!("{before}{}{after}", part.repeat(room / part.len()))
}

/// So many of something that has a number, up to a body's size.
fn numbered(part: impl Fn(usize) -> String, most: usize, around: (&str, &str)) -> String {
    let mut text = around.0.to_owned();
    for n in 0..most {
        let next = part(n);
        if text.len() + next.len() + around.1.len() + 1024 > BODY {
            break;
        }
        text += &next;
    }
    text + around.1
}

/// Fragments each of which spreads the next one twice.
fn doubling(levels: usize, on: &str, inner: &str, last: &str) -> String {
    numbered(
        |n| format!(" fragment F{n} on {on} {{ {} }}", inner.replace('#', &(n + 1).to_string())),
        levels,
        ("", &format!(" fragment F{levels} on {on} {{ {last} }}")),
    )
}

fn documents() -> Vec<(&'static str, String, Value)> {
    let none = || json!({});
    let small = |n: usize| move |k: usize| if k < n { format!("k{k}: id ") } else { String::new() };
    let mut all: Vec<(&'static str, String, Value)> = vec![
        ("nested fragment spreads", "{ me { ...F0 } }".to_owned() + &doubling(40, "User", "id ...F# ...F#", "id"), none()),
        ("the same through memberships", "{ me { ...F0 } }".to_owned() + &doubling(30, "User", "memberships { user { ...F# } tenant { id } } a: memberships { user { ...F# } }", "id"), none()),
        ("the same at the root", "{ ...F0 }".to_owned() + &doubling(60, "Query", "me { id } ...F# ...F#", "me { name }"), none()),
        ("the same in introspection", "{ __schema { types { ...F0 } } }".to_owned() + &doubling(40, "__Type", "name ofType { ...F# } a: ofType { ...F# }", "name"), none()),
        ("the same flat in introspection", "{ __schema { types { ...F0 } } }".to_owned() + &doubling(60, "__Type", "...F# ...F#", "name"), none()),
        ("fragments in a chain", "{ me { ...F0 } }".to_owned() + &doubling(300, "User", "...F#", "id"), none()),
        ("fragments in a circle", "{ ...A } fragment A on Query { ...B ...B } fragment B on Query { ...A ...A }".to_owned(), none()),
        ("a circle of many", "{ ...F0 } fragment F200 on Query { ...F0 }".to_owned() + &numbered(|n| format!(" fragment F{n} on Query {{ ...F{} }}", n + 1), 200, ("", "")), none()),
        ("fragments that spread all others", "{ me { ...F0 } }".to_owned() + &numbered(|n| format!(" fragment F{n} on User {{ {} id }}", (n + 1..40).map(|k| format!("...F{k} ")).collect::<String>()), 40, ("", "")), none()),
        ("fragments nobody spreads", "{ __typename }".to_owned() + &numbered(|n| format!(" fragment F{n} on User {{ id }}"), 300, ("", "")), none()),
        ("20,000 aliases of __typename", numbered(|n| format!("k{n}: __typename "), 20_000, ("{ ", "}")), none()),
        ("600 aliases of __typename", numbered(|n| format!("k{n}: __typename "), 600, ("{ ", "}")), none()),
        ("20,000 aliases of a field", numbered(|n| format!("k{n}: id "), 20_000, ("{ me { ", "} }")), none()),
        ("600 aliases of a field", numbered(small(600), 600, ("{ me { ", "} }")), none()),
        ("aliases over fragments", "{ me { ...A ...B } } fragment B on User { id }".to_owned() + &numbered(small(500), 500, (" fragment A on User { ", "}")), none()),
        ("one key of many parts", numbered(|n| format!("x: me {{ k{n}: id }} "), 250, ("{ ", "}")), none()),
        ("one key many times", repeat("id ", ("{ me { ", "} }")), none()),
        ("one key 1,900 times", format!("{{ me {{ {} }} }}", "id ".repeat(1900)), none()),
        ("conflicts of one key", numbered(|n| format!("x: user(id: \"{n}\") {{ id }} "), 180, ("{ ", "}")), none()),
        ("conflicts in nested keys", numbered(|n| format!("x: me {{ y: memberships {{ z: tenant {{ k: members(first: {n}) {{ totalCount }} }} }} }} "), 70, ("{ ", "}")), none()),
        ("20,000 @skip", repeat("@skip(if: true) ", ("{ me { id ", "} }")), none()),
        ("300 @skip on fields", numbered(|n| format!("k{n}: id @skip(if: true) "), 200, ("{ me { ", "} }")), none()),
        ("unknown directives", repeat("@x", ("{ me { id ", "} }")), none()),
        ("many root fields", numbered(|n| format!("k{n}: me {{ id }} "), 250, ("{ ", "}")), none()),
        ("many root mutations", numbered(|n| format!("k{n}: deleteTenant(input: {{id: \"ten_{n:024}\"}}) {{ deletedId }} "), 90, ("mutation { ", "}")), none()),
        ("unknown root fields", numbered(|n| format!("nope{n} "), 1900, ("{ ", "}")), none()),
        ("unknown fields", numbered(|n| format!("nope{n} "), 1900, ("{ me { ", "} }")), none()),
        ("unknown arguments", numbered(|n| format!("a{n}: {n} "), 600, ("{ tenant(", ") { id } }")), none()),
        ("deep fields", "{ me ".to_owned() + &"{ memberships { user ".repeat(400) + "{ id }" + &" } }".repeat(400) + "}", none()),
        ("deep fields of nothing", "{ a ".repeat(900) + &"}".repeat(900), none()),
        ("deep inline fragments", "{ ".to_owned() + &"... { ".repeat(450) + "__typename" + &" }".repeat(451), none()),
        ("60 deep inline fragments", "{ ".to_owned() + &"... { ".repeat(25) + "me { id }" + &" }".repeat(26), none()),
        ("deep lists", format!("{{ nodes(ids: {}{}) {{ id }} }}", "[".repeat(900), "]".repeat(900)), none()),
        ("very deep lists", format!("{{ nodes(ids: {}{}) {{ id }} }}", "[".repeat(100_000), "]".repeat(100_000)), none()),
        ("deep objects", format!("{{ tenants(filter: {}1{}) {{ totalCount }} }}", "{a: ".repeat(300), "}".repeat(300)), none()),
        ("a list of many", format!("{{ nodes(ids: [{}]) {{ id }} }}", "\"x\" ".repeat(1900)), none()),
        ("pages of pages", "{ tenants(first: 100) { nodes { members(first: 100) { nodes { user { memberships { tenant { members(first: 100) { nodes { role } } } } } } } } } }".to_owned(), none()),
        ("pages by variables", "query($n: Int!) { tenants(first: $n) { nodes { members(first: $n) { nodes { role } } } } }".to_owned(), json!({"n": 100})),
        ("a page of very many", "{ tenants(first: 2147483647) { nodes { members { nodes { user { memberships { role } } } } } } }".to_owned(), none()),
        ("a negative page", "{ tenants(first: -1) { nodes { members(first: -2147483648) { nodes { role } } } } }".to_owned(), none()),
        ("nodes by a variable of many", "query($i: [ID!]!) { nodes(ids: $i) { id } }".to_owned(), json!({"i": vec!["ten_650000000000000000000001"; 8000]})),
        ("variables that nobody declared", "{ me { id } }".to_owned(), json!({"x": "y".repeat(200_000)})),
        ("many variables", numbered(|n| format!("$v{n}: Int "), 400, ("query(", ") { me { id } }")), none()),
        ("variables in circles", "query($a: Int = $b, $b: Int = $a) { me { id } }".to_owned(), none()),
        ("deep variables", "query($f: TenantFilter) { tenants(filter: $f) { totalCount } }".to_owned(), serde_json::from_str(&format!("{{\"f\": {}1{}}}", "[".repeat(120), "]".repeat(120))).unwrap_or_default()),
        ("a long name", format!("{{ {} }}", "x".repeat(250_000)), none()),
        (
            "a long argument",
            format!("{{ tenant({}: 1) {{ id }} }}", "x".repeat(250_000)),
            none(),
        ),
        (
            "a long enumeration value",
            format!("{{ tenants(filter: {{plan: [{}]}}) {{ totalCount }} }}", "X".repeat(250_000)),
            none(),
        ),
        ("a long type", format!("{{ ... on {} {{ id }} }}", "X".repeat(250_000)), none()),
        (
            "a long enumeration value in a variable",
            "query($p: [Plan!]) { tenants(filter: {plan: $p}) { totalCount } }".to_owned(),
            json!({"p": ["X".repeat(200_000)]}),
        ),
        (
            "long names in variables",
            "query($f: TenantFilter) { tenants(filter: $f) { totalCount } }".to_owned(),
            json!({"f": {"x".repeat(200_000): 1}}),
        ),
        ("a long alias", format!("{{ {}: me {{ id }} }}", "x".repeat(250_000)), none()),
        ("a long string", format!("{{ tenant(slug: \"{}\") {{ id }} }}", "x".repeat(250_000)), none()),
        ("a long string of escapes", format!("{{ tenant(slug: \"{}\") {{ id }} }}", "\\u0041".repeat(40_000)), none()),
        ("a string without an end", format!("{{ tenant(slug: \"{}", "x".repeat(250_000)), none()),
        ("a block string without an end", format!("{{ tenant(slug: \"\"\"{}", "x\n".repeat(120_000)), none()),
        ("a block string of quotes", format!("{{ tenant(slug: \"\"\"{}\"\"\") {{ id }} }}", "\\\"\"\"".repeat(60_000)), none()),
        ("a block string of lines", format!("{{ tenant(slug: \"\"\"{}\"\"\") {{ id }} }}", "   x\n".repeat(50_000)), none()),
        ("a long comment", format!("{{ me {{ id }} }} #{}", "x".repeat(250_000)), none()),
        ("many comments", repeat("#\n", ("{ me { id } ", "}")), none()),
        ("many commas", repeat(",", ("{ me { id } ", "}")), none()),
        ("white space", repeat(" \n", ("{ me { id } ", "}")), none()),
        ("a long number", format!("{{ tenants(first: {}) {{ totalCount }} }}", "9".repeat(250_000)), none()),
        ("a long fraction", format!("{{ tenants(first: 0.{}e{}) {{ totalCount }} }}", "1".repeat(100_000), "9".repeat(100_000)), none()),
        ("opening braces", "{".repeat(250_000), none()),
        ("closing braces", "}".repeat(250_000), none()),
        ("opening brackets", "[".repeat(250_000), none()),
        ("1,900 opening braces", "{".repeat(1900), none()),
        ("1,900 opening brackets", "{a(b:".to_owned() + &"[".repeat(1900), none()),
        ("spreads", repeat("...", ("{ ", "}")), none()),
        ("dollars", "$".repeat(250_000), none()),
        ("nothing but zeros", "\u{0}".repeat(250_000), none()),
        ("emoji", "😀".repeat(60_000), none()),
        ("byte order marks", "\u{feff}".repeat(80_000) + "{ me { id } }", none()),
        ("many operations", numbered(|n| format!("query Q{n} {{ __typename }} "), 400, ("", "")), none()),
        ("many operations of one name", repeat("query Q { __typename } ", ("", "")), none()),
        ("many operations without a name", "{ __typename } ".repeat(600), none()),
        ("two operations", "{ me { id } } query X { me { id } }".to_owned(), none()),
        ("a schema", "type A { b: C } ".repeat(200), none()),
        ("many type conditions", format!("{{ {} }}", "... on Query { me { id } } ".repeat(180)), none()),
        ("type conditions that cannot be", format!("{{ node(id: \"x\") {{ {} }} }}", "... on Query { me { id } } ".repeat(180)), none()),
        ("interfaces in interfaces", "{ node(id: \"x\") { ".to_owned() + &"... on Node { ".repeat(28) + "id" + &" }".repeat(30), none()),
        ("an empty document", String::new(), none()),
        ("an empty selection", "{ }".to_owned(), none()),
        ("empty selections", "{ me { } }".repeat(300), none()),
        ("subscriptions of many", numbered(|n| format!("k{n}: meChanged {{ id }} "), 250, ("subscription { ", "}")), none()),
    ];
    all.retain(|(_, text, _)| text.len() <= BODY);
    all
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new()?);
    let store = Arc::new(SqliteStore::in_memory(None)?);
    let names = GroupMapping { platform_admins: String::new(), tenant_prefix: String::new() };
    let rules = AccessConfig { groups: names, default_tenant: String::new(), issuers: Vec::new() };
    let access = Arc::new(Access::new(store, clock, rules));
    access.mark_ready();
    let metrics = Metrics::new()?;
    let mut slow = Vec::new();
    let documents = documents();
    println!("| document | bytes | µs, median | µs, worst | answer |\n|---|--:|--:|--:|---|");
    for (name, text, variables) in &documents {
        let mut times = Vec::with_capacity(ROUNDS);
        let mut verdict = String::new();
        for _ in 0..ROUNDS {
            // One that has seen nothing: a document that is known would be cheaper.
            let api = GraphQlExecutor::new(
                true,
                Limits::default(),
                TrustedDocuments::default(),
                metrics.clone(),
            );
            let body = json!({"query": text, "variables": variables});
            let document: GraphQlRequest = serde_json::from_value(body)?;
            let session = Session::new(access.clone(), None, "bench".to_owned(), None);
            let began = Instant::now();
            let answer: GraphQlResponse = match api.prepare(document) {
                Ok(prepared) => api.execute(Arc::new(session), prepared).await,
                Err(refused) => refused,
            };
            let written = serde_json::to_string(&answer)?;
            times.push(began.elapsed().as_micros());
            verdict = answer.codes().next().unwrap_or("answered").to_owned();
            assert!(written.len() < 8 * 1024, "{name}: an answer of {} bytes", written.len());
        }
        times.sort_unstable();
        let (median, worst) = (times[ROUNDS / 2], times[ROUNDS - 1]);
        println!("| {name} | {} | {median} | {worst} | {verdict} |", text.len());
        if median > 5000 {
            slow.push(*name);
        }
    }
    let peak = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak =
        peak.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown").trim();
    println!("\n{} documents; over 5 ms: {slow:?}; peak memory of all: {peak}", documents.len());
    Ok(())
}
