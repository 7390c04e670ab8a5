//! A token never brings back what was taken away.

use mongodb::bson::{DateTime, Document, doc, oid::ObjectId};
use serde_json::{Value, json};
use tenantry::domain::{
    change::Change,
    sync::LEEWAY,
    tenant::Tenant,
    time::Timestamp,
    user::{TenantRole, User},
};

use super::by_hand;
use crate::support::{
    app::{App, Backend, on_both_stores},
    issuer::{NOW, TokenBuilder},
    world,
};

on_both_stores! {
    what_was_removed_here_comes_back_by_a_token_from_after_it_alone,
    what_a_hand_removed_stays_removed_for_the_tokens_that_are_around,
    a_token_without_iat_brings_nothing_back,
    a_token_of_the_future_is_refused_or_counts_as_of_then,
    a_group_gives_nothing_in_a_tenant_that_was_remade,
}

const GROUPS: [&str; 2] = ["tenant:acme:owner", "platform-admins"];

/// What can be taken away of what [`GROUPS`] give.
#[derive(Clone, Copy, Debug)]
enum Removal {
    Membership,
    LowerRole,
    PlatformAdmin,
}

impl Removal {
    const ALL: [Self; 3] = [Self::LowerRole, Self::Membership, Self::PlatformAdmin];

    fn from(self, user: &mut User) {
        match self {
            Self::Membership => user.memberships.clear(),
            Self::LowerRole => user.memberships[0].role = TenantRole::Member,
            Self::PlatformAdmin => user.platform_admin = None,
        }
    }

    fn update(self) -> Document {
        match self {
            Self::Membership => doc! { "$set": { "memberships": [] } },
            Self::LowerRole => doc! { "$set": { "memberships.0.role": "member" } },
            Self::PlatformAdmin => {
                doc! { "$set": { "platformAdmin": false }, "$unset": { "platformAdminSource": 1 } }
            }
        }
    }

    /// What `me` says after it.
    fn leaves(self) -> Value {
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

fn all() -> Value {
    rights(true, Some("OWNER"))
}

/// A token with the groups, issued so many seconds after what tests take for now.
fn token(app: &App, after: i64) -> TokenBuilder {
    app.issuer.token().subject("bob").issued_at(NOW + after).groups(GROUPS)
}

async fn me(app: &App, token: TokenBuilder) -> Value {
    let reply = app.ask_by(token, "{ me { platformAdmin memberships { role } } }").await;
    reply.data()["me"].clone()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds).expect("in range")
}

async fn mark(app: &App) -> Option<Timestamp> {
    app.stored("bob").await.expect("there").groups_as_of
}

async fn acme(app: &App) -> Tenant {
    let acme = world::tenant(1, "acme");
    app.store.commit(&[Change::InsertTenant(acme.clone())]).await.expect("free");
    acme
}

/// As every removal by this program does: the watermark is the time of the removal plus the leeway.
async fn what_was_removed_here_comes_back_by_a_token_from_after_it_alone(app: App) {
    acme(&app).await;
    let leeway = i64::try_from(LEEWAY.as_secs()).expect("in range");
    assert_eq!(me(&app, token(&app, -500)).await, all());
    let mut began = 0;
    for removal in Removal::ALL {
        let removed_at = at(NOW + began);
        app.change("bob", |bob| {
            removal.from(bob);
            bob.groups_as_of = Some(removed_at.saturating_add(LEEWAY));
            bob.version += 1;
        })
        .await;
        // Older than what gave it, that one again, from just before and after the removal, and the
        // last one that may be of a clock which is ahead.
        for after in [began - 600, began - 500, began - 1, began, began + 1, began + leeway] {
            let found = me(&app, token(&app, after)).await;
            assert_eq!(found, removal.leaves(), "{removal:?} {}", after - began);
            assert_eq!(mark(&app).await, Some(removed_at.saturating_add(LEEWAY)));
        }
        app.clock.advance(leeway + 1);
        let newer = began + leeway + 1;
        assert_eq!(me(&app, token(&app, newer)).await, all(), "{removal:?}");
        assert_eq!(mark(&app).await, Some(at(NOW + newer)));
        app.clock.advance(1000);
        began += leeway + 1001;
    }
}

async fn what_a_hand_removed_stays_removed_for_the_tokens_that_are_around(app: App) {
    acme(&app).await;
    for (round, removal) in (0..).zip(Removal::ALL) {
        let given = round * 10 - 500;
        assert_eq!(me(&app, token(&app, given)).await, all());
        by_hand(&app, "bob", removal.update(), |bob| removal.from(bob)).await;
        for after in [given, given - 1, given - 1000] {
            assert_eq!(me(&app, token(&app, after)).await, removal.leaves(), "{removal:?}");
        }
        assert_eq!(mark(&app).await, Some(at(NOW + given)));
        // The provider goes on saying so: by its next token it is there again.
        assert_eq!(me(&app, token(&app, given + 1)).await, all(), "{removal:?}");
    }
}

async fn a_token_without_iat_brings_nothing_back(app: App) {
    acme(&app).await;
    assert_eq!(me(&app, token(&app, -500)).await, all());
    for removal in Removal::ALL {
        by_hand(&app, "bob", removal.update(), |bob| removal.from(bob)).await;
    }
    let before = mark(&app).await;
    let nothing = rights(false, None);
    assert_eq!(me(&app, token(&app, 0).without("iat")).await, nothing);
    assert_eq!(mark(&app).await, before);
}

async fn a_token_of_the_future_is_refused_or_counts_as_of_then(app: App) {
    acme(&app).await;
    let refused = app.ask_by(token(&app, 61), "{ me { id } }").await;
    assert_eq!((refused.status, refused.reads), (401, 0));
    assert_eq!(app.stored("bob").await, None);
    // A clock that is ahead by no more than the leeway is a good one.
    assert_eq!(me(&app, token(&app, 60)).await, all());
    assert_eq!(mark(&app).await, Some(at(NOW + 60)));
    assert_eq!(me(&app, token(&app, 59).groups([])).await, all(), "older than that one");
    app.clock.advance(1);
    assert_eq!(me(&app, token(&app, 61).groups([])).await, rights(false, None));
}

async fn a_group_gives_nothing_in_a_tenant_that_was_remade(app: App) {
    let old = acme(&app).await;
    let given = token(&app, -500).groups(["tenant:acme:owner"]);
    assert_eq!(me(&app, given).await, rights(false, Some("OWNER")));
    // Made again at `NOW`: on MongoDB in place of the old one, which leaves its membership behind.
    let remade = Tenant {
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
    app.store.commit(&[Change::InsertTenant(remade.clone())]).await.expect("free");
    let group = format!("tenant:{}:owner", remade.slug);
    let role = async |after| {
        let token = token(&app, after).groups([&*group]);
        let query = format!(
            "{{ me {{ id }} tenant(slug: \"{}\") {{ myMembership {{ role }} }} }}",
            remade.slug
        );
        app.ask_by(token, &query).await.data()["tenant"].clone()
    };
    for after in [-500, -499, -1] {
        assert_eq!(role(after).await, Value::Null, "{after}");
    }
    assert_eq!(role(0).await, json!({"myMembership": {"role": "OWNER"}}));
}

/// A user who was deleted: what is left of it refuses every token from before. (The embedded store
/// has no way yet to write it.)
#[tokio::test]
async fn a_deleted_user_comes_back_as_somebody_new_by_a_token_from_after_it_alone() {
    let app = App::on(Backend::Mongo).await;
    acme(&app).await;
    assert_eq!(me(&app, token(&app, -500)).await, all());
    let before = app.stored("bob").await.expect("made").id;
    let mongo = app.mongo.as_ref().expect("on MongoDB");
    let users = mongo.database.collection::<Document>("users");
    users.delete_one(doc! { "subject": "bob" }).await.expect("deleted");
    let deleted = doc! {
        "issuer": app.issuer.url(), "subject": "bob", "deletedAt": DateTime::from_millis(NOW * 1000),
    };
    mongo.insert("tombstones", vec![deleted]).await;
    for old in [token(&app, -500), token(&app, 0), token(&app, 60), token(&app, 0).without("iat")] {
        for query in
            ["{ me { id } }", "{ tenants { totalCount } me { id } }", "{ users { totalCount } }"]
        {
            let codes = app.ask_by(old.clone(), query).await;
            assert!(codes.codes().iter().all(|code| *code == "USER_NOT_PROVISIONED"));
            assert!(!codes.codes().is_empty(), "{}", codes.body);
        }
    }
    assert_eq!(app.stored("bob").await, None);
    app.clock.advance(1);
    assert_eq!(me(&app, token(&app, 61).groups([])).await, rights(false, None));
    assert_ne!(app.stored("bob").await.expect("made").id, before);
}
