//! A client that sends thousands of tokens with unknown key identifiers.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tenantry::auth::jwks_cache::COOL_DOWN;

use super::until;
use crate::support::{
    app::{App, Backend},
    time::FrozenTime,
};

const QUERY: &str = "{ me { name } }";
const UNKNOWN: usize = 10_000;

/// Returns a token without a valid signature: the gateway looks its key up before it verifies.
fn token_with_unknown_kid(app: &App, n: usize) -> String {
    let token = app.issuer.token().header("kid", json!(format!("unknown-{n}")));
    token.raw_signature(&"A".repeat(86)).sign()
}

#[tokio::test]
async fn unknown_kids_cause_one_fetch_per_cool_down_and_delay_no_other_caller() {
    let app = App::on(Backend::Sqlite).await;
    // On a busy machine the flood takes longer than the cool-down and the fetch's time limit. Both
    // follow the clock, so the clock stands still.
    let time = FrozenTime::start();
    let known_token = app.token("ada", []);
    app.query_with_variables(&known_token, QUERY, json!({})).await.data();
    assert_eq!(app.issuer.jwks_fetches(), 1, "the fetch at start");
    let unknown: Vec<String> = (0..UNKNOWN).map(|n| token_with_unknown_kid(&app, n)).collect();

    // While the provider is slow, all of these requests wait for one fetch. Known keys wait for
    // none.
    let gate = app.issuer.pause();
    let flood =
        join_all(unknown.iter().map(|token| app.query_with_variables(token, QUERY, json!({}))));
    let mut completed = 0;
    let meanwhile = async {
        until(|| app.issuer.jwks_fetches() == 2).await;
        for _ in 0..100 {
            app.query_with_variables(&known_token, QUERY, json!({})).await.data();
            completed += 1;
        }
        drop(gate);
    };
    let (replies, ()) = tokio::join!(flood, meanwhile);
    assert_eq!(completed, 100);
    let rejected = replies.iter().filter(|reply| reply.status == 401 && reply.reads == 0);
    assert_eq!(rejected.count(), UNKNOWN);

    // During the cool-down the gateway rejects unknown keys at once, without a fetch.
    for chunk in unknown.chunks(100) {
        let requests = chunk.iter().map(|token| app.query_with_variables(token, QUERY, json!({})));
        assert!(join_all(requests).await.iter().all(|reply| reply.status == 401));
        app.query_with_variables(&known_token, QUERY, json!({})).await.data();
        completed += 1;
    }
    assert_eq!(completed, 200, "callers with a known key are served throughout");
    assert_eq!(app.issuer.jwks_fetches(), 2);
    let rejected = app.metric(r#"tenantry_auth_failures_total{reason="unknown_key"}"#).await;
    assert_eq!(rejected as usize, 2 * UNKNOWN);

    time.advance(COOL_DOWN - Duration::from_millis(1)).await;
    assert_eq!(app.query_with_variables(&unknown[0], QUERY, json!({})).await.status, 401);
    assert_eq!(app.issuer.jwks_fetches(), 2, "the cool-down has not ended");
    time.advance(Duration::from_millis(1)).await;
    for token in &unknown[..100] {
        assert_eq!(app.query_with_variables(token, QUERY, json!({})).await.status, 401);
    }
    assert_eq!(app.issuer.jwks_fetches(), 3, "one fetch after the cool-down");
    let issuer = app.issuer.url();
    let ok = format!(r#"tenantry_jwks_fetches_total{{issuer="{issuer}",outcome="ok"}}"#);
    assert_eq!(app.metric(&ok).await as usize, 3);
}
