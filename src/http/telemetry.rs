//! What is told of a request to whoever runs this: a line of the log, a span of its trace, and counts.
//!
//! Nothing of it is a token, a secret, or a value that a document or its variables hold.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    extract::{Request, State},
    http::{Extensions, Method, StatusCode},
    middleware::Next,
    response::Response,
};
use tracing::{Instrument, Level, Span, error_span, field::Empty};

use super::{AppState, graphql::StoreCost, request_id::RequestId};
use crate::{
    access::Session,
    graphql::{Code, OperationInfo},
    metrics::{Metrics, Operation},
    trace::{self, RemoteContext},
};

/// Where requests are told of; the rest are pages.
const PATH: &str = "/graphql";
/// How many of an answer's codes are told.
const CODES: usize = 5;
/// What is told in place of a code.
const OK: &str = "OK";
/// The answer was kept for its `Idempotency-Key`; what it held is told where it was made.
const REPLAYED: &str = "REPLAYED";

/// What an answer came to, among the response's extensions.
#[derive(Clone, Debug, Default)]
pub(super) struct ResponseCodes {
    /// The codes of its errors, each once; nothing where it was an answer from before.
    codes: Option<Vec<&'static str>>,
}

impl ResponseCodes {
    /// Of an answer with these errors.
    pub(super) fn of<'a>(codes: impl Iterator<Item = &'a str>) -> Self {
        let mut told: Vec<&'static str> = Vec::new();
        for code in codes.filter_map(Code::parse).map(Code::as_str) {
            if told.len() < CODES && !told.contains(&code) {
                told.push(code);
            }
        }
        Self { codes: Some(told) }
    }

    /// Of an answer that was kept.
    pub(super) const fn repeated() -> Self {
        Self { codes: None }
    }

    /// One word for it: faults of ours go before what a client did.
    fn primary_code(&self) -> &'static str {
        let Some(codes) = &self.codes else { return REPLAYED };
        let ours = [Code::Internal.as_str(), Code::Unavailable.as_str()];
        let ours = ours.into_iter().find(|code| codes.contains(code));
        ours.or(codes.first().copied()).unwrap_or(OK)
    }
}

/// What is found out about a request on its way, among the request's extensions.
#[derive(Clone, Default)]
pub(super) struct RequestTelemetry(Arc<Mutex<RequestFacts>>);

#[derive(Default)]
struct RequestFacts {
    label: Option<Arc<OperationInfo>>,
    session: Option<Arc<Session>>,
    refused: Option<&'static str>,
}

impl RequestTelemetry {
    /// A request's; what is told to one that nobody follows is lost.
    pub(super) fn from_extensions(extensions: &Extensions) -> Self {
        extensions.get().cloned().unwrap_or_default()
    }

    /// Why its credential was refused.
    pub(super) fn set_auth_error(&self, reason: &'static str) {
        self.with(|found| found.refused = Some(reason));
    }

    /// What it asks for.
    pub(super) fn set_operation(&self, label: &Arc<OperationInfo>) {
        self.with(|found| found.label = Some(label.clone()));
    }

    /// What it runs with.
    pub(super) fn set_session(&self, session: &Arc<Session>) {
        self.with(|found| found.session = Some(session.clone()));
    }

    fn with<T>(&self, change: impl FnOnce(&mut RequestFacts) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Follows a request from its head to its answer.
pub(super) async fn layer(
    State(gateway): State<Arc<AppState>>,
    mut request: Request,
    next: Next,
) -> Response {
    let trail = RequestTelemetry::default();
    request.extensions_mut().insert(trail.clone());
    let (logged, traced) = spans(&request);
    let mut watch = RequestObserver {
        trail,
        logged: logged.clone(),
        traced: traced.clone(),
        metrics: gateway.metrics.clone(),
        graphql: request.uri().path() == PATH,
        method: method_label(request.method()),
        began: Instant::now(),
        ended: None,
    };
    let response = next.run(request).instrument(traced).instrument(logged).await;
    // A page, or a file of it: told apart by who made the answer.
    let outcome = response.extensions().get::<ResponseCodes>().cloned();
    watch.graphql &= outcome.is_some();
    watch.ended = Some((response.status(), outcome.unwrap_or_else(ResponseCodes::default)));
    response
}

/// A method, or `_OTHER` for one that a client has made up (OpenTelemetry's semantic conventions).
fn method_label(method: &Method) -> &'static str {
    let known = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT"];
    known.into_iter().find(|known| method == known).unwrap_or("_OTHER")
}

/// What gives lines of the log their request, and the request its place in a trace.
fn spans(request: &Request) -> (Span, Span) {
    let id = request.extensions().get::<RequestId>().map_or("", |RequestId(id)| id);
    // An error's span, so that no filter takes it off a line. By itself it is none.
    let logged = error_span!("request", request_id = id, trace_id = Empty);
    if request.uri().path() != PATH {
        return (logged, Span::none());
    }
    let incoming = RemoteContext::extract(request.headers());
    let sent = incoming.as_ref().map(RemoteContext::id);
    let traced = logged.in_scope(|| trace::request_span(incoming));
    if let Some(id) = trace::trace_id(&traced).or(sent) {
        logged.record("trace_id", tracing::field::display(id));
    }
    (logged, traced)
}

/// A request that is followed. What is told of it is told when it is dropped, so also of one whose
/// client has gone away.
struct RequestObserver {
    trail: RequestTelemetry,
    logged: Span,
    traced: Span,
    metrics: Metrics,
    graphql: bool,
    method: &'static str,
    began: Instant,
    ended: Option<(StatusCode, ResponseCodes)>,
}

impl Drop for RequestObserver {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        let _entered = self.logged.enter();
        match &self.ended {
            Some((status, _)) if !self.graphql => {
                tracing::debug!(target: trace::REQUEST_LOG_TARGET, status = status.as_u16(), "served");
            }
            Some((status, outcome)) => self.answered(*status, outcome, took),
            None => {
                self.metrics.record_cancelled();
                self.emit(None, "CLIENT_CLOSED_REQUEST", took, "the client went away");
            }
        }
    }
}

impl RequestObserver {
    fn answered(&self, status: StatusCode, outcome: &ResponseCodes, took: Duration) {
        let code = outcome.primary_code();
        self.trail.with(|found| {
            let operation = found.label.as_ref().map_or(Operation::NONE, |label| Operation {
                kind: label.kind,
                field: &label.field,
                // Anybody can make up names; those of trusted documents are few.
                name: label.name.as_deref().filter(|_| label.trusted).unwrap_or(""),
            });
            self.metrics.record_response(operation, code, took);
        });
        let codes = outcome.codes.as_deref().filter(|codes| codes.len() > 1);
        let code = codes.map_or_else(|| code.to_owned(), |codes| codes.join(" "));
        self.emit(Some(status), &code, took, "answered");
    }

    fn emit(&self, status: Option<StatusCode>, code: &str, took: Duration, what: &str) {
        let is_logged = tracing::enabled!(target: trace::REQUEST_LOG_TARGET, Level::INFO);
        if !is_logged && self.traced.is_none() {
            return;
        }
        self.trail.with(|found| {
            let (label, session) = (found.label.as_deref(), found.session.as_ref());
            let cost = session.map(|session| StoreCost {
                store_reads: session.reads(),
                store_writes: session.writes(),
            });
            let actor = session.and_then(|session| session.actor()).map(|id| id.to_string());
            let tenants =
                session.map(|session| session.tenants_for_log()).filter(|list| !list.is_empty());
            let tenants = tenants.map(|tenants| {
                let mut named: Vec<String> = tenants.iter().map(ToString::to_string).collect();
                named.sort();
                named.join(" ")
            });
            let millis = took.as_secs_f64() * 1000.0;
            tracing::info!(
                target: trace::REQUEST_LOG_TARGET,
                method = self.method,
                status = status.map(|status| status.as_u16()),
                code,
                duration_ms = (millis * 1000.0).round() / 1000.0,
                operation_type = label.map(|label| label.kind),
                root_field = label.map(|label| label.field.as_str()),
                operation_name = label.and_then(|label| label.name.as_deref()),
                document_sha256 = label.map(|label| label.hash.as_str()),
                actor = actor.as_deref(),
                tenants = tenants.as_deref(),
                auth_error = found.refused,
                store_reads = cost.map(|cost| cost.store_reads),
                store_writes = cost.map(|cost| cost.store_writes),
                "{what}"
            );
            self.trace(status, code, label, actor.as_deref());
        });
    }

    /// The same for the trace, in the names of OpenTelemetry's semantic conventions.
    fn trace(
        &self,
        status: Option<StatusCode>,
        code: &str,
        label: Option<&OperationInfo>,
        actor: Option<&str>,
    ) {
        let name = match label {
            Some(OperationInfo { kind, field, .. }) => format!("{kind} {field}"),
            None => format!("{} /graphql", self.method),
        };
        trace::set_attributes(&self.traced, &name, |tell| {
            tell("http.request.method", self.method.into());
            tell("http.route", "/graphql".into());
            if let Some(status) = status {
                tell("http.response.status_code", i64::from(status.as_u16()).into());
            }
            if let Some(OperationInfo { kind, name, hash, .. }) = label {
                tell("graphql.operation.type", (*kind).into());
                tell("graphql.operation.name", name.clone().unwrap_or_default().into());
                tell("graphql.document.hash", hash.clone().into());
            }
            if let Some(actor) = actor {
                tell("user.id", actor.to_owned().into());
            }
            if code != OK {
                tell("error.type", code.to_owned().into());
            }
        });
        let ours = [Code::Internal.as_str(), Code::Unavailable.as_str(), Code::Timeout.as_str()];
        if code.split(' ').any(|code| ours.contains(&code)) {
            trace::set_error_status(&self.traced);
        }
    }
}
