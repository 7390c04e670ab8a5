//! Imports that the database refuses, and commands on absent things.

use tenantry::domain::{
    change::Change,
    subscription::TenantSubscriptionStatus,
    tenant::TenantIntegrations,
    user::{MembershipSource, TenantRole},
};

use super::{Workplace, event, rich_data, subscription, tenant, tenant_id, time, user};
use crate::support::mongod::FreshDatabase;
use tenantry::{
    domain::id::NodeId,
    store::{Store, sqlite::SqliteStore},
};

#[tokio::test(flavor = "multi_thread")]
async fn identifiers_and_unique_values_of_the_database_refuse_a_tenant() {
    let place = Workplace::new();
    let source = place.sqlite("a.db", &rich_data()).await;
    place.succeed(&source, &["export", "--tenant", "acme", "--output", "acme.ndjson"]);
    let mut with_domain = tenant(9, "nine");
    with_domain.domains = vec!["a.acme.example".to_owned()];
    let mut with_group = tenant(9, "nine");
    with_group.integrations = Some(TenantIntegrations {
        authentik_group: Some("acme-group".to_owned()),
        ..TenantIntegrations::default()
    });
    let nine = || Change::InsertTenant(tenant(9, "nine"));
    let member = user(100, "mallory", &[(9, TenantRole::Owner, MembershipSource::Direct)]);
    let cases = [
        (
            vec![Change::InsertTenant(tenant(9, "acme"))],
            "line 2: the database has the slug \"acme\"",
        ),
        (
            vec![Change::InsertTenant(tenant(1, "nine"))],
            "line 2: the database has the identifier \"ten_",
        ),
        (
            vec![Change::InsertTenant(with_domain)],
            "line 2: the database has the domain \"a.acme.example\"",
        ),
        (
            vec![Change::InsertTenant(with_group)],
            "line 2: the database has the integrations.authentikGroup",
        ),
        (
            vec![nine(), Change::InsertUser(member)],
            "line 3: the database has the identifier \"usr_",
        ),
        (
            vec![
                nine(),
                Change::InsertSubscription(subscription(201, 9, TenantSubscriptionStatus::Active)),
            ],
            "line 6: the database has the identifier \"sub_",
        ),
        (
            vec![
                nine(),
                Change::InsertAuditEvent(event(301, NodeId::Tenant(tenant_id(9)), &[9], &[])),
            ],
            "line 8: the database has the identifier \"aud_",
        ),
    ];
    for (n, (present, expected)) in cases.into_iter().enumerate() {
        let fresh = FreshDatabase::new().await;
        fresh.prepared().await.commit(&present).await.expect("committed");
        let sqlite = place.sqlite(&format!("{n}.db"), &present).await;
        for database in [&sqlite, &fresh.uri] {
            let before = place.succeed(database, &["export"]);
            let error = place.fail(database, &["import", "acme.ndjson"]);
            assert!(error.starts_with("tenantry: acme.ndjson: "), "{error}");
            assert!(error.contains(expected), "{error}");
            assert_eq!(place.succeed(database, &["export"]), before, "nothing is written");
        }
    }
}

/// The deletion of a tenant keeps its history, so the export of the tenant has events that the database
/// still has.
#[tokio::test(flavor = "multi_thread")]
async fn export_restores_a_deleted_tenant_beside_its_history() {
    let place = Workplace::new();
    let fresh = FreshDatabase::new().await;
    let store = fresh.prepared().await;
    store.commit(&rich_data()).await.expect("committed");
    let sqlite = place.sqlite("a.db", &rich_data()).await;
    for database in [&sqlite, &fresh.uri] {
        place.succeed(database, &["export", "--tenant", "acme", "--output", "acme.ndjson"]);
        let delete = Change::DeleteTenant {
            id: tenant_id(1),
            expected: 1,
            at: time(100),
            watermark: time(160),
        };
        if database == &sqlite {
            let store = SqliteStore::open(&place.path().join("a.db"), None).expect("a store");
            store.prepare().await.expect("prepared");
            store.commit(&[delete]).await.expect("committed");
        } else {
            store.commit(&[delete]).await.expect("committed");
            store.finish_deletions().await.expect("finished");
        }
        place.succeed(database, &["import", "acme.ndjson"]);
        let events = |export: &str| -> Vec<String> {
            export.lines().filter(|line| line.contains("auditEvent")).map(str::to_owned).collect()
        };
        let before = std::fs::read_to_string(place.path().join("acme.ndjson")).expect("a file");
        let after = place.succeed(database, &["export", "--tenant", "acme"]);
        assert_eq!(events(&after), events(&before), "each event is there once");
        assert!(!events(&before).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn export_of_everything_needs_an_empty_database() {
    let place = Workplace::new();
    let source = place.sqlite("a.db", &rich_data()).await;
    place.succeed(&source, &["export", "--output", "all.ndjson"]);
    let nine = || Change::InsertTenant(tenant(9, "nine"));
    for (n, present) in [
        vec![Change::InsertUser(user(900, "mallory", &[]))],
        vec![nine(), Change::InsertTenant(tenant(10, "ten"))],
        vec![nine(), Change::InsertAuditEvent(event(900, NodeId::Tenant(tenant_id(9)), &[9], &[]))],
        vec![Change::InsertSubscription(subscription(900, 9, TenantSubscriptionStatus::Active))],
    ]
    .into_iter()
    .enumerate()
    {
        let fresh = FreshDatabase::new().await;
        fresh.prepared().await.commit(&present).await.expect("committed");
        let sqlite = place.sqlite(&format!("{n}.db"), &present).await;
        for database in [&sqlite, &fresh.uri] {
            let error = place.fail(database, &["import", "all.ndjson"]);
            assert!(error.contains("the database is not empty"), "{error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn absent_things_are_named_in_one_line() {
    let place = Workplace::new();
    let source = place.sqlite("a.db", &rich_data()).await;
    let error = place.fail(&source, &["export", "--tenant", "absent"]);
    assert!(error.contains("there is no tenant with the slug \"absent\""), "{error}");
    let error = place.fail(&source, &["export", "--output", "no/folder/x.ndjson"]);
    assert!(error.contains("no/folder/x.ndjson"), "{error}");
    let error = place.fail("sqlite://absent.db", &["export"]);
    assert!(error.contains("there is no database at absent.db"), "{error}");
    assert!(!place.path().join("absent.db").exists());
    place.write("empty.ndjson", "");
    for (file, expected) in [
        ("absent.ndjson", "absent.ndjson: No such file"),
        ("empty.ndjson", "empty.ndjson: the file is empty"),
        (".", ".: is a folder"),
    ] {
        let error = place.fail("sqlite://b.db", &["import", file]);
        assert!(error.contains(expected), "{error}");
    }
    assert!(!place.path().join("b.db").exists(), "a file with a fault creates no database");
    let in_memory = place.run("sqlite::memory:", &["import", "empty.ndjson"]);
    assert_eq!(in_memory.status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn user_without_an_issuer_needs_the_default_one() {
    let (place, fresh) = (Workplace::new(), FreshDatabase::new().await);
    fresh.prepared().await;
    let user = mongodb::bson::doc! { "subject": "ada", "name": "Ada" };
    fresh.insert("users", vec![user]).await;
    let error = place.run(&fresh.uri, &["export", "--output", "x.ndjson"]);
    assert_eq!(error.status.code(), Some(1));
    assert!(super::text(&error.stderr).contains("set TENANTRY_OIDC_ISSUER"));
    assert!(!place.path().join("x.ndjson").exists(), "an incomplete export leaves no file");
    let arguments = ["export", "--oidc-issuer", "https://id.example.org/,https://b.example.org/"];
    let export = place.succeed(&fresh.uri, &arguments);
    assert!(export.contains("\"issuer\":\"https://id.example.org/\""), "{export}");
    fresh.insert("users", vec![mongodb::bson::doc! { "subject": 7, "name": "Bob" }]).await;
    let output = place.run(&fresh.uri, &arguments);
    let error = super::text(&output.stderr);
    assert!(
        output.status.code() == Some(1) && error.contains("1 document cannot be read"),
        "{error}"
    );
    assert_eq!(super::text(&output.stdout), export, "all other documents are exported");
}
