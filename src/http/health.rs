//! Alive, ready, and what was counted. They are for whoever runs this, on a bind of their own.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use super::{AppState, ShutdownPhase};
use crate::metrics;

/// How long readiness waits for the store.
const READINESS_TIMEOUT: Duration = Duration::from_secs(2);

/// `GET /healthz`: the process answers. Never touches the store: restarting this program mends no database.
pub(super) async fn alive() -> Json<Value> {
    Json(json!({"status": "alive"}))
}

/// `GET /readyz`: 200, or 503 with a reason for each part that is not ready.
pub(super) async fn ready(State(gateway): State<Arc<AppState>>) -> (StatusCode, Json<Value>) {
    let mut reasons = Map::new();
    if *gateway.stages.borrow() > ShutdownPhase::Running {
        reasons.insert("program".to_owned(), "it is about to end".into());
    }
    if let Err(reason) = store_ready(&gateway).await {
        reasons.insert("store".to_owned(), reason.into());
    }
    if let Err(reason) = gateway.authenticator.check_ready() {
        reasons.insert("keys".to_owned(), reason.into());
    }
    if reasons.is_empty() {
        (StatusCode::OK, Json(json!({"status": "ready"})))
    } else {
        let body = json!({"status": "not ready", "reasons": reasons});
        (StatusCode::SERVICE_UNAVAILABLE, Json(body))
    }
}

async fn store_ready(gateway: &AppState) -> Result<(), String> {
    let answered = tokio::time::timeout(READINESS_TIMEOUT, gateway.access.check_ready()).await;
    answered.unwrap_or_else(|_| Err("the database did not answer in time".to_owned()))
}

/// `GET /metrics`
pub(super) async fn metrics(State(gateway): State<Arc<AppState>>) -> Response {
    gateway.authenticator.update_gauges();
    match gateway.metrics.encode() {
        Ok(text) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics have no text");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
