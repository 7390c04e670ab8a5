//! Measures how long the gateway takes to reject hostile documents: `cargo bench --bench hostile`.
//!
//! Each document passes all stages of a request. Most documents are rejected at one of the stages.
//! The benchmark asserts no time limit, because machines differ. It prints the times, and lists the
//! documents with a median above 5 ms. A second table has the cost of preparing ordinary documents,
//! for the first time and from the cache.

#[path = "hostile/bodies.rs"]
mod bodies;
#[path = "../tests/it/support/mod.rs"]
#[expect(dead_code, unused_imports, unused_macros, reason = "the tests use the rest")]
mod support;

use std::{process::ExitCode, sync::Arc, time::Instant};

use serde_json::{Value, json};
use tenantry::{
    access::{Access, AccessConfig, Session},
    clock::{Clock, SystemClock},
    domain::{limits::Limits, sync::GroupMapping},
    graphql::{GraphQlExecutor, GraphQlRequest, GraphQlResponse, TrustedDocuments},
    metrics::Metrics,
    store::sqlite::SqliteStore,
};

/// The allocator of the gateway.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The maximum size of a document, in bytes: the default limit of a request body.
const MAX_BODY_BYTES: usize = 256 * 1024;
/// The number of measurements of each document.
const ROUNDS: usize = 11;

/// Returns a document of the maximum size that repeats `part` between a prefix and a suffix.
fn repeat(part: &str, (prefix, suffix): (&str, &str)) -> String {
    let available = MAX_BODY_BYTES - 1024 - prefix.len() - suffix.len();
    format!("{prefix}{}{suffix}", part.repeat(available / part.len()))
}

/// Returns a document with up to `count` numbered parts between a prefix and a suffix, as far as
/// they fit into the maximum size.
fn numbered(
    part: impl Fn(usize) -> String,
    count: usize,
    (prefix, suffix): (&str, &str),
) -> String {
    let mut text = prefix.to_owned();
    for n in 0..count {
        let next = part(n);
        if text.len() + next.len() + suffix.len() + 1024 > MAX_BODY_BYTES {
            break;
        }
        text += &next;
    }
    text + suffix
}

/// Returns a chain of fragments on the type `on`. Each has the selections of `inner`, in which `#`
/// stands for the number of the next fragment. The last one has the selections of `last`.
fn fragment_chain(levels: usize, on: &str, inner: &str, last: &str) -> String {
    numbered(
        |n| format!(" fragment F{n} on {on} {{ {} }}", inner.replace('#', &(n + 1).to_string())),
        levels,
        ("", &format!(" fragment F{levels} on {on} {{ {last} }}")),
    )
}

/// Returns the name, the text and the variables of each document.
fn documents() -> Vec<(&'static str, String, Value)> {
    let none = || json!({});
    let id_aliases =
        |n: usize| move |k: usize| if k < n { format!("k{k}: id ") } else { String::new() };
    let mut all: Vec<(&'static str, String, Value)> = vec![
        ("nested fragment spreads", "{ me { ...F0 } }".to_owned() + &fragment_chain(40, "User", "id ...F# ...F#", "id"), none()),
        ("nested fragment spreads through memberships", "{ me { ...F0 } }".to_owned() + &fragment_chain(30, "User", "memberships { user { ...F# } tenant { id } } a: memberships { user { ...F# } }", "id"), none()),
        ("nested fragment spreads at the root", "{ ...F0 }".to_owned() + &fragment_chain(60, "Query", "me { id } ...F# ...F#", "me { name }"), none()),
        ("nested fragment spreads in introspection", "{ __schema { types { ...F0 } } }".to_owned() + &fragment_chain(40, "__Type", "name ofType { ...F# } a: ofType { ...F# }", "name"), none()),
        ("flat nested fragment spreads in introspection", "{ __schema { types { ...F0 } } }".to_owned() + &fragment_chain(60, "__Type", "...F# ...F#", "name"), none()),
        ("a chain of fragments", "{ me { ...F0 } }".to_owned() + &fragment_chain(300, "User", "...F#", "id"), none()),
        ("a cycle of fragments", "{ ...A } fragment A on Query { ...B ...B } fragment B on Query { ...A ...A }".to_owned(), none()),
        ("a cycle of 200 fragments", "{ ...F0 } fragment F200 on Query { ...F0 }".to_owned() + &numbered(|n| format!(" fragment F{n} on Query {{ ...F{} }}", n + 1), 200, ("", "")), none()),
        ("fragments that spread all later fragments", "{ me { ...F0 } }".to_owned() + &numbered(|n| format!(" fragment F{n} on User {{ {} id }}", (n + 1..40).map(|k| format!("...F{k} ")).collect::<String>()), 40, ("", "")), none()),
        ("unused fragments", "{ __typename }".to_owned() + &numbered(|n| format!(" fragment F{n} on User {{ id }}"), 300, ("", "")), none()),
        ("20,000 aliases of __typename", numbered(|n| format!("k{n}: __typename "), 20_000, ("{ ", "}")), none()),
        ("600 aliases of __typename", numbered(|n| format!("k{n}: __typename "), 600, ("{ ", "}")), none()),
        ("20,000 aliases of a field", numbered(|n| format!("k{n}: id "), 20_000, ("{ me { ", "} }")), none()),
        ("600 aliases of a field", numbered(id_aliases(600), 600, ("{ me { ", "} }")), none()),
        ("aliases in several fragments", "{ me { ...A ...B } } fragment B on User { id }".to_owned() + &numbered(id_aliases(500), 500, (" fragment A on User { ", "}")), none()),
        ("one response key with many selection sets", numbered(|n| format!("x: me {{ k{n}: id }} "), 250, ("{ ", "}")), none()),
        ("one response key many times", repeat("id ", ("{ me { ", "} }")), none()),
        ("one response key 1,900 times", format!("{{ me {{ {} }} }}", "id ".repeat(1900)), none()),
        ("conflicts of one response key", numbered(|n| format!("x: user(id: \"{n}\") {{ id }} "), 180, ("{ ", "}")), none()),
        ("conflicts of nested response keys", numbered(|n| format!("x: me {{ y: memberships {{ z: tenant {{ k: members(first: {n}) {{ totalCount }} }} }} }} "), 70, ("{ ", "}")), none()),
        ("20,000 @skip", repeat("@skip(if: true) ", ("{ me { id ", "} }")), none()),
        ("300 @skip on fields", numbered(|n| format!("k{n}: id @skip(if: true) "), 200, ("{ me { ", "} }")), none()),
        ("unknown directives", repeat("@x", ("{ me { id ", "} }")), none()),
        ("many root fields", numbered(|n| format!("k{n}: me {{ id }} "), 250, ("{ ", "}")), none()),
        ("many root mutations", numbered(|n| format!("k{n}: deleteTenant(input: {{id: \"ten_{n:024}\"}}) {{ deletedId }} "), 90, ("mutation { ", "}")), none()),
        ("unknown root fields", numbered(|n| format!("nope{n} "), 1900, ("{ ", "}")), none()),
        ("unknown fields", numbered(|n| format!("nope{n} "), 1900, ("{ me { ", "} }")), none()),
        ("unknown arguments", numbered(|n| format!("a{n}: {n} "), 600, ("{ tenant(", ") { id } }")), none()),
        ("deep fields", "{ me ".to_owned() + &"{ memberships { user ".repeat(400) + "{ id }" + &" } }".repeat(400) + "}", none()),
        ("deep unknown fields", "{ a ".repeat(900) + &"}".repeat(900), none()),
        ("deep inline fragments", "{ ".to_owned() + &"... { ".repeat(450) + "__typename" + &" }".repeat(451), none()),
        ("25 deep inline fragments", "{ ".to_owned() + &"... { ".repeat(25) + "me { id }" + &" }".repeat(26), none()),
        ("deep lists", format!("{{ nodes(ids: {}{}) {{ id }} }}", "[".repeat(900), "]".repeat(900)), none()),
        ("very deep lists", format!("{{ nodes(ids: {}{}) {{ id }} }}", "[".repeat(100_000), "]".repeat(100_000)), none()),
        ("deep objects", format!("{{ tenants(filter: {}1{}) {{ totalCount }} }}", "{a: ".repeat(300), "}".repeat(300)), none()),
        ("a list of 1,900 values", format!("{{ nodes(ids: [{}]) {{ id }} }}", "\"x\" ".repeat(1900)), none()),
        ("nested pages", "{ tenants(first: 100) { nodes { members(first: 100) { nodes { user { memberships { tenant { members(first: 100) { nodes { role } } } } } } } } } }".to_owned(), none()),
        ("nested pages with sizes in variables", "query($n: Int!) { tenants(first: $n) { nodes { members(first: $n) { nodes { role } } } } }".to_owned(), json!({"n": 100})),
        ("a page of 2,147,483,647", "{ tenants(first: 2147483647) { nodes { members { nodes { user { memberships { role } } } } } } }".to_owned(), none()),
        ("a negative page size", "{ tenants(first: -1) { nodes { members(first: -2147483648) { nodes { role } } } } }".to_owned(), none()),
        ("8,000 identifiers in a variable", "query($i: [ID!]!) { nodes(ids: $i) { id } }".to_owned(), json!({"i": vec!["ten_650000000000000000000001"; 8000]})),
        ("undeclared variables", "{ me { id } }".to_owned(), json!({"x": "y".repeat(200_000)})),
        ("many variables", numbered(|n| format!("$v{n}: Int "), 400, ("query(", ") { me { id } }")), none()),
        ("variables that reference each other", "query($a: Int = $b, $b: Int = $a) { me { id } }".to_owned(), none()),
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
        ("an unterminated string", format!("{{ tenant(slug: \"{}", "x".repeat(250_000)), none()),
        ("an unterminated block string", format!("{{ tenant(slug: \"\"\"{}", "x\n".repeat(120_000)), none()),
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
        ("null characters", "\u{0}".repeat(250_000), none()),
        ("emoji", "😀".repeat(60_000), none()),
        ("byte order marks", "\u{feff}".repeat(80_000) + "{ me { id } }", none()),
        ("many operations", numbered(|n| format!("query Q{n} {{ __typename }} "), 400, ("", "")), none()),
        ("many operations with one name", repeat("query Q { __typename } ", ("", "")), none()),
        ("many anonymous operations", "{ __typename } ".repeat(600), none()),
        ("an anonymous and a named operation", "{ me { id } } query X { me { id } }".to_owned(), none()),
        ("type definitions", "type A { b: C } ".repeat(200), none()),
        ("many type conditions", format!("{{ {} }}", "... on Query { me { id } } ".repeat(180)), none()),
        ("impossible type conditions", format!("{{ node(id: \"x\") {{ {} }} }}", "... on Query { me { id } } ".repeat(180)), none()),
        ("nested interface conditions", "{ node(id: \"x\") { ".to_owned() + &"... on Node { ".repeat(28) + "id" + &" }".repeat(30), none()),
        ("nested spreads of a fragment that costs nothing", "{ ...F0 }".to_owned() + &fragment_chain(25, "Query", "...F# ...F#", "__typename"), none()),
        ("skipped nested fragment spreads", "{ me { id ...F0 @skip(if: true) } }".to_owned() + &fragment_chain(25, "User", "id ...F# ...F#", "id"), none()),
        ("__typename in nested pages", format!("{{ tenants(first: 100) {{ nodes {{ members(first: 40) {{ nodes {{ user {{ {} }} }} }} }} }} }}", "__typename ".repeat(1900)), none()),
        ("an operation that is not selected", "{ me { id } } query B { ...F0 }".to_owned() + &fragment_chain(40, "Query", "me { id } ...F# ...F#", "me { name }"), none()),
        ("a chain of 200 fragments", "{ me { ...F0 } }".to_owned() + &fragment_chain(200, "User", "...F#", "id"), none()),
        ("equal fields with equal arguments", numbered(|_| "tenant(slug: \"a\") { id } ".to_owned(), 40, ("{ ", "}")), none()),
        ("equal fields with long equal lists", numbered(|_| format!("nodes(ids: [{}]) {{ id }} ", "\"x\" ".repeat(30)), 40, ("{ ", "}")), none()),
        ("equal fields with lists of two lengths", numbered(|n| format!("nodes(ids: [{}]) {{ id }} ", "\"x\" ".repeat(28 + n % 2)), 50, ("{ ", "}")), none()),
        ("nested overlaps", format!("{{ {} }}", "me { memberships { tenant { subscription { tenant { myMembership { tenant { id } } } } } } } ".repeat(40)), none()),
        ("nested overlaps in fragments", format!("{{ {} }}", (0..20).map(|n| format!("...F{n} ")).collect::<String>()) + &numbered(|n| format!(" fragment F{n} on Query {{ me {{ memberships {{ tenant {{ x{n}: name ...T }} }} }} }}"), 20, (" fragment T on Tenant { subscription { tenant { id name slug } } }", "")), none()),
        ("overlaps with each suffix of fragments", format!("{{ me {{ {} }} }}", (0..30).map(|n| format!("...F{n} ")).collect::<String>()) + &numbered(|n| format!(" fragment F{n} on User {{ memberships {{ user {{ {} id }} }} }}", (n + 1..30).map(|k| format!("...F{k} ")).collect::<String>()), 30, ("", "")), none()),
        ("interface conditions that overlap", format!("{{ node(id: \"x\") {{ {} }} }}", numbered(|n| format!("... on {} {{ id x: id y{n}: __typename }} ", ["Node", "Tenant", "User"][n % 3]), 110, ("", ""))), none()),
        ("many operations with one fragment", numbered(|n| format!("query Q{n} {{ ...F0 }} "), 150, ("", "")) + &fragment_chain(60, "Query", "...F#", "me { id }"), none()),
        ("many operations with variables", numbered(|n| format!("query Q{n}($a: Int) {{ tenants(first: $a) {{ totalCount }} }} "), 100, ("", "")), none()),
        ("many used variables", numbered(|n| format!("$v{n}: ID! "), 330, ("query(", ") ")) + &numbered(|n| format!("$v{n} "), 330, ("{ nodes(ids: [", "]) { id } }")), none()),
        ("input fields given twice", numbered(|_| "search: \"x\" ".to_owned(), 600, ("{ tenants(filter: {", "}) { totalCount } }")), none()),
        ("many invalid values", numbered(|_| "{a: 1} ".to_owned(), 300, ("{ nodes(ids: [", "]) { id } }")), none()),
        ("an invalid list in a variable", "query($i: [ID!]!) { nodes(ids: $i) { id } }".to_owned(), json!({"i": vec![true; 30_000]})),
        ("an invalid object in a variable", "query($f: TenantFilter) { tenants(filter: $f) { totalCount } }".to_owned(), json!({"f": (0..15_000).map(|n| (format!("k{n}"), json!(n))).collect::<serde_json::Map<_, _>>()})),
        ("an empty document", String::new(), none()),
        ("an empty selection set", "{ }".to_owned(), none()),
        ("many empty selection sets", "{ me { } }".repeat(300), none()),
        ("many root subscriptions", numbered(|n| format!("k{n}: meChanged {{ id }} "), 250, ("subscription { ", "}")), none()),
    ];
    all.retain(|(_, text, _)| text.len() <= MAX_BODY_BYTES);
    all
}

/// The durations of the measurements of a document in microseconds, and the code of its response.
struct Measurement {
    micros: Vec<u128>,
    outcome: String,
}

/// Measures one document with new executors, because a cached document would take less time.
async fn measure(
    access: &Arc<Access>,
    metrics: &Metrics,
    (name, text, variables): &(&str, String, Value),
) -> Result<Measurement, Box<dyn std::error::Error>> {
    let mut micros = Vec::with_capacity(ROUNDS);
    let mut outcome = String::new();
    for _ in 0..ROUNDS {
        let executor = GraphQlExecutor::new(
            true,
            Limits::default(),
            TrustedDocuments::default(),
            metrics.clone(),
        );
        let body = json!({"query": text, "variables": variables});
        let request: GraphQlRequest = serde_json::from_value(body)?;
        let session = Session::new(access.clone(), None, "bench".to_owned());
        let start = Instant::now();
        let response: GraphQlResponse = match executor.prepare(&request) {
            Ok(prepared) => executor.execute(Arc::new(session), prepared).await,
            Err(rejected) => rejected,
        };
        let serialized = response.to_json()?;
        micros.push(start.elapsed().as_micros());
        outcome = response.codes().next().unwrap_or("OK").to_owned();
        assert!(serialized.len() < 8 * 1024, "{name}: a response of {} bytes", serialized.len());
    }
    micros.sort_unstable();
    Ok(Measurement { micros, outcome })
}

fn main() -> Result<ExitCode, Box<dyn std::error::Error + Send + Sync>> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [measurement, name] => return bodies::run(measurement, name).map(|()| ExitCode::SUCCESS),
        ["bodies"] => {}
        _ => report_documents().map_err(|error| error.to_string())?,
    }
    let exceeded = bodies::report()?;
    println!("\nover a bound: {exceeded:?}");
    Ok(if exceeded.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The documents of ordinary clients, with their variables.
const ORDINARY: [(&str, &str, &str); 5] = [
    (
        "me with tenants and subscriptions",
        "query Me { me { id email name platformAdmin memberships { role tenant { id slug name status plan subscription { id plan status currentPeriodEnd } } } } }",
        "{}",
    ),
    (
        "a page of tenants with members",
        "query TenantsPage { tenants(first: 50) { nodes { id slug name subscription { plan status } members(first: 10) { nodes { role user { id name email } } } } pageInfo { hasNextPage endCursor } } }",
        "{}",
    ),
    (
        "a mutation",
        "mutation UpdateTenant($input: UpdateTenantInput!) { updateTenant(input: $input) { tenant { id name } } }",
        "{\"input\": {\"id\": \"ten_650000000000000000000001\", \"name\": \"A\"}}",
    ),
    (
        "a tenant by its slug",
        "query TenantBySlug($slug: String!) { tenant(slug: $slug) { id name plan subscription { status } } }",
        "{\"slug\": \"acme\"}",
    ),
    ("__typename", "query Typename { __typename }", "{}"),
];

/// Prints the time that the preparation of ordinary documents takes.
fn measure_ordinary(metrics: &Metrics) -> Result<(), Box<dyn std::error::Error>> {
    println!("\n| document | µs, first time | µs, from the cache |\n|---|--:|--:|");
    for (name, text, variables) in ORDINARY {
        let body = format!("{{\"query\": {}, \"variables\": {variables}}}", json!(text));
        let (mut first, mut cached) = (Vec::new(), Vec::new());
        for _ in 0..200 {
            let executor = GraphQlExecutor::new(
                true,
                Limits::default(),
                TrustedDocuments::default(),
                metrics.clone(),
            );
            for repetition in 0..6 {
                let request: GraphQlRequest = serde_json::from_str(&body)?;
                let start = Instant::now();
                let prepared = executor.prepare(&request);
                let elapsed = start.elapsed().as_nanos();
                assert!(prepared.is_ok(), "{name}");
                if repetition == 0 { first.push(elapsed) } else { cached.push(elapsed) }
            }
        }
        first.sort_unstable();
        cached.sort_unstable();
        let micros = |times: &[u128]| times[times.len() / 2] as f64 / 1000.0;
        println!("| {name} | {:.1} | {:.1} |", micros(&first), micros(&cached));
    }
    let start = Instant::now();
    for _ in 0..20 {
        let trusted = TrustedDocuments::default();
        drop(GraphQlExecutor::new(true, Limits::default(), trusted, metrics.clone()));
    }
    println!("\nCreating an executor takes {} µs.", start.elapsed().as_micros() / 20);
    Ok(())
}

/// Measures all documents and prints a table.
#[tokio::main(flavor = "current_thread")]
async fn report_documents() -> Result<(), Box<dyn std::error::Error>> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new()?);
    let store = Arc::new(SqliteStore::in_memory(None)?);
    let groups = GroupMapping { platform_admins: String::new(), tenant_prefix: String::new() };
    let config = AccessConfig { groups, default_tenant: String::new(), issuers: Vec::new() };
    let access = Arc::new(Access::new(store, clock, config));
    access.mark_ready();
    let metrics = Metrics::new()?;
    let mut slow = Vec::new();
    let documents = documents();
    println!("| document | bytes | µs, median | µs, maximum | code |\n|---|--:|--:|--:|---|");
    for document in &documents {
        let Measurement { micros, outcome } = measure(&access, &metrics, document).await?;
        let (median, maximum) = (micros[ROUNDS / 2], micros[ROUNDS - 1]);
        let (name, text, _) = document;
        println!("| {name} | {} | {median} | {maximum} | {outcome} |", text.len());
        if median > 5000 {
            slow.push(*name);
        }
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown").trim();
    measure_ordinary(&metrics)?;
    println!("\n{} documents; over 5 ms: {slow:?}; peak memory: {peak}", documents.len());
    Ok(())
}
