//! Emits the telemetry of every request: a log line, a trace span and metrics.
//!
//! Each operation of a WebSocket counts as a request. A subscription has its log line at its end.
//! No other module emits the log line or the span of a request, or counts it as completed. The modules
//! that reject a request count the rejection in addition. Logs and spans contain no token, no secret,
//! no literal of a document and no value of a variable. Metric label values come from a fixed set, the
//! schema or the configuration.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{Method, StatusCode},
    middleware::Next,
    response::Response,
};
use http_body_util::BodyExt;
use tracing::{Instrument, Level, Span, error_span, field::Empty};

use super::{
    live_connections::LiveTransport,
    request_facts::{RequestTelemetry, SubscriptionFacts},
    request_id::RequestId,
    response::{OK, ResponseCodes, StoreCost},
    state::AppState,
};
use crate::{
    access::Session,
    graphql::{Code, OperationInfo},
    metrics::{Metrics, Operation},
    trace::{self, RemoteContext},
};

/// The path whose requests have a log line, a span and metrics.
const GRAPHQL_PATH: &str = "/graphql";
/// The code of a request whose client disconnected before the response.
const CLIENT_CLOSED_REQUEST: &str = "CLIENT_CLOSED_REQUEST";

/// Observes a request from its head to its response, and emits its telemetry.
pub(super) async fn layer(
    State(state): State<Arc<AppState>>,
    mut request: Request,
    next: Next,
) -> Response {
    let telemetry = RequestTelemetry::default();
    request.extensions_mut().insert(telemetry.clone());
    let (log_span, trace_span) = new_spans(&request);
    let mut observer = RequestObserver {
        telemetry,
        log_span: log_span.clone(),
        trace_span: trace_span.clone(),
        metrics: state.metrics.clone(),
        is_graphql: request.uri().path() == GRAPHQL_PATH,
        method: Some(method_label(request.method())),
        start: Instant::now(),
        result: None,
    };
    let response = next.run(request).instrument(trace_span).instrument(log_span).await;
    // `/graphql` also serves the page of the playground, whose response has no codes.
    let codes = response.extensions().get::<ResponseCodes>().cloned();
    observer.is_graphql &= codes.is_some();
    observer.result = Some((Some(response.status()), codes.unwrap_or_default()));
    if !observer.telemetry.is_subscription() {
        return response;
    }
    // The request lasts until its event stream ends.
    response.map(|body| observe_body(body, observer))
}

/// Observes one operation of a WebSocket, and emits its telemetry when it is dropped.
pub(super) struct OperationObserver(RequestObserver);

impl OperationObserver {
    /// Starts the observation. `connection_id` is the identifier of the request that was upgraded.
    pub(super) fn start(metrics: Metrics, request_id: &str, connection_id: &str) -> Self {
        let log_span = error_span!("request", request_id, connection_id, trace_id = Empty);
        let trace_span = log_span.in_scope(|| trace::request_span(None));
        if let Some(id) = trace::trace_id(&trace_span) {
            log_span.record("trace_id", tracing::field::display(id));
        }
        Self(RequestObserver {
            telemetry: RequestTelemetry::default(),
            log_span,
            trace_span,
            metrics,
            is_graphql: true,
            method: None,
            start: Instant::now(),
            result: None,
        })
    }

    /// Returns the telemetry of the operation.
    pub(super) const fn telemetry(&self) -> &RequestTelemetry {
        &self.0.telemetry
    }

    /// Runs a part of the operation within its spans.
    pub(super) fn observe<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        future.instrument(self.0.trace_span.clone()).instrument(self.0.log_span.clone())
    }

    /// Records the codes of the response of an operation that is no subscription.
    pub(super) fn complete(&mut self, codes: ResponseCodes) {
        self.0.result = Some((None, codes));
    }
}

/// Keeps an observer until the end of a body.
fn observe_body(body: Body, observer: RequestObserver) -> Body {
    Body::new(body.map_frame(move |frame| {
        let _ = &observer;
        frame
    }))
}

/// Returns the method, or `_OTHER` for an unknown one, as OpenTelemetry's conventions prescribe.
fn method_label(method: &Method) -> &'static str {
    let known = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT"];
    known.into_iter().find(|known| method == known).unwrap_or("_OTHER")
}

/// Creates the span that adds the request's identifiers to its log lines, and the span for its trace.
fn new_spans(request: &Request) -> (Span, Span) {
    let id = request.extensions().get::<RequestId>().map_or("", |RequestId(id)| id);
    // The span has the highest level, so that it exists even if the filter admits only errors. It emits
    // no line itself.
    let log_span = error_span!("request", request_id = id, trace_id = Empty);
    if request.uri().path() != GRAPHQL_PATH {
        return (log_span, Span::none());
    }
    let remote = RemoteContext::extract(request.headers());
    let remote_id = remote.as_ref().map(RemoteContext::id);
    let trace_span = log_span.in_scope(|| trace::request_span(remote));
    if let Some(id) = trace::trace_id(&trace_span).or(remote_id) {
        log_span.record("trace_id", tracing::field::display(id));
    }
    (log_span, trace_span)
}

/// Emits the telemetry of a request when it is dropped.
///
/// A client that disconnects drops the future of its request. The observer covers that case too.
struct RequestObserver {
    telemetry: RequestTelemetry,
    log_span: Span,
    trace_span: Span,
    metrics: Metrics,
    is_graphql: bool,
    /// The method of an HTTP request. `None` for an operation of a WebSocket.
    method: Option<&'static str>,
    start: Instant,
    /// The status and the codes of the response, or `None` before the response. An operation of a
    /// WebSocket has no status.
    result: Option<(Option<StatusCode>, ResponseCodes)>,
}

impl Drop for RequestObserver {
    fn drop(&mut self) {
        let duration = self.start.elapsed();
        let _entered = self.log_span.enter();
        let subscription = self.telemetry.with_facts(|facts| facts.subscription.take());
        if let Some(subscription) = subscription {
            return self.end_subscription(&subscription, duration);
        }
        match &self.result {
            Some((status, _)) if !self.is_graphql => {
                let status = status.map(|status| status.as_u16());
                tracing::debug!(target: trace::REQUEST_LOG_TARGET, status, "non-GraphQL request served");
            }
            Some((status, codes)) => {
                self.with_operation(|operation| {
                    self.metrics.record_response(operation, codes.primary_code(), duration);
                });
                self.emit(*status, &codes.log_codes(), duration, None, "request completed");
            }
            None => {
                self.metrics.record_abandoned();
                self.emit(None, CLIENT_CLOSED_REQUEST, duration, None, "client disconnected");
            }
        }
    }
}

impl RequestObserver {
    fn end_subscription(&self, subscription: &SubscriptionFacts, duration: Duration) {
        let codes = &subscription.codes;
        self.with_operation(|operation| {
            self.metrics.record_live_response(operation, codes.primary_code());
        });
        let status = self.result.as_ref().and_then(|(status, _)| *status);
        let message = "subscription ended";
        self.emit(status, &codes.log_codes(), duration, Some(subscription), message);
    }

    fn with_operation(&self, record: impl FnOnce(Operation<'_>)) {
        self.telemetry.with_facts(|facts| {
            record(facts.operation.as_ref().map_or(Operation::NONE, |info| Operation {
                kind: info.kind,
                field: &info.field,
                // Clients can invent any number of names. Trusted documents have few.
                name: info.name.as_deref().filter(|_| info.trusted).unwrap_or(""),
            }));
        });
    }

    /// Writes the log line and completes the span.
    fn emit(
        &self,
        status: Option<StatusCode>,
        codes: &str,
        duration: Duration,
        subscription: Option<&SubscriptionFacts>,
        message: &str,
    ) {
        let is_logged = tracing::enabled!(target: trace::REQUEST_LOG_TARGET, Level::INFO);
        if !is_logged && self.trace_span.is_none() {
            return;
        }
        self.telemetry.with_facts(|facts| {
            let (operation, session) = (facts.operation.as_deref(), facts.session.as_deref());
            let cost = session.map(StoreCost::from_session);
            let actor = session.and_then(Session::viewer_id).map(|id| id.to_string());
            let tenants = session.and_then(logged_tenants);
            let duration_ms = duration.as_secs_f64() * 1000.0;
            tracing::info!(
                target: trace::REQUEST_LOG_TARGET,
                method = self.method,
                transport = self.transport(subscription),
                status = status.map(|status| status.as_u16()),
                code = codes,
                duration_ms = (duration_ms * 1000.0).round() / 1000.0,
                operation_type = operation.map(|operation| operation.kind),
                root_field = operation.map(|operation| operation.field.as_str()),
                operation_name = operation.and_then(|operation| operation.name.as_deref()),
                document_sha256 = operation.map(|operation| operation.hash.as_str()),
                actor = actor.as_deref(),
                tenants = tenants.as_deref(),
                auth_error = facts.auth_error,
                store_reads = cost.map(|cost| cost.store_reads),
                store_writes = cost.map(|cost| cost.store_writes),
                events = subscription.map(|subscription| subscription.events),
                ended_by = subscription.map(SubscriptionFacts::ended_by),
                "{message}"
            );
            self.complete_span(status, codes, operation, actor.as_deref());
        });
    }

    /// Returns the transport, unless it is plain HTTP.
    fn transport(&self, subscription: Option<&SubscriptionFacts>) -> Option<&'static str> {
        let subscription = subscription.map(|subscription| subscription.transport);
        let websocket = self.method.is_none().then_some(LiveTransport::WebSocket);
        subscription.or(websocket).map(LiveTransport::as_label)
    }

    /// Sets the attributes of the span, named by OpenTelemetry's semantic conventions.
    fn complete_span(
        &self,
        status: Option<StatusCode>,
        codes: &str,
        operation: Option<&OperationInfo>,
        actor: Option<&str>,
    ) {
        let span_name = match operation {
            Some(OperationInfo { kind, field, .. }) => format!("{kind} {field}"),
            None => format!("{} /graphql", self.method.unwrap_or("GET")),
        };
        trace::set_attributes(&self.trace_span, &span_name, |set| {
            if let Some(method) = self.method {
                set("http.request.method", method.into());
            }
            set("http.route", GRAPHQL_PATH.into());
            if let Some(status) = status {
                set("http.response.status_code", i64::from(status.as_u16()).into());
            }
            if let Some(OperationInfo { kind, name, hash, .. }) = operation {
                set("graphql.operation.type", (*kind).into());
                set("graphql.operation.name", name.clone().unwrap_or_default().into());
                set("graphql.document.hash", hash.clone().into());
            }
            if let Some(actor) = actor {
                set("user.id", actor.to_owned().into());
            }
            if codes != OK {
                set("error.type", codes.to_owned().into());
            }
        });
        let gateway_errors =
            [Code::Internal.as_str(), Code::Unavailable.as_str(), Code::Timeout.as_str()];
        if codes.split(' ').any(|code| gateway_errors.contains(&code)) {
            trace::set_error_status(&self.trace_span);
        }
    }
}

/// Returns the identifiers of the tenants that a session has read or changed, in order.
fn logged_tenants(session: &Session) -> Option<String> {
    let mut ids: Vec<String> = session.tenants_for_log().iter().map(ToString::to_string).collect();
    ids.sort();
    (!ids.is_empty()).then(|| ids.join(" "))
}
