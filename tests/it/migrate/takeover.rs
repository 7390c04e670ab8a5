//! The report, the converted documents, and the reads of the former service.

use mongodb::bson::{Bson, doc};
use serde_json::{Value, json};

use super::{OldDatabase, dump, find};
use crate::cli::text;

#[tokio::test(flavor = "multi_thread")]
async fn damaged_database_is_taken_over_until_it_is_finished() {
    let old = OldDatabase::write(20_000).await;
    let (read, before) = (old.read(), dump(&old.fresh.database).await);

    let mut planned = old.migrate(&["--dry-run"], 1);
    assert_eq!(dump(&old.fresh.database).await, before, "a dry run changes nothing");
    insta::assert_snapshot!("report", format!("{planned:#}"));
    let report = old.migrate(&[], 1);
    planned["dryRun"] = json!(false);
    assert_eq!(report, planned, "a dry run reports the same");
    assert_eq!(old.read(), read, "the former service reads the same");

    let migrated = dump(&old.fresh.database).await;
    let again = old.migrate(&[], 1);
    assert_eq!((&again["changed"], &again["droppedIndexes"]), (&json!(false), &json!([])));
    assert_eq!(again["collections"]["users"]["converted"], 0);
    assert_eq!(dump(&old.fresh.database).await, migrated, "a second run changes nothing");
    assert_documents_are_converted(&old).await;

    let finished = old.migrate(&["--finish"], 1);
    assert_eq!(finished["collections"]["users"]["finished"], 20_004, "{finished}");
    let database = &old.fresh.database;
    let remaining = doc! { "_id": { "$gte": Bson::MinKey }, "subject": { "$exists": true }, "$or": [
        { "authentikSubjectId": { "$exists": true } }, { "tenantIds": { "$exists": true } },
        { "role": { "$exists": true } }, { "__v": { "$exists": true } },
    ] };
    assert_eq!(find(database, "users", remaining).await.len(), 0);
    let left = find(database, "users", doc! { "subject": null }).await;
    assert!(
        left.iter().all(|user| user.contains_key("__v")),
        "documents that are left keep all fields"
    );
    let done = dump(database).await;
    assert_eq!(old.migrate(&["--finish"], 1)["changed"], false);
    assert_eq!(dump(database).await, done);
    let events = find(database, "auditEvents", doc! { "action": "database.migrate" }).await;
    assert_eq!(events.len(), 2, "one event for each run that changed something");
    assert!(events.iter().all(|event| event.get("actorKind") == Some(&Bson::from("system"))));
}

/// Asserts the shape of converted documents, and that unknown fields and other types stay.
async fn assert_documents_are_converted(old: &OldDatabase) {
    let database = &old.fresh.database;
    let user = find(database, "users", doc! { "subject": "damaged-1" }).await.remove(0);
    let tenant = |n: u64| mongodb::bson::oid::ObjectId::parse_str(format!("650000000a{n:014x}"));
    let since = mongodb::bson::DateTime::parse_rfc3339_str("2023-09-01T00:00:02Z").expect("a date");
    let membership = doc! { "tenantId": tenant(2).expect("an id"), "role": "member", "source": "group", "since": since };
    assert_eq!(user.get_array("memberships").expect("an array"), &[Bson::from(membership)]);
    assert_eq!(user.get("name"), Some(&Bson::from("damaged-1")));
    assert_eq!(user.get("platformAdmin"), Some(&Bson::from(true)));
    assert_eq!(user.get("platformAdminSource"), Some(&Bson::from("group")));
    assert_eq!(user.get("createdAt"), Some(&Bson::from(since)));
    let user = find(database, "users", doc! { "subject": "42" }).await.remove(0);
    assert_eq!(user.get("loginCount"), Some(&Bson::Double(7.0)));
    assert_eq!(user.get("name"), Some(&Bson::from("4")));
    assert_eq!(user.get("favourite"), Some(&Bson::from(doc! { "colour": "blue" })));
    let tenant = find(database, "tenants", doc! { "slug": "numbers" }).await.remove(0);
    let billing = doc! { "vatId": "12345678", "address": { "postalCode": "1000" }, "note": "kept" };
    assert_eq!(tenant.get("billingInfo"), Some(&Bson::from(billing)));
    let tenant = find(database, "tenants", doc! { "slug": "acme-2" }).await.remove(0);
    assert_eq!(tenant.get("integrations"), Some(&Bson::from(doc! { "ocisSpace": "space" })));
    assert_eq!(
        tenant.get("ocisSpace"),
        Some(&Bson::from("space")),
        "old fields stay until `--finish`"
    );
    let tenant = find(database, "tenants", doc! { "name": "Acme, newer" }).await.remove(0);
    assert_eq!(tenant.get("domains"), Some(&Bson::from(vec!["shop.example.com"])));
    assert_eq!(tenant.get("legacyDomains"), Some(&Bson::from(vec!["ACME.example.com"])));
}

#[tokio::test(flavor = "multi_thread")]
async fn report_for_people_is_a_table() {
    let old = OldDatabase::write(10).await;
    let output = old.run(&["migrate", "--dry-run"]);
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!("table", text(&output.stdout));
    let error = text(&output.stderr);
    assert!(error.ends_with("documents were left as they were\n"), "{error}");
    assert!(!error.chars().any(|c| c.is_control() && c != '\n'), "{error}");
}

/// The table shows the first remarks of a kind by identifier, and JSON lists all of them.
#[tokio::test(flavor = "multi_thread")]
async fn many_remarks_are_counted_in_the_table() {
    let old = OldDatabase::write(30).await;
    let users = old.fresh.database.collection::<mongodb::bson::Document>("users");
    let unnamed = doc! { "authentikSubjectId": { "$regex": "^subject-" } };
    users.update_many(unnamed, doc! { "$unset": { "name": 1 } }).await.expect("updated");
    let json = old.migrate(&["--dry-run"], 1);
    let findings = json["findings"].as_array().expect("an array");
    let is_of_a_user =
        |finding: &&Value| finding["kind"] == "nameDerived" && finding["collection"] == "users";
    let ids: Vec<_> = findings.iter().filter(is_of_a_user).map(|found| &found["id"]).collect();
    assert_eq!(ids.len(), 32, "30 users and two damaged ones");
    let table = text(&old.run(&["migrate", "--dry-run"]).stdout);
    assert!(table.contains("\nMissing names, taken from another field (34):\n"), "{table}");
    assert!(table.contains("\n  and 14 more, which `--format json` lists\n"), "{table}");
    for id in &ids[..18] {
        assert!(table.contains(&format!("users {}: the name", id.as_str().expect("text"))));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mapped_fields_stand_for_the_known_names() {
    let old = OldDatabase::write(10).await;
    let users = old.fresh.database.collection::<mongodb::bson::Document>("users");
    users.drop_indexes().await.expect("dropped");
    let rename = doc! { "$rename": {
        "authentikSubjectId": "sso.sub", "tenantIds": "tenants", "email": "mail", "role": "level",
    } };
    users.update_many(doc! {}, rename).await.expect("renamed");
    let maps = [
        "--map",
        "users.sso.sub=authentikSubjectId",
        "--map",
        "users.tenants=tenantIds",
        "--map",
        "users.mail=email",
        "--map",
        "users.level=role",
    ];
    let report = old.migrate(&[&maps[..], &["--finish"]].concat(), 1);
    assert_eq!(report["collections"]["users"]["converted"], 14, "{report}");
    let user = find(&old.fresh.database, "users", doc! { "subject": "subject-1" }).await.remove(0);
    assert_eq!(user.get("email"), Some(&Bson::from("user-1@example.com")));
    assert_eq!(user.get_array("memberships").expect("an array").len(), 2);
    for gone in ["mail", "tenants", "level"] {
        assert!(!user.contains_key(gone), "{user}");
    }
    let invalid = old.run(&["migrate", "--map", "users.sub=subject"]);
    assert_eq!(invalid.status.code(), Some(2));
    assert!(text(&invalid.stderr).starts_with("tenantry: --map: invalid mapping"));
}
