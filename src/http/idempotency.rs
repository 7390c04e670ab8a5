//! Executes a mutation with an `Idempotency-Key` once, and replays its response to retries.
//!
//! The behaviour follows draft-ietf-httpapi-idempotency-key-header. `access::idempotency` has the
//! rules that do not depend on HTTP.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::http::{HeaderMap, HeaderName, StatusCode};
use tokio::sync::oneshot;
use tracing::Instrument;

use super::{
    concurrency_limit::ConcurrencyPermit,
    error::HttpError,
    rate_limit::{RateLimitKey, RateLimiter},
    state::AppState,
    timeout::Deadline,
};
use crate::{
    access::{AccessError, ClaimOutcome, Session},
    domain::user::Identity,
    graphql::{Code, GraphQlResponse, PreparedOperation, RequestExtensions},
};

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// The maximum length of a key, in bytes.
const MAX_KEY_BYTES: usize = 255;
/// The maximum length of a stored response, in bytes.
///
/// A longer response is not stored. A retry then gets a response from the current data, and still
/// changes nothing. The response to a usual mutation has less than 2 KiB.
const MAX_STORED_BODY_BYTES: usize = 16 * 1024;
/// The number of new keys that a user may use per day.
///
/// Together with [`MAX_STORED_BODY_BYTES`], this bounds the storage that one user can fill.
pub const MAX_KEYS_PER_DAY: u64 = 10_000;
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

/// Returns the limit on the new keys of each user: `keys` at once, which are available again after a
/// day.
#[must_use]
pub fn key_limiter(keys: u64) -> RateLimiter {
    RateLimiter::new(keys, Duration::from_secs(24 * 60 * 60))
}

/// The `Idempotency-Key` of a request: 1 to 255 printable ASCII characters.
pub(super) struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Returns the key of a request, or `None` if it has no `Idempotency-Key` header.
    ///
    /// # Errors
    ///
    /// Returns 400 for an invalid key and for more than one header.
    pub(super) fn from_headers(headers: &HeaderMap) -> Result<Option<Self>, HttpError> {
        let mut values = headers.get_all(HEADER).iter();
        let (first, second) = (values.next(), values.next());
        let Some(key) = first else { return Ok(None) };
        let key = key.to_str().unwrap_or("").trim();
        if second.is_some() || !(1..=MAX_KEY_BYTES).contains(&key.len()) {
            let message = "Send one `Idempotency-Key` of 1 to 255 printable ASCII characters.";
            return Err(HttpError::bad_request(message));
        }
        Ok(Some(Self(key.to_owned())))
    }
}

impl IdempotencyKey {
    /// Returns the key in the `extensions` of a request, for a transport without headers.
    ///
    /// # Errors
    ///
    /// Returns 400 for an invalid key.
    pub(super) fn from_extensions(
        extensions: &RequestExtensions,
    ) -> Result<Option<Self>, HttpError> {
        let Some(json) = extensions.idempotency_key() else { return Ok(None) };
        let key: Option<String> = serde_json::from_str(json.get()).ok();
        let is_printable = |key: &String| key.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        let key = key.filter(is_printable).map(|key| key.trim().to_owned());
        match key.filter(|key| (1..=MAX_KEY_BYTES).contains(&key.len())) {
            Some(key) => Ok(Some(Self(key))),
            None => {
                let message = "`extensions.idempotencyKey` must be 1 to 255 printable ASCII \
                               characters.";
                Err(HttpError::bad_request(message))
            }
        }
    }
}

/// The response to a mutation with an `Idempotency-Key`.
pub(super) enum KeyedResponse {
    /// The response of this execution.
    Executed(GraphQlResponse),
    /// The body of the stored response of an earlier request.
    Replayed(String),
}

/// A mutation with an `Idempotency-Key`, and all that its run needs.
pub(super) struct KeyedMutation {
    /// The state of the gateway.
    pub(super) state: Arc<AppState>,
    /// The first session of the request.
    pub(super) session: Arc<Session>,
    /// The caller, whose keys are limited.
    pub(super) caller: Identity,
    /// The prepared mutation.
    pub(super) operation: PreparedOperation,
    /// The key of the request.
    pub(super) key: IdempotencyKey,
    /// The time at which the request times out.
    pub(super) deadline: Deadline,
    /// The permit of the request.
    pub(super) permit: ConcurrencyPermit,
}

impl KeyedMutation {
    /// Claims the key, executes the mutation and stores its response, or replays a stored response.
    ///
    /// All of this is one run in a task of its own. It ends even if the client disconnects, so that
    /// a claimed key is always completed or released. The run holds the concurrency permit of its
    /// request, so the number of runs is limited.
    ///
    /// # Errors
    ///
    /// Returns 409 if another request with the key takes too long, 422 if the key was used for a
    /// different request, 429 if the caller has used too many keys, 503 if the store is unavailable,
    /// and 504 at the deadline.
    pub(super) async fn run(self) -> Result<KeyedResponse, HttpError> {
        let (client, request) = oneshot::channel::<Infallible>();
        let session = self.session.clone();
        let run = async move {
            let response = self.claim_and_execute().await;
            if client.is_closed() {
                log_disconnected(&session, &response);
            }
            response
        };
        let response = tokio::spawn(run.in_current_span()).await;
        drop(request);
        // The executor turns a panic of a resolver into an error. This covers the rest of the run.
        response.unwrap_or_else(|_| Err(HttpError::internal_server_error()))
    }

    async fn claim_and_execute(self) -> Result<KeyedResponse, HttpError> {
        let Self { state, session, caller, operation, key, deadline, permit: _permit } = self;
        let executor = &state.executor;
        // The deadline must not cancel a claim, which could then be made and never be released. It
        // ends the wait for the viewer, which the claim needs, and the execution.
        if deadline.run(session.viewer(false)).await.is_none() {
            return Err(HttpError::gateway_timeout());
        }
        let session = match session.claim_request(&key.0, operation.fingerprint()).await {
            Ok(ClaimOutcome::Execute { session, is_new }) => {
                if is_new && let Err(error) = charge_key(&state, &caller) {
                    session.complete_request(None).await;
                    return Err(error);
                }
                session
            }
            Ok(ClaimOutcome::Denied(session)) => session,
            other => return replay(other),
        };
        let work = async {
            let execution = executor.execute(session.clone(), operation);
            let response = deadline.run(execution).await;
            session.complete_request(response.as_ref().and_then(cacheable_body)).await;
            response
        };
        let response = session.keep_alive_during(work).await;
        response.map(KeyedResponse::Executed).ok_or_else(HttpError::gateway_timeout)
    }
}

/// Returns the stored response of a request that is not executed, or the error that rejects it.
fn replay(outcome: Result<ClaimOutcome, AccessError>) -> Result<KeyedResponse, HttpError> {
    match outcome {
        Ok(ClaimOutcome::Completed(body)) => Ok(KeyedResponse::Replayed(body)),
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
        _ => Err(HttpError::internal_server_error()),
    }
}

/// Charges the caller for a new key, or rejects the request if the caller has used too many.
fn charge_key(state: &AppState, caller: &Identity) -> Result<(), HttpError> {
    let (key, now) = (RateLimitKey::User(caller), state.clock.now());
    state.traffic_limits.idempotency_keys.try_acquire(key, 1, 0, now).map_err(|wait| {
        state.metrics.record_rate_limited(key.as_label());
        let message = "Too many `Idempotency-Key`s of this user are in use. Wait for \
                       `retryAfterSeconds` before sending a new one.";
        HttpError::too_many_requests(message, wait)
    })
}

fn log_disconnected(session: &Session, response: &Result<KeyedResponse, HttpError>) {
    let codes = match response {
        Ok(KeyedResponse::Executed(response)) => Some(response.codes().collect::<Vec<_>>()),
        _ => None,
    };
    let (store_reads, store_writes) = (session.reads(), session.writes());
    tracing::info!(
        ?codes,
        store_reads,
        store_writes,
        "mutation completed after its client disconnected"
    );
}

/// Returns the response body to store, or `None` if a retry must execute the mutation again.
fn cacheable_body(response: &GraphQlResponse) -> Option<String> {
    let is_final =
        response.executed() && !response.codes().any(|code| TRANSIENT_CODES.contains(&code));
    let body = if is_final { response.to_json().ok() } else { None };
    let body = body.filter(|body| body.len() <= MAX_STORED_BODY_BYTES);
    body.and_then(|body| String::from_utf8(body).ok())
}
