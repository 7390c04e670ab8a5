//! The command `seed --demo`: its output, its exit codes and the data that it creates.

use std::{
    path::Path,
    process::{Command, Output},
};

use mongodb::bson::{Document, doc};
use tenantry::seed::generator::DemoTenant;

use super::{Running, run, send_query, tenantry, text};
use crate::support::{
    issuer::TestIssuer,
    mongod::{FreshDatabase, Kind, Mongod},
};

/// Runs `seed` with the given arguments.
fn seed(folder: &Path, database: &str, arguments: &[&str]) -> Output {
    let arguments: Vec<_> = ["seed"].iter().chain(arguments).copied().collect();
    run(folder, &arguments, &[("TENANTRY_DATABASE_URL", database)])
}

/// Returns the standard output of a successful run.
fn stdout(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// Returns the numbers of users and of subscriptions of the first `n` demo tenants.
fn totals(n: u32) -> (usize, usize) {
    let tenants: Vec<_> = (1..=n).map(DemoTenant::nth).collect();
    let users = tenants.iter().map(|tenant| tenant.users.len()).sum();
    (users, tenants.iter().map(|tenant| tenant.subscriptions.len()).sum())
}

/// The summary that `seed` prints.
fn summary(n: u32, tenants: u32, users: usize, subscriptions: usize) -> String {
    let before = n - tenants;
    format!(
        "demo tenants 1 to {n}: created {tenants}, with {users} users and {subscriptions} subscriptions; {before} were created before\n"
    )
}

/// Seeds twice, extends the data and queries it. Runs on both stores.
async fn assert_demo_seed_is_idempotent_and_extends(folder: &Path, database: &str) {
    let ((users_of_30, subscriptions_of_30), (users, subscriptions)) = (totals(30), totals(120));
    let first = stdout(&seed(folder, database, &["--demo", "30"]));
    assert!(first.contains(&summary(30, 30, users_of_30, subscriptions_of_30)), "{first}");
    assert!(first.contains("the default tenant is dezky"), "{first}");
    assert!(stdout(&seed(folder, database, &["--demo", "30"])).contains(&summary(30, 0, 0, 0)));
    let variables = [("TENANTRY_DATABASE_URL", database), ("TENANTRY_DEMO_TENANTS", "120")];
    let extended = stdout(&run(folder, &["seed"], &variables));
    let rest = summary(120, 90, users - users_of_30, subscriptions - subscriptions_of_30);
    assert!(extended.contains(&rest), "{extended}");

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
    // The query that the command prints.
    let query =
        extended.lines().find_map(|line| line.strip_prefix("example query for a platform admin: "));
    send_query(&endpoint, &token, "{ me { id } }").await;
    let response = send_query(&endpoint, &token, query.expect("a query")).await;
    let tenants = &response["data"]["tenants"];
    assert_eq!(tenants["totalCount"], 120, "{response}");
    let nodes = tenants["nodes"].as_array().expect("nodes");
    assert!(
        nodes.len() == 20 && nodes.iter().any(|node| node["subscription"]["status"] == "ACTIVE")
    );
    // More demo tenants can be created while the gateway runs.
    assert!(stdout(&seed(folder, database, &["--demo", "130"])).contains(": created 10,"));
    let response = send_query(&endpoint, &token, query.expect("a query")).await;
    assert_eq!(response["data"]["tenants"]["totalCount"], 130);
}

#[tokio::test(flavor = "multi_thread")]
async fn demo_seed_is_idempotent_and_extends_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_demo_seed_is_idempotent_and_extends(folder.path(), "sqlite://demo.db").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn demo_seed_is_idempotent_and_extends_mongodb() {
    let folder = tempfile::tempdir().expect("a folder");
    let fresh = FreshDatabase::new().await;
    assert_demo_seed_is_idempotent_and_extends(folder.path(), &fresh.uri).await;
    let (users, _) = totals(130);
    let collection = fresh.database.collection::<Document>("users");
    let count = collection.count_documents(doc! { "issuer": "urn:tenantry:demo" }).await;
    assert_eq!(count.expect("a count"), users as u64);
}

#[test]
fn piped_output_has_no_control_characters() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = seed(folder.path(), "sqlite://demo.db", &["--demo", "500"]);
    stdout(&output);
    for bytes in [&output.stdout, &output.stderr] {
        assert!(!text(bytes).chars().any(|c| c.is_control() && c != '\n'), "{}", text(bytes));
    }
    let log = text(&output.stderr);
    let progress: Vec<_> =
        log.lines().filter(|line| line.contains("creating demo tenants")).collect();
    assert_eq!(progress.len(), 11, "the start and every tenth of the way: {progress:#?}");
    assert!(progress[10].contains("done=500"), "{progress:#?}");
}

#[test]
fn invalid_number_of_demo_tenants_is_reported_in_one_line() {
    let folder = tempfile::tempdir().expect("a folder");
    for invalid in ["0", "-1", "1000001", "1e3", "many", "", "99999999999"] {
        let output = seed(folder.path(), "sqlite://demo.db", &[&format!("--demo={invalid}")]);
        let error = text(&output.stderr);
        let outcome = (output.status.code(), error.lines().count());
        assert_eq!(outcome, (Some(2), 1), "{invalid:?}: {error}");
        assert!(error.contains("TENANTRY_DEMO_TENANTS") && error.contains("1000000"), "{error}");
    }
    assert!(!folder.path().join("demo.db").exists(), "the arguments are validated first");
}

#[test]
fn seed_fails_if_the_database_is_unreachable() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = Mongod::unstarted(Kind::ReplicaSet).uri("portal");
    let output = seed(folder.path(), &url, &["--demo", "10"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "");
}

/// The reported progress is correct, and the same command resumes from there.
#[test]
fn signal_stops_seed_between_two_commits() {
    for signal in ["-TERM", "-INT"] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = tenantry(folder.path());
        command.args(["seed", "--demo", "1000000", "--log-format", "json"]);
        command.env("TENANTRY_DATABASE_URL", "sqlite://demo.db");
        let mut running = Running::logging(command);
        running.logged("creating demo tenants");
        let pid = running.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().expect("kill").success());
        let last = running.lines.by_ref().find(|line| line.starts_with("tenantry: "));
        let last = last.expect("a last line");
        assert_eq!(running.child.wait().expect("an exit status").code(), Some(1), "{last}");
        let done = last.strip_prefix("tenantry: stopped: ").and_then(|rest| rest.split(' ').next());
        let done: u32 = done.and_then(|done| done.parse().ok()).unwrap_or_else(|| panic!("{last}"));
        assert!(done > 0 && done.is_multiple_of(50), "{last}");
        let next = (done + 20).to_string();
        let resumed = stdout(&seed(folder.path(), "sqlite://demo.db", &["--demo", &next]));
        assert!(
            resumed.contains(": created 20,")
                && resumed.contains(&format!("; {done} were created")),
            "{resumed}"
        );
    }
}

#[test]
fn conflicting_tenant_stops_seed_with_a_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    // The default tenant takes the slug of a demo tenant.
    let default = ["--default-tenant-slug", "demo-000003"];
    stdout(&seed(folder.path(), "sqlite://demo.db", &default));
    let output = seed(folder.path(), "sqlite://demo.db", &["--demo", "5"]);
    let log = text(&output.stderr);
    let last = log.lines().last().unwrap_or_default();
    assert_eq!(output.status.code(), Some(1), "{log}");
    assert!(last.contains("demo-000003") && last.contains("slug"), "{log}");
    assert!(last.contains("2 of 5 demo tenants are done"), "{log}");
}
