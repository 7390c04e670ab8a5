//! The `/graphql` routes: GraphQL over HTTP by `POST` and `GET`, event streams and WebSockets.
//!
//! `request` parses a body or URL. `pipeline` has the steps that every operation passes.

mod event_stream;
mod handler;
mod pipeline;
mod request;
mod websocket;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    response::Response,
    routing,
};

use super::{
    error::{ErrorFormat, HttpError},
    media, playground,
    state::AppState,
};
use handler::RequestHandler;
use request::RequestSource;

/// Adds the `/graphql` route.
pub(super) fn routes(router: Router<Arc<AppState>>) -> Router<Arc<AppState>> {
    router.route(
        "/graphql",
        routing::get(get).merge(routing::post(post)).fallback(method_not_allowed),
    )
}

/// Handles `POST /graphql`: a query or a mutation as JSON.
async fn post(State(state): State<Arc<AppState>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let (headers, max_bytes) = (&parts.headers, state.max_body_bytes);
    let source = RequestSource::Body { headers, body, max_bytes };
    RequestHandler::new(&state, &parts).handle(source).await
}

/// Handles `GET /graphql`: a WebSocket, a query in the URL, or the playground for a browser.
async fn get(State(state): State<Arc<AppState>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    if websocket::is_upgrade(&parts.headers) {
        return websocket::upgrade(&state, parts).await;
    }
    if state.playground && media::prefers_html(&parts.headers) {
        return playground::page(&state, &parts.headers);
    }
    RequestHandler::new(&state, &parts).handle(RequestSource::Url(&parts.uri)).await
}

/// Rejects all other methods with 405.
async fn method_not_allowed(request: Request) -> Response {
    let message = "Use POST, or GET for a query.";
    let error = HttpError::method_not_allowed("GET, POST", message);
    ErrorFormat::from_request(request.headers(), request.extensions()).render(error)
}
