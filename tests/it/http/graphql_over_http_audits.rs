//! The GraphQL over HTTP audits of the npm package `graphql-http`, run against the served endpoint.

use std::{path::Path, process::Command};

use serde_json::Value;

use crate::support::app::{App, Backend};

/// The number of audits in the locked version. An audit that silently disappears fails the test.
const AUDITS: usize = 61;

/// Runs all audits against a URL and returns their results.
async fn run_audits(url: String) -> Vec<Value> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/audits");
    assert!(
        home.join("node_modules/graphql-http").exists(),
        "this test needs the audits. Run: scripts/lay-out-npm tests/audits"
    );
    let mut node = Command::new("node");
    node.current_dir(home).args(["run.mjs", &url]);
    let output = tokio::task::spawn_blocking(move || node.output()).await.expect("a finished task");
    let output = output.expect("this test needs Node.js");
    let stderr = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no JSON; {stderr}"))
}

/// Returns the audits that failed, each with its identifier, its name and the reason.
fn failures(audits: &[Value]) -> Vec<String> {
    let failed = audits.iter().filter(|audit| audit["status"] != "ok");
    failed.map(|audit| format!("{} {}: {}", audit["id"], audit["name"], audit["reason"])).collect()
}

#[tokio::test]
async fn every_audit_passes() {
    let app = App::on(Backend::Sqlite).await;
    let audits = run_audits(format!("{}/graphql", app.serve().await)).await;
    assert_eq!(failures(&audits), [""; 0]);
    assert_eq!(audits.len(), AUDITS);
}

#[tokio::test]
async fn audits_fail_against_a_url_without_an_endpoint() {
    let app = App::on(Backend::Sqlite).await;
    let audits = run_audits(format!("{}/nowhere", app.serve().await)).await;
    assert!(failures(&audits).len() > AUDITS / 2, "{audits:#?}");
}
