//! Somebody who makes up key identifiers by the thousand.

use futures_util::future::join_all;
use serde_json::json;
use tenantry::auth::jwks_cache::COOL_DOWN;
use tokio::time::Instant;

use super::{later, until};
use crate::support::app::{App, Backend};

const QUERY: &str = "{ me { name } }";
const UNKNOWN: usize = 10_000;

/// Signed by nobody: its key is looked for before its signature is.
fn made_up(app: &App, n: usize) -> String {
    let token = app.issuer.token().header("kid", json!(format!("made-up-{n}")));
    token.raw_signature(&"A".repeat(86)).sign()
}

#[tokio::test]
async fn made_up_keys_cause_one_fetch_in_a_cool_down_and_hold_nobody_up() {
    let app = App::on(Backend::Sqlite).await;
    let good = app.token("ada", []);
    app.ask_with(&good, QUERY, json!({})).await.data();
    assert_eq!(app.issuer.jwks_fetches(), 1, "the one at start");
    let made_up: Vec<String> = (0..UNKNOWN).map(|n| made_up(&app, n)).collect();
    let began = Instant::now();

    // While the provider takes its time, all of them wait for one fetch, and good tokens for nothing.
    let gate = app.issuer.hold();
    let flood = join_all(made_up.iter().map(|token| app.ask_with(token, QUERY, json!({}))));
    let mut answered = 0;
    let meanwhile = async {
        until(|| app.issuer.jwks_fetches() == 2).await;
        for _ in 0..100 {
            app.ask_with(&good, QUERY, json!({})).await.data();
            answered += 1;
        }
        drop(gate);
    };
    let (replies, ()) = tokio::join!(flood, meanwhile);
    assert_eq!(answered, 100);
    assert!(replies.iter().all(|reply| reply.status == 401 && reply.reads == 0));

    // Once it is known that there is no such key, nobody waits and nobody asks.
    for few in made_up.chunks(100) {
        let refused = join_all(few.iter().map(|token| app.ask_with(token, QUERY, json!({})))).await;
        assert!(refused.iter().all(|reply| reply.status == 401));
        app.ask_with(&good, QUERY, json!({})).await.data();
        answered += 1;
    }
    assert_eq!(answered, 200, "good tokens were answered throughout");
    // A slow machine may take longer than a cool-down for this, and then may have asked again.
    let cool_downs = (began.elapsed().as_secs() / COOL_DOWN.as_secs()) as usize;
    let fetches = app.issuer.jwks_fetches();
    assert!((2..=2 + cool_downs).contains(&fetches), "{fetches} in {:?}", began.elapsed());
    let refused = app.metric(r#"tenantry_auth_failures_total{reason="unknown_key"}"#).await;
    assert_eq!(refused as usize, 2 * UNKNOWN);

    later(COOL_DOWN).await;
    for token in &made_up[..100] {
        assert_eq!(app.ask_with(token, QUERY, json!({})).await.status, 401);
    }
    assert_eq!(app.issuer.jwks_fetches(), fetches + 1, "one more after it");
    let issuer = app.issuer.url();
    let ok = format!(r#"tenantry_jwks_fetches_total{{issuer="{issuer}",outcome="ok"}}"#);
    assert_eq!(app.metric(&ok).await as usize, fetches + 1);
}
