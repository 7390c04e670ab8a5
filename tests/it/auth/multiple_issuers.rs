//! Several issuers: each with keys, audiences and users of its own.

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

async fn with_two(backend: Backend) -> App {
    App::with(backend, Setup { two_issuers: true, ..Setup::default() }).await
}

fn other(app: &App) -> TokenBuilder {
    let issuer = app.other_issuer.as_ref().expect("a second issuer");
    issuer.token().claim("aud", json!(OTHER_AUDIENCE))
}

#[tokio::test]
async fn each_has_its_own_users_audiences_and_keys() {
    for backend in [Backend::Sqlite, Backend::Mongo] {
        let app = with_two(backend).await;
        let email = |token: TokenBuilder| token.claim("email", json!("ada@example.org"));
        let ours = app.ask_by(email(app.issuer.token()), ME).await;
        let theirs = app.ask_by(email(other(&app)), ME).await;
        let (ours, theirs) = (&ours.data()["me"], &theirs.data()["me"]);
        assert_eq!(ours["subject"], theirs["subject"]);
        assert_eq!(ours["email"], theirs["email"], "which links nobody to anybody");
        assert_ne!(ours["id"], theirs["id"]);
        // Every other pairing of issuer, audience and key is nobody's.
        let url = app.other_issuer.as_ref().expect("a second issuer").url();
        for (name, token) in [
            ("their audience, our issuer", app.issuer.token().claim("aud", json!(OTHER_AUDIENCE))),
            ("our audience, their issuer", other(&app).claim("aud", json!(AUDIENCE))),
            ("a third issuer", app.issuer.token().claim("iss", json!("https://id.example/"))),
        ] {
            assert_eq!(app.ask_by(token, ME).await.status, 401, "{name}");
        }
        let key = crate::support::issuer::TestKey::fresh(
            crate::support::issuer::Kind::P256,
            "ours-alone",
        );
        app.issuer.set_keys(std::slice::from_ref(&key));
        let signed = |issuer: &str, aud: &str| {
            TokenBuilder::new(issuer, &key).claim("aud", json!(aud)).sign()
        };
        let good = app.ask_with(&signed(app.issuer.url(), AUDIENCE), ME, json!({})).await;
        assert_eq!(good.data()["me"]["id"], ours["id"]);
        let crossed = app.ask_with(&signed(url, OTHER_AUDIENCE), ME, json!({})).await;
        assert_eq!(crossed.status, 401, "our key does not sign for their issuer");
    }
}

#[tokio::test]
async fn one_that_is_away_is_named_and_stops_nobody_else() {
    let app = App::with(
        Backend::Sqlite,
        Setup { two_issuers: true, issuer_away: true, ..Setup::default() },
    )
    .await;
    let time = FrozenTime::start();
    let reply = app.admin("/readyz").await;
    let why = reply.json["reasons"]["keys"].as_str().expect("a reason").to_owned();
    assert_eq!(reply.status, 503);
    assert!(why.starts_with(&format!("{}: no keys: ", app.issuer.url())), "{why}");
    assert!(!why.contains(app.other_issuer.as_ref().expect("a second issuer").url()), "{why}");
    assert_eq!(app.ask_by(other(&app), ME).await.status, 200);
    assert_eq!(app.ask_by(app.issuer.token(), ME).await.codes(), ["UNAVAILABLE"]);
    assert_eq!(app.metric(r#"tenantry_auth_failures_total{reason="keys_unavailable"}"#).await, 1.0);
    app.issuer.away(false);
    time.advance(tenantry::auth::jwks_cache::COOL_DOWN).await;
    assert_eq!(app.ask_by(app.issuer.token(), ME).await.status, 200);
    assert_eq!(app.admin("/readyz").await.status, 200);
}

#[tokio::test]
async fn users_of_an_install_with_one_issuer_are_the_first_ones() {
    let app = with_two(Backend::Mongo).await;
    let mongo = app.mongo.as_ref().expect("on MongoDB");
    mongo.insert("users", vec![doc! { "subject": "ada", "name": "Ada of old" }]).await;
    let name = "{ me { name } }";
    let ours = app.ask_by(app.issuer.token(), name).await;
    assert_eq!(ours.data()["me"]["name"], "Ada of old");
    let theirs = app.ask_by(other(&app), name).await;
    assert_eq!(theirs.data()["me"]["name"], "ada", "made new: the subject alone is nobody");
    let stored = app.stored("ada").await.expect("there");
    let found = app.store.users(UserKeys::Ids(&[stored.id])).await.expect("a read");
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn another_instance_agrees() {
    let app = App::on(Backend::Mongo).await;
    let another = app.another_instance().await;
    let token = app.token("ada", []);
    let first = app.ask_with(&token, ME, json!({})).await;
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {token}"))
        .body(Body::from(json!({"query": ME}).to_string()));
    let second = send(&another, request.expect("a request")).await;
    assert_eq!(first.data(), second.data());
}
