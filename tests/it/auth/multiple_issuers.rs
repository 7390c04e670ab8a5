//! Several issuers. Each has its own keys, audiences and users.

use axum::{body::Body, http::Request};
use mongodb::bson::doc;
use serde_json::json;
use tenantry::store::UserKeys;

use crate::support::{
    app::{App, Backend, OTHER_AUDIENCE, Setup, send},
    issuer::{AUDIENCE, TokenBuilder},
    time::FrozenTime,
};

const ME: &str = "{ me { id subject email } }";

async fn app_with_two_issuers(backend: Backend) -> App {
    App::with(backend, Setup { two_issuers: true, ..Setup::default() }).await
}

/// A token of the second issuer for the second issuer's audience.
fn token_of_other(app: &App) -> TokenBuilder {
    let issuer = app.other_issuer.as_ref().expect("a second issuer");
    issuer.token().claim("aud", json!(OTHER_AUDIENCE))
}

#[tokio::test]
async fn each_issuer_has_its_own_users_audiences_and_keys() {
    for backend in [Backend::Sqlite, Backend::Mongo] {
        let app = app_with_two_issuers(backend).await;
        let email = |token: TokenBuilder| token.claim("email", json!("ada@example.org"));
        let first = app.query_with_token(email(app.issuer.token()), ME).await;
        let second = app.query_with_token(email(token_of_other(&app)), ME).await;
        let (first, second) = (&first.data()["me"], &second.data()["me"]);
        assert_eq!(first["subject"], second["subject"]);
        assert_eq!(first["email"], second["email"], "an equal email does not link two users");
        assert_ne!(first["id"], second["id"]);
        // Every other combination of issuer, audience and key is rejected.
        let url = app.other_issuer.as_ref().expect("a second issuer").url();
        for (name, token) in [
            (
                "the first issuer with the second audience",
                app.issuer.token().claim("aud", json!(OTHER_AUDIENCE)),
            ),
            (
                "the second issuer with the first audience",
                token_of_other(&app).claim("aud", json!(AUDIENCE)),
            ),
            ("a third issuer", app.issuer.token().claim("iss", json!("https://id.example/"))),
        ] {
            assert_eq!(app.query_with_token(token, ME).await.status, 401, "{name}");
        }
        let key = crate::support::issuer::TestKey::fresh(
            crate::support::issuer::Kind::P256,
            "first-issuer-only",
        );
        app.issuer.set_keys(std::slice::from_ref(&key));
        let sign = |issuer: &str, aud: &str| {
            TokenBuilder::new(issuer, &key).claim("aud", json!(aud)).sign()
        };
        let accepted =
            app.query_with_variables(&sign(app.issuer.url(), AUDIENCE), ME, json!({})).await;
        assert_eq!(accepted.data()["me"]["id"], first["id"]);
        let crossed = app.query_with_variables(&sign(url, OTHER_AUDIENCE), ME, json!({})).await;
        assert_eq!(
            crossed.status, 401,
            "the first issuer's key does not verify tokens of the second"
        );
    }
}

#[tokio::test]
async fn unreachable_issuer_is_reported_and_does_not_affect_the_other() {
    let app = App::with(
        Backend::Sqlite,
        Setup { two_issuers: true, issuer_away: true, ..Setup::default() },
    )
    .await;
    let time = FrozenTime::start();
    let reply = app.admin("/readyz").await;
    let reason = reply.json["reasons"]["keys"].as_str().expect("a reason").to_owned();
    assert_eq!(reply.status, 503);
    assert!(reason.starts_with(&format!("{}: no keys: ", app.issuer.url())), "{reason}");
    let other_url = app.other_issuer.as_ref().expect("a second issuer").url();
    assert!(!reason.contains(other_url), "{reason}");
    assert_eq!(app.query_with_token(token_of_other(&app), ME).await.status, 200);
    assert_eq!(app.query_with_token(app.issuer.token(), ME).await.codes(), ["UNAVAILABLE"]);
    assert_eq!(app.metric(r#"tenantry_auth_failures_total{reason="keys_unavailable"}"#).await, 1.0);
    app.issuer.set_offline(false);
    time.advance(tenantry::auth::jwks_cache::COOL_DOWN).await;
    assert_eq!(app.query_with_token(app.issuer.token(), ME).await.status, 200);
    assert_eq!(app.admin("/readyz").await.status, 200);
}

#[tokio::test]
async fn users_stored_without_an_issuer_belong_to_the_first_issuer() {
    let app = app_with_two_issuers(Backend::Mongo).await;
    let mongo = app.mongo.as_ref().expect("on MongoDB");
    mongo.insert("users", vec![doc! { "subject": "ada", "name": "Ada (stored before)" }]).await;
    let query = "{ me { name } }";
    let first = app.query_with_token(app.issuer.token(), query).await;
    assert_eq!(first.data()["me"]["name"], "Ada (stored before)");
    let second = app.query_with_token(token_of_other(&app), query).await;
    assert_eq!(
        second.data()["me"]["name"],
        "ada",
        "a new user: a subject alone identifies no user"
    );
    let stored = app.stored_user("ada").await.expect("a stored user");
    let users = app.store.users(UserKeys::Ids(&[stored.id])).await.expect("a read");
    assert_eq!(users.len(), 1);
}

#[tokio::test]
async fn second_instance_returns_the_same_user() {
    let app = App::on(Backend::Mongo).await;
    let other_instance = app.second_instance().await;
    let token = app.token("ada", []);
    let first = app.query_with_variables(&token, ME, json!({})).await;
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {token}"))
        .body(Body::from(json!({"query": ME}).to_string()));
    let second = send(&other_instance, request.expect("a request")).await;
    assert_eq!(first.data(), second.data());
}
