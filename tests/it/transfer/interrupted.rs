//! Exports that are stopped, and an import that is killed: all or nothing on SQLite, and to be continued
//! on MongoDB.

use std::process::{Command, Stdio};

use mongodb::bson::{Document, doc};
use tenantry::{
    domain::{
        change::Change,
        user::{MembershipSource, TenantRole},
    },
    store::Store,
};

use super::{Workplace, subscription, tenant, user};
use crate::support::mongod::{FreshDatabase, Kind, Mongod};

const MEMBERS: u32 = 3_000;

/// Creates a tenant with many members, and exports everything and the tenant alone.
async fn exports(place: &Workplace) {
    let mut changes = vec![Change::InsertTenant(tenant(1, "acme"))];
    let member = |n: u32| {
        let roles = [(1, TenantRole::Owner, MembershipSource::Direct)];
        Change::InsertUser(user(1_000 + n, &format!("member-{n}"), &roles))
    };
    changes.extend((0..MEMBERS).map(member));
    let live = tenantry::domain::subscription::TenantSubscriptionStatus::Active;
    changes.push(Change::InsertSubscription(subscription(200, 1, live)));
    let other = place.sqlite("b.db", &[Change::InsertTenant(tenant(2, "other"))]).await;
    place.succeed(&other, &["export", "--tenant", "other", "--output", "other.ndjson"]);
    let source = place.sqlite("a.db", &changes).await;
    place.succeed(&source, &["export", "--output", "all.ndjson"]);
    place.succeed(&source, &["export", "--tenant", "acme", "--output", "acme.ndjson"]);
}

/// Starts an import and kills it as soon as the database has some of its users.
async fn kill_import(place: &Workplace, fresh: &FreshDatabase, file: &str) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
    command.env_clear().current_dir(place.path()).args(["import", file]);
    command.env("TENANTRY_DATABASE_URL", &fresh.uri);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("the program starts");
    let users = fresh.database.collection::<Document>("users");
    while users.count_documents(doc! {}).await.expect("a count") < 1_000 {
        assert!(child.try_wait().expect("a status").is_none(), "the import ended too early");
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
    let count = users.count_documents(doc! {}).await.expect("a count");
    assert!(count < u64::from(MEMBERS), "the import was complete already");
}

/// A signal ends an export to a file, and removes what was written of it.
#[tokio::test(flavor = "multi_thread")]
async fn stopped_export_leaves_no_file() {
    let place = Workplace::new();
    let mongod = tokio::task::spawn_blocking(|| Mongod::running(Kind::Faulty)).await;
    let mongod = mongod.expect("a running mongod");
    mongod.initiate().await;
    let uri = mongod.uri("portal").replace("serverSelectionTimeoutMS=300&", "");
    let fresh = FreshDatabase::at(&uri).await;
    let user = |n: u32| doc! { "subject": n.to_string(), "name": "Ada", "issuer": super::ISSUER };
    fresh.insert("users", (0..600).map(user).collect()).await;
    fresh.prepared().await;
    // The second read of the users does not return.
    let stall = doc! { "failCommands": ["getMore"], "appName": "export",
    "blockConnection": true, "blockTimeMS": 600_000 };
    let stall = doc! { "configureFailPoint": "failCommand", "mode": "alwaysOn", "data": stall };
    let admin = fresh.database.client().database("admin");
    admin.run_command(stall).await.expect("the server supports fail points");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
    command.env_clear().current_dir(place.path()).args(["export", "--output", "all.ndjson"]);
    command.env("TENANTRY_DATABASE_URL", format!("{uri}&appName=export"));
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut child = child.expect("the program starts");
    let entered =
        doc! { "waitForFailPoint": "failCommand", "timesEntered": 1, "maxTimeMS": 60_000 };
    admin.run_command(entered).await.expect("the export reads");
    let files = || std::fs::read_dir(place.path()).expect("a folder").count();
    assert_eq!(files(), 1, "the unfinished file");
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill").success());
    assert_eq!(child.wait().expect("an exit status").code(), Some(1));
    let error = std::io::read_to_string(child.stderr.take().expect("piped")).expect("UTF-8");
    let last = "tenantry: all.ndjson: stopped by a signal; no file was written\n";
    assert!(error.ends_with(last), "{error}");
    assert_eq!(files(), 0);
}

/// The reader of standard output may end early, such as `head`.
#[tokio::test(flavor = "multi_thread")]
async fn unread_export_fails() {
    let place = Workplace::new();
    exports(&place).await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
    command.env_clear().current_dir(place.path()).arg("export");
    command.env("TENANTRY_DATABASE_URL", "sqlite://a.db").env("TENANTRY_LOG", "warn");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    // The file is larger than the buffer of a pipe.
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("ended");
    let error = super::text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.starts_with("tenantry: the export cannot be written: "), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_import_continues_to_the_same_end() {
    let place = Workplace::new();
    exports(&place).await;
    for (file, is_whole) in [("all.ndjson", true), ("acme.ndjson", false)] {
        let fresh = FreshDatabase::new().await;
        if !is_whole {
            let present = [Change::InsertTenant(tenant(9, "present"))];
            fresh.prepared().await.commit(&present).await.expect("committed");
        }
        kill_import(&place, &fresh, file).await;
        let seed = place.run(&fresh.uri, &["seed"]);
        let error = super::text(&seed.stderr);
        if is_whole {
            assert_eq!(seed.status.code(), Some(2), "{error}");
            assert!(error.contains("`tenantry import` with the same file"), "{error}");
        } else {
            assert_eq!(seed.status.code(), Some(0), "other tenants stay in use: {error}");
            let error = place.fail(&fresh.uri, &["export", "--tenant", "acme"]);
            assert!(
                error.contains("there is no tenant"),
                "an incomplete tenant is hidden: {error}"
            );
        }
        if is_whole {
            let error = place.fail(&fresh.uri, &["import", "acme.ndjson"]);
            assert!(error.contains("the import of another file was interrupted"), "{error}");
        } else {
            let error = place.fail(&fresh.uri, &["import", "all.ndjson"]);
            assert!(error.contains("the database is not empty"), "{error}");
            place.succeed(&fresh.uri, &["import", "other.ndjson"]);
        }
        place.succeed(&fresh.uri, &["import", file]);
        let tenant = place.succeed(&fresh.uri, &["export", "--tenant", "acme"]);
        let expected = std::fs::read_to_string(place.path().join("acme.ndjson")).expect("a file");
        assert!(tenant == expected, "{file} has another end");
        assert_eq!(place.run(&fresh.uri, &["seed"]).status.code(), Some(0));
    }
}
