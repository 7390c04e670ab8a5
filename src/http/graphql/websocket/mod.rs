//! GraphQL over WebSocket: the protocol `graphql-transport-ws`.
//!
//! `async-graphql-axum` negotiates the protocol and drives the operations of a connection. It lacks
//! most of the protocol's rules and all limits. `guard` adds them to the messages in both directions,
//! and `driver` adds the events that end a connection. `operation` passes each operation through
//! the same pipeline as a request of HTTP. [Decision 064] has the reasons.
//!
//! [Decision 064]: ../../../../docs/decisions/064-guard-the-websocket-of-async-graphql.md

mod close;
mod connection;
mod driver;
mod guard;
mod message;
mod operation;
mod writer;

use std::sync::Arc;

use async_graphql_axum::GraphQLProtocol;
use axum::{
    extract::{FromRequestParts, WebSocketUpgrade},
    http::{HeaderMap, HeaderValue, Uri, header, request::Parts},
    response::Response,
};

use crate::http::{
    closing_stream::DiscardOnClose,
    cors::AllowedOrigins,
    error::{ErrorFormat, HttpError},
    rate_limit::BASE_COST,
    state::AppState,
};

use super::pipeline::Pipeline;
use connection::Connection;
use driver::ConnectionDriver;

/// The only supported subprotocol.
const SUBPROTOCOL: &str = "graphql-transport-ws";
/// The length that a message may have in addition to its payload, in bytes.
const MAX_ENVELOPE_BYTES: usize = 1024;
/// The size of the buffer that a connection reads into, in bytes.
///
/// Each connection keeps one. Most messages are shorter, and a longer one grows the buffer.
const READ_BUFFER_BYTES: usize = 1024;

/// Returns whether a request asks to become a WebSocket.
pub(super) fn is_upgrade(headers: &HeaderMap) -> bool {
    let protocol = headers.get(header::UPGRADE);
    protocol.is_some_and(|protocol| protocol.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Upgrades a connection to a WebSocket.
pub(super) async fn upgrade(state: &Arc<AppState>, mut parts: Parts) -> Response {
    let format = ErrorFormat::from_request(&parts.headers, &parts.extensions);
    let result = try_upgrade(state, &mut parts).await;
    result.unwrap_or_else(|error| format.render(error))
}

/// Checks the request and upgrades its connection. The comments list the HTTP statuses of the errors.
async fn try_upgrade(state: &Arc<AppState>, parts: &mut Parts) -> Result<Response, HttpError> {
    check_origin(&state.traffic_limits.allowed_origins, &parts.headers)?; // 403
    select_subprotocol(&mut parts.headers)?; // 400
    let pipeline = Pipeline::new(state, parts);
    let credentials = parts.headers.get_all(header::AUTHORIZATION).iter();
    let caller = pipeline.authenticate(credentials.map(HeaderValue::as_bytes)).await?; // 400, 401, 429, 503
    let key = pipeline.rate_limit_key(caller.as_ref().map(|(caller, _)| caller));
    pipeline.check_rate_limit(key, BASE_COST, 0)?; // 429
    let protocol = GraphQLProtocol::from_request_parts(parts, &()).await;
    let protocol = protocol.map_err(|_| HttpError::subprotocol_required(SUBPROTOCOL))?;
    let upgrade = WebSocketUpgrade::from_request_parts(parts, &()).await;
    let upgrade = upgrade.map_err(|_| HttpError::upgrade_required())?; // 426
    let max_bytes = state.max_body_bytes.saturating_add(MAX_ENVELOPE_BYTES);
    let discard = parts.extensions.get::<DiscardOnClose>().cloned().unwrap_or_default();
    let driver = ConnectionDriver(Connection::new(pipeline, caller, discard));
    Ok(upgrade
        .protocols([SUBPROTOCOL])
        .max_message_size(max_bytes)
        .max_frame_size(max_bytes)
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .on_upgrade(move |socket| driver.serve(socket, protocol)))
}

/// Rejects a page of another origin, unless CORS allows its requests.
///
/// A browser sends no preflight request for a WebSocket, and lets a page of any origin open one.
fn check_origin(allowed: &AllowedOrigins, headers: &HeaderMap) -> Result<(), HttpError> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let Some(origin) = origins.next() else { return Ok(()) };
    let is_listed = match allowed {
        AllowedOrigins::Any => true,
        AllowedOrigins::List(list) => list.contains(origin),
    };
    if origins.next().is_none() && (is_listed || is_own_origin(origin, headers)) {
        return Ok(());
    }
    Err(HttpError::forbidden_origin())
}

/// Returns whether an origin is that of the gateway itself, as the client sees it.
///
/// The scheme is not compared, because a proxy may have removed the encryption.
fn is_own_origin(origin: &HeaderValue, headers: &HeaderMap) -> bool {
    let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let authority = origin.as_ref().and_then(Uri::authority);
    authority
        .zip(host)
        .is_some_and(|(authority, host)| authority.as_str().eq_ignore_ascii_case(host))
}

/// Leaves only the supported subprotocol of those that the client offers.
///
/// `async-graphql-axum` would select the older `graphql-ws` if the client offers it first. That
/// protocol has other messages.
fn select_subprotocol(headers: &mut HeaderMap) -> Result<(), HttpError> {
    let offered = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let mut offered = offered.filter_map(|value| value.to_str().ok()).flat_map(|s| s.split(','));
    if !offered.any(|protocol| protocol.trim() == SUBPROTOCOL) {
        return Err(HttpError::subprotocol_required(SUBPROTOCOL));
    }
    headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    Ok(())
}
