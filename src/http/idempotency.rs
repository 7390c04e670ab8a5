//! `Idempotency-Key`: a mutation that has one may be sent again, and is done once (after the
//! draft-ietf-httpapi-idempotency-key-header).

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, StatusCode, header};

use tokio::sync::oneshot;
use tracing::Instrument;

use super::{
    AppState,
    concurrency_limit::ConcurrencyPermit,
    graphql::HttpError,
    timeout::{Deadline, gateway_timeout},
};
use crate::{
    access::{AccessError, Caller, ClaimOutcome, IdempotentRun, Session, digest},
    graphql::{Code, GraphQlRequest, GraphQlResponse, PreparedOperation},
};

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// The longest key, in bytes.
const MAX_KEY_BYTES: usize = 255;
/// The longest answer that is kept, in bytes. After a longer one, a repeat is answered from what is
/// stored then, and still does nothing.
const MAX_STORED_BODY_BYTES: usize = 1024 * 1024;
/// Errors that say nothing of what was asked: a repeat is to try again. Who was nobody here, or was
/// shut out, has asked for nothing yet; the usual client calls `me` then, and sends it again.
const TRANSIENT_CODES: &[&str] = &[
    Code::Unavailable.as_str(),
    Code::Timeout.as_str(),
    Code::Internal.as_str(),
    Code::UserNotProvisioned.as_str(),
    Code::UserDisabled.as_str(),
];

/// A request that may go on.
pub(super) enum IdempotencyDecision {
    /// It is to run, as this.
    Run(IdempotentRun),
    /// It ran before; this was the answer.
    Answered(String),
}

/// The request's key, if it has one: 1 to 255 printable ASCII characters.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<&str>, HttpError> {
    let mut values = headers.get_all(HEADER).iter();
    let (first, second) = (values.next(), values.next());
    let Some(key) = first else { return Ok(None) };
    let key = key.to_str().unwrap_or("").trim();
    if second.is_some() || !(1..=MAX_KEY_BYTES).contains(&key.len()) {
        let message = "Send one `Idempotency-Key` of 1 to 255 printable ASCII characters.";
        return Err(HttpError::malformed(message));
    }
    Ok(Some(key))
}

/// What tells one request from another under the same key.
pub(super) fn fingerprint(document: &GraphQlRequest) -> [u8; 32] {
    let json = |object: &Option<serde_json::Map<String, serde_json::Value>>| {
        // None and none of them are the same.
        let text = object.as_ref().filter(|o| !o.is_empty()).map(serde_json::to_string);
        text.transpose().ok().flatten().unwrap_or_default()
    };
    digest(&[
        document.query.as_deref().unwrap_or(""),
        document.document_id.as_deref().unwrap_or(""),
        document.operation_name.as_deref().unwrap_or(""),
        &json(&document.variables),
        &json(&document.extensions),
    ])
}

/// Lets a request run, or finds its answer; waits where another one with its key is at work.
pub(super) async fn begin(
    gateway: &AppState,
    caller: &Caller,
    key: &str,
    fingerprint: [u8; 32],
) -> Result<IdempotencyDecision, HttpError> {
    match gateway.access.claim_request(caller, key, fingerprint).await {
        Ok(ClaimOutcome::Run(run)) => Ok(IdempotencyDecision::Run(run)),
        Ok(ClaimOutcome::Completed(body)) => Ok(IdempotencyDecision::Answered(body)),
        Ok(ClaimOutcome::InProgress) => {
            let message = "A request with this `Idempotency-Key` is still at work; try again.";
            Err(HttpError::new(StatusCode::CONFLICT, Code::Unavailable, message)
                .with_header(header::RETRY_AFTER, "1"))
        }
        Ok(ClaimOutcome::KeyReused) => {
            let message = "This `Idempotency-Key` was used for another request.";
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Err(HttpError::new(status, Code::BadUserInput, message))
        }
        Err(AccessError::Unavailable) => {
            let message = "Not available just now; try again.";
            Err(HttpError::new(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, message)
                .with_header(header::RETRY_AFTER, "1"))
        }
        Err(_) => Err(internal_error()),
    }
}

/// Runs it to its end, also where the client has gone away, so that its repeat finds the answer; the
/// request's time is its end too, and it keeps the request's place.
pub(super) async fn run(
    gateway: Arc<AppState>,
    session: Arc<Session>,
    prepared: PreparedOperation,
    run: IdempotentRun,
    (deadline, place): (Deadline, ConcurrencyPermit),
) -> Result<GraphQlResponse, HttpError> {
    let (answered, answer) = oneshot::channel();
    let work = async move {
        let ran = deadline.run(gateway.api.execute(session.clone(), prepared)).await;
        let body = ran.as_ref().and_then(cacheable_body);
        gateway.access.complete_request(&run, body).await;
        drop(place);
        if let Err(ran) = answered.send(ran) {
            let codes = ran.as_ref().map(|ran| ran.codes().collect::<Vec<_>>());
            let (store_reads, store_writes) = (session.reads(), session.writes());
            tracing::info!(?codes, store_reads, store_writes, "done, after its client went away");
        }
    };
    tokio::spawn(work.in_current_span());
    match answer.await {
        Ok(Some(answer)) => Ok(answer),
        Ok(None) => Err(gateway_timeout()),
        Err(_) => Err(internal_error()),
    }
}

/// The answer's text, where a repeat is to be answered the same.
fn cacheable_body(answer: &GraphQlResponse) -> Option<String> {
    let counts = answer.executed() && !answer.codes().any(|code| TRANSIENT_CODES.contains(&code));
    let body = if counts { serde_json::to_string(answer).ok() } else { None };
    body.filter(|body| body.len() <= MAX_STORED_BODY_BYTES)
}

fn internal_error() -> HttpError {
    let message = "Something went wrong here.";
    HttpError::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, message)
}
