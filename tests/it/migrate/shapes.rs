//! The start of the gateway tells an old database from an empty and from a foreign one.

use mongodb::bson::{doc, oid::ObjectId};

use super::{OldDatabase, find};
use crate::{
    cli::{run, text},
    support::{issuer::TestIssuer, mongod::FreshDatabase},
};

/// Runs a command with everything that `serve` needs, and returns its exit code and its whole output.
async fn run_on(uri: &str, issuer: &TestIssuer, command: &'static str) -> (i32, String) {
    let variables = [
        ("TENANTRY_DATABASE_URL", uri.to_owned()),
        ("TENANTRY_OIDC_ISSUER", issuer.url().to_owned()),
        ("TENANTRY_OIDC_AUDIENCE", "tenantry".to_owned()),
        ("TENANTRY_BIND", "127.0.0.1:0".to_owned()),
        ("TENANTRY_ADMIN_BIND", "127.0.0.1:0".to_owned()),
        ("TENANTRY_LOG", "error".to_owned()),
    ];
    let run = move || {
        let folder = tempfile::tempdir().expect("a folder");
        let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, &**value)).collect();
        let output = run(folder.path(), &[command], &variables);
        (output.status.code().expect("a code"), text(&output.stdout) + &text(&output.stderr))
    };
    tokio::task::spawn_blocking(run).await.expect("ended")
}

#[tokio::test(flavor = "multi_thread")]
async fn old_database_is_refused_until_it_is_migrated() {
    let (old, issuer) = (OldDatabase::write(20).await, TestIssuer::start().await);
    let uri = &old.fresh.uri;
    for command in ["serve", "seed", "check"] {
        let (code, output) = run_on(uri, &issuer, command).await;
        assert_eq!(code, if command == "check" { 1 } else { 2 }, "{output}");
        assert!(output.contains("run `tenantry migrate --dry-run`"), "{output}");
        let errors = output.lines().filter(|line| line.starts_with("tenantry: ")).count();
        assert_eq!(errors, 1, "{output}");
    }
    assert_eq!(find(&old.fresh.database, "tenants", doc! { "slug": "dezky" }).await.len(), 0);

    old.migrate(&[], 1);
    let (code, output) = run_on(uri, &issuer, "check").await;
    assert_eq!(code, 0, "{output}");
    assert!(output.contains("`tenantry migrate` left 13 documents as they were"), "{output}");
    let (code, output) = run_on(uri, &issuer, "seed").await;
    assert_eq!(code, 0, "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_database_is_refused_and_an_empty_one_is_not() {
    let (fresh, issuer) = (FreshDatabase::new().await, TestIssuer::start().await);
    let (code, output) = run_on(&fresh.uri, &issuer, "check").await;
    assert!(code == 0 && output.contains("is reachable and usable, and empty"), "{output}");
    let (code, output) = run_on(&fresh.uri, &issuer, "migrate").await;
    assert!(code == 0 && output.contains("There was nothing to change."), "{output}");
    assert!(fresh.database.list_collection_names().await.expect("names").is_empty());

    let foreign = doc! { "_id": ObjectId::new(), "username": "ada", "password": "x" };
    fresh.insert("users", vec![foreign]).await;
    for (command, expected) in [("serve", 2), ("check", 2), ("migrate", 2)] {
        let (code, output) = run_on(&fresh.uri, &issuer, command).await;
        assert_eq!(code, expected, "{output}");
        assert!(output.contains("users has documents of another program"), "{output}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn old_database_with_few_documents_is_recognized() {
    let issuer = TestIssuer::start().await;
    for (collection, document) in [
        ("users", doc! { "authentikSubjectId": "a", "tenantIds": [] }),
        (
            "tenants",
            doc! { "slug": "acme", "name": "Acme", "stalwartDomainId": "acme.example.com" },
        ),
        ("subscriptions", doc! { "tenantId": ObjectId::new(), "stripeCustomerId": "cus_1" }),
    ] {
        let fresh = FreshDatabase::new().await;
        fresh.insert(collection, vec![document]).await;
        let (code, output) = run_on(&fresh.uri, &issuer, "serve").await;
        assert!(code == 2 && output.contains("former Node service"), "{collection}: {output}");
    }
}

#[tokio::test]
async fn sqlite_has_nothing_to_migrate() {
    let folder = tempfile::tempdir().expect("a folder");
    let variables = [("TENANTRY_DATABASE_URL", "sqlite://x.db")];
    let output = run(folder.path(), &["migrate"], &variables);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("TENANTRY_DATABASE_URL: the former service"));
    assert!(!folder.path().join("x.db").exists());
}
