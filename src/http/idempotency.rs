//! `Idempotency-Key`: a mutation that has one may be sent again, and is done once (after the
//! draft-ietf-httpapi-idempotency-key-header).

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, StatusCode, header};

use tokio::sync::oneshot;
use tracing::Instrument;

use super::{
    Gateway,
    graphql::Rejection,
    in_flight::Place,
    time_limit::{Deadline, timed_out},
};
use crate::{
    access::{Admission, Caller, Refusal, Run, Session, digest},
    graphql::{Answer, Code, Document, Prepared},
};

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// The longest key, in bytes.
const KEY_MAX: usize = 255;
/// The longest answer that is kept, in bytes. After a longer one, a repeat is answered from what is
/// stored then, and still does nothing.
const ANSWER_MAX: usize = 1024 * 1024;
/// Errors that say nothing of what was asked: a repeat is to try again. Who was nobody here, or was
/// shut out, has asked for nothing yet; the usual client calls `me` then, and sends it again.
const PASSING: &[&str] = &[
    Code::Unavailable.word(),
    Code::Timeout.word(),
    Code::Internal.word(),
    Code::UserNotProvisioned.word(),
    Code::UserDisabled.word(),
];

/// A request that may go on.
pub(super) enum Admitted {
    /// It is to run, as this.
    Run(Run),
    /// It ran before; this was the answer.
    Answered(String),
}

/// The request's key, if it has one: 1 to 255 printable ASCII characters.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<&str>, Rejection> {
    let mut values = headers.get_all(HEADER).iter();
    let (first, second) = (values.next(), values.next());
    let Some(key) = first else { return Ok(None) };
    let key = key.to_str().unwrap_or("").trim();
    if second.is_some() || !(1..=KEY_MAX).contains(&key.len()) {
        let message = "Send one `Idempotency-Key` of 1 to 255 printable ASCII characters.";
        return Err(Rejection::malformed(message));
    }
    Ok(Some(key))
}

/// What tells one request from another under the same key.
pub(super) fn fingerprint(document: &Document) -> [u8; 32] {
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
pub(super) async fn admit(
    gateway: &Gateway,
    caller: &Caller,
    key: &str,
    fingerprint: [u8; 32],
) -> Result<Admitted, Rejection> {
    match gateway.access.admit(caller, key, fingerprint).await {
        Ok(Admission::Run(run)) => Ok(Admitted::Run(run)),
        Ok(Admission::Answered(body)) => Ok(Admitted::Answered(body)),
        Ok(Admission::Busy) => {
            let message = "A request with this `Idempotency-Key` is still at work; try again.";
            Err(Rejection::new(StatusCode::CONFLICT, Code::Unavailable, message)
                .with(header::RETRY_AFTER, "1"))
        }
        Ok(Admission::Mismatch) => {
            let message = "This `Idempotency-Key` was used for another request.";
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Err(Rejection::new(status, Code::BadUserInput, message))
        }
        Err(Refusal::Unavailable) => {
            let message = "Not available just now; try again.";
            Err(Rejection::new(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, message)
                .with(header::RETRY_AFTER, "1"))
        }
        Err(_) => Err(broken()),
    }
}

/// Runs it to its end, also where the client has gone away, so that its repeat finds the answer; the
/// request's time is its end too, and it keeps the request's place.
pub(super) async fn run(
    gateway: Arc<Gateway>,
    session: Arc<Session>,
    prepared: Prepared,
    run: Run,
    (deadline, place): (Deadline, Place),
) -> Result<Answer, Rejection> {
    let (answered, answer) = oneshot::channel();
    let work = async move {
        let ran = deadline.hold(gateway.api.execute(session.clone(), prepared)).await;
        let body = ran.as_ref().and_then(worth_keeping);
        gateway.access.settle(&run, body).await;
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
        Ok(None) => Err(timed_out()),
        Err(_) => Err(broken()),
    }
}

/// The answer's text, where a repeat is to be answered the same.
fn worth_keeping(answer: &Answer) -> Option<String> {
    let counts = answer.ran() && !answer.codes().any(|code| PASSING.contains(&code));
    let body = if counts { serde_json::to_string(answer).ok() } else { None };
    body.filter(|body| body.len() <= ANSWER_MAX)
}

fn broken() -> Rejection {
    let message = "Something went wrong here.";
    Rejection::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, message)
}
