//! An older token never restores a right that was removed after it was issued.

use mongodb::bson::{DateTime, Document, doc, oid::ObjectId};
use serde_json::{Value, json};
use tenantry::domain::{
    change::Change,
    sync::LEEWAY,
    tenant::Tenant,
    time::Timestamp,
    user::{TenantRole, User},
};

use super::edit_manually;
use crate::support::{
    app::{App, Backend, on_both_stores},
    issuer::{NOW, TokenBuilder},
    world,
};

on_both_stores! {
    removal_by_mutation_is_undone_only_by_a_newer_token,
    manual_removal_is_not_undone_by_existing_tokens,
    token_without_iat_restores_nothing,
    token_issued_in_the_future_is_rejected_or_applied_at_iat,
    older_token_grants_nothing_in_a_recreated_tenant,
}

const GROUPS: [&str; 2] = ["tenant:acme:owner", "platform-admins"];

/// A removal of one of the rights that [`GROUPS`] grant.
#[derive(Clone, Copy, Debug)]
enum Removal {
    Membership,
    LowerRole,
    PlatformAdmin,
}

impl Removal {
    const ALL: [Self; 3] = [Self::LowerRole, Self::Membership, Self::PlatformAdmin];

    /// Applies the removal to a user.
    fn apply(self, user: &mut User) {
        match self {
            Self::Membership => user.memberships.clear(),
            Self::LowerRole => user.memberships[0].role = TenantRole::Member,
            Self::PlatformAdmin => user.platform_admin = None,
        }
    }

    /// Returns the MongoDB update of the removal.
    fn update(self) -> Document {
        match self {
            Self::Membership => doc! { "$set": { "memberships": [] } },
            Self::LowerRole => doc! { "$set": { "memberships.0.role": "member" } },
            Self::PlatformAdmin => {
                doc! { "$set": { "platformAdmin": false }, "$unset": { "platformAdminSource": 1 } }
            }
        }
    }

    /// Returns the rights in `me` after the removal.
    fn remaining_rights(self) -> Value {
        match self {
            Self::Membership => rights(true, None),
            Self::LowerRole => rights(true, Some("MEMBER")),
            Self::PlatformAdmin => rights(false, Some("OWNER")),
        }
    }
}

fn rights(platform_admin: bool, role: Option<&str>) -> Value {
    let memberships: Vec<Value> = role.into_iter().map(|role| json!({"role": role})).collect();
    json!({"platformAdmin": platform_admin, "memberships": memberships})
}

fn all_rights() -> Value {
    rights(true, Some("OWNER"))
}

/// Returns a token with all groups, issued this many seconds after [`NOW`].
fn token(app: &App, offset: i64) -> TokenBuilder {
    app.issuer.token().subject("bob").issued_at(NOW + offset).groups(GROUPS)
}

async fn me(app: &App, token: TokenBuilder) -> Value {
    let reply = app.query_with_token(token, "{ me { platformAdmin memberships { role } } }").await;
    reply.data()["me"].clone()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds).expect("in range")
}

async fn watermark(app: &App) -> Option<Timestamp> {
    app.stored_user("bob").await.expect("stored").groups_as_of
}

async fn acme(app: &App) -> Tenant {
    let acme = world::tenant(1, "acme");
    app.store.commit(&[Change::InsertTenant(acme.clone())]).await.expect("free");
    acme
}

/// Sets the watermark to the time of the removal plus the leeway, as every removal by a mutation
/// does.
async fn removal_by_mutation_is_undone_only_by_a_newer_token(app: App) {
    acme(&app).await;
    let leeway = i64::try_from(LEEWAY.as_secs()).expect("in range");
    assert_eq!(me(&app, token(&app, -500)).await, all_rights());
    let mut start = 0;
    for removal in Removal::ALL {
        let removed_at = at(NOW + start);
        app.edit_user("bob", |bob| {
            removal.apply(bob);
            bob.groups_as_of = Some(removed_at.saturating_add(LEEWAY));
            bob.version += 1;
        })
        .await;
        // A token older than the one that granted the rights, that token itself, tokens from just
        // before and after the removal, and the last one from a clock that is ahead.
        for offset in [start - 600, start - 500, start - 1, start, start + 1, start + leeway] {
            let rights = me(&app, token(&app, offset)).await;
            assert_eq!(rights, removal.remaining_rights(), "{removal:?} {}", offset - start);
            assert_eq!(watermark(&app).await, Some(removed_at.saturating_add(LEEWAY)));
        }
        app.clock.advance(leeway + 1);
        let newer = start + leeway + 1;
        assert_eq!(me(&app, token(&app, newer)).await, all_rights(), "{removal:?}");
        assert_eq!(watermark(&app).await, Some(at(NOW + newer)));
        app.clock.advance(1000);
        start += leeway + 1001;
    }
}

async fn manual_removal_is_not_undone_by_existing_tokens(app: App) {
    acme(&app).await;
    for (round, removal) in (0..).zip(Removal::ALL) {
        let granted = round * 10 - 500;
        assert_eq!(me(&app, token(&app, granted)).await, all_rights());
        edit_manually(&app, "bob", removal.update(), |bob| removal.apply(bob)).await;
        for offset in [granted, granted - 1, granted - 1000] {
            assert_eq!(
                me(&app, token(&app, offset)).await,
                removal.remaining_rights(),
                "{removal:?}"
            );
        }
        assert_eq!(watermark(&app).await, Some(at(NOW + granted)));
        // The provider still has the group, so its next token restores the right.
        assert_eq!(me(&app, token(&app, granted + 1)).await, all_rights(), "{removal:?}");
    }
}

async fn token_without_iat_restores_nothing(app: App) {
    acme(&app).await;
    assert_eq!(me(&app, token(&app, -500)).await, all_rights());
    for removal in Removal::ALL {
        edit_manually(&app, "bob", removal.update(), |bob| removal.apply(bob)).await;
    }
    let before = watermark(&app).await;
    let no_rights = rights(false, None);
    assert_eq!(me(&app, token(&app, 0).without("iat")).await, no_rights);
    assert_eq!(watermark(&app).await, before);
}

async fn token_issued_in_the_future_is_rejected_or_applied_at_iat(app: App) {
    acme(&app).await;
    let rejected = app.query_with_token(token(&app, 61), "{ me { id } }").await;
    assert_eq!((rejected.status, rejected.reads), (401, 0));
    assert_eq!(app.stored_user("bob").await, None);
    // A provider's clock may be ahead by at most the leeway.
    assert_eq!(me(&app, token(&app, 60)).await, all_rights());
    assert_eq!(watermark(&app).await, Some(at(NOW + 60)));
    assert_eq!(
        me(&app, token(&app, 59).groups([])).await,
        all_rights(),
        "older than the watermark"
    );
    app.clock.advance(1);
    assert_eq!(me(&app, token(&app, 61).groups([])).await, rights(false, None));
}

async fn older_token_grants_nothing_in_a_recreated_tenant(app: App) {
    let old = acme(&app).await;
    let granting = token(&app, -500).groups(["tenant:acme:owner"]);
    assert_eq!(me(&app, granting).await, rights(false, Some("OWNER")));
    // The tenant is recreated at `NOW`. On MongoDB it replaces the old one by a manual deletion,
    // which leaves the membership of the old tenant behind.
    let recreated = Tenant {
        id: world::id(9),
        slug: if app.mongo.is_some() { "acme" } else { "globex" }.to_owned(),
        created_at: at(NOW),
        updated_at: at(NOW),
        domains: Vec::new(),
        integrations: None,
        ..old.clone()
    };
    if let Some(mongo) = &app.mongo {
        let tenants = mongo.database.collection::<Document>("tenants");
        let id = ObjectId::from_bytes(old.id.raw.0);
        tenants.delete_one(doc! { "_id": id }).await.expect("deleted");
    }
    app.store.commit(&[Change::InsertTenant(recreated.clone())]).await.expect("free");
    let group = format!("tenant:{}:owner", recreated.slug);
    let role = async |offset| {
        let token = token(&app, offset).groups([&*group]);
        let query = format!(
            "{{ me {{ id }} tenant(slug: \"{}\") {{ myMembership {{ role }} }} }}",
            recreated.slug
        );
        app.query_with_token(token, &query).await.data()["tenant"].clone()
    };
    for offset in [-500, -499, -1] {
        assert_eq!(role(offset).await, Value::Null, "{offset}");
    }
    assert_eq!(role(0).await, json!({"myMembership": {"role": "OWNER"}}));
}

/// The tombstone of a deleted user rejects every token from before the deletion. The test inserts
/// the tombstone as a manual edit, so it runs on MongoDB only.
#[tokio::test]
async fn deleted_user_is_recreated_only_by_a_newer_token() {
    let app = App::on(Backend::Mongo).await;
    acme(&app).await;
    assert_eq!(me(&app, token(&app, -500)).await, all_rights());
    let old_id = app.stored_user("bob").await.expect("created").id;
    let mongo = app.mongo.as_ref().expect("on MongoDB");
    let users = mongo.database.collection::<Document>("users");
    users.delete_one(doc! { "subject": "bob" }).await.expect("deleted");
    let tombstone = doc! {
        "issuer": app.issuer.url(), "subject": "bob", "deletedAt": DateTime::from_millis(NOW * 1000),
    };
    mongo.insert("tombstones", vec![tombstone]).await;
    for old in [token(&app, -500), token(&app, 0), token(&app, 60), token(&app, 0).without("iat")] {
        for query in
            ["{ me { id } }", "{ tenants { totalCount } me { id } }", "{ users { totalCount } }"]
        {
            let reply = app.query_with_token(old.clone(), query).await;
            assert!(reply.codes().iter().all(|code| *code == "USER_NOT_PROVISIONED"));
            assert!(!reply.codes().is_empty(), "{}", reply.body);
        }
    }
    assert_eq!(app.stored_user("bob").await, None);
    app.clock.advance(1);
    assert_eq!(me(&app, token(&app, 61).groups([])).await, rights(false, None));
    assert_ne!(app.stored_user("bob").await.expect("created").id, old_id);
}
