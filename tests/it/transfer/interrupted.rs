//! An import that is killed: all or nothing on SQLite, and to be continued on MongoDB.

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
use crate::support::mongod::FreshDatabase;

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
