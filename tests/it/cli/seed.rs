//! `seed --demo`, as somebody at a terminal or in a pipeline has it.

use std::{
    path::Path,
    process::{Command, Output},
};

use mongodb::bson::{Document, doc};
use tenantry::seed::generator::DemoTenant;

use super::{Running, ask, run, tenantry, text};
use crate::support::{
    issuer::TestIssuer,
    mongod::{Fresh, Kind, Mongod},
};

/// Runs `seed` with these arguments.
fn seed(folder: &Path, database: &str, arguments: &[&str]) -> Output {
    let arguments: Vec<_> = ["seed"].iter().chain(arguments).copied().collect();
    run(folder, &arguments, &[("TENANTRY_DATABASE_URL", database)])
}

/// What it said on standard output, where all went well.
fn said(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout)
}

fn totals(n: u32) -> (usize, usize) {
    let all: Vec<_> = (1..=n).map(DemoTenant::nth).collect();
    let users = all.iter().map(|sample| sample.users.len()).sum();
    (users, all.iter().map(|sample| sample.subscriptions.len()).sum())
}

/// As it is told.
fn made(n: u32, tenants: u32, users: usize, subscriptions: usize) -> String {
    let before = n - tenants;
    format!(
        "demo tenants 1 to {n}: created {tenants}, with {users} users and {subscriptions} subscriptions; {before} were created before\n"
    )
}

/// On both stores: twice, more of them, and the gateway that shows them.
async fn comes_once_and_grows(folder: &Path, database: &str) {
    let ((some, some_subscriptions), (all, all_subscriptions)) = (totals(30), totals(120));
    let first = said(&seed(folder, database, &["--demo", "30"]));
    assert!(first.contains(&made(30, 30, some, some_subscriptions)), "{first}");
    assert!(first.contains("the default tenant is dezky"), "{first}");
    assert!(said(&seed(folder, database, &["--demo", "30"])).contains(&made(30, 0, 0, 0)));
    let variables = [("TENANTRY_DATABASE_URL", database), ("TENANTRY_DEMO_TENANTS", "120")];
    let grown = said(&run(folder, &["seed"], &variables));
    let rest = made(120, 90, all - some, all_subscriptions - some_subscriptions);
    assert!(grown.contains(&rest), "{grown}");

    let issuer = TestIssuer::start().await;
    let variables = [
        ("TENANTRY_DATABASE_URL", database),
        ("TENANTRY_OIDC_ISSUER", issuer.url()),
        ("TENANTRY_OIDC_AUDIENCE", "tenantry"),
    ];
    let mut serve = Running::serve(folder, &variables);
    let serving = serve.logged("serving");
    serve.logged("the database is ready");
    let endpoint = format!("http://{}/graphql", serving["bind"].as_str().expect("an address"));
    let token = issuer.token().groups(["platform-admins"]).expires_at(4_000_000_000).sign();
    // The query that the program itself tells.
    let query =
        grown.lines().find_map(|line| line.strip_prefix("example query for a platform admin: "));
    ask(&endpoint, &token, "{ me { id } }").await;
    let answer = ask(&endpoint, &token, query.expect("a query")).await;
    let tenants = &answer["data"]["tenants"];
    assert_eq!(tenants["totalCount"], 120, "{answer}");
    let nodes = tenants["nodes"].as_array().expect("nodes");
    assert!(
        nodes.len() == 20 && nodes.iter().any(|node| node["subscription"]["status"] == "ACTIVE")
    );
    // While it serves, more may come.
    assert!(said(&seed(folder, database, &["--demo", "130"])).contains(": created 10,"));
    let answer = ask(&endpoint, &token, query.expect("a query")).await;
    assert_eq!(answer["data"]["tenants"]["totalCount"], 130);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_comes_once_and_grows_on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    comes_once_and_grows(folder.path(), "sqlite://demo.db").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_comes_once_and_grows_on_mongodb() {
    let folder = tempfile::tempdir().expect("a folder");
    let fresh = Fresh::new().await;
    comes_once_and_grows(folder.path(), &fresh.uri).await;
    let (users, _) = totals(130);
    let found = fresh.database.collection::<Document>("users");
    let found = found.count_documents(doc! { "issuer": "urn:tenantry:demo" }).await;
    assert_eq!(found.expect("a count"), users as u64);
}

#[test]
fn in_a_pipe_it_is_lines_without_control_characters() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = seed(folder.path(), "sqlite://demo.db", &["--demo", "500"]);
    said(&output);
    for bytes in [&output.stdout, &output.stderr] {
        assert!(!text(bytes).chars().any(|c| c.is_control() && c != '\n'), "{}", text(bytes));
    }
    let told = text(&output.stderr);
    let told: Vec<_> = told.lines().filter(|line| line.contains("creating demo tenants")).collect();
    assert_eq!(told.len(), 11, "the start and each tenth: {told:#?}");
    assert!(told[10].contains("done=500"), "{told:#?}");
}

#[test]
fn a_number_that_is_none_is_told_in_one_line() {
    let folder = tempfile::tempdir().expect("a folder");
    for bad in ["0", "-1", "1000001", "1e3", "many", "", "99999999999"] {
        let output = seed(folder.path(), "sqlite://demo.db", &[&format!("--demo={bad}")]);
        let why = text(&output.stderr);
        assert_eq!((output.status.code(), why.lines().count()), (Some(2), 1), "{bad:?}: {why}");
        assert!(why.contains("TENANTRY_DEMO_TENANTS") && why.contains("1000000"), "{why}");
    }
    assert!(!folder.path().join("demo.db").exists(), "nothing is done before");
}

#[test]
fn a_database_that_is_away_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = Mongod::nowhere(Kind::ReplicaSet).uri("portal");
    let output = seed(folder.path(), &url, &["--demo", "10"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "");
}

/// What it says of how far it came is so, and the same command goes on from there.
#[test]
fn a_signal_ends_it_between_two_commits() {
    for signal in ["-TERM", "-INT"] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = tenantry(folder.path());
        command.args(["seed", "--demo", "1000000", "--log-format", "json"]);
        command.env("TENANTRY_DATABASE_URL", "sqlite://demo.db");
        let mut running = Running::logging(command);
        running.logged("creating demo tenants");
        let pid = running.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().expect("kill").success());
        let why = running.lines.by_ref().find(|line| line.starts_with("tenantry: "));
        let why = why.expect("a last line");
        assert_eq!(running.child.wait().expect("an end").code(), Some(1), "{why}");
        let done = why.strip_prefix("tenantry: stopped: ").and_then(|rest| rest.split(' ').next());
        let done: u32 = done.and_then(|done| done.parse().ok()).unwrap_or_else(|| panic!("{why}"));
        assert!(done > 0 && done.is_multiple_of(50), "{why}");
        let next = (done + 20).to_string();
        let said = said(&seed(folder.path(), "sqlite://demo.db", &["--demo", &next]));
        assert!(
            said.contains(": created 20,") && said.contains(&format!("; {done} were created")),
            "{said}"
        );
    }
}

#[test]
fn what_is_in_the_way_ends_it_with_a_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    // A tenant that has a demo tenant's slug: the default one will do.
    let default = ["--default-tenant-slug", "demo-000003"];
    said(&seed(folder.path(), "sqlite://demo.db", &default));
    let output = seed(folder.path(), "sqlite://demo.db", &["--demo", "5"]);
    let why = text(&output.stderr);
    let last = why.lines().last().unwrap_or_default();
    assert_eq!(output.status.code(), Some(1), "{why}");
    assert!(last.contains("demo-000003") && last.contains("slug"), "{why}");
    assert!(last.contains("2 of 5 demo tenants are done"), "{why}");
}
