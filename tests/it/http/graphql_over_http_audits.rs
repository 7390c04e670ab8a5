//! The audits of GraphQL over HTTP that npm's `graphql-http` has, against the endpoint as it is
//! served.

use std::{path::Path, process::Command};

use serde_json::Value;

use crate::support::app::{App, Backend};

/// How many there are in the locked version: one that falls away unnoticed proves nothing.
const AUDITS: usize = 61;

/// What each audit finds at a URL.
async fn audit(url: String) -> Vec<Value> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/audits");
    assert!(
        home.join("node_modules/graphql-http").exists(),
        "this test needs the audits. Run: scripts/lay-out-npm tests/audits"
    );
    let mut node = Command::new("node");
    node.current_dir(home).args(["run.mjs", &url]);
    let output = tokio::task::spawn_blocking(move || node.output()).await.expect("ended");
    let output = output.expect("this test needs Node.js");
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no JSON; {said}"))
}

/// Those that are not content, each with its level, its name and why.
fn complaints(audits: &[Value]) -> Vec<String> {
    let unhappy = audits.iter().filter(|audit| audit["status"] != "ok");
    unhappy.map(|audit| format!("{} {}: {}", audit["id"], audit["name"], audit["reason"])).collect()
}

#[tokio::test]
async fn every_audit_is_content() {
    let app = App::on(Backend::Sqlite).await;
    let audits = audit(format!("{}/graphql", app.serve().await)).await;
    assert_eq!(complaints(&audits), [""; 0]);
    assert_eq!(audits.len(), AUDITS);
}

#[tokio::test]
async fn an_audit_complains_of_what_is_no_endpoint() {
    let app = App::on(Backend::Sqlite).await;
    let audits = audit(format!("{}/nowhere", app.serve().await)).await;
    assert!(complaints(&audits).len() > AUDITS / 2, "{audits:#?}");
}
