//! The script that initializes MongoDB, run by the real shell, and the gateway with the privileges
//! that the script grants.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use mongodb::{
    Client,
    bson::{Document, doc},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::files::root;
use crate::{
    cli::{Running, run, send_query, text},
    support::{issuer::TestIssuer, mongo_proxy::abandon_transaction, mongod::Mongod},
};

/// The root user's password.
const ROOT_PASSWORD: &str = "root's own";
/// The gateway's password, which must be percent-encoded in a URL.
const GATEWAY_PASSWORD: &str = "pa/ss:wo@rd";

/// Runs the script as the service `mongodb-init` does, and returns its output.
fn run_init_script(directory: &Path, mongod: &Mongod) -> String {
    let shell = root().join("tests/deploy/node_modules/mongosh/bin/mongosh.js");
    assert!(shell.exists(), "these tests need MongoDB's shell. Run: scripts/fetch-deploy");
    let mut command = Command::new("node");
    command.arg(shell).args(["--nodb", "--quiet", "--norc", "--file"]);
    command.arg(root().join("deploy/mongodb/init.js")).stdin(Stdio::null());
    command.env("HOME", directory).env("MONGODB_HOST", mongod.host());
    for (variable, name, content) in [
        ("MONGODB_ROOT_PASSWORD_FILE", "root", ROOT_PASSWORD),
        ("MONGODB_GATEWAY_PASSWORD_FILE", "gateway", GATEWAY_PASSWORD),
    ] {
        let path = directory.join(name);
        fs::write(&path, format!("{content}\n")).expect("write succeeds");
        command.env(variable, path);
    }
    let output = command.output().expect("node");
    let printed = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success(), "{printed}");
    for secret in [ROOT_PASSWORD, GATEWAY_PASSWORD] {
        assert!(!printed.contains(secret), "{printed}");
    }
    printed
}

/// Starts a database and runs the script twice. Returns the URL for the gateway.
async fn initialized_database() -> (TempDir, Mongod, String) {
    let directory = tempfile::tempdir().expect("temporary directory");
    let mongod = Mongod::secured(ROOT_PASSWORD).await;
    let (directory, mongod, outputs) = tokio::task::spawn_blocking(move || {
        let outputs = [(); 2].map(|()| run_init_script(directory.path(), &mongod));
        (directory, mongod, outputs)
    })
    .await
    .expect("task completes");
    let [first, second] = &outputs;
    assert!(first.contains("initiated rs0") && !second.contains("initiated"), "{outputs:?}");
    let url =
        format!("mongodb://tenantry:pa%2Fss%3Awo%40rd@{}/tenantry?replicaSet=rs0", mongod.host());
    (directory, mongod, url)
}

/// Returns the current time in seconds since the epoch.
fn now() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "the program under test uses the system clock")]
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(now.expect("after 1970").as_secs()).expect("in range")
}

#[tokio::test(flavor = "multi_thread")]
async fn gateway_works_with_the_granted_privileges() {
    let (directory, _mongod, url) = initialized_database().await;
    let variables = [("TENANTRY_DATABASE_URL", &*url)];
    for _ in 0..2 {
        let seeded = run(directory.path(), &["seed"], &variables);
        assert_eq!(seeded.status.code(), Some(0), "{}", text(&seeded.stderr));
    }
    let issuer = TestIssuer::start().await;
    let serve_variables = [
        ("TENANTRY_DATABASE_URL", &*url),
        ("TENANTRY_OIDC_ISSUER", issuer.url()),
        ("TENANTRY_OIDC_AUDIENCE", "tenantry"),
    ];
    let mut serve = Running::serve(directory.path(), &serve_variables);
    let serving = serve.logged("serving");
    let endpoint = format!("http://{}/graphql", serving["bind"].as_str().expect("an address"));
    serve.logged("the database is ready");
    let token = |subject: &str, groups: &[&str]| {
        let token = issuer.token().subject(subject).issued_at(now()).expires_at(now() + 600);
        token.groups(groups.iter().copied()).sign()
    };
    let (ada, carol) = (token("ada", &["platform-admins"]), token("carol", &["tenant:dezky"]));
    let viewer =
        send_query(&endpoint, &carol, "{ me { id memberships { tenant { slug } } } }").await;
    assert_eq!(viewer["data"]["me"]["memberships"][0]["tenant"]["slug"], "dezky", "{viewer}");
    let user = viewer["data"]["me"]["id"].as_str().expect("an id");
    let created = mutate(
        &endpoint,
        &ada,
        "createTenant(input: {slug: \"acme\", name: \"Acme\"}) { tenant { id } }",
    )
    .await;
    let tenant = created["createTenant"]["tenant"]["id"].as_str().expect("an id");
    // The next change ends the transaction of an instance that was killed.
    let _lost = abandon_transaction(&url, "tenantry").await;
    for mutation in [
        format!(
            "updateTenant(input: {{id: \"{tenant}\", plan: BUSINESS}}) {{ tenant {{ plan }} }}"
        ),
        format!(
            "addTenantMember(input: {{tenantId: \"{tenant}\", userId: \"{user}\", role: OWNER}}) {{ membership {{ role }} }}"
        ),
        format!("deleteTenant(input: {{id: \"{tenant}\"}}) {{ deletedId }}"),
        format!("deleteUser(input: {{id: \"{user}\"}}) {{ deletedId }}"),
    ] {
        mutate(&endpoint, &ada, &mutation).await;
    }
    let audit_log = send_query(&endpoint, &ada, "{ me { id } auditLog { totalCount } }").await;
    assert!(audit_log["data"]["auditLog"]["totalCount"].as_i64() > Some(6), "{audit_log}");
}

/// Executes a mutation, which must succeed, and returns its data. The query of `me` creates the
/// viewer's user if it does not exist yet.
async fn mutate(endpoint: &str, token: &str, mutation: &str) -> Value {
    send_query(endpoint, token, "{ me { id } }").await;
    let response = send_query(endpoint, token, &format!("mutation {{ {mutation} }}")).await;
    assert_eq!(response["errors"], json!(null), "{mutation}: {response}");
    response["data"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn gateway_user_has_no_other_privileges() {
    let (directory, mongod, url) = initialized_database().await;
    let seeded = run(directory.path(), &["seed"], &[("TENANTRY_DATABASE_URL", &url)]);
    assert_eq!(seeded.status.code(), Some(0), "{}", text(&seeded.stderr));
    let client = Client::with_uri_str(&url).await.expect("a URL");
    let database = client.database("tenantry");
    let events = database.collection::<Document>("auditEvents");
    assert!(
        events.count_documents(doc! {}).await.expect("count succeeds") > 0,
        "the audit log is readable"
    );
    let set = doc! { "$set": { "action": "nothing" } };
    let results = [
        events.update_many(doc! {}, set).await.map(drop),
        events.delete_many(doc! {}).await.map(drop),
        events.drop().await,
        database.collection::<Document>("users").drop().await,
        database.drop().await,
        client.database("other").collection("x").insert_one(doc! {}).await.map(drop),
    ];
    for (index, result) in results.into_iter().enumerate() {
        let error = result.expect_err(&format!("operation {index} is allowed"));
        assert!(
            error.to_string().contains("Unauthorized")
                || error.to_string().contains("not authorized"),
            "{error}"
        );
    }
    // A client without credentials cannot read anything.
    let anonymous = Client::with_uri_str(mongod.uri("tenantry")).await.expect("a URL");
    let users = anonymous.database("tenantry").collection::<Document>("users");
    assert!(users.find_one(doc! {}).await.is_err());
}
