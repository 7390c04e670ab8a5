//! The export of one tenant, and its import beside other tenants.

use serde_json::{Value, json};
use tenantry::{
    domain::{
        change::Change,
        user::{MembershipSource, TenantRole, Tombstone},
    },
    store::{Store, UserKeys, sqlite::SqliteStore},
};

use super::{Workplace, identity, rich_data, tenant, tenant_id, time, user};
use crate::support::mongod::FreshDatabase;

fn lines(export: &str) -> Vec<Value> {
    export.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn export_of_a_tenant_has_nothing_of_other_tenants() {
    let place = Workplace::new();
    let sqlite = place.sqlite("a.db", &rich_data()).await;
    let export = place.succeed(&sqlite, &["export", "--tenant", "acme"]);
    let other = tenant_id(2).to_string();
    assert!(!export.contains(&other) && !export.contains("other"), "{export}");
    let lines = lines(&export);
    assert_eq!(lines[0]["scope"], json!({"tenant": tenant_id(1).to_string()}));
    let types: Vec<_> =
        lines[1..].iter().map(|line| line["type"].as_str().expect("a type")).collect();
    let expected =
        ["tenant", "user", "user", "subscription", "subscription", "auditEvent", "auditEvent"];
    assert_eq!(types, expected);
    assert_eq!(lines[2]["memberships"].as_array().expect("an array").len(), 1);
    assert_eq!(lines[2].get("platformAdminSource"), None);
    let fields: Vec<_> = lines[6]["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .map(|c| c["field"].clone())
        .collect();
    assert_eq!(fields, [json!("name"), json!(format!("memberships.{}", tenant_id(1)))]);

    let fresh = FreshDatabase::new().await;
    place.succeed(&sqlite, &["export", "--output", "all.ndjson"]);
    place.succeed(&fresh.uri, &["import", "all.ndjson"]);
    assert_eq!(place.succeed(&fresh.uri, &["export", "--tenant", "acme"]), export);
}

#[tokio::test(flavor = "multi_thread")]
async fn member_who_exists_gets_the_membership_only() {
    let place = Workplace::new();
    let source = place.sqlite("a.db", &rich_data()).await;
    place.succeed(&source, &["export", "--tenant", "acme", "--output", "acme.ndjson"]);
    let mut ada = user(900, "ada", &[(9, TenantRole::Member, MembershipSource::Direct)]);
    (ada.name, ada.email) = ("Another name".to_owned(), None);
    let deleted = Tombstone { identity: identity("bob"), deleted_at: time(500) };
    let present = [
        Change::InsertTenant(tenant(9, "present")),
        Change::InsertUser(ada.clone()),
        Change::InsertTombstone(deleted),
    ];
    let fresh = FreshDatabase::new().await;
    let mongo = fresh.prepared().await;
    mongo.commit(&present).await.expect("committed");
    let sqlite = place.sqlite("b.db", &present).await;
    for database in [&sqlite, &fresh.uri] {
        let printed = place.succeed(database, &["import", "acme.ndjson"]);
        assert_eq!(printed, "imported 7 records\nmembers who had a user already: 1\n");
        let again = place.fail(database, &["import", "acme.ndjson"]);
        let expected =
            format!("line 2: the database has the identifier \"{}\" already", tenant_id(1));
        assert!(again.contains(&expected), "{again}");
    }
    let sqlite = SqliteStore::open(&place.path().join("b.db"), None).expect("a store");
    for store in [&sqlite as &dyn Store, &mongo] {
        let stored = store.users(UserKeys::Identity(&identity("ada"))).await.expect("a read");
        let [Ok(stored)] = &stored[..] else { panic!("{stored:?}") };
        let membership = stored.membership(tenant_id(1)).expect("a membership");
        assert_eq!(
            (membership.role, membership.source),
            (TenantRole::Admin, MembershipSource::Group)
        );
        let mut expected = ada.clone();
        expected.memberships.push(membership.clone());
        (expected.version, expected.updated_at) = (2, stored.updated_at);
        assert_eq!(*stored, expected, "nothing else of the user changes");
        let bob = store.users(UserKeys::Identity(&identity("bob"))).await.expect("a read");
        let [Ok(bob)] = &bob[..] else { panic!("{bob:?}") };
        assert_eq!(bob.groups_as_of, Some(time(560)), "older tokens grant nothing");
        assert!(store.tombstone(&identity("bob")).await.expect("a read").is_none());
    }
}
