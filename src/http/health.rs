//! The endpoints of the admin bind, which serves the operator: liveness, readiness and metrics.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use super::{serve::ShutdownPhase, state::AppState};
use crate::metrics;

/// The maximum duration of the store's readiness check.
const READINESS_TIMEOUT: Duration = Duration::from_secs(2);

/// Handles `GET /healthz`: reports that the process responds.
///
/// It does not check the store, because restarting the gateway does not fix a database.
pub(super) async fn alive() -> Json<Value> {
    Json(json!({"status": "alive"}))
}

/// Handles `GET /readyz`: 200, or 503 with a reason for each part that is not ready.
pub(super) async fn ready(State(state): State<Arc<AppState>>) -> (StatusCode, Json<Value>) {
    let mut reasons = Map::new();
    if *state.shutdown.borrow() > ShutdownPhase::Running {
        reasons.insert("program".to_owned(), "shutting down".into());
    }
    if let Err(reason) = check_store(&state).await {
        reasons.insert("store".to_owned(), reason.into());
    }
    if let Err(reason) = state.authenticator.check_ready() {
        reasons.insert("keys".to_owned(), reason.into());
    }
    if let Err(reason) = state.access.check_change_feed() {
        reasons.insert("changeFeed".to_owned(), reason.into());
    }
    if reasons.is_empty() {
        (StatusCode::OK, Json(json!({"status": "ready"})))
    } else {
        let body = json!({"status": "not ready", "reasons": reasons});
        (StatusCode::SERVICE_UNAVAILABLE, Json(body))
    }
}

async fn check_store(state: &AppState) -> Result<(), String> {
    let result = tokio::time::timeout(READINESS_TIMEOUT, state.access.check_ready()).await;
    result.unwrap_or_else(|_| {
        let seconds = READINESS_TIMEOUT.as_secs();
        Err(format!("the database did not respond within {seconds} s"))
    })
}

/// Handles `GET /metrics`: the metrics in the text format of Prometheus.
pub(super) async fn metrics(State(state): State<Arc<AppState>>) -> Response {
    state.authenticator.update_gauges();
    if let Some(lag) = state.access.change_feed_lag() {
        state.metrics.set_feed_lag(lag);
    }
    match state.metrics.encode() {
        Ok(text) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "cannot encode the metrics");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
