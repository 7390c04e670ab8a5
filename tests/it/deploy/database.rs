//! The script that makes MongoDB ready, by the shell that runs it, and the gateway with the rights
//! that it gives.

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
    cli::{Running, ask, run, text},
    support::{issuer::TestIssuer, mongod::Mongod},
};

const ROOT: &str = "root's own";
/// One that has to be written otherwise in a URL.
const GATEWAY: &str = "pa/ss:wo@rd";

/// Runs the script as the service `mongodb-init` does.
fn init(folder: &Path, mongod: &Mongod) -> String {
    let shell = root().join("tests/deploy/node_modules/mongosh/bin/mongosh.js");
    assert!(shell.exists(), "these tests need MongoDB's shell. Run: scripts/fetch-deploy");
    let mut command = Command::new("node");
    command.arg(shell).args(["--nodb", "--quiet", "--norc", "--file"]);
    command.arg(root().join("deploy/mongodb/init.js")).stdin(Stdio::null());
    command.env("HOME", folder).env("MONGODB_HOST", mongod.host());
    for (variable, name, content) in [
        ("MONGODB_ROOT_PASSWORD_FILE", "root", ROOT),
        ("MONGODB_GATEWAY_PASSWORD_FILE", "gateway", GATEWAY),
    ] {
        let path = folder.join(name);
        fs::write(&path, format!("{content}\n")).expect("written");
        command.env(variable, path);
    }
    let output = command.output().expect("node");
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success(), "{said}");
    for secret in [ROOT, GATEWAY] {
        assert!(!said.contains(secret), "{said}");
    }
    said
}

/// A database that the script has made ready, twice.
async fn ready() -> (TempDir, Mongod, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let mongod = Mongod::secured(ROOT).await;
    let (folder, mongod, said) = tokio::task::spawn_blocking(move || {
        let said = [init(folder.path(), &mongod), init(folder.path(), &mongod)];
        (folder, mongod, said)
    })
    .await
    .expect("ended");
    assert!(said[0].contains("initiated rs0") && !said[1].contains("initiated"), "{said:?}");
    let url =
        format!("mongodb://tenantry:pa%2Fss%3Awo%40rd@{}/tenantry?replicaSet=rs0", mongod.host());
    (folder, mongod, url)
}

fn now() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "the program itself goes by the system's clock")]
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(now.expect("after 1970").as_secs()).expect("in range")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_works_with_the_rights_that_it_is_given() {
    let (folder, _mongod, url) = ready().await;
    let variables = [("TENANTRY_DATABASE_URL", &*url)];
    for _ in 0..2 {
        let seeded = run(folder.path(), &["seed"], &variables);
        assert_eq!(seeded.status.code(), Some(0), "{}", text(&seeded.stderr));
    }
    let issuer = TestIssuer::start().await;
    let all = [
        ("TENANTRY_DATABASE_URL", &*url),
        ("TENANTRY_OIDC_ISSUER", issuer.url()),
        ("TENANTRY_OIDC_AUDIENCE", "tenantry"),
    ];
    let mut serve = Running::serve(folder.path(), &all);
    let serving = serve.logged("serving");
    let endpoint = format!("http://{}/graphql", serving["bind"].as_str().expect("an address"));
    serve.logged("the database is ready");
    let token = |subject: &str, groups: &[&str]| {
        let token = issuer.token().subject(subject).issued_at(now()).expires_at(now() + 600);
        token.groups(groups.iter().copied()).sign()
    };
    let (ada, carol) = (token("ada", &["platform-admins"]), token("carol", &["tenant:dezky"]));
    let carols = ask(&endpoint, &carol, "{ me { id memberships { tenant { slug } } } }").await;
    assert_eq!(carols["data"]["me"]["memberships"][0]["tenant"]["slug"], "dezky", "{carols}");
    let user = carols["data"]["me"]["id"].as_str().expect("an id");
    let made = change(
        &endpoint,
        &ada,
        "createTenant(input: {slug: \"acme\", name: \"Acme\"}) { tenant { id } }",
    )
    .await;
    let tenant = made["createTenant"]["tenant"]["id"].as_str().expect("an id");
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
        change(&endpoint, &ada, &mutation).await;
    }
    let history = ask(&endpoint, &ada, "{ me { id } auditLog { totalCount } }").await;
    assert!(history["data"]["auditLog"]["totalCount"].as_i64() > Some(6), "{history}");
}

/// What a mutation gives, which must be no error. `me` makes the actor where there is none yet.
async fn change(endpoint: &str, token: &str, mutation: &str) -> Value {
    ask(endpoint, token, "{ me { id } }").await;
    let answer = ask(endpoint, token, &format!("mutation {{ {mutation} }}")).await;
    assert_eq!(answer["errors"], json!(null), "{mutation}: {answer}");
    answer["data"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_has_no_right_to_more() {
    let (folder, mongod, url) = ready().await;
    let seeded = run(folder.path(), &["seed"], &[("TENANTRY_DATABASE_URL", &url)]);
    assert_eq!(seeded.status.code(), Some(0), "{}", text(&seeded.stderr));
    let client = Client::with_uri_str(&url).await.expect("a URL");
    let database = client.database("tenantry");
    let events = database.collection::<Document>("auditEvents");
    assert!(events.count_documents(doc! {}).await.expect("a count") > 0, "history can be read");
    let set = doc! { "$set": { "action": "nothing" } };
    let refused = [
        events.update_many(doc! {}, set).await.map(drop),
        events.delete_many(doc! {}).await.map(drop),
        events.drop().await,
        database.collection::<Document>("users").drop().await,
        database.drop().await,
        client.database("other").collection("x").insert_one(doc! {}).await.map(drop),
    ];
    for (place, refused) in refused.into_iter().enumerate() {
        let error = refused.expect_err(&format!("the {place}-th is allowed"));
        assert!(
            error.to_string().contains("Unauthorized")
                || error.to_string().contains("not authorized"),
            "{error}"
        );
    }
    // And without a password, nothing at all.
    let anybody = Client::with_uri_str(mongod.uri("tenantry")).await.expect("a URL");
    let anybody = anybody.database("tenantry").collection::<Document>("users");
    assert!(anybody.find_one(doc! {}).await.is_err());
}
