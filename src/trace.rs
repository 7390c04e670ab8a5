//! A trace goes on from process to process by the headers of W3C Trace Context.

use std::sync::atomic::{AtomicBool, Ordering};

use http::HeaderMap;
use opentelemetry::{
    Context, Value,
    propagation::TextMapPropagator,
    trace::{Status, TraceContextExt, TraceId},
};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::{Span, debug_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The name of the span that gives the lines of a log their request; a trace has no use for it.
pub const LOG_SPAN_NAME: &str = "request";

/// The target of the lines that logs have of whole requests, one for each; a trace has spans for it.
pub const REQUEST_LOG_TARGET: &str = "tenantry::request";

/// Whether spans are sent anywhere.
static EXPORT_ENABLED: AtomicBool = AtomicBool::new(false);

/// Says that spans are sent somewhere from now on.
pub fn enable_export() {
    EXPORT_ENABLED.store(true, Ordering::Relaxed);
}

fn is_on() -> bool {
    EXPORT_ENABLED.load(Ordering::Relaxed)
}

/// The trace that a request came with, by its `traceparent` and `tracestate`.
pub struct RemoteContext(Context);

impl RemoteContext {
    /// `None` where it came with none, or with one that is not valid.
    #[must_use]
    pub fn extract(headers: &HeaderMap) -> Option<Self> {
        headers.get("traceparent")?;
        let context = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
        let valid = context.span().span_context().is_valid();
        valid.then_some(Self(context))
    }

    /// Its identifier.
    #[must_use]
    pub fn id(&self) -> TraceId {
        self.0.span().span_context().trace_id()
    }
}

/// The span of a request, a part of the trace that it came with; none where spans go nowhere.
#[must_use]
pub fn request_span(incoming: Option<RemoteContext>) -> Span {
    if !is_on() {
        return Span::none();
    }
    let span = debug_span!("http", otel.kind = "server");
    if let Some(RemoteContext(context)) = incoming {
        // The error is that there is no such span, because nobody asked for it.
        let _ = span.set_parent(context);
    }
    span
}

/// The trace that a span is a part of; `None` where it goes nowhere.
#[must_use]
pub fn trace_id(span: &Span) -> Option<TraceId> {
    if span.is_none() {
        return None;
    }
    let context = span.context();
    let of_trace = context.span().span_context().clone();
    of_trace.is_valid().then(|| of_trace.trace_id())
}

/// Says of a span what it is called, and whatever else `say` adds; where there is a span.
pub fn set_attributes(span: &Span, name: &str, say: impl FnOnce(&dyn Fn(&'static str, Value))) {
    if !span.is_none() {
        span.context().span().update_name(name.to_owned());
        say(&|attribute, value| span.set_attribute(attribute, value));
    }
}

/// Says of a span that what it stands for failed.
pub fn set_error_status(span: &Span) {
    if !span.is_none() {
        span.set_status(Status::error(""));
    }
}

/// Passes the trace of the present span on to another process.
pub fn inject(headers: &mut HeaderMap) {
    if is_on() {
        let context = Span::current().context();
        TraceContextPropagator::new().inject_context(&context, &mut HeaderInjector(headers));
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_trace_is_known_by_its_header() {
        let incoming = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("traceparent", HeaderValue::from_static(value));
            RemoteContext::extract(&headers).map(|trace| trace.id().to_string())
        };
        let known = "0af7651916cd43dd8448eb211c80319c";
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(incoming(good).as_deref(), Some(known));
        for bad in ["", "00", "00-0-0-0", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]
        {
            assert_eq!(incoming(bad), None, "{bad}");
        }
        assert!(RemoteContext::extract(&HeaderMap::new()).is_none());
    }
}
