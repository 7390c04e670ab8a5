//! Executes a mutation with an `Idempotency-Key` once, and replays its response to retries.
//!
//! The behaviour follows draft-ietf-httpapi-idempotency-key-header. `access::idempotency` has the
//! rules that do not depend on HTTP.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, StatusCode};
use tokio::sync::oneshot;
use tracing::Instrument;

use super::{
    concurrency_limit::ConcurrencyPermit, error::HttpError, state::AppState, timeout::Deadline,
};
use crate::{
    access::{AccessError, Caller, ClaimOutcome, IdempotentRun, Session},
    graphql::{Code, GraphQlResponse, PreparedOperation},
};

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// The maximum length of a key, in bytes.
const MAX_KEY_BYTES: usize = 255;
/// The maximum length of a stored response, in bytes.
///
/// A longer response is not stored. A retry then gets a response from the current data, and still
/// changes nothing.
const MAX_STORED_BODY_BYTES: usize = 1024 * 1024;
/// The `Retry-After` of a retry that comes too early, in seconds.
const RETRY_AFTER: &str = "1";
/// The error codes whose cause is not the mutation itself. A retry executes the mutation again.
///
/// They include the codes of callers without a user and of disabled users, whose mutation was not
/// attempted. A typical client queries `me` after such an error and retries.
const TRANSIENT_CODES: &[&str] = &[
    Code::Unavailable.as_str(),
    Code::Timeout.as_str(),
    Code::Internal.as_str(),
    Code::UserNotProvisioned.as_str(),
    Code::UserDisabled.as_str(),
];

/// The `Idempotency-Key` of a request: 1 to 255 printable ASCII characters.
pub(super) struct IdempotencyKey<'a>(&'a str);

impl<'a> IdempotencyKey<'a> {
    /// Returns the key of a request, or `None` if it has no `Idempotency-Key` header.
    ///
    /// # Errors
    ///
    /// Returns 400 for an invalid key and for more than one header.
    pub(super) fn from_headers(headers: &'a HeaderMap) -> Result<Option<Self>, HttpError> {
        let mut values = headers.get_all(HEADER).iter();
        let (first, second) = (values.next(), values.next());
        let Some(key) = first else { return Ok(None) };
        let key = key.to_str().unwrap_or("").trim();
        if second.is_some() || !(1..=MAX_KEY_BYTES).contains(&key.len()) {
            let message = "Send one `Idempotency-Key` of 1 to 255 printable ASCII characters.";
            return Err(HttpError::bad_request(message));
        }
        Ok(Some(Self(key)))
    }
}

/// The next step for a mutation with an `Idempotency-Key`.
pub(super) enum IdempotencyDecision {
    /// Execute the mutation as this run.
    Execute(IdempotentRun),
    /// Return this stored response body.
    Replay(String),
}

/// Claims the key for this request, and decides whether its mutation is executed or replayed.
///
/// Waits while another request with the same key is in progress.
///
/// # Errors
///
/// Returns 409 if the other request takes too long, 422 if the key was used for a different request,
/// and 503 if the store is unavailable.
pub(super) async fn claim(
    state: &AppState,
    caller: &Caller,
    IdempotencyKey(key): &IdempotencyKey<'_>,
    operation: &PreparedOperation,
) -> Result<IdempotencyDecision, HttpError> {
    match state.access.claim_request(caller, key, operation.fingerprint()).await {
        Ok(ClaimOutcome::Run(run)) => Ok(IdempotencyDecision::Execute(run)),
        Ok(ClaimOutcome::Completed(body)) => Ok(IdempotencyDecision::Replay(body)),
        Ok(ClaimOutcome::InProgress) => {
            let message = "A request with this `Idempotency-Key` is still in progress. Try again.";
            Err(HttpError::conflict(message, RETRY_AFTER))
        }
        Ok(ClaimOutcome::KeyReused) => {
            let message = "This `Idempotency-Key` was already used for a different request.";
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Err(HttpError::new(status, Code::BadUserInput, message))
        }
        Err(AccessError::Unavailable) => {
            let message = "The service is temporarily unavailable. Try again later.";
            Err(HttpError::service_unavailable(message, RETRY_AFTER))
        }
        Err(_) => Err(HttpError::internal_server_error()),
    }
}

/// Executes a mutation and stores its response for retries.
///
/// The mutation runs to completion even if its client disconnects, so that a retry finds the stored
/// response. It keeps the request's deadline and concurrency permit.
pub(super) async fn execute(
    state: Arc<AppState>,
    session: Arc<Session>,
    operation: PreparedOperation,
    run: IdempotentRun,
    (deadline, permit): (Deadline, ConcurrencyPermit),
) -> Result<GraphQlResponse, HttpError> {
    let (sender, receiver) = oneshot::channel();
    let work = async move {
        let response = deadline.run(state.executor.execute(session.clone(), operation)).await;
        let body = response.as_ref().and_then(cacheable_body);
        state.access.complete_request(&run, body).await;
        drop(permit);
        if let Err(response) = sender.send(response) {
            let codes = response.as_ref().map(|response| response.codes().collect::<Vec<_>>());
            let (store_reads, store_writes) = (session.reads(), session.writes());
            tracing::info!(
                ?codes,
                store_reads,
                store_writes,
                "mutation completed after its client disconnected"
            );
        }
    };
    tokio::spawn(work.in_current_span());
    match receiver.await {
        Ok(Some(response)) => Ok(response),
        Ok(None) => Err(HttpError::gateway_timeout()),
        Err(_) => Err(HttpError::internal_server_error()),
    }
}

/// Returns the response body to store, or `None` if a retry must execute the mutation again.
fn cacheable_body(response: &GraphQlResponse) -> Option<String> {
    let is_final =
        response.executed() && !response.codes().any(|code| TRANSIENT_CODES.contains(&code));
    let body = if is_final { serde_json::to_string(response).ok() } else { None };
    body.filter(|body| body.len() <= MAX_STORED_BODY_BYTES)
}
