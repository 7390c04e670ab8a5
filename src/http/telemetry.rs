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

use super::{Gateway, graphql::Cost, request_id::RequestId};
use crate::{
    access::Session,
    graphql::{Code, Label},
    metrics::{Metrics, Operation},
    trace::{self, Incoming},
};

/// Where requests are told of; the rest are pages.
const PATH: &str = "/graphql";
/// How many of an answer's codes are told.
const CODES: usize = 5;
/// What is told in place of a code.
const OK: &str = "OK";
/// The answer was kept for its `Idempotency-Key`; what it held is told where it was made.
const REPEATED: &str = "REPEATED";

/// What an answer came to, among the response's extensions.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    /// The codes of its errors, each once; nothing where it was an answer from before.
    codes: Option<Vec<&'static str>>,
}

impl Outcome {
    /// Of an answer with these errors.
    pub(super) fn of<'a>(codes: impl Iterator<Item = &'a str>) -> Self {
        let mut told: Vec<&'static str> = Vec::new();
        for code in codes.filter_map(Code::from_word).map(Code::word) {
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
    fn word(&self) -> &'static str {
        let Some(codes) = &self.codes else { return REPEATED };
        let ours = [Code::Internal.word(), Code::Unavailable.word()];
        let ours = ours.into_iter().find(|code| codes.contains(code));
        ours.or(codes.first().copied()).unwrap_or(OK)
    }
}

/// What is found out about a request on its way, among the request's extensions.
#[derive(Clone, Default)]
pub(super) struct Trail(Arc<Mutex<Found>>);

#[derive(Default)]
struct Found {
    label: Option<Arc<Label>>,
    session: Option<Arc<Session>>,
    refused: Option<&'static str>,
}

impl Trail {
    /// A request's; what is told to one that nobody follows is lost.
    pub(super) fn of(extensions: &Extensions) -> Self {
        extensions.get().cloned().unwrap_or_default()
    }

    /// Why its credential was refused.
    pub(super) fn refused(&self, reason: &'static str) {
        self.with(|found| found.refused = Some(reason));
    }

    /// What it asks for.
    pub(super) fn asks(&self, label: &Arc<Label>) {
        self.with(|found| found.label = Some(label.clone()));
    }

    /// What it runs with.
    pub(super) fn runs(&self, session: &Arc<Session>) {
        self.with(|found| found.session = Some(session.clone()));
    }

    fn with<T>(&self, change: impl FnOnce(&mut Found) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Follows a request from its head to its answer.
pub(super) async fn layer(
    State(gateway): State<Arc<Gateway>>,
    mut request: Request,
    next: Next,
) -> Response {
    let trail = Trail::default();
    request.extensions_mut().insert(trail.clone());
    let (logged, traced) = spans(&request);
    let mut watch = Watch {
        trail,
        logged: logged.clone(),
        traced: traced.clone(),
        metrics: gateway.metrics.clone(),
        graphql: request.uri().path() == PATH,
        method: known(request.method()),
        began: Instant::now(),
        ended: None,
    };
    let response = next.run(request).instrument(traced).instrument(logged).await;
    // A page, or a file of it: told apart by who made the answer.
    let outcome = response.extensions().get::<Outcome>().cloned();
    watch.graphql &= outcome.is_some();
    watch.ended = Some((response.status(), outcome.unwrap_or_else(Outcome::default)));
    response
}

/// A method, or `_OTHER` for one that a client has made up (OpenTelemetry's semantic conventions).
fn known(method: &Method) -> &'static str {
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
    let incoming = Incoming::of(request.headers());
    let sent = incoming.as_ref().map(Incoming::id);
    let traced = logged.in_scope(|| trace::request(incoming));
    if let Some(id) = trace::id(&traced).or(sent) {
        logged.record("trace_id", tracing::field::display(id));
    }
    (logged, traced)
}

/// A request that is followed. What is told of it is told when it is dropped, so also of one whose
/// client has gone away.
struct Watch {
    trail: Trail,
    logged: Span,
    traced: Span,
    metrics: Metrics,
    graphql: bool,
    method: &'static str,
    began: Instant,
    ended: Option<(StatusCode, Outcome)>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        let _entered = self.logged.enter();
        match &self.ended {
            Some((status, _)) if !self.graphql => {
                tracing::debug!(target: trace::REQUESTS, status = status.as_u16(), "served");
            }
            Some((status, outcome)) => self.answered(*status, outcome, took),
            None => {
                self.metrics.abandoned();
                self.tell(None, "GONE", took, "the client went away");
            }
        }
    }
}

impl Watch {
    fn answered(&self, status: StatusCode, outcome: &Outcome, took: Duration) {
        let code = outcome.word();
        self.trail.with(|found| {
            let operation = found.label.as_ref().map_or(Operation::NONE, |label| Operation {
                kind: label.kind,
                field: &label.field,
                // Anybody can make up names; those of trusted documents are few.
                name: label.name.as_deref().filter(|_| label.trusted).unwrap_or(""),
            });
            self.metrics.answered(operation, code, took);
        });
        let codes = outcome.codes.as_deref().filter(|codes| codes.len() > 1);
        let code = codes.map_or_else(|| code.to_owned(), |codes| codes.join(" "));
        self.tell(Some(status), &code, took, "answered");
    }

    fn tell(&self, status: Option<StatusCode>, code: &str, took: Duration, what: &str) {
        let is_logged = tracing::enabled!(target: trace::REQUESTS, Level::INFO);
        if !is_logged && self.traced.is_none() {
            return;
        }
        self.trail.with(|found| {
            let (label, session) = (found.label.as_deref(), found.session.as_ref());
            let cost = session.map(|session| Cost {
                store_reads: session.reads(),
                store_writes: session.writes(),
            });
            let actor = session.and_then(|session| session.actor()).map(|id| id.to_string());
            let tenants = session.map(|session| session.touched()).filter(|list| !list.is_empty());
            let tenants = tenants.map(|tenants| {
                let mut named: Vec<String> = tenants.iter().map(ToString::to_string).collect();
                named.sort();
                named.join(" ")
            });
            let millis = took.as_secs_f64() * 1000.0;
            tracing::info!(
                target: trace::REQUESTS,
                method = self.method,
                status = status.map(|status| status.as_u16()),
                code,
                duration_ms = (millis * 1000.0).round() / 1000.0,
                r#type = label.map(|label| label.kind),
                field = label.map(|label| label.field.as_str()),
                operation = label.and_then(|label| label.name.as_deref()),
                document = label.map(|label| label.hash.as_str()),
                actor = actor.as_deref(),
                tenants = tenants.as_deref(),
                refused = found.refused,
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
        label: Option<&Label>,
        actor: Option<&str>,
    ) {
        let name = match label {
            Some(Label { kind, field, .. }) => format!("{kind} {field}"),
            None => format!("{} /graphql", self.method),
        };
        trace::describe(&self.traced, &name, |tell| {
            tell("http.request.method", self.method.into());
            tell("http.route", "/graphql".into());
            if let Some(status) = status {
                tell("http.response.status_code", i64::from(status.as_u16()).into());
            }
            if let Some(Label { kind, name, hash, .. }) = label {
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
        let ours = [Code::Internal.word(), Code::Unavailable.word(), Code::Timeout.word()];
        if code.split(' ').any(|code| ours.contains(&code)) {
            trace::failed(&self.traced);
        }
    }
}
