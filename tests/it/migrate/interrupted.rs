//! A migration that is killed and started again.

use std::process::{Command, Stdio};

use mongodb::bson::doc;

use super::{Dump, OldDatabase, dump};

/// Starts a migration and kills it as soon as `collection` has `converted` documents that match.
async fn kill_after(old: &OldDatabase, collection: &str, field: &str, converted: u64) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
    command.env_clear().current_dir(old.folder.path()).args(["migrate", "--format", "json"]);
    command.env("TENANTRY_DATABASE_URL", &old.fresh.uri);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("the program starts");
    let target = old.fresh.database.collection::<mongodb::bson::Document>(collection);
    let filter = doc! { field: { "$exists": true } };
    while target.count_documents(filter.clone()).await.expect("a count") < converted {
        assert!(child.try_wait().expect("a status").is_none(), "the migration ended too early");
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
}

/// Returns a dump without the identifiers and times of audit events, and without the identifiers of
/// search keys, which the server generates.
async fn end(old: &OldDatabase) -> Dump {
    let mut dump = dump(&old.fresh.database).await;
    let events = dump.get_mut("auditEvents").expect("events");
    let event = events.iter_mut().find(|line| line.contains("database.migrate"));
    *event.expect("an event") = "one event".to_owned();
    for collection in ["tenantSearchKeys", "userSearchKeys"] {
        let keys = dump.get_mut(collection).expect("search keys");
        for line in keys.iter_mut() {
            if let Some((_, key)) = line.split_once("\"ownerId\"") {
                *line = key.to_owned();
            }
        }
        keys.sort_unstable();
    }
    dump
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_migration_continues_to_the_same_end() {
    const USERS: u32 = 4_000;
    let (whole, killed) = tokio::join!(OldDatabase::write(USERS), OldDatabase::write(USERS));
    let report = whole.migrate(&[], 1);
    for (collection, field, converted) in [
        ("migrations", "startedAt", 1),
        ("tenants", "integrations", 1),
        ("users", "subject", 1),
        ("users", "subject", 2_000),
    ] {
        kill_after(&killed, collection, field, converted).await;
        let refused = killed.run(&["serve"]);
        assert_eq!(refused.status.code(), Some(2));
        let error = super::text(&refused.stderr);
        assert!(error.contains("interrupted: run `tenantry migrate` again"), "{error}");
    }
    let last = killed.migrate(&[], 1);
    for collection in ["tenants", "users", "subscriptions"] {
        let left = |report: &serde_json::Value| report["collections"][collection]["left"].clone();
        assert_eq!(left(&last), left(&report), "{collection}");
    }
    let (whole, killed) = tokio::join!(end(&whole), end(&killed));
    assert_eq!(whole.keys().collect::<Vec<_>>(), killed.keys().collect::<Vec<_>>());
    for (collection, expected) in &whole {
        assert!(killed[collection] == *expected, "{collection} has another end");
    }
}
