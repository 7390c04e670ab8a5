//! GraphiQL, for people.

use std::sync::Arc;

use axum::{
    extract::State,
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};

use super::Gateway;

/// `GET /`
pub(super) async fn page(State(gateway): State<Arc<Gateway>>) -> Response {
    if gateway.playground { html() } else { StatusCode::NOT_FOUND.into_response() }
}

/// The page itself.
pub(super) fn html() -> Response {
    Html(include_str!("playground.html")).into_response()
}
